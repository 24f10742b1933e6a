//! One history has one state hash, for ever: a fold that changes must raise `FOLD_VERSION`, so that no
//! snapshot, cursor or projection of the fold before it is taken for one of today.
//!
//! The history lies in `history.ndjson`, one decision a line (id, subject, revision, time, actor, type,
//! data), and is never changed; a new kind of decision is appended to it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_domain::book::Book;
use hindcast_domain::canonical::{self, FOLD_VERSION, Key};
use hindcast_domain::event::{Event, Kind, Recorded};
use hindcast_domain::silence::Silences;
use hindcast_domain::{Partition, Time};
use serde::Serialize;

/// The hash of `history.ndjson`. It begins with the version of the folds that made it.
const PINNED: &str = "4:8b93c3038720ee7bd170765aada0153ad9789dc680b7648800f0da104376807d";

/// An id derived from the hashes after each line, so that what a later line covers up counts too.
const PINNED_WAY: &str = "9B9576Y91Y8HRT83";

fn history() -> Vec<Recorded> {
    let text = include_str!("history.ndjson");
    text.lines().enumerate().map(|(index, line)| recorded(index as u64, &serde_json::from_str(line).unwrap())).collect()
}

fn recorded(position: u64, line: &serde_json::Value) -> Recorded {
    let text =
        |name: &str| line[name].as_str().unwrap_or_else(|| panic!("line {}: no {name}", position + 1)).to_owned();
    let tagged = serde_json::json!({"type": line["type"], "data": line["data"]});
    Recorded {
        id: text("id").parse().unwrap(),
        position,
        partition: Partition::of_environment("production"),
        subject: text("subject"),
        revision: line["revision"].as_u64(),
        time: text("time").parse::<Time>().unwrap(),
        actor: text("actor"),
        cause: None,
        event: serde_json::from_value::<Event>(tagged).unwrap_or_else(|error| panic!("line {}: {error}", position + 1)),
    }
}

fn hash(history: &[Recorded]) -> String {
    let (mut book, mut silences) = (Book::default(), Silences::default());
    for event in history {
        book.evolve(event);
        silences.evolve(event);
    }
    let mut digests: Vec<(Key, [u8; 32])> = Vec::new();
    let mut add = |fold, id: String, digest| digests.push(((fold, "default/production".to_owned(), id), digest));
    book.alerts.iter().for_each(|(id, alert)| add("alerts", id.to_string(), canonical::digest(alert)));
    book.incidents.iter().for_each(|(id, incident)| add("incidents", id.to_string(), canonical::digest(incident)));
    silences.0.iter().for_each(|(id, silence)| add("silences", id.to_string(), canonical::digest(silence)));
    canonical::state_hash(digests.iter().map(|(key, digest)| (key, digest)))
}

/// The hash after each line.
fn way(history: &[Recorded]) -> Vec<String> {
    (1..=history.len()).map(|length| hash(&history[..length])).collect()
}

#[test]
fn the_history_folds_to_the_hashes_that_are_pinned() {
    let way = way(&history());
    let folded = way.last().unwrap();
    let parts: Vec<&[u8]> = way.iter().map(|hash| hash.as_bytes()).collect();
    let way = hindcast_domain::id::derive(&parts);
    let version = PINNED.split(':').next().unwrap();
    assert!(
        folded == PINNED && way == PINNED_WAY && version == FOLD_VERSION.to_string(),
        "history.ndjson folds to {folded} by way of {way}, pinned are {PINNED} and {PINNED_WAY}.\n\
         A fold or the canonical form has changed. If that was meant: raise FOLD_VERSION in \
         services/core/domain/src/canonical.rs by one, so that snapshots and projections of the old fold \
         are made anew, and pin the new hashes here. If it was not: the change has broken replay."
    );
}

#[test]
fn the_history_holds_every_decision_that_a_fold_reads() {
    // By type, so that a new decision about alerts, incidents or silences is noticed here.
    let told: std::collections::BTreeSet<String> = history().iter().map(|event| kind_of(&event.event)).collect();
    let schema = schemars::schema_for!(Event).to_value();
    for variant in schema["oneOf"].as_array().unwrap() {
        let kind = variant.pointer("/properties/type/const").and_then(serde_json::Value::as_str).unwrap();
        if ["alert.", "incident.", "silence."].iter().any(|fold| kind.starts_with(fold)) {
            assert!(told.contains(kind), "history.ndjson has no {kind}; append one and pin the hash anew");
        }
    }
    assert!(history().iter().all(|event| event.event.kind() == Kind::Decision));
}

#[test]
fn the_hash_sees_every_line_of_the_history() {
    let history = history();
    for (index, pair) in way(&history).windows(2).enumerate() {
        let event = &history[index + 1];
        assert_ne!(pair[0], pair[1], "line {} ({}) leaves no trace", index + 2, kind_of(&event.event));
    }
}

#[test]
fn places_are_no_part_of_the_hash() {
    let mut elsewhere = history();
    elsewhere.iter_mut().for_each(|event| event.position = event.position * 4_096 + 77);
    assert_eq!(hash(&elsewhere), hash(&history()));
}

fn kind_of(event: &impl Serialize) -> String {
    serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned()
}
