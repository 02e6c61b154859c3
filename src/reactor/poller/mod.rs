//! Which descriptors are ready? The contract of all pollers; one file per interface of the OS.
//!
//! | file | interface | systems | cost of one wait |
//! |---|---|---|---|
//! | `epoll` | `epoll_wait` | Linux | grows with the ready descriptors |
//! | `kqueue` | `kevent` | macOS, the BSDs | grows with the ready descriptors |
//! | `poll` | `poll` | any Unix | grows with all descriptors |
//! | `select` | `select` | any Unix | grows with the highest number; numbers below 1,024 only |
//!
//! # Contract
//!
//! Every backend has the same five methods, `new add modify remove wait`, and keeps these rules:
//!
//! - **Level-triggered.** A descriptor is reported at every wait for as long as it is ready and
//!   somebody is interested. So a handler may read once and leave the rest: it will be told again.
//!   Edge-triggered readiness (EPOLLET, EV_CLEAR) saves a few wakeups and costs a loop "until
//!   EAGAIN" around every read, fairness bookkeeping, and hangs when one is forgotten.
//! - **One event per descriptor and wait.** kqueue's two filters are merged.
//! - **Readiness is a hint.** A read after `readable` may still find nothing (EAGAIN): another
//!   event of the same turn may have drained it, Linux may have dropped a datagram with a bad
//!   checksum. Handlers treat EAGAIN as "later".
//! - **`hangup` is a hint, too.** It says that the peer is gone in both directions, or that the
//!   descriptor failed. epoll and poll say it whatever the interest; kqueue only while a filter is
//!   registered; select cannot say it at all. Nothing may depend on it: the truth is what `read`
//!   and `write` return.
//! - **Always ready.** A regular file or a directory never blocks, so the kernel's queues refuse
//!   it (epoll: EPERM; kqueue would wait at end of file for the file to grow). [`Poller`] keeps
//!   those aside and reports them ready at every wait. That is what makes
//!   `program < script.txt` and `< /dev/null` work under every backend.
//! - **Interest NONE** keeps the descriptor known and silent, but for `hangup`.
//! - **EINTR** is not an error: `wait` returns with no events.
//! - **Time-outs** are rounded up, so a timer never wakes the loop a moment too early, to find
//!   nothing due and spin.
//!
//! A descriptor is removed before it is closed. epoll and kqueue forget a closed descriptor by
//! themselves, but only when its last duplicate is gone, and poll and select would fail on it.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
#[cfg(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
mod kqueue;
mod poll;
mod select;

use super::Token;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::str::FromStr;
use std::time::Duration;

/// What its owner wants to hear of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interest {
    /// Tell me when a read would not block.
    pub readable: bool,
    /// Tell me when a write would not block.
    pub writable: bool,
}

impl Interest {
    /// Nothing, for now.
    pub const NONE: Interest = Interest { readable: false, writable: false };
    /// Reads only.
    pub const READ: Interest = Interest { readable: true, writable: false };
    /// Writes only.
    pub const WRITE: Interest = Interest { readable: false, writable: true };
    /// Reads and writes.
    pub const BOTH: Interest = Interest { readable: true, writable: true };

    fn is_none(self) -> bool {
        self == Interest::NONE
    }
}

/// What a wait found out about one descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Readiness {
    /// The token the descriptor was added with.
    pub token: Token,
    /// A read would not block: bytes, end of stream, or an error to fetch.
    pub readable: bool,
    /// A write would not block, or would fail at once.
    pub writable: bool,
    /// The peer is gone in both directions, or the descriptor failed. A hint.
    pub hangup: bool,
}

/// The interfaces a poller can stand on.
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

impl Backend {
    /// What this system has, best first. Never empty: `poll` and `select` are everywhere.
    pub const fn available() -> &'static [Backend] {
        if cfg!(any(target_os = "linux", target_os = "android")) {
            &[Backend::Epoll, Backend::Poll, Backend::Select]
        } else if cfg!(any(
            target_os = "macos",
            target_os = "ios",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd",
            target_os = "dragonfly"
        )) {
            &[Backend::Kqueue, Backend::Poll, Backend::Select]
        } else {
            &[Backend::Poll, Backend::Select]
        }
    }

    /// What `auto` means here: the best that is available.
    pub const fn best() -> Backend {
        Backend::available()[0]
    }

    /// Its name on the command line.
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

/// A backend that was asked for and is not here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownBackend {
    asked: String,
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Backend::available().iter().map(|backend| backend.name()).collect();
        write!(f, "this system has no '{}'; it has auto, {}", self.asked, names.join(", "))
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;

    /// `auto` or the name of an available backend; the error lists what there is.
    fn from_str(name: &str) -> Result<Backend, UnknownBackend> {
        if name == "auto" {
            return Ok(Backend::best());
        }
        let known = Backend::available().iter().find(|backend| backend.name() == name);
        known.copied().ok_or_else(|| UnknownBackend { asked: name.to_owned() })
    }
}

/// The backends, side by side. An enum and not a trait object: the set is closed, and a `match`
/// of four arms is what a reader can follow.
enum System {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll(epoll::Epoll),
    #[cfg(any(
        target_os = "macos",
        target_os = "ios",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    ))]
    Kqueue(kqueue::Kqueue),
    Poll(poll::Poll),
    Select(Box<select::Select>),
}

/// Calls one of the five methods on whichever backend it is.
macro_rules! on_system {
    ($system:expr, $backend:ident => $call:expr) => {
        match $system {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            System::Epoll($backend) => $call,
            #[cfg(any(
                target_os = "macos",
                target_os = "ios",
                target_os = "freebsd",
                target_os = "netbsd",
                target_os = "openbsd",
                target_os = "dragonfly"
            ))]
            System::Kqueue($backend) => $call,
            System::Poll($backend) => $call,
            System::Select($backend) => $call,
        }
    };
}

/// A descriptor that is ready by nature: the kernel's queues refuse to watch it.
struct AlwaysReady {
    fd: RawFd,
    token: Token,
    interest: Interest,
}

/// Waits for many descriptors at once.
pub struct Poller {
    backend: Backend,
    system: System,
    always_ready: Vec<AlwaysReady>,
}

impl Poller {
    /// A poller on `backend`.
    ///
    /// # Errors
    /// What the system said when it could not make one; `Unsupported` if `backend` is not in
    /// [`Backend::available`].
    pub fn new(backend: Backend) -> io::Result<Poller> {
        let system = match backend {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Backend::Epoll => System::Epoll(epoll::Epoll::new()?),
            #[cfg(any(
                target_os = "macos",
                target_os = "ios",
                target_os = "freebsd",
                target_os = "netbsd",
                target_os = "openbsd",
                target_os = "dragonfly"
            ))]
            Backend::Kqueue => System::Kqueue(kqueue::Kqueue::new()?),
            Backend::Poll => System::Poll(poll::Poll::new()?),
            Backend::Select => System::Select(Box::new(select::Select::new()?)),
            #[allow(unreachable_patterns)] // on a system that has all there is to match
            absent => {
                let refusal = UnknownBackend { asked: absent.name().to_owned() };
                return Err(io::Error::new(io::ErrorKind::Unsupported, refusal));
            }
        };
        Ok(Poller { backend, system, always_ready: Vec::new() })
    }

    /// The backend it stands on.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Watches `fd`; its events will carry `token`.
    ///
    /// # Errors
    /// `AlreadyExists` if it is watched, `InvalidInput` if `select` cannot hold its number, or
    /// what the system said.
    pub fn add(&mut self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        match on_system!(&mut self.system, it => it.add(fd, token, interest)) {
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

    /// Changes what is wanted of a watched `fd`.
    ///
    /// # Errors
    /// `NotFound` if it is not watched, or what the system said.
    pub fn modify(&mut self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        if let Some(known) = self.always_ready.iter_mut().find(|known| known.fd == fd) {
            known.interest = interest;
            known.token = token;
            return Ok(());
        }
        on_system!(&mut self.system, it => it.modify(fd, token, interest))
            .map_err(not_found_if_unwatchable)
    }

    /// Stops watching `fd`. Call it before the descriptor is closed.
    ///
    /// # Errors
    /// `NotFound` if it is not watched, or what the system said.
    pub fn remove(&mut self, fd: impl AsFd) -> io::Result<()> {
        let fd = fd.as_fd().as_raw_fd();
        if let Some(place) = self.always_ready.iter().position(|known| known.fd == fd) {
            self.always_ready.swap_remove(place);
            return Ok(());
        }
        on_system!(&mut self.system, it => it.remove(fd)).map_err(not_found_if_unwatchable)
    }

    /// Waits until something is ready or `timeout` has passed (`None`: for ever) and replaces
    /// the content of `events`. A signal may end it early, with no events.
    ///
    /// # Errors
    /// What the system said; EINTR is not an error.
    pub fn wait(
        &mut self,
        events: &mut Vec<Readiness>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        events.clear();
        let ready = |known: &&AlwaysReady| !known.interest.is_none();
        let timeout = match self.always_ready.iter().find(ready) {
            Some(_) => Some(Duration::ZERO),
            None => timeout,
        };
        match on_system!(&mut self.system, it => it.wait(events, timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            other => other?,
        }
        events.extend(self.always_ready.iter().filter(ready).map(|known| Readiness {
            token: known.token,
            readable: known.interest.readable,
            writable: known.interest.writable,
            hangup: false,
        }));
        Ok(())
    }
}

/// epoll says EPERM of every descriptor it cannot watch, known or not. The known ones stand in the
/// list of those always ready, where it was not found.
fn not_found_if_unwatchable(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EPERM) => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

/// Milliseconds for `epoll_wait` and `poll`: rounded up, -1 for ever.
fn timeout_milliseconds(timeout: Option<Duration>) -> libc::c_int {
    match timeout {
        None => -1,
        Some(wait) => {
            libc::c_int::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
        }
    }
}

/// The error of the last system call, if `result` says that it failed.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
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

    #[test]
    fn timeouts_round_up() {
        assert_eq!(timeout_milliseconds(None), -1);
        assert_eq!(timeout_milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(timeout_milliseconds(Some(Duration::from_nanos(1))), 1);
        assert_eq!(timeout_milliseconds(Some(Duration::from_millis(7))), 7);
        assert_eq!(timeout_milliseconds(Some(Duration::MAX)), libc::c_int::MAX);
    }
}
