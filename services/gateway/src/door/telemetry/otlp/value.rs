//! Values of OTLP: as JSON writes numbers and ids, and as text and labels. Owns both; refuses to know whose they
//! are.

use crate::door::telemetry::RecordLabels;
use hindcast_domain::Time;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::super::wire::{LEAF, Shape};
use super::messages::{AnyValue, KeyValue};

/// The nesting of attributes.
pub(super) static ATTRIBUTE: Shape = Shape(&[(2, &ANY)]);
/// The nesting of a value.
pub(super) static ANY: Shape = Shape(&[(5, &ARRAY), (6, &LIST), (7, &LEAF)]);
static ARRAY: Shape = Shape(&[(1, &ANY)]);
static LIST: Shape = Shape(&[(1, &ATTRIBUTE)]);
/// The nesting of a resource.
pub(super) static RESOURCE: Shape = Shape(&[(1, &ATTRIBUTE)]);

/// `null` is the default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A number, or a number as text.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Spelt {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

pub(super) fn unsigned<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let wrong = || D::Error::custom("expected an unsigned 64-bit integer, as a number or text");
    match Option::<Spelt>::deserialize(from)? {
        None => Ok(0),
        Some(Spelt::Unsigned(value)) => Ok(value),
        Some(Spelt::Text(text)) => text.parse().map_err(|_| wrong()),
        Some(Spelt::Signed(_) | Spelt::Float(_)) => Err(wrong()),
    }
}

pub(super) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let wrong = || D::Error::custom("expected a 64-bit integer, as a number or text");
    match Option::<Spelt>::deserialize(from)? {
        None => Ok(None),
        Some(Spelt::Unsigned(value)) => i64::try_from(value).map(Some).map_err(|_| wrong()),
        Some(Spelt::Signed(value)) => Ok(Some(value)),
        Some(Spelt::Text(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(Spelt::Float(_)) => Err(wrong()),
    }
}

#[allow(clippy::cast_precision_loss)] // a double is what is asked for
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Option::<Spelt>::deserialize(from)? {
        None => Ok(None),
        Some(Spelt::Unsigned(value)) => Ok(Some(value as f64)),
        Some(Spelt::Signed(value)) => Ok(Some(value as f64)),
        Some(Spelt::Float(value)) => Ok(Some(value)),
        // `NaN`, `Infinity` and `-Infinity` are spelt so in JSON, and Rust reads them.
        Some(Spelt::Text(text)) => text.parse().map(Some).map_err(|_| D::Error::custom("expected a number")),
    }
}

pub(super) fn letters<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(String::into_bytes))
}

pub(super) fn hexadecimal<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text: String = or_default(from)?;
    hindcast_domain::hex::unhex(&text).ok_or_else(|| D::Error::custom("expected an id in hexadecimal digits"))
}

/// Bytes in hexadecimal digits; empty where all are zero, which is how "none" is written.
pub(super) fn id(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    hindcast_domain::hex::hex(bytes)
}

/// Nanoseconds since 1970; 0 means "not known".
pub(super) fn time(nanos: u64) -> Option<Time> {
    (nanos > 0).then(|| Time::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

/// A value as text: a scalar as it is, a list or map as JSON; nothing where there is nothing to say.
pub(super) fn text(value: Option<&AnyValue>) -> Option<String> {
    match json(value?) {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn json(value: &AnyValue) -> Value {
    if let Some(text) = &value.string_value {
        return Value::String(String::from_utf8_lossy(text).into_owned());
    }
    if let Some(flag) = value.bool_value {
        return Value::Bool(flag);
    }
    if let Some(whole) = value.int_value {
        return Value::from(whole);
    }
    if let Some(number) = value.double_value {
        return Value::from(number);
    }
    if let Some(list) = &value.array_value {
        return Value::Array(list.values.iter().map(json).collect());
    }
    if let Some(map) = &value.kvlist_value {
        let pair = |pair: &KeyValue| (pair.key.clone(), pair.value.as_ref().map_or(Value::Null, json));
        return Value::Object(map.values.iter().map(pair).collect());
    }
    value.bytes_value.as_ref().map_or(Value::Null, |bytes| Value::String(format!("{} bytes", bytes.len())))
}

/// What a resource says of everything under it.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) service: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) labels: RecordLabels,
}

/// Attributes that name the environment, the surest first.
const ENVIRONMENT: [&str; 3] = ["deployment.environment.name", "deployment.environment", "environment"];

impl Origin {
    pub(super) fn of(attributes: &[KeyValue]) -> Self {
        let mut labels = labels(attributes);
        // What tells the sender's library tells nothing of the service.
        labels.retain(|name, _| !name.starts_with("telemetry.sdk."));
        let service = labels.remove("service.name");
        let environment = ENVIRONMENT.iter().find_map(|name| labels.remove(*name));
        Self { service, environment, labels }
    }

    /// The labels of one record: its own count more than its resource's.
    pub(super) fn with(&self, own: RecordLabels) -> RecordLabels {
        let mut all = self.labels.clone();
        all.extend(own);
        all
    }
}

/// Attributes as labels; those without a value are none.
pub(super) fn labels(attributes: &[KeyValue]) -> RecordLabels {
    attributes.iter().filter_map(|pair| Some((pair.key.clone(), text(pair.value.as_ref())?))).collect()
}
