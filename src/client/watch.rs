//! What does the poller know of one descriptor?

use crate::reactor::{Interest, Poller, Token};
use std::io;
use std::os::fd::AsFd;

/// The signals' pipe.
pub(super) const SIGNALS: Token = Token::fixed(0);
/// The connection, being made or made.
pub(super) const SOCKET: Token = Token::fixed(1);
/// Standard input.
pub(super) const INPUT: Token = Token::fixed(2);
/// Standard output of a script.
pub(super) const OUTPUT: Token = Token::fixed(3);

/// Keeps the poller's idea of one descriptor's interest, so that it is told changes only.
pub(super) struct Watch {
    token: Token,
    known: Option<Interest>,
}

impl Watch {
    pub(super) fn new(token: Token) -> Watch {
        Watch { token, known: None }
    }

    /// Wants `interest` from here on; NONE means not to hear even of a hangup.
    pub(super) fn set(
        &mut self,
        poller: &mut Poller,
        fd: impl AsFd,
        interest: Interest,
    ) -> io::Result<()> {
        if interest == Interest::NONE {
            self.clear(poller, fd)
        } else {
            self.keep(poller, fd, interest)
        }
    }

    /// Wants `interest` from here on; with NONE still a hangup, where the system tells it.
    pub(super) fn keep(
        &mut self,
        poller: &mut Poller,
        fd: impl AsFd,
        interest: Interest,
    ) -> io::Result<()> {
        match self.known {
            Some(known) if known == interest => return Ok(()),
            Some(_) => poller.modify(fd, self.token, interest)?,
            None => poller.add(fd, self.token, interest)?,
        }
        self.known = Some(interest);
        Ok(())
    }

    /// Wants nothing; call it before the descriptor is closed.
    pub(super) fn clear(&mut self, poller: &mut Poller, fd: impl AsFd) -> io::Result<()> {
        match self.known.take() {
            Some(_) => poller.remove(fd),
            None => Ok(()),
        }
    }
}
