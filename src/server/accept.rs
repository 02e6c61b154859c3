//! The listeners: how many connections are accepted in a turn, and what happens without descriptors.

use super::admission::REJECTIONS;
use super::config::Config;
use super::net::{Net, TimerKind};
use super::start::StartError;
use chatloop_reactor::{Accepted, Interest, Listener, Poller, Token, Transport};
use log::{error, info, warn};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Connections accepted per listener and turn: a crowd that arrives must not keep the others
/// waiting.
const ACCEPTS_PER_TURN: usize = 256;

/// How long to stop listening when the descriptors are used up. The connections wait in the
/// kernel's queue meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

/// How long no connection may have been kept waiting before the next lack of descriptors is news.
const EXHAUSTION_OVER: Duration = Duration::from_secs(60);

/// Descriptors kept back from clients: the standard streams, poller, signals, listeners, and some
/// for the libraries and for telling a client that the server is full.
const RESERVED_DESCRIPTORS: usize = 16 + REJECTIONS;

/// Accepts connections.
#[derive(Default)]
pub(super) struct Acceptor {
    listeners: Vec<Listener>,
    /// How many clients fit.
    capacity: usize,
    /// Descriptors this process may have.
    descriptors: usize,
    paused: bool,
    /// When descriptors last ran out, in a spell that was logged.
    exhausted: Option<Instant>,
    /// A test lets descriptors run out here.
    #[cfg(test)]
    pub(super) no_descriptors: bool,
}

impl Acceptor {
    pub(super) fn new(listeners: Vec<Listener>, descriptors: usize, config: &Config) -> Acceptor {
        let mut acceptor = Acceptor { listeners, descriptors, ..Acceptor::default() };
        acceptor.configure(config);
        acceptor
    }

    /// Watches the listeners: listener `n` by the fixed token `n`.
    pub(super) fn watch(&self, poller: &mut Poller) -> Result<(), StartError> {
        for (number, listener) in self.listeners.iter().enumerate() {
            let token = Token::fixed(number as u8);
            poller.add(listener, token, Interest::READ)?;
        }
        Ok(())
    }

    /// How many clients fit: what was asked for, within what the descriptors and the poller allow.
    pub(super) fn configure(&mut self, config: &Config) {
        let ceiling = config.boot.backend.descriptor_ceiling().unwrap_or(usize::MAX);
        let room = self.descriptors.min(ceiling).saturating_sub(RESERVED_DESCRIPTORS).max(1);
        self.capacity = config.max_clients.map_or(room, |asked| room.min(asked as usize));
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where it listens; the port is the one the system picked, if it was asked to.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_address().ok())
    }

    /// The number of the listener with this token.
    pub(super) fn listener(&self, token: Token) -> Option<usize> {
        (0..self.listeners.len()).find(|number| Token::fixed(*number as u8) == token)
    }

    /// Accepts the clients that wait at a listener, a bounded number of them.
    pub(super) fn accept(&mut self, number: usize, net: &mut Net) -> Vec<(Transport, SocketAddr)> {
        self.end_exhaustion(net.now());
        let mut accepted = Vec::new();
        // Each of them holds a descriptor until it is admitted or closed: no more at a time than
        // there are places, or a crowd that is to be rejected would exhaust the descriptors first.
        let places = (self.capacity + REJECTIONS).saturating_sub(net.len());
        let limit = places.clamp(1, ACCEPTS_PER_TURN);
        let outcome = self.accept_each(number, limit, |transport, address| {
            accepted.push((transport, address));
        });
        if let Some(Accepted::Exhausted(error) | Accepted::Failed(error)) = outcome {
            self.pause(&error, net);
        }
        accepted
    }

    fn accept_each(
        &self,
        number: usize,
        limit: usize,
        take: impl FnMut(Transport, SocketAddr),
    ) -> Option<Accepted> {
        #[cfg(test)]
        if self.no_descriptors {
            return Some(Accepted::Exhausted(io::Error::other("too many open files")));
        }
        Some(self.listeners.get(number)?.accept_each(limit, take))
    }

    /// No descriptors: the listener stays readable, so asking on would spin. Stops for a while, and
    /// logs it once.
    fn pause(&mut self, error: &io::Error, net: &mut Net) {
        if self.exhausted.replace(net.now()).is_none() {
            let count = net.len();
            warn!("cannot accept more than {count} clients: {error}; retrying from time to time");
        }
        if !std::mem::replace(&mut self.paused, true) {
            self.ask(Interest::NONE, net);
        }
        net.after(EXHAUSTED_PAUSE, TimerKind::Accept);
    }

    /// The pause is over.
    pub(super) fn resume(&mut self, net: &mut Net) {
        self.paused = false;
        self.ask(Interest::READ, net);
    }

    fn ask(&self, interest: Interest, net: &mut Net) {
        for (number, listener) in self.listeners.iter().enumerate() {
            if let Err(error) = net.poller().modify(listener, Token::fixed(number as u8), interest)
            {
                error!("cannot update a listener's interest: {error}");
            }
        }
    }

    /// At the limit each client that goes lets one in, and the next one is too many again: that is
    /// one spell of exhaustion, logged once. It is over when a client comes after a calm.
    fn end_exhaustion(&mut self, now: Instant) {
        if self.exhausted.is_some_and(|last| now - last >= EXHAUSTION_OVER) {
            self.exhausted = None;
            info!("accepting all clients again");
        }
    }

    /// Listens no more.
    pub(super) fn close(&mut self, net: &mut Net) {
        for listener in self.listeners.drain(..) {
            if let Err(error) = net.poller().remove(&listener) {
                error!("cannot stop watching a listener: {error}");
            }
        }
    }
}
