//! The poller's backend in a simulated network.

use super::network::Network;
use crate::poller::{Interest, Readiness, Selector};
use crate::slab::Token;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;
use std::time::Duration;

/// It never waits: the time is the simulation's to move.
pub(crate) struct Simulated {
    network: Network,
    watched: BTreeMap<RawFd, (Token, Interest)>,
}

impl Simulated {
    /// Of the network that this thread has entered, if it has.
    pub(crate) fn here() -> Option<Simulated> {
        Some(Simulated { network: Network::entered()?, watched: BTreeMap::new() })
    }
}

impl Selector for Simulated {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        match self.watched.insert(fd, (token, interest)) {
            None => Ok(()),
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
        }
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let watched = self.watched.get_mut(&fd).ok_or(ErrorKind::NotFound)?;
        *watched = (token, interest);
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.watched.remove(&fd).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let begin = ready.len();
        for (fd, (token, interest)) in &self.watched {
            let (readable, writable, hangup) = self.network.readiness(*fd, *interest);
            if readable || writable || hangup {
                ready.push(Readiness { token: *token, readable, writable, hangup });
            }
        }
        // The numbers of descriptors are the system's; the order must be the seed's.
        ready[begin..].sort_unstable_by_key(|report| report.token.to_bits());
        let mut state = self.network.0.borrow_mut();
        state.wait = timeout;
        state.dice.shuffle(&mut ready[begin..]);
        Ok(())
    }
}
