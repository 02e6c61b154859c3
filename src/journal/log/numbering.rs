//! The ids and times of records: ids rise by one, times never fall.

use super::proposal::{Committed, Proposal};
use crate::chat::{Moment, Record, RecordId};

#[derive(Clone, Copy, Default)]
pub(super) struct Numbering {
    pub(super) last: RecordId,
    pub(super) time: Moment,
}

impl Numbering {
    /// The next record of the order.
    pub(super) fn commit(&mut self, proposal: Proposal) -> Committed {
        self.last.0 += 1;
        self.time = self.time.max(proposal.time);
        let Proposal { id, origin, change, .. } = proposal;
        let record = Record { id: self.last, time: self.time, origin, change };
        Committed { proposal: Some(id), record }
    }
}
