//! What is known of an incident by those who are to be told: how bad it is for paging, when it changed, and what its
//! pages said. Owns no rule about who is told.

use hindcast_domain::incident::Incident;
use hindcast_domain::{IncidentId, Severity, Time};

use crate::state::NoticesState;
use crate::state::heard::KnownOfIncident;

/// Merges behind each other that are followed.
const LINEAGE_MAX: usize = 64;

impl NoticesState {
    /// How bad an incident is for paging: as it says, or as its worst alert that fires and is not held back. Once
    /// people were paged, a severity that a person set is the last word.
    pub(crate) fn severity(&self, incident: &Incident) -> Severity {
        let lost = |notice: &_| self.is_lost(notice);
        let paged = || self.heard.of_all(&incident.id).any(|(_, heard)| heard.last_page(&lost).is_some());
        if incident.severity_set && paged() {
            return incident.severity;
        }
        self.seen.firing.worst(&incident.id).map_or(incident.severity, |worst| worst.max(incident.severity))
    }

    /// When an incident's status changed last.
    pub(crate) fn turned(&self, id: &IncidentId) -> Time {
        self.seen.turned.get(id).map_or(Time::ZERO, |turn| turn.at)
    }

    /// What a receiver was paged for about an incident, and about those that became a part of it.
    pub(crate) fn known(&self, id: &IncidentId, receiver: &str) -> KnownOfIncident {
        let lost = |notice: &_| self.is_lost(notice);
        let mut known = KnownOfIncident::default();
        let lineage = self.lineage(id);
        let heard = lineage.iter().filter_map(|id| self.heard.of(id, receiver));
        heard.for_each(|heard| known.add(&heard.known(&lost)));
        known
    }

    /// An incident and those that became a part of it.
    pub(crate) fn lineage(&self, id: &IncidentId) -> Vec<IncidentId> {
        let (mut open, mut seen) = (vec![id.clone()], Vec::new());
        while let Some(next) = open.pop().filter(|_| seen.len() < LINEAGE_MAX) {
            let lineage = self.any_incident(&next).into_iter().flat_map(|incident| &incident.lineage);
            let merged = lineage.filter(|past| past.how == "merged" && past.undone_by.is_none());
            open.extend(merged.map(|past| past.other.clone()));
            seen.push(next);
        }
        seen
    }
}
