//! Certificates of clients: the owner of the key of one that an account knows may log in to it.
//!
//! An account knows a certificate by its fingerprint, and only learns the one of the connection that
//! adds it: its key is proved by then, so no one can claim another's certificate. One certificate
//! belongs to one account.

use super::applying::Applying;
use crate::chat::api::{AccountStep, Command, Decision, Event};
use crate::chat::log::Change;
use crate::chat::model::{Name, Refusal, Result, below, limits};
use crate::chat::state::{Hub, User};
use std::sync::Arc;

impl Hub {
    /// The account that knows this certificate.
    pub fn account_of_certificate(&self, fingerprint: &str) -> Option<&Name> {
        self.certificates.get(fingerprint)
    }

    /// The certificates that a user's account knows.
    ///
    /// # Errors
    /// The user is not logged in.
    pub fn certificates_of(&self, user: &User) -> Result<&[Arc<str>]> {
        let name = user.identity.account.as_ref().ok_or(Refusal::NotLoggedIn)?;
        Ok(self.accounts.get(name).map_or(&[], |account| &account.certificates))
    }

    pub(super) fn decide_certificate(&self, user: &User, command: Command) -> Result<Decision> {
        let known = self.certificates_of(user)?;
        let Command::Certificate(fingerprint, on) = command else {
            return Ok(Decision::Reply(Event::Certificates(known.to_vec())));
        };
        self.may_certify(user, &fingerprint, on)?;
        Ok(Decision::Change(Change::Certificate { fingerprint, on }))
    }

    fn may_certify(&self, user: &User, fingerprint: &str, on: bool) -> Result<()> {
        let known = self.certificates_of(user)?;
        match (on, self.certificates.contains_key(fingerprint)) {
            (false, _) if known.iter().any(|it| **it == *fingerprint) => Ok(()),
            (false, _) => Err(Refusal::NoSuchCertificate),
            (true, true) => Err(Refusal::CertificateInUse),
            (true, false) => {
                let most = limits::CERTIFICATES_PER_ACCOUNT;
                below(known.len(), most, Refusal::TooManyCertificates)
            }
        }
    }

    pub(super) fn certificate(
        &mut self,
        at: &mut Applying<'_>,
        fingerprint: Arc<str>,
        on: bool,
    ) -> Result<()> {
        let user = self.origin(at)?;
        self.may_certify(user, &fingerprint, on)?;
        let who = Arc::clone(&user.identity);
        let name = who.account.clone().ok_or(Refusal::NotLoggedIn)?;
        let account = self.accounts.get_mut(&name).ok_or(Refusal::NotLoggedIn)?;
        if on {
            account.certificates.push(Arc::clone(&fingerprint));
            self.certificates.insert(fingerprint, name);
        } else {
            account.renewed = at.id;
            account.certificates.retain(|it| *it != fingerprint);
            self.certificates.swap_remove(&*fingerprint);
        }
        let step = AccountStep::Certificate(on);
        at.tell_origin(Event::Account { who, step });
        Ok(())
    }
}
