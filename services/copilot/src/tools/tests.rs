//! Every tool: what it takes, what it refuses, how much it answers, and as of when.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

mod sample;

use std::collections::BTreeSet;
use std::sync::Arc;

use hindcast_api::AsOf;
use hindcast_domain::{Partition, Span};
use hindcast_telemetry::{LogLevel, LogRecord, MemoryTelemetry, Telemetry, TelemetryBatch};
use serde_json::{Value, json};

use super::{OUTPUT_BYTES_MAX, Toolbox};
use sample::{ID, NOW, start, toolbox};

/// A value that a field's schema takes.
fn fitting(name: &str, schema: &Value) -> Value {
    match (name, schema["type"].as_str().unwrap(), schema["enum"].get(0)) {
        (_, _, Some(word)) => word.clone(),
        ("incident", ..) => json!(ID),
        ("since" | "until" | "from" | "to", "string", _) => json!("2026-11-24T12:00:00Z"),
        (_, "string", _) => json!("word"),
        ("limit", ..) => json!(2),
        _ => json!(1),
    }
}

#[tokio::test]
async fn every_schema_is_strict_and_takes_what_its_tool_takes() {
    let (toolbox, _) = toolbox(3, Some(Arc::new(MemoryTelemetry::default())));
    let mut names = BTreeSet::new();
    for spec in Toolbox::specs() {
        assert!(names.insert(spec.name), "{} twice", spec.name);
        assert_ne!(spec.name, "ask", "MCP offers a tool of that name");
        assert!(!spec.about.is_empty());
        assert_eq!(spec.schema["additionalProperties"], false, "{}", spec.name);
        let fields = spec.schema["properties"].as_object().unwrap();
        let all: Value = fields
            .iter()
            .map(|(name, schema)| (name.clone(), fitting(name, schema)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        // A thing that is not there is an answer too; arguments that are wrong are not.
        let said = toolbox.call(spec.name, all.clone(), None).await;
        assert!(said.as_ref().err().is_none_or(|problem| problem.code == "not_found"), "{}: {said:?}", spec.name);
        let mut more = all;
        more["surprise"] = json!(1);
        let refused = toolbox.call(spec.name, more, None).await.unwrap_err();
        assert!(refused.code == "invalid" && refused.detail.contains("surprise"), "{refused:?}");
        for wrong in [json!([]), json!("incident"), json!(5)] {
            assert_eq!(toolbox.call(spec.name, wrong, None).await.unwrap_err().code, "invalid", "{}", spec.name);
        }
        let needed = spec.schema["required"].as_array().unwrap();
        let bare = toolbox.call(spec.name, Value::Null, None).await;
        assert_eq!(bare.err().is_some_and(|problem| problem.code == "invalid"), !needed.is_empty(), "{}", spec.name);
    }
    assert_eq!(names.len(), 14);
}

#[tokio::test]
async fn values_out_of_range_are_refused_and_named() {
    let (toolbox, _) = toolbox(3, None);
    for (tool, arguments, named) in [
        ("list_incidents", json!({"limit": 0}), "limit of 1 to 100"),
        ("list_incidents", json!({"limit": 101}), "limit of 1 to 100"),
        ("list_incidents", json!({"limit": -1}), "invalid value"),
        ("list_incidents", json!({"status": "broken"}), "status"),
        ("list_incidents", json!({"severity": "awful"}), "severity"),
        ("list_incidents", json!({"since": "yesterday"}), "yesterday"),
        ("get_alerts", json!({"status": "open"}), "status"),
        ("get_event", json!({"event": 5}), "invalid type"),
    ] {
        let refused = toolbox.call(tool, arguments, None).await.unwrap_err();
        assert!(refused.code == "invalid" && refused.detail.contains(named), "{tool}: {refused:?}");
    }
    let long = toolbox.call("get_event", json!({"event": "x".repeat(20_000)}), None).await.unwrap_err();
    assert_eq!(long.code, "too_large");
    let unknown = toolbox.call("run_shell", json!({}), None).await.unwrap_err();
    assert!(unknown.code == "not_found" && unknown.detail.contains("list_incidents"), "{unknown:?}");
}

#[tokio::test]
async fn every_question_is_asked_as_of_the_same_position() {
    let (toolbox, behind) = toolbox(3, None);
    for spec in Toolbox::specs() {
        let arguments = if spec.name == "get_event" { json!({"event": "EVT-1"}) } else { json!({}) };
        // Some have nothing to say here; what counts is as of when they looked.
        toolbox.call(spec.name, arguments.clone(), Some(AsOf::Position(500))).await.ok();
    }
    let found = behind.asked();
    assert!(found.iter().map(|(what, _)| what).collect::<BTreeSet<_>>().len() >= 12, "{found:?}");
    assert!(found.iter().all(|(_, as_of)| *as_of == Some(AsOf::Position(500))), "{found:?}");
    let output = toolbox.call("get_timeline", json!({}), None).await.unwrap();
    assert_eq!(output["position"], NOW);
    let incident = toolbox.call("get_incident", json!({}), Some(AsOf::Position(500))).await.unwrap();
    assert_eq!(incident["position"], 500, "a thing without a place of its own names that of the look");
    let (toolbox, behind) = sample::toolbox(3, None);
    toolbox.call("get_timeline", json!({}), None).await.unwrap();
    let (first, rest) = behind.asked().split_first().map(|(first, rest)| (*first, rest.to_vec())).unwrap();
    assert_eq!(first, ("moment", None), "what is now is asked first");
    assert!(!rest.is_empty() && rest.iter().all(|(_, as_of)| *as_of == Some(AsOf::Position(NOW))), "{rest:?}");
}

#[tokio::test]
async fn outputs_are_bounded_and_what_was_cut_is_counted() {
    let (toolbox, _) = toolbox(1_000, None);
    for (tool, arguments) in [
        ("list_incidents", json!({"limit": 100})),
        ("get_timeline", json!({"limit": 100})),
        ("get_alerts", json!({"limit": 100})),
        ("get_changes", json!({})),
        ("get_findings", json!({"limit": 100})),
        ("search_events", json!({"limit": 100})),
    ] {
        let output = toolbox.call(tool, arguments, None).await.unwrap();
        assert!(output.to_string().len() <= OUTPUT_BYTES_MAX, "{tool}");
        let left = output["left_off"].as_u64().unwrap_or(0);
        assert!(left > 0 || output["more"] == true, "{tool} says that there is more");
        assert!(!output["items"].as_array().unwrap().is_empty(), "{tool}");
    }
    let events = toolbox.call("search_events", json!({"limit": 100}), None).await.unwrap();
    assert!(events["shortened"].as_u64().unwrap() >= 1, "long texts are shortened, and counted");
}

#[tokio::test]
async fn a_long_timeline_keeps_how_it_began_and_how_it_stands() {
    let (toolbox, _) = toolbox(200, None);
    let output = toolbox.call("get_timeline", json!({"limit": 9}), None).await.unwrap();
    let places: Vec<u64> =
        output["items"].as_array().unwrap().iter().map(|line| line["position"].as_u64().unwrap()).collect();
    assert_eq!(places, [0, 1, 2, 194, 195, 196, 197, 198, 199]);
    assert_eq!((&output["left_off"], &output["left_off_after"]), (&json!(191), &json!(3)));
}

#[tokio::test]
async fn alerts_of_a_service_are_found_by_what_they_resolved_to() {
    let (toolbox, _) = toolbox(10, None);
    let output = toolbox.call("get_alerts", json!({"service": "nginx", "limit": 3}), None).await.unwrap();
    let items = output["items"].as_array().unwrap();
    assert!(items.len() == 3 && items.iter().all(|alert| alert["service"] == "nginx"), "{output:#}");
    assert_eq!(output["more"], true);
}

#[tokio::test]
async fn log_lines_are_for_now_alone_and_say_that_they_expire() {
    let telemetry = MemoryTelemetry::default();
    let line = |n: i64| LogRecord {
        time: start() + Span::seconds(n),
        service: "postgres".into(),
        level: LogLevel::Error,
        message: format!("line {n}"),
        labels: [].into(),
    };
    let batch = TelemetryBatch { logs: (0..50).map(line).collect(), ..TelemetryBatch::default() };
    telemetry.append(&Partition::of_environment("production"), batch).await.unwrap();
    let (toolbox, _) = toolbox(1, Some(Arc::new(telemetry)));
    let output = toolbox.call("search_logs", json!({"incident": ID, "limit": 5}), None).await.unwrap();
    assert_eq!(output["items"].as_array().unwrap().len(), 5);
    assert_eq!(output["more"], true);
    assert!(output["note"].as_str().unwrap().contains("expires"), "{output:#}");
    let past = toolbox.call("search_logs", json!({"incident": ID}), Some(AsOf::Position(NOW))).await.unwrap_err();
    assert!(past.detail.contains("telemetry"), "{past:?}");
    let (bare, _) = sample::toolbox(1, None);
    assert_eq!(bare.call("search_logs", json!({}), None).await.unwrap_err().code, "not_found");
}
