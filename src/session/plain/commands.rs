//! Every command: one row, from which it is understood, helped with, and its errors show its form.
//!
//! What takes more than a few lines to understand is in `parsers`.

use super::arguments::Line;
use super::parsers::{
    Context, about_message, bell, history, keep, lock, mask_mode, member_mode, quiet_end, react,
    room, room_or_current, run, search, server_ban, switch, target, tell, topic, who,
};
use super::{Session, secrets};
use crate::chat::{Command, Kind, ModeChange, Moment, Name, Secret};
use crate::session::action::Action;
use crate::session::refusal_text::short;
use std::sync::Arc;

/// One command.
struct Row {
    /// Its names; the first one is shown.
    names: &'static [&'static str],
    /// What stands behind the name.
    form: &'static str,
    /// What it does, in a few words.
    help: &'static str,
    parse: fn(&mut Context<'_>, Line<'_>) -> Result<Action, String>,
}

macro_rules! rows {
    ($([$($name:literal),+], $form:literal, $help:literal, $parse:expr;)*) => {
        &[$(Row { names: &[$($name),+], form: $form, help: $help, parse: $parse }),*]
    };
}

/// All commands, in the order in which `/help` lists them.
static ROWS: &[Row] = rows! {
    ["help", "h", "?"], "[COMMAND]", "this list, or one command", |_, line| help_with(line);
    ["quit", "exit", "bye"], "[WORDS]", "leave (or close the connection)", |_, line| {
        Ok(super::quit(line.some_rest()))
    };
    ["nick", "name"], "NAME", "take a name", |_, mut line| {
        let nick = line.need("the name")?;
        line.end()?;
        run(Command::Nick(nick.into()))
    };
    ["who", "names", "users"], "[#room|*]", "who is in the room, or everywhere", who;
    ["whois"], "NICK", "who somebody is", |_, mut line| {
        let nick = line.need("the nick")?;
        line.end()?;
        run(Command::Whois(nick.into()))
    };
    ["rooms", "list"], "", "which rooms there are", |_, line| {
        line.end()?;
        run(Command::Rooms)
    };
    ["join", "j"], "#room [KEY]", "enter a room; it opens if there is none", |context, mut line| {
        let (room, key) = (line.need("the room")?, line.word());
        line.end()?;
        if context.rooms.iter().any(|joined| *joined == room) {
            return switch(context, room);
        }
        run(Command::Join(room.into(), key.map(Arc::from)))
    };
    ["part", "leave"], "[#room] [REASON]", "leave a room", |context, line| {
        let (room, line) = room_or_current(context, line)?;
        run(Command::Part(room, line.some_rest().map(Arc::from)))
    };
    ["room", "r"], "[#room]", "which room words go to, or another one", room;
    ["topic", "t"], "[#room] [TEXT]", "what a room is about; \"-\" clears it", topic;
    ["invite"], "NICK [#room]", "let somebody into a room", |context, mut line| {
        let nick = line.need("the nick")?;
        let (room, line) = room_or_current(context, line)?;
        line.end()?;
        run(Command::Invite(nick.into(), room))
    };
    ["away"], "[MESSAGE]", "say that you are not there", |_, line| {
        run(Command::Away(Some(line.some_rest().unwrap_or("away").into())))
    };
    ["back"], "", "say that you are there again", |_, line| {
        line.end()?;
        run(Command::Away(None))
    };
    ["ignore"], "[NICK]", "hear nothing from somebody; or whom you ignore", |_, mut line| {
        let nick = line.word();
        line.end()?;
        run(nick.map_or(Command::Ignored, |nick| Command::Ignore(nick.into(), true)))
    };
    ["unignore"], "NICK", "hear somebody again", |_, mut line| {
        let nick = line.need("the nick")?;
        line.end()?;
        run(Command::Ignore(nick.into(), false))
    };
    ["msg", "m", "tell", "query"], "NICK TEXT", "say something to one person", |_, mut line| {
        let (nick, text) = (line.need("the nick")?, line.need_rest("the text")?);
        secrets::check(text)?;
        run(Command::Tell(nick.into(), Kind::Message, text.into()))
    };
    ["reply"], "TEXT", "answer who wrote to you last", |_, line| {
        let text = line.need_rest("the text")?;
        secrets::check(text)?;
        run(Command::Answer(text.into()))
    };
    ["me", "action"], "TEXT", "do something: \"* alice waves\"", |context, line| {
        let text = line.need_rest("the text")?;
        secrets::check(text)?;
        context.session.say(context.rooms, Kind::Action, text)
    };
    ["say"], "TEXT", "say it, whatever it looks like", |context, line| {
        context.session.say(context.rooms, Kind::Message, line.need_rest("the text")?)
    };
    ["re"], "N TEXT", "answer message N of the room", |context, line| {
        let (room, pick, text) = about_message(context, line)?;
        let text = text.need_rest("the text")?;
        secrets::check(text)?;
        run(Command::Reply(room, pick, text.into()))
    };
    ["thread"], "N", "message N with all that answers it", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        line.end()?;
        run(Command::Thread(room, pick))
    };
    ["react"], "N :text:", "react to message N", |context, line| react(context, line, true);
    ["unreact"], "N :text:", "take a reaction back", |context, line| react(context, line, false);
    ["edit"], "N TEXT", "change your message N", |context, line| {
        let (room, pick, text) = about_message(context, line)?;
        let text = text.need_rest("the new text")?;
        secrets::check(text)?;
        run(Command::Edit(room, pick, text.into()))
    };
    ["delete", "del"], "N", "delete your message N (ops: any)", |context, line| {
        let (room, pick, line) = about_message(context, line)?;
        line.end()?;
        run(Command::Delete(room, pick))
    };
    ["history", "last"], "[#room|NICK] [N] | [#room] before|after N|id:ID|TIME [COUNT]",
        "what was said", history;
    ["search"], "WORDS [#room] [from NICK]", "where it was said", search;
    ["register"], "PASSWORD", "make your name an account", |_, mut line| {
        let secret = Secret::new(line.need("the password")?);
        quiet_end(line, "a password is one word")?;
        run(Command::Register(secret))
    };
    ["login", "identify"], "NAME PASSWORD", "prove that an account is yours", |_, mut line| {
        let name = line.need("the name")?;
        let secret = Secret::new(line.need("the password")?);
        quiet_end(line, "a password is one word")?;
        run(Command::Login(name.into(), secret))
    };
    ["logout"], "", "no longer act for your account", |_, line| {
        line.end()?;
        run(Command::Logout)
    };
    ["password", "passwd"], "OLD NEW", "change your password", |_, mut line| {
        let old = Secret::new(line.need("the old password")?);
        let new = Secret::new(line.need("the new password")?);
        quiet_end(line, "a password is one word")?;
        run(Command::Password(old, new))
    };
    ["bell"], "off|pm|mention|all", "when a line rings", bell;
    ["numbers"], "on|off", "show the numbers of messages", |context, mut line| {
        context.session.look.numbers = match line.need("on or off")? {
            "on" => true,
            "off" => false,
            other => return Err(format!("\"{}\" is neither on nor off", short(other))),
        };
        tell(if context.session.look.numbers { "messages show their numbers" } else { "messages show no numbers" })
    };
    ["op"], "NICK [#room]", "let somebody moderate", |context, line| {
        member_mode(context, line, |nick| ModeChange::Op(nick, true))
    };
    ["deop"], "NICK [#room]", "let them moderate no longer", |context, line| {
        member_mode(context, line, |nick| ModeChange::Op(nick, false))
    };
    ["voice"], "NICK [#room]", "let somebody speak in a moderated room", |context, line| {
        member_mode(context, line, |nick| ModeChange::Voice(nick, true))
    };
    ["devoice"], "NICK [#room]", "take the voice back", |context, line| {
        member_mode(context, line, |nick| ModeChange::Voice(nick, false))
    };
    ["kick"], "[#room] NICK [REASON]", "put somebody out of the room", |context, line| {
        let (room, mut line) = room_or_current(context, line)?;
        let nick = line.need("the nick")?;
        run(Command::Kick(room, nick.into(), line.some_rest().map(Arc::from)))
    };
    ["ban"], "[#room] [NICK|MASK]", "keep somebody out (nick!user@host, * and ?); or the list",
        |context, line| {
        let (room, mut line) = room_or_current(context, line)?;
        let Some(mask) = line.word() else { return run(Command::Bans(room)) };
        line.end()?;
        run(Command::SetModes(room, vec![ModeChange::Ban(mask.to_owned(), true)]))
    };
    ["unban"], "[#room] NICK|MASK", "let them in again", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(mask.to_owned(), false))
    };
    ["mute"], "[#room] NICK|MASK", "let somebody listen but not speak", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(format!("m:{mask}"), true))
    };
    ["unmute"], "[#room] NICK|MASK", "let them speak again", |context, line| {
        mask_mode(context, line, |mask| ModeChange::Ban(format!("m:{mask}"), false))
    };
    ["lock"], "[#room] topic|invite|moderated|external|secret|key WORD|limit N",
        "restrict the room", |context, line| lock(context, line, true);
    ["unlock"], "[#room] topic|invite|moderated|external|secret|key|limit",
        "open it again", |context, line| lock(context, line, false);
    ["modes", "mode"], "[#room]", "how the room is restricted", |context, line| {
        let (room, line) = room_or_current(context, line)?;
        line.end()?;
        run(Command::Modes(room))
    };
    ["oper"], "NAME PASSWORD", "become a server operator", |_, mut line| {
        let name = line.need("the name")?;
        let secret = Secret::new(line.need("the password")?);
        quiet_end(line, "a password is one word")?;
        run(Command::Oper(name.into(), secret))
    };
    ["keep"], "[#room]", "operator: the room lives without members", |context, line| {
        keep(context, line, true)
    };
    ["unkeep"], "[#room]", "operator: the room ends when everyone has left", |context, line| keep(context, line, false);
    ["kill"], "NICK [REASON]", "operator: end somebody's session", |_, mut line| {
        let nick = line.need("the nick")?;
        run(Command::Kill(nick.into(), line.some_rest().map(Arc::from)))
    };
    ["gban"], "ADDRESS|account:NAME [10m|2h|3d] [REASON]",
        "operator: keep them off the server; or the list", server_ban;
    ["ungban"], "ADDRESS|account:NAME", "operator: let them in again", |_, mut line| {
        let target = target(line.need("the address or account:NAME")?);
        line.end()?;
        run(Command::ServerUnban(target))
    };
    ["announce", "wall"], "TEXT", "operator: say something to everyone", |_, line| {
        let text = line.need_rest("the text")?;
        secrets::check(text)?;
        run(Command::Announce(text.into()))
    };
    ["connections"], "", "operator: who is connected from where", |_, line| {
        line.end()?;
        run(Command::Connections)
    };
};

/// Understands a line behind its `/`.
pub(super) fn parse(
    session: &mut Session,
    text: &str,
    rooms: &[Name],
    now: Moment,
) -> Result<Action, String> {
    let mut line = Line::new(text);
    let name = if text.starts_with(char::is_whitespace) { None } else { line.word() };
    let name = name.unwrap_or_default();
    let Some(row) = find(name) else {
        // A misspelt name may have a password grown onto it.
        return Err(match secrets::near(name) {
            Some(meant) => {
                format!("there is no such command; was it /{meant}? /help {meant} shows its form")
            }
            None => unknown(name),
        });
    };
    let mut context = Context { session, rooms, now };
    (row.parse)(&mut context, line).map_err(|wrong| {
        // What is not about the form says itself what to do.
        if wrong.contains("; ") { wrong } else { format!("{wrong}; form: {}", form(row)) }
    })
}

/// Whether there is a command of this name.
pub(super) fn exists(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

fn form(row: &Row) -> String {
    format!("/{} {}", row.names[0], row.form).trim_end().to_owned()
}

fn unknown(name: &str) -> String {
    let name = short(name);
    format!("there is no command /{name}; /help lists them all, //{name} says \"/{name}\"")
}

/// The lines that answer `/help`.
pub fn help() -> impl Iterator<Item = String> {
    let own = [("//text", "say \"/text\""), ("@#room text", "say something in another room")];
    let line = |form: &str, help: &str| format!("{form:<34} {help}");
    let rows = ROWS.iter().map(move |row| line(&form(row), row.help));
    rows.chain(own.into_iter().map(move |(form, help)| line(form, help)))
}

fn help_with(mut line: Line<'_>) -> Result<Action, String> {
    let Some(name) = line.word() else { return Ok(Action::Tell(help().collect())) };
    let row =
        find(name.trim_start_matches('/')).ok_or_else(|| unknown(name.trim_start_matches('/')))?;
    let mut lines = vec![format!("{}: {}", form(row), row.help)];
    if let [_, others @ ..] = row.names
        && !others.is_empty()
    {
        lines.push(format!("the same: /{}", others.join(", /")));
    }
    Ok(Action::Tell(lines))
}
