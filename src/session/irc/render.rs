//! Events as IRC lines: rendered once for all clients with the same capabilities, or into the
//! replies to one client.

use super::fields::{msgid, prefix, realname, timestamp};
use super::pieces::{self, pieces};
use super::{Caps, Lines, RenderCaps, mode_letters};
use crate::chat::{
    AccountStep, DirectMessage, Event, Identity, Kind, Name, QuitReason, Quoted, RoomMessage, Stamp,
};
use crate::wire::irc::{LineWriter, MAX_BODY, Tags};
use std::borrow::Cow;

/// Bytes of a line that are neither source nor command nor target: colons, spaces, line end.
const MARGIN: usize = 24;

/// Adds the lines of `event` to `out`: none, if these clients do not receive it. `stamp` gives
/// them their time and msgid.
pub fn render(caps: RenderCaps, stamp: Option<Stamp>, event: &Event, out: &mut Vec<u8>) {
    write(caps, stamp, event, &mut Lines::shared(out));
}

/// A line about a user, with the tags that its receivers asked for.
struct Line<'a> {
    caps: Caps,
    stamp: Option<Stamp>,
    who: &'a Identity,
    tags: Option<&'a str>,
    /// Its number, or 0 if it is no message of a room.
    number: u64,
}

impl<'a> Line<'a> {
    fn new(caps: Caps, stamp: Option<Stamp>, who: &'a Identity) -> Line<'a> {
        Line { caps, stamp, who, tags: None, number: 0 }
    }

    fn write(&self, command: &str, words: &[&str], text: Option<&str>, out: &mut Lines<'_>) {
        let source = prefix(self.who);
        let line = self.tagged(out.line()).source(&source).command(command);
        let _ = line.middles(words).ending(text);
    }

    fn tagged<'o, 's>(&self, mut line: LineWriter<'o, 's>) -> LineWriter<'o, 's> {
        if let Some(stamp) = self.stamp {
            if self.caps.has(Caps::SERVER_TIME) {
                line = line.tag("time", &timestamp(stamp.time));
            }
            if self.caps.has(Caps::MESSAGE_TAGS) {
                line = line.tag("msgid", &msgid(stamp));
            }
        }
        if self.number > 0 && self.caps.has(Caps::NUMBER) {
            line = line.tag("chatloop/number", &self.number.to_string());
        }
        self.author_tagged(line)
    }

    /// Without a msgid: only the first of several lines bears it.
    fn continued<'o, 's>(&self, mut line: LineWriter<'o, 's>) -> LineWriter<'o, 's> {
        if let Some(stamp) = self.stamp.filter(|_| self.caps.has(Caps::SERVER_TIME)) {
            line = line.tag("time", &timestamp(stamp.time));
        }
        self.author_tagged(line)
    }

    fn author_tagged<'o, 's>(&self, mut line: LineWriter<'o, 's>) -> LineWriter<'o, 's> {
        if let Some(account) =
            self.who.account.as_ref().filter(|_| self.caps.has(Caps::ACCOUNT_TAG))
        {
            line = line.tag("account", account.as_str());
        }
        if self.caps.has(Caps::MESSAGE_TAGS) {
            if self.who.bot {
                line = line.tag("bot", "");
            }
            for tag in Tags::new(self.tags.unwrap_or_default()).iter() {
                line = line.relay(tag);
            }
        }
        line
    }
}

/// [`render`], into lines that may be replies.
pub(super) fn write(caps: RenderCaps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    let caps = caps.caps();
    match event {
        Event::RoomMessage(message) => room_message(caps, message, out),
        Event::DirectMessage(message) => direct_message(caps, message, message.to.as_str(), out),
        Event::Tagged { who, to, status, tags, .. } => {
            if caps.has(Caps::MESSAGE_TAGS) {
                let line = Line { tags: Some(tags), ..Line::new(caps, stamp, who) };
                line.write("TAGMSG", &[&with_status(*status, to)], None, out);
            }
        }
        Event::Entered { who, .. } => joined(caps, stamp, who, &Name::lobby(), false, out),
        Event::Joined { who, room, op, away, .. } => {
            joined(caps, stamp, who, room, *op, out);
            if let Some(message) = away.as_ref().filter(|_| caps.has(Caps::AWAY_NOTIFY)) {
                let source = prefix(who);
                let line = Line::new(caps, stamp, who).continued(out.line());
                let _ = line.source(&source).command("AWAY").trailing(message).end();
            }
        }
        Event::Renamed { who, before } => {
            let source = prefix(before);
            let line = Line::new(caps, stamp, who).tagged(out.line()).source(&source);
            let _ = line.command("NICK").trailing(who.nick.as_str()).end();
        }
        _ => about_rooms(caps, stamp, event, out),
    }
}

fn about_rooms(caps: Caps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    let mut line = |who: &Identity, command: &str, words: &[&str], text: Option<&str>| {
        Line::new(caps, stamp, who).write(command, words, text, out);
    };
    match event {
        Event::Parted { who, room, reason } => {
            line(who, "PART", &[room.as_str()], reason.as_deref());
        }
        Event::Left { who, departure, .. } => line(who, "QUIT", &[], Some(&quit(departure))),
        Event::Kicked { who, room, target, reason } => {
            let reason = reason.as_deref().unwrap_or(who.nick.as_str());
            line(who, "KICK", &[room.as_str(), target.nick.as_str()], Some(reason));
        }
        Event::TopicSet { who, room, topic } => {
            line(who, "TOPIC", &[room.as_str()], Some(&topic.text));
        }
        Event::RoomRenamed { who, before, room, reason } if caps.has(Caps::CHANNEL_RENAME) => {
            let reason = reason.as_deref().unwrap_or_default();
            line(who, "RENAME", &[before.as_str(), room.as_str()], Some(reason));
        }
        Event::ModesSet { who, room, changes } => {
            let (letters, arguments) = mode_letters::parameters(changes);
            let head = [room.as_str(), letters.as_str()].into_iter();
            let words: Vec<&str> = head.chain(arguments.iter().map(|it| &**it)).collect();
            line(who, "MODE", &words, None);
        }
        Event::InviteSeen { .. } if !caps.has(Caps::INVITE_NOTIFY) => {}
        Event::Invited { who, room, nick } | Event::InviteSeen { who, room, nick } => {
            line(who, "INVITE", &[nick.as_str(), room.as_str()], None);
        }
        Event::Deleted { who, room, message, reason } if caps.has(Caps::MESSAGE_REDACTION) => {
            let id = message.id.0.to_string();
            line(who, "REDACT", &[room.as_str(), &id], reason.as_deref());
        }
        Event::Away { who, message } if caps.has(Caps::AWAY_NOTIFY) => {
            line(who, "AWAY", &[], message.as_deref());
        }
        Event::Account { who, step } if caps.has(Caps::ACCOUNT_NOTIFY) => {
            if !matches!(step, AccountStep::PasswordChanged | AccountStep::Certificate(_)) {
                line(who, "ACCOUNT", &[who.account.as_ref().map_or("*", Name::as_str)], None);
            }
        }
        Event::RealName { who } if caps.has(Caps::SETNAME) => {
            line(who, "SETNAME", &[], Some(realname(who)));
        }
        Event::Wallops { who, text } => line(who, "WALLOPS", &[], Some(text)),
        Event::Announced { who, text } => line(who, "NOTICE", &["$*"], Some(text)),
        _ => about_messages(caps, stamp, event, out),
    }
}

fn about_messages(caps: Caps, stamp: Option<Stamp>, event: &Event, out: &mut Lines<'_>) {
    match event {
        Event::Reacted { who, room, message, text, on, tags } if caps.has(Caps::MESSAGE_TAGS) => {
            let (source, reply) = (prefix(who), message.id.0.to_string());
            let key = if *on { "+draft/react" } else { "+draft/unreact" };
            let line =
                Line { tags: tags.as_deref(), ..Line::new(caps, stamp, who) }.tagged(out.line());
            let line = match tags {
                Some(_) => line,
                // From a plain client.
                None => line.tag("+draft/reply", &reply).tag("+reply", &reply).tag(key, text),
            };
            let _ = line.source(&source).command("TAGMSG").middle(room.as_str()).end();
        }
        // IRC has no command for it: a message tells what the text is now.
        Event::Edited { who, room, message, text } => {
            let source = prefix(who);
            let mut line = Line::new(caps, stamp, who).tagged(out.line());
            if caps.has(Caps::MESSAGE_TAGS) {
                let id = message.id.0.to_string();
                line = line.tag("+draft/reply", &id).tag("chatloop/edit", &id);
            }
            let line = line.source(&source).command("PRIVMSG").middle(room.as_str());
            let _ = line.trailing(&format!("* {text}")).end();
        }
        _ => {}
    }
}

fn quit(reason: &QuitReason) -> String {
    match reason {
        QuitReason::Quit => "Client quit".to_owned(),
        QuitReason::Message(text) => format!("Quit: {text}"),
        QuitReason::Error(why) => format!("Error: {why}"),
        QuitReason::Killed(why) => format!("Killed ({why})"),
    }
}

pub(super) fn joined(
    caps: Caps,
    stamp: Option<Stamp>,
    who: &Identity,
    room: &Name,
    op: bool,
    out: &mut Lines<'_>,
) {
    let line = Line::new(caps, stamp, who);
    if caps.has(Caps::EXTENDED_JOIN) {
        let account = who.account.as_ref().map_or("*", Name::as_str);
        line.write("JOIN", &[room.as_str(), account], Some(realname(who)), out);
    } else {
        line.write("JOIN", &[room.as_str()], None, out);
    }
    if op {
        let source = prefix(who);
        let line = line.continued(out.line()).source(&source).command("MODE");
        let _ = line.middles(&[room.as_str(), "+o", who.nick.as_str()]).end();
    }
}

/// A target that may be meant for the operators or the voiced members of a room only.
fn with_status(status: Option<char>, to: &Name) -> Cow<'_, str> {
    match status {
        Some(status) => format!("{status}{to}").into(),
        None => to.as_str().into(),
    }
}

pub(super) struct MessageBody<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) continuations: &'a [u32],
    pub(super) tags: Option<&'a str>,
    /// Its number in its room; 0 for a message to users.
    pub(super) number: u64,
}

/// A message in as many lines as it takes: one batch for clients with draft/multiline, else line by
/// line without the empty ones; the msgid goes with the first.
pub(super) fn message(
    caps: Caps,
    stamp: Stamp,
    who: &Identity,
    body: &MessageBody<'_>,
    to: &str,
    out: &mut Lines<'_>,
) {
    let MessageBody { kind, text, continuations, tags, number } = *body;
    let line = Line { caps, stamp: Some(stamp), who, tags, number };
    let source = prefix(who);
    let command = if kind == Kind::Notice { "NOTICE" } else { "PRIVMSG" };
    let taken = source.len() + command.len() + to.len() + MARGIN;
    let room = MAX_BODY.saturating_sub(taken);
    let fits = text.len() <= room + MARGIN - 7 && kind != Kind::Action;
    let room = if fits { text.len() } else { room };
    let pieces = || pieces(text, continuations, room);
    if caps.has(Caps::MULTILINE) && kind != Kind::Action && pieces().nth(1).is_some() {
        let reference = format!("m{}", stamp.id.0);
        let start = line.tagged(out.batch_start()).source(&source).command("BATCH");
        let _ = start.middles(&[&format!("+{reference}"), pieces::MULTILINE, to]).end();
        for (continues, piece) in pieces() {
            let mut inside = out.inside(&reference);
            let line = inside.line();
            let line = if continues { line.tag(pieces::CONCAT, "") } else { line };
            let _ = line.source(&source).command(command).middle(to).trailing(piece).end();
        }
        let end = out.batch_end().source(&source).command("BATCH");
        let _ = end.middle(&format!("-{reference}")).end();
        return;
    }
    for (number, (_, piece)) in pieces().filter(|(_, piece)| !piece.is_empty()).enumerate() {
        let line = match number {
            0 => line.tagged(out.line()),
            _ => line.continued(out.line()),
        };
        let line = line.source(&source).command(command).middle(to);
        let _ = match kind {
            Kind::Action => line.trailing(&format!("\u{1}ACTION {piece}\u{1}")).end(),
            _ => line.trailing(piece).end(),
        };
    }
}

/// The client-only tags of a message. A plain client's `/re` becomes the two tags that IRC clients
/// look for.
pub(super) fn client_tags<'t>(
    tags: Option<&'t str>,
    reply: Option<&Quoted>,
) -> Option<Cow<'t, str>> {
    match (tags, reply) {
        (None, Some(quoted)) => Some(format!("+draft/reply={0};+reply={0}", quoted.id.0).into()),
        (tags, _) => tags.map(Cow::Borrowed),
    }
}

fn room_message(caps: Caps, it: &RoomMessage, out: &mut Lines<'_>) {
    let tags = client_tags(it.tags.as_deref(), it.reply.as_deref());
    let continuations = it.continuations.as_deref().unwrap_or_default();
    let (kind, tags, number) = (it.kind, tags.as_deref(), it.number);
    let body = MessageBody { kind, text: &it.text, continuations, tags, number };
    let stamp = Stamp { id: it.id, part: 0, time: it.time };
    message(caps, stamp, &it.who, &body, &with_status(it.status, &it.room), out);
}

pub(super) fn direct_message(caps: Caps, it: &DirectMessage, to: &str, out: &mut Lines<'_>) {
    let continuations = it.continuations.as_deref().unwrap_or_default();
    let tags = it.tags.as_deref();
    let body = MessageBody { kind: it.kind, text: &it.text, continuations, tags, number: 0 };
    let stamp = Stamp { id: it.id, part: 0, time: it.time };
    message(caps, stamp, &it.who, &body, to, out);
}
