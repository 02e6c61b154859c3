//! What goes into a log and what comes back: proposals, committed records, rejections.

use crate::chat::{Change, Moment, Record, SessionId};

/// Names a change from its proposal until it is committed or rejected, on this node alone: its
/// [`RecordId`](crate::chat::RecordId) comes with the commit, because only the log knows the order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ProposalId(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    pub id: ProposalId,
    pub time: Moment,
    pub origin: SessionId,
    pub change: Change,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// `None` if another node proposed it.
    pub proposal: Option<ProposalId>,
    pub record: Record,
}

impl Proposal {
    /// Whether the change may happen without being kept: a restart ends what it does anyway, and
    /// no one could come, go or look while the disk is full if it might not. Not among them is a
    /// login: it takes the mail that has waited, and would give it again after the restart. Keys
    /// for SCRAM that a restart forgets are learnt again at the next login.
    pub(super) fn may_pass_unkept(&self) -> bool {
        matches!(
            self.change,
            Change::Restarted { .. }
                | Change::Enter(_)
                | Change::Leave { .. }
                | Change::Nick { .. }
                | Change::Away { .. }
                | Change::Ignore { .. }
                | Change::Join { .. }
                | Change::Part { .. }
                | Change::LoginFailed { .. }
                | Change::ScramKeys { .. }
                | Change::Logout
                | Change::Kick { .. }
                | Change::Oper { .. }
                | Change::Kill { .. }
        )
    }
}
