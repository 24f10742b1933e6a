//! The words of an answer that no model writes, and what the ledger keeps of it.

use hindcast_api::{Answer, Claim, ClaimVerdict};
use hindcast_domain::text::capitalized;
use hindcast_redact::Redactor;
use serde_json::Value;

use super::AnswerInProgress;
use super::composed::ComposedAnswer;
use crate::failure::Failure;
use crate::situation::Situation;
use crate::taken::TakenQuestion;
use crate::verify::Judge;

/// Bytes of an answer that the ledger keeps whole; a longer one is kept without what can be concluded again.
const RECORDED_BYTES_MAX: usize = 192 * 1024;

/// Puts what was concluded into an answer, in the order in which it was concluded.
pub(super) fn put(situation: &Situation, answer: &mut Answer) {
    answer.hypotheses = situation.causes.as_ref().map(|causes| causes.items.clone()).unwrap_or_default();
    answer.similar = situation.similar.as_ref().map(|page| page.items.clone()).unwrap_or_default();
    answer.proposals = situation.proposals.clone();
    answer.severity = Some(situation.incident.severity);
}

/// Puts lines of ours into an answer, each in the words that stand. What does not stand of the conclusions is told folded.
pub(super) fn from_evidence(answer: &mut Answer, composed: &ComposedAnswer, judge: &Judge) {
    let before = std::mem::take(&mut answer.claims);
    judge.strike(answer);
    let removed = std::mem::replace(&mut answer.claims, before);
    composed.told(judge, answer);
    answer.details.extend(removed);
    if !composed.shows.causes {
        answer.hypotheses.clear();
    }
    if !composed.shows.similar {
        answer.similar.clear();
    }
    if !composed.shows.proposals {
        answer.proposals.clear();
    }
}

/// Answers from evidence because no model did. What it said and does not stand is kept, struck.
pub(super) fn fall_back(
    answer: &mut Answer,
    composed: &ComposedAnswer,
    judge: &Judge,
    failure: &Failure,
    struck: Vec<Claim>,
) {
    from_evidence(answer, composed, judge);
    answer.claims.extend(struck);
    answer.missing.push(fell(failure));
}

/// The words of an answer that a model worded: what answers first, then the claims that stand.
pub(super) fn worded_by_model(answer: &mut Answer, work: &AnswerInProgress<'_>, judge: &Judge) {
    answer.missing.extend(work.composed.missing.iter().cloned());
    let lead = work.composed.lead_words(judge);
    let proposed = if work.composed.shows.proposals { work.drafted.proposed.as_slice() } else { &[] };
    let rest: Vec<Claim> =
        answer.claims.iter().filter(|claim| !lead.contains(claim.text.trim_end_matches('.'))).cloned().collect();
    answer.answer = format!("{lead}\n{}", compose(&rest, proposed, &answer.missing));
    answer.lead = Some(lead);
}

/// What is looked at, as a step of progress says it.
pub(super) fn looking_at(taken: &TakenQuestion) -> String {
    let what = taken.incident.as_ref().map_or("everything", |incident| incident.id.as_str());
    format!("looking at {what} as of position {}", taken.moment.position())
}

/// Why an answer is from evidence alone, as `missing` and a step of progress say it.
pub(super) fn fell(failure: &Failure) -> String {
    format!("the language model did not write this ({}): answered from evidence alone", failure.text)
}

/// Claims that were struck for a reason that the verifier does not know stay struck.
pub(crate) fn keep_struck(claims: &mut [Claim], before: &[Claim]) {
    for claim in claims {
        let struck = |known: &&Claim| {
            known.verdict == ClaimVerdict::Unsupported && known.text == claim.text && known.citations == claim.citations
        };
        if let Some(known) = before.iter().find(struck) {
            (claim.verdict, claim.reason) = (known.verdict, known.reason.clone());
        }
    }
}

#[allow(clippy::cast_precision_loss)] // money of one answer
pub(super) fn dollars(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// The claims that stand, what is proposed and what is missing, as one text.
fn compose(claims: &[Claim], proposed: &[String], missing: &[String]) -> String {
    let stands = |claim: &&Claim| claim.verdict != ClaimVerdict::Unsupported;
    let told = claims.iter().filter(stands).map(|claim| match claim.verdict {
        ClaimVerdict::Unverifiable => sentence(&format!("{} (not checked)", claim.text.trim_end_matches('.'))),
        _ => sentence(&claim.text),
    });
    // Claims may begin with a name, which keeps its spelling; what is missing begins with a word of ours.
    let beside = proposed.iter().chain(missing).map(|text| sentence(&capitalized(text)));
    told.chain(beside).collect::<Vec<_>>().join(" ")
}

/// A text that ends like a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let ends = text.ends_with(['.', '!', '?', '…']);
    if ends { text.to_owned() } else { format!("{text}.") }
}

/// The answer as the ledger keeps it: redacted, and within its bound.
pub(super) fn kept(answer: &Answer) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or_default();
    if value.to_string().len() > RECORDED_BYTES_MAX
        && let Some(fields) = value.as_object_mut()
    {
        for name in ["hypotheses", "similar", "proposals"] {
            fields.insert(name.to_owned(), Value::Array(Vec::new()));
        }
        fields.insert("shortened".to_owned(), Value::Bool(true));
    }
    Redactor::default().value(value)
}
