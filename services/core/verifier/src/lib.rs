//! The verifier: whether what is said stands in the events that are cited for it. It sees no model: a claim is
//! checked the same way, whoever made it.
//!
//! The one contract of this crate: *a claim is `supported` only if every event that it cites exists, was known at the
//! position of the question and belongs to the asker's tenant and environment, and everything that it says is an
//! assertion whose every value one of these events says in that role*. Pure.
//!
//! A claim of ours carries its assertion, and its words are made from it. A free text is read by a small grammar
//! ([`grammar`]), in which each word has a place or the text is not read.
//!
//! | verdict | when |
//! |---|---|
//! | `supported` | every word was read, and every assertion stands ([`exact`]) |
//! | `unsupported` | a citation is none, an assertion has another value in the event that it is about, or an id, a version, a quotation or a link stands nowhere ([`free`]) |
//! | `unverifiable` | everything else: it was not checked, and is shown so |
//!
//! What the verifier does not do: it does not understand prose. What it does not read it does not tick, be it true or
//! false; that one thing caused another is ticked only of what was ranked, and worded so ([`concluded`]).

mod bears;
mod clauses;
mod concluded;
pub mod court;
mod deny;
mod exact;
mod facts;
mod figures;
mod filling;
mod frames;
mod free;
mod grammar;
mod happening;
mod kinds;
mod known;
mod lexemes;
mod metric;
mod named;
mod orders;
mod path;
mod places;
mod read;
mod stands;
mod strike;
mod tell;
mod times;
mod value;
mod vocabulary;
mod words;

use std::sync::Arc;

use hindcast_api::assertion::{render, sentence};
use hindcast_api::{Assertion, AssertionKind, Citation, Claim, ClaimVerdict};

use facts::EventFacts;

pub use court::{Checks, Court};
pub use orders::advises;
pub use strike::{VerdictCounts, reason, strike, way};
pub use tell::tell;

/// What is wrong with a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimFault {
    /// Nothing can be checked.
    #[error("{0}")]
    Unverifiable(String),
    /// Something does not stand in the events.
    #[error("{0}")]
    Unsupported(String),
}

/// Judges one claim: sets its verdict, and the reason where it is not `supported`.
pub fn judge(claim: &mut Claim, court: &Court) {
    (claim.verdict, claim.reason) = match check(claim, court) {
        Ok(()) => (ClaimVerdict::Supported, None),
        Err(ClaimFault::Unverifiable(why)) => (ClaimVerdict::Unverifiable, Some(why)),
        Err(ClaimFault::Unsupported(why)) => (ClaimVerdict::Unsupported, Some(why)),
    };
}

fn check(claim: &Claim, court: &Court) -> Result<(), ClaimFault> {
    let cited = court.summon(&claim.citations)?;
    let Some(assertion) = &claim.assertion else {
        return free::check(claim, &cited, court);
    };
    if !is_rendered(&claim.text, assertion) {
        return Err(ClaimFault::Unsupported("its words are not those of its assertion".to_owned()));
    }
    if assertion.kind == AssertionKind::Statement {
        return stated(claim, &cited, court);
    }
    exact::check(assertion, &cited, &claim.citations, court)?;
    path::path(&claim.path, court)
}

/// A sentence of ours that has no kind yet: each thing that it names stands in its events, and each of these has
/// something to do with it. No other text is ever judged so.
fn stated(claim: &Claim, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    let reading = read::read(&claim.text, court.names());
    stands::stands(&reading, cited, court)?;
    deny::deny(&reading, cited, court)?;
    path::path(&claim.path, court)?;
    bears::bears(&reading, claim, cited, court)
}

/// Whether each number, time, name and quotation of a text stands in the events that it cites: less than a verdict,
/// and what a sentence of ours is tested by.
///
/// # Errors
/// What does not stand, in words.
pub fn things_stand(text: &str, citations: &[Citation], court: &Court) -> Result<(), String> {
    let things = || {
        let cited = court.summon(citations)?;
        let reading = read::read(text, court.names());
        stands::stands(&reading, &cited, court)?;
        deny::deny(&reading, &cited, court)
    };
    things().map_err(|wrong: ClaimFault| wrong.to_string())
}

/// Whether a text is the sentence of an assertion, or the beginning of it where it was cut.
fn is_rendered(text: &str, assertion: &Assertion) -> bool {
    let is = |made: String| text == made || text.strip_suffix('…').is_some_and(|head| made.starts_with(head));
    is(render(assertion)) || is(sentence(assertion))
}

/// The assertions that a free text is read as, where all of it is read.
#[must_use]
pub fn parse(text: &str, court: &Court) -> Option<Vec<Assertion>> {
    let reading = read::read(text, court.names());
    grammar::parse(&reading, court).into_iter().map(Result::ok).collect()
}
