//! A pair of alerts: its measures, and what they weigh. Owns the one path from two alerts to log-odds that serving and
//! training share; refuses to know an incident.
//!
//! The measures are information that both share, a relation between their services, and how much likelier the time
//! between them is under one cause than by chance (Fellegi and Sunter 1969, on the weight of agreement). The weighed
//! parts are rounded one by one, so that they add up to the score exactly.

use std::cell::RefCell;

use hindcast_domain::catalog::{RelatedServices, Topology};

use crate::counts::ByHash;
use crate::evidence::{AlertEvidence, TellingValue};
use crate::features::Features;
use crate::math::ln;
use crate::parameters::PARAMETERS as P;
use crate::weights::GroupingWeights;

/// What a pair says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScoredPair {
    pub(crate) features: Features,
    pub(crate) says: PairSays,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairSays {
    /// Log-odds, in thousandths.
    LogOdds(i32),
    /// They share nothing: that they came together says nothing.
    Nothing,
    /// They share nothing, and something speaks against it.
    Against,
}

impl PairSays {
    /// What it counts in a mean.
    pub(crate) fn clipped(self) -> i32 {
        match self {
            Self::LogOdds(log_odds) => log_odds.clamp(-P.silent.value, P.clip.value),
            Self::Nothing => -P.silent.value,
            Self::Against => -P.clip.value,
        }
    }
}

/// The classes of what is shared, as they stand first in [`Features`].
const ENTITY: usize = 0;
const NAME: usize = 1;
const NAMESPACE: usize = 2;
const LABEL: usize = 3;
const WORD: usize = 4;

/// Weighs pairs by one version.
pub struct PairScorer<'a> {
    weights: &'a GroupingWeights,
    topology: &'a Topology,
    /// Weights of version 1: they order what is shared, so that the measures do not depend on what was learnt.
    order: [f64; 5],
    /// Relations that were looked up, by both services.
    relations: RefCell<ByHash<Option<RelatedServices>>>,
    /// Room for what a pair shares.
    room: RefCell<Vec<SharedValue>>,
}

/// A value that both alerts have: what it weighs, its class, and what it says in nats.
type SharedValue = (f64, usize, f64);

impl<'a> PairScorer<'a> {
    /// With a version's weights and the catalogue.
    #[must_use]
    pub fn new(weights: &'a GroupingWeights, topology: &'a Topology) -> Self {
        let by = GroupingWeights::default();
        let order = [by.same_entity, by.same_name, by.same_namespace, by.labels, by.words];
        let order = order.map(|weight| f64::from(weight) / 1_000.0);
        Self { weights, topology, order, relations: RefCell::default(), room: RefCell::default() }
    }

    /// The weights that it weighs with.
    pub(crate) const fn weights(&self) -> &'a GroupingWeights {
        self.weights
    }

    /// The catalogue that it looks at.
    pub(crate) const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// The measures of a pair; `later` came after `earlier`, and what it knew then counts. `tempo_s` is the time scale
    /// of its source.
    #[must_use]
    pub fn features(&self, later: &AlertEvidence, earlier: &AlertEvidence, tempo_s: f64) -> Features {
        let mut features = self.related(later, earlier);
        coincidence(&mut features, later, earlier, tempo_s);
        features
    }

    /// The measures but for time: what both share, and how their services are related.
    fn related(&self, later: &AlertEvidence, earlier: &AlertEvidence) -> Features {
        let is_elsewhere = is_elsewhere(later, earlier);
        let is_same = self.is_same_subject(later, earlier, is_elsewhere);
        let mut room = self.room.take();
        let is_tied = share(later, earlier, is_same, &mut room);
        let mut features = self.damped(&mut room);
        room.clear();
        self.room.replace(room);
        if is_same {
            features.same_service = f64::from(u8::from(later.is_watched && earlier.is_watched));
        } else {
            self.relate(&mut features, later, earlier, is_tied, is_elsewhere);
        }
        features
    }

    /// What a pair says.
    pub(crate) fn score(&self, later: &AlertEvidence, earlier: &AlertEvidence, tempo_s: f64) -> ScoredPair {
        let mut features = self.related(later, earlier);
        let [entity, name, namespace, labels, words, same_service, topology, no_path, apart, ..] =
            features.weighed(self.weights);
        let relation = same_service + topology + no_path + apart;
        let says = if entity + name + namespace + labels + words + relation > P.shared_least.value {
            coincidence(&mut features, later, earlier, tempo_s);
            PairSays::LogOdds(features.log_odds(self.weights))
        } else if relation < 0 {
            PairSays::Against
        } else {
            PairSays::Nothing
        };
        ScoredPair { features, says }
    }

    /// One name means one thing within a namespace; across them only where the catalogue says so.
    fn is_same_subject(&self, a: &AlertEvidence, b: &AlertEvidence, is_elsewhere: bool) -> bool {
        let is_named = a.subject.zip(b.subject).is_some_and(|(a, b)| a.hash == b.hash);
        let is_known =
            || a.cluster_agrees(b) && a.service.as_deref().is_some_and(|name| self.topology.resolve(name).is_some());
        is_named && (!is_elsewhere || is_known())
    }

    /// The most telling first, each next one worth less, and all together no more than a bound: labels that say the same
    /// twice count once and a bit.
    fn damped(&self, shared: &mut [SharedValue]) -> Features {
        for (weighed, class, information) in shared.iter_mut() {
            *weighed = *information * self.order[*class];
        }
        shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let (mut factor, mut sum, mut by_class) = (1.0, 0.0, [0.0; 5]);
        for (weighed, class, information) in shared.iter() {
            sum += weighed * factor;
            by_class[*class] += information * factor;
            factor *= f64::from(i32::try_from(P.damping.value).unwrap_or(1_000)) / 1_000.0;
        }
        let most = f64::from(P.shared_most.value) / 1_000.0;
        let within = if sum > most { most / sum } else { 1.0 };
        let [same_entity, same_name, same_namespace, labels, words] = by_class.map(|nats| nats * within);
        Features { same_entity, same_name, same_namespace, labels, words, ..Features::default() }
    }

    fn relation(&self, a: &AlertEvidence, b: &AlertEvidence) -> Option<RelatedServices> {
        let (ours, theirs) = a.service.as_deref().zip(b.service.as_deref())?;
        let (subject, other) = a.subject.zip(b.subject)?;
        let both = subject.hash ^ other.hash.rotate_left(32);
        let mut known = self.relations.borrow_mut();
        *known.entry(both).or_insert_with(|| self.topology.relation(ours, theirs))
    }

    fn relate(&self, features: &mut Features, a: &AlertEvidence, b: &AlertEvidence, is_tied: bool, is_elsewhere: bool) {
        // Certificates, backups, disks: they are understood alone, and only what they name ties them to others.
        let alone = a.explains_itself || b.explains_itself;
        let relation = self.relation(a, b);
        let nearness = relation.map_or(0, |related| related.relation.nearness() * related.confidence);
        if nearness > 0 {
            features.topology = if alone { 0.0 } else { f64::from(nearness) / 1e6 };
            // What is only proposed leaves room for a catalogue that knows both and no way.
            if let Some(related) = relation.filter(|related| related.is_in_catalog && !is_tied) {
                features.no_path = f64::from(1_000 - related.confidence) / 1e3;
            }
        } else if !is_tied {
            features.no_path = f64::from(u8::from(relation.is_some())) + f64::from(u8::from(alone));
            features.apart = f64::from(u8::from(is_elsewhere));
        }
    }
}

/// How much likelier the time between two alerts is under one cause than by chance, at the rate at which such alerts come
/// by themselves.
fn coincidence(features: &mut Features, later: &AlertEvidence, earlier: &AlertEvidence, tempo_s: f64) {
    let apart_s = later.began.distance(earlier.began).as_secs_f64();
    let often = f64::from(later.ln_rate.max(earlier.ln_rate)) / 1_000.0;
    features.time = ln(tempo_s) - 2.0 * ln(apart_s + tempo_s) - often;
    if later.kind == earlier.kind && !later.pages && !earlier.pages {
        let returning = f64::from(P.returning.value) / 1_000.0 - ln(1.0 + apart_s / 3_600.0);
        features.returning = (returning - features.time).max(0.0);
    }
}

impl AlertEvidence {
    fn cluster_agrees(&self, other: &Self) -> bool {
        self.cluster.is_none() || other.cluster.is_none() || self.cluster == other.cluster
    }
}

fn is_elsewhere(a: &AlertEvidence, b: &AlertEvidence) -> bool {
    let namespaces = a.namespace.zip(b.namespace).is_some_and(|(a, b)| a.hash != b.hash);
    namespaces || !a.cluster_agrees(b)
}

/// Puts what both share into `shared`, with what it said to the later one; whether a thing ties them besides their
/// subjects. What says nothing is left out.
fn share(a: &AlertEvidence, b: &AlertEvidence, is_same: bool, shared: &mut Vec<SharedValue>) -> bool {
    let mut push = |class, value: TellingValue| {
        if value.information > 0 {
            shared.push((0.0, class, f64::from(value.information) / 1_000.0));
        }
    };
    if let Some(subject) = a.subject.filter(|_| is_same) {
        push(ENTITY, subject);
    }
    let mut is_tied = false;
    if a.cluster_agrees(b) {
        for (thing, _) in both(&a.things, &b.things) {
            is_tied = true;
            push(ENTITY, thing);
        }
        for thing in a.things.iter().filter(|thing| b.subject.is_some_and(|subject| subject.hash == thing.hash)) {
            is_tied = true;
            push(ENTITY, *thing);
        }
        for subject in a.subject.iter().filter(|subject| b.things.iter().any(|thing| thing.hash == subject.hash)) {
            is_tied = true;
            push(ENTITY, *subject);
        }
    }
    if let Some((namespace, _)) = a.namespace.zip(b.namespace).filter(|(a, b)| a.hash == b.hash) {
        push(NAMESPACE, namespace);
    }
    both(&a.labels, &b.labels).for_each(|(label, _)| push(LABEL, label));
    if a.name.hash == b.name.hash {
        push(NAME, a.name);
    } else {
        let mut most: [Option<TellingValue>; 2] = [None, None];
        for (word, _) in both(&a.words, &b.words) {
            let says = |known: &Option<TellingValue>| known.map_or(0, |known| known.information);
            if word.information > says(&most[0]) {
                most = [Some(word), most[0]];
            } else if word.information > says(&most[1]) {
                most[1] = Some(word);
            }
        }
        most.into_iter().flatten().for_each(|word| push(WORD, word));
    }
    is_tied
}

/// What stands in both of two sorted lists.
fn both<'a>(a: &'a [TellingValue], b: &'a [TellingValue]) -> impl Iterator<Item = (TellingValue, TellingValue)> + 'a {
    let mut rest = b.iter().peekable();
    a.iter().filter_map(move |ours| {
        while rest.next_if(|theirs| theirs.hash < ours.hash).is_some() {}
        rest.next_if(|theirs| theirs.hash == ours.hash).map(|theirs| (*ours, *theirs))
    })
}
