//! A histogram of durations with fixed buckets, which can be summed over instances.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The upper bounds of the buckets, in milliseconds. They include the timeouts of the engines: 5, 60 and 120 s.
const BOUNDS: [u64; 14] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30_000, 60_000, 120_000];

/// How many durations there were in each bucket, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationHistogram {
    /// Durations up to each bound and above the one before; the last are above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    /// In microseconds.
    sum: u64,
}

impl DurationHistogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[BOUNDS.partition_point(|millis| millis * 1_000_000 < nanos)] += 1;
        self.sum = self.sum.saturating_add(nanos / 1000);
    }

    /// Counts what another one has counted.
    pub fn add(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// For each bound in seconds, how many durations are not longer. The last bound is infinite.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BOUNDS.into_iter().map(|millis| millis as f64 / 1e3).chain([f64::INFINITY]);
        let mut count = 0;
        bounds.zip(self.buckets).map(move |(bound, in_bucket)| {
            count += in_bucket;
            (bound, count)
        })
    }

    /// The sum of all durations, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum as f64 / 1e6
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_all_buckets_that_are_not_shorter() {
        let mut histogram = DurationHistogram::default();
        for micros in [0, 1000, 1001, 60_000_000, 3_600_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let cumulative: Vec<_> = histogram.cumulative().collect();
        assert_eq!(cumulative[..2], [(0.001, 2), (0.002, 3)]);
        assert_eq!(cumulative[11..], [(30.0, 3), (60.0, 4), (120.0, 4), (f64::INFINITY, 5)]);
        assert_eq!((histogram.count(), histogram.sum()), (5, 3_660.002_001));
    }
}
