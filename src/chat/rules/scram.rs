//! Logins by SCRAM (RFC 5802, RFC 7677), as far as the chat is concerned.
//!
//! With SCRAM, a client proves that it knows the password without sending it. The computation is
//! the worker's, as for all passwords; here is only which keys it needs, how failures count, and
//! when an account gets keys. Names without an account and accounts without keys take the same path
//! as any other and fail at its end, as with a wrong password.

use crate::chat::api::{Outcome, Purpose, ScramProof, Work};
use crate::chat::log::Change;
use crate::chat::model::{Caseless, Moment, Name, PasswordHash, Refusal, ScramKeys};
use crate::chat::state::Hub;

impl Hub {
    /// The work that starts a login by SCRAM, also for unregistered clients: only the address is
    /// needed.
    ///
    /// # Errors
    /// Too many failures lately.
    pub fn challenge_work(&self, host: &str, name: &str, now: Moment) -> Result<Work, Refusal> {
        self.may_try(&self.known_or_stand_in(name), host, now)?;
        Ok(Work::Challenge { name: name.into(), keys: self.scram_keys(name) })
    }

    /// The work that decides a login by SCRAM.
    ///
    /// # Errors
    /// Too many failures lately.
    pub fn proof_work(
        &self,
        host: &str,
        name: &str,
        said: ScramProof,
        now: Moment,
    ) -> Result<Work, Refusal> {
        let account = self.known_or_stand_in(name);
        self.may_try(&account, host, now)?;
        // If the keys have changed since the challenge, the proof fails, as it should.
        Ok(Work::Proof { said, keys: self.scram_keys(name), purpose: Purpose::Login(account) })
    }

    fn scram_keys(&self, name: &str) -> Option<ScramKeys> {
        self.accounts.get(&Caseless(name))?.scram.clone()
    }

    /// The record to propose because the password of an account without keys was verified.
    pub fn keys_learnt(purpose: &Purpose, outcome: &Outcome) -> Option<Change> {
        match (purpose, outcome) {
            (Purpose::Login(account), Outcome::VerifiedWithKeys(hash, keys)) => {
                let (account, hash, keys) = (account.clone(), hash.clone(), keys.clone());
                Some(Change::ScramKeys { account, hash, keys })
            }
            _ => None,
        }
    }

    pub(super) fn learn_scram_keys(&mut self, name: &Name, hash: &PasswordHash, keys: ScramKeys) {
        if let Some(account) = self.accounts.get_mut(name)
            && account.hash == *hash
            && account.scram.is_none()
        {
            account.scram = Some(keys);
        }
    }
}
