//! Bytes on their way in a simulated network, and what of them a poller reports.

use crate::dice::Dice;
use crate::poller::Interest;
use socket2::{Domain, Socket, Type};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    static ENTERED: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// The way of the bytes in one direction.
#[derive(Default)]
pub(super) struct Pipe {
    /// Sent and not there yet.
    pub(super) travelling: VecDeque<u8>,
    pub(super) arrived: VecDeque<u8>,
    pub(super) capacity: usize,
    /// The sender has closed this direction, and whether that has arrived.
    pub(super) ended: bool,
    pub(super) end_arrived: bool,
}

impl Pipe {
    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.travelling.len() + self.arrived.len())
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> usize {
        let count = self.room().min(bytes.len());
        self.travelling.extend(&bytes[..count]);
        count
    }

    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.arrived.len());
        for (place, byte) in buffer.iter_mut().zip(self.arrived.drain(..count)) {
            *place = byte;
        }
        count
    }

    pub(super) fn deliver(&mut self, most: usize) {
        let count = most.min(self.travelling.len());
        self.arrived.extend(self.travelling.drain(..count));
        self.end_arrived |= self.ended && self.travelling.is_empty();
    }
}

/// Between a peer of the simulation and the server's end.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) inbound: Pipe,
    pub(super) outbound: Pipe,
    /// One end has reset it.
    pub(super) reset: bool,
    /// The peer reads no more.
    pub(super) peer_gone: bool,
    /// The server's end is closed.
    pub(super) closed: bool,
}

pub(super) enum Descriptor {
    Listener,
    End(usize),
}

pub(super) struct State {
    pub(super) dice: Dice,
    pub(super) connections: Vec<Connection>,
    pub(super) waiting: VecDeque<usize>,
    pub(super) listening: Option<SocketAddr>,
    pub(super) descriptors: BTreeMap<RawFd, Descriptor>,
    /// How long the poller's last wait would have lasted.
    pub(super) wait: Option<Duration>,
    /// Bytes that the server's ends have taken and given, and connections accepted.
    pub(super) progress: u64,
}

/// A simulated network.
#[derive(Clone)]
pub struct Network(pub(super) Rc<RefCell<State>>);

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

    pub(super) fn entered() -> Option<Network> {
        ENTERED.with_borrow(Clone::clone)
    }

    /// A connection from `peer` to the listener. `capacity` is what the network keeps of what the
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

    /// From here on the network keeps at least so many bytes in each direction.
    pub fn widen(&self, capacity: usize) {
        for connection in &mut self.0.borrow_mut().connections {
            for pipe in [&mut connection.inbound, &mut connection.outbound] {
                pipe.capacity = pipe.capacity.max(capacity);
            }
        }
    }

    /// How long the loop would have waited; `None` is forever.
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

    pub(super) fn at<T>(&self, number: usize, act: impl FnOnce(&mut Connection) -> T) -> T {
        act(&mut self.0.borrow_mut().connections[number])
    }

    pub(super) fn register(&self, descriptor: Descriptor) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        self.0.borrow_mut().descriptors.insert(socket.as_raw_fd(), descriptor);
        Ok(socket)
    }

    /// Whether a descriptor is of this network.
    pub(super) fn has(&self, fd: RawFd) -> bool {
        self.0.borrow().descriptors.contains_key(&fd)
    }

    pub(super) fn readiness(&self, fd: RawFd, interest: Interest) -> (bool, bool, bool) {
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
