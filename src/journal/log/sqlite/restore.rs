//! The state at the last record: the snapshot, with the records after it replayed and the texts of
//! recent messages taken from the table of messages.

use crate::chat::{Hub, Moment, Name, Recalled, Record, RecordId, SessionId};
use crate::journal::database::classify::classify;
use crate::journal::error::JournalError;
use crate::journal::index::sqlite::rows::{MOST_REACTIONS, all, first};
use crate::journal::log::numbering::Numbering;
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::path::Path;

/// The state after the last record.
pub(in crate::journal) struct State {
    pub(in crate::journal) hub: Hub,
    pub(in crate::journal) at: Numbering,
    /// Records that were replayed on top of the snapshot.
    pub(in crate::journal) replayed: u64,
    pub(in crate::journal) stale: bool,
}

pub(in crate::journal) fn restore(
    connection: &Connection,
    path: &Path,
) -> std::result::Result<State, JournalError> {
    let failed = |error| classify(path, error);
    let broken = |what: String| JournalError::Corrupt { path: path.to_owned(), detail: what };
    let snapshot = connection
        .query_row("SELECT record, time, stale, hub FROM snapshot", [], |row| {
            let hub: String = row.get(3)?;
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?, hub))
        })
        .optional()
        .map_err(failed)?;
    let mut state = match snapshot {
        None => State { hub: Hub::new(), at: Numbering::default(), replayed: 0, stale: false },
        Some((record, time, stale, hub)) => State {
            hub: serde_json::from_str(&hub)
                .map_err(|error| broken(format!("snapshot: {error}")))?,
            at: Numbering { last: RecordId(record.cast_unsigned()), time: Moment(time) },
            replayed: 0,
            stale,
        },
    };
    let mut statement = connection
        .prepare("SELECT id, time, origin, change FROM record WHERE id > ?1 ORDER BY id")
        .map_err(failed)?;
    let mut rows = statement.query([state.at.last.0.cast_signed()]).map_err(failed)?;
    let mut effects = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let column = |number| row.get::<_, i64>(number).map_err(failed);
        let (id, time, origin) = (column(0)?, column(1)?, column(2)?);
        let change: String = row.get(3).map_err(failed)?;
        let change = serde_json::from_str(&change)
            .map_err(|error| broken(format!("record {id}: {error}")))?;
        let record = Record {
            id: RecordId(id.cast_unsigned()),
            time: Moment(time),
            origin: SessionId(origin.cast_unsigned()),
            change,
        };
        state.at = Numbering::at(&record);
        state.replayed += 1;
        // The resulting messages are already in the tables, stored in the same transaction.
        state.hub.apply(record, &mut effects);
        effects.clear();
    }
    state.hub.recall(|id| recalled(connection, id)).map_err(failed)?;
    Ok(state)
}

/// A message's text and reactions, which no snapshot has.
fn recalled(connection: &Connection, id: RecordId) -> Result<Option<Recalled>> {
    let sql = "SELECT text FROM message WHERE id = ?1";
    let text = first(connection, sql, [id.0.cast_signed()], |row| row.get::<_, String>(0))?;
    let Some(text) = text else { return Ok(None) };
    let sql = "SELECT nick, text FROM reaction WHERE message = ?1 ORDER BY id LIMIT ?2";
    let reactions = all(connection, sql, params![id.0.cast_signed(), MOST_REACTIONS], |row| {
        Ok((Name::new(&row.get::<_, String>(0)?), row.get::<_, String>(1)?.into()))
    })?;
    Ok(Some((text.into(), reactions)))
}
