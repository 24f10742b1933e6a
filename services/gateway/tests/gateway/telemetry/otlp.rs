//! Telemetry as OTLP sends it, in protobuf and in JSON.

use hindcast_telemetry::LogLevel;
use serde_json::{Value, json};

use super::{PROTOBUF, nanos};
use crate::protobuf::{attribute, double, fixed, gzip, message, metrics, record, text, whole};
use crate::support::{World, now};

fn otlp_logs_json(body: &Value) -> Value {
    json!({"resourceLogs": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "cart"}},
            {"key": "telemetry.sdk.language", "value": {"stringValue": "rust"}},
            {"key": "deployment.environment.name", "value": {"stringValue": "production"}},
            {"key": "host.name", "value": {"stringValue": "h-1"}},
        ]},
        "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": [body]}],
    }]})
}

#[tokio::test]
async fn otlp_logs_say_the_same_in_protobuf_and_in_json() {
    let id: Vec<u8> = (1..=16).collect();
    let attributes = [attribute(6, "attempt", "3"), message(6, &[text(1, "ok"), message(2, &[whole(2, 1)])])];
    let one = [record(nanos(), 17, "it broke"), attributes.concat(), text(9, &id)].concat();
    let resource = [
        attribute(1, "service.name", "cart"),
        attribute(1, "deployment.environment.name", "production"),
        attribute(1, "host.name", "h-1"),
    ];
    let protobuf = message(1, &[message(1, &resource), message(2, &[message(1, &[text(1, "lib")]), text(2, &one)])]);
    let body = json!({
        "timeUnixNano": nanos().to_string(), "severityNumber": 17, "body": {"stringValue": "it broke"},
        "traceId": "0102030405060708090A0B0C0D0E0F10", "spanId": null,
        "attributes": [{"key": "attempt", "value": {"intValue": "3"}}, {"key": "ok", "value": {"boolValue": true}}],
        "somethingNew": {"a": [1]},
    });
    let json = otlp_logs_json(&body).to_string();
    let as_json = ("content-type", "application/json; charset=utf-8");
    for (headers, body) in [
        (vec![PROTOBUF], protobuf.clone()),
        (vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&protobuf)),
        (vec![as_json], json.clone().into_bytes()),
        (vec![as_json, ("content-encoding", "gzip")], gzip(json.as_bytes())),
    ] {
        let world = World::new();
        let answer = world.post_with("/v1/logs", &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
        assert!(headers[0].1.starts_with(&kind), "answered in the encoding of the request: {kind}");
        assert_eq!(answer.text, if kind == "application/json" { "{}" } else { "" });
        let line = world.lines().await.remove(0);
        assert_eq!((line.time, line.service.as_str(), line.level), (now(), "cart", LogLevel::Error));
        assert_eq!(line.message, "it broke");
        let labels = json!({"host.name": "h-1", "attempt": "3", "ok": "true",
                            "trace_id": "0102030405060708090a0b0c0d0e0f10"});
        assert_eq!(json!(line.labels), labels);
        assert!(world.events().await.is_empty());
    }
}

#[tokio::test]
async fn an_otlp_line_is_whatever_says_most() {
    for (body, message, level) in [
        (
            json!({"body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}}),
            "{\"a\":1}",
            LogLevel::Info,
        ),
        (
            json!({"body": {"arrayValue": {"values": [{"stringValue": "x"}, {"doubleValue": 1.5}]}}}),
            "[\"x\",1.5]",
            LogLevel::Info,
        ),
        (json!({"body": {"arrayValue": {}}}), "[]", LogLevel::Info),
        (json!({"eventName": "order.failed", "severityText": "WARN"}), "order.failed", LogLevel::Warning),
        (
            json!({"severityNumber": 21, "attributes": [{"key": "exception.message", "value": {"stringValue": "boom"}}]}),
            "boom",
            LogLevel::Fatal,
        ),
        (
            json!({"body": {"stringValue": "m"}, "observedTimeUnixNano": 1, "timeUnixNano": nanos()}),
            "m",
            LogLevel::Info,
        ),
    ] {
        let world = World::new();
        assert_eq!(world.post("/v1/logs", &otlp_logs_json(&body)).await.status, 200, "{body}");
        let line = world.lines().await.remove(0);
        assert_eq!((line.message.as_str(), line.level, line.time), (message, level, now()), "{body}");
    }
}

#[tokio::test]
async fn otlp_names_what_it_did_not_take() {
    let good = message(1, &[fixed(3, nanos()), double(4, 1.0)]);
    let world = World::new();
    let answer =
        world.post_with("/v1/metrics", &[PROTOBUF], metrics("s", &[("m", 5, good.clone()), ("", 5, good.clone())]));
    let answer = answer.await;
    assert_eq!(answer.status, 200);
    // partial_success { rejected_data_points: 1, error_message: … }
    assert_eq!(&answer.bytes[..1], [10]);
    assert_eq!(&answer.bytes[2..4], [8, 1]);
    assert!(answer.text.contains("record 1: expected a metric's name"), "{:?}", answer.text);
    let none = world.post_with("/v1/metrics", &[PROTOBUF], metrics("s", &[("", 5, good)])).await;
    assert_eq!((none.status, none.code().as_str()), (400, "malformed"));
    let both = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [null, {"body": {"stringValue": "m"}}, {}]}]}]});
    let partial = world.post("/v1/logs", &both).await.json();
    assert_eq!(partial["partialSuccess"]["rejectedLogRecords"], json!("1"));
    let lines = world.lines().await;
    assert_eq!(lines[0].service, "otlp", "the service of a resource that names none");
    assert_eq!(lines[1].message, "(no text)");
    let points = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "", "gauge": {"dataPoints": [{"asDouble": 1.0}]}},
        {"name": "m", "gauge": {"dataPoints": [{"asInt": "7"}]}},
    ]}]}]});
    let partial = world.post("/v1/metrics", &points).await.json();
    assert_eq!(partial["partialSuccess"]["rejectedDataPoints"], json!("1"));
    for (kind, body) in [("application/x-protobuf", ""), ("application/json", "{}")] {
        let empty = world.post_with("/v1/logs", &[("content-type", kind)], body).await;
        assert_eq!(empty.status, 200, "nothing to take is taken");
    }
    for (kind, body, status) in
        [("text/plain", "{}", 415), ("application/json", "[", 400), ("application/json", r#"{"resourceLogs":5}"#, 400)]
    {
        let refused = world.post_with("/v1/logs", &[("content-type", kind)], body).await;
        assert_eq!(refused.status, status, "{body}");
        refused.code();
    }
}

/// A data point: attributes in `field`, the moment, and what else.
fn point(field: u64, rest: &[Vec<u8>]) -> Vec<u8> {
    message(1, &[attribute(field, "pod", "p"), fixed(3, nanos()), rest.concat()])
}

#[tokio::test]
async fn every_kind_of_otlp_metric_becomes_series() {
    let quantile = message(6, &[double(1, 0.99), double(2, 8.0)]);
    let body = metrics(
        "cart",
        &[
            ("gauge", 5, [point(7, &[double(4, 1.5)]), message(1, &[fixed(3, nanos()), double(4, f64::NAN)])].concat()),
            ("sum", 7, [point(7, &[fixed(6, 3)]), whole(2, 2), whole(3, 1)].concat()),
            ("gone", 5, point(7, &[double(4, 9.0), whole(8, 1)])),
            ("histogram", 9, point(9, &[fixed(4, 4), double(5, 10.0)])),
            ("bare", 9, point(9, &[fixed(4, 4)])),
            ("exponential", 10, point(1, &[fixed(4, 5), double(5, 11.0)])),
            ("summary", 11, point(7, &[fixed(4, 6), double(5, 12.0), quantile])),
        ],
    );
    let world = World::new();
    let answer = world.post_with("/v1/metrics", &[PROTOBUF], body).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(
        world.values().await,
        json!({
            "cart gauge{pod=p}": [1.5], "cart sum{pod=p}": [3.0],
            "cart histogram_count{pod=p}": [4.0], "cart histogram_sum{pod=p}": [10.0], "cart bare_count{pod=p}": [4.0],
            "cart exponential_count{pod=p}": [5.0], "cart exponential_sum{pod=p}": [11.0],
            "cart summary_count{pod=p}": [6.0], "cart summary_sum{pod=p}": [12.0],
            "cart summary{pod=p,quantile=0.99}": [8.0],
        })
    );
    assert_eq!(world.counted("hindcast_telemetry_records_total", "sample"), 10.0);
    assert_eq!(world.counted("hindcast_telemetry_skipped_total", "sample"), 2.0);
    let spelt = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "j", "sum": {"dataPoints": [{"timeUnixNano": nanos().to_string(), "asDouble": 2}], "isMonotonic": true,
                              "aggregationTemporality": 2}},
        {"name": "n", "gauge": {"dataPoints": [{"asDouble": "NaN"}, {"asDouble": "-Infinity"}]}},
        {"name": "s", "summary": {"dataPoints": [{"count": "2", "sum": 3.5, "quantileValues": [{"quantile": 0.5, "value": 1}]}]}},
    ]}]}]});
    let world = World::new();
    assert_eq!(world.post("/v1/metrics", &spelt).await.json(), json!({}));
    assert_eq!(
        world.values().await,
        json!({"otlp j{}": [2.0], "otlp s_count{}": [2.0], "otlp s_sum{}": [3.5], "otlp s{quantile=0.5}": [1.0]})
    );
}

/// Nothing that one record holds costs another, in either spelling of names.
#[tokio::test]
async fn an_odd_record_of_otlp_costs_itself() {
    let odd = [
        json!({"attributes": [{"key": "n", "value": {"intValue": 9_223_372_036_854_775_808_u64}}]}),
        json!({"attributes": [{"key": "n", "value": {"intValue": 3.0}}]}),
        json!({"attributes": [{"key": "n", "value": {"arrayValue": {"values": [1, null, 3]}}}]}),
        json!({"attributes": {"a": "b"}}),
        json!({"attributes": [null]}),
        json!({"traceId": "neither hexadecimal nor base64!"}),
        json!({"severityNumber": "SEVERITY_NUMBER_ERROR"}),
        json!({"timeUnixNano": ""}),
        json!({"timeUnixNano": 1.795527e18}),
        json!({"timeUnixNano": -5}),
        json!({"body": null, "attributes": [{"key": "http.response.status_code", "value": {"intValue": 502}}]}),
        json!({"body": {"bytesValue": "aGVsbG8="}}),
        json!({"body": {"stringValue": ""}}),
        json!(null),
        json!("a text"),
    ];
    for odd in odd {
        for (resources, scopes, records) in
            [("resourceLogs", "scopeLogs", "logRecords"), ("resource_logs", "scope_logs", "log_records")]
        {
            let good = |text: &str| json!({"body": {"stringValue": text}});
            let body = json!({resources: [{scopes: [{records: [good("one"), odd, good("two")]}]}]});
            let world = World::new();
            let answer = world.post("/v1/logs", &body).await;
            assert_eq!(answer.status, 200, "{odd}: {}", answer.text);
            let texts: Vec<String> = world.lines().await.into_iter().map(|line| line.message).collect();
            let kept = [texts.first().map(String::as_str), texts.last().map(String::as_str)];
            assert_eq!(kept, [Some("one"), Some("two")], "{odd}");
            assert_eq!(texts.len(), if odd.is_object() { 3 } else { 2 }, "{odd}: {texts:?}");
        }
    }
    let world = World::new();
    for nothing in [json!([]), json!({"logs": []}), json!("x")] {
        assert_eq!(world.post("/v1/logs", &nothing).await.code(), "malformed", "{nothing}");
    }
    let broken =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"cut \ud83d"}}]}]}]}"#.to_vec();
    assert_eq!(world.post_with("/v1/logs", &[("content-type", "application/json")], broken).await.status, 200);
    assert_eq!(world.lines().await[0].message, "cut \u{fffd}");
}
