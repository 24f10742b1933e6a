//! The answer from evidence alone: short sentences, each with the events behind it, chosen by what was asked.
//!
//! Owns the words. Refuses to judge them: every sentence is a draft until the verifier has seen it, and a draft
//! may offer the same thing in fewer words, of which the first that stands is used.

pub(crate) mod about;
pub(crate) mod conclusions;
mod draft;

use crate::situation::Situation;

pub(crate) use draft::{DraftAssertion, DraftSentence, Drafted, cut, when};

/// What is said beside a model's own words whatever was asked: what it is about, the cause, the past incident.
pub(crate) fn always(situation: &Situation) -> Drafted {
    let mut all = Drafted::default();
    all.drafts.extend(about::identity(situation));
    conclusions::cause(situation, &mut all);
    conclusions::seen(situation, &mut all);
    conclusions::todo(situation, &mut all);
    all.drafts.retain(|draft| draft.always);
    all.missing.extend(limits(situation));
    all
}

/// What bounds every answer about an incident: parts that could not be had, and telemetry that had expired.
pub(crate) fn limits(situation: &Situation) -> Vec<String> {
    situation.missing.iter().cloned().chain(about::expired(situation)).collect()
}
