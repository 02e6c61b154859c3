//! A relay: every line of a peer goes to all others.
//!
//! `cargo run -p chatloop-reactor --example relay -- 127.0.0.1:7000`, then `nc 127.0.0.1 7000` in
//! several terminals.
//!
//! What is new beside echo: a read is not a message, so incomplete lines wait in an inbox; a line is
//! written into memory once and shared by all outboxes; and a peer that is too slow is dropped, because
//! the alternatives are to stop for it or to grow without bound.

use chatloop_reactor::{Accepted, Backend, ChunkWriter, Inbox, Interest, Listener, Outbox, Poller};
use chatloop_reactor::{Received, Registration, Segment, Slab, Token, Transport, Written};
use std::io;
use std::time::Duration;

const LISTENER: Token = Token::fixed(0);
/// Bytes of the longest line, and bytes that a peer may be owed before it is dropped.
const LONGEST_LINE: usize = 4 * 1024;
const MOST_OWED: usize = 1024 * 1024;

struct Peer {
    transport: Transport,
    registration: Registration,
    inbox: Inbox,
    outbox: Outbox,
    ended: bool,
    over: bool,
}

impl Peer {
    fn new(token: Token, transport: Transport) -> Peer {
        let registration = Registration::new(token);
        let (inbox, outbox) = (Inbox::new(), Outbox::new());
        Peer { transport, registration, inbox, outbox, ended: false, over: false }
    }

    /// Reads once; the whole lines that are there now, if any.
    fn read(&mut self, chunks: &mut ChunkWriter) -> Option<Segment> {
        let mut buffer = [0; LONGEST_LINE];
        let room = self.inbox.room(LONGEST_LINE);
        match self.transport.read(&mut buffer[..room]) {
            Received::Bytes(count) => self.inbox.receive(&buffer[..count]),
            Received::WouldBlock => {}
            Received::Ended => {
                // It may still listen. Only the system can find out whether it does.
                self.ended = true;
                self.over = self.transport.keep_alive(Duration::from_secs(15)).is_err();
            }
            Received::Failed(_) => self.over = true,
        }
        let last = self.inbox.pending().iter().rposition(|byte| *byte == b'\n');
        self.over |= last.is_none() && self.inbox.room(LONGEST_LINE) == 0; // an endless line
        let lines = chunks.append(&self.inbox.pending()[..last? + 1]);
        self.inbox.consume(lines.len());
        Some(lines)
    }

    /// Writes what it is owed and tells the poller what to wait for next. `false`: it is over.
    fn finish_turn(&mut self, poller: &mut Poller) -> bool {
        let written = self.outbox.write_to(&mut self.transport, MOST_OWED);
        self.over |= matches!(written, Written::Failed(_)) || self.outbox.len() > MOST_OWED;
        let wanted = Interest { readable: !self.ended, writable: !self.outbox.is_empty() };
        if !self.over && self.registration.set(poller, &self.transport, wanted).is_ok() {
            return true;
        }
        let _ = self.registration.clear(poller, &self.transport); // it is closed now
        false
    }
}

/// Serves until the poller fails.
pub fn serve(listener: &Listener, backend: Backend) -> io::Result<()> {
    let (mut poller, mut listening) = (Poller::new(backend)?, Registration::new(LISTENER));
    let (mut peers, mut ready, mut pause) = (Slab::<Peer>::new(), Vec::new(), None);
    let mut chunks = ChunkWriter::new();
    loop {
        let wanted = if pause.is_some() { Interest::NONE } else { Interest::READ };
        listening.set(&mut poller, listener, wanted)?;
        poller.wait(&mut ready, pause.take())?;
        for event in &ready {
            if event.token == LISTENER {
                let accepted = listener.accept_each(64, |transport, _| {
                    peers.insert_with(|token| Peer::new(token, transport));
                });
                if let Accepted::Exhausted(_) | Accepted::Failed(_) = accepted {
                    pause = Some(Duration::from_millis(100));
                }
                continue;
            }
            let Some(peer) = peers.get_mut(event.token) else { continue };
            peer.over |= peer.ended && event.hangup; // it listened, and does no longer
            if event.readable
                && !peer.ended
                && let Some(lines) = peer.read(&mut chunks)
            {
                let others = peers.iter_mut().filter(|(token, _)| *token != event.token);
                others.for_each(|(_, other)| other.outbox.push(&lines));
            }
        }
        // Nothing is written and no one is removed before this point: no handler can find a list
        // changed that it walks.
        peers.retain(|_, peer| peer.finish_turn(&mut poller));
        chunks.rewind();
    }
}

#[allow(dead_code)] // the tests include this file and call `serve`
fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = Listener::bind(address.parse().map_err(io::Error::other)?, 1_024)?;
    println!("listening on {}", listener.local_address()?);
    serve(&listener, Backend::best())
}
