//! Every version of every event type that was ever written can be read for ever: each keeps a whole wire
//! event under `fixtures/`, and none of them is ever changed.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::support;
use std::collections::BTreeSet;

use hindcast_domain::event::Kind;
use hindcast_events::{Decoded, decode, encode, upcast};
use serde_json::{Value, json};
use support::{Fixture, fixtures};

fn bytes(event: &Value) -> Vec<u8> {
    serde_json::to_vec(event).unwrap()
}

fn known(fixture: &Fixture) -> hindcast_events::Envelope {
    match decode(&bytes(&fixture.event)) {
        Ok(Decoded::Known(envelope)) => *envelope,
        other => panic!("{}: expected an event that is known, got {other:#?}", fixture.file),
    }
}

#[test]
fn every_type_keeps_a_fixture_of_every_version() {
    let kept: BTreeSet<(String, u32)> = fixtures().into_iter().map(|f| (f.kind, f.version)).collect();
    let written: BTreeSet<(String, u32)> = upcast::types()
        .flat_map(|kind| (1..=upcast::current_version(kind)).map(move |version| (kind.to_owned(), version)))
        .collect();
    assert_eq!(written.difference(&kept).collect::<Vec<_>>(), Vec::<&(String, u32)>::new(), "types without a fixture");
    assert_eq!(kept.difference(&written).collect::<Vec<_>>(), Vec::<&(String, u32)>::new(), "fixtures without a type");
}

#[test]
fn a_fixture_is_what_its_name_says() {
    for fixture in fixtures() {
        assert_eq!(fixture.event["type"], json!(fixture.kind), "{}", fixture.file);
        assert_eq!(
            fixture.event.get("v").map_or(1, |v| v.as_u64().unwrap()),
            u64::from(fixture.version),
            "{}",
            fixture.file
        );
    }
}

#[test]
fn every_fixture_is_read_and_a_current_one_is_written_as_it_was() {
    for fixture in fixtures() {
        let envelope = known(&fixture);
        assert_eq!(envelope.event.type_name(), fixture.kind, "{}", fixture.file);
        let again: Value = serde_json::from_slice(&encode(&envelope)).unwrap();
        if fixture.version == upcast::current_version(&fixture.kind) {
            assert_eq!(again, fixture.event, "{}", fixture.file);
        }
        let Ok(Decoded::Known(twice)) = decode(&bytes(&again)) else {
            panic!("{}: what we write, we read", fixture.file)
        };
        assert_eq!(*twice, envelope, "{}", fixture.file);
    }
}

#[test]
fn a_decision_has_a_revision_and_a_fact_has_none() {
    for fixture in fixtures() {
        let envelope = known(&fixture);
        assert_eq!(envelope.revision.is_some(), envelope.event.kind() == Kind::Decision, "{}", fixture.file);
    }
}

#[test]
fn a_version_of_the_future_stays_whole_and_unknown() {
    for mut fixture in fixtures() {
        let next = upcast::current_version(&fixture.kind) + 1;
        fixture.event["v"] = json!(next);
        let Ok(Decoded::Unknown { kind, version, raw }) = decode(&bytes(&fixture.event)) else {
            panic!("{}: a later version must not be guessed", fixture.file);
        };
        assert_eq!((kind, version, raw), (fixture.kind, next, fixture.event), "{}", fixture.file);
    }
}

#[test]
fn a_payload_of_another_form_is_an_error_and_not_a_guess() {
    for fixture in fixtures() {
        let mut broken = fixture.event.clone();
        broken["data"] = json!("no payload");
        assert!(decode(&bytes(&broken)).is_err(), "{}", fixture.file);
    }
}
