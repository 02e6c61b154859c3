//! The thread that writes: one transaction for everything it finds in its queue.
//!
//! Invariants: a record is handed back after the transaction that holds it, in order, once. After
//! a failed commit nothing is written any more: the hub here is ahead of the file, and only a
//! restart puts them together again.

use super::super::Wake;
use super::super::limits::{self, Limits};
use super::chores::Chores;
use super::index::{self, Names};
use super::open::Opened;
use crate::chat::{Change, Effect, Hub, Record};
use rusqlite::{Connection, Result, params};
use std::fs::File;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};

/// What the loop wants of the writer.
pub(super) enum Job {
    /// Keep these.
    Records(Vec<Record>),
    /// Leave a snapshot and end.
    Close,
}

/// What became of records.
#[derive(Default)]
pub(super) struct Written {
    pub(super) kept: Vec<Record>,
    pub(super) refused: Vec<Record>,
    /// Why nothing more will be kept.
    pub(super) failure: Option<String>,
}

pub(in crate::journal) struct Writer {
    pub(super) connection: Connection,
    pub(super) names: Names,
    pub(super) hub: Hub,
    /// The last record in the file, and its time.
    pub(super) last: (i64, i64),
    chores: Chores,
    failure: Option<String>,
    effects: Vec<Effect>,
    written: Sender<Written>,
    wake: Wake,
    /// Held for as long as anything may be written.
    lock: File,
}

impl Writer {
    pub(super) fn new(
        opened: Opened,
        limits: &Limits,
        wake: Wake,
        written: Sender<Written>,
    ) -> Writer {
        Writer {
            chores: Chores::new(limits, opened.replayed, opened.stale),
            connection: opened.connection,
            names: Names::default(),
            hub: opened.hub,
            last: (opened.last.cast_signed(), opened.time.0),
            failure: None,
            effects: Vec::new(),
            written,
            wake,
            lock: opened.lock,
        }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            match jobs.recv_timeout(self.chores.patience()) {
                Ok(Job::Records(first)) => {
                    let close = self.write_all(first, jobs);
                    if close {
                        break;
                    }
                }
                Ok(Job::Close) => break,
                Err(RecvTimeoutError::Timeout) => {}
                // Dropped, not closed.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tidy(|chores, writer| chores.step(writer));
        }
        self.tidy(|chores, writer| chores.finish(writer));
    }

    fn tidy(&mut self, work: impl FnOnce(&mut Chores, &mut Writer) -> Result<()>) {
        if self.failure.is_some() {
            return;
        }
        let mut chores = std::mem::take(&mut self.chores);
        let done = work(&mut chores, self);
        self.chores = chores;
        if let Err(error) = done {
            self.fail(&error);
            self.hand_back(Written { failure: self.failure.clone(), ..Written::default() });
        }
    }

    /// Keeps `records` and whatever else is queued by now. Tells whether to close then.
    fn write_all(&mut self, mut records: Vec<Record>, jobs: &Receiver<Job>) -> bool {
        let mut close = false;
        while records.len() < limits::PENDING_RECORDS {
            match jobs.try_recv() {
                Ok(Job::Records(more)) => records.extend(more),
                Ok(Job::Close) => {
                    close = true;
                    break;
                }
                Err(_) => break,
            }
        }
        if self.failure.is_none()
            && let Err(error) = self.commit(&records)
        {
            self.fail(&error);
        }
        self.hand_back(match &self.failure {
            None => Written { kept: records, ..Written::default() },
            Some(failure) => {
                let (kept, refused) =
                    records.into_iter().partition(|record| is_passing(&record.change));
                Written { kept, refused, failure: Some(failure.clone()) }
            }
        });
        close
    }

    fn fail(&mut self, error: &rusqlite::Error) {
        log::error!("the journal is read-only from now on: {error}");
        self.failure = Some(error.to_string());
    }

    fn hand_back(&self, written: Written) {
        // If the loop is gone, nobody waits for it.
        if self.written.send(written).is_ok() {
            (self.wake)();
        }
    }

    fn commit(&mut self, records: &[Record]) -> Result<()> {
        // Ends with a rollback if dropped on the way out.
        let transaction = self.connection.unchecked_transaction()?;
        let mut bytes = 0;
        let mut erased = false;
        for record in records {
            let change = index::json(&record.change)?;
            bytes += change.len();
            let id = record.id.0.cast_signed();
            let sql = "INSERT INTO record (id, time, origin, about, change)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let about = index::about(&record.change);
            transaction.prepare_cached(sql)?.execute(params![
                id,
                record.time.0,
                record.origin.0.cast_signed(),
                about,
                change
            ])?;
            self.hub.apply(record.clone(), &mut self.effects);
            for effect in self.effects.drain(..) {
                for archive in effect.entries() {
                    erased |= index::take(&transaction, &mut self.names, record.id, archive)?;
                }
            }
            self.last = (id, record.time.0);
        }
        if erased {
            transaction.prepare_cached("UPDATE snapshot SET stale = 1")?.execute([])?;
        }
        transaction.commit()?;
        self.chores.written(records.len() as u64, bytes as u64, erased);
        Ok(())
    }
}

impl Drop for Writer {
    /// Lifts the lock, also from a copy of the descriptor that a child process may have for the
    /// moment between its birth and its program.
    fn drop(&mut self) {
        // If this fails, closing the file does it.
        let _ = self.lock.unlock();
    }
}

/// Whether a change may happen without being kept: a restart ends what it does anyway, and nobody
/// could come, go or look while the disk is full if it might not. Not among them is a login: it
/// takes the mail that has waited, and would give it again after the restart.
fn is_passing(change: &Change) -> bool {
    matches!(
        change,
        Change::Restarted { .. }
            | Change::Enter(_)
            | Change::Leave { .. }
            | Change::Nick { .. }
            | Change::Away { .. }
            | Change::Ignore { .. }
            | Change::Join { .. }
            | Change::Part { .. }
            | Change::LoginFailed { .. }
            | Change::Logout
            | Change::Kick { .. }
            | Change::Oper { .. }
            | Change::Kill { .. }
    )
}
