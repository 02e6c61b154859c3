//! A network inside the process: what the sockets and pollers of a thread are while a simulation runs.
//!
//! A server that is tested over a real network meets what the kernel happens to do that day. Here a
//! seed decides it: how much of what was sent has arrived, which of two ready sockets is reported first,
//! whether a socket takes three bytes or three thousand. The same seed gives the same run, so what
//! was found once is found again.
//!
//! On a thread that has [entered](Network::enter) a network, [`Listener::bind`](super::Listener::bind)
//! listens in it, and a poller waits for it: at once, since the time is the simulation's to move.
//! A connection is two bounded queues of bytes; what its peer has sent arrives when the simulation
//! [delivers](Network::deliver) it. Each end has a descriptor of its own that nothing is ever sent
//! over: it is what a poller knows it by.
//!
//! Limits: one thread; TCP in order and complete, as TCP is; no connections to the outside.

use crate::poller::{Interest, Readiness, Selector};
use crate::slab::Token;
use socket2::{Domain, SockRef, Socket, Type};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    static ENTERED: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// Numbers that a seed decides: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Any order of `items`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// The way of the bytes in one direction.
#[derive(Default)]
struct Pipe {
    /// Sent and not there yet.
    travelling: VecDeque<u8>,
    arrived: VecDeque<u8>,
    capacity: usize,
    /// The sender has closed this direction, and whether that has arrived.
    ended: bool,
    end_arrived: bool,
}

impl Pipe {
    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.travelling.len() + self.arrived.len())
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        let count = self.room().min(bytes.len());
        self.travelling.extend(&bytes[..count]);
        count
    }

    fn receive(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.arrived.len());
        for (place, byte) in buffer.iter_mut().zip(self.arrived.drain(..count)) {
            *place = byte;
        }
        count
    }

    fn deliver(&mut self, most: usize) {
        let count = most.min(self.travelling.len());
        self.arrived.extend(self.travelling.drain(..count));
        self.end_arrived |= self.ended && self.travelling.is_empty();
    }
}

/// Between a peer of the simulation and the server's end.
struct Connection {
    peer: SocketAddr,
    server: SocketAddr,
    inbound: Pipe,
    outbound: Pipe,
    /// One end has reset it.
    reset: bool,
    /// The peer reads no more.
    peer_gone: bool,
    /// The server's end is closed.
    closed: bool,
}

enum Descriptor {
    Listener,
    End(usize),
}

struct State {
    dice: Dice,
    connections: Vec<Connection>,
    waiting: VecDeque<usize>,
    listening: Option<SocketAddr>,
    descriptors: BTreeMap<RawFd, Descriptor>,
    /// How long the poller's last wait would have lasted.
    wait: Option<Duration>,
    /// Bytes that the server's ends have taken and given, and connections accepted.
    progress: u64,
}

/// A simulated network.
#[derive(Clone)]
pub struct Network(Rc<RefCell<State>>);

/// Leaves the network when dropped.
pub struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.set(None);
    }
}

impl Network {
    /// An empty one, whose decisions come from `seed`.
    pub fn new(seed: u64) -> Network {
        Network(Rc::new(RefCell::new(State {
            dice: Dice::new(seed),
            connections: Vec::new(),
            waiting: VecDeque::new(),
            listening: None,
            descriptors: BTreeMap::new(),
            wait: None,
            progress: 0,
        })))
    }

    /// The sockets and pollers that this thread makes from now on are of this network.
    pub fn enter(&self) -> Entered {
        ENTERED.set(Some(self.clone()));
        Entered(())
    }

    fn entered() -> Option<Network> {
        ENTERED.with_borrow(Clone::clone)
    }

    /// A connection from `peer` to whoever listens. `capacity` is what the network keeps of what the
    /// server sends and its peer has not read.
    ///
    /// # Errors
    /// `ConnectionRefused` if nothing listens.
    pub fn connect(&self, peer: SocketAddr, capacity: usize) -> io::Result<Peer> {
        let mut state = self.0.borrow_mut();
        let server = state.listening.ok_or(ErrorKind::ConnectionRefused)?;
        let pipe = |capacity| Pipe { capacity, ..Pipe::default() };
        state.connections.push(Connection {
            peer,
            server,
            inbound: pipe(64 * 1024),
            outbound: pipe(capacity),
            reset: false,
            peer_gone: false,
            closed: false,
        });
        let number = state.connections.len() - 1;
        state.waiting.push_back(number);
        Ok(Peer { network: self.clone(), number })
    }

    /// Lets a part of what travels arrive, on connections that the seed picks. Whether anything is
    /// left that travels.
    pub fn deliver(&self) -> bool {
        let state = &mut *self.0.borrow_mut();
        let mut left = false;
        for connection in &mut state.connections {
            for pipe in [&mut connection.inbound, &mut connection.outbound] {
                let travels = pipe.travelling.len();
                if travels == 0 && pipe.ended == pipe.end_arrived {
                    continue;
                }
                match state.dice.below(4) {
                    0 => {}
                    1 => pipe.deliver(1 + state.dice.below(travels.max(1))),
                    _ => pipe.deliver(usize::MAX),
                }
                left |= pipe.ended != pipe.end_arrived || !pipe.travelling.is_empty();
            }
        }
        left
    }

    /// How long the loop would have waited; `None` is for ever.
    pub fn wait(&self) -> Option<Duration> {
        self.0.borrow().wait
    }

    /// A number that grows with every byte read or written and every connection accepted.
    pub fn progress(&self) -> u64 {
        self.0.borrow().progress
    }

    /// The server's ends that are open.
    pub fn open(&self) -> usize {
        self.0.borrow().connections.iter().filter(|connection| !connection.closed).count()
    }

    fn at<T>(&self, number: usize, act: impl FnOnce(&mut Connection) -> T) -> T {
        act(&mut self.0.borrow_mut().connections[number])
    }

    fn register(&self, descriptor: Descriptor) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        self.0.borrow_mut().descriptors.insert(socket.as_raw_fd(), descriptor);
        Ok(socket)
    }

    fn readiness(&self, fd: RawFd, interest: Interest) -> (bool, bool, bool) {
        let state = self.0.borrow();
        match state.descriptors.get(&fd) {
            None => (false, false, false),
            Some(Descriptor::Listener) => {
                (interest.readable && !state.waiting.is_empty(), false, false)
            }
            Some(Descriptor::End(number)) => {
                let end = &state.connections[*number];
                let broken = end.reset || end.peer_gone;
                let readable = broken || end.inbound.end_arrived || !end.inbound.arrived.is_empty();
                let writable = broken || end.outbound.room() > 0;
                let hangup = end.reset || (end.inbound.end_arrived && end.outbound.ended);
                (interest.readable && readable, interest.writable && writable, hangup)
            }
        }
    }
}

/// The other end of a connection, in the hands of the simulation.
pub struct Peer {
    network: Network,
    number: usize,
}

impl Peer {
    /// Sends what the network takes; so many bytes.
    pub fn send(&self, bytes: &[u8]) -> usize {
        self.network.at(self.number, |connection| match connection.reset || connection.closed {
            true => bytes.len(), // into the void, as the system would
            false => connection.inbound.send(bytes),
        })
    }

    /// Takes at most `most` of the bytes that have arrived.
    pub fn receive(&self, most: usize) -> Vec<u8> {
        self.network.at(self.number, |connection| {
            let mut bytes = vec![0; most.min(connection.outbound.arrived.len())];
            connection.outbound.receive(&mut bytes);
            bytes
        })
    }

    /// Whether the server's end has closed, or the connection was reset, and all has been received.
    pub fn is_over(&self) -> bool {
        self.network.at(self.number, |connection| {
            let outbound = &connection.outbound;
            connection.reset || (outbound.end_arrived && outbound.arrived.is_empty())
        })
    }

    /// Sends nothing more, and still reads.
    pub fn shut_down(&self) {
        self.network.at(self.number, |connection| connection.inbound.ended = true);
    }

    /// Closes both directions; what has not been read is lost.
    pub fn close(&self) {
        self.network.at(self.number, |connection| {
            connection.inbound.ended = true;
            connection.peer_gone = true;
        });
    }

    /// Breaks the connection.
    pub fn reset(&self) {
        self.network.at(self.number, |connection| connection.reset = true);
    }
}

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
        // Bytes that nobody has read make the close a reset.
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
    pub(super) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.set_nonblocking(on),
            TcpStream::Simulated(_) => Ok(()),
        }
    }

    pub(super) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.set_nodelay(on),
            TcpStream::Simulated(_) => Ok(()),
        }
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            TcpStream::System(socket) => socket.shutdown(how),
            TcpStream::Simulated(end) => {
                end.network.at(end.number, |connection| connection.outbound.ended = true);
                Ok(())
            }
        }
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            TcpStream::System(socket) => socket.peer_addr(),
            TcpStream::Simulated(end) => end.network.at(end.number, |connection| {
                let gone = connection.reset || connection.peer_gone;
                if gone { Err(ErrorKind::NotConnected.into()) } else { Ok(connection.peer) }
            }),
        }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
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
    pub(super) fn bind(address: SocketAddr) -> Option<io::Result<TcpListener>> {
        let network = Network::entered()?;
        network.0.borrow_mut().listening = Some(address);
        let identity = network.register(Descriptor::Listener);
        Some(identity.map(|identity| TcpListener::Simulated(network, identity)))
    }

    pub(super) fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
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

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
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

/// The poller's backend in a network: it never waits.
pub(super) struct Simulated {
    network: Network,
    watched: BTreeMap<RawFd, (Token, Interest)>,
}

impl Simulated {
    /// Of the network that this thread has entered, if it has.
    pub(super) fn here() -> Option<Simulated> {
        Some(Simulated { network: Network::entered()?, watched: BTreeMap::new() })
    }
}

impl Selector for Simulated {
    fn add(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        match self.watched.insert(fd, (token, interest)) {
            None => Ok(()),
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
        }
    }

    fn modify(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let watched = self.watched.get_mut(&fd).ok_or(ErrorKind::NotFound)?;
        *watched = (token, interest);
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.watched.remove(&fd).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn wait(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        let begin = ready.len();
        for (fd, (token, interest)) in &self.watched {
            let (readable, writable, hangup) = self.network.readiness(*fd, *interest);
            if readable || writable || hangup {
                ready.push(Readiness { token: *token, readable, writable, hangup });
            }
        }
        // The numbers of descriptors are the system's; the order must be the seed's.
        ready[begin..].sort_unstable_by_key(|report| report.token.to_bits());
        let mut state = self.network.0.borrow_mut();
        state.wait = timeout;
        state.dice.shuffle(&mut ready[begin..]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Backend, Listener, Poller, Received};

    #[test]
    fn bytes_arrive_when_they_are_delivered_and_ends_are_seen() {
        let network = Network::new(1);
        let _entered = network.enter();
        let listener = Listener::bind("127.0.0.1:7777".parse().unwrap(), 16).unwrap();
        let mut poller = Poller::new(Backend::best()).unwrap();
        poller.add(&listener, Token::fixed(0), Interest::READ).unwrap();
        let peer = network.connect("192.0.2.1:1".parse().unwrap(), 3).unwrap();
        let mut accepted = Vec::new();
        let end = listener.accept_each(9, |transport, address| accepted.push((transport, address)));
        assert!(matches!(end, Accepted::All));
        let (mut transport, address) = accepted.pop().unwrap();
        assert_eq!(address, "192.0.2.1:1".parse().unwrap());
        poller.add(&transport, Token::fixed(1), Interest::READ).unwrap();
        let mut ready = Vec::new();
        assert_eq!(peer.send(b"hello"), 5);
        poller.wait(&mut ready, None).unwrap();
        assert!(ready.is_empty(), "it travels");
        while network.deliver() {}
        poller.wait(&mut ready, None).unwrap();
        assert_eq!((ready.len(), ready[0].token), (1, Token::fixed(1)));
        let mut buffer = [0; 16];
        assert!(matches!(transport.read(&mut buffer), Received::Bytes(5)));
        assert_eq!(transport.write(b"world").unwrap(), 3, "there is room for three");
        assert_eq!(transport.write(b"ld").unwrap_err().kind(), ErrorKind::WouldBlock);
        while network.deliver() {}
        assert_eq!(peer.receive(9), b"wor");
        peer.shut_down();
        while network.deliver() {}
        assert!(matches!(transport.read(&mut buffer), Received::Ended));
        poller.remove(&transport).unwrap();
        drop(transport);
        while network.deliver() {}
        assert!(peer.is_over());
    }
}
