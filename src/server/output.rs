//! What leaves: private words, the flush, and the reaper.
//!
//! Invariant: bytes are written to sockets in [`Server::flush`] and nowhere else; connections are
//! taken out in [`Server::reap`] and nowhere else. Everybody else queues and marks, so nobody
//! edits a list while somebody walks it, and a failed write cannot re-enter the hub.

use super::connection::Phase;
use super::turn::{Due, Server};
use crate::chat::SessionId;
use crate::reactor::{Inbox, Token, Written};
use crate::session::{Dialect, irc, plain};
use log::{debug, error, warn};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes written to one connection per turn, more or less: the rest goes when the poller says
/// that it is writable, after everybody else has had a turn.
const WRITE_SHARE: usize = 256 * 1024;

/// How long a peer that is to go may take to read what it is still owed.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a peer may take to close its half after our goodbye.
const LINGER: Duration = Duration::from_secs(1);

impl Server {
    /// Queues one line of the server's own for one connection.
    pub(super) fn tell(&mut self, token: Token, text: &str) {
        let Some(connection) = self.connections.get_mut(token) else {
            return self.tell_operator(token, text);
        };
        match &connection.session {
            Dialect::Undecided(session) | Dialect::Locked(session, _) | Dialect::Plain(session) => {
                let look = session.look();
                let segment = self.delivery.encode(|line| plain::render_notice(look, text, line));
                self.touched.queue(token, connection, &segment, &self.bounds);
            }
            Dialect::Irc(_) => {
                self.with_irc(token, true, |session, view, out| session.notice(text, view, out));
            }
        }
    }

    /// Queues the last line for one connection.
    pub(super) fn say_last(&mut self, token: Token, text: &str) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.session.irc().is_some() {
            self.with_irc(token, false, |_, _, out| irc::Session::error(text, out));
        } else {
            self.tell(token, text);
        }
    }

    /// Writes what is queued, once per connection, and asks the poller for what is left to ask.
    pub(super) fn flush(&mut self) {
        let mut to_flush = std::mem::take(&mut self.touched.to_flush);
        for token in to_flush.drain(..) {
            self.flush_one(token);
        }
        // Its memory is used again, unless something was marked meanwhile.
        if self.touched.to_flush.is_empty() {
            self.touched.to_flush = to_flush;
        }
        // Judged after the write: what the socket has taken is owed no more.
        for token in std::mem::take(&mut self.touched.overrun) {
            self.drop_overrun(token);
        }
        self.delivery.rewind();
    }

    fn flush_one(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.in_flush_list = false;
        if !connection.outbox.is_empty() {
            let before = connection.outbox.len();
            match connection.outbox.write_to(&mut connection.transport, WRITE_SHARE) {
                Written::All | Written::Some => {}
                Written::Failed(error) => {
                    // What it said before it broke still counts: reading goes on to the end.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        connection.blame(|| error.kind().to_string());
                    }
                    if connection.phase == Phase::Open {
                        connection.hung_up = true;
                        self.look_at_input(token);
                    } else {
                        self.remove_later(token);
                    }
                }
            }
            let Some(connection) = self.connections.get_mut(token) else { return };
            self.bytes_out += (before - connection.outbox.len()) as u64;
        }
        self.after_flush(token);
    }

    fn after_flush(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let owed_nothing = connection.outbox.is_empty() && !connection.is_held();
        if owed_nothing && connection.phase == Phase::Draining {
            connection.transport.shutdown_write();
            connection.phase = Phase::Lingering;
            if connection.input_ended {
                self.remove_later(token);
            } else {
                self.arm(token, self.now + LINGER, Due::LingerEnd(token));
            }
        } else if connection.waits_for_outbox && !connection.paused(&self.bounds) {
            connection.waits_for_outbox = false;
            self.look_at_input(token);
        }
        self.update_interest(token);
    }

    /// Asks the poller for what the connection's state says, if it does not know yet.
    fn update_interest(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.hung_up {
            return self.unwatch(token);
        }
        let wanted = connection.interest(&self.bounds);
        if connection.registered.is_some_and(|known| known != wanted) {
            connection.registered = Some(wanted);
            if let Err(error) = self.poller.modify(&connection.transport, token, wanted) {
                warn!("{}: cannot be watched any more: {error}", connection.address);
                self.remove_later(token);
            }
        }
    }

    /// Over the hard limit: it does not read, and others must not pay for it.
    fn drop_overrun(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let (waiting, limit) = (connection.owed(), self.config.outbox_hard);
        if connection.phase == Phase::Gone || waiting <= limit.0 {
            return;
        }
        warn!(
            "{}: dropped: {waiting} bytes wait for it, over the limit of {limit} (--outbox-hard)",
            connection.address
        );
        connection.outbox.clear();
        connection.blame(|| "too slow, over --outbox-hard".to_owned());
        self.gone(token);
    }

    /// The connection is over: the others are told, the reaper takes it.
    pub(super) fn gone(&mut self, token: Token) {
        self.record_leave(token);
        self.remove_later(token);
    }

    /// The reaper takes it at the end of this turn.
    pub(super) fn remove_later(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.phase != Phase::Gone {
            connection.phase = Phase::Gone;
            self.to_reap.push(token);
        }
    }

    /// Takes out who is gone, and closes the sockets.
    pub(super) fn reap(&mut self) {
        for token in std::mem::take(&mut self.to_reap) {
            self.record_leave(token);
            self.unwatch(token);
            self.end_of_waiting(token);
            let Some(mut connection) = self.connections.remove(token) else { continue };
            debug!("{}: closed", connection.address);
            if let Some(timer) = connection.timer.take() {
                self.timers.cancel(timer);
            }
            self.delivery.leave(connection.channel);
            if connection.session.irc().is_some_and(irc::Session::step_away) {
                self.counts.remove_unregistered();
            }
            if connection.counted {
                self.addresses.leave(connection.address.ip());
            }
        }
    }

    /// Sets the connection's one timer.
    pub(super) fn arm(&mut self, token: Token, when: Instant, due: Due) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if let Some(old) = connection.timer.replace(self.timers.arm(when, due)) {
            self.timers.cancel(old);
        }
    }

    /// Whatever the connection's timer was for is over.
    pub(super) fn disarm(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token)
            && let Some(timer) = connection.timer.take()
        {
            self.timers.cancel(timer);
        }
    }

    /// Looks at the idle limit, if there is one: once at the beginning, then when the time that is
    /// left has passed. So a busy connection costs no timer work at each line.
    pub(super) fn arm_idle(&mut self, token: Token) {
        let Some(limit) = self.config.idle_timeout.on() else { return };
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.phase != Phase::Open || connection.input_ended {
            return;
        }
        let deadline = connection.last_heard + limit.duration();
        if deadline > self.now {
            return self.arm(token, deadline, Due::Idle(token));
        }
        debug!("{}: idle", connection.address);
        connection.blame(|| "idle".to_owned());
        self.leave_with(
            token,
            None,
            format!("goodbye: nothing heard for {limit} s (--idle-timeout)"),
        );
    }

    /// Takes nothing more from it and lets it leave the chat; `farewell` is the last it is told.
    pub(super) fn leave_with(&mut self, token: Token, said: Option<Arc<str>>, farewell: String) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.phase = Phase::Leaving;
        connection.inbox = Inbox::new();
        let parting = connection.parting.get_or_insert_default();
        (parting.said, parting.farewell) = (said, Some(farewell));
        if connection.entered {
            self.record_leave(token);
        } else {
            self.say_farewell(token);
        }
    }

    /// Its leaving is in force, and it has heard what was said until then.
    pub(super) fn say_farewell(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let farewell = connection.parting.as_mut().and_then(|parting| parting.farewell.take());
        if let Some(farewell) = farewell {
            self.say_last(token, &farewell);
            self.start_draining(token);
        }
    }

    /// What it is owed is still sent, then the connection ends.
    pub(super) fn start_draining(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if !matches!(connection.phase, Phase::Open | Phase::Leaving) {
            return;
        }
        connection.phase = Phase::Draining;
        connection.inbox = Inbox::new();
        if connection.session.irc().is_some_and(irc::Session::step_away) {
            self.counts.remove_unregistered();
        }
        self.touched.flush_later(token, connection);
        self.arm(token, self.now + DRAIN, Due::LingerEnd(token));
    }

    /// Stops asking the poller about it.
    pub(super) fn unwatch(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if connection.registered.take().is_some()
            && let Err(error) = self.poller.remove(&connection.transport)
        {
            error!("{}: cannot stop watching: {error}", connection.address);
        }
    }

    /// The session of a connection, as the hub knows it.
    pub(super) fn session(token: Token) -> SessionId {
        SessionId(token.to_bits())
    }
}
