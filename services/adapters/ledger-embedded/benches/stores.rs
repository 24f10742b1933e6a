//! What a durable commit costs, in one run and on one disk: own segments, fjall, and a plain file. Disks are
//! bursty, so rounds are interleaved, medians are shown, and only the ratios are worth remembering.
//!
//! `cargo bench -p hindcast-ledger-embedded --bench stores`

#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that fails has nothing to say

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hindcast_ledger::{Ledger, Seq};
use hindcast_ledger_embedded::{EmbeddedLedger, Options};
use hindcast_testkit::conformance::toy::intake;

const ROUNDS: usize = 5;
const RECORD: usize = 900;
const RECORDS: usize = 64;

/// How the load comes.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    appenders: usize,
    /// Commits of each appender.
    commits: usize,
    /// Records of a commit.
    records: usize,
}

const LOADS: [Load; 3] = [
    Load { name: "one appender, 64 x 900 B a commit", appenders: 1, commits: 200, records: RECORDS },
    Load { name: "64 appenders, 64 x 900 B a commit", appenders: 64, commits: 8, records: RECORDS },
    Load { name: "64 appenders, 1 x 900 B a commit", appenders: 64, commits: 20, records: 1 },
];

type Store = fn(&tokio::runtime::Runtime, &Path, Load) -> Duration;
const STORES: [(&str, Store); 3] = [("plain file", plain), ("own segments", own), ("fjall SyncData", fjall)];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("each commit is durable before it is answered; median of {ROUNDS} interleaved rounds");
    for load in LOADS {
        println!("\n{}", load.name);
        let mut times = [const { Vec::new() }; STORES.len()];
        for _ in 0..ROUNDS {
            for (at, (_, store)) in STORES.iter().enumerate() {
                let folder = tempfile::tempdir_in(".").unwrap();
                times[at].push(store(&runtime, folder.path(), load));
            }
        }
        let medians = times.map(|mut times| {
            times.sort();
            times[ROUNDS / 2]
        });
        for ((name, _), median) in STORES.iter().zip(medians) {
            let commits = u32::try_from(load.appenders * load.commits).unwrap();
            let per_commit = median / commits;
            let records = (load.appenders * load.commits * load.records) as f64 / median.as_secs_f64();
            let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
            println!(
                "  {name:<15} {per_commit:>10.1?} a commit {records:>10.0} records/s   {ratio:.2} x the plain file's time"
            );
        }
    }
    reopen(&runtime);
}

fn body(load: Load) -> Bytes {
    Bytes::from((0..RECORD * load.records).map(|at| (at * 31 % 251) as u8).collect::<Vec<_>>())
}

/// How long a start takes, which reads and checks everything.
fn reopen(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let load = Load { name: "", appenders: 64, commits: 32, records: RECORDS };
    own(runtime, folder.path(), load);
    let begin = Instant::now();
    let ledger = EmbeddedLedger::open(Options::at(folder.path())).unwrap();
    let took = begin.elapsed();
    let bytes = (load.appenders * load.commits * body(load).len()) as f64;
    println!(
        "\nopening {:.0} MB of {} commits: {took:.1?}, {:.0} MB/s",
        bytes / 1e6,
        load.appenders * load.commits,
        bytes / 1e6 / took.as_secs_f64()
    );
    runtime.block_on(ledger.close());
}

/// One file, one write and one sync for each commit; appenders wait for one another.
fn plain(_: &tokio::runtime::Runtime, dir: &Path, load: Load) -> Duration {
    let file = Mutex::new(File::create(dir.join("plain")).unwrap());
    let body = body(load);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..load.appenders {
            scope.spawn(|| {
                for _ in 0..load.commits {
                    let mut file = file.lock().unwrap();
                    file.write_all(&body).unwrap();
                    file.sync_data().unwrap();
                }
            });
        }
    });
    begin.elapsed()
}

fn own(runtime: &tokio::runtime::Runtime, dir: &Path, load: Load) -> Duration {
    // The first segment is as large as the others, so that all rounds write into written-out zeroes.
    let options = Options { first_segment_bytes: 64 * 1024 * 1024, ..Options::at(dir) };
    let ledger = Arc::new(EmbeddedLedger::open(options).unwrap());
    let body = body(load);
    let begin = Instant::now();
    runtime.block_on(async {
        let mut appenders = tokio::task::JoinSet::new();
        for appender in 0..load.appenders {
            let (ledger, body) = (Arc::clone(&ledger), body.clone());
            appenders.spawn(async move {
                let subject = intake(&format!("w{appender}"));
                let mut last: Seq = 0;
                for _ in 0..load.commits {
                    last = ledger.append(&subject, last, body.clone()).await.unwrap();
                }
            });
        }
        while let Some(done) = appenders.join_next().await {
            done.unwrap();
        }
    });
    let took = begin.elapsed();
    runtime.block_on(ledger.close());
    took
}

fn fjall(_: &tokio::runtime::Runtime, dir: &Path, load: Load) -> Duration {
    let database = fjall::Database::builder(dir).open().unwrap();
    let records = database.keyspace("records", fjall::KeyspaceCreateOptions::default).unwrap();
    let body = body(Load { records: 1, ..load });
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for appender in 0..load.appenders {
            let (database, records, body) = (&database, &records, &body);
            scope.spawn(move || {
                for commit in 0..load.commits {
                    let mut batch = database.batch().durability(Some(fjall::PersistMode::SyncData));
                    for record in 0..load.records {
                        let key = [appender as u64, commit as u64, record as u64].map(u64::to_be_bytes).concat();
                        batch.insert(records, key, body.as_ref());
                    }
                    batch.commit().unwrap();
                }
            });
        }
    });
    begin.elapsed()
}
