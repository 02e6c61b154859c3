//! The connections of a storm: the honest pair, the crowd and the attackers on one poller.
//!
//! Sockets are written to at fixed ticks instead of when they become writable: an attacker whose
//! socket is full skips a tick, which is what "as fast as they may" means, and the poller watches for
//! reading alone.
//!
//! The honest pair must not wait for the reading of a thousand others in this process. So the pair
//! is read between any two other reads, and [`Peers::longest_gap`] tells how long it was not.
//!
//! Invariant: a descriptor leaves the poller before it is closed.

use super::pair::Ledger;
use crate::lab::payload::{Format, Stamp};
use crate::lab::swarm::welcome::{Waiting, Welcome};
use chatloop_reactor::{
    Backend, Connector, Interest, Poller, Readiness, Received, Registration, Token, Transport,
};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// One read takes at most so much.
const READ: usize = 256 * 1_024;
/// The honest pair has the first two places.
pub const PAIR: usize = 2;
/// What the server says when it has carried out everything that was sent before: both dialects
/// repeat it, one in a PONG and one as an unknown command.
pub const READY: &str = "storm-ready";

enum Link {
    Closed,
    Connecting(Connector),
    Open(Transport),
}

/// One connection, or the place for one.
pub struct Peer {
    link: Link,
    registration: Registration,
    unsent: Vec<u8>,
    /// Until the server has said [`READY`].
    waiting: Option<Waiting>,
    /// The start of a message between the honest two whose rest has not arrived.
    leftover: Vec<u8>,
}

/// All connections, in a fixed order of places.
pub struct Peers {
    poller: Poller,
    events: Vec<Readiness>,
    scratch: Vec<u8>,
    places: Vec<Peer>,
    server: SocketAddr,
    ready: Welcome,
    format: Format,
    looked: Instant,
    /// The longest time in which nothing was read for the honest pair although something may have
    /// been there: the part of a latency that this process may be to blame for.
    pub longest_gap: Duration,
    /// Bytes received by all.
    pub received: u64,
}

impl Peers {
    pub fn new(
        places: usize,
        server: SocketAddr,
        backend: Backend,
        format: Format,
    ) -> io::Result<Peers> {
        let place = |number| Peer {
            link: Link::Closed,
            registration: Registration::new(Token::from_bits(number as u64)),
            unsent: Vec::new(),
            waiting: None,
            leftover: Vec::new(),
        };
        Ok(Peers {
            poller: Poller::new(backend)?,
            events: Vec::new(),
            scratch: vec![0; READ + format.longest_leftover()],
            places: (0..places).map(place).collect(),
            server,
            ready: Welcome::new(Some(READY)),
            format,
            looked: Instant::now(),
            longest_gap: Duration::ZERO,
            received: 0,
        })
    }

    /// Begins a connection at a place that has none; `hello` is sent as soon as it stands.
    pub fn connect(&mut self, place: usize, source: IpAddr, hello: Vec<u8>) -> io::Result<()> {
        let connector = Connector::start_from(Some(source), self.server)?;
        let peer = &mut self.places[place];
        peer.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
        peer.link = Link::Connecting(connector);
        peer.unsent = hello;
        peer.waiting = None;
        peer.leftover.clear();
        Ok(())
    }

    /// Ends a connection with a reset, so that the server does not go on with lines that were sent.
    pub fn abort(&mut self, place: usize) -> io::Result<()> {
        if let Some(Link::Open(transport)) = self.take_link(place)? {
            transport.abort();
        }
        Ok(())
    }

    /// Takes the connection away from its place and from the poller.
    fn take_link(&mut self, place: usize) -> io::Result<Option<Link>> {
        let peer = &mut self.places[place];
        let link = std::mem::replace(&mut peer.link, Link::Closed);
        match &link {
            Link::Open(transport) => peer.registration.clear(&mut self.poller, transport)?,
            Link::Connecting(connector) => {
                peer.registration.clear(&mut self.poller, connector)?;
            }
            Link::Closed => return Ok(None),
        }
        Ok(Some(link))
    }

    /// Queues lines for the next [`Peers::flush`]; `write` is not called, and false returned, if the
    /// connection is not there or has not yet taken what was queued before.
    pub fn say(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let peer = &mut self.places[place];
        let able = matches!(peer.link, Link::Open(_)) && peer.unsent.is_empty();
        if able {
            write(&mut peer.unsent);
        }
        able
    }

    /// Asks for [`READY`] behind everything queued.
    pub fn await_ready(&mut self, place: usize, question: &str) {
        let peer = &mut self.places[place];
        peer.unsent.extend_from_slice(question.as_bytes());
        peer.waiting = self.ready.waiting();
    }

    /// Open, and not waiting for [`READY`].
    pub fn is_ready(&self, place: usize) -> bool {
        let peer = &self.places[place];
        matches!(peer.link, Link::Open(_)) && peer.waiting.is_none()
    }

    pub fn is_closed(&self, place: usize) -> bool {
        matches!(self.places[place].link, Link::Closed)
    }

    /// Stops reading from a connection, until it is aborted.
    pub fn deafen(&mut self, place: usize) -> io::Result<()> {
        let peer = &mut self.places[place];
        match &peer.link {
            Link::Open(transport) => peer.registration.clear(&mut self.poller, transport),
            _ => Ok(()),
        }
    }

    /// Gives the system what it takes of a connection's lines.
    pub fn flush(&mut self, place: usize) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Open(transport) = &mut peer.link else { return Ok(()) };
        while !peer.unsent.is_empty() {
            match transport.write(&peer.unsent) {
                Ok(count) => drop(peer.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.take_link(place).map(drop),
            }
        }
        Ok(())
    }

    /// Waits at most until `until` and reads what has come; the pair's messages go to `ledger`.
    pub fn turn(&mut self, ledger: &mut Ledger, until: Instant) -> io::Result<()> {
        // The poller counts in milliseconds and rounds up, so a shorter wait is a busy one.
        let left = until.saturating_duration_since(Instant::now());
        let timeout = if left < Duration::from_millis(1) { Duration::ZERO } else { left };
        self.look_after_pair(ledger)?;
        let mut events = std::mem::take(&mut self.events);
        let outcome = self.poller.wait(&mut events, Some(timeout));
        self.looked = Instant::now(); // the wait itself ends as soon as the pair has something
        for event in &events {
            self.attend(event, ledger)?;
            self.look_after_pair(ledger)?;
        }
        self.events = events;
        outcome
    }

    fn look_after_pair(&mut self, ledger: &mut Ledger) -> io::Result<()> {
        let now = Instant::now();
        self.longest_gap = self.longest_gap.max(now.duration_since(self.looked));
        self.looked = now;
        for place in 0..PAIR.min(self.places.len()) {
            self.read(place, ledger)?;
        }
        Ok(())
    }

    fn attend(&mut self, event: &Readiness, ledger: &mut Ledger) -> io::Result<()> {
        let place = event.token.slot();
        match self.places[place].link {
            Link::Connecting(_) => self.finish_connecting(place),
            _ if event.readable => self.read(place, ledger),
            _ => Ok(()),
        }
    }

    fn finish_connecting(&mut self, place: usize) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Connecting(connector) = std::mem::replace(&mut peer.link, Link::Closed) else {
            return Ok(());
        };
        peer.registration.clear(&mut self.poller, &connector)?;
        match connector.finish() {
            Ok(Ok(transport)) => {
                peer.registration.set(&mut self.poller, &transport, Interest::READ)?;
                peer.link = Link::Open(transport);
                self.flush(place)
            }
            Ok(Err(_)) => Ok(()), // rejected: the place is free again
            Err(connector) => {
                peer.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
                peer.link = Link::Connecting(connector);
                Ok(())
            }
        }
    }

    /// One bounded read; the poller says so if there is more.
    fn read(&mut self, place: usize, ledger: &mut Ledger) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Open(transport) = &mut peer.link else { return Ok(()) };
        let kept = peer.leftover.len();
        self.scratch[..kept].copy_from_slice(&peer.leftover);
        match transport.read(&mut self.scratch[kept..kept + READ]) {
            Received::Bytes(count) => {
                self.received += count as u64;
                let bytes = &self.scratch[..kept + count];
                if let Some(waiting) = &mut peer.waiting
                    && self.ready.heard(waiting, &bytes[kept..])
                {
                    peer.waiting = None;
                }
                if place < PAIR {
                    let now = Instant::now();
                    let receive = |found| ledger.receive(place as u32, found, now);
                    let done = self.format.scan(bytes, false, receive);
                    peer.leftover = bytes[done..].to_vec();
                }
                Ok(())
            }
            Received::WouldBlock => Ok(()),
            Received::Ended | Received::Failed(_) => self.take_link(place).map(drop),
        }
    }

    /// Appends the message of `stamp` to what `place` has queued, and sends it.
    pub fn send_message(&mut self, place: usize, prefix: &str, stamp: Stamp) -> io::Result<()> {
        let peer = &mut self.places[place];
        peer.unsent.extend_from_slice(prefix.as_bytes());
        self.format.encode(stamp, &mut peer.unsent);
        self.flush(place)
    }
}
