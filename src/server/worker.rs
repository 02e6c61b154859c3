//! Work that is too slow for the loop: password hashes, on a thread of their own.
//!
//! argon2id is slow on purpose: tens of milliseconds and 19 MiB for each hash, so that a stolen
//! file of hashes is not a list of passwords. In the loop every login would be a hiccup for
//! everyone; here a storm of logins makes only other logins wait.
//!
//! Bounds: one thread, and a queue of [`QUEUE`] jobs; who comes when it is full is told to try
//! again. Nothing here is ever logged.

use crate::chat::{Outcome, PasswordHash, Purpose, Secret, Work};
use crate::reactor::{Token, Waker};
use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Jobs that may wait.
const QUEUE: usize = 256;

/// Something for the thread, and whose connection waits for it.
struct Job {
    token: Token,
    work: Work,
}

/// What came of a job.
pub(super) struct Done {
    /// Whose connection waits for it.
    pub(super) token: Token,
    /// What it was for.
    pub(super) purpose: Purpose,
    /// The outcome; `None` if no hash could be made.
    pub(super) outcome: Option<Outcome>,
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
    /// What the system said when it had no thread to give.
    pub(super) fn start(waker: Waker) -> std::io::Result<Worker> {
        let (jobs, to_do) = sync_channel::<Job>(QUEUE);
        // As many places as jobs: the thread never waits for the loop.
        let (report, done) = sync_channel(QUEUE + 1);
        let work = move || {
            for job in to_do {
                if report.send(carry_out(job)).is_err() {
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

fn carry_out(Job { token, work }: Job) -> Done {
    let (purpose, outcome) = match work {
        Work::Hash { secret, purpose } => (purpose, hash(&secret).map(Outcome::Hashed)),
        Work::Verify { secret, hash, purpose } => {
            (purpose, Some(Outcome::Verified(verify(&secret, hash.as_ref()))))
        }
    };
    Done { token, purpose, outcome }
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

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let hashed = hash(&Secret::new("correct horse")).unwrap();
        assert!(hashed.as_phc().starts_with("$argon2id$"));
        assert!(verify(&Secret::new("correct horse"), Some(&hashed)));
        assert!(!verify(&Secret::new("battery staple"), Some(&hashed)));
        assert!(!verify(&Secret::new("correct horse"), None));
        assert!(!verify(&Secret::new("x"), Some(&PasswordHash::new("no PHC string".to_owned()))));
    }
}
