//! What is asked so often that it is kept at hand: counts and how far the views are. It says the
//! same as the documents as of its position, which the tests hold; it knows nothing that they do not.

use std::collections::{BTreeMap, VecDeque};

use hindcast_api::{AlertCounts, IncidentCounts};
use hindcast_domain::alert::{self, Alert};
use hindcast_domain::canonical::{self, EntityDigest, Key};
use hindcast_domain::incident::{self, Incident};
use hindcast_queries::StateCounts;

use crate::limits::RECENT_COUNTS;

/// What the counts want to know of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// An incident's status.
    Incident(incident::Status),
    /// An alert's status, and whether something holds it back.
    Alert(alert::Status, bool),
    /// Not counted: silences, labels, versions in force, tests of an endpoint.
    Uncounted,
}

impl Class {
    pub(crate) fn of_alert(alert: &Alert) -> Self {
        if alert.is_test() { Self::Uncounted } else { Self::Alert(alert.status, alert.suppressed.is_some()) }
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
            Class::Uncounted => (None, None),
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

/// Counts of the positions that readers were told of last: a page that was opened at one of them finds its counts
/// although more was projected since. The oldest are let go; what is older is counted from the documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentCounts {
    newest_last: VecDeque<(u64, StateCounts)>,
}

impl RecentCounts {
    /// Notes the counts of a position.
    pub(crate) fn note(&mut self, position: u64, counts: StateCounts) {
        if self.newest_last.back().is_some_and(|(last, _)| *last == position) {
            self.newest_last.pop_back();
        }
        if self.newest_last.len() == RECENT_COUNTS {
            self.newest_last.pop_front();
        }
        self.newest_last.push_back((position, counts));
    }

    /// The counts of a position that was told of.
    pub(crate) fn at(&self, position: u64) -> Option<StateCounts> {
        let found = self.newest_last.binary_search_by_key(&position, |(at, _)| *at).ok()?;
        self.newest_last.get(found).map(|(_, counts)| counts.clone())
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
    pub(crate) counts: ClassCounts,
    /// Counts of the positions that were reached last.
    pub(crate) recent: RecentCounts,
    /// Parked items that nobody has looked at.
    pub(crate) parked: u64,
    /// Events so far.
    pub(crate) events: u64,
    /// Those of a type that this binary does not know.
    pub(crate) unknown: u64,
}

impl Live {
    /// Keeps the counts of the position that readers are told of.
    pub(crate) fn note_counts(&mut self) {
        let ClassCounts { incidents, alerts } = self.counts;
        self.recent.note(self.position, StateCounts { incidents, alerts, parked: self.parked });
    }
}
