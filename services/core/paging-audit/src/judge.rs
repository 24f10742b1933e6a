//! What is a breach: looked at when the bound of what is owed is over.

use std::collections::BTreeSet;

use hindcast_domain::incident::Status;
use hindcast_domain::{Fingerprint, IncidentId, Severity, Time};

use crate::BOUND;
use crate::duties::NewToCarer;
use crate::report::{AuditRule, PagingViolation};
use crate::watch::PageAuditor;

impl PageAuditor {
    pub(crate) fn judge_duty(&mut self, id: u64, due: Time) {
        let Some(duty) = self.duties.get(id) else { return };
        let (fingerprint, severity, began) = (duty.fingerprint.clone(), duty.severity, duty.began);
        // Whoever acknowledged its incident since, or took it back or ended it, has seen it.
        let home = self.incidents.of_alert(&fingerprint);
        let unseen = home.is_some_and(|(_, incident)| {
            incident.status == Status::Acknowledged && incident.acknowledged_at.is_none_or(|at| at < began)
        });
        let incident = home.map(|(id, _)| id.clone());
        // One that was worse for a while under a silence is so no more.
        let worse = self.alerts.0.get(&fingerprint).is_none_or(|alert| alert.severity >= severity);
        let new = NewToCarer { worse: duty.new.worse && worse, ..duty.new };
        let needs_page = new.is_any() && unseen;
        if let Some(later) = self.excused(&fingerprint, severity, needs_page, began, due) {
            return self.duties.later(id, later);
        }
        let fell = self.alerts.0.get(&fingerprint).is_some_and(|alert| alert.fires() && !alert.severity.pages());
        let Some(duty) = self.duties.close(id) else { return };
        let (rule, detail) = match (duty.named, needs_page) {
            _ if fell => {
                self.report.pending += 1;
                return;
            }
            (true, false) => {
                self.report.named += 1;
                return;
            }
            (true, true) => {
                (AuditRule::Acknowledgement, "is new to whoever acknowledged its incident and paged nobody")
            }
            (false, _) => (AuditRule::ByName, "is named in no message that was made after it began"),
        };
        let detail = format!("{} at {severity}, which began at {began}, {detail}", duty.name);
        let violation =
            PagingViolation { rule, at: due, fingerprint: Some(fingerprint), incident, receiver: None, detail };
        self.blame(violation);
    }

    /// Until when nothing is owed about an alert, where something excuses it at `due`.
    fn excused(
        &self,
        fingerprint: &Fingerprint,
        severity: Severity,
        needs_page: bool,
        began: Time,
        due: Time,
    ) -> Option<Time> {
        if let Some(until) = self.suppressed.get(fingerprint).filter(|until| **until >= due) {
            return Some(*until + BOUND);
        }
        let home = self.incidents.of_alert(fingerprint);
        if let Some(until) = home.and_then(|(id, _)| self.incidents.held_until(id, due)) {
            return Some(until + BOUND);
        }
        if self.settings.all_fail(severity, needs_page, |receiver| self.words.is_failing(receiver)) {
            return Some(due + BOUND);
        }
        let lifted = self.lifted.get(fingerprint).copied();
        let let_go = home.and_then(|(_, incident)| incident.lifted_at);
        let since = [Some(began), lifted, let_go, self.reachable.get(&severity).copied(), Some(self.started)];
        let since = since.into_iter().flatten().max().unwrap_or(began);
        (since + BOUND > due).then_some(since + BOUND)
    }

    pub(crate) fn judge_breadth(&mut self, due: Time, id: &IncidentId) {
        let Some(incident) = self.incidents.all.get(id) else { return };
        let pages = incident.status != Status::Open || incident.paged_at.is_some() || self.wide_blamed.contains(id);
        if pages || self.incidents.held_until(id, due).is_some() {
            return;
        }
        // A hold covers it until its end; then the time begins in which somebody is to be paged.
        if let Some(after) = incident.lifted_at.map(|lifted| lifted + BOUND).filter(|after| *after > due) {
            self.wide.insert((after, id.clone()));
            return;
        }
        let failed = self.settings.all_fail(Severity::High, true, |receiver| self.words.is_failing(receiver));
        let mut entities = BTreeSet::new();
        let mut services = BTreeSet::new();
        for fingerprint in self.incidents.members(id) {
            let Some(alert) = self.alerts.0.get(fingerprint) else { continue };
            let since = [alert.began(), self.lifted.get(fingerprint).copied(), self.placed.get(fingerprint).copied()];
            let long = alert.began().is_some() && since.into_iter().flatten().all(|since| since + BOUND <= due);
            if long && alert.fires() && alert.severity >= Severity::Medium && !self.suppressed.contains_key(fingerprint)
            {
                entities.insert(alert.entity.as_str());
                services.extend(alert.service.as_deref());
            }
        }
        let wide = services.len() >= self.settings.breadth_services && entities.len() >= self.settings.breadth_entities;
        if !wide || failed || due < self.started + BOUND {
            return;
        }
        let detail = format!("{} entities of {} services fail and nobody was paged", entities.len(), services.len());
        self.wide_blamed.insert(id.clone());
        let incident = Some(id.clone());
        self.blame(PagingViolation {
            rule: AuditRule::Breadth,
            at: due,
            fingerprint: None,
            incident,
            receiver: None,
            detail,
        });
    }

    pub(crate) fn judge_word(&mut self, due: Time, id: IncidentId, receiver: String) {
        let Some(wish) = self.settings.wish(&receiver) else { return };
        let Some(incident) = self.incidents.all.get(&id) else { return };
        let (status, changed, lifted) = (incident.status, incident.changed_at(), incident.lifted_at);
        let held = self.incidents.held_until(&id, due);
        let recovered = self.words.recovered(&receiver);
        let failing = self.words.is_failing(&receiver);
        let Some(word) = self.words.word(&id, &receiver) else { return };
        let tells_end = self.settings.tells_resolved && !wish.pages_only;
        let wanted = match status {
            Status::Resolved => tells_end,
            Status::Acknowledged | Status::Open if word.is_live() => !wish.pages_only,
            Status::Acknowledged | Status::Open => true,
        };
        if word.agrees(status) || word.blamed || !wanted {
            return;
        }
        if let Some(until) = held {
            return self.words.later(until + BOUND, id, receiver);
        }
        if failing {
            return self.words.later(due + BOUND, id, receiver);
        }
        let since = [Some(changed), Some(word.taken_at), lifted, recovered, Some(self.started)];
        let since = since.into_iter().flatten().max().unwrap_or(changed);
        if since + BOUND > due {
            return self.words.later(since + BOUND, id, receiver);
        }
        word.blamed = true;
        let said = word.status.map_or_else(|| "going on".to_owned(), |status| format!("{status:?}"));
        let detail = format!("its last word is {said}, and since {changed} the incident is {status:?}");
        let (incident, receiver) = (Some(id), Some(receiver));
        let rule = AuditRule::LastWord;
        self.blame(PagingViolation { rule, at: due, fingerprint: None, incident, receiver, detail });
    }
}
