//! How long turns have taken: a histogram of plain integers.

use std::time::Duration;

/// Upper bounds of the buckets, in microseconds. Most turns are in the first.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000,
];

/// Counts of turns by the time that they took.
#[derive(Clone, Default, Debug)]
pub(in crate::server) struct TurnTimes {
    counts: [u64; BOUNDS.len()],
    /// All of them, also those above the last bound.
    count: u64,
    sum: Duration,
}

impl TurnTimes {
    /// A turn took this long.
    pub(super) fn add(&mut self, time: Duration) {
        let micros = time.as_micros();
        if let Some(bucket) = BOUNDS.iter().position(|bound| micros <= u128::from(*bound)) {
            self.counts[bucket] += 1;
        }
        self.count += 1;
        self.sum += time;
    }

    /// Turns so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The sum in seconds, the count, and each bucket: its bound in seconds, and how many turns are in
    /// it and in none before it.
    #[cfg(feature = "web")]
    pub(in crate::server) fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let buckets = BOUNDS.iter().zip(self.counts);
        let buckets = buckets.map(|(bound, count)| (Duration::from_micros(*bound), count));
        let buckets = buckets.map(|(bound, count)| (bound.as_secs_f64(), count)).collect();
        (self.sum.as_secs_f64(), self.count, buckets)
    }
}

#[cfg(all(test, feature = "web"))]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_in_one_bucket_or_above_all() {
        let mut times = TurnTimes::default();
        for micros in [0, 100, 101, 9_999_999] {
            times.add(Duration::from_micros(micros));
        }
        let (sum, count, buckets) = times.read();
        assert!((sum - 10.0002).abs() < 1e-9 && count == 4, "{sum} {count}");
        assert_eq!(buckets[..2], [(0.0001, 2), (0.00025, 1)]);
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
