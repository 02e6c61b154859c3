//! Types that the poller and its backends have in common: interest, readiness, and the calls of a backend.

use crate::slab::Token;
use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// The directions that the owner of a descriptor is interested in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interest {
    /// Report when a read would not block.
    pub readable: bool,
    /// Report when a write would not block. A socket is writable nearly always, so an interest
    /// that is left on while there is nothing to write makes every wait return at once.
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

    pub(super) fn is_none(self) -> bool {
        self == Interest::NONE
    }
}

/// The report of a wait about one descriptor.
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

/// One interface of the system, under the contract of [the module above](super).
///
/// Rejected: an enum of the backends. Each of its arms would need the list of systems once more,
/// and one call through a table costs nothing beside the system call that it makes.
pub(crate) trait Selector {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()>;
    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()>;
    fn remove(&mut self, fd: RawFd) -> io::Result<()>;
    /// Appends to `ready`. EINTR is an error here; the poller hides it.
    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()>;
}

/// Milliseconds for `epoll_wait` and `poll`: rounded up; -1 is no limit.
pub(super) fn timeout_milliseconds(timeout: Option<Duration>) -> libc::c_int {
    match timeout {
        None => -1,
        Some(wait) => {
            libc::c_int::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
        }
    }
}

/// The error of the last system call, if `result` says that it failed.
pub(super) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_round_up() {
        assert_eq!(timeout_milliseconds(None), -1);
        assert_eq!(timeout_milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(timeout_milliseconds(Some(Duration::from_nanos(1))), 1);
        assert_eq!(timeout_milliseconds(Some(Duration::from_millis(7))), 7);
        assert_eq!(timeout_milliseconds(Some(Duration::MAX)), libc::c_int::MAX);
    }
}
