//! Queries of an index, and their answers.

use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES};
use crate::chat::{HistoryEvent, Lookup, Query, Reference, StoredMessage};

/// Identifies an answer; drawn with [`Journal::next_query`](crate::journal::Journal::next_query).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct QueryId(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryQuery {
    /// Messages and events.
    Past(Query),
    /// Whether a message exists.
    Find(Lookup),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Messages, and events if requested; both oldest first.
    Past(Vec<StoredMessage>, Vec<HistoryEvent>),
    Found(Option<Reference>),
    /// The query failed, for this reason.
    Failed(String),
}

/// How many messages a query requests, within the limit of one answer.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.unwrap_or(HISTORY_DEFAULT).min(HISTORY_LINES) as usize
}

/// The words of a text for searching: runs of letters and digits, in lower case.
pub(super) fn search_words(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(str::to_lowercase)
}
