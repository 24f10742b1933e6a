//! Notifies receivers of an incident, or holds that for a named reason until a named time: a snooze, or a storm. Refuses
//! to know why people are to be notified.

use hindcast_domain::Time;
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::Incident;
use hindcast_domain::notice::{Held, Reason, Requested};
use hindcast_domain::words::HoldReason;

use crate::question::{NoticeQuestion, NoticeWording, WHY};
use crate::rules::ReceiverRules;
use crate::storm;

impl NoticeQuestion<'_> {
    pub(crate) fn tell(&self, word: NoticeWording<'_>) -> Vec<Draft> {
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
            storm::Budget::Storm(until) => vec![self.hold(word, receiver, WHY, until)],
            storm::Budget::Spent(until) => {
                vec![self.storm(receiver, word, until), self.hold(word, receiver, WHY, until)]
            }
        }
    }

    pub(crate) fn request(&self, word: NoticeWording<'_>, receiver: &ReceiverRules) -> Draft {
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

    pub(crate) fn hold(
        &self,
        word: NoticeWording<'_>,
        receiver: &ReceiverRules,
        why: HoldReason,
        until: Time,
    ) -> Draft {
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
