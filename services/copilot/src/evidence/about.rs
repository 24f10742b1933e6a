//! What is known of an incident as it stands in the ledger: what it is, since when, who has it, what changed.

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, Citation, TimelineEntry};
use hindcast_domain::Time;
use hindcast_domain::incident::Status;

use super::draft::{DraftSentence, Drafted, when};
use crate::limits::SERVICES_TOLD_MAX;
use crate::situation::{Situation, SituationAlert};
use hindcast_domain::text::{listed, stamp};

const OPENED: &[&str] = &["incident.opened", "incident.declared"];

/// The citation of a timeline's line.
pub(crate) fn cited(entry: &TimelineEntry) -> Citation {
    Citation { event: entry.event.clone(), position: entry.position }
}

/// What it is: id, title and when it was opened.
pub(crate) fn identity(situation: &Situation) -> Option<DraftSentence> {
    let opened = situation.first(OPENED)?;
    let incident = &situation.incident;
    let texts = [
        format!("{} \"{}\" was opened at {}", incident.id, incident.title, when(opened.time)),
        format!("{} was opened at {}", incident.id, when(opened.time)),
    ];
    Some(DraftSentence::new(texts, [cited(opened)]).of_event().always())
}

/// How it stands: its worst alert, its services, and where it is in its life.
pub(crate) fn going(situation: &Situation, all: &mut Drafted) {
    if let Some(worst) = situation.symptoms.iter().reduce(worse) {
        let name = worst.alert.service.as_deref().map(|service| format!(" on {service}")).unwrap_or_default();
        let texts = [
            format!("{}{name} fires at severity {}", worst.alert.name, worst.alert.severity),
            format!("{}{name} fired", worst.alert.name),
        ];
        let over = worst.alert.ends_at.is_some();
        let first = usize::from(over);
        let cites = [worst.fired.clone()].into_iter().chain(worst.joined.clone());
        let draft = DraftSentence::new(texts.into_iter().skip(first), cites);
        // that it still fires is in no event of its own
        all.drafts.push(if over { draft.of_event() } else { draft });
    }
    let services = situation.services();
    if services.len() > 1 {
        all.drafts.push(DraftSentence::new(
            [format!("Alerts came from {}", listed(&services, SERVICES_TOLD_MAX))],
            services.iter().take(SERVICES_TOLD_MAX).filter_map(|service| first_of(situation, service)),
        ));
    }
    standing(situation, all);
}

fn worse<'a>(best: &'a SituationAlert, next: &'a SituationAlert) -> &'a SituationAlert {
    if next.alert.severity > best.alert.severity { next } else { best }
}

/// The event by which a service's first alert began to fire.
pub(crate) fn first_of(situation: &Situation, service: &str) -> Option<Citation> {
    let of = |symptom: &&SituationAlert| symptom.alert.service.as_deref() == Some(service);
    situation.symptoms.iter().find(of).map(|symptom| symptom.fired.clone())
}

/// Where it is in its life.
fn standing(situation: &Situation, all: &mut Drafted) {
    let incident = &situation.incident;
    match incident.status {
        Status::Open => {}
        Status::Acknowledged => all.drafts.extend(acknowledged(situation)),
        Status::Resolved => all.drafts.extend(resolved(situation)),
    }
    if incident.reopened > 0
        && let Some(entry) = situation.last(&["incident.reopened"])
    {
        all.drafts
            .push(DraftSentence::new([format!("It came back at {}", when(entry.time))], [cited(entry)]).of_event());
    }
    if let Some(before) = &incident.recurrence_of
        && let Some(opened) = situation.first(OPENED)
    {
        let back = Assertion::new(Kind::IncidentRecurred).with(Role::Incident, incident.id.as_str());
        let draft = DraftSentence::new([format!("It is back from {before}")], [cited(opened)]);
        all.drafts.push(draft.asserting(back.with(Role::Other, before.as_str())));
    }
}

fn acknowledged(situation: &Situation) -> Option<DraftSentence> {
    let entry = situation.last(&["incident.acknowledged"])?;
    let texts = [
        format!("{} acknowledged it at {}", entry.actor, when(entry.time)),
        format!("It was acknowledged at {}", when(entry.time)),
    ];
    Some(DraftSentence::new(texts, [cited(entry)]).of_event())
}

fn resolved(situation: &Situation) -> Option<DraftSentence> {
    let entry = situation.last(&["incident.resolved", "incident.merged"])?;
    let incident = &situation.incident;
    let mut texts = Vec::new();
    let over = format!("It was resolved at {}", when(entry.time));
    if let Some(resolution) = &incident.resolution {
        texts.push(format!("{over}: {resolution}"));
    }
    texts.push(over);
    Some(DraftSentence::new(texts, [cited(entry)]).of_event())
}

/// Who takes care.
pub(crate) fn who(situation: &Situation, all: &mut Drafted) {
    let incident = &situation.incident;
    let taken = acknowledged(situation).filter(|_| incident.acknowledged_at.is_some());
    if taken.is_none() && incident.status == Status::Open {
        all.missing.push("nobody has acknowledged it".to_owned());
    }
    all.drafts.extend(taken);
    match (&incident.owner, situation.last(&["incident.assigned"])) {
        (Some(owner), Some(entry)) => {
            let texts = [format!("{owner} has it since {}", when(entry.time)), format!("{owner} has it")];
            all.drafts.push(DraftSentence::new(texts, [cited(entry)]).of_event());
        }
        (Some(owner), None) => all.missing.push(format!("it is with {owner}; no event says since when")),
        (None, _) => all.missing.push("it is assigned to nobody".to_owned()),
    }
    if !incident.teams.is_empty() {
        let teams: Vec<&str> = incident.teams.iter().map(String::as_str).collect();
        let joined = situation.symptoms.iter().filter_map(|symptom| symptom.joined.clone());
        all.drafts.push(DraftSentence::new(
            [format!("Its services belong to {}", listed(&teams, SERVICES_TOLD_MAX))],
            joined,
        ));
    }
}

/// For how long it has been, or was.
pub(crate) fn how_long(situation: &Situation, all: &mut Drafted) {
    let Some(opened) = situation.first(OPENED) else { return };
    match situation.end() {
        Some(end) => {
            let texts = [
                format!("It lasted {}, from {} to {}", end.time.since(opened.time), when(opened.time), when(end.time)),
                format!("It lasted from {} to {}", when(opened.time), when(end.time)),
            ];
            let draft = DraftSentence::new(texts, [cited(opened), cited(end)]);
            all.drafts.push(draft.asserting(lasted(&situation.incident.id, opened.time, end.time)));
        }
        _ => {
            all.drafts
                .push(DraftSentence::new([format!("It has been open since {}", when(opened.time))], [cited(opened)]));
            all.missing.push(format!("it is not over after {}", situation.moment.recorded_at().since(opened.time)));
        }
    }
}

/// That an incident lasted from its opening to its end.
pub(crate) fn lasted(incident: &str, from: Time, to: Time) -> Assertion {
    Assertion::new(Kind::IncidentLasted)
        .with(Role::Incident, incident)
        .with(Role::Length, to.since(from).to_string())
        .with(Role::Time, stamp(from))
        .with(Role::Until, stamp(to))
}

/// Telemetry that could not be kept for it: what was not concluded from it by then cannot be any more.
pub(crate) fn expired(situation: &Situation) -> Option<String> {
    let kept = situation.last(&["evidence.pinned"])?;
    Some(format!("telemetry around it had expired in part: {}", missing_records(&kept.text)?))
}

/// How many records are missing, as the line says that tells what was kept.
fn missing_records(line: &str) -> Option<&str> {
    line.rsplit_once(", ").map(|(_, missing)| missing).filter(|missing| missing.ends_with("are missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_had_expired_is_told_and_what_is_whole_is_not() {
        assert_eq!(missing_records("telemetry from a to b kept: 3 records, 2 are missing"), Some("2 are missing"));
        assert_eq!(missing_records("telemetry from a to b kept: 3 records"), None);
    }
}
