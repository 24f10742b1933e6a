//! What happens when the server goes away in the middle of a step, is not there at all, or wants a key.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::stand_in;
use std::time::{Duration, Instant};

use hindcast_vectors::conformance::{SeededNumbers, expected};
use hindcast_vectors::{Checkpoint, Error, Point, Query, Vectors};
use hindcast_vectors_qdrant::{Options, QdrantStore};
use serde_json::json;
use stand_in::StandIn;

const DIMENSION: usize = 8;

fn point(item: &str, position: u64) -> Point {
    Point {
        item: item.to_owned(),
        kind: "incident".into(),
        partition: "default/production".to_owned(),
        position,
        gone: false,
        vector: SeededNumbers::new(position).vector(DIMENSION),
        payload: json!({"position": position}),
    }
}

fn query(as_of: u64) -> Query {
    Query {
        kind: "incident".into(),
        partition: "default/production".to_owned(),
        as_of,
        vector: SeededNumbers::new(7).vector(DIMENSION),
        limit: 10,
        without: Vec::new(),
    }
}

fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint { ledger: "L".to_owned(), embedder: "E".to_owned(), texts: 1, position }
}

fn store(server: &StandIn, key: Option<&str>) -> QdrantStore {
    let options = Options::new(server.url(), key.map(str::to_owned), "test".to_owned(), DIMENSION);
    QdrantStore::open(&Options { timeout: Duration::from_secs(2), ..options }).unwrap()
}

/// The steps of a little history: what each stores, and how far it then is.
fn steps() -> Vec<(Vec<Point>, u64)> {
    vec![
        (vec![point("A", 10), point("B", 11)], 12),
        (vec![point("A", 20), point("C", 21), Point { gone: true, ..point("B", 22) }], 25),
        (vec![point("A", 30), point("B", 31)], 35),
    ]
}

#[tokio::test]
async fn a_step_that_is_cut_short_anywhere_is_done_again_and_nothing_is_wrong_by_then() {
    // How many writes the whole history is.
    let server = StandIn::start(None).await;
    for (points, position) in steps() {
        store(&server, None).store(points, checkpoint(position)).await.unwrap();
    }
    let all = server.writes();
    assert!(all > 10, "every step is several writes: {all}");
    for cut in 0..all {
        let server = StandIn::start(None).await;
        server.fail_after(Some(cut));
        let mut stored: Vec<Point> = Vec::new();
        for (points, position) in steps() {
            let before = store(&server, None).checkpoint().await.unwrap();
            if let Err(error) = store(&server, None).store(points.clone(), checkpoint(position)).await {
                assert!(matches!(error, Error::Unavailable(_)), "{error}");
                assert_eq!(
                    store(&server, None).checkpoint().await.unwrap(),
                    before,
                    "the checkpoint does not run ahead"
                );
                // What is found as of the last complete step is what was found then.
                let then = before.map_or(0, |before| before.position);
                assert_eq!(
                    store(&server, None)
                        .search(query(then))
                        .await
                        .unwrap()
                        .iter()
                        .map(|one| &one.item)
                        .collect::<Vec<_>>(),
                    expected(&stored, &query(then)).iter().map(|one| &one.item).collect::<Vec<_>>(),
                    "cut after {cut} writes"
                );
                server.fail_after(None);
                store(&server, None).store(points.clone(), checkpoint(position)).await.unwrap();
            }
            stored.extend(points);
        }
        let store = store(&server, None);
        assert_eq!(store.count().await.unwrap(), stored.len() as u64);
        for as_of in 0..40 {
            let found = store.search(query(as_of)).await.unwrap();
            let wanted = expected(&stored, &query(as_of));
            let of = |found: &[hindcast_vectors::Neighbour]| {
                found.iter().map(|one| (one.item.clone(), one.position)).collect::<Vec<_>>()
            };
            assert_eq!(of(&found), of(&wanted), "cut after {cut} writes, as of {as_of}");
        }
    }
}

#[tokio::test]
async fn no_server_is_an_error_in_bounded_time() {
    let options = Options::new("http://127.0.0.1:9".to_owned(), None, "test".to_owned(), DIMENSION);
    let store = QdrantStore::open(&Options { timeout: Duration::from_millis(500), ..options }).unwrap();
    let began = Instant::now();
    let error = store.search(query(1)).await.expect_err("nobody is there");
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(QdrantStore::open(&Options::new("no address".to_owned(), None, "test".to_owned(), 4)).is_err());
}

#[tokio::test]
async fn a_key_is_sent_and_never_shown() {
    let server = StandIn::start(Some("hunter2")).await;
    store(&server, Some("hunter2")).store(vec![point("A", 1)], checkpoint(1)).await.unwrap();
    let error = store(&server, Some("swordfish")).count().await.expect_err("the wrong key");
    let options = Options::new(server.url(), Some("swordfish".to_owned()), "test".to_owned(), DIMENSION);
    for shown in [
        error.to_string(),
        format!("{error:?}"),
        format!("{options:?}"),
        format!("{:?}", store(&server, Some("swordfish"))),
    ] {
        assert!(!shown.contains("swordfish"), "{shown}");
    }
}

#[tokio::test]
async fn what_is_filtered_by_has_an_index_and_each_embedder_a_collection() {
    let server = StandIn::start(None).await;
    store(&server, None).store(vec![point("A", 1)], checkpoint(1)).await.unwrap();
    assert_eq!(server.indexes(), ["item", "kind", "partition", "position", "superseded_at"]);
    let other = Options::new(server.url(), None, "all-MiniLM/é-384-abc".to_owned(), DIMENSION);
    let other = QdrantStore::open(&other).unwrap();
    assert_eq!(other.checkpoint().await.unwrap(), None, "another embedder's vectors are not ours");
    other.store(vec![point("A", 1)], checkpoint(9)).await.unwrap();
    assert_eq!(server.collections(), ["hindcast_all-MiniLM__-384-abc", "hindcast_test"]);
    assert_eq!(store(&server, None).checkpoint().await.unwrap(), Some(checkpoint(1)));
}

#[tokio::test]
async fn a_collection_that_was_dropped_behind_our_back_is_made_again() {
    let server = StandIn::start(None).await;
    let ours = store(&server, None);
    ours.store(vec![point("A", 1)], checkpoint(1)).await.unwrap();
    assert_eq!(ours.count().await.unwrap(), 1);
    store(&server, None).clear().await.unwrap();
    assert!(ours.search(query(9)).await.is_err(), "it is said once");
    assert_eq!(ours.checkpoint().await.unwrap(), None);
    ours.store(vec![point("A", 2)], checkpoint(2)).await.unwrap();
    assert_eq!(ours.count().await.unwrap(), 1);
}
