//! Secrets stop at the door. Owns how a text, a label or any JSON is cleaned; refuses to know where it comes
//! from and where it goes. Whoever writes text of others into the ledger, a prompt, a vector or a page asks here.
//!
//! The one contract of this crate: *pure*, and cleaning what is clean changes nothing.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The version of the rules, which every delivery records. It rises when a rule changes.
pub const VERSION: u32 = 2;

/// How often each kind of secret was found.
pub type RedactionCounts = BTreeMap<&'static str, u32>;

/// Every kind of secret that is looked for.
#[must_use]
pub fn kinds() -> BTreeSet<&'static str> {
    rules::kinds()
}

/// Cleans text and counts what it takes out. One for a request.
#[derive(Debug, Default)]
pub struct Redactor {
    counts: RedactionCounts,
}

impl Redactor {
    /// A text without its secrets.
    pub fn text(&mut self, text: &str) -> String {
        rules::apply(text, &mut self.counts)
    }

    /// A text that may be absent.
    pub fn optional(&mut self, text: &mut Option<String>) {
        if let Some(text) = text {
            *text = self.text(text);
        }
    }

    /// A value under its key's name, which may say that the value is a secret whatever it looks like.
    pub fn named(&mut self, name: &str, text: &str) -> String {
        match rules::kind_of_name(name) {
            Some(kind) if !text.is_empty() && !rules::is_mark(text) => {
                *self.counts.entry(kind).or_default() += 1;
                rules::mark(kind)
            }
            Some(_) => text.to_owned(),
            None => self.text(text),
        }
    }

    /// Labels or annotations without their secrets. Two names that become one keep the first value.
    pub fn labels(&mut self, labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut clean = BTreeMap::new();
        for (name, value) in labels {
            let value = self.named(&name, &value);
            clean.entry(self.text(&name)).or_insert(value);
        }
        clean
    }

    /// Any JSON without its secrets.
    pub fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Number(number) => match self.text(&number.to_string()) {
                text if rules::is_mark(&text) => Value::String(text),
                _ => Value::Number(number),
            },
            other => other,
        }
    }

    fn fields(&mut self, fields: Map<String, Value>) -> Map<String, Value> {
        let mut clean = Map::with_capacity(fields.len());
        for (name, value) in fields {
            let value = match (rules::kind_of_name(&name), value) {
                (_, value @ (Value::Null | Value::Bool(_))) => value,
                (Some(_), Value::String(text)) => Value::String(self.named(&name, &text)),
                (Some(kind), _) => {
                    *self.counts.entry(kind).or_default() += 1;
                    Value::String(rules::mark(kind))
                }
                (None, value) => self.value(value),
            };
            clean.entry(self.text(&name)).or_insert(value);
        }
        clean
    }

    /// What was found so far, by kind.
    #[must_use]
    pub const fn counts(&self) -> &RedactionCounts {
        &self.counts
    }

    /// What was found, at the end.
    #[must_use]
    pub fn into_counts(self) -> RedactionCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests;
