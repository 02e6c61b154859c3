//! A listening socket, and every way in which `accept` can disappoint.

use super::stream::Stream;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};

/// The longest queue of connections that wait for `accept` to ask for; every system cuts it to
/// its own maximum (Linux: net.core.somaxconn). With the 5 or 10 of the textbooks a crowd that
/// connects at once is told to try again, by packets dropped, and does so a second later.
pub const LONGEST_BACKLOG: u32 = 65_535;

/// What `accept` came to.
#[derive(Debug)]
pub enum Accepted {
    /// A new connection and the peer's address.
    Connection(Stream, SocketAddr),
    /// Nobody waits.
    Nobody,
    /// That one went away before it was accepted (ECONNABORTED and its kin); others may wait.
    Vanished,
    /// The process or the system has no descriptor or memory left (EMFILE, ENFILE, ENOBUFS,
    /// ENOMEM). The connection stays in the queue, so the listener stays readable: a loop that
    /// simply tries again spins at 100 % CPU. Stop listening for a while instead.
    Exhausted(io::Error),
    /// The listener itself is broken.
    Failed(io::Error),
}

/// A socket that connections arrive at.
pub struct Listener {
    socket: TcpListener,
}

impl Listener {
    /// Binds to `address` (port 0: the system picks one) and listens.
    ///
    /// SO_REUSEADDR is set: connections of a server that has just stopped stay in TIME_WAIT for a
    /// minute, and without the option they keep its port from being bound. It does not allow two
    /// live listeners on one port. An IPv6 wildcard (`::`) takes IPv4 peers, too.
    ///
    /// # Errors
    /// What the system said: address in use, not ours, permission for low ports.
    pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog.min(LONGEST_BACKLOG) as i32)?;
        Ok(Listener { socket: socket.into() })
    }

    /// The address it listens at, with the port the system picked.
    ///
    /// # Errors
    /// What the system said.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes one connection out of the queue. An IPv4 peer of an IPv6 listener is given with its
    /// IPv4 address.
    pub fn accept(&self) -> Accepted {
        match self.socket.accept() {
            Ok((socket, address)) => match Stream::new(socket) {
                Ok(stream) => Accepted::Connection(stream, canonical(address)),
                Err(_) => Accepted::Vanished,
            },
            Err(error) => judge(error),
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_canonical() {
            std::net::IpAddr::V4(v4) => SocketAddr::from((v4, v6.port())),
            std::net::IpAddr::V6(_) => address,
        },
        SocketAddr::V4(_) => address,
    }
}

fn judge(error: io::Error) -> Accepted {
    if error.kind() == io::ErrorKind::WouldBlock {
        return Accepted::Nobody;
    }
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            Accepted::Exhausted(error)
        }
        // Linux hands errors of the new connection's network to accept; accept(2) asks to treat
        // them like EAGAIN.
        Some(
            libc::EINTR
            | libc::ECONNABORTED
            | libc::EPROTO
            | libc::EPERM
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP,
        ) => Accepted::Vanished,
        _ => Accepted::Failed(error),
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn every_error_of_accept_has_a_meaning() {
        let judged = |number| judge(io::Error::from_raw_os_error(number));
        assert!(matches!(judged(libc::EAGAIN), Accepted::Nobody));
        assert!(matches!(judged(libc::ECONNABORTED), Accepted::Vanished));
        assert!(matches!(judged(libc::EINTR), Accepted::Vanished));
        assert!(matches!(judged(libc::EMFILE), Accepted::Exhausted(_)));
        assert!(matches!(judged(libc::ENFILE), Accepted::Exhausted(_)));
        assert!(matches!(judged(libc::EBADF), Accepted::Failed(_)));
    }

    #[test]
    fn it_listens_on_both_families() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = Listener::bind(host.parse().unwrap(), 16) else {
                // A machine without IPv6 has nothing to test here.
                assert!(host.starts_with('['));
                continue;
            };
            assert!(matches!(listener.accept(), Accepted::Nobody));
            let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
            let Accepted::Connection(_, address) = listener.accept() else { panic!() };
            assert_eq!(address, peer.local_addr().unwrap());
        }
    }

    #[test]
    fn an_ipv4_peer_of_an_ipv6_wildcard_keeps_its_own_address() {
        let Ok(listener) = Listener::bind("[::]:0".parse().unwrap(), 16) else { return };
        let port = listener.local_address().unwrap().port();
        let peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let Accepted::Connection(_, address) = listener.accept() else { panic!() };
        assert_eq!(address, peer.local_addr().unwrap());
    }

    #[test]
    fn the_port_is_free_again_at_once() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = listener.local_address().unwrap();
        let peer = TcpStream::connect(address).unwrap();
        let Accepted::Connection(stream, _) = listener.accept() else { panic!() };
        drop((listener, stream)); // our end closes first: it stays in TIME_WAIT
        drop(peer);
        Listener::bind(address, 16).unwrap();
    }
}
