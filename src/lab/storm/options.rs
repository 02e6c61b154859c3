//! The arguments of `chatloop-lab storm`.

use super::report::Style;
use crate::reactor::Backend;
use crate::wire::address::{Address, DEFAULT_HOST};
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

/// Let many connections of one origin attack with each command in turn, and measure what two honest
/// users of another origin notice of it
///
/// Run it against a server of your own, on this machine: other addresses than loopback are
/// rejected. The server needs --flood-limit 100/s --max-per-address 256, which is what clients that
/// are not on loopback get by default, and a core of its own; scripts/storm.sh sees to both.
///
/// For every command: the attackers connect and prepare, the honest two exchange messages in calm,
/// and then under attack. A row passes if the 99th percentile of their latency under attack is at
/// most the larger of 50 ms and three times that of the calm periods of the last minute, and no
/// message is lost or duplicated.
///
/// Exit codes: 0 every row passes; 1 some row does not; 2 wrong arguments; 3 the server did not
/// let its users in or did not recover from the last attack.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Address of the server, HOST:PORT, or a port alone; loopback only
    #[arg(default_value = DEFAULT_HOST)]
    pub host: Address,
    /// Port of the server [default: 7777]
    pub port: Option<u16>,
    /// Attack with these commands only, as WHO or /who
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave out so many of the attacks, from the first, and the headings: to go on with a new server
    #[arg(long, default_value_t = 0, value_name = "ROWS")]
    pub skip: usize,
    /// Print the names of all attacks and do nothing
    #[arg(long)]
    pub list: bool,
    /// Attacking connections
    #[arg(long, default_value_t = 250, value_name = "N")]
    pub attackers: usize,
    /// Users who are there all the time; every fourth speaks plain text
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub crowd: usize,
    /// How long an attack lasts
    #[arg(long, default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Duration,
    /// How long the calm before it lasts
    #[arg(long, default_value = "0.5", value_name = "SECONDS", value_parser = seconds)]
    pub calm: Duration,
    /// Lines a second that an attacker sends if the server takes them: more than --flood-limit lets
    /// through, so that its next line always waits
    #[arg(long, default_value_t = 150, value_name = "R")]
    pub rate: u32,
    /// The attackers do not read what they are sent
    #[arg(long)]
    pub deaf: bool,
    /// The attackers' address
    #[arg(long, default_value = "127.0.0.2", value_name = "ADDRESS")]
    pub attacker_address: IpAddr,
    /// The address of the honest two
    #[arg(long, default_value = "127.0.0.3", value_name = "ADDRESS")]
    pub honest_address: IpAddr,
    /// The first address of the crowd; every 200 users have another one
    #[arg(long, default_value = "127.0.1.1", value_name = "ADDRESS")]
    pub crowd_address: IpAddr,
    /// How long to wait for the server to let everyone in, and for late messages
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Duration,
    /// Print one JSON object for each row instead of a table
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the table as Markdown
    #[arg(long)]
    pub markdown: bool,
    /// How to wait for thousands of sockets: auto, epoll, kqueue, poll, select
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    seconds.ok_or_else(|| "not a number of seconds, as 10 or 0.5".to_owned())
}
