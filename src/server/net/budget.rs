//! The memory behind all send queues together, and peers that take nothing of what they are owed.
//!
//! One peer is bounded by its own send queue, but hundreds that ask and do not read are not. So the
//! memory of all chunks has a budget (`--outbox-all`), in three steps:
//!
//! 1. Above half of it, the lines of a peer that has not taken its last answer wait: a question costs
//!    nothing more while its asker does not read. A peer that reads notices nothing.
//! 2. Above all of it, the peer with the largest queue among those that do not shrink is dropped.
//! 3. Above nine eighths of it, the peer with the largest queue is dropped, whatever it does.
//!
//! The largest is looked for at the origin to which most is owed, so that many peers of one origin
//! do not get a single one of another dropped. Independently of the budget, a peer that takes nothing
//! for `--stall-timeout` is dropped.
//!
//! Rejected: a sum over the queues. A line for a thousand members is in memory once, and a sum would
//! drop peers to save memory that no one uses.

use crate::chat::Origin;
use crate::server::config::Bytes;
use crate::server::connection::{Bounds, Connection, Phase, Tenths};
use chatloop_reactor::{ChunkWriter, Slab, Token};
use log::warn;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the answers of one turn may add, more or less, before the turn's lines end: nothing is
/// written, and no one is dropped, before they do.
const GROWTH_PER_TURN: usize = 8 * 1024 * 1024;

/// How long a queue must not have shrunk to count as one that does not.
const SHRINKING: Duration = Duration::from_millis(300);

/// How often to look at peers that are owed something and take nothing.
const GATHERING: Duration = Duration::from_secs(15);

/// How soon to look again while memory is short.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// The budget, and what it was at the beginning of the turn.
#[derive(Default)]
pub(super) struct SendBudget {
    limit: usize,
    soft: usize,
    stall: Option<Duration>,
    before: usize,
    stall_watched: bool,
    shortage_watched: bool,
}

impl SendBudget {
    pub fn new(bounds: Bounds) -> SendBudget {
        let mut budget = SendBudget::default();
        budget.configure(bounds);
        budget
    }

    pub fn configure(&mut self, bounds: Bounds) {
        (self.limit, self.soft, self.stall) = (bounds.outbox_all, bounds.outbox_soft, bounds.stall);
    }

    pub fn begin_turn(&mut self, bounds: &mut Bounds) {
        self.before = ChunkWriter::in_use();
        let short = self.before > self.limit / 2;
        bounds.outbox_soft = if short { 0 } else { self.soft };
    }

    /// A peer is owed something from this turn on: when to look at it, unless that is known.
    pub fn watch(&mut self, now: Instant) -> Option<Instant> {
        // A quarter of the time, so that no one is dropped much later than said.
        let pause = self.stall.map_or(GATHERING, |limit| (limit / 4).min(GATHERING));
        (!std::mem::replace(&mut self.stall_watched, true)).then(|| now + pause)
    }

    /// Whether this turn may go on answering; if not, what there is has to be written first.
    pub fn may_answer(&self) -> bool {
        ChunkWriter::in_use() <= self.before + GROWTH_PER_TURN.min(self.limit / 8)
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// While memory is short: when to look again, unless that is known.
    pub fn watch_shortage(&mut self, now: Instant) -> Option<Instant> {
        (!std::mem::replace(&mut self.shortage_watched, true)).then(|| now + SHORTAGE_PAUSE)
    }

    /// The time to look again has come.
    pub fn end_shortage_watch(&mut self) {
        self.shortage_watched = false;
    }

    /// Prepares the connection that is to be dropped next for the budget's sake, if one can be.
    pub fn drop_largest(&self, connections: &mut Slab<Connection>, now: Tenths) -> Option<Token> {
        let any = ChunkWriter::in_use() > self.limit + self.limit / 8;
        let token = largest(connections, now, any)?;
        let connection = connections.get_mut(token)?;
        let (queued, limit) = (connection.queued(), Bytes(self.limit));
        warn!(
            "{}: dropped: all send queues together are over the limit of {limit} (--outbox-all), \
             and its own, of {queued} bytes, is the largest",
            connection.address
        );
        connection.discard_output();
        connection.life.blame(|| "send queues exceeded --outbox-all".to_owned());
        Some(token)
    }

    /// Prepares the connections that have taken nothing for too long to be dropped. Whether others
    /// are owed something; a little that has waited for a while is copied, so that it does not keep a
    /// whole chunk alive.
    pub fn drop_stalled(
        &mut self,
        connections: &mut Slab<Connection>,
        now: Tenths,
    ) -> (Vec<Token>, bool) {
        self.stall_watched = false;
        let (mut stalled, mut owed) = (Vec::new(), false);
        let limit = self.stall.unwrap_or(Duration::MAX);
        for token in connections.tokens() {
            let Some(connection) = connections.get_mut(token) else { continue };
            let since = connection.life.stalled_since;
            if since == Tenths::NEVER || connection.life.phase == Phase::Gone {
                continue;
            }
            if !since.is_older(limit, now) {
                owed = true;
                if since.is_older(SHRINKING, now) {
                    connection.io.outbox.gather();
                }
                continue;
            }
            let (queued, seconds) = (connection.queued(), limit.as_secs());
            warn!(
                "{}: dropped: it has taken nothing of the {queued} bytes queued for it for \
                 {seconds} s (--stall-timeout)",
                connection.address
            );
            connection.discard_output();
            connection.life.blame(|| "took nothing for --stall-timeout".to_owned());
            stalled.push(token);
        }
        (stalled, owed)
    }
}

/// The largest queue of the origin to which most is owed; of those that do not shrink, unless `any`
/// may be taken.
fn largest(connections: &Slab<Connection>, now: Tenths, any: bool) -> Option<Token> {
    let candidates = || {
        connections.iter().filter(|(_, connection)| {
            let since = connection.life.stalled_since;
            let still = since != Tenths::NEVER && since.is_older(SHRINKING, now);
            connection.life.phase != Phase::Gone && connection.queued() > 0 && (any || still)
        })
    };
    let mut owed: BTreeMap<Origin, usize> = BTreeMap::new();
    for (_, connection) in candidates() {
        *owed.entry(connection.address.origin()).or_default() += connection.queued();
    }
    let (origin, _) = owed.into_iter().max_by_key(|(_, bytes)| *bytes)?;
    let of_origin = candidates().filter(|(_, it)| it.address.origin() == origin);
    of_origin.max_by_key(|(_, connection)| connection.queued()).map(|(token, _)| token)
}
