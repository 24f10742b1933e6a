//! What may have broken, ranked, with the way from there to the alarm. Owns the ranking; refuses to know a
//! model, and names nothing where nothing explains what was seen.
//!
//! Signs become effects: log Bayes factors that never saturate, of alerts, metrics and lines alike. Each service is
//! weighed under five hypotheses of how it broke ([`hypotheses`]), with what it shows itself, what its callers and
//! callees show, and what is known beside that: whether it showed something first, was changed just before, is named
//! in the lines of others, or was the cause of the same problem before. The hypotheses and "none of them" share a
//! probability of one; where "none of them" has most of it, nothing is named.
//!
//! A service may be a cause when it shows signs of its own and an alarmed service is it or depends on it. Where the
//! catalogue does not know the one service that alarmed, it may depend on anybody.
//!
//! The weights are in [`parameters`] and versioned by [`RANKER`]; labels will replace them.

mod change;
mod classes;
pub mod effect;
pub mod evidence;
mod graph;
pub mod hypotheses;
pub mod kind;
mod modes;
pub mod observed;
pub mod parameters;
mod path;
mod radius;
pub mod requests;
mod risk;
mod scene;
mod sign;
pub mod traces;
mod verdict;
mod weigh;

use hindcast_api::HypothesisKind;
use hindcast_api::{Assertion, Causes, Claim, ClaimVerdict, Hypothesis, Similar};
use hindcast_domain::catalog::Topology;

pub use evidence::{Evidence, Symptom};
use hindcast_api::cited;
use scene::{CauseCandidate, Scene};

/// The version of the ranking: rises with any change of what it concludes.
pub const RANKER: u32 = 3;
/// The least probability, in thousandths, that any candidate is the cause, for causes to be named: naming a wrong
/// cause costs as much as naming none.
pub const FLOOR: i32 = 500;
/// The least probability, in thousandths, with which a cause is listed beside the first.
const ITEM_MIN: i32 = 50;
/// Causes that are named at most.
const ITEMS_MAX: usize = 5;
/// What is listed as considered and refuted at most.
const REFUTED_MAX: usize = 20;

/// Ranks what may have caused an incident. `past` are incidents of the past that are like it; only those that
/// are the same problem count.
///
/// The order of lists in `evidence` plays no part. Nothing is cited that `evidence` does not hold.
#[must_use]
pub fn rank(evidence: &Evidence, topology: &Topology, past: &[Similar]) -> Causes {
    let topology = &evidence.with_calls(topology);
    let scene = Scene::new(evidence, topology);
    let changes = change::changes(&scene);
    let mut candidates = weigh::candidates(&scene, &changes, past);
    candidates.sort_by(CauseCandidate::order);

    let resolved = candidates.iter().map(|candidate| candidate.score).sum::<i32>() >= FLOOR;
    let is_named = |candidate: &&CauseCandidate| resolved && candidate.score >= ITEM_MIN;
    let named: Vec<&CauseCandidate> = candidates.iter().filter(is_named).collect();
    let best = named.first().copied();
    let explained = |candidate: &CauseCandidate| {
        best.is_some_and(|best| best.service != candidate.service && candidate.explained_by(&best.service))
    };
    let items: Vec<_> = named
        .iter()
        .filter(|candidate| !explained(candidate))
        .take(ITEMS_MAX)
        .map(|candidate| verdict::hypothesis(candidate, &scene, &named, past))
        .collect();
    let mut refuted = change::refuted(&changes, best, &scene);
    refuted.extend(
        candidates
            .iter()
            .filter(|candidate| !is_named(candidate) || explained(candidate))
            .map(|candidate| verdict::refuted(candidate, best, &scene)),
    );
    refuted.truncate(REFUTED_MAX);
    let why_unresolved = items.is_empty().then(|| verdict::why_unresolved(&scene, &candidates));
    let blast_radius = radius::radius(&scene, best);
    Causes {
        unresolved: items.is_empty(),
        risk: Some(risk::risk(&scene, &blast_radius, &items)),
        blast_radius,
        items,
        next: None,
        position: evidence.position,
        incident: evidence.incident.id.clone(),
        why_unresolved,
        refuted,
        ranker: RANKER,
        behind: None,
    }
}

/// A cause as a claim that can be checked: its words with the events that these words rest on, which are fewer
/// than all that the hypothesis cites.
#[must_use]
pub fn claim(hypothesis: &Hypothesis) -> Claim {
    let first = hypothesis.path.first().into_iter().flat_map(|step| step.citations.iter());
    // of a change it says first when it was made
    let change = hypothesis.confirms.first().filter(|_| hypothesis.kind == HypothesisKind::Change);
    let change = change.into_iter().flat_map(|statement| statement.citations.iter());
    Claim {
        assertion: Some(Assertion::statement(&hypothesis.cause)),
        text: hypothesis.cause.clone(),
        citations: cited(first.chain(change).cloned()),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    }
}
