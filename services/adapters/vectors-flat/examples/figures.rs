//! Measures the store: `cargo run --release -p hindcast-vectors-flat --example figures -- [VERSIONS]`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a measurement says so by panicking

use std::time::{Duration, Instant};

use hindcast_vectors::conformance::{SeededNumbers, expected, unit};
use hindcast_vectors::{Checkpoint, Point, Query, Vectors};
use hindcast_vectors_flat::FlatStore;
use serde_json::json;

const DIMENSION: usize = 384;
const CENTRES: u64 = 400;
const QUERIES: usize = 50;

#[tokio::main]
async fn main() {
    let many: u64 = std::env::args().nth(1).and_then(|many| many.parse().ok()).unwrap_or(200_000);
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = SeededNumbers::new(1);
    let centres: Vec<Vec<f32>> = (0..CENTRES).map(|_| numbers.vector(DIMENSION)).collect();
    let near = |numbers: &mut SeededNumbers| {
        let centre = centres.get(usize::try_from(numbers.below(CENTRES)).unwrap()).unwrap();
        unit(centre.iter().zip(&numbers.vector(DIMENSION)).map(|(x, y)| x + 0.4 * y).collect())
    };
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    let mut points = Vec::new();
    let began = Instant::now();
    let mut storing = Duration::ZERO;
    for batch in 0..many.div_ceil(1_000) {
        let batch: Vec<Point> = (batch * 1_000..many.min((batch + 1) * 1_000))
            .map(|n| Point {
                item: format!("INC-{n}"),
                kind: "incident".into(),
                partition: "default/production".to_owned(),
                position: n + 1,
                gone: false,
                vector: near(&mut numbers),
                payload: json!({"n": n}),
            })
            .collect();
        let checkpoint = Checkpoint { position: batch.last().unwrap().position, ..Checkpoint::default() };
        points.extend(batch.clone());
        let at = Instant::now();
        store.store(batch, checkpoint).await.unwrap();
        storing += at.elapsed();
    }
    println!("{many} versions of {DIMENSION} made in {:?}, stored in {storing:?}", began.elapsed());
    drop(store);
    let began = Instant::now();
    let store = FlatStore::open(folder.path(), DIMENSION).unwrap();
    println!("opened in {:?}", began.elapsed());
    for (what, as_of) in [("all", u64::MAX), ("the older half", many / 2)] {
        let mut times = Vec::new();
        let (mut found, mut wanted) = (0, 0);
        for round in 0..QUERIES {
            let query = Query {
                kind: "incident".into(),
                partition: "default/production".to_owned(),
                as_of,
                vector: near(&mut numbers),
                limit: 10,
                without: Vec::new(),
            };
            let at = Instant::now();
            let got = store.search(query.clone()).await.unwrap();
            times.push(at.elapsed());
            if round % 10 == 0 {
                let must = expected(&points, &query);
                wanted += must.len();
                found += got.iter().filter(|one| must.iter().any(|other| other.item == one.item)).count();
            }
        }
        times.sort();
        let (median, worst) = (times.get(QUERIES / 2).unwrap(), times.last().unwrap());
        println!("{what}: median {median:?}, worst {worst:?}, recall {found}/{wanted}");
    }
}
