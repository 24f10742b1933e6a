//! First step: which incident an alert that fires belongs to, decided when it comes and never waiting.
//!
//! An incident's score is that of its best pair, less what its other kinds do not support (single linkage with a price,
//! which resists chains) and less a pause that is longer than its own tempo. The alert joins the best incident above the
//! threshold; the runners-up are named with what spoke against them.

use std::collections::BTreeMap;

use hindcast_domain::incident::{Considered, Grouping};
use hindcast_domain::limits::CONSIDERED_MAX;
use hindcast_domain::words::GroupingRule;
use hindcast_domain::{Fingerprint, IncidentId, Time};

use crate::evidence::AlertEvidence;
use crate::features::Features;
use crate::groups::{IncidentGroup, IncidentGroups};
use crate::math::{ln, thousandths};
use crate::pair::{PairSays, PairScorer};
use crate::parameters::PARAMETERS as P;
use crate::weights::{GroupingWeights, logistic};

/// Log-odds, in thousandths, of an alert that shares nothing with an incident: time alone joins nothing.
const NOTHING_SHARED: i32 = -20_000;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The incident, or `None` for one of its own.
    pub incident: Option<IncidentId>,
    /// Another incident that it fits too: whether the two are one is asked at once.
    pub second: Option<IncidentId>,
    /// The score and its parts, or the rule that decided.
    pub grouping: Grouping,
}

/// How well a newcomer fits one incident, by the best pair and what the incident as a whole says.
struct ComparedIncident<'a> {
    incident: &'a IncidentId,
    log_odds: i32,
    like: &'a Fingerprint,
    features: Features,
    /// What the incident adds to its best pair.
    support: i32,
    pause: i32,
    shares: bool,
}

impl ComparedIncident<'_> {
    /// The parts that add up to its log-odds. Those that say nothing are left out.
    fn parts(&self, weights: &GroupingWeights) -> BTreeMap<String, i32> {
        let mut parts = self.features.parts(weights);
        let nothing = if self.shares { 0 } else { NOTHING_SHARED };
        let own = [("support", self.support), ("pause", self.pause), ("nothing_shared", nothing)];
        parts.extend(own.into_iter().filter(|(_, part)| *part != 0).map(|(name, part)| (name.to_owned(), part)));
        parts
    }
}

/// Finds the incident that an alert belongs to. `joins` says whether an incident may be joined by it at all. Ties go to
/// the incident that comes first.
pub fn assign(
    newcomer: &AlertEvidence,
    groups: &IncidentGroups,
    scorer: &PairScorer<'_>,
    now: Time,
    joins: impl Fn(&IncidentGroup) -> bool,
) -> Assignment {
    let weights = scorer.weights();
    let tempo_s = groups.source_tempo_s(newcomer.source);
    let candidates = groups.candidates(newcomer, scorer, None, now);
    let mut compared: Vec<ComparedIncident<'_>> = candidates
        .into_iter()
        .filter(|group| joins(group))
        .filter_map(|group| fit(newcomer, group, scorer, tempo_s, now))
        .collect();
    compared.sort_by(|a, b| b.log_odds.cmp(&a.log_odds).then_with(|| a.incident.cmp(b.incident)));
    let fits = |compared: &&ComparedIncident<'_>| logistic(compared.log_odds) >= weights.threshold;
    let chosen = compared.first().filter(fits);
    let rest = &compared[usize::from(chosen.is_some())..];
    let second = rest.first().filter(|second| chosen.is_some() && fits(second));
    let considered = rest.iter().take(CONSIDERED_MAX).map(|compared| Considered {
        incident: compared.incident.clone(),
        score: logistic(compared.log_odds),
        why: against(compared, &compared.parts(weights)),
    });
    let grouping = Grouping {
        rule: if chosen.is_some() { GroupingRule::Score } else { GroupingRule::First },
        weights: weights.version,
        score: chosen.map_or(0, |chosen| logistic(chosen.log_odds)),
        threshold: weights.threshold,
        parts: chosen.map(|chosen| chosen.parts(weights)).unwrap_or_default(),
        like: chosen.map(|chosen| chosen.like.clone()),
        considered: considered.collect(),
    };
    Assignment {
        incident: chosen.map(|chosen| chosen.incident.clone()),
        second: second.map(|second| second.incident.clone()),
        grouping,
    }
}

/// How well an alert fits an incident; `None` where the incident has no alerts that are remembered.
fn fit<'a>(
    newcomer: &AlertEvidence,
    group: &'a IncidentGroup,
    scorer: &PairScorer<'_>,
    tempo_s: f64,
    now: Time,
) -> Option<ComparedIncident<'a>> {
    let members = group.compared();
    let mut best: Option<(PairSays, Features, &AlertEvidence)> = None;
    let mut related = 0_u32;
    for member in members {
        let pair = scorer.score(newcomer, member, tempo_s);
        related += u32::from(matches!(pair.says, PairSays::LogOdds(log_odds) if log_odds >= P.related.value));
        let is_better = best.is_none_or(|(says, _, _)| rank(pair.says) > rank(says));
        if is_better {
            best = Some((pair.says, pair.features, member));
        }
    }
    let (says, features, like) = best?;
    let share = f64::from(related + 1) / (f64::from(u32::try_from(members.len()).unwrap_or(u32::MAX)) + 1.0);
    let support = thousandths(f64::from(P.support.value) / 1_000.0 * ln(share));
    let pause = pause(group, tempo_s, now);
    let shares = matches!(says, PairSays::LogOdds(_));
    let nothing = if shares { 0 } else { NOTHING_SHARED };
    let log_odds = features.log_odds(scorer.weights()) + support + pause + nothing;
    Some(ComparedIncident { incident: &group.id, log_odds, like: &like.fingerprint, features, support, pause, shares })
}

/// The better pair is the one with the higher log-odds; one that shares nothing is worse than any.
fn rank(says: PairSays) -> (u8, i32) {
    match says {
        PairSays::LogOdds(log_odds) => (2, log_odds),
        PairSays::Nothing => (1, 0),
        PairSays::Against => (0, 0),
    }
}

/// A pause that is long for the incident speaks against it.
fn pause(group: &IncidentGroup, tempo_s: f64, now: Time) -> i32 {
    let gap_s = now.since(group.last).as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // a small multiple
    let own_s = group.own_tempo_s(tempo_s) * P.pause_times.value as f64;
    if gap_s <= own_s { 0 } else { -thousandths(f64::from(P.pause.value) / 1_000.0 * ln(gap_s / own_s)) }
}

/// What spoke against it most, in plain words.
fn against(compared: &ComparedIncident<'_>, parts: &BTreeMap<String, i32>) -> String {
    let part = |name: &str| parts.get(name).copied().unwrap_or(0);
    let mut reasons = Vec::new();
    if part("apart") < 0 {
        reasons.push("another namespace or cluster");
    }
    if part("no_path") < 0 {
        reasons.push("no path between the services");
    }
    if !compared.shares {
        reasons.push("nothing telling in common");
    } else if part("same_entity") == 0 && part("topology") == 0 {
        reasons.push("nothing known between the services");
    }
    if compared.shares && part("time") < 500 {
        reasons.push("together by chance alone");
    }
    if part("support") < -1_000 {
        reasons.push("like few of its alerts");
    }
    if part("pause") < 0 {
        reasons.push("quiet for long");
    }
    if reasons.is_empty() { "not alike enough".to_owned() } else { reasons.join(", ") }
}
