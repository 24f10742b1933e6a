//! The data set: labelled pairs of alerts with their features. Owns the bitemporal join: features *as known
//! when the younger alert fired*, labels *as known at the training position*. There is no other join, so a
//! label that comes late, labels of an alert that change later and a catalogue that is corrected later change
//! no earlier feature.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::features::Features;
use hindcast_correlation::grouped::GroupedAlerts;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::traits::{AlertTraits, Newcomer};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::book::Book;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::{About, Kind, Label, Labels};
use hindcast_domain::links::ServiceLinks;
use hindcast_domain::{EventId, Fingerprint, IncidentId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Examples of one data set, at the most; the newest are kept.
pub const EXAMPLES_MAX: usize = 50_000;

/// What is known when a feature is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// What the ledger said before the younger alert fired.
    AsKnown,
    /// What it says at the end. It exists so that a test can show what would leak.
    #[doc(hidden)]
    Hindsight,
}

/// One labelled pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The `alert.fired` event of the younger one.
    pub fired: EventId,
    /// Where it stands.
    pub position: u64,
    /// Fingerprint of the pair's other alert, which fired before.
    pub older: Fingerprint,
    /// The younger one's service.
    pub service: Option<String>,
    /// Measures in millionths, in the order of [`Features::NAMES`].
    pub features: [i32; Features::COUNT],
    /// Whether people say that they are one problem.
    pub same: bool,
    /// How much that counts, in thousandths.
    pub weight: u32,
    /// Pairs of one bag were labelled by one act: of those that are one problem, one has to be alike.
    pub bag: EventId,
    /// The incident that it was labelled in.
    pub incident: IncidentId,
}

impl Example {
    /// The features as the engine has them.
    #[must_use]
    pub fn measured(&self) -> [f64; Features::COUNT] {
        self.features.map(|millionths| f64::from(millionths) / 1e6)
    }
}

/// Labelled pairs, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The first position that was looked at.
    pub from: u64,
    /// The training position: nothing later was seen.
    pub to: u64,
    /// One example for each pair that people labelled, in the order of positions.
    pub examples: Vec<Example>,
    /// Labels about pairs that counted at the training position.
    pub labels: u32,
    /// Of these, without features: the firing stands before `from`, or was never seen.
    pub unmatched: u32,
    /// Pairs that were labelled both ways with equal weight; they are left out.
    pub undecided: u32,
}

impl Dataset {
    /// SHA-256 of the canonical form, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        assert!(!bytes.is_empty(), "a data set of ours always has a JSON form");
        hindcast_domain::hex::hex(&Sha256::digest(&bytes))
    }
}

/// The part that an example belongs to, by a hash of its bag under a seed: what one act labelled stays
/// together, so that no part knows the answers of another.
#[must_use]
pub fn fold(example: &Example, seed: u64, parts: u64) -> u64 {
    crate::seeded::hash(seed, example.bag.as_str()) % parts.max(1)
}

/// Builds the data set from a partition's history in the order of the ledger: decisions about alerts,
/// incidents and labels, and the catalogue's configurations. `from..=to` bounds the firings that are looked
/// at, and nothing behind `to` is read.
pub fn build<'a>(
    history: impl IntoIterator<Item = &'a Recorded, IntoIter: Clone>,
    from: u64,
    to: u64,
    knowledge: Knowledge,
) -> Dataset {
    let history = history.into_iter().take_while(|recorded| recorded.position <= to);
    let mut labels = Labels::default();
    history.clone().for_each(|recorded| {
        labels.evolve(recorded);
    });
    let mut builder = DatasetBuilder::new(&labels, from, to);
    if knowledge == Knowledge::Hindsight {
        let mut end = KnownWorld::default();
        history.clone().for_each(|recorded| end.see(recorded));
        builder.end = Some(end);
    }
    history.for_each(|recorded| builder.see(recorded));
    builder.finish()
}

/// Builds a data set from a history that is read once, when its labels are known already. What it holds is
/// the alerts and incidents as they stood, and the pairs that people spoke of.
pub struct DatasetBuilder {
    wanted: PairLabels,
    world: KnownWorld,
    /// What the ledger says at the end, where hindsight is allowed.
    end: Option<KnownWorld>,
    dataset: Dataset,
    found: BTreeSet<(EventId, Fingerprint)>,
}

impl DatasetBuilder {
    /// For the labels that count at the training position `to`.
    #[must_use]
    pub fn new(labels: &Labels, from: u64, to: u64) -> Self {
        let wanted = PairLabels::of(labels, to);
        let dataset = Dataset { from, to, labels: wanted.labels, undecided: wanted.undecided, ..Dataset::default() };
        Self { wanted, world: KnownWorld::default(), end: None, dataset, found: BTreeSet::new() }
    }

    /// Takes the next event of the history; what stands behind the training position is not looked at.
    pub fn see(&mut self, recorded: &Recorded) {
        if recorded.position > self.dataset.to {
            return;
        }
        if let (Event::AlertFired(fired), true) = (&recorded.event, recorded.position >= self.dataset.from) {
            for want in self.wanted.pairs.get(&recorded.id).into_iter().flatten() {
                let known = self.end.as_ref().unwrap_or(&self.world);
                if let Some(example) = known.example(recorded, fired, want) {
                    self.found.insert((recorded.id.clone(), want.older.clone()));
                    self.dataset.examples.push(example);
                }
            }
        }
        self.world.see(recorded);
    }

    /// The data set.
    #[must_use]
    pub fn finish(self) -> Dataset {
        let Self { wanted, mut dataset, found, .. } = self;
        let pairs: usize = wanted.pairs.values().map(Vec::len).sum();
        dataset.unmatched = u32::try_from(pairs - found.len()).unwrap_or(u32::MAX);
        let surplus = dataset.examples.len().saturating_sub(EXAMPLES_MAX);
        dataset.examples.drain(..surplus);
        dataset
    }
}

/// A pair that people said something of.
struct WantedPair {
    older: Fingerprint,
    incident: IncidentId,
    same: bool,
    weight: u32,
    bag: EventId,
}

/// Labels about pairs, as they counted at the training position.
struct PairLabels {
    pairs: BTreeMap<EventId, Vec<WantedPair>>,
    labels: u32,
    undecided: u32,
}

impl PairLabels {
    fn of(labels: &Labels, to: u64) -> Self {
        let mut votes: BTreeMap<(EventId, Fingerprint), Vec<&Label>> = BTreeMap::new();
        let mut count = 0;
        for label in labels.counting_at(to).filter(|label| label.given.kind == Kind::Grouping) {
            if let About::Pair { fired, older, .. } = &label.given.about {
                votes.entry((fired.clone(), older.clone())).or_default().push(label);
                count += 1;
            }
        }
        let (mut pairs, mut undecided) = (BTreeMap::<EventId, Vec<WantedPair>>::new(), 0);
        for ((fired, older), labels) in votes {
            match vote(&labels) {
                Some((same, weight, label)) => {
                    let About::Pair { incident, .. } = &label.given.about else { continue };
                    let (incident, bag) = (incident.clone(), label.given.from.clone());
                    pairs.entry(fired).or_default().push(WantedPair { older, incident, same, weight, bag });
                }
                None => undecided += 1,
            }
        }
        Self { pairs, labels: count, undecided }
    }
}

/// What several labels about one pair say together: the heavier side, by the difference of the weights. However often
/// somebody says the same of it, it counts once, as loud as it was said the loudest.
fn vote<'a>(labels: &[&'a Label]) -> Option<(bool, u32, &'a Label)> {
    let side = |same: bool| labels.iter().copied().filter(move |label| (label.given.value == "same") == same);
    let sum = |same| {
        let mut loudest = BTreeMap::<&str, u32>::new();
        for label in side(same) {
            let weight = loudest.entry(label.by.as_str()).or_default();
            *weight = (*weight).max(label.given.weight);
        }
        loudest.into_values().sum::<u32>()
    };
    let (yes, no) = (sum(true), sum(false));
    let heaviest = |same| side(same).max_by_key(|label| (label.given.weight, label.position));
    match yes.cmp(&no) {
        std::cmp::Ordering::Greater => Some((true, (yes - no).min(1_000), heaviest(true)?)),
        std::cmp::Ordering::Less => Some((false, (no - yes).min(1_000), heaviest(false)?)),
        std::cmp::Ordering::Equal => None,
    }
}

/// What was known up to a place.
#[derive(Default)]
struct KnownWorld {
    book: Book,
    catalog: Catalog,
    links: ServiceLinks,
    topology: Topology,
    grouped: GroupedAlerts,
    /// What each alert said when it last fired.
    fired: BTreeMap<Fingerprint, AlertEvidence>,
}

impl KnownWorld {
    fn see(&mut self, recorded: &Recorded) {
        if let Event::Configured(section) = &recorded.event {
            if section.section == "catalog"
                && let Ok(catalog) = serde_json::from_value::<Catalog>(section.content.clone())
            {
                self.catalog = catalog;
                self.topology = Topology::with_links(&self.catalog, &self.links);
            }
            return;
        }
        if self.links.evolve(recorded) {
            self.topology = Topology::with_links(&self.catalog, &self.links);
            return;
        }
        self.book.evolve(recorded);
        self.grouped.evolve(&self.book, recorded);
        if let (Event::AlertFired(_), Ok(fingerprint)) = (&recorded.event, recorded.subject.parse::<Fingerprint>()) {
            let evidence = self.grouped.evidence(&self.book, &fingerprint, recorded.time);
            self.fired.extend(evidence.map(|evidence| (fingerprint, evidence)));
        }
    }

    fn example(
        &self,
        recorded: &Recorded,
        fired: &hindcast_domain::alert::Fired,
        want: &WantedPair,
    ) -> Option<Example> {
        let older = self.fired.get(&want.older)?;
        let fingerprint = recorded.subject.parse::<Fingerprint>().ok()?;
        let newcomer = Newcomer {
            fingerprint: &fingerprint,
            source: &fired.source,
            severity: fired.severity,
            name: &fired.name,
            service: fired.service.as_deref(),
            about: fired.about.as_deref(),
            labels: &fired.labels,
            annotations: &fired.annotations,
            starts_at: fired.starts_at,
        };
        let traits = AlertTraits::of(&newcomer);
        let evidence = AlertEvidence::of(&newcomer, traits, &self.grouped.baseline, recorded.time);
        let weights = GroupingWeights::default();
        let tempo_s = self.grouped.groups.tempo_of(&evidence);
        let features = PairScorer::new(&weights, &self.topology).features(&evidence, older, tempo_s);
        #[allow(clippy::cast_possible_truncation)] // measures are nats of a few dozen at the most
        let millionths = features.values().map(|measure| (measure * 1e6).round() as i32);
        Some(Example {
            fired: recorded.id.clone(),
            position: recorded.position,
            older: want.older.clone(),
            service: fired.service.clone(),
            features: millionths,
            same: want.same,
            weight: want.weight,
            bag: want.bag.clone(),
            incident: want.incident.clone(),
        })
    }
}
