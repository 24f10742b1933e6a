//! What is asked so often that it is kept at hand: digests, counts and how far the views are. It says the
//! same as the documents as of its position, which the tests hold; it knows nothing that they do not.

use std::collections::BTreeMap;

use hindcast_api::{AlertCounts, IncidentCounts};
use hindcast_domain::alert::{self, Alert};
use hindcast_domain::canonical::{self, EntityDigest, Key};
use hindcast_domain::incident::{self, Incident};

/// What the counts want to know of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// An incident's status.
    Incident(incident::Status),
    /// An alert's status, and whether something holds it back.
    Alert(alert::Status, bool),
    /// Not counted: silences, labels, versions in force.
    Silence,
}

impl Class {
    pub(crate) const fn of_alert(alert: &Alert) -> Self {
        Self::Alert(alert.status, alert.suppressed.is_some())
    }

    pub(crate) const fn of_incident(incident: &Incident) -> Self {
        Self::Incident(incident.status)
    }
}

/// Everything that the state hash and the counts go over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// By (fold, partition, id).
    pub(crate) entities: BTreeMap<Key, (EntityDigest, Class)>,
}

impl Summary {
    pub(crate) fn state_hash(&self) -> String {
        canonical::state_hash(self.entities.iter().map(|(key, (digest, _))| (key, digest)))
    }

    /// Incidents and alerts by status.
    pub(crate) fn counts(&self) -> (IncidentCounts, AlertCounts) {
        let mut incidents = IncidentCounts::default();
        let mut alerts = AlertCounts::default();
        for (_, class) in self.entities.values() {
            match class {
                Class::Incident(incident::Status::Open) => incidents.open += 1,
                Class::Incident(incident::Status::Acknowledged) => incidents.acknowledged += 1,
                Class::Incident(incident::Status::Resolved) => incidents.resolved += 1,
                Class::Alert(alert::Status::Firing, suppressed) => {
                    alerts.firing += 1;
                    alerts.suppressed += u64::from(*suppressed);
                }
                Class::Alert(alert::Status::Resolved, _) => alerts.resolved += 1,
                Class::Alert(alert::Status::Stale, _) => alerts.stale += 1,
                Class::Silence => {}
            }
        }
        (incidents, alerts)
    }
}

/// The state as of the position that was reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    /// The last position of the last commit that was projected.
    pub(crate) position: u64,
    /// That commit.
    pub(crate) seq: u64,
    /// The last commit that holds events.
    pub(crate) last_events_seq: u64,
    /// Digests and classes.
    pub(crate) summary: Summary,
    /// The state hash at a position, once asked.
    pub(crate) hash: Option<(u64, String)>,
    /// Parked items that nobody has looked at.
    pub(crate) parked: u64,
    /// Events so far.
    pub(crate) events: u64,
    /// Those of a type that this binary does not know.
    pub(crate) unknown: u64,
}
