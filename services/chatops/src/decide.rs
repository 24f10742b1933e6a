//! The decider of the lane of chat: what is shown where, once.
//!
//! Every message has an id made of what it shows, and a message that was asked for is not asked for again: so
//! an event that is seen twice decides once. What changes on a card is not decided at all: a card is a function
//! of the incident's state, and whoever delivers renders it anew.

use hindcast_domain::chat::{Act, Messages, Received, Requested, What};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::{IncidentId, MessageId, Partition, Span, Time};

use crate::state::ChatState;

/// How long a note is tried: a day later it tells nobody anything.
const NOTE_WARRANTED: Span = Span::hours(24);
/// The scheme of a delivery whose answer goes back in the response to it: there is nothing to be shown later.
const ANSWERED_IN_PLACE: (&str, &str) = ("teams", "hmac-sha256");

/// Decides about messages of a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChatDecider;

impl Decider for ChatDecider {
    type State = ChatState;

    fn name(&self) -> &'static str {
        names::CHAT
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        lane.tenant == of.tenant
            && match input {
                Input::Intake => of.is_whole(),
                Input::Lane(name) => name == names::INCIDENTS || name == names::CONTROL,
            }
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        let founds = match input {
            Input::Intake => of.is_whole(),
            Input::Lane(name) => name == names::INCIDENTS,
        };
        founds.then(|| Partition::whole(&of.tenant))
    }

    fn seals(&self, _: &Recorded) -> bool {
        false
    }

    fn sees_first(&self) -> bool {
        true
    }

    fn seen(&self, state: &mut ChatState, input: &Recorded) {
        state.seen.see(input);
    }

    fn evolve(&self, state: &mut ChatState, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &ChatState, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        let mut drafts = Drafts { state, now, drafts: Vec::new() };
        drafts.about(input);
        drafts.drafts
    }

    fn due(&self, _: &ChatState) -> Option<Timer> {
        None
    }

    fn fire(&self, _: &ChatState, _: &Partition, _: &Timer) -> Vec<Draft> {
        Vec::new()
    }

    fn revision(&self, state: &ChatState, subject: &str) -> u64 {
        state.revision(subject)
    }
}

/// The id of a note: one for each event and card.
#[must_use]
pub fn note_id(card: &MessageId, event: &str) -> MessageId {
    MessageId::derive(&[b"note", card.as_str().as_bytes(), event.as_bytes()])
}

/// The id of an answer: one for each thing that a person did, by its chat id.
#[must_use]
pub fn answer_id(chat: &str) -> MessageId {
    MessageId::derive(&[b"answer", chat.as_bytes()])
}

struct Drafts<'a> {
    state: &'a ChatState,
    now: Time,
    drafts: Vec<Draft>,
}

impl<'a> Drafts<'a> {
    fn about(&mut self, input: &Recorded) {
        let subject = input.subject.parse::<IncidentId>();
        match (&input.event, subject) {
            (Event::ChatReceived(received), _) => self.answer(input, received),
            (Event::IncidentOpened(_) | Event::IncidentDeclared(_), Ok(id)) => self.cards(&input.partition, &id),
            (Event::IncidentAlertJoined(_) | Event::IncidentSeveritySet(_), Ok(id)) => {
                if self.got_worse(input, &id) {
                    self.notes(input, &id);
                }
                self.cards(&input.partition, &id);
            }
            (Event::IncidentAcknowledged(_), Ok(id)) => self.notes(input, &id),
            // Whoever adds later what it was ends nothing.
            (Event::IncidentResolved(_), Ok(id)) if self.ended_at(&input.partition, &id) == Some(input.time) => {
                self.notes(input, &id);
            }
            (Event::IncidentReopened(_), Ok(id)) => {
                self.notes(input, &id);
                self.cards(&input.partition, &id);
            }
            (Event::IncidentMerged(merged), Ok(id)) => {
                self.notes(input, &id);
                self.notes(input, &merged.incident);
                self.cards(&input.partition, &id);
            }
            (Event::IncidentSplit(split), Ok(id)) => {
                self.notes(input, &id);
                self.cards(&input.partition, &split.incident);
            }
            (Event::IncidentUndone(undone), Ok(id)) => {
                self.notes(input, &id);
                self.cards(&input.partition, &id);
                self.cards(&input.partition, &undone.other);
            }
            (events! { incident }, Err(_))
            | (
                Event::IncidentUnacknowledged(_)
                | Event::IncidentResolved(_)
                | Event::IncidentAssigned(_)
                | Event::IncidentNoted(_)
                | Event::IncidentSnoozed(_)
                | Event::IncidentAwoken(_)
                | Event::IncidentReviewed(_)
                | Event::IncidentFeedback(_),
                Ok(_),
            )
            | (
                Event::ChatRequested(_)
                | Event::ChatDelivered(_)
                | Event::ChatUpdated(_)
                | Event::ChatFailed(_)
                | Event::ChatExpired(_)
                | events! { intake, finding, conversation, proposal, label, model, alert, silence, control, notice },
                _,
            ) => {}
        }
    }

    fn incident(&self, partition: &Partition, id: &IncidentId) -> Option<&'a Incident> {
        self.state.seen.incident(partition, id)
    }

    fn ended_at(&self, partition: &Partition, id: &IncidentId) -> Option<Time> {
        self.incident(partition, id)?.resolved_at
    }

    fn got_worse(&self, input: &Recorded, id: &IncidentId) -> bool {
        let incident = self.incident(&input.partition, id);
        incident.is_some_and(|incident| self.state.seen.got_worse(input, incident))
    }

    /// A card in every channel that shows a live incident and has none.
    fn cards(&mut self, partition: &Partition, id: &IncidentId) {
        let Some(incident) = self.incident(partition, id).filter(|incident| incident.is_live()) else { return };
        for channel in &self.state.seen.rules.channels {
            if !channel.shows(incident, &partition.environment) {
                continue;
            }
            let requested = Requested {
                incident: Some(id.clone()),
                vendor: channel.vendor.clone(),
                channel: channel.channel.clone(),
                thread: None,
                what: What::Card,
                expires_at: None,
            };
            self.ask(Messages::card_id(id, &channel.vendor, &channel.channel), requested);
        }
    }

    /// A line in the thread of every card of an incident.
    fn notes(&mut self, input: &Recorded, id: &IncidentId) {
        for (card, vendor, channel) in self.state.cards(id) {
            let requested = Requested {
                incident: Some(id.clone()),
                vendor: vendor.clone(),
                channel: channel.to_owned(),
                thread: None,
                what: What::Note { event: input.id.clone() },
                expires_at: Some(self.now + NOTE_WARRANTED),
            };
            self.ask(note_id(card, input.id.as_str()), requested);
        }
    }

    fn answer(&mut self, input: &Recorded, received: &Received) {
        let in_place = (received.vendor.as_str(), received.verified.scheme.as_str()) == ANSWERED_IN_PLACE;
        if received.act != Act::Asked || received.text.is_none() || in_place {
            return;
        }
        let requested = Requested {
            incident: received.incident.clone(),
            vendor: received.vendor.clone(),
            channel: received.channel.clone(),
            thread: received.thread.clone(),
            what: What::Answer { received: input.id.clone() },
            expires_at: Some(self.now + self.state.seen.rules.answer_expires()),
        };
        self.ask(answer_id(&input.subject), requested);
    }

    fn ask(&mut self, id: MessageId, requested: Requested) {
        let subject = id.to_string();
        let now = self.drafts.iter().any(|draft| draft.subject == subject);
        if now || self.state.was_asked(&id) {
            return;
        }
        self.drafts.push(Draft::system(subject, Event::ChatRequested(requested)));
    }
}
