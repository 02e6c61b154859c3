//! The log in a SQLite file, as the loop sees it: a queue to the thread that writes, and one back.
//!
//! | file | subject |
//! |---|---|
//! | `store`, `restore` | the open file and the state it contains |
//! | `writer` | how do records get to the disk? |
//! | `trouble` | what happens while they do not? |
//! | `maintenance` | maintenance between records |
//! | `thread` | the writer's thread |
//!
//! The writer has a separate hub and applies every record to it, in the transaction that commits
//! the record. So messages are indexed, and deleted ones erased, together with the record, and a
//! snapshot costs the loop nothing. Rejected: the loop hands its effects back. Between commit and
//! apply the index would lag, and a crash there had to be repaired. The price is a second copy of
//! the state (texts are shared).

mod maintenance;
pub(in crate::journal) mod restore;
mod store;
mod thread;
mod trouble;
mod writer;

use self::store::Store;
use self::thread::{Job, WriterThread};
use self::writer::{Batch, Writer};
use super::Log;
use super::numbering::Numbering;
use super::proposal::{Committed, Proposal, Rejected};
use crate::chat::Hub;
#[cfg(feature = "simulation")]
use crate::journal::database::classify::classify;
use crate::journal::error::{Health, JournalError};
use crate::journal::limits::{self, Limits};
use crate::journal::runtime::{Runtime, Threads};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Builder, JoinHandle};

/// The writer: on a thread, or in line.
enum Hand {
    /// A thread; `None` in its place if a simulation has taken over its work.
    Thread { jobs: Sender<Job>, batches: Receiver<Batch>, thread: Option<JoinHandle<()>> },
    /// The loop itself.
    Inline(Box<Writer>),
    /// Closed.
    None,
}

pub struct SqliteLog {
    turn: Vec<Proposal>,
    committed: Vec<Committed>,
    rejected: Vec<Rejected>,
    /// Proposed and not handed back.
    pending: usize,
    /// Their size.
    pending_bytes: usize,
    /// The last record handed back.
    numbering: Numbering,
    health: Health,
    hand: Hand,
}

impl SqliteLog {
    /// Opens the log in `directory`: where its file is, and the state it holds.
    pub(in crate::journal) fn open(
        directory: &Path,
        limits: &Limits,
        runtime: &Runtime,
    ) -> Result<(SqliteLog, PathBuf, Hub), JournalError> {
        let opened = Store::open(directory, limits)?;
        let (path, hub) = (opened.0.database.path.clone(), opened.0.hub.clone());
        let numbering = opened.0.at;
        #[cfg(feature = "simulation")]
        if let Threads::Steps(_) = runtime.threads {
            // The time that a lock is waited for is the system's.
            let lock = opened.0.database.connection.busy_timeout(std::time::Duration::ZERO);
            lock.map_err(|error| classify(&path, error))?;
        }
        let writer = Writer::new(opened, limits, Arc::clone(&runtime.time));
        let hand = match &runtime.threads {
            Threads::Inline => Hand::Inline(Box::new(writer)),
            Threads::System => {
                let (thread, jobs, batches) = WriterThread::new(writer, &runtime.wake);
                let spawned = Builder::new().name("journal-write".into()).spawn(|| thread.run());
                let failed = |source| JournalError::Directory { path: path.clone(), source };
                Hand::Thread { jobs, batches, thread: Some(spawned.map_err(failed)?) }
            }
            #[cfg(feature = "simulation")]
            Threads::Steps(take_over) => {
                let (mut thread, jobs, batches) = WriterThread::new(writer, &runtime.wake);
                take_over(Box::new(move || thread.step()));
                Hand::Thread { jobs, batches, thread: None }
            }
        };
        let log = SqliteLog {
            turn: Vec::new(),
            committed: Vec::new(),
            rejected: Vec::new(),
            pending: 0,
            pending_bytes: 0,
            numbering,
            health: Health::Good,
            hand,
        };
        Ok((log, path, hub))
    }

    /// Takes in what the thread has handed back by now.
    fn collect(&mut self) {
        while let Hand::Thread { batches, .. } = &self.hand
            && let Ok(batch) = batches.try_recv()
        {
            self.take(batch);
        }
    }

    fn take(&mut self, batch: Batch) {
        let committed = batch.committed.iter().map(|it| &it.record.change);
        let changes = committed.chain(batch.rejected.iter().map(|it| &it.proposal.change));
        for change in changes {
            self.pending = self.pending.saturating_sub(1);
            self.pending_bytes = self.pending_bytes.saturating_sub(change.size());
        }
        if let Some(Committed { record, .. }) = batch.committed.last() {
            self.numbering = Numbering::at(record);
        }
        self.committed.extend(batch.committed);
        self.rejected.extend(batch.rejected);
        self.health = batch.health;
    }
}

impl Log for SqliteLog {
    fn propose(&mut self, proposal: Proposal) {
        self.pending += 1;
        self.pending_bytes += proposal.change.size();
        self.turn.push(proposal);
    }

    fn end_turn(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        let unsent = match &mut self.hand {
            Hand::Inline(writer) => {
                let written = (!turn.is_empty()).then(|| writer.write(turn));
                let batches = [written, writer.maintain()];
                batches.into_iter().flatten().for_each(|batch| self.take(batch));
                return;
            }
            _ if turn.is_empty() => return,
            Hand::Thread { jobs, .. } => match jobs.send(Job::Commit(turn)) {
                Err(mpsc::SendError(Job::Commit(turn))) => turn,
                _ => return,
            },
            Hand::None => turn,
        };
        // The writer's thread has exited, which it never should: it survives even a panic.
        self.collect();
        let reason: Arc<str> = "the database writer has exited".into();
        let health = Health::Failing { reason: Arc::clone(&reason), detail: Arc::clone(&reason) };
        let mut batch = Batch { committed: Vec::new(), rejected: Vec::new(), health };
        for proposal in unsent {
            if proposal.may_pass_unkept() {
                batch.committed.push(self.numbering.take(proposal));
            } else {
                batch.rejected.push(Rejected { proposal, reason: Arc::clone(&reason) });
            }
        }
        self.take(batch);
    }

    fn has_room(&self) -> bool {
        self.pending < limits::PENDING_RECORDS && self.pending_bytes < limits::PENDING_BYTES
    }

    fn has_news(&self) -> bool {
        // Proposals made after the end of a turn are sent in the next one, so there must be one.
        !self.turn.is_empty() || !self.committed.is_empty() || !self.rejected.is_empty()
    }

    fn take_committed(&mut self, committed: &mut Vec<Committed>) {
        self.collect();
        committed.append(&mut self.committed);
    }

    fn take_rejected(&mut self, rejected: &mut Vec<Rejected>) {
        rejected.append(&mut self.rejected);
    }

    fn health(&self) -> Health {
        self.health.clone()
    }

    fn close(mut self: Box<Self>) -> Health {
        self.end_turn();
        match std::mem::replace(&mut self.hand, Hand::None) {
            Hand::Thread { jobs, batches, thread } => {
                // If the thread is gone, there is nothing to close.
                let _ = jobs.send(Job::Close);
                // A thread that panicked has reported it.
                let _ = thread.map(JoinHandle::join);
                batches.try_iter().for_each(|batch| self.take(batch));
            }
            Hand::Inline(mut writer) => {
                let last = writer.finish();
                self.take(last);
            }
            Hand::None => {}
        }
        self.health.clone()
    }
}

impl Drop for SqliteLog {
    /// Ends the thread. Without `close`, queued proposals are still written, but no snapshot: as
    /// after a crash.
    fn drop(&mut self) {
        if let Hand::Thread { jobs, batches, thread } =
            std::mem::replace(&mut self.hand, Hand::None)
        {
            drop((jobs, batches));
            // A thread that panicked has reported it.
            let _ = thread.map(JoinHandle::join);
        }
    }
}
