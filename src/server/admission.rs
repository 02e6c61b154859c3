//! The clients that are admitted, and every reason not to.

use super::address::PeerAddress;
use super::config::{Config, OrOff};
use super::connection::Connection;
use super::limits::{
    CONNECT_BURST, DEFAULT_CONNECT_RATE, DEFAULT_ORIGIN_ROOMS, DEFAULT_ORIGIN_WORK,
    DEFAULT_PER_ADDRESS, DEFAULT_REGISTRATIONS, Pace,
};
use super::net::{Net, TimerKind};
use super::origins::Origins;
use super::stats::{Counter, Stats};
use crate::chat::Hub;
use crate::chat::work::Cost;
use crate::session::refusal_text;
use chatloop_reactor::Transport;
use log::{debug, warn};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Rejected clients that are told why at the same time. Their descriptors are beyond the capacity, so
/// they take no client's place; a rejected client beyond them is disconnected at once.
pub(super) const REJECTIONS: usize = 16;

/// How often rejections are logged.
const REJECTIONS_LOGGED: Duration = Duration::from_secs(60);

/// Counts the clients of each origin, and rejects those that are too many.
#[derive(Default)]
pub(super) struct Admission {
    origins: Origins,
    /// Clients that were admitted, and rejected ones that are being told why.
    clients: usize,
    rejected: usize,
    /// A timer will log the rejections.
    counts_rejections: bool,
    /// The log has said that there is a proxy that `--proxy-from` does not name.
    knows_of_proxy: bool,
    stats: Stats,
}

/// A client that has connected, and why it is to be rejected, if it is.
pub(super) struct NewPeer {
    pub(super) transport: Transport,
    pub(super) address: PeerAddress,
    pub(super) rejection: Option<String>,
}

/// What becomes of a client once a proxy has said whose it is.
pub(super) enum RelayOutcome {
    Admitted,
    /// It is rejected, and told why.
    Rejected(String),
    /// It is rejected without a word.
    Dropped,
}

impl Admission {
    pub(super) fn new(stats: Stats) -> Admission {
        Admission { stats, ..Admission::default() }
    }

    /// Admits a client that has connected, or rejects it; `None` if it is rejected without a word. The
    /// limits of a proxy's clients are checked when it has said who they are.
    pub(super) fn admit(
        &mut self,
        (transport, address): (Transport, SocketAddr),
        capacity: usize,
        net: &mut Net,
        hub: &Hub,
        config: &Config,
    ) -> Option<NewPeer> {
        let address = PeerAddress::new(address, config.is_proxy(address.ip()));
        let (origin, now) = (address.origin(), net.now());
        let rejection = self.rejection(&address, Some(capacity), net, hub, config);
        if let Some(reason) = rejection {
            if !self.reject(&address, &reason, net) {
                transport.abort();
                return None;
            }
            return Some(NewPeer { transport, address, rejection: Some(reason) });
        }
        debug!("{address}: connected");
        self.clients += 1;
        self.origins.enter(origin, now);
        if let Some(seconds) = config.keep_alive.on()
            && let Err(error) = transport.keep_alive(seconds.duration())
        {
            debug!("{address}: no keep-alive: {error}");
        }
        Some(NewPeer { transport, address, rejection: None })
    }

    /// A client that was admitted as one address turns out to be another one's.
    pub(super) fn relay(
        &mut self,
        from: &PeerAddress,
        to: &PeerAddress,
        net: &mut Net,
        hub: &Hub,
        config: &Config,
    ) -> RelayOutcome {
        let now = net.now();
        match self.rejection(to, None, net, hub, config) {
            None => {
                self.origins.leave(from.origin(), now);
                self.origins.enter(to.origin(), now);
                RelayOutcome::Admitted
            }
            Some(reason) if self.reject(to, &reason, net) => {
                self.clients -= 1;
                self.origins.leave(from.origin(), now);
                RelayOutcome::Rejected(reason)
            }
            Some(_) => RelayOutcome::Dropped,
        }
    }

    /// A client that is forwarded counts as its proxy, and as one of a crowd: the operator
    /// is told once how to tell them apart.
    pub(super) fn hint_at_proxy(&mut self, proxy: &PeerAddress) {
        if !std::mem::replace(&mut self.knows_of_proxy, true) {
            let ip = proxy.ip();
            warn!(
                "{ip} forwards HTTP requests; its clients share the limits of one address unless \
                 it is trusted to tell theirs (--proxy-from {ip})"
            );
        }
    }

    /// Counts a rejection; whether the client is to be told why.
    fn reject(&mut self, address: &PeerAddress, reason: &str, net: &mut Net) -> bool {
        if !std::mem::replace(&mut self.counts_rejections, true) {
            net.after(REJECTIONS_LOGGED, TimerKind::Rejections);
        }
        let room = self.rejected < REJECTIONS;
        let told = self.origins.reject(address.origin(), reason, room, net.now());
        if told {
            self.rejected += 1;
        } else {
            self.stats.count(Counter::Untold);
        }
        told
    }

    /// Why a client is rejected, naming the limit.
    fn rejection(
        &mut self,
        address: &PeerAddress,
        capacity: Option<usize>,
        net: &Net,
        hub: &Hub,
        config: &Config,
    ) -> Option<String> {
        let (origin, now) = (address.origin(), net.now());
        let is_proxy = config.is_proxy(address.ip());
        if let Some(pace) = connect_pace(config, address).filter(|_| !is_proxy)
            && let Err(until) = self.origins.connect(origin, pace, now)
        {
            self.stats.count(Counter::Connects);
            let seconds = (until - now).as_millis().div_ceil(1000);
            return Some(format!(
                "too many connects from your address; try again in {seconds} s (--connect-limit)"
            ));
        }
        if let Some(capacity) = capacity.filter(|capacity| self.clients >= *capacity) {
            self.stats.count(Counter::Full);
            return Some(format!("the server is full (--max-clients {capacity})"));
        }
        if is_proxy {
            return None;
        }
        if let Err(refusal) = hub.admits(&address.ip().to_string(), net.moment()) {
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
}

/// A limit as configured; without its flag loopback is exempt.
fn unless_loopback(
    limit: Option<OrOff<NonZeroU32>>,
    default: u32,
    address: &PeerAddress,
) -> Option<u32> {
    match limit {
        Some(limit) => limit.on().map(NonZeroU32::get),
        None => (!address.is_loopback()).then_some(default),
    }
}

/// The unfinished work that the origin of this client may have.
pub(super) fn work_limit(config: &Config, address: &PeerAddress) -> Option<Cost> {
    let milliseconds = unless_loopback(config.origin_work, DEFAULT_ORIGIN_WORK, address);
    milliseconds.map(|milliseconds| Cost(u64::from(milliseconds) * 1_000_000))
}

/// How many rooms the origin of this client may create.
pub(super) fn room_limit(config: &Config, address: &PeerAddress) -> Option<u32> {
    unless_loopback(config.origin_rooms, DEFAULT_ORIGIN_ROOMS, address)
}

/// How many accounts the origin of this client may register.
pub(super) fn register_limit(config: &Config, address: &PeerAddress) -> Option<u32> {
    unless_loopback(config.register_limit, DEFAULT_REGISTRATIONS, address)
}

/// How fast the origin of this client may connect.
fn connect_pace(config: &Config, address: &PeerAddress) -> Option<Pace> {
    let rate = match config.connect_limit {
        Some(limit) => limit.on().map(|rate| rate.0),
        None => (!address.is_loopback()).then_some(DEFAULT_CONNECT_RATE),
    };
    rate.map(|rate| Pace::with_burst(rate, CONNECT_BURST))
}

/// Whether the flood limit applies to this client: without the flag it exempts loopback.
pub(super) fn is_flood_limited(config: &Config, address: &PeerAddress) -> bool {
    config.flood_limit.map_or(!address.is_loopback(), |limit| OrOff::on(limit).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_course_behind_one_router_connects_at_once_and_loopback_as_often_as_it_likes() {
        let config = Config::parse_from(["chatloop-server"]);
        let address = |ip: [u8; 4]| PeerAddress::new(SocketAddr::from((ip, 7)), false);
        assert_eq!(connect_pace(&config, &address([127, 0, 0, 1])), None);
        let router = address([192, 0, 2, 1]);
        let (pace, now) = (connect_pace(&config, &router).unwrap(), Instant::now());
        let mut origins = Origins::default();
        // Each of 250 tries TLS first.
        let connected = (0..500).filter(|_| origins.connect(router.origin(), pace, now).is_ok());
        assert_eq!(connected.count(), 500);
        let storm = (0..10_000).filter(|_| origins.connect(router.origin(), pace, now).is_ok());
        assert_eq!(storm.count(), 100);
    }
}
