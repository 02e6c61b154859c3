//! Queries of an index, and their answers.

use crate::chat::limits::{HISTORY_DEFAULT, HISTORY_LINES};
use crate::chat::{HistoryEvent, Lookup, Name, Query, RecordId, Reference, Scope, StoredMessage};

/// Identifies an answer; drawn with [`Journal::next_query`](crate::journal::Journal::next_query).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct QueryId(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryQuery {
    /// Messages and events.
    Past(Query),
    /// The same, for a user who has just joined, and who is told nothing else meanwhile: given up
    /// after [`limits::REPLAY_TIMEOUT`](crate::journal::limits::REPLAY_TIMEOUT).
    Replay(Query),
    /// Whether a message exists.
    Find(Lookup),
}

impl HistoryQuery {
    /// Whether texts have to be examined.
    #[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "memory searches at once"))]
    pub(super) fn is_search(&self) -> bool {
        matches!(self.scope(), Some(Scope::Search { .. }))
    }

    /// Whether it is the only one to ask for these messages: mail is delivered once.
    #[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "memory never has it wait"))]
    pub(super) fn is_mail(&self) -> bool {
        matches!(self.scope(), Some(Scope::Mail { .. }))
    }

    /// Which messages; of one that is looked up, there is none.
    fn scope(&self) -> Option<&Scope> {
        match self {
            HistoryQuery::Past(query) | HistoryQuery::Replay(query) => Some(&query.scope),
            HistoryQuery::Find(_) => None,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Messages, and events if requested; both oldest first.
    Past(Vec<StoredMessage>, Vec<HistoryEvent>),
    /// A search that stopped early: what it found down to the record, which it has not examined.
    Partial(Vec<StoredMessage>, RecordId),
    /// The message, and whose reactions it has, one nick for each.
    Found(Option<Reference>, Vec<Name>),
    /// The query failed, for this reason.
    Failed(String),
}

/// How many messages a query requests, within the limit of one answer.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.unwrap_or(HISTORY_DEFAULT).min(HISTORY_LINES) as usize
}
