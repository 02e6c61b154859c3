//! The listeners: who is accepted, and every reason not to.

use super::config::{Config, OrOff};
use super::connection::Connection;
use super::limits::{
    CONNECT_BURST, DEFAULT_CONNECT_RATE, DEFAULT_ORIGIN_ROOMS, DEFAULT_ORIGIN_WORK,
    DEFAULT_PER_ADDRESS, Pace,
};
use super::net::{Net, TimerKind};
use super::origins::Origins;
use super::start::StartError;
use super::stats::{Counter, Stats};
use crate::chat::work::Cost;
use crate::chat::{Hub, Origin};
use crate::session::refusal_text;
use chatloop_reactor::{Accepted, Interest, Listener, Poller, Token, Transport};
use log::{debug, error, info, warn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Connections accepted per listener and turn: a crowd that arrives must not keep the others
/// waiting.
const ACCEPTS_PER_TURN: usize = 256;

/// How long to stop listening when the descriptors are used up. The connections wait in the
/// kernel's queue meanwhile.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

/// How long no connection may have been kept waiting before the next lack of descriptors is news.
const EXHAUSTION_OVER: Duration = Duration::from_secs(60);

/// Rejected clients that are told why at the same time. Their descriptors are beyond the capacity, so
/// they take no client's place; a rejected client beyond them is disconnected at once.
const REJECTIONS: usize = 16;

/// How often rejections are logged.
const REJECTIONS_LOGGED: Duration = Duration::from_secs(60);

/// Descriptors kept back from clients: the standard streams, poller, signals, listeners, and some
/// for the libraries and for telling a client that the server is full.
const RESERVED_DESCRIPTORS: usize = 16 + REJECTIONS;

/// Accepts connections.
pub(super) struct Acceptor {
    listeners: Vec<Listener>,
    origins: Origins,
    /// Clients that were accepted, and rejected ones that are being told why.
    clients: usize,
    rejected: usize,
    /// A timer will log the rejections.
    counts_rejections: bool,
    /// How many clients fit.
    capacity: usize,
    /// Descriptors this process may have.
    descriptors: usize,
    paused: bool,
    /// When descriptors last ran out, in a spell that was logged.
    exhausted: Option<Instant>,
    stats: Stats,
    /// A test lets descriptors run out here.
    #[cfg(test)]
    pub(super) no_descriptors: bool,
}

/// A client that has connected, and why it is to be rejected, if it is.
pub(super) struct NewPeer {
    pub(super) transport: Transport,
    pub(super) address: SocketAddr,
    pub(super) rejection: Option<String>,
}

impl Acceptor {
    pub(super) fn new(
        listeners: Vec<Listener>,
        descriptors: usize,
        config: &Config,
        stats: Stats,
    ) -> Acceptor {
        let mut acceptor = Acceptor {
            listeners,
            origins: Origins::new(),
            clients: 0,
            rejected: 0,
            counts_rejections: false,
            capacity: 0,
            descriptors,
            paused: false,
            exhausted: None,
            stats,
            #[cfg(test)]
            no_descriptors: false,
        };
        acceptor.configure(config);
        acceptor
    }

    /// Watches the listeners: listener `n` by the fixed token `n`.
    pub(super) fn watch(&self, poller: &mut Poller) -> Result<(), StartError> {
        for (number, listener) in self.listeners.iter().enumerate() {
            let token = Token::fixed(number as u8);
            poller.add(listener, token, Interest::READ).map_err(StartError::System)?;
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

    /// Judges a client that has connected; `None` if it is rejected without a word.
    pub(super) fn admit(
        &mut self,
        (transport, address): (Transport, SocketAddr),
        net: &mut Net,
        hub: &Hub,
        config: &Config,
    ) -> Option<NewPeer> {
        let (origin, now) = (Origin::from(address.ip()), net.now());
        let rejection = self.rejection(address.ip(), net, hub, config);
        if let Some(reason) = &rejection {
            if !std::mem::replace(&mut self.counts_rejections, true) {
                net.after(REJECTIONS_LOGGED, TimerKind::Rejections);
            }
            let room = self.rejected < REJECTIONS;
            if !self.origins.reject(origin, reason, room, now) {
                self.stats.count(Counter::Untold);
                transport.abort();
                return None;
            }
            self.rejected += 1;
            return Some(NewPeer { transport, address, rejection });
        }
        debug!("{address}: connected");
        self.clients += 1;
        self.origins.enter(origin, now);
        if let Some(seconds) = config.keep_alive.on()
            && let Err(error) = transport.keep_alive(seconds.duration())
        {
            debug!("{address}: no keep-alive: {error}");
        }
        Some(NewPeer { transport, address, rejection })
    }

    /// Why a client is rejected, naming the limit.
    fn rejection(
        &mut self,
        address: IpAddr,
        net: &Net,
        hub: &Hub,
        config: &Config,
    ) -> Option<String> {
        let (origin, now, capacity) = (Origin::from(address), net.now(), self.capacity);
        if let Some(pace) = connect_pace(config, address)
            && let Err(until) = self.origins.connect(origin, pace, now)
        {
            self.stats.count(Counter::Connects);
            let seconds = (until - now).as_millis().div_ceil(1000);
            return Some(format!(
                "too many connects from your address; try again in {seconds} s (--connect-limit)"
            ));
        }
        if self.clients >= capacity {
            self.stats.count(Counter::Full);
            return Some(format!("the server is full: {capacity} clients (--max-clients)"));
        }
        if let Err(refusal) = hub.admits(&address.to_string(), net.moment()) {
            self.stats.count(Counter::Banned);
            return Some(refusal_text::of(&refusal));
        }
        let limit = unless_loopback(config.max_per_address, DEFAULT_PER_ADDRESS, address);
        let limit = limit.filter(|limit| self.origins.count(origin) >= *limit)?;
        self.stats.count(Counter::PerAddress);
        Some(format!("too many connections from your address: {limit} (--max-per-address)"))
    }

    /// A connection has gone.
    pub(super) fn left(&mut self, connection: &Connection, now: Instant) {
        let origin = connection.address.origin();
        if connection.life.counted {
            self.clients -= 1;
            self.origins.leave(origin, now);
        } else {
            self.rejected -= 1;
            self.origins.end_rejection(origin, now);
        }
    }

    /// A minute with rejections is over.
    pub(super) fn log_rejections(&mut self, now: Instant) {
        self.counts_rejections = false;
        self.origins.end_minute(now);
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

/// A limit as configured; without its flag loopback is exempt.
fn unless_loopback(limit: Option<OrOff<NonZeroU32>>, default: u32, address: IpAddr) -> Option<u32> {
    match limit {
        Some(limit) => limit.on().map(NonZeroU32::get),
        None => (!address.is_loopback()).then_some(default),
    }
}

/// The unfinished work that the origin of this client may have.
pub(super) fn work_limit(config: &Config, address: IpAddr) -> Option<Cost> {
    let milliseconds = unless_loopback(config.origin_work, DEFAULT_ORIGIN_WORK, address);
    milliseconds.map(|milliseconds| Cost(u64::from(milliseconds) * 1_000_000))
}

/// How many rooms the origin of this client may create.
pub(super) fn room_limit(config: &Config, address: IpAddr) -> Option<u32> {
    unless_loopback(config.origin_rooms, DEFAULT_ORIGIN_ROOMS, address)
}

/// How fast the origin of this client may connect.
fn connect_pace(config: &Config, address: IpAddr) -> Option<Pace> {
    let rate = match config.connect_limit {
        Some(limit) => limit.on().map(|rate| rate.0),
        None => (!address.is_loopback()).then_some(DEFAULT_CONNECT_RATE),
    };
    rate.map(|rate| Pace::with_burst(rate, CONNECT_BURST))
}

/// Whether the flood limit applies to this client: without the flag it exempts loopback.
pub(super) fn is_flood_limited(config: &Config, address: IpAddr) -> bool {
    config.flood_limit.map_or(!address.is_loopback(), |limit| OrOff::on(limit).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_course_behind_one_router_connects_at_once_and_loopback_as_often_as_it_likes() {
        let config = Config::parse_from(["chatloop-server"]);
        assert_eq!(connect_pace(&config, IpAddr::from([127, 0, 0, 1])), None);
        let router = IpAddr::from([192, 0, 2, 1]);
        let (pace, now) = (connect_pace(&config, router).unwrap(), Instant::now());
        let mut origins = Origins::new();
        // Each of 250 tries TLS first.
        let connected = (0..500).filter(|_| origins.connect(router.into(), pace, now).is_ok());
        assert_eq!(connected.count(), 500);
        let storm = (0..10_000).filter(|_| origins.connect(router.into(), pace, now).is_ok());
        assert_eq!(storm.count(), 100);
    }
}
