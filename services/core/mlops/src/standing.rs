//! How labels stand: where people disagree, and how much of the past has a cause at all. Owns these two
//! figures; refuses to settle a disagreement, which people do.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::IncidentId;
use hindcast_domain::label::{About, Kind, Provenance};
use serde::{Deserialize, Serialize};

use crate::labeller::LabellerState;
use crate::seen::ObservedPartition;

/// Two or more people who say different things of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDisagreement {
    /// What kind of thing they say.
    pub kind: Kind,
    /// The judged item.
    pub about: About,
    /// Who says what, in the order of the ledger.
    pub said: Vec<(String, String)>,
}

/// Where people disagree, in no order that means anything. What one person said twice is no disagreement.
#[must_use]
pub fn disagreements(state: &LabellerState) -> Vec<LabelDisagreement> {
    let of = |labels: Vec<&hindcast_domain::label::Label>| {
        let mut said: Vec<_> =
            labels.into_iter().filter(|label| label.given.provenance == Provenance::Explicit).collect();
        said.sort_by_key(|label| label.position);
        let values: BTreeSet<String> = said.iter().map(|label| plain(label.given.value.as_str())).collect();
        let people: BTreeSet<&str> = said.iter().map(|label| label.by.as_str()).collect();
        let first = said.first().filter(|_| values.len() > 1 && people.len() > 1)?;
        Some(LabelDisagreement {
            kind: first.given.kind,
            about: first.given.about.clone(),
            said: said.iter().map(|label| (label.by.clone(), label.given.value.to_string())).collect(),
        })
    };
    state.topics().filter_map(of).collect()
}

fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How many closed incidents have a cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Incidents that are over, merged ones aside.
    pub closed: u32,
    /// Of these, with a cause that a person named.
    pub with_cause: u32,
    /// Both, by service.
    pub services: BTreeMap<String, (u32, u32)>,
    /// Those without, the newest ids first; at most 50.
    pub missing: Vec<IncidentId>,
}

/// How many closed incidents of those that are remembered have a cause.
#[must_use]
pub fn coverage(seen: &ObservedPartition) -> Coverage {
    let mut coverage = Coverage::default();
    let mut missing = Vec::new();
    for (id, case) in seen.cases.iter().filter(|(_, case)| case.merged_into.is_none()) {
        let Some(closed) = &case.closed else { continue };
        let named = !case.causes.is_empty();
        coverage.closed += 1;
        coverage.with_cause += u32::from(named);
        for service in &case.services {
            let slot = coverage.services.entry(service.clone()).or_default();
            slot.0 += 1;
            slot.1 += u32::from(named);
        }
        if !named {
            missing.push((closed.at, id.clone()));
        }
    }
    missing.sort_by(|a, b| b.cmp(a));
    coverage.missing = missing.into_iter().take(50).map(|(_, id)| id).collect();
    coverage
}
