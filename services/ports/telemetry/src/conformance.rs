//! What every store of telemetry does alike, as tests that each adapter runs: [`crate::conformance_suite!`] for
//! all, [`crate::durability_suite!`] for those that survive their process. It knows a store only through [`Site`],
//! and refuses to be lenient about any of them.

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pins;
mod restarts;
mod spans;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::{Partition, Time};

use crate::{
    ArrivalCursor, Arrived, KeptWindow, LogFilter, LogLevel, LogRecord, MetricSeries, Sample, SampleFilter, Shared,
    TelemetryBatch, TelemetryWindow,
};

pub use pins::{
    a_hash_that_is_none_finds_nothing, a_pin_holds_lines_and_samples_and_is_the_same_again,
    a_pin_is_bounded_and_keeps_what_warns_first,
};
pub use restarts::{a_cursor_goes_on_after_a_restart, what_was_answered_is_there_after_a_restart};
pub use spans::spans_of_a_stretch_come_oldest_first_and_the_newest_of_many;

/// One place where one store lies.
#[async_trait]
pub trait Site: Send + Sync {
    /// A handle to the store under test.
    fn store(&self) -> Shared;

    /// Ends the process that has it and opens it again; for stores that survive that.
    async fn reopen(&mut self) -> Shared {
        panic!("this store forgets with its process")
    }
}

/// Makes sites, each with an empty store.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A new site.
    async fn site(&self) -> Box<dyn Site>;
}

/// Makes one test of each case; `$make` is a [`Factory`].
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            lines_come_oldest_first_up_to_the_limit,
            a_stretch_holds_its_first_moment_and_not_its_last,
            filters_take_what_they_say,
            samples_are_gathered_into_series,
            partitions_never_mix,
            what_arrived_is_read_in_order_from_any_place,
            a_reader_waits_for_what_comes,
            concurrent_appends_are_all_kept,
            a_large_batch_is_kept_whole,
            a_pin_holds_lines_and_samples_and_is_the_same_again,
            a_pin_is_bounded_and_keeps_what_warns_first,
            a_hash_that_is_none_finds_nothing,
            what_is_not_finite_is_refused,
            spans_of_a_stretch_come_oldest_first_and_the_newest_of_many,
        }
    };
}

/// Makes one test of each case that needs a store which survives its process.
#[macro_export]
macro_rules! durability_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            what_was_answered_is_there_after_a_restart,
            a_cursor_goes_on_after_a_restart,
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

// ── what the cases are made of ─────────────────────────────────────────────────────────────────────

/// Seconds after an agreed moment.
#[must_use]
pub fn at(seconds: i64) -> Time {
    Time::from_millis(1_700_000_000_000 + seconds * 1_000)
}

/// The stretch between two such moments.
#[must_use]
pub fn between(from: i64, to: i64) -> TelemetryWindow {
    TelemetryWindow { from: at(from), to: at(to) }
}

/// A line of a service.
#[must_use]
pub fn line(seconds: i64, service: &str, level: LogLevel, message: &str) -> LogRecord {
    let labels = [("pod".to_owned(), format!("{service}-1"))].into();
    LogRecord { time: at(seconds), service: service.to_owned(), level, message: message.to_owned(), labels }
}

/// A sample of a service.
#[must_use]
pub fn sample(seconds: i64, service: &str, metric: &str, value: f64) -> Sample {
    let labels = [("pod".to_owned(), format!("{service}-1"))].into();
    Sample { time: at(seconds), service: service.to_owned(), metric: metric.to_owned(), labels, value }
}

/// A batch of lines.
#[must_use]
pub fn lines(logs: Vec<LogRecord>) -> TelemetryBatch {
    TelemetryBatch { logs, ..TelemetryBatch::default() }
}

/// A batch of samples.
#[must_use]
pub fn samples(samples: Vec<Sample>) -> TelemetryBatch {
    TelemetryBatch { samples, ..TelemetryBatch::default() }
}

/// The partition of most cases.
#[must_use]
pub fn production() -> Partition {
    Partition::of_environment("production")
}

async fn messages(store: &Shared, stretch: TelemetryWindow, filter: LogFilter) -> Vec<String> {
    let found = store.logs(&production(), stretch, filter).await.unwrap();
    found.into_iter().map(|record| record.message).collect()
}

async fn series(store: &Shared, stretch: TelemetryWindow, filter: SampleFilter) -> Vec<MetricSeries> {
    store.series(&production(), stretch, filter).await.unwrap()
}

/// All that arrived after a place, up to the head.
async fn all_arrived(store: &Shared, mut cursor: ArrivalCursor) -> Vec<Arrived> {
    let mut all = Vec::new();
    while cursor < store.head() {
        let some = store.arrived(cursor).await.unwrap();
        let records: usize = some.iter().map(|arrived| arrived.batch.len()).sum();
        assert!((1..=3_000).contains(&records), "some and not too many at once, got {records}");
        for arrived in some {
            assert!(arrived.next > cursor, "places rise");
            cursor = arrived.next;
            all.push(arrived);
        }
    }
    all
}

async fn pinned_lines(store: &Shared, kept: &KeptWindow) -> Vec<String> {
    let mut found = Vec::new();
    for hash in &kept.hashes {
        let block = store.pinned(hash).await.unwrap().expect("a pinned block is there");
        found.extend(std::str::from_utf8(&block).unwrap().lines().map(ToOwned::to_owned));
    }
    found
}

// ── the cases ──────────────────────────────────────────────────────────────────────────────────────

/// Oldest first, whatever the order of arrival; equal times as they arrived; no more than asked for.
pub async fn lines_come_oldest_first_up_to_the_limit(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let info = |seconds, message| line(seconds, "a", LogLevel::Info, message);
    for batch in [vec![info(3, "d"), info(1, "b")], vec![info(0, "a"), info(1, "c")], vec![info(9, "e")]] {
        store.append(&production(), lines(batch)).await.unwrap();
    }
    let limited = |limit| LogFilter { limit, ..LogFilter::default() };
    assert_eq!(messages(&store, between(0, 10), LogFilter::default()).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(messages(&store, between(0, 10), limited(3)).await, ["a", "b", "c"]);
    assert_eq!(messages(&store, between(0, 10), limited(2)).await, ["a", "b"]);
    assert!(messages(&store, between(0, 10), limited(0)).await.is_empty());
    let record = store.logs(&production(), between(3, 4), LogFilter::default()).await.unwrap();
    assert_eq!(record, [info(3, "d")], "a record comes back as it was given");
}

/// `from` is in it, `to` is not; for lines, samples and pins.
pub async fn a_stretch_holds_its_first_moment_and_not_its_last(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let logs = (0..5).map(|second| line(second, "a", LogLevel::Info, &second.to_string())).collect();
    let values = (0..5).map(|second| sample(second, "a", "m", 1.0)).collect();
    store.append(&production(), TelemetryBatch { logs, samples: values, ..TelemetryBatch::default() }).await.unwrap();
    assert_eq!(messages(&store, between(1, 3), LogFilter::default()).await, ["1", "2"]);
    let found = series(&store, between(1, 3), SampleFilter::default()).await;
    assert_eq!(found.first().unwrap().points, [(at(1), 1.0), (at(2), 1.0)]);
    assert_eq!(store.pin(&production(), between(1, 3), 1 << 20).await.unwrap().records, 4);
    for empty in [between(5, 9), between(-9, 0), between(3, 3), between(3, 1)] {
        assert!(messages(&store, empty, LogFilter::default()).await.is_empty(), "{empty:?}");
        assert!(series(&store, empty, SampleFilter::default()).await.is_empty(), "{empty:?}");
        assert_eq!(store.pin(&production(), empty, 1 << 20).await.unwrap(), KeptWindow::default(), "{empty:?}");
    }
}

/// Service, level, text and metric, alone and together.
pub async fn filters_take_what_they_say(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let logs = vec![
        line(0, "a", LogLevel::Debug, "Connection OPENED"),
        line(1, "a", LogLevel::Warning, "slow"),
        line(2, "b", LogLevel::Error, "connection Lost"),
        line(3, "b", LogLevel::Fatal, "ÄRGER"),
    ];
    let values = vec![sample(0, "a", "m", 1.0), sample(0, "a", "n", 2.0), sample(0, "b", "m", 3.0)];
    store.append(&production(), TelemetryBatch { logs, samples: values, ..TelemetryBatch::default() }).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let all = LogFilter::default;
    for (filter, expected) in [
        (LogFilter { service: text("b"), ..all() }, vec!["connection Lost", "ÄRGER"]),
        (LogFilter { service: text("c"), ..all() }, vec![]),
        (LogFilter { level: Some(LogLevel::Warning), ..all() }, vec!["slow", "connection Lost", "ÄRGER"]),
        (LogFilter { contains: text("CONNECTION"), ..all() }, vec!["Connection OPENED", "connection Lost"]),
        (LogFilter { contains: text("ärger"), ..all() }, vec!["ÄRGER"]),
        (LogFilter { contains: text("connection"), level: Some(LogLevel::Info), ..all() }, vec!["connection Lost"]),
    ] {
        assert_eq!(messages(&store, between(0, 9), filter.clone()).await, expected, "{filter:?}");
    }
    for (service, metric, count) in
        [(None, None, 3), (text("a"), None, 2), (None, text("m"), 2), (text("b"), text("n"), 0)]
    {
        let filter = SampleFilter { service, metric };
        assert_eq!(series(&store, between(0, 9), filter.clone()).await.len(), count, "{filter:?}");
    }
}

/// One series a set of labels; points oldest first; of two at one moment the one that arrived later counts.
pub async fn samples_are_gathered_into_series(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let other = Sample { labels: BTreeMap::new(), ..sample(1, "a", "m", 7.0) };
    for batch in [vec![sample(2, "a", "m", 2.0), sample(1, "a", "m", 1.0)], vec![other, sample(2, "a", "m", 9.0)]] {
        store.append(&production(), samples(batch)).await.unwrap();
    }
    let found = series(&store, between(0, 9), SampleFilter::default()).await;
    let points: Vec<&[(Time, f64)]> = found.iter().map(|series| series.points.as_slice()).collect();
    assert_eq!(points, [&[(at(1), 7.0)][..], &[(at(1), 1.0), (at(2), 9.0)][..]]);
    assert_eq!(found.first().unwrap().labels, BTreeMap::new());
}

/// Nothing of one environment is seen from another.
pub async fn partitions_never_mix(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let staging = Partition::of_environment("staging");
    let foreign = Partition { tenant: "other".to_owned(), ..production() };
    for (partition, name) in [(&production(), "p"), (&staging, "s"), (&foreign, "f")] {
        let logs = vec![line(0, name, LogLevel::Error, name)];
        let batch = TelemetryBatch { logs, samples: vec![sample(0, name, name, 1.0)], ..TelemetryBatch::default() };
        store.append(partition, batch).await.unwrap();
    }
    for (partition, name) in [(&production(), "p"), (&staging, "s"), (&foreign, "f")] {
        let found = store.logs(partition, between(0, 9), LogFilter::default()).await.unwrap();
        assert_eq!(found.iter().map(|record| record.message.as_str()).collect::<Vec<_>>(), [name]);
        let found = store.series(partition, between(0, 9), SampleFilter::default()).await.unwrap();
        assert_eq!(found.iter().map(|series| series.metric.as_str()).collect::<Vec<_>>(), [name]);
        let kept = store.pin(partition, between(0, 9), 1 << 20).await.unwrap();
        let pinned = pinned_lines(&store, &kept).await;
        assert!(kept.records == 2 && pinned.iter().all(|line| line.contains(&format!("\"{name}\""))), "{pinned:?}");
    }
    let whose: Vec<String> =
        all_arrived(&store, ArrivalCursor(0)).await.iter().map(|arrived| arrived.partition.to_string()).collect();
    let expected = [&production(), &staging, &foreign].map(ToString::to_string);
    assert_eq!(whose, expected);
}

/// In the order of arrival, from the beginning and from any place.
pub async fn what_arrived_is_read_in_order_from_any_place(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    assert_eq!(store.head(), ArrivalCursor(0));
    for number in 0..50 {
        let seconds = (number * 37) % 50;
        let batch = TelemetryBatch {
            logs: vec![line(seconds, "a", LogLevel::Info, &number.to_string())],
            samples: vec![sample(seconds, "a", "m", 1.0)],
            ..TelemetryBatch::default()
        };
        store.append(&production(), batch).await.unwrap();
    }
    let all = all_arrived(&store, ArrivalCursor(0)).await;
    let numbers = |arrived: &[Arrived]| -> Vec<String> {
        arrived.iter().flat_map(|arrived| &arrived.batch.logs).map(|record| record.message.clone()).collect()
    };
    let expected: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(numbers(&all), expected);
    assert_eq!(all.iter().map(|arrived| arrived.batch.samples.len()).sum::<usize>(), 50);
    assert_eq!(all.last().unwrap().next, store.head());
    let middle = all.get(20).unwrap().next;
    assert_eq!(all_arrived(&store, middle).await, all.get(21..).unwrap());
}

/// At the head a reader waits, and a place that was never given out is taken for the head.
pub async fn a_reader_waits_for_what_comes(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    store.append(&production(), lines(vec![line(0, "a", LogLevel::Info, "before")])).await.unwrap();
    for cursor in [store.head(), ArrivalCursor(1 << 40)] {
        let waiting = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.arrived(cursor).await.unwrap() }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "nothing has arrived");
        store.append(&production(), lines(vec![line(0, "a", LogLevel::Info, "after")])).await.unwrap();
        let arrived = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it is woken").unwrap();
        let found: Vec<&str> =
            arrived.iter().flat_map(|arrived| &arrived.batch.logs).map(|record| record.message.as_str()).collect();
        assert_eq!(found, ["after"]);
    }
}

/// Appends of many at once are all there, and those of one stay in their order.
pub async fn concurrent_appends_are_all_kept(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let appenders = (0..16).map(|appender| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let partition = Partition::of_environment(if appender % 2 == 0 { "production" } else { "staging" });
            for number in 0..8 {
                let message = format!("{appender}/{number}");
                let batch = lines(vec![line(number, "a", LogLevel::Info, &message)]);
                store.append(&partition, batch).await.unwrap();
            }
        })
    });
    for appender in appenders.collect::<Vec<_>>() {
        appender.await.unwrap();
    }
    assert_eq!(messages(&store, between(0, 9), LogFilter::default()).await.len(), 64);
    assert_eq!(store.figures().records, 128);
    let arrived = all_arrived(&store, ArrivalCursor(0)).await;
    let mut next: BTreeMap<String, i64> = BTreeMap::new();
    for record in arrived.iter().flat_map(|arrived| &arrived.batch.logs) {
        let (appender, number) = record.message.split_once('/').unwrap();
        let expected = next.entry(appender.to_owned()).or_default();
        assert_eq!(number, expected.to_string(), "the order of appender {appender}");
        *expected += 1;
    }
    assert_eq!(next.values().sum::<i64>(), 128);
}

/// A batch of many records stays in its order, whatever the store makes of it.
pub async fn a_large_batch_is_kept_whole(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let logs: Vec<LogRecord> = (0..2_500).map(|n| line(n % 100, "a", LogLevel::Info, &n.to_string())).collect();
    store.append(&production(), lines(logs.clone())).await.unwrap();
    let arrived = all_arrived(&store, ArrivalCursor(0)).await;
    let found: Vec<LogRecord> = arrived.into_iter().flat_map(|arrived| arrived.batch.logs).collect();
    assert_eq!(found, logs);
    let mut sorted = logs;
    sorted.sort_by_key(|record| record.time);
    let filter = LogFilter { limit: 10_000, ..LogFilter::default() };
    assert_eq!(store.logs(&production(), between(0, 100), filter).await.unwrap(), sorted);
}

/// A value that is none is refused with its batch.
pub async fn what_is_not_finite_is_refused(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    for value in [f64::NAN, f64::INFINITY] {
        assert!(store.append(&production(), samples(vec![sample(0, "a", "m", value)])).await.is_err());
    }
    store.append(&production(), TelemetryBatch::default()).await.unwrap();
    assert_eq!((store.head(), store.figures().records), (ArrivalCursor(0), 0));
}
