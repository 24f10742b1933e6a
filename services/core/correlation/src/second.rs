//! Second step: whether two incidents are one, and whether one is two. Asked when an alert fits both, and again a while
//! after an incident opened. Owns the evidence between incidents; refuses to move anything.
//!
//! Two incidents are merged by the mean evidence between all pairs of their newest kinds (average linkage), each pair
//! clipped: one alert that fits both joins nothing. An incident is split where average linkage leaves parts.

use hindcast_domain::incident::{LinkEvidence, LinkedPair};
use hindcast_domain::{IncidentId, Time};

use crate::evidence::AlertEvidence;
use crate::groups::{IncidentGroup, IncidentGroups};
use crate::pair::PairScorer;
use crate::parameters::PARAMETERS as P;

/// Other incidents that one second step asks about.
const ASKED_MAX: usize = 8;

/// What the second step says of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondStep {
    /// It is one with another one.
    Merge(IncidentId, LinkEvidence),
    /// These kinds of it are another problem.
    Split(Vec<u64>, LinkEvidence),
}

/// The second step of a partition.
pub struct SecondLook<'a> {
    groups: &'a IncidentGroups,
    scorer: &'a PairScorer<'a>,
}

impl<'a> SecondLook<'a> {
    /// Over the groups, weighed by a version.
    #[must_use]
    pub const fn new(groups: &'a IncidentGroups, scorer: &'a PairScorer<'a>) -> Self {
        Self { groups, scorer }
    }

    /// Whether the incident that an alert joins and another one that it fits too are one.
    #[must_use]
    pub fn fits_both(&self, newcomer: &AlertEvidence, to: &IncidentId, second: &IncidentId) -> Option<LinkEvidence> {
        let (ours, theirs) = (self.groups.get(to)?, self.groups.get(second)?);
        let bridged = self.groups.bridged(to, second) >= P.bridge.value;
        let needed = if bridged { P.merge_bridged.value } else { P.merge.value };
        let mut all: Vec<&AlertEvidence> = ours.newest.iter().filter(|known| known.kind != newcomer.kind).collect();
        all.push(newcomer);
        let from = all.len().saturating_sub(P.compared.value);
        let linked = self.linked(&all[from..], &theirs.compared().iter().collect::<Vec<_>>(), needed);
        linked.filter(|linked| linked.mean >= needed && self.may_merge(ours, theirs))
    }

    /// What is asked of an incident at `now`: whether it is one with another one, and whether it is two. `may` says
    /// which incidents may be touched at all. The other incidents that were asked about are handed to `asked`.
    pub fn review(
        &self,
        id: &IncidentId,
        now: Time,
        may: impl Fn(&IncidentId) -> bool,
        asked: &mut dyn FnMut(&IncidentId, &LinkEvidence),
    ) -> Option<SecondStep> {
        let group = self.groups.get(id)?;
        let mut seen: Vec<&IncidentId> = Vec::new();
        for alert in &group.newest {
            for other in self.groups.candidates(alert, self.scorer, Some(id), now) {
                if seen.contains(&&other.id) || !may(&other.id) || !self.may_merge(group, other) {
                    continue;
                }
                if seen.len() == ASKED_MAX {
                    return None;
                }
                seen.push(&other.id);
                let linked = self.linked_groups(group, other)?;
                if linked.mean >= linked.needed {
                    return Some(SecondStep::Merge(other.id.clone(), linked));
                }
                asked(&other.id, &linked);
            }
        }
        None
    }

    /// The kinds of an incident that are another problem, with the evidence between them and the rest.
    #[must_use]
    pub fn divide(&self, id: &IncidentId) -> Option<SecondStep> {
        let group = self.groups.get(id)?;
        let all = &group.newest;
        if all.len() < P.split_kinds.value + 1 || group.alerts > P.split_alerts.value || self.groups.is_whole(id) {
            return None;
        }
        let parts = self.parts(all);
        let leaving = parts.into_iter().nth(1)?;
        let (left, stayed): (Vec<_>, Vec<_>) = (0..all.len()).partition(|at| leaving.contains(at));
        let [left, stayed] = [left, stayed].map(|side| side.into_iter().map(|at| &all[at]).collect::<Vec<_>>());
        let linked = self.linked(&left, &stayed, P.split.value)?;
        Some(SecondStep::Split(left.iter().map(|alert| alert.kind).collect(), linked))
    }

    fn may_merge(&self, a: &IncidentGroup, b: &IncidentGroup) -> bool {
        !self.groups.are_apart(&a.id, &b.id)
    }

    fn linked_groups(&self, a: &IncidentGroup, b: &IncidentGroup) -> Option<LinkEvidence> {
        let [ours, theirs] = [a, b].map(|group| group.compared().iter().collect::<Vec<_>>());
        self.linked(&ours, &theirs, P.merge.value)
    }

    fn says(&self, a: &AlertEvidence, b: &AlertEvidence) -> i32 {
        // What the later one knew counts.
        let (later, earlier) = if (a.began, &a.fingerprint) >= (b.began, &b.fingerprint) { (a, b) } else { (b, a) };
        self.scorer.score(later, earlier, self.groups.source_tempo_s(later.source)).says.clipped()
    }

    fn linked(&self, ours: &[&AlertEvidence], theirs: &[&AlertEvidence], needed: i32) -> Option<LinkEvidence> {
        let (mut sum, mut pairs) = (0_i64, 0_i64);
        let mut extremes: Option<(LinkedPair, LinkedPair)> = None;
        for one in ours {
            for other in theirs {
                let log_odds = self.says(one, other);
                sum += i64::from(log_odds);
                pairs += 1;
                let pair = || LinkedPair { one: one.fingerprint.clone(), other: other.fingerprint.clone(), log_odds };
                let (best, worst) = extremes.get_or_insert_with(|| (pair(), pair()));
                if log_odds > best.log_odds {
                    *best = pair();
                }
                if log_odds < worst.log_odds {
                    *worst = pair();
                }
            }
        }
        let (best, worst) = extremes?;
        let mean = i32::try_from(sum.div_euclid(pairs)).unwrap_or(i32::MIN);
        Some(LinkEvidence { mean, needed, best, worst })
    }

    /// The parts that average linkage leaves, the one with the first alert first. Parts that are too small to stand
    /// alone stay together, or with the first one.
    fn parts(&self, all: &[AlertEvidence]) -> Vec<Vec<usize>> {
        let parts = self.clusters(all);
        let first = |part: &Vec<usize>| part.iter().map(|at| (all[*at].began, *at)).min();
        let (mut big, small): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
            parts.into_iter().partition(|part| part.len() >= P.split_kinds.value);
        let rest: Vec<usize> = small.into_iter().flatten().collect();
        if rest.len() >= P.split_kinds.value {
            big.push(rest);
        } else if let Some(earliest) = big.iter_mut().min_by_key(|part| first(part)) {
            earliest.extend(rest);
        }
        big.sort_by_key(first);
        big
    }

    fn clusters(&self, all: &[AlertEvidence]) -> Vec<Vec<usize>> {
        let mut says = vec![vec![0_i64; all.len()]; all.len()];
        for (x, one) in all.iter().enumerate() {
            for (y, other) in all.iter().enumerate().take(x) {
                let log_odds = i64::from(self.says(one, other));
                says[x][y] = log_odds;
                says[y][x] = log_odds;
            }
        }
        let mut parts: Vec<Vec<usize>> = (0..all.len()).map(|at| vec![at]).collect();
        // Sums between parts are kept, so that joining two costs one row.
        let mut sums = says;
        loop {
            let mut best: Option<(i64, usize, usize)> = None;
            for p in 1..parts.len() {
                for q in 0..p {
                    let pairs = i64::try_from(parts[p].len() * parts[q].len()).unwrap_or(1);
                    let mean = sums[p][q].div_euclid(pairs);
                    if mean >= i64::from(P.split.value) && best.is_none_or(|(most, _, _)| mean >= most) {
                        best = Some((mean, q, p));
                    }
                }
            }
            let Some((_, q, p)) = best else { return parts };
            let joined = parts.remove(p);
            parts[q].extend(joined);
            let row = sums.remove(p);
            for (at, sum) in row.into_iter().enumerate() {
                sums[q][at] += sum;
            }
            for line in &mut sums {
                let moved = line.remove(p);
                line[q] += moved;
            }
        }
    }
}
