//! Startup: listening, opening the journal, and the errors of both.

use super::config::{Config, Days};
use crate::chat::{Change, Hub, Moment, SessionId};
use crate::journal::{Journal, JournalError, Limits, Runtime, TimeSource, Wake};
use chatloop_reactor::fault::Faults;
use chatloop_reactor::{Clock, Listener, Token, Waker};
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Addresses that one name may resolve to and all be listened at.
pub(super) const MOST_LISTENERS: usize = 8;

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
#[derive(Debug)]
pub enum StartError {
    /// The host's name has no address.
    Resolve {
        /// The name.
        host: String,
        error: io::Error,
    },
    /// An address that cannot be listened at.
    Listen {
        /// The address.
        address: SocketAddr,
        error: io::Error,
    },
    /// A file that a setting names cannot be read.
    Setting(String),
    /// The file for the trace cannot be written.
    Trace(io::Error),
    /// The directory of uploaded files cannot be used.
    Files(io::Error),
    /// The journal's directory cannot be used.
    Journal(JournalError),
    /// The system denied something that every server needs.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Resolve { host, error } => {
                write!(f, "'{host}' is not an address of this machine: {error}")
            }
            StartError::Listen { address, error } => {
                write!(f, "cannot listen on {address}: {error}")?;
                match error.kind() {
                    io::ErrorKind::AddrInUse => f.write_str(
                        "; another program uses this port: stop it, or choose another port",
                    ),
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; ports below 1024 need root: choose another port")
                    }
                    _ => Ok(()),
                }
            }
            StartError::Setting(problem) => f.write_str(problem),
            StartError::Trace(error) => write!(f, "--trace: cannot write the file: {error}"),
            StartError::Files(error) => {
                write!(f, "--data: cannot use the directory of uploaded files: {error}")
            }
            StartError::Journal(error) => error.fmt(f),
            StartError::System(error) => write!(f, "system error: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Listens at every address the host's name has, all at the same port.
pub(super) fn listen(
    config: &Config,
    faults: Option<&Rc<Faults>>,
) -> Result<Vec<Listener>, StartError> {
    let resolved = (config.boot.host.as_str(), config.boot.port)
        .to_socket_addrs()
        .map_err(|error| StartError::Resolve { host: config.boot.host.clone(), error })?;
    let mut listeners: Vec<Listener> = Vec::new();
    let mut port = config.boot.port;
    for mut address in resolved.take(MOST_LISTENERS) {
        address.set_port(port);
        match Listener::bind(address, config.boot.backlog) {
            Ok(mut listener) => {
                faults.into_iter().for_each(|faults| listener.disturb(faults));
                port = listener.local_address().map_err(StartError::System)?.port();
                listener.bound_send_buffers(SEND_BUFFER).map_err(StartError::System)?;
                if let Some(bytes) = UNSENT {
                    listener.bound_unsent(bytes).map_err(StartError::System)?;
                }
                listeners.push(listener);
            }
            // A name like localhost may have an address of a family this machine has not.
            Err(error)
                if error.kind() == io::ErrorKind::AddrNotAvailable && !listeners.is_empty() => {}
            Err(error) => return Err(StartError::Listen { address, error }),
        }
    }
    if listeners.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "no address found");
        return Err(StartError::Resolve { host: config.boot.host.clone(), error });
    }
    Ok(listeners)
}

/// The origin of what the server itself writes down. No connection's: 0 is the first one's, whose
/// own records would be taken for in force when this one is.
pub(super) const NOBODY: Token = Token::fixed(201);

/// The journal that the configuration asks for, and the state it holds.
pub(super) fn open_journal(
    config: &Config,
    waker: &Waker,
    clock: &Clock,
    inline: bool,
) -> Result<(Journal, Hub), StartError> {
    let limits = Limits {
        per_room: config.boot.keep_messages.on().map(|count| count.get().into()),
        age: config.boot.keep_days.on().map(Days::duration),
        room_memory: config.room_memory(),
        memory: config.boot.history_memory.0,
        file_size: config.boot.max_data.on().map(|size| size.0 as u64),
        ..Limits::default()
    };
    let Some(directory) = &config.boot.data else {
        let mut hub = Hub::new();
        hub.set_room_memory(limits.room_memory);
        return Ok((Journal::memory(&limits), hub));
    };
    let waker = waker.clone();
    let wake: Wake = Arc::new(move || waker.wake());
    let runtime = Runtime { wake, time: Arc::new(Time(clock.clone())), inline };
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
