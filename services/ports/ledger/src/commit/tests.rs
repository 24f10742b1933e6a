//! Commits are read as they were written, and damage is found.

use super::*;
use hindcast_domain::Partition;

fn header() -> CommitHeader {
    let subject = Subject::lane(&Partition::of_environment("production"), "incidents");
    CommitHeader {
        consumed: vec![ConsumedThrough {
            subject: Subject::intake(&Partition::of_environment("production"), "w0"),
            seq: 40,
            hash: Hash::of(b"intake"),
        }],
        ..CommitHeader::next("L".into(), subject, 7, (41, Hash::of(b"before")), Time::from_millis(5))
    }
}

#[test]
fn a_commit_reads_as_it_was_written() {
    let events: Vec<Vec<u8>> = (0..5).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect();
    let (payload, hash) = encode(header(), &events).unwrap();
    let commit = decode(&payload).unwrap();
    assert_eq!((commit.hash, &commit.events, commit.header.counter), (hash, &events, 7));
    assert_eq!(decode(&encode(header(), &[]).unwrap().0).unwrap().events.len(), 0);
}

/// What a header looked like before engines, clocks and orders were written in it.
#[test]
fn a_header_of_before_reads_and_is_written_as_it_was() {
    let text = serde_json::to_string(&header()).unwrap();
    for word in ["engine", "clock", "order", "ahead"] {
        assert!(!text.contains(word), "{text}");
    }
    assert_eq!(serde_json::from_str::<CommitHeader>(&text).unwrap(), header());
    let timer = Timer { due: Time::from_millis(9), id: "stale/1".into() };
    let full = CommitHeader { engine: 1, clock: Some(timer), order: vec![DecidedRun(1, 2)], ..header() };
    let commit = decode(&encode(full.clone(), &[b"{}".to_vec()]).unwrap().0).unwrap().header;
    assert_eq!((commit.engine, commit.clock, commit.order), (1, full.clock, full.order));
}

#[test]
fn one_flipped_bit_anywhere_is_found() {
    let events = vec![b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()];
    let (payload, hash) = encode(header(), &events).unwrap();
    for at in 0..payload.len() {
        let mut broken = payload.to_vec();
        broken[at] ^= 1;
        let unnoticed = decode(&broken).is_ok_and(|commit| commit.hash == hash && commit.events == events);
        let elsewhere = decode(&broken).is_ok_and(|commit| commit.hash == hash);
        assert!(!elsewhere || unnoticed, "byte {at}: other events under the same hash");
    }
}

#[test]
fn too_many_events_are_refused() {
    assert!(encode(header(), &vec![b"{}".to_vec(); COMMIT_EVENTS_MAX + 1]).is_err());
}
