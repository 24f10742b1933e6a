//! Events, alerts, incidents, findings and notices as views show them, and what senders say.

use std::sync::LazyLock;

use hindcast_api::{Alert, Event, Finding, Incident, Notice, TimelineEntry};
use hindcast_domain::alert::decide::Reception;
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::event::{Change, Recorded};
use hindcast_domain::finding::{Kind, Raised};
use hindcast_domain::repeats::LastRepeats;
use hindcast_domain::{EventId, Fingerprint, Partition, Severity, Span, Time, notice};
use serde_json::Value;

/// 2026-11-20T03:12:00Z, at which every document here happened unless a test says otherwise.
#[must_use]
pub const fn start() -> Time {
    Time::from_millis(1_795_144_320_000)
}

/// An open incident of production with one alert; its title is its id.
#[must_use]
pub fn incident(id: &str) -> Incident {
    Incident::opened(id, id, Severity::High, "production", start())
}

/// An alert of production that fires.
#[must_use]
pub fn alert(fingerprint: &str, name: &str) -> Alert {
    Alert { source: "prometheus".to_owned(), ..Alert::fired(fingerprint, name, Severity::High, "production", start()) }
}

/// An event of the lane of incidents. Its id is derived from its position.
#[must_use]
pub fn event(position: u64, event_type: &str, subject: &str) -> Event {
    Event {
        position,
        kind: "decision".into(),
        event_type: event_type.to_owned(),
        id: EventId::derive(&[&position.to_be_bytes()]).to_string(),
        subject: subject.to_owned(),
        time: start(),
        recorded_at: start(),
        revision: None,
        actor: "system".to_owned(),
        causation_id: None,
        tenant: Partition::TENANT.to_owned(),
        environment: "production".to_owned(),
        source: "incidents".to_owned(),
        data: Value::Null,
    }
}

/// An event of a ledger as views show it.
///
/// # Panics
/// When the event has no wire form, which would be a defect.
#[must_use]
pub fn recorded(recorded: &Recorded) -> Event {
    let wire = serde_json::to_value(&recorded.event).unwrap_or_default();
    Event {
        id: recorded.id.to_string(),
        time: recorded.time,
        recorded_at: recorded.time,
        revision: recorded.revision,
        actor: recorded.actor.clone(),
        causation_id: recorded.cause.as_ref().map(ToString::to_string),
        tenant: recorded.partition.tenant.clone(),
        environment: recorded.partition.environment.clone(),
        data: wire["data"].clone(),
        ..event(recorded.position, wire["type"].as_str().unwrap_or_default(), &recorded.subject)
    }
}

/// The line of a timeline that an event stands behind.
#[must_use]
pub fn told(event: &Event) -> TimelineEntry {
    TimelineEntry {
        time: event.time,
        text: event.event_type.clone(),
        event_type: event.event_type.clone(),
        actor: event.actor.clone(),
        event: event.id.clone(),
        position: event.position,
        subject: event.subject.clone(),
    }
}

/// What a detector says: of log lines that were never written before, or of a level that rose from 0 to 1.
#[must_use]
pub fn raised(kind: Kind, service: &str, at: Time) -> Raised {
    Raised {
        kind,
        service: service.to_owned(),
        title: String::new(),
        at,
        until: at,
        template: None,
        metric: None,
        request: None,
        before: 0.0,
        after: 1.0,
        count: 1,
        score: 900,
        level: None,
        incident: None,
        detector: 1,
    }
}

/// A finding of production as views show it, known when it was raised.
#[must_use]
pub fn finding(position: u64, id: &str, finding: Raised) -> Finding {
    Finding {
        id: id.to_owned(),
        event: EventId::derive(&[&position.to_be_bytes()]).to_string(),
        position,
        recorded_at: finding.until,
        environment: "production".to_owned(),
        finding,
    }
}

/// A page that was asked for.
#[must_use]
pub fn notice(id: &str) -> Notice {
    Notice {
        id: id.to_owned(),
        status: notice::Status::Requested,
        page: true,
        reason: notice::Reason::Opened,
        receiver: None,
        incident: None,
        alert: None,
        severity: Severity::High,
        title: id.to_owned(),
        why: None,
        until: start(),
        at: start(),
        delivered_at: None,
        attempts: 0,
        error: None,
        event: EventId::derive(&[id.as_bytes()]).to_string(),
        position: 0,
    }
}

/// A deploy of a service, as a sender says it.
#[must_use]
pub fn change(title: &str, service: &str, at: Time) -> Change {
    Change {
        source: "ci".to_owned(),
        kind: "deploy".into(),
        title: title.to_owned(),
        service: Some(service.to_owned()),
        version: None,
        status: None,
        at,
        author: None,
        url: None,
        source_id: None,
    }
}

/// The reception of what a sender with a right clock says, when nothing was sent again.
#[must_use]
pub fn reception<'a>(observed: &'a EventId, service: Option<&'a str>, now: Time) -> Reception<'a> {
    static NONE: LazyLock<LastRepeats> = LazyLock::new(LastRepeats::default);
    Reception { observed, service, ahead: None, repeats: &NONE, now }
}

/// What Prometheus says of an alert that fires.
#[must_use]
pub fn observation(fingerprint: Fingerprint, name: &str, service: &str) -> Observation {
    Observation {
        fingerprint,
        source_fingerprint: None,
        source: "prometheus".to_owned(),
        replica_of: None,
        name: name.to_owned(),
        service: Some(service.to_owned()),
        about: None,
        severity: Severity::High,
        signal: Signal::Firing,
        labels: [("alertname", name), ("service", service)].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        annotations: Labels::new(),
        starts_at: None,
        ends_at: None,
        stale_after: Span::hours(12),
        url: None,
        unmapped: Vec::new(),
    }
}
