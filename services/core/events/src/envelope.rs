//! One event as JSON. CloudEvents attributes under short names; `source`, tenant and environment follow
//! from the commit that carries it, so they are not written twice.

use std::borrow::Cow;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::id::{EventId, Partition};
use hindcast_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{payload, upcast};

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

/// What is written, in this order: whoever reads finds the type before the payload.
#[derive(Serialize)]
struct WireOut<'a> {
    id: &'a EventId,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    time: Time,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<&'a EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// The payload's version; absent for 1.
    #[serde(skip_serializing_if = "Option::is_none", rename = "v")]
    version: Option<u32>,
    #[serde(flatten)]
    event: &'a Event,
}

/// What is read: the payload stays as it is until its type and version are known.
#[derive(Deserialize)]
struct WireIn<'a> {
    id: EventId,
    subject: String,
    #[serde(default)]
    revision: Option<u64>,
    time: Time,
    actor: String,
    #[serde(default)]
    causation_id: Option<EventId>,
    #[serde(default)]
    traceparent: Option<String>,
    #[serde(default = "one", rename = "v")]
    version: u32,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

const fn one() -> u32 {
    1
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
    written(&WireOut {
        id: &envelope.id,
        subject: &envelope.subject,
        revision: envelope.revision,
        time: envelope.time,
        actor: &envelope.actor,
        causation_id: envelope.cause.as_ref(),
        traceparent: envelope.traceparent.as_deref(),
        version: version_of(&envelope.event),
        event: &envelope.event,
    })
}

/// The bytes of a decision, in its current version; its place is given by the commit that holds it.
///
/// # Panics
/// Never: as [`encode`].
#[must_use]
pub fn encode_decision(decision: &Recorded) -> Vec<u8> {
    written(&WireOut {
        id: &decision.id,
        subject: &decision.subject,
        revision: decision.revision,
        time: decision.time,
        actor: &decision.actor,
        causation_id: decision.cause.as_ref(),
        traceparent: None,
        version: version_of(&decision.event),
        event: &decision.event,
    })
}

/// The bytes of an event that is about to be written, with its id and the writer's time.
///
/// # Panics
/// Never: as [`encode`].
#[must_use]
pub fn encode_new(id: &EventId, time: Time, new: &NewEvent) -> Vec<u8> {
    written(&WireOut {
        id,
        subject: &new.subject,
        revision: None,
        time,
        actor: &new.actor,
        causation_id: None,
        traceparent: new.traceparent.as_deref(),
        version: version_of(&new.event),
        event: &new.event,
    })
}

fn version_of(event: &Event) -> Option<u32> {
    Some(upcast::current_version(event.type_name())).filter(|version| *version > 1)
}

fn written(wire: &WireOut<'_>) -> Vec<u8> {
    let bytes = serde_json::to_vec(wire).unwrap_or_default();
    assert!(!bytes.is_empty(), "an event of ours always has a JSON form");
    bytes
}

/// Reads an event of any version that was ever written.
///
/// # Errors
/// When the bytes are no event, or claim to be one of ours and are not.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    typed(bytes, serde_json::from_slice(bytes).map_err(DecodeError::Envelope)?)
}

/// The same for an event whose type is wanted; `None` for others, whose payload is not taken apart.
///
/// # Errors
/// As [`decode`].
pub fn decode_if(bytes: &[u8], wants: impl Fn(&str) -> bool) -> Result<Option<Decoded>, DecodeError> {
    let wire: WireIn<'_> = serde_json::from_slice(bytes).map_err(DecodeError::Envelope)?;
    if !wants(&wire.kind) {
        return Ok(None);
    }
    typed(bytes, wire).map(Some)
}

fn typed(bytes: &[u8], wire: WireIn<'_>) -> Result<Decoded, DecodeError> {
    let event = match upcast::missing(&wire.kind, wire.version) {
        Some([]) => payload::typed(&wire.kind, wire.data),
        Some(upcasters) => payload::lifted(&wire.kind, wire.data, upcasters),
        None => {
            let raw = serde_json::from_slice(bytes).map_err(DecodeError::Envelope)?;
            return Ok(Decoded::Unknown { kind: wire.kind.into_owned(), version: wire.version, raw });
        }
    };
    let event =
        event.map_err(|source| DecodeError::Payload { kind: wire.kind.into_owned(), version: wire.version, source })?;
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
