//! Who is due when. Owns the timers of a lane by what they are for, and in the order in which they are due;
//! refuses to decide anything. Most messages move one timer, so nothing here is written as text but what is due.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::lane::Timer;
use hindcast_domain::rhythm::RhythmKey;
use hindcast_domain::{Fingerprint, IncidentId, Time};
use serde::{Deserialize, Serialize};

/// What a timer is for. The order of the variants is that of their words, so that ties are broken as the ids of
/// the timers would break them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Due {
    Awake(IncidentId),
    Quiet(IncidentId),
    Review(IncidentId),
    Settle(Fingerprint),
    Silent(RhythmKey),
    Stale(Fingerprint),
    Unsuppress(Fingerprint),
}

impl Due {
    fn id(&self) -> String {
        match self {
            Self::Awake(id) => format!("awake/{id}"),
            Self::Quiet(id) => format!("quiet/{id}"),
            Self::Review(id) => format!("review/{id}"),
            Self::Settle(fingerprint) => format!("settle/{fingerprint}"),
            Self::Silent(key) => format!("silent/{}", spelt(key)),
            Self::Stale(fingerprint) => format!("stale/{fingerprint}"),
            Self::Unsuppress(fingerprint) => format!("unsuppress/{fingerprint}"),
        }
    }
}

/// Stands between a sender and its watchdog in the id of a timer, before every character that names have.
const BETWEEN: char = '\u{1}';

fn spelt(key: &RhythmKey) -> String {
    match &key.watchdog {
        Some(watchdog) => format!("{}{BETWEEN}{watchdog}", key.source),
        None => key.source.clone(),
    }
}

/// Whose silence a timer is for, by what stands in its id behind `silent/`.
pub(crate) fn silent_key(id: &str) -> RhythmKey {
    match id.split_once(BETWEEN) {
        Some((source, watchdog)) => RhythmKey { source: source.to_owned(), watchdog: watchdog.parse().ok() },
        None => RhythmKey::sender(id),
    }
}

/// The timers of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agenda {
    awake: BTreeMap<IncidentId, Time>,
    quiet: BTreeMap<IncidentId, Time>,
    #[serde(default)]
    review: BTreeMap<IncidentId, Time>,
    settle: BTreeMap<Fingerprint, Time>,
    #[serde(with = "hindcast_domain::rhythm::as_pairs")]
    silent: BTreeMap<RhythmKey, Time>,
    stale: BTreeMap<Fingerprint, Time>,
    unsuppress: BTreeMap<Fingerprint, Time>,
    due: BTreeSet<(Time, Due)>,
}

impl Agenda {
    /// When a snoozed incident awakes; `None` for never, here and below.
    pub(super) fn awake(&mut self, id: &IncidentId, at: Option<Time>) {
        set(&mut self.awake, &mut self.due, id, at, Due::Awake);
    }

    /// When an incident whose alerts are silent is over.
    pub(super) fn quiet(&mut self, id: &IncidentId, at: Option<Time>) {
        set(&mut self.quiet, &mut self.due, id, at, Due::Quiet);
    }

    /// When it is asked again whether an incident is one with another, or two.
    pub(super) fn review(&mut self, id: &IncidentId, at: Option<Time>) {
        set(&mut self.review, &mut self.due, id, at, Due::Review);
    }

    /// When a flapping alert has calmed down.
    pub(super) fn settle(&mut self, fingerprint: &Fingerprint, at: Option<Time>) {
        set(&mut self.settle, &mut self.due, fingerprint, at, Due::Settle);
    }

    /// When the silence of a sender, or of a watchdog, means that it is dead.
    pub(super) fn silent(&mut self, key: &RhythmKey, at: Option<Time>) {
        set(&mut self.silent, &mut self.due, key, at, Due::Silent);
    }

    /// When the silence of an alert's sender becomes a fact.
    pub(super) fn stale(&mut self, fingerprint: &Fingerprint, at: Option<Time>) {
        set(&mut self.stale, &mut self.due, fingerprint, at, Due::Stale);
    }

    /// When an alert is held back no more.
    pub(super) fn unsuppress(&mut self, fingerprint: &Fingerprint, at: Option<Time>) {
        set(&mut self.unsuppress, &mut self.due, fingerprint, at, Due::Unsuppress);
    }

    /// What is due next.
    pub(super) fn next(&self) -> Option<Timer> {
        self.due.first().map(|(due, what)| Timer { due: *due, id: what.id() })
    }
}

fn set<K: Ord + Clone>(
    timers: &mut BTreeMap<K, Time>,
    due: &mut BTreeSet<(Time, Due)>,
    id: &K,
    at: Option<Time>,
    what: fn(K) -> Due,
) {
    match (timers.get_mut(id), at) {
        (None, None) => {}
        (None, Some(at)) => {
            timers.insert(id.clone(), at);
            due.insert((at, what(id.clone())));
        }
        (Some(before), Some(at)) => {
            if *before != at {
                let mut entry = (*before, what(id.clone()));
                due.remove(&entry);
                entry.0 = at;
                due.insert(entry);
                *before = at;
            }
        }
        (Some(before), None) => {
            due.remove(&(*before, what(id.clone())));
            timers.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_in_the_order_of_their_times_and_then_of_their_ids() {
        let (incident, fingerprint) = (IncidentId::derive(&[b"i"]), Fingerprint::from_mac(&[7; 32]));
        let mut agenda = Agenda::default();
        let at = Some(Time::from_millis(5));
        agenda.unsuppress(&fingerprint, at);
        agenda.stale(&fingerprint, at);
        agenda.settle(&fingerprint, at);
        let watchdog = RhythmKey { source: "a".to_owned(), watchdog: Some(fingerprint.clone()) };
        for key in [watchdog, RhythmKey::sender("a"), RhythmKey::sender("a-b"), RhythmKey::sender("a b")] {
            agenda.silent(&key, at);
            assert_eq!(silent_key(&spelt(&key)), key);
        }
        agenda.quiet(&incident, at);
        agenda.review(&incident, at);
        agenda.awake(&incident, at);
        let ids: Vec<String> = agenda.due.iter().map(|(_, what)| what.id()).collect();
        assert_eq!(ids.len(), 10);
        assert!(ids.is_sorted(), "{ids:?}");
        agenda.stale(&fingerprint, Some(Time::from_millis(1)));
        assert_eq!(agenda.next().map(|timer| timer.id), Some(format!("stale/{fingerprint}")));
        agenda.stale(&fingerprint, None);
        assert_eq!(agenda.next().map(|timer| timer.id), Some(format!("awake/{incident}")));
        assert_eq!(agenda.due.len(), 9);
    }
}
