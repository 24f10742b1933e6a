//! What is gathered out of one request: good records by partition, bad ones by name. Owns the bounds of a record
//! and that it is redacted before it goes anywhere; refuses to know what it came in.

use std::collections::BTreeMap;

use crate::door::telemetry::RecordLabels;
use hindcast_domain::event::RejectedItem;
use hindcast_domain::{Partition, Time};
use hindcast_metrics::MetricRegistry;
use hindcast_telemetry::{LogLevel, LogRecord, Sample, TelemetryBatch, TraceSpan};

use super::clean::Cleaner;
use super::joined::{Joined, goes_on};
use super::line::Line;
use super::shaped::{self, RestFollows};
use super::{
    ENVIRONMENTS_MAX, GATHERED_BYTES_MAX, LABELS_MAX, LISTED_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX,
    too_many,
};
use crate::format::Bad;

/// The kind of records of a door, as figures name it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    Log,
    Sample,
    Span,
}

impl RecordKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Sample => "sample",
            Self::Span => "span",
        }
    }

    /// What OTLP calls the number of those that were not taken.
    pub(super) const fn rejected(self) -> &'static str {
        match self {
            Self::Log => "rejectedLogRecords",
            Self::Sample => "rejectedDataPoints",
            Self::Span => "rejectedSpans",
        }
    }
}

/// A series that is clean, and where its samples go.
pub(super) struct SampleSeries {
    partition: Partition,
    service: String,
    metric: String,
    labels: RecordLabels,
    bytes: usize,
}

/// One request's records.
pub(super) struct Intake {
    kind: RecordKind,
    now: Time,
    /// The service of a record that names none.
    service: String,
    cleaner: Cleaner,
    /// The environments as they were named, and what became of each.
    environments: BTreeMap<String, Partition>,
    batches: BTreeMap<Partition, TelemetryBatch>,
    /// Records that were taken.
    pub(super) taken: u64,
    /// Bad records, and the first of them by name.
    pub(super) bad: u64,
    pub(super) rejected: Vec<RejectedItem>,
    codes: BTreeMap<&'static str, u64>,
    /// Samples without a value to keep: stale markers, and what is no number.
    skipped: u64,
    /// Records of which a part was left out.
    truncated: u64,
    /// Values that could not be read and were left out, by what they are.
    mended: BTreeMap<&'static str, u64>,
    /// Where the last line of each service is, and its rest if that follows.
    last: BTreeMap<(Partition, String), (usize, Option<RestFollows>)>,
    /// Bytes of the good ones, roughly.
    bytes: usize,
}

impl Intake {
    pub(super) fn new(kind: RecordKind, now: Time, service: &str) -> Self {
        Self {
            kind,
            now,
            service: service.to_owned(),
            cleaner: Cleaner::default(),
            environments: BTreeMap::new(),
            batches: BTreeMap::new(),
            taken: 0,
            bad: 0,
            rejected: Vec::new(),
            codes: BTreeMap::new(),
            skipped: 0,
            truncated: 0,
            mended: BTreeMap::new(),
            last: BTreeMap::new(),
            bytes: 0,
        }
    }

    pub(super) const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Takes a log line, or says what is wrong with it. A line that goes on with the one before, as the frames of a stack
    /// trace do, becomes a part of it.
    pub(super) fn line(&mut self, line: Line) -> Result<(), Bad> {
        if line.message.trim().is_empty() {
            return Err(Bad::new("no_message", "expected a message, it is missing or empty", "Send the line's text."));
        }
        self.mend("time", u64::from(line.time_unread));
        let (line, follows) = shaped::plain(line, self.now);
        let partition = self.partition(line.environment.as_deref())?;
        let message = self.cleaner.text(&line.message);
        let mut truncated = false;
        let service = self.service(line.service.as_deref(), &mut truncated);
        let time = line.time.unwrap_or(self.now);
        let key = (partition, service);
        let open = self.last.get(&key).cloned();
        let logs = &mut self.batches.entry(key.0.clone()).or_default().logs;
        let before = open.and_then(|(at, rest)| Some((logs.get_mut(at)?, at, rest)));
        match before {
            Some((before, at, rest)) if goes_on(before, rest.is_some(), &message, line.time) => {
                let length = before.message.len();
                let joined = Joined { rest, follows, now: self.now };
                let (labels, follows) = joined.onto(before, &message, line.level, &mut self.cleaner);
                before.message = cut(std::mem::take(&mut before.message), MESSAGE_BYTES_MAX, &mut truncated);
                self.bytes += before.message.len().saturating_sub(length);
                self.last.insert(key.clone(), (at, follows));
                let labels = self.labels(labels, &mut truncated);
                let record = self.batches.get_mut(&key.0).and_then(|batch| batch.logs.get_mut(at));
                record.into_iter().for_each(|record| record.labels.extend(labels.clone()));
            }
            _ => {
                let at = logs.len();
                self.mend("no_time", u64::from(line.time.is_none() && !line.time_unread));
                let record = LogRecord {
                    time,
                    service: key.1.clone(),
                    level: line.level.unwrap_or(LogLevel::Info),
                    message: cut(message, MESSAGE_BYTES_MAX, &mut truncated),
                    labels: self.labels(line.labels, &mut truncated),
                };
                self.bytes += record.message.len() + record.service.len() + bytes_of(&record.labels);
                self.batches.entry(key.0.clone()).or_default().logs.push(record);
                self.last.insert(key, (at, follows));
            }
        }
        self.truncated += u64::from(truncated);
        self.taken += 1;
        Ok(())
    }

    /// Counts values that could not be read and were left out.
    pub(super) fn mend(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.mended.entry(what).or_default() += count;
        }
    }

    /// Cleans a series, or says what is wrong with it.
    pub(super) fn place(
        &mut self,
        environment: Option<&str>,
        service: Option<&str>,
        metric: &str,
        labels: RecordLabels,
    ) -> Result<SampleSeries, Bad> {
        if metric.trim().is_empty() {
            return Err(Bad::new("no_name", "expected a metric's name, it is missing", "Name the metric."));
        }
        let partition = self.partition(environment)?;
        let mut truncated = false;
        let metric = cut(self.cleaner.text(metric), NAME_BYTES_MAX, &mut truncated);
        let service = self.service(service, &mut truncated);
        let labels = self.labels(labels, &mut truncated);
        self.truncated += u64::from(truncated);
        let bytes = metric.len() + service.len() + bytes_of(&labels);
        Ok(SampleSeries { partition, service, metric, labels, bytes })
    }

    /// Takes a sample of a series; one without a finite value is skipped.
    pub(super) fn sample(&mut self, place: &SampleSeries, time: Option<Time>, value: f64) {
        if !value.is_finite() {
            self.skipped += 1;
            return;
        }
        self.taken += 1;
        self.bytes += place.bytes;
        let sample = Sample {
            time: time.unwrap_or(self.now),
            service: place.service.clone(),
            metric: place.metric.clone(),
            labels: place.labels.clone(),
            value,
        };
        match self.batches.get_mut(&place.partition) {
            Some(batch) => batch.samples.push(sample),
            None => self.batches.entry(place.partition.clone()).or_default().samples.push(sample),
        }
    }

    /// Takes a span that began at `time`, of an environment and a service as far as they are named.
    pub(super) fn span(
        &mut self,
        (environment, service): (Option<&str>, Option<&str>),
        time: Option<Time>,
        span: TraceSpan,
    ) -> Result<(), Bad> {
        self.mend("no_time", u64::from(time.is_none()));
        let partition = self.partition(environment)?;
        let mut truncated = false;
        let service = self.service(service, &mut truncated);
        let name = cut(self.cleaner.pair("name", &span.name).1, NAME_BYTES_MAX, &mut truncated);
        let peer = cut(self.cleaner.pair("peer", &span.peer).1, NAME_BYTES_MAX, &mut truncated);
        self.bytes += service.len() + name.len() + peer.len() + size_of::<TraceSpan>();
        self.truncated += u64::from(truncated);
        self.taken += 1;
        let span = TraceSpan { time: time.unwrap_or(self.now), service, name, peer, ..span };
        self.batches.entry(partition).or_default().spans.push(span);
        Ok(())
    }

    /// Refuses a request that becomes far more than it was.
    pub(super) fn check_room(&self) -> hindcast_http::Result<()> {
        if self.bytes > GATHERED_BYTES_MAX {
            return Err(too_many("bytes of records with their labels", GATHERED_BYTES_MAX));
        }
        Ok(())
    }

    /// Notes that a sample has no value, as its sender says.
    pub(super) const fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Names a bad record by its number in the request, or `records` of them that are bad together.
    pub(super) fn reject(&mut self, index: usize, records: u64, bad: &Bad) {
        self.bad += records;
        *self.codes.entry(bad.code).or_default() += records;
        if self.rejected.len() < LISTED_MAX {
            self.rejected.push(RejectedItem {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                code: bad.code.into(),
                detail: self.cleaner.text(&bad.detail),
                remedy: bad.remedy.to_owned(),
            });
        }
    }

    pub(super) fn take_batches(&mut self) -> BTreeMap<Partition, TelemetryBatch> {
        std::mem::take(&mut self.batches)
    }

    pub(super) fn count_bad(&self, metrics: &MetricRegistry) {
        let kind = self.kind.name();
        for (code, count) in &self.codes {
            metrics.count("hindcast_telemetry_rejected_total", &[("kind", kind), ("code", code)], as_count(*count));
        }
    }

    pub(super) fn count_good(&self, metrics: &MetricRegistry) {
        let kind = [("kind", self.kind.name())];
        for (name, count) in [
            ("hindcast_telemetry_records_total", self.taken),
            ("hindcast_telemetry_skipped_total", self.skipped),
            ("hindcast_telemetry_truncated_total", self.truncated),
        ] {
            if count > 0 {
                metrics.count(name, &kind, as_count(count));
            }
        }
        for (what, count) in &self.mended {
            let labels = [("kind", self.kind.name()), ("what", *what)];
            metrics.count("hindcast_telemetry_mended_total", &labels, as_count(*count));
        }
        for (kind, found) in self.cleaner.counts() {
            metrics.count("hindcast_redacted_total", &[("kind", kind)], f64::from(*found));
        }
    }

    /// Where the records of an environment go. Its name is cleaned, since it becomes part of an address.
    fn partition(&mut self, environment: Option<&str>) -> Result<Partition, Bad> {
        let named = environment.unwrap_or_default();
        if let Some(partition) = self.environments.get(named) {
            return Ok(partition.clone());
        }
        if self.environments.len() >= ENVIRONMENTS_MAX {
            let detail = format!("expected at most {ENVIRONMENTS_MAX} environments a request");
            return Err(Bad::new("environments", detail, "Send them in several requests."));
        }
        let partition = Partition::of_environment(&self.cleaner.text(named));
        self.environments.insert(named.to_owned(), partition.clone());
        Ok(partition)
    }

    fn service(&mut self, service: Option<&str>, truncated: &mut bool) -> String {
        let named = service.map(str::trim).filter(|service| !service.is_empty());
        let clean = match named {
            Some(service) => self.cleaner.pair("service", service).1,
            None => self.service.clone(),
        };
        cut(clean, NAME_BYTES_MAX, truncated)
    }

    fn labels(&mut self, labels: RecordLabels, truncated: &mut bool) -> RecordLabels {
        let mut clean = RecordLabels::new();
        for (name, value) in labels {
            if name.is_empty() || value.is_empty() {
                continue;
            }
            if clean.len() >= LABELS_MAX {
                *truncated = true;
                break;
            }
            let (name, value) = self.cleaner.pair(&name, &value);
            let (name, value) = (cut(name, NAME_BYTES_MAX, truncated), cut(value, VALUE_BYTES_MAX, truncated));
            clean.entry(name).or_insert(value);
        }
        clean
    }
}

/// Bytes of labels in memory, roughly.
fn bytes_of(labels: &RecordLabels) -> usize {
    labels.iter().map(|(name, value)| name.len() + value.len() + 48).sum::<usize>() + 64
}

/// A text that fits; it was cleaned before, so that a cut hides nothing from the rules.
fn cut(mut text: String, bytes_max: usize, truncated: &mut bool) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        *truncated = true;
    }
    text
}

#[allow(clippy::cast_precision_loss)] // a request has fewer records than a float has whole numbers
const fn as_count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
