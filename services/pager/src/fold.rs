//! How the state of the notices lane follows from its inputs and its own decisions, and what is owed after each.

use hindcast_domain::events;
use std::collections::BTreeSet;

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::notice::{Held, Reason, Requested};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{Fingerprint, IncidentId, NoticeId, Severity, Time};

use crate::rules::ReceiverRules;
use crate::state::firing::{Audibility, StretchStart};
use crate::state::heard::ToldOf;
use crate::state::index::{ListedAlert, UntoldAlert};
use crate::state::observed::{KEPT, SeenChange};
use crate::state::{NoticesState, OpenPage, WINDOW_MAX};

/// Pages of one receiver that are remembered for its budget.
const PAGED_MAX: usize = 10_000;
/// Requests that are remembered.
const KEPT_MAX: usize = 100_000;

impl NoticesState {
    /// Folds an input.
    pub fn see(&mut self, input: &Recorded) {
        let change = self.seen.see(input);
        match change {
            SeenChange::Nothing => {}
            SeenChange::Rules => self.reindex_all(input.time),
            SeenChange::Lost(notice) => {
                let Some(told) = self.requests.iter().find(|told| told.notice == notice).cloned() else { return };
                self.reindex(told.incidents());
                told.alerts.iter().for_each(|alert| self.reindex_alert(alert));
            }
            SeenChange::Touched { alerts, incidents } => {
                alerts.iter().for_each(|alert| self.reindex_alert(alert));
                incidents.iter().for_each(|incident| self.reindex_incident(incident));
            }
        }
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        let before = decision.subject.parse::<NoticeId>().ok().and_then(|id| self.notices.0.get(&id)?.incident.clone());
        if !self.notices.evolve(decision) {
            return;
        }
        let Ok(id) = decision.subject.parse::<NoticeId>() else { return };
        self.holds.retain(|(_, held)| *held != id);
        if let Some(holds) = before.as_ref().and_then(|incident| self.held.get_mut(incident)) {
            holds.remove(&id);
        }
        self.held.retain(|_, holds| !holds.is_empty());
        match &decision.event {
            Event::NoticeRequested(asked) => self.requested(&id, asked, decision),
            Event::NoticeHeld(held) => self.hold(&id, held),
            Event::NoticeReleased(released) => self.released(&id, &released.why, before.as_ref(), decision.time),
            Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | Event::NoticeExpired(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } =>
                {}
        }
        self.forget(decision.time);
    }

    fn requested(&mut self, id: &NoticeId, asked: &Requested, decision: &Recorded) {
        let now = decision.time;
        self.requests.push_back(ToldOf::new(id, asked, now));
        if asked.page {
            self.paged.entry(asked.receiver.clone()).or_default().push_back(now);
            if asked.incident.is_none() {
                let since = asked.delayed_by.map_or(now, |delay| now - delay);
                let is_general = asked.incidents.is_empty();
                self.pages.insert(id.clone(), OpenPage { since, lines: asked.lines.clone(), is_general });
            }
        }
        if let Some(silence) = &asked.silence {
            let end = self.seen.silenced.silences.0.get(silence).map_or(asked.expires_at, |it| it.terms.ends_at);
            self.warned.retain(|_, end| *end > now);
            self.warned.insert(silence.clone(), end);
        }
        if let Some(until) = asked.holds_until {
            self.storms.insert(asked.receiver.clone(), until);
        }
        if asked.reason == Reason::Digest {
            self.storms.remove(&asked.receiver);
        }
        self.heard.requested(id, asked, now, decision.position);
        let incidents: Vec<IncidentId> = asked.incident.iter().chain(&asked.incidents).cloned().collect();
        self.reindex(&incidents);
        let named: Vec<Fingerprint> = asked.alerts.iter().map(|named| named.fingerprint.clone()).collect();
        named.iter().for_each(|alert| self.reindex_alert(alert));
    }

    fn hold(&mut self, id: &NoticeId, held: &Held) {
        self.holds.insert((held.until, id.clone()));
        if let Some(incident) = &held.incident {
            self.held.entry(incident.clone()).or_default().insert(id.clone());
            self.reindex_incident(incident);
        }
    }

    fn released(&mut self, id: &NoticeId, why: &HoldReason, incident: Option<&IncidentId>, now: Time) {
        debug_assert!(*why != HoldReason::Storm, "a storm is no end of a hold");
        self.notices.0.remove(id);
        if let Some(incident) = incident {
            self.let_go.insert(incident.clone(), now);
            self.reindex_incident(incident);
        }
    }

    /// Drops what is too old to be asked about.
    fn forget(&mut self, now: Time) {
        let old = |at: Time| now.since(at) > KEPT;
        while self.requests.len() > KEPT_MAX || self.requests.front().is_some_and(|told| old(told.at)) {
            let Some(told) = self.requests.pop_front() else { break };
            self.notices.0.remove(&told.notice);
            self.pages.remove(&told.notice);
            self.heard.forget(&told);
            self.reindex(told.incidents());
            told.alerts.iter().for_each(|alert| self.reindex_alert(alert));
        }
        for times in self.paged.values_mut() {
            while times.len() > PAGED_MAX || times.front().is_some_and(|at| now.since(*at) > WINDOW_MAX) {
                times.pop_front();
            }
        }
    }
}

impl NoticesState {
    /// Looks at an alert anew, and at its incident.
    pub(crate) fn reindex_alert(&mut self, fingerprint: &Fingerprint) {
        let before = self.index.listed.get(fingerprint).map(|(incident, _)| incident.clone());
        let entry = self.untold_to(fingerprint);
        let after = entry.as_ref().map(|(incident, _)| incident.clone());
        self.index.list(fingerprint, entry);
        for incident in [&before, &after].into_iter().flatten() {
            self.reindex_incident(incident);
        }
    }

    fn untold_to(&self, fingerprint: &Fingerprint) -> Option<ListedAlert> {
        let news = self.seen.firing.alerts.get(fingerprint)?;
        let incident = news.incident.as_ref()?;
        if news.audibility == Audibility::Quiet {
            return None;
        }
        let stretches: Vec<&StretchStart> =
            news.earlier.iter().chain(Some(&news.stretch).filter(|_| news.peak.pages())).collect();
        let mut to_anybody = None;
        let mut owed = |rules: &ReceiverRules| {
            let receiver = &rules.name;
            let leaning = self.leaning(incident, rules, news);
            let lost = |notice: &_| self.is_lost(notice) || leaning.contains(notice);
            let rules = &self.seen.rules;
            let wanted = |start: &&&StretchStart| rules.wants(receiver, start.peak.max(Severity::High), true);
            let starts: Vec<&StretchStart> = stretches.iter().filter(wanted).copied().collect();
            let last = *starts.last()?;
            if self.heard.names(fingerprint, receiver, news, last, &lost) {
                return None;
            }
            // A receiver of today hears of what was there before only where nobody was told of it.
            let new = self.seen.receiver_since.get(receiver).is_none_or(|since| last.heard_from > *since);
            let wants =
                new || !*to_anybody.get_or_insert_with(|| self.heard.names_to_anybody(fingerprint, news, last, &lost));
            let untold = |start: &&&StretchStart| !self.heard.names(fingerprint, receiver, news, start, &lost);
            let untold: Vec<&StretchStart> = starts.iter().filter(untold).copied().collect();
            let since = untold.first().map_or(last.since, |start| start.since);
            let peak = untold.iter().map(|start| start.peak).max().unwrap_or(last.peak);
            wants.then_some(UntoldAlert { since, peak })
        };
        let receivers = self.seen.rules.receivers().into_iter();
        let receivers = receivers.filter_map(|receiver| Some((owed(&receiver)?, receiver.name)));
        Some((incident.clone(), receivers.map(|(of_it, receiver)| (receiver, of_it)).collect()))
    }

    /// Looks at an incident anew.
    pub(crate) fn reindex_incident(&mut self, id: &IncidentId) {
        let due = self.any_incident(id).and_then(|incident| {
            let receivers = self.seen.rules.receivers();
            receivers.iter().filter_map(|receiver| Some(self.owed(incident, receiver)?.due)).min()
        });
        self.index.set_due(id, due);
    }

    /// Looks at incidents anew, at each of their alerts, and at the incidents from and to which these have moved.
    pub(crate) fn reindex(&mut self, incidents: &[IncidentId]) {
        let mut touched: BTreeSet<IncidentId> = incidents.iter().cloned().collect();
        for id in incidents {
            // What was said of one that became a part of another is known of the other too.
            touched.extend(self.any_incident(id).and_then(|incident| incident.merged_into.clone()));
            let listed = self.index.untold.get(id).into_iter().flat_map(|by| by.values()).flatten();
            let mut alerts: BTreeSet<Fingerprint> = listed.map(|(_, fingerprint)| fingerprint.clone()).collect();
            alerts.extend(self.seen.firing.members(id).cloned());
            for alert in &alerts {
                touched.extend(self.listed_under(alert));
                self.reindex_alert_alone(alert);
                touched.extend(self.listed_under(alert));
            }
        }
        touched.iter().for_each(|id| self.reindex_incident(id));
    }

    /// The incident under which an alert stands in the index.
    fn listed_under(&self, fingerprint: &Fingerprint) -> Option<IncidentId> {
        self.index.listed.get(fingerprint).map(|(incident, _)| incident.clone())
    }

    fn reindex_alert_alone(&mut self, fingerprint: &Fingerprint) {
        let entry = self.untold_to(fingerprint);
        self.index.list(fingerprint, entry);
    }

    /// Looks at everything anew that a change of the rules at `now` is about.
    pub(crate) fn reindex_all(&mut self, now: Time) {
        let alerts = self.seen.firing.alerts.iter().filter(|(id, news)| self.is_ruled_alert(id, news, now));
        let alerts: Vec<Fingerprint> = alerts.map(|(id, _)| id.clone()).collect();
        let incidents = self.seen.turned.keys().filter(|id| self.is_ruled(id, now));
        let incidents: Vec<IncidentId> = incidents.cloned().collect();
        alerts.iter().for_each(|alert| self.reindex_alert_alone(alert));
        incidents.iter().for_each(|id| self.reindex_incident(id));
    }
}
