//! Maintenance between records: snapshots, removal of covered records, retention.
//!
//! Invariant: one step deletes at most [`limits::MAINTENANCE_ROWS`] rows, then records have
//! priority again. A snapshot is one step, and takes time in proportion to the state; it is written
//! no more often than as many bytes of records. It contains no texts, so that a deletion need not
//! write it anew.

use super::store::Store;
use crate::chat::Moment;
use crate::journal::age::Age;
use crate::journal::database::json;
use crate::journal::index::sqlite::erasure;
use crate::journal::index::sqlite::rows::{all, first};
use crate::journal::index::sqlite::tables::Tables;
use crate::journal::limits::{self, Limits};
use crate::journal::runtime::TimeSource;
use rusqlite::{Result, params};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The next step of a sweep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sweep {
    Nothing,
    /// Records that a snapshot covers.
    Records,
    /// Messages that are too old.
    Old,
    /// Messages that are too many in a room: the first with a higher number than this.
    Many(i64),
}

/// The schedule.
pub(super) struct Maintenance {
    time: Arc<dyn TimeSource>,
    age: Option<Age>,
    per_room: Option<u64>,
    records: u64,
    bytes: u64,
    snapshot_bytes: u64,
    sweep: Sweep,
    /// The snapshot is an earlier server's and holds texts.
    stale: bool,
    /// What a deleted account has written may be there still.
    erasing: bool,
    erase_at: Option<Instant>,
    retain_at: Option<Instant>,
    /// Records since it was last looked whether something is too many in a room.
    uncounted: u64,
}

impl Maintenance {
    pub(super) fn new(
        limits: &Limits,
        (replayed, stale): (u64, bool),
        newest: Moment,
        time: Arc<dyn TimeSource>,
    ) -> Maintenance {
        let retains = limits.age.is_some() || limits.per_room.is_some();
        let now = time.instant();
        Maintenance {
            time,
            age: limits.age.map(|age| Age::new(age, (newest.0 > 0).then_some(newest))),
            per_room: limits.per_room,
            records: replayed,
            bytes: 0,
            snapshot_bytes: 0,
            // Records that an earlier run has covered but not removed.
            sweep: Sweep::Records,
            stale,
            erasing: true,
            erase_at: stale.then_some(now),
            retain_at: retains.then_some(now),
            uncounted: 0,
        }
    }

    /// The time until the next step is due.
    pub(super) fn due_in(&self) -> Duration {
        if self.erasing || self.sweep != Sweep::Nothing {
            return Duration::ZERO;
        }
        let next = [self.erase_at, self.retain_at].into_iter().flatten().min();
        next.map_or(limits::RETENTION_EVERY, |at| at.saturating_duration_since(self.time.instant()))
    }

    pub(super) fn written(&mut self, records: u64, bytes: u64, erased: bool) {
        self.records += records;
        self.uncounted += records;
        self.bytes += bytes;
        if erased {
            self.erasing = true;
            self.erase_at.get_or_insert_with(|| self.time.instant() + limits::ERASE_WITHIN);
        }
    }

    /// Executes one step that is due.
    pub(super) fn step(&mut self, store: &mut Store) -> Result<()> {
        let now = self.time.instant();
        if is_due(self.erase_at, now) && !self.stale {
            self.erase_at = None;
            return self.truncate(store);
        }
        if self.stale
            || self.records >= limits::SNAPSHOT_RECORDS && self.bytes >= self.snapshot_bytes
        {
            return self.snapshot(store);
        }
        if self.erasing {
            self.erasing = erasure::go_on(&store.database.connection, &mut store.names)?;
            if self.erasing {
                return Ok(());
            }
        }
        self.sweep_on(store, now)
    }

    /// Removes some rows that are covered, too old or too many.
    fn sweep_on(&mut self, store: &mut Store, now: Instant) -> Result<()> {
        match self.sweep {
            Sweep::Records => {
                let covered = "DELETE FROM record WHERE id IN (SELECT id FROM record WHERE id <=
                                   (SELECT record FROM snapshot) ORDER BY id LIMIT ?1)";
                if !delete(store, covered, [limits::MAINTENANCE_ROWS])? {
                    self.sweep = Sweep::Nothing;
                }
            }
            Sweep::Old => {
                if !(self.forget_old(store)? | self.forget_old_events(store)?) {
                    self.sweep = Sweep::Many(0);
                }
            }
            Sweep::Many(room) => self.sweep = self.forget_many(store, room)?,
            Sweep::Nothing if is_due(self.retain_at, now) => {
                self.retain_at = Some(now + limits::RETENTION_EVERY);
                self.sweep = Sweep::Old;
            }
            Sweep::Nothing if self.uncounted >= limits::SNAPSHOT_RECORDS => {
                self.uncounted = 0;
                self.sweep = Sweep::Many(0);
            }
            Sweep::Nothing => {}
        }
        Ok(())
    }

    /// Executes everything that would become due: the server is shutting down.
    pub(super) fn finish(&mut self, store: &mut Store) -> Result<()> {
        if self.records > 0 || self.stale {
            self.snapshot(store)?;
        }
        while matches!(self.sweep, Sweep::Records) {
            self.step(store)?;
        }
        self.truncate(store)
    }

    pub(super) fn snapshot(&mut self, store: &mut Store) -> Result<()> {
        let hub = store.hub.without_texts(json)?;
        let (record, time) = (store.at.last.0.cast_signed(), store.at.time.0);
        let sql = "INSERT OR REPLACE INTO snapshot (one, record, time, stale, hub)
                   VALUES (1, ?1, ?2, 0, ?3)";
        store.database.connection.prepare_cached(sql)?.execute(params![record, time, hub])?;
        (self.records, self.bytes, self.snapshot_bytes) = (0, 0, hub.len() as u64);
        self.stale = false;
        self.sweep = Sweep::Records;
        Ok(())
    }

    /// Takes erased texts out of the write-ahead log. A reader may be in the way, and records must
    /// not wait for it long.
    fn truncate(&mut self, store: &Store) -> Result<()> {
        let connection = &store.database.connection;
        let wait: i64 = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
        connection.busy_timeout(limits::TRUNCATE_WAIT)?;
        let busy = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        connection.busy_timeout(Duration::from_millis(wait.unsigned_abs()))?;
        if busy? {
            self.erase_at = Some(self.time.instant() + limits::ERASE_WITHIN / 10);
        }
        Ok(())
    }

    /// Forgets some messages that are too old. Tells whether there may be more.
    fn forget_old(&mut self, store: &mut Store) -> Result<bool> {
        let Some(before) = self.oldest(store) else { return Ok(false) };
        // Ids are the order: what is older than something too old is too old itself, whatever a clock
        // that ran ahead has stamped on it.
        let sql = "SELECT id FROM message WHERE id <=
                       (SELECT max(id) FROM (SELECT id, time FROM message ORDER BY id LIMIT ?1)
                        WHERE time < ?2)
                   ORDER BY id LIMIT ?3";
        let look = look_ahead(store, "SELECT time FROM message ORDER BY id LIMIT 1")?;
        forget(store, sql, params![look, before, limits::MAINTENANCE_ROWS])
    }

    /// The same for events.
    fn forget_old_events(&mut self, store: &mut Store) -> Result<bool> {
        let Some(before) = self.oldest(store) else { return Ok(false) };
        // Row numbers rise in order of insertion.
        let look = look_ahead(store, "SELECT time FROM event ORDER BY rowid LIMIT 1")?;
        let sql = "DELETE FROM event WHERE rowid IN (SELECT rowid FROM event WHERE rowid <=
                       (SELECT max(row) FROM
                           (SELECT rowid AS row, time FROM event ORDER BY rowid LIMIT ?1)
                        WHERE time < ?2)
                   ORDER BY rowid LIMIT ?3)";
        delete(store, sql, params![look, before, limits::MAINTENANCE_ROWS])
    }

    /// The time before which everything is too old.
    fn oldest(&mut self, store: &Store) -> Option<i64> {
        Some(self.age.as_mut()?.oldest(store.at.time).0)
    }

    fn forget_many(&self, store: &mut Store, room: i64) -> Result<Sweep> {
        let sql = "SELECT min(room) FROM (SELECT min(room) AS room FROM message WHERE room > ?1
                   UNION ALL SELECT min(room) FROM event WHERE room > ?1)";
        let next: Option<i64> =
            store.database.connection.prepare_cached(sql)?.query_row([room], |row| row.get(0))?;
        let Some(next) = next else { return Ok(Sweep::Nothing) };
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        let sql = "SELECT id FROM message WHERE room = ?1 AND id <=
                       (SELECT id FROM message WHERE room = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                   ORDER BY id LIMIT ?3";
        let more = match self.per_room.map(number) {
            Some(keep) => forget(store, sql, params![next, keep, limits::MAINTENANCE_ROWS])?,
            None => false,
        };
        let keep = number(self.per_room.unwrap_or(u64::MAX).min(limits::EVENTS_PER_ROOM));
        let sql = "DELETE FROM event WHERE rowid IN
                       (SELECT rowid FROM event WHERE room = ?1 AND place <=
                           (SELECT place FROM event WHERE room = ?1
                            ORDER BY place DESC LIMIT 1 OFFSET ?2)
                        ORDER BY place LIMIT ?3)";
        let more = delete(store, sql, params![next, keep, limits::MAINTENANCE_ROWS])? || more;
        Ok(Sweep::Many(if more { next - 1 } else { next }))
    }
}

fn is_due(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| at <= now)
}

/// How many of the oldest rows to look at for those that are too old: more where the first is
/// stamped with a time that has not come yet, and so may many after it be.
fn look_ahead(store: &Store, oldest: &str) -> Result<u32> {
    let time: Option<i64> = first(&store.database.connection, oldest, [], |row| row.get(0))?;
    let early = time.is_some_and(|time| time > store.at.time.0);
    Ok(if early { limits::LOOK_AHEAD_ROWS } else { limits::MAINTENANCE_ROWS })
}

/// Deletes the rows that `sql` names. Tells whether there may be more.
fn delete(store: &Store, sql: &str, parameters: impl rusqlite::Params) -> Result<bool> {
    let gone = store.database.connection.prepare_cached(sql)?.execute(parameters)?;
    Ok(gone == limits::MAINTENANCE_ROWS as usize)
}

/// Forgets the messages that `sql` finds. Tells whether there may be more.
fn forget(store: &mut Store, sql: &str, parameters: impl rusqlite::Params) -> Result<bool> {
    let transaction = store.database.connection.unchecked_transaction()?;
    let ids: Vec<i64> = all(&transaction, sql, parameters, |row| row.get(0))?;
    for &id in &ids {
        Tables::new(&transaction, &mut store.names).forget(id)?;
    }
    transaction.commit()?;
    Ok(ids.len() == limits::MAINTENANCE_ROWS as usize)
}
