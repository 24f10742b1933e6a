//! The decider of the notices lane.
//!
//! Every input about an incident leads to one question: does what people were told still cover it? If
//! not, each receiver is told, or the telling is held for a named reason until a named time.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::notice::{self, Held, Notice, Reason, Released, Requested};
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, Partition, Time};

use crate::rules::Receiver;
use crate::state::State;

/// Incidents that a storm message or digest names; the rest is counted.
const NAMED_MAX: usize = 20;

/// Decides about notices of a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pager;

impl Decider for Pager {
    type State = State;

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

    fn seen(&self, state: &mut State, input: &Recorded) {
        state.see(input);
    }

    fn evolve(&self, state: &mut State, decision: &Recorded) {
        state.evolve(decision);
    }

    fn decide(&self, state: &State, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        let ask = Ask { state, cause: &input.id, now };
        match &input.event {
            Event::IncidentMerged(merged) => {
                let mut drafts = ask.about(&input.partition, &input.subject, Reason::Worse);
                drafts.extend(ask.release(&merged.incident, "told"));
                drafts
            }
            Event::IncidentSplit(split) => ask.about(&input.partition, split.incident.as_str(), Reason::Opened),
            Event::IncidentUndone(undone) => {
                let mut drafts = ask.about(&input.partition, undone.other.as_str(), Reason::StillThere);
                drafts.extend(ask.about(&input.partition, &input.subject, Reason::Worse));
                drafts
            }
            Event::IncidentOpened(_) | Event::IncidentDeclared(_) => {
                ask.about(&input.partition, &input.subject, Reason::Opened)
            }
            Event::IncidentAlertJoined(_) | Event::IncidentSeveritySet(_) => {
                ask.about(&input.partition, &input.subject, Reason::Worse)
            }
            Event::IncidentReopened(_) => ask.about(&input.partition, &input.subject, Reason::Reopened),
            Event::IncidentUnacknowledged(_) => ask.again(&input.partition, &input.subject, Reason::Unacknowledged),
            Event::IncidentAwoken(_) => ask.again(&input.partition, &input.subject, Reason::StillThere),
            Event::IncidentResolved(_) => ask.over(&input.partition, &input.subject),
            Event::AlertSuppressed(_) => ask.suppressed(input),
            Event::AlertUnsuppressed(_) | Event::AlertResolved(_) | Event::AlertStale(_) => {
                ask.release_alert(&input.subject)
            }
            Event::NoticeExpired(expired) => ask.expired(&input.subject, &expired.request),
            _ => Vec::new(),
        }
    }

    fn due(&self, state: &State) -> Option<Timer> {
        state.next_timer()
    }

    fn fire(&self, state: &State, _: &Partition, timer: &Timer) -> Vec<Draft> {
        let id = timer.id.strip_prefix("hold/").and_then(|id| id.parse::<NoticeId>().ok());
        let Some(held) = id.and_then(|id| state.notices.0.get(&id)) else {
            return Vec::new();
        };
        let cause = EventId::derive(&[timer.id.as_bytes(), &timer.due.nanos().to_be_bytes()]);
        Ask { state, cause: &cause, now: timer.due }.hold_ended(held)
    }

    fn revision(&self, state: &State, subject: &str) -> u64 {
        let id = subject.parse::<NoticeId>().ok();
        id.and_then(|id| state.notices.0.get(&id)).map_or(0, |notice| notice.revision)
    }
}

/// One question to the state, at one time, for one cause.
struct Ask<'a> {
    state: &'a State,
    cause: &'a EventId,
    now: Time,
}

impl Ask<'_> {
    /// Whether what people were told covers an incident; tells them where it does not.
    fn about(&self, partition: &Partition, subject: &str, hint: Reason) -> Vec<Draft> {
        let Some(incident) = self.incident(partition, subject) else {
            return Vec::new();
        };
        let told = self.state.told.get(&incident.id).cloned().unwrap_or_default();
        let reason = match told.severity {
            None if incident.severity.pages() => hint_for_first(hint, told.notified),
            None if told.notified => return Vec::new(),
            None => hint,
            Some(before) if incident.severity.pages() && incident.severity > before => {
                if hint == Reason::Reopened {
                    Reason::Reopened
                } else {
                    Reason::Worse
                }
            }
            // Somebody cares already: what is new to them must reach them. Where nobody does, the first page stands.
            Some(_) if incident.status == Status::Acknowledged && incident.severity.pages() => {
                if incident.teams.iter().any(|team| !told.teams.contains(team)) {
                    Reason::NewTeam
                } else if incident.services.iter().any(|service| !told.services.contains(service)) {
                    Reason::NewService
                } else {
                    return Vec::new();
                }
            }
            Some(_) => return Vec::new(),
        };
        self.tell(incident, reason)
    }

    /// Tells people again, whatever they were told before.
    fn again(&self, partition: &Partition, subject: &str, reason: Reason) -> Vec<Draft> {
        let Some(incident) = self.incident(partition, subject) else {
            return Vec::new();
        };
        let mut drafts = self.release(&incident.id, "told");
        if incident.severity.pages() && incident.status == Status::Open {
            drafts.extend(self.tell(incident, reason));
        }
        drafts
    }

    fn incident(&self, partition: &Partition, subject: &str) -> Option<&Incident> {
        let id = subject.parse::<IncidentId>().ok()?;
        self.state.incident(partition, &id).filter(|incident| incident.is_live())
    }

    fn tell(&self, incident: &Incident, reason: Reason) -> Vec<Draft> {
        let page = incident.severity.pages();
        let mut drafts = Vec::new();
        for receiver in self.state.rules.receivers() {
            if incident.severity < receiver.at_least && !page || !page && receiver.pages_only {
                continue;
            }
            drafts.extend(self.tell_one(incident, reason, page, &receiver));
        }
        drafts
    }

    fn tell_one(&self, incident: &Incident, reason: Reason, page: bool, receiver: &Receiver) -> Vec<Draft> {
        if let Some(until) = incident.snoozed_until.filter(|until| page && *until > self.now) {
            return vec![self.hold(incident, reason, receiver, "snoozed", until)];
        }
        if !page {
            return vec![self.request(incident, reason, page, receiver)];
        }
        if let Some(until) = self.state.storms.get(&receiver.name).filter(|until| **until > self.now) {
            return vec![self.hold(incident, reason, receiver, "storm", *until)];
        }
        let since = self.now - receiver.window();
        let paged = self.state.paged.get(&receiver.name);
        let lately = paged.map_or(0, |times| times.iter().filter(|at| **at >= since).count());
        if lately < receiver.pages_max as usize {
            return vec![self.request(incident, reason, page, receiver)];
        }
        let until = self.now + receiver.window();
        vec![self.storm(receiver, incident, until), self.hold(incident, reason, receiver, "storm", until)]
    }

    fn request(&self, incident: &Incident, reason: Reason, page: bool, receiver: &Receiver) -> Draft {
        let asked = Requested {
            incident: Some(incident.id.clone()),
            receiver: receiver.name.clone(),
            reason,
            page,
            severity: incident.severity,
            title: incident.title.clone(),
            lines: lines(incident),
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
            holds_until: None,
            expires_at: self.now + self.state.rules.give_up_after(),
            delayed_by: None,
        };
        self.draft(&receiver.name, incident.id.as_str(), Event::NoticeRequested(asked))
    }

    fn hold(&self, incident: &Incident, reason: Reason, receiver: &Receiver, why: &str, until: Time) -> Draft {
        let held = Held {
            incident: Some(incident.id.clone()),
            alert: None,
            receiver: Some(receiver.name.clone()),
            reason,
            why: why.to_owned(),
            until,
            severity: incident.severity,
            title: incident.title.clone(),
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
        };
        self.draft(&receiver.name, &format!("{}/held", incident.id), Event::NoticeHeld(held))
    }

    fn storm(&self, receiver: &Receiver, first: &Incident, until: Time) -> Draft {
        let asked = Requested {
            incident: None,
            receiver: receiver.name.clone(),
            reason: Reason::Storm,
            page: true,
            severity: first.severity,
            title: format!("Storm: further pages are held until {until}"),
            lines: vec![
                format!("{} pages within {} are the limit of this receiver.", receiver.pages_max, receiver.window()),
                format!("Held first: {} ({})", first.title, first.id),
                "One message will tell what was held and still goes on.".to_owned(),
            ],
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: Some(until),
            expires_at: self.now + self.state.rules.give_up_after(),
            delayed_by: None,
        };
        self.draft(&receiver.name, "storm", Event::NoticeRequested(asked))
    }

    fn draft(&self, receiver: &str, about: &str, event: Event) -> Draft {
        let id = NoticeId::derive(&[self.cause.as_str().as_bytes(), receiver.as_bytes(), about.as_bytes()]);
        Draft::system(id, event)
    }

    /// An incident is over: what was held for it is let go, and those who were told are told.
    fn over(&self, partition: &Partition, subject: &str) -> Vec<Draft> {
        let Ok(id) = subject.parse::<IncidentId>() else {
            return Vec::new();
        };
        let Some(incident) = self.state.incident(partition, &id) else {
            return Vec::new();
        };
        let mut drafts = self.release(&id, "over");
        let told = self.state.told.get(&id).is_some_and(|told| told.notified);
        if told && self.state.rules.tell_resolved {
            let quiet = self.state.rules.receivers().into_iter().filter(|receiver| !receiver.pages_only);
            drafts.extend(quiet.map(|receiver| self.request(incident, Reason::Resolved, false, &receiver)));
        }
        drafts
    }

    fn release(&self, incident: &IncidentId, why: &str) -> Vec<Draft> {
        self.state.holds_of(incident).map(|notice| released(&notice.id, why)).collect()
    }

    /// An alert is held back before it has an incident: that is a hold with an end.
    fn suppressed(&self, input: &Recorded) -> Vec<Draft> {
        let Event::AlertSuppressed(suppressed) = &input.event else {
            return Vec::new();
        };
        let book = self.state.books.get(&input.partition.to_string());
        let fingerprint = input.subject.parse::<Fingerprint>().ok();
        let alert = fingerprint.and_then(|fingerprint| book?.alerts.get(&fingerprint));
        let Some(alert) = alert.filter(|alert| alert.severity.pages()) else {
            return Vec::new();
        };
        let held = Held {
            incident: None,
            alert: Some(alert.fingerprint.clone()),
            receiver: None,
            reason: Reason::Opened,
            why: suppressed.kind.clone(),
            until: suppressed.until,
            severity: alert.severity,
            title: alert.name.clone(),
            services: alert.service.iter().cloned().collect(),
            teams: Vec::new(),
        };
        vec![self.draft("", alert.fingerprint.as_str(), Event::NoticeHeld(held))]
    }

    fn release_alert(&self, subject: &str) -> Vec<Draft> {
        let of = |notice: &&Notice| {
            notice.status == notice::Status::Held
                && notice.alert.as_ref().is_some_and(|alert| alert.as_str() == subject)
        };
        self.state.notices.0.values().filter(of).map(|notice| released(&notice.id, "over")).collect()
    }

    /// A delivery was given up. If the page is still warranted it is requested anew, and says how late it is.
    fn expired(&self, subject: &str, request: &EventId) -> Vec<Draft> {
        let Some(notice) = subject.parse::<NoticeId>().ok().and_then(|id| self.state.notices.0.get(&id)) else {
            return Vec::new();
        };
        if notice.event != *request || !notice.page {
            return Vec::new();
        }
        let incident = notice.incident.as_ref().and_then(|id| self.state.any_incident(id));
        let warranted = incident.is_none_or(|incident| incident.status == Status::Open);
        let Some(receiver) = notice.receiver.as_ref().filter(|_| warranted) else {
            return Vec::new();
        };
        let asked = Requested {
            incident: notice.incident.clone(),
            receiver: receiver.clone(),
            reason: Reason::Retried,
            page: true,
            severity: notice.severity,
            title: notice.title.clone(),
            lines: incident.map(lines).unwrap_or_default(),
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: None,
            expires_at: self.now + self.state.rules.give_up_after(),
            delayed_by: Some(self.now.since(notice.at)),
        };
        vec![self.draft(receiver, notice.id.as_str(), Event::NoticeRequested(asked))]
    }

    /// A hold has come to its end.
    fn hold_ended(&self, held: &Notice) -> Vec<Draft> {
        if held.why.as_deref() == Some("storm") {
            return self.storm_ended(held);
        }
        let mut drafts = vec![released(&held.id, "over")];
        let incident = held.incident.as_ref().and_then(|id| self.state.any_incident(id));
        if let Some(incident) = incident.filter(|incident| incident.status == Status::Open)
            && let Some(receiver) =
                self.state.rules.receivers().iter().find(|r| Some(&r.name) == held.receiver.as_ref())
        {
            drafts.push(self.request(incident, Reason::StillThere, true, receiver));
        }
        drafts
    }

    /// The storm is over: one message tells what was held and still goes on.
    fn storm_ended(&self, first: &Notice) -> Vec<Draft> {
        let of_receiver = |notice: &&Notice| {
            notice.status == notice::Status::Held
                && notice.why.as_deref() == Some("storm")
                && notice.receiver == first.receiver
                && notice.until <= self.now
        };
        let held: Vec<&Notice> = self.state.notices.0.values().filter(of_receiver).collect();
        let live: Vec<&Incident> = held
            .iter()
            .filter_map(|notice| self.state.any_incident(notice.incident.as_ref()?))
            .filter(|incident| incident.status == Status::Open)
            .collect();
        let mut drafts: Vec<Draft> =
            held.iter().map(|notice| released(&notice.id, if live.is_empty() { "over" } else { "told" })).collect();
        if let (Some(worst), Some(receiver)) = (live.iter().map(|i| i.severity).max(), &first.receiver) {
            let mut lines: Vec<String> =
                live.iter().take(NAMED_MAX).map(|i| format!("{} {} ({})", i.severity, i.title, i.id)).collect();
            if live.len() > NAMED_MAX {
                lines.push(format!("… and {} more", live.len() - NAMED_MAX));
            }
            let asked = Requested {
                incident: None,
                receiver: receiver.clone(),
                reason: Reason::Digest,
                page: true,
                severity: worst,
                title: format!("After the storm: {} incidents go on that were not paged", live.len()),
                lines,
                services: Vec::new(),
                teams: Vec::new(),
                holds_until: None,
                expires_at: self.now + self.state.rules.give_up_after(),
                delayed_by: None,
            };
            drafts.push(self.draft(receiver, "digest", Event::NoticeRequested(asked)));
        }
        drafts
    }
}

/// The first page of an incident that was not worth one before is one because it became worse.
const fn hint_for_first(hint: Reason, notified: bool) -> Reason {
    match hint {
        Reason::Worse if !notified => Reason::Opened,
        other => other,
    }
}

fn released(id: &NoticeId, why: &str) -> Draft {
    Draft::system(id, Event::NoticeReleased(Released { why: why.to_owned() }))
}

fn lines(incident: &Incident) -> Vec<String> {
    let mut lines = Vec::new();
    if !incident.services.is_empty() {
        lines.push(format!("services: {}", incident.services.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    lines.push(format!("began {}, {} alerts", incident.started_at, incident.members.len()));
    if incident.reopened > 0 {
        lines.push(format!("came back {} times", incident.reopened));
    }
    lines
}
