//! What every incident that may be joined is made of, and how it is found again. Owns the newest alert of each of an
//! incident's kinds, its tempo, the index by what may be shared, and what people said of two incidents; refuses to weigh
//! and to decide. Everything follows from decisions in their order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::limits::CONSIDERED_MAX;
use hindcast_domain::{Fingerprint, IncidentId, Span, Time};
use serde::{Deserialize, Serialize};

use crate::counts::HashedCounts;
use crate::evidence::{AlertEvidence, TellingValue};
use crate::pair::PairScorer;
use crate::parameters::PARAMETERS as P;
use crate::tempo::Tempo;
use crate::traits::{hash, thing};

/// Groups below which nothing is let go.
const SWEPT_MIN: usize = 256;
/// Kinds whose last incident is remembered below which nothing is let go.
const LAST_MIN: usize = 4_096;
/// Services of one call, and of more, whose incidents are looked at.
const SERVICES_NEAR: usize = 48;

/// What an incident is made of, as far as joining goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentGroup {
    /// The incident.
    pub id: IncidentId,
    /// When it opened, by the decision.
    pub opened: Time,
    /// When its last alert began to fire, by the decision.
    pub last: Time,
    tempo: Tempo,
    /// The newest alert of each of its newest kinds, oldest first.
    pub(crate) newest: Vec<AlertEvidence>,
    /// Alerts that joined so far.
    pub(crate) alerts: u32,
    /// The other incident that the last alerts fitted too, and how many in a row.
    bridge: Option<(u64, u32)>,
    /// When the second step is asked next.
    pub review: Option<Time>,
}

/// The groups of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentGroups {
    groups: BTreeMap<u64, IncidentGroup>,
    /// Incidents by the hash of what is shared, newest last.
    index: HashedCounts<VecDeque<u64>>,
    /// The last incident of each kind.
    last: HashedCounts<u64>,
    /// The incidents that an alert joined last, newest last: who shares nothing is told that it was kept out of them.
    newest: VecDeque<u64>,
    /// The time scale of each source.
    tempos: BTreeMap<u64, Tempo>,
    /// Pairs that a person took apart.
    apart: BTreeSet<(u64, u64)>,
    /// Incidents that a person put together, or whose split a person took back.
    whole: BTreeSet<u64>,
    /// How many groups and kinds the last sweep left.
    swept: usize,
    swept_last: usize,
}

fn key(id: &IncidentId) -> u64 {
    hash(b'i', &[id.as_str()])
}

fn ordered(a: u64, b: u64) -> (u64, u64) {
    (a.min(b), a.max(b))
}

impl IncidentGroup {
    fn born(id: &IncidentId, now: Time) -> Self {
        Self {
            id: id.clone(),
            opened: now,
            last: now,
            tempo: Tempo::default(),
            newest: Vec::new(),
            alerts: 0,
            bridge: None,
            review: None,
        }
    }

    /// Seconds between its own alerts.
    pub(crate) fn own_tempo_s(&self, before_s: f64) -> f64 {
        self.tempo.mean_s(before_s, 2)
    }

    /// Whether its activity goes on, so that other alerts may join. What still fires does not prolong it.
    #[must_use]
    pub fn is_active(&self, now: Time) -> bool {
        #[allow(clippy::cast_precision_loss)] // seconds of hours
        let [least, most, prior, times] =
            [P.end_least_s.value, P.end_most_s.value, P.tempo_s.value, P.end_times.value].map(|value| value as f64);
        let own = self.own_tempo_s(prior) * times;
        now.since(self.last).as_secs_f64() <= own.clamp(least, most)
    }

    /// Whether it is so small that the same alert finds it for long.
    fn takes_back(&self, now: Time) -> bool {
        self.newest.len() <= P.returning_kinds.value && now.since(self.last) <= Span::seconds(P.returning_s.value)
    }

    /// Whether another alert than its own may find it.
    #[must_use]
    pub fn is_open_to_others(&self, now: Time) -> bool {
        self.is_active(now) || self.takes_back(now)
    }

    /// Whether an alert comes back to it that nobody is paged for.
    #[must_use]
    pub fn has_quiet(&self, alert: &AlertEvidence) -> bool {
        !alert.pages && self.newest.iter().any(|known| known.kind == alert.kind && !known.pages)
    }

    /// The alerts that others are compared with, oldest first.
    pub(crate) fn compared(&self) -> &[AlertEvidence] {
        &self.newest[self.newest.len().saturating_sub(P.compared.value)..]
    }

    fn remember(&mut self, alert: AlertEvidence) {
        self.newest.retain(|known| known.kind != alert.kind);
        if self.newest.len() == P.remembered.value {
            self.newest.remove(0);
        }
        self.newest.push(alert);
    }
}

impl IncidentGroups {
    /// The group of an incident, while it is remembered.
    #[must_use]
    pub fn get(&self, id: &IncidentId) -> Option<&IncidentGroup> {
        self.groups.get(&key(id))
    }

    /// Takes in that an alert opened an incident. What shares something with it is asked about it again.
    pub fn open(&mut self, id: &IncidentId, alert: AlertEvidence, now: Time) {
        self.sweep(now);
        self.groups.insert(key(id), IncidentGroup::born(id, now));
        self.put(id, alert, now);
    }

    /// Takes in that an alert joined an incident, and which other one it fitted too.
    pub fn join(&mut self, id: &IncidentId, alert: AlertEvidence, second: Option<&IncidentId>, now: Time) {
        let second = second.map(key);
        let group = self.groups.entry(key(id)).or_insert_with(|| IncidentGroup::born(id, now));
        group.bridge = second.map(|second| match group.bridge {
            Some((before, times)) if before == second => (second, times.saturating_add(1)),
            _ => (second, 1),
        });
        self.put(id, alert, now);
    }

    /// The time scale of a source that a newcomer names, in seconds.
    #[must_use]
    pub fn tempo_of(&self, alert: &AlertEvidence) -> f64 {
        self.source_tempo_s(alert.source)
    }

    /// The tempo of a source, in seconds.
    pub(crate) fn source_tempo_s(&self, source: u64) -> f64 {
        let tempo = self.tempos.get(&source).copied().unwrap_or_default();
        #[allow(clippy::cast_precision_loss)] // seconds of minutes
        let (before, least) = (P.tempo_s.value as f64, P.tempo_least_s.value as f64);
        tempo.mean_s(before, P.tempo_gaps.value).max(least)
    }

    fn put(&mut self, id: &IncidentId, alert: AlertEvidence, now: Time) {
        let own = key(id);
        let Some(group) = self.groups.get_mut(&own) else { return };
        let gap_s = now.since(group.last).as_secs_f64();
        // Alerts of one delivery have no gap between them.
        if group.alerts > 0 && gap_s >= 1.0 {
            group.tempo.add(gap_s);
            #[allow(clippy::cast_precision_loss)] // seconds of minutes
            if gap_s <= P.tempo_most_s.value as f64 {
                let tempo = self.tempos.entry(alert.source).or_default();
                tempo.add(gap_s);
                if tempo.gaps > 500 {
                    *tempo = Tempo { sum: tempo.sum / 2, gaps: tempo.gaps / 2 };
                }
            }
        }
        group.alerts = group.alerts.saturating_add(1);
        group.last = group.last.max(now);
        self.last.insert(alert.kind, own);
        self.newest.retain(|known| *known != own);
        if self.newest.len() == CONSIDERED_MAX {
            self.newest.pop_front();
        }
        self.newest.push_back(own);
        let has_company = self.touch(&alert, own);
        if let Some(group) = self.groups.get_mut(&own) {
            group.remember(alert);
        }
        self.plan(own, has_company);
    }

    /// When the second step is asked next: at fixed times after the opening, and only where there is somebody to ask
    /// about or enough to split.
    fn plan(&mut self, own: u64, has_company: bool) {
        let Some(group) = self.groups.get_mut(&own) else { return };
        let times = [P.review_s.value, P.divide_s.value].map(|after| group.opened + Span::seconds(after));
        let splits = group.newest.len() > P.split_kinds.value;
        let next = times.into_iter().find(|at| *at > group.last);
        if group.review.is_none() && (has_company || splits) {
            group.review = next;
        }
    }

    /// Lists an incident under all that an alert has; whether another one is listed there.
    fn touch(&mut self, alert: &AlertEvidence, own: u64) -> bool {
        let mut has_company = false;
        for shared in keys(alert) {
            let listed = self.index.entry(shared);
            has_company |= listed.iter().any(|other| *other != own && self.groups.contains_key(other));
            if listed.back() == Some(&own) {
                continue;
            }
            listed.retain(|other| *other != own);
            if listed.len() == P.listed.value {
                listed.pop_front();
            }
            listed.push_back(own);
        }
        has_company
    }

    /// The incidents that an alert may join or be merged with, without `besides`: each shares something with it, or a
    /// service close by, and may be joined still. At most [`GroupingParameters::candidates`].
    ///
    /// [`GroupingParameters::candidates`]: crate::parameters::GroupingParameters::candidates
    pub(crate) fn candidates<'a>(
        &'a self,
        alert: &AlertEvidence,
        scorer: &PairScorer<'_>,
        besides: Option<&IncidentId>,
        now: Time,
    ) -> Vec<&'a IncidentGroup> {
        let besides = besides.map(key);
        let mut found: Vec<(u64, &IncidentGroup)> = Vec::with_capacity(P.candidates.value);
        if let Some(last) = self.last.get(alert.kind).filter(|last| Some(**last) != besides)
            && let Some(group) = self.groups.get(last)
            && (group.is_active(now) || group.takes_back(now))
        {
            found.push((*last, group));
        }
        let near = alert.service.iter().flat_map(|service| scorer.topology().near(service)).take(SERVICES_NEAR);
        for shared in keys(alert).chain(near.map(thing)) {
            for listed in self.index.get(shared).into_iter().flatten().rev() {
                if found.len() == P.candidates.value {
                    return found.into_iter().map(|(_, group)| group).collect();
                }
                if Some(*listed) != besides
                    && !found.iter().any(|(known, _)| known == listed)
                    && let Some(group) = self.groups.get(listed).filter(|group| group.is_active(now))
                {
                    found.push((*listed, group));
                }
            }
        }
        if besides.is_none() {
            let newest = self.newest.iter().rev().filter_map(|newest| Some((*newest, self.groups.get(newest)?)));
            for (newest, group) in newest.filter(|(_, group)| group.is_active(now)) {
                if found.len() < P.candidates.value && !found.iter().any(|(known, _)| *known == newest) {
                    found.push((newest, group));
                }
            }
        }
        found.into_iter().map(|(_, group)| group).collect()
    }

    /// How many alerts in a row fitted these two incidents, with this one.
    pub(crate) fn bridged(&self, to: &IncidentId, second: &IncidentId) -> u32 {
        let before = self.get(to).and_then(|group| group.bridge).filter(|(other, _)| *other == key(second));
        before.map_or(0, |(_, times)| times) + 1
    }

    /// Whether a person took two incidents apart.
    #[must_use]
    pub fn are_apart(&self, a: &IncidentId, b: &IncidentId) -> bool {
        self.apart.contains(&ordered(key(a), key(b)))
    }

    /// Whether a person said that an incident is one.
    #[must_use]
    pub fn is_whole(&self, id: &IncidentId) -> bool {
        self.whole.contains(&key(id))
    }

    /// Takes in that one incident became a part of another.
    pub fn merge(&mut self, into: &IncidentId, from: &IncidentId, by_person: bool) {
        let Some(left) = self.groups.remove(&key(from)) else { return };
        let own = key(into);
        let group = self.groups.entry(own).or_insert_with(|| IncidentGroup::born(into, left.opened));
        group.alerts = group.alerts.saturating_add(left.alerts);
        group.last = group.last.max(left.last);
        group.tempo = Tempo { sum: group.tempo.sum + left.tempo.sum, gaps: group.tempo.gaps + left.tempo.gaps };
        group.review = group.review.or(left.review);
        let mut all = std::mem::take(&mut group.newest);
        all.extend(left.newest);
        all.sort_by(|a, b| (a.began, &a.fingerprint).cmp(&(b.began, &b.fingerprint)));
        all.into_iter().for_each(|alert| group.remember(alert));
        if by_person {
            self.whole.insert(own);
        }
        self.list_again(own);
    }

    /// Takes in that alerts left an incident for another one.
    pub fn part(&mut self, from: &IncidentId, to: &IncidentId, moved: &[Fingerprint], by_person: bool) {
        let Some(group) = self.groups.get_mut(&key(from)) else { return };
        let moved: BTreeSet<&Fingerprint> = moved.iter().collect();
        let (left, stayed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut group.newest).into_iter().partition(|alert| moved.contains(&alert.fingerprint));
        group.newest = stayed;
        let count = u32::try_from(moved.len()).unwrap_or(u32::MAX);
        group.alerts = group.alerts.saturating_sub(count);
        let (opened, last) = (group.opened, group.last);
        let born = self.groups.entry(key(to)).or_insert_with(|| IncidentGroup::born(to, opened));
        born.last = born.last.max(last);
        born.alerts = born.alerts.saturating_add(count);
        left.into_iter().for_each(|alert| born.remember(alert));
        if by_person {
            self.apart.insert(ordered(key(from), key(to)));
        }
        self.list_again(key(to));
        self.list_again(key(from));
    }

    /// Takes in that a person took two incidents apart that were merged: they are not merged again.
    pub fn take_apart(&mut self, incident: &IncidentId, other: &IncidentId, moved: &[Fingerprint]) {
        self.part(incident, other, moved, true);
        self.whole.remove(&key(incident));
        self.apart.insert(ordered(key(incident), key(other)));
    }

    /// Takes in that a person put a part back: the incident is not split again.
    pub fn put_back(&mut self, incident: &IncidentId, part: &IncidentId) {
        self.merge(incident, part, true);
        self.apart.remove(&ordered(key(incident), key(part)));
        self.whole.insert(key(incident));
    }

    /// Takes in that the second step was asked at `now`.
    pub fn reviewed(&mut self, id: &IncidentId, now: Time) {
        if let Some(group) = self.groups.get_mut(&key(id)) {
            let last = group.opened + Span::seconds(P.divide_s.value);
            group.review = (now < last).then_some(last);
        }
    }

    fn list_again(&mut self, own: u64) {
        let Some(group) = self.groups.get(&own) else { return };
        for alert in group.newest.clone() {
            self.last.insert(alert.kind, own);
            self.touch(&alert, own);
        }
    }

    /// Lets go of groups that nothing can join, and of what leads to them, once there are twice as many.
    fn sweep(&mut self, now: Time) {
        if self.groups.len() >= SWEPT_MIN.max(self.swept * 2) {
            let kept = Span::seconds(P.end_most_s.value.max(P.returning_s.value));
            self.groups.retain(|_, group| now.since(group.last) <= kept);
            self.swept = self.groups.len();
            let groups = &self.groups;
            self.index.retain(|listed| listed.iter().any(|id| groups.contains_key(id)));
            self.apart.retain(|(a, b)| groups.contains_key(a) || groups.contains_key(b));
            self.whole.retain(|id| groups.contains_key(id));
        }
        if self.last.len() >= LAST_MIN.max(self.swept_last * 2) {
            let groups = &self.groups;
            self.last.retain(|id| groups.contains_key(id));
            self.swept_last = self.last.len();
        }
    }
}

/// What an alert is found again by, the most telling first.
fn keys(alert: &AlertEvidence) -> impl Iterator<Item = u64> + '_ {
    let tells = |value: &&TellingValue| value.information >= P.telling.value;
    let subject = alert.subject.iter().chain([&alert.name]).chain(&alert.things).chain(&alert.namespace);
    let rest = alert.labels.iter().filter(tells).chain(alert.words.iter().filter(tells));
    subject.chain(rest).map(|value| value.hash)
}
