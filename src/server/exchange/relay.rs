//! Connections that come by a proxy: whose they are, and as whose they count from then on.

use super::Exchange;
use crate::server::address::{PeerAddress, Via};
use crate::server::admission::{RelayOutcome, is_flood_limited, work_limit};
use crate::server::net::PeerTimer;
use crate::server::stats::Counter;
use crate::session::Relay;
use crate::wire::proxy::{Header, header};
use chatloop_reactor::Token;
use log::debug;
use std::time::Duration;

/// How long a peer of `--proxy-from` may be silent before it is taken for a client. A proxy that
/// writes a header does so at once.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(1);

impl Exchange {
    /// Something has told where a connection comes from.
    pub(super) fn relay(&mut self, token: Token, relay: Relay) {
        let Some(connection) = self.net.connection(token) else { return };
        let peer = connection.address;
        let trusted = self.live.config().is_proxy(peer.ip());
        let client = match relay {
            Relay::Header(client) => {
                let client = client.map(|it| (it.ip(), Some(it.port())));
                let (ip, port) = client.unwrap_or((peer.ip(), None));
                peer.relayed(ip, port, Via::Proxy)
            }
            Relay::BadHeader(why) => {
                let why = format!("PROXY header: {why}");
                return self.reject_relay(token, &why, None);
            }
            Relay::Gateway { .. } if !trusted => {
                let why = "WEBIRC is only for gateways of this server (--proxy-from)";
                return self.reject_relay(token, why, Some(why));
            }
            Relay::Gateway { password, ip } => {
                let config = self.live.config();
                if config.webirc_password.as_ref().is_some_and(|right| *right != password) {
                    let why = "wrong password for WEBIRC (--webirc-password)";
                    return self.reject_relay(token, why, Some(why));
                }
                let Some(ip) = ip else {
                    let why = "WEBIRC: expected an IP address as the fourth parameter";
                    return self.reject_relay(token, why, Some(why));
                };
                peer.relayed(ip, None, Via::Proxy)
            }
            Relay::Forwarded(ip) => {
                if !trusted {
                    self.admission.hint_at_proxy(&peer);
                }
                let ip = ip.filter(|_| trusted).unwrap_or(peer.ip());
                peer.relayed(ip, None, Via::Forwarded { trusted })
            }
        };
        self.count_as(token, &peer, &client)
    }

    /// A connection counts as its client's from here on, if its client is admitted.
    fn count_as(&mut self, token: Token, peer: &PeerAddress, client: &PeerAddress) {
        if !self.net.is_admitted(token) {
            if let Some(connection) = self.net.connection(token) {
                // It counts as its proxy's, which is told why it was not admitted.
                connection.address = peer.relayed(peer.ip(), None, Via::Proxy);
            }
            return self.await_first_bytes(token);
        }
        let (hub, config) = (self.engine.hub(), self.live.config());
        match self.admission.relay(peer, client, &mut self.net, hub, config) {
            RelayOutcome::Admitted => {}
            RelayOutcome::Rejected(reason) => {
                self.net.relocate(token, *client, None);
                self.broadcast.take_early(&mut self.net, token);
                let Some(connection) = self.net.connection(token) else { return };
                connection.life.reject(reason.clone());
                if connection.session.is_undecided() {
                    return self.await_first_bytes(token);
                }
                self.speak(token, |session, _, out| session.reject(&reason, out));
                return self.drain(token);
            }
            RelayOutcome::Dropped => {
                self.net.with(token, |it| it.discard_output());
                return self.gone(token);
            }
        }
        debug!("{client}: connected by {peer}");
        let (limited, now) = (is_flood_limited(config, client), self.net.now());
        self.net.relocate(token, *client, work_limit(config, client));
        let Some(connection) = self.net.connection(token) else { return };
        connection.gate.limit_flood(limited, now);
        if connection.session.is_undecided() {
            self.await_first_bytes(token);
        }
    }

    /// What a proxy says makes no sense, or comes from none: the connection closes.
    fn reject_relay(&mut self, token: Token, why: &str, farewell: Option<&str>) {
        self.stats.count(Counter::Relays);
        self.turn_away(token, why, farewell);
    }

    /// The client's protocol is to be detected.
    fn await_first_bytes(&mut self, token: Token) {
        let delay = self.live.config().detection_timeout();
        if delay.is_zero() {
            self.stop_detecting(token);
        } else {
            self.net.arm(token, delay, PeerTimer::Detection.of(token));
        }
    }

    /// Detection is over while a header might still have come; whether it goes on without one.
    pub(super) fn stop_awaiting_header(&mut self, token: Token) -> bool {
        let Some(connection) = self.net.connection(token) else { return false };
        if connection.address.via() != Via::NewProxy {
            return true;
        }
        let input = connection.io.inbox.pending();
        match header(input) {
            Header::NeedMore if !input.is_empty() => {
                self.reject_relay(token, "PROXY header: it does not come in full", None);
                false
            }
            Header::NeedMore | Header::Absent => {
                let peer = connection.address;
                connection.address = peer.relayed(peer.ip(), None, Via::Proxy);
                true
            }
            // It is the next unit of input.
            Header::Client(..) | Header::Bad(_) => false,
        }
    }
}
