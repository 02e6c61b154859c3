//! Input and output of a log: proposals, committed records, rejections.

use crate::chat::{Change, Moment, Record, SessionId};
use std::sync::Arc;

/// Identifies a change from its proposal until it is committed or rejected, on this node only: its
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

/// A proposal that could not be committed, and why, in a few words for its origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    pub proposal: Proposal,
    pub reason: Arc<str>,
}

#[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "memory keeps everything"))]
impl Proposal {
    /// Whether the change adds to what is kept without an end, so that it must not use the last of
    /// the space.
    pub(super) fn grows_history(&self) -> bool {
        matches!(
            self.change,
            Change::Say { .. }
                | Change::Tell { .. }
                | Change::Tag { .. }
                | Change::React { on: true, .. }
                | Change::Edit { .. }
                | Change::Upload { .. }
        )
    }

    /// Whether the change may take effect before it is stored: a restart undoes it anyway, and
    /// otherwise no one could connect, quit or read while the disk is full. A login is not among
    /// them: it delivers the pending direct messages, and would deliver them again after the
    /// restart. SCRAM keys lost in a restart are derived again at the next login.
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
                | Change::Logout { .. }
                | Change::Kick { .. }
                | Change::Oper { .. }
                | Change::Kill { .. }
        )
    }
}
