//! What the disk can do to a store, and what a store does with what is too old or too much.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::Stepped;
use hindcast_domain::{Span, Time};
use hindcast_telemetry::conformance::{at, between, line, lines, production, sample, samples};
use hindcast_telemetry::{ArrivalCursor, Error, LogFilter, LogLevel, Telemetry};
use hindcast_telemetry_files::{Files, FrameFaults, OpenError, Options};

struct World {
    folder: tempfile::TempDir,
    clock: Stepped,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Stepped::new(at(0)) }
    }

    fn options(&self) -> Options {
        Options::at(self.folder.path(), Arc::new(self.clock.clone()))
    }

    fn open(&self) -> Arc<Files> {
        Files::open(self.options()).unwrap()
    }

    fn small(&self) -> Options {
        Options { segment_bytes: 1, ..self.options() }
    }

    fn files(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join(folder)).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|of| of == ending));
        files.sort();
        files
    }

    fn segments(&self) -> Vec<PathBuf> {
        self.files("segments", "seg")
    }
}

/// Text that does not compress away, so that segments fill.
fn noise(n: i64) -> String {
    let mut state = n.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..100).map(next).collect()
}

async fn put(store: &Files, seconds: i64, message: &str) -> Result<(), Error> {
    store.append(&production(), lines(vec![line(seconds, "a", LogLevel::Info, message)])).await
}

async fn all(store: &Files) -> Vec<String> {
    let found = store.logs(&production(), between(-1_000_000, 1_000_000), LogFilter::default()).await.unwrap();
    found.into_iter().map(|record| record.message).collect()
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not come");
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// What is left of ten answered appends after the power went off.
async fn left_after_a_crash(break_the_guarantee: bool) -> usize {
    let (world, faults) = (World::new(), FrameFaults::default());
    if break_the_guarantee {
        faults.acknowledge_before_sync();
    }
    let store = Files::open(Options { faults: Some(faults.clone()), ..world.options() }).unwrap();
    for n in 0..10 {
        put(&store, n, &n.to_string()).await.unwrap();
    }
    faults.crash();
    assert!(put(&store, 11, "after").await.is_err());
    drop(store);
    all(&world.open()).await.len()
}

#[tokio::test]
async fn what_was_answered_survives_the_loss_of_power() {
    assert_eq!(left_after_a_crash(false).await, 10);
}

#[tokio::test]
async fn answering_before_the_sync_is_seen() {
    // The guarantee of the test before, broken on purpose: it must turn red.
    assert_eq!(left_after_a_crash(true).await, 0);
}

#[tokio::test]
async fn concurrent_appends_share_a_sync() {
    let (world, faults) = (World::new(), FrameFaults::default());
    let store = Files::open(Options { faults: Some(faults.clone()), ..world.options() }).unwrap();
    let appends = (0..64).map(|n| {
        let store = Arc::clone(&store);
        async move { put(&store, n, &n.to_string()).await }
    });
    let mut set = tokio::task::JoinSet::new();
    appends.for_each(|append| drop(set.spawn(append)));
    while let Some(done) = set.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(all(&store).await.len(), 64);
    assert!(faults.syncs() < 32, "{} syncs for 64 appends", faults.syncs());
}

#[tokio::test]
async fn a_tail_that_was_torn_anywhere_is_cut_and_the_store_goes_on() {
    let world = World::new();
    let store = world.open();
    for n in 0..4 {
        put(&store, n, &n.to_string()).await.unwrap();
    }
    let head = store.head();
    drop(store);
    let path = world.segments().pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let frame = (whole.len() - 8) / 4;
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let store = world.open();
        let left = all(&store).await;
        let expected = end.saturating_sub(8) / frame;
        assert_eq!(left, (0..expected).map(|n| n.to_string()).collect::<Vec<_>>(), "cut at {end} of {}", whole.len());
        assert_eq!((store.figures().damaged, store.figures().records), (0, expected as u64));
        put(&store, 9, "new").await.unwrap();
        assert_eq!(all(&store).await.len(), expected + 1);
        assert!(store.head() <= head, "places of what was never answered are free again");
        drop(store);
        assert_eq!(all(&world.open()).await.len(), expected + 1);
        world.segments().iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_counted_and_passed_over() {
    let world = World::new();
    let store = world.open();
    for n in 0..5 {
        put(&store, n, &n.to_string()).await.unwrap();
    }
    drop(store);
    let path = world.segments().pop().unwrap();
    let frame = (std::fs::read(&path).unwrap().len() - 8) / 5;
    flip(&path, 8 + 2 * frame + frame / 2);
    let store = world.open();
    assert_eq!(all(&store).await, ["0", "1", "3", "4"]);
    assert_eq!(store.figures().damaged, 1);
    let arrived = store.arrived(ArrivalCursor(0)).await.unwrap();
    assert_eq!((arrived.len(), arrived.last().unwrap().next), (4, store.head()));
    // And while it is open: readers pass it over, and say so.
    flip(&path, 8 + 3 * frame + frame / 2);
    assert_eq!(all(&store).await, ["0", "1", "4"]);
    assert_eq!(store.figures().damaged, 2);
    assert_eq!(store.pin(&production(), between(0, 9), 1 << 20).await.unwrap().missing, 1);
}

#[tokio::test]
async fn an_index_that_is_lost_or_damaged_is_made_again() {
    let world = World::new();
    let store = Files::open(world.small()).unwrap();
    for n in 0..60 {
        put(&store, n, &noise(n)).await.unwrap();
    }
    let before = all(&store).await;
    drop(store);
    let indexes = world.files("segments", "idx");
    assert!(indexes.len() >= 4, "{}", indexes.len());
    std::fs::remove_file(&indexes[0]).unwrap();
    flip(&indexes[1], 20);
    let length = std::fs::read(&indexes[2]).unwrap().len();
    flip(&indexes[2], length - 1);
    std::fs::write(&indexes[3], b"x").unwrap();
    let store = world.open();
    assert_eq!(all(&store).await, before);
    assert_eq!(store.figures().damaged, 0);
}

#[tokio::test]
async fn a_query_touches_only_the_segments_that_it_needs() {
    let world = World::new();
    let store = Files::open(world.small()).unwrap();
    for n in 0..60 {
        put(&store, n * 60, &noise(n)).await.unwrap();
    }
    eventually("a closed segment", || world.files("segments", "idx").len() > 3).await;
    let first = world.segments().remove(0);
    let bytes = std::fs::read(&first).unwrap().len();
    (8..bytes).for_each(|at| flip(&first, at));
    let late = store.logs(&production(), between(1_800, 7_200), LogFilter::default()).await.unwrap();
    assert_eq!((late.len(), store.figures().damaged), (30, 0));
    let other = LogFilter { service: Some("b".to_owned()), ..LogFilter::default() };
    assert!(store.logs(&production(), between(0, 7_200), other).await.unwrap().is_empty());
    assert_eq!(store.figures().damaged, 0, "no segment knows that service");
    store.logs(&production(), between(0, 7_200), LogFilter::default()).await.unwrap();
    assert!(store.figures().damaged > 0, "the damage would have been seen");
}

#[tokio::test]
async fn what_is_too_old_leaves_by_when_it_arrived_and_is_counted() {
    let world = World::new();
    let options = || Options { retention: Span::hours(2), ..world.options() };
    let store = Files::open(options()).unwrap();
    // What it says of its own time does not matter: this one is years old.
    for (arrived, seconds, message) in [(0, -900_000, "old"), (1, 3_600, "kept"), (2, 3_601, "new")] {
        world.clock.set(at(arrived * 3_600));
        put(&store, seconds, message).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let kept = store.pin(&production(), between(-900_001, -899_999), 1 << 20).await.unwrap();
    assert_eq!((kept.records, kept.missing), (1, 0));
    world.clock.set(at(2 * 3_600 + 1_800));
    // Nobody appends: it leaves all the same.
    eventually("the end of the oldest", || store.figures().expired == 1).await;
    assert_eq!(all(&store).await, ["kept", "new"]);
    assert_eq!(store.figures().oldest, Some(at(3_600)));
    let arrived = store.arrived(ArrivalCursor(0)).await.unwrap();
    assert_eq!(arrived.first().unwrap().batch.logs.first().unwrap().message, "kept");
    assert!(store.pinned(&kept.hashes[0]).await.unwrap().is_some(), "a pin never leaves");
    let missed = store.pin(&production(), between(-900_001, -899_999), 1 << 20).await.unwrap();
    assert_eq!((missed.records, missed.missing), (0, 1));
    let head = store.head();
    world.clock.set(at(9 * 3_600));
    eventually("the end of all", || store.figures().records == 0).await;
    drop(store);
    let store = Files::open(options()).unwrap();
    assert_eq!((store.figures().expired, store.head()), (3, head), "places rise on although nothing is left");
    put(&store, 0, "after").await.unwrap();
    assert!(store.head() > head);
    assert_eq!(store.arrived(head).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_too_much_leaves_oldest_first() {
    let world = World::new();
    let bytes_max = 32 * 1024;
    let store = Files::open(Options { bytes_max, ..world.options() }).unwrap();
    for n in 0..1_000 {
        put(&store, n, &noise(n)).await.unwrap();
    }
    eventually("room", || store.figures().bytes <= bytes_max).await;
    let figures = store.figures();
    assert_eq!(figures.records + figures.expired, 1_000);
    assert!(figures.records > 50, "whole segments leave, and no more than have to: {figures:?}");
    let left = store.logs(&production(), between(0, 1_000), LogFilter::default()).await.unwrap();
    assert_eq!(left.len() as u64, figures.records);
    assert_eq!(left.last().unwrap().message, noise(999));
    let on_disk: u64 = world.segments().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(on_disk <= bytes_max, "{on_disk}");
}

#[tokio::test]
async fn a_segment_that_was_counted_as_gone_is_not_counted_twice() {
    let world = World::new();
    let store = Files::open(Options { bytes_max: 16 * 1024, ..world.options() }).unwrap();
    let mut first = None;
    for n in 0..400 {
        put(&store, n, &noise(n)).await.unwrap();
        first = first.or_else(|| world.segments().first().map(|path| (path.clone(), std::fs::read(path).unwrap())));
    }
    eventually("the end of some", || store.figures().expired > 0).await;
    let expired = store.figures().expired;
    drop(store);
    // As if the process had ended between the count and the removal.
    let (path, bytes) = first.unwrap();
    assert!(!path.exists());
    std::fs::write(&path, bytes).unwrap();
    let store = Files::open(Options { bytes_max: 1 << 30, ..world.options() }).unwrap();
    assert_eq!(store.figures().expired, expired);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_failed_sync_is_told_and_the_next_append_goes_on() {
    let (world, faults) = (World::new(), FrameFaults::default());
    let store = Files::open(Options { faults: Some(faults.clone()), ..world.options() }).unwrap();
    put(&store, 0, "a").await.unwrap();
    faults.fail_syncs(2);
    for _ in 0..2 {
        assert!(matches!(put(&store, 1, "lost").await, Err(Error::Io(_))));
    }
    put(&store, 2, "b").await.unwrap();
    assert_eq!(all(&store).await, ["a", "b"]);
    let arrived = store.arrived(ArrivalCursor(0)).await.unwrap();
    let messages: Vec<&str> = arrived.iter().map(|arrived| arrived.batch.logs[0].message.as_str()).collect();
    assert_eq!(messages, ["a"], "one segment at a time");
    let arrived = store.arrived(arrived[0].next).await.unwrap();
    assert_eq!(arrived[0].next, store.head());
    drop(store);
    assert_eq!(all(&world.open()).await, ["a", "b"]);
}

#[tokio::test]
async fn a_folder_has_one_holder_and_a_closed_store_takes_nothing() {
    let world = World::new();
    let store = world.open();
    assert!(matches!(Files::open(world.options()), Err(OpenError::Held(_))));
    put(&store, 0, "a").await.unwrap();
    store.close();
    assert!(matches!(put(&store, 1, "b").await, Err(Error::Refused(_))));
    assert_eq!(all(&store).await, ["a"], "what reads goes on");
    drop(store);
    assert_eq!(all(&world.open()).await, ["a"]);
}

#[tokio::test]
async fn what_another_program_wrote_is_not_taken_for_ours() {
    let world = World::new();
    drop(world.open());
    let path = world.folder.path().join("segments/00000000000000000001.seg");
    std::fs::write(&path, b"something else entirely").unwrap();
    assert!(matches!(Files::open(world.options()), Err(OpenError::Newer(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"something else entirely", "a refusal changes nothing");
}

#[tokio::test]
async fn a_damaged_pin_is_named_and_pinning_again_mends_it() {
    let world = World::new();
    let store = world.open();
    put(&store, 0, "a").await.unwrap();
    let partition = production();
    let pin = || store.pin(&partition, between(0, 9), 1 << 20);
    let kept = pin().await.unwrap();
    let path = world.files("pins", "zst").pop().unwrap();
    assert_eq!(path.file_stem().unwrap().to_str().unwrap(), kept.hashes[0]);
    let bytes = std::fs::read(&path).unwrap();
    flip(&path, bytes.len() - 2);
    assert!(matches!(store.pinned(&kept.hashes[0]).await, Err(Error::Damaged(_))));
    assert_eq!(pin().await.unwrap(), kept);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(store.figures().pinned_bytes, bytes.len() as u64);
}

#[tokio::test]
async fn pins_have_a_bound_of_their_own() {
    let world = World::new();
    let store = Files::open(Options { pins_bytes_max: 10, ..world.options() }).unwrap();
    put(&store, 0, "a").await.unwrap();
    let refused = store.pin(&production(), between(0, 9), 1 << 20).await.unwrap_err();
    assert!(refused.to_string().contains("allow more bytes of pins"), "{refused}");
    assert!(world.files("pins", "zst").is_empty());
}

#[tokio::test]
async fn a_pin_of_many_blocks_is_in_the_order_of_time() {
    let world = World::new();
    let store = Files::open(world.small()).unwrap();
    for batch in 0..20 {
        let logs = (0..500).map(|n| line((n * 31 + batch) % 600, "a", LogLevel::Info, &noise(batch * 500 + n)));
        store.append(&production(), lines(logs.collect())).await.unwrap();
        let values = (0..500).map(|n| sample((n * 17 + batch) % 600, "a", "m", 1.0));
        store.append(&production(), samples(values.collect())).await.unwrap();
    }
    let kept = store.pin(&production(), between(0, 600), 1 << 26).await.unwrap();
    assert_eq!((kept.records, kept.missing), (20_000, 0));
    assert!(kept.hashes.len() >= 3, "{}", kept.hashes.len());
    for hash in &kept.hashes {
        let block = store.pinned(hash).await.unwrap().unwrap();
        let times: Vec<Time> = std::str::from_utf8(&block)
            .unwrap()
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap().parse().unwrap()
            })
            .collect();
        assert!(times.is_sorted());
    }
    assert!(kept.bytes < 2 * 1024 * 1024, "{} bytes", kept.bytes);
}
