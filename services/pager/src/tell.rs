//! Tells a receiver of an incident, or holds that for a named reason until a named time: a snooze, or a storm. Refuses to
//! know why people are to be told.

use hindcast_domain::IncidentId;
use hindcast_domain::Time;
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::notice::{Held, Notice, Requested};
use hindcast_domain::words::HoldReason;

use crate::question::{NoticeQuestion, NoticeWording, WHY, released};
use crate::rules::ReceiverRules;
use crate::storm;

impl NoticeQuestion<'_> {
    /// Says what is due about an incident.
    pub(crate) fn tell(&self, id: &IncidentId) -> Vec<Draft> {
        let Some(incident) = self.state.any_incident(id) else { return Vec::new() };
        let mut drafts = Vec::new();
        for receiver in self.state.seen.rules.receivers() {
            let owed = self.state.owed(incident, &receiver).filter(|owed| owed.due <= self.now);
            let Some(owed) = owed else { continue };
            if !incident.is_live() {
                drafts.extend(self.release_of(&incident.id, &receiver.name, &HoldReason::Over, &drafts));
            }
            if !owed.silent {
                let question = NoticeQuestion { before: &drafts, ..*self };
                let said = question.tell_one(self.wording(incident, &owed), &receiver);
                drafts.extend(said);
            }
        }
        drafts
    }

    /// Tells one receiver, or holds it.
    pub(crate) fn tell_one(&self, word: NoticeWording<'_>, receiver: &ReceiverRules) -> Vec<Draft> {
        if !word.page {
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

    fn request(&self, word: NoticeWording<'_>, receiver: &ReceiverRules) -> Draft {
        let incident = word.incident;
        let words = self.state.words(incident, &receiver.name, word.reason);
        let asked = Requested {
            incident: Some(incident.id.clone()),
            receiver: receiver.name.clone(),
            reason: word.reason,
            page: word.page,
            severity: word.severity,
            title: words.title,
            lines: words.lines,
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
            holds_until: None,
            expires_at: self.expires_at(),
            delayed_by: word.late,
            status: Some(incident.status),
            alerts: words.alerts,
            incidents: Vec::new(),
            through: Some(self.state.seen.position),
            silence: None,
        };
        self.draft(&receiver.name, incident.id.as_str(), Event::NoticeRequested(asked))
    }

    fn hold(&self, word: NoticeWording<'_>, receiver: &ReceiverRules, why: HoldReason, until: Time) -> Draft {
        let incident = word.incident;
        let words = self.state.words(incident, &receiver.name, word.reason);
        let held = Held {
            incident: Some(incident.id.clone()),
            alert: None,
            receiver: Some(receiver.name.clone()),
            reason: word.reason,
            why,
            until,
            severity: word.severity,
            title: words.title,
            services: incident.services.iter().cloned().collect(),
            teams: incident.teams.iter().cloned().collect(),
        };
        self.draft(&receiver.name, &format!("{}/held", incident.id), Event::NoticeHeld(held))
    }

    /// Lets go what is held of an incident for a receiver, or for all; once, though several receivers share it.
    pub(crate) fn release_of(&self, id: &IncidentId, receiver: &str, why: &HoldReason, before: &[Draft]) -> Vec<Draft> {
        let its = |held: &&Notice| held.receiver.as_deref().is_none_or(|of| of == receiver);
        let new = |draft: &Draft| before.iter().all(|other| other.subject != draft.subject);
        self.state.holds_of(id).filter(its).map(|held| released(&held.id, why.clone())).filter(new).collect()
    }
}
