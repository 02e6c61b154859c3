//! All connections: their readiness, their timers, and the lists of those with work to do.
//!
//! | file | subject |
//! |---|---|
//! | this one | the wait, arriving, reading |
//! | `end` | drained, closed, taken out |
//! | `peer` | one connection in hand, with the lists that it may be put on |
//! | `work` | the cost of its lines |
//! | `flush`, `budget` | writing, and the memory of all send queues |
//! | `input_budget` | the memory of all input |
//! | `half_closed` | peers that have sent their last byte |
//! | `deadlines`, `timer` | timers, and what they are for |
//! | `hidden` | viewers of the loop |
//! | `numbers`, `check` | counters, and checks for the simulation |
//!
//! Invariant: bytes are written to sockets in [`Net::flush`] and nowhere else, and connections are
//! taken out by [`Net::next_to_reap`] and nowhere else. All other code queues and marks; so no list
//! is edited while it is walked, and a failed write cannot re-enter the hub.

mod budget;
#[cfg(feature = "simulation")]
mod check;
mod deadlines;
mod end;
mod flush;
mod half_closed;
#[cfg(feature = "web")]
mod hidden;
mod input_budget;
mod numbers;
mod peer;
mod timer;
mod work;

pub(super) use peer::{Peer, Queues};
pub(super) use timer::{PeerTimer, TimerKind};

use super::address::PeerAddress;
use super::connection::{Bounds, Connection, Phase, Tenths};
use super::gate::Blocked;
use super::stats::{Counter, Stats};
use crate::chat::Moment;
use crate::chat::work::Cost;
use crate::trace::{self, Event, Phase as TurnPhase, ReadOutcome, Trace};
use budget::SendBudget;
use chatloop_reactor::{ChunkWriter, Clock, Poller, Readiness, Slab, Timers, Token};
use log::{error, warn};
use numbers::Numbers;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// Bytes taken from one connection by one read: one buffer for all of them.
const SCRATCH: usize = 64 * 1024;

/// How long a peer may take to close its half after our farewell.
const LINGER: Duration = Duration::from_secs(1);

/// The connections and the loop's view of them.
pub(super) struct Net {
    poller: Poller,
    connections: Slab<Connection>,
    timers: Timers<TimerKind>,
    clock: Clock,
    started: Instant,
    queues: Queues,
    budget: SendBudget,
    to_reap: VecDeque<Token>,
    scratch: Box<[u8]>,
    numbers: Numbers,
    stats: Stats,
    trace: Trace,
}

impl Net {
    pub(super) fn new(
        poller: Poller,
        clock: Clock,
        bounds: Bounds,
        stats: Stats,
        trace: Trace,
    ) -> Net {
        Net {
            started: clock.now(),
            poller,
            connections: Slab::new(),
            timers: Timers::new(),
            clock,
            queues: Queues::new(bounds, stats.clone()),
            budget: SendBudget::new(bounds),
            to_reap: VecDeque::new(),
            scratch: vec![0; SCRATCH].into(),
            numbers: Numbers::default(),
            stats,
            trace,
        }
    }

    /// Waits until something is ready or due, not at all if work is left. A new turn begins, unless
    /// it is for hidden descriptors alone: whether it is.
    pub(super) fn wait(
        &mut self,
        readiness: &mut Vec<Readiness>,
        work_left: bool,
        longest: Option<Duration>,
    ) -> io::Result<bool> {
        let spent = self.clock.spent();
        self.numbers.turns.add(spent);
        let busy = work_left || !self.to_reap.is_empty() || self.queues.has_output();
        let timeout = if busy {
            Some(Duration::ZERO)
        } else {
            let due = self.timers.time_left(self.clock.now() + spent);
            due.into_iter().chain(longest).min()
        };
        let slept = self.clock.now() + spent;
        self.poller.wait(readiness, timeout)?;
        self.clock.tick();
        if !busy && self.trace.hides(readiness) && !self.is_due() {
            self.trace.begin_hidden(slept);
            return Ok(true);
        }
        self.trace.begin_turn(&self.clock, slept, readiness);
        self.budget.begin_turn(&mut self.queues.bounds);
        Ok(false)
    }

    fn is_due(&self) -> bool {
        self.timers.time_left(self.clock.now()).is_some_and(|left| left.is_zero())
    }

    /// What the loop does, for those who watch it.
    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// A phase of the turn has ended.
    pub(super) fn end_phase(&self, phase: TurnPhase) {
        self.trace.phase(phase, &self.clock);
    }

    /// For the trace: what there is at the end of the turn.
    pub(super) fn note_totals(&self) {
        self.trace.note(|| Event::Totals {
            queued: ChunkWriter::in_use() as u64,
            timers: trace::small(self.timers.len()),
        });
    }

    /// What has passed of this turn since so much of it was spent does not count.
    pub(super) fn stand_still(&mut self, since: Duration) {
        let passed = self.clock.spent().saturating_sub(since);
        self.clock.stand_still(passed);
    }

    /// The moment of this turn, as the chat counts it.
    pub(super) fn moment(&self) -> Moment {
        Moment(self.clock.unix_milliseconds())
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When it began: what a connection remembers is counted from here.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// The same in what a connection remembers.
    pub(super) fn tenths(&self) -> Tenths {
        Tenths::since(self.started, self.clock.now())
    }

    /// The poller, for what is watched beside the connections.
    pub(super) fn poller(&mut self) -> &mut Poller {
        &mut self.poller
    }

    /// The buffer for a read, for what is read beside the connections.
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        &mut self.scratch
    }

    /// Gives back the memory of queues that were long once.
    pub(in crate::server) fn release_memory(&mut self) {
        self.queues.release_memory();
    }

    /// What has been done so far.
    pub(super) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// So many events of a room were queued for members.
    pub(super) fn delivered(&mut self, count: u64) {
        self.numbers.deliveries += count;
    }

    // Connections.

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn tokens(&self) -> Vec<Token> {
        self.connections.tokens()
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().map(|(_, connection)| connection)
    }

    /// Takes in a new connection; it closes at once if the poller cannot watch it.
    pub(super) fn insert(
        &mut self,
        work_limit: Option<Cost>,
        make: impl FnOnce(Token) -> Connection,
    ) -> Token {
        let token = self.connections.insert_with(make);
        let Some(connection) = self.connections.get_mut(token) else { return token };
        connection.share = self.queues.input.enter(connection.address.origin(), work_limit);
        self.trace.label(token, || connection.address.to_string());
        self.trace.note(|| Event::Accepted { client: trace::number(token) });
        if let Err(error) = connection.update_interest(&mut self.poller, &self.queues.bounds) {
            warn!("{}: rejected: {error}", connection.address);
            mark_gone(token, connection, &mut self.to_reap);
        }
        token
    }

    /// A connection counts as another address's from here on.
    pub(super) fn relocate(&mut self, token: Token, address: PeerAddress, limit: Option<Cost>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let unfinished = connection.gate.unfinished();
        self.queues.input.leave(connection.share, unfinished);
        connection.share = self.queues.input.enter(address.origin(), limit);
        (0..unfinished).for_each(|_| self.queues.input.begin(connection.share));
        connection.address = address;
        self.trace.label(token, || address.to_string());
    }

    /// Whether a connection takes part.
    pub(super) fn is_open(&self, token: Token) -> bool {
        self.connections.get(token).is_some_and(|it| it.life.phase == Phase::Open)
    }

    pub(super) fn connection(&mut self, token: Token) -> Option<&mut Connection> {
        self.connections.get_mut(token)
    }

    /// Does something with a connection that is there still.
    pub(super) fn with<R>(
        &mut self,
        token: Token,
        act: impl FnOnce(&mut Connection) -> R,
    ) -> Option<R> {
        self.connections.get_mut(token).map(act)
    }

    /// A connection with the lists that it may be put on.
    pub(super) fn peer(&mut self, token: Token) -> Option<Peer<'_>> {
        let connection = self.connections.get_mut(token)?;
        Some(Peer { token, connection, queues: &mut self.queues })
    }

    /// The next connection with input to look at.
    pub(super) fn next_with_input(&mut self) -> Option<Token> {
        while let Some(token) = self.queues.input.next() {
            if let Some(connection) = self.connections.get_mut(token) {
                connection.in_line_queue = false;
                return Some(token);
            }
        }
        None
    }

    // Work.

    /// The time of this turn.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Has the connection's inbox looked at in the turn's command phase, or in the next turn's.
    pub(super) fn look_at_input(&mut self, token: Token) {
        if let Some(mut peer) = self.peer(token) {
            peer.look_at_input();
        }
    }

    // Reading.

    /// A connection is readable or writable, or its peer is gone.
    pub(super) fn ready(&mut self, event: Readiness) {
        if event.writable
            && let Some(mut peer) = self.peer(event.token)
        {
            peer.flush_later();
        }
        if event.hangup {
            self.hang_up(event.token);
        }
        if event.readable || event.hangup {
            self.read(event.token);
        }
    }

    /// No one is there to read what is queued. What the peer sent before it went is read from here
    /// on without the poller, which would report the hangup at every wait.
    fn hang_up(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.io.outbox.clear();
        // No answer waits to be read any more; what it sent before it went counts.
        connection.gate.unblock(Blocked::OUTBOX);
        if connection.life.phase == Phase::Open && !connection.life.hung_up {
            connection.life.hung_up = true;
            unwatch(connection, &mut self.poller);
            self.queues.look_at_input(token, connection);
        }
    }

    /// Reads what there is room for. The poller may have to be asked for something else then (an
    /// inbox that is full, an input that has ended), and before the next wait, or the loop would
    /// spin on input that no one takes: so the connection is looked at in the flush.
    pub(super) fn read(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let before = connection.io.inbox.len();
        let now = Tenths::since(self.started, self.clock.now());
        let bounds = self.queues.bounds;
        let has_news = connection.read(&mut self.scratch, &bounds, now);
        let bytes = connection.io.inbox.len() - before;
        self.trace.note(|| Event::Read {
            client: trace::number(token),
            bytes: trace::small(bytes),
            inbox: trace::small(connection.io.inbox.len()),
            outcome: match (has_news, bytes) {
                // What a handshake has received is not in the inbox.
                (true, 0) if connection.io.transport.is_opening() => ReadOutcome::Bytes,
                (true, 0) => ReadOutcome::Ended,
                (false, 0) => ReadOutcome::Nothing,
                _ if connection.io.inbox.room(bounds.inbox) == 0 => ReadOutcome::Full,
                _ => ReadOutcome::Bytes,
            },
        });
        if has_news {
            self.numbers.received_bytes += bytes as u64;
            if connection.life.input_ended && connection.life.phase != Phase::Open {
                mark_gone(token, connection, &mut self.to_reap);
            } else {
                self.queues.look_at_input(token, connection);
            }
        }
        if connection.is_watched_wrongly(&bounds) {
            self.queues.flush_later(token, connection);
        }
    }

    /// The next connection whose send queue is over the hard limit: it does not read, and the
    /// others must not pay for it. Checked after the flush: what the socket has taken no longer
    /// counts.
    pub(super) fn next_overrun(&mut self) -> Option<Token> {
        for _ in 0..self.queues.overrun.len() {
            let Some(token) = self.queues.overrun.pop_front() else { break };
            let Some(connection) = self.connections.get_mut(token) else { continue };
            if connection.in_flush_queue {
                // It was put off: the next flush is its own.
                self.queues.overrun.push_back(token);
                continue;
            }
            let (queued, limit) = (connection.queued(), self.queues.bounds.outbox_hard);
            if connection.life.phase == Phase::Gone || queued <= limit {
                continue;
            }
            let limit = super::config::Bytes(limit);
            warn!(
                "{}: dropped: its send queue of {queued} bytes is over the limit of {limit} (--outbox-hard)",
                connection.address
            );
            self.stats.count(Counter::SendQueue);
            connection.discard_output();
            connection.life.blame(|| "send queue exceeded --outbox-hard".to_owned());
            return Some(token);
        }
        None
    }

    /// Whether this turn may go on answering; if not, what there is has to be written first.
    pub(super) fn may_answer(&self) -> bool {
        self.budget.may_answer()
    }

    /// The memory behind all send queues, and its limit.
    pub(super) fn send_memory(&self) -> (usize, usize) {
        (ChunkWriter::in_use(), self.budget.limit())
    }

    /// While the memory behind all send queues is over the budget: the next one to be dropped.
    pub(super) fn next_over_budget(&mut self) -> Option<Token> {
        if ChunkWriter::in_use() <= self.budget.limit() {
            return None;
        }
        let now = self.tenths();
        let token = self.budget.drop_largest(&mut self.connections, now);
        match token {
            Some(_) => self.stats.count(Counter::SendQueues),
            None => {
                if let Some(when) = self.budget.watch_shortage(self.clock.now()) {
                    self.timers.arm(when, TimerKind::Shortage);
                }
            }
        }
        token
    }

    /// Time to look again whether memory is short; the flush of this turn does.
    pub(super) fn check_shortage(&mut self) {
        self.budget.end_shortage_watch();
    }

    /// The peers that have taken nothing for too long; they are to be dropped.
    pub(super) fn stalled(&mut self) -> Vec<Token> {
        let now = self.tenths();
        let (stalled, owed) = self.budget.drop_stalled(&mut self.connections, now);
        stalled.iter().for_each(|_| self.stats.count(Counter::Stalled));
        if owed && let Some(when) = self.budget.watch(self.clock.now()) {
            self.timers.arm(when, TimerKind::Stall);
        }
        stalled
    }

    /// Other bounds are in force: a peer that waits below the old soft limit may go on now.
    pub(super) fn set_bounds(&mut self, bounds: Bounds) {
        self.budget.configure(bounds);
        self.queues.bounds = bounds;
        for token in self.connections.tokens() {
            if let Some(mut peer) = self.peer(token) {
                peer.flush_later();
            }
        }
    }
}

fn mark_gone(token: Token, connection: &mut Connection, to_reap: &mut VecDeque<Token>) {
    if connection.life.phase != Phase::Gone {
        connection.life.phase = Phase::Gone;
        to_reap.push_back(token);
    }
}

fn unwatch(connection: &mut Connection, poller: &mut Poller) {
    if let Err(error) = connection.io.unwatch(poller) {
        error!("{}: cannot stop watching: {error}", connection.address);
    }
}

fn set_timer(
    connection: &mut Connection,
    timers: &mut Timers<TimerKind>,
    when: Instant,
    kind: TimerKind,
) {
    let timer = timers.arm(when, kind);
    match &mut connection.life.timer {
        Some(old) => drop(timers.cancel(std::mem::replace(&mut **old, timer))),
        none => *none = Some(Box::new(timer)),
    }
}
