//! What the tests of this crate share: recordings of real incidents as evidence, as of any moment, and the
//! events behind it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // each test file uses its own part

pub mod detect;
mod forms;
pub mod ours;
mod spans;

use std::collections::BTreeMap;

use hindcast_api::{Change, Citation, Event, Finding, Incident};
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::{IncidentId, Severity, Span, Time, event, finding};
use hindcast_rca::requests::RequestSpan;
use hindcast_rca::{Evidence, Symptom};
use serde_json::{Value, json};

use forms::{at, change, changed, fault, found, incident, labels, line, symptom, timeline, unpacked};
pub use forms::{cite, place, root, time};

/// A fault that was injected.
#[derive(Clone, Debug)]
pub struct RecordedFault {
    pub id: String,
    pub kind: String,
    pub service: String,
    pub from: Time,
    pub to: Time,
    pub alerts: Vec<String>,
    pub services: Vec<String>,
}

/// One log line.
#[derive(Clone, Debug)]
pub struct RecordedLine {
    pub time: Time,
    pub service: String,
    pub severity: String,
    pub message: String,
}

/// What a sender said of an alert, at some time.
#[derive(Clone, Debug)]
pub struct RecordedAlert {
    pub at: Time,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub starts_at: Time,
    pub ends_at: Time,
}

/// Which telemetry is looked at beside alerts and changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelemetryParts {
    pub logs: bool,
    pub metrics: bool,
    pub spans: bool,
}

impl TelemetryParts {
    /// What a recording is looked at with where nothing else is said.
    pub const USUAL: Self = Self { logs: true, metrics: true, spans: false };
}

/// A recording, read.
pub struct EvidenceRecording {
    pub name: String,
    pub topology: Topology,
    pub faults: Vec<RecordedFault>,
    pub healthy: Vec<(Time, Time)>,
    pub innocent: BTreeMap<String, bool>,
    pub told: Vec<RecordedAlert>,
    pub changes: Vec<(Time, event::Change)>,
    pub lines: Vec<RecordedLine>,
    pub series: BTreeMap<(String, String), Vec<(Time, f64)>>,
    pub templates: Vec<finding::Raised>,
    pub begin: Time,
    pub spans: Vec<RequestSpan>,
    pub parts: TelemetryParts,
    /// Whether the findings are those of our own detector, or of the plain one.
    pub ours: bool,
}

impl EvidenceRecording {
    pub fn read(name: &str) -> Self {
        let folder = root().join("tests/recordings").join(name);
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
        let catalog: Catalog =
            hindcast_domain::yaml::read(&std::fs::read_to_string(folder.join("catalog.yaml")).unwrap()).unwrap();
        let mut recording = Self {
            name: name.to_owned(),
            topology: Topology::new(&catalog),
            faults: truth["faults"].as_array().unwrap().iter().map(fault).collect(),
            healthy: truth["healthy"]
                .as_array()
                .unwrap()
                .iter()
                .map(|span| (at(span, "from"), at(span, "to")))
                .collect(),
            innocent: truth["changes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|change| (change["title"].as_str().unwrap().to_owned(), change["innocent"].as_bool().unwrap()))
                .collect(),
            told: Vec::new(),
            changes: Vec::new(),
            lines: unpacked(&folder.join("logs.ndjson.zst")).lines().map(line).collect(),
            series: BTreeMap::new(),
            templates: Vec::new(),
            begin: Time::ZERO,
            spans: Vec::new(),
            parts: TelemetryParts::USUAL,
            ours: false,
        };
        for row in unpacked(&folder.join("metrics.csv.zst")).lines().skip(1) {
            let cells: Vec<&str> = row.split(',').collect();
            let at = cells[0].parse().unwrap_or_else(|_| {
                #[allow(clippy::cast_possible_truncation)]
                let millis = (cells[0].parse::<f64>().unwrap() * 1_000.0) as i64;
                Time::from_millis(millis)
            });
            if let Ok(value) = cells[3].parse::<f64>() {
                recording.series.entry((cells[1].to_owned(), cells[2].to_owned())).or_default().push((at, value));
            }
        }
        for request in unpacked(&folder.join("requests.ndjson.zst")).lines() {
            recording.request(&serde_json::from_str(request).unwrap());
        }
        recording.begin = recording.lines.iter().map(|line| line.time).min().unwrap();
        recording.templates = detect::templates(&recording.lines, recording.begin);
        recording.spans = spans::spans(&recording.lines);
        recording
    }

    /// The same with the findings of our own detector.
    pub fn read_ours(name: &str) -> Self {
        let mut recording = Self::read(name);
        recording.ours = true;
        recording.templates = ours::templates(&recording.lines);
        recording
    }

    fn request(&mut self, request: &Value) {
        let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap_or(Value::Null);
        match request["channel"].as_str().unwrap() {
            "prometheus" => {
                for told in body.as_array().unwrap() {
                    self.told.push(RecordedAlert {
                        at: at(request, "at"),
                        labels: labels(&told["labels"]),
                        annotations: labels(&told["annotations"]),
                        starts_at: at(told, "startsAt"),
                        ends_at: at(told, "endsAt"),
                    });
                }
            }
            "change" => self.changes.push((at(request, "at"), change(&body))),
            "github" => {
                let status = &body["deployment_status"];
                let deployment = &body["deployment"];
                let body = json!({"kind": "deploy", "title": status["description"], "at": status["created_at"],
                    "service": deployment["payload"]["service"], "version": deployment["payload"]["version"],
                    "actor": status["creator"]["login"], "url": status["target_url"]});
                self.changes.push((at(request, "at"), change(&body)));
            }
            _ => {}
        }
    }

    /// The evidence of a fault, as of a moment.
    pub fn evidence(&self, fault: &RecordedFault, now: Time) -> Evidence {
        let mut symptoms: BTreeMap<String, Symptom> = BTreeMap::new();
        for told in self.told.iter().filter(|told| told.at <= now) {
            let ours =
                fault.alerts.contains(&told.labels["alertname"]) && fault.services.contains(&told.labels["service"]);
            let during = told.starts_at >= fault.from && told.starts_at <= fault.to + Span::seconds(40);
            if ours && during {
                let symptom = symptom(told);
                symptoms.entry(symptom.alert.fingerprint.clone()).or_insert(symptom);
            }
        }
        let mut symptoms: Vec<Symptom> = symptoms.into_values().collect();
        symptoms.sort_by_key(|symptom| symptom.alert.starts_at);
        let opened = symptoms.first().map_or(fault.from, |symptom| symptom.alert.starts_at);
        let services: Vec<String> = Vec::new();
        self.of(&fault.id, opened, now, symptoms, services)
    }

    /// The evidence of an incident that a person declared over a healthy stretch.
    pub fn healthy(&self, from: Time, now: Time, services: &[&str]) -> Evidence {
        self.of("healthy", from, now, Vec::new(), services.iter().map(ToString::to_string).collect())
    }

    fn of(&self, name: &str, opened: Time, now: Time, symptoms: Vec<Symptom>, services: Vec<String>) -> Evidence {
        let id = IncidentId::derive(&[self.name.as_bytes(), name.as_bytes(), &opened.nanos().to_be_bytes()]);
        let logs = self.templates.iter().filter(|_| self.parts.logs);
        let metrics = if self.parts.metrics { self.shifts(&id, opened, now) } else { Vec::new() };
        let shown = if self.parts.spans {
            spans::shown(&self.spans, &self.topology, (opened, now), &id)
        } else {
            spans::ShownSpans::default()
        };
        let mut findings: Vec<Finding> = logs
            .map(|raised| (raised.clone(), raised.at + Span::seconds(12)))
            .chain(metrics)
            .chain(shown.raised)
            .filter(|(raised, known)| *known <= now && raised.at >= opened - Span::minutes(15))
            .map(|(raised, known)| found(raised, known))
            .collect();
        findings.sort_by_key(|finding| (finding.finding.at, finding.position));
        let changes: Vec<Change> = self
            .changes
            .iter()
            .filter(|(known, change)| *known <= now && change.at >= opened - Span::hours(2))
            .map(|(known, change)| changed(change, *known))
            .collect();
        let severity = symptoms.iter().map(|symptom| symptom.alert.severity).max().unwrap_or(Severity::High);
        let mut evidence = Evidence {
            incident: incident(&id, opened, severity, &symptoms, services),
            timeline: timeline(&id, &symptoms),
            symptoms,
            changes: changes.into_iter().rev().collect(),
            findings,
            watched: self
                .series
                .keys()
                .map(|(service, _)| service.clone())
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect(),
            firing: self.firing(now),
            troubled: Vec::new(),
            calls: shown.calls,
            position: place(now),
            now,
        };
        let over = self.over(now);
        let stretches: Vec<(Time, Time)> =
            over.iter().filter_map(|incident| Some((incident.started_at, incident.resolved_at?))).collect();
        evidence.leave_out(&stretches);
        evidence
    }

    /// Services with an alert that had begun and was not over.
    fn firing(&self, now: Time) -> Vec<String> {
        let firing = self.told.iter().filter(|told| told.at <= now && told.starts_at <= now && told.ends_at > now);
        let services: std::collections::BTreeSet<String> =
            firing.filter_map(|told| told.labels.get("service").cloned()).collect();
        services.into_iter().collect()
    }

    /// Incidents that were over by then.
    pub fn over(&self, now: Time) -> Vec<Incident> {
        let over = self.faults.iter().filter(|fault| fault.to + Span::seconds(25) <= now);
        over.map(|fault| {
            let id = IncidentId::derive(&[self.name.as_bytes(), fault.id.as_bytes()]);
            let mut incident =
                incident(&id, fault.from + Span::seconds(8), Severity::Critical, &[], fault.services.clone());
            incident.resolved_at = Some(fault.to + Span::seconds(25));
            incident
        })
        .collect()
    }

    fn shifts(&self, incident: &IncidentId, onset: Time, now: Time) -> Vec<(finding::Raised, Time)> {
        let known = onset + Span::seconds(25);
        if self.ours {
            return ours::shifts(&self.series, onset, now, incident);
        }
        if known > now {
            return Vec::new();
        }
        detect::shifts(&self.series, onset, incident).into_iter().map(|raised| (raised, known)).collect()
    }
}

/// The events behind evidence, as the ledger has them.
pub fn events(evidence: &Evidence) -> Vec<Event> {
    let event = |citation: &Citation, kind: &str, subject: &str, time: Time, data: Value| Event {
        position: citation.position,
        kind: if kind.starts_with("intake") || kind.starts_with("finding") { "intake" } else { "decision" }.into(),
        event_type: kind.into(),
        id: citation.event.clone(),
        subject: subject.into(),
        time,
        recorded_at: time,
        revision: None,
        actor: "system".into(),
        causation_id: None,
        tenant: "default".into(),
        environment: "production".into(),
        source: "incidents".into(),
        data,
    };
    let mut all = Vec::new();
    for symptom in &evidence.symptoms {
        let alert = &symptom.alert;
        let data = json!({"name": alert.name, "service": alert.service, "severity": alert.severity, "labels": alert.labels,
            "annotations": alert.annotations, "starts_at": alert.starts_at, "source": alert.source, "occurrence": 1});
        all.push(event(&symptom.fired, "alert.fired", &alert.fingerprint, alert.first_seen_at, data));
        let joined = json!({"fingerprint": alert.fingerprint, "severity": alert.severity, "service": alert.service,
            "starts_at": alert.starts_at});
        all.push(event(
            symptom.joined.as_ref().unwrap(),
            "incident.alert_joined",
            &evidence.incident.id,
            alert.first_seen_at,
            joined,
        ));
    }
    for finding in &evidence.findings {
        let citation = Citation { event: finding.event.clone(), position: finding.position };
        let data = serde_json::to_value(&finding.finding).unwrap();
        all.push(event(&citation, "finding.raised", &finding.id, finding.recorded_at, data));
    }
    for change in &evidence.changes {
        let citation = Citation { event: change.event.clone(), position: change.position };
        let data = serde_json::to_value(&change.change).unwrap();
        let service = change.change.service.clone().unwrap_or_default();
        all.push(event(&citation, "intake.change", &service, change.change.at, data));
    }
    for entry in evidence.timeline.iter().filter(|entry| entry.event_type == "incident.opened") {
        let citation = Citation { event: entry.event.clone(), position: entry.position };
        let data = json!({"title": evidence.incident.title, "severity": evidence.incident.severity,
            "started_at": evidence.incident.started_at});
        all.push(event(&citation, "incident.opened", &evidence.incident.id, entry.time, data));
    }
    all
}
