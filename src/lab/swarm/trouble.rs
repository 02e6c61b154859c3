//! Failures that prevent a measurement, with messages that say what to do.

use crate::lab::process::NoSuchProcess;
use chatloop_reactor::Backend;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why there is no report.
#[derive(Debug)]
pub enum Trouble {
    /// More connections than this process may hold.
    TooMany {
        /// The number of connections requested.
        asked: usize,
        /// Connections that can be held.
        limit: usize,
        /// The poller, which may be what limits.
        backend: Backend,
    },
    /// `--one-order` without a member that receives everything.
    NoListener,
    /// The host and the port both name one.
    TwoPorts(String),
    /// `--pid` names a process that cannot be measured.
    NoProcess(NoSuchProcess),
    /// The host has no address.
    UnknownHost {
        /// As it was given.
        host: String,
        reason: io::Error,
    },
    /// A connection could not be made.
    Connect {
        /// How many were established before.
        made: usize,
        /// How many were requested.
        total: usize,
        address: SocketAddr,
        /// The system's error; `TimedOut` if there was no progress for `--timeout`.
        reason: io::Error,
    },
    /// The server closed connections before the exchange.
    ClosedEarly {
        lost: usize,
        /// Of how many.
        total: usize,
    },
    /// Some members have not received the text of `--welcome`.
    NotWelcome {
        absent: usize,
        /// Of how many.
        total: usize,
    },
    /// Some members received no probe of a sender.
    NotInRoom {
        absent: usize,
        /// Of how many.
        total: usize,
    },
    /// Another error of the system.
    System(io::Error),
}

impl Trouble {
    /// 2 if other arguments would help, 3 if the connections failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Trouble::TooMany { .. }
            | Trouble::NoListener
            | Trouble::TwoPorts(_)
            | Trouble::NoProcess(_) => 2,
            _ => 3,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::TooMany { asked, limit, backend } => write!(
                f,
                "{asked} connections asked for, {limit} possible with {backend} here \
                 (see `ulimit -Hn`)"
            ),
            Trouble::NoListener => f.write_str(
                "--one-order needs a member that receives everything: fewer --senders than --clients, \
                 or --idle 1",
            ),
            Trouble::TwoPorts(reason) => f.write_str(reason),
            Trouble::NoProcess(reason) => reason.fmt(f),
            Trouble::UnknownHost { host, reason } => write!(f, "no address for {host}: {reason}"),
            Trouble::Connect { made, total, address, reason } => {
                write!(f, "cannot connect to {address}: {}", in_words(reason))?;
                if *made > 0 { write!(f, " ({made} of {total} were made)") } else { Ok(()) }
            }
            Trouble::ClosedEarly { lost, total } => write!(
                f,
                "the server closed {lost} of {total} connections before the exchange; does it limit \
                 clients, or clients per address?"
            ),
            Trouble::NotWelcome { absent, total } => write!(
                f,
                "{absent} of {total} members did not receive the text of --welcome in time; does the \
                 server send it, and is --hello what it expects?"
            ),
            Trouble::NotInRoom { absent, total } => write!(
                f,
                "{absent} of {total} members received nothing from a sender; does the server relay \
                 lines to everyone else at once? If it expects a name or a password first, see \
                 --hello; if its listen backlog is short, try --connect-rate 500"
            ),
            Trouble::System(reason) => reason.fmt(f),
        }
    }
}

fn in_words(reason: &io::Error) -> String {
    match reason.kind() {
        io::ErrorKind::AddrNotAvailable => "this machine has no more free ports for connections \
             to that address; wait a minute for old ones, widen \
             net.ipv4.ip_local_port_range, or use fewer clients"
            .to_owned(),
        io::ErrorKind::ConnectionRefused => {
            "connection refused (is a server running there?)".to_owned()
        }
        io::ErrorKind::TimedOut => {
            "no answer in time (is its listen backlog full? see --connect-rate)".to_owned()
        }
        _ => reason.to_string(),
    }
}

impl std::error::Error for Trouble {}

impl From<io::Error> for Trouble {
    fn from(reason: io::Error) -> Trouble {
        Trouble::System(reason)
    }
}

impl From<NoSuchProcess> for Trouble {
    fn from(reason: NoSuchProcess) -> Trouble {
        Trouble::NoProcess(reason)
    }
}
