//! What a person's command means in this lane. Refusals are events too.

use hindcast_domain::command::{Code, Command, Received, Rejected};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::words::SilenceEnd;
use hindcast_domain::{Fingerprint, IncidentId, LabelId, Partition, Time, incident};

use crate::state::CorrelatorState;
use crate::{ending, timers, title};

/// Decides about one command. A label is another lane's, so taking one back is nothing to this one.
pub(crate) fn command(
    state: &CorrelatorState,
    lane: &Partition,
    received: &Received,
    input: &Recorded,
    now: Time,
) -> Vec<Draft> {
    if matches!(&received.command, Command::UndoEvent { subject, .. } if subject.starts_with(LabelId::PREFIX)) {
        return Vec::new();
    }
    let decided = match state.seen.command_of(&received.key) {
        Some(first) => Err(Rejected::new(Code::KeyReused, format!("its key came with {first} already"))),
        None => decide(state, lane, received, input, now),
    };
    decided.unwrap_or_else(|rejected| vec![Draft::by(&input.actor, &input.id, Event::CommandRejected(rejected))])
}

fn decide(
    state: &CorrelatorState,
    lane: &Partition,
    received: &Received,
    input: &Recorded,
    now: Time,
) -> Result<Vec<Draft>, Rejected> {
    if let Command::UndoEvent { event, subject } = &received.command
        && let Ok(fingerprint) = subject.parse::<Fingerprint>()
    {
        let alert = state.book.alerts.get(&fingerprint);
        let held = alert.filter(|alert| alert.suppressed.as_ref().is_some_and(|held| held.event == *event));
        let alert =
            held.ok_or_else(|| Rejected::new(Code::NotUndoable, format!("{event} holds nothing back (any more)")))?;
        return Ok(timers::lift(state, lane, alert, &SilenceEnd::Undone, &input.id, now, None));
    }
    let mut drafts = incident::decide::command(&state.book, received, &input.id, &input.actor, now)?;
    for Draft { subject, event, .. } in &mut drafts {
        if let (Event::IncidentMerged(merged), Ok(into)) = (event, subject.parse::<IncidentId>())
            && let Some(into) = state.book.incidents.get(&into)
        {
            merged.title = title::merged(state, into, &merged.fingerprints);
        }
    }
    drafts.extend(ending::left_quiet(state, &drafts));
    Ok(drafts)
}
