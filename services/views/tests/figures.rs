//! How fast the views are: events a second, and how long an answer as of a random place takes. Ignored by
//! default: `cargo test --release -p hindcast-views --test all figures -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use std::time::Instant;

use common::{Running, World};
use hindcast_api::AsOf;
use hindcast_domain::command::Command;
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, Queries, Window};
use hindcast_views::FailPoint;

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
    let head = world.position();
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
