//! `epoll`: Linux's ready list. The contract is in the parent module.
//!
//! The difference from `poll` is who keeps the list. A descriptor is told to the kernel once, not at
//! every wait; when a packet arrives, the kernel itself puts the descriptor on a ready list, and a
//! wait only empties that. So a wait costs as much as there are *ready* descriptors, and ten
//! thousand idle ones cost nothing.

use super::selector::{Interest, Readiness, Selector, check, timeout_milliseconds};
use crate::slab::Token;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Reports fetched by one `epoll_wait`. What does not fit is reported by the next wait: the
/// kernel keeps the ready list and goes on where it stopped.
const BATCH: usize = 1024;

pub(super) struct Epoll {
    epoll: OwnedFd,
    batch: Vec<libc::epoll_event>,
}

impl Epoll {
    pub(super) fn new() -> io::Result<Epoll> {
        // SAFETY: the call takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just given this descriptor to us and to no one else.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Epoll { epoll, batch: Vec::with_capacity(BATCH) })
    }

    fn control(
        &self,
        operation: libc::c_int,
        fd: RawFd,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let mut flags = 0;
        if interest.readable {
            flags |= libc::EPOLLIN;
        }
        if interest.writable {
            flags |= libc::EPOLLOUT;
        }
        let mut event = libc::epoll_event { events: flags as u32, u64: token.to_bits() };
        // SAFETY: `event` lives through the call, and the kernel copies it.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &mut event) })?;
        Ok(())
    }
}

impl Selector for Epoll {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, interest)
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, interest)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, Token::fixed(0), Interest::NONE)
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let (fd, milliseconds) = (self.epoll.as_raw_fd(), timeout_milliseconds(timeout));
        let batch = self.batch.as_mut_ptr();
        // SAFETY: `batch` has room for BATCH reports, and the call writes at most as many.
        let count = check(unsafe { libc::epoll_wait(fd, batch, BATCH as i32, milliseconds) })?;
        // SAFETY: the kernel has just filled the first `count` of them.
        unsafe { self.batch.set_len(count as usize) };
        ready.extend(self.batch.iter().map(|event| {
            let flags = event.events as libc::c_int;
            let hangup = flags & (libc::EPOLLHUP | libc::EPOLLERR) != 0;
            Readiness {
                token: Token::from_bits(event.u64),
                readable: flags & libc::EPOLLIN != 0 || hangup,
                writable: flags & libc::EPOLLOUT != 0 || hangup,
                hangup,
            }
        }));
        Ok(())
    }
}
