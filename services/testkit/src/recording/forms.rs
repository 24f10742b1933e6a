//! The forms of a recording and what they are as evidence: faults, lines, alerts, changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hindcast_api::{Alert, Change, Citation, Finding, Incident, TimelineEntry};
use hindcast_domain::{EventId, FindingId, IncidentId, Severity, Time, event, finding};
use hindcast_rca::Symptom;
use serde_json::Value;

use super::{RecordedAlert, RecordedFault, RecordedLine};

pub fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub(super) fn unpacked(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

pub(super) fn at(value: &Value, name: &str) -> Time {
    time(value[name].as_str().unwrap())
}

pub(super) fn labels(value: &Value) -> BTreeMap<String, String> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

pub(super) fn fault(value: &Value) -> RecordedFault {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    RecordedFault {
        id: text("id"),
        kind: text("kind"),
        service: text("service"),
        from: at(value, "injected_at"),
        to: at(value, "ended_at"),
        alerts: words(&value["alerts"]),
        services: words(&value["services"]),
    }
}

pub(super) fn line(text: &str) -> RecordedLine {
    let value: Value = serde_json::from_str(text).unwrap();
    let field = |name: &str| value[name].as_str().unwrap().to_owned();
    RecordedLine {
        time: at(&value, "time"),
        service: field("service"),
        severity: field("severity"),
        message: field("message"),
    }
}

pub(super) fn change(body: &Value) -> event::Change {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    event::Change {
        source: "change".into(),
        kind: text("kind").unwrap().into(),
        title: text("title").unwrap(),
        service: text("service"),
        version: text("version"),
        status: None,
        at: at(body, "at"),
        author: text("actor"),
        url: text("url"),
        source_id: None,
    }
}

/// A position for a moment: events of one recording are far enough apart.
pub fn place(time: Time) -> u64 {
    u64::try_from(time.millis()).unwrap()
}

pub fn cite(kind: &str, what: &str, known: Time) -> Citation {
    let id = EventId::derive(&[kind.as_bytes(), what.as_bytes(), &known.nanos().to_be_bytes()]);
    Citation { event: id.to_string(), position: place(known) }
}

pub(super) fn symptom(told: &RecordedAlert) -> Symptom {
    let name = told.labels["alertname"].clone();
    let key = format!("{:?}", told.labels);
    let fingerprint = hindcast_domain::id::derive(&[key.as_bytes()]).to_lowercase();
    let severity = match told.labels["severity"].as_str() {
        "critical" => Severity::Critical,
        "warning" => Severity::Medium,
        other => panic!("{other} is no severity of the recordings"),
    };
    let alert = Alert {
        source: "prometheus".into(),
        service: told.labels.get("service").cloned(),
        labels: told.labels.clone(),
        annotations: told.annotations.clone(),
        starts_at: told.starts_at,
        ..Alert::fired(&fingerprint, &name, severity, "production", told.at)
    };
    Symptom {
        fired: cite("alert.fired", &fingerprint, told.at),
        joined: Some(cite("joined", &fingerprint, told.at)),
        alert,
    }
}

pub(super) fn found(raised: finding::Raised, known: Time) -> Finding {
    let what = format!(
        "{} {} {:?} {:?} {}",
        raised.service,
        raised.kind.name(),
        raised.template.as_ref().map(|template| &template.id),
        raised.metric,
        raised.at
    );
    let citation = cite("finding.raised", &what, known);
    Finding {
        id: FindingId::derive(&[what.as_bytes(), &known.nanos().to_be_bytes()]).to_string(),
        event: citation.event,
        position: citation.position,
        recorded_at: known,
        environment: "production".into(),
        finding: raised,
    }
}

pub(super) fn changed(change: &event::Change, known: Time) -> Change {
    let citation = cite("intake.change", &change.title, known);
    Change {
        event: citation.event,
        position: citation.position,
        environment: "production".into(),
        change: change.clone(),
    }
}

pub(super) fn incident(
    id: &IncidentId,
    opened: Time,
    severity: Severity,
    symptoms: &[Symptom],
    services: Vec<String>,
) -> Incident {
    let mut all: Vec<String> = symptoms.iter().filter_map(|symptom| symptom.alert.service.clone()).collect();
    all.extend(services);
    all.sort();
    all.dedup();
    let title = symptoms.first().map_or("something is odd", |symptom| &symptom.alert.name);
    Incident {
        services: all,
        alerts: symptoms.len() as u64,
        firing: symptoms.len() as u64,
        occurrences: symptoms.len() as u64,
        ..Incident::opened(id.as_str(), title, severity, "production", opened)
    }
}

pub(super) fn timeline(id: &IncidentId, symptoms: &[Symptom]) -> Vec<TimelineEntry> {
    let mut all: Vec<TimelineEntry> = symptoms
        .iter()
        .map(|symptom| TimelineEntry {
            time: symptom.alert.first_seen_at,
            text: format!("{} fired ({})", symptom.alert.name, symptom.alert.severity),
            event_type: "alert.fired".into(),
            actor: "system".into(),
            event: symptom.fired.event.clone(),
            position: symptom.fired.position,
            subject: symptom.alert.fingerprint.clone(),
        })
        .collect();
    if let Some(first) = symptoms.first() {
        let opened = cite("incident.opened", id.as_str(), first.alert.first_seen_at);
        all.push(TimelineEntry {
            time: first.alert.first_seen_at,
            text: format!("opened by {}", first.alert.name),
            event_type: "incident.opened".into(),
            actor: "system".into(),
            event: opened.event,
            position: opened.position,
            subject: id.to_string(),
        });
    }
    all.sort_by_key(|entry| entry.position);
    all
}
