//! What may have broken, ranked, with the way from there to the alarm. Owns the ranking; refuses to know a
//! model, and names nothing where nothing explains what was seen.
//!
//! A service is a candidate when it shows signs of its own and an alarmed service is it or depends on it. Its
//! score adds up log-odds and puts a logistic on top, as everywhere in this house:
//!
//! | part | speaks for it |
//! |---|---|
//! | own | alerts and findings of its own; specific ones more than such as fire on many services |
//! | early | its first sign is among the first, within what sampling and alert rules delay |
//! | covers | the alarmed services are it or depend on it |
//! | explained | against: something that it depends on was abnormal by then |
//! | hardly | against: its metrics moved far less than those of another |
//! | change | it was changed shortly before its first sign, and showed nothing before |
//! | named | a service that depends on it names it in its lines |
//! | past | the same problem of the past turned out to be there |
//!
//! A metric that an alarm names counts for more where it moved the way that alarmed, and others for less then.
//! Where the catalogue does not know the one service that alarmed, it may depend on anybody.
//!
//! The weights are set by hand and versioned by [`RANKER`]; labels will replace them.

mod change;
pub mod evidence;
mod path;
mod radius;
mod scene;
mod sign;
mod verdict;
mod weigh;

use hindcast_api::HypothesisKind;
use hindcast_api::{Causes, Claim, ClaimVerdict, Hypothesis, Similar};
use hindcast_domain::catalog::Topology;

pub use evidence::{Evidence, Symptom};
use hindcast_api::cited;
use scene::{CauseCandidate, Scene};

/// The version of the ranking: rises with any change of what it concludes.
pub const RANKER: u32 = 2;
/// The least score, in thousandths, with which a cause is named.
pub const FLOOR: i32 = 500;
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
    let scene = Scene::new(evidence, topology);
    let changes = change::changes(&scene);
    let mut candidates = weigh::candidates(&scene, &changes, past);
    candidates.sort_by(CauseCandidate::order);

    let named: Vec<&CauseCandidate> = candidates.iter().filter(|candidate| candidate.score >= FLOOR).collect();
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
            .filter(|candidate| candidate.score < FLOOR || explained(candidate))
            .map(|candidate| verdict::refuted(candidate, best, &scene)),
    );
    refuted.truncate(REFUTED_MAX);
    let why_unresolved = items.is_empty().then(|| verdict::why_unresolved(&scene, &candidates));
    Causes {
        unresolved: items.is_empty(),
        blast_radius: radius::radius(&scene, best),
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

/// How a service stands that may have broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The service, by its one name where the catalogue knows it.
    pub service: String,
    /// In thousandths.
    pub score: i32,
    /// Its strongest sign, in plain words.
    pub why: String,
}

/// Every service that may have broken, best first, whether [`rank`] names it or not.
#[must_use]
pub fn standing(evidence: &Evidence, topology: &Topology, past: &[Similar]) -> Vec<Standing> {
    let scene = Scene::new(evidence, topology);
    let changes = change::changes(&scene);
    let mut candidates = weigh::candidates(&scene, &changes, past);
    candidates.sort_by(CauseCandidate::order);
    let standing = |candidate: CauseCandidate| {
        let strongest = sign::strongest(scene.signs_of(&candidate.service));
        let why = strongest.first().map_or_else(String::new, |sign| sign.text.clone());
        Standing { service: candidate.service, score: candidate.score, why }
    };
    candidates.into_iter().map(standing).collect()
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
        text: hypothesis.cause.clone(),
        citations: cited(first.chain(change).cloned()),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    }
}
