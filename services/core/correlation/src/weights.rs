//! The weights of a pair of alerts: what a version of the scorer holds. Owns their names, their defaults and how settings
//! of an older engine are read; refuses to know how a measure is taken.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::features::{Features, each_feature};

/// Log-odds in thousandths, with their version. A weight of information is multiplied by nats: a value that one alert in
/// a thousand has says seven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenWeights")]
pub struct GroupingWeights {
    /// Rises with every change.
    pub version: u32,
    /// What a pair starts from.
    pub bias: i32,
    /// Of the information of entities that both name.
    pub same_entity: i32,
    /// Both are about one service, or one thing that exporters watch, over the information of its name.
    pub same_service: i32,
    /// Of the information of the rule, where it is the same.
    pub same_name: i32,
    /// Of the information of the namespace, where it is the same.
    pub same_namespace: i32,
    /// Of the information of labels that both have.
    pub labels: i32,
    /// Of the information of words that both have.
    pub words: i32,
    /// One service calls the other; falls where another is between them.
    pub topology: i32,
    /// The catalogue knows both services and no way between them; again where an alert explains itself.
    pub no_path: i32,
    /// Both are in namespaces or clusters, and in different ones.
    pub apart: i32,
    /// Of how much likelier the time between them is under one cause than by chance.
    pub time: i32,
    /// Of the same alert that comes back and does not page.
    pub returning: i32,
    /// The probability that is needed, in thousandths.
    pub threshold: i32,
}

impl Default for GroupingWeights {
    /// Version 1: the runs that fixed them are named in `docs/measurements.md`.
    fn default() -> Self {
        Self {
            version: 1,
            bias: -8_490,
            same_entity: 1_010,
            same_service: 2_500,
            same_name: 600,
            same_namespace: 2_600,
            labels: 570,
            words: 370,
            topology: 5_000,
            no_path: -6_000,
            apart: -8_000,
            time: 1_000,
            returning: 1_000,
            threshold: 500,
        }
    }
}

macro_rules! weighed {
    ($($feature:ident)*) => {
        impl GroupingWeights {
            /// These weights with others of the features, in the order of [`Features::NAMES`], and another bias.
            #[must_use]
            pub const fn with(self, bias: i32, of: [i32; Features::COUNT]) -> Self {
                let [$($feature),*] = of;
                Self { bias, $($feature,)* ..self }
            }

            /// The weights in the order of [`Features::NAMES`].
            #[must_use]
            pub const fn by_feature(&self) -> [i32; Features::COUNT] {
                [$(self.$feature),*]
            }
        }
    };
}
each_feature!(weighed);

impl Features {
    /// The log-odds of each feature, in thousandths, without the bias.
    #[allow(clippy::cast_possible_truncation)] // weights and measures are small
    pub(crate) fn weighed(&self, weights: &GroupingWeights) -> [i32; Self::COUNT] {
        let (mut parts, by) = (self.values().map(|_| 0), weights.by_feature());
        for ((part, measure), weight) in parts.iter_mut().zip(self.values()).zip(by) {
            *part = (f64::from(weight) * measure).round() as i32;
        }
        parts
    }

    /// The log-odds that the pair is one problem, in thousandths.
    #[must_use]
    pub fn log_odds(&self, weights: &GroupingWeights) -> i32 {
        weights.bias + self.weighed(weights).iter().sum::<i32>()
    }

    /// The log-odds by feature, in thousandths. Features that say nothing are left out.
    #[must_use]
    pub fn parts(&self, weights: &GroupingWeights) -> BTreeMap<String, i32> {
        let named = Self::NAMES.into_iter().zip(self.weighed(weights));
        std::iter::once(("bias", weights.bias))
            .chain(named)
            .filter(|(_, value)| *value != 0)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// Weights as they are written in settings and in the ledger, those of the engine before among them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenWeights {
    version: Option<u32>,
    bias: Option<i32>,
    same_entity: Option<i32>,
    same_service: Option<i32>,
    same_name: Option<i32>,
    same_namespace: Option<i32>,
    labels: Option<i32>,
    words: Option<i32>,
    topology: Option<i32>,
    no_path: Option<i32>,
    apart: Option<i32>,
    time: Option<i32>,
    returning: Option<i32>,
    threshold: Option<i32>,
    // Of the engine that measured closeness and likeness instead of information.
    time_scale_s: Option<i64>,
    still_firing: Option<i32>,
    same_resource: Option<i32>,
}

impl From<WrittenWeights> for GroupingWeights {
    /// Numbers of the older engine mean something else here, so that where one of its names stands, none is taken over:
    /// neither are its weights wrong then nor is a ledger unreadable that has them.
    fn from(written: WrittenWeights) -> Self {
        let by = Self::default();
        let older =
            [written.still_firing, written.same_resource].iter().any(Option::is_some) || written.time_scale_s.is_some();
        if older {
            return by;
        }
        Self {
            version: written.version.unwrap_or(by.version),
            bias: written.bias.unwrap_or(by.bias),
            same_entity: written.same_entity.unwrap_or(by.same_entity),
            same_service: written.same_service.unwrap_or(by.same_service),
            same_name: written.same_name.unwrap_or(by.same_name),
            same_namespace: written.same_namespace.unwrap_or(by.same_namespace),
            labels: written.labels.unwrap_or(by.labels),
            words: written.words.unwrap_or(by.words),
            topology: written.topology.unwrap_or(by.topology),
            no_path: written.no_path.unwrap_or(by.no_path),
            apart: written.apart.unwrap_or(by.apart),
            time: written.time.unwrap_or(by.time),
            returning: written.returning.unwrap_or(by.returning),
            threshold: written.threshold.unwrap_or(by.threshold),
        }
    }
}

/// Thousandths of a probability from thousandths of log-odds.
#[must_use]
pub fn logistic(log_odds: i32) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // between 0 and 1000
    let score = (1_000.0 / (1.0 + crate::math::exp(-f64::from(log_odds) / 1_000.0))).round() as i32;
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_older_engine_are_read_and_not_taken_over() {
        let older = r#"{"version": 1, "bias": -3200, "time": 2000, "still_firing": 1000}"#;
        assert_eq!(serde_json::from_str::<GroupingWeights>(older).unwrap(), GroupingWeights::default());
        let ours: GroupingWeights = serde_json::from_str(r#"{"bias": -9000}"#).unwrap();
        assert_eq!(ours, GroupingWeights { bias: -9_000, ..GroupingWeights::default() });
        assert!(serde_json::from_str::<GroupingWeights>(r#"{"tyme": 1}"#).is_err());
        assert_eq!((logistic(0), logistic(-20_000), logistic(20_000)), (500, 0, 1_000));
    }
}
