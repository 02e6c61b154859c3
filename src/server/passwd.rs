//! `chatloop-server passwd`: a password for an account while no server runs.

use super::hashing::Hashing;
use super::password;
use super::random::Random;
use super::scram::keys_of;
use super::start::{NOBODY, Time};
use crate::chat::{Change, Moment, Name, SessionId};
use crate::journal::{Health, Journal, JournalError, Limits, Runtime, Threads};
use chatloop_reactor::Clock;
use std::path::Path;
use std::sync::Arc;

/// Asks for a password and gives it to an account, which is made if `add`. What was done, in words.
///
/// # Errors
/// Why it was not, in words.
pub fn set_password(directory: &Path, name: &str, add: bool) -> Result<String, String> {
    let account = Name::nick(name).map_err(|_| format!("invalid account name '{name}'"))?;
    let clock = Clock::system();
    let time = Arc::new(Time(clock.clone()));
    let runtime = Runtime { wake: Arc::new(|| {}), time, threads: Threads::Inline };
    let open = if add { Journal::open } else { Journal::open_existing };
    let (mut journal, hub) =
        open(directory, &Limits::default(), &runtime).map_err(|error| match error {
            JournalError::Locked { path } => format!(
                "a server is using '{}': its operators can use /account there, or stop it first",
                path.display()
            ),
            error => error.to_string(),
        })?;
    match (hub.has_account(name), add) {
        (false, false) => return Err(format!("no such account: {name} (--add makes it)")),
        (true, true) => return Err(format!("account {name} already exists")),
        _ => {}
    }
    let secret = password::ask()?;
    let mut random = Random::System;
    let hash = Hashing::default().hash(&secret, &mut random);
    let hash = hash.ok_or("the system has no randomness for a password hash")?;
    let scram = keys_of(&secret, None, &mut random);
    let change = Change::AccountSet { account, hash, scram, new: add };
    journal.propose(Moment(clock.unix_milliseconds()), SessionId(NOBODY.to_bits()), change);
    journal.end_turn();
    match journal.close() {
        Health::Good if add => Ok(format!("account {name} created")),
        Health::Good => Ok(format!("account {name} has a new password")),
        Health::Failing { detail, .. } => Err(format!("not saved: {detail}")),
    }
}
