//! Whether what is said may be shown. Owns which events are called for that, and the words of ours that may be
//! chosen among; the judging itself is the verifier's, who sees no model.

use std::collections::BTreeSet;

use futures::future::join_all;
use hindcast_api::{Answer, Citation, Claim, ClaimVerdict, Code, Problem};
use hindcast_domain::Partition;
use hindcast_domain::catalog::Topology;
use hindcast_queries::Snapshot;
use hindcast_verifier::Court;

use crate::evidence::{DraftAssertion, DraftSentence};
use crate::limits::COURT_EVENTS_MAX;
use crate::situation::Situation;

/// Events that are read at the same time.
const AT_ONCE: usize = 16;

/// Judges the claims of one answer.
pub(crate) struct Judge {
    court: Court,
    called: BTreeSet<String>,
    services: Vec<String>,
    position: u64,
}

impl Judge {
    /// A judge as of a moment, for what may be seen in one environment; in all where none is named.
    pub(crate) async fn open(seen: &Snapshot, environment: Option<&str>) -> Result<Self, Problem> {
        let catalog = seen.catalog().await?;
        let services = catalog.services.iter().map(|service| service.name.clone()).collect();
        let mut court =
            Court::new(seen.position(), seen.recorded_at(), Partition::TENANT).topology(Topology::new(&catalog));
        if let Some(environment) = environment {
            court = court.environments([environment]);
        }
        Ok(Self { court, called: BTreeSet::new(), services, position: seen.position() })
    }

    /// Takes what was concluded, which the reasons of a cause are judged by.
    pub(crate) fn conclude(&mut self, situation: &Situation) {
        let similar = situation.similar.as_ref().map_or(&[][..], |page| page.items.as_slice());
        self.court.conclude(situation.causes.as_ref(), similar);
    }

    /// The services of the catalogue.
    pub(crate) fn services(&self) -> &[String] {
        &self.services
    }

    /// Calls events as witnesses. One that does not exist is left out; one that was recorded later is called
    /// all the same, so that the verifier can tell why it does not count.
    pub(crate) async fn call(
        &mut self,
        seen: &Snapshot,
        citations: impl IntoIterator<Item = &Citation>,
    ) -> Result<(), Problem> {
        let mut fresh = BTreeSet::new();
        for citation in citations {
            if self.called.len() + fresh.len() < COURT_EVENTS_MAX && !self.called.contains(&citation.event) {
                fresh.insert(citation.event.clone());
            }
        }
        let fresh: Vec<String> = fresh.into_iter().collect();
        for chunk in fresh.chunks(AT_ONCE) {
            for found in join_all(chunk.iter().map(|id| seen.event_also_later(id))).await {
                match found {
                    Ok(event) => self.court.add(event),
                    Err(problem) if is_no_event(&problem) => {}
                    Err(problem) => return Err(problem),
                }
            }
        }
        self.called.extend(fresh);
        Ok(())
    }

    /// A draft in the words of its assertion, else the first of its texts that stands. Where none does, the fullest is
    /// returned as it was judged, so that it is seen and counted as struck.
    pub(crate) fn choose(&self, draft: &DraftSentence) -> Option<Claim> {
        if let Some(claim) = self.asserted(draft).filter(|claim| claim.verdict == ClaimVerdict::Supported) {
            return Some(claim);
        }
        let mut fullest = None;
        for claim in draft.claims() {
            let claim = self.fitted(claim);
            if claim.verdict == ClaimVerdict::Supported {
                return Some(claim);
            }
            fullest = fullest.or(Some(claim));
        }
        fullest
    }

    /// The claim of what a draft asserts, judged.
    fn asserted(&self, draft: &DraftSentence) -> Option<Claim> {
        let mut claim = match &draft.asserts {
            DraftAssertion::Nothing => return None,
            DraftAssertion::This(assertion) => draft.asserted((**assertion).clone()),
            DraftAssertion::Event => {
                let cited = draft.citations.first()?;
                let told = hindcast_verifier::tell(self.court.event(&cited.event)?, &self.court)?;
                let mut claim = draft.asserted(told);
                claim.citations.truncate(1);
                claim
            }
        };
        self.judge(&mut claim);
        if claim.verdict != ClaimVerdict::Supported {
            tracing::debug!(text = claim.text, reason = claim.reason, "an assertion of ours does not stand");
        }
        Some(claim)
    }

    /// Judges a claim of ours without those of its events that have nothing to say of it: what we conclude rests
    /// on more than one sentence tells.
    fn fitted(&self, mut claim: Claim) -> Claim {
        hindcast_verifier::judge(&mut claim, &self.court);
        while claim.verdict != ClaimVerdict::Supported && claim.citations.len() > 1 {
            let silent = |cited: &Citation| {
                let says_nothing = format!("{} says nothing of it", cited.event);
                claim.reason.as_deref() == Some(says_nothing.as_str())
            };
            let Some(index) = claim.citations.iter().position(silent) else { break };
            claim.citations.remove(index);
            hindcast_verifier::judge(&mut claim, &self.court);
        }
        claim
    }

    /// Judges one claim.
    pub(crate) fn judge(&self, claim: &mut Claim) {
        hindcast_verifier::judge(claim, &self.court);
    }

    /// Judges a claim of somebody who cites too much: events that exist, could be seen and say nothing of it are
    /// left out, as long as the claim stands on those that remain. What cites an event that is none stays struck.
    pub(crate) fn judge_leniently(&self, claim: &mut Claim) {
        self.judge(claim);
        let mut narrowed = claim.clone();
        while narrowed.verdict != ClaimVerdict::Supported && narrowed.citations.len() > 1 {
            let reason = narrowed.reason.clone().unwrap_or_default();
            let idle = |citation: &&Citation| {
                let is_real =
                    self.court.event(&citation.event).is_some_and(|event| event.position == citation.position);
                is_real && citation.position <= self.position && reason.contains(&citation.event)
            };
            let Some(idle) = narrowed.citations.iter().find(idle).cloned() else { return };
            narrowed.citations.retain(|citation| *citation != idle);
            self.judge(&mut narrowed);
        }
        if narrowed.verdict == ClaimVerdict::Supported {
            *claim = narrowed;
        }
    }

    /// Judges everything that an answer says; what does not stand of our own conclusions is taken out of them
    /// and becomes a struck claim.
    pub(crate) fn strike(&self, answer: &mut Answer) {
        let counts = hindcast_verifier::strike(answer, &self.court);
        tracing::debug!(claims = counts.claims, struck = counts.struck, "an answer was judged");
    }
}

/// Whether an id names no event, or several.
fn is_no_event(problem: &Problem) -> bool {
    [Code::NotFound, Code::Ambiguous, Code::Invalid, Code::BadParameter].iter().any(|code| problem.code == *code)
}

/// Every citation of what is known and concluded about an incident.
pub(crate) fn of_situation(situation: &Situation) -> Vec<Citation> {
    let mut all = Vec::new();
    if let Some(causes) = &situation.causes {
        for hypothesis in causes.items.iter().chain(&causes.refuted) {
            all.extend(hypothesis.citations.iter().cloned());
            all.extend(hypothesis.path.iter().flat_map(|step| step.citations.iter().cloned()));
            let statements = hypothesis.confirms.iter().chain(&hypothesis.refutes);
            all.extend(statements.flat_map(|statement| statement.citations.iter().cloned()));
        }
    }
    if let Some(page) = &situation.similar {
        all.extend(page.items.iter().flat_map(|similar| similar.citations.iter().cloned()));
    }
    all.extend(situation.proposals.iter().flat_map(|proposal| proposal.citations.iter().cloned()));
    all
}
