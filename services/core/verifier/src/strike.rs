//! Judges a whole answer: its claims, the statements and paths of its hypotheses, and what it cites for similar
//! incidents. What does not stand is taken out of where it stood, and kept among the claims with the reason.

use hindcast_api::{Answer, Citation, Claim, ClaimVerdict, Hypothesis, PathStep, Similar, Statement};
use hindcast_api::{Assertion, AssertionKind, AssertionRole, AssertionSource};

use crate::ClaimFault;
use crate::court::Court;
use crate::judge;

/// How an answer fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// What was judged: claims, statements, paths, similar incidents.
    pub claims: u32,
    /// Claims among them that the cited events support.
    pub supported: u32,
    /// Claims among them that were removed.
    pub struck: u32,
    /// Of these, such as name nothing that could be checked.
    pub unverifiable: u32,
}

impl VerdictCounts {
    fn count(&mut self, verdict: ClaimVerdict) {
        self.claims += 1;
        match verdict {
            ClaimVerdict::Supported => self.supported += 1,
            ClaimVerdict::Unsupported => self.struck += 1,
            ClaimVerdict::Unverifiable => self.unverifiable += 1,
        }
    }
}

/// Judges everything that an answer says. Claims get their verdicts; of hypotheses and similar incidents
/// whatever is unsupported is taken out and becomes a struck claim with its reason.
pub fn strike(answer: &mut Answer, court: &Court) -> VerdictCounts {
    let mut counts = VerdictCounts::default();
    for claim in &mut answer.claims {
        judge(claim, court);
        counts.count(claim.verdict);
    }
    let mut struck = Vec::new();
    for hypothesis in &mut answer.hypotheses {
        self::hypothesis(hypothesis, court, &mut counts, &mut struck);
    }
    answer.similar.retain(|similar| stays(similar, court, &mut counts, &mut struck));
    answer.claims.extend(struck);
    counts
}

fn hypothesis(hypothesis: &mut Hypothesis, court: &Court, counts: &mut VerdictCounts, struck: &mut Vec<Claim>) {
    for statements in [&mut hypothesis.confirms, &mut hypothesis.refutes] {
        statements.retain(|statement| {
            let claim = judged(claim(statement), court, counts);
            let stays = claim.verdict != ClaimVerdict::Unsupported;
            if !stays {
                struck.push(claim);
            }
            stays
        });
    }
    if hypothesis.path.is_empty() {
        return;
    }
    let claim = judged(way(&hypothesis.path), court, counts);
    if claim.verdict == ClaimVerdict::Unsupported {
        hypothesis.path.clear();
        struck.push(claim);
    }
}

fn judged(mut claim: Claim, court: &Court, counts: &mut VerdictCounts) -> Claim {
    judge(&mut claim, court);
    counts.count(claim.verdict);
    claim
}

/// A reason of the ranking, which is checked as the conclusion that it is.
fn claim(statement: &Statement) -> Claim {
    Claim {
        assertion: Some(reason(statement)),
        text: statement.text.clone(),
        citations: statement.citations.clone(),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    }
}

/// The assertion of a reason.
#[must_use]
pub fn reason(statement: &Statement) -> Assertion {
    Assertion::new(AssertionKind::Reason)
        .with(AssertionRole::Quote, statement.text.as_str())
        .by(AssertionSource::Concluded)
}

/// A path as a claim: its services in order.
#[must_use]
pub fn way(path: &[PathStep]) -> Claim {
    let mut citations: Vec<Citation> = path.iter().flat_map(|step| step.citations.iter().cloned()).collect();
    citations.sort_by_key(|citation| citation.position);
    citations.dedup();
    let mut services: Vec<&str> = path.iter().map(|step| step.service.as_str()).collect();
    services.dedup();
    Claim {
        assertion: None,
        text: services.join(" → "),
        citations,
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: path.to_vec(),
    }
}

/// Whether the events that are cited for a similar incident exist and could be seen, and one of them is about it:
/// the others are signs that it had, and need not name it. Its words are our own comparison and are not judged.
fn stays(similar: &Similar, court: &Court, counts: &mut VerdictCounts, struck: &mut Vec<Claim>) -> bool {
    let mut claim = Claim {
        assertion: None,
        text: format!("{} is like this one", similar.incident),
        citations: similar.citations.clone(),
        verdict: ClaimVerdict::Supported,
        reason: None,
        path: Vec::new(),
    };
    let is_about =
        |citation: &Citation| court.event(&citation.event).is_some_and(|event| event.subject == similar.incident);
    match court.summon(&similar.citations) {
        Ok(_) if similar.citations.iter().any(is_about) => {}
        Ok(_) => {
            claim.verdict = ClaimVerdict::Unsupported;
            claim.reason = Some(format!("no event that is cited is about {}", similar.incident));
        }
        Err(ClaimFault::Unverifiable(why)) => (claim.verdict, claim.reason) = (ClaimVerdict::Unverifiable, Some(why)),
        Err(ClaimFault::Unsupported(why)) => (claim.verdict, claim.reason) = (ClaimVerdict::Unsupported, Some(why)),
    }
    counts.count(claim.verdict);
    let stays = claim.verdict != ClaimVerdict::Unsupported;
    if !stays {
        struck.push(claim);
    }
    stays
}
