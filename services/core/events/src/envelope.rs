//! One event as JSON. CloudEvents attributes under short names; `source`, tenant and environment follow
//! from the commit that carries it, so they are not written twice.

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::id::{EventId, Partition};
use hindcast_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::upcast;

/// An event that is about to be written; the writer gives it an id and a place.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The id of the aggregate or thing that it is about.
    pub subject: String,
    /// Who: `system`, a source, or a person.
    pub actor: String,
    /// What happened.
    pub event: Event,
    /// W3C trace context of the request, if it had one.
    pub traceparent: Option<String>,
}

/// An event with everything that is written of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Unique in the ledger; commands and citations refer to it.
    pub id: EventId,
    /// The id of the aggregate.
    pub subject: String,
    /// The aggregate's revision after the decision; absent on intake.
    pub revision: Option<u64>,
    /// `now` of the decision, or when the fact was written.
    pub time: Time,
    /// The person or component that caused the event.
    pub actor: String,
    /// The event that this follows from.
    pub cause: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// What happened.
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    id: EventId,
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    time: Time,
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// The payload's version; absent for 1.
    #[serde(default = "one", skip_serializing_if = "is_one", rename = "v")]
    version: u32,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the form that serde asks for
const fn is_one(version: &u32) -> bool {
    *version == 1
}

/// Bytes that are no event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not of the envelope's form.
    #[error("expected the JSON of an event")]
    Envelope(#[source] serde_json::Error),
    /// A type and version of ours whose payload has another form.
    #[error("expected the payload of {kind} version {version}")]
    Payload {
        /// The event's type.
        kind: String,
        /// The schema version that the event names.
        version: u32,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// An event that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// One of ours, in its current version.
    Known(Box<Envelope>),
    /// A type or version that this binary does not know.
    Unknown {
        /// The type of the event, such as `alert.fired`.
        kind: String,
        /// The schema version that the event names.
        version: u32,
        /// All of it.
        raw: Value,
    },
}

/// The bytes of an event, in its current version.
///
/// # Panics
/// Never: every event of ours has a JSON form, which the fixtures hold.
#[must_use]
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    let tagged = serde_json::to_value(&envelope.event).unwrap_or_default();
    let Value::Object(mut tagged) = tagged else {
        return Vec::new();
    };
    let kind = tagged.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    assert!(!kind.is_empty(), "an event of ours always has a type");
    let wire = Wire {
        id: envelope.id.clone(),
        subject: envelope.subject.clone(),
        revision: envelope.revision,
        time: envelope.time,
        actor: envelope.actor.clone(),
        causation_id: envelope.cause.clone(),
        traceparent: envelope.traceparent.clone(),
        version: upcast::current_version(&kind),
        kind,
        data: tagged.remove("data").unwrap_or_default(),
    };
    serde_json::to_vec(&wire).unwrap_or_default()
}

/// Reads an event of any version that was ever written.
///
/// # Errors
/// When the bytes are no event, or claim to be one of ours and are not.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let wire: Wire = serde_json::from_slice(bytes).map_err(DecodeError::Envelope)?;
    let Some(data) = upcast::to_current(&wire.kind, wire.version, wire.data.clone()) else {
        let raw = serde_json::from_slice(bytes).map_err(DecodeError::Envelope)?;
        return Ok(Decoded::Unknown { kind: wire.kind, version: wire.version, raw });
    };
    let mut tagged = serde_json::Map::with_capacity(2);
    tagged.insert("type".to_owned(), Value::String(wire.kind.clone()));
    tagged.insert("data".to_owned(), data);
    let event = serde_json::from_value(Value::Object(tagged)).map_err(|source| DecodeError::Payload {
        kind: wire.kind,
        version: wire.version,
        source,
    })?;
    Ok(Decoded::Known(Box::new(Envelope {
        id: wire.id,
        subject: wire.subject,
        revision: wire.revision,
        time: wire.time,
        actor: wire.actor,
        cause: wire.causation_id,
        traceparent: wire.traceparent,
        event,
    })))
}

impl Envelope {
    /// What is written of a decision; its place is given by the commit that holds it.
    #[must_use]
    pub fn of(decision: Recorded) -> Self {
        Self {
            id: decision.id,
            subject: decision.subject,
            revision: decision.revision,
            time: decision.time,
            actor: decision.actor,
            cause: decision.cause,
            traceparent: None,
            event: decision.event,
        }
    }

    /// The event with its place.
    #[must_use]
    pub fn at(self, position: u64, partition: &Partition) -> Recorded {
        Recorded {
            id: self.id,
            position,
            partition: partition.clone(),
            subject: self.subject,
            revision: self.revision,
            time: self.time,
            actor: self.actor,
            cause: self.cause,
            event: self.event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::incident::Acknowledged;

    fn envelope() -> Envelope {
        Envelope {
            id: EventId::derive(&[b"e"]),
            subject: "INC-0123456789ABCDEF".into(),
            revision: Some(3),
            time: Time::from_millis(1_700_000_000_123),
            actor: "ada".into(),
            cause: Some(EventId::derive(&[b"c"])),
            traceparent: None,
            event: Event::IncidentAcknowledged(Acknowledged {}),
        }
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let bytes = encode(&envelope());
        assert_eq!(decode(&bytes).unwrap(), Decoded::Known(Box::new(envelope())));
    }

    #[test]
    fn an_unknown_type_or_a_later_version_is_kept_whole() {
        let text = String::from_utf8(encode(&envelope())).unwrap();
        let later = text.replace("\"type\"", "\"v\":99,\"type\"");
        assert!(matches!(decode(later.as_bytes()).unwrap(), Decoded::Unknown { version: 99, .. }));
        let other = text.replace("incident.acknowledged", "incident.teleported");
        assert!(matches!(decode(other.as_bytes()).unwrap(), Decoded::Unknown { raw, .. } if raw["actor"] == "ada"));
    }

    #[test]
    fn a_payload_that_lies_about_its_type_is_an_error() {
        let text = String::from_utf8(encode(&envelope())).unwrap();
        let lie = text.replace("incident.acknowledged", "incident.noted");
        assert!(matches!(decode(lie.as_bytes()), Err(DecodeError::Payload { .. })));
    }
}
