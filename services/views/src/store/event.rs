//! An event's stored form: what a list filters by, then the event as the API shows it. Refuses to know what
//! an event does.

use hindcast_api as api;
use hindcast_api::EventKind;
use hindcast_domain::event::Recorded;
use hindcast_domain::{Event, Time};
use hindcast_ledger::Subject;
use serde_json::Value;

use crate::error::Error;

/// A stored event, its JSON not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored<'a> {
    /// What happened.
    pub(crate) kind: &'a str,
    /// What it is about.
    pub(crate) subject: &'a str,
    pub(crate) id: &'a str,
    /// Whether it is a fact from outside.
    pub(crate) intake: bool,
    json: &'a [u8],
}

/// The bytes of an event.
pub(crate) fn encode(event: &api::Event) -> Vec<u8> {
    let json = serde_json::to_vec(event).unwrap_or_default();
    assert!(!json.is_empty(), "an event always has a JSON form");
    let mut bytes = Vec::with_capacity(json.len() + 128);
    bytes.push(u8::from(event.kind == EventKind::Intake));
    for part in [&event.event_type, &event.subject, &event.id] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&json);
    bytes
}

/// Reads what `encode` wrote.
pub(crate) fn decode(bytes: &[u8]) -> Result<Stored<'_>, Error> {
    split(bytes).ok_or(Error::Form { expected: "a stored event" })
}

fn split(bytes: &[u8]) -> Option<Stored<'_>> {
    let (flag, rest) = bytes.split_first()?;
    let (kind, rest) = part(rest)?;
    let (subject, rest) = part(rest)?;
    let (id, json) = part(rest)?;
    Some(Stored { kind, subject, id, intake: *flag == 1, json })
}

fn part(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let (part, rest) = rest.split_at_checked(u32::from_be_bytes(length.try_into().ok()?) as usize)?;
    Some((std::str::from_utf8(part).ok()?, rest))
}

impl Stored<'_> {
    /// The event as the API shows it.
    pub(crate) fn read(&self) -> Result<api::Event, Error> {
        serde_json::from_slice(self.json).map_err(|source| Error::Json { expected: "an event", source })
    }

    /// Whether a filter's word means it: a kind, a whole type, or a type's first word.
    pub(crate) fn is_kind(&self, word: &str) -> bool {
        let of_kind = if self.intake { EventKind::Intake } else { EventKind::Decision };
        of_kind == *word || word == self.kind || self.kind.split('.').next() == Some(word)
    }
}

/// An event of ours as the API shows it.
pub(crate) fn known(recorded: &Recorded, subject: &Subject, recorded_at: Time) -> api::Event {
    let mut tagged = match serde_json::to_value(&recorded.event) {
        Ok(Value::Object(tagged)) => tagged,
        _ => serde_json::Map::new(),
    };
    let event_type = match tagged.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => String::new(),
    };
    assert!(!event_type.is_empty(), "an event of ours always has a type");
    api::Event {
        position: recorded.position,
        kind: recorded.event.kind().into(),
        event_type,
        id: recorded.id.to_string(),
        subject: recorded.subject.clone(),
        time: recorded.time,
        recorded_at,
        revision: recorded.revision,
        actor: recorded.actor.clone(),
        causation_id: recorded.cause.as_ref().map(ToString::to_string),
        tenant: recorded.partition.tenant.clone(),
        environment: recorded.partition.environment.clone(),
        source: subject.to_string(),
        data: tagged.remove("data").unwrap_or_default(),
    }
}

/// An event of a newer binary, as far as it can be shown.
pub(crate) fn unknown(position: u64, kind: &str, raw: &Value, subject: &Subject, recorded_at: Time) -> api::Event {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let intake = subject.slot().is_some();
    api::Event {
        position,
        kind: if intake { EventKind::Intake } else { EventKind::Decision },
        event_type: kind.to_owned(),
        id: text("id").unwrap_or_default(),
        subject: text("subject").unwrap_or_default(),
        time: text("time").and_then(|time| time.parse().ok()).unwrap_or(recorded_at),
        recorded_at,
        revision: raw.get("revision").and_then(Value::as_u64),
        actor: text("actor").unwrap_or_default(),
        causation_id: text("causation_id"),
        tenant: subject.partition().tenant.clone(),
        environment: subject.partition().environment.clone(),
        source: subject.to_string(),
        data: raw.get("data").cloned().unwrap_or_default(),
    }
}

/// The event of ours in what the API shows; `None` where this binary does not know the type.
pub(crate) fn event_of(shown: &api::Event) -> Option<Event> {
    let mut tagged = serde_json::Map::with_capacity(2);
    tagged.insert("type".to_owned(), Value::String(shown.event_type.clone()));
    tagged.insert("data".to_owned(), shown.data.clone());
    serde_json::from_value(Value::Object(tagged)).ok()
}
