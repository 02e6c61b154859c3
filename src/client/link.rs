//! The connection to the server: made, used, lost and made again.
//!
//! ```text
//!            start            writable, no error
//!   Down ───────────▶ Connecting ─(Securing)▶ Up
//!    ▲                │  ▲    │               │
//!    │  last address  │  └────┘ next address  │ ended, failed
//!    └────────────────┴───────────────────────┘
//! ```
//!
//! Several addresses of one name are tried in turn, each with its own timeout. What happens is
//! reported as [`LinkEvent`]s; whether to try again is the caller's decision.
//!
//! Bounds: [`MAX_SERVER_LINE`] for what is received and not yet a line, [`READ_SHARE`] and
//! [`WRITE_SHARE`] a turn, [`SEND_SOFT`] and [`SEND_HARD`] for what waits to be sent.

use super::timers::TimerKind;
use super::tokens::SOCKET;
use crate::tls::Connector as Tls;
use crate::wire::frame::{Framer, LineKind, Step};
use chatloop_reactor::{
    ChunkWriter, Connector, Inbox, Interest, Outbox, Poller, Received, Registration, TimerId,
    Timers, Transport, Written,
};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Bytes of one line from the server; the rest of a longer one is skipped and reported.
pub const MAX_SERVER_LINE: usize = 64 * 1024;

/// Bytes read per turn, so that a flood does not block the keyboard.
pub const READ_SHARE: usize = 64 * 1024;

/// Bytes written a turn.
pub const WRITE_SHARE: usize = 256 * 1024;

/// Bytes waiting to be sent above which a script's input is not read on.
pub const SEND_SOFT: usize = 256 * 1024;

/// Size of the send queue above which a typed line is rejected.
pub const SEND_HARD: usize = 8 * 1024 * 1024;

/// An event of the connection.
#[derive(Debug)]
pub enum LinkEvent {
    /// It is established.
    Connected(SocketAddr),
    /// One address could not be reached.
    Unreachable(SocketAddr, ConnectError),
    /// No address could be reached.
    NotConnected,
    /// A line arrived; without its newline.
    Line(Vec<u8>),
    /// A line was longer than [`MAX_SERVER_LINE`].
    LineTooLong,
    /// The server closed the connection.
    Closed,
    /// The connection broke.
    Broken(io::Error),
}

/// Why an address could not be reached.
#[derive(Debug)]
pub enum ConnectError {
    System(io::Error),
    /// There was no response for this long.
    TimedOut(Duration),
    /// The TLS handshake has failed.
    Tls(io::Error),
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConnectError::TimedOut(after) => write!(f, "timed out after {} s", after.as_secs_f64()),
            ConnectError::Tls(error) => write!(f, "no TLS: {error}"),
            ConnectError::System(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => write!(f, "connection refused"),
                io::ErrorKind::TimedOut => write!(f, "timed out"),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    write!(f, "unreachable ({error})")
                }
                _ => write!(f, "{error}"),
            },
        }
    }
}

enum State {
    Down,
    Connecting {
        connector: Connector,
        place: usize,
        timer: TimerId,
    },
    /// The handshake of TLS.
    Securing {
        transport: Transport,
        place: usize,
        timer: TimerId,
    },
    Up {
        transport: Transport,
    },
}

/// The connection to the server and its pending data.
pub struct Link {
    addresses: Vec<SocketAddr>,
    timeout: Duration,
    tls: Option<Tls>,
    state: State,
    registration: Registration,
    encoder: ChunkWriter,
    outbox: Outbox,
    inbox: Inbox,
    framer: Framer,
}

impl Link {
    /// Not connected yet, to any of `addresses`.
    pub fn new(addresses: Vec<SocketAddr>, timeout: Duration, tls: Option<Tls>) -> Link {
        Link {
            addresses,
            timeout,
            tls,
            state: State::Down,
            registration: Registration::new(SOCKET),
            encoder: ChunkWriter::new(),
            outbox: Outbox::new(),
            inbox: Inbox::new(),
            framer: Framer::default(),
        }
    }

    /// Whether lines can be sent.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        match &self.state {
            State::Up { transport } => self.outbox.len() + transport.unsent(),
            _ => self.outbox.len(),
        }
    }

    /// Queues bytes; the caller checks [`unsent`](Link::unsent) first.
    pub fn send(&mut self, bytes: &[u8]) {
        let segment = self.encoder.append(bytes);
        self.outbox.push(&segment);
    }

    /// Begins to connect.
    ///
    /// # Errors
    /// The poller's.
    pub fn start(
        &mut self,
        poller: &mut Poller,
        timers: &mut Timers<TimerKind>,
        link_events: &mut Vec<LinkEvent>,
    ) -> io::Result<()> {
        self.try_from(0, poller, timers, link_events)
    }

    fn try_from(
        &mut self,
        first: usize,
        poller: &mut Poller,
        timers: &mut Timers<TimerKind>,
        link_events: &mut Vec<LinkEvent>,
    ) -> io::Result<()> {
        for (place, address) in self.addresses.iter().enumerate().skip(first) {
            match Connector::start(*address) {
                Ok(connector) => {
                    self.registration.set(poller, &connector, Interest::WRITE)?;
                    let timer =
                        timers.arm(Instant::now() + self.timeout, TimerKind::ConnectTimeout);
                    self.state = State::Connecting { connector, place, timer };
                    return Ok(());
                }
                Err(error) => {
                    link_events.push(LinkEvent::Unreachable(*address, ConnectError::System(error)))
                }
            }
        }
        link_events.push(LinkEvent::NotConnected);
        Ok(())
    }

    /// The socket is ready for something.
    ///
    /// # Errors
    /// The poller's.
    pub fn ready(
        &mut self,
        poller: &mut Poller,
        timers: &mut Timers<TimerKind>,
        scratch: &mut [u8],
        link_events: &mut Vec<LinkEvent>,
    ) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Down => Ok(()),
            State::Connecting { connector, place, timer } => {
                self.registration.clear(poller, &connector)?;
                let address = self.addresses[place];
                let decided = match connector.finish() {
                    Ok(decided) => decided,
                    Err(connector) => {
                        self.registration.set(poller, &connector, Interest::WRITE)?;
                        self.state = State::Connecting { connector, place, timer };
                        return Ok(());
                    }
                };
                match (decided, &self.tls) {
                    (Ok(mut transport), Some(tls)) => {
                        transport.cover(tls.begin(), &[]);
                        self.state = State::Securing { transport, place, timer };
                        self.ready(poller, timers, scratch, link_events)
                    }
                    (Ok(transport), None) => {
                        timers.cancel(timer);
                        self.registration.set(poller, &transport, Interest::READ)?;
                        self.state = State::Up { transport };
                        link_events.push(LinkEvent::Connected(address));
                        Ok(())
                    }
                    (Err(error), _) => {
                        timers.cancel(timer);
                        link_events
                            .push(LinkEvent::Unreachable(address, ConnectError::System(error)));
                        self.try_from(place + 1, poller, timers, link_events)
                    }
                }
            }
            State::Securing { mut transport, place, timer } => {
                if let Err(error) = shake_hands(&mut transport, scratch) {
                    timers.cancel(timer);
                    self.registration.clear(poller, &transport)?;
                    let (address, error) = (self.addresses[place], ConnectError::Tls(error));
                    link_events.push(LinkEvent::Unreachable(address, error));
                    return self.try_from(place + 1, poller, timers, link_events);
                }
                let writable = transport.unsent() > 0;
                self.registration.set(poller, &transport, Interest { readable: true, writable })?;
                if transport.is_opening() {
                    self.state = State::Securing { transport, place, timer };
                    return Ok(());
                }
                timers.cancel(timer);
                link_events.push(LinkEvent::Connected(self.addresses[place]));
                self.state = State::Up { transport };
                // Its first lines may have come with the end of the handshake.
                self.ready(poller, timers, scratch, link_events)
            }
            State::Up { mut transport } => {
                let ended = self.receive(&mut transport, scratch, link_events);
                match ended {
                    None => self.state = State::Up { transport },
                    Some(end) => {
                        self.registration.clear(poller, &transport)?;
                        link_events.push(end);
                    }
                }
                Ok(())
            }
        }
    }

    /// The timeout for the current address has expired.
    ///
    /// # Errors
    /// The poller's.
    pub fn connect_timed_out(
        &mut self,
        poller: &mut Poller,
        timers: &mut Timers<TimerKind>,
        link_events: &mut Vec<LinkEvent>,
    ) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Securing { transport, place, .. } => {
                self.registration.clear(poller, &transport)?;
                let failure = ConnectError::TimedOut(self.timeout);
                link_events.push(LinkEvent::Unreachable(self.addresses[place], failure));
                self.try_from(place + 1, poller, timers, link_events)
            }
            State::Connecting { connector, place, .. } => {
                self.registration.clear(poller, &connector)?;
                let failure = ConnectError::TimedOut(self.timeout);
                link_events.push(LinkEvent::Unreachable(self.addresses[place], failure));
                self.try_from(place + 1, poller, timers, link_events)
            }
            other => {
                self.state = other;
                Ok(())
            }
        }
    }

    /// Reads once and reports the lines; returns the end, if it has come.
    fn receive(
        &mut self,
        transport: &mut Transport,
        scratch: &mut [u8],
        link_events: &mut Vec<LinkEvent>,
    ) -> Option<LinkEvent> {
        let share = READ_SHARE.min(scratch.len());
        let end = loop {
            break match transport.read(&mut scratch[..share]) {
                Received::Bytes(count) => {
                    self.inbox.receive(&scratch[..count]);
                    // What no readiness will announce.
                    if transport.has_buffered() {
                        continue;
                    }
                    None
                }
                Received::WouldBlock => return None,
                Received::Ended => Some(LinkEvent::Closed),
                Received::Failed(error) => Some(LinkEvent::Broken(error)),
            };
        };
        // Someone in between may have cut the last line.
        self.take_lines(end.is_some() && !transport.is_cut(), link_events);
        if end.is_some() {
            self.inbox = Inbox::new();
            self.framer = Framer::default();
        }
        end
    }

    fn take_lines(&mut self, ended: bool, link_events: &mut Vec<LinkEvent>) {
        loop {
            let pending = self.inbox.pending();
            let kind = LineKind::Plain(MAX_SERVER_LINE);
            let used = match self.framer.next_or_last(pending, kind, ended) {
                Step::Line { bytes, used } => {
                    link_events.push(LinkEvent::Line(bytes.to_vec()));
                    self.framer.taken(false);
                    used
                }
                Step::TooLong { used, .. } => {
                    link_events.push(LinkEvent::LineTooLong);
                    self.framer.taken(true);
                    used
                }
                Step::Incomplete { used } => return self.inbox.consume(used),
            };
            self.inbox.consume(used);
        }
    }

    /// Writes the queue and updates the poller interest. `listening` is false while no more lines
    /// are accepted.
    ///
    /// # Errors
    /// The poller's.
    pub fn flush(&mut self, poller: &mut Poller, listening: bool) -> io::Result<()> {
        let State::Up { transport } = &mut self.state else { return Ok(()) };
        // A failure is met again by the read.
        let _ = transport.flush();
        if !self.outbox.is_empty() {
            // A failed write is not reported: the server's last lines may still be waiting to be
            // read, and the read behind them tells what became of the connection.
            if let Written::All | Written::Failed(_) = self.outbox.write_to(transport, WRITE_SHARE)
            {
                self.encoder.rewind();
            }
        }
        let writable = !self.outbox.is_empty() || transport.unsent() > 0;
        let wanted = Interest { readable: listening, writable };
        if wanted == Interest::NONE {
            // Not even a hangup, which would be reported at every wait.
            self.registration.clear(poller, transport)
        } else {
            self.registration.set(poller, transport, wanted)
        }
    }

    /// Drops what was not sent and returns its bytes. After a loss, a part of a line must not
    /// begin the next connection.
    pub fn forget_unsent(&mut self) -> usize {
        let unsent = self.outbox.len();
        self.outbox.clear();
        unsent
    }

    /// Closes the connection without reading what may have arrived.
    ///
    /// # Errors
    /// The poller's.
    pub fn abandon(&mut self, poller: &mut Poller) -> io::Result<()> {
        if let State::Up { transport } | State::Securing { transport, .. } =
            std::mem::replace(&mut self.state, State::Down)
        {
            self.registration.clear(poller, &transport)?;
        }
        (self.inbox, self.framer) = (Inbox::new(), Framer::default());
        Ok(())
    }

    /// Reads what has already arrived, shuts down the sending side, and closes: a socket that is
    /// closed with unread bytes resets the connection, and the server might lose our last lines. In
    /// this order, because a server may answer the half-close.
    pub fn close(&mut self, scratch: &mut [u8], link_events: &mut Vec<LinkEvent>) {
        if let State::Up { mut transport } = std::mem::replace(&mut self.state, State::Down) {
            for _ in 0..MAX_LAST_READS {
                match transport.read(scratch) {
                    Received::Bytes(count) => self.inbox.receive(&scratch[..count]),
                    Received::WouldBlock | Received::Ended | Received::Failed(_) => break,
                }
                self.take_lines(false, link_events);
            }
            transport.shutdown_write();
        }
    }
}

/// A step of the handshake: what has come is understood, and what answers it is sent.
fn shake_hands(transport: &mut Transport, scratch: &mut [u8]) -> io::Result<()> {
    // During the handshake a read has nothing to give; an end of the connection fails the step.
    if let Received::Failed(error) = transport.read(scratch) {
        return Err(error);
    }
    let outcome = transport.advance();
    let flushed = transport.flush();
    outcome.and(flushed)
}

/// Reads at the end: a flood must not keep the client from exiting.
const MAX_LAST_READS: usize = 16;
