//! A search on disk: in windows of ids, from the requested end, for a slice of time after another.
//!
//! The full-text index finds a rare word at once in any window; it may examine every message in one
//! for a phrase that nearly matches, or for a word that an earlier room of that name was full of.
//! So a window grows while it is fast and shrinks when it is not, and a search that has used up its
//! time answers with what it has, and with where it stopped.

use super::scopes::{locate_in, select, source};
use crate::chat::{Query, RecordId, Scope, StoredMessage};
use crate::journal::index::query::{Answer, wanted};
use crate::journal::index::span::{self, Span, position_of};
use crate::journal::limits;
use crate::journal::runtime::TimeSource;
use rusqlite::{Connection, ErrorCode, Result};
use std::time::Duration;

/// Ids in the first window.
const FIRST_WINDOW: u64 = 4_096;
/// Ids in the smallest one.
const LEAST_WINDOW: u64 = 64;

/// A search that has not ended.
pub(super) struct Search {
    /// What is still to be examined; the last is next.
    spans: Vec<Span>,
    newest: bool,
    found: Vec<StoredMessage>,
    in_span: Vec<StoredMessage>,
    window: u64,
    spent: Duration,
}

impl Search {
    pub(super) fn new(connection: &Connection, query: &Query, upto: RecordId) -> Result<Search> {
        let rooms = match &query.scope {
            Scope::Search { rooms, .. } => &rooms[..],
            _ => &[],
        };
        let only = rooms.first().filter(|_| rooms.len() == 1);
        let locate = |point| locate_in(connection, only, point, upto);
        let mut spans = span::spans(query.range, wanted(query), upto, locate)?;
        let newest = spans.first().is_some_and(|span| span.newest);
        // Messages of an earlier room with the same name do not belong to this one.
        let oldest = rooms.iter().map(|room| room.since).min().unwrap_or_default();
        spans.iter_mut().for_each(|span| *span = span.since(oldest));
        spans.reverse();
        let (found, in_span) = (Vec::new(), Vec::new());
        Ok(Search { spans, newest, found, in_span, window: FIRST_WINDOW, spent: Duration::ZERO })
    }

    /// Goes on for a slice of time. The answer, once there is one.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        query: &Query,
        time: &dyn TimeSource,
    ) -> Result<Option<Answer>> {
        let began = time.instant();
        let Some(source) = source(connection, &query.scope)? else {
            return Ok(Some(Answer::Past(Vec::new(), Vec::new())));
        };
        while let Some(span) = self.spans.last().copied() {
            let (after, before) = span.ids();
            if self.in_span.len() >= span.limit || after.saturating_add(1) >= before {
                self.end_span(span.newest);
                continue;
            }
            let window = if span.newest {
                (after.max(before.saturating_sub(self.window)), before)
            } else {
                (after, before.min(after.saturating_add(self.window)))
            };
            let kept = self.in_span.len();
            let limit = span.limit - kept;
            let start = time.instant();
            match select(connection, &source, window, (span.newest, limit), &mut self.in_span) {
                Ok(()) => self.advance(window),
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
                {
                    self.in_span.truncate(kept);
                    if self.window == LEAST_WINDOW {
                        return Ok(Some(self.stop(before)));
                    }
                }
                Err(error) => return Err(error),
            }
            let (now, fast) = (time.instant(), limits::SEARCH_SLICE / 4);
            self.window = match now.duration_since(start) {
                taken if taken < fast => self.window.saturating_mul(4),
                taken if taken > 2 * fast => (self.window / 4).max(LEAST_WINDOW),
                _ => self.window,
            };
            if now.duration_since(began) >= limits::SEARCH_SLICE {
                return Ok(self.pause(now.duration_since(began)));
            }
        }
        let mut found = std::mem::take(&mut self.found);
        span::merge(&mut found, &mut Vec::new(), usize::MAX, self.newest);
        Ok(Some(Answer::Past(found, Vec::new())))
    }

    /// A window has been examined.
    fn advance(&mut self, (low, high): (u64, u64)) {
        let Some(span) = self.spans.last_mut() else { return };
        if span.newest {
            span.before = position_of(RecordId(low.saturating_add(1)), 0);
        } else {
            span.after = position_of(RecordId(high.saturating_sub(1)), 0);
        }
    }

    fn end_span(&mut self, newest: bool) {
        self.spans.pop();
        if newest {
            self.in_span.reverse();
        }
        self.found.append(&mut self.in_span);
    }

    /// The slice is over. The answer, if the search has had all its time.
    fn pause(&mut self, spent: Duration) -> Option<Answer> {
        self.spent += spent;
        let before = self.spans.last()?.ids().1;
        (self.spent >= limits::SEARCH_TIMEOUT).then(|| self.stop(before))
    }

    fn stop(&mut self, before: u64) -> Answer {
        let newest = self.spans.last().is_some_and(|span| span.newest);
        self.end_span(newest);
        let mut found = std::mem::take(&mut self.found);
        span::merge(&mut found, &mut Vec::new(), usize::MAX, self.newest);
        Answer::Partial(found, RecordId(before))
    }
}
