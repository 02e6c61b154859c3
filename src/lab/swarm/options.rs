//! The options of `chatloop-lab swarm`.

use crate::lab::connections::Wrapping;
use crate::lab::payload;
use crate::tls::{Connector, Fingerprint, Trust};
use crate::wire::address::{Address, DEFAULT_HOST};
use crate::wire::seconds::{seconds, some_seconds};
use chatloop_reactor::Backend;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// The highest rate, a second: one per microsecond, the unit of the send time.
const HIGHEST_RATE: f64 = 1e6;

/// The lowest: one a day or so.
const LOWEST_RATE: f64 = 1e-5;

/// Whether senders receive their own messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Echo {
    /// Allowed: echoes are counted but not checked.
    Ignore,
    /// Required: echoes are checked like any delivery.
    Expect,
    /// Forbidden: an echo is an error.
    Forbid,
}

/// Put a chat server under load and verify every delivery.
///
/// The room has CLIENTS + IDLE + SLOW members. Every message is one line and must arrive exactly
/// once, intact and in order, at every member except its sender. The server may add text before
/// and after it on the same line, and send other lines in between.
///
/// Exit codes: 0 clean; 1 messages were lost, duplicated, reordered or corrupted; 2 invalid
/// arguments; 3 could not connect, or connections were lost.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Host name or address of the server, HOST:PORT, or a port alone
    #[arg(default_value = DEFAULT_HOST)]
    pub host: Address,
    /// Port of the server [default: 7777]
    pub port: Option<u16>,
    /// Members that are neither --idle nor --slow
    #[arg(short, long, default_value_t = 100, value_name = "N")]
    pub clients: u32,
    /// How many of the clients send, in turn [default: all, or as many as there are messages]
    #[arg(short, long, value_name = "N")]
    pub senders: Option<u32>,
    /// Total number of messages
    #[arg(short, long, default_value_t = 1_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(..=i64::from(payload::MOST_SEQUENCES)))]
    pub messages: u32,
    /// Message size as sent, including the newline
    #[arg(long, default_value_t = 64, value_name = "BYTES", value_parser = size)]
    pub size: usize,
    /// Messages in flight: the next one is sent when all members have received one
    #[arg(short, long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub window: u32,
    /// Messages per second, whether or not the server keeps up; latency is measured from the time
    /// a message was due. Keeps one core of this machine busy
    #[arg(short, long, value_name = "R", conflicts_with = "window", value_parser = rate)]
    pub rate: Option<f64>,
    /// Additional members that read nothing until the others are done, and must then receive
    /// everything or have been disconnected
    #[arg(long, default_value_t = 0, value_name = "K")]
    pub slow: u32,
    /// Additional members that only receive
    #[arg(long, default_value_t = 0, value_name = "I")]
    pub idle: u32,
    /// Process id of the server, to measure its CPU time and memory
    #[arg(long, value_name = "SERVER")]
    pub pid: Option<u32>,
    /// Write what each turn of this program's own loop does to this file (see chatloop-lab trace)
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print one JSON object instead of the report
    #[arg(long)]
    pub json: bool,
    /// Also require that all members receive the messages of all senders in the same order, as a
    /// server with one event loop guarantees and one with a thread per client may not. Needs a member
    /// that receives everything: fewer --senders than --clients, or --idle 1
    #[arg(long)]
    pub one_order: bool,
    /// Whether senders receive their own messages
    #[arg(long, value_enum, default_value_t = Echo::Ignore)]
    pub echo: Echo,
    /// Line that every client sends first, such as a nick or a password; {} is replaced by its
    /// number and \n by a newline
    #[arg(long, value_name = "LINE")]
    pub hello: Option<String>,
    /// Text that marks a client as connected once the server has sent it, such as " 001 " or
    /// " 366 "; at most --connecting clients wait for it at the same time
    #[arg(long, value_name = "TEXT")]
    pub welcome: Option<String>,
    /// Text in front of every message, such as "PRIVMSG #room :"
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
    /// Connect by TLS; +PORT does, too
    #[arg(long)]
    pub tls: bool,
    /// SHA-256 fingerprint of the server's certificate, instead of the system's trust; implies --tls
    #[arg(long, value_name = "SHA256")]
    pub tls_fingerprint: Option<Fingerprint>,
    /// Send and receive each line as a message of a WebSocket at /, by TLS if that is on
    #[cfg(feature = "web")]
    #[arg(long)]
    pub websocket: bool,
    /// Connections to establish at the same time
    #[arg(long, default_value_t = 64, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub connecting: u32,
    /// Connections to start per second. With a listen backlog of 5 or 10, clients that connect all
    /// at once need seconds of retries; 500 per second suit most servers [default: no limit]
    #[arg(long, value_name = "R", value_parser = rate)]
    pub connect_rate: Option<f64>,
    /// How long to stay connected after the last message
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = seconds)]
    pub hold: Duration,
    /// Give up after this long without progress
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = some_seconds)]
    pub timeout: Duration,
    /// Polling interface: auto, epoll, kqueue, poll, select
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: Backend,
}

impl Options {
    /// Connections in all.
    pub fn connections(&self) -> usize {
        self.clients as usize + self.idle as usize + self.slow as usize
    }

    /// What is around the lines.
    ///
    /// # Errors
    /// Why there can be no TLS with this host.
    pub fn wrapping(&self) -> Result<Wrapping, String> {
        let trust = self.tls_fingerprint.map_or(Trust::System, Trust::Pinned);
        let wanted = self.tls || self.host.tls || self.tls_fingerprint.is_some();
        let host = self.host.host.as_deref().unwrap_or(DEFAULT_HOST);
        let tls = wanted.then(|| Connector::new(host, trust, None)).transpose()?;
        #[cfg(feature = "web")]
        let websocket = self.websocket;
        #[cfg(not(feature = "web"))]
        let websocket = false;
        Ok(Wrapping { tls, websocket })
    }

    /// How many of the clients send: never more than there are clients, messages or numbers.
    pub fn talkers(&self) -> u32 {
        let asked = self.senders.unwrap_or(self.clients);
        asked.min(self.clients).min(self.messages).min(payload::MOST_SENDERS)
    }

    /// How many members receive everything as it comes: only they can tell whether there is one
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
        _ => Err(format!("expected {} to {} bytes", range.start(), range.end())),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (LOWEST_RATE..=HIGHEST_RATE).contains(&rate) => Ok(rate),
        _ => Err(format!("expected {LOWEST_RATE} to {HIGHEST_RATE} per second")),
    }
}
