//! Keeps records in order and hands them back once they are kept.
//!
//! The hub applies only what the journal has handed back, so whatever anyone has seen is in the
//! journal. With the memory journal that is the same turn; with one on disk it will be when the
//! disk says so.
//!
//! Contract: records come back in the order of the appends, each once.

mod memory;

pub use memory::Memory;

use crate::chat::{
    Archive, Change, Logged, Lookup, Moment, Query, Record, RecordId, Reference, SessionId,
};

/// A question about what was said.
#[derive(Clone, Debug)]
pub enum Question {
    /// Past messages.
    Past(Query),
    /// One message.
    Find(Lookup),
}

/// What the journal answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Messages, oldest first.
    Past(Vec<Logged>),
    /// A message, if there is one.
    Found(Option<Reference>),
    /// Why there is no answer.
    Failed(String),
}

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

    /// stub
    pub fn archive(&mut self, _entry: Archive<'_>) {}
    /// stub
    pub fn ask(&mut self, ticket: u64, question: Question) {
        let Journal::Memory(memory) = self;
        memory.answers.push_back((
            ticket,
            match question {
                Question::Past(_) => Answer::Past(Vec::new()),
                Question::Find(_) => Answer::Found(None),
            },
        ));
    }
    /// stub
    pub fn next_answer(&mut self) -> Option<(u64, Answer)> {
        let Journal::Memory(memory) = self;
        memory.answers.pop_front()
    }
    /// stub
    pub fn end_turn(&mut self) {}
    /// stub
    pub fn has_news(&self) -> bool {
        let Journal::Memory(memory) = self;
        memory.has_kept() || !memory.answers.is_empty()
    }

    /// Whether [`take_kept`](Journal::take_kept) would give something.
    pub fn has_kept(&self) -> bool {
        match self {
            Journal::Memory(memory) => memory.has_kept(),
        }
    }

    /// Moves the records that are kept by now to the end of `kept`.
    pub fn take_kept(&mut self, kept: &mut Vec<Record>) {
        match self {
            Journal::Memory(memory) => memory.take_kept(kept),
        }
    }
}
