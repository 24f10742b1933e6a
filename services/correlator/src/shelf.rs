//! What of this lane leaves memory once it was over for long, and what is back before it is read: an alert with the
//! incident that it belonged to, an incident with its alerts. Owns that nothing is decided otherwise for it; refuses to
//! know where the shelf stands.

use std::collections::BTreeSet;

use hindcast_domain::alert::Alert;
use hindcast_domain::command::Command;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Upcoming;
use hindcast_domain::shelf::read::{PartsRead, is_over, is_quiet};
use hindcast_domain::shelf::{ShelfError, ShelvedPart};
use hindcast_domain::{Fingerprint, IncidentId, Partition, Span, Time, events};

use crate::state::CorrelatorState;
use crate::state::agenda::silent_key;

/// Parts that are over, alerts first: an incident's alerts leave it before it goes.
pub(crate) fn over(state: &CorrelatorState, now: Time, kept: Span) -> Vec<ShelvedPart> {
    let long = |at: Time| now.since(at) >= kept;
    // One that another alert may find stays.
    let is_found = |id: &IncidentId| state.grouped.groups.get(id).is_some_and(|group| group.is_open_to_others(now));
    let ends = |it: &&Incident| is_over(it, &long) && !state.roster.is_loud(&it.id) && !is_found(&it.id);
    let ended: BTreeSet<&IncidentId> = state.book.incidents.values().filter(ends).map(|it| &it.id).collect();
    let stays = |id: &IncidentId| state.book.incidents.contains_key(id) && !ended.contains(id);
    let leaves = |alert: &&Alert| is_quiet(alert, &long) && alert.incident.as_ref().is_none_or(|home| !stays(home));
    let alerts = state.book.alerts.values().filter(leaves);
    let alerts = alerts.map(|alert| (alert.fingerprint.to_string(), serde_json::to_vec(alert)));
    let incidents = state.book.incidents.values().filter(|incident| ended.contains(&incident.id));
    let incidents = incidents.map(|incident| (incident.id.to_string(), serde_json::to_vec(incident)));
    // What has no JSON form stays where it is; there is nothing of that kind.
    alerts.chain(incidents).filter_map(|(id, part)| Some((id, part.ok()?))).collect()
}

/// Lets go of parts that stand on the shelf.
pub(crate) fn shelved(state: &mut CorrelatorState, parts: &[ShelvedPart]) {
    for (id, _) in parts {
        if let Ok(fingerprint) = id.parse::<Fingerprint>() {
            state.book.alerts.remove(&fingerprint);
            state.roster.forget_alert(&fingerprint);
        } else if let Ok(incident) = id.parse::<IncidentId>() {
            state.book.incidents.remove(&incident);
            state.roster.forget_incident(&incident);
        }
    }
}

/// Takes a part back.
pub(crate) fn taken_back(state: &mut CorrelatorState, id: &str, part: &[u8]) -> Result<(), ShelfError> {
    let unread = |error: serde_json::Error| ShelfError(format!("{id}: {error}"));
    if id.starts_with(IncidentId::PREFIX) {
        let incident: Incident = serde_json::from_slice(part).map_err(unread)?;
        state.book.incidents.insert(incident.id.clone(), incident);
        return Ok(());
    }
    let alert: Alert = serde_json::from_slice(part).map_err(unread)?;
    state.roster.update(&alert);
    state.book.alerts.insert(alert.fingerprint.clone(), alert);
    Ok(())
}

/// What may stand on the shelf of all that is read next.
pub(crate) fn missing(state: &CorrelatorState, lane: &Partition, of: Upcoming<'_>) -> Vec<String> {
    let alert = |id: &Fingerprint| state.book.alerts.get(id);
    let incident = |id: &IncidentId| state.book.incidents.get(id);
    let mut reading = PartsRead::of(&alert, &incident);
    match of {
        Upcoming::Input(read) => input(state, &mut reading, read),
        Upcoming::Decision(decision) => reading.decision(decision),
        Upcoming::Timer(timer) => match timer.id.split_once('/') {
            Some(("silent", id)) => reading.alert(&silent_key(id).alert(lane)),
            Some((_, id)) => reading.subject(id),
            None => {}
        },
    }
    reading.missing
}

fn input(state: &CorrelatorState, reading: &mut PartsRead<'_>, input: &Recorded) {
    match &input.event {
        Event::Observed(observation) => reading.alert(&observation.fingerprint),
        Event::Repeats(batch) => batch.alerts.iter().for_each(|alert| reading.alert(&alert.fingerprint)),
        Event::Command(received) => command(reading, &received.command),
        Event::SilenceEnded(_) => {
            let by = |alert: &&Alert| alert.suppressed.as_ref().is_some_and(|held| held.by == input.subject);
            state.book.alerts.values().filter(by).for_each(|alert| reading.alert(&alert.fingerprint));
        }
        Event::SilenceCreated(_)
        | Event::SilenceStarted(_)
        | Event::Delivery(_)
        | Event::DoorOpened(_)
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | events! { finding, conversation, proposal, label, model, chat, alert, incident, control, notice } => {}
    }
}

fn command(reading: &mut PartsRead<'_>, command: &Command) {
    match command {
        Command::MergeIncident { incident, into } => {
            reading.lineage(incident);
            reading.lineage(into);
        }
        Command::UndoEvent { subject, .. } => reading.subject(subject),
        Command::SplitIncident { incident, .. }
        | Command::AcknowledgeIncident { incident }
        | Command::UnacknowledgeIncident { incident }
        | Command::ResolveIncident { incident, .. }
        | Command::ReopenIncident { incident }
        | Command::AssignIncident { incident, .. }
        | Command::NoteIncident { incident, .. }
        | Command::SetIncidentSeverity { incident, .. }
        | Command::SnoozeIncident { incident, .. }
        | Command::GiveFeedback { incident, .. } => reading.lineage(incident),
        Command::DeclareIncident { .. }
        | Command::CreateSilence { .. }
        | Command::ExpireSilence { .. }
        | Command::Configure { .. }
        | Command::PromoteModel { .. }
        | Command::RollBackModel { .. }
        | Command::ShadowModel { .. }
        | Command::ProposeLinks { .. }
        | Command::JudgeLink { .. }
        | Command::Activate { .. }
        | Command::Restore { .. } => {}
    }
}
