//! A connection that watches the loop, and what it is shown of the others.

use super::{Net, mark_gone};
use crate::server::connection::{Connection, Tenths};
use crate::server::gate::Blocked;
use crate::server::net::TimerKind;
use crate::trace::{self, Event, NO_CLIENT, Row, RowKind};
use chatloop_reactor::{Readiness, Segment, Token};

/// Connections, and timers, that a page is shown of; beyond them it is told how many there are.
const MOST_SHOWN: usize = 16_384;
const TIMERS_SHOWN: usize = 16;

impl Net {
    /// Reads what a page has sent; whether it is still there. It is on no list, so that it is served
    /// by itself.
    pub(in crate::server) fn read_alone(&mut self, ready: Readiness) -> bool {
        let Some(connection) = self.connections.get_mut(ready.token) else { return false };
        if ready.readable || ready.hangup {
            let now = Tenths::since(self.started, self.clock.now());
            let before = connection.io.inbox.len();
            connection.read(&mut self.scratch, &self.queues.bounds, now);
            self.numbers.received_bytes += (connection.io.inbox.len() - before) as u64;
            self.trace.forget_faults();
        }
        !ready.hangup && !connection.life.input_ended && !connection.life.hung_up
    }

    /// Writes what is queued for one connection now, and not in the flush of a turn.
    pub(in crate::server) fn flush_alone(&mut self, token: Token) {
        self.queues.output.retain(|queued| *queued != token);
        self.flush_one(token, usize::MAX);
        self.trace.forget_faults();
    }

    /// Sends a page something.
    pub(in crate::server) fn send_alone(&mut self, token: Token, segment: &Segment) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.queue(segment, &self.queues.bounds) {
            self.flush_alone(token);
        } else {
            connection.discard_output();
            mark_gone(token, connection, &mut self.to_reap);
        }
    }

    /// The bounds of an inbox, and of a send queue.
    pub(in crate::server) fn bounds(&self) -> (usize, usize, usize) {
        let bounds = &self.queues.bounds;
        (bounds.inbox, bounds.outbox_soft, bounds.outbox_hard)
    }

    /// Rows for all connections, each followed by what `name` says it is called.
    pub(in crate::server) fn write_states(
        &self,
        out: &mut Vec<u8>,
        mut name: impl FnMut(Token, &Connection) -> String,
    ) {
        let shown = self.connections.iter().filter(|(token, _)| !self.trace.is_hidden(*token));
        for (token, connection) in shown.take(MOST_SHOWN) {
            let client = trace::number(token);
            let watched = connection.interest(&self.queues.bounds);
            let full = self.queues.input.is_full(connection.share);
            let origin = if full { Blocked::ORIGIN.bits() } else { 0 };
            let state = Row {
                kind: RowKind::State,
                a: u8::from(watched.readable) | u8::from(watched.writable) << 1,
                b: u16::from(connection.gate.reasons() | origin),
                client,
                x: connection.io.inbox.len() as u64,
                y: connection.io.unsent() as u64,
            };
            state.write(out);
            if connection.io.unsent() > 0 {
                Event::queue(token, &connection.io.outbox).for_each(|it| it.row().write(out));
            }
            Row { kind: RowKind::Name, client, ..Row::default() }
                .write_text(&name(token, connection), out);
        }
    }

    /// Rows for the time, and for the timers that will be due next.
    pub(in crate::server) fn write_timers(&self, out: &mut Vec<u8>) {
        let now = self.clock.now() + self.clock.spent();
        let count = trace::small(self.timers.len());
        let time = |when| self.trace.since_began(when) as u64;
        let connections = self.connections.len() as u64;
        Row { kind: RowKind::Now, client: count, x: time(now), y: connections, ..Row::default() }
            .write(out);
        for (when, kind) in self.timers.iter().take(TIMERS_SHOWN) {
            let client = match kind {
                TimerKind::Peer(token, _) => trace::number(*token),
                _ => NO_CLIENT,
            };
            let row = Row { kind: RowKind::Deadline, client, x: time(when), ..Row::default() };
            row.write_text(kind.name(), out);
        }
    }
}
