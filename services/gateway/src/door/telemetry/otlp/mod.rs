//! OpenTelemetry's protocol over HTTP: `/v1/logs`, `/v1/metrics` and `/v1/traces`, as protobuf and as JSON. Owns the
//! encodings and the answers that OTLP 1.x asks for; what the messages mean stands in `logs`, `metrics` and `spans`.

pub(crate) mod grpc;
mod logs;
mod mend;
mod messages;
mod metrics;
mod salvage;
mod span_messages;
mod spans;
mod value;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::intake::{Intake, RecordKind};
use super::reading::{arrive, keep, media, off, unpacked};
use super::wire::{self, Shape};
use super::{OBJECTS_MAX, too_many};
use crate::Gateway;
use crate::format::Bad;
use mend::Mended;
use messages::{ExportLogs, ExportMetrics, Exported, Partial};
use span_messages::ExportTraces;

/// The service of records whose resource names none.
const SERVICE: &str = "otlp";
/// Levels of nesting that are read.
const DEPTH_MAX: usize = hindcast_domain::limits::JSON_DEPTH_MAX;

/// How a request is written, which is also how it is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OtlpEncoding {
    Protobuf,
    Json,
}

/// What an export is of: its list of resources and its nesting, and how its records are gathered.
trait Export: Message + Default + DeserializeOwned {
    const KIND: RecordKind;
    /// The name of its list of resources in JSON.
    const LIST: &'static str;
    const SHAPE: &'static Shape;

    fn gather(self, intake: &mut Intake) -> Result<()>;
}

impl Export for ExportLogs {
    const KIND: RecordKind = RecordKind::Log;
    const LIST: &'static str = "resourceLogs";
    const SHAPE: &'static Shape = &logs::SHAPE;

    fn gather(self, intake: &mut Intake) -> Result<()> {
        logs::gather(self, intake)
    }
}

impl Export for ExportMetrics {
    const KIND: RecordKind = RecordKind::Sample;
    const LIST: &'static str = "resourceMetrics";
    const SHAPE: &'static Shape = &metrics::SHAPE;

    fn gather(self, intake: &mut Intake) -> Result<()> {
        metrics::gather(self, intake)
    }
}

impl Export for ExportTraces {
    const KIND: RecordKind = RecordKind::Span;
    const LIST: &'static str = "resourceSpans";
    const SHAPE: &'static Shape = &spans::SHAPE;

    fn gather(self, intake: &mut Intake) -> Result<()> {
        spans::gather(self, intake)
    }
}

/// `POST /v1/logs`
pub(crate) async fn logs(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    take::<ExportLogs>(&gateway, &headers, body).await
}

/// `POST /v1/metrics`
pub(crate) async fn metrics(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    take::<ExportMetrics>(&gateway, &headers, body).await
}

/// `POST /v1/traces`
pub(crate) async fn traces(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    take::<ExportTraces>(&gateway, &headers, body).await
}

/// Reads an export and has the store keep its good records; the intake says what became of them.
async fn kept<M: Export>(gateway: &Gateway, body: Bytes, encoding: OtlpEncoding) -> Result<Intake> {
    let now = gateway.now();
    let bytes = body.len();
    let read = move || {
        let (request, mended): (M, Mended) = decode(&body, encoding)?;
        let mut intake = Intake::new(M::KIND, now, SERVICE);
        request.gather(&mut intake)?;
        tell(&mended, &mut intake);
        Ok::<_, HttpRefusal>(intake)
    };
    let mut intake = off(bytes, read).await?;
    if let Some(first) = intake.rejected.first().filter(|_| intake.taken == 0) {
        intake.count_bad(&gateway.inner.metrics);
        let detail = format!("none of {} records is good; record {}: {}", intake.bad, first.index, first.detail);
        // OTLP: what can never be taken is answered 400, so that nobody sends it again.
        return Err(HttpRefusal(Problem::new(Code::Malformed, detail).remedy(first.remedy.clone())));
    }
    keep(gateway, &mut intake).await?;
    Ok(intake)
}

/// Counts what was mended, and names the records that are none.
fn tell(mended: &Mended, intake: &mut Intake) {
    intake.mend("value", mended.values);
    if mended.records > 0 {
        let bad = Bad::new("not_an_object", "expected an object, got another value", "Send every record as an object.");
        intake.reject(0, mended.records, &bad);
    }
}

async fn take<M: Export>(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Response> {
    let packed = arrive(gateway, headers, body).await?;
    let encoding = encoding(headers)?;
    let body: Bytes = unpacked(headers, packed).await?;
    let intake = kept::<M>(gateway, body, encoding).await?;
    Ok(answer(&intake, encoding))
}

fn encoding(headers: &HeaderMap) -> Result<OtlpEncoding> {
    match media(headers).as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(OtlpEncoding::Protobuf),
        "application/json" => Ok(OtlpEncoding::Json),
        other => {
            let detail = format!("expected application/x-protobuf or application/json, got {other:.64?}");
            let problem = Problem::new(Code::UnsupportedMediaType, detail);
            Err(HttpRefusal(problem.remedy("Set the exporter's protocol to http/protobuf or http/json.")))
        }
    }
}

/// Reads an export. What cannot be read of it costs the value or the record that it stands in.
fn decode<M: Export>(body: &[u8], encoding: OtlpEncoding) -> Result<(M, Mended)> {
    match encoding {
        OtlpEncoding::Protobuf => {
            wire::check(body, M::SHAPE)?;
            match M::decode(body) {
                Ok(request) => Ok((request, Mended::default())),
                Err(error) => salvage::protobuf(body).ok_or_else(|| malformed(&error)),
            }
        }
        OtlpEncoding::Json => {
            let (depth, objects) = brackets(body);
            if depth > DEPTH_MAX {
                let detail = format!("expected at most {DEPTH_MAX} levels of nesting, got {depth}");
                return Err(HttpRefusal::new(Code::OverLimit, detail));
            }
            if objects > OBJECTS_MAX {
                return Err(too_many("objects", OBJECTS_MAX));
            }
            let value = hindcast_http::json(body)?;
            let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
            let (value, mended) = mend::export(value);
            // Nothing of it would be understood, and "taken" would not be so.
            let is_export = is_empty || value.as_object().is_some_and(|fields| fields.contains_key(M::LIST));
            if !is_export {
                return Err(malformed(&format!("there is no list in {:?}", M::LIST)));
            }
            match M::deserialize(&value) {
                Ok(request) => Ok((request, mended)),
                Err(error) => salvage::json(value, M::LIST, mended).ok_or_else(|| malformed(&error)),
            }
        }
    }
}

fn malformed(error: &impl std::fmt::Display) -> HttpRefusal {
    let problem = Problem::new(Code::Malformed, format!("expected an OTLP request: {error}"));
    HttpRefusal(problem.remedy("Send an export request of OTLP 1.x: of logs, of metrics or of spans."))
}

/// The deepest nesting and the number of objects, without building anything: brackets outside of strings.
fn brackets(body: &[u8]) -> (usize, usize) {
    let (mut deepest, mut depth, mut objects) = (0_usize, 0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                objects += usize::from(*byte == b'{');
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (deepest, objects)
}

/// What became of an export: empty where all was taken, else what was not.
fn exported(intake: &Intake) -> Exported {
    let message = intake.rejected.first().map(|first| {
        format!(
            "{} records are bad and were not taken; record {}: {} {}",
            intake.bad, first.index, first.detail, first.remedy
        )
    });
    let rejected = i64::try_from(intake.bad).unwrap_or(i64::MAX);
    Exported { partial_success: message.map(|error_message| Partial { rejected, error_message }) }
}

/// The answer in the encoding of the request.
fn answer(intake: &Intake, encoding: OtlpEncoding) -> Response {
    let exported = exported(intake);
    match encoding {
        OtlpEncoding::Protobuf => {
            let body = exported.encode_to_vec();
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/x-protobuf")], body).into_response()
        }
        OtlpEncoding::Json => {
            let body = exported.partial_success.map_or_else(
                || json!({}),
                |partial| {
                    json!({ "partialSuccess": { intake.kind().rejected(): partial.rejected.to_string(),
                                            "errorMessage": partial.error_message } })
                },
            );
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
    }
}
