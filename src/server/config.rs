//! Configuration: one struct, read from the command line, the environment and a file.
//!
//! Every limit has a flag, a default, and an error message that names the flag. A setting is one
//! field here; its variable and its key in the file follow from the field's name
//! ([`settings`](crate::settings)), and so does its line in the output of `chatloop-server config`
//! (`show`).

#![allow(rustdoc::bare_urls)] // clap shows the texts as they are

mod choices;
mod derived;
mod example;
mod files;
mod parameters;
mod parsers;
mod secrets;
mod show;
mod sources;
mod subcommands;
mod values;

pub use choices::{LogLevel, Operator, Registration, When};
pub(super) use derived::share_of_memory;
pub use files::FileSettings;
pub use parameters::needs_restart;
pub use sources::{Invalid, Setting, Settings, Source, Task};
pub use values::{Bytes, ChannelModes, Days, LineRate, Network, OrOff, Seconds};

use crate::chat::Secret;
use crate::chat::limits::PASSWORD_LEAST;
use crate::journal::Durability;
use crate::session::{Protocol, Style};
use crate::trace::TraceFormat;
use crate::wire::address::{Address, DEFAULT_HOST, DEFAULT_PORT};
use chatloop_reactor::Backend;
use chatloop_reactor::fault::FaultPlan;
use chatloop_reactor::listener::LONGEST_BACKLOG;
use clap::{Args, Parser};
pub use parsers::LONGEST_LINE;
use parsers::{
    parse_host, parse_listen, parse_max_data, parse_max_line, parse_origin, parse_secret,
};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// What `--name` is if no one gave the server one.
const NO_NAME: &str = "chatloop.local";

/// Bytes of the name of a network: it shares lines of IRC with other words.
const LONGEST_NETWORK: usize = 64;

/// Stands between several values in one variable; no name and no hash has one.
const BETWEEN: char = ' ';

/// A multi-user TCP chat server for nc, IRC clients and chatloop-client.
///
/// To try it, start it and run `nc 127.0.0.1 7777` in two other terminals. A transcript of the chat
/// goes to stdout, the log to stderr. Ctrl-C shuts the server down gracefully; clients are notified.
///
/// Every flag can also be set in the environment (CHATLOOP_MAX_LINE for --max-line) and in a TOML
/// file (max-line = "16k"). Flags take precedence over the environment, and the environment over
/// the file.
#[derive(Clone, Debug, Parser)]
#[command(name = "chatloop-server", version, max_term_width = 100)]
pub struct Config {
    #[command(flatten)]
    pub boot: Boot,

    /// Style of the lines sent to plain-text clients
    #[arg(long, value_enum, default_value_t = Style::Plain)]
    pub style: Style,

    /// Longest line accepted, excluding the newline; longer lines are rejected
    #[arg(long, default_value = "4096", value_name = "BYTES", value_parser = parse_max_line)]
    pub max_line: Bytes,

    /// Maximum number of connected clients [default: as many as the descriptor limit allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_clients: Option<u32>,

    /// Maximum number of clients per IPv4 address or IPv6 /64, or off [default: 256; off for loopback]
    #[arg(long, value_name = "N|off")]
    pub max_per_address: Option<OrOff<NonZeroU32>>,

    /// Maximum rate of connects from one IPv4 address or IPv6 /64, in bursts of up to a minute's
    /// worth, or off; connects above the limit are rejected [default: 10/s; off for loopback]
    #[arg(long, value_name = "N/s|off")]
    pub connect_limit: Option<OrOff<LineRate>>,

    /// Maximum number of rooms created by users of one IPv4 address or IPv6 /64, or off
    /// [default: 1000; off for loopback]
    #[arg(long, value_name = "N|off")]
    pub origin_rooms: Option<OrOff<NonZeroU32>>,

    /// Send queue size above which the client's own messages have to wait; its other lines wait above
    /// 32k, because their answers would only wait behind that
    #[arg(long, default_value = "1M", value_name = "BYTES")]
    pub outbox_soft: Bytes,

    /// Send queue size above which the client is disconnected
    #[arg(long, default_value = "8M", value_name = "BYTES")]
    pub outbox_hard: Bytes,

    /// Memory for the send queues of all clients together; above it, the client with the
    /// largest queue that does not shrink is disconnected [default: an eighth of the memory, at
    /// most 64M]
    #[arg(long, value_name = "BYTES")]
    pub outbox_all: Option<Bytes>,

    /// Memory for the input of all clients that the server has not processed yet, and for what TLS
    /// keeps of both directions; above it, the clients with the most of it are disconnected [default:
    /// an eighth of the memory]
    #[arg(long, value_name = "BYTES")]
    pub inbox_all: Option<Bytes>,

    /// Disconnect clients that have read nothing of their send queue for this many seconds
    #[arg(long, default_value = "60", value_name = "SECONDS|off")]
    pub stall_timeout: OrOff<Seconds>,

    /// Maximum rate of lines from one client, in bursts of up to ten seconds' worth; lines above
    /// the limit are delayed, not dropped [default: 100/s; off for loopback]
    #[arg(long, value_name = "N/s|off")]
    pub flood_limit: Option<OrOff<LineRate>>,

    /// Unfinished work of one IPv4 address or IPv6 /64, in milliseconds, above which its clients'
    /// lines have to wait, or off; other addresses' do not [default: 4; off for loopback]
    #[arg(long, value_name = "MS|off")]
    pub origin_work: Option<OrOff<NonZeroU32>>,

    /// Accounts that one IPv4 address or IPv6 /64 may register within an hour, or off [default: 100;
    /// off for loopback]
    #[arg(long, value_name = "N|off")]
    pub register_limit: Option<OrOff<NonZeroU32>>,

    /// Maximum number of accounts
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub max_accounts: u32,

    /// With --data: days without a login after which an account is deleted, or off
    #[arg(long, default_value = "off", value_name = "DAYS|off")]
    pub account_expiry: OrOff<Days>,

    /// Who may create accounts
    #[arg(long, value_enum, default_value_t = Registration::Open, value_name = "WHO")]
    pub registration: Registration,

    /// Admit clients only if they log in to an account
    #[arg(long)]
    pub require_account: bool,

    /// With --data: maximum number of rooms created by one account that are kept while empty
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub rooms_per_account: u32,

    /// Days after which such a room is deleted if no one has been in it, or off
    #[arg(long, default_value = "90", value_name = "DAYS|off")]
    pub room_expiry: OrOff<Days>,

    /// Messages of history sent to a user who joins a room; 0 for none
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(..=500))]
    pub history_on_join: u32,

    /// Name of a server operator, and the password or its hash (see chatloop-server hash); may be
    /// repeated
    #[arg(long, value_name = "NAME:PASSWORD-OR-HASH", value_delimiter = BETWEEN)]
    pub oper: Vec<Operator>,

    /// File with server operators as --oper takes them, one per line
    #[arg(long, value_name = "FILE")]
    pub oper_file: Option<PathBuf>,

    /// Protocol detection timeout in milliseconds: a client that has sent nothing by then is treated
    /// as plain text. 0 turns detection off, and IRC with it
    #[arg(long, default_value_t = 150, value_name = "MS", value_parser = clap::value_parser!(u32).range(..=60_000))]
    pub greeting_delay: u32,

    /// What clients may speak on the port; TLS and HTTP are detected in any case
    #[arg(long, value_enum, default_value = "any", value_name = "NAME")]
    pub protocol: Protocol,

    /// Modes of a new room: letters of C, i, m, n, s and t, or off for none
    #[arg(long, default_value = "nt", value_name = "LETTERS|off")]
    pub channel_modes: ChannelModes,

    /// Server name shown to IRC clients (a host name)
    #[arg(long, default_value = NO_NAME, value_name = "HOST")]
    pub name: String,

    /// Network name shown to IRC clients (one word)
    #[arg(long, default_value = "chatloop", value_name = "WORD")]
    pub network: String,

    /// Password required to connect: PASS in IRC, /pass in plain text
    #[arg(long, value_name = "WORD", value_parser = parse_secret)]
    pub password: Option<Secret>,

    /// File whose first line is that password
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    pub password_file: Option<PathBuf>,

    /// Minimum length of an account's password, in characters
    #[arg(long, default_value_t = PASSWORD_LEAST as u32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub password_length: u32,

    /// File with the message of the day for IRC clients
    #[arg(long, value_name = "FILE")]
    pub motd: Option<PathBuf>,

    /// Disconnect clients that have sent nothing for this many seconds
    #[arg(long, default_value = "off", value_name = "SECONDS|off")]
    pub idle_timeout: OrOff<Seconds>,

    /// Probe connections that have been silent for this many seconds, to detect dead peers
    #[arg(long, default_value = "120", value_name = "SECONDS|off")]
    pub keep_alive: OrOff<Seconds>,

    /// Accept TLS; without --tls-cert, with a self-signed certificate that is kept in the data
    /// directory
    #[arg(long)]
    pub tls: bool,

    /// Certificate for TLS with its chain, in PEM; SIGHUP reloads it
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of that certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Reject clients that do not use TLS, except from loopback
    #[arg(long)]
    pub tls_only: bool,

    /// Tell IRC clients to use only TLS for this many days (STS); not with a self-signed
    /// certificate
    #[arg(long, value_name = "DAYS")]
    pub sts: Option<Days>,

    /// How long a TLS handshake may take
    #[arg(long, default_value = "10", value_name = "SECONDS")]
    pub tls_timeout: Seconds,

    /// Serve no HTTP: close connections that begin with a request
    #[arg(long)]
    pub no_http: bool,

    /// Public address of this server, such as https://chat.example.org; HTTP requests may name its
    /// host
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    pub url: Option<String>,

    /// Origin of another site whose pages may connect, and upload and fetch files, such as
    /// https://example.org; may be repeated
    #[arg(long, value_name = "ORIGIN", value_delimiter = BETWEEN, value_parser = parse_origin)]
    pub web_origin: Vec<String>,

    #[command(flatten)]
    pub files: FileSettings,

    /// Address or network (10.0.0.0/8) that may read /metrics, in addition to loopback; may be
    /// repeated
    #[arg(long, value_name = "ADDRESS", value_delimiter = BETWEEN)]
    pub metrics_from: Vec<Network>,

    /// Address or network of a proxy that is trusted to tell where its clients come from: by the PROXY
    /// protocol, X-Forwarded-For or WEBIRC; may be repeated
    #[arg(long, value_name = "ADDRESS", value_delimiter = BETWEEN)]
    pub proxy_from: Vec<Network>,

    /// Password that WEBIRC must contain, in addition to coming from a --proxy-from address
    #[arg(long, value_name = "WORD", value_parser = parse_secret)]
    pub webirc_password: Option<Secret>,

    /// Maximum number of /loop pages open at the same time; 0 for none
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub loop_pages: u32,

    /// Log verbosity on stderr; without this flag, RUST_LOG applies [default: info]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub log: Option<LogLevel>,

    /// Chat transcript on stdout
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub transcript: When,

    /// No chat transcript on stdout, and no operator console
    #[arg(long, short)]
    pub quiet: bool,
}

// What the server is built upon: SIGHUP changes the other settings, these need a restart. No doc
// comment, because clap would show it in place of the program's.
#[derive(Clone, Debug, Args)]
pub struct Boot {
    /// Address or host name to listen on, HOST:PORT, or a port alone; :: or 0.0.0.0 for all interfaces
    #[arg(default_value = DEFAULT_HOST, value_parser = parse_host)]
    pub host: String,

    /// Port to listen on; 0 lets the system choose one
    #[arg(default_value_t = DEFAULT_PORT)]
    pub port: u16,

    /// Polling interface: auto, or one that this system has (epoll, kqueue, poll, select)
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub backend: Backend,

    /// Length of the listen backlog; the system may impose a lower limit
    #[arg(long, default_value_t = LONGEST_BACKLOG, value_name = "N")]
    pub backlog: u32,

    /// Address to listen on, in addition to HOST and PORT if given; may be repeated
    #[arg(long, value_name = "HOST:PORT", value_delimiter = BETWEEN, value_parser = parse_listen)]
    pub listen: Vec<Address>,

    /// Data directory; without it, everything is kept in memory and lost on exit
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Messages to keep per room, or off for no limit [default: 1000 in memory, off with --data]
    #[arg(long, default_value = "off", value_name = "N|off", hide_default_value = true)]
    pub keep_messages: OrOff<NonZeroU32>,

    /// Days to keep messages
    #[arg(long, default_value = "off", value_name = "DAYS|off")]
    pub keep_days: OrOff<Days>,

    /// Memory for rooms: topics, masks and metadata take at most half of it, and those of rooms created
    /// from one address an eighth; the most recent messages have the rest, and older ones are looked up
    /// in the history [default: an eighth of the memory, at most 64M]
    #[arg(long, value_name = "BYTES")]
    pub room_memory: Option<Bytes>,

    /// Memory for the metadata and read markers of all accounts; above it, nothing can be added
    /// [default: an eighth of the memory, at most 64M]
    #[arg(long, value_name = "BYTES")]
    pub account_memory: Option<Bytes>,

    /// Memory for messages without --data; above it, the oldest are dropped
    #[arg(long, default_value = "64M", value_name = "BYTES")]
    pub history_memory: Bytes,

    /// Maximum size of the database; above nine tenths of it, messages are rejected, while
    /// deletions and accounts are still saved. The log beside it (a few MiB) does not count
    #[arg(long, default_value = "off", value_name = "BYTES|off", value_parser = parse_max_data)]
    pub max_data: OrOff<Bytes>,

    /// What delivered messages survive
    #[arg(long, value_enum, default_value_t = Durability::Process, value_name = "WHAT")]
    pub durability: Durability,

    /// Write the log to this file; SIGHUP reopens it, for log rotation
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// Write what each turn of the loop does to this file, or to stdout (-); SIGUSR1 and /trace
    /// switch it off and on
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Format of the trace
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub trace_format: TraceFormat,

    /// Include the texts of messages in the trace
    #[arg(long)]
    pub trace_text: bool,

    /// Make each turn of the loop wait for Enter at the console (a number and Enter: that many
    /// turns) or for the button on a /loop page
    #[arg(long)]
    pub step: bool,

    /// Make system calls fail on purpose at these rates, for learning and testing:
    /// short-write=0.3,short-read=0.2,eintr=0.1,eagain=0.1,reset=0.001,accept-emfile=0.01,seed=42
    #[arg(long, value_name = "RATES")]
    pub fault: Option<FaultPlan>,

    /// No operator console, even if started in a terminal
    #[arg(long)]
    pub no_console: bool,

    /// Read settings from this TOML file; SIGHUP reloads it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Config {
    /// Checks that involve several flags.
    ///
    /// # Errors
    /// A sentence that names the flags.
    pub fn check(&self) -> Result<(), String> {
        let Config { outbox_soft: soft, outbox_hard: hard, .. } = self;
        if soft > hard {
            return Err(format!("--outbox-soft ({soft}) must not be above --outbox-hard ({hard})"));
        }
        if !crate::wire::irc::name::is_server_name(&self.name) {
            return Err(format!(
                "--name: invalid host name '{}': expected a name with a dot, such as chat.example.org",
                self.name
            ));
        }
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '=';
        if !(1..=LONGEST_NETWORK).contains(&self.network.len()) || self.network.contains(wrong) {
            return Err(format!(
                "--network: invalid network name '{}': it must be one word without =, of at most \
                 {LONGEST_NETWORK} bytes",
                self.network
            ));
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("--tls-cert and --tls-key: one is of no use without the other".to_owned());
        }
        if self.sts.is_some() && self.tls_cert.is_none() {
            return Err(
                "--sts: only with a certificate that others vouch for (--tls-cert)".to_owned()
            );
        }
        if self.tls_only && self.tls_source().is_none() {
            return Err("--tls-only: there is no TLS without --tls or --tls-cert".to_owned());
        }
        if self.boot.trace.is_none() && self.boot.trace_format != TraceFormat::Text {
            return Err("--trace-format: there is no file to write without --trace".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
