//! OTLP spans as spans of requests. Owns which field says what: whether a span failed, whom it calls, and what stands
//! for what is missing; refuses to read bytes and to put a trace together.

use hindcast_domain::Time;
use hindcast_http::Result;
use hindcast_telemetry::{SpanKind, TraceSpan};

use super::super::intake::Intake;
use super::super::wire::{LEAF, Shape};
use super::super::{RECORDS_MAX, too_many};
use super::messages::KeyValue;
use super::span_messages::{ExportTraces, OtlpSpan};
use super::value::{ATTRIBUTE, Origin, RESOURCE, text, time};

/// The nesting of an export of spans.
pub(super) static SHAPE: Shape = Shape(&[(1, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Shape = Shape(&[(1, &RESOURCE), (2, &SCOPE_SPANS)]);
static SCOPE_SPANS: Shape = Shape(&[(2, &SPAN)]);
static SPAN: Shape = Shape(&[(9, &ATTRIBUTE), (15, &LEAF)]);

/// What stands for a name that is missing.
const NO_NAME: &str = "(no name)";
/// The status of a span that failed.
const FAILED: i32 = 2;
/// The status of a span whose author says that it did not.
const FINE: i32 = 1;
/// Attributes with the status of an answer over HTTP.
const HTTP_STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];
/// Attributes that name whom a call reaches, the surest first.
const PEER: [&str; 6] =
    ["peer.service", "server.address", "net.peer.name", "db.system.name", "db.system", "messaging.system"];

/// Gathers all spans of an export.
pub(super) fn gather(request: ExportTraces, intake: &mut Intake) -> Result<()> {
    let mut index = 0;
    for resource in request.resource_spans {
        let origin = Origin::of(&resource.resource.unwrap_or_default().attributes);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            if index >= RECORDS_MAX {
                return Err(too_many("spans", RECORDS_MAX));
            }
            let (time, span) = read(&span, intake);
            if let Err(bad) = intake.span((origin.environment.as_deref(), origin.service.as_deref()), time, span) {
                intake.reject(index, 1, &bad);
            }
            intake.check_room()?;
            index += 1;
        }
    }
    Ok(())
}

/// When it began, where it says so, and the span.
fn read(span: &OtlpSpan, intake: &mut Intake) -> (Option<Time>, TraceSpan) {
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    // One that never ended, or ended before it began, counts and takes no time.
    let nanos = end.checked_sub(start).filter(|_| start > 0);
    intake.mend("duration", u64::from(nanos.is_none()));
    let ids = [(&span.span_id, 8), (&span.trace_id, 16), (&span.parent_span_id, 8)];
    let odd = ids.iter().filter(|(id, size)| !id.is_empty() && id.len() != *size).count();
    intake.mend("id", odd as u64);
    let is_named = !span.name.trim().is_empty();
    intake.mend("name", u64::from(!is_named));
    let kind = kind(span.kind);
    let read = TraceSpan {
        time: Time::ZERO,
        nanos: nanos.unwrap_or_default(),
        service: String::new(),
        name: if is_named { span.name.trim().to_owned() } else { NO_NAME.to_owned() },
        kind,
        trace: span.trace_id.as_slice().try_into().map(u128::from_be_bytes).unwrap_or_default(),
        id: short(&span.span_id),
        parent: short(&span.parent_span_id),
        failed: failed(span),
        peer: if kind.calls() { peer(&span.attributes) } else { String::new() },
    };
    (time(start).or_else(|| time(end)), read)
}

fn short(id: &[u8]) -> u64 {
    id.try_into().map(u64::from_be_bytes).unwrap_or_default()
}

/// The numbers are those of `trace.proto`.
const fn kind(number: i32) -> SpanKind {
    match number {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

/// What its status says; without one, an answer that a server could not give, or a flag of older libraries.
fn failed(span: &OtlpSpan) -> bool {
    match span.status.as_ref().map_or(0, |status| status.code) {
        FAILED => true,
        FINE => false,
        _ => {
            let status = HTTP_STATUS.iter().find_map(|name| attribute(&span.attributes, name)?.parse::<u16>().ok());
            status.is_some_and(|status| status >= 500)
                || attribute(&span.attributes, "error").is_some_and(|flag| flag == "true")
        }
    }
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|pair| pair.key == name)?;
    text(found.value.as_ref()).filter(|text| !text.trim().is_empty())
}

/// Whom a call reaches, as far as it says. An address of numbers names nobody.
fn peer(attributes: &[KeyValue]) -> String {
    let named = PEER.iter().filter_map(|name| attribute(attributes, name)).map(|name| host(name.trim()).to_owned());
    named.into_iter().find(|name| name.parse::<std::net::IpAddr>().is_err()).unwrap_or_default()
}

/// The name in an address: without its port, and within a cluster without what stands behind the service.
fn host(address: &str) -> &str {
    let name = match address.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.contains(':') => name,
        _ => address,
    };
    let is_of_cluster = name.ends_with(".svc") || name.contains(".svc.");
    if is_of_cluster { name.split('.').next().unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::messages::AnyValue;
    use super::super::span_messages::SpanStatus;
    use super::*;

    fn pair(key: &str, value: &str) -> KeyValue {
        let value = AnyValue { string_value: Some(value.as_bytes().to_vec()), ..AnyValue::default() };
        KeyValue { key: key.to_owned(), value: Some(value) }
    }

    #[test]
    fn whom_a_call_reaches() {
        for (attributes, expected) in [
            (vec![], ""),
            (vec![pair("server.address", "10.0.0.7"), pair("db.system", "postgresql")], "postgresql"),
            (vec![pair("server.address", "pg.shop.svc.cluster.local:5432")], "pg"),
            (vec![pair("server.address", "api.example.com:443")], "api.example.com"),
            (vec![pair("server.address", "2001:db8::1")], ""),
            (vec![pair("db.system", "redis"), pair("peer.service", "sessions")], "sessions"),
        ] {
            assert_eq!(peer(&attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn what_failed() {
        let span = |code, attributes| OtlpSpan { status: Some(SpanStatus { code }), attributes, ..OtlpSpan::default() };
        assert!(failed(&span(2, vec![])));
        assert!(!failed(&span(1, vec![pair("http.response.status_code", "503")])));
        assert!(failed(&span(0, vec![pair("http.response.status_code", "503")])));
        assert!(!failed(&span(0, vec![pair("http.status_code", "404")])));
        assert!(failed(&OtlpSpan { attributes: vec![pair("error", "true")], ..OtlpSpan::default() }));
        assert!(!failed(&OtlpSpan::default()));
    }
}
