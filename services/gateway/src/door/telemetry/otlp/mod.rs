//! OpenTelemetry's protocol over HTTP: `/v1/logs` and `/v1/metrics`, as protobuf and as JSON. Owns the encodings
//! and the answers that OTLP 1.x asks for; what the messages mean stands in `logs` and `metrics`.

mod logs;
mod mend;
mod messages;
mod metrics;
mod value;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_domain::Time;
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

/// `POST /v1/logs`
pub(crate) async fn logs(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    let read = |body: &[u8], encoding, now| {
        let (request, mended): (ExportLogs, Mended) = decode(body, encoding, &logs::SHAPE, "resourceLogs")?;
        let mut intake = Intake::new(RecordKind::Log, now, SERVICE);
        logs::gather(request, &mut intake)?;
        tell(&mended, &mut intake);
        Ok(intake)
    };
    take(&gateway, &headers, body, read).await
}

/// `POST /v1/metrics`
pub(crate) async fn metrics(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    let read = |body: &[u8], encoding, now| {
        let (request, mended): (ExportMetrics, Mended) = decode(body, encoding, &metrics::SHAPE, "resourceMetrics")?;
        let mut intake = Intake::new(RecordKind::Sample, now, SERVICE);
        metrics::gather(request, &mut intake)?;
        tell(&mended, &mut intake);
        Ok(intake)
    };
    take(&gateway, &headers, body, read).await
}

/// Counts what was mended, and names the records that are none.
fn tell(mended: &Mended, intake: &mut Intake) {
    intake.mend("value", mended.values);
    if mended.records > 0 {
        let bad = Bad::new("not_an_object", "expected an object, got another value", "Send every record as an object.");
        intake.reject(0, mended.records, &bad);
    }
}

async fn take(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Body,
    read: impl FnOnce(&[u8], OtlpEncoding, Time) -> Result<Intake> + Send + 'static,
) -> Result<Response> {
    let packed = arrive(gateway, headers, body).await?;
    let encoding = encoding(headers)?;
    let body: Bytes = unpacked(headers, packed).await?;
    let now = gateway.now();
    let mut intake = off(body.len(), move || read(&body, encoding, now)).await?;
    if let Some(first) = intake.rejected.first().filter(|_| intake.taken == 0) {
        intake.count_bad(&gateway.inner.metrics);
        let detail = format!("none of {} records is good; record {}: {}", intake.bad, first.index, first.detail);
        // OTLP: what can never be taken is answered 400, so that nobody sends it again.
        return Err(HttpRefusal(Problem::new(Code::Malformed, detail).remedy(first.remedy.clone())));
    }
    keep(gateway, &mut intake).await?;
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

/// Reads an export whose list of resources is `list`.
fn decode<M: Message + Default + DeserializeOwned>(
    body: &[u8],
    encoding: OtlpEncoding,
    shape: &'static Shape,
    list: &str,
) -> Result<(M, Mended)> {
    let malformed = |error: String| {
        let problem = Problem::new(Code::Malformed, format!("expected an OTLP request: {error}"));
        HttpRefusal(problem.remedy("Send an ExportLogsServiceRequest or ExportMetricsServiceRequest of OTLP 1.x."))
    };
    match encoding {
        OtlpEncoding::Protobuf => {
            wire::check(body, shape)?;
            let request = M::decode(body).map_err(|error| malformed(error.to_string()))?;
            Ok((request, Mended::default()))
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
            let is_export = is_empty || value.as_object().is_some_and(|fields| fields.contains_key(list));
            if !is_export {
                return Err(malformed(format!("there is no list in {list:?}")));
            }
            let request = serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
            Ok((request, mended))
        }
    }
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

/// The answer in the encoding of the request: empty where all was taken, else what was not.
fn answer(intake: &Intake, encoding: OtlpEncoding) -> Response {
    let message = intake.rejected.first().map(|first| {
        format!(
            "{} records are bad and were not taken; record {}: {} {}",
            intake.bad, first.index, first.detail, first.remedy
        )
    });
    let rejected = i64::try_from(intake.bad).unwrap_or(i64::MAX);
    match encoding {
        OtlpEncoding::Protobuf => {
            let partial = message.map(|error_message| Partial { rejected, error_message });
            let body = Exported { partial_success: partial }.encode_to_vec();
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/x-protobuf")], body).into_response()
        }
        OtlpEncoding::Json => {
            let body = match message {
                Some(message) => {
                    json!({ "partialSuccess": { intake.kind().rejected(): rejected.to_string(), "errorMessage": message } })
                }
                None => json!({}),
            };
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
    }
}
