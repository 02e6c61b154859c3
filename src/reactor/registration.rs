//! The interest that a poller was last told, per descriptor, so that it is told changes only.
//!
//! Interest is best computed from a connection's state once a turn, and most turns change nothing.
//! Telling the poller anyway would cost a system call per connection and turn; switching interest by
//! hand at each place that changes the state is how a descriptor comes to be watched for writing with
//! nothing to write, which makes every wait return at once. [`Registration::set`] takes the wanted
//! interest every time and makes a system call only when it differs.

use super::poller::{Interest, Poller};
use super::slab::Token;
use std::io;
use std::os::fd::AsFd;

/// The registration of one descriptor with one poller.
///
/// ```
/// use chatloop_reactor::{Backend, Interest, Poller, Registration, Token};
/// # fn main() -> std::io::Result<()> {
/// let (ours, _peer) = std::os::unix::net::UnixStream::pair()?;
/// let mut poller = Poller::new(Backend::best())?;
/// let mut registration = Registration::new(Token::fixed(1));
/// registration.set(&mut poller, &ours, Interest::READ)?; // added
/// registration.set(&mut poller, &ours, Interest::READ)?; // nothing to tell
/// registration.set(&mut poller, &ours, Interest::BOTH)?; // modified
/// registration.clear(&mut poller, &ours)?; // removed: now it may be closed
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Registration {
    token: Token,
    known: Option<Interest>,
}

impl Registration {
    /// Of a descriptor that the poller does not watch yet.
    pub const fn new(token: Token) -> Registration {
        Registration { token, known: None }
    }

    /// The token that the descriptor's readiness carries.
    pub const fn token(&self) -> Token {
        self.token
    }

    /// The interest that the poller was told last; `None` if it does not watch the descriptor.
    pub const fn interest(&self) -> Option<Interest> {
        self.known
    }

    /// Wants `interest` from here on. With `Interest::NONE` the poller still watches the
    /// descriptor, and most backends still report a hangup; [`clear`](Registration::clear) ends
    /// that, too.
    ///
    /// # Errors
    /// Those of [`Poller::add`] and [`Poller::modify`]; the next call tries again.
    #[inline]
    pub fn set(&mut self, poller: &mut Poller, fd: impl AsFd, wanted: Interest) -> io::Result<()> {
        match self.known {
            Some(known) if known == wanted => return Ok(()),
            Some(_) => poller.modify(fd, self.token, wanted)?,
            None => poller.add(fd, self.token, wanted)?,
        }
        self.known = Some(wanted);
        Ok(())
    }

    /// Ends the watching, if there was any. Call it before the descriptor is closed.
    ///
    /// # Errors
    /// Those of [`Poller::remove`].
    pub fn clear(&mut self, poller: &mut Poller, fd: impl AsFd) -> io::Result<()> {
        match self.known.take() {
            Some(_) => poller.remove(fd),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Readiness};
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    #[test]
    fn the_poller_knows_what_was_set_last() {
        for backend in Backend::available() {
            let (ours, mut peer) = UnixStream::pair().unwrap();
            peer.write_all(b"x").unwrap();
            let mut poller = Poller::new(*backend).unwrap();
            let mut registration = Registration::new(Token::fixed(7));
            let ready = |poller: &mut Poller| {
                let mut found: Vec<Readiness> = Vec::new();
                poller.wait(&mut found, Some(Duration::ZERO)).unwrap();
                found.first().map(|it| (it.readable, it.writable))
            };
            registration.clear(&mut poller, &ours).unwrap();
            for (interest, expected) in [
                (Interest::READ, Some((true, false))),
                (Interest::READ, Some((true, false))),
                (Interest::BOTH, Some((true, true))),
                (Interest::NONE, None),
            ] {
                registration.set(&mut poller, &ours, interest).unwrap();
                assert_eq!(registration.interest(), Some(interest));
                assert_eq!(ready(&mut poller), expected, "{backend} {interest:?}");
            }
            registration.clear(&mut poller, &ours).unwrap();
            assert_eq!(registration.interest(), None);
            poller.add(&ours, Token::fixed(8), Interest::READ).unwrap();
        }
    }

    #[test]
    fn what_is_known_already_is_not_told_again() {
        let (ours, _peer) = UnixStream::pair().unwrap();
        let mut poller = Poller::new(Backend::best()).unwrap();
        let mut registration = Registration::new(Token::fixed(7));
        registration.set(&mut poller, &ours, Interest::READ).unwrap();
        // Behind its back: had it told the poller, that would not have known the descriptor.
        poller.remove(&ours).unwrap();
        registration.set(&mut poller, &ours, Interest::READ).unwrap();
        assert!(registration.set(&mut poller, &ours, Interest::WRITE).is_err());
    }
}
