//! The gate of a connection's lines: whether the next one may be taken, and if not, why.

use super::limits::{LINE_WORK, Pace, TokenBucket};
use crate::chat::Change;
use crate::chat::work::Cost;
use crate::session::plain::is_message;
use std::time::Instant;

/// Records of one origin that are proposed and not yet committed.
///
/// Messages may follow messages without waiting: a pasted book must not need one commit a line. But
/// a command is decided by the state that the lines before it have made, and a message by where the
/// commands before it have led.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PendingRecords {
    messages: u32,
    others: u32,
}

impl PendingRecords {
    fn count(&mut self, change: Kind) -> &mut u32 {
        match change {
            Kind::Message => &mut self.messages,
            Kind::Other => &mut self.others,
        }
    }

    /// One more is proposed.
    pub(super) fn add(&mut self, change: &Change) {
        *self.count(Kind::of(change)) += 1;
    }

    /// One of them is committed or rejected.
    pub(super) fn remove(&mut self, kind: Kind) {
        let count = self.count(kind);
        debug_assert!(*count > 0, "a record is handed out that was not on its way");
        *count = count.saturating_sub(1);
    }

    /// Whether a line may be decided now; a pipelined one may follow messages.
    fn allows(self, pipelined: bool) -> bool {
        self.others == 0 && (pipelined || self.messages == 0)
    }

    /// The same for a plain line.
    pub(super) fn allows_line(self, line: &[u8]) -> bool {
        self.allows(is_message(line))
    }

    fn is_empty(self) -> bool {
        self.others == 0 && self.messages == 0
    }
}

/// Which of the two counts a record is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A message to a room.
    Message,
    /// Everything else.
    Other,
}

impl Kind {
    pub(super) fn of(change: &Change) -> Kind {
        if matches!(change, Change::Say { .. }) { Kind::Message } else { Kind::Other }
    }
}

/// Why the next line waits: a set of reasons.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Blocked(u8);

impl Blocked {
    /// Records of the same peer wait for the journal.
    pub(super) const RECORDS: Blocked = Blocked(1);
    /// The journal or the worker has yet to answer.
    pub(super) const ANSWER: Blocked = Blocked(2);
    /// The peer does not read what it is sent: its send queue is over the soft limit.
    pub(super) const OUTBOX: Blocked = Blocked(4);
    /// The flood limit.
    pub(super) const FLOOD: Blocked = Blocked(8);

    /// The disk is behind with the upload of this peer.
    #[cfg(feature = "web")]
    pub(super) const STORE: Blocked = Blocked(16);

    /// Not of the connection itself, but for those who watch: its origin has too much unfinished,
    /// and its share of the turn is used.
    pub(super) const ORIGIN: Blocked = Blocked(32);
    pub(super) const SHARE: Blocked = Blocked(64);

    /// By the bits of [`crate::trace::REASONS`].
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    fn has(self, reason: Blocked) -> bool {
        self.0 & reason.0 != 0
    }
}

/// The flood limit of one client.
struct Flood {
    bucket: TokenBucket,
    warned: bool,
}

/// Where the lines of one connection wait for their turn.
#[derive(Default)]
pub(super) struct LineGate {
    blocked: Blocked,
    pending: PendingRecords,
    /// Boxed: no client on loopback has one.
    flood: Option<Box<Flood>>,
}

/// What a line has to wait for.
pub(super) enum Wait {
    /// The records before it.
    Records,
    /// The flood limit, until then; `first` if the client has not been told yet.
    Flood { until: Instant, first: bool },
}

impl LineGate {
    pub(super) fn new(limited: bool, now: Instant) -> LineGate {
        let mut gate = LineGate::default();
        gate.limit_flood(limited, now);
        gate
    }

    /// The flood limit is for this client from now on, or no longer. A client that waits for it is woken by
    /// the timer, which is armed already.
    pub(super) fn limit_flood(&mut self, limited: bool, now: Instant) {
        let flood = self.flood.take();
        let full = || Box::new(Flood { bucket: TokenBucket::new(now), warned: false });
        self.flood = limited.then(|| flood.unwrap_or_else(full));
    }

    /// The reasons, by the bits of [`crate::trace::REASONS`].
    pub(super) fn reasons(&self) -> u8 {
        self.blocked.0
    }

    pub(super) fn is_open(&self) -> bool {
        self.blocked == Blocked::default()
    }

    pub(super) fn block(&mut self, reason: Blocked) {
        self.blocked.0 |= reason.0;
    }

    /// A reason is over; whether it was one.
    pub(super) fn unblock(&mut self, reason: Blocked) -> bool {
        let was = self.blocked.has(reason);
        self.blocked.0 &= !reason.0;
        was
    }

    /// A line wants to pass and pay for it.
    pub(super) fn admit(&mut self, pipelined: bool, pace: Pace, now: Instant) -> Result<(), Wait> {
        if !self.pending.allows(pipelined) {
            self.block(Blocked::RECORDS);
            return Err(Wait::Records);
        }
        let Some(flood) = &mut self.flood else { return Ok(()) };
        flood.bucket.take(pace, now).map_err(|until| {
            self.blocked.0 |= Blocked::FLOOD.0;
            Wait::Flood { until, first: !std::mem::replace(&mut flood.warned, true) }
        })
    }

    /// A record of this peer is proposed.
    pub(super) fn proposed(&mut self, change: &Change) {
        self.pending.add(change);
    }

    /// A record of this peer is committed or rejected; whether a line has waited for it.
    pub(super) fn settled(&mut self, kind: Kind) -> bool {
        self.pending.remove(kind);
        self.unblock(Blocked::RECORDS)
    }

    /// Pays for work beyond what a line includes. The bucket may owe more than it holds.
    pub(super) fn charge(&mut self, cost: Cost, pace: Pace, now: Instant) {
        if cost > LINE_WORK
            && let Some(flood) = &mut self.flood
        {
            flood.bucket.owe(pace, (cost.0 / LINE_WORK.0).saturating_sub(1), now);
        }
    }

    /// The peer is gone: what it has sent counts for a second's worth, and no longer for a burst.
    pub(super) fn end_burst(&mut self, pace: Pace, now: Instant) {
        if let Some(flood) = &mut self.flood {
            flood.bucket.end_burst(pace, now);
        }
    }

    /// Whether the peer itself is what its next line waits for: it sends faster than it may, or
    /// does not read.
    pub(super) fn waits_for_the_peer(&self) -> bool {
        self.blocked.has(Blocked::FLOOD) || self.blocked.has(Blocked::OUTBOX)
    }

    /// How many records and questions of this peer are on their way.
    pub(super) fn unfinished(&self) -> u32 {
        let PendingRecords { messages, others } = self.pending;
        messages + others + u32::from(self.blocked.has(Blocked::ANSWER))
    }

    /// Whether nothing is to come of the commands so far.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && !self.blocked.has(Blocked::ANSWER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_goes_by_itself() {
        let mut gate = LineGate::new(false, Instant::now());
        gate.block(Blocked::RECORDS);
        gate.block(Blocked::FLOOD);
        assert!(gate.unblock(Blocked::RECORDS) && !gate.unblock(Blocked::RECORDS));
        assert!(!gate.is_open());
    }
}
