//! Which incidents an alert may join: those that live, and those that ended lately, newest end first. Owns these
//! two orders, so that an alert that fires looks at few incidents however many there were; refuses to choose.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::incident::Incident;
use hindcast_domain::{IncidentId, Span, Time};
use serde::{Deserialize, Serialize};

/// Incidents that live, or ended so lately that they may come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recent {
    live: BTreeSet<IncidentId>,
    ended: BTreeSet<(Time, IncidentId)>,
    /// When each of the ended ones did.
    at: BTreeMap<IncidentId, Time>,
}

impl Recent {
    /// Takes in what an incident is now.
    pub(super) fn note(&mut self, incident: &Incident) {
        let id = &incident.id;
        let ended = incident.resolved_at.filter(|_| !incident.is_live());
        let before = self.at.get(id).copied();
        if before != ended
            && let Some(before) = before
        {
            self.ended.remove(&(before, id.clone()));
            self.at.remove(id);
        }
        match ended {
            Some(at) => {
                self.live.remove(id);
                if before != ended {
                    self.ended.insert((at, id.clone()));
                    self.at.insert(id.clone(), at);
                }
            }
            None if incident.is_live() => {
                if !self.live.contains(id) {
                    self.live.insert(id.clone());
                }
            }
            None => {
                self.live.remove(id);
            }
        }
    }

    /// Lets go of what ended longer than `kept` ago.
    pub(super) fn forget(&mut self, now: Time, kept: Span) {
        while let Some((at, _)) = self.ended.first().filter(|(at, _)| now.since(*at) > kept) {
            debug_assert!(*at <= now, "what ended long ago ended before now");
            if let Some((_, id)) = self.ended.pop_first() {
                self.at.remove(&id);
            }
        }
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &IncidentId> {
        self.live.iter().chain(self.at.keys())
    }
}
