//! What each receiver heard last about each incident, and which receivers fail.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::incident::Status;
use hindcast_domain::{IncidentId, Time};

/// The last word about an incident.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastWord {
    /// Its status as told; `None` where the message says only that it goes on.
    pub(crate) status: Option<Status>,
    pub(crate) taken_at: Time,
    /// Whether it was reported as false already.
    pub(crate) blamed: bool,
}

impl LastWord {
    /// Whether it agrees with a status.
    pub(crate) fn agrees(self, status: Status) -> bool {
        self.status.map_or(status != Status::Resolved, |told| told == status)
    }

    /// Whether it says that it goes on.
    pub(crate) fn is_live(self) -> bool {
        self.status != Some(Status::Resolved)
    }
}

/// What was said, and to whom nothing can be said now.
#[derive(Clone, Debug, Default)]
pub(crate) struct SaidWords {
    words: BTreeMap<IncidentId, BTreeMap<String, LastWord>>,
    checks: BTreeSet<(Time, IncidentId, String)>,
    failing: BTreeSet<String>,
    recovered: BTreeMap<String, Time>,
}

impl SaidWords {
    /// A receiver took a word; it is compared when `due` has passed.
    pub(crate) fn said(&mut self, incident: &IncidentId, receiver: &str, word: LastWord, due: Time) {
        self.words.entry(incident.clone()).or_default().insert(receiver.to_owned(), word);
        self.checks.insert((due, incident.clone(), receiver.to_owned()));
    }

    /// An incident changed: what was said about it is compared when `due` has passed.
    pub(crate) fn changed(&mut self, incident: &IncidentId, due: Time) {
        let Some(words) = self.words.get_mut(incident) else { return };
        for (receiver, word) in words {
            word.blamed = false;
            self.checks.insert((due, incident.clone(), receiver.clone()));
        }
    }

    /// The first comparison that is due before `now`.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(Time, IncidentId, String)> {
        let due = self.checks.first().is_some_and(|(due, _, _)| *due < now);
        if due { self.checks.pop_first() } else { None }
    }

    pub(crate) fn later(&mut self, due: Time, incident: IncidentId, receiver: String) {
        self.checks.insert((due, incident, receiver));
    }

    pub(crate) fn word(&mut self, incident: &IncidentId, receiver: &str) -> Option<&mut LastWord> {
        self.words.get_mut(incident)?.get_mut(receiver)
    }

    /// A receiver did not take a message.
    pub(crate) fn fails(&mut self, receiver: &str) {
        self.failing.insert(receiver.to_owned());
    }

    /// A receiver took a message.
    pub(crate) fn works(&mut self, receiver: &str, now: Time) {
        if self.failing.remove(receiver) {
            self.recovered.insert(receiver.to_owned(), now);
        }
    }

    pub(crate) fn is_failing(&self, receiver: &str) -> bool {
        self.failing.contains(receiver)
    }

    pub(crate) fn recovered(&self, receiver: &str) -> Option<Time> {
        self.recovered.get(receiver).copied()
    }
}
