//! A connected socket that never blocks, with every outcome of a read given a name.
//!
//! Non-blocking means: a call that would have to wait returns the error EAGAIN instead
//! (`ErrorKind::WouldBlock`). That is no failure; it means "later", and the poller reports when. And a
//! call may do *less* than it was asked to: read half a line, write a third of a message.

#[cfg(feature = "simulation")]
use super::simulated::TcpStream;
use std::fmt;
use std::io::{self, IoSlice, Read as _, Write};
#[cfg(not(feature = "simulation"))]
use std::net::TcpStream;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

/// The outcome of a read.
#[derive(Debug)]
pub enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now: EAGAIN.
    WouldBlock,
    /// The peer will send nothing more, but may still be reading: it has closed, or it has closed
    /// only its sending side (`shutdown(SHUT_WR)`, Ctrl-D in many netcats). The two are
    /// indistinguishable until something is written to it.
    Ended,
    /// The connection broke.
    Failed(io::Error),
}

/// One TCP connection; non-blocking, close-on-exec, without Nagle's delay.
pub struct Stream {
    socket: TcpStream,
}

impl Stream {
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// If it cannot be made non-blocking, as when the peer has reset it meanwhile (EINVAL on macOS).
    pub(super) fn new(socket: impl Into<TcpStream>) -> io::Result<Stream> {
        let socket = socket.into();
        socket.set_nonblocking(true)?;
        // A line is small and needed now. Nagle's algorithm would delay it until the peer has
        // acknowledged the previous one, up to 40 ms; the outbox already gathers what belongs
        // together.
        socket.set_nodelay(true)?;
        Ok(Stream { socket })
    }

    /// Reads what is there into `buffer`, which must not be empty.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Received {
        loop {
            return match (&self.socket).read(buffer) {
                Ok(0) => Received::Ended,
                Ok(count) => Received::Bytes(count),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock => Received::WouldBlock,
                    _ => Received::Failed(error),
                },
            };
        }
    }

    /// Writes what the socket's buffer has room for, which may be less than `bytes`; the error
    /// `WouldBlock` when it has none.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.socket).write(bytes)
    }

    /// The same of several slices at once. A single one goes by send(2): writev(2) takes a detour
    /// through the file system, and costs a third more for a line.
    pub(super) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [slice] => self.write(slice),
            slices => (&self.socket).write_vectored(slices),
        }
    }

    /// Closes our sending half. An error means that the peer is gone, and the next read reports
    /// that better.
    pub(super) fn shutdown_write(&self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Makes the close that follows a reset: unsent bytes are discarded at both ends, and the port
    /// is free at once. An error means that the connection is already gone.
    pub(super) fn abort(self) {
        self.reset_on_close();
    }

    pub(super) fn reset_on_close(&self) {
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(std::time::Duration::ZERO));
    }

    pub(super) fn has_peer(&self) -> bool {
        self.socket.peer_addr().is_ok()
    }

    /// Not known on other systems.
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    pub(super) fn unacknowledged(&self) -> Option<usize> {
        None
    }

    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    pub(super) fn unacknowledged(&self) -> Option<usize> {
        use std::os::fd::AsRawFd as _;
        let mut bytes: libc::c_int = 0;
        #[cfg(target_os = "linux")]
        // SAFETY: TIOCOUTQ writes one int, and the descriptor is open.
        let result =
            unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        #[cfg(target_vendor = "apple")]
        let result = {
            let mut length = size_of::<libc::c_int>() as libc::socklen_t;
            // SAFETY: SO_NWRITE writes one int of that length, and the descriptor is open.
            unsafe {
                libc::getsockopt(
                    self.socket.as_raw_fd(),
                    libc::SOL_SOCKET,
                    libc::SO_NWRITE,
                    (&raw mut bytes).cast(),
                    &raw mut length,
                )
            }
        };
        (result == 0).then(|| usize::try_from(bytes).unwrap_or(0))
    }

    pub(super) fn keep_alive(&self, idle: std::time::Duration) -> io::Result<()> {
        let interval = (idle / 10).max(std::time::Duration::from_secs(1));
        let settings = socket2::TcpKeepalive::new().with_time(idle).with_interval(interval);
        socket2::SockRef::from(&self.socket).set_tcp_keepalive(&settings)
    }

    pub(super) fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Stream::new(listener.accept().unwrap().0).unwrap(), peer)
    }

    #[test]
    fn an_empty_socket_says_later_and_a_half_closed_one_ended() {
        let (stream, peer) = pair();
        let mut buffer = [0; 16];
        assert!(matches!(stream.read(&mut buffer), Received::WouldBlock));
        peer.shutdown(Shutdown::Write).unwrap();
        // The end arrives in its own time; "later" until then.
        while matches!(stream.read(&mut buffer), Received::WouldBlock) {}
        assert!(matches!(stream.read(&mut buffer), Received::Ended));
        assert!(stream.has_peer(), "half-closed is not gone");
        assert_eq!(stream.write(b"still yours").unwrap(), 11);
        if stream.unacknowledged().is_some() {
            while stream.unacknowledged() != Some(0) {}
        }
    }

    #[test]
    fn writing_to_a_departed_peer_is_an_error_and_not_a_signal() {
        let (stream, peer) = pair();
        drop(peer);
        while matches!(stream.read(&mut [0; 16]), Received::WouldBlock) {}
        while stream.write(b"anyone?").is_ok() {}
        assert!(!stream.has_peer());
    }

    #[test]
    fn an_aborted_connection_is_a_failure_at_the_other_end() {
        let (stream, peer) = pair();
        Stream::new(peer).unwrap().abort();
        let outcome = loop {
            match stream.read(&mut [0; 16]) {
                Received::WouldBlock => continue,
                other => break other,
            }
        };
        let Received::Failed(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
