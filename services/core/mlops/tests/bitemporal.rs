//! Features as known when the younger alert fired, labels as known at the training position: what comes late
//! changes no earlier feature. With the filter off, each of these turns red.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use std::collections::BTreeMap;

use common::{Ledger, alert, at, world};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_mlops::dataset::{self, Dataset, Knowledge};
use hindcast_mlops::train;

fn catalog(depends: &[(&str, &[&str])]) -> Catalog {
    let service = |(name, to): &(&str, &[&str])| Service {
        name: (*name).to_owned(),
        aliases: vec![],
        owner: None,
        tier: None,
        depends_on: to.iter().map(ToString::to_string).collect(),
    };
    Catalog { services: depends.iter().map(service).collect() }
}

fn built(ledger: &Ledger, to: u64, knowledge: Knowledge) -> Dataset {
    dataset::build(&ledger.history, 0, to, knowledge)
}

/// Two alerts that people merge, and the training position after that.
fn merged() -> (Ledger, u64) {
    let mut ledger = Ledger::new(1);
    ledger.catalog(at(0), &catalog(&[("a", &[]), ("b", &[])]));
    ledger.observe(at(10), alert("Errors", "a", &[("volume", "v1")], "disk is full"), "p");
    ledger.observe(at(20), alert("Slow", "b", &[("volume", "v2")], "disk is slow"), "p");
    let homes: Vec<_> = ledger.correlator.state().book.incidents.keys().cloned().collect();
    assert_eq!(homes.len(), 2);
    ledger.command(at(60), "ada", Command::MergeIncident { incident: homes[1].clone(), into: homes[0].clone() });
    let to = ledger.position();
    (ledger, to)
}

/// Everything that may come late: other labels of the older alert, another catalogue, another word.
fn lateness(ledger: &mut Ledger) {
    let mut relabelled = alert("Errors", "a", &[("volume", "v1")], "disk is full");
    relabelled.labels.insert("volume".into(), "v2".into());
    ledger.observe(at(100), relabelled, "p");
    ledger.catalog(at(110), &catalog(&[("a", &["b"]), ("b", &[])]));
    let merge = ledger.history.iter().find(|event| matches!(event.event, Event::IncidentMerged(_))).unwrap().clone();
    ledger.command(at(120), "bob", Command::UndoEvent { event: merge.id, subject: merge.subject });
}

#[test]
fn what_comes_late_changes_nothing_at_the_training_position() {
    let (mut ledger, to) = merged();
    let before = built(&ledger, to, Knowledge::AsKnown);
    assert_eq!((before.examples.len(), before.examples[0].same), (1, true));
    lateness(&mut ledger);
    assert!(ledger.position() > to);
    assert_eq!(built(&ledger, to, Knowledge::AsKnown), before);
    assert_eq!(built(&ledger, to, Knowledge::AsKnown).hash(), before.hash());
}

#[test]
fn a_later_training_position_sees_later_labels_and_the_same_features() {
    let (mut ledger, to) = merged();
    let before = built(&ledger, to, Knowledge::AsKnown);
    lateness(&mut ledger);
    let later = built(&ledger, ledger.position(), Knowledge::AsKnown);
    assert!(!later.examples[0].same, "the merge was undone since");
    assert_eq!(later.examples[0].features, before.examples[0].features, "and the alert fired when it fired");
}

#[test]
fn with_the_filter_off_the_future_leaks_into_features() {
    let (mut ledger, to) = merged();
    let before = built(&ledger, to, Knowledge::AsKnown);
    lateness(&mut ledger);
    let leaking = built(&ledger, ledger.position(), Knowledge::Hindsight);
    assert_ne!(leaking.examples[0].features, before.examples[0].features, "or the tests above could not fail");
}

#[test]
fn training_sees_what_serving_saw() {
    let mut ledger = Ledger::new(3);
    world::live(&mut ledger, &world::week(11, 0, 30), 900, 3);
    let weights = GroupingWeights::default();
    let mut served: BTreeMap<_, i32> = BTreeMap::new();
    let mut fired: BTreeMap<String, _> = BTreeMap::new();
    for recorded in &ledger.history {
        match &recorded.event {
            Event::AlertFired(_) => {
                fired.insert(recorded.subject.clone(), recorded.id.clone());
            }
            Event::IncidentAlertJoined(joined) => {
                let Some(grouping) = &joined.grouping else { continue };
                let key = (fired[joined.fingerprint.as_str()].clone(), grouping.like.clone().unwrap());
                // What the incident as a whole says is no measure of a pair.
                let of_pair = grouping.parts.iter().filter(|(part, _)| !["support", "pause"].contains(&part.as_str()));
                served.insert(key, of_pair.map(|(_, log_odds)| log_odds).sum());
            }
            _ => {}
        }
    }
    let dataset = built(&ledger, u64::MAX, Knowledge::AsKnown);
    let both = dataset.examples.iter().filter_map(|example| {
        let served = served.get(&(example.fired.clone(), example.older.clone()))?;
        Some((train::log_odds(example, &weights), *served))
    });
    let both: Vec<(i32, i32)> = both.collect();
    assert!(both.len() > 20, "only {} pairs were scored when they were served and labelled", both.len());
    // Features are kept in millionths, which may turn a thousandth.
    assert!(both.iter().all(|(trained, served)| (trained - served).abs() <= 1), "{both:?}");
}

#[test]
fn the_whole_of_a_past_is_the_same_whether_its_future_is_known_or_not() {
    let mut ledger = Ledger::new(4);
    world::live(&mut ledger, &world::week(21, 0, 12), 900, 4);
    let to = ledger.position();
    let before = built(&ledger, to, Knowledge::AsKnown);
    assert!(before.examples.len() > 10);
    world::live(&mut ledger, &world::week(22, 9 * 86_400, 12), 900, 5);
    assert_eq!(built(&ledger, to, Knowledge::AsKnown), before);
}
