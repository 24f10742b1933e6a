//! Which words are owed, by incident and receiver: kept as the state changes, so that the next one is found at once.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::{Fingerprint, IncidentId, Severity, Time};
use serde::{Deserialize, Serialize};

/// What a receiver is to be told of one alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UntoldAlert {
    /// Since when it could be heard.
    pub(crate) since: Time,
    /// The worst that it was in what is untold.
    pub(crate) peak: Severity,
}

/// The incident of an alert, and the receivers that are to be told of it.
pub(crate) type ListedAlert = (IncidentId, BTreeMap<String, UntoldAlert>);

/// The index. It follows from what was seen and from what was asked for, whatever came first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwedIndex {
    /// Alerts that a receiver is to be told of by name, by when they could be heard first.
    pub(crate) untold: BTreeMap<IncidentId, BTreeMap<String, BTreeSet<(Time, Fingerprint)>>>,
    /// Where each alert stands in that.
    pub(crate) listed: BTreeMap<Fingerprint, ListedAlert>,
    due: BTreeSet<(Time, IncidentId)>,
    due_of: BTreeMap<IncidentId, Time>,
}

impl OwedIndex {
    /// The incident about which something is owed first.
    pub(crate) fn first(&self) -> Option<(Time, &IncidentId)> {
        self.due.first().map(|(due, id)| (*due, id))
    }

    /// Whether something is owed about an incident.
    pub(crate) fn is_owed(&self, incident: &IncidentId) -> bool {
        self.due_of.contains_key(incident) || self.untold.contains_key(incident)
    }

    /// What a receiver is to be told of by name, oldest first.
    pub(crate) fn untold(&self, incident: &IncidentId, receiver: &str) -> Option<&BTreeSet<(Time, Fingerprint)>> {
        self.untold.get(incident)?.get(receiver)
    }

    /// What a receiver is to be told of an alert by name, where it is.
    pub(crate) fn untold_of(&self, fingerprint: &Fingerprint, receiver: &str) -> Option<UntoldAlert> {
        self.listed.get(fingerprint)?.1.get(receiver).copied()
    }

    pub(crate) fn list(&mut self, fingerprint: &Fingerprint, entry: Option<ListedAlert>) {
        if let Some((incident, receivers)) = self.listed.remove(fingerprint)
            && let Some(by) = self.untold.get_mut(&incident)
        {
            for (receiver, of_it) in receivers {
                if let Some(untold) = by.get_mut(&receiver) {
                    untold.remove(&(of_it.since, fingerprint.clone()));
                }
            }
            by.retain(|_, untold| !untold.is_empty());
            if by.is_empty() {
                self.untold.remove(&incident);
            }
        }
        let Some((incident, receivers)) = entry.filter(|(_, receivers)| !receivers.is_empty()) else { return };
        let by = self.untold.entry(incident.clone()).or_default();
        for (receiver, of_it) in &receivers {
            by.entry(receiver.clone()).or_default().insert((of_it.since, fingerprint.clone()));
        }
        self.listed.insert(fingerprint.clone(), (incident, receivers));
    }

    pub(crate) fn set_due(&mut self, incident: &IncidentId, due: Option<Time>) {
        if let Some(before) = self.due_of.remove(incident) {
            self.due.remove(&(before, incident.clone()));
        }
        if let Some(due) = due {
            self.due_of.insert(incident.clone(), due);
            self.due.insert((due, incident.clone()));
        }
    }
}
