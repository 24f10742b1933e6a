//! Conclusions over views in memory: each is drawn once for a position, of that position alone, and says where the
//! memory had not reached it.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::sync::Arc;

use hindcast_advice::Advice;
use hindcast_advisor::{Options, Rca};
use hindcast_api::{Alert, Incident};
use hindcast_domain::{IncidentId, Severity, Span};
use hindcast_metrics::MetricRegistry;
use hindcast_queries::memory::MemoryViews;
use hindcast_queries::{Shared, Snapshot, Snapshots};
use hindcast_testkit as testkit;
use hindcast_vectors::MemoryVectors;
use hindcast_vectors::embed::Hashing;
use tokio::sync::watch;

/// Where the incident opened.
const OPENED: u64 = 4_097;

struct Site {
    views: Arc<MemoryViews>,
    snapshots: Snapshots,
    advisor: Rca,
    memory: watch::Sender<u64>,
    incident: String,
}

impl Site {
    /// One incident with one alert, in views and a memory that have reached where it opened.
    fn new() -> Self {
        let views = Arc::new(MemoryViews::at(OPENED));
        let incident = IncidentId::derive(&[b"one"]).to_string();
        let now = testkit::start();
        let opened = Incident::opened(&incident, "PgDown on postgres", Severity::Critical, "production", now);
        views.put(OPENED, Incident { services: vec!["postgres".into()], ..opened });
        let alert = Alert::fired("00000000000000000001", "PgDown", Severity::Critical, "production", now);
        views.put(OPENED - 1, Alert { incident: Some(incident.clone()), ..alert });
        for (position, kind) in [(OPENED - 1, "alert.fired"), (OPENED, "incident.opened")] {
            views.record(hindcast_api::Event {
                time: now + Span::seconds(1),
                recorded_at: now + Span::seconds(1),
                ..testkit::event(position, kind, &incident)
            });
        }
        let memory = watch::Sender::new(OPENED);
        let advisor = Rca::new(Options {
            memory: Some(memory.subscribe()),
            vectors: Arc::new(MemoryVectors::default()),
            embedder: Arc::new(Hashing::default()),
            writer: None,
            metrics: MetricRegistry::default(),
        });
        let snapshots = Snapshots::from(views.clone() as Shared);
        Self { views, snapshots, advisor, memory, incident }
    }

    async fn now(&self) -> Snapshot {
        self.snapshots.now().await.unwrap()
    }

    /// Something more is recorded.
    fn goes_on(&self) -> u64 {
        let position = *hindcast_queries::Queries::position(&*self.views).borrow() + 4_096;
        self.views.record(testkit::event(position, "alert.repeated", &self.incident));
        self.views.reach(position);
        position
    }

    /// How often evidence was gathered.
    fn gathered(&self) -> usize {
        self.views.count("why")
    }
}

#[tokio::test]
async fn of_one_position_causes_are_ranked_once_whatever_asks_for_them() {
    let site = Site::new();
    let seen = site.now().await;
    let id = Some(site.incident.as_str());
    let (causes, similar, proposals) = tokio::join!(
        site.advisor.causes(&seen, id),
        site.advisor.similar(&seen, id),
        site.advisor.proposals(&seen, id),
    );
    assert_eq!((causes.unwrap().position, similar.unwrap().position), (OPENED, OPENED));
    proposals.unwrap();
    assert_eq!(site.gathered(), 1, "three questions of a page at once");
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    site.advisor.causes(&site.now().await, None).await.unwrap();
    assert_eq!(site.gathered(), 1, "an hour later, of the same position");
    site.memory.send_replace(site.goes_on());
    let later = site.now().await;
    assert_eq!(site.advisor.causes(&later, id).await.unwrap().position, later.position());
    assert_eq!(site.gathered(), 2, "another position is another conclusion");
}

#[tokio::test(start_paused = true)]
async fn a_conclusion_waits_for_the_memory() {
    let site = Site::new();
    let reached = site.goes_on();
    let seen = site.now().await;
    let concluded = tokio::join!(site.advisor.similar(&seen, None), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        site.memory.send_replace(reached);
    });
    let similar = concluded.0.unwrap();
    assert_eq!((similar.behind, similar.never_seen), (None, true));
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_does_not_come_is_said_and_waited_for_no_second_time() {
    let site = Site::new();
    site.goes_on();
    let began = tokio::time::Instant::now();
    let similar = site.advisor.similar(&site.now().await, None).await.unwrap();
    assert_eq!((similar.behind, similar.never_seen), (Some(OPENED), false));
    assert_eq!(began.elapsed().as_secs(), 1, "within a bound");
    let reached = site.goes_on();
    let began = tokio::time::Instant::now();
    let causes = site.advisor.causes(&site.now().await, None).await.unwrap();
    assert_eq!((causes.behind, began.elapsed().as_millis()), (Some(OPENED), 0), "nobody waits again so soon");
    // Once it is there, what was concluded without it is concluded again.
    site.memory.send_replace(reached);
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert_eq!(site.advisor.causes(&site.now().await, None).await.unwrap().behind, None);
}

#[tokio::test]
async fn every_question_of_a_conclusion_is_of_the_snapshot() {
    let site = Site::new();
    let seen = site.now().await;
    site.goes_on();
    let before = site.views.asked().len();
    site.advisor.causes(&seen, None).await.unwrap();
    site.advisor.runbooks(&seen).await.unwrap();
    site.advisor.recall(&seen, "postgres", 5).await.unwrap_or_else(|problem| panic!("{problem:?}"));
    let asked = site.views.asked().split_off(before);
    assert!(asked.len() > 8, "{asked:?}");
    let of = Some(hindcast_api::AsOf::Position(OPENED));
    assert!(asked.iter().all(|question| question.as_of() == of), "{asked:?}");
}
