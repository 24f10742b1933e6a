//! One odd value costs that value or its record, never a neighbour: seeded batches of good records with odd ones among
//! them, through every door, and a count of the good ones that arrived.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{NDJSON, PROTOBUF, nanos};
use crate::protobuf::{attribute, double, fixed, logs, message, metrics, record, series, text, whole};
use crate::support::{World, now};

/// Records of a batch.
const RECORDS: usize = 12;
/// Stands for a lone surrogate until the body is text.
const SURROGATE: &str = "\u{e000}";

/// What stands in the place of a value.
fn oddities() -> Vec<Value> {
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-5),
        json!(1.76e18),
        json!(9_223_372_036_854_775_808_u64),
        json!(1e300),
        json!(""),
        json!("NaN"),
        json!("SEVERITY_NUMBER_WHAT"),
        json!("\u{0}\u{1b}[31m"),
        json!(SURROGATE),
        json!([]),
        json!({}),
        json!([null, {"a": null}, 5]),
        json!({"key": 5, "value": []}),
        deep,
    ]
}

/// How many places a value has, itself included.
fn places(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(places).sum(),
        Value::Object(fields) => fields.values().map(places).sum::<usize>(),
        _ => 0,
    }
}

/// Puts `odd` at the place of a number, counted from the value itself.
fn put(value: &mut Value, place: usize, odd: &Value) -> Option<usize> {
    let Some(mut place) = place.checked_sub(1) else {
        *value = odd.clone();
        return None;
    };
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        place = put(child, place, odd)?;
    }
    Some(place)
}

/// A door of JSON: how a good record looks there, and how records become a body.
struct Door {
    path: &'static str,
    kind: (&'static str, &'static str),
    record: fn(usize) -> Value,
    body: fn(Vec<Value>) -> String,
}

fn marker(number: usize) -> String {
    format!("good-{number}-record")
}

fn attributes(number: usize) -> Value {
    json!([{"key": "marker", "value": {"stringValue": marker(number)}},
           {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"doubleValue": 2.5}]}}},
           {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": true}}]}}}])
}

fn otlp(list: &str, scopes: &str, records: &str, of: Vec<Value>) -> String {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]});
    json!({list: [{"resource": resource, scopes: [{"scope": {"name": "lib"}, records: of}]}]}).to_string()
}

fn doors() -> Vec<Door> {
    let json = ("content-type", "application/json");
    vec![
        Door {
            path: "/ingest/logs",
            kind: NDJSON,
            record: |number| {
                json!({"time": now().to_string(), "service": "s", "severity": "error", "message": marker(number),
                       "labels": {"a": "b"}, "attempt": 3, "tags": ["x", {"y": 1}]})
            },
            body: |records| records.iter().map(|record| format!("{record}\n")).collect(),
        },
        Door {
            path: "/v1/logs",
            kind: json,
            record: |number| {
                json!({"timeUnixNano": nanos().to_string(), "observedTimeUnixNano": nanos(), "severityNumber": 17,
                       "severityText": "ERROR", "body": {"stringValue": marker(number)}, "eventName": "e",
                       "attributes": attributes(number), "traceId": "0102030405060708090a0b0c0d0e0f10",
                       "spanId": "0102030405060708", "flags": 1})
            },
            body: |records| otlp("resourceLogs", "scopeLogs", "logRecords", records),
        },
        Door {
            path: "/v1/metrics",
            kind: json,
            record: |number| {
                let point = json!({"timeUnixNano": nanos(), "asInt": "7", "attributes": attributes(number)});
                let counted = json!({"timeUnixNano": nanos(), "count": "3", "sum": 1.5, "flags": 0,
                                     "attributes": attributes(number), "bucketCounts": ["1"]});
                json!({"name": marker(number), "unit": "1", "gauge": {"dataPoints": [point]},
                       "histogram": {"dataPoints": [counted]},
                       "summary": {"dataPoints": [{"count": 1, "quantileValues": [{"quantile": 0.5, "value": 1}]}]}})
            },
            body: |records| otlp("resourceMetrics", "scopeMetrics", "metrics", records),
        },
        Door {
            path: "/v1/traces",
            kind: json,
            record: |number| {
                json!({"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708",
                       "parentSpanId": "0102030405060709", "name": marker(number), "kind": "SPAN_KIND_SERVER",
                       "startTimeUnixNano": nanos().to_string(), "endTimeUnixNano": nanos() + 5,
                       "attributes": attributes(number), "status": {"code": 2, "message": "m"},
                       "events": [{"name": "exception", "attributes": []}]})
            },
            body: |records| otlp("resourceSpans", "scopeSpans", "spans", records),
        },
    ]
}

/// What of the good ones is in the store.
async fn arrived(world: &World) -> BTreeSet<String> {
    let lines = world.lines().await.into_iter().map(|line| line.message);
    let spans = world.spans().await.into_iter().map(|span| span.name);
    let series = world.series_of("production").await;
    let bare = |metric: &str| metric.trim_end_matches("_count").trim_end_matches("_sum").to_owned();
    let series = series.into_iter().map(|series| bare(&series.metric));
    lines.chain(spans).chain(series).filter(|name| name.starts_with("good-")).collect()
}

/// Where odd values go: number of the record, number of the place, number of the oddity.
fn strikes() -> impl Strategy<Value = Vec<(usize, prop::sample::Index, prop::sample::Index)>> {
    prop::collection::vec((0..RECORDS, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)
}

pub(super) fn run<S: Strategy>(cases: u32, strategy: S, test: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |value| {
        runtime.block_on(test(value));
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

#[test]
fn an_odd_value_in_json_costs_no_neighbour() {
    let (doors, oddities) = (doors(), oddities());
    run(250, strikes(), async |strikes| {
        for door in &doors {
            let mut records: Vec<Value> = (0..RECORDS).map(door.record).collect();
            let struck: BTreeSet<usize> = strikes.iter().map(|(record, ..)| *record).collect();
            for (record, place, odd) in &strikes {
                let value = &mut records[*record];
                let place = place.index(places(value));
                put(value, place, odd.get(&oddities));
            }
            let body = (door.body)(records).replace(SURROGATE, "\\ud83d");
            let world = World::new();
            let answer = world.post_with(door.path, &[door.kind], body.clone()).await;
            assert!((200..300).contains(&answer.status), "{} {}: {body}", door.path, answer.text);
            let arrived = arrived(&world).await;
            for number in (0..RECORDS).filter(|number| !struck.contains(number)) {
                assert!(arrived.contains(&marker(number)), "{} lost {number}: {body}", door.path);
            }
        }
    });
}

#[test]
fn an_odd_value_around_the_records_costs_no_record() {
    let (doors, oddities) = (doors(), oddities());
    let strategy = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    run(100, strategy, async |(place, odd)| {
        for door in doors.iter().filter(|door| door.path.starts_with("/v1/")) {
            let mut body: Value = serde_json::from_str(&(door.body)((0..RECORDS).map(door.record).collect())).unwrap();
            let list = body.as_object().unwrap().keys().next().unwrap().clone();
            let resource = &mut body[&list][0]["resource"];
            let place = place.index(places(resource));
            put(resource, place, odd.get(&oddities));
            let world = World::new();
            let body = body.to_string().replace(SURROGATE, "\\ud83d");
            let answer = world.post_with(door.path, &[door.kind], body.clone()).await;
            assert!((200..300).contains(&answer.status), "{} {}: {body}", door.path, answer.text);
            assert_eq!(arrived(&world).await.len(), RECORDS, "{} {body}", door.path);
        }
    });
}

/// Fields that no reader expects: of the wrong type, in no encoding, or too long a number.
fn odd_fields() -> Vec<Vec<u8>> {
    vec![
        whole(5, 7),
        fixed(2, 9),
        text(1, "x"),
        text(5, [0xff, 0xfe]),
        text(3, [0xe9]),
        text(6, [10, 1, 0xff]),
        message(5, &[text(1, [b'a', 0xe9])]),
        message(9, &[whole(1, 3)]),
        message(15, &[text(3, "no number")]),
        text(100, [1, 2, 3]),
        double(7, f64::NAN),
    ]
}

#[test]
fn an_odd_field_in_protobuf_costs_no_neighbour() {
    let odd = odd_fields();
    let strategy = prop::collection::vec((0..RECORDS, any::<prop::sample::Index>()), 1..6);
    run(250, strategy, async |strikes| {
        let struck: BTreeSet<usize> = strikes.iter().map(|(record, _)| *record).collect();
        let with_odd = |number: usize, record: Vec<u8>| {
            let of =
                strikes.iter().filter(|(struck, _)| *struck == number).map(|(_, odd_one)| odd_one.get(&odd).clone());
            [record, of.collect::<Vec<_>>().concat()].concat()
        };
        let lines: Vec<Vec<u8>> =
            (0..RECORDS).map(|number| with_odd(number, record(nanos(), 17, &marker(number)))).collect();
        let point = || message(1, &[fixed(3, nanos()), double(4, 1.0)]);
        let names: Vec<String> = (0..RECORDS).map(marker).collect();
        let gauges: Vec<(&str, u64, Vec<u8>)> =
            names.iter().enumerate().map(|(number, name)| (name.as_str(), 5, with_odd(number, point()))).collect();
        let spans: Vec<Vec<u8>> = (0..RECORDS)
            .map(|number| message(2, &[with_odd(number, [text(5, marker(number)), fixed(7, nanos())].concat())]))
            .collect();
        let spans = message(1, &[message(1, &[attribute(1, "service.name", "s")]), message(2, &spans)]);
        for (path, body) in
            [("/v1/logs", logs("s", &lines)), ("/v1/metrics", metrics("s", &gauges)), ("/v1/traces", spans)]
        {
            let world = World::new();
            let answer = world.post_with(path, &[PROTOBUF], body).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            let arrived = arrived(&world).await;
            for number in (0..RECORDS).filter(|number| !struck.contains(number)) {
                assert!(arrived.contains(&marker(number)), "{path} lost {number}: {strikes:?}");
            }
        }
    });
}

#[test]
fn an_odd_series_of_remote_write_costs_no_neighbour() {
    let strategy = prop::collection::vec((0..RECORDS, 0..5_usize), 1..6);
    run(100, strategy, async |strikes| {
        let struck: BTreeSet<usize> = strikes.iter().map(|(record, _)| *record).collect();
        let body: Vec<Vec<u8>> = (0..RECORDS)
            .map(|number| {
                let name = marker(number);
                match strikes.iter().find(|(struck, _)| *struck == number).map(|(_, kind)| kind) {
                    None => series(&[("__name__", &name)], &[(1.0, now().millis())]),
                    Some(0) => series(&[("a", "b")], &[(1.0, now().millis())]),
                    Some(1) => series(&[("__name__", &name), ("__name__", "twice")], &[(1.0, now().millis())]),
                    Some(2) => series(&[("__name__", &name)], &[(f64::NAN, now().millis())]),
                    Some(3) => message(1, &[message(1, &[text(1, [0xe9]), text(2, "v")])]),
                    Some(_) => message(1, &[text(2, [8])]),
                }
            })
            .collect();
        let world = World::new();
        let answer = world.write(&body.concat()).await;
        let arrived = arrived(&world).await;
        for number in (0..RECORDS).filter(|number| !struck.contains(number)) {
            assert!(arrived.contains(&marker(number)), "lost {number}: {strikes:?} {}", answer.text);
        }
    });
}
