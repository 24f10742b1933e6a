//! The service catalogue: names, aliases, owners and who depends on whom. Owns look-up by any name and
//! the distance between two services; refuses to know where the file came from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::CATALOG_SERVICES_MAX;

/// The catalogue as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Every service that is known.
    #[serde(default)]
    pub services: Vec<Service>,
}

/// A service with its owners, aliases and dependencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The canonical name; aliases lead to it.
    pub name: String,
    /// Other names that senders use: jobs, deployments, exporters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How much it matters; 1 is most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// What it calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

impl Service {
    /// A service of which nothing but its name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), aliases: Vec::new(), owner: None, tier: None, depends_on: Vec::new() }
    }
}

/// What is wrong with a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A name or alias stands for two services.
    #[error("expected each name once, got {0:?} for two services")]
    Twice(String),
    /// A dependency that is no service of the catalogue.
    #[error("expected a service of the catalogue, got {to:?} in depends_on of {from:?}")]
    Unknown {
        /// The service that names it.
        from: String,
        /// The name that is not there.
        to: String,
    },
    /// An empty name.
    #[error("expected a name for every service, got an empty one")]
    Empty,
    /// More services than the limit.
    #[error("expected at most {CATALOG_SERVICES_MAX} services, got {0}")]
    TooMany(usize),
}

impl Catalog {
    /// Checks names, aliases and dependencies.
    ///
    /// # Errors
    /// The first thing that is wrong, by name.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.services.len() > CATALOG_SERVICES_MAX {
            return Err(Invalid::TooMany(self.services.len()));
        }
        let mut names = BTreeSet::new();
        for service in &self.services {
            for name in std::iter::once(&service.name).chain(&service.aliases) {
                if name.trim().is_empty() {
                    return Err(Invalid::Empty);
                }
                if !names.insert(name.as_str()) {
                    return Err(Invalid::Twice(name.clone()));
                }
            }
        }
        for service in &self.services {
            if let Some(to) = service.depends_on.iter().find(|to| !names.contains(to.as_str())) {
                return Err(Invalid::Unknown { from: service.name.clone(), to: to.clone() });
            }
        }
        Ok(())
    }
}

/// The catalogue made ready for look-ups: names resolved, edges in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    services: BTreeMap<String, Service>,
    names: BTreeMap<String, String>,
    neighbours: BTreeMap<String, BTreeSet<String>>,
    calls: BTreeMap<String, BTreeSet<String>>,
    /// The services within [`NEAR_CALLS`] of each one, nearest first; at most [`NEAR_MAX`].
    near: BTreeMap<String, Vec<String>>,
}

impl Topology {
    /// Prepares a catalogue. Names that do not resolve are left out; [`Catalog::check`] names them.
    #[must_use]
    pub fn new(catalog: &Catalog) -> Self {
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
                    topology.calls.entry(service.name.clone()).or_default().insert(to.clone());
                    topology.neighbours.entry(service.name.clone()).or_default().insert(to.clone());
                    topology.neighbours.entry(to).or_default().insert(service.name.clone());
                }
            }
        }
        let near = |service: &Service| (service.name.clone(), around(&topology.neighbours, &service.name));
        topology.near = catalog.services.iter().map(near).collect();
        topology
    }

    /// The services within [`NEAR_CALLS`] of a service in either direction, nearest first, without itself.
    pub fn near(&self, name: &str) -> impl Iterator<Item = &str> + use<'_> {
        let services = self.resolve(name).and_then(|service| self.near.get(service));
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
        self.service(name)?.owner.as_deref()
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

    /// How two services are tied by calls: directly, over one between them, or by a third that both call. Whoever is
    /// unknown to the catalogue has no relation that could be told.
    #[must_use]
    pub fn relation(&self, a: &str, b: &str) -> Option<ServiceRelation> {
        let (a, b) = (self.resolve(a)?, self.resolve(b)?);
        let of = |service: &str| self.calls.get(service);
        let calls = |from: &str, to: &str| of(from).is_some_and(|called| called.contains(to));
        let over_one = |from: &str, to: &str| of(from).is_some_and(|called| called.iter().any(|next| calls(next, to)));
        if calls(a, b) || calls(b, a) {
            return Some(ServiceRelation::Calls);
        }
        if over_one(a, b) || over_one(b, a) {
            return Some(ServiceRelation::CallsOverOne);
        }
        let both = of(a).zip(of(b)).is_some_and(|(ours, theirs)| !ours.is_disjoint(theirs));
        Some(if both { ServiceRelation::CallTheSame } else { ServiceRelation::Apart })
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    fn shop() -> Catalog {
        let service = |name: &str, aliases: &[&str], depends_on: &[&str]| Service {
            name: name.into(),
            aliases: aliases.iter().map(ToString::to_string).collect(),
            owner: None,
            tier: None,
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
        };
        Catalog {
            services: vec![
                service("nginx", &[], &["checkout"]),
                service("checkout", &["shop-api"], &["postgres"]),
                service("postgres", &["pg"], &[]),
                service("backup", &[], &[]),
            ],
        }
    }

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
        assert_eq!(topology.relation("pg", "checkout"), Some(ServiceRelation::Calls));
        assert_eq!(topology.relation("nginx", "postgres"), Some(ServiceRelation::CallsOverOne));
        assert_eq!(topology.relation("checkout", "backup"), Some(ServiceRelation::Apart), "nginx calls both");
        assert_eq!(topology.relation("checkout", "ghost"), None);
        catalog.services[3].depends_on.push("pg".into());
        let topology = Topology::new(&catalog);
        assert_eq!(topology.relation("shop-api", "backup"), Some(ServiceRelation::CallTheSame));
    }

    #[test]
    fn a_bad_catalogue_is_named() {
        let mut catalog = shop();
        catalog.services[0].depends_on.push("ghost".into());
        assert!(matches!(catalog.check(), Err(Invalid::Unknown { to, .. }) if to == "ghost"));
        let mut catalog = shop();
        catalog.services[3].name = "pg".into();
        assert_eq!(catalog.check(), Err(Invalid::Twice("pg".into())));
    }
}
