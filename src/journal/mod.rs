//! Keeps records in order and hands them back once they are kept; answers questions about what
//! was said.
//!
//! The hub applies only what the journal has handed back, so whatever anyone has seen is in the
//! journal. With the one in memory that is the same turn; with the one on disk it is when a
//! transaction has been committed. [`limits::Durability`] says what that survives.
//!
//! # Contract
//!
//! - Records come back in the order of the appends, each once: as kept or as refused.
//! - Ids rise, also over a restart; times never fall.
//! - An answer holds what the hub has made of the records so far ([`Journal::archive`]) and no more:
//!   what has been committed but not been told yet will be told, and must not come twice.
//! - A deleted or edited text is gone: from answers at once, from the raw bytes of the files
//!   within [`limits::ERASE_WITHIN`] (a file system that copies on write may know better).
//! - Nothing here blocks the caller on the disk but [`Journal::open`] and [`Journal::close`].
//!
//! | file | subject |
//! |---|---|
//! | `limits`, `error`, `question` | how much, what went wrong, what can be asked? |
//! | `memory`, `happenings` | how are the last messages of every room, and what happened there, kept without a file? |
//! | `guests` | what have people without an account said in private? |
//! | `sqlite` | how are they kept for good? |
//! | `transfer` | how do they get from one journal to another? |

mod error;
mod guests;
mod happenings;
pub mod limits;
mod memory;
mod question;
mod sqlite;
mod transfer;

pub use error::{Health, JournalError};
pub use limits::{Durability, Limits};
pub use memory::Memory;
pub use question::{Answer, Question};
pub use sqlite::{Disk, Restored};
pub use transfer::{Imported, export, import};

use crate::chat::{Change, HistoryUpdate, Moment, Record, RecordId, SessionId};
use std::path::Path;
use std::sync::Arc;

/// Called from the journal's threads when there is something to take.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Where the records are kept.
pub enum Journal {
    /// In memory, the last messages of every room.
    Memory(Box<Memory>),
    /// In a SQLite file.
    Disk(Box<Disk>),
}

impl Journal {
    /// An empty journal in memory; its first record is number 1.
    pub fn memory(limits: &Limits) -> Journal {
        Journal::Memory(Box::new(Memory::with(limits)))
    }

    /// The journal in `directory`, made if there is none, and the state it holds. The caller then
    /// appends [`Change::Restarted`], before anything else: the sessions of before are over.
    ///
    /// # Errors
    /// What is wrong with the directory or the file, and what to do about it.
    pub fn open(
        directory: &Path,
        limits: &Limits,
        wake: Wake,
    ) -> Result<(Journal, Restored), JournalError> {
        let (disk, restored) = Disk::open(directory, limits, wake)?;
        Ok((Journal::Disk(Box::new(disk)), restored))
    }

    /// Writes a change down. It is in force only when [`take_kept`](Journal::take_kept) has given
    /// it back. A `time` before that of the last record counts as the same.
    pub fn append(&mut self, time: Moment, origin: SessionId, change: Change) -> RecordId {
        match self {
            Journal::Memory(memory) => memory.append(time, origin, change),
            Journal::Disk(disk) => disk.append(time, origin, change),
        }
    }

    /// Sends the turn's records on their way. Once per turn, after the last append.
    pub fn end_turn(&mut self) {
        if let Journal::Disk(disk) = self {
            disk.end_turn();
        }
    }

    /// Whether more commands should be read. If not, the disk is behind: wait for the wake.
    pub fn has_room(&self) -> bool {
        match self {
            Journal::Memory(_) => true,
            Journal::Disk(disk) => disk.has_room(),
        }
    }

    /// Whether there is something to take in this turn. What comes from another thread wakes the
    /// loop instead.
    pub fn has_news(&self) -> bool {
        match self {
            Journal::Memory(memory) => memory.has_news(),
            Journal::Disk(disk) => disk.has_news(),
        }
    }

    /// Moves the records that are kept by now to the end of `kept`.
    pub fn take_kept(&mut self, kept: &mut Vec<Record>) {
        match self {
            Journal::Memory(memory) => memory.take_kept(kept),
            Journal::Disk(disk) => disk.take_kept(kept),
        }
    }

    /// Moves the records that could not be kept to the end of `refused`: to be told to their
    /// origins, not to be applied. Call it after [`take_kept`](Journal::take_kept).
    pub fn take_refused(&mut self, refused: &mut Vec<Record>) {
        if let Journal::Disk(disk) = self {
            disk.take_refused(refused);
        }
    }

    /// Learns what the hub made of a record, and that it is told now. The journal on disk notes
    /// only how far the telling has come: its writer has derived the same, in the transaction that
    /// kept the record.
    pub fn archive(&mut self, entry: HistoryUpdate<'_>) {
        match self {
            Journal::Memory(memory) => memory.archive(entry),
            Journal::Disk(disk) => disk.archive(&entry),
        }
    }

    /// Asks something, as of what has been archived so far;
    /// [`next_answer`](Journal::next_answer) brings the answer with the same `ticket`.
    pub fn ask(&mut self, ticket: u64, question: Question) {
        match self {
            Journal::Memory(memory) => memory.ask(ticket, question),
            Journal::Disk(disk) => disk.ask(ticket, question),
        }
    }

    /// The next answer that has been found, if there is one by now.
    pub fn next_answer(&mut self) -> Option<(u64, Answer)> {
        match self {
            Journal::Memory(memory) => memory.next_answer(),
            Journal::Disk(disk) => disk.next_answer(),
        }
    }

    /// Whether it still takes records; known when the refused ones come back.
    pub fn health(&self) -> Health {
        match self {
            Journal::Memory(_) => Health::Good,
            Journal::Disk(disk) => disk.health(),
        }
    }

    /// Keeps what has been appended, leaves a snapshot for a quick start, and ends.
    pub fn close(self) {
        if let Journal::Disk(disk) = self {
            disk.close();
        }
    }
}
