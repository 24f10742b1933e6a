//! The detector over a telemetry store and a ledger in memory: recordings of real incidents, floods, telemetry
//! that is late, and crashes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;

use hindcast_clock::Clock;
use hindcast_detector::FailPoint;
use hindcast_domain::event::Event;
use hindcast_domain::finding::{Kind, Raised};
use hindcast_domain::links::LinkKind;
use hindcast_domain::{Span, Time};
use hindcast_telemetry::{LogLevel, LogRecord, Sample, TelemetryBatch};

use crate::support::{World, recording, start};

fn line(time: Time, service: &str, level: LogLevel, message: &str) -> LogRecord {
    LogRecord { time, service: service.into(), level, message: message.into(), labels: Default::default() }
}

fn logs(logs: Vec<LogRecord>) -> TelemetryBatch {
    TelemetryBatch { logs, ..TelemetryBatch::default() }
}

fn at(seconds: i64) -> Time {
    start() + Span::seconds(seconds)
}

/// A minute and a half of quiet lines, so that the warm-up is over.
async fn warm(world: &World) {
    for second in 0..90 {
        world.clock.set(at(second));
        let quiet = |n| line(at(second), "shop", LogLevel::Info, &format!("order {n} placed"));
        world.append(logs((0..2).map(quiet).collect())).await;
    }
}

#[tokio::test]
async fn every_fault_of_a_recording_is_found_at_its_service_and_its_window_is_kept() {
    let recording = recording("pg-pool");
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    world.play(&recording, &detector.handle, Time::MAX).await;
    detector.stop().await;
    let findings = world.findings().await;
    for fault in &recording.faults {
        let near =
            |raised: &&Raised| raised.service == fault.service && raised.at.distance(fault.at) <= Span::seconds(60);
        assert!(findings.iter().map(|(_, raised)| raised).any(|raised| near(&raised)), "{}", fault.id);
    }
    let of_metrics = findings.iter().filter(|(_, raised)| raised.kind == Kind::MetricShift).count();
    println!("{} findings, {of_metrics} of metrics", findings.len());
    assert!(of_metrics >= recording.faults.len() && findings.len() < 150, "{} findings", findings.len());
    let ids: BTreeSet<&String> = findings.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), findings.len(), "each once");
    let pins: Vec<String> = world.pinned().await;
    for fault in &recording.faults {
        assert!(pins.contains(&fault.incident()), "{} is kept", fault.id);
    }
}

/// Ids of findings, sorted, of a recording that is read with a crash in the middle.
async fn crashed(fail: FailPoint) -> Vec<String> {
    let recording = recording("pg-pool").first(Span::seconds(480));
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let first = world.detect(Some(folder.path()), FailPoint::None);
    let middle = recording.faults[2].at + Span::seconds(40);
    world.play(&recording, &first.handle, middle).await;
    first.crash().await;
    let second = world.detect(Some(folder.path()), fail);
    world.play_from(&recording, &second.handle, middle, Time::MAX).await;
    second.stop().await;
    let mut ids: Vec<String> = world.findings().await.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_crash_loses_nothing_and_says_nothing_twice() {
    let whole = {
        let recording = recording("pg-pool").first(Span::seconds(480));
        let world = World::new();
        let detector = world.detect(None, FailPoint::None);
        world.play(&recording, &detector.handle, Time::MAX).await;
        detector.stop().await;
        let mut ids: Vec<String> = world.findings().await.into_iter().map(|(id, _)| id).collect();
        ids.sort();
        ids
    };
    assert_eq!(crashed(FailPoint::None).await, whole, "with a crash or without");
    let twice = crashed(FailPoint::RaiseAgain).await;
    let once: BTreeSet<&String> = twice.iter().collect();
    assert!(once.len() < twice.len(), "with the guarantee switched off the same finding is written twice");
}

#[tokio::test]
async fn a_flood_of_lines_that_nobody_wrote_before_is_bounded_and_counted() {
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    warm(&world).await;
    for second in 90..110 {
        world.clock.set(at(second));
        let unheard = |n: u64| {
            let word = |salt: u64| {
                let digits = (n + salt * 7_919 + u64::try_from(second).unwrap() * 104_729).wrapping_mul(0x9e37_79b9);
                digits.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>()
            };
            line(at(second), "shop", LogLevel::Error, &format!("{} {} {} {}", word(1), word(2), word(3), word(4)))
        };
        world.append(logs((0..1_000).map(unheard).collect())).await;
    }
    detector.idle(&world).await;
    // The next minute's first finding tells what the last one's flood kept back.
    world.clock.set(at(130));
    world.append(logs(vec![line(at(130), "other", LogLevel::Error, "something else went wrong")])).await;
    detector.idle(&world).await;
    detector.stop().await;
    let told = world.findings().await.pop().unwrap().1.title;
    assert!(told.ends_with("more findings were left out before this one)"), "{told}");
    let findings = world.findings().await.len();
    let left_out = world.metrics.get("hindcast_findings_left_out_total", &[]);
    let unlearnt = world.metrics.get("hindcast_detector_lines_left_out_total", &[]);
    println!(
        "{findings} findings of 20,000 new lines, {left_out} left out and told, {unlearnt} lines without a template"
    );
    assert!((1..=24).contains(&findings), "at most 12 a minute");
    assert!(unlearnt > 0.0 && left_out > 1_000.0, "what had no room is counted");
}

#[tokio::test]
async fn a_new_error_is_raised_with_its_own_time_and_without_its_secrets() {
    let world = World::new();
    world.catalog("checkout", &["shop"]);
    let detector = world.detect(None, FailPoint::None);
    warm(&world).await;
    let secret = "connecting with password=hunter2hunter2 to db failed";
    world.append(logs(vec![line(at(91), "shop", LogLevel::Error, secret)])).await;
    detector.idle(&world).await;
    detector.stop().await;
    let findings = world.findings().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let raised = &findings[0].1;
    assert_eq!((raised.kind, raised.service.as_str(), raised.at), (Kind::NewTemplate, "checkout", at(91)));
    let template = raised.template.as_ref().unwrap();
    assert!(raised.title.starts_with("checkout writes an error line that"), "{}", raised.title);
    let said = format!("{} {} {}", raised.title, template.text, template.sample);
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_healthy_stream_raises_nothing() {
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    for second in 0..600 {
        world.clock.set(at(second));
        let quiet = |n| line(at(second), "shop", LogLevel::Info, &format!("order {n} placed in {} ms", second % 7));
        world.append(logs((0..5).map(quiet).collect())).await;
    }
    detector.idle(&world).await;
    detector.stop().await;
    assert_eq!(world.findings().await, Vec::new());
}

fn samples(seconds: std::ops::Range<i64>, value: impl Fn(i64) -> f64) -> TelemetryBatch {
    let sample = |second| Sample {
        time: at(second),
        service: "db".into(),
        metric: "connections".into(),
        labels: Default::default(),
        value: value(second),
    };
    TelemetryBatch { samples: seconds.step_by(2).map(sample).collect(), ..TelemetryBatch::default() }
}

#[tokio::test]
async fn telemetry_that_is_late_is_looked_at_when_it_comes() {
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    let incident = world.open("late", at(300));
    world.append(samples(0..290, |_| 5.0)).await;
    // The clock goes on, and nothing comes: the looks are done by the clock, and find nothing.
    for second in [310, 340, 420, 500] {
        world.clock.set(at(second));
        detector.idle(&world).await;
    }
    assert_eq!(world.findings().await, Vec::new());
    world.append(samples(290..480, |second| if second < 296 { 5.0 } else { 60.0 })).await;
    detector.idle(&world).await;
    detector.stop().await;
    let findings = world.findings().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let raised = &findings[0].1;
    assert_eq!((raised.kind, raised.incident.as_ref().map(ToString::to_string)), (Kind::MetricShift, Some(incident)));
    assert_eq!((raised.before, raised.after, raised.at), (5.0, 60.0, at(296)));
    assert_eq!(raised.title, "db: connections rose from 5 to 60");
}

#[tokio::test]
async fn an_incident_without_telemetry_leaves_no_trace() {
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    let incident = world.open("dark", at(10));
    for second in [40, 200, 400] {
        world.clock.set(at(second));
        detector.idle(&world).await;
    }
    world.resolve(&incident, at(400));
    for second in [500, 800, 1_200] {
        world.clock.set(at(second));
        detector.idle(&world).await;
    }
    detector.stop().await;
    assert!(world.events().await.iter().all(|event| !matches!(event.event, Event::EvidencePinned(_))));
    assert_eq!(world.clock.now(), at(1_200));
}

#[tokio::test]
async fn lines_and_alerts_propose_links_once_and_without_secrets() {
    let world = World::new();
    let detector = world.detect(None, FailPoint::None);
    world.append(logs(vec![line(at(1), "postgres", LogLevel::Info, "ready")])).await;
    // What fired before its very first look is not counted.
    detector.idle(&world).await;
    for second in 2..9 {
        let text = "dial postgres:5432 password=hunter2hunter2 refused";
        world.append(logs(vec![line(at(second), "shop", LogLevel::Error, text)])).await;
    }
    world.fired("shop", "Down", at(9), &[("team", "checkout")]);
    detector.idle(&world).await;
    detector.stop().await;
    let seen: Vec<_> = world.links().await;
    let told: Vec<_> = seen.iter().map(|seen| (seen.link.kind, seen.link.to.as_str(), seen.sighting.count)).collect();
    assert_eq!(told, [(LinkKind::DependsOn, "postgres", 3), (LinkKind::OwnedBy, "checkout", 1)]);
    assert!(!format!("{seen:?}").contains("hunter2"), "{seen:?}");
}
