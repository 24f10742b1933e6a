//! How many distinct problems share a sign. Owns the count; refuses to know names: a sign is generic because
//! many problems had it, not because of what it is called.
//!
//! The measure is the inverse document frequency, counted over distinct problems and not over incidents: a problem that
//! came back nine times is still one problem, and its signs are still its own.

use std::collections::BTreeMap;

use hindcast_similarity as similarity;

use super::Remembered;
use super::compare;
use super::signs::{RecallSign, signs};

/// Remembered incidents that are counted.
const INCIDENTS_MAX: usize = 200;
/// The least that a sign weighs.
const LEAST: f64 = 0.1;

/// Counts over remembered incidents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rarity {
    problems: usize,
    counts: BTreeMap<String, usize>,
}

impl Rarity {
    /// Counts over these incidents, in any order; the oldest first decide what the distinct problems are.
    #[must_use]
    pub fn of<'a>(remembered: impl IntoIterator<Item = &'a Remembered>) -> Self {
        let mut all: Vec<&Remembered> = remembered.into_iter().collect();
        all.sort_by(|a, b| (a.opened_at, &a.incident).cmp(&(b.opened_at, &b.incident)));
        all.dedup_by(|a, b| a.incident == b.incident);
        let mut problems: Vec<(&Remembered, BTreeMap<String, ()>)> = Vec::new();
        for one in all.into_iter().rev().take(INCIDENTS_MAX).rev() {
            let keys = signs(one).into_iter().map(|sign| (sign.key, ()));
            let known = problems.iter_mut().find(|(first, _)| compare::is_same(one, first, &Self::default()));
            match known {
                Some((_, known)) => known.extend(keys),
                None => problems.push((one, keys.collect())),
            }
        }
        let mut counts = BTreeMap::new();
        for key in problems.iter().flat_map(|(_, keys)| keys.keys()) {
            *counts.entry(key.clone()).or_default() += 1;
        }
        Self { problems: problems.len(), counts }
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
