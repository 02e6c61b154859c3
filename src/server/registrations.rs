//! The limit of accounts that an origin may register: a bucket for each.

use super::limits::{Pace, TokenBucket};
use crate::chat::Origin;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Origins that are remembered; the one that may register most gives way.
const ORIGINS: usize = 4_096;

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
    pub fn take(&mut self, origin: Origin, per_hour: u32, now: Instant) -> Result<(), Duration> {
        if self.buckets.len() >= ORIGINS && !self.buckets.contains_key(&origin) {
            self.make_room(now);
        }
        let bucket = self.buckets.entry(origin).or_insert_with(|| TokenBucket::new(now));
        bucket.take(Pace::per_hour(per_hour), now).map_err(|until| until - now)
    }

    fn make_room(&mut self, now: Instant) {
        self.buckets.retain(|_, bucket| !bucket.is_full(now));
        if self.buckets.len() >= ORIGINS
            && let Some((&first, _)) = self.buckets.iter().min_by_key(|(_, it)| it.full_at())
        {
            self.buckets.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for number in 1..2 * ORIGINS as u32 {
            registrations.take(origin(number), 4, start + quarter).unwrap();
            assert!(registrations.buckets.len() <= ORIGINS);
        }
        // The one with the most left gave way.
        assert!(registrations.take(origin(0), 4, start + quarter).is_err());
    }
}
