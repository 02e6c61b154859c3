//! Scopes as rows: where a scope's messages are, from which point, and how they are read.

use super::erasure::Erased;
use super::rows::{COLUMNS, all, first_above, number_of, read_message};
use crate::chat::{Point, RecordId, Scope, StoredMessage, query};
use crate::journal::index::span::{NOWHERE, Position, position_of};
use crate::journal::limits;
use crate::journal::words::{indexed, normalized, words as words_of};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row, params_from_iter};
use std::collections::HashMap;

/// The position of a point among the messages of a room, or among all.
pub(super) fn locate_in(
    connection: &Connection,
    room: Option<&query::Room>,
    point: Point,
    upto: RecordId,
) -> Result<Position> {
    let (wanted, column) = match (point, room) {
        (Point::Id(id), _) => return Ok(Position::of(id, 0)),
        (Point::Part(id, part), _) => return Ok(Position::of(id, part)),
        (Point::Number(number), Some(_)) => (number.cast_signed(), "number"),
        // These messages have no numbers: nothing is before, nothing is after.
        (Point::Number(_), None) => return Ok(Position::NONE),
        (Point::Time(time), _) => (time.0, "time"),
    };
    let (room, since) = match room {
        Some(room) => match number_of(connection, &room.name)? {
            Some(number) => (Some(number), room.since.0.cast_signed()),
            None => return Ok(Position::END),
        },
        None => (None, 0),
    };
    let condition = if room.is_some() { "room = ?3" } else { "?3 IS NULL" };
    let sql = format!(
        "SELECT id, {column} FROM message WHERE {condition} AND id >= ?1 AND id < ?2
         ORDER BY id LIMIT 1"
    );
    let mut probe = connection.prepare_cached(&sql)?;
    let end = upto.0.saturating_add(1).min(NOWHERE).cast_signed();
    let position = |id: i64| position_of(RecordId(id.cast_unsigned()), 0);
    let mut above = |wanted| first_above(&mut probe, room, since..end, wanted);
    let (first, next) = (above(wanted.saturating_sub(1))?, above(wanted)?);
    Ok(Position {
        first: first.map_or(NOWHERE, position),
        last: next.map_or(NOWHERE, |id| position(id) - 1),
    })
}

/// The rows of a scope: where they are, which they are, what their id is called there.
pub(super) struct Source {
    from: &'static str,
    condition: &'static str,
    key: &'static str,
    values: Vec<Value>,
    /// The rooms they may be from, by number.
    known: HashMap<i64, query::Room>,
}

const MAIL: &str = "mail s CROSS JOIN message m ON m.id = s.message";
const PRIVATE: &str = "private s CROSS JOIN message m ON m.id = s.message";
const SEARCH: &str = "search s CROSS JOIN message m ON m.id = s.rowid";

/// The table with a scope's messages; `None` if there are none.
pub(super) fn source(connection: &Connection, scope: &Scope) -> Result<Option<Source>> {
    let mut known = HashMap::new();
    let mut know = |room: &query::Room| -> Result<Option<i64>> {
        let number = number_of(connection, &room.name)?;
        if let Some(number) = number {
            known.insert(number, room.clone());
        }
        Ok(number)
    };
    let (from, condition, key, values): (_, _, _, Vec<Value>) = match scope {
        Scope::Room(room) => {
            let Some(number) = know(room)? else { return Ok(None) };
            ("message m", "m.room = ?", "m.id", vec![number.into()])
        }
        Scope::Thread { room, root } => {
            let Some(number) = know(room)? else { return Ok(None) };
            let root = root.0.cast_signed();
            let condition = "m.room = ? AND (m.id = ? OR (m.root = ? AND m.reply IS NOT NULL))";
            ("message m", condition, "m.id", vec![number.into(), root.into(), root.into()])
        }
        Scope::Mail { account, since } => {
            let Some(owner) = number_of(connection, account)? else { return Ok(None) };
            let values = vec![owner.into(), since.0.cast_signed().into()];
            (MAIL, "s.owner = ? AND s.message >= ?", "s.message", values)
        }
        // On no disk.
        Scope::Session { .. } => return Ok(None),
        Scope::Private { account, peer } => {
            let (owner, peer) = (number_of(connection, account)?, number_of(connection, peer)?);
            let (Some(owner), Some(peer)) = (owner, peer) else { return Ok(None) };
            let values = vec![owner.into(), peer.into()];
            (PRIVATE, "s.owner = ? AND s.peer = ?", "s.message", values)
        }
        Scope::Search { rooms, words, from } => {
            let mut numbers = Vec::new();
            for room in rooms {
                numbers.extend(know(room)?);
            }
            let by = match from {
                Some(from) => match number_of(connection, from)? {
                    Some(number) => Some(number),
                    None => return Ok(None),
                },
                None => None,
            };
            let Some(search) = search_for(words, &numbers, by) else { return Ok(None) };
            (SEARCH, "search MATCH ?", "s.rowid", vec![search.into()])
        }
    };
    Ok(Some(Source { from, condition, key, values, known }))
}

/// Adds the messages between two ids, both exclusive, from the requested end.
pub(super) fn select(
    connection: &Connection,
    source: &Source,
    (after, before): (u64, u64),
    (newest, limit): (bool, usize),
    found: &mut Vec<StoredMessage>,
) -> Result<()> {
    let Source { from, condition, key, values, known } = source;
    let erased = Erased::read(connection)?;
    let order = if newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} LEFT JOIN message q ON q.id = m.reply
         WHERE {condition} AND {key} > ? AND {key} < ? ORDER BY {key} {order}"
    );
    let ids = [after, before].map(|id| Value::from(id.cast_signed()));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values.iter().chain(&ids)))?;
    let (wanted, mut bytes) = (found.len().saturating_add(limit), 0);
    while found.len() < wanted
        && bytes <= limits::ANSWER_BYTES
        && let Some(row) = rows.next()?
    {
        let room = row.get::<_, Option<i64>>(2)?.and_then(|number| known.get(&number));
        let id = RecordId(row.get::<_, i64>(0)?.cast_unsigned());
        if room.is_some_and(|room| id < room.since) {
            // Sent in an earlier room of that name.
            continue;
        }
        let mut message = read_message(row, room.map(|room| &room.name))?;
        if erased.has(id, message.account.as_ref()) {
            continue;
        }
        add_reactions(connection, &mut message)?;
        bytes += message.bytes();
        found.push(message);
    }
    Ok(())
}

/// The query for the full-text index; `None` if it cannot find anything.
fn search_for(words: &str, rooms: &[i64], by: Option<i64>) -> Option<String> {
    let words = normalized(words);
    let wanted = words.split_whitespace().filter(|word| words_of(word).next().is_some());
    // A quoted word is never an operator; what is apart in it has to stand in a row.
    let wanted: Vec<String> =
        wanted.map(|word| format!("\"{}\"", indexed(word).replace('"', " "))).collect();
    if wanted.is_empty() || rooms.is_empty() {
        return None;
    }
    let rooms: Vec<String> = rooms.iter().map(|room| format!("r{room}")).collect();
    let by = by.map_or(String::new(), |by| format!(" AND f{by}"));
    let (wanted, rooms) = (wanted.join(" AND "), rooms.join(" OR "));
    Some(format!("text : ({wanted}) AND tags : (({rooms}){by})"))
}

fn add_reactions(connection: &Connection, message: &mut StoredMessage) -> Result<()> {
    // An earlier server kept any number of them.
    let sql = "SELECT text, count(*) FROM
                   (SELECT text, id FROM reaction WHERE message = ?1 LIMIT 1000)
               GROUP BY text ORDER BY min(id) LIMIT 100";
    let id = [message.id.0.cast_signed()];
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?.into(), row.get(1)?));
    message.reactions = all(connection, sql, id, read)?;
    Ok(())
}
