//! Answers about history: messages and events.
//!
//! | file | subject |
//! |---|---|
//! | `query`, `span` | queries, and the spans of history they refer to |
//! | `store` | what is an index? |
//! | `memory`, `ring`, `message_rings`, `event_rings` | how are the last messages and events of every room kept without a file? |
//! | `search` | how is a text found without a file? |
//! | `search_spans` | how far has a search come, in either index? |
//! | `fair_queue` | whose query is next? |
//! | `guests` | direct messages of users without an account |
//! | `sqlite` | how are the tables of the file filled and searched? |

mod event_rings;
mod fair_queue;
mod guests;
mod memory;
mod message_rings;
pub(super) mod query;
mod ring;
mod search;
mod search_spans;
mod span;
#[cfg(feature = "disk")]
pub(super) mod sqlite;
mod store;

use self::guests::Guests;
use self::memory::MemoryIndex;
use self::query::{Answer, HistoryQuery, QueryId};
use self::store::Store;
use super::limits::Limits;
use crate::chat::{HistoryUpdate, Name};
use std::collections::VecDeque;

/// An index, and the messages of guests, which are kept in memory with every index.
pub(super) struct Index {
    store: Box<dyn Store>,
    guests: Guests,
    /// Answers that are found at once.
    at_hand: VecDeque<(QueryId, Answer)>,
}

impl Index {
    pub(super) fn memory(limits: &Limits) -> Index {
        Index::new(Box::new(MemoryIndex::new(limits)))
    }

    pub(super) fn new(store: Box<dyn Store>) -> Index {
        Index { store, guests: Guests::default(), at_hand: VecDeque::new() }
    }

    pub(super) fn archive(&mut self, update: HistoryUpdate<'_>) {
        self.guests.archive(&update);
        self.store.archive(update);
    }

    pub(super) fn query(&mut self, id: QueryId, asker: Name, query: HistoryQuery) {
        let of_guest = match &query {
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) => self.guests.past(query),
            HistoryQuery::Find(_) => None,
        };
        self.at_hand.extend(match of_guest {
            Some(messages) => Some((id, Answer::Past(messages, Vec::new()))),
            None => self.store.query(id, asker, query),
        });
    }

    pub(super) fn work(&mut self) {
        self.store.work();
    }

    pub(super) fn has_news(&self) -> bool {
        !self.at_hand.is_empty() || self.store.has_news()
    }

    pub(super) fn next_answer(&mut self) -> Option<(QueryId, Answer)> {
        self.at_hand.pop_front().or_else(|| self.store.next_answer())
    }
}
