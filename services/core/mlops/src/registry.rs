//! Which versions exist and which one is in force: a fold over the ledger, and the two decisions that move
//! it. Owns the conditions (only a pass promotes; the version to go back to is proven loadable before the
//! pointer moves); refuses to know who asks.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::EventId;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::model::{Aliases, Promoted, Registered, RolledBack, Verdict};
use serde::{Deserialize, Serialize};

use crate::train;
use hindcast_domain::model::PAIR_SCORER;

/// The version that is set by hand: its weights stand in the rules, and no ledger registers it.
pub const BY_HAND: u32 = 1;

/// Versions that are kept with their weights; an older one is found in the ledger.
const VERSIONS_MAX: usize = 200;

/// Why the pointer did not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such version.
    #[error("expected a registered version of {PAIR_SCORER}, got {0}; list them with: hindcast models list")]
    Unknown(u32),
    /// Its weights do not give its hash.
    #[error("version {version} cannot be loaded: {detail}")]
    Damaged {
        /// Number of the damaged version.
        version: u32,
        /// What is wrong.
        detail: String,
    },
    /// No comparison with the version in force ended in a pass.
    #[error(
        "expected a comparison of version {version} with version {against} that passed, got {got}; run: hindcast models compare --candidate {version}"
    )]
    NotPassed {
        /// Number of the version that did not pass.
        version: u32,
        /// The version in force.
        against: u32,
        /// How the newest comparison ended.
        got: String,
    },
    /// It is in force already.
    #[error("version {0} is the production version already")]
    InForce(u32),
    /// Nothing was promoted that could be left.
    #[error("no version was promoted that could be rolled back")]
    NothingToRollBack,
}

/// How the newest comparison of two versions ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ComparisonEnd {
    event: EventId,
    verdict: Verdict,
}

/// Versions, judgements and the alias of the production version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    known: BTreeMap<u32, Registered>,
    /// By the candidate, and by what it was compared with.
    judged: BTreeMap<u32, BTreeMap<u32, ComparisonEnd>>,
    /// What is in force, and since when.
    pub aliases: Aliases,
}

impl Registry {
    /// Folds one event; events about other things and other models change nothing.
    pub fn evolve(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ModelRegistered(registered) if registered.name == PAIR_SCORER => {
                // A version is registered once; what is said again later changes nothing.
                self.known.entry(registered.version).or_insert_with(|| registered.clone());
                self.forget();
            }
            Event::ModelJudged(judged) if judged.name == PAIR_SCORER => {
                let ended = ComparisonEnd { event: recorded.id.clone(), verdict: judged.verdict };
                self.judged.entry(judged.version).or_default().insert(judged.against, ended);
            }
            Event::ModelRegistered(_)
            | Event::ModelJudged(_)
            | Event::ShadowPlaced(_)
            | Event::ModelPromoted(_)
            | Event::ModelRolledBack(_)
            | Event::ModelShadowed(_)
            | Event::ModelUnshadowed(_)
            | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, control, notice } =>
            {
                self.aliases.evolve(recorded);
            }
        }
    }

    /// Lets go of the oldest versions, but never of one that decides or that a roll-back goes to.
    fn forget(&mut self) {
        while self.known.len() > VERSIONS_MAX {
            let in_force = self.aliases.0.get(PAIR_SCORER);
            let held = |version: u32| {
                in_force.is_some_and(|alias| alias.version == version || alias.previous == Some(version))
            };
            let Some(oldest) = self.known.keys().copied().find(|version| !held(*version)) else { return };
            self.known.remove(&oldest);
            self.judged.remove(&oldest);
        }
    }

    /// The version in force; [`BY_HAND`] where none was promoted.
    #[must_use]
    pub fn in_force(&self) -> u32 {
        self.aliases.version(PAIR_SCORER).unwrap_or(BY_HAND)
    }

    /// The newest version that was registered.
    #[must_use]
    pub fn newest(&self) -> Option<&Registered> {
        self.known.values().next_back()
    }

    /// A version that was registered.
    #[must_use]
    pub fn registered(&self, version: u32) -> Option<&Registered> {
        self.known.get(&version)
    }

    /// The version that was registered with this hash: what was learnt already is known by it.
    #[must_use]
    pub fn by_hash(&self, hash: &str) -> Option<&Registered> {
        self.known.values().find(|registered| registered.hash == hash)
    }

    /// The version that the next training gets.
    #[must_use]
    pub fn next_version(&self) -> u32 {
        self.newest().map_or(BY_HAND, |newest| newest.version).max(BY_HAND).saturating_add(1)
    }

    /// The weights of a version, proven to be those that were registered; `by_hand` are those of the rules.
    ///
    /// # Errors
    /// An unknown version, or weights that do not give their hash.
    pub fn weights(&self, version: u32, by_hand: &GroupingWeights) -> Result<GroupingWeights, Error> {
        Ok(self.weights_for(version)?.unwrap_or_else(|| by_hand.clone()))
    }

    /// The weights that a version puts in force; none for the one set by hand, which stands in the rules.
    ///
    /// # Errors
    /// An unknown version, or weights that do not give their hash.
    pub fn weights_for(&self, version: u32) -> Result<Option<GroupingWeights>, Error> {
        if version == BY_HAND {
            return Ok(None);
        }
        let damaged = |detail| Error::Damaged { version, detail };
        let registered = self.known.get(&version).ok_or(Error::Unknown(version))?;
        let weights = train::from_map(&registered.weights).map_err(damaged)?;
        let hash = train::hash(&weights, &registered.lineage);
        if hash != registered.hash {
            return Err(damaged(format!("expected hash {}, its weights give {hash}", registered.hash)));
        }
        if weights.version != version {
            return Err(damaged(format!("expected weights of version {version}, got those of {}", weights.version)));
        }
        Ok(Some(weights))
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
        self.weights_for(version)?;
        self.weights_for(previous)?;
        match self.judged.get(&version).and_then(|against| against.get(&previous)) {
            Some(newest) if newest.verdict == Verdict::Pass => {
                let evidence = vec![newest.event.clone()];
                let promoted = Promoted { name: PAIR_SCORER.to_owned(), version, previous, evidence };
                Ok(Draft::by(actor, PAIR_SCORER, Event::ModelPromoted(promoted)))
            }
            other => {
                let got = other.map_or_else(|| "none".to_owned(), |newest| format!("{:?}", newest.verdict));
                Err(Error::NotPassed { version, against: previous, got: got.to_lowercase() })
            }
        }
    }

    /// The decision that puts the version before in force again.
    ///
    /// # Errors
    /// Nothing was promoted, or the version before cannot be loaded.
    pub fn roll_back(&self, why: &str, actor: &str) -> Result<Draft, Error> {
        let in_force = self.aliases.0.get(PAIR_SCORER).ok_or(Error::NothingToRollBack)?;
        let to = in_force.previous.ok_or(Error::NothingToRollBack)?;
        self.weights_for(to)?;
        let back = RolledBack { name: PAIR_SCORER.to_owned(), from: in_force.version, to, why: why.to_owned() };
        Ok(Draft::by(actor, PAIR_SCORER, Event::ModelRolledBack(back)))
    }
}
