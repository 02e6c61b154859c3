//! `poll`: an array of descriptors that the kernel reads anew at every wait. The contract is in
//! the parent module.
//!
//! The simplest of the interfaces, and the one to read first: the program keeps the list, and every
//! wait hands all of it to the kernel and looks through all of it afterwards. With a hundred
//! descriptors that costs nothing; with ten thousand, of which three are ready, it is most of the
//! work.

use super::selector::{Interest, Readiness, Selector, check, timeout_milliseconds};
use crate::slab::Token;
use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// "Not in the array", in the table of places.
const ABSENT: u32 = u32::MAX;

pub(super) struct Poll {
    /// What the kernel reads; `tokens` runs beside it.
    array: Vec<libc::pollfd>,
    tokens: Vec<Token>,
    /// Place in the array, by descriptor number: small numbers, so a table and not a map.
    places: Vec<u32>,
}

impl Poll {
    pub(super) fn new() -> Poll {
        Poll { array: Vec::new(), tokens: Vec::new(), places: Vec::new() }
    }

    fn place(&self, fd: RawFd) -> io::Result<usize> {
        match self.places.get(fd as usize) {
            Some(&place) if place != ABSENT => Ok(place as usize),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Selector for Poll {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        if self.place(fd).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = fd as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, ABSENT);
        }
        self.places[number] = self.array.len() as u32;
        self.array.push(libc::pollfd { fd, events: flags(interest), revents: 0 });
        self.tokens.push(token);
        Ok(())
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let place = self.place(fd)?;
        self.array[place].events = flags(interest);
        self.tokens[place] = token;
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let place = self.place(fd)?;
        self.array.swap_remove(place);
        self.tokens.swap_remove(place);
        self.places[fd as usize] = ABSENT;
        if let Some(moved) = self.array.get(place) {
            self.places[moved.fd as usize] = place as u32;
        }
        Ok(())
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let (array, count) = (self.array.as_mut_ptr(), self.array.len() as libc::nfds_t);
        // SAFETY: pointer and count are those of one vector, which lives through the call.
        let mut left = check(unsafe { libc::poll(array, count, timeout_milliseconds(timeout)) })?;
        for (entry, token) in self.array.iter().zip(&self.tokens) {
            if left == 0 {
                break;
            }
            if entry.revents == 0 {
                continue;
            }
            left -= 1;
            let hangup = entry.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0;
            ready.push(Readiness {
                token: *token,
                readable: entry.revents & libc::POLLIN != 0 || hangup,
                writable: entry.revents & libc::POLLOUT != 0 || hangup,
                hangup,
            });
        }
        Ok(())
    }
}

fn flags(interest: Interest) -> libc::c_short {
    let mut flags = 0;
    if interest.readable {
        flags |= libc::POLLIN;
    }
    if interest.writable {
        flags |= libc::POLLOUT;
    }
    flags
}
