//! A connection on its way: `connect` without waiting for it.
//!
//! A non-blocking `connect` says EINPROGRESS and goes on by itself. The socket becomes writable
//! when it is decided, either way; SO_ERROR then tells which.

use super::stream::Stream;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

/// A connection being made. Watch it for writing; then call [`finish`](Connector::finish).
/// Dropping it gives up; the time-out is the caller's.
pub struct Connector {
    socket: Socket,
}

impl Connector {
    /// Begins to connect to `address`.
    ///
    /// # Errors
    /// What the system knows at once: no route, no descriptor, no free port at this end.
    pub fn start(address: SocketAddr) -> io::Result<Connector> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(Connector { socket })
    }

    /// The connection, once the poller has said that it is writable.
    ///
    /// # Errors
    /// Why it failed: refused, unreachable, timed out. `NotConnected` if it is not decided yet.
    pub fn finish(self) -> io::Result<Stream> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        self.socket.peer_addr()?;
        Stream::new(self.socket.into())
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

    fn decided(backend: Backend, connector: Connector) -> io::Result<Stream> {
        let mut poller = Poller::new(backend).unwrap();
        poller.add(&connector, Token::fixed(0), Interest::WRITE).unwrap();
        let mut events = Vec::new();
        while events.is_empty() {
            poller.wait(&mut events, None).unwrap();
        }
        poller.remove(&connector).unwrap();
        connector.finish()
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
