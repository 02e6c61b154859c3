//! A histogram of durations, in plain integers.

use std::time::Duration;

/// Upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000,
];

/// Counts by the time that was taken.
#[derive(Clone, Default, Debug)]
pub(super) struct Times {
    counts: [u64; BOUNDS.len()],
    /// All of them, also those above the last bound.
    count: u64,
    sum: Duration,
}

impl Times {
    /// It took this long once more.
    pub(super) fn add(&mut self, time: Duration) {
        let micros = time.as_micros();
        if let Some(bucket) = BOUNDS.iter().position(|bound| micros <= u128::from(*bound)) {
            self.counts[bucket] += 1;
        }
        self.count += 1;
        self.sum += time;
    }

    /// How often so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The sum in seconds, the count, and each bucket: its bound in seconds, and how many are in it
    /// and in none before it.
    #[cfg_attr(not(feature = "web"), expect(dead_code, reason = "asked for by /metrics"))]
    pub(super) fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let seconds = BOUNDS.map(|bound| Duration::from_micros(bound).as_secs_f64());
        (self.sum.as_secs_f64(), self.count, seconds.into_iter().zip(self.counts).collect())
    }
}

#[cfg(all(test, feature = "web"))]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_one_bucket_or_above_all() {
        let mut times = Times::default();
        for micros in [0, 100, 101, 9_999_999] {
            times.add(Duration::from_micros(micros));
        }
        let (sum, count, buckets) = times.read();
        assert!((sum - 10.0002).abs() < 1e-9 && count == 4, "{sum} {count}");
        assert_eq!(buckets[..2], [(0.0001, 2), (0.00025, 1)]);
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
