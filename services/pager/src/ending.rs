//! How the telling of a notice ends: an incident is over, a hold ends, a request expires.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::notice::{Held, Notice, Reason, Requested};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, Partition, Span};

use crate::question::{NoticeQuestion, NoticeWording, WHY, is_storm_hold, released};
use crate::rules::ReceiverRules;

/// How long a page that is about no single incident is tried.
const GENERAL_WARRANTED: Span = Span::hours(24);
/// Incidents that a digest names; the rest is counted.
const NAMED_MAX: usize = 20;

impl<'a> NoticeQuestion<'a> {
    /// An incident is over: what was held for it is let go, and those who were told are told, once.
    pub(crate) fn over(&self, of: &Partition, subject: &str) -> Vec<Draft> {
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

    pub(crate) fn release(&self, incident: &IncidentId, why: &HoldReason) -> Vec<Draft> {
        self.state.holds_of(incident).map(|notice| released(&notice.id, why.clone())).collect()
    }

    /// An alert is held back, whether or not it has an incident: that is a hold with an end.
    pub(crate) fn suppressed(&self, input: &Recorded) -> Vec<Draft> {
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

    pub(crate) fn release_alert(&self, subject: &str) -> Vec<Draft> {
        let of = |held: &&Notice| held.alert.as_ref().is_some_and(|alert| alert.as_str() == subject);
        self.state.held().filter(of).map(|held| released(&held.id, HoldReason::Over)).collect()
    }

    /// A hold has come to its end.
    pub(crate) fn hold_ended(&self, held: &Notice) -> Vec<Draft> {
        if held.why == Some(WHY) {
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

    /// The storm is over: one message tells what was held and still goes on, the rest is let go.
    pub(crate) fn storm_ended(&self, first: &Notice) -> Vec<Draft> {
        let of_receiver =
            |held: &&Notice| is_storm_hold(held) && held.receiver == first.receiver && held.until <= self.now;
        let mut drafts = Vec::new();
        let mut told: Vec<&Incident> = Vec::new();
        let mut worst = first.severity;
        for held in self.state.held().filter(of_receiver) {
            let incident = held.incident.as_ref().and_then(|id| self.state.any_incident(id));
            let Some(incident) = incident.filter(|incident| self.owed(incident, held.at)) else {
                drafts.push(released(&held.id, HoldReason::Over));
                continue;
            };
            // Snoozed meanwhile: another hold takes over.
            if incident.snoozed_until.is_some_and(|until| until > self.now) {
                drafts.push(released(&held.id, HoldReason::Held));
                let severity = held.severity.max(incident.severity);
                let word = NoticeWording { incident, severity, reason: held.reason, late: None };
                let snoozed = self.receivers_of(held).into_iter().flat_map(|receiver| self.tell_one(word, &receiver));
                drafts.extend(snoozed.collect::<Vec<_>>());
                continue;
            }
            drafts.push(released(&held.id, HoldReason::Told));
            worst = if told.is_empty() { held.severity } else { worst.max(held.severity) };
            worst = worst.max(incident.severity);
            if told.iter().all(|other| other.id != incident.id) {
                told.push(incident);
            }
        }
        if !told.is_empty() {
            drafts.extend(self.receivers_of(first).iter().map(|receiver| self.digest(receiver, &told, worst)));
        }
        drafts
    }

    fn digest(&self, receiver: &ReceiverRules, told: &[&Incident], worst: hindcast_domain::Severity) -> Draft {
        let mut lines: Vec<String> =
            told.iter().take(NAMED_MAX).map(|i| format!("{} {} ({})", i.severity, i.title, i.id)).collect();
        if told.len() > NAMED_MAX {
            lines.push(format!("… and {} more", told.len() - NAMED_MAX));
        }
        let incidents = if told.len() == 1 { "1 unresolved incident was" } else { "unresolved incidents were" };
        let count = if told.len() == 1 { String::new() } else { format!("{} ", told.len()) };
        let asked = Requested {
            incident: None,
            receiver: receiver.name.clone(),
            reason: Reason::Digest,
            page: true,
            severity: worst,
            title: format!("After the storm: {count}{incidents} not paged"),
            lines,
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: None,
            expires_at: self.expires_at(),
            delayed_by: None,
        };
        self.draft(&receiver.name, "digest", Event::NoticeRequested(asked))
    }

    /// The receiver of a notice; all of them where the rules know it no more, so that none is lost.
    pub(crate) fn receivers_of(&self, notice: &Notice) -> Vec<ReceiverRules> {
        let all = self.state.seen.rules.receivers();
        let its_own: Vec<ReceiverRules> =
            all.iter().filter(|r| Some(&r.name) == notice.receiver.as_ref()).cloned().collect();
        if its_own.is_empty() { all } else { its_own }
    }

    /// A delivery was given up. If the page is still warranted it is requested anew, and says how late it is.
    pub(crate) fn expired(&self, subject: &str, request: &EventId) -> Vec<Draft> {
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
