//! What both engines say of the recordings of real incidents, against what was injected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::{Span, Time};
use hindcast_log_templates::watch::{TemplateSign, TemplateSignKind, Watch, WatchedLine, Weight};
use hindcast_metric_shifts::{self as shift, shift};
use serde_json::Value;

const RECORDINGS: [&str; 3] = ["pg-pool", "shop-day", "calm-day"];
/// How long after the injection an alert is raised, about.
const ALERT_AFTER: Span = Span::seconds(20);

struct Recording {
    name: &'static str,
    faults: Vec<Fault>,
    healthy: Vec<(Time, Time)>,
    series: BTreeMap<(String, String), Vec<(Time, f64)>>,
    signs: Vec<TemplateSign>,
    lines: usize,
}

struct Fault {
    id: String,
    service: String,
    touches: BTreeSet<String>,
    at: Time,
    ended: Time,
}

fn time(value: &Value) -> Time {
    value.as_str().unwrap().parse().unwrap()
}

fn read(name: &'static str) -> Recording {
    let folder = format!("{}/../../../tests/recordings/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let unpacked = |name: &str| String::from_utf8(zstd::decode_all(&file(name)[..]).unwrap()).unwrap();
    let truth: Value = serde_json::from_slice(&file("truth.json")).unwrap();
    let faults = truth["faults"].as_array().unwrap().iter().map(|fault| Fault {
        id: fault["id"].as_str().unwrap().to_owned(),
        service: fault["service"].as_str().unwrap().to_owned(),
        touches: fault["services"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect(),
        at: time(&fault["injected_at"]),
        ended: time(&fault["ended_at"]),
    });
    let healthy = truth["healthy"].as_array().unwrap().iter().map(|w| (time(&w["from"]), time(&w["to"])));
    let mut series: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in unpacked("metrics.csv.zst").lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        #[allow(clippy::cast_possible_truncation)]
        let at = Time::from_millis((cells[0].parse::<f64>().unwrap() * 1e3) as i64);
        let key = (cells[1].to_owned(), cells[2].to_owned());
        series.entry(key).or_default().push((at, cells[3].parse().unwrap()));
    }
    let mut watch = Watch::default();
    let logs = unpacked("logs.ndjson.zst");
    let signs = logs.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        watch.line(WatchedLine {
            time: time(&line["time"]),
            service: line["service"].as_str().unwrap(),
            weight: match line["severity"].as_str().unwrap() {
                "warning" => Weight::Warning,
                "error" => Weight::Error,
                "fatal" => Weight::Fatal,
                _ => Weight::Quiet,
            },
            text: line["message"].as_str().unwrap(),
        })
    });
    let signs = signs.collect();
    Recording { name, faults: faults.collect(), healthy: healthy.collect(), series, signs, lines: logs.lines().count() }
}

/// Shifts about an onset, as a detector looks: a little after it, and later once more.
fn shifts(recording: &Recording, onset: Time, looks: &[Span]) -> BTreeMap<(String, String, bool), shift::LevelShift> {
    let mut found = BTreeMap::new();
    for after in looks {
        let inside = |at: Time| at >= onset - Span::minutes(10) && at < onset + *after;
        for ((service, metric), points) in &recording.series {
            let points: Vec<_> = points.iter().filter(|(at, _)| inside(*at)).copied().collect();
            if let Some(shift) = shift(&points, onset).filter(|shift| shift.score >= shift::SCORE_MIN) {
                found.entry((service.clone(), metric.clone(), shift.up)).or_insert(shift);
            }
        }
    }
    found
}

#[test]
fn every_faulty_service_gets_a_finding_near_its_injection() {
    for recording in RECORDINGS.map(read) {
        for fault in &recording.faults {
            let onset = fault.at + ALERT_AFTER;
            let shifts = shifts(&recording, onset, &[Span::seconds(20), Span::seconds(90)]);
            let near = |at: Time| at >= fault.at - Span::seconds(5) && at <= fault.at + Span::seconds(60);
            let metrics = shifts.iter().filter(|((service, ..), s)| *service == fault.service && near(s.at)).count();
            let logs = recording.signs.iter().filter(|s| s.service == fault.service && near(s.at)).count();
            let first = shifts.iter().filter(|((s, ..), _)| fault.touches.contains(s)).min_by_key(|(_, s)| s.at);
            println!(
                "{}/{}: {} shifts and {} log signs of {}, {} shifts in all; first: {:?}",
                recording.name,
                fault.id,
                metrics,
                logs,
                fault.service,
                shifts.len(),
                first.map(|((s, m, _), _)| (s, m)),
            );
            assert!(metrics + logs > 0, "{}/{}: nothing of {}", recording.name, fault.id, fault.service);
        }
    }
}

#[test]
fn healthy_stretches_get_a_handful_at_most() {
    let (mut windows, mut tests, mut shifted, mut signs) = (0, 0, 0, 0);
    for recording in RECORDINGS.map(read) {
        for (from, to) in &recording.healthy {
            let mut onset = *from + Span::seconds(30);
            let mut found = BTreeMap::new();
            while onset + Span::seconds(20) <= *to {
                windows += 1;
                tests += recording.series.len();
                let late = to.since(onset);
                let looks = [Span::seconds(20), Span::seconds(90)].map(|look| look.min(late));
                found.extend(shifts(&recording, onset, &looks));
                onset = onset + Span::seconds(60);
            }
            let quiet: Vec<_> = recording.signs.iter().filter(|s| s.until >= *from && s.until < *to).collect();
            for (key, shift) in &found {
                println!(
                    "{} {from}: {key:?} {} {} -> {} at {}",
                    recording.name, shift.score, shift.before, shift.after, shift.at
                );
            }
            for sign in &quiet {
                println!(
                    "{} {from}: {:?} {} {} {:.90}",
                    recording.name, sign.kind, sign.service, sign.score, sign.text
                );
            }
            shifted += found.len();
            signs += quiet.len();
        }
        println!("{}: {} lines, {} signs", recording.name, recording.lines, recording.signs.len());
    }
    println!("{windows} healthy onsets, {tests} series looked at: {shifted} shifts, {signs} log signs");
    assert!(shifted <= 10 && signs <= 8, "{shifted} shifts and {signs} log signs where nothing happened");
}

#[test]
fn signs_of_a_fault_lie_in_its_time() {
    for recording in RECORDINGS.map(read) {
        for sign in &recording.signs {
            let of = recording.faults.iter().find(|f| sign.at >= f.at && sign.at <= f.ended + Span::seconds(60));
            let (kind, id) = (sign.kind, of.map(|fault| fault.id.as_str()));
            println!(
                "{} {:?} {kind:?} {} {:?} {} n={} {:.0}->{:.0} {:.100}",
                recording.name,
                id,
                sign.service,
                sign.weight,
                sign.score,
                sign.count,
                sign.before,
                sign.after,
                sign.text
            );
        }
        let bad = recording.signs.iter().filter(|s| s.kind == TemplateSignKind::Burst && s.weight >= Weight::Error);
        for sign in bad {
            assert!(
                recording.faults.iter().any(|f| sign.at >= f.at - Span::seconds(2) && sign.at <= f.ended),
                "{sign:?}"
            );
        }
    }
}
