//! The ranking on recordings of real incidents, against what was injected.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_api::Causes;
use hindcast_domain::catalog::Topology;
use hindcast_domain::{Span, Time};
use hindcast_rca::rank;
use hindcast_testkit::recording::{EvidenceRecording, RecordedFault};

const RECORDINGS: [&str; 3] = ["pg-pool", "shop-day", "calm-day"];

/// Every recording, with the findings of a plain detector and with those of ours.
fn recordings() -> Vec<EvidenceRecording> {
    RECORDINGS
        .into_iter()
        .flat_map(|name| [EvidenceRecording::read(name), EvidenceRecording::read_ours(name)])
        .collect()
}

fn moments(fault: &RecordedFault) -> Vec<(&'static str, Time)> {
    vec![
        ("after twenty seconds", fault.from + Span::seconds(20)),
        ("after half a minute", fault.from + Span::seconds(30)),
        ("at its end", fault.to),
    ]
}

fn told(causes: &Causes) -> String {
    let line = |h: &hindcast_api::Hypothesis| {
        let path: Vec<String> =
            h.path.iter().map(|step| format!("{:?} {} {}", step.role, step.time, step.service)).collect();
        let against: Vec<&str> = h.refutes.iter().map(|statement| statement.text.as_str()).collect();
        format!("  {} {:.3} {}\n     path {}\n     against {:?}\n", h.kind, h.score, h.cause, path.join(" → "), against)
    };
    let items: String = causes.items.iter().map(line).collect();
    let refuted: String = causes.refuted.iter().map(line).collect();
    format!("{items} refuted\n{refuted} {:?} {:?}", causes.why_unresolved, causes.blast_radius)
}

#[test]
fn the_service_that_was_broken_comes_first() {
    let mut checked = 0;
    for recording in recordings() {
        for fault in &recording.faults {
            for (when, now) in moments(fault) {
                let causes = rank(&recording.evidence(fault, now), &recording.topology, &[]);
                eprintln!("== {} {when} ours {}\n{}", fault.id, recording.ours, told(&causes));
                let first = causes.items.first().unwrap_or_else(|| panic!("{}: unresolved {when}", fault.id));
                assert_eq!(first.service, fault.service, "{} {when}", fault.id);
                assert!(first.cause.starts_with(&fault.service), "{}", first.cause);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 54, "six faults and three lone alerts, three times each, with two detectors");
}

fn fault<'a>(recording: &'a EvidenceRecording, id: &str) -> &'a RecordedFault {
    recording.faults.iter().find(|fault| fault.id == id).unwrap()
}

#[test]
fn the_guilty_release_is_named_and_the_innocent_ones_are_refuted() {
    let mut refuted = 0;
    for recording in recordings() {
        for fault in &recording.faults {
            let causes = rank(&recording.evidence(fault, fault.to), &recording.topology, &[]);
            let first = causes.items.first().unwrap();
            assert_eq!(first.kind == "change", fault.kind == "bad-deploy", "{}: {}", fault.id, first.cause);
            for (title, innocent) in &recording.innocent {
                let known =
                    causes.refuted.iter().find(|other| other.kind == "change" && other.cause.contains(title.as_str()));
                if first.kind == "change" && first.cause.contains(title.as_str()) {
                    assert!(!innocent, "{}: {title} is innocent", fault.id);
                } else if let Some(known) = known {
                    assert!(!known.refutes[0].text.is_empty() && !known.refutes[0].citations.is_empty());
                    refuted += 1;
                }
            }
        }
    }
    assert!(refuted >= 16, "{refuted} changes were refuted");
    let day = EvidenceRecording::read("shop-day");
    let causes =
        rank(&day.evidence(fault(&day, "redis-memory-1"), fault(&day, "redis-memory-1").to), &day.topology, &[]);
    assert!(causes.refuted.iter().any(|other| other.cause.contains("remember the last voucher")), "{}", told(&causes));
}

#[test]
fn healthy_stretches_stay_unresolved() {
    let mut windows = 0;
    for recording in recordings() {
        for (from, to) in recording.healthy.clone() {
            let mut at = from + Span::seconds(5);
            while at + Span::seconds(50) <= to {
                // a restart shows where somebody looks for it: it is not healthy for whom it hit
                let restarted =
                    recording.changes.iter().any(|(_, change)| change.at <= at && change.at + Span::seconds(90) >= at);
                for services in [&[][..], &["checkout"][..], &["nginx", "search"][..]] {
                    if restarted && !services.is_empty() {
                        continue;
                    }
                    let causes =
                        rank(&recording.healthy(at, at + Span::seconds(50), services), &recording.topology, &[]);
                    assert!(
                        causes.unresolved && causes.items.is_empty(),
                        "{} {at} {services:?}\n{}",
                        recording.name,
                        told(&causes)
                    );
                    assert!(causes.why_unresolved.is_some());
                    windows += 1;
                }
                at = at + Span::seconds(45);
            }
        }
    }
    assert!(windows >= 120, "{windows} windows were looked at");
}

#[test]
fn without_a_catalogue_no_innocent_change_is_blamed() {
    let mut seen = 0;
    for recording in recordings() {
        for fault in &recording.faults {
            for (when, now) in moments(fault) {
                let causes = rank(&recording.evidence(fault, now), &Topology::default(), &[]);
                for blamed in causes.items.iter().filter(|item| item.kind == "change") {
                    let innocent = recording
                        .innocent
                        .iter()
                        .any(|(title, innocent)| *innocent && blamed.cause.contains(title.as_str()));
                    assert!(!innocent, "{} {when}: {}", fault.id, blamed.cause);
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 54);
}

#[test]
fn what_fires_anywhere_is_never_listed_as_without_a_sign() {
    let mut listed = 0;
    for recording in recordings() {
        for fault in &recording.faults {
            let mut evidence = recording.evidence(fault, fault.to);
            let before = rank(&evidence, &recording.topology, &[]).blast_radius.unharmed;
            listed += before.len();
            evidence.firing.extend(before.clone());
            let after = rank(&evidence, &recording.topology, &[]).blast_radius;
            assert_eq!(after.unharmed, Vec::<String>::new(), "{}: all of {before:?} fire", fault.id);
        }
    }
    assert!(listed > 10, "{listed} services showed nothing");
}

#[test]
fn a_change_after_the_first_alert_is_no_cause() {
    let day = EvidenceRecording::read("shop-day");
    let release = fault(&day, "release-1");
    let mut evidence = day.evidence(release, release.to);
    let blamed = |evidence: &hindcast_rca::Evidence| {
        rank(evidence, &day.topology, &[]).items.first().is_some_and(|first| first.kind == "change")
    };
    assert!(blamed(&evidence));
    let onset = evidence.onset();
    evidence.changes.iter_mut().for_each(|change| change.change.at = onset + Span::seconds(1));
    assert!(!blamed(&evidence), "it was changed after the alarm");
}
