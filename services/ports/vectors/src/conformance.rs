//! What every store of vectors does alike; run by each adapter. It knows a store only through [`Site`], and
//! refuses to be lenient about any of them.
//!
//! An adapter's `tests/conformance.rs` calls [`crate::conformance_suite!`] with a [`Factory`]. Each case
//! panics with what it expected and what came. What a store must answer is computed from the points that were
//! stored, by the plainest code there is ([`expected`]).

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod points;

use async_trait::async_trait;
use serde_json::json;

use crate::{Error, Neighbour, Point, Query, Shared};

pub use points::{SeededNumbers, expected, unit};
use points::{checkpoint, point, query};

/// One place where one store lies.
#[async_trait]
pub trait Site: Send + Sync {
    /// A handle to the store under test.
    fn store(&self) -> Shared;

    /// Ends every hold on it and opens it again; the same where it lives in memory alone.
    async fn reopen(&mut self) -> Shared;
}

/// Makes sites, each with an empty store.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A new site for vectors of this length.
    async fn site(&self, dimension: usize) -> Box<dyn Site>;
}

/// Makes one test of each case; `$make` is a [`Factory`].
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            an_empty_store_finds_nothing_and_is_nowhere,
            a_search_as_of_a_position_sees_nothing_later,
            of_several_versions_the_last_that_is_visible_is_found,
            what_is_gone_is_found_before_and_not_after,
            partitions_and_kinds_are_apart,
            equal_scores_go_by_the_items_id,
            storing_again_changes_nothing,
            versions_may_come_in_any_order,
            a_limit_and_what_is_left_out_are_kept,
            the_checkpoint_comes_with_its_data,
            a_vector_of_another_length_is_refused,
            clearing_forgets_everything,
            any_history_agrees_with_the_plainest_code,
            ten_thousand_points_are_searched_exactly,
        }
    };
}

/// The tests of a list of cases.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_cases {
    ($make:expr => $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$case(&$make).await;
            }
        )+
    };
}

const DIMENSION: usize = 16;
/// How far a store's own arithmetic may be from ours.
const TOLERANCE: f32 = 1e-4;

// ── points, and what must be found ─────────────────────────────────────────────────────────────────

/// Asks a store, and compares: the same items in the same order, with the same payloads and scores. Where two
/// scores are as near as the tolerance, either may come first.
async fn assert_finds(store: &Shared, points: &[Point], query: Query) {
    let wanted = expected(points, &query);
    let found = store.search(query.clone()).await.expect("a search is answered");
    let names = |found: &[Neighbour]| found.iter().map(|one| (one.item.clone(), one.position)).collect::<Vec<_>>();
    assert_eq!(
        found.len(),
        wanted.len(),
        "as of {}: expected {:?}, got {:?}",
        query.as_of,
        names(&wanted),
        names(&found)
    );
    let everything = expected(points, &Query { limit: usize::MAX, ..query.clone() });
    for (got, want) in found.iter().zip(&wanted) {
        assert!(
            (got.score - want.score).abs() <= TOLERANCE,
            "as of {}: expected {} with {}, got {} with {}",
            query.as_of,
            want.item,
            want.score,
            got.item,
            got.score
        );
        let own = everything.iter().find(|one| one.item == got.item);
        let own = own.unwrap_or_else(|| panic!("as of {}: {} must not be found", query.as_of, got.item));
        assert_eq!((got.position, &got.payload), (own.position, &own.payload), "the version of {}", got.item);
        assert!((got.score - own.score).abs() <= TOLERANCE, "{}: {} is not {}", got.item, got.score, own.score);
    }
}

async fn filled(make: &dyn Factory, points: &[Point]) -> Box<dyn Site> {
    let site = make.site(DIMENSION).await;
    let last = points.iter().map(|point| point.position).max().unwrap_or(0);
    site.store().store(points.to_vec(), checkpoint(last)).await.expect("points are stored");
    site
}

// ── the cases ──────────────────────────────────────────────────────────────────────────────────────

/// Nothing is there at first.
pub async fn an_empty_store_finds_nothing_and_is_nowhere(make: &dyn Factory) {
    let site = make.site(DIMENSION).await;
    let store = site.store();
    assert_eq!(store.checkpoint().await.unwrap(), None);
    assert_eq!(store.count().await.unwrap(), 0);
    assert_finds(&store, &[], query(u64::MAX, SeededNumbers::new(1).vector(DIMENSION), 10)).await;
}

/// The contract: nothing that became known later.
pub async fn a_search_as_of_a_position_sees_nothing_later(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(2);
    let points: Vec<Point> =
        (1..=40).map(|n| point(&format!("INC-{n:02}"), n * 10, numbers.vector(DIMENSION))).collect();
    let site = filled(make, &points).await;
    for as_of in [0, 9, 10, 11, 199, 200, 201, 400, 401, u64::MAX] {
        // The vector that is nearest of all to the newest point must not bring it to light.
        let wanted = points.last().unwrap().vector.clone();
        assert_finds(&site.store(), &points, query(as_of, wanted, 50)).await;
    }
}

/// Of an item one version at most, the last one that may be seen.
pub async fn of_several_versions_the_last_that_is_visible_is_found(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(3);
    let mut points = Vec::new();
    for version in 1..=5 {
        for item in ["INC-A", "INC-B", "INC-C"] {
            points.push(point(item, version * 100 + u64::from(item.as_bytes()[4]), numbers.vector(DIMENSION)));
        }
    }
    let site = filled(make, &points).await;
    assert_eq!(site.store().count().await.unwrap(), 15, "every version is kept");
    for as_of in (0..700).step_by(33) {
        for point in &points {
            assert_finds(&site.store(), &points, query(as_of, point.vector.clone(), 10)).await;
        }
    }
}

/// An item is taken away and may come back.
pub async fn what_is_gone_is_found_before_and_not_after(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(4);
    let mut points = vec![point("INC-A", 10, numbers.vector(DIMENSION)), point("INC-B", 11, numbers.vector(DIMENSION))];
    points.push(Point { gone: true, ..point("INC-A", 20, numbers.vector(DIMENSION)) });
    points.push(point("INC-A", 30, numbers.vector(DIMENSION)));
    let site = filled(make, &points).await;
    for as_of in [10, 19, 20, 21, 29, 30, 31] {
        assert_finds(&site.store(), &points, query(as_of, points[0].vector.clone(), 10)).await;
    }
}

/// Neither an item's name nor its vector leads from one partition or kind to another.
pub async fn partitions_and_kinds_are_apart(make: &dyn Factory) {
    let vector = SeededNumbers::new(5).vector(DIMENSION);
    let mut points = Vec::new();
    for (n, partition) in ["default/production", "default/staging", "other/production"].iter().enumerate() {
        for (m, kind) in ["incident", "template"].iter().enumerate() {
            points.push(Point {
                partition: (*partition).to_owned(),
                kind: (*kind).into(),
                payload: json!({"partition": partition, "kind": kind}),
                ..point("ONE", 10 + (n * 2 + m) as u64, vector.clone())
            });
        }
    }
    let site = filled(make, &points).await;
    for own in &points {
        let query = Query { partition: own.partition.clone(), kind: own.kind.clone(), ..query(99, vector.clone(), 10) };
        let found = site.store().search(query).await.unwrap();
        assert_eq!(found.iter().map(|one| &one.payload).collect::<Vec<_>>(), [&own.payload]);
    }
    let nowhere = Query { partition: "nobody/nowhere".to_owned(), ..query(99, vector, 10) };
    assert_eq!(site.store().search(nowhere).await.unwrap(), []);
}

/// An order that does not depend on when something was stored.
pub async fn equal_scores_go_by_the_items_id(make: &dyn Factory) {
    let vector = SeededNumbers::new(6).vector(DIMENSION);
    let points: Vec<Point> =
        ["D", "B", "E", "A", "C"].iter().zip(1..).map(|(item, at)| point(item, at, vector.clone())).collect();
    let site = filled(make, &points).await;
    let found = site.store().search(query(99, vector, 5)).await.unwrap();
    assert_eq!(found.iter().map(|one| one.item.as_str()).collect::<Vec<_>>(), ["A", "B", "C", "D", "E"]);
}

/// A step that was cut short is done again; what it had stored by then stays as it is.
pub async fn storing_again_changes_nothing(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(7);
    let points = vec![point("INC-A", 10, numbers.vector(DIMENSION)), point("INC-A", 20, numbers.vector(DIMENSION))];
    let site = filled(make, &points).await;
    let store = site.store();
    store.store(points.clone(), checkpoint(20)).await.unwrap();
    store.store(vec![points[0].clone()], checkpoint(20)).await.unwrap();
    let changed = Point { payload: json!({"changed": true}), ..points[0].clone() };
    store.store(vec![changed], checkpoint(20)).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 2);
    for as_of in [9, 10, 15, 20, 25] {
        assert_finds(&store, &points, query(as_of, points[0].vector.clone(), 10)).await;
    }
}

/// A version between two that are there takes its place.
pub async fn versions_may_come_in_any_order(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(8);
    let points: Vec<Point> =
        [30, 10, 50, 20, 40].iter().map(|at| point("INC-A", *at, numbers.vector(DIMENSION))).collect();
    let site = make.site(DIMENSION).await;
    for point in &points {
        site.store().store(vec![point.clone()], checkpoint(50)).await.unwrap();
    }
    for as_of in (5..60).step_by(5) {
        assert_finds(&site.store(), &points, query(as_of, points[0].vector.clone(), 10)).await;
    }
}

/// No more than was asked for, and not what is left out.
pub async fn a_limit_and_what_is_left_out_are_kept(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(9);
    let points: Vec<Point> = (1..=30).map(|n| point(&format!("INC-{n:02}"), n, numbers.vector(DIMENSION))).collect();
    let site = filled(make, &points).await;
    let vector = numbers.vector(DIMENSION);
    for limit in [0, 1, 3, 29, 30, 31] {
        assert_finds(&site.store(), &points, query(99, vector.clone(), limit)).await;
    }
    let best = expected(&points, &query(99, vector.clone(), 2));
    let without = best.iter().map(|one| one.item.clone()).collect();
    assert_finds(&site.store(), &points, Query { without, ..query(99, vector, 5) }).await;
}

/// Where a store says that it is, its data are; after a restart too.
pub async fn the_checkpoint_comes_with_its_data(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(10);
    let mut site = make.site(DIMENSION).await;
    let mut points = Vec::new();
    for step in 1..=4_u64 {
        let batch: Vec<Point> =
            (0..5).map(|n| point(&format!("INC-{n}"), step * 100 + n, numbers.vector(DIMENSION))).collect();
        points.extend(batch.clone());
        site.store().store(batch, checkpoint(step * 100 + 50)).await.unwrap();
        let store = if step % 2 == 0 { site.reopen().await } else { site.store() };
        assert_eq!(store.checkpoint().await.unwrap(), Some(checkpoint(step * 100 + 50)));
        assert_eq!(store.count().await.unwrap(), points.len() as u64);
        assert_finds(&store, &points, query(u64::MAX, points[0].vector.clone(), 10)).await;
    }
    site.store().store(Vec::new(), checkpoint(999)).await.unwrap();
    let store = site.reopen().await;
    assert_eq!(store.checkpoint().await.unwrap(), Some(checkpoint(999)), "a step may have no points");
    assert_eq!(store.count().await.unwrap(), points.len() as u64);
}

/// Two embedders' vectors are never compared.
pub async fn a_vector_of_another_length_is_refused(make: &dyn Factory) {
    let site = filled(make, &[point("INC-A", 10, SeededNumbers::new(11).vector(DIMENSION))]).await;
    let store = site.store();
    let long = SeededNumbers::new(12).vector(DIMENSION + 1);
    let batch = vec![point("INC-B", 11, SeededNumbers::new(13).vector(DIMENSION)), point("INC-C", 12, long.clone())];
    let refused = store.store(batch, checkpoint(12)).await;
    assert!(matches!(refused, Err(Error::Dimension { expected: DIMENSION, .. })), "got {refused:?}");
    let refused = store.search(query(99, long, 1)).await;
    assert!(matches!(refused, Err(Error::Dimension { expected: DIMENSION, .. })), "got {refused:?}");
    assert_eq!(store.count().await.unwrap(), 1, "nothing of the batch was taken");
    assert_eq!(store.checkpoint().await.unwrap(), Some(checkpoint(10)));
}

/// It is a projection: it can be emptied and filled anew.
pub async fn clearing_forgets_everything(make: &dyn Factory) {
    let mut numbers = SeededNumbers::new(14);
    let points = vec![point("INC-A", 10, numbers.vector(DIMENSION))];
    let mut site = filled(make, &points).await;
    site.store().clear().await.unwrap();
    for store in [site.store(), site.reopen().await] {
        assert_eq!(store.checkpoint().await.unwrap(), None);
        assert_eq!(store.count().await.unwrap(), 0);
        assert_finds(&store, &[], query(99, points[0].vector.clone(), 10)).await;
    }
    let anew = vec![point("INC-A", 5, numbers.vector(DIMENSION))];
    site.store().store(anew.clone(), checkpoint(5)).await.unwrap();
    assert_finds(&site.store(), &anew, query(99, anew[0].vector.clone(), 10)).await;
}

/// Random items, versions, ends and questions.
pub async fn any_history_agrees_with_the_plainest_code(make: &dyn Factory) {
    for seed in 20..24 {
        let mut numbers = SeededNumbers::new(seed);
        let mut site = make.site(DIMENSION).await;
        let mut points: Vec<Point> = Vec::new();
        let mut position = 0;
        for step in 0..12 {
            let mut batch = Vec::new();
            for _ in 0..numbers.below(8) {
                position += 1 + numbers.below(5);
                let mut point = point(&format!("INC-{}", numbers.below(9)), position, numbers.vector(DIMENSION));
                point.gone = numbers.below(5) == 0;
                if numbers.below(4) == 0 {
                    "default/staging".clone_into(&mut point.partition);
                }
                batch.push(point);
            }
            points.extend(batch.clone());
            site.store().store(batch, checkpoint(position)).await.unwrap();
            let store = if step == 6 { site.reopen().await } else { site.store() };
            for _ in 0..4 {
                let as_of = numbers.below(position + 3);
                let limit = usize::try_from(numbers.below(12)).unwrap();
                assert_finds(&store, &points, query(as_of, numbers.vector(DIMENSION), limit)).await;
            }
        }
    }
}

/// Clusters of near neighbours, as vectors of texts are: codes alone could not tell them apart.
pub async fn ten_thousand_points_are_searched_exactly(make: &dyn Factory) {
    const MANY: u64 = 10_000;
    let mut numbers = SeededNumbers::new(30);
    let centres: Vec<Vec<f32>> = (0..40).map(|_| numbers.vector(64)).collect();
    let near = |numbers: &mut SeededNumbers| {
        let centre = &centres[usize::try_from(numbers.below(40)).unwrap()];
        let off = numbers.vector(64);
        unit(centre.iter().zip(&off).map(|(x, y)| x + 0.25 * y).collect())
    };
    let points: Vec<Point> = (1..=MANY).map(|n| point(&format!("INC-{n:05}"), n * 4, near(&mut numbers))).collect();
    let site = make.site(64).await;
    for batch in points.chunks(1_000) {
        site.store().store(batch.to_vec(), checkpoint(batch.last().unwrap().position)).await.unwrap();
    }
    let (mut found, mut wanted) = (0, 0);
    for round in 0..20 {
        let as_of = if round % 2 == 0 { u64::MAX } else { numbers.below(MANY * 4) };
        let query = query(as_of, near(&mut numbers), 10);
        let must: Vec<String> = expected(&points, &query).into_iter().map(|one| one.item).collect();
        let got = site.store().search(query).await.unwrap();
        assert!(got.iter().all(|one| one.position <= as_of), "nothing later is found among many either");
        wanted += must.len();
        found += got.iter().filter(|one| must.contains(&one.item)).count();
    }
    assert!(wanted >= 180, "the questions have answers: {wanted}");
    assert_eq!(found, wanted, "recall over {MANY} points");
}
