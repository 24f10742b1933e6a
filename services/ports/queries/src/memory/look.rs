//! What is found in documents before a question is answered: an alert by any of its names, the catalogue, the words that
//! are said of an incident, counts.

use hindcast_api::{Alert, AlertCounts, Code, Incident, IncidentCounts, Problem, State};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::{alert, incident};

use super::{MemoryContents, kept};

impl MemoryContents {
    pub(super) fn alert(&self, text: Option<&str>, at: u64) -> Result<&Alert, Problem> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return self.alerts.find(None, at) };
        if let Some(known) = self.alerts.get(&text.to_ascii_lowercase(), at) {
            return Ok(known);
        }
        let newest = self.alerts.newest(at);
        let named = |alert: &&Alert| alert.source_fingerprint.as_deref() == Some(text) || alert.name == text;
        match newest.iter().copied().find(named) {
            Some(known) => Ok(known),
            None => kept::one(newest.into_iter().filter(|alert| begins(alert, text)), text),
        }
    }

    pub(super) fn catalog(&self, at: u64) -> Result<Catalog, Problem> {
        let Some(section) = self.sections.get("catalog", at) else { return Ok(Catalog::default()) };
        serde_json::from_value(section.content.clone())
            .map_err(|_| Problem::new(Code::Internal, "expected a catalogue in the section \"catalog\""))
    }

    /// All that is said of an incident.
    pub(super) fn words(&self, incident: &Incident, at: u64) -> String {
        let alerts = self.alerts.newest(at).into_iter().filter(|alert| alert.incident.as_ref() == Some(&incident.id));
        let mut words: Vec<&str> = vec![&incident.title];
        words.extend(incident.services.iter().map(String::as_str));
        words.extend(incident.cause.as_deref());
        words.extend(incident.resolution.as_deref());
        words.extend(alerts.map(|alert| alert.name.as_str()));
        words.join(" ")
    }

    pub(super) fn state(&self, position: u64) -> State {
        let (mut incidents, mut alerts) = (IncidentCounts::default(), AlertCounts::default());
        for incident in self.incidents.newest(position) {
            match incident.status {
                incident::Status::Open => incidents.open += 1,
                incident::Status::Acknowledged => incidents.acknowledged += 1,
                incident::Status::Resolved => incidents.resolved += 1,
            }
        }
        for alert in self.alerts.newest(position) {
            match alert.status {
                alert::Status::Firing => alerts.firing += 1,
                alert::Status::Resolved => alerts.resolved += 1,
                alert::Status::Stale => alerts.stale += 1,
            }
            alerts.suppressed += u64::from(alert.suppressed_by.is_some());
        }
        let open = self.parked.newest(position).into_iter().filter(|item| item.status == "parked").count();
        State {
            position,
            settled: true,
            provisional: false,
            state_hash: "memory".to_owned(),
            incidents,
            alerts,
            parked: open as u64,
            versions: [].into(),
            ledger: "memory".to_owned(),
            services: [].into(),
        }
    }
}

/// Whether a fingerprint of an alert, ours or its sender's, begins like this.
pub(super) fn begins(alert: &Alert, text: &str) -> bool {
    alert.fingerprint.starts_with(&text.to_ascii_lowercase())
        || alert.source_fingerprint.as_deref().is_some_and(|theirs| theirs.starts_with(text))
}
