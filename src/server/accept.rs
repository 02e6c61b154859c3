//! Who may come in: accepting, and every reason not to.

use super::connection::Connection;
use super::limits::TokenBucket;
use super::turn::{Due, Server};
use crate::reactor::{Accepted, Interest, Listener, Token, Transport};
use crate::session::Dialect;
use crate::session::plain::Session;
use crate::session::refusal_text;
use log::{debug, error, info, warn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

/// Connections accepted per listener and turn: a crowd at the door must not keep those inside
/// waiting.
const ACCEPTS_PER_TURN: usize = 256;

/// How long to stop listening when the descriptors are used up. The connections wait in the
/// kernel's queue meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

/// How long nobody may have been kept waiting before the next lack of descriptors is news.
const EXHAUSTION_OVER: Duration = Duration::from_secs(60);

/// Descriptors beyond the capacity that may be used to tell a client why it is refused.
pub(super) const REFUSALS: usize = 16;

impl Server {
    /// Accepts who waits at listener number `number`.
    pub(super) fn accept_from(&mut self, number: usize) {
        self.end_exhaustion();
        // Aside, so that a newcomer can be admitted while its listener is borrowed.
        let listeners = std::mem::take(&mut self.listeners);
        let accepted = listeners.get(number).map(|listener: &Listener| {
            listener.accept_each(ACCEPTS_PER_TURN, |transport, address| {
                self.admit(transport, address);
            })
        });
        self.listeners = listeners;
        if let Some(Accepted::Exhausted(error) | Accepted::Failed(error)) = accepted {
            self.pause_listening(&error);
        }
    }

    /// No descriptors: the listener stays readable, so asking on would spin. Stop for a while,
    /// serve who is here, say so once.
    fn pause_listening(&mut self, error: &io::Error) {
        if self.accept_exhausted.replace(self.now).is_none() {
            let count = self.connections.len();
            warn!("cannot accept more clients at {count}: {error}; trying again now and then");
        }
        if !self.accept_paused {
            self.accept_paused = true;
            for (number, listener) in self.listeners.iter().enumerate() {
                let token = Token::fixed(number as u8);
                if let Err(error) = self.poller.modify(listener, token, Interest::NONE) {
                    error!("cannot stop watching a listener: {error}");
                }
            }
        }
        self.timers.arm(self.now + EXHAUSTED_PAUSE, Due::ListenAgain);
    }

    /// The pause is over.
    pub(super) fn listen_again(&mut self) {
        self.accept_paused = false;
        for (number, listener) in self.listeners.iter().enumerate() {
            let token = Token::fixed(number as u8);
            if let Err(error) = self.poller.modify(listener, token, Interest::READ) {
                error!("cannot watch a listener again: {error}");
            }
        }
    }

    /// At the limit each client that goes lets one in, and the next one is too many again: that is
    /// one spell of exhaustion, told once. It is over when somebody comes after a calm.
    fn end_exhaustion(&mut self) {
        if self.accept_exhausted.is_some_and(|last| self.now - last >= EXHAUSTION_OVER) {
            self.accept_exhausted = None;
            info!("accepting all clients again");
        }
    }

    fn admit(&mut self, transport: Transport, address: SocketAddr) {
        let refusal = self.refusal(address.ip());
        if refusal.is_some() && self.connections.len() >= self.capacity + REFUSALS {
            return; // closed without a word: the words need a descriptor, too
        }
        if let Some(seconds) = self.config.keep_alive.on()
            && let Err(error) = transport.keep_alive(seconds.duration())
        {
            debug!("{address}: no keep-alive: {error}");
        }
        let flood = self.is_paced(address.ip()).then(|| TokenBucket::new(self.now));
        let session = Dialect::Undecided(Session::new(self.config.style.into()));
        let channel = self.delivery.enter(session.format());
        let connection = Connection::new(transport, address, session, channel, flood, self.now);
        let token = self.connections.insert(connection);
        let Some(connection) = self.connections.get_mut(token) else { return };
        if let Err(error) = self.poller.add(&connection.transport, token, Interest::READ) {
            warn!("{address}: refused: {error}");
            self.connections.remove(token);
            self.delivery.leave(channel);
            return;
        }
        match refusal {
            Some(refusal) => {
                warn!("{address}: refused: {refusal}");
                self.tell(token, &refusal);
                self.start_draining(token);
            }
            None => {
                debug!("{address}: connected");
                self.addresses.enter(address.ip());
                if let Some(connection) = self.connections.get_mut(token) {
                    connection.counted = true;
                }
                self.await_greeting(token);
            }
        }
    }

    /// Why a newcomer may not come in, naming the limit.
    fn refusal(&self, address: IpAddr) -> Option<String> {
        if self.connections.len() >= self.capacity {
            let capacity = self.capacity;
            return Some(format!("the server is full: {capacity} clients (--max-clients)"));
        }
        if let Err(refusal) = self.hub.admits(&address.to_string(), self.moment) {
            return Some(refusal_text::of(&refusal));
        }
        let limit = match self.config.max_per_address {
            Some(limit) => limit.on().map(NonZeroU32::get),
            None if address.is_loopback() => None,
            None => Some(super::limits::DEFAULT_PER_ADDRESS),
        };
        let limit = limit.filter(|limit| self.addresses.count(address) >= *limit)?;
        Some(format!("{limit} clients from your address already (--max-per-address)"))
    }

    /// Whether the flood limit means this client: without the flag it spares loopback.
    pub(super) fn is_paced(&self, address: IpAddr) -> bool {
        match self.config.flood_limit {
            Some(limit) => limit.on().is_some(),
            None => !address.is_loopback(),
        }
    }
}
