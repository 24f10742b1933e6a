//! What services, people and alerts are called. Owns the look-up of a name; refuses to know which events say it.

use std::collections::{BTreeMap, BTreeSet};

/// The names that some events and the catalogue know.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    /// Every name of a service in lower case, with its one name.
    pub(crate) services: BTreeMap<String, String>,
    /// People, in lower case.
    pub(crate) people: BTreeSet<String>,
    /// Alerts by fingerprint: name and service.
    pub(crate) alerts: BTreeMap<String, Vec<String>>,
    /// Notices by id: their receiver, and whether it is a page.
    pub(crate) notices: BTreeMap<String, (String, bool)>,
    /// Names of metrics, folded.
    pub(crate) metrics: BTreeSet<String>,
}

impl KnownNames {
    /// The one name of a service.
    pub(crate) fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        self.services.get(&name.to_lowercase()).map_or(name, String::as_str)
    }

    /// What an alert is called, by its fingerprint.
    pub(crate) fn alert(&self, fingerprint: &str) -> &[String] {
        self.alerts.get(fingerprint).map_or(&[], Vec::as_slice)
    }
}
