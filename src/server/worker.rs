//! Work that is too slow for the loop: password hashes, on a separate thread.
//!
//! argon2id is slow on purpose: tens of milliseconds and 19 MiB for each hash, so that a stolen
//! file of hashes is not a list of passwords. In the loop every login would delay all clients; here
//! a storm of logins delays only other logins.
//!
//! Limits: one thread, and a queue of [`QUEUE`] jobs; when it is full, clients are told to retry.
//! No password is ever logged. A job that panics only fails itself: its client is told, and the
//! thread continues with the next.

use super::random::Random;
use super::scram::{self, Scram};
use crate::chat::{Outcome, PasswordHash, Purpose, Secret, Work};
use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use chatloop_reactor::{Token, WakeReceiver, Waker};
#[cfg(test)]
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Jobs that may wait.
const QUEUE: usize = 256;

/// Bytes of a salt: what the PHC recommends.
const SALT: usize = 16;

/// Something to be done, and whose connection waits for it.
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

impl NoOutcome {
    /// The text for the waiting client.
    pub(super) fn text(self) -> &'static str {
        match self {
            NoOutcome::NoRandomness => "the system has no randomness for a password; try again",
            NoOutcome::Failed => "the password could not be checked (see the server's log)",
        }
    }
}

/// The outcome of a job.
pub(super) struct Done {
    /// The waiting connection.
    pub(super) token: Token,
    pub(super) purpose: Purpose,
    pub(super) outcome: Result<Outcome, NoOutcome>,
}

/// The loop's end of the worker.
pub(super) struct Workers {
    wakes: WakeReceiver,
    mode: Mode,
}

enum Mode {
    /// A thread, which ends when this is dropped.
    Thread { jobs: SyncSender<Job>, done: Receiver<Done> },
    /// The loop itself, when it submits: for tests.
    #[cfg(test)]
    InLine { worker: Box<Worker>, done: VecDeque<Done> },
}

impl Workers {
    /// Starts the thread. It rings `waker` for each job that is done.
    pub(super) fn start(waker: Waker, wakes: WakeReceiver, random: Random) -> io::Result<Workers> {
        let mut worker = Worker::new(random)?;
        Workers::start_with(waker, wakes, move |work| worker.carry_out(work))
    }

    /// Works in the loop itself.
    #[cfg(test)]
    pub(super) fn in_line(wakes: WakeReceiver, random: Random) -> io::Result<Workers> {
        let worker = Box::new(Worker::new(random)?);
        Ok(Workers { wakes, mode: Mode::InLine { worker, done: VecDeque::new() } })
    }

    fn start_with(
        waker: Waker,
        wakes: WakeReceiver,
        mut carry_out: impl FnMut(Work) -> Result<Outcome, NoOutcome> + Send + 'static,
    ) -> io::Result<Workers> {
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
        Ok(Workers { wakes, mode: Mode::Thread { jobs, done } })
    }

    /// The waker has rung.
    pub(super) fn awake(&mut self) {
        self.wakes.drain();
    }

    /// Hands a job over; `false` if too many wait already.
    pub(super) fn submit(&mut self, token: Token, work: Work) -> bool {
        match &mut self.mode {
            Mode::Thread { jobs, .. } => jobs.try_send(Job { token, work }).is_ok(),
            #[cfg(test)]
            Mode::InLine { worker, done } => {
                let purpose = purpose(&work).clone();
                let outcome = worker.carry_out(work);
                done.push_back(Done { token, purpose, outcome });
                true
            }
        }
    }

    /// Whether a job is done that did not wake the loop.
    pub(super) fn has_done(&self) -> bool {
        match &self.mode {
            Mode::Thread { .. } => false,
            #[cfg(test)]
            Mode::InLine { done, .. } => !done.is_empty(),
        }
    }

    /// A job that is done, if there is one.
    pub(super) fn next_done(&mut self) -> Option<Done> {
        match &mut self.mode {
            Mode::Thread { done, .. } => done.try_recv().ok(),
            #[cfg(test)]
            Mode::InLine { done, .. } => done.pop_front(),
        }
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

/// Does the jobs.
struct Worker {
    scram: Scram,
    random: Random,
}

impl Worker {
    fn new(mut random: Random) -> io::Result<Worker> {
        Ok(Worker { scram: Scram::new(&mut random)?, random })
    }

    fn carry_out(&mut self, work: Work) -> Result<Outcome, NoOutcome> {
        match work {
            Work::Hash { secret, .. } => {
                let hash = hash(&secret, &mut self.random).ok_or(NoOutcome::NoRandomness)?;
                Ok(Outcome::Hashed(hash, scram::keys_of(&secret, &mut self.random)))
            }
            Work::Verify { secret, hash, lacks_keys, .. } => {
                let fits = verify(&secret, hash.as_ref());
                let keys = (fits && lacks_keys)
                    .then(|| scram::keys_of(&secret, &mut self.random))
                    .flatten();
                Ok(match (hash, keys) {
                    (Some(hash), Some(keys)) => Outcome::VerifiedWithKeys(hash, keys),
                    _ => Outcome::Verified(fits),
                })
            }
            Work::Challenge { name, keys } => {
                let challenge = self.scram.challenge(&name, keys.as_ref(), &mut self.random);
                challenge.map(Outcome::Challenge).ok_or(NoOutcome::NoRandomness)
            }
            Work::Proof { said, keys, .. } => {
                let signature = self.scram.verify(&said, keys.as_ref());
                Ok(signature.map_or(Outcome::Verified(false), Outcome::Signed))
            }
        }
    }
}

/// A PHC string of argon2id with the parameters that OWASP recommends and a random salt; `None` if
/// there is no randomness.
pub(super) fn hash(secret: &Secret, random: &mut Random) -> Option<PasswordHash> {
    let salt: [u8; SALT] = random.bytes().ok()?;
    let hash = Argon2::default().hash_password_with_salt(secret.expose().as_bytes(), &salt).ok()?;
    Some(PasswordHash::new(hash.to_string()))
}

/// Whether `secret` is right. Without a hash the same work is done, so that the time of the reply
/// does not reveal whether the account exists.
fn verify(secret: &Secret, hash: Option<&PasswordHash>) -> bool {
    let Some(hash) = hash else {
        let _ = Argon2::default().hash_password_with_salt(secret.expose().as_bytes(), &[0; SALT]);
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
    use chatloop_reactor::waker;

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let hashed = hash(&Secret::new("correct horse"), &mut Random::system()).unwrap();
        assert!(hashed.as_phc().starts_with("$argon2id$"));
        assert!(verify(&Secret::new("correct horse"), Some(&hashed)));
        assert!(!verify(&Secret::new("battery staple"), Some(&hashed)));
        assert!(!verify(&Secret::new("correct horse"), None));
        assert!(!verify(&Secret::new("x"), Some(&PasswordHash::new("no PHC string".to_owned()))));
    }

    #[test]
    fn keys_are_made_for_those_who_lack_them_and_know_the_password() {
        let mut worker = Worker::new(Random::Seeded(1)).unwrap();
        let hashed = hash(&Secret::new("sesame"), &mut Random::Seeded(2)).unwrap();
        let mut login = |password: &str, lacks_keys| {
            let (secret, hash) = (Secret::new(password), Some(hashed.clone()));
            let purpose = Purpose::Login(Name::new("alice"));
            worker.carry_out(Work::Verify { secret, hash, lacks_keys, purpose }).unwrap()
        };
        assert_eq!(login("sesame", false), Outcome::Verified(true));
        assert_eq!(login("millet", true), Outcome::Verified(false));
        assert!(
            matches!(login("sesame", true), Outcome::VerifiedWithKeys(hash, _) if hash == hashed)
        );
    }

    #[test]
    fn a_job_that_panics_is_answered_and_the_next_one_is_done() {
        let (waker, wakes) = waker().unwrap();
        let worker = Workers::start_with(waker, wakes, |work| match work {
            Work::Challenge { name, .. } if &*name == "bad" => panic!("a job that fails"),
            _ => Ok(Outcome::Verified(true)),
        });
        let mut worker = worker.unwrap();
        for (number, name) in [(1, "bad"), (2, "good"), (3, "bad"), (4, "good")] {
            let work = Work::Challenge { name: name.into(), keys: None };
            assert!(worker.submit(Token::fixed(number), work));
            let done = loop {
                match worker.next_done() {
                    Some(done) => break done,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!((done.token, done.purpose), (Token::fixed(number), Purpose::Challenge));
            let expected =
                if name == "bad" { Err(NoOutcome::Failed) } else { Ok(Outcome::Verified(true)) };
            assert_eq!(done.outcome, expected);
        }
    }
}
