//! Output that must wait behind an answer of the journal.

use crate::journal::QueryId;
use chatloop_reactor::{Outbox, Segment};
use std::collections::VecDeque;

/// The id of an answer that never comes: the journal's begin with 1.
const NO_ANSWER: QueryId = QueryId(0);

/// Answers that are awaited, each with what came after its question.
#[derive(Default)]
pub(super) struct DeferredOutput {
    sections: VecDeque<Section>,
    bytes: usize,
}

/// One answer, and what has to follow it.
struct Section {
    query: QueryId,
    /// Whether the answer is here; it may be nothing.
    answered: bool,
    /// The answer, and what came after its question.
    segments: Vec<Segment>,
}

impl DeferredOutput {
    /// From here on output waits for the answer to this query.
    pub(super) fn wait_for(&mut self, query: QueryId) {
        self.sections.push_back(Section { query, answered: false, segments: Vec::new() });
    }

    /// Adds a segment behind everything.
    pub(super) fn push(&mut self, segment: &Segment) {
        self.bytes += segment.len();
        if let Some(section) = self.sections.back_mut()
            && !section.segments.last_mut().is_some_and(|last| last.merge(segment))
        {
            section.segments.push(segment.clone());
        }
    }

    /// Keeps a segment until it is known whether the peer is to be sent it.
    pub(super) fn buffer(&mut self, segment: &Segment) {
        if self.sections.is_empty() {
            self.wait_for(NO_ANSWER);
        }
        self.push(segment);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether output waits for the answer to this query.
    pub(super) fn awaits(&self, query: QueryId) -> bool {
        self.sections.iter().any(|section| section.query == query && !section.answered)
    }

    /// An answer is here, or will not come: what waited for it goes to the outbox, as far as no
    /// earlier answer is awaited. Whether nothing is left.
    pub(super) fn release(
        &mut self,
        query: QueryId,
        answer: Option<Segment>,
        outbox: &mut Outbox,
    ) -> bool {
        if let Some(section) = self.sections.iter_mut().find(|section| section.query == query) {
            self.bytes += answer.as_ref().map_or(0, Segment::len);
            section.segments.splice(..0, answer);
            section.answered = true;
        }
        while let Some(section) = self.sections.pop_front_if(|section| section.answered) {
            for segment in &section.segments {
                self.bytes -= segment.len();
                outbox.push(segment);
            }
        }
        self.sections.is_empty()
    }

    /// All of it, in order.
    pub(super) fn into_segments(self) -> impl Iterator<Item = Segment> {
        self.sections.into_iter().flat_map(|section| section.segments)
    }
}
