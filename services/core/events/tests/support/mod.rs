//! What the tests of the wire form share: the fixtures, and a check of JSON against the part of JSON Schema
//! that our schemas use.

#![allow(dead_code, unreachable_pub)] // each test file uses its own part

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One whole wire event as it was once written.
pub struct Fixture {
    /// Its file's name.
    pub file: String,
    /// The event's type, as the file's name says.
    pub kind: String,
    /// The payload's version, as the file's name says.
    pub version: u32,
    pub event: Value,
}

/// Every fixture. A name is `<type>.v<version>.json`, or `<type>.<case>.v<version>.json` for another form.
pub fn fixtures() -> Vec<Fixture> {
    let folder = here("fixtures");
    let mut all: Vec<Fixture> =
        std::fs::read_dir(&folder).unwrap().map(|entry| fixture(&entry.unwrap().path())).collect();
    all.sort_by(|a, b| a.file.cmp(&b.file));
    all
}

fn fixture(path: &Path) -> Fixture {
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    let stem = file.strip_suffix(".json").unwrap_or_else(|| panic!("{file} is no fixture"));
    let (name, version) = stem.rsplit_once(".v").unwrap_or_else(|| panic!("{file} names no version"));
    let mut words = name.splitn(3, '.');
    let kind = format!("{}.{}", words.next().unwrap(), words.next().unwrap());
    let event = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Fixture { version: version.parse().unwrap(), kind, event, file }
}

/// A path of this crate.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What is wrong with `value` by `schema`, in words; every property that was met is put into `met` as
/// `<definition>.<property>`.
pub fn faults(schema: &Value, root: &Value, value: &Value, place: &str, met: &mut BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some((name, target)) = referred(schema, root) {
        faults.extend(self::faults(target, root, value, name, met));
    }
    if let Some(expected) = schema.get("const")
        && expected != value
    {
        faults.push(format!("{place}: expected {expected}, got {value}"));
    }
    if let Some(types) = schema.get("type")
        && !types.as_array().map_or_else(|| vec![types], |all| all.iter().collect()).iter().any(|t| is_a(value, t))
    {
        faults.push(format!("{place}: expected {types}, got {value}"));
    }
    for one_of in ["oneOf", "anyOf"] {
        let Some(ways) = schema.get(one_of).and_then(Value::as_array) else {
            continue;
        };
        let mut tried = Vec::new();
        let fits = ways.iter().any(|way| {
            let mut seen = BTreeSet::new();
            let wrong = self::faults(way, root, value, place, &mut seen);
            let fits = wrong.is_empty();
            if fits {
                met.extend(seen);
            }
            tried.extend(wrong);
            fits
        });
        if !fits {
            faults.push(format!("{place}: none of the {} ways fits: {}", ways.len(), tried.join("; ")));
        }
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            faults.push(format!("{place}: expected {name}, got none"));
        }
    }
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.get(name) {
            met.insert(format!("{place}.{name}"));
            faults.extend(self::faults(part, root, value, &format!("{place}.{name}"), met));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        faults.extend(values.iter().flat_map(|value| self::faults(items, root, value, &format!("{place}[]"), met)));
    }
    faults
}

/// Every property that `schema` knows, as `<definition>.<property>`.
pub fn properties(schema: &Value, root: &Value, place: &str, known: &mut BTreeSet<String>) {
    if let Some((name, target)) = referred(schema, root) {
        properties(target, root, name, known);
    }
    for ways in ["oneOf", "anyOf"] {
        for way in schema.get(ways).and_then(Value::as_array).into_iter().flatten() {
            properties(way, root, place, known);
        }
    }
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        known.insert(format!("{place}.{name}"));
        properties(part, root, &format!("{place}.{name}"), known);
    }
    if let Some(items) = schema.get("items") {
        properties(items, root, &format!("{place}[]"), known);
    }
}

/// The definition that a schema refers to, with its name.
fn referred<'a>(schema: &'a Value, root: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    Some((name, root.get("$defs")?.get(name)?))
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the check does not know the type {other:?}"),
    }
}
