//! The ids and times of records: ids rise by one; times rise, or follow a clock that was set back.
//!
//! A clock that is corrected by less than [`CORRECTION`] is waited for. Rejected: waiting for every
//! clock, so that times never fall: a server that ran for a minute with a clock a year ahead would
//! stamp all messages of that year with one millisecond.

use super::proposal::{Committed, Proposal};
use crate::chat::{Moment, Record, RecordId};
use log::warn;

/// A step back of more than this, in milliseconds, is followed.
const CORRECTION: i64 = 60_000;

/// The last record, and its time.
#[derive(Clone, Copy, Default)]
pub(in crate::journal) struct Numbering {
    pub(in crate::journal) last: RecordId,
    pub(in crate::journal) time: Moment,
}

impl Numbering {
    pub(super) fn at(record: &Record) -> Numbering {
        Numbering { last: record.id, time: record.time }
    }

    /// The record that follows. It is the last one when it is [handed back](Numbering::take).
    pub(super) fn next(self, proposal: Proposal) -> Committed {
        let is_corrected = proposal.time.0 < self.time.0.saturating_sub(CORRECTION);
        let time = if is_corrected { proposal.time } else { self.time.max(proposal.time) };
        let Proposal { id, origin, change, .. } = proposal;
        let record = Record { id: RecordId(self.last.0 + 1), time, origin, change };
        Committed { proposal: Some(id), record }
    }

    /// The record that follows, and is handed back.
    pub(super) fn take(&mut self, proposal: Proposal) -> Committed {
        let committed = self.next(proposal);
        // Logged here and not before: a record whose commit fails is numbered again.
        let back = self.time.0.saturating_sub(committed.record.time.0);
        if back > 0 {
            warn!(
                "the clock has gone back by {} s: later messages bear its time, and the order of \
                 messages is that of their numbers",
                back / 1000
            );
        }
        *self = Numbering::at(&committed.record);
        committed
    }
}
