//! OpenTelemetry's protocol over gRPC: the three `Export` calls. Owns gRPC's framing of one message, its status in the
//! trailers, and how a refusal of ours is told with its numbers; what is exported is read as over HTTP.
//!
//! Each call has one message and one answer, so that gRPC is HTTP/2 with five bytes before the message and a status
//! behind the answer (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;

use super::super::reading::{arrive, media};
use super::messages::{ExportLogs, ExportMetrics};
use super::span_messages::ExportTraces;
use super::{Export, OtlpEncoding, exported, kept};
use crate::Gateway;

/// Bytes before a message: whether it is packed, and its length.
const PREFIX: usize = 5;
/// The status of a call that went well.
const OK: u16 = 0;
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const KIND: HeaderValue = HeaderValue::from_static("application/grpc");
const ACCEPTS: (HeaderName, HeaderValue) =
    (HeaderName::from_static("grpc-accept-encoding"), HeaderValue::from_static("identity,gzip"));

/// `LogsService/Export`
pub(crate) async fn logs(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Response {
    export::<ExportLogs>(&gateway, &headers, body).await
}

/// `MetricsService/Export`
pub(crate) async fn metrics(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Response {
    export::<ExportMetrics>(&gateway, &headers, body).await
}

/// `TraceService/Export`
pub(crate) async fn traces(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Response {
    export::<ExportTraces>(&gateway, &headers, body).await
}

async fn export<M: Export>(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Response {
    let kind = media(headers);
    if kind != "application/grpc" && !kind.starts_with("application/grpc+") {
        let detail = format!("expected application/grpc, got {kind:.64?}");
        let problem = Problem::new(Code::UnsupportedMediaType, detail);
        let remedy = "Call it with gRPC, or post to /v1/logs, /v1/metrics or /v1/traces.";
        return HttpRefusal(problem.remedy(remedy)).into_response();
    }
    match taken::<M>(gateway, headers, body).await {
        Ok(message) => answered(&message),
        Err(HttpRefusal(problem)) => refused(problem),
    }
}

/// Takes an export; the message of the answer.
async fn taken<M: Export>(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Vec<u8>> {
    let framed = arrive(gateway, headers, body).await?;
    let message = message(headers, &framed).await?;
    let intake = kept::<M>(gateway, message, OtlpEncoding::Protobuf).await?;
    Ok(exported(&intake).encode_to_vec())
}

/// The one message of a call.
async fn message(headers: &HeaderMap, framed: &Bytes) -> Result<Bytes> {
    let prefix: Option<[u8; PREFIX]> = framed.first_chunk().copied();
    let Some([packed, a, b, c, d]) = prefix else {
        return Err(malformed("expected a message with its length before it, got fewer bytes"));
    };
    let message = framed.slice(PREFIX..);
    if message.len() != u32::from_be_bytes([a, b, c, d]) as usize {
        return Err(malformed("expected one message of the length that stands before it"));
    }
    if packed == 0 {
        return Ok(message);
    }
    let encoding = headers.get("grpc-encoding").cloned().unwrap_or(HeaderValue::from_static("identity"));
    if encoding != "gzip" {
        let detail = format!("expected a message that is packed with gzip or not at all, got {encoding:?}");
        let problem = Problem::new(Code::NotImplemented, detail);
        return Err(HttpRefusal(problem.remedy("Set the exporter's compression to gzip or none.")));
    }
    hindcast_http::read(&HeaderMap::from_iter([(header::CONTENT_ENCODING, encoding)]), Body::from(message)).await
}

fn malformed(detail: &str) -> HttpRefusal {
    HttpRefusal(Problem::new(Code::Malformed, detail).remedy("Call it with a client of gRPC."))
}

fn answered(message: &[u8]) -> Response {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from(OK))]);
    let body = Full::new(Bytes::from(framed)).with_trailers(async { Some(Ok(trailers)) });
    ([(header::CONTENT_TYPE, KIND), ACCEPTS], Body::new(body)).into_response()
}

/// A refusal as an answer without a message: its status stands in the headers.
fn refused(problem: Problem) -> Response {
    let told = format!("{} {}", problem.detail, problem.remedy);
    let mut response = ([(header::CONTENT_TYPE, KIND), ACCEPTS], ()).into_response();
    response.headers_mut().insert(STATUS, HeaderValue::from(status(problem.status)));
    if let Ok(told) = HeaderValue::from_str(&escaped(&told)) {
        response.headers_mut().insert(MESSAGE, told);
    }
    response.extensions_mut().insert(problem);
    response
}

/// gRPC's number for a status of HTTP. What may be sent again is "unavailable", and only that: exporters repeat it.
const fn status(http: u16) -> u16 {
    match http {
        400 | 415 | 422 => 3,
        404 | 501 => 12,
        403 => 7,
        413 => 8,
        401 => 16,
        429 | 503 => 14,
        _ => 13,
    }
}

/// Text as gRPC wants it in a header: printable ASCII, all else in percent signs.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            escaped.push(char::from(byte));
        } else if write!(escaped, "%{byte:02X}").is_err() {
            return escaped;
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_for_people_is_ascii() {
        assert_eq!(escaped("100 % of „x“\n"), "100 %25 of %E2%80%9Ex%E2%80%9C%0A");
    }

    #[test]
    fn only_what_may_come_again_is_unavailable() {
        let again: Vec<u16> = (400..600).filter(|http| status(*http) == 14).collect();
        assert_eq!(again, [429, 503]);
    }
}
