//! A histogram of durations that is observed with two atomic additions. The one of `prometheus-client` takes a lock,
//! which the path of an alert must not wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// A histogram of durations in seconds. Cheap to clone; all clones are the same one.
#[derive(Clone, Debug)]
pub struct AtomicHistogram {
    inner: Arc<HistogramCells>,
}

#[derive(Debug)]
struct HistogramCells {
    bounds: &'static [f64],
    /// One cell a bound, and one for what is over the last.
    counts: Box<[AtomicU64]>,
    nanos: AtomicU64,
}

impl AtomicHistogram {
    /// An empty one with these upper bounds in seconds, which rise.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { inner: Arc::new(HistogramCells { bounds, counts, nanos: AtomicU64::new(0) }) }
    }

    /// Counts one duration.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let cell = self.inner.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.inner.counts.get(cell) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.inner.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.inner.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl EncodeMetric for AtomicHistogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let bounds = self.inner.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.inner.counts.iter().map(|count| count.load(Ordering::Relaxed));
        // The total is that of the cells as they were read, so that the last bucket and the count agree.
        let cells: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let total = cells.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.inner.nanos.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, total, &cells, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = AtomicHistogram::new(&[0.001, 0.01]);
        for micros in [500, 1_000, 1_001, 9_000, 50_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let cells: Vec<u64> = histogram.inner.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!((cells, histogram.count()), (vec![2, 2, 1], 5));
    }
}
