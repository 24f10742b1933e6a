//! OTLP's JSON as senders write it, made into what the specification says: both spellings of names, numbers as text and
//! text as numbers, ids in base64, plain values where a typed one belongs. What cannot be read costs itself: a value is
//! left out and counted, a record that is no object is rejected, and what stands beside them is taken.
//!
//! Source: the proto3 JSON mapping (<https://protobuf.dev/programming-guides/json/>), whose parsers accept lower camel
//! case and the names of the `.proto` file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Number, Value, json};

/// Lists of messages whose items are records.
const RECORDS: [&str; 3] = ["logRecords", "dataPoints", "spans"];
/// Other lists of messages.
const LISTS: [&str; 8] = [
    "resourceLogs",
    "scopeLogs",
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
    "quantileValues",
    "resourceSpans",
    "scopeSpans",
];
/// The names that `trace.proto` has for the kind of a span and for its status, each at its number.
const SPAN_KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];
/// Fields of a typed value; the first one that is there counts.
const TYPED: [&str; 7] =
    ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"];

/// How much an export lost to be readable.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// Values that could not be read and were left out.
    pub(super) values: u64,
    /// Records that are none.
    pub(super) records: u64,
}

/// Makes an export of what a sender wrote.
pub(super) fn export(value: Value) -> (Value, Mended) {
    let mut mended = Mended::default();
    let value = message(value, &mut mended);
    (value, mended)
}

/// `time_unix_nano` is `timeUnixNano`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Any message but a typed value.
fn message(value: Value, mended: &mut Mended) -> Value {
    let Value::Object(fields) = value else { return value };
    let mut out = Map::new();
    for (name, value) in fields {
        if value.is_null() {
            continue;
        }
        let name = camel(&name);
        match field(&name, value, mended) {
            Some(value) => {
                out.insert(name, value);
            }
            None => mended.values += 1,
        }
    }
    Value::Object(out)
}

/// A field as it should be; nothing where it cannot be read.
fn field(name: &str, value: Value, mended: &mut Mended) -> Option<Value> {
    match name {
        _ if RECORDS.contains(&name) => messages(value, true, mended),
        _ if LISTS.contains(&name) => messages(value, false, mended),
        "attributes" => pairs(value, mended),
        "body" => Some(typed(value, mended)),
        "traceId" | "spanId" | "parentSpanId" => id(&value),
        "severityNumber" => severity(&value),
        "status" if !value.is_object() => named(&value, &STATUS_CODES).map(|code| json!({ "code": code })),
        "resource" | "scope" | "gauge" | "histogram" | "exponentialHistogram" | "summary" if !value.is_object() => None,
        "kind" => named(&value, &SPAN_KINDS),
        "code" => named(&value, &STATUS_CODES),
        "severityText" | "eventName" | "name" | "key" => scalar(&value),
        "flags" | "droppedAttributesCount" => unsigned(&value).filter(|n| n.as_u64().is_some_and(|n| n < 1 << 32)),
        "count" => unsigned(&value),
        _ if name.ends_with("UnixNano") => unsigned(&value),
        "asInt" => whole(&value),
        "asDouble" | "sum" | "quantile" | "value" if !value.is_object() => double(&value),
        _ if value.is_object() => Some(message(value, mended)),
        // What is not read here may be anything.
        _ => Some(value),
    }
}

fn messages(value: Value, are_records: bool, mended: &mut Mended) -> Option<Value> {
    let Value::Array(items) = value else { return None };
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        if item.is_object() {
            out.push(message(item, mended));
        } else if are_records {
            mended.records += 1;
        } else {
            mended.values += 1;
        }
    }
    Some(Value::Array(out))
}

/// Attributes: a list of keys with values, or an object, as many write it.
fn pairs(value: Value, mended: &mut Mended) -> Option<Value> {
    let pair = |key: String, value: Value, mended: &mut Mended| json!({ "key": key, "value": typed(value, mended) });
    match value {
        Value::Object(fields) => {
            Some(Value::Array(fields.into_iter().map(|(key, value)| pair(key, value, mended)).collect()))
        }
        Value::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    Value::Object(mut fields) => {
                        let key = fields.remove("key").as_ref().and_then(scalar);
                        let value = fields.remove("value").unwrap_or_default();
                        match key {
                            Some(Value::String(key)) => out.push(pair(key, value, mended)),
                            _ => mended.values += 1,
                        }
                    }
                    _ => mended.values += 1,
                }
            }
            Some(Value::Array(out))
        }
        _ => None,
    }
}

/// A typed value; a plain one is given its type, and an object of no known type is its JSON.
fn typed(value: Value, mended: &mut Mended) -> Value {
    match value {
        Value::Null => json!({}),
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(flag) => json!({ "boolValue": flag }),
        Value::Number(number) => of_number(&number),
        Value::Array(items) => {
            json!({ "arrayValue": { "values": items.into_iter().map(|item| typed(item, mended)).collect::<Vec<_>>() } })
        }
        Value::Object(fields) => {
            let mut known: Map<String, Value> = Map::new();
            let is_empty = fields.is_empty();
            let whole = Value::Object(fields.clone()).to_string();
            for (name, value) in fields {
                let name = camel(&name);
                if TYPED.contains(&name.as_str()) && !value.is_null() {
                    known.insert(name, value);
                }
            }
            let first = TYPED.iter().find_map(|name| Some((*name, known.remove(*name)?)));
            match first {
                Some((name, value)) => of_type(name, value, mended),
                None if is_empty => json!({}),
                None => json!({ "stringValue": whole }),
            }
        }
    }
}

fn of_number(number: &Number) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => json!({ "intValue": whole.to_string() }),
        (None, Some(double)) if !number.is_u64() => json!({ "doubleValue": double }),
        // Beyond 64 bits with a sign it is kept as it is written.
        _ => json!({ "stringValue": number.to_string() }),
    }
}

fn of_type(name: &str, value: Value, mended: &mut Mended) -> Value {
    let odd = |mended: &mut Mended, value: &Value| {
        mended.values += 1;
        // As text it says the same to a reader.
        scalar(value).map_or_else(|| json!({}), |text| json!({ "stringValue": text }))
    };
    match (name, value) {
        ("stringValue", value) => {
            scalar(&value).map_or_else(|| odd(mended, &value), |text| json!({ "stringValue": text }))
        }
        ("boolValue", Value::Bool(flag)) => json!({ "boolValue": flag }),
        ("intValue", value) => whole(&value).map_or_else(|| odd(mended, &value), |whole| json!({ "intValue": whole })),
        ("doubleValue", value) => {
            double(&value).map_or_else(|| odd(mended, &value), |double| json!({ "doubleValue": double }))
        }
        ("arrayValue", Value::Object(mut list)) => {
            typed(list.remove("values").filter(Value::is_array).unwrap_or(json!([])), mended)
        }
        ("arrayValue", list @ Value::Array(_)) => typed(list, mended),
        ("kvlistValue", Value::Object(mut map)) => {
            match map.remove("values").and_then(|values| pairs(values, mended)) {
                Some(values) => json!({ "kvlistValue": { "values": values } }),
                None => json!({}),
            }
        }
        ("bytesValue", Value::String(text)) => match bytes(&text).map(String::from_utf8) {
            Some(Ok(plain)) => json!({ "stringValue": plain }),
            Some(Err(other)) => json!({ "stringValue": format!("{} bytes", other.as_bytes().len()) }),
            None => odd(mended, &Value::String(text)),
        },
        (_, value) => odd(mended, &value),
    }
}

/// A scalar as text.
fn scalar(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(_) | Value::Bool(_) => Some(Value::String(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded just before
fn unsigned(value: &Value) -> Option<Value> {
    let of_double = |double: f64| (0.0..1.8e19).contains(&double).then_some(double as u64);
    let number = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(of_double)),
        Value::String(text) if text.trim().is_empty() => Some(0),
        Value::String(text) => text.trim().parse().ok().or_else(|| text.trim().parse().ok().and_then(of_double)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.map(Value::from)
}

#[allow(clippy::cast_possible_truncation)] // bounded just before
fn whole(value: &Value) -> Option<Value> {
    let of_double = |double: f64| (double.fract() == 0.0 && double.abs() < 9e18).then_some(double as i64);
    let number = match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|_| !number.is_u64()).and_then(of_double))
        }
        Value::String(text) => text.trim().parse().ok().or_else(|| text.trim().parse::<f64>().ok().and_then(of_double)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.map(Value::from)
}

fn double(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => text.trim().parse::<f64>().ok().map(|_| Value::String(text.trim().to_owned())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An id in hexadecimal digits, or in base64 as proto3's own mapping writes bytes.
fn id(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim();
    if hindcast_domain::hex::unhex(text).is_some() {
        return Some(Value::String(text.to_owned()));
    }
    let bytes = bytes(text).filter(|bytes| matches!(bytes.len(), 8 | 16))?;
    Some(Value::String(hindcast_domain::hex::hex(&bytes)))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].into_iter().find_map(|engine| engine.decode(text).ok())
}

/// A number, or one of the names, of which the last words are enough: `SPAN_KIND_SERVER`, `server`.
fn named(value: &Value, names: &[&str]) -> Option<Value> {
    let number = match value {
        Value::Number(_) => whole(value)?.as_u64(),
        Value::String(text) => {
            let last = text.trim().rsplit('_').next().unwrap_or_default();
            let place = names.iter().position(|name| last.eq_ignore_ascii_case(name));
            text.trim().parse().ok().or_else(|| u64::try_from(place?).ok())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| usize::try_from(*number).is_ok_and(|at| at < names.len())).map(Value::from)
}

/// A number, or the name that the `.proto` file has for it.
fn severity(value: &Value) -> Option<Value> {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let number = match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0)?.to_string().parse().ok())
        }
        Value::String(text) => {
            let text = text.trim();
            let name = text.strip_prefix("SEVERITY_NUMBER_").unwrap_or(text);
            let step = name.chars().last().and_then(|last| last.to_digit(10)).filter(|step| (2..=4).contains(step));
            let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
            let of_name = |at: usize| i64::try_from(at * 4).ok().map(|base| base + i64::from(step.unwrap_or(1)));
            text.parse()
                .ok()
                .or_else(|| NAMES.iter().position(|known| bare.eq_ignore_ascii_case(known)).and_then(of_name))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| (0..=24).contains(number)).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(value: Value) -> Value {
        let export_of = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": value}]}]}]});
        export(export_of).0["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"].clone()
    }

    #[test]
    fn names_are_read_in_both_spellings() {
        let snake = json!({"resource_logs": [{"scope_logs": [{"log_records": [
            {"time_unix_nano": "5", "severity_number": "SEVERITY_NUMBER_ERROR2", "body": {"string_value": "m"},
             "attributes": [{"key": "a_b", "value": {"int_value": 3.0}}]}
        ]}]}]});
        let (value, mended) = export(snake);
        assert_eq!((mended.values, mended.records), (0, 0));
        let record = &value["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        assert_eq!(
            *record,
            json!({"timeUnixNano": 5, "severityNumber": 18, "body": {"stringValue": "m"},
            "attributes": [{"key": "a_b", "value": {"intValue": 3}}]})
        );
    }

    #[test]
    fn an_odd_value_costs_itself() {
        for (given, expected) in [
            (
                json!({"a": 1, "b": "x"}),
                json!([{"key": "a", "value": {"intValue": "1"}}, {"key": "b", "value": {"stringValue": "x"}}]),
            ),
            (json!([null, 5, {"key": "a"}]), json!([{"key": "a", "value": {}}])),
            (
                json!([{"key": "a", "value": {"intValue": 9_223_372_036_854_775_808_u64}}]),
                json!([{"key": "a", "value": {"stringValue": "9223372036854775808"}}]),
            ),
            (
                json!([{"key": "a", "value": {"arrayValue": {"values": [1, null, {"stringValue": "x"}]}}}]),
                json!([{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}, {"stringValue": "x"}]}}}]),
            ),
            (
                json!([{"key": "a", "value": {"bytesValue": "aGVsbG8="}}]),
                json!([{"key": "a", "value": {"stringValue": "hello"}}]),
            ),
            (
                json!([{"key": "a", "value": {"boolValue": "yes"}}]),
                json!([{"key": "a", "value": {"stringValue": "yes"}}]),
            ),
            (
                json!([{"key": "a", "value": {"doubleValue": "NaN"}}]),
                json!([{"key": "a", "value": {"doubleValue": "NaN"}}]),
            ),
        ] {
            assert_eq!(attributes(given.clone()), expected, "{given}");
        }
        let (value, mended) = export(json!({"resourceLogs": [null, {"scopeLogs": [{"logRecords": [
            null, "x", {"timeUnixNano": -5, "traceId": "no id", "severityNumber": true, "body": "plain"},
            {"timeUnixNano": "", "observedTimeUnixNano": 1.76e18, "traceId": "AAECAwQFBgcICQoLDA0ODw=="}
        ]}]}]}));
        assert_eq!((mended.values, mended.records), (4, 2), "{value}");
        let records = &value["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
        assert_eq!(records[0], json!({"body": {"stringValue": "plain"}}));
        assert_eq!(
            records[1],
            json!({"timeUnixNano": 0, "observedTimeUnixNano": 1_760_000_000_000_000_000_u64,
            "traceId": "000102030405060708090a0b0c0d0e0f"})
        );
    }
}
