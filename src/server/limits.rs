//! Limits per address, of clients and of new accounts, and the pace of a client: the flood limit.

use crate::chat::Origin;
use crate::chat::work::Cost;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Most clients from one origin that is not loopback, unless a flag says otherwise: a course
/// behind one router fits, a machine gone wild does not.
pub(super) const DEFAULT_PER_ADDRESS: u32 = 256;

/// Lines a second from one client that is not on loopback, unless a flag says otherwise.
pub(super) const DEFAULT_LINE_RATE: u32 = 100;

/// The work that a line of the flood limit includes; what costs more counts as several lines. An
/// ordinary line costs a tenth of it, a hundred lines a second a hundredth of a processor.
pub(super) const LINE_WORK: Cost = Cost(100_000);

/// Unfinished work of one origin that is not loopback, in milliseconds, unless a flag says otherwise:
/// what others wait for at most, and enough to fill a turn.
pub(super) const DEFAULT_ORIGIN_WORK: u32 = 4;

/// Accounts that one origin that is not loopback may register within an hour, unless a flag says
/// otherwise: a course registers in its first lesson, and a million takes a year.
pub(super) const DEFAULT_REGISTRATIONS: u32 = 100;

/// Origins whose registrations are remembered; the one that may register most gives way.
const REGISTERING_ORIGINS: usize = 4_096;

/// How many seconds' worth of lines may come at once.
const BURST_SECONDS: u32 = 10;

/// How many clients each origin has. Bounded by the number of clients: an origin without any
/// is forgotten.
#[derive(Default)]
pub(super) struct OriginCounts {
    counts: HashMap<Origin, u32>,
}

impl OriginCounts {
    pub(super) fn count(&self, origin: Origin) -> u32 {
        self.counts.get(&origin).copied().unwrap_or(0)
    }

    pub(super) fn enter(&mut self, origin: Origin) {
        *self.counts.entry(origin).or_insert(0) += 1;
    }

    pub(super) fn leave(&mut self, origin: Origin) {
        if let Some(count) = self.counts.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&origin);
            }
        }
    }
}

/// The most that one request can put a client into debt.
const LONGEST_DEBT: Duration = Duration::from_secs(60);

/// How fast one client may talk: so many lines a second, with a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    per_line: Duration,
    burst: Duration,
}

impl Pace {
    /// `per_second` is at least 1.
    pub(super) fn new(per_second: u32) -> Pace {
        let per_line = Duration::from_secs(1) / per_second.max(1);
        Pace { per_line, burst: per_line * per_second.max(1) * BURST_SECONDS }
    }

    /// So many an hour, all of them at once.
    fn per_hour(number: u32) -> Pace {
        let burst = Duration::from_secs(3_600);
        Pace { per_line: burst / number.max(1), burst }
    }
}

/// Who has registered accounts lately.
#[derive(Default)]
pub(super) struct Registrations {
    buckets: BTreeMap<Origin, TokenBucket>,
}

impl Registrations {
    /// One more account of this origin.
    ///
    /// # Errors
    /// It is too early, by this much.
    pub(super) fn take(
        &mut self,
        origin: Origin,
        per_hour: u32,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.buckets.len() >= REGISTERING_ORIGINS && !self.buckets.contains_key(&origin) {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            let emptiest = self.buckets.iter().min_by_key(|(_, bucket)| bucket.full_at);
            let gives_way = emptiest.map(|(origin, _)| *origin);
            if let Some(other) = gives_way.filter(|_| self.buckets.len() >= REGISTERING_ORIGINS) {
                self.buckets.remove(&other);
            }
        }
        let bucket = self.buckets.entry(origin).or_insert(TokenBucket::new(now));
        bucket.take(Pace::per_hour(per_hour), now).map_err(|until| until - now)
    }
}

/// A token bucket that is kept as one moment: when it would be full again. Taking a token moves
/// that moment one token's time ahead; the bucket is empty when it lies a whole burst ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> TokenBucket {
        TokenBucket { full_at: now }
    }

    /// From here on it gives no burst: a second's worth, and then its rate.
    pub(super) fn end_burst(&mut self, pace: Pace, now: Instant) {
        let burst = pace.burst.saturating_sub(Duration::from_secs(1));
        self.full_at = self.full_at.max(now + burst);
    }

    /// Takes tokens that it may not have: the next one comes later.
    pub(super) fn owe(&mut self, pace: Pace, tokens: u64, now: Instant) {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let debt = pace.per_line.saturating_mul(tokens).min(LONGEST_DEBT);
        self.full_at = self.full_at.max(now) + debt;
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn take(&mut self, pace: Pace, now: Instant) -> Result<(), Instant> {
        let full_at = self.full_at.max(now) + pace.per_line;
        match full_at.checked_duration_since(now + pace.burst) {
            Some(wait) if !wait.is_zero() => Err(now + wait),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_without_clients_is_forgotten() {
        let mut counts = OriginCounts::default();
        let origin = Origin::V4([127, 0, 0, 1]);
        counts.enter(origin);
        counts.enter(origin);
        assert_eq!(counts.count(origin), 2);
        counts.leave(origin);
        counts.leave(origin);
        counts.leave(origin);
        assert_eq!(counts.count(origin), 0);
        assert!(counts.counts.is_empty());
    }

    #[test]
    fn an_origin_registers_so_many_an_hour_and_only_the_latest_are_remembered() {
        let (mut registrations, start) = (Registrations::default(), Instant::now());
        let origin = |number: u32| Origin::V4(number.to_be_bytes());
        for _ in 0..4 {
            registrations.take(origin(0), 4, start).unwrap();
        }
        let quarter = Duration::from_secs(900);
        assert_eq!(registrations.take(origin(0), 4, start), Err(quarter));
        registrations.take(origin(0), 4, start + quarter).unwrap();
        for number in 1..2 * REGISTERING_ORIGINS as u32 {
            registrations.take(origin(number), 4, start + quarter).unwrap();
            assert!(registrations.buckets.len() <= REGISTERING_ORIGINS);
        }
        // The one with the most left gave way.
        assert!(registrations.take(origin(0), 4, start + quarter).is_err());
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let (pace, mut bucket) = (Pace::new(4), TokenBucket::new(start));
        for _ in 0..4 * BURST_SECONDS {
            bucket.take(pace, start).unwrap();
        }
        let next = bucket.take(pace, start).unwrap_err();
        assert_eq!(next, start + Duration::from_millis(250));
        assert_eq!(bucket.take(pace, next - Duration::from_nanos(1)).unwrap_err(), next);
        bucket.take(pace, next).unwrap();
        bucket.take(pace, next).unwrap_err();
        // Who is gone has a second's worth left of a full one.
        let mut left = TokenBucket::new(start);
        left.end_burst(pace, start);
        let taken = (0..1_000).take_while(|_| left.take(pace, start).is_ok()).count();
        assert_eq!(taken, 4);
        // A debt is worked off before the next line.
        let mut owing = TokenBucket::new(start);
        owing.owe(pace, u64::from(4 * BURST_SECONDS) + 3, start);
        let until = owing.take(pace, start).unwrap_err();
        assert_eq!(until, start + Duration::from_secs(1));
        // A rest of any length fills it again, and no further than full.
        let later = start + Duration::from_secs(3_600);
        let taken = (0..1_000).take_while(|_| bucket.take(pace, later).is_ok()).count();
        assert_eq!(taken as u32, 4 * BURST_SECONDS);
    }
}
