//! The thread that writes: one transaction for everything it finds in its queue.
//!
//! Invariants: a record is handed back after the transaction that holds it, in order, once. After
//! a failed commit nothing is written any more: the hub here is ahead of the file, and only a
//! restart puts them together again. A panic is a failed commit, too: what was in hand and what
//! comes after it is refused, and the thread lives on to say so.

use super::super::Wake;
use super::super::limits::{self, Limits};
use super::chores::Chores;
use super::index::{self, Names};
use super::open::Opened;
use crate::chat::{Change, Effect, Hub, Record};
use rusqlite::{Connection, Result, params};
use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    /// Taken from the queue and not handed back.
    in_hand: Vec<Record>,
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
            in_hand: Vec::new(),
            effects: Vec::new(),
            written,
            wake,
            lock: opened.lock,
        }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while self.panics(|writer| writer.serve(jobs)) {
            self.panics(Writer::give_up);
        }
    }

    /// Whether `work` panicked. What that leaves half done is the transaction, which is rolled
    /// back, and the hub, which nobody asks any more once the writer has failed.
    fn panics(&mut self, work: impl FnOnce(&mut Writer)) -> bool {
        catch_unwind(AssertUnwindSafe(|| work(self))).is_err()
    }

    /// After a panic nothing is written any more.
    fn give_up(&mut self) {
        self.fail("the thread that writes it has failed; the server's log says where");
        self.give_back();
    }

    /// Works until the loop closes the journal or is gone.
    fn serve(&mut self, jobs: &Receiver<Job>) {
        loop {
            // Who does no chores any more has nothing to wake up for.
            let patience = match self.failure {
                None => self.chores.patience(),
                Some(_) => limits::RETENTION_EVERY,
            };
            match jobs.recv_timeout(patience) {
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
            self.fail(error);
            self.give_back();
        }
    }

    /// Keeps `records` and whatever else is queued by now. Tells whether to close then.
    fn write_all(&mut self, records: Vec<Record>, jobs: &Receiver<Job>) -> bool {
        let mut close = false;
        self.in_hand = records;
        while self.in_hand.len() < limits::PENDING_RECORDS {
            match jobs.try_recv() {
                Ok(Job::Records(more)) => self.in_hand.extend(more),
                Ok(Job::Close) => {
                    close = true;
                    break;
                }
                Err(_) => break,
            }
        }
        if self.failure.is_none()
            && let Err(error) = self.commit()
        {
            self.fail(error);
        }
        self.give_back();
        close
    }

    /// The first failure is the one that counts. The loop logs it.
    fn fail(&mut self, error: impl Display) {
        self.failure.get_or_insert_with(|| error.to_string());
    }

    /// Hands back what is in hand: as kept, or as refused once the writer has failed.
    fn give_back(&mut self) {
        let records = std::mem::take(&mut self.in_hand);
        self.hand_back(match &self.failure {
            None => Written { kept: records, ..Written::default() },
            Some(failure) => {
                let (kept, refused) =
                    records.into_iter().partition(|record| is_passing(&record.change));
                Written { kept, refused, failure: Some(failure.clone()) }
            }
        });
    }

    fn hand_back(&self, written: Written) {
        // If the loop is gone, nobody waits for it.
        if self.written.send(written).is_ok() {
            (self.wake)();
        }
    }

    fn commit(&mut self) -> Result<()> {
        // Ends with a rollback if dropped on the way out.
        let transaction = self.connection.unchecked_transaction()?;
        let mut bytes = 0;
        let mut erased = false;
        for record in &self.in_hand {
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
        self.chores.written(self.in_hand.len() as u64, bytes as u64, erased);
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
/// takes the mail that has waited, and would give it again after the restart. Keys for SCRAM that a
/// restart forgets are learnt again at the next login.
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
            | Change::ScramKeys { .. }
            | Change::Logout
            | Change::Kick { .. }
            | Change::Oper { .. }
            | Change::Kill { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;
    use crate::chat::{Kind, Moment, Name, QuitReason, RecordId, SessionId};
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    fn record(id: u64, change: Change) -> Record {
        Record { id: RecordId(id), time: Moment(1), origin: SessionId(1), change }
    }

    fn said(id: u64) -> Record {
        let say = Change::Say {
            room: Name::lobby(),
            kind: Kind::Message,
            text: "hello".into(),
            reply_to: None,
            tags: None,
            status: None,
            joints: None,
        };
        record(id, say)
    }

    #[test]
    fn a_panic_refuses_what_is_in_hand_and_all_that_comes() {
        let path = std::env::temp_dir().join(format!("chatloop-writer-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let opened = open::open(&path, &Limits::default()).unwrap();
        let (written_in, written) = channel();
        let (jobs, jobs_out) = channel();
        let limits = Limits::default();
        let mut writer = Writer::new(opened, &limits, Arc::new(|| {}), written_in);
        let panicked = writer.panics(|writer| {
            writer.in_hand =
                vec![said(1), record(2, Change::Leave { departure: QuitReason::Quit })];
            panic!("in the middle of a commit");
        });
        assert!(panicked);
        writer.give_up();
        jobs.send(Job::Records(vec![said(3), said(4)])).unwrap();
        jobs.send(Job::Close).unwrap();
        writer.run(&jobs_out);
        let ids = |records: &[Record]| records.iter().map(|it| it.id.0).collect::<Vec<_>>();
        let mut all = Vec::new();
        for batch in written {
            assert!(batch.failure.as_ref().is_some_and(|why| why.contains("has failed")));
            all.push((ids(&batch.kept), ids(&batch.refused)));
        }
        assert_eq!(all, [(vec![2], vec![1]), (vec![], vec![3, 4])]);
        let again = open::open(&path, &Limits::default()).unwrap();
        assert_eq!(again.last, 0, "nothing of it is in the file");
        drop(again);
        let _ = std::fs::remove_dir_all(&path);
    }
}
