//! One HTTP request over its own connection, for a thread that may wait.
//!
//! It has the reactor's transport under it, and so the same TLS as the chat. Rejected: an HTTP client
//! library, which would bring a second TLS and an async runtime for two requests.

use crate::tls::Connector as Tls;
use chatloop_reactor::{
    Backend, Connector, Interest, Poller, Received, Registration, Token, Transport,
};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a peer may let a transfer wait for anything.
const SILENCE: Duration = Duration::from_secs(60);

/// How long one address may take to be connected to.
const CONNECT: Duration = Duration::from_secs(10);

/// Bytes of the head of an answer, and its headers.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// Bytes of one read or write.
pub(super) const PIECE: usize = 64 * 1024;

/// Where a request goes to.
pub(super) struct Target {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) tls: Option<Tls>,
    /// Host and port as the URL has them.
    pub(super) host: String,
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

pub(super) struct Connection {
    transport: Transport,
    poller: Poller,
    registration: Registration,
    /// Read, and not taken yet.
    received: Vec<u8>,
    ended: bool,
}

impl Connection {
    /// # Errors
    /// Why none of the addresses could be connected to: the last reason.
    pub(super) fn open(target: &Target) -> io::Result<Connection> {
        let mut outcome = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
        for address in &target.addresses {
            outcome = connect(*address);
            if outcome.is_ok() {
                break;
            }
        }
        let (transport, poller) = outcome?;
        let registration = Registration::new(Token::fixed(0));
        let (received, ended) = (Vec::new(), false);
        let mut connection = Connection { transport, poller, registration, received, ended };
        if let Some(tls) = &target.tls {
            connection.transport.cover(tls.begin(), &[]);
            let mut scratch = vec![0; PIECE];
            while connection.transport.is_opening() {
                connection.transport.shake_hands(&mut scratch)?;
                if connection.transport.is_opening() {
                    connection.wait(Interest::READ)?;
                }
            }
        }
        Ok(connection)
    }

    fn wait(&mut self, interest: Interest) -> io::Result<()> {
        let writable = interest.writable || self.transport.unsent() > 0;
        let wanted = Interest { readable: interest.readable, writable };
        self.registration.set(&mut self.poller, &self.transport, wanted)?;
        let mut events = Vec::new();
        self.poller.wait(&mut events, Some(SILENCE))?;
        if events.is_empty() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    /// Reads what is there; whether something was, or the end.
    fn receive(&mut self) -> io::Result<bool> {
        let mut scratch = [0; 16 * 1024];
        match self.transport.read(&mut scratch) {
            Received::Bytes(count) => self.received.extend_from_slice(&scratch[..count]),
            Received::WouldBlock => return Ok(false),
            Received::Ended => self.ended = true,
            Received::Failed(error) => return Err(error),
        }
        Ok(true)
    }

    /// Sends all of it, unless the server answers before it has taken it: whether it has.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        while !bytes.is_empty() || self.transport.unsent() > 0 {
            if self.transport.unsent() > 0 {
                match self.transport.flush() {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    _ => {}
                }
            }
            if self.transport.unsent() == 0 {
                match self.transport.write(bytes) {
                    Ok(count) => {
                        bytes = &bytes[count..];
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    // The answer that came before it may say why.
                    Err(error) if self.receive().is_err() || self.received.is_empty() => {
                        return Err(error);
                    }
                    Err(_) => return Ok(false),
                }
            }
            self.wait(Interest::BOTH)?;
            if self.receive()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The head of the answer; what it says before that (`100 Continue`) is passed over.
    ///
    /// # Errors
    /// The connection broke, or it is no HTTP.
    pub(super) fn head(&mut self) -> io::Result<Head> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut parsed = httparse::Response::new(&mut headers);
            match parsed.parse(&self.received) {
                Err(_) => return Err(io::Error::other("the answer is not HTTP")),
                Ok(httparse::Status::Complete(end)) => {
                    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                    let headers = parsed.headers.iter();
                    let headers = headers.map(|it| (it.name.to_owned(), text(it.value))).collect();
                    let head = Head { status: parsed.code.unwrap_or_default(), headers };
                    self.received.drain(..end);
                    if head.status >= 200 {
                        return Ok(head);
                    }
                }
                Ok(httparse::Status::Partial) if self.received.len() > LONGEST_HEAD => {
                    return Err(io::Error::other("the answer's head is too long"));
                }
                Ok(httparse::Status::Partial) => {
                    if self.body()?.is_none() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }

    /// Waits for more of the answer; `None` at its end. All that has come and was not taken.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn body(&mut self) -> io::Result<Option<&mut Vec<u8>>> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if self.receive()? {
                return Ok((!self.ended).then_some(&mut self.received));
            }
            self.wait(Interest::READ)?;
        }
    }

    /// What of the body came with the head.
    pub(super) fn received(&mut self) -> &mut Vec<u8> {
        &mut self.received
    }
}

fn connect(address: SocketAddr) -> io::Result<(Transport, Poller)> {
    let mut connector = Connector::start(address)?;
    loop {
        let mut poller = Poller::new(Backend::best())?;
        poller.add(&connector, Token::fixed(0), Interest::WRITE)?;
        let mut events = Vec::new();
        poller.wait(&mut events, Some(CONNECT))?;
        poller.remove(&connector)?;
        if events.is_empty() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match connector.finish() {
            Ok(transport) => return Ok((transport?, poller)),
            Err(undecided) => connector = undecided,
        }
    }
}
