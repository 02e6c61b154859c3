//! The whole server under one seed: what it does on a bad day, again and again.
//!
//! The same [`Server::turn`](crate::server::Server) as ever, on a network inside the process
//! ([`chatloop_reactor::simulated`]) and a clock that is moved by hand. A seed decides what clients
//! do, how much of what they send arrives and when, how little a socket takes, when the date jumps and
//! when the server is killed. What the clients receive is held against what they have sent:
//!
//! - nothing is lost, duplicated, reordered or torn, and no one receives what was said elsewhere;
//! - all see one order;
//! - what anyone has seen is in the history after a kill;
//! - between two turns, every connection is watched for what its state says, and every queue
//!   keeps its bound; no turn after turn comes to nothing.
//!
//! First everything goes wrong (*safety*), then faults stop, and what is owed must arrive within so
//! many turns (*liveness*). Each run draws which operations and faults it has at all: a fault that is
//! hidden by another one shows where that one is missing.
//!
//! | file | question |
//! |---|---|
//! | `world` | what happens next? |
//! | `client` | what does a client send, and understand? |
//! | `ledger` | was that right? |
//! | `plan` | which operations and faults does this seed have? |
//!
//! Limits: one server; passwords are hashed at their real cost, so no client logs in; no TLS and no
//! HTTP yet; faults of the disk are kills.

mod client;
mod ledger;
mod plan;
mod world;

use clap::Args;
use std::fmt;
use std::io;
use std::time::Instant;

/// Run the whole server under one seed, on a simulated network
///
/// A run that fails is repeated by its seed. Exit codes: 0 no run failed; 1 one did; 2 invalid
/// arguments.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// First seed
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Number of seeds, from the first one on
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seeds: u64,
    /// Simulated minutes for each seed
    #[arg(long, default_value_t = 1, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
    /// Go on with other seeds for so many seconds instead of a number of them
    #[arg(long, value_name = "SECONDS", conflicts_with = "seeds")]
    pub seconds: Option<u64>,
    /// Print what happens, step by step
    #[arg(long)]
    pub steps: bool,
    /// Write what the turns of the server do to this file; for one seed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "seconds"])]
    pub trace: Option<std::path::PathBuf>,
}

/// What a run has come to, for the sum and for comparison with another run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Turns of the server.
    pub turns: u64,
    /// Clients that connected.
    pub clients: u64,
    /// Messages said.
    pub said: u64,
    /// Messages received.
    pub heard: u64,
    /// Kills of the server.
    pub kills: u64,
    /// A digest of every byte that a client received, in order.
    pub digest: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { turns, clients, said, heard, kills, digest: _ } = self;
        write!(
            f,
            "{turns} turns, {clients} clients, {said} messages said and {heard} heard, {kills} kills"
        )
    }
}

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

/// Runs one seed.
///
/// # Errors
/// The rule that was broken.
pub fn run_seed(seed: u64, options: &Options) -> Result<Tally, Failure> {
    world::run(seed, options).map_err(|what| Failure { seed, what })
}

/// Runs all seeds that are asked for, and returns how many and the sum of what happened.
///
/// # Errors
/// The first failure, as an error with its text.
pub fn run(options: &Options) -> io::Result<(u64, Tally)> {
    let began = Instant::now();
    let (mut count, mut sum) = (0, Tally::default());
    let goes_on = |count| match options.seconds {
        Some(seconds) => began.elapsed().as_secs() < seconds,
        None => count < options.seeds,
    };
    while goes_on(count) {
        let seed = options.seed.wrapping_add(count);
        let failed = |failure: Failure| io::Error::other(failure.to_string());
        let tally = run_seed(seed, options).map_err(failed)?;
        if seed % TWICE == 0 {
            let again = run_seed(seed, options).map_err(failed)?;
            if again != tally {
                let what = format!("it does not repeat: {tally:?}, then {again:?}");
                return Err(failed(Failure { seed, what }));
            }
        }
        sum.turns += tally.turns;
        sum.clients += tally.clients;
        sum.said += tally.said;
        sum.heard += tally.heard;
        sum.kills += tally.kills;
        count += 1;
    }
    Ok((count, sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        let (seed, seeds, minutes) = (1, 1, 1);
        Options { seed, seeds, minutes, seconds: None, steps: false, trace: None }
    }

    #[test]
    fn a_few_seeds_find_nothing_and_repeat() {
        for seed in 1..=10 {
            let tally = run_seed(seed, &options()).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(run_seed(seed, &options()).unwrap(), tally, "seed {seed}");
        }
    }

    #[test]
    fn seeds_differ_and_things_happen_in_them() {
        let (count, sum) = run(&Options { seeds: 20, ..options() }).unwrap();
        assert_eq!(count, 20);
        assert!(sum.said > 200 && sum.heard > 400 && sum.kills > 0, "{sum:?}");
    }
}
