//! What can be asked about the server: MOTD, LUSERS, VERSION, TIME, INFO, ADMIN, LINKS, STATS, HELP.

use super::{Context, commands, pen, settings};
use crate::chat::{UserMode, glob};
use crate::wire::irc::{Message, numeric};

/// Whether the server that a command names is this one; else says that it is not there.
fn is_here(context: &mut Context<'_, '_>, target: Option<&&str>) -> bool {
    let Some(target) = target.filter(|target| !target.is_empty()) else { return true };
    let here =
        glob(target, &context.view.settings.name) || context.view.hub.session_of(target).is_some();
    if !here {
        context.pen().numeric(numeric::ERR_NOSUCHSERVER, &[target], "No such server");
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
    let mut pen = context.pen();
    let Some(lines) = &settings.motd else {
        return pen.numeric(numeric::ERR_NOMOTD, &[], "There is no message of the day");
    };
    let text = format!("- {} message of the day - ", settings.name);
    pen.numeric(numeric::RPL_MOTDSTART, &[], &text);
    for line in lines {
        pen.numeric(numeric::RPL_MOTD, &[], &format!("- {line}"));
    }
    pen.numeric(numeric::RPL_ENDOFMOTD, &[], "End of /MOTD command");
}

/// How many are there.
pub(super) fn lusers(context: &mut Context<'_, '_>) {
    let hub = context.view.hub;
    let online = hub.online();
    let invisible = hub.users().filter(|user| user.is(UserMode::Invisible)).count();
    let operators = hub.users().filter(|user| user.is_operator()).count();
    let (unknown, most) = (context.view.desk.unknown(), context.view.desk.most_online(online));
    let rooms = hub.rooms().filter(|room| room.members().len() > 0).count();
    let mut pen = context.pen();
    let visible = online - invisible;
    // The words are RFC 2812's, for clients that read them.
    let text = format!("There are {visible} users and {invisible} invisible on 1 servers");
    pen.numeric(numeric::RPL_LUSERCLIENT, &[], &text);
    pen.numeric(numeric::RPL_LUSEROP, &[&operators.to_string()], "operators online");
    pen.numeric(numeric::RPL_LUSERUNKNOWN, &[&unknown.to_string()], "unregistered connections");
    pen.numeric(numeric::RPL_LUSERCHANNELS, &[&rooms.to_string()], "channels formed");
    pen.numeric(numeric::RPL_LUSERME, &[], &format!("I have {online} clients and 0 servers"));
    let words = [online.to_string(), most.to_string()];
    let words = [words[0].as_str(), words[1].as_str()];
    let text = format!("Current local users {online}, max {most}");
    pen.numeric(numeric::RPL_LOCALUSERS, &words, &text);
    let text = format!("Current global users {online}, max {most}");
    pen.numeric(numeric::RPL_GLOBALUSERS, &words, &text);
}

/// `VERSION [server]`.
pub(super) fn version(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        let settings = context.view.settings;
        let words = [settings::VERSION, &settings.name];
        context.pen().numeric(
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
        let words = [name.as_str(), &pen::seconds(now), "0"];
        context.pen().numeric(numeric::RPL_TIME, &words, &pen::timestamp(now));
    }
}

/// `INFO [server]`.
pub(super) fn info(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if !is_here(context, message.parameters.first()) {
        return;
    }
    let started = format!("On-line since {}", pen::timestamp(context.view.settings.started));
    let mut pen = context.pen();
    for line in
        [settings::VERSION, "A multi-user TCP chat whose event loop you can watch.", &started]
    {
        pen.numeric(numeric::RPL_INFO, &[], line);
    }
    pen.numeric(numeric::RPL_ENDOFINFO, &[], "End of /INFO list");
}

/// `ADMIN [server]`.
pub(super) fn admin(context: &mut Context<'_, '_>, message: &Message<'_>) {
    if is_here(context, message.parameters.first()) {
        let name = &context.view.settings.name;
        let text = "No administrative info available";
        context.pen().numeric(numeric::ERR_NOADMININFO, &[name], text);
    }
}

/// `LINKS`: this server has none.
pub(super) fn links(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let mask = message.parameters.last().copied().unwrap_or("*");
    context.pen().numeric(numeric::RPL_ENDOFLINKS, &[mask], "End of /LINKS list");
}

/// `STATS letter`.
pub(super) fn stats(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let letter = message.parameters.first().copied().unwrap_or("*");
    let up = (context.view.now.0 - context.view.settings.started.0).max(0) / 1000;
    let mut pen = context.pen();
    if letter == "u" {
        let (days, hours, minutes, seconds) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
        let text = format!("Server Up {days} days {hours}:{minutes:02}:{seconds:02}");
        pen.numeric(numeric::RPL_STATSUPTIME, &[], &text);
    }
    pen.numeric(numeric::RPL_ENDOFSTATS, &[letter], "End of /STATS report");
}

/// `HELP [command]`.
pub(super) fn help(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let subject = message.parameters.first().copied().unwrap_or_default();
    if subject.is_empty() {
        let all: Vec<&str> = commands::names().collect();
        let mut pen = context.pen();
        pen.numeric(numeric::RPL_HELPSTART, &["*"], "The commands of this server");
        for line in all.chunks(8) {
            pen.numeric(numeric::RPL_HELPTXT, &["*"], &line.join(" "));
        }
        return pen.numeric(numeric::RPL_ENDOFHELP, &["*"], "End of /HELP");
    }
    let known = commands::names().find(|name| name.eq_ignore_ascii_case(subject));
    let mut pen = context.pen();
    match known {
        Some(name) => {
            let text = format!("{name} is a command of this server");
            pen.numeric(numeric::RPL_HELPSTART, &[subject], &text);
            let text = "as the Modern IRC Client Protocol and IRCv3 describe it";
            pen.numeric(numeric::RPL_HELPTXT, &[subject], text);
            pen.numeric(numeric::RPL_ENDOFHELP, &[subject], "End of /HELP");
        }
        None => pen.numeric(numeric::ERR_HELPNOTFOUND, &[subject], "No help on this"),
    }
}
