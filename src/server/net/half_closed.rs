//! Peers that have sent their last byte and may still listen: are they there?

use super::{Net, PeerTimer, set_timer};
use crate::server::connection::Phase;
use chatloop_reactor::Token;
use log::debug;
use std::time::Duration;

/// Distance of the first look at a connection whose input has ended; each next one is twice as
/// far, up to [`LONGEST_PROBE_PAUSE`]. Only where the poller cannot say that a peer is gone
/// (select; kqueue without a filter) does anything depend on it.
const FIRST_PROBE_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PROBE_PAUSE: Duration = Duration::from_secs(60);

/// How long the first line to a peer whose input ended at once may stay unacknowledged.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// How long a half-closed connection may be silent before the system asks whether the peer is
/// still there.
const HALF_CLOSED_PROBE: Duration = Duration::from_secs(15);

impl Net {
    /// The input of a connection has ended, and it listens on; whether that is news.
    pub(in crate::server) fn half_close(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        if std::mem::replace(&mut connection.life.half_closed, true) {
            return false;
        }
        // If it closes its other half later, nothing arrives to tell us. The system can ask.
        if let Err(error) = connection.io.transport.keep_alive(HALF_CLOSED_PROBE) {
            debug!("{}: no keep-alive: {error}", connection.address);
        }
        true
    }

    /// Whether a peer has sent nothing at all, and will not.
    pub(in crate::server) fn is_mute(&self, token: Token) -> bool {
        self.connections.get(token).is_some_and(|connection| {
            connection.life.input_ended
                && connection.life.counted
                && connection.io.inbox.is_empty()
                && connection.session.is_undecided()
        })
    }

    /// Whether the peer's system has acknowledged all it was sent, or has had its time to; looks
    /// again soon if not.
    pub(in crate::server) fn is_acknowledged(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        let until_now = FIRST_PROBE_PAUSE * ((1 << connection.life.probes.min(16)) - 1);
        let left = ACKNOWLEDGEMENT.saturating_sub(until_now);
        let sent = connection.io.outbox.is_empty();
        if left.is_zero() || (sent && connection.io.transport.unacknowledged() == Some(0)) {
            connection.life.probes = 0;
            return true;
        }
        let pause = (FIRST_PROBE_PAUSE * (1 << connection.life.probes)).min(left);
        connection.life.probes += 1;
        let when = self.clock.now() + pause;
        set_timer(connection, &mut self.timers, when, PeerTimer::Acknowledgement.of(token));
        false
    }

    /// Whether the system still knows a peer at the other end.
    pub(in crate::server) fn has_peer(&self, token: Token) -> bool {
        self.connections.get(token).is_some_and(|it| it.io.transport.has_peer())
    }

    /// Whether a half-closed peer is still there; if so, looks again later.
    pub(in crate::server) fn probe(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return true };
        if connection.life.phase != Phase::Open {
            return true;
        }
        if !connection.io.transport.has_peer() {
            return false;
        }
        let probes = &mut connection.life.probes;
        let pause = FIRST_PROBE_PAUSE.saturating_mul(1 << (*probes).min(16));
        *probes = probes.saturating_add(1);
        let when = self.clock.now() + pause.min(LONGEST_PROBE_PAUSE);
        set_timer(connection, &mut self.timers, when, PeerTimer::Probe.of(token));
        true
    }
}
