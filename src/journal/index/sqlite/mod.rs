//! The index in a SQLite file, as the loop sees it: a queue to the threads that read, and one
//! back.
//!
//! The rows are written where records are committed, in the same transaction, by
//! [`Tables::archive`](tables::Tables::archive); this module only tracks how far delivery has come,
//! because an answer must not contain what is still to be delivered.
//!
//! | file | subject |
//! |---|---|
//! | `tables` | which rows does a record become? |
//! | `rows`, `scopes` | how is a row found and read, and which belong to a query? |
//! | `queue` | which query is next? |
//! | `reader` | answering of queries |
//! | `search` | how is a text found, and how long may that take? |
//! | `events` | which events were there? |
//! | `erasure` | what is left of a deleted account? |

pub(in crate::journal) mod erasure;
mod events;
mod queue;
mod reader;
pub(in crate::journal) mod rows;
mod scopes;
mod search;
pub(in crate::journal) mod tables;

use super::query::{Answer, HistoryQuery, QueryId};
use super::store::Store;
use crate::chat::{HistoryUpdate, Name, RecordId};
use crate::journal::database::open::open_reader;
use crate::journal::error::JournalError;
use crate::journal::limits;
use crate::journal::runtime::{Runtime, Threads, TimeSource};
use queue::{Job, Queue};
use reader::Reader;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{Builder, JoinHandle};

/// The readers: on threads, or in line.
enum Hand {
    Threads(Vec<JoinHandle<()>>),
    Inline(Box<Reader>),
}

pub struct SqliteIndex {
    hand: Hand,
    queue: Arc<Queue>,
    answers: Receiver<(QueryId, Answer)>,
    time: Arc<dyn TimeSource>,
    /// The last message or event that has been delivered.
    told: RecordId,
}

impl SqliteIndex {
    /// Reads the file at `path`, of which everything up to `told` has been delivered.
    pub(in crate::journal) fn open(
        path: &Path,
        told: RecordId,
        runtime: &Runtime,
    ) -> Result<SqliteIndex, JournalError> {
        let (answers_in, answers) = mpsc::sync_channel(limits::WAITING_ANSWERS);
        let queue = Arc::new(Queue::new());
        let hand = match &runtime.threads {
            Threads::Inline => Hand::Inline(Box::new(reader(path, runtime)?)),
            #[cfg(feature = "simulation")]
            Threads::Steps(take_over) => {
                let (mut reader, queue) = (reader(path, runtime)?, Arc::clone(&queue));
                let wake = Arc::clone(&runtime.wake);
                take_over(Box::new(move || reader.step(&queue, &answers_in, &*wake)));
                Hand::Threads(Vec::new())
            }
            Threads::System => Hand::Threads(start(path, &queue, &answers_in, runtime)?),
        };
        Ok(SqliteIndex { hand, queue, answers, time: Arc::clone(&runtime.time), told })
    }
}

fn reader(path: &Path, runtime: &Runtime) -> Result<Reader, JournalError> {
    Ok(Reader::new(open_reader(path)?, Arc::clone(&runtime.time)))
}

/// Starts the threads.
fn start(
    path: &Path,
    queue: &Arc<Queue>,
    answers: &SyncSender<(QueryId, Answer)>,
    runtime: &Runtime,
) -> Result<Vec<JoinHandle<()>>, JournalError> {
    let mut threads = Vec::new();
    for (name, searches) in [("journal-read", false), ("journal-search", true)] {
        let (mut reader, queue) = (reader(path, runtime)?, Arc::clone(queue));
        let (answers, wake) = (answers.clone(), Arc::clone(&runtime.wake));
        let spawned = Builder::new()
            .name(name.into())
            .spawn(move || reader.run(&queue, searches, &answers, &*wake));
        let failed = |source| JournalError::Directory { path: path.to_owned(), source };
        threads.push(spawned.map_err(failed)?);
    }
    Ok(threads)
}

impl Store for SqliteIndex {
    fn archive(&mut self, update: HistoryUpdate<'_>) {
        match update {
            HistoryUpdate::Add(message) => self.told = message.id,
            HistoryUpdate::HistoryEvent(_, event) => self.told = event.stamp.id,
            _ => {}
        }
    }

    fn query(
        &mut self,
        id: QueryId,
        asker: Name,
        query: HistoryQuery,
    ) -> Option<(QueryId, Answer)> {
        let mut job = Job { id, query, upto: self.told, search: None };
        if let Hand::Inline(reader) = &mut self.hand {
            // A search in slices, as on a thread.
            let answers = std::iter::from_fn(|| Some(reader.answer(&mut job)));
            return answers.flatten().next().map(|answer| (id, answer));
        }
        let full = "too many history queries are pending; try again";
        let gone = self.queue.push(asker, job, self.time.instant())?;
        Some((gone, Answer::Failed(full.to_owned())))
    }

    fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        self.answers.try_recv().ok()
    }
}

impl Drop for SqliteIndex {
    fn drop(&mut self) {
        self.queue.close();
        // A thread that waits to hand an answer over must not wait for a loop that has ended.
        drop(std::mem::replace(&mut self.answers, mpsc::sync_channel(0).1));
        if let Hand::Threads(threads) = &mut self.hand {
            // A thread that panicked has reported it.
            threads.drain(..).for_each(|thread| drop(thread.join()));
        }
    }
}
