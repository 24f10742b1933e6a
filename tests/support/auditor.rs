//! The auditor: sends alerts under load, remembers what was acknowledged, and afterwards holds the ledger
//! to it: nothing acknowledged is lost, no transition stands twice, no revision is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::Server;

/// What was acknowledged, by the `unique` label.
#[derive(Clone, Default)]
pub struct Auditor {
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    stopped: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

/// What the ledger was found to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub acknowledged: usize,
    pub events: usize,
    pub lost: Vec<String>,
    pub duplicate_transitions: Vec<String>,
    pub revision_gaps: Vec<String>,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.duplicate_transitions.is_empty() && self.revision_gaps.is_empty()
    }
}

impl Auditor {
    /// Sends from `workers` tasks until it is stopped. Each alert is unique, is resent, and some are resolved.
    pub fn load(&self, port: u16, workers: usize) -> Vec<tokio::task::JoinHandle<()>> {
        (0..workers).map(|worker| tokio::spawn(self.clone().work(port, worker))).collect()
    }

    async fn work(self, port: u16, worker: usize) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
        let mut last: Vec<Value> = Vec::new();
        for round in 0_u64.. {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let fresh: Vec<Value> = (0..3).map(|index| self.alert(worker, round, index)).collect();
            // The round before is told again: some fire still, some are over.
            let mut batch = fresh.clone();
            for (index, old) in last.iter().enumerate() {
                let mut old = old.clone();
                if index == 0 {
                    old["endsAt"] = json!(super::now(-1));
                }
                batch.push(old);
            }
            self.sent.fetch_add(batch.len() as u64, Ordering::Relaxed);
            let answer = client.post(&url).json(&batch).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                let mut acknowledged = self.acknowledged.lock().unwrap();
                acknowledged.extend(fresh.iter().map(|alert| alert["labels"]["unique"].as_str().unwrap().to_owned()));
                last = fresh;
            } else {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Waits until more was acknowledged than until now.
    pub async fn acknowledges_again(&self) {
        let count = || self.acknowledged.lock().unwrap().len();
        let (before, began) = (count(), std::time::Instant::now());
        while count() < before + 12 {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing more is acknowledged after 30 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn alert(&self, worker: usize, round: u64, index: usize) -> Value {
        let unique = format!("{worker}-{round}-{index}");
        let severity = ["critical", "warning", "info"][index];
        json!({
            "labels": {
                "alertname": format!("Load{index}"),
                "service": format!("service-{}", round % 40),
                "severity": severity,
                "unique": unique,
            },
            "annotations": {"summary": "under load"},
            "startsAt": super::now(-5),
            "endsAt": super::now(600),
        })
    }

    pub fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Reads the whole ledger and compares.
    pub async fn audit(&self, server: &Server) -> Findings {
        let mut findings = Findings::default();
        let mut introduced = BTreeSet::new();
        let mut firing: BTreeMap<String, bool> = BTreeMap::new();
        let mut revisions: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for event in server.all("/api/v1/events").await {
            findings.events += 1;
            let kind = event["type"].as_str().unwrap();
            let subject = event["subject"].as_str().unwrap().to_owned();
            let position = event["position"].as_u64().unwrap();
            if let Some(unique) = event["data"]["labels"]["unique"].as_str().filter(|_| kind.starts_with("alert.")) {
                introduced.insert(unique.to_owned());
            }
            let transition = match kind {
                "alert.fired" => Some(true),
                "alert.resolved" => Some(false),
                _ => None,
            };
            if let Some(now) = transition
                && firing.insert(subject.clone(), now) == Some(now)
            {
                findings.duplicate_transitions.push(format!("{kind} of {subject} at {position}"));
            }
            if let Some(revision) = event["revision"].as_u64() {
                // All events of one decision carry the same revision; the next decision the next one.
                let (before, at) = revisions.insert(subject.clone(), (revision, position)).unwrap_or((0, 0));
                let same_decision = revision == before && at / 4_096 == position / 4_096;
                if revision != before + 1 && !same_decision {
                    findings.revision_gaps.push(format!("{subject}: {before} then {revision} at {position}"));
                }
            }
        }
        let acknowledged = self.acknowledged.lock().unwrap();
        findings.acknowledged = acknowledged.len();
        findings.lost = acknowledged.difference(&introduced).cloned().collect();
        findings
    }
}
