//! What a crash and a bad disk do to the file: a batch that was never answered is cut, whole with its
//! checkpoint; what is wrong before the end is named, and the store is made anew when it is deleted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use hindcast_vectors::conformance::SeededNumbers;
use hindcast_vectors::{Checkpoint, Error, Point, Query, Vectors};
use hindcast_vectors_flat::FlatStore;
use serde_json::json;

const DIMENSION: usize = 8;
const FILE: &str = "vectors.log";
const HEADER: usize = 20;

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

fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint { ledger: "L".to_owned(), embedder: "E".to_owned(), texts: 1, position }
}

/// A store of three batches, closed; and the length of the file after each.
async fn three_batches(folder: &Path) -> Vec<usize> {
    let store = FlatStore::open(folder, DIMENSION).unwrap();
    let mut lengths = Vec::new();
    for step in 1..=3_u64 {
        store
            .store(vec![point("INC-A", step * 10), point("INC-B", step * 10 + 1)], checkpoint(step * 10 + 5))
            .await
            .unwrap();
        lengths.push(fs::read(folder.join(FILE)).unwrap().len());
    }
    lengths
}

async fn position(store: &FlatStore) -> Option<u64> {
    store.checkpoint().await.unwrap().map(|checkpoint| checkpoint.position)
}

#[tokio::test]
async fn a_batch_that_was_cut_short_anywhere_is_gone_with_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = three_batches(folder.path()).await;
    let whole = fs::read(folder.path().join(FILE)).unwrap();
    for cut in HEADER..whole.len() {
        fs::write(folder.path().join(FILE), &whole[..cut]).unwrap();
        let store = FlatStore::open(folder.path(), DIMENSION).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        let batches = lengths.iter().filter(|length| **length <= cut).count();
        let expected = batches.checked_sub(1).map(|last| (last as u64 + 1) * 10 + 5);
        assert_eq!(position(&store).await, expected, "cut at {cut}");
        assert_eq!(store.count().await.unwrap(), batches as u64 * 2, "cut at {cut}");
        store.store(vec![point("INC-C", 99)], checkpoint(99)).await.unwrap();
        drop(store);
        let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
        assert_eq!((position(&store).await, store.count().await.unwrap()), (Some(99), batches as u64 * 2 + 1));
    }
}

#[tokio::test]
async fn zeroes_at_the_end_are_no_batch() {
    let folder = tempfile::tempdir().unwrap();
    three_batches(folder.path()).await;
    let mut bytes = fs::read(folder.path().join(FILE)).unwrap();
    bytes.extend([0; 4_096]);
    fs::write(folder.path().join(FILE), bytes).unwrap();
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    assert_eq!((position(&store).await, store.count().await.unwrap()), (Some(35), 6));
}

#[tokio::test]
async fn a_flipped_bit_before_the_end_is_damage_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = three_batches(folder.path()).await;
    let whole = fs::read(folder.path().join(FILE)).unwrap();
    let last = lengths[1];
    for at in 0..last {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(folder.path().join(FILE), bytes).unwrap();
        let damage = FlatStore::open(folder.path(), DIMENSION).map(|_| ()).expect_err("one bit is noticed");
        assert!(matches!(damage, Error::Damaged(_)), "byte {at}: {damage}");
        assert!(damage.to_string().contains("when its folder or collection is deleted"), "{damage}");
    }
    FlatStore::forget(folder.path()).unwrap();
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    assert_eq!(position(&store).await, None, "and then it begins anew");
}

#[tokio::test]
async fn a_file_of_another_embedders_vectors_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    three_batches(folder.path()).await;
    let store = FlatStore::open(folder.path(), DIMENSION * 2).unwrap();
    assert_eq!((position(&store).await, store.count().await.unwrap()), (None, 0));
}

#[tokio::test]
async fn no_file_at_all_and_half_a_header_are_empty_stores() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"HCVEC", b"HCVECTOR\x01\0\0\0"] {
        fs::write(folder.path().join(FILE), bytes).unwrap();
        let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
        assert_eq!(position(&store).await, None);
    }
    fs::write(folder.path().join(FILE), b"something else that lies here").unwrap();
    assert!(matches!(FlatStore::open(folder.path(), DIMENSION).map(|_| ()), Err(Error::Damaged(_))));
}

#[tokio::test]
async fn a_payload_without_bound_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    let large = Point { payload: json!("x".repeat(1 << 20)), ..point("INC-A", 1) };
    let refused = store.store(vec![large], checkpoint(1)).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    assert_eq!(position(&store).await, None);
}

#[tokio::test]
async fn a_vector_that_is_no_number_harms_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    let odd = Point { vector: vec![f32::NAN; DIMENSION], ..point("INC-N", 1) };
    let refused = store.store(vec![odd], checkpoint(1)).await;
    assert!(matches!(refused, Err(Error::NotANumber)), "{refused:?}");
    store.store(vec![point("INC-A", 2)], checkpoint(2)).await.unwrap();
    let query = Query {
        kind: "incident".into(),
        partition: "default/production".to_owned(),
        as_of: 9,
        vector: vec![f32::INFINITY; DIMENSION],
        limit: 5,
        without: Vec::new(),
    };
    assert!(matches!(store.search(query).await, Err(Error::NotANumber)));
}
