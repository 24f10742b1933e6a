//! Gathers the evidence of an incident from the views, all of it as of one position.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Alert, AsOf, Citation, Code, Finding, Incident, Problem, TimelineEntry};
use hindcast_domain::finding::CallsSeen;
use hindcast_domain::{Span, Time};
use hindcast_queries::{AlertFilter, EventFilter, FindingFilter, IncidentFilter, ListPart, Snapshot};
use hindcast_rca::{Evidence, Symptom};

/// How long before an incident findings are looked at.
pub const BEFORE: Span = Span::minutes(15);
/// Earlier incidents that are looked at for what belongs to them.
const EARLIER_MAX: usize = 50;
/// Symptoms that are worded as they fired; the rest keeps its latest words.
const WORDED_MAX: usize = 50;
/// Alerts, timeline entries and findings that are looked at.
const ITEMS_MAX: usize = 500;

/// How long after its last alert was over telemetry still belongs to an incident.
const AFTER: Span = Span::minutes(2);

/// When an incident was over by its senders' own clocks: they may be far from ours where history is sent late.
fn end(incident: &Incident, alerts: &[Alert]) -> Option<Time> {
    let resolved = incident.resolved_at?;
    let ends: Option<Vec<Time>> = alerts.iter().map(|alert| alert.ends_at).collect();
    let last = ends.and_then(|ends| ends.into_iter().max());
    Some(last.map_or(resolved, |last| resolved.min(last + AFTER)))
}

/// The evidence of an incident (by id or unique prefix; the newest where absent), as of one position.
///
/// # Errors
/// When there is no such incident as of then, or the views cannot be read.
pub async fn evidence(seen: &Snapshot, incident: Option<&str>) -> Result<Evidence, Problem> {
    let (position, now) = (seen.position(), seen.recorded_at());
    let incident = seen.incident(incident).await?;
    let mut timeline = seen.timeline(&incident.id, ListPart::first(ITEMS_MAX)).await?.items;
    // That somebody asked about it is no sign of what happened.
    timeline.retain(|entry| !entry.event_type.starts_with("conversation."));
    let over = over_at(&incident, &timeline);
    let alerts = alerts(seen, &incident, over).await?;
    let changes = seen.changes(&incident.id).await?;
    let findings = findings(seen, &incident, &alerts).await?;
    let watched = seen.watched(&incident.environment).await?;
    let firing = firing(seen, &incident.environment).await?;
    let calls = calls(seen, &incident.id).await?;
    let troubled = troubled(seen, &incident).await?;

    let mut fired: BTreeMap<&str, Citation> = BTreeMap::new();
    for entry in timeline.iter().filter(|entry| over.is_none_or(|over| entry.position <= over)) {
        if entry.event_type == "alert.fired" {
            fired.insert(&entry.subject, Citation { event: entry.event.clone(), position: entry.position });
        }
    }
    // Of an incident of many alerts, those that are looked at.
    let shown: Vec<String> = alerts.iter().map(|alert| alert.fingerprint.clone()).collect();
    let joined = seen.joined(&incident.id, &shown).await?;
    let mut symptoms: Vec<Symptom> = alerts
        .into_iter()
        .filter_map(|alert| {
            let joined = joined.get(alert.fingerprint.as_str()).cloned();
            let fired = fired.get(alert.fingerprint.as_str()).cloned().or_else(|| joined.clone())?;
            Some(Symptom { alert, fired, joined })
        })
        .collect();
    for symptom in symptoms.iter_mut().take(WORDED_MAX) {
        as_it_fired(seen, symptom).await?;
    }
    symptoms.sort_by(|a, b| (a.alert.starts_at, &a.alert.fingerprint).cmp(&(b.alert.starts_at, &b.alert.fingerprint)));
    let watched: BTreeSet<String> = watched.into_iter().collect();
    let early = findings.iter().any(|finding| finding.finding.at < incident.started_at);
    let earlier = if early { over_before(seen, &incident).await? } else { Vec::new() };
    let mut evidence = Evidence {
        incident,
        symptoms,
        changes,
        findings,
        timeline,
        watched: watched.into_iter().collect(),
        firing,
        troubled,
        calls,
        position,
        now,
    };
    evidence.leave_out(&earlier);
    Ok(evidence)
}

/// Where an incident was over: its first resolution since it last came back. What its alerts were there is what
/// they were in it; they may ring in another one since.
fn over_at(incident: &Incident, timeline: &[TimelineEntry]) -> Option<u64> {
    incident.resolved_at?;
    let own = timeline.iter().filter(|entry| entry.subject == incident.id);
    own.fold(None, |over, entry| match entry.event_type.as_str() {
        "incident.resolved" => over.or(Some(entry.position)),
        "incident.reopened" => None,
        _ => over,
    })
}

/// An incident's alerts: as of where it was over, if it was.
async fn alerts(seen: &Snapshot, incident: &Incident, over: Option<u64>) -> Result<Vec<Alert>, Problem> {
    let seen = match over {
        Some(over) => &seen.earlier(AsOf::Position(over)).await?,
        None => seen,
    };
    let filter = AlertFilter { incident: Some(incident.id.clone()), ..AlertFilter::default() };
    Ok(seen.alerts(filter, ListPart::first(ITEMS_MAX)).await?.items)
}

/// Services of an environment with an alert that fires, of any incident or none, by name.
async fn firing(seen: &Snapshot, environment: &str) -> Result<Vec<String>, Problem> {
    let filter = AlertFilter { status: vec![hindcast_domain::alert::Status::Firing], ..AlertFilter::default() };
    let alerts = seen.alerts(filter, ListPart::first(ITEMS_MAX)).await?.items;
    let here = alerts.into_iter().filter(|alert| alert.environment == environment);
    let services: BTreeSet<String> = here.filter_map(|alert| alert.service).collect();
    Ok(services.into_iter().collect())
}

/// Services of other incidents of the environment that are open, by name.
async fn troubled(seen: &Snapshot, incident: &Incident) -> Result<Vec<String>, Problem> {
    let filter = IncidentFilter {
        status: vec![hindcast_domain::incident::Status::Open, hindcast_domain::incident::Status::Acknowledged],
        environment: Some(incident.environment.clone()),
        ..IncidentFilter::default()
    };
    let open = seen.incidents(filter, ListPart::first(ITEMS_MAX)).await?.items;
    let others = open.into_iter().filter(|other| other.id != incident.id);
    let services: BTreeSet<String> = others.flat_map(|other| other.services).collect();
    Ok(services.into_iter().collect())
}

/// Who calls whom, as spans around the incident showed.
async fn calls(seen: &Snapshot, incident: &str) -> Result<Vec<(String, String)>, Problem> {
    let filter = EventFilter {
        kind: Some("evidence.calls".to_owned()),
        subject: Some(incident.to_owned()),
        ..EventFilter::default()
    };
    let told = seen.events(filter, ListPart::first(ITEMS_MAX)).await?.items;
    let mut all = Vec::new();
    for event in told {
        let seen: CallsSeen = serde_json::from_value(event.data).map_err(|error| {
            Problem::new(Code::Internal, format!("the calls of {} cannot be read: {error}", event.id))
        })?;
        all.extend(seen.calls.into_iter().map(|call| (call.caller, call.callee)));
    }
    Ok(all)
}

/// Findings that may belong to an incident, by when they began: those of its environment from a while before it
/// until its end.
async fn findings(seen: &Snapshot, incident: &Incident, alerts: &[Alert]) -> Result<Vec<Finding>, Problem> {
    let filter = FindingFilter {
        environment: Some(incident.environment.clone()),
        since: Some(incident.started_at - BEFORE),
        until: end(incident, alerts),
        ..FindingFilter::default()
    };
    let mut findings = seen.findings(filter, ListPart::first(ITEMS_MAX)).await?.items;
    findings.sort_by_key(|finding| (finding.finding.at, finding.position));
    Ok(findings)
}

/// Earlier incidents of the environment that may have been over before this one began: (from, to) by their
/// senders' clocks.
async fn over_before(seen: &Snapshot, incident: &Incident) -> Result<Vec<(Time, Time)>, Problem> {
    let filter = IncidentFilter {
        status: vec![hindcast_domain::incident::Status::Resolved],
        environment: Some(incident.environment.clone()),
        ..IncidentFilter::default()
    };
    let mut over = Vec::new();
    for other in seen.incidents(filter, ListPart::first(EARLIER_MAX)).await?.items {
        let near = other.resolved_at.is_some_and(|at| at + AFTER >= incident.started_at - BEFORE);
        if other.id == incident.id || other.started_at >= incident.started_at || !near {
            continue;
        }
        let timeline = seen.timeline(&other.id, ListPart::first(ITEMS_MAX)).await?.items;
        let Some(position) = over_at(&other, &timeline) else { continue };
        let alerts = alerts(seen, &other, Some(position)).await?;
        over.extend(end(&other, &alerts).map(|end| (other.started_at, end)));
    }
    Ok(over)
}

/// Words an alert as it was worded when it fired: the cited event must say what is said of it.
async fn as_it_fired(seen: &Snapshot, symptom: &mut Symptom) -> Result<(), Problem> {
    let event = seen.event(&symptom.fired.event).await?;
    if event.event_type != "alert.fired" {
        return Ok(());
    }
    if let Ok(fired) = serde_json::from_value::<hindcast_domain::alert::Fired>(event.data) {
        symptom.alert.severity = fired.severity;
        symptom.alert.annotations = fired.annotations.into();
    }
    Ok(())
}
