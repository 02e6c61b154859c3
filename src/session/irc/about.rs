//! The server itself: MOTD, LUSERS, VERSION, TIME, INFO, ADMIN, LINKS, STATS.

use super::fields::{self, given};
use super::{Context, settings};
use crate::chat::{UserMode, glob};
use crate::session::action::Action;
use crate::wire::irc::{Message, numeric};

/// Whether a command names no server or this one; else replies that there is no such server.
pub(super) fn is_here(context: &mut Context<'_, '_>, message: &Message<'_>) -> bool {
    let [target] = message.words();
    let here = target.is_empty()
        || glob(target, &context.view.settings.name)
        || context.view.hub.session_of(target).is_some();
    if !here {
        context.numeric(numeric::ERR_NOSUCHSERVER, &[target]);
    }
    here
}

/// Answers a question to this server; one to another is told that there is none.
pub(super) fn here(
    context: &mut Context<'_, '_>,
    message: &Message<'_>,
    answer: fn(&mut Context<'_, '_>),
) {
    if is_here(context, message) {
        answer(context);
    }
}

/// `MOTD [server]`, and a part of the welcome.
pub(super) fn motd(context: &mut Context<'_, '_>) {
    let settings = context.view.settings;
    let mut reply = context.reply();
    let Some(lines) = &settings.motd else {
        return reply.numeric(numeric::ERR_NOMOTD, &[]);
    };
    let text = format!("- {} message of the day - ", settings.name);
    reply.numeric_text(numeric::RPL_MOTDSTART, &[], &text);
    for line in lines {
        reply.numeric_text(numeric::RPL_MOTD, &[], &format!("- {line}"));
    }
    reply.numeric(numeric::RPL_ENDOFMOTD, &[]);
}

/// `LUSERS`, and a part of the welcome. The texts are RFC 2812's, for clients that parse them.
pub(super) fn lusers(context: &mut Context<'_, '_>) {
    let hub = context.view.hub;
    let online = hub.online();
    let invisible = hub.users().filter(|user| user.is(UserMode::Invisible)).count();
    let operators = hub.users().filter(|user| user.is_operator()).count();
    let rooms = hub.rooms().filter(|room| room.member_count() > 0).count();
    let (visible, peak) = (online - invisible, context.view.counts.peak(online));
    let unregistered = context.view.counts.unregistered().to_string();
    let mut reply = context.reply();
    let text = format!("There are {visible} users and {invisible} invisible on 1 servers");
    reply.numeric_text(numeric::RPL_LUSERCLIENT, &[], &text);
    reply.numeric(numeric::RPL_LUSEROP, &[&operators.to_string()]);
    reply.numeric(numeric::RPL_LUSERUNKNOWN, &[&unregistered]);
    reply.numeric(numeric::RPL_LUSERCHANNELS, &[&rooms.to_string()]);
    let text = format!("I have {online} clients and 0 servers");
    reply.numeric_text(numeric::RPL_LUSERME, &[], &text);
    let words = [&*online.to_string(), &*peak.to_string()];
    for (numeric, which) in
        [(numeric::RPL_LOCALUSERS, "local"), (numeric::RPL_GLOBALUSERS, "global")]
    {
        let text = format!("Current {which} users {online}, max {peak}");
        reply.numeric_text(numeric, &words, &text);
    }
}

/// `VERSION [server]`.
pub(super) fn version(context: &mut Context<'_, '_>) {
    let words = [settings::VERSION, &context.view.settings.name];
    let text = "a chat whose event loop you can watch";
    context.reply().numeric_text(numeric::RPL_VERSION, &words, text);
    isupport(context);
}

pub(super) fn isupport(context: &mut Context<'_, '_>) {
    // Thirteen tokens, the nick and the text are fifteen parameters.
    const PER_LINE: usize = 13;
    let tokens = context.view.settings.isupport();
    let mut reply = context.reply();
    for chunk in tokens.chunks(PER_LINE) {
        let words: Vec<&str> = chunk.iter().map(String::as_str).collect();
        reply.numeric(numeric::RPL_ISUPPORT, &words);
    }
}

/// `TIME [server]`.
pub(super) fn time(context: &mut Context<'_, '_>) {
    let (name, now) = (&context.view.settings.name, context.view.now);
    let words = [name, &*fields::seconds(now), "0"];
    context.reply().numeric_text(numeric::RPL_TIME, &words, &fields::timestamp(now));
}

/// `INFO [server]`.
pub(super) fn info(context: &mut Context<'_, '_>) {
    let started = format!("Online since {}", fields::timestamp(context.view.settings.started));
    let about = "A multi-user TCP chat whose event loop you can watch.";
    let mut reply = context.reply();
    for line in [settings::VERSION, about, &started] {
        reply.numeric_text(numeric::RPL_INFO, &[], line);
    }
    reply.numeric(numeric::RPL_ENDOFINFO, &[]);
}

/// `ADMIN [server]`.
pub(super) fn admin(context: &mut Context<'_, '_>) {
    let name = &context.view.settings.name;
    context.numeric(numeric::ERR_NOADMININFO, &[name]);
}

/// `LINKS`: there is only one server.
pub(super) fn links(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mask = message.parameters.last().copied().unwrap_or("*");
    context.numeric(numeric::RPL_ENDOFLINKS, &[mask]);
}

/// `STATS letter`: `u`, the time since the start; `z`, what the limits have done, for operators.
pub(super) fn stats(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [letter] = message.words();
    if letter == "z" {
        return context.actions.push(Action::Stats);
    }
    let up = (context.view.now.0 - context.view.settings.started.0).max(0) / 1000;
    let mut reply = context.reply();
    if letter == "u" {
        let (days, hours, minutes, seconds) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
        let text = format!("Server Up {days} days {hours}:{minutes:02}:{seconds:02}");
        reply.numeric_text(numeric::RPL_STATSUPTIME, &[], &text);
    }
    reply.numeric(numeric::RPL_ENDOFSTATS, &[given(letter).unwrap_or("*")]);
}
