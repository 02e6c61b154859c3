//! The flush: the one place where sockets are written to.

use super::{LINGER, Net, PeerTimer, mark_gone, set_timer};
use crate::chat::work::Cost;
use crate::server::connection::{Phase, Tenths};
use crate::server::gate::Blocked;
use crate::server::net::TimerKind;
use crate::server::stint::Stint;
use crate::trace::{self, Event};
use chatloop_reactor::{Token, Written};
use log::warn;
use std::hint::black_box;
use std::io;
use std::time::Duration;

/// Bytes written to one connection per turn, more or less: the rest goes when the poller says
/// that it is writable, after all others have had a turn.
const WRITE_SHARE: usize = 256 * 1024;

/// Up to so many unsent bytes, a connection is written to before those that have more.
const LIGHT: usize = 2 * 1024;

/// With so few to write to, a turn is short in any order. Tests have fewer.
const FEW: usize = if cfg!(test) { 1 } else { 600 };

/// Connections whose memory is fetched at once.
const BATCH: usize = 16;

/// How long a turn may write to those: a room of 2,000 takes about twice as long.
const FLUSHING: Duration = Duration::from_millis(8);

/// A write of a few KiB.
const WRITE: Cost = Cost(4_000);

impl Net {
    /// Writes what is queued, once per connection, and asks the poller for what is left to ask.
    ///
    /// Those with little to send come first: two users who talk to each other do not wait until a
    /// flooded room of thousands has been written to. Nor does their next line: what the others are
    /// not sent in time is sent in the next turn.
    pub(in crate::server) fn flush(&mut self) {
        let few = self.queues.output.len() + self.queues.heavy.len() <= FEW;
        let first = if few { usize::MAX } else { LIGHT };
        let mut to_flush = std::mem::take(&mut self.queues.output);
        for batch in to_flush.chunks(BATCH) {
            self.look_at(batch);
            for token in batch {
                self.flush_one(*token, first);
            }
        }
        to_flush.clear();
        if !self.queues.heavy.is_empty() {
            self.flush_heavy();
        }
        // Its memory is used again, unless something was marked meanwhile.
        if self.queues.output.is_empty() {
            self.queues.output = to_flush;
        }
    }

    /// Looks at each of these before the first is written to, if that one has a layer over its socket. A
    /// system call displaces from the caches what they held of the next connection, and a layer's memory
    /// lies three pointers away: fetched for all at once it costs little more than for one. Bare sockets
    /// would pay more than they gain.
    fn look_at(&self, batch: &[Token]) {
        let mut connections =
            batch.iter().filter_map(|token| self.connections.get(*token)).peekable();
        if connections.peek().is_some_and(|first| first.io.transport.layer().is_some()) {
            let ready =
                connections.filter(|it| it.io.unsent() > 0 && !it.io.transport.is_opening());
            black_box(ready.count()); // or the compiler would leave it out
        }
    }

    /// Writes to those with much to send, for as long as a turn may.
    fn flush_heavy(&mut self) {
        let mut stint = Stint::begin(&self.clock, FLUSHING);
        while !stint.is_over()
            && let Some(token) = self.queues.heavy.pop_front()
        {
            self.flush_one(token, usize::MAX);
            stint.add(WRITE, &self.clock);
        }
    }

    /// Puts a connection with more than `most` bytes to send off until the others have been written
    /// to. Inlined: a broadcast to thousands is thousands of these.
    #[inline(always)]
    pub(super) fn flush_one(&mut self, token: Token, most: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let before = connection.io.unsent();
        if before > most {
            self.queues.heavy.push_back(token);
            return;
        }
        connection.in_flush_queue = false;
        if before > 0 {
            match connection.io.write(WRITE_SHARE) {
                Written::All | Written::Some => {}
                Written::Failed(error) => {
                    // What it sent before it broke still counts: reading goes on to the end.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        connection.life.blame(|| error.kind().to_string());
                    }
                    if connection.life.phase == Phase::Open {
                        connection.life.hung_up = true;
                        self.queues.look_at_input(token, connection);
                    } else {
                        mark_gone(token, connection, &mut self.to_reap);
                    }
                }
            }
            let left = connection.io.unsent();
            let written = before.saturating_sub(left);
            self.trace.note(|| Event::Written {
                client: trace::number(token),
                bytes: trace::small(written),
                left: trace::small(left),
            });
            self.numbers.sent_bytes += written as u64;
            if left > 0 {
                self.trace.note_all(|| Event::queue(token, &connection.io.outbox));
            }
            if left == 0 {
                connection.life.stalled_since = Tenths::NEVER;
            } else if left < before || connection.life.stalled_since == Tenths::NEVER {
                connection.life.stalled_since = Tenths::since(self.started, self.clock.now());
                if let Some(when) = self.budget.watch(self.clock.now()) {
                    self.timers.arm(when, TimerKind::Stall);
                }
            }
        }
        let bounds = &self.queues.bounds;
        if connection.life.phase == Phase::Draining && connection.is_drained() {
            connection.io.transport.shutdown_write();
            connection.life.phase = Phase::Lingering;
            if connection.life.input_ended {
                mark_gone(token, connection, &mut self.to_reap);
            } else {
                let when = self.clock.now() + LINGER;
                set_timer(connection, &mut self.timers, when, PeerTimer::Close.of(token));
            }
        } else if !connection.is_over_soft_limit(bounds) && connection.gate.unblock(Blocked::OUTBOX)
        {
            self.queues.look_at_input(token, connection);
        }
        let bounds = &self.queues.bounds;
        if self.trace.is_on() && connection.is_watched_wrongly(bounds) {
            self.trace.note(|| Event::watch(token, connection.interest(bounds)));
        }
        if let Err(error) = connection.update_interest(&mut self.poller, bounds) {
            warn!("{}: cannot be watched: {error}", connection.address);
            mark_gone(token, connection, &mut self.to_reap);
        }
    }
}
