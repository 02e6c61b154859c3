//! What many hear, as lines: rendered once for each look.

use super::modes::shown;
use super::pen::{realname, timestamp};
use super::registration::prefix;
use super::{Caps, Look};
use crate::chat::{
    AccountStep, Departure, Event, Identity, Kind, Moment, Name, Perspective, RecordId, Said, Told,
};
use crate::wire::irc::render::pieces;
use crate::wire::irc::{Limits, LineWriter, Tags};

/// Bytes of a line that are neither source nor command nor target: colons, blanks, line end.
const MARGIN: usize = 24;

/// Adds the lines that tell `event` to `out`: none, if these clients are not told of it. From
/// somebody's own perspective only what many see alike; the rest is [`Session::tell`]'s.
///
/// [`Session::tell`]: super::Session::tell
pub fn render(look: Look, event: &Event, _perspective: Perspective, out: &mut Vec<u8>) {
    let caps = look.caps();
    match event {
        Event::Said(line) => said(caps, line, out),
        Event::Told(line) => told(caps, line, line.to.as_str(), out),
        Event::Tagged { id, time, who, to, tags } => {
            if caps.has(Caps::MESSAGE_TAGS) {
                let line = tagged(caps, Some((*id, *time)), who, Some(tags), out);
                let _ = line.source(&prefix(who)).command("TAGMSG").middle(to.as_str()).end();
            }
        }
        Event::Entered { who, .. } => joined(caps, who, &Name::lobby(), false, out),
        Event::Joined { who, room, op, away, .. } => {
            joined(caps, who, room, *op, out);
            if let Some(message) = away.as_ref().filter(|_| caps.has(Caps::AWAY_NOTIFY)) {
                let source = prefix(who);
                let line = tagged(caps, None, who, None, out).source(&source);
                let _ = line.command("AWAY").trailing(message).end();
            }
        }
        Event::Parted { who, room, reason } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("PART");
            let line = line.middle(room.as_str());
            let _ = match reason {
                Some(reason) => line.trailing(reason).end(),
                None => line.end(),
            };
        }
        Event::Left { who, departure, .. } => {
            let text = match departure {
                Departure::Quit => "Client quit".to_owned(),
                Departure::Said(words) => format!("Quit: {words}"),
                Departure::Error(why) => format!("Error: {why}"),
                Departure::Killed(why) => format!("Killed ({why})"),
            };
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out);
            let _ = line.source(&source).command("QUIT").trailing(&text).end();
        }
        _ => about_rooms(caps, event, out),
    }
}

fn about_rooms(caps: Caps, event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Kicked { who, room, target, reason } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("KICK");
            let line = line.middle(room.as_str()).middle(target.nick.as_str());
            let reason = reason.as_deref().unwrap_or(who.nick.as_str());
            let _ = line.trailing(reason).end();
        }
        Event::Renamed { who, before } => {
            let source = prefix(before);
            let line = tagged(caps, None, who, None, out);
            let _ = line.source(&source).command("NICK").trailing(who.nick.as_str()).end();
        }
        Event::TopicSet { who, room, topic } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("TOPIC");
            let _ = line.middle(room.as_str()).trailing(&topic.text).end();
        }
        Event::ModesSet { who, room, changes } => {
            let (letters, arguments) = shown(changes);
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("MODE");
            let mut line = line.middle(room.as_str()).middle(&letters);
            for argument in &arguments {
                line = line.middle(argument);
            }
            let _ = line.end();
        }
        Event::InviteSeen { .. } if !caps.has(Caps::INVITE_NOTIFY) => {}
        Event::Invited { who, room, nick } | Event::InviteSeen { who, room, nick } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("INVITE");
            let _ = line.middle(nick.as_str()).middle(room.as_str()).end();
        }
        _ => about_people(caps, event, out),
    }
}

fn about_people(caps: Caps, event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Away { who, message } if caps.has(Caps::AWAY_NOTIFY) => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("AWAY");
            let _ = match message {
                Some(message) => line.trailing(message).end(),
                None => line.end(),
            };
        }
        Event::Account { who, step } if caps.has(Caps::ACCOUNT_NOTIFY) => {
            if *step == AccountStep::PasswordChanged {
                return;
            }
            let account = who.account.as_ref().map_or("*", Name::as_str);
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out);
            let _ = line.source(&source).command("ACCOUNT").middle(account).end();
        }
        Event::RealName { who } if caps.has(Caps::SETNAME) => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out);
            let _ = line.source(&source).command("SETNAME").trailing(realname(who)).end();
        }
        Event::Reacted { id, who, room, message, text, on } if caps.has(Caps::MESSAGE_TAGS) => {
            let (source, reply) = (prefix(who), message.id.0.to_string());
            let key = if *on { "+draft/react" } else { "+draft/unreact" };
            let line = tagged(caps, None, who, None, out).tag("msgid", &id.0.to_string());
            let line = line.tag("+draft/reply", &reply).tag(key, text);
            let _ = line.source(&source).command("TAGMSG").middle(room.as_str()).end();
        }
        Event::Edited { who, room, message, text } => {
            // There is no such command: it is said what has become of the message.
            let text = format!("* {}", text);
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out);
            let line = if caps.has(Caps::MESSAGE_TAGS) {
                line.tag("+draft/reply", &message.id.0.to_string())
            } else {
                line
            };
            let line = line.source(&source).command("PRIVMSG");
            let _ = line.middle(room.as_str()).trailing(&text).end();
        }
        Event::Deleted { who, room, message, reason } if caps.has(Caps::MESSAGE_REDACTION) => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("REDACT");
            let line = line.middle(room.as_str()).middle(&message.id.0.to_string());
            let _ = match reason {
                Some(reason) => line.trailing(reason).end(),
                None => line.end(),
            };
        }
        Event::Wallops { who, text } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out);
            let _ = line.source(&source).command("WALLOPS").trailing(text).end();
        }
        Event::Announced { who, text } => {
            let source = prefix(who);
            let line = tagged(caps, None, who, None, out).source(&source).command("NOTICE");
            let _ = line.middle("$*").trailing(text).end();
        }
        _ => {}
    }
}

/// A line with the tags that these clients want.
fn tagged<'o, 's>(
    caps: Caps,
    message: Option<(RecordId, Moment)>,
    who: &Identity,
    tags: Option<&str>,
    out: &'o mut Vec<u8>,
) -> LineWriter<'o, 's> {
    let mut line = LineWriter::new(out, Limits::FROM_SERVER);
    if let Some((id, time)) = message {
        if caps.has(Caps::SERVER_TIME) {
            line = line.tag("time", &timestamp(time));
        }
        if caps.has(Caps::MESSAGE_TAGS) {
            line = line.tag("msgid", &id.0.to_string());
        }
    }
    if caps.has(Caps::ACCOUNT_TAG)
        && let Some(account) = &who.account
    {
        line = line.tag("account", account.as_str());
    }
    if caps.has(Caps::MESSAGE_TAGS) {
        if who.bot {
            line = line.tag("bot", "");
        }
        if let Some(tags) = tags {
            for tag in Tags::new(tags).iter() {
                line = line.relay(tag);
            }
        }
    }
    line
}

pub(super) fn joined(caps: Caps, who: &Identity, room: &Name, op: bool, out: &mut Vec<u8>) {
    let source = prefix(who);
    let line = tagged(caps, None, who, None, out).source(&source).command("JOIN");
    let line = line.middle(room.as_str());
    let _ = if caps.has(Caps::EXTENDED_JOIN) {
        let account = who.account.as_ref().map_or("*", Name::as_str);
        line.middle(account).trailing(realname(who)).end()
    } else {
        line.end()
    };
    if op {
        let line = LineWriter::new(out, Limits::FROM_SERVER).source(&source).command("MODE");
        let _ = line.middle(room.as_str()).middle("+o").middle(who.nick.as_str()).end();
    }
}

/// What was said, in as many lines as it takes; the tags go with the first.
fn words(
    caps: Caps,
    message: (RecordId, Moment),
    who: &Identity,
    (kind, text, tags): (Kind, &str, Option<&str>),
    to: &str,
    out: &mut Vec<u8>,
) {
    let source = prefix(who);
    let command = if kind == Kind::Notice { "NOTICE" } else { "PRIVMSG" };
    let taken = source.len() + command.len() + to.len() + MARGIN;
    let room = crate::wire::irc::MAX_BODY.saturating_sub(taken);
    let fits = text.len() <= room + MARGIN - 7 && kind != Kind::Action;
    let room = if fits { text.len() } else { room };
    for (number, piece) in pieces(text, room).enumerate() {
        let line = match number {
            0 => tagged(caps, Some(message), who, tags, out),
            _ => LineWriter::new(out, Limits::FROM_SERVER),
        };
        let line = line.source(&source).command(command).middle(to);
        let _ = match kind {
            Kind::Action => line.trailing(&format!("\u{1}ACTION {piece}\u{1}")).end(),
            _ => line.trailing(piece).end(),
        };
    }
}

fn said(caps: Caps, said: &Said, out: &mut Vec<u8>) {
    let reply;
    let mut tags = said.tags.as_deref();
    // An answer given by a plain client is one to IRC clients, too.
    if let (None, Some(quoted)) = (tags, &said.reply) {
        reply = format!("+draft/reply={}", quoted.id.0);
        tags = Some(&reply);
    }
    let message = (said.kind, &*said.text, tags);
    match said.status {
        None => words(caps, (said.id, said.time), &said.who, message, said.room.as_str(), out),
        Some(status) => {
            let to = format!("{status}{}", said.room);
            words(caps, (said.id, said.time), &said.who, message, &to, out);
        }
    }
}

pub(super) fn told(caps: Caps, told: &Told, to: &str, out: &mut Vec<u8>) {
    let message = (told.kind, &*told.text, told.tags.as_deref());
    words(caps, (told.id, told.time), &told.who, message, to, out);
}
