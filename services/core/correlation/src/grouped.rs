//! What a lane's decisions taught about grouping: how usual alerts are, and what incidents are made of. Owns the fold of
//! decisions into the engine's two halves, for the lane and for training alike; refuses to decide.

use hindcast_domain::book::Book;
use hindcast_domain::event::{Event, Recorded, SYSTEM};
use hindcast_domain::incident::Grouping;
use hindcast_domain::words::LineageKind;
use hindcast_domain::{Fingerprint, IncidentId, Time, events};
use serde::{Deserialize, Serialize};

use crate::baseline::AlertBaseline;
use crate::evidence::AlertEvidence;
use crate::groups::IncidentGroups;
use crate::memo::TraitsMemo;
use crate::traits::{AlertTraits, Newcomer};

/// What grouping knows of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupedAlerts {
    /// How usual alerts are.
    pub baseline: AlertBaseline,
    /// What incidents are made of.
    pub groups: IncidentGroups,
    /// What was read of the alert at hand. Follows from it.
    #[serde(skip)]
    memo: TraitsMemo,
}

impl GroupedAlerts {
    /// The traits of an alert, which are read once while it is at hand.
    #[must_use]
    pub fn traits(&self, alert: &Newcomer<'_>) -> AlertTraits {
        self.memo.traits(alert)
    }

    /// What an alert of the book says at `now`; `None` for one that the book does not know.
    #[must_use]
    pub fn evidence(&self, book: &Book, fingerprint: &Fingerprint, now: Time) -> Option<AlertEvidence> {
        let newcomer = Newcomer::of(book.alerts.get(fingerprint)?);
        Some(AlertEvidence::of(&newcomer, self.traits(&newcomer), &self.baseline, now))
    }

    /// Folds a decision that `book` has folded.
    pub fn evolve(&mut self, book: &Book, decision: &Recorded) {
        let now = decision.time;
        if let Event::AlertFired(_) = &decision.event {
            let alert =
                decision.subject.parse().ok().and_then(|fingerprint: Fingerprint| book.alerts.get(&fingerprint));
            if let Some(alert) = alert {
                let traits = self.memo.traits(&Newcomer::of(alert));
                self.baseline.observe(&traits, now);
            }
            return;
        }
        let Some(id) = decision.subject.parse::<IncidentId>().ok() else { return };
        let by_person = decision.actor != SYSTEM;
        match &decision.event {
            Event::IncidentOpened(opened) => {
                if let Some(evidence) = self.evidence(book, &opened.fingerprint, now) {
                    self.groups.open(&id, evidence, now);
                }
            }
            Event::IncidentAlertJoined(joined) => {
                let Some(grouping) = &joined.grouping else { return };
                if let Some(evidence) = self.evidence(book, &joined.fingerprint, now) {
                    self.groups.join(&id, evidence, second(grouping), now);
                }
            }
            Event::IncidentReopened(reopened) => {
                let alert = reopened.fingerprint.as_ref();
                if let Some(evidence) = alert.and_then(|alert| self.evidence(book, alert, now)) {
                    self.groups.join(&id, evidence, None, now);
                }
            }
            Event::IncidentMerged(merged) => self.groups.merge(&id, &merged.incident, by_person),
            Event::IncidentSplit(split) => self.groups.part(&id, &split.incident, &split.fingerprints, by_person),
            Event::IncidentUndone(undone) => match undone.how {
                LineageKind::Merged => self.groups.take_apart(&id, &undone.other, &undone.fingerprints),
                LineageKind::Split | LineageKind::Other(_) => self.groups.put_back(&id, &undone.other),
            },
            Event::IncidentReviewed(_) => self.groups.reviewed(&id, now),
            Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSeveritySet(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentAwoken(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } =>
                {}
        }
    }
}

/// The other incident that an alert fitted.
fn second(grouping: &Grouping) -> Option<&IncidentId> {
    let best = grouping.considered.first().filter(|considered| considered.score >= grouping.threshold);
    best.map(|considered| &considered.incident)
}
