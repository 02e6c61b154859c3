//! Logins by SCRAM (RFC 5802, RFC 7677), as far as the chat is concerned.
//!
//! With SCRAM, a client proves that it knows the password without sending it. The computation is
//! the worker's, as for all passwords; here is only which keys it needs, and when an account gets keys. Names without an account and accounts without keys take the same path
//! as any other and fail at its end, as with a wrong password.

use crate::chat::api::{Outcome, Purpose, ScramProof, Work};
use crate::chat::log::Change;
use crate::chat::model::{Caseless, Moment, Name, PasswordHash, ScramKeys};
use crate::chat::state::Hub;

impl Hub {
    /// The work that starts a login by SCRAM, also for unregistered clients. A challenge is always
    /// given, even while guesses are delayed: if it were rejected, a client could be made to try a
    /// weaker mechanism.
    pub fn challenge_work(&self, name: &str) -> Work {
        Work::Challenge { name: name.into(), keys: self.scram_keys(name) }
    }

    /// The work that decides a login by SCRAM.
    pub fn proof_work(&self, name: &str, said: ScramProof, now: Moment) -> Work {
        // If the keys have changed since the challenge, the proof fails, as it should.
        let purpose = Purpose::Login(self.claim(name));
        let account = self.accounts.get(&Caseless(name));
        let former = account.and_then(|account| account.former(now)?.scram.clone());
        Work::Proof { said, keys: self.scram_keys(name), former, purpose }
    }

    fn scram_keys(&self, name: &str) -> Option<ScramKeys> {
        self.accounts.get(&Caseless(name))?.scram.clone()
    }

    /// The record to propose because the password of an account without keys was verified.
    pub fn keys_learnt(purpose: &Purpose, outcome: &Outcome) -> Option<Change> {
        match (purpose, outcome) {
            (Purpose::Login(claim), Outcome::VerifiedWithKeys(hash, keys)) => {
                let (account, hash, keys) = (claim.account.clone(), hash.clone(), keys.clone());
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
