//! Training: a data set becomes weights. Owns the choice of rows, the signs that a weight may have, the
//! threshold and the version's hash; the regression itself stands behind [`Trainer`].

use std::collections::BTreeMap;

use hindcast_correlation::features::{FEATURES_VERSION, Features};
use hindcast_correlation::weights::{GroupingWeights, logistic};
use hindcast_domain::model::{Lineage, Metrics, Registered};
use sha2::{Digest, Sha256};

use crate::card::{self, WRONG_MERGE_COSTS};
use crate::dataset::{self, Dataset, Example};

/// Labelled pairs below which nothing is trained.
pub const EXAMPLES_MIN: usize = 20;

/// Parts that the labels are split into; each is scored by what was learnt from the others.
const FOLDS: u64 = 4;
/// Decisions on unseen labels below which the threshold stays that of the parent.
const HELD_BACK_MIN: usize = 10;
/// What the squares of the moves weigh, against whole labels.
const PENALTY: f64 = 4.0;
/// The column of the parent's log-odds is this much larger than they are, so that keeping them costs little.
const SHARE_SCALE: f64 = 5.0;
/// No weight is larger than this, in thousandths of log-odds. Where one would be, all are made smaller together: what is
/// one problem and what is two stays so.
const WEIGHT_MAX: i32 = 12_000;

/// One row of a regression.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingRow {
    /// Measures, in the order of the columns.
    pub features: Vec<f64>,
    /// One problem, or two.
    pub same: bool,
    /// How often the row counts, in thousandths.
    pub weight: u32,
}

/// Why no version came of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too few labelled pairs.
    #[error(
        "expected at least {EXAMPLES_MIN} labelled pairs, got {0}; label more incidents: merge, split, name causes"
    )]
    TooFew(usize),
    /// All labels say the same.
    #[error("expected pairs that are one problem and pairs that are two, got only one of both")]
    OneSided,
    /// The regression gave no finite weights.
    #[error("the regression did not come to an end: {0}")]
    NoFit(String),
}

/// Logistic regression without an intercept, with a penalty on the squares of the coefficients. The same rows
/// give the same fit.
pub trait Trainer {
    /// Its name with its version, as it stands in the model card.
    fn name(&self) -> &'static str;

    /// Fits rows that are sorted: one coefficient a column, in log-odds. `penalty` weighs half the sum of their
    /// squares against the log-likelihood of one whole label.
    ///
    /// # Errors
    /// In words, where it gave no fit.
    fn fit(&self, rows: &[TrainingRow], penalty: f64) -> Result<Vec<f64>, String>;
}

/// What a training is given besides the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSettings {
    /// The seed of every draw.
    pub seed: u64,
    /// The version of the binary.
    pub code: String,
    /// The weights that it begins from.
    pub parent: GroupingWeights,
    /// The version that the result gets; versions are counted by whoever registers them.
    pub version: u32,
}

/// A version that was learnt and not judged yet.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateVersion {
    /// The weights, with their version and threshold.
    pub weights: GroupingWeights,
    /// What it was learnt from.
    pub lineage: Lineage,
    /// SHA-256 of weights and lineage.
    pub hash: String,
    /// How it does on what was held back.
    pub metrics: BTreeMap<String, Metrics>,
    /// The model card.
    pub card: String,
}

impl CandidateVersion {
    /// The fact that says that it exists.
    #[must_use]
    pub fn registered(&self) -> Registered {
        Registered {
            name: hindcast_domain::model::PAIR_SCORER.to_owned(),
            version: self.weights.version,
            hash: self.hash.clone(),
            lineage: self.lineage.clone(),
            weights: to_map(&self.weights),
            metrics: self.metrics.clone(),
            card: self.card.clone(),
        }
    }
}

/// Learns a version.
///
/// # Errors
/// Too few labels, labels that all say the same, or a regression that gave nothing.
pub fn train(trainer: &dyn Trainer, dataset: &Dataset, settings: &TrainingSettings) -> Result<CandidateVersion, Error> {
    if dataset.examples.len() < EXAMPLES_MIN {
        return Err(Error::TooFew(dataset.examples.len()));
    }
    let all: Vec<&Example> = dataset.examples.iter().collect();
    if !two_sided(&all) {
        return Err(Error::OneSided);
    }
    let mut weights = fitted(trainer, &all, settings)?;
    // Each act is scored by weights that were learnt without it, so that the threshold and the figures are
    // of labels that the scorer had not seen.
    let mut unseen: Vec<(&Example, i32)> = Vec::new();
    for fold in 0..FOLDS {
        let (held_back, learnt): (Vec<&Example>, Vec<&Example>) =
            all.iter().partition(|example| dataset::fold(example, settings.seed, FOLDS) == fold);
        if !held_back.is_empty() && two_sided(&learnt) {
            unseen.extend(decisions(&held_back, &fitted(trainer, &learnt, settings)?));
        }
    }
    let held_back = unseen.len() >= HELD_BACK_MIN;
    if held_back {
        weights.threshold = threshold(&unseen, settings.parent.threshold);
    } else {
        unseen = decisions(&all, &weights);
    }
    let lineage = Lineage {
        from: dataset.from,
        to: dataset.to,
        labels: dataset.labels,
        dataset: dataset.hash(),
        seed: settings.seed,
        code: settings.code.clone(),
        features: FEATURES_VERSION,
        parent: settings.parent.version,
    };
    let metrics = metrics(&unseen, weights.threshold);
    let hash = hash(&weights, &lineage);
    let card = card::write(&card::CardSubject {
        weights: &weights,
        parent: &settings.parent,
        lineage: &lineage,
        hash: &hash,
        metrics: &metrics,
        trainer: trainer.name(),
        dataset,
        held_back,
    });
    Ok(CandidateVersion { weights, lineage, hash, metrics, card })
}

/// Who is alike in a bag is first judged by the parent, then by what was learnt from that.
fn fitted(trainer: &dyn Trainer, examples: &[&Example], settings: &TrainingSettings) -> Result<GroupingWeights, Error> {
    let first = fit(trainer, &rows(examples, &settings.parent), settings)?;
    fit(trainer, &rows(examples, &first), settings)
}

fn two_sided(examples: &[&Example]) -> bool {
    examples.iter().any(|example| example.same) && examples.iter().any(|example| !example.same)
}

/// Rows in a fixed order. An alert joins by its best member, so of the pairs of one act that are one
/// problem the most alike one is learnt from (Andrews, Tsochantaridis and Hofmann 2002, on bags), and of
/// those that are two problems every one.
fn rows(examples: &[&Example], by: &GroupingWeights) -> Vec<TrainingRow> {
    let mut best: BTreeMap<(&str, &str), &Example> = BTreeMap::new();
    let mut chosen: Vec<&Example> = Vec::new();
    for example in examples {
        if !example.same {
            chosen.push(example);
            continue;
        }
        let slot = best.entry((example.bag.as_str(), example.fired.as_str())).or_insert(example);
        if log_odds(example, by) > log_odds(slot, by) {
            *slot = example;
        }
    }
    chosen.extend(best.into_values());
    chosen.sort_by_key(|example| (example.features, example.same, example.weight));
    chosen
        .into_iter()
        .map(|example| TrainingRow {
            features: example.measured().to_vec(),
            same: example.same,
            weight: example.weight,
        })
        .collect()
}

/// The log-odds of an example, in thousandths, as serving sums them.
#[must_use]
pub fn log_odds(example: &Example, weights: &GroupingWeights) -> i32 {
    Features::from_values(example.measured()).log_odds(weights)
}

/// Fits how far each weight moves from the parent's, and takes out features whose weight then has the wrong
/// sign: that being alike speaks against one problem is learnt from few labels and by chance, and would
/// surprise whoever reads why.
///
/// People label pairs that were near each other: of those, all are close in time and in services, so the labels
/// say nothing of what closeness is worth, and a fit of them alone forgets it. So the parent's own log-odds are
/// a column that costs next to nothing, and every move away from them is paid for, that of the bias too: what
/// the labels say nothing of keeps what the parent says.
fn fit(trainer: &dyn Trainer, rows: &[TrainingRow], settings: &TrainingSettings) -> Result<GroupingWeights, Error> {
    let mut columns: Vec<usize> = (0..Features::COUNT).collect();
    let parent = settings.parent.by_feature();
    loop {
        let narrow: Vec<TrainingRow> = rows.iter().map(|row| narrowed(row, &columns, &settings.parent)).collect();
        let fitted = trainer.fit(&narrow, PENALTY).map_err(Error::NoFit)?;
        let [moved @ .., bias, share] = fitted.as_slice() else {
            return Err(Error::NoFit(format!("expected {} coefficients, got {fitted:?}", columns.len() + 2)));
        };
        if moved.len() != columns.len() || fitted.iter().any(|value| !value.is_finite()) {
            let expected = columns.len() + 2;
            return Err(Error::NoFit(format!("expected {expected} finite coefficients, got {fitted:?}")));
        }
        let share = share * SHARE_SCALE / 1_000.0;
        let mut weights = [0.0; Features::COUNT];
        for (column, moved) in columns.iter().zip(moved) {
            weights[*column] = moved + share * f64::from(parent[*column]);
        }
        let wrong = |column: &&usize| match Features::NAMES[**column] {
            "no_path" | "apart" => weights[**column] > 0.0,
            _ => weights[**column] < 0.0,
        };
        let worst = columns.iter().filter(wrong).max_by(|a, b| weights[**a].abs().total_cmp(&weights[**b].abs()));
        let Some(worst) = worst.copied() else {
            let bias = bias + share * f64::from(settings.parent.bias);
            return Ok(to_weights(bias, &weights, settings));
        };
        columns.retain(|column| *column != worst);
    }
}

/// The chosen columns of a row, and behind them the constant and the parent's log-odds over the chosen ones.
fn narrowed(row: &TrainingRow, columns: &[usize], parent: &GroupingWeights) -> TrainingRow {
    let weights = parent.by_feature();
    let mut features: Vec<f64> = columns.iter().filter_map(|column| row.features.get(*column).copied()).collect();
    let odds: f64 = columns.iter().zip(&features).map(|(column, value)| f64::from(weights[*column]) * value).sum();
    features.push(1.0);
    features.push((odds + f64::from(parent.bias)) / 1_000.0 * SHARE_SCALE);
    TrainingRow { features, ..row.clone() }
}

fn to_weights(bias: f64, weights: &[f64; Features::COUNT], settings: &TrainingSettings) -> GroupingWeights {
    let largest = weights.iter().chain([&bias]).fold(0.0_f64, |largest, value| largest.max(value.abs())) * 1_000.0;
    let scale = if largest > f64::from(WEIGHT_MAX) { f64::from(WEIGHT_MAX) / largest } else { 1.0 };
    #[allow(clippy::cast_possible_truncation)] // bounded in the same breath
    let thousandths = |value: f64| ((value * scale * 1_000.0).round() as i32).clamp(-WEIGHT_MAX, WEIGHT_MAX);
    let version = GroupingWeights { version: settings.version, ..settings.parent.clone() };
    version.with(thousandths(bias), weights.map(thousandths))
}

/// One decision of what was held back: an alert, and its best score among the pairs of one act.
fn decisions<'a>(examples: &[&'a Example], weights: &GroupingWeights) -> Vec<(&'a Example, i32)> {
    let mut best: BTreeMap<(&str, &str, bool), (&Example, i32)> = BTreeMap::new();
    for example in examples {
        let score = logistic(log_odds(example, weights));
        let slot = best.entry((example.bag.as_str(), example.fired.as_str(), example.same)).or_insert((example, score));
        if score > slot.1 {
            *slot = (example, score);
        }
    }
    best.into_values().collect()
}

/// The threshold that costs least on scores of unseen labels; of equal ones the middle, so that it stands off
/// from both sides.
fn threshold(decisions: &[(&Example, i32)], otherwise: i32) -> i32 {
    let cost = |threshold: i32| -> u64 {
        let of = |(example, score): &(&Example, i32)| match (example.same, *score >= threshold) {
            (true, false) => u64::from(example.weight),
            (false, true) => u64::from(example.weight * WRONG_MERGE_COSTS),
            _ => 0,
        };
        decisions.iter().map(of).sum()
    };
    let costs: Vec<(u64, i32)> = (5..=95).map(|step| (cost(step * 10), step * 10)).collect();
    let least = costs.iter().map(|(cost, _)| *cost).min().unwrap_or(0);
    let best: Vec<i32> = costs.into_iter().filter(|(cost, _)| *cost == least).map(|(_, at)| at).collect();
    best.get(best.len() / 2).copied().unwrap_or(otherwise)
}

/// How scores do on labelled pairs, by service; `*` is all together.
fn metrics(decisions: &[(&Example, i32)], threshold: i32) -> BTreeMap<String, Metrics> {
    let mut by_service: BTreeMap<String, Metrics> = BTreeMap::new();
    for (example, score) in decisions {
        let above = *score >= threshold;
        for service in ["*", example.service.as_deref().unwrap_or("-")] {
            let metrics = by_service.entry(service.to_owned()).or_default();
            metrics.pairs += 1;
            metrics.same += u32::from(example.same);
            metrics.missed += u32::from(example.same && !above);
            metrics.wrongly_same += u32::from(!example.same && above);
        }
    }
    for metrics in by_service.values_mut() {
        let right = metrics.pairs - metrics.missed - metrics.wrongly_same;
        metrics.accuracy = (u64::from(right) * 1_000 / u64::from(metrics.pairs.max(1))) as u32;
    }
    by_service
}

/// SHA-256 of weights and lineage, in hexadecimal. The number that a version gets is no part of it: the same
/// labels learnt twice are the same model, whatever was registered in between.
#[must_use]
pub fn hash(weights: &GroupingWeights, lineage: &Lineage) -> String {
    let bytes = serde_json::to_vec(&(GroupingWeights { version: 0, ..weights.clone() }, lineage)).unwrap_or_default();
    assert!(!bytes.is_empty(), "weights of ours always have a JSON form");
    hindcast_domain::hex::hex(&Sha256::digest(&bytes))
}

/// SHA-256 of weights that are set by hand, whatever version they are called.
#[must_use]
pub fn hand_hash(weights: &GroupingWeights) -> String {
    let bytes = serde_json::to_vec(&GroupingWeights { version: 0, ..weights.clone() }).unwrap_or_default();
    assert!(!bytes.is_empty(), "weights of ours always have a JSON form");
    hindcast_domain::hex::hex(&Sha256::digest(&bytes))
}

/// The weights by name, as they stand in `model.registered`.
#[must_use]
pub fn to_map(weights: &GroupingWeights) -> BTreeMap<String, i64> {
    let value = serde_json::to_value(weights).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    let map: BTreeMap<String, i64> = fields.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect();
    assert!(map.len() > Features::COUNT, "weights of ours are whole numbers by name");
    map
}

/// The weights from their names; every one has to be there.
///
/// # Errors
/// Which name is missing, unknown or out of bounds.
pub fn from_map(map: &BTreeMap<String, i64>) -> Result<GroupingWeights, String> {
    let expected = to_map(&GroupingWeights::default());
    if let Some(missing) = expected.keys().find(|name| !map.contains_key(*name)) {
        return Err(format!("expected a weight {missing:?}, got none"));
    }
    let value = serde_json::to_value(map).map_err(|error| error.to_string())?;
    let weights: GroupingWeights = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if !(1..1_000).contains(&weights.threshold) {
        return Err(format!("expected a threshold of 1 to 999 thousandths, got {}", weights.threshold));
    }
    Ok(weights)
}
