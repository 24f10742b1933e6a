//! Who of an incident's alerts still counts, kept as it changes: an incident may have ten thousand alerts,
//! and a resolve may not look at all of them. Everything here follows from the book.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::{Alert, Status};
use hindcast_domain::{Fingerprint, IncidentId};
use serde::{Deserialize, Serialize};

/// Members of all incidents, by what they do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    members: BTreeMap<IncidentId, Members>,
    homes: BTreeMap<Fingerprint, IncidentId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Members {
    /// Those that fire or flap.
    loud: BTreeSet<Fingerprint>,
    /// Those whose sender fell silent.
    stale: BTreeSet<Fingerprint>,
}

impl Roster {
    /// Takes in what an alert is now.
    pub(crate) fn update(&mut self, alert: &Alert) {
        let fingerprint = &alert.fingerprint;
        let Some(incident) = &alert.incident else { return };
        let before = self.homes.get(fingerprint);
        let moved = before.is_none_or(|home| home != incident);
        if moved && let Some(left) = before.and_then(|home| self.members.get_mut(home)) {
            left.loud.remove(fingerprint);
            left.stale.remove(fingerprint);
        }
        if moved {
            self.homes.insert(fingerprint.clone(), incident.clone());
        }
        if !self.members.contains_key(incident) {
            self.members.insert(incident.clone(), Members::default());
        }
        let Some(members) = self.members.get_mut(incident) else { return };
        put(&mut members.loud, fingerprint, alert.is_firing() || alert.flapping_until.is_some());
        put(&mut members.stale, fingerprint, alert.status == Status::Stale);
    }

    /// Whether one of its alerts fires or flaps.
    pub(crate) fn is_loud(&self, incident: &IncidentId) -> bool {
        self.members.get(incident).is_some_and(|members| !members.loud.is_empty())
    }

    /// Lets go of an alert that is over for long.
    pub(crate) fn forget_alert(&mut self, fingerprint: &Fingerprint) {
        let home = self.homes.remove(fingerprint);
        if let Some(members) = home.and_then(|home| self.members.get_mut(&home)) {
            members.loud.remove(fingerprint);
            members.stale.remove(fingerprint);
        }
    }

    /// Lets go of an incident of which no alert is left.
    pub(crate) fn forget_incident(&mut self, incident: &IncidentId) {
        if self.members.get(incident).is_some_and(|members| members.loud.is_empty() && members.stale.is_empty()) {
            self.members.remove(incident);
        }
    }

    /// Those whose sender fell silent, if nobody fires or flaps.
    pub(crate) fn silent(&self, incident: &IncidentId) -> Option<impl Iterator<Item = &Fingerprint>> {
        let members = self.members.get(incident)?;
        (members.loud.is_empty() && !members.stale.is_empty()).then(|| members.stale.iter())
    }

    /// Whether all members but `ending` are over.
    pub(crate) fn is_quiet_besides(&self, incident: &IncidentId, ending: &Fingerprint) -> bool {
        self.members
            .get(incident)
            .is_none_or(|members| members.loud.iter().chain(&members.stale).all(|fingerprint| fingerprint == ending))
    }
}

fn put(set: &mut BTreeSet<Fingerprint>, fingerprint: &Fingerprint, inside: bool) {
    match (inside, set.contains(fingerprint)) {
        (true, false) => {
            set.insert(fingerprint.clone());
        }
        (false, true) => {
            set.remove(fingerprint);
        }
        _ => {}
    }
}
