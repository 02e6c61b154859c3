//! The clients of each origin: how many, how often new ones may come, and how many were rejected.

use super::limits::{Pace, TokenBucket};
use crate::chat::Origin;
use log::warn;
use std::collections::BTreeMap;
use std::time::Instant;

/// Origins whose rejections are logged one by one in a minute; those of all others are added up.
const LOGGED: usize = 8;

/// Rejected clients of one origin that are told why at the same time.
const TOLD: u32 = 4;

/// Idle origins that are not worth a walk over all of them.
const IDLE: usize = 4096;

struct Entry {
    clients: u32,
    /// Rejected connections that are being told why.
    told: u32,
    connects: TokenBucket,
    /// Rejections of this minute, and how many of them were logged.
    rejected: u32,
    logged: u32,
}

impl Entry {
    fn is_idle(&self, now: Instant) -> bool {
        self.clients == 0 && self.told == 0 && self.rejected == 0 && self.connects.is_full(now)
    }
}

/// All origins that have clients, or had some a short while ago.
#[derive(Default)]
pub(super) struct Origins {
    entries: BTreeMap<Origin, Entry>,
    /// Entries that the last look for idle ones has left.
    kept: usize,
    /// Rejections logged in this minute.
    logged: usize,
}

impl Origins {
    fn entry(&mut self, origin: Origin, now: Instant) -> &mut Entry {
        if self.entries.len() >= IDLE + 2 * self.kept {
            self.forget_idle(now);
        }
        self.entries.entry(origin).or_insert_with(|| Entry {
            clients: 0,
            told: 0,
            connects: TokenBucket::new(now),
            rejected: 0,
            logged: 0,
        })
    }

    /// A client wants to connect: when it may, if not now.
    pub fn connect(&mut self, origin: Origin, pace: Pace, now: Instant) -> Result<(), Instant> {
        self.entry(origin, now).connects.take(pace, now)
    }

    /// How many clients an origin has.
    pub fn count(&self, origin: Origin) -> u32 {
        self.entries.get(&origin).map_or(0, |entry| entry.clients)
    }

    pub fn enter(&mut self, origin: Origin, now: Instant) {
        self.entry(origin, now).clients += 1;
    }

    pub fn leave(&mut self, origin: Origin, now: Instant) {
        self.change(origin, now, |entry| entry.clients -= 1);
    }

    /// A client is rejected: whether it is to be told why. Not all of them are, so that one
    /// origin does not take all the places of the told ones.
    pub fn reject(&mut self, origin: Origin, reason: &str, room: bool, now: Instant) -> bool {
        let may_log = self.logged < LOGGED;
        let entry = self.entry(origin, now);
        entry.rejected += 1;
        let (log, told) = (entry.rejected == 1 && may_log, room && entry.told < TOLD);
        entry.told += u32::from(told);
        entry.logged += u32::from(log);
        if log {
            self.logged += 1;
            warn!("{origin}: rejected: {reason}");
        }
        told
    }

    /// A rejected client that was told why is gone.
    pub fn end_rejection(&mut self, origin: Origin, now: Instant) {
        self.change(origin, now, |entry| entry.told -= 1);
    }

    fn change(&mut self, origin: Origin, now: Instant, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(&origin) else { return };
        change(entry);
        if entry.is_idle(now) {
            self.entries.remove(&origin);
        }
    }

    /// A minute is over: logs how many were rejected in it, beyond those that were logged at once.
    pub fn end_minute(&mut self, now: Instant) {
        let mut rejected: Vec<(u32, Origin)> = Vec::new();
        for (origin, entry) in &mut self.entries {
            let unlogged = entry.rejected - entry.logged;
            if unlogged > 0 {
                rejected.push((unlogged, *origin));
            }
            (entry.rejected, entry.logged) = (0, 0);
        }
        rejected.sort_unstable_by(|one, other| other.cmp(one));
        for (count, origin) in rejected.iter().take(LOGGED) {
            warn!("{origin}: {count} more connections rejected within a minute");
        }
        let others = rejected.get(LOGGED..).unwrap_or_default();
        if !others.is_empty() {
            let (origins, count) =
                (others.len(), others.iter().map(|(count, _)| count).sum::<u32>());
            warn!("{origins} other addresses: {count} connections rejected within a minute");
        }
        self.logged = 0;
        self.forget_idle(now);
    }

    /// A walk over all, which is due again when there are twice as many. What stays has clients, or
    /// has connected lately: the bucket of an origin that connects once is full again in a moment.
    fn forget_idle(&mut self, now: Instant) {
        self.entries.retain(|_, entry| !entry.is_idle(now));
        self.kept = self.entries.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ORIGIN: Origin = Origin::V4([192, 0, 2, 1]);
    const OTHER: Origin = Origin::V4([192, 0, 2, 2]);

    #[test]
    fn an_origin_without_clients_is_forgotten() {
        let (mut origins, now) = (Origins::default(), Instant::now());
        origins.enter(ORIGIN, now);
        origins.enter(ORIGIN, now);
        assert_eq!((origins.count(ORIGIN), origins.count(OTHER)), (2, 0));
        origins.leave(ORIGIN, now);
        origins.leave(ORIGIN, now);
        assert_eq!((origins.count(ORIGIN), origins.entries.len()), (0, 0));
    }

    #[test]
    fn an_origin_that_has_connected_lately_is_remembered_until_its_bucket_is_full() {
        let (mut origins, now) = (Origins::default(), Instant::now());
        let pace = Pace::with_burst(1, Duration::from_secs(2));
        for _ in 0..2 {
            origins.connect(ORIGIN, pace, now).unwrap();
            origins.enter(ORIGIN, now);
            origins.leave(ORIGIN, now);
        }
        let until = origins.connect(ORIGIN, pace, now).unwrap_err();
        assert_eq!(until, now + Duration::from_secs(1));
        origins.connect(OTHER, pace, now).unwrap();
        origins.end_minute(now + Duration::from_secs(1));
        assert_eq!(origins.entries.len(), 1, "the other one's is full again");
        origins.end_minute(now + Duration::from_secs(2));
        assert!(origins.entries.is_empty());
    }

    #[test]
    fn the_origins_that_are_remembered_are_those_of_a_moment() {
        let (mut origins, mut now) = (Origins::default(), Instant::now());
        let pace = Pace::with_burst(10, Duration::from_secs(60));
        for number in 0..100_000_u32 {
            now += Duration::from_micros(50);
            origins.connect(Origin::V4(number.to_be_bytes()), pace, now).unwrap();
        }
        // 2,000 of them have a bucket that is not full.
        assert!(origins.entries.len() <= IDLE + 2 * 2_001, "{}", origins.entries.len());
    }

    #[test]
    fn one_origin_does_not_take_all_the_places_of_rejected_clients() {
        let (mut origins, now) = (Origins::default(), Instant::now());
        let told = (0..100).filter(|_| origins.reject(ORIGIN, "full", true, now)).count();
        assert_eq!(told as u32, TOLD);
        assert!(origins.reject(OTHER, "full", true, now));
        assert!(!origins.reject(OTHER, "full", false, now), "there is no place at all");
        assert_eq!(origins.logged, 2, "one line for each of the two");
        for number in 0..100 {
            origins.reject(Origin::V4([10, 0, 0, number]), "full", true, now);
        }
        assert_eq!(origins.logged, LOGGED);
        (0..TOLD).for_each(|_| origins.end_rejection(ORIGIN, now));
        assert!(origins.reject(ORIGIN, "full", true, now));
    }
}
