//! The service catalogue: names, aliases, owners and who depends on whom, as people write it. Owns what makes one valid;
//! refuses to know where the file came from.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::CATALOG_SERVICES_MAX;
use crate::links::{LinkKind, ServiceLink, ServiceLinks};

pub use crate::topology::{PROPOSED_MIN, RelatedServices, ServiceRelation, Topology};

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

impl Catalog {
    /// The catalogue with what people confirmed besides it.
    #[must_use]
    pub fn with_confirmed(&self, links: &ServiceLinks) -> Self {
        let mut all = self.clone();
        for ServiceLink { kind, from, to } in links.confirmed() {
            let at = all.place(from);
            match kind {
                LinkKind::OwnedBy => {
                    all.services[at].owner.get_or_insert_with(|| to.clone());
                }
                LinkKind::DependsOn => {
                    let called = all.place(to);
                    let called = all.services[called].name.clone();
                    if all.services[at].name != called && !all.services[at].depends_on.contains(&called) {
                        all.services[at].depends_on.push(called);
                    }
                }
            }
        }
        all
    }

    /// Where it lists a service by one of its names; it is added where it is not there.
    fn place(&mut self, name: &str) -> usize {
        let is_named = |service: &Service| service.name == name || service.aliases.iter().any(|alias| alias == name);
        self.services.iter().position(is_named).unwrap_or_else(|| {
            let (aliases, depends_on) = (Vec::new(), Vec::new());
            self.services.push(Service { name: name.to_owned(), aliases, owner: None, tier: None, depends_on });
            self.services.len() - 1
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shop() -> Catalog {
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
    fn a_bad_catalogue_is_named() {
        let mut catalog = shop();
        catalog.services[0].depends_on.push("ghost".into());
        assert!(matches!(catalog.check(), Err(Invalid::Unknown { to, .. }) if to == "ghost"));
        let mut catalog = shop();
        catalog.services[3].name = "pg".into();
        assert_eq!(catalog.check(), Err(Invalid::Twice("pg".into())));
    }
}
