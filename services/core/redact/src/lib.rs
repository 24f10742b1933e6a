//! Secrets stop at the door. Owns how a text, a label or any JSON is cleaned; refuses to know where it comes
//! from and where it goes. Whoever writes text of others into the ledger, a prompt, a vector or a page asks here.
//!
//! The one contract of this crate: *pure*, and cleaning what is clean changes nothing.

mod mark;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub use mark::RedactionKey;
use mark::{is_mark, mark};

/// The version of the rules, which every delivery records. It rises when a rule changes.
pub const VERSION: u32 = 3;

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
    key: Option<RedactionKey>,
}

impl Redactor {
    /// One whose [`Redactor::labels`] and [`Redactor::label`] keep redacted values distinct.
    #[must_use]
    pub fn telling_apart(key: RedactionKey) -> Self {
        Self { counts: RedactionCounts::new(), key: Some(key) }
    }

    /// A text without its secrets.
    pub fn text(&mut self, text: &str) -> String {
        rules::apply(text, None, &mut self.counts)
    }

    /// A text that may be absent.
    pub fn optional(&mut self, text: &mut Option<String>) {
        if let Some(text) = text {
            *text = self.text(text);
        }
    }

    /// A value under its key's name, which may say that the value is a secret whatever it looks like.
    pub fn named(&mut self, name: &str, text: &str) -> String {
        under(name, text, None, &mut self.counts)
    }

    /// A label's value, or one that a matcher compares it with. Two secrets stay two values, and the same secret the same
    /// value, where there is a key.
    pub fn label(&mut self, name: &str, value: &str) -> String {
        under(name, value, self.key.as_ref(), &mut self.counts)
    }

    /// Labels without their secrets. Two names that become one keep the first value.
    pub fn labels(&mut self, labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.each(labels, Self::label)
    }

    /// Annotations without their secrets. Two names that become one keep the first value.
    pub fn annotations(&mut self, annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.each(annotations, Self::named)
    }

    fn each(
        &mut self,
        pairs: BTreeMap<String, String>,
        clean: fn(&mut Self, &str, &str) -> String,
    ) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for (name, value) in pairs {
            let value = clean(self, &name, &value);
            kept.entry(self.text(&name)).or_insert(value);
        }
        kept
    }

    /// Any JSON without its secrets.
    pub fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Number(number) => match self.text(&number.to_string()) {
                text if is_mark(&text) => Value::String(text),
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
                    Value::String(mark(kind, "", None))
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

fn under(name: &str, text: &str, key: Option<&RedactionKey>, counts: &mut RedactionCounts) -> String {
    match rules::kind_of_name(name) {
        Some(kind) if !text.is_empty() && !is_mark(text) => {
            *counts.entry(kind).or_default() += 1;
            mark(kind, text, key)
        }
        Some(_) => text.to_owned(),
        None => rules::apply(text, key, counts),
    }
}

#[cfg(test)]
mod tests;
