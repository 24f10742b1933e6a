//! What is asked so often that it is kept at hand: digests, counts and how far the views are. It says the
//! same as the documents as of its position, which the tests hold; it knows nothing that they do not.

use std::collections::{BTreeMap, BTreeSet};

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

/// Incidents and alerts by status, kept up with each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassCounts {
    pub(crate) incidents: IncidentCounts,
    pub(crate) alerts: AlertCounts,
}

impl ClassCounts {
    /// An entity that was of one class, where it existed, is of another one now.
    pub(crate) fn moved(&mut self, was: Option<Class>, is: Option<Class>) {
        if was == is {
            return;
        }
        was.into_iter().for_each(|class| self.places(class).for_each(|count| *count = count.saturating_sub(1)));
        is.into_iter().for_each(|class| self.places(class).for_each(|count| *count += 1));
    }

    fn places(&mut self, class: Class) -> impl Iterator<Item = &mut u64> {
        let (status, held) = match class {
            Class::Incident(incident::Status::Open) => (Some(&mut self.incidents.open), None),
            Class::Incident(incident::Status::Acknowledged) => (Some(&mut self.incidents.acknowledged), None),
            Class::Incident(incident::Status::Resolved) => (Some(&mut self.incidents.resolved), None),
            Class::Alert(alert::Status::Firing, suppressed) => {
                (Some(&mut self.alerts.firing), suppressed.then_some(&mut self.alerts.suppressed))
            }
            Class::Alert(alert::Status::Resolved, _) => (Some(&mut self.alerts.resolved), None),
            Class::Alert(alert::Status::Stale, _) => (Some(&mut self.alerts.stale), None),
            Class::Silence => (None, None),
        };
        status.into_iter().chain(held)
    }
}

/// Everything that the state hash and the counts of a past position go over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// By (fold, partition, id).
    pub(crate) digests: BTreeMap<Key, EntityDigest>,
    pub(crate) counts: ClassCounts,
}

impl Summary {
    pub(crate) fn add(&mut self, key: Key, digest: EntityDigest, class: Class) {
        self.digests.insert(key, digest);
        self.counts.moved(None, Some(class));
    }

    pub(crate) fn state_hash(&self) -> String {
        canonical::state_hash(&self.digests)
    }
}

/// The digests of all entities as of the last position whose state hash was asked for.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    pub(crate) of: BTreeMap<Key, EntityDigest>,
    /// The state hash at a position, once asked.
    pub(crate) hash: Option<(u64, String)>,
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
    pub(crate) counts: ClassCounts,
    /// Entities that changed since the state hash was last asked for: their digests are made when it is.
    pub(crate) changed: BTreeSet<Key>,
    /// Parked items that nobody has looked at.
    pub(crate) parked: u64,
    /// Events so far.
    pub(crate) events: u64,
    /// Those of a type that this binary does not know.
    pub(crate) unknown: u64,
}
