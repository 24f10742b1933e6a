//! Versions of models that decide: what each was learnt from, how it was judged, and which one is in force.
//! Owns the events and the fold of the alias "in force"; refuses to know how a model is trained or applied.
//!
//! [`Registered`] and [`Judged`] are *facts*: a training and a comparison ran outside of any lane, and what
//! came of them is recorded when it first happens, like a model's reply. [`Promoted`] and [`RolledBack`] are
//! *decisions*: they change what decides from then on, so one owner writes them in one order.

use crate::events;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::id::{EventId, Fingerprint};
use crate::time::Time;

/// The model that says whether two alerts belong to one problem. Its name is part of events, subjects and routes.
pub const PAIR_SCORER: &str = "pair-scorer";

/// What a version was learnt from; with it the same version can be learnt again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage {
    /// The first position that was learnt from.
    pub from: u64,
    /// The last one; no later event and no later label was seen.
    pub to: u64,
    /// Labels that were used.
    pub labels: u32,
    /// SHA-256 of the data set in canonical form.
    pub dataset: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The version of the binary that learnt it.
    pub code: String,
    /// The version of the features.
    pub features: u32,
    /// The version that it began from; 1 is the one set by hand.
    pub parent: u32,
}

/// How a version does on the labels of one service, in thousandths where it is no count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// Labelled pairs.
    pub pairs: u32,
    /// Of these, one problem.
    pub same: u32,
    /// One problem, and scored below the threshold.
    pub missed: u32,
    /// Two problems, and scored at or above it.
    pub wrongly_same: u32,
    /// Pairs on the right side of the threshold, in thousandths.
    pub accuracy: u32,
}

/// A version exists. A fact. Subject: `<name>/<version>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// Such as `pair-scorer`.
    pub name: String,
    /// Rises by one with each.
    pub version: u32,
    /// SHA-256 of weights and lineage in canonical form.
    pub hash: String,
    /// What it was learnt from.
    pub lineage: Lineage,
    /// The weights, whole numbers, by name.
    pub weights: BTreeMap<String, i64>,
    /// How it does on the labels that it was not learnt from, by service; `*` is all together.
    #[serde(default)]
    pub metrics: BTreeMap<String, Metrics>,
    /// The model card, in Markdown.
    pub card: String,
}

/// How a comparison ended. Only [`Verdict::Pass`] promotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is better, and worse at nothing that counts.
    Pass,
    /// It is worse, by name.
    Fail,
    /// The labels do not say.
    Inconclusive,
    /// The comparison itself did not work.
    Error,
}

/// A version was compared with another one on the past. A fact. Subject: `<name>/<version>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Which model.
    pub name: String,
    /// The version that was compared, counted from 1.
    pub version: u32,
    /// The version that it was compared with.
    pub against: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in plain words, with the incidents that were named.
    pub reasons: Vec<String>,
    /// The figures of the comparison, as the gate read them.
    pub report: serde_json::Value,
    /// The environment whose past was decided again; the verdict counts there. Absent in verdicts of before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// SHA-256 of what was compared. A verdict without it counts for no promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// SHA-256 of what it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_hash: Option<String>,
    /// The environments of the tenant that had incidents at that time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<String>,
}

/// A version is the production version from here on. A decision. Subject: the model's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promoted {
    /// Which model.
    pub name: String,
    /// Number of the new production version.
    pub version: u32,
    /// The production version before; 1 is the one set by hand.
    pub previous: u32,
    /// The `model.judged` events that allow it.
    pub evidence: Vec<EventId>,
    /// SHA-256 of what was in force before: a roll-back goes to exactly that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_hash: Option<String>,
}

/// An earlier version is the production version again. A decision. Subject: the model's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolledBack {
    /// Which model.
    pub name: String,
    /// The version that is left.
    pub from: u32,
    /// The version that is the production version again.
    pub to: u32,
    /// Why, in plain words.
    pub why: String,
    /// SHA-256 of what is in force again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_hash: Option<String>,
}

/// A version runs as a shadow of the production version: what it would decide is recorded, and used for nothing. A decision.
/// Subject: the model's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shadowed {
    /// Which model.
    pub name: String,
    /// Number of the version that runs as a shadow.
    pub version: u32,
    /// The first position that it decides on: it may lie in the past.
    pub from: u64,
}

/// The shadow ends. A decision. Subject: the model's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unshadowed {
    /// Which model.
    pub name: String,
    /// The version that ran.
    pub version: u32,
    /// Why, in plain words.
    pub why: String,
}

/// What a shadow would have done with one alert. A fact, and by its type nobody's input. Subject:
/// `<name>/<version>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// Which model.
    pub name: String,
    /// Number of the version that decided.
    pub version: u32,
    /// Fingerprint of the alert that was placed.
    pub alert: Fingerprint,
    /// The `intake.alert` event that it decided on.
    pub observed: EventId,
    /// Where that stands.
    pub at: u64,
    /// The group that it put the alert into: an id of the shadow's own, never an incident's.
    pub group: String,
    /// Whether the group began with it.
    pub began: bool,
    /// The score of the best group, in thousandths; 0 where there was none to compare with.
    pub score: i32,
    /// The alert that it found most alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<Fingerprint>,
}

/// What is in force of one model, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// Number of the production version.
    pub version: u32,
    /// The one that a roll-back goes to.
    pub previous: Option<u32>,
    /// Time of the promotion or rollback.
    pub since: Time,
    /// The event of the promotion or rollback.
    pub event: EventId,
    /// The actor who promoted it or rolled back to it.
    pub by: String,
    /// The reason that the person gave.
    pub why: String,
}

/// What is in force, by model: a fold over [`Promoted`] and [`RolledBack`], and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Aliases(pub BTreeMap<String, InForce>);

impl Aliases {
    /// Folds one event; true when it changed what is in force.
    pub fn evolve(&mut self, recorded: &Recorded) -> bool {
        let (name, version, previous, why) = match &recorded.event {
            Event::ModelPromoted(promoted) => {
                let evidence: Vec<_> = promoted.evidence.iter().map(EventId::as_str).collect();
                let why = format!("promoted on {}", evidence.join(", "));
                (&promoted.name, promoted.version, Some(promoted.previous), why)
            }
            Event::ModelRolledBack(back) => (&back.name, back.to, None, back.why.clone()),
            Event::ModelRegistered(_)
            | Event::ModelJudged(_)
            | Event::ShadowPlaced(_)
            | Event::ModelShadowed(_)
            | Event::ModelUnshadowed(_)
            | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, control, notice } =>
            {
                return false;
            }
        };
        let (since, event, by) = (recorded.time, recorded.id.clone(), recorded.actor.clone());
        self.0.insert(name.clone(), InForce { version, previous, since, event, by, why });
        true
    }

    /// The version in force; `None` where no other than the one set by hand ever was.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<u32> {
        Some(self.0.get(name)?.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Partition;

    fn recorded(event: Event) -> Recorded {
        Recorded {
            id: EventId::derive(&[b"x"]),
            position: 1,
            partition: Partition::whole("default"),
            subject: PAIR_SCORER.into(),
            revision: Some(1),
            time: Time::ZERO,
            actor: "ada".into(),
            cause: None,
            event,
        }
    }

    #[test]
    fn what_is_in_force_follows_promotions_and_the_way_back() {
        let name = || PAIR_SCORER.to_owned();
        let promoted = Promoted {
            name: name(),
            version: 2,
            previous: 1,
            evidence: vec![EventId::derive(&[b"e"])],
            previous_hash: None,
        };
        let back = RolledBack { name: name(), from: 2, to: 1, why: "it split what is one".into(), to_hash: None };
        let mut aliases = Aliases::default();
        assert_eq!(aliases.version(PAIR_SCORER), None);
        assert!(aliases.evolve(&recorded(Event::ModelPromoted(promoted))));
        assert_eq!(aliases.version(PAIR_SCORER), Some(2));
        assert_eq!(aliases.0[PAIR_SCORER].previous, Some(1));
        assert!(aliases.evolve(&recorded(Event::ModelRolledBack(back))));
        assert_eq!(aliases.version(PAIR_SCORER), Some(1));
        assert!(aliases.0[PAIR_SCORER].why.contains("split"));
    }
}
