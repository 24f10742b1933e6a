//! What a person's command means for incidents: early returns for what cannot be, one event for what can.

use std::collections::BTreeSet;

use super::{
    Acknowledged, Assigned, Declared, Feedback, Incident, Merged, Noted, Reopened, Resolved, SeveritySet, Snoozed,
    Split, Status, Unacknowledged, Undone,
};
use crate::book::Book;
use crate::command::{Code, Command, Received, Rejected};
use crate::event::{Draft, Event};
use crate::id::{EventId, Fingerprint, IncidentId};
use crate::limits::TEXT_BYTES_MAX;
use crate::severity::Severity;
use crate::time::{Span, Time};
use crate::words::{LineageKind, ResolvedBy};

/// The longest snooze: a page that waits longer is forgotten.
pub const SNOOZE_MAX: Span = Span::hours(24 * 7);

/// Decides about one command. `id` is the command's event.
///
/// # Errors
/// Why it is refused, with a stable code.
pub fn command(book: &Book, received: &Received, id: &EventId, actor: &str, now: Time) -> Result<Vec<Draft>, Rejected> {
    let (subject, event) = match &received.command {
        Command::DeclareIncident { title, severity, services, description, started_at } => {
            text("title", title)?;
            let declared = Declared {
                title: title.trim().to_owned(),
                severity: *severity,
                services: services.clone(),
                description: description.clone(),
                started_at: started_at.unwrap_or(now).min(now),
            };
            (IncidentId::derive(&[id.as_str().as_bytes(), b"declared"]), Event::IncidentDeclared(declared))
        }
        Command::MergeIncident { incident, into } => {
            let event = merge(book, received, incident, into)?;
            (into.clone(), event)
        }
        Command::SplitIncident { incident, fingerprints } => {
            let found = target(book, received, incident)?;
            (incident.clone(), Event::IncidentSplit(split(book, found, fingerprints, id)?))
        }
        Command::UndoEvent { event, subject } => {
            let subject: IncidentId =
                subject.parse().map_err(|_| Rejected::new(Code::NotUndoable, "this event cannot be undone"))?;
            let found = target(book, received, &subject)?;
            (subject.clone(), undo(book, found, event)?)
        }
        other @ (Command::AcknowledgeIncident { .. }
        | Command::UnacknowledgeIncident { .. }
        | Command::ResolveIncident { .. }
        | Command::ReopenIncident { .. }
        | Command::AssignIncident { .. }
        | Command::NoteIncident { .. }
        | Command::SetIncidentSeverity { .. }
        | Command::SnoozeIncident { .. }
        | Command::GiveFeedback { .. }
        | Command::CreateSilence { .. }
        | Command::ExpireSilence { .. }
        | Command::Configure { .. }
        | Command::PromoteModel { .. }
        | Command::RollBackModel { .. }
        | Command::ShadowModel { .. }
        | Command::ProposeLinks { .. }
        | Command::JudgeLink { .. }
        | Command::Activate { .. }
        | Command::Restore { .. }) => {
            let incident = subject(other).ok_or_else(|| {
                Rejected::new(Code::Invalid, "expected a command about an incident, got one about something else")
            })?;
            let found = target(book, received, incident)?;
            (incident.clone(), simple(book, found, other, now)?)
        }
    };
    Ok(vec![Draft::by(actor, subject, event)])
}

fn subject(command: &Command) -> Option<&IncidentId> {
    match command {
        Command::AcknowledgeIncident { incident }
        | Command::UnacknowledgeIncident { incident }
        | Command::ResolveIncident { incident, .. }
        | Command::ReopenIncident { incident }
        | Command::AssignIncident { incident, .. }
        | Command::NoteIncident { incident, .. }
        | Command::SetIncidentSeverity { incident, .. }
        | Command::SnoozeIncident { incident, .. }
        | Command::GiveFeedback { incident, .. } => Some(incident),
        Command::DeclareIncident { .. }
        | Command::MergeIncident { .. }
        | Command::SplitIncident { .. }
        | Command::UndoEvent { .. }
        | Command::CreateSilence { .. }
        | Command::ExpireSilence { .. }
        | Command::Configure { .. }
        | Command::PromoteModel { .. }
        | Command::RollBackModel { .. }
        | Command::ShadowModel { .. }
        | Command::ProposeLinks { .. }
        | Command::JudgeLink { .. }
        | Command::Activate { .. }
        | Command::Restore { .. } => None,
    }
}

fn target<'a>(book: &'a Book, received: &Received, id: &IncidentId) -> Result<&'a Incident, Rejected> {
    let incident = book
        .incidents
        .get(id)
        .ok_or_else(|| Rejected::new(Code::NotFound, format!("expected an incident of this partition, got {id}")))?;
    if let Some(seen) = received.if_match
        && seen != incident.revision
    {
        let detail = format!("expected revision {seen} of {id}, it is at {}", incident.revision);
        return Err(Rejected::new(Code::StaleRevision, detail));
    }
    if let Some(into) = &incident.merged_into {
        return Err(Rejected::new(Code::MergedAway, format!("{id} became a part of {into}")));
    }
    Ok(incident)
}

fn simple(book: &Book, incident: &Incident, command: &Command, now: Time) -> Result<Event, Rejected> {
    let conflict = |detail: String| Err(Rejected::new(Code::Conflict, detail));
    let id = &incident.id;
    Ok(match command {
        Command::AcknowledgeIncident { .. } => match incident.status {
            Status::Open => Event::IncidentAcknowledged(Acknowledged {}),
            Status::Acknowledged => return conflict(format!("{id} is acknowledged already")),
            Status::Resolved => return conflict(format!("{id} is resolved; reopen it first")),
        },
        Command::UnacknowledgeIncident { .. } => match incident.status {
            Status::Acknowledged => Event::IncidentUnacknowledged(Unacknowledged {}),
            _ => return conflict(format!("{id} is not acknowledged")),
        },
        Command::ResolveIncident { cause, resolution, .. } => resolved(incident, cause.as_ref(), resolution.as_ref())?,
        Command::ReopenIncident { .. } if incident.is_live() => {
            return conflict(format!("{id} is not resolved"));
        }
        Command::ReopenIncident { .. } => Event::IncidentReopened(Reopened {
            count: incident.reopened + 1,
            fingerprint: None,
            severity: worst_firing(book, incident),
            worse: false,
            keeps_acknowledgement: false,
        }),
        Command::AssignIncident { owner, .. } => {
            if let Some(owner) = owner {
                text("owner", owner)?;
            }
            Event::IncidentAssigned(Assigned { owner: owner.clone() })
        }
        Command::NoteIncident { text: note, .. } => {
            text("text", note)?;
            Event::IncidentNoted(Noted { text: note.clone() })
        }
        Command::SetIncidentSeverity { severity, .. } => {
            Event::IncidentSeveritySet(SeveritySet { severity: *severity })
        }
        Command::SnoozeIncident { until, .. } => snoozed(incident, *until, now)?,
        Command::GiveFeedback { verdict, text: words, .. } => {
            text("verdict", verdict.as_str())?;
            Event::IncidentFeedback(Feedback { verdict: verdict.clone(), text: words.clone() })
        }
        Command::DeclareIncident { .. }
        | Command::MergeIncident { .. }
        | Command::SplitIncident { .. }
        | Command::UndoEvent { .. }
        | Command::CreateSilence { .. }
        | Command::ExpireSilence { .. }
        | Command::Configure { .. }
        | Command::PromoteModel { .. }
        | Command::RollBackModel { .. }
        | Command::ShadowModel { .. }
        | Command::ProposeLinks { .. }
        | Command::JudgeLink { .. }
        | Command::Activate { .. }
        | Command::Restore { .. } => {
            return Err(Rejected::new(Code::Invalid, "expected a command about an incident"));
        }
    })
}

/// A person's resolution. An incident that resolved by itself takes one too, as long as it says something: that is
/// the label that teaches most.
fn resolved(incident: &Incident, cause: Option<&String>, resolution: Option<&String>) -> Result<Event, Rejected> {
    for (name, value) in [("cause", cause), ("resolution", resolution)] {
        if let Some(value) = value {
            text(name, value)?;
        }
    }
    if !incident.is_live() && cause.is_none() && resolution.is_none() {
        let detail = format!("{} is resolved already; name a cause or a resolution to add it", incident.id);
        return Err(Rejected::new(Code::Conflict, detail));
    }
    let (cause, resolution) = (cause.cloned(), resolution.cloned());
    Ok(Event::IncidentResolved(Resolved { by: ResolvedBy::Person, cause, resolution }))
}

/// A snooze of a live incident, which ends within its maximum.
fn snoozed(incident: &Incident, until: Time, now: Time) -> Result<Event, Rejected> {
    if !incident.is_live() {
        let detail = format!("{} is resolved; there is nothing to snooze", incident.id);
        return Err(Rejected::new(Code::Conflict, detail));
    }
    if until <= now || until > now + SNOOZE_MAX {
        let detail = format!("expected a time within the next 7 days, got {until}");
        return Err(Rejected::new(Code::Invalid, detail));
    }
    Ok(Event::IncidentSnoozed(Snoozed { until }))
}

fn text(name: &str, value: &str) -> Result<(), Rejected> {
    if value.trim().is_empty() || value.len() > TEXT_BYTES_MAX {
        let detail = format!("expected {name} of 1 to {TEXT_BYTES_MAX} bytes, got {}", value.len());
        return Err(Rejected::new(Code::Invalid, detail));
    }
    Ok(())
}

fn merge(book: &Book, received: &Received, from: &IncidentId, into: &IncidentId) -> Result<Event, Rejected> {
    if from == into {
        return Err(Rejected::new(Code::Invalid, "expected two different incidents, got the same one twice"));
    }
    let source = target(book, received, from)?;
    let anywhere = Received { if_match: None, ..received.clone() };
    target(book, &anywhere, into)?;
    let fingerprints = at_home_members(book, source).cloned().collect();
    Ok(Event::IncidentMerged(Merged { incident: from.clone(), fingerprints, evidence: None, title: None }))
}

/// The members of an incident that belong to no other one since.
pub fn at_home_members<'a>(book: &'a Book, incident: &'a Incident) -> impl Iterator<Item = &'a Fingerprint> {
    incident.members.keys().filter(|fingerprint| at_home(book, incident, fingerprint))
}

/// The decision that alerts leave an incident for one of their own, whose id `id` seeds.
///
/// # Errors
/// None leaves, all do, or one is no member.
pub fn split(book: &Book, source: &Incident, leaving: &[Fingerprint], id: &EventId) -> Result<Split, Rejected> {
    let leaving: BTreeSet<&Fingerprint> = leaving.iter().collect();
    if leaving.is_empty() {
        return Err(Rejected::new(Code::Invalid, "expected at least one fingerprint"));
    }
    if let Some(stranger) = leaving.iter().find(|fingerprint| !at_home(book, source, fingerprint)) {
        let detail = format!("expected alerts of {}, got {stranger} which is none of them", source.id);
        return Err(Rejected::new(Code::Invalid, detail));
    }
    if leaving.len() == source.members.len() {
        return Err(Rejected::new(Code::Invalid, "expected some alerts to stay, got all of them leaving"));
    }
    let alerts: Vec<_> = leaving.iter().filter_map(|fingerprint| book.alerts.get(*fingerprint)).collect();
    let worst = alerts.iter().max_by_key(|alert| alert.severity);
    let staying = book.alerts_of(source).filter(|alert| !leaving.contains(&alert.fingerprint));
    let services_left: BTreeSet<String> = staying.filter_map(|alert| alert.service.clone()).collect();
    let services: BTreeSet<String> = alerts.iter().filter_map(|alert| alert.service.clone()).collect();
    Ok(Split {
        incident: IncidentId::derive(&[id.as_str().as_bytes(), b"split"]),
        title: worst.map_or_else(|| source.title.clone(), |alert| title(alert)),
        severity: worst.map_or(source.severity, |alert| alert.severity),
        fingerprints: leaving.into_iter().cloned().collect(),
        services: services.into_iter().collect(),
        services_left: services_left.into_iter().collect(),
        started_at: alerts.iter().map(|alert| alert.occurrence().starts_at).min().unwrap_or(source.started_at),
        firing: alerts.iter().any(|alert| alert.is_firing()),
        evidence: None,
    })
}

fn undo(book: &Book, incident: &Incident, event: &EventId) -> Result<Event, Rejected> {
    let lineage =
        incident.lineage.iter().find(|lineage| &lineage.event == event).ok_or_else(|| {
            Rejected::new(Code::NotUndoable, format!("{event} is no merge or split of {}", incident.id))
        })?;
    if let Some(by) = &lineage.undone_by {
        return Err(Rejected::new(Code::AlreadyUndone, format!("{event} was undone by {by}")));
    }
    let other = book
        .incidents
        .get(&lineage.other)
        .ok_or_else(|| Rejected::new(Code::NotFound, format!("expected {} to exist still", lineage.other)))?;
    let merged = lineage.how == LineageKind::Merged;
    if !merged && let Some(into) = &other.merged_into {
        return Err(Rejected::new(Code::Conflict, format!("{} became a part of {into} since", other.id)));
    }
    // Only what has not moved elsewhere since goes back. What joined the split-off one later comes along.
    let moving: Vec<Fingerprint> = if merged {
        lineage.fingerprints.iter().filter(|f| at_home(book, incident, f)).cloned().collect()
    } else {
        other.members.keys().filter(|f| at_home(book, other, f)).cloned().collect()
    };
    let gone: BTreeSet<&Fingerprint> = moving.iter().collect();
    let members =
        incident.members.keys().filter(|f| !merged || !gone.contains(f)).chain(moving.iter().filter(|_| !merged));
    let services: BTreeSet<String> =
        members.filter_map(|fingerprint| book.alerts.get(fingerprint)?.service.clone()).collect();
    let other_firing =
        moving.iter().any(|fingerprint| book.alerts.get(fingerprint).is_some_and(crate::alert::Alert::is_firing));
    Ok(Event::IncidentUndone(Undone {
        event: event.clone(),
        how: lineage.how.clone(),
        other: other.id.clone(),
        services: services.into_iter().collect(),
        fingerprints: moving,
        other_firing,
    }))
}

/// Whether an alert is a member of an incident and belongs to no other one since. One that is over keeps
/// its members for the record, while an alert that fired again later may have moved on.
fn at_home(book: &Book, incident: &Incident, fingerprint: &Fingerprint) -> bool {
    let home = book.alerts.get(fingerprint).and_then(|alert| alert.incident.as_ref());
    incident.members.contains_key(fingerprint) && home.is_none_or(|home| *home == incident.id)
}

/// The worst severity among an incident's firing alerts.
#[must_use]
pub fn worst_firing(book: &Book, incident: &Incident) -> Option<Severity> {
    book.alerts_of(incident).filter(|alert| alert.is_firing()).map(|alert| alert.severity).max()
}

/// An incident's title from the alert that it begins with.
#[must_use]
pub fn title(alert: &crate::alert::Alert) -> String {
    title_of(&alert.name, alert.service.as_deref(), &alert.annotations)
}

/// An incident's title from an alert's name, service and annotations.
#[must_use]
pub fn title_of(name: &str, service: Option<&str>, annotations: &crate::alert::Labels) -> String {
    let summary = ["summary", "title", "message"].iter().find_map(|key| annotations.get(*key));
    let words = match (summary, service) {
        (Some(summary), _) if !summary.trim().is_empty() => summary.trim().to_owned(),
        (_, Some(service)) => format!("{name} on {service}"),
        (_, None) => name.to_owned(),
    };
    words.chars().take(200).collect()
}
