//! The end of a connection: drained, closed, taken out.

use super::{Net, PeerTimer, mark_gone, set_timer, unwatch};
use crate::server::connection::{Connection, Phase};
use crate::trace::{self, Event};
use chatloop_reactor::{Inbox, Token};
use log::debug;
use std::time::Duration;

/// How long a peer may take to read what is queued when its connection is about to close.
const DRAIN: Duration = Duration::from_secs(10);

impl Net {
    /// What is queued is still sent, then the connection closes; it, unless that has begun before.
    pub(in crate::server) fn drain(&mut self, token: Token) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(token)?;
        if !matches!(connection.life.phase, Phase::Open | Phase::Leaving) {
            return None;
        }
        connection.life.phase = Phase::Draining;
        connection.io.inbox = Inbox::new();
        if connection.io.transport.is_opening() {
            connection.clear_output();
        }
        self.queues.flush_later(token, connection);
        let when = self.clock.now() + DRAIN;
        set_timer(connection, &mut self.timers, when, PeerTimer::Close.of(token));
        Some(connection)
    }

    /// The reaper takes it at the end of this turn.
    pub(in crate::server) fn close(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token) {
            mark_gone(token, connection, &mut self.to_reap);
        }
    }

    /// Takes out the next connection that is gone. Its socket closes when it is dropped.
    pub(in crate::server) fn next_to_reap(&mut self) -> Option<(Token, Connection)> {
        while let Some(token) = self.to_reap.pop_front() {
            let Some(mut connection) = self.connections.remove(token) else { continue };
            unwatch(&mut connection, &mut self.poller);
            if let Some(timer) = connection.life.timer.take() {
                self.timers.cancel(*timer);
            }
            let unfinished = connection.gate.unfinished();
            self.queues.input.leave(connection.share, unfinished);
            debug!("{}: closed", connection.address);
            self.trace.note(|| Event::Closed { client: trace::number(token) });
            return Some((token, connection));
        }
        None
    }

    /// Closes all that are left. What clients sent last is read first: to close a socket with
    /// unread input would send a reset, which may overtake the farewell.
    pub(in crate::server) fn close_all(&mut self) {
        for token in self.connections.tokens() {
            if let Some(mut connection) = self.connections.remove(token) {
                let _ = connection.io.transport.read(&mut self.scratch);
            }
        }
    }
}
