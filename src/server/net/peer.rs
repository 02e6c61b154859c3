//! A connection in hand: looked up once, with the lists that it may be put on.

use crate::chat::Change;
use crate::chat::work::{self, TOLD};
use crate::server::connection::{Bounds, Connection, Tenths};
use crate::server::gate::{Blocked, Kind};
use crate::server::shares::Shares;
use crate::server::stats::Stats;
use chatloop_reactor::{Segment, Token};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A peer that is gone has so long for the lines that wait because its origin asks for too much.
const OUTLIVED: Duration = Duration::from_secs(2);

/// The connections with something to do later in the turn, each once.
pub(in crate::server) struct Queues {
    /// Those in force: the soft one is 0 while memory is short.
    pub(super) bounds: Bounds,
    /// Have something to be written.
    pub(super) output: Vec<Token>,
    /// Those of them that have more to send than others; written to last.
    pub(super) heavy: VecDeque<Token>,
    /// Have more in their send queue than the hard limit allows.
    pub(super) overrun: VecDeque<Token>,
    /// Have input to look at.
    pub(super) input: Shares,
}

impl Queues {
    pub(super) fn new(bounds: Bounds, stats: Stats) -> Queues {
        let (heavy, overrun) = (VecDeque::new(), VecDeque::new());
        Queues { bounds, output: Vec::new(), heavy, overrun, input: Shares::new(stats) }
    }

    /// Gives back the memory of queues that were long once.
    pub(super) fn release_memory(&mut self) {
        self.output.shrink_to_fit();
        self.heavy.shrink_to_fit();
        self.overrun.shrink_to_fit();
    }

    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty() || !self.heavy.is_empty()
    }

    #[inline]
    pub(super) fn flush_later(&mut self, token: Token, connection: &mut Connection) {
        if !std::mem::replace(&mut connection.in_flush_queue, true) {
            self.output.push(token);
        }
    }

    pub(super) fn look_at_input(&mut self, token: Token, connection: &mut Connection) {
        if !std::mem::replace(&mut connection.in_line_queue, true) {
            self.input.push(connection.share, token);
        }
    }
}

/// One connection, looked up once.
pub(in crate::server) struct Peer<'a> {
    pub(in crate::server) token: Token,
    pub(in crate::server) connection: &'a mut Connection,
    pub(super) queues: &'a mut Queues,
}

impl Peer<'_> {
    /// Queues a segment to be sent.
    pub(in crate::server) fn queue(&mut self, segment: &Segment) {
        work::charge(TOLD);
        self.queue_charged(segment);
    }

    /// The same, where the caller charges for all recipients at once. Inlined, as what it calls: it is
    /// done for every recipient of every message.
    #[inline(always)]
    pub(in crate::server) fn queue_charged(&mut self, segment: &Segment) {
        if !self.connection.queue(segment, &self.queues.bounds) {
            self.queues.overrun.push_back(self.token);
        }
        self.flush_later();
    }

    /// Has the connection looked at when the turn's flush comes.
    #[inline]
    pub(in crate::server) fn flush_later(&mut self) {
        self.queues.flush_later(self.token, self.connection);
    }

    /// Has its inbox looked at in the turn's command phase, or in the next turn's.
    pub(in crate::server) fn look_at_input(&mut self) {
        self.queues.look_at_input(self.token, self.connection);
    }

    /// A record of the peer is on its way.
    pub(in crate::server) fn proposed(&mut self, change: &Change) {
        self.connection.gate.proposed(change);
        self.queues.input.begin(self.connection.share);
    }

    /// It is committed or rejected.
    pub(in crate::server) fn settled(&mut self, kind: Kind) {
        self.queues.input.finish(self.connection.share);
        if self.connection.gate.settled(kind) {
            self.look_at_input();
        }
    }

    /// Whether the lines of a peer that is gone are not to outlive it: it was not allowed to send so
    /// many, or its origin asks for more than its share (`--origin-work`) and its last input came so
    /// long ago. 250 connections that leave hundreds of lines each behind would keep the server
    /// busy for minutes.
    pub(in crate::server) fn is_outlived(&self, started: Instant, now: Instant) -> bool {
        let Connection { gate, share, .. } = &*self.connection;
        gate.waits_for_the_peer()
            || (self.is_long_gone(Tenths::since(started, now))
                && self.queues.input.is_limited(*share))
    }

    /// Whether its connection broke, and its last input came so long ago that no password in it is to be
    /// checked any more: each costs a hash, hundreds may wait, and no one receives what comes of it.
    pub(in crate::server) fn is_long_gone(&self, now: Tenths) -> bool {
        let life = &self.connection.life;
        life.hung_up && life.last_input.is_older(OUTLIVED, now)
    }

    /// Whether its lines wait for what its origin has unfinished.
    pub(in crate::server) fn waits_for_its_origin(&self) -> bool {
        self.queues.input.is_full(self.connection.share)
    }

    /// The next line waits for an answer.
    pub(in crate::server) fn await_answer(&mut self) {
        self.connection.gate.block(Blocked::ANSWER);
        self.queues.input.begin(self.connection.share);
    }

    /// What the next line has waited for is over.
    pub(in crate::server) fn unblock(&mut self, reason: Blocked) {
        if self.connection.gate.unblock(reason) && reason == Blocked::ANSWER {
            self.queues.input.finish(self.connection.share);
        }
        self.look_at_input();
    }

    /// Whether much waits for it, deferred output included.
    pub(in crate::server) fn is_overfull(&self) -> bool {
        self.connection.queued() > self.queues.bounds.outbox_soft
    }

    /// Whether it is over the soft limit: its own lines wait then.
    pub(in crate::server) fn is_over_soft_limit(&self) -> bool {
        self.connection.is_over_soft_limit(&self.queues.bounds)
    }
}
