//! Deadlines: timers, and the silence of connections.

use super::{Net, PeerTimer, TimerKind, set_timer};
use crate::server::connection::Phase;
use chatloop_reactor::{TimerId, Token};
use log::debug;
use std::time::{Duration, Instant};

impl Net {
    /// The next timer that is due.
    pub(in crate::server) fn next_due(&mut self) -> Option<TimerKind> {
        let (now, due) = (self.clock.now(), self.timers.next_deadline()?);
        let timer = self.timers.pop_due(now)?;
        self.numbers.lags.add(now - due);
        Some(timer)
    }

    /// Sets a timer that belongs to no connection.
    pub(in crate::server) fn after(&mut self, pause: Duration, kind: TimerKind) -> TimerId {
        self.timers.arm(self.clock.now() + pause, kind)
    }

    /// The same at a moment.
    pub(in crate::server) fn at(&mut self, when: Instant, kind: TimerKind) {
        self.timers.arm(when, kind);
    }

    pub(in crate::server) fn cancel(&mut self, timer: TimerId) {
        self.timers.cancel(timer);
    }

    /// Sets the connection's one timer.
    pub(in crate::server) fn arm(&mut self, token: Token, pause: Duration, kind: TimerKind) {
        if let Some(connection) = self.connections.get_mut(token) {
            set_timer(connection, &mut self.timers, self.clock.now() + pause, kind);
        }
    }

    /// Whatever the connection's timer was for is over; from here on the idle limit counts.
    pub(in crate::server) fn start_idling(&mut self, token: Token, limit: Option<Duration>) {
        if let Some(connection) = self.connections.get_mut(token)
            && !connection.life.half_closed
            && let Some(timer) = connection.life.timer.take()
        {
            self.timers.cancel(*timer);
        }
        self.check_idle(token, limit);
    }

    /// Checks the idle limit, if there is one; whether it is exceeded. Once at the beginning, then
    /// when the time that is left has passed: so a busy connection costs no timer work at each line.
    pub(in crate::server) fn check_idle(&mut self, token: Token, limit: Option<Duration>) -> bool {
        let Some(limit) = limit else { return false };
        let Some(connection) = self.connections.get_mut(token) else { return false };
        if connection.life.phase != Phase::Open || connection.life.input_ended {
            return false;
        }
        let deadline = connection.life.last_input.after(self.started) + limit;
        if deadline > self.clock.now() {
            set_timer(connection, &mut self.timers, deadline, PeerTimer::Idle.of(token));
            return false;
        }
        debug!("{}: idle", connection.address);
        connection.life.blame(|| "idle".to_owned());
        true
    }
}
