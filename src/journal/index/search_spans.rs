//! The spans that a search goes through, and what it has found in them, in either index.

use super::span::{self, Span};
use crate::chat::{StoredMessage, query};

/// What is still to be examined, and what was found.
pub(super) struct SearchSpans {
    /// The last is next.
    spans: Vec<Span>,
    newest: bool,
    /// What was found in the spans that were examined.
    found: Vec<StoredMessage>,
    /// What was found in the one that is next, as it was found.
    pub(super) in_span: Vec<StoredMessage>,
}

impl SearchSpans {
    /// Messages of an earlier room with the same name do not belong to one of `rooms`.
    pub(super) fn new(spans: &[Span], rooms: &[query::Room]) -> SearchSpans {
        let newest = spans.first().is_some_and(|span| span.newest);
        let oldest = rooms.iter().map(|room| room.since).min().unwrap_or_default();
        let spans = spans.iter().rev().map(|span| span.since(oldest)).collect();
        SearchSpans { spans, newest, found: Vec::new(), in_span: Vec::new() }
    }

    pub(super) fn next(&self) -> Option<Span> {
        self.spans.last().copied()
    }

    /// The next span has been examined up to a position, from the end that it starts from.
    pub(super) fn advance(&mut self, to: u64) {
        let Some(span) = self.spans.last_mut() else { return };
        *(if span.newest { &mut span.before } else { &mut span.after }) = to;
    }

    pub(super) fn end_span(&mut self) {
        if self.spans.pop().is_some_and(|span| span.newest) {
            self.in_span.reverse();
        }
        self.found.append(&mut self.in_span);
    }

    /// What was found so far, oldest first.
    pub(super) fn take_found(&mut self) -> Vec<StoredMessage> {
        std::mem::take(&mut self.found)
    }

    /// The same, as much as an answer may have.
    pub(super) fn answer(&mut self) -> Vec<StoredMessage> {
        let mut found = self.take_found();
        span::merge(&mut found, &mut Vec::new(), usize::MAX, self.newest);
        found
    }
}
