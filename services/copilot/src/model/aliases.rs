//! Short names for events, `E1`, `E2`, …: a model repeats them without mistakes, and a schema can list them, so
//! that what it cites exists. Owns the names of one answer; refuses to know what the events say.

use std::collections::BTreeMap;

use hindcast_api::Citation;
use hindcast_domain::EventId;
use serde_json::{Map, Value};

use crate::limits::{ALIASES_MAX, TOOL_SHOWN_BYTES_MAX};
use crate::tools;

/// The events that a model may cite.
#[derive(Clone, Debug, Default)]
pub(crate) struct CitationAliases {
    events: Vec<Citation>,
    numbers: BTreeMap<String, usize>,
}

impl CitationAliases {
    /// The name of an event; a new one where it has none yet and there is room.
    pub(crate) fn name(&mut self, citation: &Citation) -> Option<String> {
        if let Some(number) = self.numbers.get(&citation.event) {
            return Some(format!("E{number}"));
        }
        if self.events.len() >= ALIASES_MAX {
            return None;
        }
        self.events.push(citation.clone());
        self.numbers.insert(citation.event.clone(), self.events.len());
        Some(format!("E{}", self.events.len()))
    }

    /// The name of an event that has one.
    pub(crate) fn known(&self, citation: &Citation) -> Option<String> {
        self.numbers.get(&citation.event).map(|number| format!("E{number}"))
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        (1..=self.events.len()).map(|number| format!("E{number}")).collect()
    }

    /// The event that a name or a whole id of the model's means. One that means nothing is kept as it is, so
    /// that the verifier strikes it.
    pub(crate) fn resolve(&self, word: &str) -> Citation {
        let word = word.trim().trim_matches(['[', ']', '(', ')']);
        let number = word.strip_prefix(['E', 'e']).and_then(|digits| digits.parse::<usize>().ok());
        let by_number = number.and_then(|number| self.events.get(number.checked_sub(1)?));
        let by_id = || self.numbers.get(&word.to_ascii_uppercase()).and_then(|number| self.events.get(number - 1));
        by_number.or_else(by_id).cloned().unwrap_or_else(|| {
            let shown: String = word.chars().take(64).collect();
            Citation { event: shown, position: 0 }
        })
    }

    /// Learns the events in a tool's output: objects with an id and a position, none later than `position`.
    pub(crate) fn learn(&mut self, value: &Value, position: u64) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item, position)),
            Value::Object(fields) => {
                if let Some(citation) = citation(fields).filter(|citation| citation.position <= position) {
                    self.name(&citation);
                }
                // In one order of keys, so that a name is the same in every build.
                let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                sorted.into_iter().for_each(|(_, item)| self.learn(item, position));
            }
            _ => {}
        }
    }

    /// A tool's output as a model is shown it: cut, and with the short names in place of ids and positions.
    pub(crate) fn show(&self, value: &Value) -> String {
        let mut value = self.renamed(value);
        // A cut may say in words that nothing fits; what is shown is bounded all the same.
        value = tools::fit(value, TOOL_SHOWN_BYTES_MAX);
        // In one order of keys, whatever the map keeps: the same output is the same prompt in every build.
        let mut text = String::new();
        hindcast_llm::hash::canonical(&value, &mut text);
        text
    }

    fn renamed(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.numbers.get(text) {
                Some(number) => Value::String(format!("E{number}")),
                None => value.clone(),
            },
            Value::Array(items) => Value::Array(items.iter().map(|item| self.renamed(item)).collect()),
            Value::Object(fields) => {
                let named = citation(fields).is_some_and(|citation| self.numbers.contains_key(&citation.event));
                let kept = fields.iter().filter(|(key, _)| !(named && *key == "position"));
                Value::Object(kept.map(|(key, item)| (key.clone(), self.renamed(item))).collect())
            }
            other => other.clone(),
        }
    }
}

/// The event that an object is, or is about.
fn citation(fields: &Map<String, Value>) -> Option<Citation> {
    let position = fields.get("position")?.as_u64()?;
    let id = ["event", "id"].iter().filter_map(|key| fields.get(*key)?.as_str());
    let event = id.into_iter().find(|id| id.starts_with(EventId::PREFIX))?;
    Some(Citation { event: event.to_owned(), position })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(n: u64) -> Citation {
        Citation { event: EventId::derive(&[&n.to_be_bytes()]).to_string(), position: n }
    }

    #[test]
    fn an_event_has_one_name_and_a_name_one_event() {
        let mut aliases = CitationAliases::default();
        assert_eq!(aliases.name(&event(7)).unwrap(), "E1");
        assert_eq!(aliases.name(&event(9)).unwrap(), "E2");
        assert_eq!(aliases.name(&event(7)).unwrap(), "E1");
        assert_eq!(aliases.resolve("E2"), event(9));
        assert_eq!(aliases.resolve(" [e2] "), event(9));
        assert_eq!(aliases.resolve(&event(7).event), event(7));
        for nothing in ["E0", "E3", "E99999999999999999999", "", "redis"] {
            assert_eq!(aliases.resolve(nothing).position, 0, "{nothing}");
        }
    }

    #[test]
    fn a_tools_events_can_be_cited_unless_they_are_later() {
        let mut aliases = CitationAliases::default();
        let output = json!({"items": [
            {"event": event(5).event, "position": 5, "text": "early"},
            {"id": event(50).event, "position": 50, "type": "incident.opened"},
        ]});
        aliases.learn(&output, 10);
        assert_eq!(aliases.names(), ["E1"]);
        let shown = aliases.show(&output);
        assert!(shown.contains("\"E1\"") && !shown.contains(&event(5).event), "{shown}");
    }

    #[test]
    fn names_and_what_is_shown_are_bounded() {
        let mut aliases = CitationAliases::default();
        let items: Vec<Value> =
            (1..500).map(|n| json!({"event": event(n).event, "position": n, "text": "x".repeat(99)})).collect();
        let output = json!({ "items": items });
        aliases.learn(&output, 1_000);
        assert_eq!(aliases.names().len(), ALIASES_MAX);
        assert!(aliases.show(&output).len() <= TOOL_SHOWN_BYTES_MAX);
    }
}
