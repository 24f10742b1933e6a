//! Recordings of real software as a past: what Prometheus sent, the truth file behind it, and people who name
//! the cause of each problem when it is over.

#![allow(dead_code, unreachable_pub, missing_docs)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hindcast_domain::alert::Signal;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Command;
use hindcast_domain::{IncidentId, Severity, Span, Time};
use hindcast_entities::{EntityRules, LabelledAlert};
use hindcast_mlops::outcome::RunOutcome;
use serde_json::Value;

use crate::common::{Ledger, alert};

pub const RECORDINGS: [&str; 3] = ["calm-day", "pg-pool", "shop-day"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/recordings").join(name)
}

fn time(value: &Value) -> Option<Time> {
    value.as_str()?.parse().ok()
}

/// The fault behind an alert: by its name, its service and when it began.
fn fault_of(truth: &Value, name: &str, service: &str, starts: Time) -> Option<String> {
    let has = |fault: &Value, list: &str, what: &str| fault[list].as_array().unwrap().iter().any(|one| one == what);
    let fault = truth["faults"].as_array().unwrap().iter().find(|fault| {
        let ended = time(&fault["ended_at"]).unwrap_or(Time::MAX) + Span::seconds(60);
        has(fault, "alerts", name)
            && has(fault, "services", service)
            && time(&fault["injected_at"]).unwrap() <= starts
            && starts <= ended
    })?;
    Some(fault["id"].as_str().unwrap().to_owned())
}

/// Plays what Prometheus sent, and lets people name each problem's cause when it is over. The recordings were
/// made on one afternoon; `later` moves one so that several stand in one ledger.
pub fn play(ledger: &mut Ledger, name: &str, later: Span) {
    let folder = folder(name);
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    let catalog: Catalog =
        hindcast_domain::yaml::read(&std::fs::read_to_string(folder.join("catalog.yaml")).unwrap()).unwrap();
    let packed = std::fs::File::open(folder.join("requests.ndjson.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap();
    let mut first = true;
    let mut end = Time::ZERO;
    for line in text.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        if request["channel"] != "prometheus" {
            continue;
        }
        let at = time(&request["at"]).unwrap() + later;
        if std::mem::take(&mut first) {
            ledger.catalog(at, &catalog);
        }
        let sent: Vec<Value> = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        for one in &sent {
            observe(ledger, name, &truth, at, one, later);
        }
        end = at;
    }
    put_together(ledger, end + Span::minutes(20));
    let incidents: Vec<IncidentId> = ledger.correlator.state().book.incidents.keys().cloned().collect();
    for incident in incidents {
        let cause = Some("named by people".to_owned());
        ledger.command(end + Span::minutes(30), "ada", Command::ResolveIncident { incident, cause, resolution: None });
    }
}

/// People merge what is one fault and was kept apart; where all is right there is nothing to do.
fn put_together(ledger: &mut Ledger, at: Time) {
    let mut outcome = RunOutcome::default();
    ledger.history.iter().for_each(|recorded| outcome.see(recorded));
    let mut homes: BTreeMap<String, Vec<IncidentId>> = BTreeMap::new();
    for (observed, firing) in &outcome.firings {
        let (Some((problem, _)), Some(home)) = (ledger.truth.get(observed), &firing.incident) else { continue };
        let of = homes.entry(problem.clone()).or_default();
        if !of.contains(home) {
            of.push(home.clone());
        }
    }
    for (_, incidents) in homes.into_iter().filter(|(problem, _)| !problem.contains("stray")) {
        let Some((into, others)) = incidents.split_first() else { continue };
        for incident in others {
            let merge = Command::MergeIncident { incident: incident.clone(), into: into.clone() };
            ledger.command(at, "ada", merge);
        }
    }
}

pub fn play_all(ledger: &mut Ledger) {
    for (days, name) in (0..).zip(RECORDINGS) {
        play(ledger, name, Span::hours(24 * days));
    }
}

fn observe(ledger: &mut Ledger, recording: &str, truth: &Value, at: Time, sent: &Value, later: Span) {
    let label = |name: &str| sent["labels"][name].as_str().unwrap_or_default();
    let labels: Vec<(&str, &str)> =
        sent["labels"].as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
    let summary = sent["annotations"]["summary"].as_str().unwrap_or_default();
    let mut observation = alert(label("alertname"), label("service"), &labels, summary);
    // Who watched is no evidence: a door resolves what an alert is about.
    let resolved =
        EntityRules::shipped().resolve(&LabelledAlert { name: &observation.name, labels: &observation.labels });
    observation.service = resolved.service.or(observation.service);
    observation.about = Some(resolved.about.into());
    let starts = time(&sent["startsAt"]).unwrap();
    observation.starts_at = Some(starts + later);
    observation.severity = match label("severity") {
        "critical" => Severity::Critical,
        _ => Severity::Medium,
    };
    let ends = time(&sent["endsAt"]).unwrap() + later;
    if ends <= at {
        observation.signal = Signal::Resolved;
        observation.ends_at = Some(ends);
    }
    let fault = fault_of(truth, label("alertname"), label("service"), starts);
    let problem = format!("{recording}/{}", fault.unwrap_or_else(|| format!("stray {} {starts}", label("alertname"))));
    ledger.observe(at, observation, &problem);
}
