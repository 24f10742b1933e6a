//! Too much at once: a receiver's budget of pages, the one message that says what is held once it is spent,
//! and the one that tells at its end what still goes on.

use hindcast_domain::Time;
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::Incident;
use hindcast_domain::notice::{Notice, Reason, Requested};
use hindcast_domain::words::HoldReason;

use crate::decide::{NoticeQuestion, NoticeWording, is_storm_hold, released};
use crate::rules::ReceiverRules;
use crate::state::NoticesState;

/// Why a page is held in a storm.
pub(crate) const WHY: HoldReason = HoldReason::Storm;
/// Incidents that a digest names; the rest is counted.
const NAMED_MAX: usize = 20;

/// Whether a receiver may be paged now.
pub(crate) enum Budget {
    /// It may.
    Left,
    /// It is in a storm, until then.
    Storm(Time),
    /// Its budget is spent: a storm begins, until then.
    Spent(Time),
}

/// A receiver's budget at `now`, after what the same decision asks for already.
pub(crate) fn budget(state: &NoticesState, receiver: &ReceiverRules, now: Time, before: &[Draft]) -> Budget {
    let asked = before.iter().filter_map(|draft| match &draft.event {
        Event::NoticeRequested(asked) if asked.page && asked.receiver == receiver.name => Some(asked),
        _ => None,
    });
    let begun = asked.clone().find_map(|asked| asked.holds_until);
    let storm = begun.or_else(|| state.storms.get(&receiver.name).copied());
    if let Some(until) = storm.filter(|until| *until > now) {
        return Budget::Storm(until);
    }
    let since = now - receiver.window();
    let paged = state.paged.get(&receiver.name);
    // Times are in order, so the newest that are inside the window are counted and no more.
    let lately = paged.map_or(0, |times| times.iter().rev().take_while(|at| **at > since).count());
    let spent = lately + asked.count() >= receiver.pages_max as usize;
    if spent { Budget::Spent(now + receiver.window()) } else { Budget::Left }
}

impl NoticeQuestion<'_> {
    /// The message that says that further pages are held.
    pub(crate) fn storm(&self, receiver: &ReceiverRules, first: NoticeWording<'_>, until: Time) -> Draft {
        let lines = vec![
            format!("{} pages within {} are the limit of this receiver.", receiver.pages_max, receiver.window()),
            format!("First delayed: {} ({})", first.incident.title, first.incident.id),
            "One message will follow with the incidents that are still not resolved.".to_owned(),
        ];
        let asked = Requested {
            incident: None,
            receiver: receiver.name.clone(),
            reason: Reason::Storm,
            page: true,
            severity: first.severity,
            title: format!("Notification storm: further pages are delayed until {until}"),
            lines,
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: Some(until),
            expires_at: self.expires_at(),
            delayed_by: None,
        };
        self.draft(&receiver.name, "storm", Event::NoticeRequested(asked))
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
}
