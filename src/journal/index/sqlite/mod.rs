//! The index in a SQLite file, as the loop sees it: a queue to the thread that reads, and one back.
//!
//! The rows are written where records are committed, in the same transaction, by
//! [`tables::archive`]; this module only tracks how far delivery has come, because an answer must
//! not contain what is still to be delivered.
//!
//! | file | subject |
//! |---|---|
//! | `tables` | which rows does a record become? |
//! | `rows` | how is a row found and read? |
//! | `reader` | answering of queries |
//! | `events` | which events were there? |

mod events;
mod reader;
pub(in crate::journal) mod rows;
pub(in crate::journal) mod tables;

use super::query::{Answer, HistoryQuery, QueryId};
use crate::chat::{HistoryUpdate, RecordId};
use crate::journal::database::open::open_reader;
use crate::journal::error::JournalError;
use crate::journal::limits;
use crate::journal::runtime::Runtime;
use reader::Reader;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{Builder, JoinHandle};

/// The error of a query if the reader has exited.
const READER_ENDED: &str = "the database reader has exited";

/// The reader: on a thread, or in line.
enum Hand {
    Thread {
        queries: SyncSender<(QueryId, HistoryQuery, RecordId)>,
        answers: Receiver<(QueryId, Answer)>,
        thread: JoinHandle<()>,
    },
    Inline(Box<Reader>),
    /// Dropped.
    None,
}

pub struct SqliteIndex {
    hand: Hand,
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
        let mut reader = Reader::new(open_reader(path)?, Arc::clone(&runtime.time));
        let hand = if runtime.inline {
            Hand::Inline(Box::new(reader))
        } else {
            let (queries, queries_out) = mpsc::sync_channel(limits::PENDING_QUERIES);
            let (answers_in, answers) = mpsc::sync_channel(limits::WAITING_ANSWERS);
            let wake = Arc::clone(&runtime.wake);
            let spawned = Builder::new()
                .name("journal-read".into())
                .spawn(move || reader.run(&queries_out, &answers_in, &*wake));
            let failed = |source| JournalError::Directory { path: path.to_owned(), source };
            Hand::Thread { queries, answers, thread: spawned.map_err(failed)? }
        };
        Ok(SqliteIndex { hand, told })
    }

    pub(super) fn archive(&mut self, update: &HistoryUpdate<'_>) {
        match update {
            HistoryUpdate::Add(message) => self.told = message.id,
            HistoryUpdate::HistoryEvent(_, event) => self.told = event.stamp.id,
            _ => {}
        }
    }

    /// Starts a query; returns the answer if it is available at once.
    pub(super) fn query(&mut self, id: QueryId, query: HistoryQuery) -> Option<Answer> {
        let queries = match &mut self.hand {
            Hand::Thread { queries, .. } => queries,
            Hand::Inline(reader) => return Some(reader.answer(query, self.told)),
            Hand::None => return Some(Answer::Failed(READER_ENDED.to_owned())),
        };
        let why = match queries.try_send((id, query, self.told)) {
            Ok(()) => return None,
            Err(TrySendError::Full(_)) => "too many history queries are pending; try again",
            Err(TrySendError::Disconnected(_)) => READER_ENDED,
        };
        Some(Answer::Failed(why.to_owned()))
    }

    pub(super) fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        match &self.hand {
            Hand::Thread { answers, .. } => answers.try_recv().ok(),
            _ => None,
        }
    }
}

impl Drop for SqliteIndex {
    fn drop(&mut self) {
        if let Hand::Thread { queries, answers, thread } =
            std::mem::replace(&mut self.hand, Hand::None)
        {
            drop((queries, answers));
            // A thread that panicked has reported it.
            let _ = thread.join();
        }
    }
}
