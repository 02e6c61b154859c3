//! The way between a client and the network: bare, encrypted, in frames of a WebSocket, or both.

use crate::lab::WebSocket;
use crate::tls::Connector;
use chatloop_reactor::layer::RECORD;
use chatloop_reactor::simulated::Peer;
use chatloop_reactor::{Layer, OVERHEAD, Received};
use std::io;
use std::net::SocketAddr;

/// Bytes taken by one read, as a layer expects them.
const READ: usize = 64 * 1024;

/// Bytes on their way.
pub(super) struct Carrier {
    peer: Peer,
    tls: Option<Box<dyn Layer>>,
    socket: Option<Box<WebSocket>>,
    /// Not encrypted yet: they wait for the handshake.
    plain: Vec<u8>,
    /// To be sent, as soon as the network takes it.
    outgoing: Vec<u8>,
    /// Nothing follows what is queued; and whether TLS has said so.
    closing: bool,
    said_so: bool,
}

/// What has come.
pub(super) struct Arrived {
    /// Without what was around it.
    pub bytes: Vec<u8>,
    /// Whether the network has brought anything at all.
    pub moved: bool,
}

impl Carrier {
    /// Begins the handshakes; `tls` if there is to be one of TLS.
    pub fn new(peer: Peer, tls: Option<&Connector>, websocket: Option<SocketAddr>) -> Carrier {
        let plain = websocket.map(|server| WebSocket::request(server).into_bytes());
        Carrier {
            peer,
            tls: tls.map(Connector::begin),
            socket: websocket.map(|_| Box::default()),
            plain: plain.unwrap_or_default(),
            outgoing: Vec::new(),
            closing: false,
            said_so: false,
        }
    }

    /// Queues bytes; by a WebSocket, lines.
    pub fn queue(&mut self, bytes: &[u8]) {
        match &mut self.socket {
            Some(socket) => socket.send(bytes, &mut self.plain),
            None => self.plain.extend_from_slice(bytes),
        }
    }

    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    pub fn is_framed(&self) -> bool {
        self.socket.is_some()
    }

    pub fn has_sent_all(&self) -> bool {
        self.plain.is_empty() && self.outgoing.is_empty()
    }

    /// Nothing more is queued; it still receives.
    pub fn end(&mut self) {
        self.closing = true;
    }

    /// Encrypts what is queued, as far as the handshake is.
    fn encode(&mut self) -> Result<(), String> {
        let Some(tls) = &mut self.tls else {
            self.outgoing.append(&mut self.plain);
            return Ok(());
        };
        if tls.is_opening() {
            tls.advance().map_err(broken)?;
        }
        tls.speak(&mut self.outgoing);
        if tls.is_opening() || self.plain.is_empty() {
            return Ok(());
        }
        let mut record = vec![0; RECORD + OVERHEAD];
        for plain in self.plain.chunks(RECORD) {
            // If it cannot be sent any more, the server has ended the connection.
            let length = tls.encode(plain, &mut record).unwrap_or(0);
            self.outgoing.extend_from_slice(&record[..length]);
        }
        self.plain.clear();
        Ok(())
    }

    /// Sends at most so many of the bytes that are queued. Those that the network has taken.
    ///
    /// # Errors
    /// The handshake has failed.
    pub fn send(&mut self, most: usize) -> Result<Vec<u8>, String> {
        self.encode()?;
        if self.closing && self.has_sent_all() {
            match &mut self.tls {
                Some(tls) if !self.said_so => {
                    tls.close();
                    tls.speak(&mut self.outgoing);
                    self.said_so = true;
                }
                _ => self.peer.shut_down(),
            }
        }
        let sent = self.peer.send(&self.outgoing[..most.min(self.outgoing.len())]);
        Ok(self.outgoing.drain(..sent).collect())
    }

    /// Takes at most so many of the bytes that have come.
    ///
    /// # Errors
    /// They are no TLS, or no WebSocket.
    pub fn receive(&mut self, most: usize) -> Result<Arrived, String> {
        let mut bytes = self.peer.receive(most.min(READ));
        let moved = !bytes.is_empty();
        if let Some(tls) = self.tls.as_mut().filter(|_| moved) {
            bytes = decrypt(&mut **tls, &mut bytes).map_err(broken)?;
            tls.speak(&mut self.outgoing);
        }
        if let Some(socket) = &mut self.socket {
            let mut lines = Vec::new();
            let received = socket.receive(&mut bytes, &mut lines, &mut self.plain);
            received.map_err(|error| error.to_string())?;
            bytes = lines;
        }
        Ok(Arrived { bytes, moved })
    }

    pub fn is_over(&self) -> bool {
        self.peer.is_over()
    }

    /// Ends the connection without a word: with a reset, or a close that leaves everything unread.
    pub fn vanish(&mut self, reset: bool) {
        if reset { self.peer.reset() } else { self.peer.close() }
    }
}

fn decrypt(tls: &mut dyn Layer, records: &mut [u8]) -> io::Result<Vec<u8>> {
    tls.receive(records);
    if tls.is_opening() {
        tls.advance()?;
    }
    let (mut plain, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match tls.read(&mut buffer) {
            Received::Bytes(count) => plain.extend_from_slice(&buffer[..count]),
            Received::WouldBlock | Received::Ended => return Ok(plain),
            Received::Failed(error) => return Err(error),
        }
    }
}

fn broken(error: io::Error) -> String {
    format!("TLS is broken: {error}")
}
