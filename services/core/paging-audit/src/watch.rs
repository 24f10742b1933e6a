//! The auditor at work: it takes events in the order of the ledger, and looks at what is owed when its time is over.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::{Fired, Observation, Signal};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Status;
use hindcast_domain::rhythm::OWN_SOURCE;
use hindcast_domain::{Fingerprint, IncidentId, Severity, Time, events};

use crate::BOUND;
use crate::duties::{NamingDuties, NamingDuty, NewToCarer};
use crate::episodes::{AlertChange, ObservedAlerts};
use crate::incidents::{AuditedIncident, AuditedIncidents};
use crate::report::{AuditRule, PageAuditReport, PagingViolation};
use crate::rules::AuditSettings;
use crate::said::SaidWords;

/// What is owed to people so far, and what they heard; it is fed with the ledger, event by event.
#[derive(Clone, Debug, Default)]
pub struct PageAuditor {
    pub(crate) settings: AuditSettings,
    pub(crate) alerts: ObservedAlerts,
    pub(crate) incidents: AuditedIncidents,
    pub(crate) duties: NamingDuties,
    pub(crate) words: SaidWords,
    /// Alerts that a silence holds, and until when.
    pub(crate) suppressed: BTreeMap<Fingerprint, Time>,
    /// When a silence let an alert go.
    pub(crate) lifted: BTreeMap<Fingerprint, Time>,
    /// When an alert was given another incident.
    pub(crate) placed: BTreeMap<Fingerprint, Time>,
    /// When a severity could be told again after nobody could be.
    pub(crate) reachable: BTreeMap<Severity, Time>,
    /// Wide incidents that are to be looked at, and those that were reported.
    pub(crate) wide: BTreeSet<(Time, IncidentId)>,
    pub(crate) wide_blamed: BTreeSet<IncidentId>,
    /// When the process was started last.
    pub(crate) started: Time,
    pub(crate) now: Time,
    pub(crate) since: Time,
    pub(crate) report: PageAuditReport,
}

impl PageAuditor {
    /// An auditor that has seen nothing, and counts what begins at or after `since`.
    #[must_use]
    pub fn since(since: Time) -> Self {
        Self { since, ..Self::default() }
    }

    /// Takes in the next event of the ledger.
    pub fn take(&mut self, input: &Recorded) {
        // Nobody could be told while the process was away: that is known before time passes.
        if matches!(input.event, Event::DoorOpened(_)) {
            self.started = self.started.max(input.time);
        }
        self.pass(input.time);
        match &input.event {
            Event::Observed(seen) => match self.alerts.observe(seen, self.now, self.settings.late) {
                AlertChange::Nothing => self.fell(&seen.fingerprint),
                AlertChange::Began => self.began(&seen.fingerprint),
                AlertChange::Ended(began) => self.ended(&seen.fingerprint, began),
            },
            Event::Repeats(batch) => {
                for again in &batch.alerts {
                    let silent_after = self.now + again.stale_after();
                    self.alerts.repeat(&again.fingerprint, again.sender.as_deref(), silent_after);
                }
            }
            Event::Configured(configured) => self.settings.configure(configured.section.as_str(), &configured.content),
            Event::AlertSuppressed(held) => {
                if let Ok(fingerprint) = input.subject.parse() {
                    self.suppressed.insert(fingerprint, held.until);
                }
            }
            Event::AlertUnsuppressed(_) => self.unsuppressed(&input.subject),
            Event::NoticeHeld(_) | Event::NoticeReleased(_) => {
                if let Some(incident) = self.incidents.hold(input) {
                    self.words.changed(&incident, self.now + BOUND);
                    self.hold_what_ended(&incident);
                }
            }
            Event::NoticeDelivered(delivered) => match &delivered.message {
                Some(message) => self.delivered(message),
                None => self.report.unrecorded += 1,
            },
            Event::NoticeFailed(failed) => self.failed(failed.receiver.as_deref()),
            Event::NoticeExpired(expired) => self.failed(expired.receiver.as_deref()),
            Event::AlertFired(fired) if is_own(&fired.source, input) => self.own_fired(fired, input),
            Event::AlertResolved(_) => self.own_resolved(input),
            events! { incident } => self.incident(input),
            Event::AlertFired(_)
            | Event::AlertRepeated(_)
            | Event::AlertStale(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | Event::NoticeRequested(_)
            | Event::Delivery(_)
            | Event::DoorOpened(_)
            | Event::Change(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::CommandRejected(_)
            | events! { finding, conversation, proposal, label, model, chat, silence } => {}
        }
    }

    /// Hindcast itself raised an alert.
    fn own_fired(&mut self, fired: &Fired, input: &Recorded) {
        let Ok(fingerprint) = input.subject.parse::<Fingerprint>() else { return };
        let seen = own_observation(&fingerprint, fired, input.time);
        self.alerts.observe(&seen, self.now, self.settings.late);
        self.began(&fingerprint);
    }

    /// An alert is over; those that Hindcast raised itself end with this event.
    fn own_resolved(&mut self, input: &Recorded) {
        let Ok(fingerprint) = input.subject.parse::<Fingerprint>() else { return };
        if let Some(began) = self.alerts.end_own(&fingerprint, self.now) {
            self.ended(&fingerprint, began);
        }
    }

    /// Lets time pass, and looks at what was due before `until`.
    pub fn pass(&mut self, until: Time) {
        self.now = self.now.max(until);
        while let Some((due, id)) = self.duties.pop(self.now) {
            self.judge_duty(id, due);
        }
        while let Some((due, incident, receiver)) = self.words.pop(self.now) {
            self.judge_word(due, incident, receiver);
        }
        while let Some((due, incident)) = self.wide.first().filter(|(due, _)| *due < self.now).cloned() {
            self.wide.remove(&(due, incident.clone()));
            self.judge_breadth(due, &incident);
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn report(&self) -> PageAuditReport {
        let mut report = self.report.clone();
        for (_, duty) in self.duties.iter() {
            let held = self.is_held(&duty.fingerprint, self.now);
            *(if held { &mut report.suppressed } else { &mut report.pending }) += 1;
        }
        report
    }

    /// The breaches so far, without a copy.
    #[must_use]
    pub fn violations(&self) -> &[PagingViolation] {
        &self.report.violations
    }

    pub(crate) fn blame(&mut self, violation: PagingViolation) {
        if violation.at >= self.since {
            self.report.violations.push(violation);
        }
    }

    // ── alerts ─────────────────────────────────────────────────────────────────────────────────────────

    fn began(&mut self, fingerprint: &Fingerprint) {
        let Some(alert) = self.alerts.0.get(fingerprint).filter(|alert| alert.severity.pages()) else { return };
        let duty = NamingDuty {
            fingerprint: fingerprint.clone(),
            name: alert.name.clone(),
            severity: alert.severity,
            began: self.now,
            ended: false,
            entity: alert.entity.clone(),
            new: NewToCarer::default(),
            named: false,
        };
        self.report.episodes += u64::from(self.now >= self.since);
        self.duties.owe(duty, self.now + BOUND);
        // Where it is a member already no status event will say so.
        if self.incidents.of_alert(fingerprint).is_some() {
            self.compare_with_known(fingerprint);
        }
    }

    /// What fires below a paging severity now is no news to whoever takes care of it.
    fn fell(&mut self, fingerprint: &Fingerprint) {
        if self.alerts.0.get(fingerprint).is_none_or(|alert| !alert.fires() || alert.severity.pages()) {
            return;
        }
        for id in self.duties.of(fingerprint) {
            if let Some(duty) = self.duties.of_mut(id) {
                duty.new = NewToCarer::default();
            }
        }
    }

    fn ended(&mut self, fingerprint: &Fingerprint, began: Time) {
        let let_go = self.lifted.get(fingerprint) == Some(&self.now);
        let held = let_go || self.is_held(fingerprint, self.now);
        for id in self.duties.of(fingerprint) {
            let Some(duty) = self.duties.of_mut(id) else { continue };
            duty.ended = true;
            duty.new = NewToCarer::default();
            let (of_now, named) = (duty.began == self.now && began == self.now, duty.named);
            if of_now {
                self.report.episodes = self.report.episodes.saturating_sub(1);
                self.duties.close(id);
            } else if held || named {
                self.report.suppressed += u64::from(!named);
                self.report.named += u64::from(named);
                self.duties.close(id);
            }
        }
    }

    /// A silence lets an alert go.
    fn unsuppressed(&mut self, subject: &str) {
        let Ok(fingerprint) = subject.parse::<Fingerprint>() else { return };
        if self.suppressed.remove(&fingerprint).is_none() {
            return;
        }
        if let Some((home, _)) = self.incidents.of_alert(&fingerprint).filter(|_| self.settings.breadth) {
            self.wide.insert((self.now + BOUND, home.clone()));
        }
        self.lifted.insert(fingerprint, self.now);
    }

    /// A hold of an incident's messages covers what nobody was told of until then, though it is over already.
    fn hold_what_ended(&mut self, incident: &IncidentId) {
        if self.incidents.held_until(incident, self.now).is_none() {
            return;
        }
        let members: Vec<Fingerprint> = self.incidents.members(incident).cloned().collect();
        for id in members.iter().flat_map(|fingerprint| self.duties.of(fingerprint)).collect::<Vec<_>>() {
            if self.duties.get(id).is_some_and(|duty| duty.ended && !duty.named) {
                self.report.suppressed += 1;
                self.duties.close(id);
            }
        }
    }

    pub(crate) fn is_held(&self, fingerprint: &Fingerprint, at: Time) -> bool {
        let silenced = self.suppressed.get(fingerprint).is_some_and(|until| *until >= at);
        let home = self.incidents.home.get(fingerprint);
        silenced || home.is_some_and(|home| self.incidents.held_until(home, at).is_some())
    }

    /// What an acknowledged incident did not have before asks for a page.
    pub(crate) fn compare_with_known(&mut self, fingerprint: &Fingerprint) {
        let Some(alert) = self.alerts.0.get(fingerprint) else { return };
        let Some(home) = self.incidents.of_alert(fingerprint).map(|(id, _)| id.clone()) else { return };
        let Some(incident) = self.incidents.all.get_mut(&home) else { return };
        if !alert.severity.pages() {
            return;
        }
        let new = NewToCarer {
            kind: incident.kinds.insert(alert.name.clone()),
            entity: incident.entities.insert(alert.entity.clone()),
            worse: incident.worst.is_some_and(|worst| alert.severity > worst),
        };
        incident.worst = incident.worst.max(Some(alert.severity));
        if incident.status != Status::Acknowledged || !new.is_any() {
            return;
        }
        let severity = alert.severity;
        for id in self.duties.of(fingerprint) {
            let is_of_now = self.duties.get(id).is_some_and(|duty| duty.severity == severity);
            self.duties.needs_page(id, NewToCarer { worse: new.worse && is_of_now, ..new });
        }
    }

    // ── incidents ──────────────────────────────────────────────────────────────────────────────────────

    fn incident(&mut self, input: &Recorded) {
        let moving = moved(&input.event);
        let was_held: Vec<bool> = moving.iter().map(|fingerprint| self.is_held(fingerprint, self.now)).collect();
        let merged = if let Event::IncidentMerged(merged) = &input.event { Some(&merged.incident) } else { None };
        let absorbed = merged.and_then(|id| self.incidents.all.get(id).cloned());
        let change = self.incidents.see(input);
        if let (Some(absorbed), Some(home)) = (absorbed, change.touched.first()) {
            self.absorbed(home, &absorbed);
        }
        for (fingerprint, was_held) in moving.iter().zip(was_held) {
            self.moved(fingerprint, was_held);
        }
        for id in &change.touched {
            self.words.changed(id, self.now + BOUND);
        }
        if change.acknowledgement_lost {
            self.blame(PagingViolation {
                rule: AuditRule::Acknowledgement,
                at: self.now,
                fingerprint: None,
                incident: change.touched.first().cloned(),
                receiver: None,
                detail: "it was over for a moment only, and is acknowledged no more".to_owned(),
            });
        }
        if let (Event::IncidentAcknowledged(_), Some(id)) = (&input.event, change.touched.first()) {
            self.remember_what_was_seen(id);
        }
        if let Some(fingerprint) = change.placed {
            self.compare_with_known(&fingerprint);
        }
        if self.settings.breadth
            && let Some(home) = change.touched.first()
        {
            self.wide.insert((self.now + BOUND, home.clone()));
        }
    }

    /// An incident became a part of `home`: what people were paged for there is new to nobody here.
    fn absorbed(&mut self, home: &IncidentId, other: &AuditedIncident) {
        if other.paged_at.is_none() {
            return;
        }
        for id in self.duties.of_page() {
            let Some(duty) = self.duties.of_mut(id) else { continue };
            if self.incidents.of_alert(&duty.fingerprint).is_none_or(|(of, _)| of != home) {
                continue;
            }
            duty.new.kind &= !other.kinds.contains(&duty.name);
            duty.new.entity &= !other.entities.contains(&duty.entity);
            duty.new.worse &= other.worst.is_none_or(|worst| duty.severity > worst);
        }
    }

    /// An alert is another incident's now: what held it may hold it no more, and whoever takes care of that incident may
    /// know what is new to others.
    fn moved(&mut self, fingerprint: &Fingerprint, was_held: bool) {
        self.placed.insert(fingerprint.clone(), self.now);
        if was_held && !self.is_held(fingerprint, self.now) {
            self.lifted.insert(fingerprint.clone(), self.now);
        }
        let Some((_, home)) = self.incidents.of_alert(fingerprint) else { return };
        for id in self.duties.of(fingerprint) {
            let Some(duty) = self.duties.of_mut(id) else { continue };
            duty.new.kind &= !home.knew_kinds.contains(&duty.name);
            duty.new.entity &= !home.knew_entities.contains(&duty.entity);
            duty.new.worse &= home.knew_worst.is_some_and(|worst| duty.severity > worst);
        }
    }

    /// Whoever acknowledges an incident sees all that is in it then.
    fn remember_what_was_seen(&mut self, id: &IncidentId) {
        let members = self.incidents.members(id).filter_map(|fingerprint| self.alerts.0.get(fingerprint));
        let seen: Vec<(String, String)> = members.map(|alert| (alert.name.clone(), alert.entity.clone())).collect();
        let Some(incident) = self.incidents.all.get_mut(id) else { return };
        incident.worst = incident.worst.max(Some(incident.severity));
        for (kind, entity) in seen {
            incident.kinds.insert(kind);
            incident.entities.insert(entity);
        }
    }
}

/// Whether an alert is raised by Hindcast itself, as that of a sender that is silent: no message made it fire.
fn is_own(source: &str, input: &Recorded) -> bool {
    source == OWN_SOURCE && input.cause.is_none()
}

/// What a sender would have said of such an alert.
fn own_observation(fingerprint: &Fingerprint, fired: &Fired, now: Time) -> Observation {
    Observation {
        fingerprint: fingerprint.clone(),
        source_fingerprint: None,
        source: fired.source.clone(),
        replica_of: None,
        name: fired.name.clone(),
        service: fired.service.clone(),
        about: fired.about.clone(),
        severity: fired.severity,
        signal: Signal::Firing,
        labels: fired.labels.clone(),
        annotations: fired.annotations.clone(),
        starts_at: None,
        ends_at: None,
        stale_after: fired.stale_at.since(now),
        url: None,
        unmapped: Vec::new(),
    }
}

/// The alerts that an event gives another incident.
fn moved(event: &Event) -> Vec<Fingerprint> {
    match event {
        Event::IncidentMerged(merged) => merged.fingerprints.clone(),
        Event::IncidentSplit(split) => split.fingerprints.clone(),
        Event::IncidentUndone(undone) => undone.fingerprints.clone(),
        events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, placement, incident_status, care }
        | Event::IncidentDeclared(_) => Vec::new(),
    }
}
