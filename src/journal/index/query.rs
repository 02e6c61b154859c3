//! What can be asked of an index, and what comes back.

use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES};
use crate::chat::{HistoryEvent, Lookup, Query, Reference, StoredMessage};

/// Tells answers apart; drawn with [`Journal::next_query`](crate::journal::Journal::next_query).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct QueryId(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryQuery {
    /// Which messages?
    Past(Query),
    /// Is there such a message?
    Find(Lookup),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Messages, and events if they were asked for; both oldest first.
    Past(Vec<StoredMessage>, Vec<HistoryEvent>),
    Found(Option<Reference>),
    /// Why there is no answer.
    Failed(String),
}

/// How many messages a query wants, within what one answer may hold.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.unwrap_or(HISTORY_DEFAULT).min(HISTORY_LINES) as usize
}

/// The words of a text as a search sees them: runs of letters and digits, in lower case.
pub(super) fn search_words(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(str::to_lowercase)
}
