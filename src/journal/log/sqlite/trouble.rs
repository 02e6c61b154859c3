//! A failure to write, while it lasts: its cause, when to try again, and which proposals wait.

use crate::chat::SessionId;
use crate::journal::error::{Health, JournalError};
use crate::journal::limits;
use crate::journal::log::proposal::Proposal;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Why nothing can be written at present.
pub(super) struct Trouble {
    pub(super) health: Health,
    /// Only the lock of another process is in the way, which passes.
    busy: bool,
    /// The disk is full, or fails.
    pub(super) disk: bool,
    pub(super) since: Instant,
}

impl Trouble {
    pub(super) fn new(error: &JournalError, since: Instant) -> Trouble {
        let (reason, detail) = (error.reason(), error.to_string().into());
        let busy = matches!(error, JournalError::Busy { .. });
        let disk = matches!(error, JournalError::Full { .. } | JournalError::Database { .. });
        Trouble { health: Health::Failing { reason, detail }, busy, disk, since }
    }

    /// When messages that wait are rejected; `None` if they are rejected at once.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.busy.then(|| self.since + limits::LOCK_PATIENCE)
    }
}

/// When to try again.
pub(super) struct Retry {
    pause: Duration,
    at: Instant,
    failed: Instant,
}

impl Retry {
    pub(super) fn new(now: Instant) -> Retry {
        Retry { pause: limits::FIRST_PAUSE, at: now, failed: now }
    }

    /// An attempt has failed.
    pub(super) fn failed(&mut self, now: Instant, deadline: Option<Instant>) {
        let calm = now >= self.at + limits::CALM;
        let longer = (2 * self.pause).min(limits::LONGEST_PAUSE);
        self.pause = if calm { limits::FIRST_PAUSE } else { longer };
        (self.at, self.failed) = (now + self.pause, now);
        // Its end is punctual: those who wait do not wait for the end of a pause, too.
        if let Some(deadline) = deadline.filter(|it| *it > now) {
            self.at = self.at.min(deadline);
        }
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// The same for a message that would be rejected otherwise.
    pub(super) fn at_the_earliest(&self) -> Instant {
        self.failed + limits::FIRST_PAUSE
    }
}

/// What becomes of a proposal while nothing can be written.
pub(super) enum Fate {
    /// It takes effect now and is saved later.
    Passes,
    Waits,
    Rejected,
}

/// Decides that, proposal by proposal, in order.
pub(super) struct Waiting {
    messages_wait: bool,
    records: usize,
    bytes: usize,
    origins: HashSet<SessionId>,
}

impl Waiting {
    pub(super) fn new(messages_wait: bool) -> Waiting {
        Waiting { messages_wait, records: 0, bytes: 0, origins: HashSet::new() }
    }

    /// What a user does comes behind what the same user has done before. Presence has no bound, but
    /// a user sends nothing else until it is handed back.
    pub(super) fn fate(&mut self, proposal: &Proposal) -> Fate {
        let presence = proposal.may_pass_unkept();
        if presence && !self.origins.contains(&proposal.origin) {
            return Fate::Passes;
        }
        let size = proposal.change.size();
        let room = self.records < limits::WAITING_RECORDS
            && self.bytes.saturating_add(size) <= limits::WAITING_BYTES;
        let waits = presence || self.messages_wait && room;
        if !waits {
            return Fate::Rejected;
        }
        self.records += 1;
        self.bytes += size;
        self.origins.insert(proposal.origin);
        Fate::Waits
    }
}
