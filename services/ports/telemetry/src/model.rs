//! What is kept: records, samples, and how they are asked for.

use std::collections::BTreeMap;

use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::span::TraceSpan;

/// How bad a log line says it is, from least to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// All is well.
    #[default]
    Info,
    /// Something is odd.
    Warning,
    /// Something failed.
    Error,
    /// The process, or what it serves, cannot go on.
    Fatal,
}

impl LogLevel {
    /// From any sender's word: `warn`, `ERR`, `crit`, `PANIC`, a syslog number, …; `info` for an unknown one.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "trace" | "debug" | "verbose" | "fine" | "finer" | "finest" | "7" => Self::Debug,
            "warn" | "warning" | "w" | "4" => Self::Warning,
            "error" | "err" | "e" | "severe" | "3" => Self::Error,
            "fatal" | "critical" | "crit" | "panic" | "alert" | "emerg" | "emergency" | "f" | "0" | "1" | "2" => {
                Self::Fatal
            }
            _ => Self::Info,
        }
    }

    /// From OpenTelemetry's severity number, 1 to 24.
    #[must_use]
    pub const fn of_otel(number: i32) -> Self {
        match number {
            1..=8 => Self::Debug,
            13..=16 => Self::Warning,
            17..=20 => Self::Error,
            21.. => Self::Fatal,
            _ => Self::Info,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// One log line, redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When, as its sender says.
    pub time: Time,
    /// Which service wrote it, as its sender says.
    pub service: String,
    /// How bad.
    pub level: LogLevel,
    /// The text of the line, redacted.
    pub message: String,
    /// More about it: host, pod, trace, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, as its sender says.
    pub time: Time,
    /// Which service it is about, as its sender says.
    pub service: String,
    /// The metric's name.
    pub metric: String,
    /// Labels that tell it from others, without name and service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The value; always finite.
    pub value: f64,
}

/// What arrives together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TelemetryBatch {
    /// Log lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogRecord>,
    /// Metric samples, in the order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// Spans of requests, in the order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<TraceSpan>,
}

impl TelemetryBatch {
    /// Records, samples and spans in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.logs.len() + self.samples.len() + self.spans.len()
    }

    /// The times that its records say, in no order.
    pub fn times(&self) -> impl Iterator<Item = Time> {
        let logs = self.logs.iter().map(|record| record.time);
        let samples = self.samples.iter().map(|sample| sample.time);
        logs.chain(samples).chain(self.spans.iter().map(|span| span.time))
    }

    /// The services that its records are about, as often as they are named.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        let logs = self.logs.iter().map(|record| record.service.as_str());
        let samples = self.samples.iter().map(|sample| sample.service.as_str());
        logs.chain(samples).chain(self.spans.iter().map(|span| span.service.as_str()))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A stretch of the telemetry's own time: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelemetryWindow {
    /// Its first moment.
    pub from: Time,
    /// The moment behind its last.
    pub to: Time,
}

impl TelemetryWindow {
    /// What lies around a moment.
    #[must_use]
    pub fn around(moment: Time, before: Span, after: Span) -> Self {
        Self { from: moment - before, to: moment + after }
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn holds(&self, moment: Time) -> bool {
        self.from <= moment && moment < self.to
    }
}

/// Which log lines.
#[derive(Clone, Debug)]
pub struct LogFilter {
    /// Keeps lines of one service.
    pub service: Option<String>,
    /// At least this bad.
    pub level: Option<LogLevel>,
    /// With this text in the line, in any case of letters.
    pub contains: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self { service: None, level: None, contains: None, limit: 1_000 }
    }
}

/// Which series.
#[derive(Clone, Debug, Default)]
pub struct SampleFilter {
    /// Keeps samples of one service.
    pub service: Option<String>,
    /// Keeps samples of one metric.
    pub metric: Option<String>,
}

/// One metric of one service with one set of labels over time.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    /// Name of the service that the samples are about.
    pub service: String,
    /// The metric's name.
    pub metric: String,
    /// The labels that tell it from others.
    pub labels: BTreeMap<String, String>,
    /// (when, value), oldest first.
    pub points: Vec<(Time, f64)>,
}

impl LogFilter {
    /// Whether it takes a record; the limit is the caller's business.
    #[must_use]
    pub fn takes(&self, record: &LogRecord) -> bool {
        self.service.as_ref().is_none_or(|service| *service == record.service)
            && self.level.is_none_or(|level| record.level >= level)
            && self.contains.as_ref().is_none_or(|text| record.message.to_lowercase().contains(&text.to_lowercase()))
    }
}

impl SampleFilter {
    /// Whether it takes a sample.
    #[must_use]
    pub fn takes(&self, sample: &Sample) -> bool {
        self.service.as_ref().is_none_or(|service| *service == sample.service)
            && self.metric.as_ref().is_none_or(|metric| *metric == sample.metric)
    }
}

/// Service, metric and labels of a series.
type SeriesKey<'a> = (&'a str, &'a str, &'a BTreeMap<String, String>);

impl MetricSeries {
    /// Series out of samples in any order; of two samples at one moment the later one in the input counts.
    pub fn gather<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<Self> {
        let mut found: BTreeMap<SeriesKey<'_>, BTreeMap<Time, f64>> = BTreeMap::new();
        for sample in samples {
            let key = (sample.service.as_str(), sample.metric.as_str(), &sample.labels);
            found.entry(key).or_default().insert(sample.time, sample.value);
        }
        let series = found.into_iter().map(|((service, metric, labels), points)| Self {
            service: service.to_owned(),
            metric: metric.to_owned(),
            labels: labels.clone(),
            points: points.into_iter().collect(),
        });
        series.collect()
    }
}
