//! All series of one metric. Those that are known at the start are found without a lock; those that are born later are
//! bounded, and what finds no room is counted as `other`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::catalog::{LabelValueSet, MetricDeclaration, MetricKind};
use crate::histogram::AtomicHistogram;

/// The label value of everything that found no room.
pub const OTHER: &str = "other";
/// Series of one metric that are born after the start; each label value beyond counts as [`OTHER`].
pub(crate) const LATE_SERIES_MAX: usize = 200;
/// Characters of a label value; longer ones are cut.
pub(crate) const VALUE_CHARS_MAX: usize = 120;

type LabelValues = Box<[Box<str>]>;

/// One series.
#[derive(Clone, Debug)]
pub(crate) enum LabelledMetric {
    Counter(Counter<u64>),
    Sum(Counter<f64>),
    Gauge(Gauge<f64, std::sync::atomic::AtomicU64>),
    Histogram(AtomicHistogram),
}

impl LabelledMetric {
    fn new(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter(Counter::default()),
            MetricKind::Sum => Self::Sum(Counter::default()),
            MetricKind::Gauge => Self::Gauge(Gauge::default()),
            MetricKind::Histogram(bounds) => Self::Histogram(AtomicHistogram::new(bounds)),
        }
    }

    /// Adds to it. A counter of whole things takes no part of one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts are whole and never below zero
    pub(crate) fn add(&self, by: f64) {
        match self {
            Self::Counter(counter) => {
                counter.inc_by(by as u64);
            }
            Self::Sum(counter) => {
                counter.inc_by(by);
            }
            Self::Gauge(gauge) => {
                gauge.inc_by(by);
            }
            Self::Histogram(_) => {}
        }
    }

    /// Sets it: a gauge, or a counter that somebody else keeps.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts are whole and never below zero
    pub(crate) fn set(&self, to: f64) {
        use std::sync::atomic::Ordering::Relaxed;
        match self {
            Self::Counter(counter) => counter.inner().store(to as u64, Relaxed),
            Self::Sum(counter) => counter.inner().store(to.to_bits(), Relaxed),
            Self::Gauge(gauge) => {
                gauge.set(to);
            }
            Self::Histogram(_) => {}
        }
    }

    /// Its value; of a histogram how many durations it counted.
    #[allow(clippy::cast_precision_loss)] // for people and tests
    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Counter(counter) => counter.get() as f64,
            Self::Sum(counter) => counter.get(),
            Self::Gauge(gauge) => gauge.get(),
            Self::Histogram(histogram) => histogram.count() as f64,
        }
    }

    fn encode(&self, encoder: MetricEncoder<'_>) -> std::fmt::Result {
        match self {
            Self::Counter(counter) => EncodeMetric::encode(counter, encoder),
            Self::Sum(counter) => EncodeMetric::encode(counter, encoder),
            Self::Gauge(gauge) => EncodeMetric::encode(gauge, encoder),
            Self::Histogram(histogram) => EncodeMetric::encode(histogram, encoder),
        }
    }
}

/// A metric with its series.
#[derive(Debug)]
pub(crate) struct MetricFamily {
    pub(crate) declared: &'static MetricDeclaration,
    /// Sorted, and never changed after the start.
    known: Vec<(LabelValues, LabelledMetric)>,
    late: RwLock<BTreeMap<LabelValues, LabelledMetric>>,
    /// Counts what found no room.
    left_out: Counter<u64>,
}

impl MetricFamily {
    /// A metric with the series that are known: their label values in the declared order.
    pub(crate) fn new(
        declared: &'static MetricDeclaration,
        mut known: Vec<LabelValues>,
        left_out: Counter<u64>,
    ) -> Self {
        known.sort();
        known.dedup();
        let series = |values| (values, LabelledMetric::new(declared.kind));
        Self { declared, known: known.into_iter().map(series).collect(), late: RwLock::default(), left_out }
    }

    /// The series of these label values, made where it does not exist and there is room.
    pub(crate) fn series(&self, values: &[&str]) -> LabelledMetric {
        self.find(values).unwrap_or_else(|| self.make(values))
    }

    /// Does something to the series of these label values; where it is known, without a lock.
    pub(crate) fn with(&self, values: &[&str], act: impl FnOnce(&LabelledMetric)) {
        match self.known(values) {
            Some(series) => act(series),
            None => act(&self.series(values)),
        }
    }

    fn known(&self, values: &[&str]) -> Option<&LabelledMetric> {
        let found = self.known.binary_search_by(|(known, _)| compare(known, values)).ok()?;
        self.known.get(found).map(|(_, series)| series)
    }

    /// The series of these label values, where it exists.
    pub(crate) fn find(&self, values: &[&str]) -> Option<LabelledMetric> {
        if let Some(series) = self.known(values) {
            return Some(series.clone());
        }
        let late = self.late.read().unwrap_or_else(PoisonError::into_inner);
        late.get(&owned(values)).cloned()
    }

    #[cold]
    fn make(&self, values: &[&str]) -> LabelledMetric {
        let mut late = self.late.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = late.len() < LATE_SERIES_MAX;
        let mut left_out = false;
        let labels = self.declared.labels.iter().zip(values);
        let values: LabelValues = labels
            .map(|(label, value)| {
                let fits = match label.values {
                    LabelValueSet::Words(words) => {
                        let fits = words.contains(value);
                        if !fits {
                            let (metric, label) = (self.declared.name, label.name);
                            tracing::error!(metric, label, value, "the catalogue lacks a label value");
                        }
                        fits
                    }
                    LabelValueSet::Names(_) | LabelValueSet::Any => has_room,
                };
                left_out |= !fits;
                if fits { cut(value) } else { OTHER.into() }
            })
            .collect();
        if left_out {
            self.left_out.inc();
            tracing::debug!(metric = self.declared.name, "a label value found no room; it counts as other");
        }
        let known: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        if let Some(series) = self.known(&known) {
            return series.clone();
        }
        late.entry(values).or_insert_with(|| LabelledMetric::new(self.declared.kind)).clone()
    }

    /// Sets all series that are not known from the start: those that are not among `rows` end.
    pub(crate) fn replace(&self, rows: &[(Vec<&str>, f64)]) {
        let keep: Vec<LabelValues> = rows.iter().map(|(values, _)| owned(values)).collect();
        self.late.write().unwrap_or_else(PoisonError::into_inner).retain(|values, _| keep.contains(values));
        for (values, value) in rows {
            self.with(values, |series| series.set(*value));
        }
    }

    fn encode_one(
        &self,
        values: &LabelValues,
        series: &LabelledMetric,
        encoder: &mut MetricEncoder<'_>,
    ) -> std::fmt::Result {
        let names = self.declared.labels.iter().map(|label| label.name);
        let labels: Vec<(&str, &str)> = names.zip(values.iter().map(AsRef::as_ref)).collect();
        series.encode(encoder.encode_family(&labels)?)
    }
}

impl EncodeMetric for MetricFamily {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        self.known.iter().try_for_each(|(values, series)| self.encode_one(values, series, &mut encoder))?;
        let late = self.late.read().unwrap_or_else(PoisonError::into_inner);
        late.iter().try_for_each(|(values, series)| self.encode_one(values, series, &mut encoder))
    }

    fn metric_type(&self) -> MetricType {
        match self.declared.kind {
            MetricKind::Counter | MetricKind::Sum => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram(_) => MetricType::Histogram,
        }
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.late.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

fn compare(known: &LabelValues, values: &[&str]) -> Ordering {
    known.iter().map(AsRef::as_ref).cmp(values.iter().copied())
}

fn owned(values: &[&str]) -> LabelValues {
    values.iter().map(|value| cut(value)).collect()
}

/// A label value within its bound.
pub(crate) fn cut(value: &str) -> Box<str> {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => value.get(..end).unwrap_or_default().into(),
        None => value.into(),
    }
}
