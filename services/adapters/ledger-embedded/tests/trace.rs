//! An acknowledgement follows a sync, shown by the system calls that the kernel saw: `trace-sync.sh` beside
//! this file traces the appends below. It needs strace and is run where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // tests; the script speaks by environment

use std::io::Write;
use std::process::Command;

use bytes::Bytes;
use hindcast_ledger::Ledger;
use hindcast_ledger_embedded::disk::{DiskFaults, DiskPlan};
use hindcast_ledger_embedded::{EmbeddedLedger, Options};
use hindcast_testkit::conformance::toy::intake;

/// Traced by the script.
#[tokio::test]
#[ignore = "run by trace-sync.sh under strace"]
async fn appends_for_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let early = std::env::var("HINDCAST_TRACE_MODE").is_ok_and(|mode| mode == "early");
    let plan = DiskPlan { acknowledge_before_sync: true, ..DiskPlan::default() };
    let faults = early.then(|| DiskFaults::new(plan));
    let ledger = EmbeddedLedger::open(Options { faults, ..Options::at(folder.path()) }).unwrap();
    for seq in 1..=20 {
        ledger.append(&intake(&format!("w{seq}")), 0, Bytes::from(vec![7; 900])).await.unwrap();
        // One write call, past the test harness's capture.
        let mut out = std::io::stdout().lock();
        out.write_all(format!("acknowledged {seq}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
    ledger.close().await;
}

fn trace(mode: &str) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trace-sync.sh");
    let output = Command::new("sh").arg(script).arg(std::env::current_exe().unwrap()).arg(mode).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
#[ignore = "needs strace, which not every machine allows"]
fn every_acknowledgement_follows_a_sync() {
    let (kept, said) = trace("kept");
    assert!(kept, "{said}");
    println!("{said}");
}

#[test]
#[ignore = "needs strace, which not every machine allows"]
fn with_the_guarantee_off_the_trace_turns_red() {
    let (kept, said) = trace("early");
    assert!(!kept, "expected acknowledgements before their sync: {said}");
    println!("{said}");
}
