//! The carrier of a connection's bytes: the bare socket, or a layer over it.
//!
//! A loop that is written against the socket itself takes two things for granted that a layer such
//! as TLS breaks: that a reader wants to read and a writer wants to write (a handshake may have to
//! write first), and that bytes to read show up as readiness (a layer reads a whole record from the
//! socket and may keep the half that did not fit). So the loop asks
//! [`wants`](Transport::wants) and [`has_buffered`](Transport::has_buffered) from the beginning,
//! although a bare socket answers both with "nothing".
//!
//! Rejected: a trait. There are as many kinds as this file lists, a `match` costs nothing beside
//! the system call behind it, and no generic parameter runs through the programs.

use super::poller::Interest;
use super::stream::{Received, Stream};
use std::io::{self, IoSlice, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// One connection, ready to be read and written.
#[derive(Debug)]
pub enum Transport {
    /// TCP, as it is.
    Tcp(Stream),
}

impl Transport {
    /// Reads what is there into `buffer`, which must not be empty.
    pub fn read(&mut self, buffer: &mut [u8]) -> Received {
        match self {
            Transport::Tcp(stream) => stream.read(buffer),
        }
    }

    /// The readiness that it needs for itself, beside what its owner wants.
    pub fn wants(&self) -> Interest {
        match self {
            Transport::Tcp(_) => Interest::NONE,
        }
    }

    /// Whether [`read`](Transport::read) has bytes to give that no readiness will announce: read
    /// again before the next wait.
    pub fn has_buffered(&self) -> bool {
        match self {
            Transport::Tcp(_) => false,
        }
    }

    /// Tells the peer that nothing more will come; reading goes on. An error means that the peer
    /// is gone, and the next read reports that better.
    pub fn shutdown_write(&mut self) {
        match self {
            Transport::Tcp(stream) => stream.shutdown_write(),
        }
    }

    /// Closes with a reset: unsent bytes are discarded at both ends, and the port is free at once.
    pub fn abort(self) {
        match self {
            Transport::Tcp(stream) => stream.abort(),
        }
    }

    /// Whether the connection still stands as far as the system knows. After the end of the
    /// stream a read cannot tell a peer that only stopped sending from one that is gone; once the
    /// system has seen the reset that answers our next segment, the socket has no peer any more.
    pub fn has_peer(&self) -> bool {
        self.stream().has_peer()
    }

    /// Bytes that were written and that the peer's system has not acknowledged; `None` where the
    /// system does not say.
    pub fn unacknowledged(&self) -> Option<usize> {
        self.stream().unacknowledged()
    }

    /// Lets the system probe a silent peer from time to time (SO_KEEPALIVE), so that one whose
    /// machine vanished is noticed: first after `idle`, then every tenth of it.
    ///
    /// # Errors
    /// If the socket is no longer connected (EINVAL on macOS).
    pub fn keep_alive(&self, idle: Duration) -> io::Result<()> {
        self.stream().keep_alive(idle)
    }

    /// The address at this end.
    ///
    /// # Errors
    /// If the socket is no longer connected.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream().local_address()
    }

    fn stream(&self) -> &Stream {
        match self {
            Transport::Tcp(stream) => stream,
        }
    }
}

/// A write takes what the socket's buffer has room for, which may be less than it was given;
/// `WouldBlock` when there is no room.
impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Transport::Tcp(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Transport::Tcp(stream) => stream.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream().as_fd()
    }
}
