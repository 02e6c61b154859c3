//! How does a client's proof of an account get to the worker, and its outcome back?
//!
//! SASL is for who is not in yet as well as for who is. Who is in logs in by a record, as with
//! `/login`; who is not keeps the proof until the record that lets them in.

use super::turn::Server;
use crate::chat::{Change, Outcome, Purpose};
use crate::reactor::Token;
use crate::session::irc::Proof;

impl Server {
    /// Hands a step of SASL to the worker.
    pub(super) fn prove(&mut self, token: Token, proof: Proof) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let (host, now) = (connection.address.ip().to_string(), self.moment);
        let work = match proof {
            Proof::Password(name, secret) => self.hub.login_work(&host, &name, secret, now),
            Proof::Begin(name) => self.hub.challenge_work(&host, &name, now),
            Proof::Scram(name, said) => self.hub.proof_work(&host, &name, said, now),
        };
        if !work.is_ok_and(|work| self.hand_over(token, work)) {
            self.fail_sasl(token);
        }
    }

    /// Nothing comes of an exchange, if there is one.
    pub(super) fn fail_sasl(&mut self, token: Token) {
        self.with_irc(token, true, |session, view, out| session.fail_sasl(view, out));
    }

    /// Whether an outcome is an answer to SASL that the chat has no part in: a step of SCRAM, or
    /// the proof of somebody who is not in yet.
    pub(super) fn take_sasl_step(
        &mut self,
        token: Token,
        purpose: &Purpose,
        outcome: &Outcome,
    ) -> bool {
        match (purpose, outcome) {
            (_, Outcome::Challenge(challenge)) => {
                self.with_irc(token, true, |session, view, out| {
                    session.challenged(challenge, view, out);
                });
                true
            }
            (Purpose::Login(account), Outcome::Signed(signature)) => {
                self.with_irc(token, true, |session, view, out| {
                    session.signed(account, signature, view, out);
                });
                true
            }
            (Purpose::Login(account), _) if self.hub.user(Self::session(token)).is_none() => {
                let fits =
                    matches!(outcome, Outcome::Verified(true) | Outcome::VerifiedWithKeys(..));
                if !fits && let Some(connection) = self.connections.get_mut(token) {
                    let host = connection.address.ip().to_string().into();
                    self.record(token, Change::LoginFailed { account: account.clone(), host });
                }
                let admitted = fits && self.hub.may_act_for(account, self.moment).is_ok();
                let account = Some(account.clone()).filter(|_| admitted);
                let mut actions = Vec::new();
                self.with_irc(token, true, |session, view, out| {
                    session.proved(account, view, out);
                    session.go_on(view, out, &mut actions);
                });
                self.perform(token, actions);
                true
            }
            _ => false,
        }
    }
}
