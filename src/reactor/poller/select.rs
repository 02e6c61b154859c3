//! `select`: three bit sets, copied in and out at every wait. The contract is in the parent
//! module.
//!
//! A set has room for the descriptors 0 to FD_SETSIZE - 1 (1,023) and no check: `FD_SET` with a
//! higher number writes past its end. That is what kills ncat and many student servers at about
//! 1,000 clients, so `add` rejects such a number and says why.

use super::selector::{Interest, Readiness, Selector, check};
use crate::slab::Token;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;
use std::time::Duration;

pub(super) struct Select {
    readers: libc::fd_set,
    writers: libc::fd_set,
    /// Token by descriptor number; `None` where nothing is watched.
    tokens: Vec<Option<Token>>,
}

impl Select {
    pub(super) fn new() -> Select {
        Select { readers: empty_set(), writers: empty_set(), tokens: Vec::new() }
    }

    fn is_watched(&self, fd: RawFd) -> bool {
        matches!(self.tokens.get(fd as usize), Some(Some(_)))
    }

    /// `fd` is below FD_SETSIZE: `add` has checked it.
    fn set(&mut self, fd: RawFd, token: Option<Token>, interest: Interest) {
        self.tokens[fd as usize] = token;
        for (set, wanted) in
            [(&mut self.readers, interest.readable), (&mut self.writers, interest.writable)]
        {
            // SAFETY: the number is below FD_SETSIZE, so the bit lies within the set.
            unsafe { if wanted { libc::FD_SET(fd, set) } else { libc::FD_CLR(fd, set) } }
        }
    }
}

impl Selector for Select {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        if fd as usize >= libc::FD_SETSIZE {
            let refusal = format!(
                "descriptor {fd} exceeds the limit of select, FD_SETSIZE = {}",
                libc::FD_SETSIZE
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, refusal));
        }
        if self.is_watched(fd) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.tokens.len() <= fd as usize {
            self.tokens.resize(fd as usize + 1, None);
        }
        self.set(fd, Some(token), interest);
        Ok(())
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        if !self.is_watched(fd) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.set(fd, Some(token), interest);
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        if !self.is_watched(fd) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.set(fd, None, Interest::NONE);
        while let Some(None) = self.tokens.last() {
            self.tokens.pop();
        }
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        // The kernel overwrites the sets with its answer, so it gets copies.
        let (mut readers, mut writers) = (self.readers, self.writers);
        let mut time = timeout.map(to_timeval);
        let time = time.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        let bound = self.tokens.len() as libc::c_int;
        // SAFETY: both sets and the time live through the call, and `bound` is at most FD_SETSIZE.
        let result =
            unsafe { libc::select(bound, &mut readers, &mut writers, ptr::null_mut(), time) };
        if check(result)? == 0 {
            return Ok(());
        }
        for (fd, token) in self.tokens.iter().enumerate() {
            let Some(token) = *token else { continue };
            let (readable, writable) = (contains(&readers, fd), contains(&writers, fd));
            if readable || writable {
                ready.push(Readiness { token, readable, writable, hangup: false });
            }
        }
        Ok(())
    }
}

fn empty_set() -> libc::fd_set {
    let mut set = MaybeUninit::uninit();
    // SAFETY: FD_ZERO writes the whole set, so it is initialised after the call.
    unsafe {
        libc::FD_ZERO(set.as_mut_ptr());
        set.assume_init()
    }
}

fn contains(set: &libc::fd_set, fd: usize) -> bool {
    // SAFETY: `fd` indexes the table of tokens, which never grows beyond FD_SETSIZE.
    unsafe { libc::FD_ISSET(fd as RawFd, set) }
}

/// Microseconds, rounded up; at most a day, since some systems reject very long times.
fn to_timeval(wait: Duration) -> libc::timeval {
    let microseconds = wait.as_nanos().div_ceil(1_000).min(86_400_000_000);
    libc::timeval {
        tv_sec: (microseconds / 1_000_000) as libc::time_t,
        tv_usec: (microseconds % 1_000_000) as libc::suseconds_t,
    }
}
