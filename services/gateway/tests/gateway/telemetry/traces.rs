//! Spans as OTLP sends them: in protobuf, in both spellings of JSON, and over gRPC.

use axum::body::Body;
use axum::http::Request;
use hindcast_domain::{Partition, SecretHash};
use hindcast_gateway::Guard;
use hindcast_telemetry::{SpanFilter, SpanKind, Telemetry as _, TraceSpan};
use serde_json::{Value, json};

use super::{PROTOBUF, around, nanos};
use crate::protobuf::{attribute, fixed, gzip, logs, message, record, text, whole};
use crate::support::{Answer, World, now};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

impl World {
    pub(crate) async fn spans(&self) -> Vec<TraceSpan> {
        let partition = Partition::of_environment("production");
        self.store.spans(&partition, around(), SpanFilter::default()).await.unwrap()
    }

    /// Calls a method of gRPC with one message.
    async fn call(&self, path: &str, headers: &[(&str, &str)], message: &[u8]) -> (Answer, Option<String>) {
        let framed = [&[0][..], &(message.len() as u32).to_be_bytes(), message].concat();
        self.call_framed(path, headers, framed).await
    }

    async fn call_framed(&self, path: &str, headers: &[(&str, &str)], framed: Vec<u8>) -> (Answer, Option<String>) {
        let request = Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send_for_trailers(request.body(Body::from(framed)).unwrap()).await
    }
}

fn trace() -> Vec<u8> {
    (1..=16).collect()
}

/// A failed call of `checkout`, in protobuf.
fn protobuf() -> Vec<u8> {
    let span = [
        text(1, trace()),
        text(2, [7; 8]),
        text(4, [9; 8]),
        text(5, "POST /pay"),
        whole(6, 3),
        fixed(7, nanos()),
        fixed(8, nanos() + 2_000_000),
        attribute(9, "server.address", "payments:8080"),
        message(15, &[text(2, "connection refused"), whole(3, 2)]),
    ];
    let resource = [attribute(1, "service.name", "checkout")];
    message(1, &[message(1, &resource), message(2, &[message(1, &[text(1, "lib")]), message(2, &span)])])
}

/// The same in JSON, in camel case.
fn camel() -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]},
        "scopeSpans": [{"scope": {"name": "lib"}, "spans": [{
            "traceId": "0102030405060708090A0B0C0D0E0F10", "spanId": "0707070707070707",
            "parentSpanId": "0909090909090909", "name": "POST /pay", "kind": 3,
            "startTimeUnixNano": nanos().to_string(), "endTimeUnixNano": (nanos() + 2_000_000).to_string(),
            "attributes": [{"key": "server.address", "value": {"stringValue": "payments:8080"}}],
            "events": [{"name": "exception", "timeUnixNano": "5"}], "links": null,
            "status": {"message": "connection refused", "code": 2}, "flags": 257
        }]}],
    }]})
}

/// The same by the names of the `.proto` files, with ids in base64 and numbers by their names.
fn snake() -> Value {
    json!({"resource_spans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"string_value": "checkout"}}]},
        "scope_spans": [{"spans": [{
            "trace_id": "AQIDBAUGBwgJCgsMDQ4PEA==", "span_id": "BwcHBwcHBwc=",
            "parent_span_id": "CQkJCQkJCQk=", "name": "POST /pay", "kind": "SPAN_KIND_CLIENT",
            "start_time_unix_nano": nanos(), "end_time_unix_nano": nanos() + 2_000_000,
            "attributes": {"server.address": "payments:8080"},
            "status": {"code": "STATUS_CODE_ERROR"}
        }]}],
    }]})
}

fn expected() -> TraceSpan {
    TraceSpan {
        time: now(),
        nanos: 2_000_000,
        service: "checkout".to_owned(),
        name: "POST /pay".to_owned(),
        kind: SpanKind::Client,
        trace: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
        id: 0x0707_0707_0707_0707,
        parent: 0x0909_0909_0909_0909,
        failed: true,
        peer: "payments".to_owned(),
    }
}

#[tokio::test]
async fn spans_say_the_same_in_protobuf_and_in_both_spellings_of_json() {
    let as_json = ("content-type", "application/json");
    for (headers, body) in [
        (vec![PROTOBUF], protobuf()),
        (vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&protobuf())),
        (vec![as_json], camel().to_string().into_bytes()),
        (vec![as_json], snake().to_string().into_bytes()),
    ] {
        let world = World::new();
        let answer = world.post_with("/v1/traces", &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.text, if headers[0] == as_json { "{}" } else { "" });
        assert_eq!(world.spans().await, [expected()]);
        assert_eq!(world.counted("hindcast_telemetry_records_total", "span"), 1.0);
        let lost: f64 = ["value", "id", "duration", "name", "no_time"]
            .iter()
            .map(|what| world.metrics.get("hindcast_telemetry_mended_total", &[("kind", "span"), ("what", what)]))
            .sum();
        assert_eq!(lost, 0.0, "nothing had to be mended");
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn what_a_span_lacks_is_filled_and_counted() {
    let world = World::new();
    let bare = json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        {}, {"name": "a", "endTimeUnixNano": nanos(), "traceId": "0102", "kind": 99, "status": "broken"}, null,
    ]}]}]});
    let answer = world.post("/v1/traces", &bare).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedSpans"], json!("1"), "{}", answer.text);
    let spans = world.spans().await;
    let shown: Vec<_> = spans.iter().map(|span| (span.time, span.service.as_str(), span.name.as_str())).collect();
    assert_eq!(shown, [(now(), "otlp", "(no name)"), (now(), "otlp", "a")]);
    assert!(spans.iter().all(|span| (span.nanos, span.id, span.trace, span.failed) == (0, 0, 0, false)));
    for (what, count) in [("no_time", 1.0), ("name", 1.0), ("duration", 2.0), ("id", 1.0), ("value", 2.0)] {
        let counted = world.metrics.get("hindcast_telemetry_mended_total", &[("kind", "span"), ("what", what)]);
        assert_eq!(counted, count, "{what}");
    }
}

#[tokio::test]
async fn grpc_takes_spans_and_lines_plain_and_packed() {
    let world = World::new();
    let (answer, status) = world.call(TRACES, &[], &protobuf()).await;
    assert_eq!((answer.status, status.as_deref()), (200, Some("0")));
    assert_eq!(answer.headers["content-type"], "application/grpc");
    assert_eq!(&answer.bytes[..], [0; 5], "an empty message");
    let packed = gzip(&protobuf());
    let framed = [&[1][..], &(packed.len() as u32).to_be_bytes(), &packed].concat();
    let (_, status) = world.call_framed(TRACES, &[("grpc-encoding", "gzip")], framed.clone()).await;
    assert_eq!(status.as_deref(), Some("0"));
    assert_eq!(world.spans().await, [expected(), expected()]);
    let (_, status) = world.call(LOGS, &[], &logs("cart", &[record(nanos(), 17, "it broke")])).await;
    assert_eq!(status.as_deref(), Some("0"));
    assert_eq!(world.lines().await[0].message, "it broke");
    for (framed, headers, expected) in [
        (vec![], vec![], "3"),
        (vec![0, 0, 0, 0, 9, 1], vec![], "3"),
        ([&[0, 0, 0, 0, 2][..], &[10, 200]].concat(), vec![], "3"),
        (framed, vec![("grpc-encoding", "zstd")], "12"),
    ] {
        let (refused, trailer) = world.call_framed(TRACES, &headers, framed).await;
        assert_eq!((refused.status, trailer), (200, None), "a refusal has no message");
        assert_eq!(refused.headers["grpc-status"], expected);
        assert!(!refused.headers["grpc-message"].is_empty());
    }
    let plain = world.post_with(TRACES, &[PROTOBUF], protobuf()).await;
    assert_eq!((plain.status, plain.code().as_str()), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn grpc_wants_the_servers_credential_and_a_store() {
    let world = World::with("", Guard::token("api", SecretHash::of("server")));
    let (refused, _) = world.call(TRACES, &[], &protobuf()).await;
    assert_eq!(refused.headers["grpc-status"], "16");
    let (_, status) = world.call(TRACES, &[("authorization", "Bearer server")], &protobuf()).await;
    assert_eq!(status.as_deref(), Some("0"));
    let without = World::on("", Guard::open(), hindcast_intake::FailPoint::None, None);
    let (refused, _) = without.call(TRACES, &[], &protobuf()).await;
    assert_eq!(refused.headers["grpc-status"], "14", "it may come again");
}

#[tokio::test]
async fn secrets_are_taken_out_of_spans() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let world = World::new();
    let mut body = camel();
    let span = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    span["name"] = json!(format!("GET /files?key={key}"));
    span["attributes"] = json!({"peer.service": key});
    assert_eq!(world.post("/v1/traces", &body).await.status, 200);
    let stored = serde_json::to_string(&world.spans().await).unwrap();
    assert!(!stored.contains(key) && stored.contains("[redacted:aws_key]"), "{stored}");
}
