//! The report of a comparison: what two versions, or two weights, decided over the same time.

use std::collections::BTreeMap;

use hindcast_domain::model::Verdict;
use hindcast_domain::{Severity, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a comparison of two versions on the past says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The name of the model, such as `pair-scorer`.
    pub name: String,
    /// The candidate; absent for weights that are not registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What it was compared with.
    pub against: u32,
    /// Pass, fail, inconclusive or error.
    pub verdict: Verdict,
    /// Why, in plain words.
    pub reasons: Vec<String>,
    /// The first position of the compared period.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// Inputs that were decided again.
    pub inputs: u64,
    /// SHA-256 of what the candidate decided, in canonical form: two runs over the same past give the same.
    pub decided: String,
    /// *Engine changed*, in words, where another engine decided the past than the one that decided it again: then
    /// outcomes are compared, and the decisions of the production version need not be those that are recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The figures, with intervals of 95 %.
    pub report: Value,
    /// The `model.judged` event, where it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// Figures over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Start of the period.
    pub since: Option<Time>,
    /// End of the period.
    pub until: Option<Time>,
    /// All services together.
    pub total: ReportRow,
    /// By service; an incident of two services counts for both.
    pub services: BTreeMap<String, ReportRow>,
    /// What the figures mean, by name.
    pub definitions: BTreeMap<String, String>,
    /// What models cost.
    pub spend: TotalSpend,
    /// The position that it shows.
    pub position: u64,
}

/// One line of figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRow {
    /// Messages of senders with an alert.
    pub messages: u64,
    /// Distinct alerts.
    pub alerts: u64,
    /// Incidents that began.
    pub incidents: u64,
    /// By severity at its peak.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Pages that were asked for.
    pub pages: u64,
    /// Changes of an alert to firing, silenced ones included.
    #[serde(default)]
    pub firings: u64,
    /// Moments at which a page was asked for.
    #[serde(default)]
    pub paged: u64,
    /// Firings beyond the moments of a page, in thousandths of all firings; absent where nothing fired.
    pub noise_removed: Option<u32>,
    /// Incidents that people declared, or that came back after a person had ended them; each once.
    pub missed: u64,
    /// Of these, declared by hand.
    #[serde(default)]
    pub declared: u64,
    /// Of these, back after a person had ended them, or reopened by one.
    #[serde(default)]
    pub came_back: u64,
    /// Incidents that a person split.
    #[serde(default)]
    pub wrongly_merged: u64,
    /// Alerts of a paging severity that neither paged nor have a recorded reason for it; must be 0.
    pub unaccounted: u64,
    /// From the first symptom to the incident.
    pub mttd: Duration,
    /// From the incident to the acknowledgement.
    pub mtta: Duration,
    /// From the first symptom to the end.
    pub mttr: Duration,
    /// Incidents that came back.
    pub reopened: u64,
    /// Labels that count.
    pub labels: u64,
    /// Incidents that a label calls useful.
    #[serde(default)]
    pub useful: u64,
    /// Incidents that a label calls noise.
    #[serde(default)]
    pub noise: u64,
    /// Incidents that were acknowledged and needed nothing.
    #[serde(default)]
    pub no_action: u64,
    /// Closed incidents.
    pub closed: u64,
    /// Incidents among them with a cause that a person named.
    pub with_cause: u64,
}

/// A span of time over a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Duration {
    /// The mean, in seconds; absent where the sample is empty.
    pub mean_s: Option<f64>,
    /// The median, in seconds.
    pub median_s: Option<f64>,
    /// The 90th percentile, in seconds.
    pub p90_s: Option<f64>,
    /// Incidents in the sample.
    pub sample: u64,
}

/// What models cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TotalSpend {
    /// Answers that were given.
    pub answers: u64,
    /// Answers among them that a language model wrote.
    pub with_model: u64,
    /// Tokens in and out.
    pub tokens: u64,
    /// Dollars, where prices are known.
    pub cost: f64,
    /// Both, by model.
    pub models: BTreeMap<String, ModelSpend>,
}

/// One model's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSpend {
    /// Replies of the language model.
    pub replies: u64,
    /// Tokens in and out.
    pub tokens: u64,
    /// Dollars.
    pub cost: f64,
}
