//! An echo server: the smallest loop that no peer can break.
//!
//! `cargo run -p chatloop-reactor --example echo -- 127.0.0.1:7000`, then `nc 127.0.0.1 7000`.
//!
//! Four traps lie on the way, and a comment marks where each is avoided: a short write, a peer that
//! never reads, a peer that has sent its last byte, and running out of descriptors.

use chatloop_reactor::{Accepted, Backend, Inbox, Interest, Listener, Poller, Received};
use chatloop_reactor::{Registration, Slab, Token, Transport};
use std::io::{self, Write};
use std::time::Duration;

const LISTENER: Token = Token::fixed(0);

struct Peer {
    transport: Transport,
    registration: Registration,
    owed: Inbox,
    ended: bool,
}

impl Peer {
    fn read(&mut self, buffer: &mut [u8]) {
        match self.transport.read(buffer) {
            Received::Bytes(count) => self.owed.receive(&buffer[..count]),
            Received::WouldBlock => {} // readiness is a hint
            // It may have closed only its sending half: it still gets what it is owed.
            Received::Ended | Received::Failed(_) => self.ended = true,
        }
    }

    /// Writes what it is owed and says what to wait for next; `None` when it is over.
    fn write(&mut self) -> Option<Interest> {
        if !self.owed.is_empty() {
            match self.transport.write(self.owed.pending()) {
                Ok(count) => self.owed.consume(count), // often less than all: the rest stays
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        // A peer that does not read is not read from: its bytes wait in the kernel, not here.
        match (self.owed.is_empty(), self.ended) {
            (false, _) => Some(Interest::WRITE),
            (true, false) => Some(Interest::READ),
            (true, true) => None,
        }
    }
}

/// Serves until the poller fails.
pub fn serve(listener: &Listener, backend: Backend) -> io::Result<()> {
    let (mut poller, mut listening) = (Poller::new(backend)?, Registration::new(LISTENER));
    let (mut peers, mut ready, mut pause) = (Slab::<Peer>::new(), Vec::new(), None);
    loop {
        // Out of descriptors, the listener stays readable. Not watching it during one wait is the
        // difference between a pause and a loop that spins.
        let wanted = if pause.is_some() { Interest::NONE } else { Interest::READ };
        listening.set(&mut poller, listener, wanted)?;
        poller.wait(&mut ready, pause.take())?;
        for event in &ready {
            if event.token == LISTENER {
                let accepted = listener.accept_each(64, |transport, _| {
                    peers.insert_with(|token| {
                        let registration = Registration::new(token);
                        Peer { transport, registration, owed: Inbox::new(), ended: false }
                    });
                });
                if let Accepted::Exhausted(_) | Accepted::Failed(_) = accepted {
                    pause = Some(Duration::from_millis(100));
                }
            } else if let Some(peer) = peers.get_mut(event.token)
                && event.readable
            {
                peer.read(&mut [0; 16 * 1024]);
            }
        }
        peers.retain(|_, peer| {
            let wanted = peer.write();
            let Peer { transport, registration, .. } = peer;
            if wanted.is_some_and(|it| registration.set(&mut poller, &*transport, it).is_ok()) {
                return true;
            }
            let _ = registration.clear(&mut poller, &*transport); // it is closed now
            false
        });
    }
}

#[allow(dead_code)] // the tests include this file and call `serve`
fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = Listener::bind(address.parse().map_err(io::Error::other)?, 1_024)?;
    println!("listening on {}", listener.local_address()?);
    serve(&listener, Backend::best())
}
