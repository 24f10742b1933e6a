//! Every recording, on both ledgers and both channels: one incident per fault, no false merge, no firing alert
//! at a paging severity left out by the pager's own rule, and the replay gives the same state. The recordings were
//! known when weights and thresholds were set, so this shows that nothing broke, and not how other data fare.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::Ledger;

/// A recording by its name.
fn recording(name: &str) -> PathBuf {
    recordings().into_iter().find(|path| path.ends_with(name)).unwrap()
}

fn recordings() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let mut all: Vec<PathBuf> = std::fs::read_dir(root).unwrap().flatten().map(|entry| entry.path()).collect();
    all.retain(|path| path.join("recording.json").is_file());
    all.sort();
    assert!(all.len() >= 2, "expected the recordings, got {all:?}");
    all
}

fn play(recording: &Path, ledger: Ledger, channel: &str, more: &[&str]) -> Value {
    let mut command = Command::new(support::binary());
    command
        .args(["up", "--demo"])
        .arg(recording)
        .args(["--speed", "0", "--exit", "--summary-json", "--channel", channel, "--ledger", ledger.flag()])
        .args(["--listen", &format!("127.0.0.1:{}", support::free_port())])
        .args(more);
    if ledger == Ledger::Nats {
        command.env("PATH", support::nats_path());
    }
    let done = command.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn check(recording: &Path, ledger: Ledger, channel: &str, more: &[&str]) -> Value {
    let facts = play(recording, ledger, channel, &[&["--offline"], more].concat());
    let verdict = &facts["verdict"];
    let name = format!("{} by {channel} on {ledger:?}", recording.display());
    assert_eq!(verdict["found"], verdict["faults"], "{name}: {verdict:#}");
    for kind in ["missed", "split", "merged"] {
        assert_eq!(verdict[kind], json!([]), "{name}: {verdict:#}");
    }
    assert_eq!(facts["unaccounted"], json!([]), "{name}");
    let audit = &facts["audit"];
    assert_eq!(audit["violations"], json!([]), "{name}");
    let count = |what: &str| audit[what].as_u64().unwrap();
    assert_eq!(count("named") + count("suppressed"), count("episodes"), "{name}: {audit}");
    println!("{name}: {audit}");
    assert_eq!(facts["refused"], 0, "{name}");
    assert_eq!(facts["replay"]["identical"], true, "{name}: {}", facts["replay"]);
    let redecided = &facts["redecided"];
    assert_eq!(redecided["differences"], json!([]), "{name}");
    assert_eq!((&redecided["identical"], &redecided["folded"]), (&json!(true), &json!(0)), "{name}: {redecided}");
    assert!(redecided["events"].as_u64().unwrap() > 10, "{name}: {redecided}");
    advised(&facts, &name);
    facts
}

/// In the midst of each fault: the right service first, the same fault recalled and no other, no innocent change
/// blamed, and an answer whose every claim stands and whose every citation opens.
fn advised(facts: &Value, name: &str) {
    let advised = facts["advised"].as_array().unwrap();
    assert_eq!(advised.len() as u64, facts["verdict"]["faults"].as_u64().unwrap(), "{name}");
    for one in advised {
        let name = format!("{name}, {}", one["fault"]);
        assert_eq!(one["first"], true, "{name}: {:#}", one["causes"]);
        assert_eq!(one["recalled"], true, "{name}: expected {}, got {:#}", one["expected_same"], one["similar"]);
        assert_eq!(one["blamed"], json!([]), "{name}");
        assert_eq!(one["dangling"], json!([]), "{name}");
        let answer = &one["answer"];
        let claims = answer["claims"].as_array().unwrap();
        assert!(claims.iter().all(|claim| claim["verdict"] == "supported"), "{name}: {claims:#?}");
        let cause = one["causes"]["items"][0]["cause"].as_str().unwrap();
        let names =
            |claim: &Value| claim["assertion"]["kind"] == "cause" && claim["text"].as_str().unwrap().ends_with(cause);
        assert!(claims.iter().any(names), "{name}: the answer names the cause {cause:?}: {claims:#?}");
        assert!(!one["proposals"].as_array().unwrap().is_empty(), "{name}: something is proposed");
        if let Some(same) = one["expected_same"].as_str() {
            let told = |claim: &Value| claim["text"].as_str().unwrap().contains(same);
            assert!(claims.iter().any(told), "{name}: the answer names {same}");
            assert_ne!(one["similar"]["items"][0]["resolution"], json!(null), "{name}: and what ended it");
        } else {
            let missing = answer["missing"].to_string();
            assert!(missing.contains("no matching past incident"), "{name}: {missing}");
        }
    }
}

/// Plays one recording. On its healthy minutes no cause is named; answers how many there were.
fn holds(name: &str) -> usize {
    let recording = recording(name);
    let facts = check(&recording, Ledger::Embedded, "prometheus", &["--probe"]);
    let probed = facts["probed"].as_array().unwrap();
    for minute in probed {
        assert_eq!(minute["unresolved"], true, "{name}: {minute:#}");
    }
    probed.len()
}

#[test]
fn each_holds_by_the_other_channel() {
    recordings().iter().for_each(|recording| drop(check(recording, Ledger::Embedded, "alertmanager", &[])));
}

#[test]
fn each_holds_on_the_other_ledger() {
    recordings().iter().for_each(|recording| drop(check(recording, Ledger::Nats, "prometheus", &[])));
}

#[test]
fn every_recording_has_its_test() {
    let names: Vec<_> = recordings().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["calm-day", "pg-pool", "shop-day"]);
}

#[test]
fn calm_day_is_one_incident_per_fault() {
    assert!(holds("calm-day") >= 10);
}

#[test]
fn pg_pool_is_one_incident_per_fault() {
    assert!(holds("pg-pool") >= 6);
}

#[test]
fn shop_day_is_one_incident_per_fault() {
    assert!(holds("shop-day") >= 7);
}

#[test]
fn the_embedding_model_recalls_as_well() {
    for recording in recordings() {
        let facts = play(&recording, Ledger::Embedded, "prometheus", &[]);
        let stand_in = facts["advised"][0]["similar"]["stand_in"].as_bool().unwrap();
        assert!(
            !stand_in,
            "expected the model; install it with `hindcast embedder install`, or see why it is not there"
        );
        advised(&facts, &format!("{} with the model", recording.display()));
    }
}

#[test]
fn two_runs_with_seeded_ids_and_the_stepped_clock_give_one_state_hash() {
    let recording = recording("calm-day");
    let first = check(&recording, Ledger::Embedded, "prometheus", &[]);
    let second = check(&recording, Ledger::Embedded, "prometheus", &[]);
    assert_eq!(first["replay"]["replayed_hash"], second["replay"]["replayed_hash"]);
    let nats = check(&recording, Ledger::Nats, "prometheus", &[]);
    assert_eq!(first["replay"]["replayed_hash"], nats["replay"]["replayed_hash"], "on the other adapter");
}
