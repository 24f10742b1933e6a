//! What is read of a book next, and is not in memory: an alert with the incident that it belonged to, an incident with its
//! alerts. Owns these rules for all who hold books; refuses to know what comes.

use crate::alert::Alert;
use crate::event::{Event, Recorded};
use crate::events;
use crate::id::{Fingerprint, IncidentId};
use crate::incident::Incident;

/// Merges behind each other that are followed, as [`crate::book::Book::home`] does.
const MERGES_MAX: usize = 64;

/// An alert of the books by its id.
type FindAlert<'a> = &'a dyn Fn(&Fingerprint) -> Option<&'a Alert>;
/// An incident of the books by its id.
type FindIncident<'a> = &'a dyn Fn(&IncidentId) -> Option<&'a Incident>;

/// Gathers what is read and not in memory. An incident that goes on has all its alerts in memory.
pub struct PartsRead<'a> {
    alerts: FindAlert<'a>,
    incidents: FindIncident<'a>,
    /// What is missing so far; a part may be named twice.
    pub missing: Vec<String>,
}

impl<'a> PartsRead<'a> {
    /// Nothing is read yet.
    #[must_use]
    pub fn of(alerts: FindAlert<'a>, incidents: FindIncident<'a>) -> Self {
        Self { alerts, incidents, missing: Vec::new() }
    }

    /// An alert, and the incident that it belongs to.
    pub fn alert(&mut self, fingerprint: &Fingerprint) {
        match (self.alerts)(fingerprint) {
            Some(alert) => alert.incident.iter().for_each(|home| self.incident(home)),
            None => self.missing.push(fingerprint.to_string()),
        }
    }

    /// An incident and those that it became a part of, with the alerts of each.
    pub fn incident(&mut self, id: &IncidentId) {
        let mut next = Some(id);
        for _ in 0..MERGES_MAX {
            let Some(id) = next else { return };
            let Some(incident) = (self.incidents)(id) else {
                return self.missing.push(id.to_string());
            };
            if !incident.is_live() {
                let away = incident.members.keys().filter(|alert| (self.alerts)(alert).is_none());
                self.missing.extend(away.map(ToString::to_string));
            }
            next = incident.merged_into.as_ref();
        }
    }

    /// The same with those that it was merged with or split from, and what became a part of those.
    pub fn lineage(&mut self, id: &IncidentId) {
        let (mut open, mut seen) = (vec![id.clone()], Vec::new());
        while let Some(next) = open.pop().filter(|_| seen.len() < MERGES_MAX) {
            if seen.contains(&next) {
                continue;
            }
            self.incident(&next);
            let past = (self.incidents)(&next).into_iter().flat_map(|incident| &incident.lineage);
            open.extend(past.map(|past| past.other.clone()));
            seen.push(next);
        }
    }

    /// Whatever a subject names.
    pub fn subject(&mut self, subject: &str) {
        if let Ok(fingerprint) = subject.parse() {
            self.alert(&fingerprint);
        } else if let Ok(incident) = subject.parse() {
            self.lineage(&incident);
        }
    }

    /// What the fold of a decision about alerts and incidents reads.
    pub fn decision(&mut self, decision: &Recorded) {
        self.subject(&decision.subject);
        let moved: &[Fingerprint] = match &decision.event {
            Event::IncidentOpened(opened) => std::slice::from_ref(&opened.fingerprint),
            Event::IncidentAlertJoined(joined) => std::slice::from_ref(&joined.fingerprint),
            Event::IncidentReopened(reopened) => reopened.fingerprint.as_slice(),
            Event::IncidentMerged(merged) => {
                self.incident(&merged.incident);
                &merged.fingerprints
            }
            Event::IncidentSplit(split) => &split.fingerprints,
            Event::IncidentUndone(undone) => {
                self.incident(&undone.other);
                &undone.fingerprints
            }
            Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSeveritySet(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentAwoken(_)
            | Event::IncidentReviewed(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } => {
                &[]
            }
        };
        moved.iter().for_each(|alert| self.alert(alert));
    }
}

/// Whether an alert was quiet for long: it does not fire, and nothing that holds it back is to end.
#[must_use]
pub fn is_quiet(alert: &Alert, long: &dyn Fn(crate::Time) -> bool) -> bool {
    let is_held = alert.flapping_until.is_some() || alert.suppressed.is_some();
    !alert.is_firing() && !is_held && alert.occurrence().closed_at.is_some_and(long) && long(alert.last_seen_at)
}

/// Whether an incident was over for long.
#[must_use]
pub fn is_over(incident: &Incident, long: &dyn Fn(crate::Time) -> bool) -> bool {
    !incident.is_live() && incident.resolved_at.is_some_and(long) && long(incident.updated_at)
}
