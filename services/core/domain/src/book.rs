//! A partition's alerts and incidents together: what the incident lane decides on, and what replay gives.

use crate::events;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::{self, Alert};
use crate::event::{Event, Recorded};
use crate::id::{Fingerprint, IncidentId};
use crate::incident::{self, Incident};
use crate::time::Time;

/// Alerts and incidents of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// By fingerprint.
    pub alerts: BTreeMap<Fingerprint, Alert>,
    /// By id.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// `now` of the last decision.
    pub now: Time,
}

/// What an event changed, so that a reader writes only that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Alerts, in no order; may repeat.
    pub alerts: Vec<Fingerprint>,
    /// Incidents, likewise.
    pub incidents: Vec<IncidentId>,
}

impl Book {
    /// Folds one recorded decision. Events about other things change nothing.
    pub fn evolve(&mut self, recorded: &Recorded) -> Touched {
        let mut touched = Touched::default();
        if alert::evolve(&mut self.alerts, recorded) {
            if let Ok(fingerprint) = recorded.subject.parse::<Fingerprint>() {
                touched.incidents.extend(self.alerts.get(&fingerprint).and_then(|alert| alert.incident.clone()));
                touched.alerts.push(fingerprint);
            }
            self.now = self.now.max(recorded.time);
            return touched;
        }
        let mut moved = Vec::new();
        if incident::evolve(&mut self.incidents, recorded, &mut moved) {
            touched.incidents.extend(recorded.subject.parse::<IncidentId>().ok());
            touched.incidents.extend(other_incident(&recorded.event));
            for (fingerprint, incident) in moved {
                if let Some(alert) = self.alerts.get_mut(&fingerprint) {
                    let before = alert.incident.replace(incident.clone()).filter(|before| *before != incident);
                    // A live incident's members are its own; one that is over keeps them for the record.
                    let left = before.and_then(|before| self.incidents.get_mut(&before));
                    if let Some(left) = left.filter(|left| left.is_live())
                        && left.members.remove(&fingerprint).is_some()
                    {
                        touched.incidents.push(left.id.clone());
                    }
                    touched.alerts.push(fingerprint);
                    touched.incidents.push(incident);
                }
            }
            self.forget_moved(&recorded.event, &touched.incidents);
            self.now = self.now.max(recorded.time);
        }
        touched
    }

    /// An incident that is over keeps its members for the record. When it lives again, those that belong to
    /// another one since are let go, so that a live incident's members are its own.
    fn forget_moved(&mut self, event: &Event, touched: &[IncidentId]) {
        if !matches!(event, Event::IncidentReopened(_) | Event::IncidentMerged(_) | Event::IncidentUndone(_)) {
            return;
        }
        for id in touched {
            let Some(incident) = self.incidents.get_mut(id).filter(|incident| incident.is_live()) else { continue };
            let alerts = &self.alerts;
            incident.members.retain(|alert, _| {
                alerts.get(alert).and_then(|alert| alert.incident.as_ref()).is_none_or(|home| home == id)
            });
        }
    }

    /// The live incident that an id leads to, through merges.
    #[must_use]
    pub fn home<'a>(&'a self, id: &'a IncidentId) -> Option<&'a Incident> {
        let mut incident = self.incidents.get(id)?;
        // A merge needs a live target, so the chain is a path; the bound is for a damaged ledger.
        for _ in 0..64 {
            match &incident.merged_into {
                Some(next) => incident = self.incidents.get(next)?,
                None => break,
            }
        }
        Some(incident)
    }

    /// An incident's alerts.
    pub fn alerts_of<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = &'a Alert> {
        incident.members.keys().filter_map(|fingerprint| self.alerts.get(fingerprint))
    }
}

fn other_incident(event: &Event) -> Option<IncidentId> {
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
