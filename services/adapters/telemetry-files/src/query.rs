//! What is read: lines, series and spans of a stretch, and what arrived. Owns how little of the store is touched for
//! it: only frames whose head says that they may hold something are read, and of these only what is wanted
//! becomes a value of its own.

use std::collections::{BTreeMap, HashMap};

use hindcast_domain::{Partition, Time};
use hindcast_telemetry::{
    ArrivalCursor, Arrived, Error, LogFilter, LogRecord, MetricSeries, SampleFilter, SpanFilter, TelemetryWindow,
    TraceSpan,
};

use crate::codec::{BatchView, LineView};
use crate::index::{FrameRow, RowQuery};
use crate::shelf::StoreCore;

/// Lines of one answer, whatever the caller allows.
const LINES_MAX: usize = 1_000_000;
/// Samples of one answer.
const SAMPLES_MAX: usize = 5_000_000;
/// Spans of one answer, whatever the caller allows.
const SPANS_MAX: usize = 1_000_000;
/// Records after which what arrived is handed out.
const ARRIVED_RECORDS: usize = 1_000;

/// A line with its place: equal times keep the order of arrival.
type PlacedLine = (Time, u64, usize, LogRecord);

pub(crate) fn logs(
    core: &StoreCore,
    partition: &Partition,
    stretch: TelemetryWindow,
    filter: &LogFilter,
) -> Result<Vec<LogRecord>, Error> {
    let limit = filter.limit.min(LINES_MAX);
    let want = RowQuery {
        partition,
        stretch,
        service: filter.service.as_deref(),
        level: filter.level,
        logs: true,
        samples: false,
        spans: false,
    };
    let mut files = Vec::new();
    let mut rows: Vec<(FrameRow, usize)> = Vec::new();
    for found in core.find(&want)? {
        if let Some(file) = core.open(&found.path)? {
            rows.extend(found.rows.into_iter().map(|row| (row, files.len())));
            files.push((found.path, file));
        }
    }
    rows.sort_by_key(|(row, _)| (row.from, row.seq));
    let needle = filter.contains.as_ref().map(|text| text.to_lowercase());
    let mut lines: Vec<PlacedLine> = Vec::new();
    // No line from here on is wanted: there are enough older ones.
    let mut end = stretch.to;
    for (row, file) in rows {
        if limit == 0 || row.from >= end {
            break;
        }
        let Some((path, file)) = files.get(file) else { continue };
        let Some(content) = core.content(file, path, &row)? else { continue };
        let taken = |line: &LineView<'_>| {
            stretch.from <= line.time
                && line.time < end
                && filter.service.as_ref().is_none_or(|service| service == line.service)
                && filter.level.is_none_or(|level| line.level >= level)
                && needle.as_ref().is_none_or(|needle| line.message.to_lowercase().contains(needle))
        };
        if take_lines(&content, row.seq, taken, &mut lines).is_none() {
            core.note_damage(path, &row);
        }
        if lines.len() >= limit {
            lines.sort_by_key(|(time, seq, at, _)| (*time, *seq, *at));
            lines.truncate(limit);
            // A later frame may hold a line of the same time that arrived earlier.
            end = lines.last().map_or(end, |(time, ..)| Time::from_nanos(time.nanos().saturating_add(1)).min(end));
        }
    }
    lines.sort_by_key(|(time, seq, at, _)| (*time, *seq, *at));
    Ok(lines.into_iter().map(|(.., record)| record).collect())
}

fn take_lines(content: &[u8], seq: u64, taken: impl Fn(&LineView<'_>) -> bool, to: &mut Vec<PlacedLine>) -> Option<()> {
    let view = BatchView::of(content)?;
    let (mut at, mut whole) = (0, true);
    view.each_line(|line| {
        at += 1;
        if taken(&line) {
            match view.record(&line) {
                Some(record) => to.push((line.time, seq, at, record)),
                None => whole = false,
            }
        }
    })?;
    whole.then_some(())
}

type SeriesKeyRef = (String, String, BTreeMap<String, String>);
type Points = HashMap<SeriesKeyRef, Vec<(Time, f64)>>;

pub(crate) fn series(
    core: &StoreCore,
    partition: &Partition,
    stretch: TelemetryWindow,
    filter: &SampleFilter,
) -> Result<Vec<MetricSeries>, Error> {
    let service = filter.service.as_deref();
    let want = RowQuery { partition, stretch, service, level: None, logs: false, samples: true, spans: false };
    let mut points = Points::new();
    let mut count = 0;
    for found in core.find(&want)? {
        let Some(file) = core.open(&found.path)? else { continue };
        for row in &found.rows {
            let Some(content) = core.content(&file, &found.path, row)? else { continue };
            match take_samples(&content, stretch, filter, &mut points) {
                Some(taken) => count += taken,
                None => core.note_damage(&found.path, row),
            }
            if count > SAMPLES_MAX {
                return Err(Error::Refused(format!(
                    "expected at most {SAMPLES_MAX} samples in an answer; narrow the stretch, the service or the metric"
                )));
            }
        }
    }
    Ok(gathered(points))
}

fn take_samples(content: &[u8], stretch: TelemetryWindow, filter: &SampleFilter, points: &mut Points) -> Option<usize> {
    let view = BatchView::of(content)?;
    let wanted = |(service, metric, _): &(&str, &str, BTreeMap<String, String>)| {
        filter.service.as_ref().is_none_or(|wanted| wanted == service)
            && filter.metric.as_ref().is_none_or(|wanted| wanted == metric)
    };
    let series = view.series()?;
    let mut new: Vec<Vec<(Time, f64)>> = vec![Vec::new(); series.len()];
    let kept: Vec<bool> = series.iter().map(wanted).collect();
    let (mut count, mut whole) = (0, true);
    view.each_sample(|number, time, value| match (kept.get(number), new.get_mut(number)) {
        (Some(true), Some(new)) if stretch.holds(time) => {
            count += 1;
            new.push((time, value));
        }
        (Some(_), Some(_)) => {}
        _ => whole = false,
    })?;
    for ((service, metric, labels), new) in series.into_iter().zip(new) {
        if !new.is_empty() {
            points.entry((service.to_owned(), metric.to_owned(), labels)).or_default().extend(new);
        }
    }
    whole.then_some(count)
}

/// Series in the order of their names; of two samples at one moment the one that arrived later counts.
fn gathered(points: Points) -> Vec<MetricSeries> {
    let sorted: BTreeMap<SeriesKeyRef, Vec<(Time, f64)>> = points.into_iter().collect();
    let series = sorted.into_iter().map(|((service, metric, labels), mut points)| {
        points.sort_by_key(|(time, _)| *time);
        points.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
        MetricSeries { service, metric, labels, points }
    });
    series.collect()
}

/// Spans of a stretch. Frames are read from the newest on, until none can hold a newer span than those that are there.
pub(crate) fn spans(
    core: &StoreCore,
    partition: &Partition,
    stretch: TelemetryWindow,
    filter: &SpanFilter,
) -> Result<Vec<TraceSpan>, Error> {
    let service = filter.service.as_deref();
    let want = RowQuery { partition, stretch, service, level: None, logs: false, samples: false, spans: true };
    let limit = filter.limit.min(SPANS_MAX);
    let mut files = Vec::new();
    let mut rows: Vec<(FrameRow, usize)> = Vec::new();
    for found in core.find(&want)? {
        if let Some(file) = core.open(&found.path)? {
            rows.extend(found.rows.into_iter().map(|row| (row, files.len())));
            files.push((found.path, file));
        }
    }
    rows.sort_by_key(|(row, _)| std::cmp::Reverse((row.to, row.seq)));
    let mut found: Vec<(Time, u64, usize, TraceSpan)> = Vec::new();
    let mut from = stretch.from;
    for (row, file) in rows {
        if limit == 0 || row.to < from {
            break;
        }
        let Some((path, file)) = files.get(file) else { continue };
        let Some(content) = core.content(file, path, &row)? else { continue };
        let mut at = 0;
        let read = BatchView::of(&content).and_then(|view| {
            view.each_span(|span| {
                at += 1;
                if from <= span.time && span.time < stretch.to && filter.takes(span.service) {
                    found.push((span.time, row.seq, at, span.span()));
                }
            })
        });
        if read.is_none() {
            core.note_damage(path, &row);
        }
        if found.len() > limit {
            found.sort_by_key(|(time, seq, at, _)| (*time, *seq, *at));
            found.drain(..found.len() - limit);
            from = found.first().map_or(from, |(time, ..)| *time);
        }
    }
    found.sort_by_key(|(time, seq, at, _)| (*time, *seq, *at));
    Ok(found.into_iter().map(|(.., span)| span).collect())
}

/// What arrived behind a place, and the last place that was looked at where nothing could be handed out.
pub(crate) fn arrived(core: &StoreCore, place: u64) -> Result<(Vec<Arrived>, Option<u64>), Error> {
    let Some(found) = core.behind(place)? else { return Ok((Vec::new(), None)) };
    let last = found.rows.last().map(|row| row.seq);
    let Some(file) = core.open(&found.path)? else { return Ok((Vec::new(), last)) };
    let (mut arrived, mut records) = (Vec::new(), 0);
    for row in &found.rows {
        if records >= ARRIVED_RECORDS {
            break;
        }
        let Some(content) = core.content(&file, &found.path, row)? else { continue };
        let batch = BatchView::of(&content).and_then(|view| view.batch());
        let partition = found.partitions.get(row.share as usize);
        let (Some(batch), Some(partition)) = (batch, partition) else {
            core.note_damage(&found.path, row);
            continue;
        };
        records += batch.len();
        arrived.push(Arrived { next: ArrivalCursor(row.seq), partition: partition.clone(), batch });
    }
    Ok((arrived, last))
}
