//! How bad the alerts of each incident are that fire and are not held back, counted as they change: an incident may
//! have ten thousand alerts, and a decision about it may not look at all of them. Follows from the books.

use std::collections::BTreeMap;

use hindcast_domain::alert::Alert;
use hindcast_domain::{Fingerprint, IncidentId, Severity};
use serde::{Deserialize, Serialize};

/// The counts by incident and severity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoudAlerts {
    counted: BTreeMap<Fingerprint, (IncidentId, Severity)>,
    by_incident: BTreeMap<IncidentId, BTreeMap<Severity, u32>>,
}

impl LoudAlerts {
    /// Takes in what an alert is now.
    pub(crate) fn note(&mut self, alert: &Alert) {
        let loud = alert.is_firing() && alert.suppressed.is_none();
        let is = alert.incident.clone().filter(|_| loud).map(|incident| (incident, alert.severity));
        if self.counted.get(&alert.fingerprint) == is.as_ref() {
            return;
        }
        if let Some((incident, severity)) = self.counted.remove(&alert.fingerprint) {
            self.uncount(&incident, severity);
        }
        if let Some((incident, severity)) = is {
            *self.by_incident.entry(incident.clone()).or_default().entry(severity).or_default() += 1;
            self.counted.insert(alert.fingerprint.clone(), (incident, severity));
        }
    }

    fn uncount(&mut self, incident: &IncidentId, severity: Severity) {
        let Some(counts) = self.by_incident.get_mut(incident) else { return };
        if let Some(count) = counts.get_mut(&severity) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&severity);
            }
        }
        if counts.is_empty() {
            self.by_incident.remove(incident);
        }
    }

    /// The worst of an incident's alerts that fire and are not held back.
    pub(crate) fn worst(&self, incident: &IncidentId) -> Option<Severity> {
        self.by_incident.get(incident)?.keys().next_back().copied()
    }
}
