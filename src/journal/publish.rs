//! The public form of a journal: its messages, as lines of JSON that other programs may rely on.
//!
//! It has no internal state and no secrets: no passwords, keys, addresses or user names. Fields may be
//! added to it; none is renamed or removed while `version` is 1. Direct messages and the list of
//! accounts are in it only if asked for, and rooms that not everyone may enter only by name.

use super::error::JournalError;
use super::log::sqlite::restore::State;
use super::outcome::{Published, Selection};
use super::transfer::{Message, for_each_message, read_whole, write_line};
use crate::chat::{Flag, Hub, Kind, Moment, Name, RecordId, Room, Target, Walk};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    /// The first line.
    Export { program: &'a str, version: u32 },
    /// A room that is published.
    Room { room: &'a str, created: Option<String>, topic: Option<&'a str> },
    /// An account, if those are asked for.
    Account { account: &'a str, created: String, last_login: Option<String> },
    /// A message in a room.
    Message {
        room: &'a str,
        number: u64,
        #[serde(flatten)]
        said: Said<'a>,
        reply_to: Option<u64>,
        reactions: Vec<Reaction<'a>>,
    },
    /// A direct message, if those are asked for.
    Private {
        to: &'a str,
        to_account: Option<&'a str>,
        #[serde(flatten)]
        said: Said<'a>,
    },
}

#[derive(Serialize)]
struct Said<'a> {
    id: u64,
    time: String,
    nick: &'a str,
    account: Option<&'a str>,
    kind: Kind,
    text: &'a str,
    edited: bool,
}

#[derive(Serialize)]
struct Reaction<'a> {
    text: &'a str,
    nick: &'a str,
}

/// Writes the public form of the journal in `directory`. It can run while the server is running.
///
/// # Errors
/// What is wrong with the journal, or with `out`.
pub fn publish(
    directory: &Path,
    wanted: &Selection,
    out: &mut impl Write,
) -> Result<Published, JournalError> {
    let (path, connection, State { hub, .. }) = read_whole(directory)?;
    let (rooms, left_out) = rooms(&hub, wanted);
    if let Some(room) = wanted.room.as_ref().filter(|_| rooms.is_empty()) {
        return Err(JournalError::NoRoom { room: room.as_str().to_owned() });
    }
    write_line(out, &Line::Export { program: "chatloop", version: VERSION })?;
    for (name, room) in &rooms {
        let topic = room.topic.as_ref().map(|topic| &*topic.text);
        let created = (room.created.0 > 0).then(|| time(room.created));
        write_line(out, &Line::Room { room: name.as_str(), created, topic })?;
    }
    if wanted.accounts {
        let mut walk = Walk::default();
        while let Some(account) = hub.next_account(&mut walk) {
            let (created, last_login) = (time(account.created), account.seen.map(time));
            let account = account.name.as_str();
            write_line(out, &Line::Account { account, created, last_login })?;
        }
    }
    let since: HashMap<&Name, RecordId> =
        rooms.iter().map(|(name, room)| (*name, room.since)).collect();
    let mut messages = 0;
    for_each_message(&connection, &path, wanted.room.as_ref(), |message| {
        let line = line(&message, |room, id| since.get(room).is_some_and(|it| id >= *it));
        let is_private = matches!(line, Some(Line::Private { .. }));
        let Some(line) = line.filter(|_| wanted.private || !is_private) else { return Ok(()) };
        messages += 1;
        write_line(out, &line)
    })?;
    out.flush().map_err(JournalError::Stream)?;
    Ok(Published { messages, left_out })
}

/// The rooms to publish, and how many others there are.
fn rooms<'a>(hub: &'a Hub, wanted: &Selection) -> (Vec<(&'a Name, &'a Room)>, usize) {
    let is_open = |room: &Room| {
        !room.modes.has(Flag::Secret)
            && !room.modes.has(Flag::InviteOnly)
            && room.modes.key.is_none()
    };
    let all = hub.rooms().map(|room| (&room.name, room));
    if let Some(wanted) = &wanted.room {
        return (all.filter(|(name, _)| *name == wanted).collect(), 0);
    }
    let (open, others): (Vec<_>, Vec<_>) = all.partition(|(_, room)| is_open(room));
    (open, others.len())
}

/// The line of a message, if it is in a room that is published.
fn line(
    Message { message, put_on }: &Message,
    is_in: impl Fn(&Name, RecordId) -> bool,
) -> Option<Line<'_>> {
    let said = Said {
        id: message.id.0,
        time: time(message.time),
        nick: message.from.as_str(),
        account: message.account.as_ref().map(Name::as_str),
        kind: message.kind,
        text: &message.text,
        edited: message.edited,
    };
    match &message.target {
        Target::Room(room) if is_in(room, message.id) => Some(Line::Message {
            room: room.as_str(),
            number: message.number,
            said,
            reply_to: message.reply.as_ref().map(|reply| reply.number),
            reactions: put_on.iter().map(|(text, nick, _)| Reaction { text, nick }).collect(),
        }),
        Target::Room(_) => None,
        Target::Private { to, account } => {
            let to_account = account.as_ref().map(Name::as_str);
            Some(Line::Private { to: to.as_str(), to_account, said })
        }
    }
}

/// `2026-01-31T12:30:00.123Z`.
fn time(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default().to_string()
}
