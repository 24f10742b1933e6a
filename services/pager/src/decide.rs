//! The decider of the notices lane.
//!
//! Every input about an incident leads to one question: does what people were told still cover it? If
//! not, each receiver is told, or the telling is held for a named reason until a named time. What a hold
//! covers counts as told for as long as it holds: when it ends without being told, the question is open again.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::notice::Reason;
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, Partition, Severity, Time};

use crate::question::{NoticeQuestion, NoticeWording};
use crate::state::NoticesState;

/// Decides about notices of a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pager;

impl Decider for Pager {
    type State = NoticesState;

    fn name(&self) -> &'static str {
        names::NOTICES
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        lane.tenant == of.tenant
            && match input {
                Input::Intake => of.is_whole(),
                Input::Lane(name) => name == names::INCIDENTS || name == names::CONTROL,
            }
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        matches!(input, Input::Lane(names::INCIDENTS)).then(|| Partition::whole(&of.tenant))
    }

    fn seals(&self, _: &Recorded) -> bool {
        false
    }

    fn sees_first(&self) -> bool {
        true
    }

    fn seen(&self, state: &mut NoticesState, input: &Recorded) {
        state.seen.see(input);
    }

    fn evolve(&self, state: &mut NoticesState, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &NoticesState, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        NoticeQuestion { state, cause: &input.id, now, before: &[] }.decide(input)
    }

    fn due(&self, state: &NoticesState) -> Option<Timer> {
        state.next_timer()
    }

    fn fire(&self, state: &NoticesState, _: &Partition, timer: &Timer) -> Vec<Draft> {
        let id = timer.id.strip_prefix("hold/").and_then(|id| id.parse::<NoticeId>().ok());
        let Some(held) = id.and_then(|id| state.notices.0.get(&id)) else { return Vec::new() };
        let cause = EventId::derive(&[timer.id.as_bytes(), &timer.due.nanos().to_be_bytes()]);
        NoticeQuestion { state, cause: &cause, now: timer.due, before: &[] }.hold_ended(held)
    }

    fn revision(&self, state: &NoticesState, subject: &str) -> u64 {
        let id = subject.parse::<NoticeId>().ok();
        id.and_then(|id| state.notices.0.get(&id)).map_or(0, |notice| notice.revision)
    }
}

impl<'a> NoticeQuestion<'a> {
    fn decide(&self, input: &Recorded) -> Vec<Draft> {
        let (of, subject) = (&input.partition, input.subject.as_str());
        match &input.event {
            Event::IncidentMerged(merged) => {
                let mut drafts = self.about(of, subject, Reason::Worse);
                drafts.extend(self.release(&merged.incident, &HoldReason::Merged));
                drafts
            }
            Event::IncidentSplit(split) => self.about(of, split.incident.as_str(), Reason::Opened),
            Event::IncidentUndone(undone) => {
                let mut drafts = self.about(of, undone.other.as_str(), Reason::StillThere);
                let more = NoticeQuestion { before: &drafts, ..*self }.about(of, subject, Reason::Worse);
                drafts.extend(more);
                // Of an undone split, the other one is over.
                if self.live(of, undone.other.as_str()).is_none() {
                    drafts.extend(self.release(&undone.other, &HoldReason::Merged));
                }
                drafts
            }
            Event::IncidentOpened(_) | Event::IncidentDeclared(_) => self.about(of, subject, Reason::Opened),
            Event::IncidentAlertJoined(_) | Event::IncidentSeveritySet(_) => self.about(of, subject, Reason::Worse),
            Event::IncidentReopened(_) => self.about(of, subject, Reason::Reopened),
            Event::IncidentUnacknowledged(_) => self.again(of, subject, Reason::Unacknowledged),
            Event::IncidentAwoken(_) => self.awoken(input),
            Event::IncidentResolved(_) => self.over(of, subject),
            Event::AlertFired(_) | Event::AlertRepeated(_) => {
                let mut drafts = self.suppressed(input);
                drafts.extend(self.home_of(input, Reason::Worse));
                drafts
            }
            Event::AlertSuppressed(_) => self.suppressed(input),
            Event::AlertUnsuppressed(_) => {
                let mut drafts = self.release_alert(subject);
                drafts.extend(self.home_of(input, Reason::StillThere));
                drafts
            }
            Event::AlertResolved(_) | Event::AlertStale(_) => self.release_alert(subject),
            Event::NoticeExpired(expired) => self.expired(subject, &expired.request),
            Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentFeedback(_)
            | Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeReleased(_)
            | Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, silence, control } => Vec::new(),
        }
    }

    /// Whether what people were told covers an incident; tells them where it does not.
    fn about(&self, of: &Partition, subject: &str, hint: Reason) -> Vec<Draft> {
        let Some(incident) = self.live(of, subject) else { return Vec::new() };
        let severity = self.severity(incident);
        let notified = self.state.told.get(&incident.id).is_some_and(|told| told.notified);
        let reason = match self.state.covered(&incident.id).severity {
            // The first page of an incident that nobody heard of yet says that it began.
            None if severity.pages() && !notified && hint == Reason::Worse => Reason::Opened,
            None if severity.pages() => hint,
            None if notified => return Vec::new(),
            None => hint,
            Some(before) if severity.pages() && severity > before => match hint {
                Reason::Reopened => Reason::Reopened,
                _ => Reason::Worse,
            },
            // Somebody cares already: what is new to them must reach them. Where nobody does, the page stands.
            Some(_) if incident.status == Status::Acknowledged && severity.pages() => {
                match self.new_to_them(incident) {
                    Some(reason) => reason,
                    None => return Vec::new(),
                }
            }
            Some(_) => return Vec::new(),
        };
        self.tell(NoticeWording { incident, severity, reason, late: None })
    }

    fn new_to_them(&self, incident: &Incident) -> Option<Reason> {
        let known = self.state.known(&incident.id);
        if !incident.teams.is_subset(&known.teams) {
            return Some(Reason::NewTeam);
        }
        (!incident.services.is_subset(&known.services)).then_some(Reason::NewService)
    }

    /// The same question for the incident of an alert.
    fn home_of(&self, input: &Recorded, hint: Reason) -> Vec<Draft> {
        // Most words of a sender change nothing.
        if matches!(&input.event, Event::AlertRepeated(repeated) if repeated.severity.is_none()) {
            return Vec::new();
        }
        let fingerprint = input.subject.parse::<Fingerprint>().ok();
        let alert = fingerprint.and_then(|id| self.state.book(&input.partition)?.alerts.get(&id));
        let home = alert.and_then(|alert| alert.incident.as_ref());
        home.map(|home| self.about(&input.partition, home.as_str(), hint)).unwrap_or_default()
    }

    /// How bad an incident is for paging: as it says, or as its worst alert that fires and is not held back.
    /// Once people were paged, a severity that a person set is the last word.
    fn severity(&self, incident: &Incident) -> Severity {
        if incident.severity_set && self.state.covered(&incident.id).severity.is_some() {
            return incident.severity;
        }
        self.state.seen.loud.worst(&incident.id).map_or(incident.severity, |worst| worst.max(incident.severity))
    }

    /// Tells people again, whatever they were told before.
    fn again(&self, of: &Partition, subject: &str, reason: Reason) -> Vec<Draft> {
        let Some(incident) = self.live(of, subject) else { return Vec::new() };
        let severity = self.severity(incident);
        let owed = self.state.holds_of(&incident.id).filter(|held| self.owed(incident, held.at));
        let owed = owed.map(|held| held.severity).max();
        if owed.is_none() && !(severity.pages() && incident.status == Status::Open) {
            return self.release(&incident.id, &HoldReason::Over);
        }
        // What was held is told by what follows, or held by what follows.
        let mut drafts = self.release(&incident.id, &HoldReason::Held);
        let severity = owed.map_or(severity, |held| held.max(severity));
        drafts.extend(self.tell(NoticeWording { incident, severity, reason, late: None }));
        drafts
    }

    /// A snooze ended. Where a hold ended with it, that one told people already.
    fn awoken(&self, input: &Recorded) -> Vec<Draft> {
        let Some(incident) = self.live(&input.partition, &input.subject) else { return Vec::new() };
        let told = self.state.told.get(&incident.id).and_then(|told| told.paged_at);
        if told.is_some_and(|at| at >= input.time) && self.state.holds_of(&incident.id).next().is_none() {
            return Vec::new();
        }
        self.again(&input.partition, &input.subject, Reason::StillThere)
    }

    fn live(&self, of: &Partition, subject: &str) -> Option<&'a Incident> {
        let id = subject.parse::<IncidentId>().ok()?;
        self.state.incident(of, &id).filter(|incident| incident.is_live())
    }
}
