//! What a run decided, as far as it is compared: which incident each stretch of firing went to, and when
//! people were paged. Owns that fold over decisions; refuses to know what is right.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::words::LineageKind;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Severity, Time};
use serde::{Deserialize, Serialize};

/// One stretch of firing, and where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiringSpan {
    /// The fingerprint of the alert that fired.
    pub fingerprint: Fingerprint,
    /// Service of the alert; absent when no label names one.
    pub service: Option<String>,
    /// How bad it said it is.
    pub severity: Severity,
    /// When it was decided about.
    pub at: Time,
    /// The incident that it went to, when it did.
    pub incident: Option<IncidentId>,
}

/// What a run decided. Firings are keyed by the observation that began them, which is the same in every run
/// over the same intake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// By the `intake.alert` event.
    pub firings: BTreeMap<EventId, FiringSpan>,
    /// When each incident asked for a page. The rules of the pager's budgets stand outside: this is what a
    /// run gives cause for.
    pub pages: BTreeMap<IncidentId, Vec<Time>>,
    /// The firings that are kept; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<BTreeSet<EventId>>,
    newest: BTreeMap<Fingerprint, EventId>,
    homes: BTreeMap<Fingerprint, IncidentId>,
    live: BTreeSet<IncidentId>,
}

impl RunOutcome {
    /// One that keeps these firings and no others, so that its size follows from what is compared.
    #[must_use]
    pub fn of(only: BTreeSet<EventId>) -> Self {
        Self { only: Some(only), ..Self::default() }
    }

    /// Folds one decision.
    pub fn see(&mut self, decided: &Recorded) {
        match &decided.event {
            Event::AlertFired(fired) => {
                let Ok(fingerprint) = decided.subject.parse::<Fingerprint>() else { return };
                // A member of an incident that lives goes home without a word.
                let home = self.homes.get(&fingerprint).filter(|home| self.live.contains(*home)).cloned();
                self.newest.insert(fingerprint.clone(), fired.observed.clone());
                if self.only.as_ref().is_some_and(|only| !only.contains(&fired.observed)) {
                    return;
                }
                let firing = FiringSpan {
                    fingerprint,
                    service: fired.service.clone(),
                    severity: fired.severity,
                    at: decided.time,
                    incident: home,
                };
                self.firings.insert(fired.observed.clone(), firing);
            }
            Event::AlertSuppressed(_) => {
                if let Ok(fingerprint) = decided.subject.parse::<Fingerprint>()
                    && let Some(firing) = self.newest.get(&fingerprint).and_then(|id| self.firings.get_mut(id))
                    && firing.at == decided.time
                {
                    firing.incident = None;
                }
            }
            Event::AlertRepeated(_)
            | Event::AlertResolved(_)
            | Event::AlertStale(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, incident, silence, control, notice } => {
                self.incident(decided)
            }
        }
    }

    fn incident(&mut self, decided: &Recorded) {
        let Ok(id) = decided.subject.parse::<IncidentId>() else { return };
        match &decided.event {
            Event::IncidentOpened(opened) => {
                self.live.insert(id.clone());
                self.place(&opened.fingerprint, &id);
                self.page(&id, opened.severity, decided.time);
            }
            Event::IncidentAlertJoined(joined) => {
                self.place(&joined.fingerprint, &id);
                if !self.pages.contains_key(&id) {
                    self.page(&id, joined.severity, decided.time);
                }
            }
            Event::IncidentReopened(reopened) => {
                self.live.insert(id.clone());
                if let Some(fingerprint) = &reopened.fingerprint {
                    self.place(fingerprint, &id);
                }
                if let Some(severity) = reopened.severity.filter(|_| reopened.worse) {
                    self.page(&id, severity, decided.time);
                }
            }
            Event::IncidentResolved(_) => {
                self.live.remove(&id);
            }
            Event::IncidentMerged(merged) => {
                self.live.remove(&merged.incident);
                merged.fingerprints.iter().for_each(|fingerprint| self.place(fingerprint, &id));
            }
            Event::IncidentSplit(split) => {
                if split.firing {
                    self.live.insert(split.incident.clone());
                }
                split.fingerprints.iter().for_each(|fingerprint| self.place(fingerprint, &split.incident));
                self.page(&split.incident, split.severity, decided.time);
            }
            Event::IncidentUndone(undone) => {
                let home = if undone.how == LineageKind::Merged { &undone.other } else { &id };
                undone.fingerprints.iter().for_each(|fingerprint| self.place(fingerprint, home));
                if undone.how == LineageKind::Merged && undone.other_firing {
                    self.live.insert(undone.other.clone());
                } else {
                    self.live.remove(&undone.other);
                }
            }
            Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, care } =>
                {}
        }
    }

    fn place(&mut self, fingerprint: &Fingerprint, incident: &IncidentId) {
        self.homes.insert(fingerprint.clone(), incident.clone());
        if let Some(firing) = self.newest.get(fingerprint).and_then(|id| self.firings.get_mut(id))
            && firing.incident.as_ref() != Some(incident)
        {
            firing.incident = Some(incident.clone());
        }
    }

    fn page(&mut self, incident: &IncidentId, severity: Severity, at: Time) {
        if severity.pages() {
            self.pages.entry(incident.clone()).or_default().push(at);
        }
    }
}
