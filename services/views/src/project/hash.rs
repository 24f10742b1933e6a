//! The state hash of now, from the folds themselves: digests of what changed since it was last asked for are made when
//! it is, so that neither a storm nor whoever looks at it pays for what the other does. Refuses to read the store.

use std::collections::BTreeSet;

use hindcast_domain::canonical::{self, EntityDigest};
use hindcast_domain::{Fingerprint, IncidentId, LabelId, Partition, SilenceId};

use super::Projector;
use super::live::ClassCounts;
use crate::error::Error;
use crate::fold::{self, DigestsByFold, Folds};

/// Minutes for which the digests are kept when nobody asks for the hash.
const UNASKED_MAX: u32 = 60;

/// What is kept at hand, of one position.
#[derive(Clone, Debug)]
pub(crate) struct StateNow {
    pub(crate) position: u64,
    pub(crate) hash: String,
    pub(crate) counts: ClassCounts,
    pub(crate) parked: u64,
}

/// An entity that the state hash covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dirty {
    Alert(Fingerprint),
    Incident(IncidentId),
    Silence(SilenceId),
    Label(LabelId),
    Alias(String),
}

/// The digests as of the last position whose state hash was asked for.
#[derive(Debug, Default)]
pub(super) struct Digests {
    /// All of them, once asked.
    of: Option<DigestsByFold>,
    /// Entities that changed since.
    changed: BTreeSet<(Partition, Dirty)>,
    /// The hash of all, while nothing changed.
    hash: Option<String>,
    /// How often what is over was looked for since somebody asked.
    unasked: u32,
}

impl Digests {
    /// Notes what a batch changed.
    pub(super) fn note(&mut self, changed: BTreeSet<(Partition, Dirty)>) {
        if changed.is_empty() {
            return;
        }
        self.hash = None;
        if self.of.is_some() {
            self.changed.extend(changed);
        }
    }

    /// Makes the digests of what changed, before it leaves memory.
    pub(super) fn settle(&mut self, folds: &Folds) {
        let changed = std::mem::take(&mut self.changed);
        let Some(of) = &mut self.of else { return };
        for (partition, dirty) in changed {
            if let Some(digest) = dirty.digest(folds, &partition) {
                let (fold, id) = dirty.key();
                of.entry((fold, partition.to_string())).or_default().insert(id.into(), digest);
            }
        }
    }

    /// Lets go of the digests where nobody asked for the hash lately.
    pub(super) fn forget_unasked(&mut self) {
        self.unasked = self.unasked.saturating_add(1);
        if self.unasked > UNASKED_MAX {
            self.of = None;
            self.changed.clear();
        }
    }

    /// The state hash of the folds; `all` makes the digests of everything where there are none.
    fn hash(&mut self, folds: &Folds, all: impl FnOnce() -> Result<DigestsByFold, Error>) -> Result<String, Error> {
        self.unasked = 0;
        if let Some(hash) = &self.hash {
            return Ok(hash.clone());
        }
        self.settle(folds);
        let of = match self.of.take() {
            Some(of) => of,
            None => all()?,
        };
        let of = self.of.insert(of);
        let hash = fold::hash_of(of);
        self.hash = Some(hash.clone());
        Ok(hash)
    }
}

impl Dirty {
    /// Where its digest stands.
    fn key(&self) -> (&'static str, &str) {
        match self {
            Self::Alert(id) => ("alerts", id.as_str()),
            Self::Incident(id) => ("incidents", id.as_str()),
            Self::Silence(id) => ("silences", id.as_str()),
            Self::Label(id) => ("labels", id.as_str()),
            Self::Alias(model) => ("aliases", model.as_str()),
        }
    }

    fn digest(&self, folds: &Folds, partition: &Partition) -> Option<EntityDigest> {
        Some(match self {
            Self::Alert(id) => canonical::digest(folds.books.get(partition)?.alerts.get(id)?),
            Self::Incident(id) => canonical::digest(folds.books.get(partition)?.incidents.get(id)?),
            Self::Silence(id) => canonical::digest(folds.silences.get(partition)?.0.get(id)?),
            Self::Label(id) => folds.labels.get(partition)?.0.get(id)?.digest(),
            Self::Alias(model) => canonical::digest(folds.aliases.get(partition)?.0.get(model)?),
        })
    }
}

impl Projector {
    /// The state as of what was projected last; `besides` adds the digests of what is not in memory as of a position.
    pub(crate) fn state_now(
        &mut self,
        besides: impl FnOnce(u64, &mut DigestsByFold) -> Result<(), Error>,
    ) -> Result<StateNow, Error> {
        let Self { digests, folds, checkpoint, forgotten, .. } = self;
        let all = || {
            let mut all = folds.digests();
            if *forgotten {
                // What is not in memory is as it is written.
                besides(checkpoint.position, &mut all)?;
            }
            Ok(all)
        };
        let hash = digests.hash(folds, all)?;
        let (position, parked) = (self.checkpoint.position, self.parked.len() as u64);
        Ok(StateNow { position, hash, counts: self.classes, parked })
    }
}
