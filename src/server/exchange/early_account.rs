//! An account for a peer that has not entered yet, where that is allowed (`--registration`).

use super::{Exchange, session};
use crate::chat::{Name, Secret};
use crate::session::ProofAnswer;
use chatloop_reactor::Token;

impl Exchange {
    /// Makes it, or tells the peer why not.
    pub(super) fn register_early(&mut self, token: Token, name: &str, secret: Secret) {
        let Some(connection) = self.net.connection(token) else { return };
        let host = connection.address.ip().to_string();
        let (hub, now) = (self.engine.hub(), self.net.moment());
        let work = hub
            .admits(&host, now)
            .and_then(|()| hub.early_registration(session(token), name, secret));
        let submitted = work.and_then(|work| self.submit(token, work));
        self.fail_proof(token, submitted);
    }

    /// It is there: its owner enters.
    pub(super) fn registered_early(&mut self, token: Token, account: &Name) {
        let claim = self.engine.hub().claim(account.as_str());
        self.answer_proof(token, ProofAnswer::Registered(claim));
        self.perform(token);
    }
}
