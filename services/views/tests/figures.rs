//! How fast the views are: events a second, and how long an answer as of a random place takes. Ignored by
//! default: `cargo test --release -p hindcast-views --test all figures -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use std::time::Instant;

use common::{Running, World};
use hindcast_api::AsOf;
use hindcast_domain::command::Command;
use hindcast_domain::notice;
use hindcast_queries::{
    AlertFilter, EventFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries, ReportFilter, Window,
};
use hindcast_views::{FailPoint, Views};

fn window(position: u64) -> Window {
    Window { as_of: Some(AsOf::Position(position)), limit: Some(50), cursor: None }
}

/// Median and worst of `work`, in milliseconds, over 40 places of the ledger.
async fn measure<F: Future<Output = ()>>(name: &str, head: u64, mut work: impl FnMut(u64) -> F) {
    let mut took = Vec::new();
    for step in 1..=40_u64 {
        let position = head / 41 * step;
        let began = Instant::now();
        work(position).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!("{name}: median {:.2} ms, worst {:.2} ms", took[20].as_secs_f64() * 1e3, took[39].as_secs_f64() * 1e3);
}

/// How long each kind of answer takes.
async fn measure_answers(views: &Views, head: u64) {
    measure("incidents", head, |at| {
        let v = views.clone();
        async move {
            v.incidents(IncidentFilter::default(), window(at)).await.unwrap();
        }
    })
    .await;
    measure("alerts", head, |at| {
        let v = views.clone();
        async move {
            v.alerts(AlertFilter::default(), window(at)).await.unwrap();
        }
    })
    .await;
    measure("events", head, |at| {
        let v = views.clone();
        async move {
            v.events(EventFilter { from: Some(at / 2), ..Default::default() }, window(at)).await.unwrap();
        }
    })
    .await;
    measure("receipt", head, |at| {
        let v = views.clone();
        async move {
            v.receipt(None, Some(AsOf::Position(at))).await.unwrap();
        }
    })
    .await;
    measure("timeline", head, |at| {
        let v = views.clone();
        async move {
            let i = v.incident(None, Some(AsOf::Position(at))).await.unwrap();
            v.timeline(&i.id, window(at)).await.unwrap();
        }
    })
    .await;
    measure("state", head, |at| {
        let v = views.clone();
        async move {
            v.state(Some(AsOf::Position(at))).await.unwrap();
        }
    })
    .await;
    measure("state now", head, |_| {
        let v = views.clone();
        async move {
            v.state(None).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn figures() {
    let mut world = World::new();
    let mut events = 0_u64;
    let mut round = 0_usize;
    while events < 100_000 {
        let alert = round * 7 % 4_000;
        world.observe(alert, round / 4_000 % 3 != 2, 0).await;
        if round % 50 == 49 {
            let (partition, incident) = world.incidents.last().cloned().unwrap();
            world.person(&partition, "k", Command::NoteIncident { incident, text: "looking".into() }).await;
        }
        world.wait(50);
        events += 4;
        round += 1;
    }
    let began = Instant::now();
    let running = Running::over(&world.ledger).await;
    let took = began.elapsed();
    let figures = running.views.figures();
    println!(
        "projected {} events of {} commits in {took:.2?}: {:.0} a second",
        figures.events,
        world.head(),
        figures.events as f64 / took.as_secs_f64()
    );
    let views = running.views.clone();
    measure_answers(&views, world.position()).await;
    let replay = views.replay(None).await.unwrap();
    println!("replayed {} events in {} ms, identical: {}", replay.events, replay.elapsed_ms, replay.identical);
    let size = |folder: &std::path::Path| {
        std::process::Command::new("du")
            .args(["-sm"])
            .arg(folder)
            .output()
            .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
    };
    println!("on disk (MB): {}", size(running.folder.as_ref().unwrap().path()).unwrap());
    drop(views);
    let folder = running.stop().await;
    let began = Instant::now();
    let again = Running::with(&world.ledger, folder, FailPoint::None).await;
    println!("opened again in {:.2?}", began.elapsed());
    assert!(again.views.is_ready());
}

/// The slowest of three, in milliseconds.
async fn slowest<F: Future<Output = ()>>(name: &str, mut work: impl FnMut() -> F) -> f64 {
    let mut worst = 0.0_f64;
    for _ in 0..3 {
        let began = Instant::now();
        work().await;
        worst = worst.max(began.elapsed().as_secs_f64() * 1e3);
    }
    println!("{name}: {worst:.1} ms");
    worst
}

/// What the pages ask at ten thousand incidents, fifty thousand labels and an incident of twenty thousand alerts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn many_incidents_and_labels() {
    let mut world = World::new();
    for index in 0..10_000 {
        world.whole_life(index, 5).await;
    }
    let large = world.large_incident(20_000).await;
    let running = Running::over(&world.ledger).await;
    let views = running.views.clone();
    let at = world.position();
    println!("load average: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let then = Some(AsOf::Position(at));
    let first = |limit| Window { as_of: then, limit: Some(limit), cursor: None };
    let mut took = Vec::new();
    let held = NoticeFilter { status: vec![notice::Status::Held], ..Default::default() };
    took.push(
        slowest("list of 25 incidents", || async {
            drop(views.incidents(IncidentFilter::default(), first(25)).await.unwrap())
        })
        .await,
    );
    took.push(slowest("first page: counts", || async { assert_eq!(views.counted(at).await.unwrap().parked, 0) }).await);
    took.push(
        slowest("first page: delayed notifications", || async {
            drop(views.notices(held.clone(), first(100)).await.unwrap())
        })
        .await,
    );
    took.push(slowest("report", || async { drop(views.report(ReportFilter::default(), then).await.unwrap()) }).await);
    took.push(
        slowest("labels", || async { drop(views.labels(LabelFilter::default(), first(50)).await.unwrap()) }).await,
    );
    let disputed = LabelFilter { disputed: Some(true), ..Default::default() };
    took.push(
        slowest("labels that are disputed", || async {
            drop(views.labels(disputed.clone(), first(50)).await.unwrap())
        })
        .await,
    );
    took.push(slowest("coverage", || async { drop(views.label_coverage(then).await.unwrap()) }).await);
    let made =
        EventFilter { kind: Some("proposal.made".into()), incident: Some(large.clone()), ..EventFilter::default() };
    took.push(
        slowest("proposals of an incident", || async { drop(views.events(made.clone(), first(500)).await.unwrap()) })
            .await,
    );
    let alerts = AlertFilter { incident: Some(large.clone()), ..AlertFilter::default() };
    took.push(
        slowest("50 of 20,000 alerts, with their reasons", || async {
            let page = views.alerts(alerts.clone(), first(50)).await.unwrap();
            let shown: Vec<String> = page.items.iter().map(|alert| alert.fingerprint.clone()).collect();
            assert_eq!(views.why_of(&large, &shown, then).await.unwrap().members.len(), 50);
        })
        .await,
    );
    took.push(
        slowest("100 lines of its timeline", || async { drop(views.timeline(&large, first(100)).await.unwrap()) })
            .await,
    );
    println!("slowest of all: {:.1} ms", took.into_iter().fold(0.0, f64::max));
}
