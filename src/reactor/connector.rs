//! A connection being made: `connect` without waiting for it.
//!
//! A non-blocking `connect` returns EINPROGRESS, and the system goes on by itself. The socket becomes
//! writable when the outcome is known, whichever it is; SO_ERROR then has the error, if there is one.

use super::stream::Stream;
use super::transport::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

/// A connection being made. Watch it for writing; then call [`finish`](Connector::finish).
/// Dropping it gives up; the timeout is the caller's.
pub struct Connector {
    socket: Socket,
}

impl Connector {
    /// Begins to connect to `address`.
    ///
    /// # Errors
    /// What the system knows at once: no route, no descriptor, no free port at this end.
    pub fn start(address: SocketAddr) -> io::Result<Connector> {
        Connector::start_from(None, address)
    }

    /// Begins to connect to `address` from one of this machine's own addresses; `None` leaves the
    /// choice to the system.
    pub fn start_from(source: Option<IpAddr>, address: SocketAddr) -> io::Result<Connector> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if let Some(source) = source {
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(Connector { socket })
    }

    /// The connection, or the error: "connection refused", unreachable, timed out. Call it when the poller
    /// reports it writable.
    ///
    /// # Errors
    /// The connector itself, if the report was spurious and nothing is decided yet: watch it again.
    pub fn finish(self) -> Result<io::Result<Transport>, Connector> {
        match self.socket.take_error() {
            Err(error) | Ok(Some(error)) => return Ok(Err(error)),
            Ok(None) => {}
        }
        match self.socket.peer_addr() {
            Ok(_) => Ok(Stream::new(self.socket).map(Transport::new)),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(self),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl AsFd for Connector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Interest, Poller, Token};
    use super::*;
    use std::net::TcpListener;

    fn decided(backend: Backend, mut connector: Connector) -> io::Result<Transport> {
        let mut poller = Poller::new(backend).unwrap();
        loop {
            poller.add(&connector, Token::fixed(0), Interest::WRITE).unwrap();
            let mut events = Vec::new();
            while events.is_empty() {
                poller.wait(&mut events, None).unwrap();
            }
            poller.remove(&connector).unwrap();
            match connector.finish() {
                Ok(decided) => return decided,
                Err(undecided) => connector = undecided,
            }
        }
    }

    #[test]
    fn what_is_not_decided_can_be_asked_again() {
        // A socket that is not even on its way looks like one that is: no error, no peer.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        assert!(Connector { socket }.finish().is_err());
    }

    #[test]
    fn it_connects_from_the_address_that_was_chosen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = IpAddr::from([127, 0, 0, 1]);
        let connector =
            Connector::start_from(Some(source), listener.local_addr().unwrap()).unwrap();
        let stream = decided(Backend::best(), connector).unwrap();
        assert_eq!(stream.local_address().unwrap().ip(), source);
        // An address of a documentation network (RFC 5737), which no machine has.
        let foreign = Some(IpAddr::from([192, 0, 2, 1]));
        assert!(Connector::start_from(foreign, listener.local_addr().unwrap()).is_err());
    }

    #[test]
    fn it_connects_or_says_why_not() {
        for backend in Backend::available() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            assert!(decided(*backend, Connector::start(address).unwrap()).is_ok());
            drop(listener);
            // A refusal may be known at once or a moment later.
            let refusal = Connector::start(address).and_then(|it| decided(*backend, it));
            assert_eq!(refusal.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        }
    }
}
