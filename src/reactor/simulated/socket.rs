//! The sockets of a build with simulations: the system's, or an end in a simulated network.

use super::network::{Descriptor, Network};
use socket2::{SockRef, Socket};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// The server's end of a connection.
pub struct End {
    network: Network,
    number: usize,
    identity: Socket,
}

impl Drop for End {
    fn drop(&mut self) {
        let aborted = matches!(SockRef::from(&self.identity).linger(), Ok(Some(_)));
        let mut state = self.network.0.borrow_mut();
        state.descriptors.remove(&self.identity.as_raw_fd());
        let connection = &mut state.connections[self.number];
        connection.closed = true;
        connection.outbound.ended = true;
        // Bytes that no one has read make the close a reset.
        connection.reset |= aborted || !connection.inbound.arrived.is_empty();
    }
}

/// [`std::net::TcpStream`], or an [`End`] in a simulated network.
pub enum TcpStream {
    /// Of the system.
    System(net::TcpStream),
    /// Of a network.
    Simulated(End),
}

impl TcpStream {
    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.set_nonblocking(on),
            TcpStream::Simulated(_) => Ok(()),
        }
    }

    pub(crate) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.set_nodelay(on),
            TcpStream::Simulated(_) => Ok(()),
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.shutdown(how),
            TcpStream::Simulated(end) => {
                end.network.at(end.number, |connection| connection.outbound.ended = true);
                Ok(())
            }
        }
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            TcpStream::System(socket) => socket.peer_addr(),
            TcpStream::Simulated(end) => end.network.at(end.number, |connection| {
                let gone = connection.reset || connection.peer_gone;
                if gone { Err(ErrorKind::NotConnected.into()) } else { Ok(connection.peer) }
            }),
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            TcpStream::System(socket) => socket.local_addr(),
            TcpStream::Simulated(end) => Ok(end.network.at(end.number, |it| it.server)),
        }
    }
}

impl From<net::TcpStream> for TcpStream {
    fn from(socket: net::TcpStream) -> TcpStream {
        TcpStream::System(socket)
    }
}

impl From<Socket> for TcpStream {
    fn from(socket: Socket) -> TcpStream {
        TcpStream::System(socket.into())
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = match self {
            TcpStream::System(socket) => return (&mut &*socket).read(buffer),
            TcpStream::Simulated(end) => end,
        };
        let mut state = end.network.0.borrow_mut();
        let connection = &mut state.connections[end.number];
        let count = connection.inbound.receive(buffer);
        if count > 0 {
            state.progress += count as u64;
            return Ok(count);
        }
        match () {
            () if connection.reset => Err(ErrorKind::ConnectionReset.into()),
            () if connection.inbound.end_arrived => Ok(0),
            () => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for &TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = match self {
            TcpStream::System(socket) => return (&mut &*socket).write(bytes),
            TcpStream::Simulated(end) => end,
        };
        let mut state = end.network.0.borrow_mut();
        let connection = &mut state.connections[end.number];
        if connection.reset || connection.outbound.ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if connection.peer_gone {
            // The first write still works; the answer to it is the reset.
            connection.reset = true;
            return Ok(bytes.len());
        }
        match connection.outbound.send(bytes) {
            0 if !bytes.is_empty() => Err(ErrorKind::WouldBlock.into()),
            count => {
                state.progress += count as u64;
                Ok(count)
            }
        }
    }

    /// Like `writev`: as much of all slices as there is room for.
    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        if let TcpStream::System(socket) = self {
            return (&mut &*socket).write_vectored(slices);
        }
        let mut total = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match self.write(slice) {
                Ok(count) => {
                    total += count;
                    if count < slice.len() {
                        break;
                    }
                }
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(total)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            TcpStream::System(socket) => socket.as_fd(),
            TcpStream::Simulated(end) => end.identity.as_fd(),
        }
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpStream {{ fd: {} }}", self.as_raw_fd())
    }
}

/// [`std::net::TcpListener`], or a place in a simulated network.
pub enum TcpListener {
    /// Of the system.
    System(net::TcpListener),
    /// Of a network.
    Simulated(Network, Socket),
}

impl TcpListener {
    /// Listens in the network that this thread has entered, if it has.
    pub(crate) fn bind(address: SocketAddr) -> Option<io::Result<TcpListener>> {
        let network = Network::entered()?;
        network.0.borrow_mut().listening = Some(address);
        let identity = network.register(Descriptor::Listener);
        Some(identity.map(|identity| TcpListener::Simulated(network, identity)))
    }

    pub(crate) fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let network = match self {
            TcpListener::System(socket) => {
                return socket.accept().map(|(socket, address)| (socket.into(), address));
            }
            TcpListener::Simulated(network, _) => network,
        };
        let waiting = network.0.borrow_mut().waiting.pop_front();
        let number = waiting.ok_or(ErrorKind::WouldBlock)?;
        network.0.borrow_mut().progress += 1;
        let identity = network.register(Descriptor::End(number))?;
        let peer = network.at(number, |connection| connection.peer);
        let end = End { network: network.clone(), number, identity };
        Ok((TcpStream::Simulated(end), peer))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            TcpListener::System(socket) => socket.local_addr(),
            TcpListener::Simulated(network, _) => {
                network.0.borrow().listening.ok_or_else(|| ErrorKind::NotConnected.into())
            }
        }
    }
}

impl From<Socket> for TcpListener {
    fn from(socket: Socket) -> TcpListener {
        TcpListener::System(socket.into())
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            TcpListener::System(socket) => socket.as_fd(),
            TcpListener::Simulated(_, identity) => identity.as_fd(),
        }
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        if let TcpListener::Simulated(network, identity) = self {
            let mut state = network.0.borrow_mut();
            state.descriptors.remove(&identity.as_raw_fd());
            state.listening = None;
            // A server that is gone resets what it has not accepted.
            while let Some(number) = state.waiting.pop_front() {
                state.connections[number].reset = true;
            }
        }
    }
}
