//! Prometheus' remote write 1.0: `POST /api/v1/write`. Owns its messages and its answers; refuses version 2.0
//! with what to set instead.
//!
//! A sender gives up what is answered 400, and comes again with what is answered 5xx. So a request that is partly
//! bad is answered as Prometheus answers one: its good samples are kept, and 400 names what was not.

use crate::door::telemetry::RecordLabels;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use hindcast_api::{Code, Problem};
use hindcast_domain::Time;
use hindcast_domain::limits::REQUEST_BYTES_MAX;
use hindcast_http::{HttpRefusal, Result};
use prost::Message;

use super::intake::{Intake, RecordKind, SampleSeries};
use super::reading::{arrive, keep, media, off};
use super::wire::{self, LEAF, Shape};
use super::{RECORDS_MAX, too_many};
use crate::Gateway;
use crate::format::Bad;

/// The service of series that name none.
const SERVICE: &str = "prometheus";
/// Labels that name the service, the surest first.
const SERVICES: [&str; 3] = ["service", "app", "job"];
/// Labels that name the environment.
const ENVIRONMENTS: [&str; 2] = ["environment", "env"];
/// The value that ends a series.
const STALE: u64 = 0x7ff0_0000_0000_0002;

static SHAPE: Shape = Shape(&[(1, &SERIES)]);
static SERIES: Shape = Shape(&[(1, &LEAF), (2, &LEAF), (4, &LEAF)]);

/// The field of `prometheus.WriteRequest` that holds its series; its metadata is passed over.
const TIMESERIES: u64 = 1;

/// One of the series, decoded by itself, so that one that is broken costs itself.
#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<WriteLabel>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<WriteSample>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<WriteHistogram>,
}

#[derive(Clone, PartialEq, Message)]
struct WriteLabel {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct WriteSample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// A native histogram; its buckets are not kept.
#[derive(Clone, PartialEq, Message)]
struct WriteHistogram {
    #[prost(uint64, optional, tag = "1")]
    count_int: Option<u64>,
    #[prost(double, optional, tag = "2")]
    count_float: Option<f64>,
    #[prost(double, tag = "3")]
    sum: f64,
    #[prost(int64, tag = "15")]
    timestamp: i64,
}

/// `POST /api/v1/write`
pub(crate) async fn write(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<StatusCode> {
    let packed = arrive(&gateway, &headers, body).await?;
    is_version_1(&headers)?;
    let now = gateway.now();
    let mut intake = off(packed.len(), move || read(&packed, now)).await?;
    keep(&gateway, &mut intake).await?;
    match intake.rejected.first() {
        None => Ok(StatusCode::NO_CONTENT),
        Some(first) => {
            let detail = format!(
                "{} samples are bad and were not kept, {} were; series {}: {}",
                intake.bad, intake.taken, first.index, first.detail
            );
            Err(HttpRefusal(Problem::new(Code::Malformed, detail).remedy(first.remedy.clone())))
        }
    }
}

/// Whether the headers say remote write 1.0 in snappy.
fn is_version_1(headers: &HeaderMap) -> Result<()> {
    let wrong = |detail: String, remedy: &str| {
        Err(HttpRefusal(Problem::new(Code::UnsupportedMediaType, detail).remedy(remedy.to_owned())))
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE);
    let parameters = kind.to_ascii_lowercase();
    if parameters.contains("proto=") && !parameters.contains("proto=prometheus.writerequest") {
        let remedy = "Set `protobuf_message: prometheus.WriteRequest` in remote_write, which is version 1.0.";
        return wrong(format!("expected remote write 1.0, got {kind:.96?}"), remedy);
    }
    if !matches!(media(headers).as_str(), "" | "application/x-protobuf") {
        return wrong(format!("expected application/x-protobuf, got {kind:.64?}"), "Send remote write 1.0.");
    }
    match text(header::CONTENT_ENCODING) {
        "" | "snappy" => Ok(()),
        other => wrong(format!("expected the encoding snappy, got {other:.32?}"), "Send remote write 1.0 in snappy."),
    }
}

fn read(packed: &[u8], now: Time) -> Result<Intake> {
    let body = unsnapped(packed)?;
    wire::check(&body, &SHAPE)?;
    let mut intake = Intake::new(RecordKind::Sample, now, SERVICE);
    let mut seen = 0;
    for (index, (_, series)) in wire::fields(&body).filter(|(field, _)| *field == TIMESERIES).enumerate() {
        let series = match TimeSeries::decode(series) {
            Ok(series) => series,
            Err(error) => {
                let detail = format!("expected a prometheus.TimeSeries: {error}");
                intake.reject(index, 1, &Bad::new("malformed", detail, "Send remote write 1.0."));
                continue;
            }
        };
        let count = series.samples.len() + series.histograms.len();
        seen += count;
        if seen > RECORDS_MAX {
            return Err(too_many("samples", RECORDS_MAX));
        }
        if let Err(bad) = take(series, index, &mut intake) {
            intake.reject(index, count.max(1) as u64, &bad);
        }
        intake.check_room()?;
    }
    Ok(intake)
}

/// What is packed in snappy's block format; how large it becomes is known before it is unpacked.
fn unsnapped(packed: &[u8]) -> Result<Vec<u8>> {
    let malformed = || {
        let problem = Problem::new(Code::Malformed, "expected snappy's block format, the body does not unpack");
        HttpRefusal(problem.remedy("Pack the message with snappy's block format, not its framed one."))
    };
    let size = snap::raw::decompress_len(packed).map_err(|_| malformed())?;
    if size > REQUEST_BYTES_MAX {
        let detail = format!("expected at most {REQUEST_BYTES_MAX} bytes when unpacked, got {size}");
        return Err(HttpRefusal::new(Code::TooLarge, detail));
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(|_| malformed())
}

/// Takes one series: its samples, and a native histogram as its count and its sum.
fn take(series: TimeSeries, index: usize, intake: &mut Intake) -> std::result::Result<(), Bad> {
    let TimeSeries { labels: pairs, samples, histograms } = series;
    let mut labels = RecordLabels::new();
    for WriteLabel { name, value } in pairs {
        if let Some(twice) = labels.insert(name, value) {
            let detail = format!("expected every label once, got one twice with {twice:.64?}");
            return Err(Bad::new("bad_labels", detail, "Send every label of a series once."));
        }
    }
    let metric = labels.remove("__name__").unwrap_or_default();
    let service = SERVICES.iter().find_map(|name| take_named(&mut labels, name));
    let environment = ENVIRONMENTS.iter().find_map(|name| take_named(&mut labels, name));
    let (service, environment) = (service.as_deref(), environment.as_deref());
    let place = intake.place(environment, service, &metric, labels.clone())?;
    put(samples.iter().map(|sample| (sample.timestamp, sample.value)), &place, index, intake);
    if histograms.is_empty() {
        return Ok(());
    }
    let counts = intake.place(environment, service, &format!("{metric}_count"), labels.clone())?;
    put(histograms.iter().map(|of| (of.timestamp, count(of))), &counts, index, intake);
    let sums = intake.place(environment, service, &format!("{metric}_sum"), labels)?;
    put(histograms.iter().map(|of| (of.timestamp, of.sum)), &sums, index, intake);
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // samples are doubles
fn count(histogram: &WriteHistogram) -> f64 {
    histogram.count_float.unwrap_or(histogram.count_int.unwrap_or_default() as f64)
}

fn take_named(labels: &mut RecordLabels, name: &str) -> Option<String> {
    labels.remove(name).filter(|value| !value.trim().is_empty())
}

/// Takes samples in the order of their time; one that is older than the one before it is bad.
fn put(samples: impl Iterator<Item = (i64, f64)>, place: &SampleSeries, index: usize, intake: &mut Intake) {
    let mut newest = i64::MIN;
    for (at, value) in samples {
        if at < newest {
            let detail = format!("expected samples in the order of their time, got {at} ms after {newest} ms");
            intake.reject(index, 1, &Bad::new("out_of_order", detail, "Send each series' samples oldest first."));
            continue;
        }
        newest = at;
        if value.to_bits() == STALE {
            intake.skip();
        } else {
            intake.sample(place, Some(Time::from_millis(at)), value);
        }
    }
}
