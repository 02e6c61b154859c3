//! The arguments of `chatloop-lab simulate`, and what a run has come to.

use clap::Args;
use std::fmt;

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
    /// Number of seeds that run at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: u32,
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
    /// Files kept.
    pub files: u64,
    /// Bytes that the server has read and written, and connections that it has accepted.
    pub bytes: u64,
    /// A digest of every byte that a client received, in order.
    pub digest: u64,
}

impl Tally {
    /// Adds what another run has come to, but for what only compares runs.
    pub fn add(&mut self, other: &Tally) {
        self.turns += other.turns;
        self.clients += other.clients;
        self.said += other.said;
        self.heard += other.heard;
        self.kills += other.kills;
        self.files += other.files;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} turns, {} clients, {} messages sent and {} received, {} files, {} kills",
            self.turns, self.clients, self.said, self.heard, self.files, self.kills
        )
    }
}
