//! Repeats that were gathered at intake: they keep alerts from going stale, and decide nothing else. Where an alert is
//! not what its sender was thought to repeat (it fell silent meanwhile, or its incident is over), the repeat is decided
//! as the message that it was.

use hindcast_domain::alert::Alert;
use hindcast_domain::event::{Draft, Recorded};
use hindcast_domain::repeats::{RepeatBatch, RepeatedAlert};
use hindcast_domain::{Partition, Time};

use crate::decide::{goes_on, observe};
use crate::provisional::provisional;
use crate::state::CorrelatorState;

/// Decides about a batch of repeats; usually nothing.
#[must_use]
pub(crate) fn again(
    state: &CorrelatorState,
    lane: &Partition,
    batch: &RepeatBatch,
    input: &Recorded,
    now: Time,
) -> Vec<Draft> {
    let changed = |repeated: &&RepeatedAlert| {
        state.book.alerts.get(&repeated.fingerprint).is_some_and(|alert| changes(state, alert, input, now))
    };
    let changed: Vec<&RepeatedAlert> = batch.alerts.iter().filter(changed).collect();
    // Each is decided in sight of what was decided about the one before, as if they had come one by one. That is rare
    // enough to pay for the copy.
    let mut ahead = (changed.len() > 1).then(|| state.clone());
    let mut drafts = Vec::new();
    for repeated in changed {
        let state = ahead.as_ref().unwrap_or(state);
        let Some(alert) = state.book.alerts.get(&repeated.fingerprint) else { continue };
        let said = alert.said_again(repeated.sender.as_deref(), repeated.stale_after());
        let decided = observe(state, lane, &said, &input.id, now);
        if let Some(ahead) = &mut ahead {
            decided.iter().for_each(|draft| ahead.evolve(&provisional(draft, lane, now)));
        }
        drafts.extend(decided);
    }
    drafts
}

/// Whether a repeat says something that is not known. One that is older than the last word about its alert was
/// overtaken, and says nothing.
fn changes(state: &CorrelatorState, alert: &Alert, input: &Recorded, now: Time) -> bool {
    input.time > alert.last_seen_at && (!alert.is_firing() || goes_on(state, alert, None, now).is_some())
}
