//! Secrets stop at the door. Owns how whatever a sender wrote is cleaned, and the one state in which it may
//! be written, `Clean`; refuses to know formats. It runs after the fingerprint was made, so that what is
//! redacted does not change who an alert is.

mod rules;

use std::collections::BTreeMap;

use hindcast_domain::alert::{Labels, Observation};
use hindcast_domain::event::{Change, RejectedItem};
use serde_json::{Map, Value};

use crate::format::{Fault, Item, Normalised};

/// The version of the rules, which every delivery records. It rises when a rule changes.
pub const VERSION: u32 = 1;

/// How often each kind of secret was found.
pub type Counts = BTreeMap<&'static str, u32>;

/// Cleans text and counts what it takes out. One for a request.
#[derive(Debug, Default)]
pub struct Redactor {
    counts: Counts,
}

/// What may be written: only [`Redactor::normalised`] makes one.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(crate) items: Vec<Item>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) unmapped: Vec<String>,
    pub(crate) truncated: u64,
    pub(crate) envelope: Value,
    pub(crate) counts: Counts,
}

impl Redactor {
    /// A text without its secrets.
    pub fn text(&mut self, text: &str) -> String {
        rules::apply(text, &mut self.counts)
    }

    fn optional(&mut self, text: &mut Option<String>) {
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
    pub fn labels(&mut self, labels: Labels) -> Labels {
        let mut clean = Labels::new();
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

    /// What was found so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Everything of a request.
    pub(crate) fn normalised(mut self, normalised: Normalised) -> Clean {
        let Normalised { mut items, mut faults, unmapped, truncated, envelope } = normalised;
        for item in &mut items {
            match item {
                Item::Alert { observation, .. } => self.observation(observation),
                Item::Change { change, .. } => self.change(change),
            }
        }
        for fault in &mut faults {
            self.rejected(&mut fault.item);
            fault.payload = self.value(std::mem::take(&mut fault.payload));
        }
        let unmapped = unmapped.iter().map(|pointer| self.text(pointer)).collect();
        let envelope = self.value(envelope);
        Clean { items, faults, unmapped, truncated, envelope, counts: self.counts }
    }

    fn observation(&mut self, observation: &mut Observation) {
        observation.name = self.text(&observation.name);
        observation.labels = self.labels(std::mem::take(&mut observation.labels));
        observation.annotations = self.labels(std::mem::take(&mut observation.annotations));
        self.optional(&mut observation.source_fingerprint);
        self.optional(&mut observation.service);
        self.optional(&mut observation.url);
        for pointer in &mut observation.unmapped {
            *pointer = self.text(pointer);
        }
    }

    fn change(&mut self, change: &mut Change) {
        change.title = self.text(&change.title);
        change.kind = self.text(&change.kind);
        for field in [
            &mut change.service,
            &mut change.version,
            &mut change.status,
            &mut change.author,
            &mut change.url,
            &mut change.source_id,
        ] {
            self.optional(field);
        }
    }

    fn rejected(&mut self, item: &mut RejectedItem) {
        item.detail = self.text(&item.detail);
    }
}

#[cfg(test)]
mod tests;
