//! Thousands of connections to one server in one loop: made, read, written, lost.
//!
//! A connection costs one descriptor and a hundred-odd bytes; the 19,000th is served as the first.
//! All share one buffer for reading. A connection owns bytes only while half a message has arrived,
//! or while its own are not yet taken by the system.
//!
//! Some must not wait for the reading of a thousand others in this process. So the first `favoured`
//! places are read between any two other reads, and [`Connections::longest_gap`] tells how long they
//! were not.
//!
//! Invariant: a descriptor leaves the poller before it is closed.

#[cfg(not(feature = "web"))]
use super::no_websocket::WebSocket;
#[cfg(feature = "web")]
use super::websocket::WebSocket;
use super::welcome::{Waiting, Welcome};
use crate::tls;
use crate::trace::{self, Event, Phase, ReadOutcome, Trace};
use chatloop_reactor::{
    Backend, Clock, Connector, Interest, Poller, Readiness, Received, Registration, Token,
    Transport,
};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

/// One read takes at most so much, so that everyone has a turn.
const READ: usize = 256 * 1_024;

/// What a program does with its connections' news.
pub trait Handler {
    /// Bytes have arrived. Returns how many are done with; the rest is offered again in front of the
    /// next ones.
    fn received(&mut self, place: usize, bytes: &[u8], now: Instant) -> usize;

    /// Established, and welcome if that is waited for.
    fn ready(&mut self, _place: usize) {}

    /// Not established, or it does not speak what it should.
    fn refused(&mut self, _error: io::Error) {}

    /// Closed by the server, or broken.
    fn lost(&mut self, _place: usize) {}
}

enum Link {
    Closed,
    Connecting(Connector),
    /// Perhaps in the handshake of TLS still.
    Open(Transport),
}

/// What is around the lines of all connections.
#[derive(Clone, Default)]
pub struct Wrapping {
    /// Encrypts them.
    pub tls: Option<tls::Connector>,
    /// Each is a message of a WebSocket.
    pub websocket: bool,
}

/// One connection, or the place for one.
struct Connection {
    link: Link,
    registration: Registration,
    unsent: Vec<u8>,
    /// Boxed: most runs have none.
    socket: Option<Box<WebSocket>>,
    /// Until the server has sent the text that lets it in.
    waiting: Option<Waiting>,
    /// The start of a message whose rest has not arrived.
    leftover: Vec<u8>,
    /// It does not read.
    aside: bool,
}

/// All connections, in a fixed order of places.
pub struct Connections {
    poller: Poller,
    events: Vec<Readiness>,
    scratch: Vec<u8>,
    /// Lines out of frames, or on their way into them.
    lines: Vec<u8>,
    /// Of those that are made from here on.
    pub wrapping: Wrapping,
    places: Vec<Connection>,
    /// Places with something to write at the start of the turn.
    talking: Vec<usize>,
    pub server: SocketAddr,
    welcome: Welcome,
    /// How many of the first places are read between any two others.
    pub favoured: usize,
    looked: Instant,
    /// The longest time in which nothing was read for the favoured although something may have been
    /// there: the part of a latency that this process may be to blame for.
    pub longest_gap: Duration,
    /// Bytes received by all.
    pub received: u64,
    clock: Clock,
    pub trace: Trace,
}

impl Connections {
    /// Room for so many, of which the handler never leaves more than `leftover` bytes. One that
    /// [asks](Connections::ask) is ready once the server has sent `welcome`; any other at once.
    pub fn new(
        places: usize,
        server: SocketAddr,
        backend: Backend,
        leftover: usize,
        welcome: Option<&str>,
    ) -> io::Result<Connections> {
        let place = |number| Connection {
            link: Link::Closed,
            registration: Registration::new(Token::from_bits(number as u64)),
            unsent: Vec::new(),
            socket: None,
            waiting: None,
            leftover: Vec::new(),
            aside: false,
        };
        let clock = Clock::system();
        Ok(Connections {
            trace: Trace::off(&clock),
            clock,
            poller: Poller::new(backend)?,
            events: Vec::new(),
            scratch: vec![0; READ + leftover],
            lines: Vec::new(),
            wrapping: Wrapping::default(),
            places: (0..places).map(place).collect(),
            talking: Vec::new(),
            server,
            welcome: Welcome::new(welcome),
            favoured: 0,
            looked: Instant::now(),
            longest_gap: Duration::ZERO,
            received: 0,
        })
    }

    /// Writes what each turn does to this file.
    pub fn trace_to(&mut self, file: &Path) -> io::Result<()> {
        self.trace = Trace::to_file(file, &self.clock)?;
        Ok(())
    }

    pub fn backend(&self) -> Backend {
        self.poller.backend()
    }

    pub fn is_closed(&self, place: usize) -> bool {
        matches!(self.places[place].link, Link::Closed)
    }

    pub fn is_open(&self, place: usize) -> bool {
        matches!(self.places[place].link, Link::Open(_))
    }

    /// Open, and not waiting for its welcome.
    pub fn is_ready(&self, place: usize) -> bool {
        self.is_open(place) && self.places[place].waiting.is_none()
    }

    /// Open, and the system has taken everything that was queued.
    pub fn is_idle(&self, place: usize) -> bool {
        self.is_open(place) && self.places[place].unsent.is_empty()
    }

    /// Begins a connection at a place that has none. What is queued meanwhile is sent as soon as it
    /// stands.
    pub fn connect(&mut self, place: usize, source: Option<IpAddr>) -> io::Result<()> {
        let connector = Connector::start_from(source, self.server)?;
        let peer = &mut self.places[place];
        peer.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
        peer.link = Link::Connecting(connector);
        peer.socket = self.wrapping.websocket.then(|| Box::new(WebSocket::default()));
        self.trace.label(Token::from_bits(place as u64), || format!("member{place}"));
        peer.waiting = None;
        peer.aside = false;
        Ok(())
    }

    /// Queues what `write` appends for the next turn, unless the connection is closed.
    pub fn say(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let peer = &mut self.places[place];
        if let Link::Open(_) = peer.link
            && peer.unsent.is_empty()
        {
            self.talking.push(place);
        }
        match &mut peer.socket {
            _ if matches!(peer.link, Link::Closed) => {}
            None => write(&mut peer.unsent),
            Some(socket) => {
                self.lines.clear();
                write(&mut self.lines);
                socket.send(&self.lines, &mut peer.unsent);
            }
        }
    }

    /// Queues what the server answers with the welcome, and waits for that.
    pub fn ask(&mut self, place: usize, question: &str) {
        self.places[place].waiting = self.welcome.waiting();
        self.say(place, |out| out.extend_from_slice(question.as_bytes()));
    }

    /// A connection stops reading (`true`) or goes on.
    pub fn set_aside(&mut self, place: usize, aside: bool) -> io::Result<()> {
        self.places[place].aside = aside;
        self.update_interest(place)
    }

    fn update_interest(&mut self, place: usize) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Open(transport) = &peer.link else { return Ok(()) };
        let opening = transport.is_opening();
        let own = transport.wants();
        let wanted = Interest {
            readable: !peer.aside || opening || own.readable,
            writable: (!peer.unsent.is_empty() && !opening) || own.writable,
        };
        if wanted == Interest::NONE {
            // Out of the poller: a hangup would be reported at every wait.
            peer.registration.clear(&mut self.poller, transport)
        } else {
            peer.registration.set(&mut self.poller, transport, wanted)
        }
    }

    /// Ends a connection with a reset, so that the server does not go on with lines that were sent.
    pub fn abort(&mut self, place: usize) -> io::Result<()> {
        if let Link::Open(transport) = self.take_link(place)? {
            transport.abort();
        }
        Ok(())
    }

    /// Takes the connection away from its place and from the poller.
    fn take_link(&mut self, place: usize) -> io::Result<Link> {
        let peer = &mut self.places[place];
        let link = std::mem::replace(&mut peer.link, Link::Closed);
        match &link {
            Link::Open(transport) => peer.registration.clear(&mut self.poller, transport)?,
            Link::Connecting(connector) => peer.registration.clear(&mut self.poller, connector)?,
            Link::Closed => {}
        }
        // Half a message at the end of a lost connection is truncated, not corrupted.
        (peer.unsent, peer.leftover, peer.socket) = (Vec::new(), Vec::new(), None);
        Ok(link)
    }

    fn lose(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        self.take_link(place)?;
        handler.lost(place);
        Ok(())
    }

    /// One turn: writes what is queued, waits at most until `until`, then reads.
    pub fn turn(&mut self, until: Instant, handler: &mut impl Handler) -> io::Result<()> {
        self.trace.phase(Phase::Commands, &self.clock);
        for place in std::mem::take(&mut self.talking) {
            let before = self.places[place].unsent.len();
            self.write(place, handler)?;
            let left = self.places[place].unsent.len();
            self.trace.note(|| Event::Written {
                client: trace::small(place),
                bytes: trace::small(before.saturating_sub(left)),
                left: trace::small(left),
            });
        }
        self.trace.phase(Phase::Flush, &self.clock);
        let before = self.received;
        self.read_favoured(handler)?;
        // The poller counts in milliseconds and rounds up. What is due sooner is waited for
        // awake, or messages at a fixed rate would go out in clumps and blame the server for it.
        let left = until.saturating_duration_since(Instant::now());
        // What has just been read may be what the program waits for: it looks before it waits on.
        let awake = left < Duration::from_millis(1) || self.received > before;
        let timeout = if awake { Duration::ZERO } else { left };
        let mut events = std::mem::take(&mut self.events);
        self.trace.phase(Phase::Reap, &self.clock);
        self.trace.end_turn();
        let slept = self.clock.now() + self.clock.spent();
        let outcome = self.poller.wait(&mut events, Some(timeout));
        self.looked = Instant::now(); // the wait itself ends as soon as they have something
        self.clock.tick();
        self.trace.begin_turn(&self.clock, slept, &events);
        for event in &events {
            let before = self.received;
            self.attend(event, handler)?;
            self.trace.note(|| Event::Read {
                client: trace::number(event.token),
                bytes: u32::try_from(self.received - before).unwrap_or(u32::MAX),
                inbox: 0,
                outcome: ReadOutcome::Bytes,
            });
            self.read_favoured(handler)?;
        }
        self.trace.phase(Phase::Read, &self.clock);
        self.events = events;
        outcome
    }

    fn read_favoured(&mut self, handler: &mut impl Handler) -> io::Result<()> {
        if self.favoured == 0 {
            return Ok(());
        }
        let now = Instant::now();
        self.longest_gap = self.longest_gap.max(now.duration_since(self.looked));
        self.looked = now;
        (0..self.favoured).try_for_each(|place| self.read(place, handler))
    }

    fn attend(&mut self, event: &Readiness, handler: &mut impl Handler) -> io::Result<()> {
        let place = event.token.slot();
        if let Link::Connecting(_) = self.places[place].link {
            return self.finish_connecting(place, handler);
        }
        if event.writable {
            self.write(place, handler)?;
        }
        if event.readable { self.read(place, handler) } else { Ok(()) }
    }

    fn finish_connecting(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Connecting(connector) = std::mem::replace(&mut peer.link, Link::Closed) else {
            return Ok(());
        };
        peer.registration.clear(&mut self.poller, &connector)?;
        match connector.finish() {
            Ok(Ok(mut transport)) => {
                if let Some(tls) = &self.wrapping.tls {
                    transport.cover(tls.begin(), &[]);
                }
                let secured = !transport.is_opening();
                peer.link = Link::Open(transport);
                if secured {
                    self.established(place, handler)
                } else {
                    self.shake_hands(place, handler)
                }
            }
            Ok(Err(error)) => {
                handler.refused(error);
                Ok(())
            }
            Err(connector) => {
                peer.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
                peer.link = Link::Connecting(connector);
                Ok(())
            }
        }
    }

    /// A step of the handshake of TLS.
    fn shake_hands(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        let Link::Open(transport) = &mut self.places[place].link else { return Ok(()) };
        if let Err(error) = transport.shake_hands(&mut self.scratch) {
            handler.refused(io::Error::other(format!("TLS handshake failed: {error}")));
            return self.lose(place, handler);
        }
        if transport.is_opening() {
            return self.update_interest(place);
        }
        self.established(place, handler)?;
        // What follows may have come with the end of the handshake.
        self.read(place, handler)
    }

    /// Bytes can be sent, to the server or to ask it for a WebSocket.
    fn established(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        let peer = &mut self.places[place];
        if peer.socket.is_some() {
            peer.unsent.extend_from_slice(WebSocket::request(self.server).as_bytes());
        } else if peer.waiting.is_none() {
            handler.ready(place);
        }
        self.write(place, handler)
    }

    /// One bounded read; the poller reports the socket again if there is more.
    fn read(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Open(transport) = &mut peer.link else { return Ok(()) };
        if transport.is_opening() {
            return self.shake_hands(place, handler);
        }
        let kept = peer.leftover.len();
        self.scratch[..kept].copy_from_slice(&peer.leftover);
        let count = match transport.read(&mut self.scratch[kept..kept + READ]) {
            Received::Bytes(count) => count,
            Received::WouldBlock => return Ok(()),
            Received::Ended | Received::Failed(_) => return self.lose(place, handler),
        };
        let more = transport.has_buffered();
        self.received += count as u64;
        let mut bytes = &self.scratch[..kept + count];
        if let Some(socket) = &mut peer.socket {
            self.lines.clear();
            self.lines.extend_from_slice(&peer.leftover);
            let received = &mut self.scratch[kept..kept + count];
            match socket.receive(received, &mut self.lines, &mut peer.unsent) {
                Ok(opened) if opened && peer.waiting.is_none() => handler.ready(place),
                Ok(_) => {}
                Err(error) => {
                    handler.refused(error);
                    return self.lose(place, handler);
                }
            }
            bytes = &self.lines;
        }
        if let Some(waiting) = &mut peer.waiting
            && self.welcome.contains(waiting, &bytes[kept..])
        {
            peer.waiting = None;
            handler.ready(place);
        }
        let done = handler.received(place, bytes, Instant::now());
        peer.leftover.clear();
        if done < bytes.len() {
            peer.leftover.extend_from_slice(&bytes[done..]);
        } else if kept > 0 {
            peer.leftover = Vec::new(); // rare, and memory for 19,000 is not
        }
        if peer.socket.is_some() && !peer.unsent.is_empty() {
            self.write(place, handler)?;
        }
        // What no readiness will announce.
        if more { self.read(place, handler) } else { Ok(()) }
    }

    /// Writes as much of a connection's queue as the system takes.
    fn write(&mut self, place: usize, handler: &mut impl Handler) -> io::Result<()> {
        let peer = &mut self.places[place];
        let Link::Open(transport) = &mut peer.link else { return Ok(()) };
        let _ = transport.flush(); // a failure is met again by the read
        while !peer.unsent.is_empty() {
            match transport.write(&peer.unsent) {
                Ok(count) => drop(peer.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.lose(place, handler),
            }
        }
        self.update_interest(place)
    }
}
