//! The order of all changes: proposals in, committed records out, the same for everyone.
//!
//! | file | subject |
//! |---|---|
//! | `proposal` | proposals, committed records, rejections |
//! | `numbering` | which id and time does a record get? |
//! | `memory` | how is order kept without a file? |
//! | `sqlite` | how are records kept in a file? |

pub(super) mod memory;
pub(super) mod numbering;
pub(super) mod proposal;
#[cfg(feature = "disk")]
pub(super) mod sqlite;

use self::proposal::{Committed, Proposal, Rejected};
use super::error::Health;

/// A log of any kind, as the [`Journal`](super::Journal) sees it.
pub(super) trait Log {
    fn propose(&mut self, proposal: Proposal);

    fn has_news(&self) -> bool;

    fn take_committed(&mut self, committed: &mut Vec<Committed>);

    fn end_turn(&mut self) {}

    /// Gives back the memory of queues that were long once.
    fn release_memory(&mut self) {}

    fn has_room(&self) -> bool {
        true
    }

    fn take_rejected(&mut self, _: &mut Vec<Rejected>) {}

    fn health(&self) -> Health {
        Health::Good
    }

    fn close(self: Box<Self>) -> Health {
        Health::Good
    }
}
