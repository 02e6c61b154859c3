//! Answers about history: messages and events.
//!
//! | file | subject |
//! |---|---|
//! | `query`, `span` | queries, and the spans of history they refer to |
//! | `memory`, `ring`, `event_rings` | how are the last messages and events of every room kept without a file? |
//! | `guests` | direct messages of users without an account |
//! | `sqlite` | how are the tables of the file filled and searched? |

mod event_rings;
mod guests;
mod memory;
pub(super) mod query;
mod ring;
mod span;
#[cfg(feature = "disk")]
pub(super) mod sqlite;
#[cfg(not(feature = "disk"))]
pub(super) use super::no_disk as sqlite;

use self::guests::Guests;
use self::memory::MemoryIndex;
use self::query::{Answer, HistoryQuery, QueryId};
use self::sqlite::SqliteIndex;
use super::limits::Limits;
use crate::chat::HistoryUpdate;
use std::collections::VecDeque;

enum Store {
    Memory(Box<MemoryIndex>),
    Sqlite(Box<SqliteIndex>),
}

/// An index, and the messages of guests, which are kept in memory with every index.
pub(super) struct Index {
    store: Store,
    guests: Guests,
    /// Answers that are found at once.
    at_hand: VecDeque<(QueryId, Answer)>,
}

impl Index {
    pub(super) fn memory(limits: &Limits) -> Index {
        Index::new(Store::Memory(Box::new(MemoryIndex::new(limits))))
    }

    pub(super) fn sqlite(index: SqliteIndex) -> Index {
        Index::new(Store::Sqlite(Box::new(index)))
    }

    fn new(store: Store) -> Index {
        Index { store, guests: Guests::default(), at_hand: VecDeque::new() }
    }

    pub(super) fn archive(&mut self, update: HistoryUpdate<'_>) {
        self.guests.archive(&update);
        match &mut self.store {
            Store::Memory(index) => index.archive(update),
            Store::Sqlite(index) => index.archive(&update),
        }
    }

    pub(super) fn query(&mut self, id: QueryId, query: HistoryQuery) {
        if let HistoryQuery::Past(query) = &query
            && let Some(messages) = self.guests.past(query)
        {
            self.at_hand.push_back((id, Answer::Past(messages, Vec::new())));
            return;
        }
        let answer = match &mut self.store {
            Store::Memory(index) => Some(index.answer(&query)),
            Store::Sqlite(index) => index.query(id, query),
        };
        self.at_hand.extend(answer.map(|answer| (id, answer)));
    }

    pub(super) fn has_news(&self) -> bool {
        !self.at_hand.is_empty()
    }

    pub(super) fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        let at_hand = self.at_hand.pop_front();
        at_hand.or_else(|| match &mut self.store {
            Store::Memory(_) => None,
            Store::Sqlite(index) => index.next_answer(),
        })
    }
}
