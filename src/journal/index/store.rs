//! An index of any kind, as the journal uses it.

use super::query::{Answer, HistoryQuery, QueryId};
use crate::chat::{HistoryUpdate, Name};

/// Where the messages of rooms and accounts are.
pub(in crate::journal) trait Store {
    /// Learns what the hub made of a record, and that it is delivered now.
    fn archive(&mut self, update: HistoryUpdate<'_>);

    /// Starts a query; returns an answer that is available at once: to this one, or to one that gives
    /// way for it.
    fn query(&mut self, id: QueryId, asker: Name, query: HistoryQuery)
    -> Option<(QueryId, Answer)>;

    fn next_answer(&mut self) -> Option<(QueryId, Answer)>;

    /// Does some of the work that is left, if that is done in the loop.
    fn work(&mut self) {}

    /// Whether there is something to do in this turn.
    fn has_news(&self) -> bool {
        false
    }
}
