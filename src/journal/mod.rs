//! Keeps records in order and hands them back once they are kept.
//!
//! The hub applies only what the journal has handed back, so whatever anyone has seen is in the
//! journal. With the memory journal that is the same turn; with one on disk it will be when the
//! disk says so.
//!
//! Contract: records come back in the order of the appends, each once.

mod memory;

pub use memory::Memory;

use crate::chat::{Change, Moment, Record, RecordId, SessionId};

/// Where the records are kept.
pub enum Journal {
    /// Nowhere: they are handed back and forgotten.
    Memory(Memory),
}

impl Journal {
    /// Writes a change down. It is in force only when [`take_kept`](Journal::take_kept) has given
    /// it back.
    pub fn append(&mut self, time: Moment, origin: SessionId, change: Change) -> RecordId {
        match self {
            Journal::Memory(memory) => memory.append(time, origin, change),
        }
    }

    /// Moves the records that are kept by now to the end of `kept`.
    pub fn take_kept(&mut self, kept: &mut Vec<Record>) {
        match self {
            Journal::Memory(memory) => memory.take_kept(kept),
        }
    }
}
