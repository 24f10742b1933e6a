//! What follows from a day in which nothing happened: incidents that nobody touched, pages that nobody
//! opened, proposals that nobody judged. Everything here is concluded, so it weighs little.

use hindcast_domain::IncidentId;
use hindcast_domain::label::About;
use hindcast_domain::words::RuleName;

use crate::seen::ObservedIncident;
use crate::table::{self, LabelRule};

/// What is concluded of an incident that ended, a day later.
pub(crate) fn of_case(id: &IncidentId, case: &ObservedIncident) -> Vec<(LabelRule, About)> {
    let incident = || About::Incident { incident: id.clone() };
    let Some(closed) = case.closed.as_ref().filter(|_| case.merged_into.is_none()) else {
        return Vec::new();
    };
    if !case.is_touched() {
        let unopened = case.pages.iter().filter(|notice| !case.opened.contains(*notice));
        let pages = unopened.map(|notice| (table::UNOPENED, About::Notice { notice: notice.clone() }));
        return std::iter::once((table::UNTOUCHED, incident())).chain(pages).collect();
    }
    if !case.acted && !closed.by_person {
        return vec![(table::NO_ACTION, incident())];
    }
    if case.acted && case.proposals > 0 && case.approved == 0 {
        return vec![(table::FIXED_OUTSIDE, incident())];
    }
    Vec::new()
}

/// Whether a rule is one of this file.
pub(crate) fn is_later(rule: &RuleName) -> bool {
    [table::UNTOUCHED, table::UNOPENED, table::NO_ACTION, table::FIXED_OUTSIDE, table::PROPOSAL_EXPIRED]
        .iter()
        .any(|later| *rule == later.name)
}
