//! The JSON Schema of every event type, as it stands under `schemas/`. A test compares the two.

use hindcast_domain::event::Event;
use serde_json::Value;

use crate::upcast;

/// (file name, content) of each schema, in the order of the types.
#[must_use]
pub fn all() -> Vec<(String, Value)> {
    let whole = schemars::schema_for!(Event).to_value();
    let definitions = whole.get("$defs").cloned().unwrap_or_default();
    let variants = whole.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    upcast::types().filter_map(|kind| one(kind, &variants, &definitions)).collect()
}

/// A schema as it stands in its file.
#[must_use]
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn one(kind: &str, variants: &[Value], definitions: &Value) -> Option<(String, Value)> {
    let variant = variants.iter().find(|variant| variant.pointer("/properties/type/const") == Some(&kind.into()))?;
    let version = upcast::current_version(kind);
    // The payload stands at the root and not behind a reference: types of one name in two modules are
    // numbered by their order, which would make a new event rename the definitions of others.
    let data = variant.pointer("/properties/data")?;
    let mut schema = referred(data, definitions).unwrap_or(data).as_object()?.clone();
    let mut used = serde_json::Map::new();
    schema.values().for_each(|part| collect(part, definitions, &mut used));
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), format!("{kind}.v{version}").into());
    schema.insert("type".to_owned(), "object".into());
    if let Some(description) = variant.get("description") {
        schema.insert("description".to_owned(), description.clone());
    }
    if !used.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(used));
    }
    Some((format!("{kind}.v{version}.json"), sorted(Value::Object(schema))))
}

/// The same with the fields of every object in the order of their names, whatever order a map keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn referred<'a>(schema: &Value, definitions: &'a Value) -> Option<&'a Value> {
    definitions.get(schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?)
}

/// Gathers the definitions that a schema refers to, and those that they refer to.
fn collect(schema: &Value, definitions: &Value, used: &mut serde_json::Map<String, Value>) {
    match schema {
        Value::Object(object) => {
            if let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"))
                && !used.contains_key(name)
                && let Some(definition) = definitions.get(name)
            {
                used.insert(name.to_owned(), definition.clone());
                collect(definition, definitions, used);
            }
            object.values().for_each(|value| collect(value, definitions, used));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, definitions, used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_schema() {
        assert_eq!(all().len(), upcast::types().count());
    }
}
