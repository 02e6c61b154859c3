//! The log in memory: a proposal is committed in the same turn.

use super::Log;
use super::numbering::Numbering;
use super::proposal::{Committed, Proposal};

#[derive(Default)]
pub struct MemoryLog {
    numbering: Numbering,
    committed: Vec<Committed>,
}

impl Log for MemoryLog {
    fn propose(&mut self, proposal: Proposal) {
        self.committed.push(self.numbering.take(proposal));
    }

    fn has_news(&self) -> bool {
        !self.committed.is_empty()
    }

    fn take_committed(&mut self, committed: &mut Vec<Committed>) {
        committed.append(&mut self.committed);
    }

    fn release_memory(&mut self) {
        self.committed.shrink_to_fit();
    }
}
