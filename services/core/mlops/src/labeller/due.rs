//! Timers of the labeller: what is decided when a day has passed. What follows from that day is [`super::later`]'s.

use hindcast_domain::event::{Draft, SYSTEM};
use hindcast_domain::label::About;
use hindcast_domain::lane::Timer;

use super::given::give;
use super::later::of_case;
use super::state::LabellerState;
use crate::table;

/// Decides about a timer that is due.
pub(crate) fn fire(state: &LabellerState, timer: &Timer) -> Vec<Draft> {
    match timer.id.split_once('/') {
        Some(("settle", rest)) => {
            let Some((event, id)) = rest.split_once('/') else { return Vec::new() };
            let (Ok(event), Ok(id)) = (event.parse(), id.parse()) else { return Vec::new() };
            let case = state.seen.cases.get(&id);
            let concluded = case.map(|case| of_case(&id, case)).unwrap_or_default();
            concluded.iter().map(|(rule, about)| give(rule, about.clone(), None, &event, SYSTEM)).collect()
        }
        Some(("proposal", id)) => {
            let Some((proposal, made)) = id.parse().ok().and_then(|id| state.seen.proposals.get_key_value(&id)) else {
                return Vec::new();
            };
            let about = About::Proposal { proposal: proposal.clone() };
            vec![give(&table::PROPOSAL_EXPIRED, about, None, &made.event, SYSTEM)]
        }
        _ => Vec::new(),
    }
}
