//! The order in which surfaces show an answer: what answers first, then the other lines, each with the claim that it is.

use hindcast_domain::words::AnswerMode;

use crate::advice::Answer;
use crate::claim::Claim;

impl Answer {
    /// What an answer says, in its order: each line with the claim that it is, where it is one. What stands in `details`
    /// is not among them.
    #[must_use]
    pub fn told(&self) -> Vec<(&str, Option<&Claim>)> {
        let mut left: Vec<&Claim> = self.claims.iter().collect();
        let mut told = Vec::new();
        let lines = match (&self.lead, self.mode == AnswerMode::Model) {
            (Some(lead), true) => vec![lead.as_str()],
            (Some(_), false) => self.answer.lines().filter(|line| !line.trim().is_empty()).collect(),
            (None, _) => Vec::new(),
        };
        for line in lines {
            let is_it = |claim: &&Claim| line.starts_with(claim.text.trim_end_matches('.'));
            let claim = left.iter().position(is_it).map(|index| left.remove(index));
            told.push((claim.map_or(line, |claim| claim.text.as_str()), claim));
        }
        told.extend(left.into_iter().map(|claim| (claim.text.as_str(), Some(claim))));
        told
    }
}
