//! Startup: listening, opening the journal, and the errors of both.

use super::config::{Config, Days};
use crate::chat::{Change, Hub, Moment, SessionId};
use crate::journal::{Journal, JournalError, Limits, Runtime, Threads, TimeSource, Wake};
use crate::wire::address::{DEFAULT_HOST, DEFAULT_PORT};
use chatloop_reactor::fault::Faults;
use chatloop_reactor::{Clock, Listener, Token, Waker};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;

/// Addresses that are listened at, of all names together.
pub(super) const MOST_LISTENERS: usize = 32;

/// What the system keeps unsent for one peer (Linux doubles it, for its own bookkeeping). More than a
/// fast peer takes between two turns; without it, Linux keeps up to 4 MB for each peer that does not
/// read, which no limit of this server could see.
///
/// [`UNSENT`] bounds the same bytes a second time, only where the peer's window is larger than this.
const SEND_BUFFER: usize = 128 * 1024;

/// Bytes that the system takes for a peer beyond what is on its way (TCP_NOTSENT_LOWAT). `None`: a
/// buffer that refills later costs wake-ups, and the send buffer is bounded already.
const UNSENT: Option<u32> = None;

/// Why the server does not start.
#[derive(Error, Debug)]
pub enum StartError {
    /// The host's name has no address.
    #[error("'{host}' is not an address of this machine: {error}")]
    Resolve { host: String, error: io::Error },
    /// An address that cannot be listened at.
    #[error("cannot listen on {address}: {error}{}", advice(error.kind()))]
    Listen { address: SocketAddr, error: io::Error },
    /// A file that a setting names cannot be read.
    #[error("{0}")]
    Setting(String),
    /// The file for the trace cannot be written.
    #[error("--trace: cannot write the file: {0}")]
    Trace(io::Error),
    /// The directory of uploaded files cannot be used.
    #[error("--data: cannot use the directory of uploaded files: {0}")]
    Files(io::Error),
    /// The journal's directory cannot be used.
    #[error("{0}")]
    Journal(JournalError),
    /// The system denied something that every server needs.
    #[error("system error: {0}")]
    System(#[from] io::Error),
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "; another program uses this port: stop it, or choose another port"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need root: choose another port",
        _ => "",
    }
}

/// Listens where a service manager does already, or else at every address of the configured hosts.
pub(super) fn listen(
    config: &Config,
    faults: Option<&Rc<Faults>>,
) -> Result<Vec<Listener>, StartError> {
    let mut listeners = Listener::inherited()?;
    if listeners.is_empty() {
        let host_and_port = [(config.boot.host.clone(), config.boot.port)];
        let places = config.boot.listen.iter().map(|it| {
            let host = it.host.clone().unwrap_or_else(|| DEFAULT_HOST.to_owned());
            (host, it.port.unwrap_or(DEFAULT_PORT))
        });
        let places: Vec<_> =
            if places.len() == 0 { host_and_port.into() } else { places.collect() };
        let at_v4: Vec<u16> = places
            .iter()
            .filter(|(host, _)| host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_unspecified()))
            .map(|(_, port)| *port)
            .collect();
        for (host, port) in places {
            listen_at(&host, port, config.boot.backlog, &at_v4, &mut listeners)?;
        }
    }
    listeners.truncate(MOST_LISTENERS);
    for listener in &mut listeners {
        faults.into_iter().for_each(|faults| listener.disturb(faults));
        listener.bound_send_buffers(SEND_BUFFER)?;
        if let Some(bytes) = UNSENT {
            listener.bound_unsent(bytes)?;
        }
    }
    Ok(listeners)
}

/// Listens at every address a host's name has, all at the same port. The IPv6 wildcard takes IPv4
/// peers too, unless that port is one of `at_v4`, at which the IPv4 wildcard listens.
fn listen_at(
    host: &str,
    mut port: u16,
    backlog: u32,
    at_v4: &[u16],
    listeners: &mut Vec<Listener>,
) -> Result<(), StartError> {
    let unknown = |error| StartError::Resolve { host: host.to_owned(), error };
    let resolved = (host, port).to_socket_addrs().map_err(unknown)?;
    let before = listeners.len();
    for mut address in resolved.take(MOST_LISTENERS) {
        address.set_port(port);
        let only_v6 = !address.ip().is_unspecified() || at_v4.contains(&port);
        match Listener::bind_only(address, backlog, only_v6) {
            Ok(listener) => {
                port = listener.local_address()?.port();
                listeners.push(listener);
            }
            // A name like localhost may have an address of a family this machine has not.
            Err(error)
                if error.kind() == io::ErrorKind::AddrNotAvailable && listeners.len() > before => {}
            Err(error) => return Err(StartError::Listen { address, error }),
        }
    }
    if listeners.len() == before {
        return Err(unknown(io::Error::new(io::ErrorKind::NotFound, "no address found")));
    }
    Ok(())
}

/// The origin of what the server itself writes down. No connection's: 0 is the first one's, whose
/// own records would be taken for in force when this one is.
pub(super) const NOBODY: Token = Token::fixed(201);

/// The journal that the configuration asks for, and the state it holds.
pub(super) fn open_journal(
    config: &Config,
    waker: &Waker,
    clock: &Clock,
    threads: &Threads,
) -> Result<(Journal, Hub), StartError> {
    let limits = Limits {
        per_room: config.boot.keep_messages.on().map(|count| count.get().into()),
        age: config.boot.keep_days.on().map(Days::duration),
        room_memory: config.room_memory(),
        account_memory: config.account_memory(),
        memory: config.boot.history_memory.0,
        file_size: config.boot.max_data.on().map(|size| size.0 as u64),
        durability: config.boot.durability,
    };
    let Some(directory) = &config.boot.data else {
        let mut hub = Hub::new();
        hub.set_room_memory(limits.room_memory);
        hub.set_account_memory(limits.account_memory);
        return Ok((Journal::memory(&limits), hub));
    };
    let waker = waker.clone();
    let wake: Wake = Arc::new(move || waker.wake());
    let runtime = Runtime { wake, time: Arc::new(Time(clock.clone())), threads: threads.clone() };
    let (mut journal, hub) =
        Journal::open(directory, &limits, &runtime).map_err(StartError::Journal)?;
    // The previous sessions are over.
    let now = Moment(clock.unix_milliseconds());
    journal.propose(now, SessionId(NOBODY.to_bits()), Change::Restarted { node: 0 });
    Ok((journal, hub))
}

/// The time that the journal's threads are told: the server's.
pub(super) struct Time(pub(super) Clock);

impl TimeSource for Time {
    fn instant(&self) -> Instant {
        self.0.now() + self.0.spent()
    }
}
