//! `kqueue()` and `kevent()` over epoll, so that the kqueue backend runs in tests on Linux.
//!
//! Names and types are libc's. It keeps these rules of the BSDs, because the backend rests on them:
//!
//! - a filter is one direction of one descriptor, with its own `udata`; adding it again replaces
//!   that, deleting one that is not there is ENOENT;
//! - a descriptor without a filter is not watched: not even a hangup is reported;
//! - each filter has its own report;
//! - EV_EOF on the read filter: the peer has closed its sending half, or is gone; on the write
//!   filter: the peer is gone;
//! - `fflags` carries the socket's error and leaves it for the next read or write.
//!
//! Limits: Linux tells a socket's error only by clearing it, so every error is ECONNRESET here; and
//! our own `shutdown` of the sending half does not show on the write filter.

#![allow(non_camel_case_types, non_upper_case_globals)]

use libc::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, c_int, c_void, timespec};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) const EVFILT_READ: i16 = -1;
pub(super) const EVFILT_WRITE: i16 = -2;
pub(super) const EV_ADD: u16 = 0x1;
pub(super) const EV_DELETE: u16 = 0x2;
pub(super) const EV_EOF: u16 = 0x8000;

/// A change that is asked for, or a report.
#[derive(Clone, Copy)]
pub(super) struct kevent {
    pub(super) ident: usize,
    pub(super) filter: i16,
    pub(super) flags: u16,
    pub(super) fflags: u32,
    pub(super) udata: *mut c_void,
}

/// The filters of one descriptor, as the `udata` of each.
#[derive(Clone, Copy, Default)]
struct Filters {
    read: Option<usize>,
    write: Option<usize>,
}

/// By queue and descriptor.
static FILTERS: Mutex<BTreeMap<(c_int, usize), Filters>> = Mutex::new(BTreeMap::new());

fn filters() -> MutexGuard<'static, BTreeMap<(c_int, usize), Filters>> {
    FILTERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
/// None is needed: it is unsafe because the call it stands for is.
pub(super) unsafe fn kqueue() -> c_int {
    // SAFETY: the call takes no pointers.
    let queue = unsafe { libc::epoll_create1(0) };
    // The number may have been that of a queue that is closed.
    filters().retain(|(of, _), _| *of != queue);
    queue
}

/// # Safety
/// `changes`, `reports` and `timeout` must be valid for their counts, as libc's `kevent` asks.
pub(super) unsafe fn kevent(
    queue: c_int,
    changes: *const kevent,
    change_count: c_int,
    reports: *mut kevent,
    report_count: c_int,
    timeout: *const timespec,
) -> c_int {
    for number in 0..change_count as usize {
        // SAFETY: the caller promises as many changes.
        if change(queue, unsafe { &*changes.add(number) }) == -1 {
            return -1;
        }
    }
    if report_count == 0 {
        return 0;
    }
    // SAFETY: the caller promises that it is null or valid.
    let milliseconds = unsafe { timeout.as_ref() }
        .map_or(-1, |time| (time.tv_sec * 1_000 + (time.tv_nsec + 999_999) / 1_000_000) as c_int);
    // Two filters of a descriptor are one event of epoll and two reports here.
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; report_count as usize / 2];
    // SAFETY: the vector has room for as many events as are asked for. No lock is held meanwhile.
    let count = unsafe {
        libc::epoll_wait(queue, events.as_mut_ptr(), events.len() as c_int, milliseconds)
    };
    let mut written = 0;
    for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
        for report in reports_of(queue, event.u64 as usize, event.events as c_int) {
            // SAFETY: two for each event at most, so they fit into what the caller promises.
            unsafe { reports.add(written).write(report) };
            written += 1;
        }
    }
    if count == -1 { -1 } else { written as c_int }
}

fn change(queue: c_int, change: &kevent) -> c_int {
    let mut all = filters();
    let known = all.get(&(queue, change.ident)).copied().unwrap_or_default();
    let mut filters = known;
    let filter = if change.filter == EVFILT_READ { &mut filters.read } else { &mut filters.write };
    if change.flags & EV_DELETE != 0 && filter.take().is_none() {
        nix::errno::Errno::ENOENT.set();
        return -1;
    }
    if change.flags & EV_ADD != 0 {
        *filter = Some(change.udata as usize);
    }
    let read = if filters.read.is_some() { EPOLLIN | EPOLLRDHUP } else { 0 };
    let flags = read | if filters.write.is_some() { EPOLLOUT } else { 0 };
    let operation = match (known.read.or(known.write), flags) {
        (Some(_), 0) => libc::EPOLL_CTL_DEL,
        (Some(_), _) => libc::EPOLL_CTL_MOD,
        (None, _) => libc::EPOLL_CTL_ADD,
    };
    let mut event = libc::epoll_event { events: flags as u32, u64: change.ident as u64 };
    // SAFETY: `event` lives through the call.
    let result = unsafe { libc::epoll_ctl(queue, operation, change.ident as c_int, &mut event) };
    if result == 0 {
        all.insert((queue, change.ident), filters);
    }
    result
}

fn reports_of(queue: c_int, ident: usize, flags: c_int) -> impl Iterator<Item = kevent> {
    let known = filters().get(&(queue, ident)).copied().unwrap_or_default();
    let gone = flags & (EPOLLHUP | EPOLLERR) != 0;
    let fflags = if flags & EPOLLERR != 0 { libc::ECONNRESET as u32 } else { 0 };
    let report = move |filter, udata: Option<usize>, ready: bool, ended: bool| {
        let udata = udata.filter(|_| ready || gone)? as *mut c_void;
        let (flags, fflags) = if ended || gone { (EV_EOF, fflags) } else { (0, 0) };
        Some(kevent { ident, filter, flags, fflags, udata })
    };
    let ended = flags & EPOLLRDHUP != 0;
    let readable = flags & EPOLLIN != 0 || ended;
    let read = report(EVFILT_READ, known.read, readable, ended);
    let write = report(EVFILT_WRITE, known.write, flags & EPOLLOUT != 0, false);
    [read, write].into_iter().flatten()
}
