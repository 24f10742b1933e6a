//! Owns the course of a recording: open everything, run until the scenario, the time or the caller ends it, export, pack.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::clock;
use crate::compress;
use crate::door::{self, RecordingEndpoint};
use crate::error::Error;
use crate::format::{
    CATALOG, FORMAT, LOGS, LogLine, MANIFEST, METRICS, REQUESTS, RecordedChannel, RecordingManifest, TRUTH,
};
use crate::keep::{self, RecordQueue, RecordedCounts};
use crate::limits::{SERVE_GRACE, TAIL_INTERVAL};
use crate::logline;
use crate::metrics;
use crate::options::{LogSource, Options};
use crate::redact::RecordingRedactor;
use crate::tail::FollowedFile;

/// What a recording came to.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingSummary {
    /// The folder of the recording.
    pub out: PathBuf,
    /// How long it lasted, in seconds.
    pub duration_s: f64,
    /// Requests by channel.
    pub requests: BTreeMap<RecordedChannel, u64>,
    /// Number of log lines that were written.
    pub log_lines: u64,
    /// Samples of metrics.
    pub samples: u64,
    /// Faults that were marked.
    pub faults: usize,
    /// Changes that were marked.
    pub changes: usize,
    /// Seconds that were marked as healthy, all stretches together.
    pub healthy_s: f64,
}

/// Records until the scenario ends, the duration is over, or `shutdown` completes, and leaves a whole recording behind.
///
/// # Errors
/// Where something could not be kept or exported. What had been kept by then stays in the folder, as `*.part` until it is packed.
pub async fn record(options: Options, shutdown: impl Future<Output = ()>) -> Result<RecordingSummary, Error> {
    let started = clock::now();
    prepare(&options)?;
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(|source| Error::Listen { listen: options.listen, source })?;
    let address = listener.local_addr().map_err(|source| Error::Listen { listen: options.listen, source })?;
    let redactor = RecordingRedactor::new(options.replace.clone());
    let (requests_part, logs_part) = (options.out.join("requests.ndjson.part"), options.out.join("logs.ndjson.part"));
    let (keeper, writer) = keep::keeper(&requests_part, &logs_part)?;
    let (stop, stopped) = watch::channel(false);
    let mut tails = follow(&options.logs, &keeper, &redactor, &stopped)?;
    let door = RecordingEndpoint::new(keeper.clone(), redactor, options.out.join(TRUTH), started);
    let serve = axum::serve(listener, door.clone().router()).with_graceful_shutdown(until(stopped));
    let mut serve = tokio::spawn(serve.into_future());
    let mut writer = tokio::task::spawn_blocking(move || writer.run());
    tracing::info!(%address, "recording");
    let url = format!("http://{address}");

    let ended = tokio::select! {
        ended = run_command(&options, &url) => ended,
        () = shutdown => Ok(()),
        () = sleep(options.duration) => Ok(()),
        error = first_failure(&mut tails) => Err(error),
        served = &mut serve => Err(ended_early("HTTP server", served.map(|result| result.map_err(Error::Serve)))),
        wrote = &mut writer => Err(ended_early("writer", wrote)),
    };
    match ended {
        Ok(()) | Err(Error::Scenario { .. }) => {}
        Err(error) => return Err(error),
    }

    let finished = clock::now();
    let truth = door.truth(finished);
    stop.send_replace(true);
    // Whoever holds a connection open past the grace finds the writer gone, and is told so.
    if let Ok(served) = tokio::time::timeout(SERVE_GRACE, &mut serve).await {
        served.map_err(|_| Error::Lost("HTTP server"))?.map_err(Error::Serve)?;
    }
    join(tails).await?;
    keeper.end().await;
    let counts = writer.await.map_err(|_| Error::Lost("writer"))??;
    door::write_truth(&options.out.join(TRUTH), &truth)?;
    compress::pack(&requests_part, &options.out.join(REQUESTS))?;
    compress::pack(&logs_part, &options.out.join(LOGS))?;
    write_manifest(&options, started, finished)?;
    // Last, so that a Prometheus that does not answer costs the metrics and nothing else.
    let samples = export(&options, started, finished).await?;
    let healthy = truth.healthy.iter().map(|stretch| seconds(stretch.from, stretch.to)).sum();
    let summary = summarise(
        &options,
        counts,
        samples,
        seconds(started, finished),
        (truth.faults.len(), truth.changes.len(), healthy),
    );
    ended.map(|()| summary)
}

/// Everything that can be known to fail is found out before the first request.
fn prepare(options: &Options) -> Result<(), Error> {
    if let Some(prometheus) = &options.prometheus {
        metrics::address(prometheus)?;
    }
    let write = |source| Error::Write { path: options.out.clone(), source };
    std::fs::create_dir_all(&options.out).map_err(write)?;
    if std::fs::read_dir(&options.out).map_err(write)?.next().is_some() {
        return Err(Error::NotEmpty(options.out.clone()));
    }
    if let Some(catalog) = &options.catalog {
        let bytes = std::fs::read(catalog).map_err(|source| Error::Read { path: catalog.clone(), source })?;
        compress::put(&options.out.join(CATALOG), &bytes)?;
    }
    Ok(())
}

fn follow(
    logs: &[LogSource],
    keeper: &RecordQueue,
    redactor: &RecordingRedactor,
    stopped: &watch::Receiver<bool>,
) -> Result<JoinSet<Result<(), Error>>, Error> {
    let mut tails = JoinSet::new();
    for source in logs {
        let tail = FollowedFile::new(&source.path)
            .map_err(|error| Error::Read { path: source.path.clone(), source: error })?;
        tails.spawn(follow_one(tail, source.clone(), keeper.clone(), redactor.clone(), stopped.clone()));
    }
    Ok(tails)
}

async fn follow_one(
    mut tail: FollowedFile,
    source: LogSource,
    keeper: RecordQueue,
    redactor: RecordingRedactor,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut last = (clock::now(), "info");
    loop {
        let end = tokio::time::timeout(TAIL_INTERVAL, stopped.wait_for(|stopped| *stopped)).await.is_ok();
        let lines = if end { tail.finish() } else { tail.poll() };
        for line in lines.map_err(|error| Error::Read { path: source.path.clone(), source: error })? {
            let said = logline::read(source.format, &line);
            last = (said.time.unwrap_or(last.0), said.severity.unwrap_or(last.1));
            let message = redactor.text(&said.message).into_owned();
            let line = LogLine { time: last.0, service: source.service.clone(), severity: last.1.to_owned(), message };
            if !keeper.log(line).await {
                return Err(Error::Lost("writer"));
            }
        }
        if end {
            return Ok(());
        }
    }
}

/// Waits for a follower that fails; they end by themselves in no other way before the stop.
async fn first_failure(tails: &mut JoinSet<Result<(), Error>>) -> Error {
    match tails.join_next().await {
        Some(ended) => ended_early("follower of a log", ended),
        None => pending().await,
    }
}

/// What to say of a part that ended while it was still needed.
fn ended_early<T>(part: &'static str, ended: Result<Result<T, Error>, JoinError>) -> Error {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => Error::Lost(part),
    }
}

async fn join(mut tails: JoinSet<Result<(), Error>>) -> Result<(), Error> {
    while let Some(tail) = tails.join_next().await {
        tail.map_err(|_| Error::Lost("follower of a log"))??;
    }
    Ok(())
}

/// Runs the scenario to its end; without one, never returns. Cancelled, it leaves no process behind.
async fn run_command(options: &Options, url: &str) -> Result<(), Error> {
    let Some((program, arguments)) = options.command.split_first() else {
        return pending().await;
    };
    let failed = |source| Error::Start { program: program.clone(), source };
    let mut command = Command::new(program);
    command.args(arguments).env("HINDCAST_RECORDER", url).kill_on_drop(true);
    let mut child: Child = command.spawn().map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Error::Scenario { status }) }
}

async fn sleep(duration: Option<std::time::Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => pending().await,
    }
}

/// Waits for the stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the recorder itself is gone, which is an end as well.
    let stop = stopped.wait_for(|stopped| *stopped).await;
    drop(stop);
}

async fn export(options: &Options, from: Timestamp, to: Timestamp) -> Result<u64, Error> {
    match &options.prometheus {
        Some(prometheus) => {
            let path = options.out.join(METRICS);
            metrics::export(prometheus, &options.metrics, from, to, options.step, &path).await
        }
        None => Ok(0),
    }
}

fn write_manifest(options: &Options, started: Timestamp, finished: Timestamp) -> Result<(), Error> {
    let manifest = RecordingManifest {
        format: FORMAT,
        name: options.name.clone(),
        title: options.title.clone(),
        recorded_at: started,
        duration_s: seconds(started, finished),
        environment: options.environment.clone(),
        software: options.software.clone(),
        play: options.play,
        recorder: "hindcast record".to_owned(),
    };
    let path: &Path = &options.out.join(MANIFEST);
    let bytes = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::Write { path: path.to_owned(), source: error.into() })?;
    compress::put(path, &bytes)
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn summarise(
    options: &Options,
    counts: RecordedCounts,
    samples: u64,
    duration_s: f64,
    told: (usize, usize, f64),
) -> RecordingSummary {
    RecordingSummary {
        out: options.out.clone(),
        duration_s,
        requests: counts.requests,
        log_lines: counts.log_lines,
        samples,
        faults: told.0,
        changes: told.1,
        healthy_s: told.2,
    }
}

impl fmt::Display for RecordingSummary {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "recorded {:.0} s into {}: ", self.duration_s, self.out.display())?;
        for (channel, count) in &self.requests {
            write!(to, "{count} {} requests, ", channel.name())?;
        }
        write!(to, "{} log lines, {} samples; ", self.log_lines, self.samples)?;
        write!(to, "{} faults, {} changes, {:.0} s healthy", self.faults, self.changes, self.healthy_s)
    }
}
