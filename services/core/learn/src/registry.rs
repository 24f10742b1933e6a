//! Which versions exist and which one is in force: a fold over the ledger, and the two decisions that move
//! it. Owns the conditions (only a pass promotes; the version to go back to is proven loadable before the
//! pointer moves); refuses to know who asks.

use std::collections::BTreeMap;

use hindcast_domain::EventId;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::model::{Aliases, Judged, Promoted, Registered, RolledBack, Verdict};
use hindcast_engines::cluster::Weights;
use serde::{Deserialize, Serialize};

use crate::train::{self, NAME};

/// Versions that are kept with their weights; an older one is found in the ledger.
const VERSIONS_MAX: usize = 200;

/// Why the pointer did not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such version.
    #[error("expected a registered version of {NAME}, got {0}; list them with: hindcast models")]
    Unknown(u32),
    /// Its weights do not give its hash.
    #[error("version {version} cannot be loaded: {detail}")]
    Damaged {
        /// Which.
        version: u32,
        /// What is wrong.
        detail: String,
    },
    /// No comparison with the version in force ended in a pass.
    #[error(
        "expected a comparison of version {version} with version {against} that passed, got {got}; run: hindcast backtest"
    )]
    NotPassed {
        /// Which.
        version: u32,
        /// The version in force.
        against: u32,
        /// How the newest comparison ended.
        got: String,
    },
    /// It is in force already.
    #[error("version {0} is in force already")]
    InForce(u32),
    /// Nothing was promoted that could be left.
    #[error("no version was promoted that could be rolled back")]
    NothingToRollBack,
}

/// Versions, judgements and the alias "in force".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    known: BTreeMap<u32, Registered>,
    judged: BTreeMap<u32, Vec<(EventId, Judged)>>,
    /// What is in force, and since when.
    pub aliases: Aliases,
}

impl Registry {
    /// Folds one event; events about other things and other models change nothing.
    pub fn evolve(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ModelRegistered(registered) if registered.name == NAME => {
                // A version is registered once; what is said again later changes nothing.
                self.known.entry(registered.version).or_insert_with(|| registered.clone());
                while self.known.len() > VERSIONS_MAX {
                    self.known.pop_first();
                }
            }
            Event::ModelJudged(judged) if judged.name == NAME => {
                self.judged.entry(judged.version).or_default().push((recorded.id.clone(), judged.clone()));
            }
            _ => {
                self.aliases.evolve(recorded);
            }
        }
    }

    /// The version in force; 1 is the one set by hand.
    #[must_use]
    pub fn in_force(&self) -> u32 {
        self.aliases.version(NAME).unwrap_or_else(|| Weights::default().version)
    }

    /// The version that the next training gets.
    #[must_use]
    pub fn next_version(&self) -> u32 {
        self.known.keys().next_back().copied().unwrap_or(1).max(1).saturating_add(1)
    }

    /// The weights of a version, proven to be those that were registered.
    ///
    /// # Errors
    /// An unknown version, or weights that do not give their hash.
    pub fn weights(&self, version: u32) -> Result<Weights, Error> {
        let by_hand = Weights::default();
        if version == by_hand.version {
            return Ok(by_hand);
        }
        let registered = self.known.get(&version).ok_or(Error::Unknown(version))?;
        let weights = train::from_map(&registered.weights).map_err(|detail| Error::Damaged { version, detail })?;
        let hash = train::hash(&weights, &registered.lineage);
        if hash != registered.hash {
            let detail = format!("expected hash {}, its weights give {hash}", registered.hash);
            return Err(Error::Damaged { version, detail });
        }
        Ok(weights)
    }

    /// The decision that puts a version in force.
    ///
    /// # Errors
    /// It is unknown, damaged, in force already, or did not pass against what is in force.
    pub fn promote(&self, version: u32, actor: &str) -> Result<Draft, Error> {
        let previous = self.in_force();
        if version == previous {
            return Err(Error::InForce(version));
        }
        self.weights(version)?;
        self.weights(previous)?;
        let mut judged = self.judged.get(&version).into_iter().flatten();
        let newest = judged.rfind(|(_, judged)| judged.against == previous);
        match newest {
            Some((event, judged)) if judged.verdict == Verdict::Pass => {
                let promoted = Promoted { name: NAME.to_owned(), version, previous, evidence: vec![event.clone()] };
                Ok(Draft::by(actor, NAME, Event::ModelPromoted(promoted)))
            }
            other => {
                let got = other.map_or_else(|| "none".to_owned(), |(_, judged)| format!("{:?}", judged.verdict));
                Err(Error::NotPassed { version, against: previous, got: got.to_lowercase() })
            }
        }
    }

    /// The decision that puts the version before in force again.
    ///
    /// # Errors
    /// Nothing was promoted, or the version before cannot be loaded.
    pub fn roll_back(&self, why: &str, actor: &str) -> Result<Draft, Error> {
        let in_force = self.aliases.0.get(NAME).ok_or(Error::NothingToRollBack)?;
        let to = in_force.previous.ok_or(Error::NothingToRollBack)?;
        self.weights(to)?;
        let back = RolledBack { name: NAME.to_owned(), from: in_force.version, to, why: why.to_owned() };
        Ok(Draft::by(actor, NAME, Event::ModelRolledBack(back)))
    }
}
