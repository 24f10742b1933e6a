//! The decider of the notices lane.
//!
//! Every input about an incident leads to one question: does what people were told still cover it? If
//! not, each receiver is told, or the telling is held for a named reason until a named time. What a hold
//! covers counts as told for as long as it holds: when it ends without being told, the question is open again.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::events;
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::notice::{self, Held, Notice, Reason, Released, Requested};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, Partition, Severity, Span, Time};

use crate::rules::ReceiverRules;
use crate::state::NoticesState;
use crate::storm;

/// How long a page that is about no single incident is tried.
const GENERAL_WARRANTED: Span = Span::hours(24);

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

/// One question to the state, at one time, for one cause.
pub(crate) struct NoticeQuestion<'a> {
    pub(crate) state: &'a NoticesState,
    pub(crate) cause: &'a EventId,
    pub(crate) now: Time,
    /// What the same decision says already; it is not folded yet, and it counts for the budget.
    pub(crate) before: &'a [Draft],
}

/// What is to be told of an incident.
#[derive(Clone, Copy)]
pub(crate) struct NoticeWording<'a> {
    pub(crate) incident: &'a Incident,
    pub(crate) severity: Severity,
    pub(crate) reason: Reason,
    /// How late it is, where an earlier page was given up.
    pub(crate) late: Option<Span>,
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

    // ── whether to tell ────────────────────────────────────────────────────────────────────────────

    /// Whether what people were told covers an incident; tells them where it does not.
    fn about(&self, of: &Partition, subject: &str, hint: Reason) -> Vec<Draft> {
        let Some(incident) = self.live(of, subject) else { return Vec::new() };
        let severity = self.severity(of, incident);
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
    fn severity(&self, of: &Partition, incident: &Incident) -> Severity {
        if incident.severity_set && self.state.covered(&incident.id).severity.is_some() {
            return incident.severity;
        }
        // Nothing is worse, so a large incident is not looked through.
        if incident.severity == Severity::Critical {
            return incident.severity;
        }
        let book = self.state.book(of).into_iter();
        let firing = book.flat_map(|book| book.alerts_of(incident)).filter(|a| a.is_firing() && a.suppressed.is_none());
        firing.map(|alert| alert.severity).max().map_or(incident.severity, |worst| worst.max(incident.severity))
    }

    /// Whether a page that was meant for people at `since` is still owed to them: it goes on, and nobody took
    /// care of it after that.
    pub(crate) fn owed(&self, incident: &Incident, since: Time) -> bool {
        match incident.status {
            Status::Open => true,
            Status::Acknowledged => incident.acknowledged_at.is_none_or(|at| at <= since),
            Status::Resolved => false,
        }
    }

    /// Tells people again, whatever they were told before.
    fn again(&self, of: &Partition, subject: &str, reason: Reason) -> Vec<Draft> {
        let Some(incident) = self.live(of, subject) else { return Vec::new() };
        let severity = self.severity(of, incident);
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

    // ── telling ────────────────────────────────────────────────────────────────────────────────────

    fn tell(&self, word: NoticeWording<'_>) -> Vec<Draft> {
        let page = word.severity.pages();
        let all = self.state.seen.rules.receivers();
        let wants = |receiver: &&ReceiverRules| word.severity >= receiver.at_least && (page || !receiver.pages_only);
        let mut told: Vec<&ReceiverRules> = all.iter().filter(wants).collect();
        // A page that no receiver wants goes to all of them: rules must not lose it.
        if page && told.is_empty() {
            told = all.iter().collect();
        }
        told.into_iter().flat_map(|receiver| self.tell_one(word, receiver)).collect()
    }

    /// Tells one receiver, or holds it.
    pub(crate) fn tell_one(&self, word: NoticeWording<'_>, receiver: &ReceiverRules) -> Vec<Draft> {
        if !word.severity.pages() {
            return vec![self.request(word, receiver)];
        }
        if let Some(until) = word.incident.snoozed_until.filter(|until| *until > self.now) {
            return vec![self.hold(word, receiver, HoldReason::Snoozed, until)];
        }
        match storm::budget(self.state, receiver, self.now, self.before) {
            storm::Budget::Left => vec![self.request(word, receiver)],
            storm::Budget::Storm(until) => vec![self.hold(word, receiver, storm::WHY, until)],
            storm::Budget::Spent(until) => {
                vec![self.storm(receiver, word, until), self.hold(word, receiver, storm::WHY, until)]
            }
        }
    }

    fn request(&self, word: NoticeWording<'_>, receiver: &ReceiverRules) -> Draft {
        let incident = word.incident;
        let asked = Requested {
            incident: Some(incident.id.clone()),
            receiver: receiver.name.clone(),
            reason: word.reason,
            page: word.severity.pages() && word.reason != Reason::Resolved,
            severity: word.severity,
            title: incident.title.clone(),
            lines: lines(incident),
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
            holds_until: None,
            expires_at: self.expires_at(),
            delayed_by: word.late,
        };
        self.draft(&receiver.name, incident.id.as_str(), Event::NoticeRequested(asked))
    }

    fn hold(&self, word: NoticeWording<'_>, receiver: &ReceiverRules, why: HoldReason, until: Time) -> Draft {
        let incident = word.incident;
        let held = Held {
            incident: Some(incident.id.clone()),
            alert: None,
            receiver: Some(receiver.name.clone()),
            reason: word.reason,
            why,
            until,
            severity: word.severity,
            title: incident.title.clone(),
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
        };
        self.draft(&receiver.name, &format!("{}/held", incident.id), Event::NoticeHeld(held))
    }

    pub(crate) fn expires_at(&self) -> Time {
        self.now + self.state.seen.rules.give_up_after()
    }

    pub(crate) fn draft(&self, receiver: &str, about: &str, event: Event) -> Draft {
        let id = NoticeId::derive(&[self.cause.as_str().as_bytes(), receiver.as_bytes(), about.as_bytes()]);
        Draft::system(id, event)
    }

    /// An incident is over: what was held for it is let go, and those who were told are told, once.
    fn over(&self, of: &Partition, subject: &str) -> Vec<Draft> {
        let Ok(id) = subject.parse::<IncidentId>() else { return Vec::new() };
        let Some(incident) = self.state.incident(of, &id) else { return Vec::new() };
        let mut drafts = self.release(&id, &HoldReason::Over);
        let told = self.state.told.get(&id).is_some_and(|told| told.notified && !told.over);
        if told && self.state.seen.rules.tell_resolved {
            let word = NoticeWording { incident, severity: incident.severity, reason: Reason::Resolved, late: None };
            let receivers = self.state.seen.rules.receivers();
            let quiet = receivers.iter().filter(|r| !r.pages_only && incident.peak_severity >= r.at_least);
            drafts.extend(quiet.map(|receiver| self.request(word, receiver)));
        }
        drafts
    }

    // ── holds ──────────────────────────────────────────────────────────────────────────────────────

    fn release(&self, incident: &IncidentId, why: &HoldReason) -> Vec<Draft> {
        self.state.holds_of(incident).map(|notice| released(&notice.id, why.clone())).collect()
    }

    /// An alert is held back, whether or not it has an incident: that is a hold with an end.
    fn suppressed(&self, input: &Recorded) -> Vec<Draft> {
        let fingerprint = input.subject.parse::<Fingerprint>().ok();
        let alert = fingerprint.and_then(|id| self.state.book(&input.partition)?.alerts.get(&id));
        let Some(alert) = alert.filter(|alert| alert.is_firing() && alert.severity.pages()) else { return Vec::new() };
        let Some(suppression) = alert.suppressed.as_ref().filter(|held| held.until > self.now) else {
            return Vec::new();
        };
        if self.state.held().any(|held| held.alert.as_ref() == Some(&alert.fingerprint)) {
            return Vec::new();
        }
        let held = Held {
            incident: None,
            alert: Some(alert.fingerprint.clone()),
            receiver: None,
            reason: Reason::Opened,
            why: suppression.kind.as_str().into(),
            until: suppression.until,
            severity: alert.severity,
            title: alert.name.clone(),
            services: alert.service.iter().cloned().collect(),
            teams: Vec::new(),
        };
        vec![self.draft("", alert.fingerprint.as_str(), Event::NoticeHeld(held))]
    }

    fn release_alert(&self, subject: &str) -> Vec<Draft> {
        let of = |held: &&Notice| held.alert.as_ref().is_some_and(|alert| alert.as_str() == subject);
        self.state.held().filter(of).map(|held| released(&held.id, HoldReason::Over)).collect()
    }

    /// A hold has come to its end.
    fn hold_ended(&self, held: &Notice) -> Vec<Draft> {
        if held.why == Some(storm::WHY) {
            return self.storm_ended(held);
        }
        let incident = held.incident.as_ref().and_then(|id| self.state.any_incident(id));
        let Some(incident) = incident.filter(|incident| self.owed(incident, held.at)) else {
            return vec![released(&held.id, HoldReason::Over)];
        };
        // It is told now, or another hold takes over.
        let word = NoticeWording {
            incident,
            severity: held.severity.max(incident.severity),
            reason: Reason::StillThere,
            late: None,
        };
        let told = self.receivers_of(held).into_iter().flat_map(|receiver| self.tell_one(word, &receiver));
        std::iter::once(released(&held.id, HoldReason::Held)).chain(told).collect()
    }

    /// The receiver of a notice; all of them where the rules know it no more, so that none is lost.
    pub(crate) fn receivers_of(&self, notice: &Notice) -> Vec<ReceiverRules> {
        let all = self.state.seen.rules.receivers();
        let its_own: Vec<ReceiverRules> =
            all.iter().filter(|r| Some(&r.name) == notice.receiver.as_ref()).cloned().collect();
        if its_own.is_empty() { all } else { its_own }
    }

    // ── what was given up ──────────────────────────────────────────────────────────────────────────

    /// A delivery was given up. If the page is still warranted it is requested anew, and says how late it is.
    fn expired(&self, subject: &str, request: &EventId) -> Vec<Draft> {
        let notice = subject.parse::<NoticeId>().ok().and_then(|id| self.state.notices.0.get(&id));
        let Some(notice) = notice.filter(|notice| notice.event == *request && notice.page) else { return Vec::new() };
        let page = self.state.page(&notice.id);
        let since = page.map_or(notice.at, |page| page.since);
        let late = self.now.since(since);
        let Some(id) = &notice.incident else {
            let lines = page.map(|page| page.lines.clone()).unwrap_or_default();
            // Refused, and not merely late: once more, and then never, or it would go round and round.
            let refused_again = notice.until > self.now && notice.reason == Reason::Retried;
            let warranted = late <= GENERAL_WARRANTED && !refused_again;
            return if warranted { self.retry_general(notice, lines, late) } else { Vec::new() };
        };
        // It may have been told by another page since; that one has a fate of its own.
        let Some(incident) = self.state.any_incident(id).filter(|incident| self.owed(incident, notice.at)) else {
            return Vec::new();
        };
        let severity = notice.severity.max(incident.severity);
        let word = NoticeWording { incident, severity, reason: Reason::Retried, late: Some(late) };
        // Refused, and not merely late: it is tried again when its time is up, and not in a circle.
        let refused_until = Some(notice.until).filter(|until| *until > self.now);
        let receivers = self.receivers_of(notice);
        let again = receivers.iter().flat_map(|receiver| match refused_until {
            Some(until) => vec![self.hold(word, receiver, HoldReason::Refused, until)],
            None => self.tell_one(word, receiver),
        });
        again.collect()
    }

    fn retry_general(&self, notice: &Notice, lines: Vec<String>, late: Span) -> Vec<Draft> {
        let again = |receiver: ReceiverRules| {
            let asked = Requested {
                incident: None,
                receiver: receiver.name.clone(),
                reason: Reason::Retried,
                page: true,
                severity: notice.severity,
                title: notice.title.clone(),
                lines: lines.clone(),
                services: Vec::new(),
                teams: Vec::new(),
                holds_until: None,
                expires_at: self.expires_at(),
                delayed_by: Some(late),
            };
            self.draft(&receiver.name, notice.id.as_str(), Event::NoticeRequested(asked))
        };
        self.receivers_of(notice).into_iter().map(again).collect()
    }
}

pub(crate) fn released(id: &NoticeId, why: HoldReason) -> Draft {
    debug_assert!(
        matches!(why, HoldReason::Told | HoldReason::Over | HoldReason::Held | HoldReason::Merged),
        "{why} is no reason for a release"
    );
    Draft::system(id, Event::NoticeReleased(Released { why }))
}

pub(crate) fn is_storm_hold(notice: &Notice) -> bool {
    notice.status == notice::Status::Held && notice.why == Some(storm::WHY)
}

fn lines(incident: &Incident) -> Vec<String> {
    let mut lines = Vec::new();
    if !incident.services.is_empty() {
        lines.push(format!("services: {}", incident.services.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    lines.push(format!("began {}, {} alerts", incident.started_at, incident.members.len()));
    if incident.reopened > 0 {
        lines.push(format!("reopened {} times", incident.reopened));
    }
    lines
}
