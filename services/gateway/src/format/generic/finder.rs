//! Where the fields of a payload stand that nobody knows: by a mapping, else by the names that most people
//! choose. Owns those names and the words for "firing" and "resolved"; refuses to know what an alert is.

use hindcast_domain::alert::{Labels, Signal};
use hindcast_domain::{Severity, Time};
use serde_json::{Map, Value};

use super::super::{Bad, UNMAPPED_MAX, fields, labels};
use crate::source::Mapping;
use crate::{severity, time};

/// Words that say that it is wrong, lower case. `docs/formats.md` shows them, which a test compares.
pub(crate) const FIRING: &str = "firing fire fired alerting alert alarm active open opened trigger triggered problem \
                                 down critical warning error failed unhealthy true new activated created acknowledged";
/// Words that say that it is over.
pub(crate) const RESOLVED: &str = "resolved resolve ok okay closed close cleared clear recovered recovery up normal \
                                   inactive healthy success fixed done false";

/// Whether a word is one of a row of words.
fn is_in(row: &str, word: &str) -> bool {
    row.split(' ').any(|known| known == word)
}

pub(super) const NAME: &[&str] = &["name", "title", "alertname"];
pub(super) const SERVICE: &[&str] = &["service"];
pub(super) const SEVERITY: &[&str] = &["severity", "priority", "level"];
const STATUS: &[&str] = &["status", "state"];
const STARTS: &[&str] = &["starts_at", "startsAt", "time", "timestamp"];
const ENDS: &[&str] = &["ends_at", "endsAt"];
const KEY: &[&str] = &["key", "id", "fingerprint", "dedup_key"];
pub(super) const ENVIRONMENT: &[&str] = &["environment", "env"];
pub(super) const URL: &[&str] = &["url", "link", "generatorURL"];
const WORDS: &[&str] = &["description", "summary", "message"];
const MAPS: &[&str] = &["labels", "annotations"];

/// Finds fields by the mapping, else by their usual names.
pub(super) struct Finder<'a> {
    pub(super) value: &'a Value,
    pub(super) object: &'a Map<String, Value>,
    pub(super) mapping: Option<&'a Mapping>,
}

impl<'a> Finder<'a> {
    /// A field with the pointer under which it stands.
    fn find(&self, mapped: fn(&Mapping) -> &Option<String>, names: &[&str]) -> Option<(String, &'a Value)> {
        match self.mapping {
            Some(mapping) => {
                let path = mapped(mapping).as_deref()?;
                Some((fields::pointer(path), fields::path(self.value, path)?))
            }
            None => names
                .iter()
                .find_map(|name| Some((fields::name_pointer(name), self.object.get(*name).filter(|v| !v.is_null())?))),
        }
    }

    pub(super) fn text(&self, mapped: fn(&Mapping) -> &Option<String>, names: &[&str]) -> Option<(String, String)> {
        let (pointer, value) = self.find(mapped, names)?;
        Some((pointer, fields::text(Some(value))?))
    }

    pub(super) fn labels(&self) -> Result<Labels, Bad> {
        let mut labels = labels::read(self.find(|m| &m.labels, &["labels"]).map(|(_, value)| value))?;
        for (name, path) in self.mapping.iter().flat_map(|mapping| &mapping.label) {
            if let Some(text) = fields::text(fields::path(self.value, path)) {
                labels.insert(name.clone(), text);
            }
        }
        Ok(labels)
    }

    pub(super) fn annotations(&self) -> Labels {
        let mut annotations = labels::annotations(self.find(|m| &m.annotations, &["annotations"]).map(|(_, v)| v));
        for (name, path) in self.mapping.iter().flat_map(|mapping| &mapping.annotation) {
            if let Some(text) = fields::text(fields::path(self.value, path)) {
                annotations.insert(name.clone(), text);
            }
        }
        if self.mapping.is_none() {
            for name in WORDS {
                if let Some(text) = fields::text(self.object.get(*name)) {
                    annotations.entry((*name).to_owned()).or_insert(text);
                }
            }
        }
        annotations
    }

    /// A time that cannot be read, or a start behind the end, is named and does not lose the alert.
    pub(super) fn times(&self, now: Time, unmapped: &mut Vec<String>) -> (Option<Time>, Option<Time>) {
        let mut at = |mapped, names| {
            let (pointer, value) = self.find(mapped, names)?;
            let (time, unreadable) = time::any(Some(value), now);
            if unreadable {
                unmapped.push(pointer.clone());
            }
            Some((pointer, time?))
        };
        let (starts_at, ends_at) = (at(|m| &m.starts_at, STARTS), at(|m| &m.ends_at, ENDS));
        match (starts_at, ends_at) {
            (Some((pointer, start)), Some((_, end))) if end < start => {
                unmapped.push(pointer);
                (None, Some(end))
            }
            (starts_at, ends_at) => (starts_at.map(|(_, start)| start), ends_at.map(|(_, end)| end)),
        }
    }

    pub(super) fn signal(&self, ends_at: Option<Time>, now: Time, unmapped: &mut Vec<String>) -> Signal {
        let Some((pointer, word)) = self.text(|m| &m.status, STATUS) else {
            let is_over = ends_at.is_some_and(|ends_at| ends_at <= now);
            return if is_over { Signal::Resolved } else { Signal::Firing };
        };
        if let Some(signal) = self.mapping.and_then(|mapping| mapping.status_words.get(word.trim())) {
            return *signal;
        }
        let plain = word.trim().to_lowercase();
        if is_in(RESOLVED, &plain) {
            return Signal::Resolved;
        }
        if !is_in(FIRING, &plain) {
            unmapped.push(pointer);
        }
        Signal::Firing
    }

    pub(super) fn severity(&self, given: &Labels, unmapped: &mut Vec<String>) -> Severity {
        let found = self.text(|m| &m.severity, SEVERITY);
        let known = found.as_ref().and_then(|(_, word)| {
            let own = self.mapping.and_then(|mapping| mapping.severity_words.get(word.trim()));
            own.copied().or_else(|| severity::of_word(word))
        });
        known.or_else(|| labels::severity(given).ok()).unwrap_or_else(|| {
            unmapped.push(found.map_or_else(|| "/severity".to_owned(), |(pointer, _)| pointer));
            severity::UNMAPPED
        })
    }

    /// The sender's own key; several mapped fields make one, if all are there.
    pub(super) fn key(&self) -> Option<String> {
        match self.mapping {
            None => fields::first(self.object, KEY).map(|(_, key)| key),
            Some(mapping) if mapping.key.is_empty() => None,
            Some(mapping) => {
                let part = |path: &String| fields::text(fields::path(self.value, path));
                let parts: Option<Vec<String>> = mapping.key.iter().map(part).collect();
                parts.map(|parts| parts.join("/"))
            }
        }
    }

    pub(super) fn unmapped(&self) -> Vec<String> {
        match self.mapping {
            None => {
                let known = [NAME, SERVICE, SEVERITY, STATUS, STARTS, ENDS, KEY, ENVIRONMENT, URL, WORDS, MAPS];
                fields::unknown(self.object, &known.concat())
            }
            Some(mapping) => {
                let mapped: Vec<String> = mapping.paths().map(fields::pointer).collect();
                let mut found = Vec::new();
                leaves(self.value, &mut String::new(), &mapped, &mut found);
                found
            }
        }
    }
}

impl Mapping {
    fn paths(&self) -> impl Iterator<Item = &str> {
        let single = [
            &self.name,
            &self.service,
            &self.severity,
            &self.status,
            &self.labels,
            &self.annotations,
            &self.starts_at,
            &self.ends_at,
            &self.environment,
            &self.url,
        ];
        let named = self.label.values().chain(self.annotation.values()).chain(&self.key);
        single.into_iter().flatten().chain(named).map(String::as_str)
    }
}

/// The pointers of everything that no mapped path leads to.
fn leaves(value: &Value, at: &mut String, mapped: &[String], found: &mut Vec<String>) {
    if found.len() >= UNMAPPED_MAX || mapped.iter().any(|pointer| pointer == at) {
        return;
    }
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                let before = at.len();
                at.push_str(&fields::name_pointer(name));
                leaves(value, at, mapped, found);
                at.truncate(before);
            }
        }
        Value::Null => {}
        _ => found.push(at.clone()),
    }
}
