//! The memory follows views that are made by hand: what it keeps as of when, what it costs, and what happens
//! when something fails or is another one than before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hindcast_memory::{IncidentMemory, Options};
use hindcast_metrics::MetricRegistry;
use hindcast_recall::Remembered;
use hindcast_vectors::{Neighbour, PointKind, Query, Vectors};
use support::store::{Counting, Words};
use support::{Past, id};
use tokio::sync::watch;

/// A running memory and all around it.
struct Rig {
    views: Past,
    store: Arc<Counting>,
    words: Arc<Words>,
    metrics: MetricRegistry,
    ledger: &'static str,
}

/// Ends the memory when it is dropped.
struct Running {
    handle: hindcast_memory::Handle,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Rig {
    fn new() -> Self {
        Self {
            views: Past::default(),
            store: Arc::new(Counting::default()),
            words: Arc::new(Words::named("words")),
            metrics: MetricRegistry::default(),
            ledger: "LGR-1",
        }
    }

    fn start(&self) -> Running {
        let options = Options {
            gather: Duration::from_millis(1),
            ..Options::new(
                self.views.views.clone(),
                self.store.clone(),
                self.words.clone(),
                self.ledger.to_owned(),
                self.metrics.clone(),
            )
        };
        let memory = IncidentMemory::new(options);
        let (stop, shutdown) = watch::channel(false);
        let handle = memory.handle();
        let task = tokio::spawn(async move { memory.run(shutdown).await });
        Running { handle, stop, task }
    }

    async fn all(&self, kind: &PointKind, as_of: u64) -> Vec<Neighbour> {
        let mut vector = vec![0.0; 384];
        vector[0] = 1.0;
        let query = Query {
            kind: kind.clone(),
            partition: "default/production".to_owned(),
            as_of,
            vector,
            limit: 1_000,
            without: Vec::new(),
        };
        let mut found = self.store.search(query).await.unwrap();
        found.sort_by(|a, b| a.item.cmp(&b.item));
        found
    }

    async fn remembered(&self, name: &str, as_of: u64) -> Option<Remembered> {
        let wanted = id(name).to_string();
        let found = self.all(&PointKind::Incident, as_of).await.into_iter().find(|found| found.item == wanted)?;
        Some(serde_json::from_value(found.payload).unwrap())
    }
}

impl Running {
    async fn reaches(&self, position: u64) {
        let reached = tokio::time::timeout(Duration::from_secs(20), self.handle.wait_for(position)).await;
        assert_eq!(reached, Ok(true), "{:?}", self.handle.status());
    }

    async fn end(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("it ends").unwrap();
    }
}

#[tokio::test]
async fn a_version_knows_what_was_known_at_it_and_nothing_later() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.join("A", 20, "Latency", "web");
    rig.views.find(25, "web", "no space left on device");
    rig.views.resolve("A", 30, "the volume was emptied");
    rig.views.noise(40);
    rig.views.reach(40);
    let running = rig.start();
    running.reaches(40).await;
    assert_eq!(rig.remembered("A", 9).await, None);
    for (as_of, alerts, templates) in [(10, 1, 0), (19, 1, 0), (20, 2, 0), (24, 2, 0), (25, 2, 1), (29, 2, 1)] {
        let then = rig.remembered("A", as_of).await.unwrap();
        assert_eq!((then.alerts.len(), then.templates.len()), (alerts, templates), "as of {as_of}: {then:?}");
        assert_eq!(then.resolution, None, "as of {as_of}");
    }
    let late = rig.remembered("A", 30).await.unwrap();
    assert_eq!(late.alerts.len(), 2);
    assert_eq!(late.resolution.as_deref(), Some("the volume was emptied"));
    assert_eq!(late.templates.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["no space left on device"]);
    assert_eq!(rig.all(&PointKind::Template, 24).await.len(), 0);
    assert_eq!(rig.all(&PointKind::Template, 25).await.len(), 1);
    running.end().await;
}

#[tokio::test]
async fn a_storm_costs_two_dozen_vectors_and_no_stretch_is_seen_in_them() {
    let storm = |rig: &Rig| {
        rig.views.open("A", 10, "Errors", "web");
        for position in 11..400 {
            rig.views.join("A", position, &format!("Alert{position}"), "web");
        }
    };
    let anew = Rig::new();
    storm(&anew);
    anew.views.reach(400);
    let running = anew.start();
    running.reaches(400).await;
    assert!(anew.words.embedded.load(Ordering::Relaxed) <= 24, "the first sixteen revisions, then powers of two");

    // The same history, taken in as it came.
    let live = Rig::new();
    storm(&live);
    let following = live.start();
    for position in [10, 11, 13, 100, 101, 290, 400] {
        live.views.reach(position);
        following.reaches(position).await;
    }
    assert_eq!(live.store.count().await.unwrap(), anew.store.count().await.unwrap());
    for position in (10..=400).step_by(13) {
        let (then, now) = (live.remembered("A", position).await, anew.remembered("A", position).await);
        assert_eq!(then.unwrap().position, now.unwrap().position, "as of {position}");
    }
    running.end().await;
    following.end().await;
}

#[tokio::test]
async fn long_histories_go_in_stretches_and_every_end_has_its_version() {
    let rig = Rig::new();
    for n in 0..300_u64 {
        rig.views.open(&format!("I{n}"), n * 10 + 1, "Errors", "web");
        rig.views.join(&format!("I{n}"), n * 10 + 2, "Latency", "web");
        rig.views.resolve(&format!("I{n}"), n * 10 + 5, "restarted");
    }
    rig.views.reach(3_000);
    let running = rig.start();
    running.reaches(3_000).await;
    for n in [0_u64, 7, 150, 299] {
        let name = format!("I{n}");
        assert_eq!(rig.remembered(&name, n * 10).await, None);
        assert_eq!(rig.remembered(&name, n * 10 + 4).await.unwrap().resolution, None);
        assert!(rig.remembered(&name, n * 10 + 5).await.unwrap().resolution.is_some());
    }
    assert!(rig.store.stored.load(Ordering::Relaxed) >= 2, "more than one stretch");
    running.end().await;
}

#[tokio::test]
async fn it_goes_on_where_it_was_and_does_nothing_twice() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.reach(15);
    let running = rig.start();
    running.reaches(15).await;
    running.end().await;
    let embedded = rig.words.embedded.load(Ordering::Relaxed);
    let running = rig.start();
    running.reaches(15).await;
    assert_eq!(rig.words.embedded.load(Ordering::Relaxed), embedded, "nothing is made again");
    rig.views.open("B", 20, "Down", "cache");
    rig.views.reach(25);
    running.reaches(25).await;
    assert!(rig.remembered("B", 25).await.is_some());
    assert_eq!(rig.store.count().await.unwrap(), 2);
    running.end().await;
}

#[tokio::test]
async fn another_embedder_or_ledger_means_anew() {
    let mut rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.resolve("A", 12, "restarted");
    rig.views.reach(15);
    let running = rig.start();
    running.reaches(15).await;
    running.end().await;
    for change in 0..2 {
        if change == 0 {
            rig.words = Arc::new(Words::named("other"));
        } else {
            rig.ledger = "LGR-2";
        }
        let running = rig.start();
        running.reaches(15).await;
        let there = rig.store.checkpoint().await.unwrap().unwrap();
        assert_eq!((there.embedder.as_str(), there.ledger.as_str()), ("other-384-", rig.ledger));
        assert_eq!(rig.store.count().await.unwrap(), 2, "dropped and made anew, the past too");
        running.end().await;
    }
    assert!(rig.metrics.get("hindcast_memory_rebuilt_total", &[]) >= 2.0);
    // And where nothing changed, nothing is made anew.
    let running = rig.start();
    running.reaches(15).await;
    running.end().await;
    assert!(rig.metrics.get("hindcast_memory_rebuilt_total", &[]) < 3.0);
}

#[tokio::test(start_paused = true)]
async fn whoever_fails_is_shown_counted_and_tried_again() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.reach(15);
    rig.views.views.refuse_next("incident", 2);
    rig.words.failures.store(3, Ordering::Relaxed);
    rig.store.failures.store(2, Ordering::Relaxed);
    let running = rig.start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = running.handle.status();
    assert!(status.failing >= 1 && status.trouble.is_some(), "{status:?}");
    assert_eq!(rig.store.checkpoint().await.unwrap(), None, "nothing is said to be done that is not");
    // Seven failures with ever longer pauses.
    let reached = tokio::time::timeout(Duration::from_secs(120), running.handle.wait_for(15)).await;
    assert_eq!(reached, Ok(true), "{:?}", running.handle.status());
    let status = running.handle.status();
    assert_eq!((status.failing, status.trouble), (0, None));
    for (step, times) in [("views", 2.0), ("embed", 3.0), ("store", 2.0)] {
        let counted = rig.metrics.get("hindcast_memory_failures_total", &[("step", step)]);
        assert!((counted - times).abs() < 0.5, "{step}: {counted}");
    }
    assert!(rig.remembered("A", 15).await.is_some());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn it_ends_while_something_fails() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.reach(15);
    rig.store.failures.store(1_000, Ordering::Relaxed);
    let running = rig.start();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(running.handle.status().failing > 2);
    running.end().await;
}

#[tokio::test]
async fn what_became_a_part_of_another_incident_is_remembered_there() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.open("B", 11, "Down", "cache");
    rig.views.merge("A", "B", 20);
    rig.views.reach(25);
    let running = rig.start();
    running.reaches(25).await;
    assert!(rig.remembered("B", 19).await.is_some());
    assert_eq!(rig.remembered("B", 20).await, None);
    assert!(rig.remembered("A", 20).await.is_some());
    running.end().await;
}

#[tokio::test]
async fn secrets_are_taken_out_of_what_is_kept_and_embedded() {
    let rig = Rig::new();
    let secret = "AKIAIOSFODNN7EXAMPLE";
    rig.views.open("A", 10, "Errors", "web");
    rig.views.find(12, "web", &format!("upload failed with key {secret}"));
    rig.views.resolve("A", 20, &format!("key {secret} was replaced"));
    rig.views.reach(25);
    let running = rig.start();
    running.reaches(25).await;
    for kind in PointKind::ALL {
        let all = rig.all(kind, 25).await;
        assert_eq!(all.len(), 1);
        assert!(!all[0].payload.to_string().contains(secret), "{}", all[0].payload);
    }
    running.end().await;
}

#[tokio::test]
async fn a_long_idle_ledger_costs_no_store() {
    let rig = Rig::new();
    rig.views.open("A", 10, "Errors", "web");
    rig.views.reach(10);
    let running = rig.start();
    running.reaches(10).await;
    let stored = rig.store.stored.load(Ordering::Relaxed);
    for position in (4_096..409_600).step_by(4_096) {
        rig.views.reach(position);
        running.reaches(position).await;
    }
    assert_eq!(rig.store.stored.load(Ordering::Relaxed), stored, "a hundred commits without an incident");
    rig.views.reach(4_096 * 5_000);
    running.reaches(4_096 * 5_000).await;
    assert_eq!(rig.store.stored.load(Ordering::Relaxed), stored + 1, "but it is said now and then how far it is");
    running.end().await;
}
