//! The verifier: whether what is said stands in the events that are cited for it. It sees no model: a claim is
//! checked the same way, whoever made it.
//!
//! The one contract of this crate: *a claim is `supported` only if every event that it cites exists, was known
//! at the position of the question, belongs to the asker's tenant and environment, and every number, time,
//! service, id and quoted word of the claim, and every step of its path, stands in them*. Pure.
//! It compares words, numbers and names, and not meaning: a false sentence in free words passes when what it names
//! stands in its events.
//!
//! How a claim is checked, in this order; the first thing that is wrong is the reason:
//!
//! 1. it cites something (else `unverifiable`), and each cited event exists at its position, by then, may be seen
//!    and is no part of a conversation ([`court`]);
//! 2. the text is read ([`read`]): quotations, ids, times, durations, numbers, versions, names, severities;
//! 3. each of these must stand in the cited events ([`facts`]), rounded as a person rounds ([`figures`],
//!    [`times`]), and in those that are about the service of its clause ([`stands`]);
//! 4. what is denied must not have happened, what rose must not have fallen ([`deny`]);
//! 5. what comes first must have begun first ([`order`]), and a path must be walkable ([`path`]);
//! 6. each cited event must have something to do with the claim ([`bears`]).
//!
//! What the verifier does not do: it does not understand prose. A sentence that only says, in other words than
//! the events, something that happens to be false, can be marked `unverifiable` at best.

mod bears;
pub mod court;
mod deny;
mod facts;
mod figures;
mod known;
mod order;
mod path;
mod read;
mod stands;
mod strike;
mod times;
mod words;

use hindcast_api::{Claim, ClaimVerdict};

pub use court::{Checks, Court};
pub use strike::{VerdictCounts, strike, way};

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
    let reading = read::read(&claim.text, court.names());
    stands::stands(&reading, &cited, court)?;
    deny::deny(&reading, &cited, court)?;
    order::order(&reading, &cited, court)?;
    path::path(&claim.path, court)?;
    bears::bears(&reading, claim, &cited, court)
}
