//! The model card: what a version is, what it was learnt from, what it is good and bad at, in Markdown.
//! Owns the words; refuses to know how the figures came about. After Mitchell and others, "Model Cards for
//! Model Reporting" (2019).

use std::collections::BTreeMap;

use hindcast_correlation::features::Features;
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::model::{Lineage, Metrics};

use crate::dataset::Dataset;
use hindcast_domain::model::PAIR_SCORER;

/// A wrong merge hides a problem behind another one; a missed one costs a page.
pub const WRONG_MERGE_COSTS: u32 = 5;

/// Services that the card lists: those with the most labels.
const SERVICES_MAX: usize = 20;

/// What the card is about.
pub struct CardSubject<'a> {
    /// The version's weights.
    pub weights: &'a GroupingWeights,
    /// Those that it began from.
    pub parent: &'a GroupingWeights,
    /// What it was learnt from.
    pub lineage: &'a Lineage,
    /// SHA-256 of the weights, in hex.
    pub hash: &'a str,
    /// How it does, by service.
    pub metrics: &'a BTreeMap<String, Metrics>,
    /// What fitted it.
    pub trainer: &'a str,
    /// The data set.
    pub dataset: &'a Dataset,
    /// Whether the metrics are of labels that it was not learnt from.
    pub held_back: bool,
}

/// Writes the card. One sentence a line.
#[must_use]
pub fn write(of: &CardSubject<'_>) -> String {
    let mut lines = vec![
        format!("# {PAIR_SCORER} {}", of.weights.version),
        String::new(),
        "It says how likely two alerts are one problem, from eleven measures; an alert joins the incident of its best pair.".to_owned(),
        format!("Hash `{}`.", of.hash),
        String::new(),
        "## What it was learnt from".to_owned(),
        String::new(),
    ];
    lines.extend(learnt_from(of));
    lines.extend([
        String::new(),
        "## Weights".to_owned(),
        String::new(),
        "In thousandths of log-odds.".to_owned(),
        String::new(),
        "| feature | this version | before |".to_owned(),
        "|---|---|---|".to_owned(),
        format!("| bias | {} | {} |", of.weights.bias, of.parent.bias),
    ]);
    let both = of.weights.by_feature().into_iter().zip(of.parent.by_feature());
    lines
        .extend(Features::NAMES.iter().zip(both).map(|(name, (now, before))| format!("| {name} | {now} | {before} |")));
    lines.push(format!(
        "| threshold (thousandths of a probability) | {} | {} |",
        of.weights.threshold, of.parent.threshold
    ));
    lines.extend([String::new(), "## How it does".to_owned(), String::new()]);
    lines.push(match of.held_back {
        true => "On labels that it was not learnt from.".to_owned(),
        false => "On the labels that it was learnt from: there were too few to hold some back, so this says little."
            .to_owned(),
    });
    lines.extend([
        String::new(),
        "| service | pairs | one problem | missed | wrongly one | right |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ]);
    let mut services: Vec<_> = of.metrics.iter().collect();
    services.sort_by(|a, b| b.1.pairs.cmp(&a.1.pairs).then_with(|| a.0.cmp(b.0)));
    lines.extend(services.into_iter().take(SERVICES_MAX).map(|(service, metrics)| row(service, metrics)));
    lines.extend([
        String::new(),
        "## What it is not for".to_owned(),
        String::new(),
        "It does not know causes, and says nothing of alerts of two environments: those are never compared.".to_owned(),
        "Pairs that people never touched are not among its labels; it was not learnt from what it decided alone."
            .to_owned(),
        String::new(),
    ]);
    lines.join("\n")
}

/// Which labels and pairs a version was learnt from, and by what.
fn learnt_from(of: &CardSubject<'_>) -> [String; 5] {
    let same = of.dataset.examples.iter().filter(|example| example.same).count();
    [
        format!(
            "Positions {} to {}; features as known when the younger alert fired, labels as known at the end.",
            of.lineage.from, of.lineage.to
        ),
        format!(
            "{} labels about pairs gave {} pairs with features: {same} one problem, {} two.",
            of.lineage.labels,
            of.dataset.examples.len(),
            of.dataset.examples.len() - same
        ),
        format!(
            "{} pairs had no features in that range, {} were labelled both ways and left out.",
            of.dataset.unmatched, of.dataset.undecided
        ),
        format!(
            "Data set `{}`, seed {}, code {}, features version {}, begun from version {}.",
            of.lineage.dataset, of.lineage.seed, of.lineage.code, of.lineage.features, of.lineage.parent
        ),
        format!("Fitted by {}; the threshold counts a wrong merge {WRONG_MERGE_COSTS} times.", of.trainer),
    ]
}

fn row(service: &str, metrics: &Metrics) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {}.{} % |",
        service.replace(['|', '\n', '\r'], " "),
        metrics.pairs,
        metrics.same,
        metrics.missed,
        metrics.wrongly_same,
        metrics.accuracy / 10,
        metrics.accuracy % 10
    )
}
