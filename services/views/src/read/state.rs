//! Counts, versions and the state hash as of a position, from the documents alone.

use hindcast_domain::words::ParkedStatus;
use std::collections::BTreeMap;

use hindcast_domain::canonical::{self, FOLD_VERSION};
use hindcast_domain::label::Label;
use hindcast_domain::model::{InForce, PAIR_SCORER};
use hindcast_domain::{alert, incident};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::Reader;
use crate::error::Error;
use crate::project::live::{Class, Summary};
use crate::store::Document;
use crate::store::keys::{Kind, List};

/// What the counts want of an alert; the rest is passed over unread.
#[derive(Deserialize)]
struct AlertGlance {
    status: alert::Status,
    suppressed: Option<IgnoredAny>,
}

impl Reader {
    /// Digest and class of everything that the state hash covers.
    pub(crate) fn summary(&self) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        self.each(Kind::Alert, List::Alerts, |id, document| {
            let (partition, json) = document.parts()?;
            let glance: AlertGlance =
                serde_json::from_slice(json).map_err(|source| Error::Json { expected: "an alert", source })?;
            let class = Class::Alert(glance.status, glance.suppressed.is_some());
            // A document is the canonical form itself.
            summary.entities.insert(("alerts", partition.to_owned(), id), (Sha256::digest(json).into(), class));
            Ok(())
        })?;
        self.each(Kind::Silence, List::Silences, |id, document| {
            let (partition, json) = document.parts()?;
            let entry = (Sha256::digest(json).into(), Class::Silence);
            summary.entities.insert(("silences", partition.to_owned(), id), entry);
            Ok(())
        })?;
        self.each(Kind::Label, List::Labels, |id, document| {
            let (partition, label) = document.read::<Label>("a label")?;
            summary.entities.insert(("labels", partition, id), (label.digest(), Class::Silence));
            Ok(())
        })?;
        self.each(Kind::Alias, List::Aliases, |name, document| {
            let (partition, alias) = document.read::<InForce>("a version in force")?;
            summary.entities.insert(("aliases", partition, name), (canonical::digest(&alias), Class::Silence));
            Ok(())
        })?;
        self.each(Kind::Incident, List::Incidents, |id, document| {
            let (partition, mut incident) = document.read::<incident::Incident>("an incident")?;
            for (fingerprint, stored) in self.members(&id)? {
                let fingerprint = fingerprint.parse().map_err(|_| Error::Form { expected: "a fingerprint" })?;
                incident.members.insert(fingerprint, stored.member);
            }
            let entry = (canonical::digest(&incident), Class::of_incident(&incident));
            summary.entities.insert(("incidents", partition, id), entry);
            Ok(())
        })?;
        Ok(summary)
    }

    fn each(
        &self,
        kind: Kind,
        list: List,
        mut work: impl FnMut(String, &Document) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for entry in self.store.list(list, self.at, None) {
            let (_, id) = entry?;
            if let Some(document) = self.store.document(kind, &id, self.at)? {
                work(id, &document)?;
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
            open +=
                u64::from(item.is_some_and(|item| item.status == ParkedStatus::Parked && item.code != "unknown_event"));
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
