//! The answer from evidence alone: short sentences, each with the events behind it, chosen by what was asked.
//!
//! Owns the words. Refuses to judge them: every sentence is a draft until the verifier has seen it, and a draft
//! may offer the same thing in fewer words, of which the first that stands is used.

mod about;
mod conclusions;
mod draft;

use std::collections::BTreeSet;

use hindcast_domain::incident;

use crate::intent::Intent;
use crate::limits::CLAIMS_MAX;
use crate::situation::Situation;

pub(crate) use draft::{DraftSentence, Drafted, cut};

/// Drafts what was asked for.
pub(crate) fn draft(situation: &Situation, asked: &BTreeSet<Intent>) -> Drafted {
    let mut all = Drafted::default();
    // Whatever is asked, an answer says what it is about.
    all.drafts.extend(about::identity(situation));
    // Whoever asks what is going on wants to know why.
    let wanted =
        |intent: &&Intent| asked.contains(intent) || **intent == Intent::Cause && asked.contains(&Intent::Going);
    for intent in Intent::ALL.iter().filter(wanted) {
        match intent {
            Intent::Going => about::going(situation, &mut all),
            Intent::Cause => conclusions::cause(situation, &mut all),
            Intent::Blast => conclusions::blast(situation, &mut all),
            Intent::Seen => conclusions::seen(situation, &mut all),
            Intent::Todo => conclusions::todo(situation, &mut all),
            Intent::Changes => about::changes(situation, &mut all),
            Intent::Who => about::who(situation, &mut all),
            Intent::HowLong => about::how_long(situation, &mut all),
            Intent::Timeline => about::timeline(situation, &mut all),
        }
    }
    all.missing.extend(situation.missing.iter().cloned());
    all.missing.extend(about::expired(situation));
    if situation.incident.status == incident::Status::Resolved {
        all.missing.push("this incident is over".to_owned());
    }
    let mut seen = BTreeSet::new();
    all.drafts.retain(|draft| draft.texts.first().is_some_and(|text| seen.insert(text.clone())));
    all.drafts.truncate(CLAIMS_MAX);
    let mut said = BTreeSet::new();
    all.missing.retain(|text| said.insert(text.clone()));
    all
}
