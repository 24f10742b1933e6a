//! A small world of its own, made from a seed: six services that write logs, are measured, and break in known
//! ways. It is played in compressed time through the doors that any sender uses, and knows the truth of what it
//! did. It knows nothing of how the service concludes anything.
//!
//! edge → payments → ledger-db, edge → basket → kv, and a mailer that nobody depends on.

mod faults;

use std::time::{Duration, Instant};

use hindcast_domain::Time;
use serde_json::{Value, json};

use super::Server;
use faults::{CALM_LINES, CALM_SERIES};

pub use faults::Fault;

/// The settings that compressed time needs: what is over is over, and what comes back is a new incident.
pub const SETTINGS: &str = "[correlation]\nreopen_within_s = 1\nlate_s = 0\n";

const SECOND: i64 = 1_000_000_000;
/// Between two samples of a series.
const STEP: i64 = 5 * SECOND;

/// Draws without surprise: xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    /// A number between -1 and 1.
    #[allow(clippy::cast_precision_loss)]
    fn sway(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn text(&mut self, template: &str) -> String {
        let mut text = template.to_owned();
        while text.contains("{n}") {
            text = text.replacen("{n}", &(self.below(900) + 20).to_string(), 1);
        }
        while text.contains("{id}") {
            text = text.replacen("{id}", &format!("{:016x}", self.next()), 1);
        }
        text
    }
}

/// What happened, as the truth has it.
#[derive(Clone, Debug)]
pub struct Happened {
    pub fault: Fault,
    pub incident: String,
    /// The last position before it was ended.
    pub midst: u64,
}

/// The world, and how late it is there.
pub struct World {
    pub dice: Dice,
    pub at: i64,
    active: Option<Fault>,
    started: Vec<Value>,
}

impl World {
    /// A world that begins six hours ago, so that nothing it says lies in the future.
    pub fn new(seed: u64) -> Self {
        println!("world of seed {seed}");
        let now: Time = super::now(-6 * 3_600).parse().unwrap();
        Self { dice: Dice::new(seed), at: now.nanos(), active: None, started: Vec::new() }
    }

    /// The same with its catalogue and a first calm stretch behind it.
    pub async fn begun(seed: u64, server: &Server) -> Self {
        let mut world = Self::new(seed);
        let put = server.client.put(server.url("/api/v1/catalog")).json(&catalog()).send().await.unwrap();
        assert!(put.status().is_success(), "the catalogue: {}", put.text().await.unwrap());
        world.live(server, 15 * 60).await;
        world
    }

    pub fn time(&self) -> String {
        Time::from_nanos(self.at).to_string()
    }

    /// Lets so many seconds pass, and sends what was written and measured in them.
    pub async fn live(&mut self, server: &Server, seconds: i64) {
        let until = self.at + seconds * SECOND;
        while self.at < until {
            let (mut lines, mut points) = (String::new(), Vec::new());
            for _ in 0..60 {
                if self.at >= until {
                    break;
                }
                self.at += STEP;
                self.write(&mut lines);
                self.measure(&mut points);
            }
            let (status, body) = server.post_raw("/ingest/logs", "application/x-ndjson", lines).await;
            assert!((200..300).contains(&status), "log lines: {status} {body}");
            let (status, body) = server.post("/v1/metrics", &otlp_metrics(points)).await;
            assert!((200..300).contains(&status), "metrics: {status} {body}");
        }
    }

    fn write(&mut self, out: &mut String) {
        let broken = self.active.map(|fault| fault.script().lines).unwrap_or_default();
        for (service, severity, template, every) in CALM_LINES.iter().chain(broken) {
            if self.dice.below(*every) > 0 {
                continue;
            }
            let at = self.at - i64::try_from(self.dice.below(4_000)).unwrap() * 1_000_000;
            let line = json!({
                "time": Time::from_nanos(at).to_string(), "service": service, "severity": severity,
                "message": self.dice.text(template),
            });
            out.push_str(&line.to_string());
            out.push('\n');
        }
    }

    fn measure(&mut self, points: &mut Vec<(&'static str, &'static str, i64, f64)>) {
        let broken = self.active.map(|fault| fault.script().series).unwrap_or_default();
        for (service, metric, level, sway) in CALM_SERIES {
            let now = broken.iter().find(|other| (other.0, other.1) == (*service, *metric));
            let (level, sway) = now.map_or((*level, *sway), |other| (other.2, other.3));
            points.push((service, metric, self.at, (level + sway * self.dice.sway()).max(0.0)));
        }
    }

    /// A deploy, half a minute before now.
    pub async fn deploy(&mut self, server: &Server, service: &str, version: &str) -> String {
        let title = format!("{service} {version} deployed");
        let at = Time::from_nanos(self.at - 20 * SECOND).to_string();
        let change =
            json!({"title": title, "service": service, "version": version, "kind": "deploy", "at": at, "actor": "ci"});
        let (status, body) = server.post("/ingest/change", &change).await;
        assert_eq!(status, 202, "a change: {body}");
        title
    }

    /// Breaks something, until its alerts fire and two minutes have passed.
    pub async fn strike(&mut self, server: &Server, fault: Fault) -> Happened {
        self.active = Some(fault);
        let began = self.at;
        self.live(server, 30).await;
        let script = fault.script();
        let alerts: Vec<Value> = script.alerts.iter().map(|alert| firing(alert, began)).collect();
        self.started.clone_from(&alerts);
        // Whoever notices first rings first.
        let first = usize::try_from(self.dice.below(alerts.len() as u64)).unwrap();
        for index in (0..alerts.len()).map(|step| (first + step) % alerts.len()) {
            let (status, body) = server.post("/api/v2/alerts", &json!([alerts[index]])).await;
            assert_eq!(status, 200, "an alert: {body}");
        }
        self.live(server, 120).await;
        let midst = quiet(server).await;
        let open = server.all("/api/v1/incidents?status=open").await;
        assert_eq!(open.len(), 1, "one incident for {fault:?}, got {open:#?}");
        Happened { fault, incident: open[0]["id"].as_str().unwrap().to_owned(), midst }
    }

    /// Mends it, and a person writes down what it was.
    pub async fn mend(&mut self, server: &Server, happened: &Happened) {
        self.active = None;
        self.live(server, 30).await;
        let over: Vec<Value> = std::mem::take(&mut self.started)
            .into_iter()
            .map(|mut alert| {
                alert["endsAt"] = json!(self.time());
                alert
            })
            .collect();
        let (status, body) = server.post("/api/v2/alerts", &Value::Array(over)).await;
        assert_eq!(status, 200, "alerts that are over: {body}");
        quiet(server).await;
        let script = happened.fault.script();
        let words = json!({"cause": script.cause, "resolution": script.resolution});
        let (status, body) = server.post(&format!("/api/v1/incidents/{}/resolve", happened.incident), &words).await;
        assert_eq!(status, 200, "last words: {body}");
        self.live(server, 25 * 60).await;
        // The reopening window of the settings is real time.
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        quiet(server).await;
    }

    /// Breaks and mends it.
    pub async fn play(&mut self, server: &Server, fault: Fault) -> Happened {
        let happened = self.strike(server, fault).await;
        self.mend(server, &happened).await;
        happened
    }
}

fn firing(alert: &(&str, &str, &str, &str, i64), began: i64) -> Value {
    let (name, service, severity, summary, after) = alert;
    json!({
        "labels": {"alertname": name, "service": service, "severity": severity, "instance": format!("{service}-0")},
        "annotations": {"summary": summary},
        "startsAt": Time::from_nanos(began + after * SECOND).to_string(),
        "endsAt": super::now(3_600),
    })
}

/// Who depends on whom.
pub fn catalog() -> Value {
    let service =
        |name: &str, owner: &str, depends_on: &[&str]| json!({"name": name, "owner": owner, "depends_on": depends_on});
    json!({"services": [
        service("edge", "web", &["payments", "basket"]),
        service("payments", "money", &["ledger-db"]),
        service("basket", "shop", &["kv"]),
        service("ledger-db", "storage", &[]),
        service("kv", "storage", &[]),
        service("mailer", "post", &[]),
    ]})
}

fn otlp_metrics(points: Vec<(&'static str, &'static str, i64, f64)>) -> Value {
    let mut series: std::collections::BTreeMap<(&str, &str), Vec<Value>> = std::collections::BTreeMap::new();
    for (service, metric, at, value) in points {
        let point = json!({"timeUnixNano": at.to_string(), "asDouble": value});
        series.entry((service, metric)).or_default().push(point);
    }
    let resources: Vec<Value> = series
        .into_iter()
        .map(|((service, metric), points)| {
            json!({
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeMetrics": [{"metrics": [{"name": metric, "gauge": {"dataPoints": points}}]}],
            })
        })
        .collect();
    json!({"resourceMetrics": resources})
}

/// Waits until everything is decided and nothing more is written for half a second; the head then.
pub async fn quiet(server: &Server) -> u64 {
    let began = Instant::now();
    let mut since = Instant::now();
    let mut head = server.settled().await["position"].as_u64().unwrap();
    while since.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let now = server.settled().await["position"].as_u64().unwrap();
        if now != head {
            (head, since) = (now, Instant::now());
        }
        assert!(began.elapsed() < Duration::from_secs(60), "still writing after a minute:\n{}", server.log());
    }
    head
}

/// Where an embedding model is looked for. Whether this machine has one makes no difference: none is used, or the
/// one of the folder that `HINDCAST_TEST_MODEL_DIR` names.
pub fn model_dir(data: &std::path::Path) -> std::path::PathBuf {
    std::env::var_os("HINDCAST_TEST_MODEL_DIR").map_or_else(|| data.join("no-model"), Into::into)
}

/// A settings file in the data folder.
pub fn settings(data: &std::path::Path, more: &str) -> String {
    std::fs::create_dir_all(data).unwrap();
    let memory = format!("[memory]\nmodel_dir = {:?}\n", model_dir(data).display().to_string());
    let file = data.join("hindcast.toml");
    std::fs::write(&file, format!("{SETTINGS}{memory}{more}")).unwrap();
    file.to_string_lossy().into_owned()
}

/// Every citation anywhere in a document: an event's id beside its position. What keeps the turn of a
/// conversation is no citation.
pub fn citations(value: &Value) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    gather(value, &mut found);
    found.sort();
    found.dedup();
    found
}

fn gather(value: &Value, found: &mut Vec<(String, u64)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(fields) => {
            if let (Some(event), Some(position)) =
                (fields.get("event").and_then(Value::as_str), fields.get("position").and_then(Value::as_u64))
            {
                found.push((event.to_owned(), position));
            }
            fields.iter().filter(|(name, _)| *name != "recorded").for_each(|(_, value)| gather(value, found));
        }
        _ => {}
    }
}

/// What was found wrong. One run tells all of it.
#[derive(Default)]
pub struct Wrong(Vec<String>);

impl Wrong {
    pub fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let what = what();
            println!("WRONG {what}");
            self.0.push(what);
        }
    }

    /// Each citation of a document leads to its event, and to none later than `until`.
    pub async fn resolve(&mut self, server: &Server, place: &str, document: &Value, until: u64) {
        for (event, position) in citations(document) {
            let (status, found) = server.try_get(&format!("/api/v1/events/{event}")).await;
            self.unless(status == 200 && found["id"] == event && found["position"] == position, || {
                format!("{place}: the citation {event} at {position} leads to {status} {found}")
            });
            self.unless(position <= until, || format!("{place}: cites {position}, asked as of {until}"));
        }
    }

    /// Panics with everything that was found, if anything was.
    pub fn none(self, place: &str) {
        assert!(self.0.is_empty(), "{place}: {} wrong\n- {}", self.0.len(), self.0.join("\n- "));
    }
}
