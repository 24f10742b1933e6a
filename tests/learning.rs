//! Learning from outside, on both ledgers: what people do becomes labels, a version is learnt from them, judged
//! against a past that it did not see, promoted, seen on what it groups, rolled back; and what must not be
//! promoted is not. A hand that set the weights badly (everything stays alone) is what people mend here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::time::Duration;

use serde_json::{Value, json};
use support::world::Dice;
use support::{Ledger, Server, folder, now};

const MODEL: &str = "/api/v1/models/pair-scorer";

/// Weights as a careless hand would set them: almost nothing is ever one problem.
const SETTINGS: &str = "[correlation]\nreopen_within_s = 0\nlate_s = 0\n[correlation.weights]\nthreshold = 999\n";

/// What breaks, and what that makes ring: chains that have nothing to do with each other.
const CHAINS: [[(&str, &str); 3]; 4] = [
    [("orders-db", "DatabaseSlow"), ("orders", "OrdersFailing"), ("storefront", "CheckoutErrors")],
    [("mail-queue", "QueueGrowing"), ("mailer", "MailsLate"), ("campaigns", "CampaignStuck")],
    [("object-store", "VolumeFull"), ("media", "UploadsFailing"), ("gallery", "PicturesMissing")],
    [("gateway-eu", "LinkFlapping"), ("pricing", "QuotesStale"), ("broker", "TradesRejected")],
];

fn catalog() -> Value {
    let of = |name: &str, on: Option<&str>| json!({"name": name, "depends_on": on.into_iter().collect::<Vec<_>>()});
    let chains = CHAINS.iter().flat_map(|[(a, _), (b, _), (c, _)]| [of(a, None), of(b, Some(a)), of(c, Some(b))]);
    json!({"services": chains.collect::<Vec<_>>()})
}

struct People<'a> {
    server: &'a Server,
    dice: Dice,
    rounds: u64,
}

impl People<'_> {
    /// Two faults at once, each in a chain of its own; people put together what belongs together, name causes.
    async fn round(&mut self) {
        self.rounds += 1;
        let first = self.dice.below(4) as usize;
        let second = (first + 1 + self.dice.below(3) as usize) % 4;
        let mut alerts = Vec::new();
        for (index, chain) in [CHAINS[first], CHAINS[second]].into_iter().enumerate() {
            for (step, (service, name)) in chain.into_iter().enumerate() {
                let at = -300 + i64::try_from(step).unwrap() * 20 + i64::try_from(self.dice.below(15)).unwrap();
                let labels = json!({
                    "alertname": name, "service": service, "severity": "critical",
                    "instance": format!("{service}-{}:{}", self.rounds, 9000 + index),
                });
                alerts.push(json!({"labels": labels, "annotations": {"summary": format!("{name} at {service}")},
                    "startsAt": now(at), "endsAt": now(600)}));
            }
        }
        for alert in &alerts {
            assert_eq!(self.server.post("/api/v2/alerts", &json!([alert])).await.0, 200);
        }
        self.server.settled().await;
        for (chain, of) in [CHAINS[first], CHAINS[second]].into_iter().zip(alerts.chunks(3)) {
            let mut incidents = Vec::new();
            for alert in of {
                let instance = alert["labels"]["instance"].as_str().unwrap();
                let found = self.server.get(&format!("/api/v1/alerts?label=instance%3D{instance}")).await;
                let incident = found["items"][0]["incident"].as_str().expect("every alert has an incident").to_owned();
                if !incidents.contains(&incident) {
                    incidents.push(incident);
                }
            }
            let into = incidents[0].clone();
            for other in &incidents[1..] {
                self.act(&format!("/api/v1/incidents/{other}/merge"), &json!({"into": into})).await;
            }
            let cause = format!("{} broke", chain[0].0);
            self.act(&format!("/api/v1/incidents/{into}/resolve"), &json!({"cause": cause, "resolution": "mended"}))
                .await;
        }
        let over: Vec<Value> = alerts
            .into_iter()
            .map(|mut alert| {
                alert["endsAt"] = json!(now(-1));
                alert
            })
            .collect();
        assert_eq!(self.server.post("/api/v2/alerts", &json!(over)).await.0, 200);
        self.server.settled().await;
    }

    async fn act(&self, path: &str, body: &Value) {
        let (status, answer) = self.server.post(path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
    }

    async fn rounds(&mut self, count: u64) {
        for _ in 0..count {
            self.round().await;
        }
    }
}

/// Fires a chain anew and tells how many incidents it makes, and which versions grouped them.
async fn incidents_of_a_chain(server: &Server, word: &str) -> (usize, Vec<u64>) {
    let mut seen = std::collections::BTreeSet::new();
    let mut versions = Vec::new();
    for (step, (service, name)) in CHAINS[0].into_iter().enumerate() {
        let labels =
            json!({"alertname": name, "service": service, "severity": "high", "instance": format!("{service}-{word}")});
        let alert = json!({"labels": labels, "annotations": {"summary": format!("{name} at {service}")},
            "startsAt": now(-60 + 20 * i64::try_from(step).unwrap()), "endsAt": now(600)});
        server.post("/api/v2/alerts", &json!([alert])).await;
    }
    server.settled().await;
    for (service, _) in CHAINS[0] {
        let found = server.get(&format!("/api/v1/alerts?label=instance%3D{service}-{word}")).await;
        let incident = found["items"][0]["incident"].as_str().unwrap().to_owned();
        let shown = server.get(&format!("/api/v1/incidents/{incident}")).await;
        versions.extend(shown["grouped_by"].as_array().into_iter().flatten().filter_map(Value::as_u64));
        seen.insert(incident);
    }
    for incident in &seen {
        server.post(&format!("/api/v1/incidents/{incident}/resolve"), &json!({})).await;
    }
    (seen.len(), versions)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_learnt_judged_promoted_and_rolled_back_on_the_embedded_ledger() {
    whole_life(Ledger::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_learnt_judged_promoted_and_rolled_back_on_nats() {
    whole_life(Ledger::Nats).await;
}

/// A shadow over the past: what it would have done is shown, and used for nothing.
async fn shows_a_shadow(server: &Server, version: u64) {
    let (status, shadow) = server.post(&format!("{MODEL}/shadow"), &json!({"version": version, "from": 1})).await;
    assert!(status < 300, "{shadow}");
    let mut shadowed = Value::Null;
    for _ in 0..100 {
        shadowed = server.get(&format!("{MODEL}/{version}")).await["shadow"].clone();
        if shadowed["placed"].as_u64().unwrap_or(0) >= 180 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(shadowed["placed"].as_u64().unwrap_or(0) >= 180, "{shadowed}");
}

/// Learns up to a position. Judged on nothing that it did not see: nothing is concluded, and nothing moves.
async fn learns_a_candidate(server: &Server, learnt_to: u64) -> Value {
    let (status, learnt) =
        server.post(&format!("{MODEL}/train"), &json!({"to": learnt_to.to_string(), "seed": 3})).await;
    assert_eq!(status, 200, "{learnt}");
    let version = learnt["version"].as_u64().unwrap();
    assert!(version >= 2 && learnt["status"] == "candidate", "{learnt}");

    // Judged on nothing that it did not see: nothing is concluded, and nothing moves.
    let (status, early) = server.post(&format!("{MODEL}/compare"), &json!({"version": version})).await;
    assert_eq!((status, &early["verdict"]), (200, &json!("inconclusive")), "{early}");
    let (status, refused) = server.post(&format!("{MODEL}/promote"), &json!({"version": version})).await;
    assert_eq!(status, 409, "{refused}");
    learnt
}

/// What joins nothing any more fails beside what was learnt, with the incidents named, and is not promoted.
async fn refuses_what_joins_nothing(server: &Server) {
    let nothing = json!({"weights": {"threshold": 999}});
    let (status, careless) = server.post("/api/v1/backtest", &nothing).await;
    assert_eq!((status, &careless["verdict"]), (200, &json!("fail")), "{careless}");
    assert!(careless["reasons"].to_string().contains("too many"), "{careless}");
}

async fn whole_life(ledger: Ledger) {
    let data = folder();
    let config = support::world::settings(data.path(), "").replace("hindcast.toml", "own.toml");
    std::fs::write(&config, SETTINGS).unwrap();
    let mut server = Server::start(data.path(), ledger, &["--config", &config]).await;
    let put = server.client.put(server.url("/api/v1/catalog")).json(&catalog()).send().await.unwrap();
    assert!(put.status().is_success(), "{put:?}");

    // Nothing to learn from is said, and is no version.
    let (status, problem) = server.post(&format!("{MODEL}/train"), &json!({})).await;
    assert_eq!(status, 422, "{problem}");

    let mut people = People { server: &server, dice: Dice::new(5), rounds: 0 };
    people.rounds(16).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let learnt_to = server.settled().await["position"].as_u64().unwrap();
    let coverage = server.get("/api/v1/labels/coverage").await;
    assert!(coverage["with_cause"].as_u64().unwrap() >= 32, "{coverage}");
    let labels = server.all("/api/v1/labels?kind=grouping").await;
    assert!(labels.iter().any(|label| label["rule"] == "merged" && label["provenance"] == "explicit"), "{labels:?}");

    let learnt = learns_a_candidate(&server, learnt_to).await;
    let version = learnt["version"].as_u64().unwrap();
    people.rounds(14).await;

    // The same training again gives the same weights, whatever came after.
    let (_, again) = server.post(&format!("{MODEL}/train"), &json!({"to": learnt_to.to_string(), "seed": 3})).await;
    assert_eq!(again["weights"]["bias"], learnt["weights"]["bias"], "{again}");
    assert_eq!(again["lineage"]["dataset"], learnt["lineage"]["dataset"], "late labels change no earlier data set");

    let before = server.get("/api/v1/state").await["state_hash"].clone();
    let (status, judged) = server.post(&format!("{MODEL}/compare"), &json!({"version": version})).await;
    assert_eq!((status, &judged["verdict"]), (200, &json!("pass")), "{judged:#}");
    let (_, twice) = server.post(&format!("{MODEL}/compare"), &json!({"version": version})).await;
    assert_eq!(twice["decided"], judged["decided"], "two runs over one past decide the same");
    assert_eq!(server.settled().await["state_hash"], before, "a backtest changes nothing");

    shows_a_shadow(&server, version).await;

    let (alone, by) = incidents_of_a_chain(&server, "before").await;
    assert_eq!((alone, by.iter().all(|by| *by == 1)), (3, true), "by hand all stay alone: {by:?}");
    let (status, promoted) = server.post(&format!("{MODEL}/promote"), &json!({"version": version})).await;
    assert!(status < 300, "{promoted}");
    let in_force = server.settled().await["position"].as_u64().unwrap();
    let (together, by) = incidents_of_a_chain(&server, "with").await;
    assert_eq!(together, 1, "what was learnt keeps a chain together");
    assert!(by.contains(&version), "which version grouped it is seen: {by:?}");
    refuses_what_joins_nothing(&server).await;

    // A restart with the same settings does not undo a promotion.
    assert!(server.stop().success(), "{}", server.log());
    let mut server = Server::start(data.path(), ledger, &["--config", &config]).await;
    assert_eq!(incidents_of_a_chain(&server, "restarted").await.0, 1);
    let (code, listed, _) = server.cli(&["models", "list"]);
    assert_eq!(code, 0);
    assert!(listed.contains("production"), "{listed}");

    let (status, back) = server.post(&format!("{MODEL}/rollback"), &json!({"why": "to see that it works"})).await;
    assert!(status < 300, "{back}");
    assert_eq!(incidents_of_a_chain(&server, "after").await.0, 3, "the earlier decisions' behaviour is back");
    let then = server.get(&format!("{MODEL}/{version}?as_of={in_force}")).await;
    assert_eq!(then["status"], "in_force", "as of then it was in force: {then}");
    let now = server.get(&format!("{MODEL}/{version}")).await;
    assert_eq!(now["status"], "retired", "{now}");

    let (status, replayed) = server.post("/api/v1/replay", &json!({})).await;
    assert!(status == 200 && replayed["identical"] != json!(false), "{replayed}");
    assert!(server.stop().success(), "{}", server.log());
}
