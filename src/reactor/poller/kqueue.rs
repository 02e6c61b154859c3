//! `kqueue`: the event queue of macOS and the BSDs. The contract is in the parent module.
//!
//! As with epoll, the kernel keeps the list. But reading and writing are two filters, registered
//! separately and reported separately; `wait` merges the two reports of one descriptor.
//!
//! Types and calls come from `system`: from libc where there is a kqueue, from a stand-in for tests
//! on Linux.

#[cfg(target_os = "linux")]
use super::kqueue_stand_in as system;
use super::selector::{Interest, Readiness, Selector, check};
use crate::slab::Token;
#[cfg(not(target_os = "linux"))]
use libc as system;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

/// Reports fetched by one `kevent`. What does not fit is reported by the next wait.
const BATCH: usize = 1024;

pub(super) struct Kqueue {
    queue: OwnedFd,
    batch: Vec<system::kevent>,
    /// What is registered, by descriptor number: the kernel cannot be asked.
    registered: Vec<Option<Interest>>,
}

impl Kqueue {
    pub(super) fn new() -> io::Result<Kqueue> {
        // SAFETY: the call takes nothing.
        let fd = check(unsafe { system::kqueue() })?;
        // SAFETY: the kernel has just given this descriptor to us and to no one else.
        let queue = unsafe { OwnedFd::from_raw_fd(fd) };
        nix::fcntl::fcntl(&queue, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        Ok(Kqueue { queue, batch: Vec::with_capacity(BATCH), registered: Vec::new() })
    }

    fn interest(&self, fd: RawFd) -> Option<Interest> {
        self.registered.get(fd as usize).copied().flatten()
    }

    /// Registers and deletes filters so that `after` holds where `before` did.
    fn change(&self, fd: RawFd, token: Token, before: Interest, after: Interest) -> io::Result<()> {
        let filters = [
            (system::EVFILT_READ, before.readable, after.readable),
            (system::EVFILT_WRITE, before.writable, after.writable),
        ];
        for (filter, was, wanted) in filters {
            // A filter that stays is added again: its token may be another one.
            let flags = match (was, wanted) {
                (_, true) => system::EV_ADD,
                (true, false) => system::EV_DELETE,
                (false, false) => continue,
            };
            let change = system::kevent {
                ident: fd as libc::uintptr_t,
                filter,
                flags,
                udata: token.to_bits() as _,
                // SAFETY: an all-zero kevent is a valid value; the other fields stay unused.
                ..unsafe { std::mem::zeroed() }
            };
            let queue = self.queue.as_raw_fd();
            // SAFETY: one change is read during the call, nothing is written.
            check(unsafe { system::kevent(queue, &change, 1, ptr::null_mut(), 0, ptr::null()) })?;
        }
        Ok(())
    }
}

impl Selector for Kqueue {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        if self.interest(fd).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if is_regular_file(fd)? {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        if self.registered.len() <= fd as usize {
            self.registered.resize(fd as usize + 1, None);
        }
        self.change(fd, token, Interest::NONE, interest)?;
        self.registered[fd as usize] = Some(interest);
        Ok(())
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let before = self.interest(fd).ok_or(io::ErrorKind::NotFound)?;
        self.change(fd, token, before, interest)?;
        self.registered[fd as usize] = Some(interest);
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let before = self.interest(fd).ok_or(io::ErrorKind::NotFound)?;
        self.change(fd, Token::fixed(0), before, Interest::NONE)?;
        self.registered[fd as usize] = None;
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let time = timeout.map(to_timespec);
        let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
        let (queue, batch) = (self.queue.as_raw_fd(), self.batch.as_mut_ptr());
        // SAFETY: `batch` has room for BATCH reports, and the call writes at most as many.
        let result = unsafe { system::kevent(queue, ptr::null(), 0, batch, BATCH as _, time) };
        let count = check(result)? as usize;
        // SAFETY: the kernel has just filled the first `count` of them.
        unsafe { self.batch.set_len(count) };
        // Bring the two filters of one descriptor together.
        self.batch.sort_unstable_by_key(|report| report.ident);
        for reports in self.batch.chunk_by(|one, other| one.ident == other.ident) {
            let token = Token::from_bits(reports[0].udata as u64);
            let mut merged = Readiness { token, readable: false, writable: false, hangup: false };
            for report in reports {
                let ended = report.flags & system::EV_EOF != 0;
                merged.readable |= report.filter == system::EVFILT_READ;
                merged.writable |= report.filter == system::EVFILT_WRITE;
                // End of file on the read filter is only a half-close; on the write filter it
                // says that the peer no longer reads.
                merged.hangup |= ended && report.filter == system::EVFILT_WRITE;
                merged.hangup |= ended && report.fflags != 0;
            }
            ready.push(merged);
        }
        Ok(())
    }
}

fn is_regular_file(fd: RawFd) -> io::Result<bool> {
    // SAFETY: an all-zero stat is a valid value, and fstat overwrites it.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `status` lives through the call.
    check(unsafe { libc::fstat(fd, &mut status) })?;
    Ok(status.st_mode & libc::S_IFMT == libc::S_IFREG)
}

fn to_timespec(wait: Duration) -> libc::timespec {
    // At most a day: some systems reject very long times.
    let wait = wait.min(Duration::from_secs(86_400));
    libc::timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ }
}
