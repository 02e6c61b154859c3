//! Finding and reading rows.

use crate::chat::limits::{REACTIONS_PER_MESSAGE, REACTIONS_PER_USER};
use crate::chat::{Continuations, Kind, Moment, Name, Quoted, RecordId, StoredMessage, Target};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Result, Row, params};
use std::sync::Arc;

/// The most reactions to one message, as a statement's parameter.
pub(in crate::journal) const MOST_REACTIONS: i64 = REACTIONS_PER_MESSAGE as i64;
/// Those of one user, likewise.
pub(super) const MOST_OWN_REACTIONS: i64 = REACTIONS_PER_USER as i64;

/// The columns that [`read_message`] reads, of `message m` and of the message `q` that it replies
/// to.
pub(in crate::journal) const COLUMNS: &str =
    "m.id, m.time, m.room, m.number, m.root, m.sender, m.account, m.kind, m.text,
    m.edited, m.recipient, m.recipient_account, m.reply, m.reply_number, m.reply_from, q.text,
    m.username, m.host, m.bot, m.tags, m.joints";

/// The first row that a query finds.
pub(in crate::journal) fn first<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row(parameters, read).optional()
}

/// All rows that a query finds.
pub(in crate::journal) fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(parameters, read)?.collect()
}

pub(in crate::journal) fn number_of(connection: &Connection, name: &Name) -> Result<Option<i64>> {
    let sql = "SELECT id FROM name WHERE folded = ?1";
    first(connection, sql, [name.folded()], |row| row.get(0))
}

/// The first row in a range of keys whose value is above `wanted`. `probe` returns the first row
/// from one key (1) up to another (2), with its value. Numbers and times rise with the keys, so
/// this is a binary search and needs no index.
pub(in crate::journal) fn first_above(
    probe: &mut CachedStatement<'_>,
    room: Option<i64>,
    range: std::ops::Range<i64>,
    wanted: i64,
) -> Result<Option<i64>> {
    let (mut low, mut high) = (range.start, range.end);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let row = probe
            .query_row(params![middle, high, room], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        match row {
            Some((key, value)) if value <= wanted => low = key + 1,
            Some((key, _)) => {
                found = Some(key);
                high = middle;
            }
            None => high = middle,
        }
    }
    Ok(found)
}

pub(in crate::journal) fn read_message(
    row: &Row<'_>,
    room: Option<&Name>,
) -> Result<StoredMessage> {
    let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let name = |column: usize| {
        row.get::<_, Option<String>>(column).map(|name| name.as_deref().map(Name::new))
    };
    let text =
        |column: usize| row.get::<_, Option<String>>(column).map(|text| text.map(Arc::<str>::from));
    let kind: String = row.get(7)?;
    let reply = match row.get::<_, Option<i64>>(12)? {
        Some(id) => Some(Quoted {
            id: RecordId(id.cast_unsigned()),
            number: number(13)?,
            root: RecordId(number(4)?),
            from: name(14)?.unwrap_or_else(|| Name::new("")),
            text: text(15)?,
        }),
        None => None,
    };
    Ok(StoredMessage {
        id: RecordId(number(0)?),
        time: Moment(row.get(1)?),
        target: match room {
            Some(room) => Target::Room(room.clone()),
            None => Target::Private {
                to: name(10)?.unwrap_or_else(|| Name::new("")),
                account: name(11)?,
            },
        },
        number: number(3)?,
        from: name(5)?.unwrap_or_else(|| Name::new("")),
        account: name(6)?,
        username: text(16)?,
        host: text(17)?,
        bot: row.get(18)?,
        kind: match kind.as_str() {
            "action" => Kind::Action,
            "notice" => Kind::Notice,
            _ => Kind::Message,
        },
        text: row.get::<_, String>(8)?.into(),
        tags: text(19)?,
        continuations: continuations(row.get(20)?),
        reply,
        edited: row.get(9)?,
        reactions: Vec::new(),
    })
}

/// An invalid value counts as no offsets.
fn continuations(column: Option<String>) -> Option<Continuations> {
    serde_json::from_str(&column?).ok()
}
