//! Online clustering: which incident an alert belongs to, decided when it arrives and never waiting.
//!
//! A pair of alerts gets log-odds from time, topology, resource, name, labels and words, with versioned
//! weights; an incident's score is that of its best member. The alert joins the best incident above the
//! threshold, and the runners-up are named with what spoke against them. Log-odds that add up, and a
//! logistic on top, are the form that a learnt model will have too: only the weights change.

use std::collections::BTreeMap;

use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::catalog::Topology;
use hindcast_domain::incident::{Considered, Grouping};
use hindcast_domain::limits::CONSIDERED_MAX;
use hindcast_domain::{Fingerprint, IncidentId, Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::similarity;

/// Members of one incident that are compared; the newest come first.
const MEMBERS_MAX: usize = 48;
/// Calls between two services beyond which they have nothing to do with each other.
const DISTANCE_MAX: u32 = 4;

/// Log-odds of each feature, in thousandths, with their version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
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
    /// One and the same service.
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

impl Default for Weights {
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

/// An alert that looks for its incident.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// Its service by the catalogue's name, or as the sender says.
    pub service: Option<&'a str>,
    /// All labels.
    pub labels: &'a Labels,
    /// All annotations.
    pub annotations: &'a Labels,
    /// When it began.
    pub starts_at: Time,
}

/// An incident that may take it, with its alerts.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The incident.
    pub id: &'a IncidentId,
    /// Its alerts, in any order.
    pub alerts: Vec<&'a Alert>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The incident, or `None` for one of its own.
    pub incident: Option<IncidentId>,
    /// Why.
    pub grouping: Grouping,
}

struct Scored<'a> {
    incident: &'a IncidentId,
    like: &'a Fingerprint,
    score: i32,
    parts: BTreeMap<String, i32>,
}

/// Finds the incident that an alert belongs to. Ties go to the incident that comes first.
#[must_use]
pub fn assign(
    newcomer: &Newcomer<'_>,
    candidates: &[Candidate<'_>],
    topology: &Topology,
    weights: &Weights,
) -> Assignment {
    let mut scored: Vec<Scored<'_>> =
        candidates.iter().filter_map(|candidate| best(newcomer, candidate, topology, weights)).collect();
    scored.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.incident.cmp(b.incident)));
    let chosen = scored.first().filter(|best| best.score >= weights.threshold);
    let rest = scored.iter().skip(usize::from(chosen.is_some())).take(CONSIDERED_MAX);
    let considered = rest
        .map(|scored| Considered {
            incident: scored.incident.clone(),
            score: scored.score,
            why: against(&scored.parts),
        })
        .collect();
    let grouping = Grouping {
        rule: if chosen.is_some() { "score" } else { "first" }.to_owned(),
        weights: weights.version,
        score: chosen.map_or(0, |chosen| chosen.score),
        threshold: weights.threshold,
        parts: chosen.map(|chosen| chosen.parts.clone()).unwrap_or_default(),
        like: chosen.map(|chosen| chosen.like.clone()),
        considered,
    };
    Assignment { incident: chosen.map(|chosen| chosen.incident.clone()), grouping }
}

fn best<'a>(
    newcomer: &Newcomer<'_>,
    candidate: &Candidate<'a>,
    topology: &Topology,
    weights: &Weights,
) -> Option<Scored<'a>> {
    let mut alerts = candidate.alerts.clone();
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.occurrence().starts_at));
    alerts.truncate(MEMBERS_MAX);
    let score = |alert: &&'a Alert| {
        let parts = pair(newcomer, alert, topology, weights);
        let log_odds: i32 = parts.values().sum();
        Scored { incident: candidate.id, like: &alert.fingerprint, score: logistic(log_odds), parts }
    };
    alerts.iter().map(score).max_by(|a, b| a.score.cmp(&b.score).then_with(|| b.like.cmp(a.like)))
}

/// The log-odds that two alerts are one problem, by feature, in thousandths. Features that say nothing
/// are left out.
fn pair(newcomer: &Newcomer<'_>, member: &Alert, topology: &Topology, weights: &Weights) -> BTreeMap<String, i32> {
    let mut parts = BTreeMap::new();
    let mut add = |name: &str, weight: i32, measure: f64| {
        #[allow(clippy::cast_possible_truncation)] // weights are small
        let value = (f64::from(weight) * measure).round() as i32;
        if value != 0 {
            parts.insert(name.to_owned(), value);
        }
    };
    add("bias", weights.bias, 1.0);
    add("time", weights.time, closeness(newcomer.starts_at.distance(member.occurrence().starts_at), weights));
    let near = match (newcomer.service, member.service.as_deref()) {
        (Some(a), Some(b)) if a == b => {
            add("same_service", weights.same_service, 1.0);
            1.0
        }
        (Some(a), Some(b)) if topology.resolve(a).is_some() && topology.resolve(b).is_some() => {
            match topology.distance(a, b, DISTANCE_MAX) {
                Some(calls) => {
                    add("topology", weights.topology, falling(calls));
                    falling(calls) / 2.0
                }
                None => {
                    add("no_path", weights.no_path, 1.0);
                    0.0
                }
            }
        }
        _ => 0.0,
    };
    if member.is_firing() {
        add("still_firing", weights.still_firing, near);
    }
    if similarity::same_resource(newcomer.labels, &member.labels) {
        add("same_resource", weights.same_resource, 1.0);
    }
    if newcomer.name == member.name {
        add("same_name", weights.same_name, 1.0);
    }
    add("labels", weights.labels, similarity::labels(newcomer.labels, &member.labels));
    add(
        "words",
        weights.words,
        similarity::words(&text(newcomer.name, newcomer.annotations), &text(&member.name, &member.annotations)),
    );
    parts
}

fn text(name: &str, annotations: &Labels) -> String {
    let summary = annotations.get("summary").or_else(|| annotations.get("title")).map_or("", String::as_str);
    format!("{name} {summary}")
}

/// 1 for the same moment, a half after the scale, falling with the square.
fn closeness(apart: Span, weights: &Weights) -> f64 {
    let scale = Span::seconds(weights.time_scale_s.max(1)).as_secs_f64();
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

/// What spoke against it most, in plain words.
fn against(parts: &BTreeMap<String, i32>) -> String {
    let has = |name: &str| parts.contains_key(name);
    let mut reasons = Vec::new();
    if has("no_path") {
        reasons.push("no path between the services");
    } else if !has("same_service") && !has("topology") {
        reasons.push("nothing known between the services");
    }
    if parts.get("time").copied().unwrap_or(0) < 500 {
        reasons.push("far apart in time");
    }
    if !has("labels") && !has("same_resource") {
        reasons.push("no label in common");
    }
    if !has("words") && !has("same_name") {
        reasons.push("other words");
    }
    if reasons.is_empty() { "not alike enough".to_owned() } else { reasons.join(", ") }
}
