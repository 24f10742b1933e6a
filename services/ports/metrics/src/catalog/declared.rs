//! How a metric is declared: its kind, its labels and the values that these can have.

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricKind {
    /// Whole things that only become more; its name ends in `_total`.
    Counter,
    /// The same for fractions of a unit.
    Sum,
    /// A state. Its series exist once the state is known.
    Gauge,
    /// Durations in seconds, with the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

impl MetricKind {
    /// Whether it only rises.
    #[must_use]
    pub const fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::Sum)
    }

    /// The word of the format for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter | Self::Sum => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// Names that a process knows when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameSet {
    /// Configured sources, and formats that are sources without configuration.
    Sources,
    /// Configured receivers.
    Receivers,
    /// What a refused request is answered with.
    RefusalCodes,
    /// Kinds of secrets that are redacted.
    SecretKinds,
    /// Services that decide.
    Deciders,
}

/// Which values a label can have.
#[derive(Clone, Copy, Debug)]
pub enum LabelValueSet {
    /// These; anything else counts as [`OTHER`](super::OTHER).
    Words(&'static [&'static str]),
    /// Names that are known at the start. Later ones are taken up to a bound.
    Names(NameSet),
    /// Whatever comes, up to a bound.
    Any,
}

/// What a metric is told apart by.
#[derive(Clone, Copy, Debug)]
pub struct LabelDeclaration {
    /// As it stands in queries.
    pub name: &'static str,
    /// The values that it can have.
    pub values: LabelValueSet,
}

/// What the process counts or measures under one name.
#[derive(Clone, Copy, Debug)]
pub struct MetricDeclaration {
    /// Its name, as it stands in queries.
    pub name: &'static str,
    /// What it says, without a full stop.
    pub help: &'static str,
    /// What it counts.
    pub kind: MetricKind,
    /// Its labels, in the order in which they are exposed.
    pub labels: &'static [LabelDeclaration],
}

/// Bounds in seconds for what should take milliseconds.
pub(super) const FAST: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds in seconds for what a person waits for. 5 and 15 are what the paging is measured against.
pub(super) const SLOW: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];

pub(super) const fn counter(
    name: &'static str,
    help: &'static str,
    labels: &'static [LabelDeclaration],
) -> MetricDeclaration {
    MetricDeclaration { name, help, kind: MetricKind::Counter, labels }
}

pub(super) const fn gauge(
    name: &'static str,
    help: &'static str,
    labels: &'static [LabelDeclaration],
) -> MetricDeclaration {
    MetricDeclaration { name, help, kind: MetricKind::Gauge, labels }
}

pub(super) const fn histogram(
    name: &'static str,
    help: &'static str,
    bounds: &'static [f64],
    labels: &'static [LabelDeclaration],
) -> MetricDeclaration {
    MetricDeclaration { name, help, kind: MetricKind::Histogram(bounds), labels }
}

pub(super) const fn words(name: &'static str, words: &'static [&'static str]) -> LabelDeclaration {
    LabelDeclaration { name, values: LabelValueSet::Words(words) }
}

pub(super) const fn named(name: &'static str, set: NameSet) -> LabelDeclaration {
    LabelDeclaration { name, values: LabelValueSet::Names(set) }
}

pub(super) const fn any(name: &'static str) -> LabelDeclaration {
    LabelDeclaration { name, values: LabelValueSet::Any }
}
