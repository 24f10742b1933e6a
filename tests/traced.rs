//! That each acknowledgement follows a sync, seen from outside: the service runs under `strace`, and between
//! the arrival of each request and its 200 a sync has to end. With the guarantee switched off the same look
//! finds acknowledgements without one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::io::BufRead;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{Ledger, Server, folder, free_port};

const REQUESTS: usize = 20;

/// How many requests were acknowledged, and how many of them after a sync of their own.
async fn traced(more: &[&str]) -> (usize, usize) {
    let data = folder();
    let log = data.path().join("strace.log");
    let port = free_port();
    let mut server = Server::spawn(port, data.path(), Ledger::Embedded, more);
    server.ready().await;
    let mut strace = Command::new("strace")
        .args(["-f", "-s", "64", "-e", "trace=fdatasync,fsync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg", "-o"])
        .arg(&log)
        .args(["-p", &server.child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says when it follows all threads; what it says later nobody needs, and is read so that it does not block.
    let mut said = std::io::BufReader::new(strace.stderr.take().unwrap()).lines();
    let attached = said.find_map(|line| line.ok().filter(|line| line.contains("attached")));
    assert!(attached.is_some(), "strace did not attach");
    let drained = std::thread::spawn(move || said.count());
    for n in 0..REQUESTS {
        assert_eq!(server.fire(&format!("Traced{n}"), "postgres", "warning").await.0, 200);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Command::new("kill").args(["-INT", &strace.id().to_string()]).status().unwrap();
    strace.wait().unwrap();
    drained.join().unwrap();
    server.stop();
    count(&log)
}

fn count(log: &Path) -> (usize, usize) {
    let text = std::fs::read_to_string(log).unwrap();
    let (mut waiting, mut synced, mut acknowledged, mut after_sync) = (false, false, 0, 0);
    for line in text.lines() {
        if line.contains("POST /api/v2/alerts") {
            (waiting, synced) = (true, false);
        } else if waiting && (line.contains("fdatasync") || line.contains("fsync")) && line.ends_with("= 0") {
            synced = true;
        } else if waiting && line.contains("HTTP/1.1 200") {
            acknowledged += 1;
            after_sync += usize::from(synced);
            waiting = false;
        }
    }
    (acknowledged, after_sync)
}

fn strace_is_there() -> bool {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !found {
        println!("strace is not installed, so nothing is traced here; .ci/run installs it");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_acknowledgement_follows_a_sync() {
    if strace_is_there() {
        assert_eq!(traced(&[]).await, (REQUESTS, REQUESTS));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_guarantee_off_the_trace_shows_it() {
    if strace_is_there() {
        let (acknowledged, after_sync) = traced(&["--fail-point-acknowledge-early"]).await;
        assert_eq!(acknowledged, REQUESTS);
        assert!(after_sync < REQUESTS, "every acknowledgement followed a sync although the guarantee was off");
    }
}
