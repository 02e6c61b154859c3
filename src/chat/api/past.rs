//! Answers of the journal: messages and events, or a page of them.

use super::answer::Listing;
use super::pages::{Place, Rest};
use crate::chat::log::{HistoryEvent, StoredMessage};
use crate::chat::model::{Query, RecordId};

/// The result of a query for history, or a page of it, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Past {
    pub query: Query,
    /// How many messages there are altogether; only the first page says so.
    pub total: Option<usize>,
    /// The messages.
    pub entries: Vec<StoredMessage>,
    /// The other events, if requested.
    pub happened: Vec<HistoryEvent>,
    /// Where a search stopped early: what is before this record has not been examined.
    pub unsearched: Option<RecordId>,
    /// Where the next page begins; `None` after the last one.
    pub more: Option<Box<Listing>>,
}

fn place_of(message: &StoredMessage) -> Place {
    (message.id, 0)
}

fn place_of_event(event: &HistoryEvent) -> Place {
    (event.stamp.id, event.stamp.part)
}

impl Past {
    /// An answer, all of it.
    pub fn whole(
        query: Query,
        entries: Vec<StoredMessage>,
        happened: Vec<HistoryEvent>,
        unsearched: Option<RecordId>,
    ) -> Past {
        Past { query, total: Some(entries.len()), entries, happened, unsearched, more: None }
    }

    /// A page behind the first.
    pub fn page(
        query: Query,
        entries: Vec<StoredMessage>,
        happened: Vec<HistoryEvent>,
        more: Option<Box<Rest>>,
    ) -> Past {
        let more = more.map(|rest| Box::new(Listing::History(rest)));
        Past { query, total: None, entries, happened, unsearched: None, more }
    }

    /// The end of an answer of which no more is shown.
    pub fn end(query: Query) -> Past {
        Past::page(query, Vec::new(), Vec::new(), None)
    }

    /// Its first page; the others are asked for when that has been taken.
    pub fn first_page(mut self) -> Past {
        let messages = self.entries.iter().map(|it| (place_of(it), it.bytes()));
        let events = self.happened.iter().map(|it| (place_of_event(it), it.bytes()));
        let mut parts: Vec<(Place, usize)> = messages.chain(events).collect();
        parts.sort_unstable();
        let Some((last, rest)) = Rest::divide(&self.query, parts) else { return self };
        self.entries.truncate(self.entries.partition_point(|it| place_of(it) <= last));
        self.happened.truncate(self.happened.partition_point(|it| place_of_event(it) <= last));
        self.more = Some(Box::new(Listing::History(Box::new(rest))));
        self
    }

    /// Leaves out the oldest messages until the others have no more than so many bytes.
    pub fn keep_newest(&mut self, bytes: usize) {
        let mut left = bytes;
        let fits = |it: &&StoredMessage| {
            let size = it.bytes();
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        };
        let count = self.entries.iter().rev().take_while(fits).count();
        self.entries.drain(..self.entries.len() - count);
        self.total = Some(count);
    }
}
