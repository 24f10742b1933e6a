//! How what is not told now ends: a silence lets an alert go, a hold ends, a request is given up.

use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::notice::{Held, Notice, Reason, Requested};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, Span};

use crate::owed::OwedWord;
use crate::question::{NoticeQuestion, NoticeWording, WHY, is_storm_hold, released};
use crate::rules::ReceiverRules;

/// How long a page that is about no single incident is tried.
const GENERAL_WARRANTED: Span = Span::hours(24);
/// Incidents that one digest is about; more than that get another one.
const INCIDENTS_MAX: usize = 100;

impl NoticeQuestion<'_> {
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
        let mut drafts = vec![released(&held.id, HoldReason::Held)];
        for (receiver, owed) in incident.map(|incident| self.owed_of_held(incident, held)).unwrap_or_default() {
            // It is told now, or another hold takes over.
            let owed = OwedWord { reason: Reason::StillThere, ..owed };
            let Some(incident) = incident else { continue };
            let question = NoticeQuestion { before: &drafts, ..*self };
            let said = question.tell_one(self.wording(incident, &owed), &receiver);
            drafts.extend(said);
        }
        if drafts.len() == 1 {
            drafts = vec![released(&held.id, HoldReason::Over)];
        }
        drafts
    }

    /// The pages that are owed when a hold ends, by receiver.
    pub(crate) fn owed_of_held(&self, incident: &Incident, held: &Notice) -> Vec<(ReceiverRules, OwedWord)> {
        let receivers = self.receivers_of(held).into_iter();
        let owed = receivers.filter_map(|receiver| Some((self.state.owed_past_hold(incident, &receiver)?, receiver)));
        owed.filter(|(owed, _)| owed.page).map(|(owed, receiver)| (receiver, owed)).collect()
    }

    /// The receiver of a notice; all of them where the rules know it no more, so that none is lost.
    pub(crate) fn receivers_of(&self, notice: &Notice) -> Vec<ReceiverRules> {
        let all = self.state.seen.rules.receivers();
        let its_own: Vec<ReceiverRules> =
            all.iter().filter(|r| Some(&r.name) == notice.receiver.as_ref()).cloned().collect();
        if its_own.is_empty() { all } else { its_own }
    }

    /// A delivery was given up. What it said of incidents is owed again by itself; that further pages are held is
    /// requested anew, and says how late it is.
    pub(crate) fn expired(&self, subject: &str, request: &EventId) -> Vec<Draft> {
        let notice = subject.parse::<NoticeId>().ok().and_then(|id| self.state.notices.0.get(&id));
        let Some(notice) = notice.filter(|notice| notice.event == *request && notice.page) else { return Vec::new() };
        let Some(page) = self.state.page(&notice.id).filter(|page| page.is_general) else { return Vec::new() };
        let late = self.now.since(page.since);
        // Refused, and not merely late: once more, and then never, or it would go round and round.
        let refused_again = notice.until > self.now && notice.reason == Reason::Retried;
        let warranted = late <= GENERAL_WARRANTED && !refused_again;
        if warranted { self.retry_general(notice, page.lines.clone(), late) } else { Vec::new() }
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
                status: None,
                alerts: Vec::new(),
                incidents: Vec::new(),
                through: Some(self.state.seen.position),
                silence: None,
            };
            self.draft(&receiver.name, notice.id.as_str(), Event::NoticeRequested(asked))
        };
        self.receivers_of(notice).into_iter().map(again).collect()
    }

    /// The storm is over: one message tells what was held and still goes on, the rest is let go.
    pub(crate) fn storm_ended(&self, first: &Notice) -> Vec<Draft> {
        let of_receiver =
            |held: &&Notice| is_storm_hold(held) && held.receiver == first.receiver && held.until <= self.now;
        let mut drafts = Vec::new();
        let mut told: Vec<&Incident> = Vec::new();
        let mut worst = None;
        for held in self.state.held().filter(of_receiver) {
            let incident = held.incident.as_ref().and_then(|id| self.state.any_incident(id));
            let owed = incident.map(|incident| self.owed_of_held(incident, held)).unwrap_or_default();
            let Some(incident) = incident.filter(|_| !owed.is_empty()) else {
                drafts.push(released(&held.id, HoldReason::Over));
                continue;
            };
            // Snoozed meanwhile: another hold takes over.
            if incident.snoozed_until.is_some_and(|until| until > self.now) {
                drafts.push(released(&held.id, HoldReason::Held));
                for (receiver, owed) in owed {
                    let word = NoticeWording { reason: held.reason, ..self.wording(incident, &owed) };
                    drafts.extend(self.tell_one(word, &receiver));
                }
                continue;
            }
            drafts.push(released(&held.id, HoldReason::Told));
            worst = worst.max(Some(self.state.severity(incident).max(held.severity)));
            if told.iter().all(|other| other.id != incident.id) {
                told.push(incident);
            }
        }
        for told in told.chunks(INCIDENTS_MAX) {
            let severity = worst.unwrap_or(first.severity);
            drafts.extend(self.receivers_of(first).iter().map(|receiver| self.digest(receiver, told, severity)));
        }
        drafts
    }
}
