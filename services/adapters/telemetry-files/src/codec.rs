//! A batch as bytes and back. Owns the encoding of a frame's content; refuses to know where it lies.
//!
//! Every text that repeats (services, metrics, labels) stands once in a table, every set of labels once, every
//! series once; records refer to them by number, and times are differences to the time before. Numbers are
//! LEB128, signed ones zigzag before. So a thousand lines become a fraction of their JSON before anything
//! compresses them, and a reader can look at a line without allocating anything for it.

use std::collections::BTreeMap;

use hindcast_domain::Time;
use hindcast_telemetry::{LogLevel, LogRecord, Sample, SpanKind, TelemetryBatch, TraceSpan};

use crate::bytes::{ByteReader, ByteWriter, StringTable};

type LabelRefs = BTreeMap<String, String>;

/// A batch as bytes.
pub(crate) fn encode(batch: &TelemetryBatch) -> Vec<u8> {
    let (mut texts, mut sets) = (StringTable::new(), StringTable::<&LabelRefs>::new());
    let mut series = StringTable::<(u64, u64, u64)>::new();
    let (mut logs, mut samples) = (ByteWriter::default(), ByteWriter::default());
    let mut before = 0_i64;
    for record in &batch.logs {
        logs.signed(record.time.nanos().wrapping_sub(before));
        before = record.time.nanos();
        logs.number(texts.number(record.service.as_str()));
        logs.0.push(record.level as u8);
        logs.number(sets.number(&record.labels));
        logs.bytes(record.message.as_bytes());
    }
    before = 0;
    for sample in &batch.samples {
        let key =
            (texts.number(sample.service.as_str()), texts.number(sample.metric.as_str()), sets.number(&sample.labels));
        samples.number(series.number(key));
        samples.signed(sample.time.nanos().wrapping_sub(before));
        before = sample.time.nanos();
        samples.0.extend_from_slice(&sample.value.to_le_bytes());
    }
    let spans = encode_spans(&batch.spans, &mut texts);
    let mut tables = ByteWriter::default();
    tables.number(sets.order.len() as u64);
    for set in &sets.order {
        tables.number(set.len() as u64);
        for (name, value) in *set {
            tables.number(texts.number(name));
            tables.number(texts.number(value));
        }
    }
    tables.number(series.order.len() as u64);
    for (service, metric, set) in &series.order {
        [*service, *metric, *set].into_iter().for_each(|number| tables.number(number));
    }
    let mut whole = ByteWriter::default();
    whole.number(texts.order.len() as u64);
    texts.order.iter().for_each(|text| whole.bytes(text.as_bytes()));
    whole.0.extend_from_slice(&tables.0);
    whole.number(batch.logs.len() as u64);
    whole.bytes(&logs.0);
    whole.number(batch.samples.len() as u64);
    whole.0.extend_from_slice(&samples.0);
    whole.0.extend_from_slice(&spans);
    whole.0
}

/// The bit of a span's flags that says that it failed; those below are its kind.
const FAILED: u8 = 0x08;

/// Spans stand behind the samples, their number first; a batch without any has nothing there, as those of versions that
/// knew no spans.
fn encode_spans<'a>(spans: &'a [TraceSpan], texts: &mut StringTable<&'a str>) -> Vec<u8> {
    let mut to = ByteWriter::default();
    if spans.is_empty() {
        return to.0;
    }
    to.number(spans.len() as u64);
    let mut before = 0_i64;
    for span in spans {
        to.signed(span.time.nanos().wrapping_sub(before));
        before = span.time.nanos();
        to.number(span.nanos);
        to.number(texts.number(span.service.as_str()));
        to.number(texts.number(span.name.as_str()));
        to.number(texts.number(span.peer.as_str()));
        to.0.push(span.kind as u8 | if span.failed { FAILED } else { 0 });
        to.0.extend_from_slice(&span.trace.to_le_bytes());
        to.0.extend_from_slice(&span.id.to_le_bytes());
        to.0.extend_from_slice(&span.parent.to_le_bytes());
    }
    to.0
}

/// A batch that is looked at where it lies.
pub(crate) struct BatchView<'a> {
    texts: Vec<&'a str>,
    sets: Vec<Vec<(u32, u32)>>,
    /// Service, metric and set of labels of each series.
    series: Vec<(u32, u32, u32)>,
    logs: (usize, ByteReader<'a>),
    samples: (usize, ByteReader<'a>),
}

/// A log line where it lies.
#[derive(Clone, Copy)]
pub(crate) struct LineView<'a> {
    pub(crate) time: Time,
    pub(crate) service: &'a str,
    pub(crate) level: LogLevel,
    pub(crate) message: &'a str,
    set: u32,
}

/// A span where it lies.
#[derive(Clone, Copy)]
pub(crate) struct SpanView<'a> {
    pub(crate) time: Time,
    nanos: u64,
    pub(crate) service: &'a str,
    name: &'a str,
    peer: &'a str,
    kind: SpanKind,
    pub(crate) failed: bool,
    trace: u128,
    id: u64,
    parent: u64,
}

impl SpanView<'_> {
    /// As a record of its own.
    pub(crate) fn span(&self) -> TraceSpan {
        TraceSpan {
            time: self.time,
            nanos: self.nanos,
            service: self.service.to_owned(),
            name: self.name.to_owned(),
            kind: self.kind,
            trace: self.trace,
            id: self.id,
            parent: self.parent,
            failed: self.failed,
            peer: self.peer.to_owned(),
        }
    }
}

impl<'a> BatchView<'a> {
    /// `None` where the bytes are not what [`encode`] makes.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = ByteReader(bytes);
        let index = |reader: &mut ByteReader<'a>| u32::try_from(reader.number()?).ok();
        let texts = (0..reader.count()?).map(|_| reader.text()).collect::<Option<Vec<_>>>()?;
        let count = reader.count()?;
        let mut sets = Vec::with_capacity(count);
        for _ in 0..count {
            let pairs = reader.count()?;
            sets.push(
                (0..pairs).map(|_| Some((index(&mut reader)?, index(&mut reader)?))).collect::<Option<Vec<_>>>()?,
            );
        }
        let count = reader.count()?;
        let triple = |_| Some((index(&mut reader)?, index(&mut reader)?, index(&mut reader)?));
        let series = (0..count).map(triple).collect::<Option<Vec<_>>>()?;
        let logs = reader.count()?;
        let lines = ByteReader(reader.bytes()?);
        let samples = reader.count()?;
        Some(Self { texts, sets, series, logs: (logs, lines), samples: (samples, reader) })
    }

    /// Hands out every log line in the order of the batch; `None` where the bytes are no lines.
    pub(crate) fn each_line(&self, mut f: impl FnMut(LineView<'a>)) -> Option<()> {
        let (count, mut reader) = self.logs;
        let mut time = 0_i64;
        for _ in 0..count {
            time = time.wrapping_add(reader.signed()?);
            let service = self.text(u32::try_from(reader.number()?).ok()?)?;
            let level = level(reader.byte()?)?;
            let set = u32::try_from(reader.number()?).ok()?;
            let message = reader.text()?;
            f(LineView { time: Time::from_nanos(time), service, level, message, set });
        }
        Some(())
    }

    /// Hands out every sample as (number of its series, when, value) in the order of the batch.
    pub(crate) fn each_sample(&self, f: impl FnMut(usize, Time, f64)) -> Option<()> {
        self.samples_then_rest(f).map(drop)
    }

    /// The same, and what stands behind the samples.
    fn samples_then_rest(&self, mut f: impl FnMut(usize, Time, f64)) -> Option<ByteReader<'a>> {
        let (count, mut reader) = self.samples;
        let mut time = 0_i64;
        for _ in 0..count {
            let series = reader.size()?;
            time = time.wrapping_add(reader.signed()?);
            let value = f64::from_le_bytes(reader.take(8)?.try_into().ok()?);
            f(series, Time::from_nanos(time), value);
        }
        Some(reader)
    }

    /// Hands out every span in the order of the batch, as its service, its time and the rest of it.
    pub(crate) fn each_span(&self, mut f: impl FnMut(SpanView<'a>)) -> Option<()> {
        let mut reader = self.samples_then_rest(|_, _, _| {})?;
        let count = if reader.0.is_empty() { 0 } else { reader.count()? };
        let mut time = 0_i64;
        for _ in 0..count {
            time = time.wrapping_add(reader.signed()?);
            let nanos = reader.number()?;
            let mut text = || self.text(u32::try_from(reader.number()?).ok()?);
            let (service, name, peer) = (text()?, text()?, text()?);
            let flags = reader.byte()?;
            f(SpanView {
                time: Time::from_nanos(time),
                nanos,
                service,
                name,
                peer,
                kind: *SpanKind::ALL.get(usize::from(flags & !FAILED))?,
                failed: flags & FAILED != 0,
                trace: u128::from_le_bytes(reader.take(16)?.try_into().ok()?),
                id: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
                parent: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
            });
        }
        Some(())
    }

    /// Service, metric and labels of each series.
    pub(crate) fn series(&self) -> Option<Vec<(&'a str, &'a str, LabelRefs)>> {
        let one = |(service, metric, set): &(u32, u32, u32)| {
            Some((self.text(*service)?, self.text(*metric)?, self.labels(*set)?))
        };
        self.series.iter().map(one).collect()
    }

    /// A line as a record of its own.
    pub(crate) fn record(&self, line: &LineView<'a>) -> Option<LogRecord> {
        Some(LogRecord {
            time: line.time,
            service: line.service.to_owned(),
            level: line.level,
            message: line.message.to_owned(),
            labels: self.labels(line.set)?,
        })
    }

    fn text(&self, number: u32) -> Option<&'a str> {
        self.texts.get(number as usize).copied()
    }

    fn labels(&self, set: u32) -> Option<LabelRefs> {
        let owned = |(name, value): &(u32, u32)| Some((self.text(*name)?.to_owned(), self.text(*value)?.to_owned()));
        self.sets.get(set as usize)?.iter().map(owned).collect()
    }

    /// All of it, in the order in which it was given.
    pub(crate) fn batch(&self) -> Option<TelemetryBatch> {
        let mut batch = TelemetryBatch::default();
        let mut whole = true;
        self.each_line(|line| match self.record(&line) {
            Some(record) => batch.logs.push(record),
            None => whole = false,
        })?;
        let series = self.series()?;
        self.each_sample(|number, time, value| match series.get(number) {
            Some((service, metric, labels)) => batch.samples.push(Sample {
                time,
                service: (*service).to_owned(),
                metric: (*metric).to_owned(),
                labels: labels.clone(),
                value,
            }),
            None => whole = false,
        })?;
        self.each_span(|span| batch.spans.push(span.span()))?;
        whole.then_some(batch)
    }
}

pub(crate) const fn level(byte: u8) -> Option<LogLevel> {
    match byte {
        0 => Some(LogLevel::Debug),
        1 => Some(LogLevel::Info),
        2 => Some(LogLevel::Warning),
        3 => Some(LogLevel::Error),
        4 => Some(LogLevel::Fatal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> LabelRefs {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn batch() -> TelemetryBatch {
        let record = |nanos, level, message: &str| LogRecord {
            time: Time::from_nanos(nanos),
            service: "a".to_owned(),
            level,
            message: message.to_owned(),
            labels: labels(&[("pod", "a-1"), ("", "ä")]),
        };
        let sample = |nanos, value| Sample {
            time: Time::from_nanos(nanos),
            service: "a".to_owned(),
            metric: "m".to_owned(),
            labels: labels(&[("pod", "a-1")]),
            value,
        };
        TelemetryBatch {
            logs: vec![
                record(i64::MAX, LogLevel::Fatal, "x\ny"),
                record(i64::MIN, LogLevel::Debug, ""),
                record(0, LogLevel::Info, "z"),
            ],
            samples: vec![sample(5, -0.0), sample(-5, f64::MAX), sample(0, 1.5e-300)],
            spans: Vec::new(),
        }
    }

    fn with_spans() -> TelemetryBatch {
        let span = |nanos: i64, kind, failed| TraceSpan {
            time: Time::from_nanos(nanos),
            nanos: u64::MAX,
            service: "a".to_owned(),
            name: "GET /ä".to_owned(),
            kind,
            trace: u128::MAX - 1,
            id: 7,
            parent: 0,
            failed,
            peer: "b".to_owned(),
        };
        let spans = vec![span(i64::MAX, SpanKind::Consumer, true), span(-1, SpanKind::Internal, false)];
        TelemetryBatch { spans, ..batch() }
    }

    #[test]
    fn what_was_encoded_comes_back() {
        for batch in [TelemetryBatch::default(), batch(), with_spans()] {
            let bytes = encode(&batch);
            assert_eq!(BatchView::of(&bytes).unwrap().batch(), Some(batch));
        }
    }

    #[test]
    fn what_is_cut_off_or_changed_never_panics() {
        let bytes = encode(&batch());
        for end in 0..bytes.len() {
            assert_eq!(BatchView::of(&bytes[..end]).and_then(|view| view.batch()), None, "cut at {end}");
        }
        let spans = encode(&with_spans());
        for end in 0..spans.len() {
            // Behind its samples the batch is whole, as one without spans.
            let found = BatchView::of(&spans[..end]).and_then(|view| view.batch());
            assert!(found.is_none_or(|found| found.spans.is_empty()), "cut at {end}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                std::hint::black_box(BatchView::of(&changed).and_then(|view| view.batch()));
            }
        }
    }
}
