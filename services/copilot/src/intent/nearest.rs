//! How near a question lies to the examples of each intent: by shared words and pairs of words, weighed by how telling
//! they are, and by the embedder where a model is loaded. Owns the scores; the examples are data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::kind::Intent;
use super::words::{self, stem};

/// The examples, as they are written.
const EXAMPLES: &str = include_str!("examples.txt");
/// What the best example counts beside the mean of the next ones.
const BEST: f64 = 0.8;
/// Examples whose mean is taken.
const NEXT: usize = 3;
/// What a pair of words counts beside a single word.
const PAIR: f64 = 0.8;

/// A question or example as weights by feature, of length 1.
type FeatureWeights = BTreeMap<String, f64>;

/// A question that somebody may ask, with what it asks for.
pub(crate) struct IntentExample {
    pub(crate) intent: Intent,
    /// As it is written, for an embedder.
    pub(crate) text: String,
}

/// All examples, ready to be compared with.
pub(crate) struct IntentExamples {
    pub(crate) all: Vec<IntentExample>,
    /// The examples that have a feature, by their place, with its weight.
    having: BTreeMap<String, Vec<(usize, f64)>>,
    /// How telling a feature is: rare among intents, much.
    telling: BTreeMap<String, f64>,
    /// What a feature counts that no example has.
    unknown: f64,
}

/// The examples that are built in.
pub(crate) static BUILT_IN: LazyLock<IntentExamples> = LazyLock::new(|| IntentExamples::read(EXAMPLES));

/// Single words and pairs of neighbours of a text that has its placeholders already.
fn features(text: &str) -> Vec<String> {
    let stems: Vec<String> = words::words(text).iter().map(|word| stem(&word.text)).collect();
    let mut found = stems.clone();
    let framed: Vec<&str> = std::iter::once("^").chain(stems.iter().map(String::as_str)).chain(["$"]).collect();
    found.extend(framed.windows(2).map(|pair| format!("{} {}", pair[0], pair[1])));
    found
}

impl IntentExamples {
    /// Reads a file of examples; a line in brackets names the intent of those below it.
    fn read(text: &str) -> Self {
        let mut raw: Vec<(Intent, String)> = Vec::new();
        let mut current = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                Some(name) => current = Intent::of_name(name),
                None => raw.extend(current.map(|intent| (intent, line.to_owned()))),
            }
        }
        let mut having: BTreeMap<String, BTreeSet<Intent>> = BTreeMap::new();
        for (intent, line) in &raw {
            for feature in features(line) {
                having.entry(feature).or_default().insert(*intent);
            }
        }
        #[allow(clippy::cast_precision_loss)] // a few dozen
        let telling_of = |count: usize| (1.0 + Intent::ALL.len() as f64 / count as f64).ln();
        let telling = having.iter().map(|(feature, intents)| (feature.clone(), telling_of(intents.len()))).collect();
        let mut examples = Self { all: Vec::new(), having: BTreeMap::new(), telling, unknown: telling_of(2) };
        for (place, (intent, text)) in raw.into_iter().enumerate() {
            for (feature, weight) in examples.weigh(&text) {
                examples.having.entry(feature).or_default().push((place, weight));
            }
            examples.all.push(IntentExample { intent, text });
        }
        examples
    }

    fn weigh(&self, text: &str) -> FeatureWeights {
        let mut weights = FeatureWeights::new();
        for feature in features(text) {
            let of = |known: Option<&f64>| known.copied().unwrap_or(self.unknown);
            let is_pair = feature.contains(' ');
            // A pair that nobody wrote says nothing: only its words do.
            if is_pair && !self.telling.contains_key(&feature) {
                continue;
            }
            let weight = of(self.telling.get(&feature)) * if is_pair { PAIR } else { 1.0 };
            weights.insert(feature, weight);
        }
        let length = weights.values().map(|weight| weight * weight).sum::<f64>().sqrt();
        if length > 0.0 {
            weights.values_mut().for_each(|weight| *weight /= length);
        }
        weights
    }

    /// How near a text is to each example, 0 to 1, in the order of the examples.
    pub(crate) fn nearness(&self, text: &str) -> Vec<f64> {
        let mut near = vec![0.0; self.all.len()];
        for (feature, weight) in self.weigh(text) {
            for (place, own) in self.having.get(&feature).into_iter().flatten() {
                if let Some(sum) = near.get_mut(*place) {
                    *sum += weight * own;
                }
            }
        }
        near
    }

    /// One score an intent, from how near its examples are.
    pub(crate) fn scores(&self, nearness: &[f64]) -> BTreeMap<Intent, f64> {
        let mut by: BTreeMap<Intent, Vec<f64>> = BTreeMap::new();
        for (example, near) in self.all.iter().zip(nearness) {
            by.entry(example.intent).or_default().push(*near);
        }
        let score = |mut all: Vec<f64>| {
            all.sort_by(|a, b| b.total_cmp(a));
            let best = all.first().copied().unwrap_or(0.0);
            let next = &all[..all.len().min(NEXT)];
            #[allow(clippy::cast_precision_loss)] // at most three
            let mean = next.iter().sum::<f64>() / next.len().max(1) as f64;
            BEST * best + (1.0 - BEST) * mean
        };
        by.into_iter().map(|(intent, all)| (intent, score(all))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_intent_has_at_least_twelve_examples_and_none_stands_twice() {
        let mut seen = BTreeMap::new();
        for example in &BUILT_IN.all {
            let before = seen.insert(example.text.clone(), example.intent);
            assert!(before.is_none(), "{:?} stands under {before:?} and {:?}", example.text, example.intent);
        }
        for intent in Intent::ALL {
            let count = BUILT_IN.all.iter().filter(|example| example.intent == intent).count();
            assert!(count >= 12, "{intent:?} has {count}");
        }
    }

    #[test]
    fn an_example_is_nearest_to_its_own_intent() {
        let best = |example: &IntentExample| {
            let scores = BUILT_IN.scores(&BUILT_IN.nearness(&example.text));
            scores.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(intent, _)| intent)
        };
        let others = BUILT_IN.all.iter().filter_map(|example| {
            let found = best(example).filter(|found| *found != example.intent)?;
            Some(format!("{} under {}, nearer to {}", example.text, example.intent.name(), found.name()))
        });
        let others: Vec<String> = others.collect();
        assert!(others.is_empty(), "{}", others.join("\n"));
    }
}
