//! The draft of a postmortem, from the ledger alone. Owns its sections and their order; refuses to fill a gap:
//! a sentence cites its events, or says "not recorded".

mod page;
mod sections;

use hindcast_api::{Causes, Citation, Proposal, Similar};
use hindcast_domain::Time;

use hindcast_rca::Evidence;
use page::DraftPage;

/// Lines of the timeline at most; what is left out in the middle is counted.
pub const TIMELINE_MAX: usize = 120;
/// Similar incidents, refuted causes and statements of one list at most.
const LIST_MAX: usize = 8;

/// Drafts a postmortem in Markdown, with every event that it cites by position. `knew` holds what was concluded
/// as of earlier moments, such as at its opening and five minutes later.
#[must_use]
pub fn draft(
    evidence: &Evidence,
    causes: &Causes,
    similar: &[Similar],
    proposals: &[Proposal],
    knew: &[(Time, Causes)],
) -> (String, Vec<Citation>) {
    let mut page = DraftPage::default();
    sections::head(&mut page, evidence);
    sections::summary(&mut page, evidence, causes);
    sections::impact(&mut page, evidence, causes);
    sections::timeline(&mut page, evidence);
    sections::detection(&mut page, evidence);
    sections::response(&mut page, evidence);
    sections::cause(&mut page, evidence, causes);
    sections::knew(&mut page, evidence, causes, knew);
    sections::resolution(&mut page, evidence);
    sections::similar(&mut page, similar);
    sections::follow_ups(&mut page, evidence, causes, proposals);
    page.done()
}
