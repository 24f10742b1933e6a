//! The features of a pair of alerts and their weights: time, topology, resource, name, labels and words.

use std::collections::BTreeMap;

use hindcast_domain::Span;
use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::catalog::Topology;
use hindcast_domain::entity::AlertSubject;
use hindcast_similarity as similarity;
use hindcast_similarity::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Newcomer;

/// Calls between two services beyond which they have nothing to do with each other.
const DISTANCE_MAX: u32 = 4;

/// Log-odds of each feature, in thousandths, with their version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupingWeights {
    /// Rises with every change.
    pub version: u32,
    /// What a pair starts from.
    pub bias: i32,
    /// They began at the same time; halves after `time_scale`.
    pub time: i32,
    /// The scale of closeness in time, in seconds.
    pub time_scale_s: i64,
    /// The other one fires still, by how close its service is.
    pub still_firing: i32,
    /// Applies when both alerts name one service.
    pub same_service: i32,
    /// One service calls the other; falls with each further call.
    pub topology: i32,
    /// Both services are known, and there is no way between them.
    pub no_path: i32,
    /// One and the same instance, pod or host.
    pub same_resource: i32,
    /// The same rule.
    pub same_name: i32,
    /// Alike in labels.
    pub labels: i32,
    /// Alike in words.
    pub words: i32,
    /// The probability that is needed, in thousandths.
    pub threshold: i32,
}

impl Default for GroupingWeights {
    /// Version 1, set by hand from what on-call engineers say of why two alerts are one problem.
    fn default() -> Self {
        Self {
            version: 1,
            bias: -3_200,
            time: 2_000,
            time_scale_s: 300,
            still_firing: 1_000,
            same_service: 2_400,
            topology: 2_200,
            no_path: -2_500,
            same_resource: 1_600,
            same_name: 1_200,
            labels: 1_200,
            words: 1_000,
            threshold: 500,
        }
    }
}

/// The version of [`Features`]: rises when one of them means something else.
pub const FEATURES_VERSION: u32 = 1;

/// What is known of a pair of alerts, each 0 to 1, before anything is weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Features {
    /// How close in time they began; see [`GroupingWeights::time_scale_s`].
    pub time: f64,
    /// The older one fires still, by how close its service is.
    pub still_firing: f64,
    /// 1.0 when both alerts name one service, else 0.0.
    pub same_service: f64,
    /// One service calls the other; falls with each further call.
    pub topology: f64,
    /// Both services are known, and there is no way between them.
    pub no_path: f64,
    /// One and the same instance, pod or host.
    pub same_resource: f64,
    /// The same rule.
    pub same_name: f64,
    /// Alike in labels.
    pub labels: f64,
    /// Alike in words.
    pub words: f64,
}

impl Features {
    /// How many there are.
    pub const COUNT: usize = 9;
    /// Their names, in the order of [`Features::values`].
    pub const NAMES: [&'static str; Self::COUNT] = [
        "time",
        "still_firing",
        "same_service",
        "topology",
        "no_path",
        "same_resource",
        "same_name",
        "labels",
        "words",
    ];

    /// The measures, in the order of [`Features::NAMES`].
    #[must_use]
    pub const fn values(&self) -> [f64; Self::COUNT] {
        [
            self.time,
            self.still_firing,
            self.same_service,
            self.topology,
            self.no_path,
            self.same_resource,
            self.same_name,
            self.labels,
            self.words,
        ]
    }

    /// The log-odds of each feature, in thousandths, without the bias.
    #[allow(clippy::cast_possible_truncation)] // weights are small
    fn weighed(&self, weights: &GroupingWeights) -> [i32; Self::COUNT] {
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

impl GroupingWeights {
    /// The weights in the order of [`Features::NAMES`].
    #[must_use]
    pub const fn by_feature(&self) -> [i32; Features::COUNT] {
        [
            self.time,
            self.still_firing,
            self.same_service,
            self.topology,
            self.no_path,
            self.same_resource,
            self.same_name,
            self.labels,
            self.words,
        ]
    }
}

/// What is known of the newcomer and of other services' nearness to its own, looked up once.
pub(super) struct NewcomerContext<'a> {
    pub(super) newcomer: &'a Newcomer<'a>,
    pub(super) known: bool,
    pub(super) topology: &'a Topology,
    /// What it names that can break.
    resources: similarity::Resources<'a>,
    /// Its words; taken apart when first asked for.
    pub(super) words: std::cell::OnceCell<Vec<u64>>,
    kin: std::cell::RefCell<BTreeMap<&'a str, Kin>>,
}

/// What the services of two alerts are to each other.
#[derive(Clone, Copy)]
enum Kin {
    Same,
    Calls(u32),
    NoPath,
    Unknown,
}

impl<'a> NewcomerContext<'a> {
    pub(super) fn of(newcomer: &'a Newcomer<'a>, topology: &'a Topology) -> Self {
        Self {
            newcomer,
            known: newcomer.service.is_some_and(|service| topology.resolve(service).is_some()),
            topology,
            resources: similarity::resources(described(newcomer.labels, newcomer.about)),
            words: std::cell::OnceCell::new(),
            kin: std::cell::RefCell::default(),
        }
    }

    fn kin(&self, member: &'a Alert) -> Kin {
        let (Some(a), Some(b)) = (self.newcomer.service, member.service.as_deref()) else {
            return Kin::Unknown;
        };
        if a == b {
            return if self.known || self.may_be_in_one_namespace(member) { Kin::Same } else { Kin::Unknown };
        }
        *self.kin.borrow_mut().entry(b).or_insert_with(|| {
            if !self.known || self.topology.resolve(b).is_none() {
                return Kin::Unknown;
            }
            self.topology.distance(a, b, DISTANCE_MAX).map_or(Kin::NoPath, Kin::Calls)
        })
    }

    /// Whether a service that no catalogue knows is one service: its name says so only within a namespace.
    fn may_be_in_one_namespace(&self, member: &Alert) -> bool {
        let (ours, theirs) = (namespace(self.newcomer.about), namespace(member.about.as_ref()));
        ours.is_none() || theirs.is_none() || ours == theirs
    }

    /// Whether exporters observed both, about things of two namespaces. A rule set fires in each namespace with the same
    /// names, labels and words, so these say nothing of one problem.
    fn is_apart_from(&self, member: &Alert) -> bool {
        let is_observed = |about: Option<&AlertSubject>| about.is_some_and(|about| about.observed_by.is_some());
        let both = is_observed(self.newcomer.about) && is_observed(member.about.as_ref());
        both && !self.may_be_in_one_namespace(member)
    }

    /// The features that cost nothing; labels and words are left at 0.
    pub(super) fn cheap(&self, member: &'a Alert, time_scale_s: i64) -> Features {
        let mut features = Features {
            time: closeness(self.newcomer.starts_at.distance(member.occurrence().starts_at), time_scale_s),
            ..Features::default()
        };
        let near = match self.kin(member) {
            Kin::Same => {
                features.same_service = 1.0;
                1.0
            }
            Kin::Calls(calls) => {
                features.topology = falling(calls);
                falling(calls) / 2.0
            }
            Kin::NoPath => {
                features.no_path = 1.0;
                0.0
            }
            Kin::Unknown => 0.0,
        };
        if member.is_firing() {
            features.still_firing = near;
        }
        if self.resources.names_one_of(&similarity::resources(described(&member.labels, member.about.as_ref()))) {
            features.same_resource = 1.0;
        }
        if self.newcomer.name == member.name && !self.is_apart_from(member) {
            features.same_name = 1.0;
        }
        features
    }

    /// All features.
    pub(super) fn all(&self, member: &'a Alert, time_scale_s: i64) -> Features {
        if self.is_apart_from(member) {
            return self.cheap(member, time_scale_s);
        }
        let ours = self.words.get_or_init(|| words(self.newcomer.name, self.newcomer.annotations));
        let theirs = described(&member.labels, member.about.as_ref());
        Features {
            labels: similarity::labels(described(self.newcomer.labels, self.newcomer.about), theirs),
            words: similarity::shared(ours.iter().copied(), words(&member.name, &member.annotations).into_iter()),
            ..self.cheap(member, time_scale_s)
        }
    }
}

fn namespace(about: Option<&AlertSubject>) -> Option<&str> {
    about?.entity.as_ref()?.namespace.as_deref()
}

pub(crate) const fn described<'a>(labels: &'a Labels, about: Option<&'a AlertSubject>) -> Described<'a> {
    Described { labels, about }
}

/// The features of a pair, as the newcomer looks for its place: the one path that serving and training share.
#[must_use]
pub fn features(newcomer: &Newcomer<'_>, member: &Alert, topology: &Topology, time_scale_s: i64) -> Features {
    NewcomerContext::of(newcomer, topology).all(member, time_scale_s)
}

pub(super) fn words(name: &str, annotations: &Labels) -> Vec<u64> {
    let summary = annotations.get("summary").or_else(|| annotations.get("title")).map_or("", String::as_str);
    similarity::hashed(&format!("{name} {summary}"))
}

/// 1 for the same moment, a half after the scale, falling with the square.
fn closeness(apart: Span, time_scale_s: i64) -> f64 {
    let scale = Span::seconds(time_scale_s.max(1)).as_secs_f64();
    let ratio = apart.as_secs_f64() / scale;
    1.0 / (1.0 + ratio * ratio)
}

/// 1 for a direct call, less for each further one.
fn falling(calls: u32) -> f64 {
    match calls {
        0 | 1 => 1.0,
        2 => 0.7,
        3 => 0.35,
        _ => 0.15,
    }
}

/// Thousandths of a probability from thousandths of log-odds.
#[must_use]
pub fn logistic(log_odds: i32) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // between 0 and 1000
    let score = (1_000.0 / (1.0 + (-f64::from(log_odds) / 1_000.0).exp())).round() as i32;
    score
}
