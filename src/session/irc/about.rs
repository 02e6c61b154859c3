//! What can be asked about the server: MOTD, LUSERS, VERSION, TIME, INFO, ADMIN, LINKS, STATS, HELP.

use super::fields;
use super::{Context, commands, settings};
use crate::chat::{UserMode, glob};
use crate::wire::irc::{Message, numeric};

/// Whether the server that a command names is this one; else says that it is not there.
fn is_here(context: &mut Context<'_, '_>, target: Option<&&str>) -> bool {
    let Some(target) = target.filter(|target| !target.is_empty()) else { return true };
    let here =
        glob(target, &context.view.settings.name) || context.view.hub.session_of(target).is_some();
    if !here {
        context.reply().numeric(numeric::ERR_NOSUCHSERVER, &[target]);
    }
    here
}

/// `MOTD [server]`.
pub(super) fn motd_command(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        motd(context);
    }
}

/// The message of the day.
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

/// How many are there.
pub(super) fn lusers(context: &mut Context<'_, '_>) {
    let hub = context.view.hub;
    let online = hub.online();
    let invisible = hub.users().filter(|user| user.is(UserMode::Invisible)).count();
    let operators = hub.users().filter(|user| user.is_operator()).count();
    let counts = &context.view.counts;
    let (unknown, most) = (counts.unregistered(), counts.peak(online));
    let rooms = hub.rooms().filter(|room| room.members().len() > 0).count();
    let mut reply = context.reply();
    let visible = online - invisible;
    // The words are RFC 2812's, for clients that read them.
    let text = format!("There are {visible} users and {invisible} invisible on 1 servers");
    reply.numeric_text(numeric::RPL_LUSERCLIENT, &[], &text);
    reply.numeric(numeric::RPL_LUSEROP, &[&operators.to_string()]);
    reply.numeric(numeric::RPL_LUSERUNKNOWN, &[&unknown.to_string()]);
    reply.numeric(numeric::RPL_LUSERCHANNELS, &[&rooms.to_string()]);
    reply.numeric_text(
        numeric::RPL_LUSERME,
        &[],
        &format!("I have {online} clients and 0 servers"),
    );
    let words = [online.to_string(), most.to_string()];
    let words = [words[0].as_str(), words[1].as_str()];
    let text = format!("Current local users {online}, max {most}");
    reply.numeric_text(numeric::RPL_LOCALUSERS, &words, &text);
    let text = format!("Current global users {online}, max {most}");
    reply.numeric_text(numeric::RPL_GLOBALUSERS, &words, &text);
}

/// `VERSION [server]`.
pub(super) fn version(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        let settings = context.view.settings;
        let words = [settings::VERSION, &settings.name];
        context.reply().numeric_text(
            numeric::RPL_VERSION,
            &words,
            "a chat whose event loop you can watch",
        );
        super::registration::isupport(context);
    }
}

/// `TIME [server]`.
pub(super) fn time(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        let (name, now) = (&context.view.settings.name, context.view.now);
        let words = [name.as_str(), &fields::seconds(now), "0"];
        context.reply().numeric_text(numeric::RPL_TIME, &words, &fields::timestamp(now));
    }
}

/// `INFO [server]`.
pub(super) fn info(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if !is_here(context, message.parameters.first()) {
        return;
    }
    let started = format!("On-line since {}", fields::timestamp(context.view.settings.started));
    let mut reply = context.reply();
    for line in
        [settings::VERSION, "A multi-user TCP chat whose event loop you can watch.", &started]
    {
        reply.numeric_text(numeric::RPL_INFO, &[], line);
    }
    reply.numeric(numeric::RPL_ENDOFINFO, &[]);
}

/// `ADMIN [server]`.
pub(super) fn admin(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        let name = &context.view.settings.name;
        context.reply().numeric(numeric::ERR_NOADMININFO, &[name]);
    }
}

/// `LINKS`: this server has none.
pub(super) fn links(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mask = message.parameters.last().copied().unwrap_or("*");
    context.reply().numeric(numeric::RPL_ENDOFLINKS, &[mask]);
}

/// `STATS letter`.
pub(super) fn stats(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let letter = message.parameters.first().copied().unwrap_or("*");
    let up = (context.view.now.0 - context.view.settings.started.0).max(0) / 1000;
    let mut reply = context.reply();
    if letter == "u" {
        let (days, hours, minutes, seconds) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
        let text = format!("Server Up {days} days {hours}:{minutes:02}:{seconds:02}");
        reply.numeric_text(numeric::RPL_STATSUPTIME, &[], &text);
    }
    reply.numeric(numeric::RPL_ENDOFSTATS, &[letter]);
}

/// `HELP [command]`.
pub(super) fn help(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let subject = message.parameters.first().copied().unwrap_or_default();
    if subject.is_empty() {
        let all: Vec<&str> = commands::names().collect();
        let mut reply = context.reply();
        reply.numeric_text(numeric::RPL_HELPSTART, &["*"], "The commands of this server");
        for line in all.chunks(8) {
            reply.numeric_text(numeric::RPL_HELPTXT, &["*"], &line.join(" "));
        }
        return reply.numeric(numeric::RPL_ENDOFHELP, &["*"]);
    }
    let known = commands::names().find(|name| name.eq_ignore_ascii_case(subject));
    let mut reply = context.reply();
    match known {
        Some(name) => {
            let text = format!("{name} is a command of this server");
            reply.numeric_text(numeric::RPL_HELPSTART, &[subject], &text);
            let text = "as the Modern IRC Client Protocol and IRCv3 describe it";
            reply.numeric_text(numeric::RPL_HELPTXT, &[subject], text);
            reply.numeric(numeric::RPL_ENDOFHELP, &[subject]);
        }
        None => reply.numeric(numeric::ERR_HELPNOTFOUND, &[subject]),
    }
}
