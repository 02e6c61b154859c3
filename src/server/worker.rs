//! Work that is too slow for the loop: password hashes, on a thread of their own.
//!
//! argon2id is slow on purpose: tens of milliseconds and 19 MiB for each hash, so that a stolen
//! file of hashes is not a list of passwords. In the loop every login would be a hiccup for
//! everyone; here a storm of logins makes only other logins wait.
//!
//! Bounds: one thread, and a queue of [`QUEUE`] jobs; who comes when it is full is told to try
//! again. No password is ever logged. A job that panics costs its own answer alone: whoever waits
//! for it is told so, and the thread goes on with the next.

use super::scram::{self, Scram};
use crate::chat::{Outcome, PasswordHash, Purpose, Secret, Work};
use crate::reactor::{Token, Waker};
use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Jobs that may wait.
const QUEUE: usize = 256;

/// Something for the thread, and whose connection waits for it.
struct Job {
    token: Token,
    work: Work,
}

/// Why a job has no outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoOutcome {
    /// The system gave no randomness.
    NoRandomness,
    /// The job panicked.
    Failed,
}

/// What came of a job.
pub(super) struct Done {
    /// Whose connection waits for it.
    pub(super) token: Token,
    /// What it was for.
    pub(super) purpose: Purpose,
    /// The outcome.
    pub(super) outcome: Result<Outcome, NoOutcome>,
}

/// The loop's end of the worker thread. The thread ends when this is dropped.
pub(super) struct Worker {
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system said when it had no thread or no randomness to give.
    pub(super) fn start(waker: Waker) -> std::io::Result<Worker> {
        let scram = Scram::new()?;
        Worker::start_with(waker, move |work| carry_out(&scram, work))
    }

    fn start_with(
        waker: Waker,
        mut carry_out: impl FnMut(Work) -> Result<Outcome, NoOutcome> + Send + 'static,
    ) -> std::io::Result<Worker> {
        let (jobs, to_do) = sync_channel::<Job>(QUEUE);
        // As many places as jobs: the thread never waits for the loop.
        let (report, done) = sync_channel(QUEUE + 1);
        let work = move || {
            let mut told = false;
            for Job { token, work } in to_do {
                let purpose = purpose(&work).clone();
                // Nothing is shared between jobs that a panic could leave half done.
                let outcome = catch_unwind(AssertUnwindSafe(|| carry_out(work)));
                if outcome.is_err() && !std::mem::replace(&mut told, true) {
                    log::error!("a password could not be checked: the job for it has failed");
                }
                let outcome = outcome.unwrap_or(Err(NoOutcome::Failed));
                if report.send(Done { token, purpose, outcome }).is_err() {
                    return;
                }
                waker.wake();
            }
        };
        std::thread::Builder::new().name("passwords".into()).spawn(work)?;
        Ok(Worker { jobs, done })
    }

    /// Hands a job over; `false` if too many wait already.
    pub(super) fn submit(&self, token: Token, work: Work) -> bool {
        self.jobs.try_send(Job { token, work }).is_ok()
    }

    /// A job that is done, if there is one.
    pub(super) fn next_done(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

fn purpose(work: &Work) -> &Purpose {
    match work {
        Work::Hash { purpose, .. } | Work::Verify { purpose, .. } | Work::Proof { purpose, .. } => {
            purpose
        }
        Work::Challenge { .. } => &Purpose::Challenge,
    }
}

fn carry_out(scram: &Scram, work: Work) -> Result<Outcome, NoOutcome> {
    match work {
        Work::Hash { secret, .. } => {
            let hash = hash(&secret).ok_or(NoOutcome::NoRandomness)?;
            Ok(Outcome::Hashed(hash, scram::keys_of(&secret)))
        }
        Work::Verify { secret, hash, lacks_keys, .. } => {
            let fits = verify(&secret, hash.as_ref());
            let keys = (fits && lacks_keys).then(|| scram::keys_of(&secret)).flatten();
            Ok(match (hash, keys) {
                (Some(hash), Some(keys)) => Outcome::VerifiedWithKeys(hash, keys),
                _ => Outcome::Verified(fits),
            })
        }
        Work::Challenge { name, keys } => {
            let challenge = scram.challenge(&name, keys.as_ref());
            challenge.map(Outcome::Challenge).ok_or(NoOutcome::NoRandomness)
        }
        Work::Proof { said, keys, .. } => {
            let signature = scram.verify(&said, keys.as_ref());
            Ok(signature.map_or(Outcome::Verified(false), Outcome::Signed))
        }
    }
}

/// A PHC string of argon2id with the parameters that OWASP recommends and a random salt; `None`
/// if the system gives no randomness.
pub(super) fn hash(secret: &Secret) -> Option<PasswordHash> {
    let hash = Argon2::default().hash_password(secret.expose().as_bytes()).ok()?;
    Some(PasswordHash::new(hash.to_string()))
}

/// Whether `secret` fits. Without a hash the same work is done for nothing, so that the time the
/// answer takes does not tell whether there is such an account.
fn verify(secret: &Secret, hash: Option<&PasswordHash>) -> bool {
    let Some(hash) = hash else {
        let _ = Argon2::default().hash_password(secret.expose().as_bytes());
        return false;
    };
    phc::PasswordHash::new(hash.as_phc()).is_ok_and(|parsed| {
        Argon2::default().verify_password(secret.expose().as_bytes(), &parsed).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Name;
    use crate::reactor::waker;

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let hashed = hash(&Secret::new("correct horse")).unwrap();
        assert!(hashed.as_phc().starts_with("$argon2id$"));
        assert!(verify(&Secret::new("correct horse"), Some(&hashed)));
        assert!(!verify(&Secret::new("battery staple"), Some(&hashed)));
        assert!(!verify(&Secret::new("correct horse"), None));
        assert!(!verify(&Secret::new("x"), Some(&PasswordHash::new("no PHC string".to_owned()))));
    }

    #[test]
    fn keys_are_made_for_those_who_lack_them_and_know_the_password() {
        let scram = Scram::new().unwrap();
        let hashed = hash(&Secret::new("sesame")).unwrap();
        let login = |password: &str, lacks_keys| {
            let (secret, hash) = (Secret::new(password), Some(hashed.clone()));
            let purpose = Purpose::Login(Name::new("alice"));
            carry_out(&scram, Work::Verify { secret, hash, lacks_keys, purpose }).unwrap()
        };
        assert_eq!(login("sesame", false), Outcome::Verified(true));
        assert_eq!(login("millet", true), Outcome::Verified(false));
        assert!(
            matches!(login("sesame", true), Outcome::VerifiedWithKeys(hash, _) if hash == hashed)
        );
    }

    #[test]
    fn a_job_that_panics_is_answered_and_the_next_one_is_done() {
        let (waker, _wakes) = waker().unwrap();
        let worker = Worker::start_with(waker, |work| match work {
            Work::Challenge { name, .. } if &*name == "bad" => panic!("a job that fails"),
            _ => Ok(Outcome::Verified(true)),
        });
        let worker = worker.unwrap();
        for (number, name) in [(1, "bad"), (2, "good"), (3, "bad"), (4, "good")] {
            let work = Work::Challenge { name: name.into(), keys: None };
            assert!(worker.submit(Token::fixed(number), work));
            let done = worker.done.recv().unwrap();
            assert_eq!((done.token, done.purpose), (Token::fixed(number), Purpose::Challenge));
            let expected =
                if name == "bad" { Err(NoOutcome::Failed) } else { Ok(Outcome::Verified(true)) };
            assert_eq!(done.outcome, expected);
        }
    }
}
