//! `kill -9` at random moments under load, of the service and of nats-server, on both ledgers: nothing that
//! was acknowledged is lost, no transition stands twice, no revision is missing. With the guarantee switched
//! off the same test is seen to turn red. `HINDCAST_TEST_KILLS` sets how many kills there are (a few where it is not
//! set), and each run draws its moments from a fresh seed, which it prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use support::auditor::{Auditor, Findings};
use support::{Ledger, Nats, Server, folder, free_port};

/// How long the service works before a kill.
fn moment(seed: u64, kill: usize) -> Duration {
    Duration::from_millis(20 + support::mixed(seed, kill, 400))
}

async fn killed(ledger: Ledger, kills: usize, more: &[&str]) -> Findings {
    let (data, seed) = (folder(), support::seed());
    let port = free_port();
    let auditor = Auditor::default();
    let mut server = Server::start_on(port, data.path(), ledger, more).await;
    let load = auditor.load(port, 8);
    let began = Instant::now();
    let mut recovery = Duration::ZERO;
    for kill in 0..kills {
        tokio::time::sleep(moment(seed, kill)).await;
        server.kill();
        // Every third kill takes the ledger's server down too.
        if ledger == Ledger::Nats && kill % 3 == 0 {
            support::stop_nats(data.path());
        }
        let killed = Instant::now();
        server.comes_back(&[&["--ledger", ledger.flag()], more].concat(), &[]).await;
        recovery = recovery.max(killed.elapsed());
    }
    auditor.stop();
    for worker in load {
        worker.await.unwrap();
    }
    let findings = settle_and_audit(&auditor, &server).await;
    println!(
        "{ledger:?}: {kills} kills in {:?}, {} acknowledged, {} events, slowest recovery {recovery:?}; lost {}, duplicate transitions {}, revision gaps {}",
        began.elapsed(),
        findings.acknowledged,
        findings.events,
        findings.lost.len(),
        findings.duplicate_transitions.len(),
        findings.revision_gaps.len(),
    );
    findings
}

async fn settle_and_audit(auditor: &Auditor, server: &Server) -> Findings {
    server.settled().await;
    let (status, replay) = server.post("/api/v1/replay", &json!({})).await;
    assert_eq!((status, &replay["identical"]), (200, &json!(true)), "{replay}");
    let (status, verified) = server.post("/api/v1/verify", &json!({})).await;
    assert_eq!((status, &verified["intact"]), (200, &json!(true)), "{verified}");
    auditor.audit(server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_service_on_the_embedded_ledger_lose_nothing() {
    let findings = killed(Ledger::Embedded, support::kills(5), &[]).await;
    assert!(findings.is_clean() && findings.acknowledged > 30, "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_service_and_server_on_nats_lose_nothing() {
    let findings = killed(Ledger::Nats, support::kills(4), &[]).await;
    assert!(findings.is_clean() && findings.acknowledged > 30, "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledging_before_the_append_is_found() {
    let findings = killed(Ledger::Embedded, support::kills(6).min(8), &["--fail-point-acknowledge-early"]).await;
    assert!(!findings.lost.is_empty(), "the auditor found nothing although the guarantee was off: {findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_a_nats_server_under_a_running_service_lose_nothing() {
    let (data, store, seed) = (folder(), folder(), support::seed());
    let mut nats = Nats::start(store.path(), free_port());
    nats.ready().await;
    let url = nats.url();
    let port = free_port();
    let more = ["--ledger", &url, "--accept-lossy-ledger"];
    let mut server = spawn_on(port, data.path(), &more);
    server.ready().await;
    let auditor = Auditor::default();
    let load = auditor.load(port, 4);
    for kill in 0..support::kills(5).min(100) {
        tokio::time::sleep(moment(seed, kill) * 2).await;
        nats.kill_and_restart();
    }
    nats.ready().await;
    auditor.acknowledges_again().await;
    auditor.stop();
    for worker in load {
        worker.await.unwrap();
    }
    let findings = settle_and_audit(&auditor, &server).await;
    println!("nats-server killed under a running service: {} acknowledged, {findings:?}", findings.acknowledged);
    assert!(findings.is_clean() && findings.acknowledged > 20, "{findings:#?}");
}

fn spawn_on(port: u16, data: &Path, more: &[&str]) -> Server {
    Server::spawn_bare(port, data, more)
}
