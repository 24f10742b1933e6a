//! Compares an incident with many remembered ones, and sorts them. Owns which of the remembered are one problem, by
//! which rarity is counted, and the order of the answer.

use std::collections::BTreeSet;

use hindcast_api::Similar;

use super::compare::{compare, is_same};
use super::signs::signs;
use super::{Rarity, Remembered};

/// Remembered incidents that are counted.
const INCIDENTS_MAX: usize = 200;

/// Compares now with each of the past, and sorts: the same problem first, then look-alikes, best first.
/// Incidents that became a part of another, and the incident itself, are left out.
#[must_use]
pub fn recall(now: &Remembered, past: &[(Remembered, f32)]) -> Vec<Similar> {
    let others: Vec<&(Remembered, f32)> =
        past.iter().filter(|(then, _)| then.incident != now.incident && then.merged_into.is_none()).collect();
    let rarity = Rarity::of(others.iter().map(|(then, _)| then));
    let mut items: Vec<Similar> = others.iter().map(|(then, cosine)| compare(now, then, *cosine, &rarity)).collect();
    let came_back: BTreeSet<&str> = others.iter().filter_map(|(then, _)| then.recurrence_of.as_deref()).collect();
    for item in items.iter_mut().filter(|item| came_back.contains(item.incident.as_str())) {
        item.quiet_for_s = None;
    }
    sort(&mut items);
    items
}

/// Look-alikes that score less are not shown: they share little but words that many incidents have.
pub const SHOWN_MIN: f64 = 0.15;

/// Whether an incident is of the past of another: it was over when the other was opened, or the other is its recurrence.
/// An incident of the same time is a part of the same trouble and teaches nothing about it.
#[must_use]
pub fn is_past(now: &Remembered, then: &Remembered) -> bool {
    let is_over = then.resolved_at.is_some_and(|over| over <= now.opened_at);
    is_over || now.recurrence_of.as_deref() == Some(then.incident.as_str())
}

/// The same problem first, then look-alikes; within either the best first, the newest before older ones.
pub fn sort(items: &mut [Similar]) {
    items.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        b.same.cmp(&a.same).then(by_score).then(b.opened_at.cmp(&a.opened_at)).then(a.incident.cmp(&b.incident))
    });
}

impl Rarity {
    /// Counts over these incidents, in any order; the oldest first decide what the distinct problems are.
    #[must_use]
    pub fn of<'a>(remembered: impl IntoIterator<Item = &'a Remembered>) -> Self {
        let mut all: Vec<&Remembered> = remembered.into_iter().collect();
        all.sort_by(|a, b| (a.opened_at, &a.incident).cmp(&(b.opened_at, &b.incident)));
        all.dedup_by(|a, b| a.incident == b.incident);
        let mut problems: Vec<(&Remembered, BTreeSet<String>)> = Vec::new();
        for one in all.into_iter().rev().take(INCIDENTS_MAX).rev() {
            let keys = signs(one).into_iter().map(|sign| sign.key);
            match problems.iter_mut().find(|(first, _)| is_same(one, first, &Self::default())) {
                Some((_, known)) => known.extend(keys),
                None => problems.push((one, keys.collect())),
            }
        }
        Self::count(problems.into_iter().map(|(_, keys)| keys))
    }
}
