//! The same questions on recordings of real software: the truth file tells which alerts are one problem. What
//! is learnt elsewhere must not undo what is right here, and a handful of labelled problems promotes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod common;

use std::path::{Path, PathBuf};

use common::{Ledger, alert, world};
use hindcast_domain::alert::Signal;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Command;
use hindcast_domain::model::Verdict;
use hindcast_domain::{IncidentId, Severity, Span, Time};
use hindcast_engines::cluster::Weights;
use hindcast_learn::compare::{Report, compare};
use hindcast_learn::dataset::{self, Dataset, Knowledge};
use hindcast_learn::gate::{self, Judgement};
use hindcast_learn::train::{Settings, train};
use hindcast_learn::truth;
use hindcast_train_linfa::Linfa;
use serde_json::Value;

const RECORDINGS: [&str; 3] = ["calm-day", "pg-pool", "shop-day"];

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
fn play(ledger: &mut Ledger, name: &str, later: Span) {
    let folder = folder(name);
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    let catalog: Catalog =
        serde_yaml_ng::from_str(&std::fs::read_to_string(folder.join("catalog.yaml")).unwrap()).unwrap();
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
    let incidents: Vec<IncidentId> = ledger.correlator.state().book.incidents.keys().cloned().collect();
    for incident in incidents {
        let cause = Some("named by people".to_owned());
        ledger.command(end + Span::minutes(30), "ada", Command::ResolveIncident { incident, cause, resolution: None });
    }
}

fn play_all(ledger: &mut Ledger) {
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

fn compared(ledger: &Ledger, candidate: &Weights) -> Report {
    let champion = ledger.decided_with(&Weights::default(), 0);
    let with = ledger.decided_with(candidate, 0);
    compare(&ledger.real_truth(0, &champion), &champion, &with, 7)
}

fn settings() -> Settings {
    Settings { seed: 7, code: "test".into(), parent: Weights::default(), version: 2 }
}

fn built(ledger: &Ledger) -> Dataset {
    dataset::build(&ledger.history, 0, u64::MAX, Weights::default().time_scale_s, Knowledge::AsKnown)
}

#[test]
fn the_weights_in_force_get_every_fault_of_the_recordings_right() {
    for (seed, name) in (1..).zip(RECORDINGS) {
        let mut ledger = Ledger::new(seed);
        play(&mut ledger, name, Span::ZERO);
        let report = compared(&ledger, &Weights::default());
        println!("{name}: {} problems, {:?}", report.problems, report.champion);
        assert_eq!((report.champion.merged, report.champion.split), (0, 0), "{name}: {report:?}");
    }
}

#[test]
fn a_scorer_that_merges_everything_is_seen_on_the_recordings_too() {
    let mut ledger = Ledger::new(2);
    play(&mut ledger, "pg-pool", Span::ZERO);
    let report = compared(&ledger, &Weights { version: 2, bias: 9_000, no_path: 0, ..Weights::default() });
    assert!(report.candidate.merged >= 2, "{report:?}");
    assert!(report.newly_merged.iter().any(|named| named.contains("backup-1")), "{:?}", report.newly_merged);
}

#[test]
fn a_handful_of_labelled_problems_is_inconclusive_and_says_what_it_needs() {
    let mut ledger = Ledger::new(3);
    play_all(&mut ledger);
    let truth = truth::read(&ledger.history, 1, u64::MAX);
    println!("{} problems by labels, {:?}", truth.problems.len(), truth.quality);
    assert!(truth.problems.len() >= 5, "{truth:?}");
    assert_eq!(truth.quality.contradicted, 0);
    let champion = ledger.decided_with(&Weights::default(), 0);
    let report = compare(&truth, &champion, &champion, 7);
    let gated = gate::judge(&Judgement { report: &report, training: truth.quality, learnt_to: 0 });
    println!("{gated:?}");
    assert_eq!(gated.verdict, Verdict::Inconclusive);
    assert!(gated.reasons[0].contains("needs 20"), "{gated:?}");
    println!("{:?}", train(&Linfa, &built(&ledger), &settings()).map(|candidate| candidate.weights));
}

/// What is learnt in one house may not fit another; that is what the comparison is for. This one prints how
/// it fares and holds that whatever got worse is named.
#[test]
fn weights_of_another_house_are_compared_and_what_got_worse_is_named() {
    let mut elsewhere = Ledger::new(9);
    world::live(&mut elsewhere, &world::week(31, 0, 30), 900, 9);
    let candidate = train(&Linfa, &built(&elsewhere), &settings()).unwrap();
    let mut ledger = Ledger::new(4);
    play_all(&mut ledger);
    let report = compared(&ledger, &candidate.weights);
    println!("{:?}", candidate.weights);
    println!("champion {:?} candidate {:?}", report.champion, report.candidate);
    println!("merged {:?} split {:?} missed {:?}", report.newly_merged, report.newly_split, report.newly_missed);
    assert_eq!(report.newly_split.is_empty(), report.candidate.split <= report.champion.split, "{report:?}");
    assert_eq!(report.newly_merged.is_empty(), report.candidate.merged <= report.champion.merged, "{report:?}");
}
