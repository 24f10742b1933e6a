//! What the routes of labels, models, backtests and reports answer.

mod report;

use std::collections::BTreeMap;

use hindcast_domain::Time;
use hindcast_domain::label::{About, Kind, Provenance};
use hindcast_domain::model::{Lineage, Metrics, Verdict};
use hindcast_domain::words::{LabelValue, Learner, RuleName, UserVerdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use report::{Comparison, Duration, ModelSpend, Report, ReportRow, TotalSpend};

/// A label: what somebody did, or did not do, as a word that models learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Id of the label (`LBL-…`).
    pub id: String,
    /// What kind of thing it says.
    pub kind: Kind,
    /// The judged item, such as an incident, an alert or a proposal.
    pub about: About,
    /// What it says, by the kind.
    pub value: LabelValue,
    /// How much it counts, in thousandths of one whole word of a person.
    pub weight: u32,
    /// Explicit feedback, or inferred.
    pub provenance: Provenance,
    /// The rule of the table that gave it.
    pub rule: RuleName,
    /// Which model learns from it.
    pub learns: Learner,
    /// The event that it follows from.
    pub from: String,
    /// The `label.given` event, by which it is undone.
    pub event: String,
    /// Who caused it; `system` if no person did.
    pub by: String,
    /// Time at which the label was given or inferred.
    pub at: Time,
    /// The position of the `label.given` event.
    pub position: u64,
    /// Environment of the judged item.
    pub environment: String,
    /// The incident that it was given in, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why it counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted: Option<String>,
    /// The position of that event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted_position: Option<u64>,
    /// Whether another person says something else of the same thing.
    #[serde(default)]
    pub disputed: bool,
}

/// How many closed incidents have a cause, and where people disagree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelCoverage {
    /// Labels that count.
    pub labels: u32,
    /// Of these, explicit feedback.
    pub explicit: u32,
    /// Labels that were retracted.
    pub retracted: u32,
    /// Incidents that are over, merged ones aside.
    pub closed: u32,
    /// Of these, with a cause that a person named.
    pub with_cause: u32,
    /// Counts by service name.
    pub services: BTreeMap<String, ServiceCoverage>,
    /// Closed incidents without a cause, newest first; at most 50.
    pub missing: Vec<String>,
    /// Where people disagree.
    pub disagreements: Vec<Disagreement>,
    /// The position that it shows.
    pub position: u64,
}

/// One service's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceCoverage {
    /// Incidents that are over.
    pub closed: u32,
    /// Incidents among them with a cause that a person named.
    pub with_cause: u32,
}

/// Two or more people who say different things of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disagreement {
    /// What kind of thing they say.
    pub kind: Kind,
    /// The judged item.
    pub about: About,
    /// Who says what, oldest first.
    pub said: Vec<PersonalLabel>,
}

/// What one person says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonalLabel {
    /// The person who gave the label.
    pub by: String,
    /// The label's value, such as `useful` or `noise`.
    pub value: String,
    /// Id of the label (`LBL-…`).
    pub label: String,
}

/// A judgement that a person gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgeRequest {
    /// What the feedback is about.
    pub about: About,
    /// One of the verdicts that fit the item, such as `useful` or `noise` for an incident.
    pub verdict: UserVerdict,
    /// More words; for `cause` the cause.
    #[serde(default)]
    pub text: Option<String>,
    /// The incident that a proposal was shown in: what rules propose is recorded before it is judged.
    #[serde(default)]
    pub incident: Option<String>,
}

/// What a version of a model is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// It decides.
    InForce,
    /// It runs as a shadow of the production version and decides nothing.
    Shadow,
    /// It waits for a comparison, or did not pass one.
    Candidate,
    /// It decided once.
    Retired,
}

/// A version of a model, with its status, training data and comparisons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelVersion {
    /// Such as `pair-scorer`.
    pub name: String,
    /// 1 is the one set by hand.
    pub version: u32,
    /// What it is doing.
    pub status: ModelStatus,
    /// SHA-256 of weights and lineage; absent for the one set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The training data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// The weights, in thousandths of log-odds, by name.
    pub weights: BTreeMap<String, i64>,
    /// Figures on holdout labels, by service; `*` is the total.
    #[serde(default)]
    pub metrics: BTreeMap<String, Metrics>,
    /// The comparisons, oldest first.
    #[serde(default)]
    pub judged: Vec<ModelJudgement>,
    /// Time of the registration; absent for the version that is set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Time>,
    /// The actor of the registration; absent for the version that is set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_by: Option<String>,
    /// The `model.registered` event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// When it became the production version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Time>,
    /// Why it is, or no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What its shadow would have done otherwise, where it ran as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowReport>,
    /// The model card, in Markdown; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

/// A comparison of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelJudgement {
    /// The version that it was compared with.
    pub against: u32,
    /// Pass, fail, inconclusive or error.
    pub verdict: Verdict,
    /// Why, in plain words.
    pub reasons: Vec<String>,
    /// Time of the verdict.
    pub at: Time,
    /// The `model.judged` event.
    pub event: String,
    /// The figures of the comparison, by problem and by service, as the gate read them.
    pub report: Value,
}

/// What a shadow would have done otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowReport {
    /// The first position that it decided on.
    pub from: u64,
    /// The last one.
    pub through: u64,
    /// Alerts that it placed.
    pub placed: u32,
    /// Pairs of alerts that it would have kept together and that are apart.
    pub would_join: u32,
    /// Pairs of alerts that it would have kept apart and that are together.
    pub would_part: u32,
    /// Incidents in which it differs, newest first; at most 50.
    pub differs: Vec<ShadowDifference>,
}

/// One incident in which a shadow differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowDifference {
    /// Id of the incident (`INC-…`) on which the two versions differ.
    pub incident: String,
    /// Number of the shadow version.
    pub version: u32,
    /// In plain words: `would keep 2 of 5 alerts apart`, `would add 3 alerts of INC-…`.
    pub text: String,
    /// Alerts that it would keep apart from the others.
    pub apart: Vec<String>,
    /// Other incidents whose alerts it would put with these.
    pub with: Vec<String>,
}

/// A request to train a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainRequest {
    /// The environment of the labels; `production` where absent.
    pub environment: Option<String>,
    /// The first position; the beginning where absent.
    pub from: Option<u64>,
    /// The training position, or a time; nothing later is seen. The head where absent.
    #[serde(deserialize_with = "place")]
    #[schemars(with = "Option<PositionText>")]
    pub to: Option<String>,
    /// The seed of every draw; 1 where absent.
    pub seed: Option<u64>,
}

/// A place in the ledger as it is written: a position, as a number or as text, or words such as a time.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum PositionText {
    /// A position in the ledger.
    Position(u64),
    /// The same as text, a time in RFC 3339, or a span.
    Text(String),
}

fn place<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<PositionText>::deserialize(from)?.map(|place| match place {
        PositionText::Position(position) => position.to_string(),
        PositionText::Text(text) => text,
    }))
}

/// Which past is decided again, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BacktestRequest {
    /// The environment; `production` where absent.
    pub environment: Option<String>,
    /// Which model's candidate; the newest version where both this and `weights` are absent.
    pub version: Option<u32>,
    /// Weights by name, for one that is not registered: absent ones are those of the production version.
    pub weights: Option<BTreeMap<String, i64>>,
    /// The version that it is compared with; the production version where absent.
    pub against: Option<u32>,
    /// The start of the compared period: a position, a time, or a span before `to` such as `30d`; after the training
    /// data of the candidate where absent.
    #[serde(deserialize_with = "place")]
    #[schemars(with = "Option<PositionText>")]
    pub since: Option<String>,
    /// The last position or time; the head where absent.
    #[serde(deserialize_with = "place")]
    #[schemars(with = "Option<PositionText>")]
    pub to: Option<String>,
    /// The seed of the resampling; 1 where absent.
    pub seed: Option<u64>,
}

/// How far long work is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearnProgress {
    /// What is being done, in plain words: `reading the ledger`, `deciding with version 2`, `comparing`.
    pub step: String,
    /// Done so far.
    pub done: u64,
    /// The total; 0 if it is unknown.
    pub of: u64,
}
