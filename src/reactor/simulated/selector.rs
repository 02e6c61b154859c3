//! The poller's backend in a simulated network.

use super::network::Network;
use crate::poller::{Interest, Readiness, Selector};
use crate::slab::Token;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;
use std::time::Duration;

/// It never waits, because the time is the simulation's to move: where it would, it fails with
/// `WouldBlock`.
pub(crate) struct Simulated {
    network: Network,
    watched: BTreeMap<RawFd, (Token, Interest)>,
    /// Watches the descriptors that are the system's, such as a waker's.
    system: Box<dyn Selector>,
}

impl Simulated {
    /// Of the network that this thread has entered, if it has.
    pub(crate) fn here(system: Box<dyn Selector>) -> Option<Simulated> {
        Some(Simulated { network: Network::entered()?, watched: BTreeMap::new(), system })
    }
}

impl Selector for Simulated {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        if !self.network.has(fd) {
            return self.system.add(fd, token, interest);
        }
        match self.watched.insert(fd, (token, interest)) {
            None => Ok(()),
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
        }
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        match self.watched.get_mut(&fd) {
            Some(watched) => {
                *watched = (token, interest);
                Ok(())
            }
            None => self.system.modify(fd, token, interest),
        }
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        match self.watched.remove(&fd) {
            Some(_) => Ok(()),
            None => self.system.remove(fd),
        }
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let begin = ready.len();
        self.system.wait(ready, Some(Duration::ZERO))?;
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
        let sleeps = ready.len() == begin && timeout != Some(Duration::ZERO);
        if sleeps { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}
