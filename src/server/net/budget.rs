//! The memory behind all send queues together, and peers that take nothing of what they are owed.
//!
//! One peer is bounded by its own send queue, but hundreds that ask and do not read are not. So the
//! memory of all chunks has a budget (`--outbox-all`), in three steps:
//!
//! 1. Above half of it, the lines of a peer that has not taken its last answer wait: a question costs
//!    nothing more while its asker does not read. Whoever reads notices nothing.
//! 2. Above all of it, the peer with the largest queue among those that do not shrink is dropped.
//! 3. Above nine eighths of it, the peer with the largest queue is dropped, whatever it does.
//!
//! The largest is looked for at the origin to which most is owed, so that many peers of one origin
//! do not get a single one of another dropped. Independently of the budget, a peer that takes nothing
//! for `--stall-timeout` is dropped.
//!
//! Rejected: a sum over the queues. A line for a thousand members is in memory once, and a sum would
//! drop peers to save memory that no one uses.

use super::{Net, TimerKind};
use crate::chat::Origin;
use crate::server::config::Bytes;
use crate::server::connection::{Bounds, Phase, Tenths};
use crate::server::stats::Counter;
use chatloop_reactor::{ChunkWriter, Timers, Token};
use log::warn;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What the answers of one turn may add, more or less, before the turn's lines end: nothing is
/// written, and no one is dropped, before they do.
const GROWTH_PER_TURN: usize = 8 * 1024 * 1024;

/// How long a queue must not have shrunk to count as one that does not.
const SHRINKING: Duration = Duration::from_millis(300);

/// How soon to look again while memory is short.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// The budget, and what it was at the beginning of the turn.
pub(super) struct SendBudget {
    limit: usize,
    soft: usize,
    stall: Option<Duration>,
    before: usize,
    stall_watched: bool,
    shortage_watched: bool,
}

impl SendBudget {
    pub(super) fn new(bounds: Bounds) -> SendBudget {
        let (limit, soft, stall) = (bounds.outbox_all, bounds.outbox_soft, bounds.stall);
        let (stall_watched, shortage_watched) = (false, false);
        SendBudget { limit, soft, stall, before: 0, stall_watched, shortage_watched }
    }

    pub(super) fn configure(&mut self, bounds: Bounds) {
        (self.limit, self.soft, self.stall) = (bounds.outbox_all, bounds.outbox_soft, bounds.stall);
    }

    pub(super) fn begin_turn(&mut self, bounds: &mut Bounds) {
        self.before = ChunkWriter::in_use();
        let short = self.before > self.limit / 2;
        bounds.outbox_soft = if short { 0 } else { self.soft };
    }

    /// A peer is owed something from this turn on: it has to be looked at one day.
    pub(super) fn watch(&mut self, timers: &mut Timers<TimerKind>, now: Instant) {
        if let Some(limit) = self.stall
            && !std::mem::replace(&mut self.stall_watched, true)
        {
            timers.arm(now + pause(limit), TimerKind::Stall);
        }
    }
}

/// A quarter of the time, so that no one is dropped much later than said.
fn pause(limit: Duration) -> Duration {
    limit / 4
}

impl Net {
    /// Whether this turn may go on answering; if not, what there is has to be written first.
    pub(in crate::server) fn may_answer(&self) -> bool {
        let budget = &self.budget;
        ChunkWriter::in_use() <= budget.before + GROWTH_PER_TURN.min(budget.limit / 8)
    }

    /// The memory behind all send queues, and its limit.
    pub(in crate::server) fn send_memory(&self) -> (usize, usize) {
        (ChunkWriter::in_use(), self.budget.limit)
    }

    /// While the memory behind all send queues is over the budget: the next one to be dropped.
    pub(in crate::server) fn next_over_budget(&mut self) -> Option<Token> {
        let (used, limit) = self.send_memory();
        if used <= limit {
            return None;
        }
        let Some(token) = self.largest(used > limit + limit / 8) else {
            if !std::mem::replace(&mut self.budget.shortage_watched, true) {
                self.after(SHORTAGE_PAUSE, TimerKind::Shortage);
            }
            return None;
        };
        let connection = self.connections.get_mut(token)?;
        let (queued, limit) = (connection.queued(), Bytes(limit));
        warn!(
            "{}: dropped: all send queues together are over the limit of {limit} (--outbox-all), \
             and its own, of {queued} bytes, is the largest",
            connection.address
        );
        self.stats.count(Counter::SendQueues);
        connection.discard_output();
        connection.life.blame(|| "send queues exceeded --outbox-all".to_owned());
        Some(token)
    }

    /// The largest queue of the origin to which most is owed; of those that do not shrink, unless
    /// `any` may be taken.
    fn largest(&self, any: bool) -> Option<Token> {
        let now = self.tenths();
        let candidates = || {
            self.connections.iter().filter(|(_, connection)| {
                let since = connection.life.stalled_since;
                let still = since != Tenths::NEVER && since.is_older(SHRINKING, now);
                connection.life.phase != Phase::Gone && connection.queued() > 0 && (any || still)
            })
        };
        let mut owed: HashMap<Origin, usize> = HashMap::new();
        for (_, connection) in candidates() {
            *owed.entry(connection.address.origin()).or_default() += connection.queued();
        }
        let (origin, _) = owed.into_iter().max_by_key(|(origin, bytes)| (*bytes, *origin))?;
        let of_origin = candidates().filter(|(_, it)| it.address.origin() == origin);
        of_origin.max_by_key(|(_, connection)| connection.queued()).map(|(token, _)| token)
    }

    /// Time to look again whether memory is short; the flush of this turn does.
    pub(in crate::server) fn check_shortage(&mut self) {
        self.budget.shortage_watched = false;
    }

    /// Looks for peers that have taken nothing for too long; they are to be dropped.
    pub(in crate::server) fn stalled(&mut self) -> Vec<Token> {
        self.budget.stall_watched = false;
        let Some(limit) = self.budget.stall else { return Vec::new() };
        let (now, mut stalled, mut owed) = (self.tenths(), Vec::new(), false);
        for token in self.connections.tokens() {
            let Some(connection) = self.connections.get_mut(token) else { continue };
            let since = connection.life.stalled_since;
            if since == Tenths::NEVER || connection.life.phase == Phase::Gone {
                continue;
            }
            if !since.is_older(limit, now) {
                owed = true;
                continue;
            }
            let (queued, seconds) = (connection.queued(), limit.as_secs());
            warn!(
                "{}: dropped: it has taken nothing of the {queued} bytes queued for it for \
                 {seconds} s (--stall-timeout)",
                connection.address
            );
            self.stats.count(Counter::Stalled);
            connection.discard_output();
            connection.life.blame(|| "took nothing for --stall-timeout".to_owned());
            stalled.push(token);
        }
        if owed {
            self.budget.watch(&mut self.timers, self.clock.now());
        }
        stalled
    }
}
