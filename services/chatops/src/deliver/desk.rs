//! What is to be shown, as the ledger says: messages with what became of them, and how far each incident is.
//! Owns the fold that every queue of the deliverer is derived from; refuses to know vendors and time.

mod sweep;

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::chat::{Message, Messages, Received, Requested, Status, What};
use hindcast_domain::command::{Code, Rejected};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::label::About;
use hindcast_domain::{EventId, Fingerprint, IncidentId, MessageId, Partition, Severity, Time};

use crate::key;
use crate::state::ObservedIncidents;

/// Commands from chat whose refusal is still listened for.
const COMMANDS_MAX: usize = 4_096;
/// Refusals that wait to be told.
const REFUSALS_MAX: usize = 256;
/// Questions that are remembered until they are answered or given up.
const QUESTIONS_MAX: usize = 16_384;
/// Events after which what ended long ago is looked for.
const SWEEP_EVERY: u64 = 8_192;

/// What is to be shown, what is shown, and what is under way, folded from the ledger.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) messages: Messages,
    /// Cards that the vendor knows no more.
    pub(crate) gone: BTreeSet<MessageId>,
    /// Failures of each message that stand in the ledger.
    pub(crate) failures: BTreeMap<MessageId, u32>,
    /// What each incident with a card is about now.
    pub(crate) incidents: BTreeMap<IncidentId, Tracked>,
    /// Whoever asked what, until it is answered.
    pub(crate) questions: BTreeMap<EventId, Received>,
    questions_in_order: VecDeque<EventId>,
    /// Refusals that nobody was told of yet.
    pub(crate) refusals: VecDeque<Refusal>,
    /// Messages that something is to be done about.
    pub(crate) todo: BTreeSet<MessageId>,
    /// Positions up to which a card was found to show what is true, without anything being sent.
    checked: BTreeMap<MessageId, u64>,
    /// Changes since a card was shown.
    pending: BTreeMap<MessageId, PendingCard>,
    /// The installation that may reach people.
    pub(crate) active: Option<String>,
    /// How far the ledger was read.
    pub(crate) through: u64,
    /// The place of each request.
    pub(crate) places: BTreeMap<MessageId, u64>,
    seen: ObservedIncidents,
    homes: BTreeMap<Fingerprint, IncidentId>,
    commands: BTreeMap<EventId, Received>,
    commands_in_order: VecDeque<EventId>,
    events: u64,
}

/// An incident that is shown somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub(crate) partition: Partition,
    /// The last event that may have changed what is shown.
    pub(crate) changed: u64,
    pub(crate) severity: Severity,
    /// Whether it goes on.
    pub(crate) live: bool,
    pub(crate) title: String,
    pub(crate) cards: BTreeSet<MessageId>,
}

/// What a card does not show yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PendingCard {
    pub(crate) events: u32,
    /// Whether it got worse.
    pub(crate) urgent: bool,
}

/// A command from chat that its lane refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) received: Received,
    pub(crate) rejected: Rejected,
    pub(crate) at: Time,
}

impl Desk {
    /// Folds the events of one commit, in their order.
    pub(crate) fn fold(&mut self, events: &[Recorded]) {
        let mut before: Option<&Recorded> = None;
        for event in events {
            self.pair(before, event);
            self.see(event);
            before = Some(event);
        }
        self.events += events.len() as u64;
        if self.events >= SWEEP_EVERY {
            self.events = 0;
            if let Some(last) = events.last() {
                self.sweep(last.time);
            }
        }
    }

    /// The card that a note belongs under.
    pub(crate) fn card_of(&self, requested: &Requested) -> Option<(MessageId, &Message)> {
        let incident = requested.incident.as_ref()?;
        let id = Messages::card_id(incident, &requested.vendor, &requested.channel);
        let card = self.messages.0.get(&id)?;
        Some((id, card))
    }

    /// What a card does not show yet.
    pub(crate) fn pending(&self, id: &MessageId) -> PendingCard {
        self.pending.get(id).copied().unwrap_or_default()
    }

    /// The last event that a message has to show; 0 where it shows no state.
    pub(crate) fn wants(&self, message: &Message) -> u64 {
        let tracked = message.requested.incident.as_ref().and_then(|id| self.incidents.get(id));
        tracked.map_or(0, |tracked| tracked.changed)
    }

    /// A card shows what was true at `through`, with or without anything sent. What came after that stays pending.
    pub(crate) fn shown(&mut self, id: &MessageId, through: u64, told: PendingCard) {
        let checked = self.checked.entry(id.clone()).or_default();
        *checked = (*checked).max(through);
        if let Some(pending) = self.pending.get_mut(id) {
            pending.events = pending.events.saturating_sub(told.events);
            pending.urgent &= pending.events > 0;
        }
        self.look(id);
    }

    fn see(&mut self, event: &Recorded) {
        match &event.event {
            Event::Activated(activated) => self.active = Some(activated.install.clone()),
            Event::ChatRequested(requested) => self.requested(event, requested),
            Event::ChatReceived(received) if received.text.is_some() => self.question(event, received),
            Event::CommandRejected(rejected) => self.refused(event, rejected),
            Event::ChatDelivered(_) | Event::ChatUpdated(_) | Event::ChatFailed(_) | Event::ChatExpired(_) => {
                self.fact(event);
            }
            Event::ChatReceived(_)
            | Event::Configured(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | events! { intake, finding, conversation, proposal, label, model, alert, incident, silence, notice } => {
                self.change(event)
            }
        }
    }

    fn requested(&mut self, event: &Recorded, requested: &Requested) {
        let Some(id) = self.messages.evolve(event) else { return };
        self.places.entry(id.clone()).or_insert(event.position);
        if let (What::Card, Some(incident)) = (&requested.what, &requested.incident)
            && let Some(tracked) = self.incidents.get_mut(incident)
        {
            tracked.cards.insert(id.clone());
        }
        self.look(&id);
    }

    fn question(&mut self, event: &Recorded, received: &Received) {
        if self.questions_in_order.len() == QUESTIONS_MAX
            && let Some(oldest) = self.questions_in_order.pop_front()
        {
            self.questions.remove(&oldest);
        }
        self.questions.insert(event.id.clone(), received.clone());
        self.questions_in_order.push_back(event.id.clone());
    }

    fn fact(&mut self, event: &Recorded) {
        let Some(id) = self.messages.evolve(event) else { return };
        match &event.event {
            Event::ChatExpired(_) => {
                self.gone.insert(id.clone());
            }
            Event::ChatFailed(_) => *self.failures.entry(id.clone()).or_default() += 1,
            Event::ChatReceived(_)
            | Event::ChatDelivered(_)
            | Event::ChatUpdated(_)
            | Event::ChatRequested(_)
            | events! { intake, finding, conversation, proposal, label, model, alert, incident, silence, control, notice } =>
                {}
        }
        let settled = self.messages.0.get(&id).map(|message| (message.status, message.requested.what.clone()));
        if let Some((Status::Delivered | Status::Expired, What::Answer { received })) = &settled {
            self.questions.remove(received);
        }
        let shown = self.messages.0.get(&id).map_or(0, |message| message.through);
        if self.messages.0.get(&id).is_some_and(|message| shown >= self.wants(message)) {
            self.pending.remove(&id);
        }
        self.look(&id);
    }

    fn change(&mut self, event: &Recorded) {
        self.seen.see(event);
        match &event.event {
            Event::AlertFired(_)
            | Event::AlertResolved(_)
            | Event::AlertStale(_)
            | Event::AlertSuppressed(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_) => self.of_alert(event),
            Event::AlertRepeated(repeated) if repeated.severity.is_some() => self.of_alert(event),
            Event::FindingRaised(raised) => match &raised.incident {
                Some(incident) => self.touch(&incident.clone(), event),
                None => self.of_partition(event, &raised.service),
            },
            Event::ProposalMade(made) => self.touch(&made.incident.clone(), event),
            Event::LabelJudged(judged) => self.of_label(&judged.about, event),
            Event::LabelGiven(given) => self.of_label(&given.about, event),
            Event::IncidentMerged(merged) => self.of_two(&merged.incident.clone(), event),
            Event::IncidentSplit(split) => self.of_two(&split.incident.clone(), event),
            Event::IncidentUndone(undone) => self.of_two(&undone.other.clone(), event),
            Event::LinkObserved(_)
            | Event::EvidencePinned(_)
            | Event::CallsSeen(_)
            | Event::ProposalRejected(_)
            | Event::LabelRetracted(_)
            | Event::AlertRepeated(_)
            | Event::IncidentDeclared(_)
            | events! { intake, conversation, model, chat, silence, control, notice, placement, incident_status, care } => {
                self.of_subject(event)
            }
        }
    }

    fn of_alert(&mut self, event: &Recorded) {
        let home = event.subject.parse::<Fingerprint>().ok().and_then(|alert| self.homes.get(&alert).cloned());
        if let Some(home) = home {
            self.touch(&home, event);
        }
    }

    fn of_subject(&mut self, event: &Recorded) {
        if let Ok(id) = event.subject.parse::<IncidentId>() {
            self.follow(&id, event);
        }
    }

    fn of_two(&mut self, other: &IncidentId, event: &Recorded) {
        self.follow(other, event);
        self.of_subject(event);
    }

    fn of_label(&mut self, about: &About, event: &Recorded) {
        let incident = match about {
            About::Incident { incident } | About::Pair { incident, .. } | About::Recall { incident, .. } => {
                Some(incident.clone())
            }
            About::Alert { incident, .. } => incident.clone(),
            About::Proposal { .. } | About::Notice { .. } | About::Conversation { .. } => None,
        };
        if let Some(incident) = incident {
            self.touch(&incident, event);
        }
    }

    /// A finding that names no incident may explain those that go on beside it.
    fn of_partition(&mut self, event: &Recorded, service: &str) {
        let concerns = |(id, tracked): &(&IncidentId, &Tracked)| {
            let incident = self.seen.incident(&tracked.partition, id);
            tracked.live
                && tracked.partition == event.partition
                && incident.is_some_and(|incident| incident.services.contains(service))
        };
        let live: Vec<_> = self.incidents.iter().filter(concerns).map(|(id, _)| id.clone()).collect();
        live.iter().for_each(|id| self.touch(id, event));
    }

    /// An incident changed: where it stands, and which alerts are its own.
    fn follow(&mut self, id: &IncidentId, event: &Recorded) {
        let Some(incident) = self.seen.incident(&event.partition, id) else { return };
        let (live, members) = (incident.is_live(), members(incident));
        let before = self.incidents.get(id).map(|tracked| tracked.severity);
        let worse = before.is_some_and(|before| incident.severity > before);
        let tracked = self.incidents.entry(id.clone()).or_insert_with(|| Tracked {
            partition: event.partition.clone(),
            changed: 0,
            severity: incident.severity,
            live,
            title: String::new(),
            cards: BTreeSet::new(),
        });
        tracked.severity = incident.severity;
        tracked.live = live;
        tracked.title.clone_from(&incident.title);
        for alert in members {
            if live {
                self.homes.insert(alert, id.clone());
            } else if self.homes.get(&alert) == Some(id) {
                self.homes.remove(&alert);
            }
        }
        if worse && let Some(tracked) = self.incidents.get(id) {
            for card in &tracked.cards {
                self.pending.entry(card.clone()).or_default().urgent = true;
            }
        }
        self.touch(id, event);
    }

    fn touch(&mut self, id: &IncidentId, event: &Recorded) {
        let Some(tracked) = self.incidents.get_mut(id) else { return };
        tracked.changed = tracked.changed.max(event.position);
        for card in tracked.cards.clone() {
            let pending = self.pending.entry(card.clone()).or_default();
            pending.events = pending.events.saturating_add(1);
            self.look(&card);
        }
    }

    /// Whether something is to be done about a message.
    fn look(&mut self, id: &MessageId) {
        let needed = self.messages.0.get(id).is_some_and(|message| match message.status {
            Status::Requested => !self.gone.contains(id),
            Status::Delivered if message.requested.what == What::Card && !self.gone.contains(id) => {
                let shown = message.through.max(self.checked.get(id).copied().unwrap_or(0));
                self.wants(message) > shown
            }
            Status::Delivered | Status::Expired => false,
        });
        if needed {
            self.todo.insert(id.clone());
        } else {
            self.todo.remove(id);
        }
    }

    /// A command that stands behind what a person did belongs to it.
    fn pair(&mut self, before: Option<&Recorded>, event: &Recorded) {
        let (Some(before), Event::Command(command)) = (before, &event.event) else { return };
        let Event::ChatReceived(received) = &before.event else { return };
        if command.key != key::of_command(received.vendor.as_str(), &received.key) {
            return;
        }
        if self.commands_in_order.len() == COMMANDS_MAX
            && let Some(oldest) = self.commands_in_order.pop_front()
        {
            self.commands.remove(&oldest);
        }
        self.commands.insert(event.id.clone(), received.clone());
        self.commands_in_order.push_back(event.id.clone());
    }

    fn refused(&mut self, event: &Recorded, rejected: &Rejected) {
        let Some(command) = event.cause.clone() else { return };
        let Some(received) = self.commands.remove(&command) else { return };
        // The same delivery was written twice: whoever pressed it has the effect of the first.
        if rejected.code == Code::KeyReused {
            return;
        }
        if let Some(incident) = &received.incident {
            self.touch(&incident.clone(), event);
        }
        if self.refusals.len() == REFUSALS_MAX {
            self.refusals.pop_front();
        }
        let (rejected, at) = (rejected.clone(), event.time);
        self.refusals.push_back(Refusal { received, rejected, at });
    }
}

fn members(incident: &Incident) -> Vec<Fingerprint> {
    incident.members.keys().cloned().collect()
}
