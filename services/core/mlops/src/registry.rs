//! Which versions exist and which one is in force: a fold over the ledger, and the two decisions that move
//! it. Owns the conditions (only a pass promotes; the version to go back to is proven loadable before the
//! pointer moves); refuses to know who asks.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::model::{Aliases, Promoted, Registered, RolledBack};
use serde::{Deserialize, Serialize};

use crate::evidence::VersionEvidence;
use crate::redecide;
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

/// What was in force before a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FormerVersion {
    version: u32,
    /// Absent where the promotion is of before hashes were recorded.
    hash: Option<String>,
}

/// Weights that are set by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct HandWeights {
    /// All that ever were in force, by hash; the newest are kept.
    known: Vec<(String, GroupingWeights)>,
    /// The hash of those to which a roll-back went, where the settings say others by now.
    pinned: Option<String>,
}

impl Default for HandWeights {
    fn default() -> Self {
        let weights = GroupingWeights { version: BY_HAND, ..GroupingWeights::default() };
        Self { known: vec![(train::hand_hash(&weights), weights)], pinned: None }
    }
}

impl HandWeights {
    fn set(&mut self, weights: GroupingWeights) {
        let hash = train::hand_hash(&weights);
        self.known.retain(|(known, _)| *known != hash);
        self.known.push((hash, weights));
        let surplus = self.known.len().saturating_sub(VERSIONS_MAX);
        self.known.drain(..surplus);
        self.pinned = None;
    }

    /// The hash of those that count while nothing that was learnt is in force.
    fn hash(&self) -> &str {
        let newest = self.known.last().map(|(hash, _)| hash.as_str());
        self.pinned.as_deref().or(newest).unwrap_or_default()
    }

    fn of(&self, hash: &str) -> Option<&GroupingWeights> {
        self.known.iter().find(|(known, _)| known == hash).map(|(_, weights)| weights)
    }
}

/// Versions, judgements and the alias of the production version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    known: BTreeMap<u32, Registered>,
    evidence: VersionEvidence,
    hand: HandWeights,
    /// What was replaced by promotions that were not rolled back, oldest first.
    former: Vec<FormerVersion>,
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
                self.evidence.judged(judged, recorded);
            }
            Event::ModelPromoted(promoted) if promoted.name == PAIR_SCORER => {
                self.former.push(FormerVersion { version: promoted.previous, hash: promoted.previous_hash.clone() });
                self.hand.pinned = None;
                self.aliases.evolve(recorded);
            }
            Event::ModelRolledBack(back) if back.name == PAIR_SCORER => {
                self.former.pop();
                self.evidence.rolled_back(recorded.position);
                let by_hand = back.to_hash.clone().filter(|_| back.to == BY_HAND);
                self.hand.pinned = by_hand.filter(|hash| hash != self.hand.hash());
                self.aliases.evolve(recorded);
            }
            // Settings that cannot be read were refused where they were decided, and change nothing here.
            Event::Configured(section) if section.section == redecide::SECTION => {
                if let Ok(weights) = redecide::by_hand(section) {
                    self.hand.set(GroupingWeights { version: BY_HAND, ..weights });
                }
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
                in_force.is_some_and(|alias| alias.version == version)
                    || self.former.iter().any(|former| former.version == version)
            };
            let Some(oldest) = self.known.keys().copied().find(|version| !held(*version)) else { return };
            self.known.remove(&oldest);
            self.evidence.forget(oldest);
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
        let previous_hash = self.hash_of(previous)?;
        let passed = self.evidence.passed(version, &self.hash_of(version)?, &previous_hash);
        let evidence = passed.map_err(|got| Error::NotPassed { version, against: previous, got })?;
        let name = PAIR_SCORER.to_owned();
        let promoted = Promoted { name, version, previous, evidence, previous_hash: Some(previous_hash) };
        Ok(Draft::by(actor, PAIR_SCORER, Event::ModelPromoted(promoted)))
    }

    /// The hash of what a version is. That of the version set by hand is of the weights that count now.
    ///
    /// # Errors
    /// An unknown version.
    pub fn hash_of(&self, version: u32) -> Result<String, Error> {
        if version == BY_HAND {
            return Ok(self.hand.hash().to_owned());
        }
        self.known.get(&version).map(|registered| registered.hash.clone()).ok_or(Error::Unknown(version))
    }

    /// The weights by hand to which a roll-back went, where the settings say others by now.
    #[must_use]
    pub fn pinned_by_hand(&self) -> Option<&GroupingWeights> {
        self.hand.of(self.hand.pinned.as_deref()?)
    }

    /// The decision that puts the version before in force again.
    ///
    /// # Errors
    /// Nothing was promoted, or the version before cannot be loaded.
    pub fn roll_back(&self, why: &str, actor: &str) -> Result<Draft, Error> {
        let FormerVersion { version: to, hash } = self.former.last().ok_or(Error::NothingToRollBack)?;
        let to_hash = match hash {
            Some(hash) => hash.clone(),
            None => self.hash_of(*to)?,
        };
        self.weights_again(*to, &to_hash)?;
        let (from, why) = (self.in_force(), why.to_owned());
        let back = RolledBack { name: PAIR_SCORER.to_owned(), from, to: *to, why, to_hash: Some(to_hash) };
        Ok(Draft::by(actor, PAIR_SCORER, Event::ModelRolledBack(back)))
    }

    /// The weights that a roll-back puts in force: those of the hash that was in force then, also where the settings say
    /// others by now. None where the settings are those of then.
    ///
    /// # Errors
    /// They are not known any more, or another version has that number.
    pub fn weights_again(&self, version: u32, hash: &str) -> Result<Option<GroupingWeights>, Error> {
        if version == BY_HAND {
            let newest = self.hand.known.last().is_some_and(|(known, _)| known == hash);
            let lost =
                || Error::Damaged { version, detail: format!("the weights {hash} that were set by hand are lost") };
            return if newest { Ok(None) } else { self.hand.of(hash).cloned().map(Some).ok_or_else(lost) };
        }
        let weights = self.weights_for(version)?;
        let known = self.hash_of(version)?;
        if known != hash {
            return Err(Error::Damaged {
                version,
                detail: format!("expected hash {hash}, it is registered as {known}"),
            });
        }
        Ok(weights)
    }
}
