//! What keeping and finding telemetry costs, in one run and on one disk, beside a plain file that is written and
//! synced with the same bytes. Disks are bursty, so rounds are interleaved, medians are shown, and only the ratios
//! are worth remembering.
//!
//! `cargo bench -p hindcast-telemetry-files --bench store`

#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that fails has nothing to say

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hindcast_clock::Stepped;
use hindcast_domain::{Partition, Span, Time};
use hindcast_telemetry::{
    LogFilter, LogLevel, LogRecord, Sample, SampleFilter, Telemetry, TelemetryBatch, TelemetryWindow,
};
use hindcast_telemetry_files::{Files, Options};

const ROUNDS: usize = 5;
/// Lines of a batch.
const LINES: i64 = 1_000;
/// Batches of a round of writing.
const BATCHES: i64 = 100;
/// Lines of the store that is searched, over a day.
const STORED: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    writing(&runtime);
    reading(&runtime);
}

fn start() -> Time {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

/// The `n`-th line of many, at its share of a day.
fn line(n: i64, of: i64) -> LogRecord {
    let id = n.wrapping_mul(2_654_435_761) & 0xffff_ffff;
    let words = ["accepted", "queued", "charged", "shipped", "refused", "retried", "expired"];
    let word = words[usize::try_from(id % 7).unwrap()];
    let labels = [
        ("pod".to_owned(), format!("svc-{}-7c9d5b6f4-{}", n % 20, n % 5)),
        ("host".to_owned(), format!("node-{}", n % 8)),
        ("trace_id".to_owned(), format!("{id:08x}{:08x}", id ^ 0x5bd1_e995)),
    ];
    LogRecord {
        time: start() + Span::millis(n * DAY * 1_000 / of),
        service: format!("svc-{}", n % 20),
        level: if id % 50 == 0 { LogLevel::Error } else { LogLevel::Info },
        message: format!(
            "order {id:08x} of customer {} {word} after {} ms in attempt {}",
            id % 9_973,
            id % 997,
            id % 3
        ),
        labels: labels.into(),
    }
}

fn batch(first: i64, of: i64) -> TelemetryBatch {
    TelemetryBatch { logs: (first..first + LINES).map(|n| line(n, of)).collect(), ..TelemetryBatch::default() }
}

fn open(folder: &Path) -> Arc<Files> {
    Files::open(Options::at(folder, Arc::new(Stepped::new(start())))).unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn production() -> Partition {
    Partition::of_environment("production")
}

fn writing(runtime: &tokio::runtime::Runtime) {
    println!(
        "{BATCHES} batches of {LINES} lines, each durable before it is answered; median of {ROUNDS} interleaved rounds"
    );
    let batches: Vec<TelemetryBatch> = (0..BATCHES).map(|n| batch(n * LINES, BATCHES * LINES)).collect();
    let json: Vec<Vec<u8>> = batches.iter().map(|batch| serde_json::to_vec(batch).unwrap()).collect();
    for appenders in [1, 8] {
        let (mut plain, mut own, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir_in(".").unwrap();
            let mut file = File::create(folder.path().join("plain")).unwrap();
            let begin = Instant::now();
            for body in &json {
                file.write_all(body).unwrap();
                file.sync_data().unwrap();
            }
            plain.push(begin.elapsed());
            let store = open(folder.path());
            let begin = Instant::now();
            runtime.block_on(append(&store, batches.clone(), appenders));
            own.push(begin.elapsed());
            bytes = store.figures().bytes;
        }
        let (plain, own) = (median(plain), median(own));
        let lines = (BATCHES * LINES) as f64;
        let written: usize = json.iter().map(Vec::len).sum();
        println!(
            "  {appenders} at once: {:.0} lines/s, {:.2} x the time of a plain file of the same JSON ({:.0} lines/s); {:.2} of its bytes",
            lines / own.as_secs_f64(),
            own.as_secs_f64() / plain.as_secs_f64(),
            lines / plain.as_secs_f64(),
            bytes as f64 / written as f64,
        );
    }
}

async fn append(store: &Arc<Files>, batches: Vec<TelemetryBatch>, appenders: usize) {
    let queue = Arc::new(std::sync::Mutex::new(batches));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..appenders {
        let (store, queue) = (Arc::clone(store), Arc::clone(&queue));
        tasks.spawn(async move {
            loop {
                let Some(batch) = queue.lock().unwrap().pop() else { return };
                store.append(&production(), batch).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

fn reading(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = open(folder.path());
    for n in 0..STORED / LINES {
        let mut batch = batch(n * LINES, STORED);
        let time = batch.logs[0].time;
        batch.samples = (0..50).map(|n| sample(time, n)).collect();
        runtime.block_on(store.append(&production(), batch)).unwrap();
    }
    let middle = start() + Span::hours(12);
    let stretch = TelemetryWindow::around(middle, Span::minutes(10), Span::minutes(5));
    let all = LogFilter { limit: 100_000, ..LogFilter::default() };
    println!(
        "\n15 minutes out of 24 hours with {STORED} lines, {} MB on disk; median of 21",
        store.figures().bytes / 1_000_000
    );
    let errors = LogFilter { level: Some(LogLevel::Error), ..all.clone() };
    let contains = LogFilter { contains: Some("REFUSED".to_owned()), ..all.clone() };
    let service = LogFilter { service: Some("svc-3".to_owned()), ..all.clone() };
    for (name, filter) in
        [("all lines", all), ("errors", errors), ("with a text", contains), ("of one service", service)]
    {
        let mut found = 0;
        let took = (0..21).map(|_| {
            let begin = Instant::now();
            found = runtime.block_on(store.logs(&production(), stretch, filter.clone())).unwrap().len();
            begin.elapsed()
        });
        let took = median(took.collect());
        println!("  {name}: {found} lines in {took:.1?}");
    }
    let mut found = 0;
    let took = (0..21).map(|_| {
        let begin = Instant::now();
        found = runtime.block_on(store.series(&production(), stretch, SampleFilter::default())).unwrap().len();
        begin.elapsed()
    });
    let took = median(took.collect());
    println!("  all series: {found} in {took:.1?}");
    let begin = Instant::now();
    let kept = runtime.block_on(store.pin(&production(), stretch, 64 << 20)).unwrap();
    println!("  a pin: {} records, {} bytes in {:.1?}", kept.records, kept.bytes, begin.elapsed());
    drop(store);
    let begin = Instant::now();
    let store = open(folder.path());
    println!("  opening it again: {:.1?} for {} records", begin.elapsed(), store.figures().records);
}

fn sample(time: Time, n: i64) -> Sample {
    let labels = [("pod".to_owned(), format!("svc-{n}-1"))].into();
    Sample { time, service: format!("svc-{}", n % 20), metric: "latency_seconds".to_owned(), labels, value: n as f64 }
}
