//! The erasure of what a deleted account leaves: begun with the record, finished step by step.
//!
//! Its mail and its access to conversations go at once. Its messages may be millions, and every commit
//! waits for a transaction: so they are noted in `erasure`, left out of all answers from then on, and
//! erased in windows of ids, between other records. A restart goes on where it was.

use super::rows::{all, first};
use super::tables::{Names, Tables};
use crate::chat::{Name, RecordId};
use crate::journal::limits;
use rusqlite::{Connection, Result, params};

/// Erases some messages, if there is an erasure to go on with. Tells whether there may be more.
pub(in crate::journal) fn go_on(connection: &Connection, names: &mut Names) -> Result<bool> {
    let transaction = connection.unchecked_transaction()?;
    let sql = "SELECT rowid, account, since, upto, reached FROM erasure ORDER BY rowid LIMIT 1";
    let first = first(&transaction, sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })?;
    let Some(first) = first else { return Ok(false) };
    let (erasure, account, since, upto, reached): (i64, String, Option<i64>, i64, i64) = first;
    let end = upto.min(reached.saturating_add(limits::ERASURE_IDS));
    let sql = "SELECT id FROM message WHERE id > ?1 AND id <= ?2 AND (
                   (?3 <= id AND lower(account) = ?4)
                   OR (room IS NULL AND NOT EXISTS
                           (SELECT 1 FROM private WHERE private.message = message.id)))
               ORDER BY id LIMIT ?5";
    let row = params![reached, end, since, account, limits::MAINTENANCE_ROWS];
    let ids: Vec<i64> = all(&transaction, sql, row, |row| row.get(0))?;
    for &id in &ids {
        Tables::new(&transaction, names).delete(RecordId(id.cast_unsigned()))?;
    }
    let is_full = ids.len() == limits::MAINTENANCE_ROWS as usize;
    let reached = ids.last().copied().filter(|_| is_full).unwrap_or(end);
    if reached >= upto {
        transaction.prepare_cached("DELETE FROM erasure WHERE rowid = ?1")?.execute([erasure])?;
    } else {
        let sql = "UPDATE erasure SET reached = ?2 WHERE rowid = ?1";
        transaction.prepare_cached(sql)?.execute([erasure, reached])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// What is being erased, for those who read meanwhile.
pub(in crate::journal) struct Erased(Vec<(String, i64, i64)>);

impl Erased {
    pub(in crate::journal) fn read(connection: &Connection) -> Result<Erased> {
        let sql = "SELECT account, since, upto FROM erasure WHERE since IS NOT NULL";
        all(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map(Erased)
    }

    pub(in crate::journal) fn has(&self, id: RecordId, account: Option<&Name>) -> bool {
        let Some(account) = account.filter(|_| !self.0.is_empty()) else { return false };
        let (id, account) = (id.0.cast_signed(), account.folded());
        self.0.iter().any(|(it, since, upto)| *it == account && (*since..=*upto).contains(&id))
    }
}
