//! The SQLite file that the log and the index share: one file, so that a record and the rows that
//! follow from it are in one transaction.

pub(super) mod classify;
pub(super) mod open;
pub(super) mod schema;

/// A value as a column holds it.
pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
