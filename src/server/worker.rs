//! Work that is too slow for the loop: password hashes, on a separate thread.
//!
//! argon2id is slow on purpose: tens of milliseconds and 19 MiB for each hash, so that a stolen
//! file of hashes is not a list of passwords. In the loop every login would delay all clients; here
//! a storm of logins delays only other logins.
//!
//! Limits: one thread, and those of its queue; a client whose job gives way there is told to retry.
//! No password is ever logged. A job that panics only fails itself: its client is told, and the
//! thread continues with the next.

use super::hashing::Hashing;
use super::job_queue::JobQueue;
use super::random::Random;
use super::scram::{self, Scram};
use crate::chat::{Origin, Outcome, Purpose, Work};
use chatloop_reactor::{Token, WakeReceiver, Waker, memory};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long the thread keeps its memory without work.
const REST: Duration = Duration::from_millis(500);

/// Something to be done, and whose connection waits for it.
struct Job {
    token: Token,
    work: Work,
}

// Why a job has no outcome, for the waiting client.
/// The system gave no randomness.
const NO_RANDOMNESS: &str = "the system has no randomness for a password; try again";
/// Too many jobs wait, and its origin has most of them.
pub(super) const FULL: &str = "too many logins in progress; try again in a moment";
/// The job panicked.
const FAILED: &str = "the password could not be checked (see the server's log)";

/// The outcome of a job.
pub(super) struct Done {
    /// The waiting connection.
    pub(super) token: Token,
    pub(super) purpose: Purpose,
    /// Or why there is none.
    pub(super) outcome: Result<Outcome, &'static str>,
}

/// The loop's end of the worker.
pub(super) struct Workers {
    wakes: WakeReceiver,
    mode: Mode,
    /// What the loop itself has done with jobs: those that have given way.
    done: VecDeque<Done>,
}

enum Mode {
    /// A thread, which ends when this is dropped.
    Thread { jobs: Arc<JobQueue<Job>>, done: Receiver<Done> },
    /// The loop itself, when it submits: for tests and the simulation.
    #[cfg(any(test, feature = "simulation"))]
    InLine(Box<Worker>),
}

impl Workers {
    /// Starts the thread. It wakes the loop for each job that is done.
    pub(super) fn start(waker: Waker, wakes: WakeReceiver, random: Random) -> io::Result<Workers> {
        let mut worker = Worker::new(random)?;
        Workers::start_with(waker, wakes, move |work| match work {
            Some(work) => Some(worker.carry_out(work)),
            None => {
                worker.hashing.rest();
                None
            }
        })
    }

    /// Works in the loop itself.
    #[cfg(any(test, feature = "simulation"))]
    pub(super) fn in_line(wakes: WakeReceiver, random: Random) -> io::Result<Workers> {
        let mode = Mode::InLine(Box::new(Worker::new(random)?));
        Ok(Workers { wakes, mode, done: VecDeque::new() })
    }

    /// `carry_out` is called with `None` when there has been no work for a while.
    fn start_with(
        waker: Waker,
        wakes: WakeReceiver,
        mut carry_out: impl FnMut(Option<Work>) -> Option<Result<Outcome, &'static str>>
        + Send
        + 'static,
    ) -> io::Result<Workers> {
        let jobs = Arc::new(JobQueue::<Job>::new());
        let to_do = Arc::clone(&jobs);
        // Bounded by the connections: each waits for at most one job.
        let (report, done) = channel();
        let work = move || {
            let (mut told, mut rested) = (false, true);
            loop {
                let job = to_do.pop((!rested).then_some(REST));
                let Some(Job { token, work }) = job else {
                    if to_do.is_closed() {
                        return;
                    }
                    rested = true;
                    carry_out(None);
                    continue;
                };
                rested = false;
                let purpose = purpose(&work).clone();
                // Nothing is shared between jobs that a panic could leave half done.
                let outcome = catch_unwind(AssertUnwindSafe(|| carry_out(Some(work))));
                if outcome.is_err() && !std::mem::replace(&mut told, true) {
                    log::error!("a password could not be checked: the job for it has failed");
                }
                let outcome = outcome.ok().flatten().unwrap_or(Err(FAILED));
                if report.send(Done { token, purpose, outcome }).is_err() {
                    return;
                }
                waker.wake();
            }
        };
        // A hash takes one of 19 MiB.
        memory::map_large_blocks();
        std::thread::Builder::new().name("passwords".into()).spawn(work)?;
        Ok(Workers { wakes, mode: Mode::Thread { jobs, done }, done: VecDeque::new() })
    }

    /// The loop has been woken.
    pub(super) fn awake(&mut self) {
        self.wakes.drain();
    }

    /// Hands a job over. It is answered in any case, if only with [`FULL`].
    pub(super) fn submit(&mut self, token: Token, origin: Option<Origin>, work: Work) {
        match &mut self.mode {
            Mode::Thread { jobs, .. } => {
                if let Some(Job { token, work }) = jobs.push(origin, Job { token, work }) {
                    let (purpose, outcome) = (purpose(&work).clone(), Err(FULL));
                    self.done.push_back(Done { token, purpose, outcome });
                }
            }
            #[cfg(any(test, feature = "simulation"))]
            Mode::InLine(worker) => {
                let purpose = purpose(&work).clone();
                let outcome = worker.carry_out(work);
                self.done.push_back(Done { token, purpose, outcome });
            }
        }
    }

    /// Whether a job is done that did not wake the loop.
    pub(super) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// A job that is done, if there is one.
    pub(super) fn next_done(&mut self) -> Option<Done> {
        self.done.pop_front().or_else(|| match &self.mode {
            Mode::Thread { done, .. } => done.try_recv().ok(),
            #[cfg(any(test, feature = "simulation"))]
            Mode::InLine(_) => None,
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        match &self.mode {
            Mode::Thread { jobs, .. } => jobs.close(),
            #[cfg(any(test, feature = "simulation"))]
            Mode::InLine(_) => {}
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
    hashing: Hashing,
    random: Random,
}

impl Worker {
    fn new(mut random: Random) -> io::Result<Worker> {
        Ok(Worker { scram: Scram::new(&mut random)?, hashing: Hashing::new(&random), random })
    }

    fn carry_out(&mut self, work: Work) -> Result<Outcome, &'static str> {
        match work {
            Work::Hash { secret, former, .. } => {
                let hash = self.hashing.hash(&secret, &mut self.random).ok_or(NO_RANDOMNESS)?;
                let keys = scram::keys_of(&secret, former.as_ref(), &mut self.random);
                Ok(Outcome::Hashed(hash, keys))
            }
            Work::Verify { secret, hash, former, lacks_keys, .. } => {
                let fits = self.hashing.verify(&secret, hash.as_ref());
                if !fits && former.is_some() && self.hashing.verify(&secret, former.as_ref()) {
                    return Ok(Outcome::Former);
                }
                let keys = (fits && lacks_keys)
                    .then(|| scram::keys_of(&secret, None, &mut self.random))
                    .flatten();
                Ok(match (hash, keys) {
                    (Some(hash), Some(keys)) => Outcome::VerifiedWithKeys(hash, keys),
                    _ => Outcome::Verified(fits),
                })
            }
            Work::Challenge { name, keys } => {
                let challenge = self.scram.challenge(&name, keys.as_ref(), &mut self.random);
                challenge.map(Outcome::Challenge).ok_or(NO_RANDOMNESS)
            }
            Work::Proof { said, keys, former, .. } => {
                let signature = self.scram.verify(&said, keys.as_ref());
                let by_former =
                    || former.is_some_and(|it| self.scram.verify(&said, Some(&it)).is_some());
                Ok(match signature {
                    Some(signature) => Outcome::Signed(signature),
                    None if by_former() => Outcome::Former,
                    None => Outcome::Verified(false),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Claim, Name, RecordId, Secret};
    use chatloop_reactor::waker;

    #[test]
    fn keys_are_made_for_those_who_lack_them_and_know_the_password() {
        let mut worker = Worker::new(Random::seeded(1)).unwrap();
        let hashed =
            Hashing::default().hash(&Secret::new("sesame"), &mut Random::seeded(2)).unwrap();
        let mut login = |password: &str, lacks_keys| {
            let (secret, hash) = (Secret::new(password), Some(hashed.clone()));
            let claim = Claim { account: Name::new("alice"), as_of: RecordId(0) };
            let purpose = Purpose::Login(claim);
            worker
                .carry_out(Work::Verify { secret, hash, former: None, lacks_keys, purpose })
                .unwrap()
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
            Some(Work::Challenge { name, .. }) if &*name == "bad" => panic!("a job that fails"),
            work => work.map(|_| Ok(Outcome::Verified(true))),
        });
        let mut worker = worker.unwrap();
        for (number, name) in [(1, "bad"), (2, "good"), (3, "bad"), (4, "good")] {
            let work = Work::Challenge { name: name.into(), keys: None };
            worker.submit(Token::fixed(number), None, work);
            let done = loop {
                match worker.next_done() {
                    Some(done) => break done,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!((done.token, done.purpose), (Token::fixed(number), Purpose::Challenge));
            let expected = if name == "bad" { Err(FAILED) } else { Ok(Outcome::Verified(true)) };
            assert_eq!(done.outcome, expected);
        }
    }
}
