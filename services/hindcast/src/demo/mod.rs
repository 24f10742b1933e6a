//! The demo: a real recording, played through the real door at the speed asked for, against its truth.
//!
//! The driver holds the clock port: it sets the time to the next request or timer, sends over HTTP, waits
//! until everything is settled, and goes on. No header sets time; sockets and disks are real. Nothing is
//! printed that was not computed in this run.

mod advice;
mod driver;
mod judge;
mod people;
mod played;
mod summary;
mod telemetry;
mod told;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use hindcast_clock::{self as clock, Clock};
use hindcast_domain::{Span, Time};
use hindcast_recorder::format::{Embedded, RecordedChannel, StoredRecording};
use tokio::net::TcpListener;

use crate::embedder;
use crate::folder::Folder;
use crate::ledger::OpenedLedger;
use crate::node::{Node, Parts, Role, figures};
use crate::settings::{self, Flags, Settings};
use crate::up::Stop;

/// The flags of a demo.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Play a recording: one that is built in (pg-pool), or a folder that `hindcast record` made.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = BUILT_IN)]
    demo: Option<String>,
    /// The speed, as a multiple of real time; 0 plays as fast as possible.
    #[arg(long, value_name = "N", default_value_t = 60.0, requires = "demo")]
    speed: f64,
    /// Which of the recorded channels to play: prometheus or alertmanager [default: the recording's].
    #[arg(long, value_name = "CHANNEL", requires = "demo", value_parser = channel)]
    channel: Option<RecordedChannel>,
    /// Exit after the summary, also on a terminal.
    #[arg(long, requires = "demo")]
    exit: bool,
    /// Download nothing; without an embedding model, hashed words replace it.
    #[arg(long, requires = "demo")]
    offline: bool,
    /// Ask on every healthy minute of the recording whether anything is wrong: for tests of that.
    #[arg(long, requires = "demo", hide = true)]
    probe: bool,
    /// Print the summary as one JSON document.
    #[arg(long, requires = "demo")]
    summary_json: bool,
}

/// How long fetching the embedding model may take.
const FETCH: Duration = Duration::from_secs(60);
/// The recording that is a part of the binary.
const BUILT_IN: &str = "pg-pool";

impl Args {
    /// Whether a demo is meant at all.
    pub fn is_asked_for(&self) -> bool {
        self.demo.is_some()
    }
}

fn channel(text: &str) -> Result<RecordedChannel, String> {
    let known = [RecordedChannel::Prometheus, RecordedChannel::Alertmanager];
    known
        .into_iter()
        .find(|channel| channel.name() == text)
        .ok_or_else(|| format!("expected prometheus or alertmanager, got {text:?}"))
}

fn recording(name: &str) -> anyhow::Result<StoredRecording> {
    if name == BUILT_IN {
        return StoredRecording::load_embedded(Embedded {
            manifest: include_bytes!("../../../../tests/recordings/pg-pool/recording.json"),
            truth: include_bytes!("../../../../tests/recordings/pg-pool/truth.json"),
            requests: include_bytes!("../../../../tests/recordings/pg-pool/requests.ndjson.zst"),
            catalog: Some(include_str!("../../../../tests/recordings/pg-pool/catalog.yaml")),
            logs: Some(include_bytes!("../../../../tests/recordings/pg-pool/logs.ndjson.zst")),
            metrics: Some(include_bytes!("../../../../tests/recordings/pg-pool/metrics.csv.zst")),
        })
        .context("the built-in recording");
    }
    let folder = Path::new(name);
    anyhow::ensure!(
        folder.is_dir(),
        "expected {BUILT_IN}, or the folder of a recording, got {name:?}\nremedy: see `hindcast record --help`"
    );
    StoredRecording::load(folder).with_context(|| format!("the recording {name}"))
}

/// Plays a recording, prints the summary, and keeps serving where somebody looks.
///
/// # Errors
/// When the recording cannot be read, or the service cannot start or settle.
pub async fn run(args: &Args, flags: &Flags) -> anyhow::Result<()> {
    let began = Instant::now();
    let recording = recording(args.demo.as_deref().unwrap_or(BUILT_IN))?;
    let folder = tempfile::Builder::new().prefix("hindcast-demo-").tempdir()?;
    let mut stop = Stop::new()?;
    let requests: Vec<_> = recording.played(args.channel)?.collect::<Result<_, _>>()?;
    let first = requests.first().map_or(Time::ZERO, |request| played::time(request.at));
    let stepped = clock::Stepped::new(first);
    let fetched = fetch(args, flags).await;
    let node = start(&recording, flags, folder.path(), &stepped).await?;
    let embedder = match (&node.advising.embedder, fetched) {
        (identity, Some(seconds)) if !identity.stand_in => format!("{} (fetched, {seconds} s)", identity.model),
        (identity, _) if identity.stand_in => "hashed words (no model installed)".to_owned(),
        (identity, _) => identity.model.clone(),
    };
    let channel = args.channel.unwrap_or(recording.manifest.play);
    if !args.summary_json {
        summary::head(&recording, channel, args.speed, &embedder);
    }
    let probes = if args.probe { healthy_minutes(&recording) } else { Vec::new() };
    let driver = driver::Driver { node: &node, clock: &stepped, speed: args.speed, quiet: args.summary_json, probes };
    let played = tokio::select! {
        played = driver.play(&requests, telemetry::Feed::open(&recording)?, &recording.truth.faults) => played?,
        () = stop.asked() => {
            node.stop().await;
            return Ok(());
        }
    };
    let verdict = judge::judge(&node.views, &recording).await?;
    let advised = advice::ask(&node, &recording, &played, &verdict).await?;
    let facts = summary::Facts::gather(&node, &played, verdict, advised, folder.path(), began, stepped.now()).await?;
    if args.summary_json {
        println!("{}", serde_json::to_string_pretty(&facts)?);
    } else {
        summary::print(&recording, &facts);
    }
    stepped.run();
    if !args.exit && std::io::stdout().is_terminal() {
        println!("serving on {} · Ctrl-C stops and deletes the demo", node.address);
        stop.asked().await;
    }
    node.stop().await;
    Ok(())
}

/// Fetches the embedding model where there is none, within a time limit; the seconds that it took.
async fn fetch(args: &Args, flags: &Flags) -> Option<u64> {
    let named = flags.advising.memory.model_dir.as_deref();
    if args.offline || embedder::find(named).is_some() {
        return None;
    }
    let began = Instant::now();
    let dir = embedder::target(named).ok()?;
    match embedder::install(&dir, FETCH).await {
        Ok(_) => Some(began.elapsed().as_secs()),
        Err(error) => {
            tracing::warn!("no embedding model: {error:#}; hashed words replace it");
            None
        }
    }
}

/// The healthy stretches of a recording, cut into minutes.
fn healthy_minutes(recording: &StoredRecording) -> Vec<(Time, Time)> {
    let minute = Span::minutes(1);
    // The question is asked at the next request, which must not lie in the fault that follows.
    let margin = Span::seconds(3);
    let mut minutes = Vec::new();
    for healthy in &recording.truth.healthy {
        let (mut from, end) = (played::time(healthy.from), played::time(healthy.to) - margin);
        while from + minute <= end + margin {
            minutes.push((from, (from + minute).min(end)));
            from = from + minute;
        }
    }
    minutes
}

async fn start(
    recording: &StoredRecording,
    flags: &Flags,
    data: &Path,
    stepped: &clock::Stepped,
) -> anyhow::Result<Node> {
    let mut settings = Settings::resolve(flags, Some(data))?;
    settings.catalog = recording.catalog.as_deref().map(settings::parse_catalog).transpose()?;
    settings.sources.clear();
    settings.otlp_listen = None;
    settings.syslog.listen = None;
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        // Somebody's service may run on the usual address; the demo takes any other.
        Err(_) if flags.listen.is_none() => TcpListener::bind("127.0.0.1:0").await?,
        Err(error) => {
            return Err(error).with_context(|| format!("the listen address {}", settings.listen));
        }
    };
    settings.public_url = format!("http://{}", listener.local_addr()?);
    settings.data = PathBuf::from(data);
    let folder = Folder::open(data)?;
    // Seeded, so that two runs of one recording have the same ids.
    folder.keep(&crate::folder::Keys { tenant: "de".repeat(32), token_sha256: None })?;
    let (metrics, progress) = figures::counted(&settings);
    let opened = OpenedLedger::open(&settings, &folder, Some("demo"), &progress).await?;
    let parts = Parts {
        settings,
        roles: Role::ALL.into(),
        clock: std::sync::Arc::new(stepped.clone()),
        opened,
        progress,
        metrics,
        listener,
        token: None,
        reading_only: false,
    };
    Node::start(parts).await
}
