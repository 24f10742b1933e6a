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
            let Some(index) = left.iter().position(|claim| before(line, claim).is_some()) else {
                told.push((line, None));
                continue;
            };
            let claim = left.remove(index);
            // What stands before a claim says how it answers; it is no part of what was checked.
            told.extend(before(line, claim).filter(|word| !word.is_empty()).map(|word| (word, None)));
            told.push((claim.text.as_str(), Some(claim)));
        }
        told.extend(left.into_iter().map(|claim| (claim.text.as_str(), Some(claim))));
        told
    }
}

/// Characters of what may stand before a claim in its line.
const BEFORE_CHARS_MAX: usize = 24;

/// What stands before a claim in its line, without the colon or comma behind it; `None` where the line is not the claim's.
fn before<'a>(line: &'a str, claim: &Claim) -> Option<&'a str> {
    let (head, _) = line.split_once(claim.text.trim_end_matches('.'))?;
    if head.is_empty() {
        return Some(head);
    }
    let word = head.strip_suffix(": ").or_else(|| head.strip_suffix(", "))?;
    (word.chars().count() <= BEFORE_CHARS_MAX).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClaimVerdict;

    #[test]
    fn what_stands_before_a_claim_is_not_the_claim_s() {
        let claim = Claim {
            assertion: None,
            text: "PgDown on postgres fired".to_owned(),
            citations: Vec::new(),
            verdict: ClaimVerdict::Supported,
            reason: None,
            path: Vec::new(),
        };
        assert_eq!(before("No: PgDown on postgres fired.", &claim), Some("No"));
        assert_eq!(before("PgDown on postgres fired.", &claim), Some(""));
        assert_eq!(before("Nobody says that it is so: redis fired.", &claim), None);
        assert_eq!(before("A sentence that is no answer at all: PgDown on postgres fired.", &claim), None);
    }
}
