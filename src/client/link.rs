//! The connection to the server: made, used, lost and made again.
//!
//! ```text
//!            start            writable, no error
//!   Down ───────────▶ Connecting ───────────▶ Up
//!    ▲                │  ▲    │               │
//!    │  last address  │  └────┘ next address  │ ended, failed
//!    └────────────────┴───────────────────────┘
//! ```
//!
//! Several addresses of one name are tried in turn, each with its own timeout. What happens is
//! reported as [`LinkEvent`]s; whether to try again is the caller's decision.
//!
//! Bounds: [`MAX_SERVER_LINE`] for what is received and not yet a line, one read and
//! [`WRITE_SHARE`] a turn, [`SEND_SOFT`] and [`SEND_HARD`] for what waits to be sent.

use super::event_loop::{EventLoop, SERVER, SOCKET, TimerKind};
use crate::tls::Connector as Tls;
use crate::trace::{self, Event, ReadOutcome};
use crate::wire::frame::{Framer, LineKind, Step};
use chatloop_reactor::{
    ChunkWriter, Connector, Inbox, Interest, Outbox, Received, Registration, TimerId, Transport,
    Written,
};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Bytes of one line from the server; the rest of a longer one is skipped and reported.
pub const MAX_SERVER_LINE: usize = 64 * 1024;

/// Bytes written a turn.
pub const WRITE_SHARE: usize = 256 * 1024;

/// Bytes waiting to be sent above which a script's input is not read on.
pub const SEND_SOFT: usize = 256 * 1024;

/// Size of the send queue above which a typed line is rejected, and nothing more is read.
pub const SEND_HARD: usize = 8 * 1024 * 1024;

/// An event of the connection.
#[derive(Debug)]
pub enum LinkEvent {
    /// It is established.
    Connected(SocketAddr),
    /// One address could not be reached, and why.
    Unreachable(SocketAddr, String),
    /// No address could be reached.
    NotConnected,
    /// A line arrived; without its newline.
    Line(Vec<u8>),
    /// A line was longer than [`MAX_SERVER_LINE`].
    LineTooLong,
    /// The server closed the connection, or it broke with an error.
    Lost(Option<io::Error>),
}

enum State {
    /// There is none.
    Down,
    /// It is being made, to the address at this place.
    Connecting { connector: Connector, place: usize, timer: TimerId },
    /// The handshake of TLS.
    Securing { transport: Transport, place: usize, timer: TimerId },
    /// Lines can be sent.
    Up(Transport),
}

/// The connection to the server and its pending data.
pub struct Link {
    addresses: Vec<SocketAddr>,
    timeout: Duration,
    tls: Option<Tls>,
    state: State,
    /// Not taken yet.
    events: Vec<LinkEvent>,
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
            events: Vec::new(),
            registration: Registration::new(SOCKET),
            encoder: ChunkWriter::new(),
            outbox: Outbox::new(),
            inbox: Inbox::new(),
            framer: Framer::default(),
        }
    }

    /// Made already, over this transport.
    ///
    /// # Errors
    /// The poller's.
    #[cfg(feature = "simulation")]
    pub fn over(transport: Transport, turn: &mut EventLoop) -> io::Result<Link> {
        let mut link = Link::new(Vec::new(), Duration::ZERO, None);
        link.registration.set(&mut turn.poller, &transport, Interest::READ)?;
        link.state = State::Up(transport);
        Ok(link)
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<LinkEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether lines can be sent.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        let encrypted = if let State::Up(transport) = &self.state { transport.unsent() } else { 0 };
        self.outbox.len() + encrypted
    }

    /// Queues bytes; the caller checks [`unsent`](Link::unsent) first.
    pub fn send(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let segment = self.encoder.append(bytes);
            self.outbox.push(&segment);
        }
    }

    /// Begins to connect.
    ///
    /// # Errors
    /// The poller's.
    pub fn start(&mut self, turn: &mut EventLoop) -> io::Result<()> {
        self.try_from(0, turn)
    }

    fn try_from(&mut self, first: usize, turn: &mut EventLoop) -> io::Result<()> {
        for (place, address) in self.addresses.iter().enumerate().skip(first) {
            match Connector::start(*address) {
                Ok(connector) => {
                    self.registration.set(&mut turn.poller, &connector, Interest::WRITE)?;
                    let timer = turn.arm(self.timeout, TimerKind::ConnectTimeout);
                    self.state = State::Connecting { connector, place, timer };
                    return Ok(());
                }
                Err(error) => self.events.push(LinkEvent::Unreachable(*address, in_words(&error))),
            }
        }
        self.events.push(LinkEvent::NotConnected);
        Ok(())
    }

    /// This address could not be reached: tries the next one.
    fn unreachable(&mut self, place: usize, why: String, turn: &mut EventLoop) -> io::Result<()> {
        self.events.push(LinkEvent::Unreachable(self.addresses[place], why));
        self.try_from(place + 1, turn)
    }

    /// The socket is ready for something.
    ///
    /// # Errors
    /// The poller's.
    pub fn ready(&mut self, turn: &mut EventLoop) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Down => Ok(()),
            State::Connecting { connector, place, timer } => {
                self.registration.clear(&mut turn.poller, &connector)?;
                let decided = match connector.finish() {
                    Ok(decided) => decided,
                    Err(connector) => {
                        self.registration.set(&mut turn.poller, &connector, Interest::WRITE)?;
                        self.state = State::Connecting { connector, place, timer };
                        return Ok(());
                    }
                };
                match (decided, &self.tls) {
                    (Ok(mut transport), Some(tls)) => {
                        transport.cover(tls.begin(), &[]);
                        self.state = State::Securing { transport, place, timer };
                        self.ready(turn)
                    }
                    (Ok(transport), None) => {
                        turn.timers.cancel(timer);
                        self.registration.set(&mut turn.poller, &transport, Interest::READ)?;
                        self.state = State::Up(transport);
                        self.events.push(LinkEvent::Connected(self.addresses[place]));
                        Ok(())
                    }
                    (Err(error), _) => {
                        turn.timers.cancel(timer);
                        self.unreachable(place, in_words(&error), turn)
                    }
                }
            }
            State::Securing { mut transport, place, timer } => {
                if let Err(error) = transport.shake_hands(&mut turn.scratch) {
                    turn.timers.cancel(timer);
                    self.registration.clear(&mut turn.poller, &transport)?;
                    return self.unreachable(place, format!("TLS handshake failed: {error}"), turn);
                }
                let wanted = Interest { readable: true, writable: transport.unsent() > 0 };
                self.registration.set(&mut turn.poller, &transport, wanted)?;
                if transport.is_opening() {
                    self.state = State::Securing { transport, place, timer };
                    return Ok(());
                }
                turn.timers.cancel(timer);
                self.events.push(LinkEvent::Connected(self.addresses[place]));
                self.state = State::Up(transport);
                // Its first lines may have come with the end of the handshake.
                self.ready(turn)
            }
            State::Up(mut transport) => {
                match self.receive(&mut transport, turn) {
                    None => self.state = State::Up(transport),
                    Some(end) => {
                        self.registration.clear(&mut turn.poller, &transport)?;
                        self.events.push(end);
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
    pub fn connect_timed_out(&mut self, turn: &mut EventLoop) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Down) {
            State::Connecting { connector, place, .. } => {
                self.registration.clear(&mut turn.poller, &connector)?;
                let why = format!("timed out after {} s", self.timeout.as_secs_f64());
                self.unreachable(place, why, turn)
            }
            State::Securing { transport, place, .. } => {
                self.registration.clear(&mut turn.poller, &transport)?;
                let why = format!("TLS handshake timed out after {} s", self.timeout.as_secs_f64());
                self.unreachable(place, why, turn)
            }
            other => {
                self.state = other;
                Ok(())
            }
        }
    }

    /// Reads once and reports the lines; returns the end, if it has come.
    fn receive(&mut self, transport: &mut Transport, turn: &mut EventLoop) -> Option<LinkEvent> {
        let (scratch, before) = (&mut turn.scratch, self.inbox.len());
        let end = loop {
            break match transport.read(scratch) {
                Received::Bytes(count) => {
                    self.inbox.receive(&scratch[..count]);
                    // What no readiness will announce.
                    if transport.has_buffered() {
                        continue;
                    }
                    None
                }
                Received::WouldBlock => return None,
                Received::Ended => Some(LinkEvent::Lost(None)),
                Received::Failed(error) => Some(LinkEvent::Lost(Some(error))),
            };
        };
        let bytes = self.inbox.len() - before;
        let outcome = if end.is_none() { ReadOutcome::Bytes } else { ReadOutcome::Ended };
        let inbox = trace::small(self.inbox.len());
        let client = trace::number(SERVER);
        let read = Event::Read { client, bytes: trace::small(bytes), inbox, outcome };
        turn.trace.note(|| read);
        let (lines, before) = (self.events.len(), self.inbox.len());
        // Someone in between may have cut the last line.
        self.take_lines(end.is_some() && !transport.is_cut());
        turn.trace.note(|| Event::Lines {
            client,
            lines: trace::small(self.events.len() - lines),
            bytes: trace::small(before - self.inbox.len()),
            inbox: trace::small(self.inbox.len()),
        });
        if end.is_some() {
            (self.inbox, self.framer) = (Inbox::new(), Framer::default());
        }
        end
    }

    fn take_lines(&mut self, ended: bool) {
        loop {
            let pending = self.inbox.pending();
            let kind = LineKind::Plain(MAX_SERVER_LINE);
            let used = match self.framer.next_or_last(pending, kind, ended) {
                Step::Line { bytes, used } => {
                    self.events.push(LinkEvent::Line(bytes.to_vec()));
                    self.framer.taken(false);
                    used
                }
                Step::TooLong { used, .. } => {
                    self.events.push(LinkEvent::LineTooLong);
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
    pub fn flush(&mut self, turn: &mut EventLoop, listening: bool) -> io::Result<()> {
        let before = self.unsent();
        let State::Up(transport) = &mut self.state else { return Ok(()) };
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
        let left = self.outbox.len() + transport.unsent();
        if before > 0 {
            let (bytes, left) = (trace::small(before.saturating_sub(left)), trace::small(left));
            turn.trace.note(|| Event::Written { client: trace::number(SERVER), bytes, left });
        }
        // Some lines are answered: a server that reads none of that is not read, either.
        let readable = listening && self.outbox.len() < SEND_HARD;
        let writable = !self.outbox.is_empty() || transport.unsent() > 0;
        let wanted = Interest { readable, writable };
        if self.registration.interest() != Some(wanted) {
            turn.trace.note(|| Event::watch(SERVER, wanted));
        }
        if wanted == Interest::NONE {
            // Not even a hangup, which would be reported at every wait.
            self.registration.clear(&mut turn.poller, transport)
        } else {
            self.registration.set(&mut turn.poller, transport, wanted)
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
    pub fn abandon(&mut self, turn: &mut EventLoop) -> io::Result<()> {
        if let State::Up(transport) | State::Securing { transport, .. } =
            std::mem::replace(&mut self.state, State::Down)
        {
            self.registration.clear(&mut turn.poller, &transport)?;
        }
        (self.inbox, self.framer) = (Inbox::new(), Framer::default());
        Ok(())
    }

    /// Reads what has already arrived, shuts down the sending side, and closes: a socket that is
    /// closed with unread bytes resets the connection, and the server might lose our last lines. In
    /// this order, because a server may answer the half-close.
    pub fn close(&mut self, turn: &mut EventLoop) {
        if let State::Up(mut transport) = std::mem::replace(&mut self.state, State::Down) {
            for _ in 0..MAX_LAST_READS {
                match transport.read(&mut turn.scratch) {
                    Received::Bytes(count) => self.inbox.receive(&turn.scratch[..count]),
                    Received::WouldBlock | Received::Ended | Received::Failed(_) => break,
                }
                self.take_lines(false);
            }
            transport.shutdown_write();
        }
    }
}

/// As a part of a sentence, without the system's number.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "timed out".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was lost".to_owned(),
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("unreachable ({error})")
        }
        _ => error.to_string(),
    }
}

/// Reads at the end: a flood must not keep the client from exiting.
const MAX_LAST_READS: usize = 16;
