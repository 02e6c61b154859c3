//! One client: its socket and buffers, its session, and where it is between arrival and end.
//!
//! ```text
//!          /quit, idle            left, farewell queued     outbox empty          peer closes,
//!   Open ───────────────▶ Leaving ──────────────────▶ Draining ─────────▶ Lingering ─────────▶ Gone
//!     │                                                  ▲  we shut our half   a second passes  ▲
//!     ├──────────────────────────────────────────────────┘                                      │
//!     │    rejected, server stops                                                               │
//!     └─────────────────────────────────────────────────────────────────────────────────────────┘
//!          connection broke, peer closed, hard limit
//! ```
//!
//! Invariant: what the poller is asked for is a pure function of this state
//! ([`Connection::interest`]); no other code switches interest by hand.

use super::address::PeerAddress;
use super::config::{Config, LONGEST_LINE, OrOff, Seconds, share_of_memory};
use super::deferred::DeferredOutput;
use super::gate::LineGate;
use super::limits::{DEFAULT_LINE_RATE, Pace};
use super::shares::ShareId;
use crate::chat::QuitReason;
use crate::journal::QueryId;
use crate::session::{Dialect, Format, Protocol};
use chatloop_reactor::{
    Held, Inbox, Interest, Outbox, Poller, Received, Registration, Segment, TimerId, Token,
    Transport, Written, memory,
};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Phase {
    /// Taking part.
    #[default]
    Open,
    /// No more lines are taken from it; its leaving is proposed and not yet in force.
    Leaving,
    /// Out of the chat; what is queued is still sent.
    Draining,
    /// Our half is closed; what still arrives is discarded until the peer closes, too.
    ///
    /// Rejected: just `close`. Closing a socket with unread input makes the system send a reset,
    /// and a reset may destroy the farewell that is still on its way to the peer.
    Lingering,
    /// To be taken out by the reaper.
    Gone,
}

/// Unused input that one connection may accumulate while its lines wait, in bytes. More than the
/// longest line, so that a whole one always fits.
const INBOX_BOUND: usize = 64 * 1024;

// A whole line and its end must fit, or its connection would wait permanently.
const _: () = assert!(INBOX_BOUND > LONGEST_LINE + 2);

/// Bounds of one connection: of its buffers, in bytes, and of its pace, if that is limited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub outbox_soft: usize,
    pub outbox_hard: usize,
    /// Of all connections together.
    pub outbox_all: usize,
    /// How long a peer may take nothing of what it is owed.
    pub stall: Option<Duration>,
    pub inbox: usize,
    /// Of all connections together.
    pub inbox_all: usize,
    pub pace: Pace,
}

impl Bounds {
    /// As configured.
    pub fn of(config: &Config) -> Bounds {
        let rate = config.flood_limit.and_then(OrOff::on).map_or(DEFAULT_LINE_RATE, |rate| rate.0);
        let (outbox_soft, outbox_hard) = (config.outbox_soft.0, config.outbox_hard.0);
        let outbox_all = config.outbox_all.map_or_else(share_of_memory, |bytes| bytes.0);
        let stall = config.stall_timeout.on().map(Seconds::duration);
        let (inbox, pace) = (INBOX_BOUND, Pace::new(rate));
        let inbox_all = config.inbox_all.map_or_else(|| memory::limit() / 8, |bytes| bytes.0);
        Bounds { outbox_soft, outbox_hard, outbox_all, stall, inbox, inbox_all, pace }
    }
}

/// A moment in tenths of a second since the server's start, rounded up: four bytes, where an
/// `Instant` has sixteen. The idle limit needs no more, and 13 years are enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tenths(u32);

impl Tenths {
    pub const NEVER: Tenths = Tenths(u32::MAX);

    pub fn since(start: Instant, now: Instant) -> Tenths {
        let tenths = now.saturating_duration_since(start).as_millis().div_ceil(100);
        Tenths(u32::try_from(tenths).unwrap_or(u32::MAX))
    }

    /// Whether it lies at least so far before `now`.
    pub fn is_older(self, age: Duration, now: Tenths) -> bool {
        Duration::from_millis(100) * now.0.saturating_sub(self.0) >= age
    }

    pub fn after(self, start: Instant) -> Instant {
        start + Duration::from_millis(100) * self.0
    }
}

/// The socket of a connection, with what has come and what is to go.
pub(super) struct Io {
    pub transport: Transport,
    registration: Registration,
    pub inbox: Inbox,
    pub outbox: Outbox,
}

impl Io {
    /// Bytes that the socket has not taken, those that are encoded already included.
    pub fn unsent(&self) -> usize {
        self.outbox.len() + self.transport.unsent()
    }

    /// Writes at most about `share` bytes; what a layer over the socket has left over goes first.
    #[inline]
    pub fn write(&mut self, share: usize) -> Written {
        if self.transport.unsent() > 0
            && let Err(error) = self.transport.flush()
        {
            self.outbox.clear();
            return Written::Failed(error);
        }
        self.outbox.write_to(&mut self.transport, share)
    }

    /// What the poller was asked for last.
    #[cfg(feature = "simulation")]
    pub fn watched(&self) -> Option<Interest> {
        self.registration.interest()
    }

    /// Stops asking the poller about it.
    pub fn unwatch(&mut self, poller: &mut Poller) -> io::Result<()> {
        self.registration.clear(poller, &self.transport)
    }
}

/// What of a connection is over, and since when.
#[derive(Default)]
pub(super) struct Lifecycle {
    pub phase: Phase,
    /// The peer has sent its last byte. It may still be reading.
    pub input_ended: bool,
    /// Its input has ended and it was told so: from here on it only listens.
    pub half_closed: bool,
    /// Nothing can be sent to it any more. What it sent before is still read, without the poller.
    pub hung_up: bool,
    /// Whether the hub knows it: an `Enter` was proposed and no `Leave` yet.
    pub entered: bool,
    /// It was taken for a plain peer and is not one: the hub has a user for it until the `Leave` is applied,
    /// and what that user receives is not for it.
    pub withdrawn: bool,
    /// Whether it counts among the clients of its address.
    pub counted: bool,
    /// Probes of an ended input so far, for their growing distance.
    pub probes: u8,
    pub last_input: Tenths,
    /// Since when it is owed something and has taken nothing; `Tenths::NEVER` if it is owed nothing.
    pub stalled_since: Tenths,
    /// Its socket is closed with a reset, so that the system does not keep what it has not taken.
    pub reset: bool,
    /// The one timer it has. Boxed: most connections have none.
    pub timer: Option<Box<TimerId>>,
    reason: Option<Box<CloseReason>>,
}

/// How a connection ends. Boxed because it is unset for most of a connection's life.
#[derive(Default)]
struct CloseReason {
    /// What went wrong, if anything did.
    fault: Option<String>,
    /// What the peer says to the others.
    words: Option<Arc<str>>,
    /// The last line it is to be told.
    farewell: Option<String>,
}

impl Lifecycle {
    /// Something went wrong; the first fault is the one that is told.
    pub fn blame(&mut self, fault: impl FnOnce() -> String) {
        self.reason.get_or_insert_default().fault.get_or_insert_with(fault);
    }

    /// How the others are told that it left.
    pub fn quit_reason(&mut self) -> QuitReason {
        let Some(reason) = &mut self.reason else { return QuitReason::Quit };
        match (reason.fault.take(), reason.words.take()) {
            (Some(fault), _) => QuitReason::Error(fault),
            (None, Some(words)) => QuitReason::Message(words),
            (None, None) => QuitReason::Quit,
        }
    }

    /// It is not admitted, and told why once it is known what it speaks.
    pub fn reject(&mut self, why: String) {
        self.counted = false;
        self.reason.get_or_insert_default().farewell = Some(why);
    }

    /// Why it was not admitted, if it was not.
    pub fn rejection(&self) -> Option<String> {
        let why = || self.reason.as_ref().and_then(|it| it.farewell.clone()).unwrap_or_default();
        (!self.counted).then(why)
    }

    /// Its farewell, once.
    pub fn take_farewell(&mut self) -> Option<String> {
        self.reason.as_mut()?.farewell.take()
    }
}

/// Everything the server keeps of one client. Thousands of them are idle, so what is rare is boxed.
pub(super) struct Connection {
    pub address: PeerAddress,
    pub io: Io,
    pub session: Dialect,
    pub gate: LineGate,
    pub life: Lifecycle,
    /// Output that waits behind an answer of the journal.
    deferred: Option<Box<DeferredOutput>>,
    /// What its session holds of its input.
    held: Held,
    /// The share of its origin; given when it is taken in.
    pub share: ShareId,
    /// The number of its format's lane in the delivery.
    pub lane: u16,
    /// It is in the list of those to be flushed.
    pub in_flush_queue: bool,
    /// It is in the list of those whose input is to be looked at.
    pub in_line_queue: bool,
    /// The run that is being delivered leaves out something for it.
    pub has_gap: bool,
}

impl Connection {
    pub fn new(
        token: Token,
        transport: Transport,
        address: PeerAddress,
        session: Dialect,
        gate: LineGate,
        now: Tenths,
    ) -> Connection {
        Connection {
            address,
            io: Io {
                transport,
                registration: Registration::new(token),
                inbox: Inbox::new(),
                outbox: Outbox::new(),
            },
            session,
            gate,
            life: Lifecycle {
                last_input: now,
                stalled_since: Tenths::NEVER,
                ..Lifecycle::default()
            },
            deferred: None,
            held: Held::default(),
            share: ShareId::default(),
            lane: 0,
            in_flush_queue: false,
            in_line_queue: false,
            has_gap: false,
        }
    }

    /// What the poller is to be asked for: readable unless paused, ended or gone; writable only
    /// while the outbox holds something that a direct write could not get rid of.
    #[inline]
    pub fn interest(&self, bounds: &Bounds) -> Interest {
        let readable = match self.life.phase {
            Phase::Open => {
                !self.life.input_ended
                    && self.io.inbox.room(bounds.inbox) > 0
                    && !self.is_over_soft_limit(bounds)
            }
            Phase::Lingering => !self.life.input_ended,
            Phase::Leaving | Phase::Draining | Phase::Gone => false,
        };
        let writable = !self.io.outbox.is_empty()
            && self.life.phase != Phase::Gone
            && !self.io.transport.is_opening();
        // What a layer over the socket needs for itself comes on top.
        let own = self.io.transport.wants();
        Interest { readable: readable || own.readable, writable: writable || own.writable }
    }

    /// Whether the poller has to be asked for something else before the next wait.
    pub fn is_watched_wrongly(&self, bounds: &Bounds) -> bool {
        let wrong = |known: Interest| known != self.interest(bounds);
        self.life.hung_up || self.io.registration.interest().is_some_and(wrong)
    }

    /// Asks the poller for what the state says, if it does not know yet. Inlined: the flush calls it
    /// behind every write.
    #[inline(always)]
    pub fn update_interest(&mut self, poller: &mut Poller, bounds: &Bounds) -> io::Result<()> {
        if self.life.hung_up {
            return self.io.unwatch(poller);
        }
        let wanted = self.interest(bounds);
        self.io.registration.set(poller, &self.io.transport, wanted)
    }

    /// Reads once, as far as there is room; what came and is to be understood is in the inbox then.
    /// `true` if something is to be done about it.
    pub fn read(&mut self, scratch: &mut [u8], bounds: &Bounds, now: Tenths) -> bool {
        let open = self.life.phase == Phase::Open;
        let room = match self.life.phase {
            Phase::Open if self.life.input_ended => 0,
            Phase::Open => self.io.inbox.room(bounds.inbox).min(scratch.len()),
            Phase::Leaving | Phase::Draining | Phase::Lingering => scratch.len(),
            Phase::Gone => 0,
        };
        if room == 0 {
            return false;
        }
        match self.io.transport.read(&mut scratch[..room]) {
            Received::Bytes(count) if open => {
                self.life.last_input = now;
                self.io.inbox.receive(&scratch[..count]);
            }
            Received::Bytes(_) => return false, // sent after the farewell
            // A broken connection has nothing to wait for.
            Received::WouldBlock if self.life.hung_up => self.life.input_ended = true,
            // A handshake may have received something, and goes on in its turn.
            Received::WouldBlock => return self.io.transport.is_opening(),
            Received::Ended => self.life.input_ended = true,
            Received::Failed(error) => {
                self.life.input_ended = true;
                self.life.hung_up = true;
                self.life.blame(|| error.kind().to_string());
            }
        }
        true
    }

    /// Its session has been spoken with: counts what it holds of its input now.
    pub fn count_held(&mut self) {
        self.held.set(self.session.held());
    }

    /// The memory behind its input, and behind what TLS keeps of its output.
    pub fn held(&self) -> usize {
        self.io.inbox.held() + self.io.transport.held() + self.held.bytes()
    }

    /// Its own lines wait because it does not read what it is sent.
    pub fn is_over_soft_limit(&self, bounds: &Bounds) -> bool {
        self.io.outbox.len() > bounds.outbox_soft
    }

    /// Queues bytes for it. `false` if that takes its send queue over the hard limit.
    #[inline(always)]
    pub fn queue(&mut self, segment: &Segment, bounds: &Bounds) -> bool {
        if !self.takes_output() {
            return true;
        }
        match &mut self.deferred {
            Some(deferred) => deferred.push(segment),
            None => self.io.outbox.push(segment),
        }
        self.queued() <= bounds.outbox_hard
    }

    /// Whether anything more may be queued for it. Where what waited was dropped, maybe behind half a
    /// line, nothing may follow.
    fn takes_output(&self) -> bool {
        !matches!(self.life.phase, Phase::Lingering | Phase::Gone)
    }

    /// How many bytes wait for it, deferred ones included.
    pub fn queued(&self) -> usize {
        self.io.outbox.len() + self.deferred.as_ref().map_or(0, |deferred| deferred.bytes())
    }

    /// Drops all that waits for it; its socket closes with a reset.
    pub fn discard_output(&mut self) {
        self.clear_output();
        self.life.reset = true;
    }

    /// The same without a reset: it could not read what waits for it.
    pub fn clear_output(&mut self) {
        self.io.outbox.clear();
        self.deferred = None;
    }

    /// From here on output waits for the answer to this query.
    pub fn defer(&mut self, query: QueryId) {
        self.deferred.get_or_insert_default().wait_for(query);
    }

    /// Keeps a segment until it is known whether the peer is to be sent it: never, where all speak IRC.
    pub fn buffer_early(&mut self, segment: &Segment) {
        if self.session.expects() == Some(Protocol::Irc) {
            return;
        }
        self.deferred.get_or_insert_default().buffer(segment);
    }

    /// The segments kept so far.
    pub fn take_early_buffer(&mut self) -> Vec<Segment> {
        let deferred = self.deferred.take();
        deferred.map_or_else(Vec::new, |deferred| deferred.into_segments().collect())
    }

    /// What has been deferred, so that a line can go ahead of it.
    pub fn set_aside(&mut self) -> Option<Box<DeferredOutput>> {
        self.deferred.take()
    }

    /// Defers it again.
    pub fn put_back(&mut self, deferred: Option<Box<DeferredOutput>>) {
        self.deferred = deferred;
    }

    /// Whether output waits for the answer to this query.
    pub fn awaits(&self, query: QueryId) -> bool {
        self.deferred.as_ref().is_some_and(|deferred| deferred.awaits(query))
    }

    /// Whether it is sent nothing more by what is queued now.
    pub fn is_drained(&self) -> bool {
        self.io.unsent() == 0 && self.deferred.is_none()
    }

    /// An answer is here, or will not come.
    pub fn release(&mut self, query: QueryId, answer: Option<Segment>) {
        let takes_output = self.takes_output();
        if let Some(deferred) = &mut self.deferred
            && (!takes_output || deferred.release(query, answer, &mut self.io.outbox))
        {
            self.deferred = None;
        }
    }

    /// Whether there is a layer over its socket.
    pub fn is_encrypted(&self) -> bool {
        self.io.transport.layer().is_some()
    }

    /// How its lines look.
    pub fn format(&self) -> Format {
        if self.life.withdrawn { Format::Nothing } else { self.session.format() }
    }

    /// No more lines are taken from it.
    pub fn leave(&mut self, words: Option<Arc<str>>, farewell: String) {
        self.life.phase = Phase::Leaving;
        self.io.inbox = Inbox::new();
        let reason = self.life.reason.get_or_insert_default();
        (reason.words, reason.farewell) = (words, Some(farewell));
    }
}
