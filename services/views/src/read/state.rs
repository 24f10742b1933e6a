//! Counts, versions and the state hash as of a position, from the documents alone.

use hindcast_domain::words::{ItemFault, ParkedStatus};
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::canonical::{self, EntityDigest, FOLD_VERSION};
use hindcast_domain::label::Label;
use hindcast_domain::model::{InForce, PAIR_SCORER};
use hindcast_domain::{alert, incident};
use hindcast_queries::StateCounts;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest, Sha256};

use super::Reader;
use crate::error::Error;
use crate::fold::DigestsByFold;
use crate::project::live::{Class, ClassCounts, Summary};
use crate::store::Document;
use crate::store::keys::{DocumentKind, List};

/// What the state hash covers, and the list that names it.
const HASHED: [(&str, List); 5] = [
    ("alerts", List::Alerts),
    ("silences", List::Silences),
    ("labels", List::Labels),
    ("aliases", List::Aliases),
    ("incidents", List::Incidents),
];

/// What the counts want of an alert; the rest is passed over unread.
#[derive(Deserialize)]
struct AlertGlance {
    status: alert::Status,
    suppressed: Option<IgnoredAny>,
    service: Option<String>,
}

impl AlertGlance {
    fn class(&self) -> Class {
        if self.service.as_deref() == Some(alert::TEST_SERVICE) {
            return Class::Uncounted;
        }
        Class::Alert(self.status, self.suppressed.is_some())
    }
}

#[derive(Deserialize)]
struct IncidentGlance {
    status: incident::Status,
}

fn glance<T: DeserializeOwned>(json: &[u8], expected: &'static str) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|source| Error::Json { expected, source })
}

impl Reader {
    /// Digests of everything that the state hash covers, and the counts.
    pub(crate) fn summary(&self) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        for (fold, list) in HASHED {
            for entry in self.store.list(list, self.at, None) {
                let (_, id) = entry?;
                if let Some((partition, digest, class)) = self.entity(fold, &id)? {
                    summary.add((fold, partition, id), digest, class);
                }
            }
        }
        Ok(summary)
    }

    /// Adds the digests of alerts and incidents that are not there yet.
    pub(crate) fn digests_besides(&self, all: &mut DigestsByFold) -> Result<(), Error> {
        let known: BTreeSet<Box<str>> = all.values().flat_map(|ids| ids.keys().cloned()).collect();
        for (fold, list) in HASHED.into_iter().filter(|(fold, _)| matches!(*fold, "alerts" | "incidents")) {
            for entry in self.store.list(list, self.at, None) {
                let (_, id) = entry?;
                if known.contains(id.as_str()) {
                    continue;
                }
                if let Some((partition, digest, _)) = self.entity(fold, &id)? {
                    all.entry((fold, partition)).or_default().insert(id.into(), digest);
                }
            }
        }
        Ok(())
    }

    /// Partition, digest and class of one entity that the state hash covers.
    pub(crate) fn entity(&self, fold: &str, id: &str) -> Result<Option<(String, EntityDigest, Class)>, Error> {
        let kind = match fold {
            "alerts" => DocumentKind::Alert,
            "silences" => DocumentKind::Silence,
            "labels" => DocumentKind::Label,
            "aliases" => DocumentKind::Alias,
            _ => DocumentKind::Incident,
        };
        let Some(document) = self.store.document(kind, id, self.at)? else { return Ok(None) };
        let (partition, json) = document.parts()?;
        // A document of an alert or a silence is the canonical form itself.
        let (digest, class) = match kind {
            DocumentKind::Alert => {
                let glance: AlertGlance =
                    serde_json::from_slice(json).map_err(|source| Error::Json { expected: "an alert", source })?;
                (Sha256::digest(json).into(), glance.class())
            }
            DocumentKind::Label => (document.read::<Label>("a label")?.1.digest(), Class::Uncounted),
            DocumentKind::Alias => {
                (canonical::digest(&document.read::<InForce>("a production version")?.1), Class::Uncounted)
            }
            DocumentKind::Incident => {
                let (_, mut incident) = document.read::<incident::Incident>("an incident")?;
                for (fingerprint, stored) in self.members(id)? {
                    let fingerprint = fingerprint.parse().map_err(|_| Error::Form { expected: "a fingerprint" })?;
                    incident.members.insert(fingerprint, stored.member);
                }
                (canonical::digest(&incident), Class::of_incident(&incident))
            }
            _ => (Sha256::digest(json).into(), Class::Uncounted),
        };
        Ok(Some((partition.to_owned(), digest, class)))
    }

    /// What is counted, from the documents: the way of the positions that nobody was told of lately.
    pub(crate) fn state_counts(&self) -> Result<StateCounts, Error> {
        let mut counts = ClassCounts::default();
        self.each(DocumentKind::Alert, List::Alerts, |document| {
            let glance: AlertGlance = glance(document.parts()?.1, "an alert")?;
            counts.moved(None, Some(glance.class()));
            Ok(())
        })?;
        self.each(DocumentKind::Incident, List::Incidents, |document| {
            let glance: IncidentGlance = glance(document.parts()?.1, "an incident")?;
            counts.moved(None, Some(Class::Incident(glance.status)));
            Ok(())
        })?;
        let ClassCounts { incidents, alerts } = counts;
        Ok(StateCounts { incidents, alerts, parked: self.parked_open()? })
    }

    fn each(
        &self,
        kind: DocumentKind,
        list: List,
        mut work: impl FnMut(&Document) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for entry in self.store.list(list, self.at, None) {
            let (_, id) = entry?;
            if let Some(document) = self.store.document(kind, &id, self.at)? {
                work(&document)?;
            }
        }
        Ok(())
    }

    /// Parked items that nobody has looked at. Events of a newer binary are listed, and not counted here.
    pub(crate) fn parked_open(&self) -> Result<u64, Error> {
        let mut open = 0;
        for entry in self.store.list(List::Parked, self.at, None) {
            let (_, id) = entry?;
            let item = self.parked_item(&id)?;
            open += u64::from(
                item.is_some_and(|item| item.status == ParkedStatus::Parked && item.code != ItemFault::UnknownEvent),
            );
        }
        Ok(open)
    }

    /// The versions in force: the folds, the weights, and the hash of each configuration section.
    pub(crate) fn versions(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut versions = BTreeMap::new();
        versions.insert("fold".to_owned(), FOLD_VERSION.to_string());
        let (mut by_hand, mut learnt) = (None, None);
        for entry in self.store.list(List::Sections, self.at, None) {
            let (_, name) = entry?;
            let Some(section) = self.section(&name)? else {
                continue;
            };
            let version = section.content.pointer("/weights/version").or(section.content.pointer("/version"));
            match name.as_str() {
                "correlation" => by_hand = version.map(ToString::to_string),
                PAIR_SCORER => learnt = version.map(ToString::to_string),
                _ => {}
            }
            versions.insert(name, section.hash);
        }
        // What was learnt and promoted lies over what people set.
        versions.insert("weights".to_owned(), learnt.or(by_hand).unwrap_or_else(|| "1".to_owned()));
        Ok(versions)
    }
}
