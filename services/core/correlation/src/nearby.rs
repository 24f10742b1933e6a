//! Which alerts a newcomer is compared with: those of the incidents that share something with it (a service, a rule,
//! a telling label, a service close by), the newest first, and the newest of all. Owns this index, so that an alert
//! costs the same however many incidents are open; refuses to weigh what is shared.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::alert::Alert;
use hindcast_domain::catalog::Topology;
use hindcast_domain::{Fingerprint, IncidentId};
use hindcast_similarity::{self as similarity, Described};
use serde::{Deserialize, Serialize};

use crate::cluster::{Newcomer, described};

/// Incidents that are kept under one thing that is shared.
const INCIDENTS_A_KEY: usize = 12;
/// Labels of one alert that are indexed.
const LABELS_MAX: usize = 24;
/// Services close by whose alerts are looked at.
const SERVICES_NEAR: usize = 32;
/// Incidents that are looked at for each service close by.
const INCIDENTS_NEAR: usize = 3;
/// Alerts that one newcomer is compared with.
const COMPARED_MAX: usize = 96;
/// Entries below which nothing is swept.
const SWEPT_MIN: usize = 16_384;

/// The newest alert of an incident that has something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NearbyEntry {
    incident: IncidentId,
    alert: Fingerprint,
}

/// The index. It follows from the alerts that fired or moved, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearbyAlerts {
    /// By the hash of what is shared; the newest entry is the last.
    by_key: BTreeMap<u64, VecDeque<NearbyEntry>>,
    newest: VecDeque<NearbyEntry>,
    entries: usize,
    /// How many entries the last sweep left.
    swept: usize,
}

impl NearbyAlerts {
    /// Takes in an alert that began to fire in an incident, or moved there.
    pub fn note(&mut self, alert: &Alert, incident: &IncidentId) {
        let entry = NearbyEntry { incident: incident.clone(), alert: alert.fingerprint.clone() };
        put(&mut self.newest, &entry);
        let described = described(&alert.labels, alert.about.as_ref());
        for key in keys(&alert.name, alert.service.as_deref(), described) {
            self.entries += usize::from(put(self.by_key.entry(key).or_default(), &entry));
        }
    }

    /// Lets go of incidents that `lives` does not know, once there are many entries.
    pub fn sweep(&mut self, lives: impl Fn(&IncidentId) -> bool) {
        if self.entries < SWEPT_MIN.max(self.swept * 2) {
            return;
        }
        self.by_key.retain(|_, entries| {
            entries.retain(|entry| lives(&entry.incident));
            !entries.is_empty()
        });
        self.entries = self.by_key.values().map(VecDeque::len).sum();
        self.swept = self.entries;
    }

    /// The alerts that a newcomer is compared with, each once, at most [`COMPARED_MAX`]; what is told by the most
    /// telling thing first: its own service, labels, rule, services close by, and the newest of all.
    pub fn candidates<'a>(&'a self, newcomer: &Newcomer<'_>, topology: &Topology) -> Vec<&'a Fingerprint> {
        let mut found = Candidates::default();
        for key in keys(newcomer.name, newcomer.service, described(newcomer.labels, newcomer.about)) {
            found.extend(self.by_key.get(&key).into_iter().flatten().rev());
        }
        let near = newcomer.service.into_iter().flat_map(|service| topology.near(service));
        for service in near.take(SERVICES_NEAR) {
            let entries = self.by_key.get(&hash(b's', &[service])).into_iter().flatten();
            found.extend(entries.rev().take(INCIDENTS_NEAR));
        }
        found.extend(self.newest.iter().rev());
        found.alerts
    }
}

#[derive(Default)]
struct Candidates<'a> {
    seen: BTreeSet<&'a Fingerprint>,
    alerts: Vec<&'a Fingerprint>,
}

impl<'a> Candidates<'a> {
    fn extend(&mut self, entries: impl Iterator<Item = &'a NearbyEntry>) {
        for entry in entries {
            if self.alerts.len() == COMPARED_MAX {
                return;
            }
            if self.seen.insert(&entry.alert) {
                self.alerts.push(&entry.alert);
            }
        }
    }
}

/// Puts an incident's newest alert last; whether there is one entry more.
fn put(entries: &mut VecDeque<NearbyEntry>, entry: &NearbyEntry) -> bool {
    if entries.back() == Some(entry) {
        return false;
    }
    let before = entries.iter().position(|known| known.incident == entry.incident);
    let dropped = match before {
        Some(at) => entries.remove(at),
        None if entries.len() == INCIDENTS_A_KEY => entries.pop_front(),
        None => None,
    };
    entries.push_back(entry.clone());
    dropped.is_none()
}

/// What an alert may share, as hashes.
fn keys<'a>(name: &'a str, service: Option<&'a str>, alert: Described<'a>) -> impl Iterator<Item = u64> + 'a {
    let service = service.map(|service| hash(b's', &[service]));
    let telling = similarity::telling(alert).take(LABELS_MAX).map(|(name, value)| hash(b'l', &[name, value]));
    let resources =
        similarity::resources(alert).pairs().map(|(name, value)| hash(b'l', &[name, value])).collect::<Vec<_>>();
    service.into_iter().chain(resources).chain(telling).chain(std::iter::once(hash(b'n', &[name])))
}

/// FNV-1a over a class and its parts. Two things that share a hash are compared for nothing, and no more.
fn hash(class: u8, parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    std::iter::once(class)
        .chain(bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
