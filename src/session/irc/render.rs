//! What many hear, as lines: rendered once for each look.

use super::fields::{msgid, prefix, realname, timestamp};
use super::modes::shown;
use super::reply::Lines;
use super::{Caps, RenderCaps, multiline};
use crate::chat::{
    AccountStep, DirectMessage, Event, Identity, Kind, Name, QuitReason, Quoted, RoomMessage, Stamp,
};
use crate::wire::irc::{LineWriter, Tags};
use std::borrow::Cow;

/// Bytes of a line that are neither source nor command nor target: colons, blanks, line end.
const MARGIN: usize = 24;

/// Adds the lines that tell `event` to `out`: none, if these clients are not told of it. `stamp`
/// gives them their time and msgid. Only what many see alike; the rest is [`Session::tell`]'s.
///
/// [`Session::tell`]: super::Session::tell
pub fn render(look: RenderCaps, stamp: Option<Stamp>, event: &Event, out: &mut Vec<u8>) {
    write(look, stamp, event, &mut Lines::shared(out));
}

/// The same among the replies to one client.
pub(super) fn write(look: RenderCaps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    let caps = look.caps();
    match event {
        Event::RoomMessage(line) => said(caps, line, out),
        Event::DirectMessage(line) => told(caps, line, line.to.as_str(), out),
        Event::Tagged { who, to, status, tags, .. } => {
            if caps.has(Caps::MESSAGE_TAGS) {
                let source = prefix(who);
                let line = tagged(caps, stamp, who, Some(tags), out).source(&source);
                let line = line.command("TAGMSG");
                let _ = match status {
                    None => line.middle(to.as_str()).end(),
                    Some(status) => line.middle(&format!("{status}{to}")).end(),
                };
            }
        }
        Event::Entered { who, .. } => joined(caps, stamp, who, &Name::lobby(), false, out),
        Event::Joined { who, room, op, away, .. } => {
            joined(caps, stamp, who, room, *op, out);
            if let Some(message) = away.as_ref().filter(|_| caps.has(Caps::AWAY_NOTIFY)) {
                let source = prefix(who);
                // One msgid is for one line.
                let line = untitled(caps, stamp, who, None, out).source(&source);
                let _ = line.command("AWAY").trailing(message).end();
            }
        }
        Event::Parted { who, room, reason } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("PART");
            let line = line.middle(room.as_str());
            let _ = match reason {
                Some(reason) => line.trailing(reason).end(),
                None => line.end(),
            };
        }
        Event::Left { who, departure, .. } => {
            let text = match departure {
                QuitReason::Quit => "Client quit".to_owned(),
                QuitReason::Message(words) => format!("Quit: {words}"),
                QuitReason::Error(why) => format!("Error: {why}"),
                QuitReason::Killed(why) => format!("Killed ({why})"),
            };
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out);
            let _ = line.source(&source).command("QUIT").trailing(&text).end();
        }
        _ => about_rooms(caps, stamp, event, out),
    }
}

fn about_rooms(caps: Caps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    match event {
        Event::Kicked { who, room, target, reason } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("KICK");
            let line = line.middle(room.as_str()).middle(target.nick.as_str());
            let reason = reason.as_deref().unwrap_or(who.nick.as_str());
            let _ = line.trailing(reason).end();
        }
        Event::Renamed { who, before } => {
            let source = prefix(before);
            let line = tagged(caps, stamp, who, None, out);
            let _ = line.source(&source).command("NICK").trailing(who.nick.as_str()).end();
        }
        Event::TopicSet { who, room, topic } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("TOPIC");
            let _ = line.middle(room.as_str()).trailing(&topic.text).end();
        }
        Event::RoomRenamed { who, before, room, reason } if caps.has(Caps::CHANNEL_RENAME) => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("RENAME");
            let line = line.middle(before.as_str()).middle(room.as_str());
            let _ = line.trailing(reason.as_deref().unwrap_or_default()).end();
        }
        Event::ModesSet { who, room, changes } => {
            let (letters, arguments) = shown(changes);
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("MODE");
            let mut line = line.middle(room.as_str()).middle(&letters);
            for argument in &arguments {
                line = line.middle(argument);
            }
            let _ = line.end();
        }
        Event::InviteSeen { .. } if !caps.has(Caps::INVITE_NOTIFY) => {}
        Event::Invited { who, room, nick } | Event::InviteSeen { who, room, nick } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("INVITE");
            let _ = line.middle(nick.as_str()).middle(room.as_str()).end();
        }
        _ => about_people(caps, stamp, event, out),
    }
}

fn about_people(caps: Caps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    match event {
        Event::Away { who, message } if caps.has(Caps::AWAY_NOTIFY) => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("AWAY");
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
            let line = tagged(caps, stamp, who, None, out);
            let _ = line.source(&source).command("ACCOUNT").middle(account).end();
        }
        Event::RealName { who } if caps.has(Caps::SETNAME) => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out);
            let _ = line.source(&source).command("SETNAME").trailing(realname(who)).end();
        }
        Event::Reacted { who, room, message, text, on, tags } if caps.has(Caps::MESSAGE_TAGS) => {
            let (source, reply) = (prefix(who), message.id.0.to_string());
            let key = if *on { "+draft/react" } else { "+draft/unreact" };
            let line = tagged(caps, stamp, who, tags.as_deref(), out);
            let line = match tags {
                Some(_) => line,
                // A plain client has done it.
                None => line.tag("+draft/reply", &reply).tag("+reply", &reply).tag(key, text),
            };
            let _ = line.source(&source).command("TAGMSG").middle(room.as_str()).end();
        }
        Event::Edited { who, room, message, text } => {
            // There is no such command: it is said what has become of the message.
            let text = format!("* {}", text);
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out);
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
            let line = tagged(caps, stamp, who, None, out).source(&source).command("REDACT");
            let line = line.middle(room.as_str()).middle(&message.id.0.to_string());
            let _ = match reason {
                Some(reason) => line.trailing(reason).end(),
                None => line.end(),
            };
        }
        Event::Wallops { who, text } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out);
            let _ = line.source(&source).command("WALLOPS").trailing(text).end();
        }
        Event::Announced { who, text } => {
            let source = prefix(who);
            let line = tagged(caps, stamp, who, None, out).source(&source).command("NOTICE");
            let _ = line.middle("$*").trailing(text).end();
        }
        _ => {}
    }
}

/// A line with the tags that these clients want.
fn tagged<'o, 's>(
    caps: Caps,
    stamp: Option<Stamp>,
    who: &Identity,
    tags: Option<&str>,
    out: &'o mut Lines<'_>,
) -> LineWriter<'o, 's> {
    with_stamp(caps, stamp, who, tags, out.line())
}

fn with_stamp<'o, 's>(
    caps: Caps,
    stamp: Option<Stamp>,
    who: &Identity,
    tags: Option<&str>,
    mut line: LineWriter<'o, 's>,
) -> LineWriter<'o, 's> {
    if let Some(stamp) = stamp {
        if caps.has(Caps::SERVER_TIME) {
            line = line.tag("time", &timestamp(stamp.time));
        }
        if caps.has(Caps::MESSAGE_TAGS) {
            line = line.tag("msgid", &msgid(stamp));
        }
    }
    with_author(caps, who, tags, line)
}

/// The same for the lines that follow the first one: there is one msgid, and that one has it.
fn untitled<'o, 's>(
    caps: Caps,
    stamp: Option<Stamp>,
    who: &Identity,
    tags: Option<&str>,
    out: &'o mut Lines<'_>,
) -> LineWriter<'o, 's> {
    let mut line = out.line();
    if let Some(stamp) = stamp
        && caps.has(Caps::SERVER_TIME)
    {
        line = line.tag("time", &timestamp(stamp.time));
    }
    with_author(caps, who, tags, line)
}

fn with_author<'o, 's>(
    caps: Caps,
    who: &Identity,
    tags: Option<&str>,
    mut line: LineWriter<'o, 's>,
) -> LineWriter<'o, 's> {
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

pub(super) fn joined(
    caps: Caps,
    stamp: Option<Stamp>,
    who: &Identity,
    room: &Name,
    op: bool,
    out: &mut Lines<'_>,
) {
    let source = prefix(who);
    let line = tagged(caps, stamp, who, None, out).source(&source).command("JOIN");
    let line = line.middle(room.as_str());
    let _ = if caps.has(Caps::EXTENDED_JOIN) {
        let account = who.account.as_ref().map_or("*", Name::as_str);
        line.middle(account).trailing(realname(who)).end()
    } else {
        line.end()
    };
    if op {
        let line = untitled(caps, stamp, who, None, out).source(&source).command("MODE");
        let _ = line.middle(room.as_str()).middle("+o").middle(who.nick.as_str()).end();
    }
}

/// What was said, and how.
pub(super) struct Words<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) joints: &'a [u32],
    pub(super) tags: Option<&'a str>,
}

/// What was said, in as many lines as it takes: as one batch to those who know such batches, else
/// line by line without the blank ones; the msgid goes with the first.
pub(super) fn words(
    caps: Caps,
    stamp: Stamp,
    who: &Identity,
    words: &Words<'_>,
    to: &str,
    out: &mut Lines<'_>,
) {
    let Words { kind, text, joints, tags } = *words;
    let source = prefix(who);
    let command = if kind == Kind::Notice { "NOTICE" } else { "PRIVMSG" };
    let taken = source.len() + command.len() + to.len() + MARGIN;
    let room = crate::wire::irc::MAX_BODY.saturating_sub(taken);
    let fits = text.len() <= room + MARGIN - 7 && kind != Kind::Action;
    let room = if fits { text.len() } else { room };
    let pieces = || multiline::pieces(text, joints, room);
    if caps.has(Caps::MULTILINE) && kind != Kind::Action && pieces().nth(1).is_some() {
        let reference = format!("m{}", stamp.id.0);
        let line = with_stamp(caps, Some(stamp), who, tags, out.batch_start());
        let line = line.source(&source).command("BATCH");
        let _ = line.middle(&format!("+{reference}")).middle(multiline::TYPE).middle(to).end();
        for (joined, piece) in pieces() {
            let mut inside = out.inside(&reference);
            let line = inside.line();
            let line = if joined { line.tag(multiline::CONCAT, "") } else { line };
            let _ = line.source(&source).command(command).middle(to).trailing(piece).end();
        }
        let line = out.batch_end().source(&source).command("BATCH");
        let _ = line.middle(&format!("-{reference}")).end();
        return;
    }
    for (number, (_, piece)) in pieces().filter(|(_, piece)| !piece.is_empty()).enumerate() {
        let line = match number {
            0 => tagged(caps, Some(stamp), who, tags, out),
            _ => untitled(caps, Some(stamp), who, tags, out),
        };
        let line = line.source(&source).command(command).middle(to);
        let _ = match kind {
            Kind::Action => line.trailing(&format!("\u{1}ACTION {piece}\u{1}")).end(),
            _ => line.trailing(piece).end(),
        };
    }
}

/// The tags between clients of a message. An answer given by a plain client is one to IRC clients,
/// too; they look for one of two names.
pub(super) fn tags_of<'t>(tags: Option<&'t str>, reply: Option<&Quoted>) -> Option<Cow<'t, str>> {
    match (tags, reply) {
        (None, Some(quoted)) => Some(format!("+draft/reply={0};+reply={0}", quoted.id.0).into()),
        (tags, _) => tags.map(Cow::Borrowed),
    }
}

fn said(caps: Caps, said: &RoomMessage, out: &mut Lines<'_>) {
    let tags = tags_of(said.tags.as_deref(), said.reply.as_deref());
    let joints = said.joints.as_deref().unwrap_or_default();
    let said_so = Words { kind: said.kind, text: &said.text, joints, tags: tags.as_deref() };
    let stamp = Stamp { id: said.id, part: 0, time: said.time };
    match said.status {
        None => words(caps, stamp, &said.who, &said_so, said.room.as_str(), out),
        Some(status) => {
            let to = format!("{status}{}", said.room);
            words(caps, stamp, &said.who, &said_so, &to, out);
        }
    }
}

pub(super) fn told(caps: Caps, told: &DirectMessage, to: &str, out: &mut Lines<'_>) {
    let joints = told.joints.as_deref().unwrap_or_default();
    let said_so = Words { kind: told.kind, text: &told.text, joints, tags: told.tags.as_deref() };
    let stamp = Stamp { id: told.id, part: 0, time: told.time };
    words(caps, stamp, &told.who, &said_so, to, out);
}
