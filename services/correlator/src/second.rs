//! The second step over incidents: two that are one are merged, one that is two is split, with reasons. Owns which
//! incidents may be touched and the decisions that follow; a person takes each back with `undo`, and it is not decided
//! again.

use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::parameters::PARAMETERS;
use hindcast_correlation::second::{SecondLook, SecondStep};
use hindcast_correlation::traits::{AlertTraits, Newcomer};
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::{self, Incident, LinkEvidence, Merged, Reviewed, ReviewedPair};
use hindcast_domain::lane::Timer;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Span};

use crate::state::CorrelatorState;
use crate::{ending, title};

/// An alert joins one incident and fits another one too: they are merged where their alerts say that they are one.
pub(crate) fn bridged(
    state: &CorrelatorState,
    evidence: &AlertEvidence,
    fingerprint: &Fingerprint,
    to: &IncidentId,
    second: &IncidentId,
) -> Option<Draft> {
    let scorer = PairScorer::new(state.seen.weights(), state.seen.topology());
    let groups = &state.grouped.groups;
    let (to, second) = (touchable(state, to)?, touchable(state, second)?);
    let linked = SecondLook::new(groups, &scorer).fits_both(evidence, &to.id, &second.id)?;
    Some(merged(state, to, second, Some((fingerprint, &to.id)), linked))
}

/// The second step of an incident is due.
pub(crate) fn review(state: &CorrelatorState, id: &IncidentId, timer: &Timer) -> Vec<Draft> {
    let scorer = PairScorer::new(state.seen.weights(), state.seen.topology());
    let groups = &state.grouped.groups;
    let look = SecondLook::new(groups, &scorer);
    let mut asked = Vec::new();
    let mut drafts = Vec::new();
    if let Some(incident) = touchable(state, id) {
        let may = |other: &IncidentId| touchable(state, other).is_some();
        let mut ask = |other: &IncidentId, evidence: &LinkEvidence| {
            asked.push(ReviewedPair { incident: other.clone(), evidence: evidence.clone() });
        };
        let mut step = look.review(id, timer.due, may, &mut ask);
        let is_last =
            groups.get(id).is_some_and(|group| timer.due >= group.opened + Span::seconds(PARAMETERS.divide_s.value));
        if step.is_none() && is_last {
            step = look.divide(id);
        }
        match step {
            Some(SecondStep::Merge(other, linked)) => {
                drafts.extend(touchable(state, &other).map(|other| merged(state, incident, other, None, linked)));
            }
            Some(SecondStep::Split(kinds, linked)) => {
                drafts.extend(split(state, incident, &kinds, linked, &seed(timer)));
            }
            None => {}
        }
    }
    drafts.insert(0, Draft::system(id, Event::IncidentReviewed(Reviewed { asked })));
    let over = ending::left_quiet(state, &drafts[1..]);
    drafts.extend(over);
    drafts
}

/// Incidents that the engine may merge or split: those that go on.
fn touchable<'a>(state: &'a CorrelatorState, id: &IncidentId) -> Option<&'a Incident> {
    state.book.incidents.get(id).filter(|incident| incident.is_live() && incident.merged_into.is_none())
}

/// The one that opened first keeps its id. `joining` is an alert that this very decision puts into one of them.
fn merged(
    state: &CorrelatorState,
    one: &Incident,
    other: &Incident,
    joining: Option<(&Fingerprint, &IncidentId)>,
    evidence: LinkEvidence,
) -> Draft {
    let (into, from) =
        if (one.opened_at, &one.id) <= (other.opened_at, &other.id) { (one, other) } else { (other, one) };
    let mut fingerprints: Vec<Fingerprint> = incident::decide::at_home_members(&state.book, from).cloned().collect();
    match joining {
        Some((fingerprint, to)) if *to == from.id && !fingerprints.contains(fingerprint) => {
            fingerprints.push(fingerprint.clone());
        }
        // It leaves by the same decision.
        Some((fingerprint, to)) if *to != from.id => fingerprints.retain(|moving| moving != fingerprint),
        _ => {}
    }
    let title = title::merged(state, into, &fingerprints);
    let merged = Merged { incident: from.id.clone(), fingerprints, evidence: Some(evidence), title };
    Draft::system(&into.id, Event::IncidentMerged(merged))
}

/// An id that seeds the ids of what a timer opens.
pub(crate) fn seed(timer: &Timer) -> EventId {
    EventId::derive(&[timer.id.as_bytes(), &timer.due.nanos().to_be_bytes()])
}

fn split(
    state: &CorrelatorState,
    incident: &Incident,
    kinds: &[u64],
    evidence: LinkEvidence,
    seed: &EventId,
) -> Option<Draft> {
    let kind = |fingerprint: &&Fingerprint| {
        let alert = state.book.alerts.get(*fingerprint);
        alert.is_some_and(|alert| kinds.contains(&AlertTraits::of(&Newcomer::of(alert)).kind))
    };
    let leaving: Vec<Fingerprint> =
        incident::decide::at_home_members(&state.book, incident).filter(kind).cloned().collect();
    let split = incident::decide::split(&state.book, incident, &leaving, seed).ok()?;
    let split = incident::Split { evidence: Some(evidence), ..split };
    Some(Draft::system(&incident.id, Event::IncidentSplit(split)))
}
