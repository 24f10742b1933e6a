//! What was concluded by us: ranked causes, their reasons, whom an incident affects, earlier incidents. Owns the
//! comparison of an assertion of ours with it; refuses to rank or compare anything again.

use std::collections::BTreeSet;

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, Causes, Citation, Similar};

use crate::ClaimFault;
use crate::words::{fold, quotes};

/// Conclusions as of the court's position.
#[derive(Debug, Default)]
pub(crate) struct CourtConclusions {
    /// Service and words of each cause that is named, best first.
    ranked: Vec<(String, String)>,
    /// Sentences of the ranking, with what each may cite.
    reasons: Vec<(String, BTreeSet<String>)>,
    affected: BTreeSet<String>,
    /// Earlier incidents, whether they are the same problem, and what was said of them.
    earlier: Vec<(String, bool, Vec<String>)>,
}

impl CourtConclusions {
    pub(crate) fn new(causes: Option<&Causes>, similar: &[Similar]) -> Self {
        let mut all = Self::default();
        if let Some(causes) = causes {
            all.causes(causes);
        }
        all.similar(similar);
        all
    }

    fn causes(&mut self, causes: &Causes) {
        let named = causes.items.iter().filter(|_| !causes.unresolved);
        self.ranked.extend(named.map(|cause| (fold(&cause.service), fold(&cause.cause))));
        for cause in causes.items.iter().chain(&causes.refuted) {
            for reason in cause.confirms.iter().chain(&cause.refutes) {
                let cited = reason.citations.iter().map(|citation| citation.event.clone()).collect();
                self.reasons.push((fold(&reason.text), cited));
            }
        }
        self.affected.extend(causes.blast_radius.hit.iter().map(|service| fold(service)));
    }

    fn similar(&mut self, similar: &[Similar]) {
        let said = |one: &Similar| one.resolution.iter().chain(&one.differs).map(|text| fold(text)).collect();
        self.earlier.extend(similar.iter().map(|one| (fold(&one.incident), one.same, said(one))));
    }

    /// Checks an assertion of ours; the error says what differs.
    pub(crate) fn check(&self, assertion: &Assertion, cites: &[Citation]) -> Result<(), ClaimFault> {
        let known = match assertion.kind {
            Kind::Cause => !self.ranked.is_empty(),
            Kind::Reason => !self.reasons.is_empty(),
            Kind::Affected => !self.affected.is_empty(),
            _ => !self.earlier.is_empty(),
        };
        if !known {
            return Err(ClaimFault::Unverifiable("nothing is concluded of it".to_owned()));
        }
        self.compare(assertion, cites).map_err(ClaimFault::Unsupported)
    }

    fn compare(&self, assertion: &Assertion, cites: &[Citation]) -> Result<(), String> {
        let of = |role: Role| assertion.role(role).map(fold).unwrap_or_default();
        match assertion.kind {
            Kind::Cause => {
                let rank: usize = of(Role::Rank).parse().unwrap_or(1);
                let named = rank.checked_sub(1).and_then(|index| self.ranked.get(index));
                let Some((service, words)) = named else {
                    return Err(format!("no cause is ranked at place {rank}"));
                };
                if *service != of(Role::Service) {
                    return Err(format!("{service} ranks at place {rank} as the cause"));
                }
                let said = of(Role::Quote);
                let is_said = said.is_empty() || words.ends_with(&said);
                if is_said { Ok(()) } else { Err("the ranking says it in other words".to_owned()) }
            }
            Kind::Reason => {
                let text = of(Role::Quote);
                let is_it = |(known, may): &(String, BTreeSet<String>)| {
                    *known == text && cites.iter().all(|citation| may.contains(&citation.event))
                };
                let found = self.reasons.iter().any(is_it);
                if found { Ok(()) } else { Err("it is no reason of the ranking".to_owned()) }
            }
            Kind::Affected => {
                let named = of(Role::Service);
                let mut services = named.split(", ").flat_map(|part| part.split(" and "));
                match services.find(|service| !self.affected.contains(service.trim())) {
                    Some(other) => Err(format!("{other} is not among the affected services")),
                    None => Ok(()),
                }
            }
            Kind::SameProblem | Kind::LooksLike => {
                let same = assertion.kind == Kind::SameProblem;
                let quote = of(Role::Quote);
                let is_said = |said: &Vec<String>| quote.is_empty() || said.iter().any(|text| quotes(text, &quote));
                let is_it = |(id, is_same, said): &(String, bool, Vec<String>)| {
                    *id == of(Role::Other) && *is_same == same && is_said(said)
                };
                let found = self.earlier.iter().any(is_it);
                if found { Ok(()) } else { Err("the comparison does not say so".to_owned()) }
            }
            _ => Err("it is no conclusion".to_owned()),
        }
    }
}
