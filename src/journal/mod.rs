//! The journal: keeps changes in order, hands them back once they are committed, and answers
//! queries about history.
//!
//! The hub applies only what the journal has handed back, so everything that a user has seen is in
//! the journal. In memory, that is in the same turn; on disk, once a transaction has been
//! committed. [`limits::Durability`] says what that survives.
//!
//! # Contract
//!
//! - Proposals come back in the order in which they were made, each once: as committed or as
//!   rejected.
//! - Ids of records rise, also over a restart; times fall only when the clock is set back by more
//!   than a minute.
//! - A failure to write is not the end: it is tried again until it succeeds. Meanwhile nothing comes
//!   back as committed that a restart would miss, except presence, which ends with the process
//!   ([`Health`]).
//! - An answer contains what the hub has made of the records so far ([`Journal::archive`]) and no
//!   more: records that are committed but not delivered yet will be delivered, and must not be sent
//!   twice.
//! - A deleted or edited text disappears from answers at once, and from the raw bytes of the files
//!   within [`limits::ERASE_WITHIN`] (unless the file system keeps copies).
//! - Nothing here blocks the caller on the disk except [`Journal::open`] and [`Journal::close`],
//!   unless it is configured to run in line.
//!
//! | file | subject |
//! |---|---|
//! | `limits`, `error`, `runtime` | how much, what went wrong, what does the program give it? |
//! | `age` | what is too old? |
//! | `log` | in which order does what happen? |
//! | `index` | what was there? |
//! | `database` | opening the file that both use |
//! | `no_disk` | stands in for `transfer` in a build without the feature `disk` |
//! | `outcome` | what is asked of an export, and what became of it? |
//! | `words` | which words has a text, for a search? |
//! | `publish` | what may other programs and people be given of it? |
//! | `backup` | how is a directory copied while it is in use? |
//! | `transfer` | how does a journal get to another directory? It reads the log's state and the index's rows, so it is above both |

mod age;
#[cfg(feature = "disk")]
mod backup;
#[cfg(feature = "disk")]
mod database;
mod error;
mod index;
pub mod limits;
mod log;
#[cfg(not(feature = "disk"))]
mod no_disk;
mod outcome;
#[cfg(feature = "disk")]
mod publish;
mod runtime;
#[cfg(feature = "disk")]
mod transfer;
mod words;

pub use error::{Health, JournalError};
pub use index::query::{Answer, HistoryQuery, QueryId};
pub use limits::{Durability, Limits};
pub use log::proposal::{Committed, Proposal, ProposalId, Rejected};
#[cfg(not(feature = "disk"))]
pub use no_disk::{backup, export, import, publish, restore};
pub use outcome::{Published, Selection};
#[cfg(feature = "simulation")]
pub use runtime::Steps;
pub use runtime::{Runtime, Threads, TimeSource, Wake};
#[cfg(feature = "disk")]
pub use transfer::{export, import};
#[cfg(feature = "disk")]
pub use {
    backup::{backup, restore},
    publish::publish,
};

use crate::chat::{Change, HistoryUpdate, Hub, Moment, Name, SessionId};
use index::guests::Guests;
use index::memory::MemoryIndex;
use index::store::Store;
use log::Log;
use log::memory::MemoryLog;
use std::collections::VecDeque;
use std::path::Path;

/// A log and an index, of any kind each.
pub struct Journal {
    log: Box<dyn Log>,
    index: Box<dyn Store>,
    /// The messages of guests, which are kept in memory with every index.
    guests: Guests,
    /// Answers that are found at once.
    at_hand: VecDeque<(QueryId, Answer)>,
    last_proposal: u64,
    last_query: u64,
}

impl Journal {
    /// An empty journal in memory; its first record is number 1.
    pub fn memory(limits: &Limits) -> Journal {
        Journal::new(Box::new(MemoryLog::default()), Box::new(MemoryIndex::new(limits)))
    }

    fn new(log: Box<dyn Log>, index: Box<dyn Store>) -> Journal {
        let (guests, at_hand) = (Guests::default(), VecDeque::new());
        Journal { log, index, guests, at_hand, last_proposal: 0, last_query: 0 }
    }

    /// The journal in `directory`, created if it does not exist, and the state it contains. The
    /// caller then proposes [`Change::Restarted`] before anything else: the previous sessions are
    /// over.
    ///
    /// # Errors
    /// What is wrong with the directory or the file, and what to do about it.
    #[cfg(feature = "disk")]
    pub fn open(
        directory: &Path,
        limits: &Limits,
        runtime: &Runtime,
    ) -> Result<(Journal, Hub), JournalError> {
        let (log, path, hub) = log::sqlite::SqliteLog::open(directory, limits, runtime)?;
        let told = hub.last().unwrap_or_default();
        let index = index::sqlite::SqliteIndex::open(&path, told, runtime)?;
        Ok((Journal::new(Box::new(log), Box::new(index)), hub))
    }

    /// The same of a `directory` that has a journal: none is made.
    ///
    /// # Errors
    /// There is none, or as of [`open`](Journal::open).
    pub fn open_existing(
        directory: &Path,
        limits: &Limits,
        runtime: &Runtime,
    ) -> Result<(Journal, Hub), JournalError> {
        #[cfg(feature = "disk")]
        if let path = database::open::file_in(directory)
            && !path.exists()
        {
            return Err(JournalError::Missing { path });
        }
        Journal::open(directory, limits, runtime)
    }

    /// A build without the feature `disk` cannot open a data directory.
    ///
    /// # Errors
    /// Always: which feature is missing.
    #[cfg(not(feature = "disk"))]
    pub fn open(_: &Path, _: &Limits, _: &Runtime) -> Result<(Journal, Hub), JournalError> {
        Err(JournalError::NoDisk)
    }

    /// Proposes a change. It takes effect only when [`take_committed`](Journal::take_committed)
    /// returns it. A `time` a little before that of the last record counts as equal to it.
    pub fn propose(&mut self, time: Moment, origin: SessionId, change: Change) -> ProposalId {
        self.last_proposal += 1;
        let id = ProposalId(self.last_proposal);
        self.log.propose(Proposal { id, time, origin, change });
        id
    }

    /// Sends the turn's proposals on their way, and does a share of the work that queries have left.
    /// Once per turn, after the last of them.
    pub fn end_turn(&mut self) {
        self.log.end_turn();
        self.index.work();
    }

    /// Whether more commands should be read. If not, the disk is behind: wait for the wake-up.
    pub fn has_room(&self) -> bool {
        self.log.has_room()
    }

    /// Whether there is something to take in this turn. Results from another thread wake the loop
    /// instead.
    pub fn has_news(&self) -> bool {
        self.log.has_news() || !self.at_hand.is_empty() || self.index.has_news()
    }

    /// Moves the records committed so far to the end of `committed`.
    pub fn take_committed(&mut self, committed: &mut Vec<Committed>) {
        self.log.take_committed(committed);
    }

    /// Moves the proposals that could not be committed to the end of `rejected`, to be reported to
    /// their origins. Call it after [`take_committed`](Journal::take_committed).
    pub fn take_rejected(&mut self, rejected: &mut Vec<Rejected>) {
        self.log.take_rejected(rejected);
    }

    /// Learns what the hub made of a record, and that it is delivered now.
    pub fn archive(&mut self, update: HistoryUpdate<'_>) {
        self.guests.archive(&update);
        self.index.archive(update);
    }

    /// The id of the next query: drawn before it is sent, so that the waiting connection knows it.
    pub fn next_query(&mut self) -> QueryId {
        self.last_query += 1;
        QueryId(self.last_query)
    }

    /// Starts a query on everything archived so far; [`next_answer`](Journal::next_answer) returns
    /// the answer with the same `id`. Askers (an address, or an account) are served in turn.
    pub fn query(&mut self, id: QueryId, asker: Name, query: HistoryQuery) {
        let of_guest = match &query {
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) => self.guests.past(query),
            HistoryQuery::Find(_) => None,
        };
        self.at_hand.extend(match of_guest {
            Some(messages) => Some((id, Answer::Past(messages, Vec::new()))),
            None => self.index.query(id, asker, query),
        });
    }

    /// The next answer, if there is one.
    pub fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        self.at_hand.pop_front().or_else(|| self.index.next_answer())
    }

    /// Whether it saves records now; known when rejections come back.
    pub fn health(&self) -> Health {
        self.log.health()
    }

    /// Gives back the memory of queues that were long once.
    pub fn release_memory(&mut self) {
        self.log.release_memory();
    }

    /// Commits all proposals, writes a snapshot for a fast start, and exits. Tells whether all that
    /// was proposed has been saved or had been rejected before.
    pub fn close(self) -> Health {
        self.log.close()
    }
}
