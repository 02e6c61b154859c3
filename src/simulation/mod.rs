//! The whole server under one seed: what it does on a bad day, again and again.
//!
//! The same [`Server::turn`](crate::server::Server) as ever, on a network inside the process
//! ([`chatloop_reactor::simulated`]) and a clock that is moved by hand. Its threads (the journal's
//! and that of the files) are steps. A seed decides what clients do, how much of what they send
//! arrives and when, how little a socket takes, how far behind the threads are, what goes wrong in the
//! data directory, when the date jumps and when the server is killed. What the clients receive is
//! held against what they have sent:
//!
//! - nothing is lost, duplicated, reordered or corrupted, and no one receives messages of other rooms;
//! - all see one order, and a message that was rejected is seen by no one;
//! - what anyone has seen is in the history after a kill, and a file that was said to be kept is there;
//! - between two turns, every connection is watched for what its state says, and every queue
//!   keeps its bound; no turn after turn comes to nothing; the loop does not sleep on a wake.
//!
//! First everything goes wrong (*safety*), then faults stop, and what is owed must arrive within so
//! many turns (*liveness*). Each run draws which operations and faults it has at all: a fault that is
//! hidden by another one shows where that one is missing.
//!
//! | file | question |
//! |---|---|
//! | `world` | what happens next? |
//! | `client` | what does a client send, and understand? |
//! | `carrier` | what is around its bytes? |
//! | `errand` | what does it ask for by HTTP, and is the answer right? |
//! | `ledger` | was that right? |
//! | `report` | what is asked for, and what has come of it? |
//! | `plan` | which operations and faults does this seed have? |
//! | `certificate` | what do clients know the server by? |
//! | `trouble` | what happens to the data directory? |
//!
//! Limits: one server; passwords are hashed at their real cost, so no client logs in.

mod carrier;
mod certificate;
mod client;
mod errand;
mod ledger;
mod plan;
mod report;
mod trouble;
mod world;

pub use report::{Options, Tally};

use chatloop_reactor::Clock;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Why a run has failed.
#[derive(Debug)]
pub struct Failure {
    /// The seed that repeats it.
    pub seed: u64,
    /// The rule that was broken.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, what } = self;
        write!(f, "seed {seed}: {what}\nrepeat it with --seed {seed} --steps")
    }
}

/// Every seed with this many before it runs twice, and must do the same.
const TWICE: u64 = 100;

/// More than any number of seeds.
const NO_MORE: u64 = u64::MAX / 2;

/// Runs one seed.
///
/// # Errors
/// The rule that was broken.
pub fn run_seed(seed: u64, options: &Options) -> Result<Tally, Failure> {
    // Nothing is left of the run that a panic could leave half done.
    let outcome = catch_unwind(AssertUnwindSafe(|| world::run(seed, options)));
    let outcome = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("it panicked: {}", text.unwrap_or_default()))
    });
    outcome.map_err(|what| Failure { seed, what })
}

/// Runs all seeds that are asked for, and returns how many and the sum of what happened.
///
/// # Errors
/// The first failure, as an error with its text.
pub fn run(options: &Options) -> io::Result<(u64, Tally)> {
    let next = AtomicU64::new(0);
    let jobs = if options.steps { 1 } else { options.jobs };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let jobs: Vec<_> = (0..jobs).map(|_| scope.spawn(|| run_share(options, &next))).collect();
        jobs.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let (mut count, mut sum) = (0, Tally::default());
    for outcome in outcomes {
        let share = outcome.map_err(|_| io::Error::other("a thread has panicked"))?;
        let (runs, tally) = share.map_err(|failure| io::Error::other(failure.to_string()))?;
        count += runs;
        sum.add(&tally);
    }
    Ok((count, sum))
}

/// Runs the seeds that one thread comes to; all stop at a failure.
fn run_share(options: &Options, next: &AtomicU64) -> Result<(u64, Tally), Failure> {
    let clock = Clock::system();
    let (mut runs, mut sum) = (0, Tally::default());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let is_over = match options.seconds {
            Some(seconds) => clock.spent().as_secs() >= seconds || number >= NO_MORE,
            None => number >= options.seeds,
        };
        if is_over {
            return Ok((runs, sum));
        }
        let tally = run_checked(options.seed.wrapping_add(number), options);
        sum.add(&tally.inspect_err(|_| next.store(NO_MORE, Ordering::Relaxed))?);
        runs += 1;
    }
}

/// Runs one seed, and some twice.
fn run_checked(seed: u64, options: &Options) -> Result<Tally, Failure> {
    let tally = run_seed(seed, options)?;
    if seed.is_multiple_of(TWICE) {
        let again = run_seed(seed, options)?;
        if again != tally {
            let what = format!("it does not repeat: {tally:?}, then {again:?}");
            return Err(Failure { seed, what });
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        let (seed, seeds, minutes, jobs) = (1, 1, 1, 2);
        Options { seed, seeds, minutes, jobs, seconds: None, steps: false, trace: None }
    }

    #[test]
    fn a_few_seeds_find_nothing_and_repeat() {
        for seed in 1..=10 {
            let tally = run_seed(seed, &options()).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(run_seed(seed, &options()).unwrap(), tally, "seed {seed}");
        }
    }

    /// Seeds that have found something, with what it was.
    const FOUND: [(u64, &str); 18] = [
        (930_056_800, "a WebSocket whose request took its time on the way was said to be refused"),
        (
            930_026_281,
            "an answer that no one read for longer than the server lingers was said to be lost",
        ),
        (912_023_546, "a request that took its time on the way was said to be answered wrongly"),
        (912_026_589, "an answer that a slow client had not read was said to be lost"),
        (
            912_030_407,
            "a long read behind a part of a record was said to be a handshake that is too long",
        ),
        (
            911_024_191,
            "an IRC client that was taken for plain at the last moment was welcomed as such",
        ),
        (911_012_126, "an answer of HTTP followed what was said meanwhile"),
        (910_000_573, "an answer followed half a line to a client that had stopped reading"),
        (20_320_287, "forty injected faults in a row were said to be a loop that does nothing"),
        (
            20_304_063,
            "a client of HTTP for which no more could be kept was said to be answered wrongly",
        ),
        (20_306_035, "as much as can be kept was said to be more messages than that"),
        (20_284_544, "a handshake began behind plain text that was still queued"),
        (
            20_280_591,
            "turns that only applied what a reset connection had sent were said to do nothing",
        ),
        (
            20_271_731,
            "a client was disconnected for not registering while its entry was being saved",
        ),
        (20_271_442, "a message to a nick that had been given up meanwhile was said to be lost"),
        (20_270_365, "a client for which no more could be kept was said to be greeted too early"),
        (20_261_135, "system calls still failed when faults were said to have stopped"),
        (
            20_261_173,
            "a request that took longer than the server waits was said to be answered wrongly",
        ),
    ];

    #[test]
    fn seeds_that_found_something_find_nothing_any_more() {
        for (seed, what) in FOUND {
            run_seed(seed, &options()).unwrap_or_else(|failure| panic!("{what}: {failure}"));
        }
    }

    #[test]
    fn seeds_differ_and_things_happen_in_them() {
        let (count, sum) = run(&Options { seeds: 20, ..options() }).unwrap();
        assert_eq!(count, 20);
        let alone = run(&Options { seeds: 20, jobs: 1, ..options() }).unwrap();
        assert_eq!(alone, (count, sum), "threads do not matter");
        let all = [sum.said / 200, sum.heard / 400, sum.kills, sum.files];
        assert!(all.iter().all(|count| *count > 0), "{sum:?}");
    }
}
