//! What can one ask of `chatloop-lab swarm`?

use crate::lab::payload;
use crate::reactor::Backend;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// The highest rate, a second: one per microsecond, the unit of the send time.
const HIGHEST_RATE: f64 = 1e6;

/// Whether senders hear themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Echo {
    /// They may or may not: what comes back is counted and otherwise passed over.
    Ignore,
    /// They must, and it is checked like any delivery.
    Expect,
    /// They must not: what comes back is a fault.
    Forbid,
}

/// Put a chat server under load and check every byte that comes back.
///
/// The room that is measured has CLIENTS + IDLE + SLOW members. Every message is one line; it
/// should arrive once, whole and in order at every member but its sender. The server may put what
/// it likes around it on the same line, and say other lines in between.
///
/// Exit code: 0 clean; 1 messages were lost, doubled, reordered or torn; 2 usage; 3 could not
/// connect, or connections were lost.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where the server is
    #[arg(default_value = "127.0.0.1")]
    pub host: String,
    /// Its port
    #[arg(default_value_t = 7777)]
    pub port: u16,
    /// Members who are not --idle and not --slow
    #[arg(short, long, default_value_t = 100, value_name = "N")]
    pub clients: u32,
    /// How many of the clients send, in turns [default: all, or as many as there are messages]
    #[arg(short, long, value_name = "N")]
    pub senders: Option<u32>,
    /// Messages in all, not per sender
    #[arg(short, long, default_value_t = 1_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(..=i64::from(payload::MOST_SEQUENCES)))]
    pub messages: u32,
    /// Bytes of a message as it is sent, newline included
    #[arg(long, default_value_t = 64, value_name = "BYTES", value_parser = size)]
    pub size: usize,
    /// Messages in flight: the next is sent when all members have heard one
    #[arg(short, long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub window: u32,
    /// Messages a second, whether or not the server keeps up; latency counts from when a message
    /// was due. This keeps one core of this machine busy
    #[arg(short, long, value_name = "R", conflicts_with = "window", value_parser = rate)]
    pub rate: Option<f64>,
    /// More members, who read nothing until the others are done, and then must get everything or
    /// find that the server has dropped them
    #[arg(long, default_value_t = 0, value_name = "K")]
    pub slow: u32,
    /// More members, who send nothing and hear everything
    #[arg(long, default_value_t = 0, value_name = "I")]
    pub idle: u32,
    /// The server's process, to measure its CPU and memory
    #[arg(long, value_name = "SERVER")]
    pub pid: Option<u32>,
    /// Print one JSON object instead of the report for people
    #[arg(long)]
    pub json: bool,
    /// Also count it as a fault when two members hear two senders in different order. A server
    /// with one loop keeps one order; one with a thread per client may not promise it. It takes a
    /// member who hears everything: fewer --senders than --clients, or --idle 1
    #[arg(long)]
    pub one_order: bool,
    /// Whether senders hear themselves
    #[arg(long, value_enum, default_value_t = Echo::Ignore)]
    pub echo: Echo,
    /// A line that every client says first, as a name or a password; {} becomes its number and
    /// \n a newline, for several lines
    #[arg(long, value_name = "LINE")]
    pub hello: Option<String>,
    /// A client counts as connected when the server has said this to it, as " 001 " or " 366 "; at
    /// most --connecting clients wait for it at the same time
    #[arg(long, value_name = "TEXT")]
    pub welcome: Option<String>,
    /// What to put in front of every message, as "PRIVMSG #room :"
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
    /// How many connections to make at the same time
    #[arg(long, default_value_t = 64, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub connecting: u32,
    /// Connections to begin a second. A server with a backlog of 5 or 10 takes a crowd that comes
    /// at once only after seconds of retries; 500 a second suit most of them [default: no limit]
    #[arg(long, value_name = "R", value_parser = rate)]
    pub connect_rate: Option<f64>,
    /// Stay connected for so long after the last message
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = seconds)]
    pub hold: Duration,
    /// Give up when nothing has moved for so long
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Duration,
    /// How to wait for thousands of sockets: auto, epoll, kqueue, poll, select
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: Backend,
}

impl Options {
    /// Connections in all.
    pub fn connections(&self) -> usize {
        self.clients as usize + self.idle as usize + self.slow as usize
    }

    /// How many of the clients send: never more than there are clients, messages or numbers.
    pub fn talkers(&self) -> u32 {
        let asked = self.senders.unwrap_or(self.clients);
        asked.min(self.clients).min(self.messages).min(payload::MOST_SENDERS)
    }

    /// How many members hear everything as it comes: only they can tell whether there is one
    /// order for all.
    pub fn listeners(&self) -> u32 {
        let silent = self.clients + self.idle - self.talkers();
        if self.echo == Echo::Expect { silent + self.talkers() } else { silent }
    }
}

fn size(text: &str) -> Result<usize, String> {
    let range = payload::SHORTEST..=payload::LONGEST;
    match text.parse() {
        Ok(size) if range.contains(&size) => Ok(size),
        _ => Err(format!("from {} to {} bytes", range.start(), range.end())),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= HIGHEST_RATE => Ok(rate),
        _ => Err(format!("more than 0 and at most {HIGHEST_RATE} a second")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|it| Duration::try_from_secs_f64(it).ok());
    seconds.ok_or_else(|| "seconds, as 10 or 0.5".to_owned())
}
