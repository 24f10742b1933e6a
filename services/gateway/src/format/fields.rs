//! Reading fields out of JSON. Owns what counts as a text and where a path leads; refuses to know formats.

use serde_json::{Map, Value};

/// A field as text: a text that is not empty, a number or a truth value.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The text of the first of these fields that has one, with the field's name.
pub(crate) fn first<'a>(object: &Map<String, Value>, names: &[&'a str]) -> Option<(&'a str, String)> {
    names.iter().find_map(|name| Some((*name, text(object.get(*name))?)))
}

/// Follows a JSON pointer (`/a/b/0`) or a dotted path (`a.b.0`).
pub(crate) fn path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.starts_with('/') || path.is_empty() {
        return value.pointer(path);
    }
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A path as a JSON pointer.
pub(crate) fn pointer(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => path.split('.').map(|step| format!("/{}", step.replace('~', "~0"))).collect(),
    }
}

/// A field's name as a JSON pointer (RFC 6901).
pub(crate) fn name_pointer(name: &str) -> String {
    let short: String = name.chars().take(128).collect();
    format!("/{}", short.replace('~', "~0").replace('/', "~1"))
}

/// What kind of value it is, for people.
pub(crate) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Fields besides the known ones, as JSON pointers. Empty ones say nothing.
pub(crate) fn unknown(object: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    object
        .iter()
        .filter(|(name, value)| !known.contains(&name.as_str()) && says_something(value))
        .map(|(name, _)| name_pointer(name))
        .take(super::UNMAPPED_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_a_pointer_or_dotted() {
        let value = json!({"a": {"b": [{"c": 1}], "d/e": 2}});
        assert_eq!(path(&value, "a.b.0.c"), Some(&json!(1)));
        assert_eq!(path(&value, "/a/b/0/c"), Some(&json!(1)));
        assert_eq!(path(&value, "/a/d~1e"), Some(&json!(2)));
        assert_eq!(path(&value, "a.x"), None);
        assert_eq!(pointer("a.b"), "/a/b");
    }
}
