//! The poller: which descriptors are ready, under one contract for every interface of the system.
//!
//! | file | interface | systems | cost of one wait |
//! |---|---|---|---|
//! | `epoll` | `epoll_wait` | Linux | grows with the ready descriptors |
//! | `kqueue` | `kevent` | macOS, the BSDs | grows with the ready descriptors |
//! | `poll` | `poll` | any Unix | grows with all descriptors |
//! | `select` | `select` | any Unix | grows with the highest number; numbers below 1,024 only |
//!
//! `selector` is what they have in common; `kqueue_stand_in` lets the second be tested on Linux.
//!
//! # Contract
//!
//! Every backend is a `Selector` of four methods, `add modify remove wait`, and keeps these rules
//! (`tests/poller_contract.rs` checks them on each):
//!
//! - **Level-triggered.** A descriptor is reported at every wait for as long as it is ready and
//!   its owner is interested. So a handler may read once and leave the rest: it will be told
//!   again. The alternative, edge-triggered (EPOLLET, EV_CLEAR), reports only the moment at which
//!   a descriptor *becomes* ready. It saves a few wakeups, but every handler must then read "until
//!   EAGAIN", a busy peer needs fairness bookkeeping, and a byte left behind is never reported:
//!   the connection hangs.
//! - **One report per descriptor and wait.** kqueue's two filters are merged.
//! - **Readiness is a hint.** A read after `readable` may still find nothing (EAGAIN): an earlier
//!   handler of the same turn may have drained it, or Linux dropped a datagram with a bad
//!   checksum. Handlers treat EAGAIN as "later" and never as an error.
//! - **`hangup` is a hint, too.** It means that the peer is gone in both directions, or that the
//!   descriptor failed. epoll and poll report it whatever the interest; kqueue only while a filter
//!   is registered; select cannot report it at all. Nothing may depend on it: the truth is what
//!   `read` and `write` return.
//! - **Always ready.** A regular file or a directory never blocks, so the kernel's queues reject it
//!   (epoll: EPERM; kqueue would wait at end of file for the file to grow). [`Poller`] keeps those
//!   in a separate list and reports them ready at every wait. That is what makes `program <
//!   script.txt` and `< /dev/null` work with every backend.
//! - **Interest NONE** keeps the descriptor known and silent, except for `hangup`.
//! - **EINTR** is not an error: `wait` returns with no reports.
//! - **Timeouts** are rounded up. Rounded down, a timer would wake the loop a moment too early, it
//!   would find nothing due, and spin until the moment has come.
//!
//! A descriptor is removed before it is closed. epoll and kqueue forget a closed descriptor by
//! themselves, but only when its last duplicate is closed; poll and select would fail on it.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    all(target_os = "linux", feature = "kqueue-stand-in")
))]
mod kqueue;
#[cfg(all(target_os = "linux", feature = "kqueue-stand-in"))]
mod kqueue_stand_in;
mod poll;
mod select;
mod selector;

pub(crate) use selector::Selector;
pub use selector::{Interest, Readiness};

use super::Token;
use super::fault::Faults;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

/// The interfaces a poller can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// Linux's `epoll`.
    Epoll,
    /// `kqueue` of macOS and the BSDs.
    Kqueue,
    /// POSIX `poll`.
    Poll,
    /// POSIX `select`; descriptors below FD_SETSIZE only.
    Select,
}

type Open = fn() -> io::Result<Box<dyn Selector>>;

/// What this system has, best first. Never empty: `poll` and `select` are everywhere.
const HERE: &[(Backend, Open)] = &[
    #[cfg(any(target_os = "linux", target_os = "android"))]
    (Backend::Epoll, || Ok(Box::new(epoll::Epoll::new()?))),
    #[cfg(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly",
        all(target_os = "linux", feature = "kqueue-stand-in")
    ))]
    (Backend::Kqueue, || Ok(Box::new(kqueue::Kqueue::new()?))),
    (Backend::Poll, || Ok(Box::new(poll::Poll::new()))),
    (Backend::Select, || Ok(Box::new(select::Select::new()))),
];

impl Backend {
    /// The backends of this system, best first. Never empty.
    pub fn available() -> impl Iterator<Item = &'static Backend> {
        HERE.iter().map(|(backend, _)| backend)
    }

    /// The best that is available; `auto` on a command line.
    pub const fn best() -> Backend {
        HERE[0].0
    }

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Epoll => "epoll",
            Backend::Kqueue => "kqueue",
            Backend::Poll => "poll",
            Backend::Select => "select",
        }
    }

    /// The highest descriptor number it can watch, plus one; `None` if the process limit is the
    /// only one.
    pub const fn descriptor_ceiling(self) -> Option<usize> {
        match self {
            Backend::Select => Some(libc::FD_SETSIZE),
            _ => None,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a backend that this system does not have; it lists those that it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownBackend(String);

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Backend::available().map(|backend| backend.name()).collect();
        write!(f, "this system has no '{}'; it has auto, {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;

    /// `auto` or the name of an available backend; the error lists them.
    fn from_str(name: &str) -> Result<Backend, UnknownBackend> {
        if name == "auto" {
            return Ok(Backend::best());
        }
        let known = Backend::available().find(|backend| backend.name() == name);
        known.copied().ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}

/// A descriptor that is always ready: the kernel's queues refuse to watch it.
struct AlwaysReady {
    fd: RawFd,
    token: Token,
    interest: Interest,
}

/// Waits for many descriptors at once.
///
/// ```
/// use chatloop_reactor::{Backend, Interest, Poller, Token};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// # fn main() -> std::io::Result<()> {
/// const PEER: Token = Token::fixed(1);
/// let (mut ours, mut peer) = UnixStream::pair()?;
/// let mut poller = Poller::new(Backend::best())?;
/// poller.add(&ours, PEER, Interest::READ)?;
///
/// peer.write_all(b"hello")?;
/// let mut ready = Vec::new();
/// poller.wait(&mut ready, None)?;
/// assert!(ready[0].token == PEER && ready[0].readable);
///
/// // Level-triggered: half of it is read, so the other half is reported again.
/// ours.read_exact(&mut [0; 2])?;
/// poller.wait(&mut ready, None)?;
/// assert!(ready[0].readable);
///
/// poller.remove(&ours)?; // before it is closed
/// # Ok(())
/// # }
/// ```
pub struct Poller {
    backend: Backend,
    selector: Box<dyn Selector>,
    always_ready: Vec<AlwaysReady>,
    faults: Option<Rc<Faults>>,
}

impl Poller {
    /// A poller that uses `backend`.
    ///
    /// # Errors
    /// `Unsupported` if `backend` is not in [`Backend::available`]; otherwise the process has no
    /// descriptor left for it.
    pub fn new(backend: Backend) -> io::Result<Poller> {
        #[cfg(feature = "simulation")]
        if let Some(selector) = super::simulated::Simulated::here(Box::new(poll::Poll::new())) {
            return Ok(Poller::of(backend, Box::new(selector)));
        }
        let Some((_, open)) = HERE.iter().find(|(here, _)| *here == backend) else {
            let unknown = UnknownBackend(backend.name().to_owned());
            return Err(io::Error::new(io::ErrorKind::Unsupported, unknown));
        };
        Ok(Poller::of(backend, open()?))
    }

    fn of(backend: Backend, selector: Box<dyn Selector>) -> Poller {
        Poller { backend, selector, always_ready: Vec::new(), faults: None }
    }

    /// Has its waits interrupted now and then.
    pub fn disturb(&mut self, faults: &Rc<Faults>) {
        self.faults = Some(Rc::clone(faults));
    }

    /// The backend it uses.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Watches `fd`; its reports will carry `token`.
    ///
    /// # Errors
    /// `AlreadyExists` if it is watched, `InvalidInput` if `select` cannot hold its number.
    pub fn add(&mut self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        match self.selector.add(fd, token, interest) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                if self.always_ready.iter().any(|known| known.fd == fd) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.always_ready.push(AlwaysReady { fd, token, interest });
                Ok(())
            }
            other => other,
        }
    }

    /// Changes the interest in a watched `fd`, and its token.
    ///
    /// # Errors
    /// `NotFound` if it is not watched.
    pub fn modify(&mut self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        if let Some(known) = self.always_ready.iter_mut().find(|known| known.fd == fd) {
            known.interest = interest;
            known.token = token;
            return Ok(());
        }
        self.selector.modify(fd, token, interest).map_err(not_found_if_unwatchable)
    }

    /// Stops watching `fd`. Call it before the descriptor is closed.
    ///
    /// # Errors
    /// `NotFound` if it is not watched.
    pub fn remove(&mut self, fd: impl AsFd) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        if let Some(place) = self.always_ready.iter().position(|known| known.fd == fd) {
            self.always_ready.swap_remove(place);
            return Ok(());
        }
        self.selector.remove(fd).map_err(not_found_if_unwatchable)
    }

    /// Waits until something is ready or `timeout` has passed (`None`: without limit) and replaces
    /// the content of `ready`. A signal may end it early, with no reports.
    ///
    /// # Errors
    /// Only if the poller itself is broken; EINTR is not an error.
    pub fn wait(
        &mut self,
        ready: &mut Vec<Readiness>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        ready.clear();
        let wanted = |known: &&AlwaysReady| !known.interest.is_none();
        let timeout = match self.always_ready.iter().find(wanted) {
            Some(_) => Some(Duration::ZERO),
            None => timeout,
        };
        let outcome = match &self.faults {
            Some(faults) if faults.interrupts() => Err(io::ErrorKind::Interrupted.into()),
            _ => self.selector.wait(ready, timeout),
        };
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => ready.clear(),
            other => other?,
        }
        ready.extend(self.always_ready.iter().filter(wanted).map(|known| Readiness {
            token: known.token,
            readable: known.interest.readable,
            writable: known.interest.writable,
            hangup: false,
        }));
        Ok(())
    }
}

/// epoll reports EPERM for every descriptor that it cannot watch, known or not. The known ones are
/// in the list of those always ready, where this one was not found.
fn not_found_if_unwatchable(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EPERM) => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_found_by_name_or_refused_with_the_list() {
        assert_eq!("auto".parse(), Ok(Backend::best()));
        for backend in Backend::available() {
            assert_eq!(backend.name().parse(), Ok(*backend));
        }
        let refusal = "iocp".parse::<Backend>().unwrap_err().to_string();
        assert!(refusal.contains("'iocp'") && refusal.contains("auto"), "{refusal}");
        assert!(refusal.contains("poll, select"), "{refusal}");
    }
}
