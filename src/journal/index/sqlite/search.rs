//! A search on disk: in windows of ids, from the requested end, for a slice of time after another.
//!
//! The full-text index finds a rare word at once in any window; it may examine every message in one
//! for a phrase that nearly matches, or for a word that an earlier room of that name was full of.
//! So a window grows while it is fast and shrinks when it is not, and a search that has used up its
//! time answers with what it has, and with where it stopped.

use super::scopes::{locate_in, select, source};
use crate::chat::{Query, RecordId, Scope};
use crate::journal::index::query::{Answer, wanted};
use crate::journal::index::search_spans::SearchSpans;
use crate::journal::index::span::{position_of, spans};
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
    spans: SearchSpans,
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
        let spans = SearchSpans::new(&spans(query.range, wanted(query), upto, locate)?, rooms);
        Ok(Search { spans, window: FIRST_WINDOW, spent: Duration::ZERO })
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
        while let Some(span) = self.spans.next() {
            let (after, before) = span.ids();
            if self.spans.in_span.len() >= span.limit || after.saturating_add(1) >= before {
                self.spans.end_span();
                continue;
            }
            let window = if span.newest {
                (after.max(before.saturating_sub(self.window)), before)
            } else {
                (after, before.min(after.saturating_add(self.window)))
            };
            let in_span = &mut self.spans.in_span;
            let kept = in_span.len();
            let start = time.instant();
            match select(connection, &source, window, (span.newest, span.limit - kept), in_span) {
                Ok(()) => self.spans.advance(match span.newest {
                    true => position_of(RecordId(window.0.saturating_add(1)), 0),
                    false => position_of(RecordId(window.1.saturating_sub(1)), 0),
                }),
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
                {
                    in_span.truncate(kept);
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
        Ok(Some(Answer::Past(self.spans.answer(), Vec::new())))
    }

    /// The slice is over. The answer, if the search has had all its time.
    fn pause(&mut self, spent: Duration) -> Option<Answer> {
        self.spent += spent;
        let before = self.spans.next()?.ids().1;
        (self.spent >= limits::SEARCH_TIMEOUT).then(|| self.stop(before))
    }

    fn stop(&mut self, before: u64) -> Answer {
        self.spans.end_span();
        Answer::Partial(self.spans.answer(), RecordId(before))
    }
}
