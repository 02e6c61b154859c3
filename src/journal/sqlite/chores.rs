//! What is tidied up between the records: snapshots, swept records, forgotten messages.
//!
//! Invariant: one step deletes at most [`limits::CHORE_ROWS`] rows, then records come first again.
//! A snapshot is one step, and as long as the state is big; it comes no more often than as many
//! bytes of records.

use super::super::limits::{self, Limits};
use super::index;
use super::writer::Writer;
use rusqlite::{Result, params};
use std::time::{Duration, Instant, SystemTime};

/// Which step of the sweep is next.
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

/// When to do what.
pub(super) struct Chores {
    age: Option<Duration>,
    per_room: Option<u64>,
    records: u64,
    bytes: u64,
    snapshot_bytes: u64,
    sweep: Sweep,
    erase_at: Option<Instant>,
    retain_at: Option<Instant>,
    /// Records since it was last looked whether something is too many in a room.
    uncounted: u64,
}

impl Default for Chores {
    fn default() -> Chores {
        Chores::new(&Limits::default(), 0, false)
    }
}

impl Chores {
    pub(super) fn new(limits: &Limits, replayed: u64, stale: bool) -> Chores {
        let retains = limits.age.is_some() || limits.per_room.is_some();
        let now = Instant::now();
        Chores {
            age: limits.age,
            per_room: limits.per_room,
            records: replayed,
            bytes: 0,
            snapshot_bytes: 0,
            // What an earlier run has covered and not swept.
            sweep: Sweep::Records,
            erase_at: stale.then_some(now),
            retain_at: retains.then_some(now),
            uncounted: 0,
        }
    }

    /// How long the writer may sleep.
    pub(super) fn patience(&self) -> Duration {
        if self.sweep != Sweep::Nothing {
            return Duration::ZERO;
        }
        let next = [self.erase_at, self.retain_at].into_iter().flatten().min();
        next.map_or(limits::RETENTION_EVERY, |at| at.saturating_duration_since(Instant::now()))
    }

    pub(super) fn written(&mut self, records: u64, bytes: u64, erased: bool) {
        self.records += records;
        self.uncounted += records;
        self.bytes += bytes;
        if erased {
            self.erase_at.get_or_insert_with(|| Instant::now() + limits::ERASE_WITHIN);
        }
    }

    /// Does one step of what is due.
    pub(super) fn step(&mut self, writer: &mut Writer) -> Result<()> {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.erase_at) {
            return self.erase(writer);
        }
        if self.records >= limits::SNAPSHOT_RECORDS && self.bytes >= self.snapshot_bytes {
            return self.snapshot(writer);
        }
        match self.sweep {
            Sweep::Records => {
                let covered = "DELETE FROM record WHERE id IN (SELECT id FROM record WHERE id <=
                                   (SELECT record FROM snapshot) ORDER BY id LIMIT ?1)";
                let swept =
                    writer.connection.prepare_cached(covered)?.execute([limits::CHORE_ROWS])?;
                if swept < limits::CHORE_ROWS as usize {
                    self.sweep = Sweep::Nothing;
                }
            }
            Sweep::Old => {
                if !(self.forget_old(writer)? | self.forget_old_events(writer)?) {
                    self.sweep = Sweep::Many(0);
                }
            }
            Sweep::Many(room) => self.sweep = self.forget_many(writer, room)?,
            Sweep::Nothing if due(self.retain_at) => {
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

    /// Does all that would be due some day: the server stops.
    pub(super) fn finish(&mut self, writer: &mut Writer) -> Result<()> {
        if self.records > 0 || self.erase_at.is_some() {
            self.erase(writer)?;
        }
        while matches!(self.sweep, Sweep::Records) {
            self.step(writer)?;
        }
        self.truncate(writer)
    }

    fn snapshot(&mut self, writer: &mut Writer) -> Result<()> {
        let hub = index::json(&writer.hub)?;
        let (record, time) = writer.last;
        let sql = "INSERT OR REPLACE INTO snapshot (one, record, time, stale, hub)
                   VALUES (1, ?1, ?2, 0, ?3)";
        writer.connection.prepare_cached(sql)?.execute(params![record, time, hub])?;
        (self.records, self.bytes, self.snapshot_bytes) = (0, 0, hub.len() as u64);
        self.sweep = Sweep::Records;
        Ok(())
    }

    /// Takes erased texts out of the snapshot, too, and out of the write-ahead log.
    fn erase(&mut self, writer: &mut Writer) -> Result<()> {
        self.snapshot(writer)?;
        self.erase_at = None;
        self.truncate(writer)
    }

    fn truncate(&mut self, writer: &Writer) -> Result<()> {
        let busy = writer
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
        if busy {
            // A reader is in the way.
            self.erase_at = Some(Instant::now() + limits::ERASE_WITHIN);
        }
        Ok(())
    }

    /// Forgets some messages that are too old. Tells whether there may be more.
    fn forget_old(&self, writer: &mut Writer) -> Result<bool> {
        let Some(before) = self.oldest() else { return Ok(false) };
        // Times rise with ids.
        let sql = "SELECT id FROM (SELECT id, time FROM message ORDER BY id LIMIT ?1)
                   WHERE time < ?2 ORDER BY id";
        forget(writer, sql, params![limits::CHORE_ROWS, before])
    }

    /// The same for what happened besides.
    fn forget_old_events(&self, writer: &mut Writer) -> Result<bool> {
        let Some(before) = self.oldest() else { return Ok(false) };
        // Rows are numbered in the order they come.
        let sql = "DELETE FROM event WHERE time < ?2 AND rowid IN
                       (SELECT rowid FROM event ORDER BY rowid LIMIT ?1)";
        let gone =
            writer.connection.prepare_cached(sql)?.execute(params![limits::CHORE_ROWS, before])?;
        Ok(gone == limits::CHORE_ROWS as usize)
    }

    /// The time before which everything is too old.
    fn oldest(&self) -> Option<i64> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let since = now.saturating_sub(self.age?).as_millis();
        Some(i64::try_from(since).unwrap_or(i64::MAX))
    }

    fn forget_many(&self, writer: &mut Writer, room: i64) -> Result<Sweep> {
        let sql = "SELECT min(room) FROM (SELECT min(room) AS room FROM message WHERE room > ?1
                   UNION ALL SELECT min(room) FROM event WHERE room > ?1)";
        let next: Option<i64> =
            writer.connection.prepare_cached(sql)?.query_row([room], |row| row.get(0))?;
        let Some(next) = next else { return Ok(Sweep::Nothing) };
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        let sql = "SELECT id FROM message WHERE room = ?1 AND id <=
                       (SELECT id FROM message WHERE room = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                   ORDER BY id LIMIT ?3";
        let more = match self.per_room {
            Some(keep) => forget(writer, sql, params![next, number(keep), limits::CHORE_ROWS])?,
            None => false,
        };
        let keep = number(
            self.per_room.map_or(limits::EVENTS_PER_ROOM, |keep| keep.min(limits::EVENTS_PER_ROOM)),
        );
        let sql = "DELETE FROM event WHERE rowid IN
                       (SELECT rowid FROM event WHERE room = ?1 AND place <=
                           (SELECT place FROM event WHERE room = ?1
                            ORDER BY place DESC LIMIT 1 OFFSET ?2)
                        ORDER BY place LIMIT ?3)";
        let gone = writer.connection.prepare_cached(sql)?.execute(params![
            next,
            keep,
            limits::CHORE_ROWS
        ])?;
        let more = more || gone == limits::CHORE_ROWS as usize;
        Ok(Sweep::Many(if more { next - 1 } else { next }))
    }
}

/// Forgets the messages that `sql` finds. Tells whether there may be more.
fn forget(writer: &mut Writer, sql: &str, parameters: impl rusqlite::Params) -> Result<bool> {
    let transaction = writer.connection.unchecked_transaction()?;
    let ids: Vec<i64> = transaction
        .prepare_cached(sql)?
        .query_map(parameters, |row| row.get(0))?
        .collect::<Result<_>>()?;
    for &id in &ids {
        index::forget(&transaction, &mut writer.names, id)?;
    }
    transaction.commit()?;
    Ok(ids.len() == limits::CHORE_ROWS as usize)
}
