//! Online clustering: which incident an alert belongs to, decided when it arrives and never waiting.
//!
//! A pair of alerts gets log-odds from time, topology, resource, name, labels and words, with versioned
//! weights; an incident's score is that of its best member. The alert joins the best incident above the
//! threshold, and the runners-up are named with what spoke against them. Log-odds that add up, and a
//! logistic on top, are the form that a learnt model will have too: only the weights change.

mod features;

use hindcast_domain::words::GroupingRule;
use std::collections::BTreeMap;

use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::catalog::Topology;
use hindcast_domain::entity::AlertSubject;
use hindcast_domain::incident::{Considered, Grouping};
use hindcast_domain::limits::CONSIDERED_MAX;
use hindcast_domain::{Fingerprint, IncidentId, Time};

use features::NewcomerContext;
pub(crate) use features::described;
pub use features::{FEATURES_VERSION, Features, GroupingWeights, features, logistic};

/// Pairs in all that are compared in labels and words.
const PAIRS_COMPARED: usize = 16;

/// An alert that looks for its incident.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// Its service by the catalogue's name, or as the sender says.
    pub service: Option<&'a str>,
    /// What it is about, apart from who observed it.
    pub about: Option<&'a AlertSubject>,
    /// All labels.
    pub labels: &'a Labels,
    /// All annotations.
    pub annotations: &'a Labels,
    /// When it began.
    pub starts_at: Time,
}

/// An alert that it is compared with, and the incident that it belongs to.
pub type ComparedAlert<'a> = (&'a IncidentId, &'a Alert);

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The incident, or `None` for one of its own.
    pub incident: Option<IncidentId>,
    /// The score and its parts, or the rule that decided.
    pub grouping: Grouping,
}

struct Scored<'a> {
    incident: &'a IncidentId,
    like: &'a Fingerprint,
    score: i32,
    parts: BTreeMap<String, i32>,
}

/// Finds the incident that an alert belongs to. Ties go to the incident that comes first.
///
/// Cheap features (time, service, resource, name) rank all members first; only the best few are compared
/// in labels and words, so that a storm of incidents costs little.
#[must_use]
pub fn assign(
    newcomer: &Newcomer<'_>,
    candidates: &[ComparedAlert<'_>],
    topology: &Topology,
    weights: &GroupingWeights,
) -> Assignment {
    let near = NewcomerContext::of(newcomer, topology);
    let scale = weights.time_scale_s;
    let mut ranked: Vec<(i32, &IncidentId, &Alert)> = Vec::with_capacity(candidates.len());
    for (incident, alert) in candidates {
        ranked.push((near.cheap(alert, scale).log_odds(weights), incident, alert));
    }
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1, &a.2.fingerprint).cmp(&(b.1, &b.2.fingerprint))));
    ranked.truncate(PAIRS_COMPARED);
    let mut scored: Vec<Scored<'_>> = Vec::new();
    for (_, incident, alert) in ranked {
        let parts = near.all(alert, scale).parts(weights);
        let score = logistic(parts.values().sum());
        match scored.iter_mut().find(|known| known.incident == incident) {
            Some(known) if known.score >= score => {}
            Some(known) => *known = Scored { incident, like: &alert.fingerprint, score, parts },
            None => scored.push(Scored { incident, like: &alert.fingerprint, score, parts }),
        }
    }
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
        rule: if chosen.is_some() { GroupingRule::Score } else { GroupingRule::First },
        weights: weights.version,
        score: chosen.map_or(0, |chosen| chosen.score),
        threshold: weights.threshold,
        parts: chosen.map(|chosen| chosen.parts.clone()).unwrap_or_default(),
        like: chosen.map(|chosen| chosen.like.clone()),
        considered,
    };
    Assignment { incident: chosen.map(|chosen| chosen.incident.clone()), grouping }
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
