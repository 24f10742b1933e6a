//! How many distinct problems share a sign. Owns the count; refuses to know names: a sign is generic because
//! many problems had it, not because of what it is called.
//!
//! The measure is the inverse document frequency, counted over distinct problems and not over incidents: a problem that
//! came back nine times is still one problem, and its signs are still its own.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_similarity as similarity;

use super::signs::RecallSign;

/// The least that a sign weighs.
const LEAST: f64 = 0.1;

/// Counts over remembered incidents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rarity {
    problems: usize,
    counts: BTreeMap<String, usize>,
}

impl Rarity {
    /// Counts over distinct problems, each with the keys of its signs.
    pub(super) fn count(problems: impl Iterator<Item = BTreeSet<String>>) -> Self {
        let mut counted = Self::default();
        for keys in problems {
            counted.problems += 1;
            for key in keys {
                *counted.counts.entry(key).or_default() += 1;
            }
        }
        counted
    }

    /// Distinct problems that were counted.
    #[must_use]
    pub const fn problems(&self) -> usize {
        self.problems
    }

    /// What a sign weighs: 1 where one problem has it, less the more share it.
    pub(super) fn weight(&self, sign: &RecallSign<'_>) -> f64 {
        let share = self.counts.get(&sign.key).copied().unwrap_or(0);
        if self.problems < 2 || share < 2 {
            return 1.0;
        }
        similarity::rarity(self.problems + 1, share).clamp(LEAST, 1.0)
    }
}
