//! The room of one vendor: what is to be shown there, what is under way, and what comes first.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::chat::{Message, Status, What};
use hindcast_domain::{Event, IncidentId, MessageId, Time};
use hindcast_eventlog::read;
use hindcast_ledger::{ReadError, Record};
use tokio::time::Instant;

use super::desk::Desk;
use super::job::DeliveryStep;
use super::pace::{OfMessage, OfVendor};
use crate::taken::TakenDeliveries;

/// Everything that the loop remembers.
#[derive(Default)]
pub(super) struct Room {
    pub(super) desk: Desk,
    /// The last position that stood in the ledger when this began: what was asked for by then may have been tried.
    pub(super) before: u64,
    pub(super) vendors: BTreeMap<String, OfVendor>,
    pub(super) messages: BTreeMap<MessageId, OfMessage>,
    pub(super) busy: BTreeSet<MessageId>,
    /// Settled, and the fact of it not yet come back from the ledger.
    pub(super) told: BTreeMap<MessageId, SettledMessage>,
    pub(super) reported: Option<Instant>,
    pub(super) refusals_busy: usize,
}

/// How soon something is shown; the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DeliveryPriority {
    /// A new card, or one whose incident got worse.
    First,
    Answer,
    Note,
    Update,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettledMessage {
    Delivered,
    Expired,
}

/// A message that could be tried, in the order in which it is.
pub(super) type Candidate = (DeliveryPriority, u64, MessageId);

impl Room {
    /// What was under way was cut.
    pub(super) fn lay_down(&mut self) {
        self.busy.clear();
        self.refusals_busy = 0;
        self.vendors.values_mut().for_each(OfVendor::lay_down);
    }

    pub(super) fn read(&mut self, record: &Record, taken: &TakenDeliveries) -> Result<(), ReadError> {
        self.desk.through = record.seq;
        let decoded = read::decoded(record)?;
        let events = &decoded.events;
        self.desk.fold(events);
        let received = events.iter().filter(|event| matches!(event.event, Event::ChatReceived(_)));
        received.filter_map(|event| event.subject.parse().ok()).for_each(|id| taken.remember(&id));
        // What came back from the ledger is held by the fold from now on.
        let desk = &self.desk;
        self.told.retain(|id, settled| !came_back(desk, id, *settled));
        if self.messages.len() > 2 * self.desk.messages.0.len() + 64 {
            let messages = &self.desk.messages.0;
            self.messages.retain(|id, _| messages.contains_key(id));
        }
        Ok(())
    }

    pub(super) fn wait_for(&mut self, id: MessageId, settled: SettledMessage) {
        if !came_back(&self.desk, &id, settled) {
            self.told.insert(id, settled);
        }
    }

    /// What could be tried now, the first first.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for id in &self.desk.todo {
            let Some(message) = self.desk.messages.0.get(id) else { continue };
            if self.busy.contains(id) || self.told.contains_key(id) {
                continue;
            }
            let class = match (&message.requested.what, message.status) {
                (What::Card, Status::Requested) => DeliveryPriority::First,
                (What::Card, _) if self.desk.pending(id).urgent => DeliveryPriority::First,
                (What::Card, _) => DeliveryPriority::Update,
                (What::Answer { .. }, _) => DeliveryPriority::Answer,
                (What::Note { .. }, _) => DeliveryPriority::Note,
            };
            candidates.push((class, self.desk.places.get(id).copied().unwrap_or(0), id.clone()));
        }
        candidates.sort_unstable();
        candidates
    }
}

impl Desk {
    pub(super) fn is_live(&self, incident: Option<&IncidentId>) -> bool {
        incident.and_then(|id| self.incidents.get(id)).is_some_and(|tracked| tracked.live)
    }

    /// What is to be done about a message; `None` where it has to wait for another one.
    pub(super) fn step(
        &self,
        id: &MessageId,
        message: &Message,
        fares: &OfMessage,
        before: u64,
        now: Time,
    ) -> Option<DeliveryStep> {
        if let (Status::Delivered, Some(place)) = (message.status, &message.place) {
            return Some(DeliveryStep::Update { place: place.clone(), told: self.pending(id) });
        }
        let requested = &message.requested;
        if requested.expires_at.is_some_and(|at| at <= now) {
            let error = message.error.clone().unwrap_or_else(|| "it came too late to tell anybody anything".to_owned());
            return Some(DeliveryStep::Expire { error });
        }
        let post = |thread: Option<String>, service_url: Option<String>, received| DeliveryStep::Post {
            thread,
            service_url,
            received,
            suspect: fares.suspect || self.places.get(id).copied().unwrap_or(0) < before,
            attempt: message.attempts + fares.attempts + 1,
        };
        match &requested.what {
            What::Card => Some(post(requested.thread.clone(), None, None)),
            What::Note { .. } => match self.card_of(requested) {
                Some((card, _)) if self.gone.contains(&card) => {
                    Some(DeliveryStep::Expire { error: "its card is gone".to_owned() })
                }
                Some((_, card)) => {
                    let place = card.place.as_ref()?;
                    let thread = place.thread.clone().unwrap_or_else(|| place.message.clone());
                    Some(post(Some(thread), place.service_url.clone(), None))
                }
                None => Some(DeliveryStep::Expire { error: "it has no card".to_owned() }),
            },
            What::Answer { received } => match self.questions.get(received) {
                Some(asked) => {
                    Some(post(requested.thread.clone(), asked.service_url.clone(), Some(Box::new(asked.clone()))))
                }
                None => Some(DeliveryStep::Expire { error: "the question is not known any more".to_owned() }),
            },
        }
    }
}

/// Whether the fact of it was read.
fn came_back(desk: &Desk, id: &MessageId, settled: SettledMessage) -> bool {
    desk.messages.0.get(id).is_none_or(|message| match settled {
        SettledMessage::Delivered => message.status != Status::Requested,
        SettledMessage::Expired => desk.gone.contains(id),
    })
}
