//! What we conclude about an incident, put into sentences: causes, whom it hits, what it was like before, and
//! what may be done. The order is that of whoever concluded; nothing is weighed again here.

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, AssertionSource};
use hindcast_api::{Citation, Hypothesis, Proposal, Similar, Statement, TimelineEntry};

use super::about::first_of;
use super::draft::{DraftSentence, Drafted};
use crate::limits::{PROPOSALS_TOLD_MAX, SERVICES_TOLD_MAX, SIMILAR_TOLD_MAX};
use crate::situation::Situation;
use hindcast_domain::text::listed;

/// Reasons for and against that are told of one cause.
const STATEMENTS_TOLD_MAX: usize = 3;
/// Causes that were ruled out and are told.
const REFUTED_TOLD_MAX: usize = 3;

/// What may have been the cause.
pub(crate) fn cause(situation: &Situation, all: &mut Drafted) {
    let Some(causes) = &situation.causes else { return };
    match causes.items.first() {
        Some(first) if !causes.unresolved => {
            all.drafts.push(hypothesis(first));
            all.drafts.extend(first.confirms.iter().take(STATEMENTS_TOLD_MAX).map(statement));
            all.drafts.extend(first.refutes.iter().take(1).map(statement));
        }
        _ => {
            let why = causes.why_unresolved.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            all.missing.push(format!("unresolved{why}"));
        }
    }
    for refuted in causes.refuted.iter().take(REFUTED_TOLD_MAX) {
        all.drafts.extend(refuted.refutes.first().map(statement));
    }
    if let Some(cause) = &situation.incident.cause
        && let Some(entry) = situation.last(&["incident.resolved"])
    {
        let told = Citation { event: entry.event.clone(), position: entry.position };
        let texts =
            [format!("{} named as the cause: {cause}", entry.actor), format!("A person named as the cause: {cause}")];
        all.drafts.push(DraftSentence::new(texts, [told]).asserting(named(entry, cause)));
    }
}

fn hypothesis(first: &Hypothesis) -> DraftSentence {
    let claim = hindcast_rca::claim(first);
    let draft = DraftSentence::new([claim.text, format!("{} failed first", first.service)], claim.citations);
    DraftSentence { path: first.path.clone(), ..draft }.asserting(ranked(first, 1)).always()
}

/// That a hypothesis is ranked at a place.
pub(crate) fn ranked(one: &Hypothesis, place: usize) -> Assertion {
    let words = one.cause.strip_prefix(&format!("{}: ", one.service)).unwrap_or(&one.cause);
    concluded(Kind::Cause)
        .with(Role::Service, one.service.as_str())
        .with(Role::Rank, place.to_string())
        .with(Role::Quote, words)
}

/// That a person named a cause.
pub(crate) fn named(entry: &TimelineEntry, cause: &str) -> Assertion {
    Assertion::new(Kind::Cause)
        .with(Role::Person, entry.actor.as_str())
        .with(Role::Quote, cause)
        .by(AssertionSource::Person)
}

/// That an incident affects services.
pub(crate) fn affects(services: &[&str]) -> Assertion {
    concluded(Kind::Affected).with(Role::Service, listed(services, SERVICES_TOLD_MAX))
}

fn concluded(kind: Kind) -> Assertion {
    Assertion::new(kind).by(AssertionSource::Concluded)
}

fn statement(statement: &Statement) -> DraftSentence {
    let draft = DraftSentence::new([statement.text.clone()], statement.citations.iter().cloned());
    draft.asserting(hindcast_verifier::reason(statement))
}

/// Whom it hits.
pub(crate) fn blast(situation: &Situation, all: &mut Drafted) {
    let Some(causes) = &situation.causes else { return };
    let radius = &causes.blast_radius;
    let mut hit: Vec<&str> = radius.hit.iter().map(String::as_str).collect();
    let proof = |service: &&str| first_of(situation, service).or_else(|| found_of(situation, service));
    let cited: Vec<Citation> = hit.iter().filter_map(proof).collect();
    hit.retain(|service| proof(service).is_some());
    if !hit.is_empty() {
        let draft = DraftSentence::new([format!("It affects {}", listed(&hit, SERVICES_TOLD_MAX))], cited);
        all.drafts.push(draft.asserting(affects(&hit)));
    }
    // That something shows nothing stands in no event: it is said beside the claims.
    if !radius.at_risk.is_empty() {
        let names: Vec<&str> = radius.at_risk.iter().map(String::as_str).collect();
        all.missing.push(format!("nothing is seen yet on what depends on it: {}", listed(&names, SERVICES_TOLD_MAX)));
    }
    if !radius.unharmed.is_empty() {
        let names: Vec<&str> = radius.unharmed.iter().map(String::as_str).collect();
        all.missing.push(format!("nothing is seen on what else is watched: {}", listed(&names, SERVICES_TOLD_MAX)));
    }
}

fn found_of(situation: &Situation, service: &str) -> Option<Citation> {
    let found = situation.findings.iter().find(|finding| finding.finding.service == service)?;
    Some(Citation { event: found.event.clone(), position: found.position })
}

/// What it was like before.
pub(crate) fn seen(situation: &Situation, all: &mut Drafted) {
    let Some(page) = &situation.similar else { return };
    if page.never_seen {
        all.missing.push("no matching past incident: none is the same problem".to_owned());
    }
    if page.stand_in {
        all.missing.push("no embedding model is installed: likeness is by words alone".to_owned());
    }
    let (same, other): (Vec<&Similar>, Vec<&Similar>) = page.items.iter().partition(|similar| similar.same);
    let mut told = same.iter().take(SIMILAR_TOLD_MAX).map(|similar| the_same(similar));
    all.drafts.extend(told.next().map(DraftSentence::always));
    all.drafts.extend(told);
    all.drafts.extend(other.iter().take(1).map(|similar| look_alike(similar)));
}

fn the_same(similar: &Similar) -> DraftSentence {
    let what = format!("{} was the same problem", similar.incident);
    let cause = similar.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
    let ended = similar.resolution.as_deref().map(|text| format!("; what ended it: {text}")).unwrap_or_default();
    let texts = [format!("{what}{cause}{ended}"), format!("{what}{ended}"), format!("{what}{cause}"), what];
    DraftSentence::new(texts, similar.citations.iter().cloned()).asserting(same_problem(similar))
}

fn look_alike(similar: &Similar) -> DraftSentence {
    let what = format!("{} looks like it and is another problem", similar.incident);
    let differs = similar.differs.first().map(|text| format!(": {text}")).unwrap_or_default();
    let short = format!("{} looks like it", similar.incident);
    let other = concluded(Kind::LooksLike).with(Role::Other, similar.incident.as_str());
    let draft = DraftSentence::new([format!("{what}{differs}"), what, short], similar.citations.iter().cloned());
    draft.asserting(other.with_some(Role::Quote, similar.differs.first().map(String::as_str)))
}

/// That an earlier incident was the same problem, and what ended it.
pub(crate) fn same_problem(similar: &Similar) -> Assertion {
    let one = concluded(Kind::SameProblem).with(Role::Other, similar.incident.as_str());
    one.with_some(Role::Quote, similar.resolution.as_deref())
}

/// What may be done.
pub(crate) fn todo(situation: &Situation, all: &mut Drafted) {
    if situation.proposals.is_empty() {
        all.missing.push("no runbook fits it".to_owned());
    }
    all.proposed.extend(situation.proposals.iter().take(PROPOSALS_TOLD_MAX).map(proposal));
}

/// A proposal is no statement about what was, so it is none of the claims: it stands beside them, and its
/// reasons with their events stand in the list of proposals.
fn proposal(proposal: &Proposal) -> String {
    let targets: Vec<&str> = proposal.targets.iter().map(String::as_str).collect();
    let on = match listed(&targets, SERVICES_TOLD_MAX) {
        empty if empty.is_empty() => String::new(),
        targets => format!(" on {targets}"),
    };
    let risk: String = proposal.risk.chars().take_while(|c| c.is_alphanumeric()).collect();
    let risk = if risk.is_empty() { String::new() } else { format!(", {risk} risk") };
    let ended = if proposal.worked.ended > 0 {
        format!(", ended the same problem {} of {} times", proposal.worked.ended, proposal.worked.of)
    } else {
        String::new()
    };
    format!("Proposed: runbook {}{on}{risk}{ended}", proposal.runbook)
}
