//! What the service concludes, as people read it: causes, similar incidents, proposals, findings. Owns the words
//! and the order of lines, for the commands of each and for `show` and `ask`, which tell them in short.

pub mod causes;
pub mod findings;
pub mod postmortem;
pub mod proposals;
pub mod similar;

use hindcast_api::Citation;

/// The positions of citations, each once, in order.
pub(crate) fn positions(citations: &[Citation]) -> Vec<u64> {
    let mut positions: Vec<u64> = citations.iter().map(|citation| citation.position).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// A score as people write it.
pub(crate) fn score(value: f64) -> String {
    format!("{value:.2}")
}
