//! The carrier of a connection's bytes: the bare socket, or a layer over it.
//!
//! A loop that is written against the socket itself takes two things for granted that a layer such
//! as TLS breaks: that a reader wants to read and a writer wants to write (a handshake may have to
//! write first), and that bytes to read show up as readiness (a layer reads a whole record from the
//! socket and may keep the half that did not fit). So the loop asks [`wants`](Transport::wants) and
//! [`has_buffered`](Transport::has_buffered); a bare socket answers both with "nothing".
//!
//! Rejected: a trait in place of this type, and with it a generic parameter through the programs. A
//! bare socket pays one test of a pointer beside a system call; only a layer is called by a table.

use super::fault::Faults;
use super::layer::{Layer, Layered};
use super::poller::Interest;
use super::stream::{Received, Stream};
use std::fmt;
use std::io::{self, IoSlice, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

/// One connection, ready to be read and written.
pub struct Transport {
    socket: Stream,
    /// What is between, if anything is. Boxed: a connection without it pays for a pointer.
    layer: Option<Box<Layered>>,
}

impl Transport {
    /// The bare socket.
    pub fn new(socket: Stream) -> Transport {
        Transport { socket, layer: None }
    }

    /// The bare socket, which suffers from faults.
    pub fn faulty(socket: Stream, faults: Rc<Faults>) -> Transport {
        Transport { socket, layer: Some(Box::new(Layered::faulty(faults))) }
    }

    /// Puts a layer over the socket. `received` was read before there was one.
    pub fn cover(&mut self, layer: Box<dyn Layer>, received: &[u8]) {
        self.layer.get_or_insert_default().counting(|it| it.cover(layer, received));
    }

    /// The layer over the socket, if it has one.
    pub fn layer(&self) -> Option<&dyn Layer> {
        self.layer.as_ref().and_then(|layered| layered.layer())
    }

    /// Whether its layer's handshake is going on: it can carry nothing yet.
    pub fn is_opening(&self) -> bool {
        self.layer().is_some_and(Layer::is_opening)
    }

    /// Goes on with the layer's handshake.
    ///
    /// # Errors
    /// It has failed.
    pub fn advance(&mut self) -> io::Result<()> {
        self.layer.as_mut().map_or(Ok(()), |layered| layered.counting(Layered::advance))
    }

    /// A whole step of it, for one who has nothing else to do: what has come is understood, and what
    /// answers it is sent. `scratch` must not be empty.
    ///
    /// # Errors
    /// It has failed, or the connection has.
    pub fn shake_hands(&mut self, scratch: &mut [u8]) -> io::Result<()> {
        // A read has nothing to give yet; an end of the connection fails the step.
        if let Received::Failed(error) = self.read(scratch) {
            return Err(error);
        }
        let outcome = self.advance();
        outcome.and(self.flush())
    }

    /// Reads what is there into `buffer`, which must not be empty.
    pub fn read(&mut self, buffer: &mut [u8]) -> Received {
        match &mut self.layer {
            None => self.socket.read(buffer),
            Some(layered) => layered.counting(|it| it.read(&self.socket, buffer)),
        }
    }

    /// The readiness that it needs for itself, beside what its owner wants.
    pub fn wants(&self) -> Interest {
        if self.unsent() > 0 { Interest::WRITE } else { Interest::NONE }
    }

    /// Whether [`read`](Transport::read) has bytes to give that no readiness will announce: read
    /// again before the next wait.
    pub fn has_buffered(&self) -> bool {
        self.layer().is_some_and(Layer::has_buffered)
    }

    /// Whether what was read last may have been cut by someone in between.
    pub fn is_cut(&self) -> bool {
        self.layer().is_some_and(Layer::is_cut)
    }

    /// The encoded bytes that the socket has not taken: [`flush`](Write::flush) tries again.
    pub fn unsent(&self) -> usize {
        self.layer.as_ref().map_or(0, |layered| layered.unsent())
    }

    /// The memory behind all that its layer keeps: what has come and was not read, and what is encoded
    /// and was not sent.
    pub fn held(&self) -> usize {
        self.layer.as_ref().map_or(0, |layered| layered.held())
    }

    /// Tells the peer that nothing more will come; reading goes on. An error means that the peer
    /// is gone, and the next read reports that better.
    pub fn shutdown_write(&mut self) {
        match &mut self.layer {
            None => self.socket.shutdown_write(),
            Some(layered) => layered.counting(|it| it.shutdown_write(&self.socket)),
        }
    }

    /// Closes with a reset: unsent bytes are discarded at both ends, and the port is free at once.
    pub fn abort(self) {
        self.socket.abort();
    }

    /// Whether the connection still stands as far as the system knows. After the end of the
    /// stream a read cannot tell a peer that only stopped sending from one that is gone; once the
    /// system has seen the reset that answers our next segment, the socket has no peer any more.
    pub fn has_peer(&self) -> bool {
        self.socket.has_peer()
    }

    /// Bytes that were written and that the peer's system has not acknowledged; `None` where the
    /// system does not say.
    pub fn unacknowledged(&self) -> Option<usize> {
        self.socket.unacknowledged()
    }

    /// Lets the system probe a silent peer from time to time (SO_KEEPALIVE), so that one whose
    /// machine vanished is noticed: first after `idle`, then every tenth of it.
    ///
    /// # Errors
    /// If the socket is no longer connected (EINVAL on macOS).
    pub fn keep_alive(&self, idle: Duration) -> io::Result<()> {
        self.socket.keep_alive(idle)
    }

    /// The address at this end.
    ///
    /// # Errors
    /// If the socket is no longer connected.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_address()
    }
}

/// A write takes what the socket's buffer has room for, which may be less than it was given;
/// `WouldBlock` when there is no room. A layer counts the bytes that it has encoded.
impl Write for Transport {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.layer {
            None => self.socket.write(bytes),
            Some(layered) => layered.counting(|it| it.write(&self.socket, &[IoSlice::new(bytes)])),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.layer {
            None => self.socket.write_vectored(slices),
            Some(layered) => layered.counting(|it| it.write(&self.socket, slices)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            None => Ok(()),
            Some(layered) => layered.counting(|it| it.flush(&self.socket).map(drop)),
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
