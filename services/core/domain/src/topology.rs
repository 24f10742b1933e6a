//! The services of a tenant made ready for look-ups: those of the catalogue, and links that are known besides it. Owns
//! look-up by any name, and how two services are tied; refuses to know where a name comes from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::catalog::{Catalog, Service};
use crate::links::{LinkKind, LinkVerdict, ServiceLinks};

/// The catalogue made ready for look-ups: names resolved, edges in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    services: BTreeMap<String, Service>,
    names: BTreeMap<String, String>,
    neighbours: BTreeMap<String, BTreeSet<String>>,
    calls: BTreeMap<String, BTreeSet<String>>,
    /// How sure calls are that the catalogue does not have, by caller and called, in thousandths.
    proposed: BTreeMap<String, BTreeMap<String, i32>>,
    /// Teams that people confirmed, of services without one in the catalogue.
    owners: BTreeMap<String, String>,
    /// The services within [`NEAR_CALLS`] of each one, nearest first; at most [`NEAR_MAX`].
    near: BTreeMap<String, Vec<String>>,
}

impl Topology {
    /// Prepares a catalogue. Names that do not resolve are left out; [`Catalog::check`] names them.
    #[must_use]
    pub fn new(catalog: &Catalog) -> Self {
        Self::with_links(catalog, &ServiceLinks::default())
    }

    /// The same with what is known besides the catalogue. A proposed call counts by its confidence from [`PROPOSED_MIN`]
    /// on, and a proposed owner not at all.
    #[must_use]
    pub fn with_links(catalog: &Catalog, links: &ServiceLinks) -> Self {
        let mut topology = Self::default();
        for service in &catalog.services {
            for name in std::iter::once(&service.name).chain(&service.aliases) {
                topology.names.insert(name.clone(), service.name.clone());
            }
            topology.services.insert(service.name.clone(), service.clone());
        }
        for service in &catalog.services {
            for to in &service.depends_on {
                if let Some(to) = topology.names.get(to).cloned() {
                    topology.tie(&service.name, &to);
                }
            }
        }
        for known in links.iter().map(|(_, known)| known) {
            let name = |name: &String| topology.names.get(name).unwrap_or(name).clone();
            let (from, to) = (name(&known.link.from), name(&known.link.to));
            match known.link.kind {
                LinkKind::DependsOn => topology.propose(&from, &to, known.strength()),
                LinkKind::OwnedBy if known.verdict == Some(LinkVerdict::Confirmed) => {
                    topology.owners.entry(from).or_insert(to);
                }
                LinkKind::OwnedBy => {}
            }
        }
        let all: BTreeSet<&String> = topology.services.keys().chain(topology.neighbours.keys()).collect();
        let near = |name: &&String| (String::clone(name), around(&topology.neighbours, name));
        topology.near = all.iter().map(near).collect();
        topology
    }

    fn tie(&mut self, from: &str, to: &str) {
        self.calls.entry(from.to_owned()).or_default().insert(to.to_owned());
        self.neighbours.entry(from.to_owned()).or_default().insert(to.to_owned());
        self.neighbours.entry(to.to_owned()).or_default().insert(from.to_owned());
    }

    fn propose(&mut self, from: &str, to: &str, strength: i32) {
        let is_known = self.calls.get(from).is_some_and(|called| called.contains(to));
        if strength < PROPOSED_MIN || is_known || from == to {
            return;
        }
        self.tie(from, to);
        if strength < 1_000 {
            self.proposed.entry(from.to_owned()).or_default().insert(to.to_owned(), strength);
        }
    }

    /// A service by one of its names in the catalogue, or by that of a link.
    fn node<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.resolve(name).or_else(|| self.neighbours.get_key_value(name).map(|(name, _)| name.as_str()))
    }

    /// How sure a call is, in thousandths; 0 where none is known.
    fn strength(&self, from: &str, to: &str) -> i32 {
        if !self.calls.get(from).is_some_and(|called| called.contains(to)) {
            return 0;
        }
        self.proposed.get(from).and_then(|called| called.get(to)).copied().unwrap_or(1_000)
    }

    /// The services within [`NEAR_CALLS`] of a service in either direction, nearest first, without itself.
    pub fn near(&self, name: &str) -> impl Iterator<Item = &str> + use<'_> {
        let services = self.node(name).and_then(|service| self.near.get(service));
        services.into_iter().flatten().map(String::as_str)
    }

    /// The service's one name, from its name or an alias.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// The service of that name or alias.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(self.names.get(name)?)
    }

    /// The team that answers for a service.
    #[must_use]
    pub fn owner(&self, name: &str) -> Option<&str> {
        let confirmed = || self.owners.get(self.resolve(name).unwrap_or(name)).map(String::as_str);
        self.service(name).and_then(|service| service.owner.as_deref()).or_else(confirmed)
    }

    /// Every service, by name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// Every name and alias, with the one name that it stands for.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(name, one)| (name.as_str(), one.as_str()))
    }

    /// Calls on the shortest way from `from` down to `to`, which it depends on; 0 for one and the same, `None`
    /// where it does not depend on it.
    #[must_use]
    pub fn depends(&self, from: &str, to: &str) -> Option<u32> {
        let from = self.resolve(from)?;
        let to = self.resolve(to)?;
        shortest(&self.calls, from, to, u32::MAX)
    }

    /// How two services are tied by calls: directly, over one between them, or by a third that both call; the way that
    /// counts most. Whoever is unknown has no relation that could be told.
    #[must_use]
    pub fn relation(&self, a: &str, b: &str) -> Option<RelatedServices> {
        let (a, b) = (self.node(a)?, self.node(b)?);
        let over = |first: i32, second: i32| first * second / 1_000;
        let called = |service: &str| self.calls.get(service).into_iter().flatten();
        let direct = self.strength(a, b).max(self.strength(b, a));
        let over_one = |from: &str, to: &str| {
            let ways = called(from).map(|next| over(self.strength(from, next), self.strength(next, to)));
            ways.max().unwrap_or(0)
        };
        let the_same = called(a).map(|third| over(self.strength(a, third), self.strength(b, third))).max().unwrap_or(0);
        let ways = [
            (ServiceRelation::Calls, direct),
            (ServiceRelation::CallsOverOne, over_one(a, b).max(over_one(b, a))),
            (ServiceRelation::CallTheSame, the_same),
        ];
        let counts = |(relation, confidence): &(ServiceRelation, i32)| relation.nearness() * confidence;
        let best = ways.into_iter().filter(|way| way.1 > 0).rev().max_by_key(counts);
        let is_in_catalog = self.services.contains_key(a) && self.services.contains_key(b);
        match best {
            Some((relation, confidence)) => Some(RelatedServices { relation, confidence, is_in_catalog }),
            // Only a catalogue that has both says that there is none.
            None => is_in_catalog.then_some(RelatedServices {
                relation: ServiceRelation::Apart,
                confidence: 1_000,
                is_in_catalog,
            }),
        }
    }

    /// Calls between two services, in either direction, up to `limit`; 0 for one and the same.
    #[must_use]
    pub fn distance(&self, from: &str, to: &str, limit: u32) -> Option<u32> {
        let from = self.resolve(from)?;
        let to = self.resolve(to)?;
        shortest(&self.neighbours, from, to, limit)
    }
}

/// How two services of a catalogue are tied. A common caller ties nothing: it alone does not make two faults one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceRelation {
    /// One calls the other.
    Calls,
    /// One calls the other over one service between them.
    CallsOverOne,
    /// Both call a third.
    CallTheSame,
    /// None of these.
    Apart,
}

impl ServiceRelation {
    /// How near it is, in thousandths of a call.
    #[must_use]
    pub const fn nearness(self) -> i32 {
        match self {
            Self::Calls => 1_000,
            Self::CallsOverOne => 700,
            Self::CallTheSame => 300,
            Self::Apart => 0,
        }
    }
}

/// How two services are tied, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelatedServices {
    /// The way that counts most.
    pub relation: ServiceRelation,
    /// How sure all calls of that way are together, in thousandths.
    pub confidence: i32,
    /// Whether the catalogue has both.
    pub is_in_catalog: bool,
}

/// Confidence from which on a proposed call counts, in thousandths.
pub const PROPOSED_MIN: i32 = 300;

/// Calls within which services are near each other.
const NEAR_CALLS: u32 = 4;
/// Services that are listed as near one.
const NEAR_MAX: usize = 64;

fn around(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> Vec<String> {
    let mut seen = BTreeSet::from([from]);
    let mut queue = VecDeque::from([(from, 0)]);
    let mut near = Vec::new();
    while let Some((here, steps)) = queue.pop_front() {
        if steps > 0 {
            near.push(here.to_owned());
        }
        if steps == NEAR_CALLS || near.len() == NEAR_MAX {
            continue;
        }
        let next = edges.get(here).into_iter().flatten().filter(|next| seen.insert(next));
        queue.extend(next.map(|next| (next.as_str(), steps + 1)));
    }
    near.truncate(NEAR_MAX);
    near
}

/// Edges on the shortest way, up to `limit`.
fn shortest(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str, limit: u32) -> Option<u32> {
    let mut seen = BTreeSet::from([from]);
    let mut queue = VecDeque::from([(from, 0)]);
    while let Some((here, steps)) = queue.pop_front() {
        if here == to {
            return Some(steps);
        }
        if steps == limit {
            continue;
        }
        for next in edges.get(here).into_iter().flatten() {
            if seen.insert(next) {
                queue.push_back((next, steps + 1));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tests::shop;

    #[test]
    fn distance_counts_calls_in_either_direction_and_through_aliases() {
        let topology = Topology::new(&shop());
        assert_eq!(topology.distance("nginx", "pg", 4), Some(2));
        assert_eq!(topology.distance("postgres", "shop-api", 4), Some(1));
        assert_eq!(topology.distance("nginx", "postgres", 1), None, "the limit holds");
        assert_eq!(topology.distance("nginx", "backup", 9), None);
    }

    #[test]
    fn a_dependency_has_a_direction() {
        let topology = Topology::new(&shop());
        assert_eq!(topology.depends("nginx", "pg"), Some(2));
        assert_eq!(topology.depends("postgres", "nginx"), None);
        assert_eq!(topology.depends("pg", "postgres"), Some(0));
    }

    #[test]
    fn a_relation_follows_calls_and_no_common_caller() {
        let mut catalog = shop();
        catalog.services[0].depends_on.push("backup".into());
        let topology = Topology::new(&catalog);
        let relation = |topology: &Topology, a, b| topology.relation(a, b).map(|related| related.relation);
        assert_eq!(relation(&topology, "pg", "checkout"), Some(ServiceRelation::Calls));
        assert_eq!(relation(&topology, "nginx", "postgres"), Some(ServiceRelation::CallsOverOne));
        assert_eq!(relation(&topology, "checkout", "backup"), Some(ServiceRelation::Apart), "nginx calls both");
        assert_eq!(relation(&topology, "checkout", "ghost"), None);
        catalog.services[3].depends_on.push("pg".into());
        let topology = Topology::new(&catalog);
        assert_eq!(relation(&topology, "shop-api", "backup"), Some(ServiceRelation::CallTheSame));
    }
}
