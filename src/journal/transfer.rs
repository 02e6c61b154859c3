//! A journal as lines of JSON, and back.
//!
//! The first line identifies the format; then comes the state (`state`, or `room` for a single
//! room), then one `message` per line, oldest first, and `end`. Ids, numbers and times survive an export
//! and import.
//!
//! An export can run while the server is running. A full one is a backup: like the directory, it
//! contains password hashes, SCRAM keys, room keys and direct messages, and should be protected
//! accordingly. That of a single room contains the room's settings and messages. Not exported are
//! records that a snapshot covers, whose effect is in the state, and events.
//!
//! An import is checked like what comes from a network: every name, every text, and that the tables
//! of the state agree. It is complete or does not happen, and needs an empty data directory: ids are the order
//! of everything, and two orders cannot be merged without assigning new ones. An imported single
//! room is kept (as with `/keep`); otherwise it would be deleted for lack of members.

use super::database::classify::classify;
use super::database::{json, open, schema};
use super::error::JournalError;
use super::index::sqlite::erasure::Erased;
use super::index::sqlite::rows::{COLUMNS, all, read_message};
use super::index::sqlite::tables::{Names, Tables};
use super::limits::{self, Limits};
use super::log::sqlite::restore::{State, restore};
use crate::chat::check::{self, Checked};
use crate::chat::{Hub, Name, StoredMessage, Target};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

/// The version of the lines. Those of version 1 had no end: one that was cut short looks whole.
const VERSION: u32 = 2;

/// No server has written more records: a thousand a second for a thousand years. Above them there is
/// room for those to come, and for their parts (`span`).
const MOST_RECORDS: u64 = 1 << 45;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The format, and the last record and its time.
    ChatloopJournal { version: u32, last: u64, time: i64 },
    /// The whole state.
    State(Value),
    /// One room's state, by the name it is known by.
    Room(Value),
    /// A message.
    Message(Box<Message>),
    /// The last line.
    End { messages: u64 },
}

#[derive(Serialize, Deserialize)]
pub(super) struct Message {
    #[serde(flatten)]
    pub(super) message: StoredMessage,
    /// Text, nick, and the record that put it on.
    pub(super) put_on: Vec<(String, String, u64)>,
}

impl Message {
    fn check(&self) -> Checked {
        self.message.check()?;
        self.put_on.iter().try_for_each(|(text, nick, _)| {
            check::nick(&Name::new(nick))?;
            check::reaction(text)
        })
    }
}

/// Writes the journal in `directory`, or what it has of one room, as lines of JSON. Returns how
/// many messages there are.
///
/// # Errors
/// What is wrong with the journal, or with `out`.
pub fn export(
    directory: &Path,
    room: Option<&Name>,
    out: &mut impl Write,
) -> Result<u64, JournalError> {
    let (path, connection, state) = read_whole(directory)?;
    let (last, time) = (state.at.last.0, state.at.time.0);
    write_line(out, &Line::ChatloopJournal { version: VERSION, last, time })?;
    let hub = tree(&state.hub)
        .map_err(|error| JournalError::Corrupt { path: path.clone(), detail: error.to_string() })?;
    match room {
        None => write_line(out, &Line::State(hub))?,
        Some(room) => {
            if let Some(room) = room_of(hub, room) {
                write_line(out, &Line::Room(room))?;
            }
        }
    }
    let mut exported = 0;
    for_each_message(&connection, &path, room, |message| {
        exported += 1;
        write_line(out, &Line::Message(Box::new(message)))
    })?;
    write_line(out, &Line::End { messages: exported })?;
    out.flush().map_err(JournalError::Stream)?;
    match room {
        Some(room) if exported == 0 && state.hub.room(room.as_str()).is_none() => {
            Err(JournalError::NoRoom { room: room.as_str().to_owned() })
        }
        _ => Ok(exported),
    }
}

/// A journal and its state at one moment: the connection is in a transaction. Only the tables of today
/// are read, so an older file becomes one of today first.
pub(super) fn read_whole(directory: &Path) -> Result<(PathBuf, Connection, State), JournalError> {
    let path = open::file_in(directory);
    let connection = open::open_reader(&path)?;
    match schema::version(&connection, &path)? {
        0 => return Err(JournalError::Missing { path }),
        old if old < schema::CURRENT => drop(open::open(directory, &Limits::default())?),
        _ => {}
    }
    connection.execute_batch("BEGIN").map_err(|error| classify(&path, error))?;
    let state = restore(&connection, &path)?;
    Ok((path, connection, state))
}

pub(super) fn write_line(out: &mut impl Write, line: &impl Serialize) -> Result<(), JournalError> {
    let text = serde_json::to_string(line).map_err(|error| JournalError::Stream(error.into()))?;
    out.write_all(text.as_bytes()).map_err(JournalError::Stream)?;
    out.write_all(b"\n").map_err(JournalError::Stream)
}

/// The state as a tree, by way of its text: another serialiser for all that a state holds, and
/// another deserialiser, would be a fifth of a megabyte of the program.
fn tree(hub: &Hub) -> serde_json::Result<Value> {
    serde_json::from_str(&serde_json::to_string(hub)?)
}

/// One room of a state, without members and kept.
fn room_of(mut hub: Value, wanted: &Name) -> Option<Value> {
    let rooms = hub.get_mut("rooms")?.as_array_mut()?;
    let named = |pair: &&mut Value| pair[0].as_str().is_some_and(|name| *wanted == *name);
    let mut pair = rooms.iter_mut().find(named)?.take();
    let room = &mut pair[1];
    room["members"] = Value::Array(Vec::new());
    room["kept"] = true.into();
    room["waiting"] = false.into();
    for recent in room["recent"].as_array_mut()? {
        recent["session"] = Value::Null;
    }
    Some(pair)
}

/// Does something with each message, oldest first, but those whose text is to be erased.
pub(super) fn for_each_message(
    connection: &Connection,
    path: &Path,
    room: Option<&Name>,
    mut take: impl FnMut(Message) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let failed = |error| classify(path, error);
    let erased = Erased::read(connection).map_err(failed)?;
    let mut after = 0;
    loop {
        let page = page(connection, room, after).map_err(failed)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.message.id.0.cast_signed();
        for message in page {
            if !erased.has(message.message.id, message.message.account.as_ref()) {
                take(message)?;
            }
        }
    }
}

/// Some messages, from after an id on.
fn page(
    connection: &Connection,
    room: Option<&Name>,
    after: i64,
) -> rusqlite::Result<Vec<Message>> {
    let sql = format!(
        "SELECT {COLUMNS}, n.spelled FROM message m LEFT JOIN message q ON q.id = m.reply
         LEFT JOIN name n ON n.id = m.room
         WHERE m.id > ?1 AND (?2 IS NULL OR n.folded = ?2) ORDER BY m.id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params![after, room.map(Name::folded), limits::MAINTENANCE_ROWS])?;
    let mut names: HashMap<String, Name> = HashMap::new();
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        let room = row.get::<_, Option<String>>("spelled")?;
        let room =
            room.map(|room| names.entry(room).or_insert_with_key(|it| Name::new(it)).clone());
        let mut message = read_message(row, room.as_ref())?;
        if let Some(reply) = &mut message.reply {
            // It has a separate line.
            reply.text = None;
        }
        let sql = "SELECT text, nick, id FROM reaction WHERE message = ?1 ORDER BY id";
        let put_on = all(connection, sql, [message.id.0.cast_signed()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned()))
        })?;
        page.push(Message { message, put_on });
    }
    Ok(page)
}

/// Fills the empty (or new) journal in `directory` with what [`export`] wrote. Returns how many
/// messages there are.
///
/// # Errors
/// [`JournalError::Line`] names the line that cannot be taken; nothing is imported then.
pub fn import(directory: &Path, lines: &mut impl BufRead) -> Result<u64, JournalError> {
    let opened = open::open(directory, &Limits::default())?;
    let failed = |error| classify(&opened.path, error);
    let any = "SELECT EXISTS (SELECT 1 FROM message) OR EXISTS (SELECT 1 FROM record)
                   OR EXISTS (SELECT 1 FROM snapshot)";
    let any = opened.connection.query_row(any, [], |row| row.get::<_, bool>(0)).map_err(failed)?;
    if any {
        return Err(JournalError::NotEmpty { path: directory.to_owned() });
    }
    // Rolled back if dropped early.
    let transaction = opened.connection.unchecked_transaction().map_err(failed)?;
    let mut import = Import::default();
    let mut number = 0;
    let mut text = String::new();
    loop {
        text.clear();
        number += 1;
        let read = lines.by_ref().take(limits::IMPORT_LINE).read_line(&mut text);
        if read.map_err(JournalError::Stream)? == 0 {
            break;
        }
        let wrong = |detail: String| JournalError::Line { number, detail };
        let line = text.trim_start_matches('\u{feff}');
        if line.starts_with("{\"type\":") {
            let why = "this is an export for people and other programs; import reads what export --all wrote";
            return Err(wrong(why.to_owned()));
        }
        let line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        import.take(&transaction, line).map_err(|fault| match fault {
            Fault::Line(detail) => wrong(detail),
            Fault::Database(error) => classify(&opened.path, error),
        })?;
    }
    if import.last.is_none() {
        let detail = "the first line does not identify a chatloop export".to_owned();
        return Err(JournalError::Line { number, detail });
    }
    if import.version > 1 && import.end != Some(import.messages) {
        let detail = "the export is cut short, or messages of it are missing".to_owned();
        return Err(JournalError::Line { number, detail });
    }
    import.finish(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(import.messages)
}

enum Fault {
    Line(String),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Database(error)
    }
}

#[derive(Default)]
struct Import {
    names: Names,
    /// Rooms whose name another has taken, and what they are called here.
    retired: HashMap<Name, Name>,
    hub: Hub,
    /// The last id and time of the first line, once there was one.
    last: Option<(u64, i64)>,
    /// Those of the last message.
    reached: (u64, i64),
    messages: u64,
    version: u32,
    /// How many messages there are, by the last line.
    end: Option<u64>,
}

impl Import {
    fn take(&mut self, connection: &Connection, line: Line) -> Result<(), Fault> {
        let fault = |text: &str| Err(Fault::Line(text.to_owned()));
        let invalid = |error: serde_json::Error| Fault::Line(error.to_string());
        match line {
            Line::ChatloopJournal { version, last, time } => {
                if self.last.is_some() {
                    return fault("a second header line");
                }
                if !(1..=VERSION).contains(&version) {
                    return Err(Fault::Line(format!(
                        "unsupported version {version} (supported: 1 to {VERSION})"
                    )));
                }
                if last > MOST_RECORDS {
                    return fault("its last record is beyond any that a server has written");
                }
                self.last = Some((last, time));
                self.version = version;
            }
            _ if self.last.is_none() => return fault("this is not a chatloop export"),
            Line::State(state) => self.take_state(state)?,
            Line::Room(pair) => {
                let mut hub = tree(&self.hub).map_err(invalid)?;
                if let Some(rooms) = hub["rooms"].as_array_mut() {
                    let name = pair[0].as_str().unwrap_or_default().to_owned();
                    rooms.retain(|room| {
                        !room[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(&name))
                    });
                    rooms.push(pair);
                }
                self.take_state(hub)?;
            }
            Line::Message(message) => self.take_message(connection, *message)?,
            Line::End { messages } => self.end = Some(messages),
        }
        Ok(())
    }

    fn take_message(&mut self, connection: &Connection, mut message: Message) -> Result<(), Fault> {
        let fault = |text: &str| Err(Fault::Line(text.to_owned()));
        message.check().map_err(Fault::Line)?;
        let (id, time) = (message.message.id.0, message.message.time.0);
        if id <= self.reached.0 || id > MOST_RECORDS {
            return fault("its id is not above the previous one, or beyond any record");
        }
        // Times may fall where ids never do: the clock was set back.
        self.reached = (id, time.max(self.reached.1));
        self.messages += 1;
        let mut tables = Tables::new(connection, &mut self.names);
        if let Target::Room(room) = &mut message.message.target
            && let Some(before) = check::name_of_retired_room(room)
        {
            // The number in its name was that of the other directory.
            *room = match self.retired.get(room) {
                Some(here) => here.clone(),
                None => {
                    let here = tables.retired_room(&before)?;
                    self.retired.insert(room.clone(), here.clone());
                    here
                }
            };
        }
        tables.add(&message.message)?;
        for (text, nick, reaction) in &message.put_on {
            let sql = "INSERT OR IGNORE INTO reaction (message, text, nick, id)
                       VALUES (?1, ?2, ?3, ?4)";
            let row =
                params![id.cast_signed(), text, nick.to_ascii_lowercase(), reaction.cast_signed()];
            connection.prepare_cached(sql)?.execute(row)?;
        }
        Ok(())
    }

    /// Takes a state that a server could have been in, and no other.
    fn take_state(&mut self, mut state: Value) -> Result<(), Fault> {
        if let Some(state) = state.as_object_mut() {
            // A record that is not above its own last one would count as one that is applied already.
            state.insert("last".to_owned(), self.last.map(|(last, _)| last).into());
        }
        let hub: Hub = serde_json::from_str(&state.to_string())
            .map_err(|error| Fault::Line(error.to_string()))?;
        hub.check().map_err(Fault::Line)?;
        self.hub = hub;
        Ok(())
    }

    fn finish(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (last, time) = self.last.unwrap_or_default();
        let (last, time) = (last.max(self.reached.0), time.max(self.reached.1));
        let hub = json(&self.hub)?;
        let sql = "INSERT INTO snapshot (one, record, time, stale, hub) VALUES (1, ?1, ?2, 0, ?3)";
        connection.execute(sql, params![last.cast_signed(), time, hub])?;
        Ok(())
    }
}
