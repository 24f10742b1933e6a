//! Chat: what is shown in Slack and Teams, and what people say there. Owns the events and their fold;
//! refuses to know how a card looks or how a vendor's API is spoken to.
//!
//! A message of ours is a pair: [`Requested`] is a *decision* of the chat lane, [`Delivered`] the *fact* that
//! the vendor took it, with the place where it stands. What a person does there is the fact [`Received`]; a
//! command that follows from it stands in the same commit, so that neither exists without the other.
//! No token, response address or trigger of a vendor is ever a field: they open doors.

use crate::events;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded, Verdict};
use crate::id::{ChatId, EventId, IncidentId, MessageId};
use crate::time::Time;
use crate::words::ChatVendor;

/// What a message of ours is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The card of an incident: one per incident and channel, kept current.
    Card,
    /// One line in the card's thread about something that happened.
    Note {
        /// The event that it tells.
        event: EventId,
    },
    /// The answer to a question, where it was asked.
    Answer {
        /// The `chat.received` event that asked.
        received: EventId,
    },
}

/// A message is to be shown. A decision. Subject: the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// The incident that it is about; absent where a question was about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The vendor whose chat shows it.
    pub vendor: ChatVendor,
    /// The channel or conversation, as the vendor names it.
    pub channel: String,
    /// The thread that an answer belongs to, where it is not the card's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The message to post, edit or delete.
    #[serde(flatten)]
    pub what: What,
    /// After which it is given up. Cards are not: they show what is true whenever they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// Where a message stands at the vendor's. None of it is a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The channel or conversation.
    pub channel: String,
    /// The message: Slack's `ts`, an activity's id.
    pub message: String,
    /// The thread that it stands in, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Where the conversation is served, for vendors that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
}

/// The vendor took a message. A fact. Subject: the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The `chat.requested` event.
    pub request: EventId,
    /// Where it stands.
    pub place: Place,
    /// The position of the state that it shows.
    pub through: u64,
    /// SHA-256 of what it shows, in hexadecimal.
    pub hash: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Whether it was found at the vendor's after an attempt whose outcome was unknown.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub found: bool,
}

/// A card shows a newer state. A fact. Subject: the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Updated {
    /// The position of the state that it shows.
    pub through: u64,
    /// SHA-256 of what it shows, in hexadecimal.
    pub hash: String,
    /// Changes that this one showed together.
    pub coalesced: u32,
}

/// The vendor did not take a message; it is tried again. A fact. Subject: the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// The `chat.requested` event.
    pub request: EventId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What went wrong, in short.
    pub error: String,
}

/// A message was given up. A fact. Subject: the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// The `chat.requested` event.
    pub request: EventId,
    /// The last error.
    pub error: String,
}

/// What a person did in chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Asked something; the text is the question.
    Asked,
    /// Gave a command: it stands beside it in the same commit.
    Commanded,
    /// Judged something: the `label.judged` stands beside it in the same commit.
    Judged,
    /// Wanted to see something (a card, a dialog, help); nothing follows.
    Looked,
}

/// A person did something in chat. A fact. Subject: the chat id, derived from vendor and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// The vendor in whose chat it was done.
    pub vendor: ChatVendor,
    /// What makes it the same when the vendor delivers it again, hashed.
    pub key: String,
    /// The person, as the vendor names them.
    pub user: String,
    /// The person, as we know them; absent for a stranger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The vendor's id of the channel.
    pub channel: String,
    /// The vendor's id of the thread; absent outside threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The incident that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What they did.
    pub act: Act,
    /// The question, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where the conversation is served, for vendors that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
    /// How the delivery was recognised.
    pub verified: Verdict,
}

/// Where a message of ours is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On its way.
    Requested,
    /// The vendor took it.
    Delivered,
    /// Given up.
    Expired,
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The event that asked for it.
    pub request: EventId,
    /// What was asked for.
    pub requested: Requested,
    /// Time at which the message was requested.
    pub at: Time,
    /// Where it is in its life.
    pub status: Status,
    /// Where it stands at the vendor's.
    pub place: Option<Place>,
    /// The position of the state that it shows.
    pub through: u64,
    /// The hash of what it shows.
    pub hash: String,
    /// Attempts so far, and the last error.
    pub attempts: u32,
    /// The last error.
    pub error: Option<String>,
    /// Decisions on it so far.
    pub revision: u64,
}

/// All messages of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Messages(pub BTreeMap<MessageId, Message>);

impl Messages {
    /// The id of an incident's card in a channel.
    #[must_use]
    pub fn card_id(incident: &IncidentId, vendor: &ChatVendor, channel: &str) -> MessageId {
        let vendor = vendor.as_str();
        MessageId::derive(&[b"card", incident.as_str().as_bytes(), vendor.as_bytes(), channel.as_bytes()])
    }

    /// The card of an incident in a channel, if one was asked for.
    #[must_use]
    pub fn card(&self, incident: &IncidentId, vendor: &ChatVendor, channel: &str) -> Option<&Message> {
        self.0.get(&Self::card_id(incident, vendor, channel))
    }

    /// Folds one event; the message that it was about.
    pub fn evolve(&mut self, recorded: &Recorded) -> Option<MessageId> {
        let id: MessageId = match &recorded.event {
            Event::ChatRequested(_)
            | Event::ChatDelivered(_)
            | Event::ChatUpdated(_)
            | Event::ChatFailed(_)
            | Event::ChatExpired(_) => recorded.subject.parse().ok()?,
            Event::ChatReceived(_)
            | events! { intake, finding, conversation, proposal, label, model, alert, incident, silence, control, notice } =>
            {
                return None;
            }
        };
        if let Event::ChatRequested(requested) = &recorded.event {
            let message = Message {
                request: recorded.id.clone(),
                requested: requested.clone(),
                at: recorded.time,
                status: Status::Requested,
                place: None,
                through: 0,
                hash: String::new(),
                attempts: 0,
                error: None,
                revision: recorded.revision.unwrap_or(1),
            };
            self.0.entry(id.clone()).or_insert(message);
            return Some(id);
        }
        let message = self.0.get_mut(&id)?;
        match &recorded.event {
            Event::ChatDelivered(delivered) => {
                // The first place stands: a later one is a double that the vendor made unavoidable.
                if message.place.is_none() {
                    message.place = Some(delivered.place.clone());
                    message.status = Status::Delivered;
                    message.through = delivered.through;
                    message.hash.clone_from(&delivered.hash);
                }
                message.attempts = message.attempts.max(delivered.attempt);
            }
            Event::ChatUpdated(updated) if updated.through >= message.through => {
                message.through = updated.through;
                message.hash.clone_from(&updated.hash);
            }
            Event::ChatFailed(failed) if message.status == Status::Requested => {
                message.attempts = message.attempts.max(failed.attempt);
                message.error = Some(failed.error.clone());
            }
            Event::ChatExpired(expired) if message.status == Status::Requested => {
                message.status = Status::Expired;
                message.error = Some(expired.error.clone());
            }
            Event::ChatReceived(_)
            | Event::ChatUpdated(_)
            | Event::ChatFailed(_)
            | Event::ChatExpired(_)
            | Event::ChatRequested(_)
            | events! { intake, finding, conversation, proposal, label, model, alert, incident, silence, control, notice } =>
                {}
        }
        Some(id)
    }
}

/// The chat id of a delivery: the same delivery, however often it comes, has the same id.
#[must_use]
pub fn received_id(vendor: &str, key: &str) -> ChatId {
    ChatId::derive(&[vendor.as_bytes(), key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Partition;

    fn recorded(position: u64, subject: &MessageId, event: Event) -> Recorded {
        Recorded {
            id: EventId::derive(&[&position.to_be_bytes()]),
            position,
            partition: Partition::whole("default"),
            subject: subject.to_string(),
            revision: None,
            time: Time::ZERO,
            actor: "system".into(),
            cause: None,
            event,
        }
    }

    fn delivered(message: &str, through: u64) -> Event {
        Event::ChatDelivered(Delivered {
            request: EventId::derive(&[b"r"]),
            place: Place { channel: "C1".into(), message: message.into(), ..Place::default() },
            through,
            hash: "a".into(),
            attempt: 1,
            found: false,
        })
    }

    #[test]
    fn a_card_keeps_its_first_place_and_never_shows_an_older_state() {
        let incident = IncidentId::derive(&[b"i"]);
        let id = Messages::card_id(&incident, &ChatVendor::Slack, "C1");
        let requested = Requested {
            incident: Some(incident.clone()),
            vendor: ChatVendor::Slack,
            channel: "C1".into(),
            thread: None,
            what: What::Card,
            expires_at: None,
        };
        let updated = |through| Event::ChatUpdated(Updated { through, hash: format!("h{through}"), coalesced: 1 });
        let events =
            [Event::ChatRequested(requested), delivered("1.1", 10), delivered("2.2", 11), updated(30), updated(20)];
        let mut messages = Messages::default();
        for (at, event) in events.into_iter().enumerate() {
            messages.evolve(&recorded(at as u64 + 1, &id, event));
        }
        let card = messages.card(&incident, &ChatVendor::Slack, "C1").unwrap();
        assert_eq!(card.place.as_ref().map(|place| place.message.as_str()), Some("1.1"));
        assert_eq!((card.through, card.hash.as_str()), (30, "h30"));
    }
}
