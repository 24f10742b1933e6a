//! The fields of a JSON log line by any of their usual names. Owns the names, and how nesting becomes dots;
//! refuses to know where the line came from.

use std::collections::BTreeMap;

use hindcast_domain::Time;
use hindcast_telemetry::LogLevel;
use serde_json::{Map, Value};

use super::line::Line;
use crate::format::Bad;
use crate::time;

const TIME: [&str; 4] = ["time", "timestamp", "ts", "@timestamp"];
const SERVICE: [&str; 5] = ["service", "service.name", "service_name", "app", "job"];
const SEVERITY: [&str; 6] = ["severity", "level", "lvl", "log.level", "severity_text", "severityText"];
const MESSAGE: [&str; 4] = ["message", "msg", "body", "log"];
const ENVIRONMENT: [&str; 4] = ["environment", "env", "deployment.environment.name", "deployment.environment"];
/// Objects whose fields are labels as they stand.
const HOLDERS: [&str; 3] = ["labels", "attributes", "fields"];
/// Fields of one line that are looked at.
const FIELDS_MAX: usize = 1_024;

type FlatFields = BTreeMap<String, Value>;

/// Reads a line. A time that cannot be read is the time of arrival, and counted.
pub(super) fn line(value: Value, now: Time) -> Result<Line, Bad> {
    let Value::Object(fields) = value else {
        return Err(Bad::new(
            "malformed",
            "expected a JSON object, got another value",
            "Write one JSON object a line.",
        ));
    };
    let mut texts = MESSAGE.iter().filter_map(|name| fields.get(*name));
    let whole = texts.find(|said| said.is_object() || said.is_array()).map(Value::to_string);
    let mut flat = FlatFields::new();
    flatten("", fields, &mut flat);
    let (time, time_unread) = time::any(take(&mut flat, &TIME).as_ref(), now);
    let service = text(&mut flat, &SERVICE);
    let level = take(&mut flat, &SEVERITY).map(|value| level(&value));
    let message = text(&mut flat, &MESSAGE).or(whole).unwrap_or_default();
    let environment = text(&mut flat, &ENVIRONMENT);
    let labels = flat.into_iter().map(|(name, value)| (name, plain(value))).collect();
    Ok(Line { environment, time, service, level, message, labels, time_unread })
}

/// Scalars by their dotted names; a list is its JSON, `null` is nothing.
fn flatten(prefix: &str, fields: Map<String, Value>, flat: &mut FlatFields) {
    for (name, value) in fields {
        if flat.len() >= FIELDS_MAX {
            return;
        }
        let dotted = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Null => {}
            Value::Object(fields) if HOLDERS.contains(&dotted.as_str()) => flatten("", fields, flat),
            Value::Object(fields) => flatten(&dotted, fields, flat),
            value => {
                flat.entry(dotted).or_insert(value);
            }
        }
    }
}

/// Takes the first field of these names that says something.
fn take(flat: &mut FlatFields, names: &[&str]) -> Option<Value> {
    let said = |value: &Value| !value.as_str().is_some_and(|text| text.trim().is_empty());
    let name = names.iter().find(|name| flat.get(**name).is_some_and(said))?;
    flat.remove(*name)
}

fn text(flat: &mut FlatFields, names: &[&str]) -> Option<String> {
    take(flat, names).map(plain)
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A word, a syslog number (0 to 7), or a logger's number (10 debug, 20 … as pino and bunyan count).
fn level(value: &Value) -> LogLevel {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match number {
        Some(number) if number >= 60.0 => LogLevel::Fatal,
        Some(number) if number >= 50.0 => LogLevel::Error,
        Some(number) if number >= 40.0 => LogLevel::Warning,
        Some(number) if number >= 30.0 => LogLevel::Info,
        Some(number) if number >= 10.0 => LogLevel::Debug,
        Some(number) => LogLevel::of_word(&number.to_string()),
        None => LogLevel::of_word(value.as_str().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_known_by_any_of_its_names() {
        let expected: Option<Time> = "2026-11-24T13:30:00Z".parse().ok();
        for value in [
            json!({"time": "2026-11-24T14:30:00+01:00", "service": "s", "severity": "ERROR", "message": "m"}),
            json!({"@timestamp": 1_795_527_000, "app": "s", "level": "err", "msg": "m"}),
            json!({"ts": 1_795_527_000.0, "job": "s", "lvl": 3, "log": "m"}),
            json!({"timestamp": "1795527000000", "service": {"name": "s"}, "log": {"level": "error"}, "body": "m"}),
            json!({"time": "2026-11-24 13:30:00,000", "service.name": "s", "level": 50, "msg": "m", "message": ""}),
            json!({"time": 1_795_527_000_000_000_000_i64, "attributes": {"service.name": "s"}, "severity": "3", "msg": "m"}),
        ] {
            let line = line(value.clone(), Time::ZERO).unwrap();
            assert_eq!((line.time, line.service.as_deref()), (expected, Some("s")), "{value}");
            assert_eq!((line.level, line.message.as_str()), (Some(LogLevel::Error), "m"), "{value}");
        }
    }

    #[test]
    fn what_is_left_becomes_labels() {
        let line = line(
            json!({
                "msg": "m", "log": "raw", "pod": "p-1", "attempt": 3, "ok": true, "none": null, "tags": ["a"],
                "k8s": {"node": {"name": "n"}}, "labels": {"env": "staging", "zone": "z"},
            }),
            Time::ZERO,
        )
        .unwrap();
        assert_eq!(line.environment.as_deref(), Some("staging"));
        let labels = json!(line.labels);
        let expected = json!({"log": "raw", "pod": "p-1", "attempt": "3", "ok": "true", "tags": "[\"a\"]",
                              "k8s.node.name": "n", "zone": "z"});
        assert_eq!(labels, expected);
    }

    #[test]
    fn an_odd_time_or_text_costs_itself_alone() {
        for time in [json!("yesterday"), json!(true), json!({"a": 1}), json!([5])] {
            let line = line(json!({"msg": "m", "time": time}), Time::ZERO).unwrap();
            assert_eq!((line.time, line.message.as_str()), (None, "m"), "{time}");
        }
        assert!(line(json!({"msg": "m", "time": "yesterday"}), Time::ZERO).unwrap().time_unread);
        for name in MESSAGE {
            let line = line(json!({name: {"event": "paid", "n": 5}}), Time::ZERO).unwrap();
            assert_eq!(line.message, r#"{"event":"paid","n":5}"#, "{name}");
        }
        for bad in [json!([1]), json!(5)] {
            assert!(line(bad.clone(), Time::ZERO).is_err(), "{bad}");
        }
    }
}
