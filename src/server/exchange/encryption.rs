//! TLS on a connection: it begins, it is done, or it fails; and who must have it.

use super::Exchange;
use crate::chat::{Claim, Command, Event, Name, Outcome, Purpose, Refusal};
use crate::server::connection::Connection;
use crate::server::net::PeerTimer;
use crate::server::stats::Counter;
use crate::session::{Action, ProofAnswer};
use chatloop_reactor::Token;
use log::info;
use std::sync::Arc;

impl Exchange {
    /// The first bytes are those of a handshake: they become the first that a layer over the socket
    /// receives.
    pub(super) fn start_tls(&mut self, token: Token) {
        let Some(connection) = self.net.connection(token) else { return };
        let answer = match self.live.tls() {
            _ if connection.is_encrypted() => "TLS inside TLS is not served",
            None => "this port does not speak TLS; connect without it",
            Some(acceptor) => {
                let Connection { io, .. } = connection;
                io.transport.cover(acceptor.begin(), io.inbox.pending());
                io.inbox.consume(io.inbox.len());
                let limit = self.live.config().tls_timeout.duration();
                self.net.arm(token, limit, PeerTimer::Handshake.of(token));
                return self.net.look_at_input(token);
            }
        };
        let farewell = Some(answer.to_owned());
        self.perform_one(token, Action::Reject { why: "TLS is off (--tls)", farewell });
    }

    /// The handshake is done: detection begins again with what comes inside, and some of that may
    /// have come already.
    pub(super) fn secured(&mut self, token: Token) {
        self.net.read(token);
        let delay = self.live.config().detection_timeout();
        self.net.arm(token, delay, PeerTimer::Detection.of(token));
    }

    /// It has failed: what TLS has to say about it is sent, and the connection closes.
    pub(super) fn handshake_failed(&mut self, token: Token, why: &str) {
        self.broadcast.take_early(&mut self.net, token);
        self.stats.count(Counter::Handshakes);
        self.net.with(token, |it| info!("{}: closed: TLS handshake failed: {why}", it.address));
        self.drain(token);
    }

    /// The fingerprint of the certificate that a connection has shown, with its key proved.
    fn certificate_of(&mut self, token: Token) -> Option<Arc<str>> {
        let identity = self.net.connection(token)?.io.transport.layer()?.identity()?;
        let digits: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(digits.into())
    }

    /// Whether that is all, as for every command.
    pub(super) fn add_certificate(&mut self, token: Token) -> bool {
        let Some(fingerprint) = self.certificate_of(token) else {
            self.reply(token, &Event::Refused(Refusal::NoCertificate));
            return true;
        };
        self.decide(token, Command::Certificate(fingerprint, true))
    }

    /// SASL EXTERNAL.
    pub(super) fn prove_by_certificate(&mut self, token: Token, named: Option<&str>) {
        match self.account_by_certificate(token) {
            Some(claim) if named.is_none_or(|name| claim.account == Name::new(name)) => {
                self.worked(token, Purpose::Login(claim), Outcome::Verified(true));
            }
            _ => self.answer_proof(token, ProofAnswer::Failed),
        }
    }

    /// The same as a command.
    pub(super) fn log_in_by_certificate(&mut self, token: Token) {
        match self.account_by_certificate(token) {
            Some(claim) => self.worked(token, Purpose::Login(claim), Outcome::Verified(true)),
            None if self.certificate_of(token).is_none() => {
                self.reply(token, &Event::Refused(Refusal::NoCertificate));
            }
            None => self.notice(token, "no account knows the certificate of your connection"),
        }
    }

    fn account_by_certificate(&mut self, token: Token) -> Option<Claim> {
        let fingerprint = self.certificate_of(token)?;
        let hub = self.engine.hub();
        Some(hub.claim(hub.account_of_certificate(&fingerprint)?.as_str()))
    }

    /// The time for the handshake is over.
    pub(super) fn end_handshake(&mut self, token: Token) {
        let connection = self.net.connection(token);
        if connection.is_some_and(|connection| connection.io.transport.is_opening()) {
            let limit = self.live.config().tls_timeout.0;
            self.handshake_failed(token, &format!("no handshake in {limit} s (--tls-timeout)"));
        }
    }
}
