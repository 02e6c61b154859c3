//! Capability negotiation: CAP. IRCv3 capability-negotiation.

use super::caps::{ALL, Value};
use super::{Caps, Context, registration};
use crate::wire::irc::{Message, numeric};

/// `CAP LS|LIST|REQ|END`.
pub(super) fn cap(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [subcommand, argument] = message.words();
    match subcommand.to_ascii_uppercase().as_str() {
        "LS" => ls(context, argument),
        "LIST" => {
            let names = context.session.caps.names().map(str::to_owned).collect();
            list(context, "LIST", names);
        }
        "REQ" => request(context, argument),
        "END" => {
            if let Some(registration) = &mut context.session.registration {
                registration.negotiating = false;
                registration::try_register(context);
            }
        }
        _ => context.numeric(numeric::ERR_INVALIDCAPCMD, &[subcommand]),
    }
}

fn ls(context: &mut Context<'_, '_>, argument: &str) {
    let version = argument.parse().unwrap_or(301);
    context.session.version = context.session.version.max(version);
    if let Some(registration) = &mut context.session.registration {
        registration.negotiating = true;
    }
    if context.session.version >= 302 {
        context.session.caps = context.session.caps.with(Caps::CAP_NOTIFY);
    }
    let token = |(word, number): &(&str, Option<usize>)| match number {
        Some(number) => format!("{word}={number}"),
        None => (*word).to_owned(),
    };
    let mechanisms = context.view.settings.mechanisms();
    let registers_early = context.view.settings.registers_early;
    let named = |(name, bit, value): &(&str, Caps, Option<Value>)| match value {
        Some(_) if version >= 302 && *bit == Caps::SASL => format!("{name}={mechanisms}"),
        None if version >= 302 && *bit == Caps::ACCOUNT_REGISTRATION && registers_early => {
            format!("{name}=before-connect")
        }
        Some(tokens) if version >= 302 => {
            let tokens: Vec<String> = tokens.iter().map(token).collect();
            format!("{name}={}", tokens.join(","))
        }
        _ => (*name).to_owned(),
    };
    // It cannot be requested, so it is not among the capabilities. IRCv3 sts.
    let sts = context.view.settings.sts.as_ref().filter(|_| version >= 302);
    let sts = sts.map(|value| format!("sts={value}"));
    // Some clients look at the last line alone: what every client knows stands there together.
    let (special, common): (Vec<_>, Vec<_>) = ALL.iter().partition(|(name, ..)| name.contains('/'));
    let common: Vec<String> = common.into_iter().map(named).chain(sts).collect();
    let names = special.into_iter().map(named).chain([common.join(" ")]);
    list(context, "LS", names.collect());
}

/// In as many lines as it takes for clients that know version 302, in one for others.
fn list(context: &mut Context<'_, '_>, subcommand: &str, names: Vec<String>) {
    const ROOM: usize = 400;
    let several = context.session.version >= 302;
    let mut reply = context.reply();
    let nick = reply.nick.clone();
    let mut line = String::new();
    for name in names {
        if several && line.len() + name.len() > ROOM {
            reply.line("CAP", &[nick.as_str(), subcommand, "*"], Some(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&name);
    }
    reply.line("CAP", &[nick.as_str(), subcommand], Some(&line));
}

/// All or nothing.
fn request(context: &mut Context<'_, '_>, wanted: &str) {
    if let Some(registration) = &mut context.session.registration {
        registration.negotiating = true;
    }
    let mut caps = context.session.caps;
    let known = wanted.split_ascii_whitespace().all(|word| {
        let (name, on) = match word.strip_prefix('-') {
            Some(name) => (name, false),
            None => (word, true),
        };
        let bit = Caps::find(name);
        if let Some(bit) = bit {
            caps = if on { caps.with(bit) } else { caps.without(bit) };
        }
        bit.is_some()
    });
    // Version 302 implies cap-notify.
    if context.session.version >= 302 {
        caps = caps.with(Caps::CAP_NOTIFY);
    }
    let known = known && !caps.contradicts();
    let answer = if known { "ACK" } else { "NAK" };
    let mut reply = context.reply();
    let nick = reply.nick.clone();
    reply.line("CAP", &[nick.as_str(), answer], Some(wanted));
    if known {
        context.session.caps = caps;
        context.session.keep_subscriptions_if_aware();
    }
}
