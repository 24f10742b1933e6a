//! The labeller's state: the labels (its own decisions), what was seen, and what is due when. Owns the
//! indexes; refuses to decide.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::{About, Kind, Label, Labels};
use hindcast_domain::lane::Timer;
use hindcast_domain::{EventId, IncidentId, LabelId, Span, Time};
use serde::{Deserialize, Serialize};

use super::given::topic;
use super::later;
use crate::seen::ObservedPartition;

/// How long after its end an incident is judged by what nobody did.
pub const SETTLES_AFTER: Span = Span::hours(24);

/// The state of one lane of labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabellerState {
    /// Made by this lane's own decisions.
    pub labels: Labels,
    /// The labels that follow from each event. Follows from the above.
    by_cause: BTreeMap<EventId, Vec<LabelId>>,
    /// The labels about each thing. Follows from the above.
    by_topic: BTreeMap<String, Vec<LabelId>>,
    /// What was seen of other lanes and of the door.
    pub seen: ObservedPartition,
    /// Timers by what they are for, and in the order in which they are due.
    timers: BTreeMap<String, Time>,
    due: BTreeSet<(Time, String)>,
}

impl LabellerState {
    /// Folds an input that was consumed.
    pub fn see(&mut self, input: &Recorded) {
        if matches!(input.event, Event::IncidentOpened(_)) {
            self.seen.forget(input.time);
        }
        // Whoever it concerns may be closed anew, or live again: what was due for the old end is not.
        let before: Vec<IncidentId> = input.subject.parse().ok().into_iter().chain(other(&input.event)).collect();
        for id in &before {
            if let Some(closed) = self.seen.cases.get(id).and_then(|case| case.closed.as_ref()) {
                let timer = format!("settle/{}/{id}", closed.event);
                self.set_timer(timer, None);
            }
        }
        let concerned = self.seen.see(input);
        for id in before.iter().chain(&concerned) {
            self.index_case(id);
        }
        match &input.event {
            Event::ProposalMade(_) => {
                if let Some(made) = input.subject.parse().ok().and_then(|id| self.seen.proposals.get(&id)) {
                    let (key, due) = (format!("proposal/{}", input.subject), made.at + SETTLES_AFTER);
                    self.set_timer(key, Some(due));
                }
            }
            Event::LabelJudged(judged) => {
                if let About::Proposal { proposal } = &judged.about {
                    self.set_timer(format!("proposal/{proposal}"), None);
                }
            }
            Event::ProposalRejected(_)
            | Event::LabelGiven(_)
            | Event::LabelRetracted(_)
            | events! { intake, finding, conversation, model, chat, alert, incident, silence, control, notice } => {}
        }
    }

    fn index_case(&mut self, id: &IncidentId) {
        let Some(case) = self.seen.cases.get(id) else { return };
        let Some(closed) = &case.closed else { return };
        let due = (!later::of_case(id, case).is_empty()).then(|| closed.at + SETTLES_AFTER);
        self.set_timer(format!("settle/{}/{id}", closed.event), due);
    }

    fn set_timer(&mut self, id: String, due: Option<Time>) {
        if let Some(before) = self.timers.remove(&id) {
            self.due.remove(&(before, id.clone()));
        }
        if let Some(due) = due {
            self.due.insert((due, id.clone()));
            self.timers.insert(id, due);
        }
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        let Some(id) = self.labels.evolve(decision) else { return };
        let Event::LabelGiven(given) = &decision.event else { return };
        let from = self.by_cause.entry(given.from.clone()).or_default();
        if from.contains(&id) {
            return;
        }
        from.push(id.clone());
        match &given.about {
            _ if !later::is_later(&given.rule) => {}
            About::Incident { incident } => self.set_timer(format!("settle/{}/{incident}", given.from), None),
            About::Proposal { proposal } => self.set_timer(format!("proposal/{proposal}"), None),
            _ => {}
        }
        self.by_topic.entry(topic(given.kind, &given.about)).or_default().push(id);
    }

    /// What is due next: what was concluded already is over.
    #[must_use]
    pub fn due(&self) -> Option<Timer> {
        self.due.iter().find(|(_, id)| !self.is_concluded(id)).map(|(due, id)| Timer { due: *due, id: id.clone() })
    }

    /// Whether what a timer stands for was concluded.
    fn is_concluded(&self, timer: &str) -> bool {
        let event = match timer.split_once('/') {
            Some(("settle", rest)) => rest.split('/').next().and_then(|event| event.parse().ok()),
            Some(("proposal", id)) => {
                id.parse().ok().and_then(|id| self.seen.proposals.get(&id)).map(|made| made.event.clone())
            }
            _ => None,
        };
        let labels = event.as_ref().and_then(|event| self.by_cause.get(event)).into_iter().flatten();
        let mut labels = labels.filter_map(|id| self.labels.0.get(id));
        event.is_none() || labels.any(|label| later::is_later(&label.given.rule))
    }

    /// Labels that follow from an event and were not retracted.
    pub fn of_cause(&self, event: &EventId) -> impl Iterator<Item = &Label> + use<'_> {
        self.standing(self.by_cause.get(event))
    }

    /// Labels about one thing that were not retracted.
    pub fn of_topic(&self, kind: Kind, about: &About) -> impl Iterator<Item = &Label> + use<'_> {
        self.standing(self.by_topic.get(&topic(kind, about)))
    }

    /// Things with several labels that were not retracted, with these.
    pub fn topics(&self) -> impl Iterator<Item = Vec<&Label>> {
        self.by_topic.values().map(|ids| self.standing(Some(ids)).collect::<Vec<_>>()).filter(|all| all.len() > 1)
    }

    fn standing<'a>(&'a self, ids: Option<&'a Vec<LabelId>>) -> impl Iterator<Item = &'a Label> {
        ids.into_iter().flatten().filter_map(|id| self.labels.0.get(id)).filter(|label| label.retracted.is_none())
    }
}

fn other(event: &Event) -> Option<IncidentId> {
    match event {
        Event::IncidentMerged(merged) => Some(merged.incident.clone()),
        Event::IncidentSplit(split) => Some(split.incident.clone()),
        Event::IncidentUndone(undone) => Some(undone.other.clone()),
        Event::IncidentDeclared(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, placement, incident_status, care } => {
            None
        }
    }
}
