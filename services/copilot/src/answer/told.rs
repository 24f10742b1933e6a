//! What the evidence of an incident says, as lines of an answer.

use super::line::{AnswerLine, stated};
use crate::evidence::Drafted;
use crate::situation::Situation;

/// Lines of what one part of the evidence says, and what it misses.
pub(super) fn told(of: fn(&Situation, &mut Drafted), situation: &Situation) -> (Vec<AnswerLine>, Vec<String>) {
    let mut drafted = Drafted::default();
    of(situation, &mut drafted);
    let said = drafted.drafts.into_iter().map(AnswerLine::Said);
    (said.chain(drafted.proposed.into_iter().map(stated)).collect(), drafted.missing)
}

/// The same with what is missing as lines behind the others.
pub(super) fn lines(of: fn(&Situation, &mut Drafted), situation: &Situation) -> Vec<AnswerLine> {
    let (said, missing) = told(of, situation);
    said.into_iter().chain(missing.into_iter().map(|text| stated(hindcast_domain::text::capitalized(&text)))).collect()
}
