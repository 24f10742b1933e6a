//! What happened to incidents: their status over time, their alerts, and what holds their messages. Owns the fold of
//! status events as the auditor reads it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident::Status;
use hindcast_domain::words::ResolvedBy;
use hindcast_domain::{Fingerprint, IncidentId, NoticeId, Severity, Span, Time};

use crate::SLACK;

/// Changes of one incident that are remembered.
const KEPT: usize = 24;
/// An incident that is over for no longer than this and comes back was never over for people.
const MOMENT: Span = Span::seconds(1);

/// An incident by its status events.
#[derive(Clone, Debug)]
pub(crate) struct AuditedIncident {
    pub(crate) status: Status,
    /// The status at the end of each instant at which it changed, oldest first.
    history: VecDeque<(Time, Status)>,
    merged_into: Option<IncidentId>,
    pub(crate) acknowledged_at: Option<Time>,
    was_acknowledged: bool,
    ended: Option<(Time, ResolvedBy)>,
    pub(crate) snoozed_until: Option<Time>,
    /// When something that held its messages ended last.
    pub(crate) lifted_at: Option<Time>,
    /// When a page about it was delivered last.
    pub(crate) paged_at: Option<Time>,
    pub(crate) kinds: BTreeSet<String>,
    pub(crate) entities: BTreeSet<String>,
    pub(crate) worst: Option<Severity>,
    /// What was known of it before the last incident was merged into it.
    pub(crate) knew_kinds: BTreeSet<String>,
    pub(crate) knew_entities: BTreeSet<String>,
    pub(crate) knew_worst: Option<Severity>,
    /// How bad it says it is.
    pub(crate) severity: Severity,
}

impl AuditedIncident {
    fn born(status: Status, severity: Severity, now: Time) -> Self {
        Self {
            status,
            history: [(now, status)].into(),
            merged_into: None,
            acknowledged_at: None,
            was_acknowledged: false,
            ended: None,
            snoozed_until: None,
            lifted_at: None,
            paged_at: None,
            kinds: BTreeSet::new(),
            entities: BTreeSet::new(),
            worst: None,
            knew_kinds: BTreeSet::new(),
            knew_entities: BTreeSet::new(),
            knew_worst: None,
            severity,
        }
    }

    fn becomes(&mut self, status: Status, now: Time) {
        self.status = status;
        if let Some(last) = self.history.back_mut().filter(|(at, _)| *at == now) {
            last.1 = status;
            return;
        }
        if self.history.len() == KEPT {
            self.history.pop_front();
        }
        self.history.push_back((now, status));
    }

    /// When it changed last, as far as people can see.
    pub(crate) fn changed_at(&self) -> Time {
        self.history.back().map_or(Time::ZERO, |(at, _)| *at)
    }

    /// Whether it was in a status at some moment shortly before `at`.
    pub(crate) fn was(&self, status: Status, at: Time) -> bool {
        let from = at - SLACK;
        let mut so_far = None;
        let mut statuses = BTreeSet::new();
        for (time, status) in self.history.iter().filter(|(time, _)| *time <= at) {
            if *time >= from {
                statuses.extend(so_far);
                statuses.insert(*status);
            }
            so_far = Some(*status);
        }
        statuses.extend(so_far);
        // Of one whose past is forgotten nothing is said.
        statuses.contains(&status) || so_far.is_none()
    }
}

/// All incidents, and where each alert belongs.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditedIncidents {
    pub(crate) all: BTreeMap<IncidentId, AuditedIncident>,
    pub(crate) home: BTreeMap<Fingerprint, IncidentId>,
    members: BTreeMap<IncidentId, BTreeSet<Fingerprint>>,
    /// Messages that are held now, with the incident or the alert that they are about, and their end.
    holds: BTreeMap<NoticeId, (Option<IncidentId>, Time)>,
}

/// What a status event changed.
#[derive(Default)]
pub(crate) struct IncidentChange {
    /// Incidents whose status may have changed.
    pub(crate) touched: Vec<IncidentId>,
    /// An alert that found its place.
    pub(crate) placed: Option<Fingerprint>,
    /// An acknowledgement that a moment's end took away.
    pub(crate) acknowledgement_lost: bool,
}

impl AuditedIncidents {
    /// The incident that an id leads to, through merges.
    pub(crate) fn home_of(&self, id: &IncidentId) -> Option<(&IncidentId, &AuditedIncident)> {
        let mut found = self.all.get_key_value(id)?;
        for _ in 0..64 {
            let Some(next) = &found.1.merged_into else { break };
            found = self.all.get_key_value(next)?;
        }
        Some(found)
    }

    /// The alerts of an incident.
    pub(crate) fn members(&self, id: &IncidentId) -> impl Iterator<Item = &Fingerprint> {
        self.members.get(id).into_iter().flatten()
    }

    fn move_all(&mut self, fingerprints: &[Fingerprint], to: &IncidentId) {
        for fingerprint in fingerprints {
            if let Some(before) = self.home.insert(fingerprint.clone(), to.clone())
                && let Some(members) = self.members.get_mut(&before)
            {
                members.remove(fingerprint);
            }
            self.members.entry(to.clone()).or_default().insert(fingerprint.clone());
        }
    }

    /// The incident of an alert.
    pub(crate) fn of_alert(&self, fingerprint: &Fingerprint) -> Option<(&IncidentId, &AuditedIncident)> {
        self.home_of(self.home.get(fingerprint)?)
    }

    /// Until when messages about an incident are held, at `now`.
    pub(crate) fn held_until(&self, id: &IncidentId, now: Time) -> Option<Time> {
        let (home, incident) = self.home_of(id)?;
        let of = |(held, until): &(Option<IncidentId>, Time)| {
            let leads = held.as_ref().and_then(|held| self.home_of(held)).is_some_and(|(other, _)| other == home);
            (leads && *until >= now).then_some(*until)
        };
        let snoozed = incident.snoozed_until.filter(|until| *until > now);
        self.holds.values().filter_map(of).chain(snoozed).max()
    }

    /// Takes in a hold of a message, or its end.
    pub(crate) fn hold(&mut self, input: &Recorded) -> Option<IncidentId> {
        let id = input.subject.parse::<NoticeId>().ok()?;
        match &input.event {
            Event::NoticeHeld(held) => {
                self.holds.insert(id, (held.incident.clone(), held.until));
                held.incident.clone()
            }
            Event::NoticeReleased(_) => {
                let (incident, _) = self.holds.remove(&id)?;
                let incident = incident?;
                let home = self.home_of(&incident)?.0.clone();
                self.all.get_mut(&home)?.lifted_at = Some(input.time);
                Some(home)
            }
            Event::NoticeRequested(_)
            | Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | Event::NoticeExpired(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } => {
                None
            }
        }
    }

    /// Takes in a status event.
    pub(crate) fn see(&mut self, input: &Recorded) -> IncidentChange {
        let mut change = IncidentChange::default();
        let Ok(id) = input.subject.parse::<IncidentId>() else { return change };
        let now = input.time;
        change.touched.push(id.clone());
        match &input.event {
            Event::IncidentOpened(opened) => {
                self.all.insert(id.clone(), AuditedIncident::born(Status::Open, opened.severity, now));
                self.place(&opened.fingerprint, &id, &mut change);
            }
            Event::IncidentDeclared(declared) => {
                self.all.insert(id, AuditedIncident::born(Status::Open, declared.severity, now));
            }
            Event::IncidentAlertJoined(joined) => {
                self.raise(&id, joined.severity);
                self.place(&joined.fingerprint, &id, &mut change);
            }
            Event::IncidentReopened(reopened) => {
                self.raise(&id, reopened.severity.unwrap_or(Severity::Info));
                let lost = self.reopen(&id, reopened.keeps_acknowledgement, now);
                // A person who reopens it asks for somebody anew.
                change.acknowledgement_lost = lost && reopened.fingerprint.is_some();
                if let Some(fingerprint) = &reopened.fingerprint {
                    change.placed = Some(fingerprint.clone());
                }
            }
            Event::IncidentMerged(merged) => {
                self.merge(&merged.incident, &id, now);
                self.move_all(&merged.fingerprints, &id);
                change.touched.push(merged.incident.clone());
            }
            Event::IncidentSplit(split) => {
                let status = if split.firing { Status::Open } else { Status::Resolved };
                self.all.insert(split.incident.clone(), AuditedIncident::born(status, split.severity, now));
                self.move_all(&split.fingerprints, &split.incident);
                change.touched.push(split.incident.clone());
            }
            Event::IncidentUndone(undone) => {
                self.undo(&id, undone, now);
                change.touched.push(undone.other.clone());
            }
            Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSeveritySet(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentAwoken(_)
            | Event::IncidentReviewed(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } =>
            {
                self.turn(&id, &input.event, now);
            }
        }
        change
    }

    /// What happens to one incident alone.
    fn turn(&mut self, id: &IncidentId, event: &Event, now: Time) {
        let Some(incident) = self.all.get_mut(id) else { return };
        match event {
            Event::IncidentAcknowledged(_) => {
                incident.becomes(Status::Acknowledged, now);
                incident.acknowledged_at = Some(now);
                incident.was_acknowledged = true;
            }
            Event::IncidentUnacknowledged(_) => {
                incident.becomes(Status::Open, now);
                incident.was_acknowledged = false;
            }
            Event::IncidentResolved(resolved) if incident.status != Status::Resolved => {
                incident.becomes(Status::Resolved, now);
                incident.ended = Some((now, resolved.by.clone()));
                incident.snoozed_until = None;
            }
            Event::IncidentSnoozed(snoozed) => incident.snoozed_until = Some(snoozed.until),
            // A person said how bad it is, and knows.
            Event::IncidentSeveritySet(set) => {
                incident.worst = incident.worst.max(Some(set.severity));
                incident.severity = set.severity;
            }
            Event::IncidentAwoken(_) => {
                incident.snoozed_until = None;
                incident.lifted_at = Some(now);
            }
            Event::IncidentResolved(_)
            | Event::IncidentOpened(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAlertJoined(_)
            | Event::IncidentReopened(_)
            | Event::IncidentMerged(_)
            | Event::IncidentSplit(_)
            | Event::IncidentUndone(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentReviewed(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } =>
                {}
        }
    }

    fn raise(&mut self, id: &IncidentId, severity: Severity) {
        if let Some(incident) = self.all.get_mut(id) {
            incident.severity = incident.severity.max(severity);
        }
    }

    fn place(&mut self, fingerprint: &Fingerprint, id: &IncidentId, change: &mut IncidentChange) {
        self.move_all(std::slice::from_ref(fingerprint), id);
        change.placed = Some(fingerprint.clone());
    }

    /// True where somebody had acknowledged it, it was over for a moment, and is acknowledged no more.
    fn reopen(&mut self, id: &IncidentId, keeps: bool, now: Time) -> bool {
        let Some(incident) = self.all.get_mut(id) else { return false };
        let for_a_moment = matches!(&incident.ended, Some((at, ResolvedBy::Quiet)) if now.since(*at) <= MOMENT);
        let kept = keeps && incident.was_acknowledged;
        let lost = incident.was_acknowledged && for_a_moment && !kept;
        incident.was_acknowledged &= kept;
        incident.becomes(if kept { Status::Acknowledged } else { Status::Open }, now);
        lost
    }

    fn merge(&mut self, from: &IncidentId, into: &IncidentId, now: Time) {
        let Some(mut other) = self.all.remove(from) else { return };
        if let Some(target) = self.all.get_mut(into) {
            if target.status == Status::Resolved && other.status != Status::Resolved {
                target.becomes(Status::Open, now);
                target.was_acknowledged = false;
            }
            target.knew_kinds.clone_from(&target.kinds);
            target.knew_entities.clone_from(&target.entities);
            target.knew_worst = target.worst;
            target.kinds.extend(other.kinds.iter().cloned());
            target.entities.extend(other.entities.iter().cloned());
            target.worst = target.worst.max(other.worst);
            target.severity = target.severity.max(other.severity);
            target.paged_at = target.paged_at.max(other.paged_at);
        }
        other.merged_into = Some(into.clone());
        other.becomes(Status::Resolved, now);
        other.snoozed_until = None;
        self.all.insert(from.clone(), other);
    }

    /// A page about an incident was delivered. It is one about what the incident became a part of meanwhile, too.
    pub(crate) fn paged(&mut self, id: &IncidentId, now: Time) {
        let (mut next, mut left) = (Some(id.clone()), self.all.len());
        while let Some(incident) = next.filter(|_| left > 0).and_then(|id| self.all.get_mut(&id)) {
            incident.paged_at = Some(now);
            (next, left) = (incident.merged_into.clone(), left - 1);
        }
    }

    fn undo(&mut self, id: &IncidentId, undone: &hindcast_domain::incident::Undone, now: Time) {
        let Some(mut other) = self.all.remove(&undone.other) else { return };
        let merged = undone.how == "merged";
        let home = if merged { undone.other.clone() } else { id.clone() };
        if merged {
            other.merged_into = None;
            // One that nothing fires of any more is over as it was, and whoever took care of it still does.
            other.was_acknowledged &= !undone.other_firing;
            other.becomes(if undone.other_firing { Status::Open } else { Status::Resolved }, now);
        } else {
            if let Some(incident) = self.all.get_mut(id)
                && incident.status == Status::Resolved
                && other.status != Status::Resolved
            {
                incident.becomes(Status::Open, now);
                incident.was_acknowledged = false;
            }
            other.merged_into = Some(id.clone());
            other.becomes(Status::Resolved, now);
            other.snoozed_until = None;
        }
        self.all.insert(undone.other.clone(), other);
        self.move_all(&undone.fingerprints, &home);
    }
}
