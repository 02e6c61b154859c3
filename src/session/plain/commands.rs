//! The table of plain commands: each row parses its command, describes it in `/help` and shows its
//! usage in errors. Longer parsers are in `parsers`.

use super::arguments::{Fault, Line};
use super::parsers::{
    Context, Parsed, about_message, account, alone, bell, certificate, history, keep, list, lock,
    mask_mode, member_mode, of_room, of_word, password, react, room, room_or_current, run, search,
    server_ban, switch, target, tell, topic, who,
};
use super::session::{Session, quit};
use super::theme::Style;
use crate::chat::{Command, Kind, Listing, ModeChange, Moment, Name, Secret, Walk};
use crate::session::action::Action;
use crate::session::detect::Protocol;
use crate::session::refusal_text::short;
use crate::session::transfer::{FileRequest, file_id};
use crate::wire::secrets::nearest;
use std::sync::Arc;

struct Row {
    /// The first one is shown.
    names: &'static [&'static str],
    arguments: &'static str,
    help: &'static str,
    parse: fn(&mut Context<'_>, Line<'_>) -> Parsed,
}

macro_rules! rows {
    ($([$($name:literal),+], $arguments:literal, $help:literal, $parse:expr;)*) => {
        &[$(Row {
            names: &[$($name),+],
            arguments: $arguments,
            help: $help,
            parse: $parse,
        }),*]
    };
}

/// In the order of `/help`.
static ROWS: &[Row] = rows! {
    ["help", "h", "?"], "[COMMAND|all]", "list the usual commands, or all; or describe one", |_, line| help_with(line);
    ["quit", "exit", "bye"], "[MESSAGE]", "disconnect", |_, line| Ok(quit(line.rest()));
    ["nick", "name"], "NAME", "change your nick", |_, line| {
        of_word(line, |nick| Command::Nick(nick.into()))
    };
    ["who", "names", "users"], "[#room|*]", "list the users in a room, or all", who;
    ["whois"], "NICK", "show who a user is", |_, line| {
        of_word(line, |nick| Command::Whois(nick.into()))
    };
    ["rooms", "list"], "", "list the rooms", |_, line| {
        alone(line, list(Listing::Rooms(Walk::default())))
    };
    ["join", "j"], "#room [KEY]", "join a room, or create it", |context, mut line| {
        let (room, key) = (line.need()?, line.word());
        line.end()?;
        if context.rooms.iter().any(|joined| *joined == room) {
            return switch(context, room);
        }
        run(Command::Join(room.into(), key.map(Arc::from)))
    };
    ["part", "leave"], "[#room] [REASON]", "leave a room", |context, line| {
        let (room, line) = room_or_current(context, line)?;
        run(Command::Part(room, line.rest().map(Arc::from)))
    };
    ["room", "r"], "[#room]", "show or change the current room", room;
    ["topic", "t"], "[#room] [TEXT]", "show or set the topic; - clears it", topic;
    ["invite"], "NICK [#room]", "invite a user to a room", |context, mut line| {
        let nick = line.need()?;
        let (room, line) = room_or_current(context, line)?;
        line.end()?;
        run(Command::Invite(nick.into(), room))
    };
    ["away"], "[MESSAGE]", "mark yourself as away", |_, line| {
        run(Command::Away(Some(line.rest().unwrap_or("away").into())))
    };
    ["back"], "", "end being away", |_, line| alone(line, run(Command::Away(None)));
    ["ignore"], "[NICK]", "ignore a user, or list ignored users", |_, mut line| {
        let nick = line.word();
        line.end()?;
        run(nick.map_or(Command::Ignored, |nick| Command::Ignore(nick.into(), true)))
    };
    ["unignore"], "NICK", "stop ignoring a user", |_, line| {
        of_word(line, |nick| Command::Ignore(nick.into(), false))
    };
    ["msg", "m", "tell", "query"], "NICK TEXT", "send a direct message", |_, mut line| {
        let (nick, text) = (line.need()?, line.need_rest()?);
        run(Command::Tell(nick.into(), Kind::Message, text.into()))
    };
    ["reply"], "TEXT", "reply to the last direct message", |_, line| {
        run(Command::Answer(line.need_rest()?.into()))
    };
    ["me", "action"], "TEXT", "send an action: [alice] waves", |context, line| {
        context.session.send(context.rooms, Kind::Action, line.need_rest()?)
    };
    ["say"], "TEXT", "send a message exactly as typed", |context, line| {
        context.session.send(context.rooms, Kind::Message, line.need_verbatim()?)
    };
    ["re"], "N TEXT", "reply to message N", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        run(Command::Reply(room, pick, line.need_rest()?.into()))
    };
    ["thread"], "N", "show message N and its replies", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        line.end()?;
        run(Command::Thread(room, pick))
    };
    ["react"], "N :text:", "react to message N", |context, line| react(context, line, true);
    ["unreact"], "N :text:", "remove a reaction", |context, line| react(context, line, false);
    ["edit"], "N TEXT", "edit your message N", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        run(Command::Edit(room, pick, line.need_rest()?.into()))
    };
    ["delete", "del"], "N", "delete your message N (operators: any)", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        line.end()?;
        run(Command::Redact(room, pick, "".into()))
    };
    ["history", "last"], "[#room|NICK] [N] | [#room] before|after N|id:ID|TIME [COUNT]",
        "show earlier messages", history;
    ["search"], "WORDS [#room] [from NICK]", "search your rooms for messages", search;
    ["upload"], "[#room]", "show how to upload a file and share it in a room", |context, line| {
        of_room(context, line, |room| Action::Files(FileRequest::Offer(Some(room))))
    };
    ["files"], "[#room]", "list the files shared in a room", |context, line| {
        of_room(context, line, |room| Action::Files(FileRequest::List(room)))
    };
    ["delfile"], "URL", "delete a file that you have uploaded (operators: any)", |_, line| {
        of_word(line, |url| Command::DeleteFile(file_id(url)))
    };
    ["register"], "PASSWORD", "register your nick as an account", |_, line| {
        run(Command::Register(password(line)?))
    };
    ["login", "identify"], "NAME PASSWORD", "log in to an account", |_, mut line| {
        let name = line.need()?;
        run(Command::Login(name.into(), password(line)?))
    };
    ["logout"], "", "log out of your account", |_, line| alone(line, run(Command::Logout));
    ["password", "passwd"], "OLD NEW", "change your password", |_, mut line| {
        let old = Secret::new(line.need()?);
        run(Command::Password(old, password(line)?))
    };
    ["cert"], "add|list|login|del FINGERPRINT",
        "log in with the certificate of your TLS connection", certificate;
    ["bell"], "off|pm|mention|all", "choose which messages ring the bell", bell;
    ["numbers"], "on|off", "show or hide message numbers", |context, mut line| {
        let on = match line.need()? {
            "on" => true,
            "off" => false,
            other => return Err(Fault::invalid("setting", other)),
        };
        context.session.theme_mut().numbers = on;
        tell(&format!("message numbers are now {}", if on { "shown" } else { "hidden" }))
    };
    ["op"], "NICK [#room]", "make a user an operator of a room",
        |context, line| member_mode(context, line, ModeChange::Op, true);
    ["deop"], "NICK [#room]", "remove an operator",
        |context, line| member_mode(context, line, ModeChange::Op, false);
    ["voice"], "NICK [#room]", "let a user speak in a moderated room",
        |context, line| member_mode(context, line, ModeChange::Voice, true);
    ["devoice"], "NICK [#room]", "take voice from a user",
        |context, line| member_mode(context, line, ModeChange::Voice, false);
    ["kick"], "[#room] NICK [REASON]", "kick a user from a room", |context, line| {
        let (room, mut line) = room_or_current(context, line)?;
        let nick = line.need()?;
        run(Command::Kick(room, nick.into(), line.rest().map(Arc::from)))
    };
    ["ban"], "[#room] [NICK|MASK]", "ban a user from a room, or list bans",
        |context, line| {
        let (room, mut line) = room_or_current(context, line)?;
        let Some(mask) = line.word() else { return run(Command::Bans(room)) };
        line.end()?;
        run(Command::SetModes(room, vec![ModeChange::Ban(mask.to_owned(), true)]))
    };
    ["unban"], "[#room] NICK|MASK", "remove a ban", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(mask.to_owned(), false))
    };
    ["mute"], "[#room] NICK|MASK", "let a user read but not write", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(format!("m:{mask}"), true))
    };
    ["unmute"], "[#room] NICK|MASK", "remove a mute", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(format!("m:{mask}"), false))
    };
    ["lock"], "[#room] topic|invite|moderated|external|secret|ctcp|key WORD|limit N",
        "restrict a room", |context, line| lock(context, line, true);
    ["unlock"], "[#room] topic|invite|moderated|external|secret|ctcp|key|limit",
        "remove a restriction", |context, line| lock(context, line, false);
    ["modes", "mode"], "[#room]", "show the restrictions of a room", |context, line| {
        of_room(context, line, |room| Action::Do(Command::Modes(room)))
    };
    ["oper"], "NAME PASSWORD", "become a server operator", |_, mut line| {
        let name = line.need()?;
        run(Command::Oper(name.into(), password(line)?))
    };
    ["keep"], "[#room]", "operator: make a room permanent", |context, line| {
        keep(context, line, true)
    };
    ["unkeep"], "[#room]", "operator: make a room temporary again", |context, line| keep(context, line, false);
    ["kill"], "NICK [REASON]", "operator: disconnect a user", |_, mut line| {
        let nick = line.need()?;
        run(Command::Kill(nick.into(), line.rest().map(Arc::from)))
    };
    ["gban"], "ADDRESS|account:NAME [10m|2h|3d] [REASON]",
        "operator: ban from the server, or list server bans", server_ban;
    ["ungban"], "ADDRESS|account:NAME", "operator: remove a server ban", |_, line| {
        of_word(line, |word| Command::ServerUnban(target(word)))
    };
    ["announce", "wall"], "TEXT", "operator: send a message to everyone", |_, line| {
        run(Command::Announce(line.need_rest()?.into()))
    };
    ["account"], "[list] | add|reset NAME PASSWORD | delete NAME [erase]",
        "operator: list accounts, make one, give it a new password, delete it", account;
    ["connections"], "", "operator: list all connections", |_, line| {
        alone(line, list(Listing::Connections(Walk::default())))
    };
    ["stats"], "", "operator: show how full the server is and what its limits have done",
        |_, line| alone(line, Ok(Action::Stats));
    ["rehash"], "", "operator: reload the configuration", |_, line| alone(line, Ok(Action::Reload));
    ["trace"], "on|off", "operator: switch the trace of the loop (--trace)", |_, mut line| {
        let on = match line.need()? {
            "on" => true,
            "off" => false,
            _ => return Err(Fault::Usage),
        };
        line.end()?;
        Ok(Action::Trace(on))
    };
    ["loop"], "", "operator: make a link to the page that shows the loop",
        |_, line| alone(line, Ok(Action::LoopLink));
};

/// Parses a line without its `/`.
pub(super) fn parse(context: &mut Context<'_>, text: &str) -> Result<Action, String> {
    let mut line = Line::new(text);
    let name = if text.starts_with(char::is_whitespace) { None } else { line.word() };
    let name = name.unwrap_or_default();
    let Some(row) = find(name) else {
        // A mistyped name may have a password stuck to it, so it is not repeated.
        return Err(match nearest(name, exists) {
            Some(meant) => format!("unknown command: did you mean /{meant}? (see /help {meant})"),
            None => unknown(name),
        });
    };
    (row.parse)(context, line).map_err(|fault| match fault {
        Fault::Usage => format!("usage: {}", usage(row)),
        Fault::Invalid(text) => format!("{text} (usage: {})", usage(row)),
        Fault::Other(text) => text,
    })
}

/// The commands that have no counterpart in IRC, or none that takes a number, which CHATLOOP lends it.
const LENT: &str = "edit search thread re react unreact delete logout password gban ungban announce \
    connections keep unkeep stats trace loop";

/// Parses one of those, without its `/`, for a peer that has no current room.
///
/// # Errors
/// What is wrong, for the peer.
pub fn parse_lent(text: &str, rooms: &[Name], now: Moment) -> Result<Action, String> {
    let name = Line::new(text).word().unwrap_or_default();
    let exists = find(name).is_some_and(|row| LENT.split(' ').any(|lent| lent == row.names[0]));
    if !exists {
        return Err(format!("usage: CHATLOOP COMMAND (one of: {LENT})"));
    }
    let mut session = Session::new(Style::Plain, Protocol::Plain);
    if let [only] = rooms {
        session.choose(only.clone());
    }
    parse(&mut Context { session: &mut session, rooms, now }, text)
}

/// The first name of each command.
#[cfg(test)]
pub fn main_names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.names[0])
}

/// The names of all commands.
#[cfg(test)]
pub fn command_names() -> Vec<&'static str> {
    ROWS.iter().flat_map(|row| row.names).copied().collect()
}

pub(super) fn exists(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// All names of the command that one of them is.
#[cfg(test)]
pub(super) fn names(name: &str) -> &'static [&'static str] {
    find(name).map_or(&[], |row| row.names)
}

fn usage(row: &Row) -> String {
    format!("/{} {}", row.names[0], row.arguments).trim_end().to_owned()
}

fn unknown(name: &str) -> String {
    let name = short(name);
    format!("unknown command /{name} (try /help; to send it as text, type //{name})")
}

/// What a newcomer needs: few enough for a small screen.
const USUAL: [&str; 13] = [
    "nick", "who", "join", "part", "room", "rooms", "msg", "re", "history", "search", "register",
    "login", "quit",
];

/// The lines that answer `/help`.
pub fn usual_help() -> impl Iterator<Item = String> {
    let rows = USUAL.iter().filter_map(|name| find(name));
    // The first way to use each: on 80 columns a row has to be one line.
    let rows = rows.map(|row| {
        let usage = usage(row);
        in_columns::<22>(usage.split(" | ").next().unwrap_or_default(), row.help)
    });
    let more = "/help COMMAND describes a command, /help all lists all of them";
    rows.chain([more.to_owned()])
}

/// The lines that answer `/help all`.
pub fn help() -> impl Iterator<Item = String> {
    let own = [("//text", "send \"/text\""), ("@#room text", "send a message to another room")];
    let rows = ROWS.iter().map(|row| in_columns::<34>(&usage(row), row.help));
    rows.chain(own.into_iter().map(|(usage, help)| in_columns::<34>(usage, help)))
}

/// The usage and the help of a command in a row, the first one so wide if it fits.
fn in_columns<const WIDTH: usize>(usage: &str, help: &str) -> String {
    match usage.len() <= WIDTH {
        true => format!("{usage:<WIDTH$} {help}"),
        false => format!("{usage}: {help}"),
    }
}

fn help_with(mut line: Line<'_>) -> Parsed {
    let name = match line.word().map(|word| word.trim_start_matches('/')) {
        None => return Ok(Action::Tell(usual_help().collect())),
        Some("all") => return Ok(Action::Tell(help().collect())),
        Some(name) => name,
    };
    let row = find(name).ok_or_else(|| Fault::Other(unknown(name)))?;
    let mut lines = vec![format!("{}: {}", usage(row), row.help)];
    if let [_, others @ ..] = row.names
        && !others.is_empty()
    {
        lines.push(format!("also: /{}", others.join(", /")));
    }
    Ok(Action::Tell(lines))
}
