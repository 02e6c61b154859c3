//! A listening socket, with every `accept` error classified.

use super::fault::Faults;
#[cfg(feature = "simulation")]
use super::simulated::TcpListener;
use super::stream::Stream;
use super::transport::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
#[cfg(not(feature = "simulation"))]
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest queue of waiting connections that can be asked for; every system cuts it to its own
/// maximum (Linux: net.core.somaxconn). With the 5 or 10 of the textbooks the packets of a crowd
/// that connects at once are dropped, and the peers try again a second later.
pub const LONGEST_BACKLOG: u32 = 65_535;

/// The first descriptor that a service manager hands over, and how many are taken at most.
const FIRST_INHERITED: RawFd = 3;
const MOST_INHERITED: u32 = 32;

/// How accepting ended.
///
/// Whatever it was, a connection that still waits keeps the listener readable, so the poller
/// reports it at the next wait; with [`Exhausted`](Accepted::Exhausted) that makes a loop spin at
/// 100 % CPU, which is why this value must not be ignored.
#[must_use = "an exhausted listener stays readable: stop watching it for a while, or the loop spins"]
#[derive(Debug)]
pub enum Accepted {
    /// No connection waits any more.
    All,
    /// The limit is reached; more may wait.
    Some,
    /// The process or the system has no descriptor or memory left (EMFILE, ENFILE, ENOBUFS,
    /// ENOMEM). The connection stays in the queue: stop watching the listener for a while.
    Exhausted(io::Error),
    /// The listener itself is broken.
    Failed(io::Error),
}

/// A socket that connections arrive at.
pub struct Listener {
    socket: TcpListener,
    faults: Option<Rc<Faults>>,
}

fn is_listening(socket: &Socket) -> bool {
    let (mut value, mut length) = (0 as libc::c_int, size_of::<libc::c_int>() as libc::socklen_t);
    let (level, name) = (libc::SOL_SOCKET, libc::SO_ACCEPTCONN);
    // SAFETY: both pointers are to values of the size that they are said to have.
    let asked = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length)
    };
    asked == 0 && value != 0
}

impl Listener {
    /// Binds to `address` (port 0: the system picks one) and listens.
    ///
    /// SO_REUSEADDR is set: connections of a server that has just stopped stay in TIME_WAIT for a
    /// minute, and without the option they keep its port from being bound. It does not allow two
    /// live listeners on one port. An IPv6 wildcard (`::`) takes IPv4 peers, too.
    ///
    /// # Errors
    /// The address is in use or not of this machine, or the port needs permission.
    pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        Listener::bind_only(address, backlog, !address.ip().is_unspecified())
    }

    /// The same, with a choice for IPv6: whether it takes no IPv4 peers (`only_v6`).
    ///
    /// # Errors
    /// The address is in use or not of this machine, or the port needs permission.
    pub fn bind_only(address: SocketAddr, backlog: u32, only_v6: bool) -> io::Result<Listener> {
        #[cfg(feature = "simulation")]
        if let Some(socket) = TcpListener::bind(address) {
            return Ok(Listener { socket: socket?, faults: None });
        }
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(only_v6)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog.min(LONGEST_BACKLOG) as i32)?;
        Ok(Listener { socket: socket.into(), faults: None })
    }

    /// Has its accepts, and the connections accepted from now on, suffer from faults.
    pub fn disturb(&mut self, faults: &Rc<Faults>) {
        self.faults = Some(Rc::clone(faults));
    }

    /// The listening sockets that a service manager has opened for this process (systemd's socket
    /// activation: LISTEN_PID, LISTEN_FDS, descriptors from 3 on). The first call takes them.
    ///
    /// # Errors
    /// A descriptor is closed, or is no TCP socket that listens.
    pub fn inherited() -> io::Result<Vec<Listener>> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        let is_ours = number("LISTEN_PID") == Some(std::process::id());
        let count = number("LISTEN_FDS").filter(|_| is_ours).unwrap_or(0);
        if count == 0 || TAKEN.swap(true, Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let listeners = (0..count.min(MOST_INHERITED) as RawFd).map(|place| {
            let descriptor = FIRST_INHERITED + place;
            let invalid = |what: &str| {
                let what = format!("LISTEN_FDS: descriptor {descriptor} is {what}");
                io::Error::new(io::ErrorKind::InvalidInput, what)
            };
            // SAFETY: it only asks about a number.
            if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } == -1 {
                return Err(invalid("not open"));
            }
            // SAFETY: it is open, the service manager opened it for this process, and `TAKEN` says
            // that nothing else has taken it.
            let socket = Socket::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
            let address = socket.local_addr().ok().and_then(|address| address.as_socket());
            if address.is_none() || socket.r#type()? != Type::STREAM {
                return Err(invalid("not a TCP socket"));
            }
            // It would be ready all the time, and never accept: Accept=yes hands over connections.
            if !is_listening(&socket) {
                return Err(invalid("not a listening socket (in the socket unit: Accept=no)"));
            }
            socket.set_cloexec(true)?;
            socket.set_nonblocking(true)?;
            Ok(Listener { socket: socket.into(), faults: None })
        });
        listeners.collect()
    }

    /// Bounds what the system keeps unsent for each connection accepted from now on (SO_SNDBUF);
    /// without a bound Linux lets it grow to megabytes for every peer that does not read. Set here,
    /// where connections inherit it, it costs no system call for each of them.
    ///
    /// # Errors
    /// If the system does not take it.
    pub fn bound_send_buffers(&self, bytes: usize) -> io::Result<()> {
        socket2::SockRef::from(&self.socket).set_send_buffer_size(bytes)
    }

    /// Bounds what the system takes for each connection accepted from now on beyond what is on its way
    /// (TCP_NOTSENT_LOWAT). Does nothing where that is not Linux.
    ///
    /// # Errors
    /// If the system does not take it.
    pub fn bound_unsent(&self, bytes: u32) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&self.socket).set_tcp_notsent_lowat(bytes)?;
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
        Ok(())
    }

    /// The address it listens at, with the port the system picked.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts the connections that wait, `limit` at most so that a crowd does not keep the others
    /// waiting, and hands each to `admit` with the peer's address. An IPv4 peer of an IPv6 listener
    /// has its IPv4 address.
    pub fn accept_each(
        &self,
        limit: usize,
        mut admit: impl FnMut(Transport, SocketAddr),
    ) -> Accepted {
        for _ in 0..limit {
            let fault = self.faults.as_ref().and_then(|faults| faults.accept());
            match fault.map_or_else(|| self.socket.accept(), Err) {
                // A peer may have reset the connection before it can be made non-blocking.
                Ok((socket, address)) => {
                    if let Ok(stream) = Stream::new(socket) {
                        let transport = match &self.faults {
                            None => Transport::new(stream),
                            Some(faults) => Transport::faulty(stream, Rc::clone(faults)),
                        };
                        admit(transport, canonical(address));
                    }
                }
                Err(error) => {
                    if let Some(end) = end(error) {
                        return end;
                    }
                }
            }
        }
        Accepted::Some
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

/// How accepting ends with this error; `None` if it is that of one connection.
fn end(error: io::Error) -> Option<Accepted> {
    if error.kind() == io::ErrorKind::WouldBlock {
        return Some(Accepted::All);
    }
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            Some(Accepted::Exhausted(error))
        }
        // That connection went away before it was accepted; others may wait. Linux hands errors
        // of the new connection's network to accept, too, and accept(2) asks to treat them like
        // EAGAIN.
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
        ) => None,
        _ => Some(Accepted::Failed(error)),
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

    /// All that wait, up to `limit`, and how it ended.
    fn accepted(listener: &Listener, limit: usize) -> (Vec<(Transport, SocketAddr)>, Accepted) {
        let mut all = Vec::new();
        let end = listener.accept_each(limit, |transport, address| all.push((transport, address)));
        (all, end)
    }

    #[test]
    fn every_error_of_accept_has_a_meaning() {
        let classified = |number| end(io::Error::from_raw_os_error(number));
        assert!(matches!(classified(libc::EAGAIN), Some(Accepted::All)));
        assert!(classified(libc::ECONNABORTED).is_none());
        assert!(classified(libc::EINTR).is_none());
        assert!(matches!(classified(libc::EMFILE), Some(Accepted::Exhausted(_))));
        assert!(matches!(classified(libc::ENFILE), Some(Accepted::Exhausted(_))));
        assert!(matches!(classified(libc::EBADF), Some(Accepted::Failed(_))));
    }

    #[test]
    fn it_listens_on_both_families() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = Listener::bind(host.parse().unwrap(), 16) else {
                // A machine without IPv6 has nothing to test here.
                assert!(host.starts_with('['));
                continue;
            };
            assert!(matches!(accepted(&listener, 9), (none, Accepted::All) if none.is_empty()));
            let peer = TcpStream::connect(listener.local_address().unwrap()).unwrap();
            let (all, _) = accepted(&listener, 9);
            assert_eq!(all[0].1, peer.local_addr().unwrap());
        }
    }

    #[test]
    fn a_crowd_is_accepted_in_shares() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = listener.local_address().unwrap();
        let _peers: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        for (expected, all) in [(3, false), (2, true), (0, true)] {
            let (found, end) = accepted(&listener, 3);
            assert_eq!((found.len(), matches!(end, Accepted::All)), (expected, all), "{end:?}");
        }
    }

    #[test]
    fn an_ipv4_peer_of_an_ipv6_wildcard_keeps_its_own_address() {
        let Ok(listener) = Listener::bind("[::]:0".parse().unwrap(), 16) else { return };
        let port = listener.local_address().unwrap().port();
        let peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(accepted(&listener, 1).0[0].1, peer.local_addr().unwrap());
    }

    #[test]
    fn the_port_is_free_again_at_once() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = listener.local_address().unwrap();
        let peer = TcpStream::connect(address).unwrap();
        let (streams, _) = accepted(&listener, 1);
        assert_eq!(streams.len(), 1);
        drop((listener, streams)); // our end closes first: it stays in TIME_WAIT
        drop(peer);
        Listener::bind(address, 16).unwrap();
    }
}
