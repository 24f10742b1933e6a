//! What the lane of chat decides on: what it asked for already; and, as seen of the incident lanes, what those
//! incidents are now. Owns both halves and how they forget; refuses to know what was delivered: that is a fact
//! which changes no decision.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::book::Book;
use hindcast_domain::chat::Requested;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident::Incident;
use hindcast_domain::words::ChatVendor;
use hindcast_domain::{EventId, IncidentId, MessageId, Partition, Severity, Span, Time};
use serde::{Deserialize, Serialize};

use crate::rules::{ChatRules, SECTION};

/// How long after its end an incident, and after its last message a conversation about it, is remembered.
pub const KEPT: Span = Span::hours(24 * 30);
/// Messages that are remembered; beyond that the oldest go first.
pub const MESSAGES_MAX: usize = 200_000;

/// The state of the lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatState {
    /// Messages that were asked for, with the revision of each.
    asked: BTreeMap<MessageId, PendingQuestion>,
    /// Messages by what they belong together with: an incident, or a question of its own.
    groups: BTreeMap<String, Group>,
    /// Groups by their last message.
    order: BTreeSet<(Time, String)>,
    /// What was seen of other lanes.
    pub seen: ObservedIncidents,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PendingQuestion {
    revision: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Group {
    last: Time,
    messages: BTreeSet<MessageId>,
    /// Cards among them: vendor and channel.
    cards: BTreeMap<MessageId, (ChatVendor, String)>,
}

/// What was seen of other lanes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedIncidents {
    /// The rules in force.
    pub rules: ChatRules,
    /// The incidents of each partition, without their alerts.
    books: BTreeMap<String, Incidents>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Incidents {
    book: Book,
    /// How bad each was before the last event about it, and which that is.
    before: BTreeMap<IncidentId, (EventId, Severity)>,
    /// Those that are over, by their end.
    ended: BTreeSet<(Time, IncidentId)>,
    /// When each of those ended.
    ends: BTreeMap<IncidentId, Time>,
}

impl ChatState {
    /// Whether a message was asked for.
    #[must_use]
    pub fn was_asked(&self, id: &MessageId) -> bool {
        self.asked.contains_key(id)
    }

    /// The cards of an incident: each with vendor and channel.
    pub fn cards(&self, incident: &IncidentId) -> impl Iterator<Item = (&MessageId, &ChatVendor, &str)> {
        let group = self.groups.get(incident.as_str());
        group.into_iter().flat_map(|group| &group.cards).map(|(id, (vendor, channel))| (id, vendor, channel.as_str()))
    }

    /// Decisions on a message so far.
    #[must_use]
    pub fn revision(&self, subject: &str) -> u64 {
        let id = subject.parse::<MessageId>().ok();
        id.and_then(|id| self.asked.get(&id)).map_or(0, |asked| asked.revision)
    }

    /// Messages that are remembered.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.asked.len()
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        let Event::ChatRequested(requested) = &decision.event else { return };
        let Ok(id) = decision.subject.parse::<MessageId>() else { return };
        self.asked.insert(id.clone(), PendingQuestion { revision: decision.revision.unwrap_or(1) });
        self.belongs(id, requested, decision.time);
        self.forget(decision.time);
    }

    fn belongs(&mut self, id: MessageId, requested: &Requested, now: Time) {
        let name = requested.incident.as_ref().map_or_else(|| id.to_string(), ToString::to_string);
        let group = self.groups.entry(name.clone()).or_default();
        self.order.remove(&(group.last, name.clone()));
        group.last = group.last.max(now);
        self.order.insert((group.last, name));
        if requested.what == hindcast_domain::chat::What::Card {
            group.cards.insert(id.clone(), (requested.vendor.clone(), requested.channel.clone()));
        }
        group.messages.insert(id);
    }

    /// Drops what nobody spoke of for long. What is decided anew after that has the same id, so that it is the
    /// same message to whoever delivers.
    fn forget(&mut self, now: Time) {
        while let Some((last, name)) = self.order.first().cloned() {
            if now.since(last) <= KEPT && self.asked.len() <= MESSAGES_MAX {
                return;
            }
            self.order.remove(&(last, name.clone()));
            for id in self.groups.remove(&name).into_iter().flat_map(|group| group.messages) {
                self.asked.remove(&id);
            }
        }
    }
}

impl ObservedIncidents {
    /// An incident of a partition.
    #[must_use]
    pub fn incident(&self, partition: &Partition, id: &IncidentId) -> Option<&Incident> {
        self.books.get(&partition.to_string())?.book.incidents.get(id)
    }

    /// Whether an event made an incident worse; it must be the last one about it.
    #[must_use]
    pub fn got_worse(&self, event: &Recorded, incident: &Incident) -> bool {
        let known = self.books.get(&event.partition.to_string()).and_then(|seen| seen.before.get(&incident.id));
        known.is_some_and(|(last, before)| *last == event.id && incident.severity > *before)
    }

    /// Incidents that are remembered.
    #[must_use]
    pub fn incidents(&self) -> usize {
        self.books.values().map(|seen| seen.book.incidents.len()).sum()
    }

    /// Folds an input.
    pub fn see(&mut self, input: &Recorded) {
        match &input.event {
            Event::Configured(configured) if configured.section == SECTION => {
                // Rules that cannot be read were refused where they were decided; here they change nothing.
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.rules = rules;
                }
            }
            event if is_about_an_incident(event) => {
                self.books.entry(input.partition.to_string()).or_default().see(input);
            }
            _ => {}
        }
    }
}

impl Incidents {
    fn see(&mut self, input: &Recorded) {
        let subject = input.subject.parse::<IncidentId>().ok();
        if let Some(known) = subject.as_ref().and_then(|id| self.book.incidents.get(id)) {
            self.before.insert(known.id.clone(), (input.id.clone(), known.severity));
        }
        let touched = self.book.evolve(input);
        touched.incidents.iter().for_each(|id| self.note_end(id));
        self.forget(input.time);
    }

    fn note_end(&mut self, id: &IncidentId) {
        if let Some(at) = self.ends.remove(id) {
            self.ended.remove(&(at, id.clone()));
        }
        if let Some(at) = self.book.incidents.get(id).and_then(|incident| incident.resolved_at) {
            self.ended.insert((at, id.clone()));
            self.ends.insert(id.clone(), at);
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((at, id)) = self.ended.first().filter(|(at, _)| now.since(*at) > KEPT).cloned() {
            self.book.incidents.remove(&id);
            self.before.remove(&id);
            self.ends.remove(&id);
            self.ended.remove(&(at, id));
        }
    }
}

const fn is_about_an_incident(event: &Event) -> bool {
    matches!(
        event,
        Event::IncidentOpened(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAlertJoined(_)
            | Event::IncidentSeveritySet(_)
            | events! { lineage, incident_status }
    )
}
