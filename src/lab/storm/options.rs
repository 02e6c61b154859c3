//! The arguments of `chatloop-lab storm`.

use super::report::Style;
use crate::wire::address::{Address, DEFAULT_HOST};
use crate::wire::seconds::seconds;
use chatloop_reactor::Backend;
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

/// Attack a server with each command in turn, and measure two honest users
///
/// Many connections from one address attack; two honest users have another one. Only servers on
/// loopback are accepted. The server needs --flood-limit 100/s --max-per-address 256, the defaults
/// for clients that are not on loopback, and a separate core; scripts/storm.sh takes care of both.
///
/// For every command: the attackers connect and prepare; the honest users exchange messages first
/// in calm, then under attack. A row passes if the 99th percentile of their latency under attack is at
/// most the larger of 50 ms and three times that of the calm periods of the last minute, and no
/// message is lost or duplicated.
///
/// Exit codes: 0 every row passes; 1 some row does not; 2 invalid arguments; 3 the server rejected
/// its users or did not recover from the last attack.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Address of the server, HOST:PORT, or a port alone; loopback only
    #[arg(default_value = DEFAULT_HOST)]
    pub host: Address,
    /// Port of the server [default: 7777]
    pub port: Option<u16>,
    /// Attack with these commands only, such as WHO or /who
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    /// Skip this many attacks and the headings, to continue with a new server
    #[arg(long, default_value_t = 0, value_name = "ROWS")]
    pub skip: usize,
    /// Print the names of all attacks and exit
    #[arg(long)]
    pub list: bool,
    /// Attacking connections
    #[arg(long, default_value = "250", value_name = "N", value_parser = some)]
    pub attackers: usize,
    /// Other users online; every fourth uses plain text
    #[arg(long, default_value = "2000", value_name = "N", value_parser = count)]
    pub crowd: usize,
    /// Duration of an attack
    #[arg(long, default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Duration,
    /// Duration of the calm before it
    #[arg(long, default_value = "0.5", value_name = "SECONDS", value_parser = seconds)]
    pub calm: Duration,
    /// Lines per second from each attacker, if the server accepts them: more than --flood-limit
    /// allows, so that its next line is always pending
    #[arg(long, default_value_t = 150, value_name = "R",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// The attackers do not read
    #[arg(long)]
    pub deaf: bool,
    /// Address of the attackers
    #[arg(long, default_value = "127.0.0.2", value_name = "ADDRESS")]
    pub attacker_address: IpAddr,
    /// Address of the honest users
    #[arg(long, default_value = "127.0.0.3", value_name = "ADDRESS")]
    pub honest_address: IpAddr,
    /// First address of the crowd; every 200 users share one
    #[arg(long, default_value = "127.0.1.1", value_name = "ADDRESS")]
    pub crowd_address: IpAddr,
    /// How long to wait for the server to accept everyone, for late messages, and until it has
    /// done what the attackers had asked for before they left
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Duration,
    /// Print one JSON object per row instead of a table
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the table as Markdown
    #[arg(long)]
    pub markdown: bool,
    /// Polling interface: auto, epoll, kqueue, poll, select
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: Backend,
}

impl Options {
    pub fn style(&self) -> Style {
        match () {
            () if self.json => Style::Json,
            () if self.markdown => Style::Markdown,
            () => Style::Table,
        }
    }
}

/// More connections than any system takes.
const MOST: usize = 1_000_000;

fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MOST);
    number.ok_or_else(|| format!("expected a whole number up to {MOST}"))
}

fn some(text: &str) -> Result<usize, String> {
    count(text).ok().filter(|number| *number > 0).ok_or_else(|| format!("expected 1 to {MOST}"))
}
