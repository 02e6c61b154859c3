//! The order of all changes: proposals in, committed records out, the same for everyone.
//!
//! | file | subject |
//! |---|---|
//! | `proposal` | proposals, committed records, rejections |
//! | `numbering` | which id and time does a record get? |
//! | `memory` | how is order kept without a file? |
//! | `sqlite` | how are records kept in a file? |

mod memory;
mod numbering;
pub(super) mod proposal;
#[cfg(feature = "disk")]
pub(super) mod sqlite;
#[cfg(not(feature = "disk"))]
pub(super) use super::no_disk as sqlite;

use self::memory::MemoryLog;
use self::proposal::{Committed, Proposal, ProposalId};
use self::sqlite::SqliteLog;
use super::error::Health;
use crate::chat::{Change, Moment, SessionId};

pub(super) enum Store {
    Memory(MemoryLog),
    Sqlite(Box<SqliteLog>),
}

/// A log, and the ids of its proposals.
pub(super) struct Log {
    store: Store,
    last_proposal: u64,
}

impl Log {
    pub(super) fn memory() -> Log {
        Log { store: Store::Memory(MemoryLog::default()), last_proposal: 0 }
    }

    pub(super) fn sqlite(log: SqliteLog) -> Log {
        Log { store: Store::Sqlite(Box::new(log)), last_proposal: 0 }
    }

    pub(super) fn propose(
        &mut self,
        time: Moment,
        origin: SessionId,
        change: Change,
    ) -> ProposalId {
        self.last_proposal += 1;
        let id = ProposalId(self.last_proposal);
        let proposal = Proposal { id, time, origin, change };
        match &mut self.store {
            Store::Memory(log) => log.propose(proposal),
            Store::Sqlite(log) => log.propose(proposal),
        }
        id
    }

    pub(super) fn end_turn(&mut self) {
        if let Store::Sqlite(log) = &mut self.store {
            log.end_turn();
        }
    }

    pub(super) fn has_room(&self) -> bool {
        match &self.store {
            Store::Memory(_) => true,
            Store::Sqlite(log) => log.has_room(),
        }
    }

    pub(super) fn has_news(&self) -> bool {
        match &self.store {
            Store::Memory(log) => log.has_news(),
            Store::Sqlite(log) => log.has_news(),
        }
    }

    pub(super) fn take_committed(&mut self, committed: &mut Vec<Committed>) {
        match &mut self.store {
            Store::Memory(log) => log.take_committed(committed),
            Store::Sqlite(log) => log.take_committed(committed),
        }
    }

    pub(super) fn take_rejected(&mut self, rejected: &mut Vec<Proposal>) {
        if let Store::Sqlite(log) = &mut self.store {
            log.take_rejected(rejected);
        }
    }

    pub(super) fn health(&self) -> Health {
        match &self.store {
            Store::Memory(_) => Health::Good,
            Store::Sqlite(log) => log.health(),
        }
    }

    pub(super) fn close(self) {
        if let Store::Sqlite(log) = self.store {
            log.close();
        }
    }
}
