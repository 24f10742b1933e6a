//! How the state of incidents follows from events: one incident alone, and two that merge or split.

use std::collections::BTreeMap;

use super::event::{Merged, Split, Undone};
use super::{Incident, Lineage, Member, Note, Status};
use crate::event::{Event, Recorded};
use crate::events;
use crate::id::{Fingerprint, IncidentId};
use crate::limits::NOTES_KEPT_MAX;
use crate::severity::Severity;
use crate::time::Time;
use crate::words::{LineageKind, ResolvedBy};

impl Incident {
    fn raise(&mut self, severity: Severity) {
        if !self.severity_set {
            self.severity = self.severity.max(severity);
        }
        self.peak_severity = self.peak_severity.max(self.severity).max(severity);
    }

    fn join(&mut self, fingerprint: Fingerprint, member: Member) {
        self.members.insert(fingerprint, member);
    }

    fn open_again(&mut self) {
        self.status = Status::Open;
        self.resolved_at = None;
        self.resolved_by = None;
        self.acknowledged_at = None;
        self.acknowledged_by = None;
    }

    /// Opens it again as it was before an end that lasted for a moment.
    fn go_on(&mut self) {
        self.status = if self.acknowledged_at.is_some() { Status::Acknowledged } else { Status::Open };
        self.resolved_at = None;
        self.resolved_by = None;
    }

    fn resolve(&mut self, by: ResolvedBy, now: Time) {
        self.status = Status::Resolved;
        self.resolved_at = Some(now);
        self.resolved_by = Some(by);
        self.snoozed_until = None;
    }

    fn evolve_own(&mut self, recorded: &Recorded) {
        let now = recorded.time;
        match &recorded.event {
            Event::IncidentAlertJoined(joined) => {
                if let Some(title) = &joined.title {
                    self.title.clone_from(title);
                }
                self.raise(joined.severity);
                self.services.extend(joined.service.clone());
                self.teams.extend(joined.team.clone());
                self.started_at = self.started_at.min(joined.starts_at);
                let score = joined.grouping.as_ref().map(|grouping| grouping.score);
                self.grouped_by.extend(joined.grouping.as_ref().map(|grouping| grouping.weights));
                let member = Member { joined_at: now, event: recorded.id.clone(), score };
                self.join(joined.fingerprint.clone(), member);
            }
            Event::IncidentAcknowledged(_) => {
                self.status = Status::Acknowledged;
                self.acknowledged_at = Some(now);
                self.acknowledged_by = Some(recorded.actor.clone());
            }
            Event::IncidentUnacknowledged(_) => {
                self.status = Status::Open;
                self.acknowledged_at = None;
                self.acknowledged_by = None;
            }
            Event::IncidentResolved(resolved) => {
                // Whoever adds what it was does not move its end: the reopen window starts there.
                if self.status != Status::Resolved {
                    self.resolve(resolved.by.clone(), now);
                }
                self.cause = resolved.cause.clone().or_else(|| self.cause.take());
                self.resolution = resolved.resolution.clone().or_else(|| self.resolution.take());
            }
            Event::IncidentReopened(reopened) => {
                if reopened.keeps_acknowledgement {
                    self.go_on();
                } else {
                    self.open_again();
                }
                self.reopened = reopened.count;
                if let Some(severity) = reopened.severity {
                    self.raise(severity);
                }
            }
            Event::IncidentAssigned(assigned) => self.owner.clone_from(&assigned.owner),
            Event::IncidentNoted(noted) => {
                if self.notes.len() == NOTES_KEPT_MAX {
                    self.notes.remove(0);
                }
                self.notes.push(Note { at: now, by: recorded.actor.clone(), text: noted.text.clone() });
            }
            Event::IncidentSeveritySet(set) => {
                self.severity_set = true;
                self.severity = set.severity;
                self.peak_severity = self.peak_severity.max(set.severity);
            }
            Event::IncidentSnoozed(snoozed) => self.snoozed_until = Some(snoozed.until),
            Event::IncidentAwoken(_) => self.snoozed_until = None,
            Event::IncidentOpened(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentReviewed(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, lineage } =>
                {}
        }
        self.updated_at = now;
        self.revision = recorded.revision.unwrap_or(self.revision);
    }
}

/// Folds an event whose subject is an incident; true when it was about one. Members that move are
/// reported to `moved` as (alert, incident that it belongs to now).
pub(crate) fn evolve(
    incidents: &mut BTreeMap<IncidentId, Incident>,
    recorded: &Recorded,
    moved: &mut Vec<(Fingerprint, IncidentId)>,
) -> bool {
    let Ok(id) = recorded.subject.parse::<IncidentId>() else {
        return false;
    };
    let now = recorded.time;
    match &recorded.event {
        Event::IncidentOpened(opened) => {
            let mut incident = Incident::born(id.clone(), &opened.title, opened.severity, now);
            incident.services.extend(opened.service.clone());
            incident.teams.extend(opened.team.clone());
            incident.started_at = opened.started_at;
            incident.recurrence_of.clone_from(&opened.recurrence_of);
            incident.weights = opened.grouping.weights;
            incident.grouped_by.insert(opened.grouping.weights);
            let member = Member { joined_at: now, event: recorded.id.clone(), score: None };
            incident.join(opened.fingerprint.clone(), member);
            incident.revision = recorded.revision.unwrap_or(1);
            moved.push((opened.fingerprint.clone(), id.clone()));
            incidents.insert(id, incident);
        }
        Event::IncidentDeclared(declared) => {
            let mut incident = Incident::born(id.clone(), &declared.title, declared.severity, now);
            incident.severity_set = true;
            incident.services = declared.services.iter().cloned().collect();
            incident.started_at = declared.started_at;
            if let Some(description) = &declared.description {
                let note = Note { at: now, by: recorded.actor.clone(), text: description.clone() };
                incident.notes.push(note);
            }
            incident.revision = recorded.revision.unwrap_or(1);
            incidents.insert(id, incident);
        }
        Event::IncidentMerged(merged) => evolve_merged(incidents, &id, merged, recorded, moved),
        Event::IncidentSplit(split) => evolve_split(incidents, &id, split, recorded, moved),
        Event::IncidentUndone(undone) => evolve_undone(incidents, &id, undone, recorded, moved),
        Event::IncidentAlertJoined(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, incident_status, care } =>
        {
            let Some(incident) = incidents.get_mut(&id) else {
                return false;
            };
            if let Event::IncidentAlertJoined(joined) = &recorded.event {
                moved.push((joined.fingerprint.clone(), id));
            }
            incident.evolve_own(recorded);
        }
    }
    true
}

fn evolve_merged(
    incidents: &mut BTreeMap<IncidentId, Incident>,
    into: &IncidentId,
    merged: &Merged,
    recorded: &Recorded,
    moved: &mut Vec<(Fingerprint, IncidentId)>,
) {
    let now = recorded.time;
    let Some(mut other) = incidents.remove(&merged.incident) else {
        return;
    };
    if let Some(target) = incidents.get_mut(into) {
        for fingerprint in &merged.fingerprints {
            if let Some(member) = other.members.remove(fingerprint) {
                target.join(fingerprint.clone(), member);
                moved.push((fingerprint.clone(), into.clone()));
            }
        }
        target.raise(other.severity);
        target.peak_severity = target.peak_severity.max(other.peak_severity);
        target.services.extend(other.services.iter().cloned());
        target.teams.extend(other.teams.iter().cloned());
        target.started_at = target.started_at.min(other.started_at);
        let title_before = merged.title.clone().map(|title| std::mem::replace(&mut target.title, title));
        target.lineage.push(Lineage {
            event: recorded.id.clone(),
            how: LineageKind::Merged,
            other: other.id.clone(),
            fingerprints: merged.fingerprints.clone(),
            undone_by: None,
            title_before,
        });
        if target.status == Status::Resolved && other.is_live() {
            target.open_again();
        }
        target.updated_at = now;
        target.revision = recorded.revision.unwrap_or(target.revision);
        other.merged_into = Some(into.clone());
        other.resolve(ResolvedBy::Merged, now);
        other.updated_at = now;
    }
    incidents.insert(other.id.clone(), other);
}

fn evolve_split(
    incidents: &mut BTreeMap<IncidentId, Incident>,
    from: &IncidentId,
    split: &Split,
    recorded: &Recorded,
    moved: &mut Vec<(Fingerprint, IncidentId)>,
) {
    let now = recorded.time;
    let Some(source) = incidents.get_mut(from) else {
        return;
    };
    let mut born = Incident::born(split.incident.clone(), &split.title, split.severity, now);
    for fingerprint in &split.fingerprints {
        if let Some(member) = source.members.remove(fingerprint) {
            born.join(fingerprint.clone(), member);
            moved.push((fingerprint.clone(), born.id.clone()));
        }
    }
    born.started_at = split.started_at;
    born.services = split.services.iter().cloned().collect();
    born.teams.clone_from(&source.teams);
    born.split_from = Some(from.clone());
    born.weights = source.weights;
    born.grouped_by.clone_from(&source.grouped_by);
    if !split.firing {
        born.resolve(ResolvedBy::Quiet, now);
    }
    source.services = split.services_left.iter().cloned().collect();
    source.lineage.push(Lineage {
        event: recorded.id.clone(),
        how: LineageKind::Split,
        other: born.id.clone(),
        fingerprints: split.fingerprints.clone(),
        undone_by: None,
        title_before: None,
    });
    source.updated_at = now;
    source.revision = recorded.revision.unwrap_or(source.revision);
    incidents.insert(born.id.clone(), born);
}

fn evolve_undone(
    incidents: &mut BTreeMap<IncidentId, Incident>,
    subject: &IncidentId,
    undone: &Undone,
    recorded: &Recorded,
    moved: &mut Vec<(Fingerprint, IncidentId)>,
) {
    let now = recorded.time;
    let Some(mut other) = incidents.remove(&undone.other) else {
        return;
    };
    if let Some(incident) = incidents.get_mut(subject) {
        let (from, to, home) = match undone.how {
            LineageKind::Merged => (&mut *incident, &mut other, undone.other.clone()),
            LineageKind::Split | LineageKind::Other(_) => (&mut other, &mut *incident, subject.clone()),
        };
        for fingerprint in &undone.fingerprints {
            if let Some(member) = from.members.remove(fingerprint) {
                to.join(fingerprint.clone(), member);
                moved.push((fingerprint.clone(), home.clone()));
            }
        }
        incident.services = undone.services.iter().cloned().collect();
        if undone.how == LineageKind::Merged {
            // The other one lives its own life again.
            other.merged_into = None;
            if undone.other_firing {
                other.open_again();
            } else {
                other.resolve(ResolvedBy::Quiet, now);
            }
        } else {
            // What fires in the other one must not vanish in one that is over.
            if incident.status == Status::Resolved && other.is_live() {
                incident.open_again();
            }
            other.merged_into = Some(subject.clone());
            other.resolve(ResolvedBy::Merged, now);
        }
        if let Some(lineage) = incident.lineage.iter_mut().find(|lineage| lineage.event == undone.event) {
            lineage.undone_by = Some(recorded.id.clone());
            incident.title = lineage.title_before.clone().unwrap_or_else(|| incident.title.clone());
        }
        incident.updated_at = now;
        incident.revision = recorded.revision.unwrap_or(incident.revision);
        other.updated_at = now;
    }
    incidents.insert(other.id.clone(), other);
}
