//! A sentence before it is judged, and an answer that is made of such sentences. Owns their form and bounds; refuses to
//! know what they say.

use std::collections::BTreeSet;

use hindcast_api::{Assertion, Citation, Claim, ClaimVerdict, PathStep};
use hindcast_domain::Time;

use crate::limits::{CITATIONS_MAX, CLAIM_BYTES_MAX};

/// A sentence that is not judged yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DraftSentence {
    /// The same thing in ever fewer words.
    pub(crate) texts: Vec<String>,
    pub(crate) citations: Vec<Citation>,
    pub(crate) path: Vec<PathStep>,
    /// Whether it is said beside a model's own words too: what it is about, the cause, the past incident and
    /// the runbook that rank first.
    pub(crate) always: bool,
    /// What it asserts, where the vocabulary has a kind for it.
    pub(crate) asserts: DraftAssertion,
}

/// Where the assertion of a sentence comes from. Its own words are said if it stands; else the other texts are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum DraftAssertion {
    /// No kind covers it.
    #[default]
    Nothing,
    /// It was concluded, and is checked as such.
    This(Box<Assertion>),
    /// Whatever the first event says of itself.
    Event,
}

impl DraftSentence {
    pub(crate) fn new(texts: impl IntoIterator<Item = String>, citations: impl IntoIterator<Item = Citation>) -> Self {
        let mut seen = BTreeSet::new();
        let citations = citations.into_iter().filter(|citation| seen.insert(citation.clone())).take(CITATIONS_MAX);
        Self {
            texts: texts.into_iter().map(|text| cut(&text, CLAIM_BYTES_MAX)).collect(),
            citations: citations.collect(),
            path: Vec::new(),
            always: false,
            asserts: DraftAssertion::Nothing,
        }
    }

    /// The same, to be said always.
    pub(crate) fn always(self) -> Self {
        Self { always: true, ..self }
    }

    /// The same as an assertion.
    pub(crate) fn asserting(self, assertion: Assertion) -> Self {
        Self { asserts: DraftAssertion::This(Box::new(assertion)), ..self }
    }

    /// The same as what its first event says of itself.
    pub(crate) fn of_event(self) -> Self {
        Self { asserts: DraftAssertion::Event, ..self }
    }

    /// The claim of an assertion, in its own words.
    pub(crate) fn asserted(&self, assertion: Assertion) -> Claim {
        let text = cut(&hindcast_api::assertion::sentence(&assertion), CLAIM_BYTES_MAX);
        self.claim(text, assertion)
    }

    /// One claim a text, in order: sentences that no kind covers.
    pub(crate) fn claims(&self) -> impl Iterator<Item = Claim> {
        self.texts.iter().map(|text| self.claim(text.clone(), Assertion::statement(text)))
    }

    fn claim(&self, text: String, assertion: Assertion) -> Claim {
        Claim {
            assertion: Some(assertion),
            text,
            citations: self.citations.clone(),
            verdict: ClaimVerdict::Unverifiable,
            reason: None,
            path: self.path.clone(),
        }
    }
}

/// A text of at most `bytes_max` bytes.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// An answer before it is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Drafted {
    pub(crate) drafts: Vec<DraftSentence>,
    /// What is proposed, in order.
    pub(crate) proposed: Vec<String>,
    pub(crate) missing: Vec<String>,
}

/// A time as people read it: to the second.
pub(crate) fn when(time: Time) -> Time {
    Time::from_millis(time.millis().div_euclid(1_000) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut("äöü", 6), "äöü");
        assert_eq!(cut("äöüß", 6), "ä…");
    }
}
