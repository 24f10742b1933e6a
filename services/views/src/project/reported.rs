//! What a report counts, noted beside the entries of indexes and in a short row for each incident, so that a report reads
//! neither events nor whole documents. Pure writing; refuses to count.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;

use hindcast_domain::event::Recorded;
use hindcast_domain::events;
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::label::{Kind as LabelKind, Provenance};
use hindcast_domain::notice::Reason;
use hindcast_domain::words::{LabelValue, RuleName};
use hindcast_domain::{Event, Fingerprint, IncidentId, Severity, Time};
use serde::{Deserialize, Serialize};

use super::tally::{Before, Tally};
use super::{ProjectedBatch, Projector, about};
use crate::fold::{Changed, Folds};
use crate::store::keys::{self, DocumentKind, GROUPING};

/// An alert that began to fire. Times of notes are in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FiringNote {
    #[serde(rename = "a")]
    pub(crate) at: i64,
    #[serde(rename = "e")]
    pub(crate) environment: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
}

/// A notice that was asked for, or held.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NoticeNote {
    #[serde(rename = "a")]
    pub(crate) at: i64,
    #[serde(rename = "p")]
    pub(crate) page: bool,
    #[serde(rename = "r")]
    pub(crate) reason: Reason,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<String>,
}

/// A label that was given.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LabelNote {
    #[serde(rename = "l")]
    pub(crate) label: String,
    #[serde(rename = "a")]
    pub(crate) at: i64,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<String>,
    #[serde(rename = "k")]
    pub(crate) kind: LabelKind,
    #[serde(rename = "v")]
    pub(crate) value: LabelValue,
    #[serde(rename = "p")]
    pub(crate) provenance: Provenance,
    #[serde(rename = "u")]
    pub(crate) rule: RuleName,
}

/// An incident as a report counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IncidentRow {
    #[serde(rename = "e")]
    pub(crate) environment: String,
    #[serde(rename = "o")]
    pub(crate) opened_at: i64,
    #[serde(rename = "b")]
    pub(crate) started_at: i64,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged_at: Option<i64>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(crate) resolved_at: Option<i64>,
    #[serde(rename = "t")]
    pub(crate) status: Status,
    #[serde(rename = "p")]
    pub(crate) peak: Severity,
    #[serde(rename = "s", default)]
    pub(crate) services: Vec<String>,
    #[serde(rename = "r")]
    pub(crate) reopened: u64,
    #[serde(rename = "d")]
    pub(crate) declared: bool,
    #[serde(rename = "c")]
    pub(crate) cause: bool,
    #[serde(rename = "m")]
    pub(crate) merged: bool,
    /// Its alerts and messages, where it is over: of one that goes on they are read from its tally.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<(u64, u64)>,
}

impl IncidentRow {
    pub(crate) fn of(incident: &Incident, environment: &str, tally: Option<Tally>) -> Self {
        let is_over = incident.status == Status::Resolved;
        Self {
            environment: environment.to_owned(),
            opened_at: incident.opened_at.nanos(),
            started_at: incident.started_at.nanos(),
            acknowledged_at: incident.acknowledged_at.map(Time::nanos),
            resolved_at: incident.resolved_at.map(Time::nanos),
            status: incident.status,
            peak: incident.peak_severity,
            services: incident.services.iter().cloned().collect(),
            reopened: incident.reopened,
            declared: incident.grouped_by.is_empty() && incident.split_from.is_none(),
            cause: incident.cause.is_some(),
            merged: incident.merged_into.is_some(),
            counted: tally.filter(|_| is_over).map(|tally| (tally.alerts, tally.occurrences)),
        }
    }

    /// A hash by which it is told from the one that was written before. Most events about an incident change no row, so
    /// that none is written as JSON to be compared.
    fn mark(&self) -> u64 {
        let Self { environment, opened_at, started_at, acknowledged_at, resolved_at, status, peak, services, .. } =
            self;
        let Self { reopened, declared, cause, merged, counted, .. } = self;
        let mut hasher = DefaultHasher::new();
        (environment, opened_at, started_at, acknowledged_at, resolved_at).hash(&mut hasher);
        (discriminant(status), discriminant(peak), services).hash(&mut hasher);
        (reopened, declared, cause, merged, counted).hash(&mut hasher);
        hasher.finish()
    }
}

/// What is noted beside an event in the index of its type; nothing for most.
pub(super) fn note(recorded: &Recorded) -> Vec<u8> {
    let at = recorded.time.nanos();
    let id = |incident: &IncidentId| incident.to_string();
    let noted = match &recorded.event {
        Event::AlertFired(fired) => {
            let environment = recorded.partition.environment.clone();
            serde_json::to_vec(&FiringNote { at, environment, service: fired.service.clone() })
        }
        Event::NoticeRequested(asked) => {
            let incident = asked.incident.as_ref().map(id);
            serde_json::to_vec(&NoticeNote { at, page: asked.page, reason: asked.reason, incident })
        }
        Event::NoticeHeld(held) => {
            let incident = held.incident.as_ref().map(id);
            serde_json::to_vec(&NoticeNote { at, page: held.severity.pages(), reason: held.reason, incident })
        }
        Event::LabelGiven(given) => serde_json::to_vec(&LabelNote {
            label: recorded.subject.clone(),
            at,
            incident: about(&given.about).map(id),
            kind: given.kind,
            value: given.value.clone(),
            provenance: given.provenance,
            rule: given.rule.clone(),
        }),
        Event::LabelRetracted(_) => return recorded.subject.as_bytes().to_vec(),
        Event::Command(_) => return recorded.id.as_str().as_bytes().to_vec(),
        Event::IncidentAlertJoined(joined) if joined.grouping.is_some() => return GROUPING.to_vec(),
        Event::LabelJudged(_)
        | Event::Delivery(_)
        | Event::DoorOpened(_)
        | Event::Observed(_)
        | Event::Repeats(_)
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | events! { finding, conversation, proposal, model, chat, incident, silence, control, alert_course, notice_course } =>
        {
            return Vec::new();
        }
    };
    noted.unwrap_or_default()
}

/// The rows as they were last written, by their hash.
#[derive(Debug, Default)]
pub(super) struct WrittenRows(BTreeMap<IncidentId, u64>);

impl WrittenRows {
    /// Lets go of the row of an incident that is over.
    pub(super) fn forget(&mut self, id: &IncidentId) {
        self.0.remove(id);
    }

    /// Finds the row of an incident again, as it was written.
    pub(super) fn bring(&mut self, id: &IncidentId, row: &IncidentRow) {
        self.0.insert(id.clone(), row.mark());
    }

    /// Finds the rows again as they were written.
    pub(super) fn load(&mut self, folds: &Folds, tally: impl Fn(&IncidentId) -> Option<Tally>) {
        for (partition, book) in &folds.books {
            for (id, incident) in &book.incidents {
                let row = IncidentRow::of(incident, &partition.environment, tally(id));
                self.0.insert(id.clone(), row.mark());
            }
        }
    }
}

impl Projector {
    /// The rows of the incidents that an event changed, or whose alerts it is about.
    pub(super) fn rows(
        &mut self,
        work: &mut ProjectedBatch,
        recorded: &Recorded,
        changed: &Changed,
        before: &BTreeMap<Fingerprint, Before>,
    ) {
        let Some(book) = self.folds.books.get(&recorded.partition) else { return };
        let of_alerts = before.values().filter_map(|before| before.incident.as_ref());
        for id in changed.incidents.iter().chain(of_alerts) {
            let Some(incident) = book.incidents.get(id) else { continue };
            let tally = self.repeats.with(id.as_str(), self.counts.get(id).and_then(|counted| counted.stored));
            let row = IncidentRow::of(incident, &recorded.partition.environment, tally);
            let mark = row.mark();
            if self.written.0.get(id) != Some(&mark) {
                self.written.0.insert(id.clone(), mark);
                let key = keys::row(row.opened_at, id.as_str());
                let value = serde_json::to_vec(&row).unwrap_or_default();
                work.batch.document(DocumentKind::Row, &key, recorded.position, value);
            }
        }
    }
}
