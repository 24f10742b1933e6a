//! Every recording, on both ledgers and both channels: one incident per fault, no false merge, every firing
//! alert at a paging severity accounted for, and the replay gives the same state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::Ledger;

fn recordings() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let mut all: Vec<PathBuf> = std::fs::read_dir(root).unwrap().flatten().map(|entry| entry.path()).collect();
    all.retain(|path| path.join("recording.json").is_file());
    all.sort();
    assert!(all.len() >= 2, "expected the recordings, got {all:?}");
    all
}

fn play(recording: &Path, ledger: Ledger, channel: &str) -> Value {
    let mut command = Command::new(support::binary());
    command
        .args(["up", "--demo"])
        .arg(recording)
        .args(["--speed", "0", "--exit", "--summary-json", "--channel", channel, "--ledger", ledger.flag()])
        .args(["--listen", &format!("127.0.0.1:{}", support::free_port())]);
    if ledger == Ledger::Nats {
        command.env("PATH", support::nats_path());
    }
    let done = command.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn check(recording: &Path, ledger: Ledger, channel: &str) -> Value {
    let facts = play(recording, ledger, channel);
    let verdict = &facts["verdict"];
    let name = format!("{} by {channel} on {ledger:?}", recording.display());
    assert_eq!(verdict["found"], verdict["faults"], "{name}: {verdict:#}");
    for kind in ["missed", "split", "merged"] {
        assert_eq!(verdict[kind], json!([]), "{name}: {verdict:#}");
    }
    assert_eq!(facts["unaccounted"], json!([]), "{name}");
    assert_eq!(facts["refused"], 0, "{name}");
    assert_eq!(facts["replay"]["identical"], true, "{name}: {}", facts["replay"]);
    facts
}

#[test]
fn one_incident_per_fault_on_the_embedded_ledger() {
    for recording in recordings() {
        check(&recording, Ledger::Embedded, "prometheus");
        check(&recording, Ledger::Embedded, "alertmanager");
    }
}

#[test]
fn one_incident_per_fault_on_nats() {
    for recording in recordings() {
        check(&recording, Ledger::Nats, "prometheus");
    }
}

#[test]
fn two_runs_with_seeded_ids_and_the_stepped_clock_give_one_state_hash() {
    let recording = &recordings()[0];
    let first = check(recording, Ledger::Embedded, "prometheus");
    let second = check(recording, Ledger::Embedded, "prometheus");
    assert_eq!(first["replay"]["replayed_hash"], second["replay"]["replayed_hash"]);
    let nats = check(recording, Ledger::Nats, "prometheus");
    assert_eq!(first["replay"]["replayed_hash"], nats["replay"]["replayed_hash"], "on the other adapter");
}
