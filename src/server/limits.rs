//! Default limits per address, and the token bucket behind every limit of a rate.

use crate::chat::work::Cost;
use std::time::{Duration, Instant};

/// Most clients from one origin that is not loopback, unless a flag says otherwise: a course
/// behind one router fits, a machine gone wild does not.
pub(super) const DEFAULT_PER_ADDRESS: u32 = 256;

/// Lines a second from one client that is not on loopback, unless a flag says otherwise.
pub(super) const DEFAULT_LINE_RATE: u32 = 100;

/// The work that a line of the flood limit includes; what costs more counts as several lines. An
/// ordinary line costs a tenth of it, a hundred lines a second a hundredth of a processor.
pub(super) const LINE_WORK: Cost = Cost(100_000);

/// Rooms created by users of one origin that is not loopback, unless a flag says otherwise: a hundred
/// such origins fill the server.
pub(super) const DEFAULT_ORIGIN_ROOMS: u32 = 1_000;

/// Unfinished work of one origin that is not loopback, in milliseconds, unless a flag says otherwise:
/// what others wait for at most, and enough to fill a turn.
pub(super) const DEFAULT_ORIGIN_WORK: u32 = 4;

/// Connects a second from one origin that is not loopback, unless a flag says otherwise.
pub(super) const DEFAULT_CONNECT_RATE: u32 = 10;

/// How many seconds' worth of connects may come at once: everyone behind one router after a power
/// cut, and once more for a client that tries TLS first.
pub(super) const CONNECT_BURST: Duration = Duration::from_secs(60);

/// Accounts that one origin that is not loopback may register within an hour, unless a flag says
/// otherwise: a course registers in its first lesson, and a million takes a year.
pub(super) const DEFAULT_REGISTRATIONS: u32 = 100;

/// How many seconds' worth of lines may come at once.
const LINE_BURST: Duration = Duration::from_secs(10);

/// The most that one request can put a client into debt.
const LONGEST_DEBT: Duration = Duration::from_secs(60);

/// How fast something may be done: so many times a second, with a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    per_token: Duration,
    burst: Duration,
}

impl Pace {
    /// The pace of a client's lines. `per_second` is at least 1.
    pub(super) fn new(per_second: u32) -> Pace {
        Pace::with_burst(per_second, LINE_BURST)
    }

    /// As much as comes in the time of `burst` may come at once.
    pub(super) fn with_burst(per_second: u32, burst: Duration) -> Pace {
        let per_second = per_second.max(1);
        let per_token = Duration::from_secs(1) / per_second;
        Pace { per_token, burst: (per_token * per_second).saturating_mul(burst.as_secs() as u32) }
    }

    /// So many an hour, all of them at once.
    pub(super) fn per_hour(number: u32) -> Pace {
        let burst = Duration::from_secs(3_600);
        Pace { per_token: burst / number.max(1), burst }
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

    /// When it will be full again.
    pub(super) fn full_at(&self) -> Instant {
        self.full_at
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// From here on it gives no burst: a second's worth, and then its rate.
    pub(super) fn end_burst(&mut self, pace: Pace, now: Instant) {
        let burst = pace.burst.saturating_sub(Duration::from_secs(1));
        self.full_at = self.full_at.max(now + burst);
    }

    /// Takes tokens that it may not have: the next one comes later.
    pub(super) fn owe(&mut self, pace: Pace, tokens: u64, now: Instant) {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let debt = pace.per_token.saturating_mul(tokens).min(LONGEST_DEBT);
        self.full_at = self.full_at.max(now) + debt;
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn take(&mut self, pace: Pace, now: Instant) -> Result<(), Instant> {
        let full_at = self.full_at.max(now) + pace.per_token;
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
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let (pace, mut bucket) = (Pace::new(4), TokenBucket::new(start));
        for _ in 0..4 * 10 {
            bucket.take(pace, start).unwrap();
        }
        let next = bucket.take(pace, start).unwrap_err();
        assert_eq!(next, start + Duration::from_millis(250));
        assert_eq!(bucket.take(pace, next - Duration::from_nanos(1)).unwrap_err(), next);
        bucket.take(pace, next).unwrap();
        bucket.take(pace, next).unwrap_err();
        // A peer that is gone has a second's worth left of a full one.
        let mut left = TokenBucket::new(start);
        left.end_burst(pace, start);
        let taken = (0..1_000).take_while(|_| left.take(pace, start).is_ok()).count();
        assert_eq!(taken, 4);
        // A debt is worked off before the next line.
        let mut owing = TokenBucket::new(start);
        owing.owe(pace, 40 + 3, start);
        let until = owing.take(pace, start).unwrap_err();
        assert_eq!(until, start + Duration::from_secs(1));
        // A rest of any length fills it again, and no further than full.
        let later = start + Duration::from_secs(3_600);
        let taken = (0..1_000).take_while(|_| bucket.take(pace, later).is_ok()).count();
        assert_eq!(taken as u32, 4 * 10);
    }
}
