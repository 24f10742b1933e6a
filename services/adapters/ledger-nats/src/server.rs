//! A server of our own, for `up --ledger nats`: on loopback, syncing before it acknowledges. It outlives a
//! crash of ours on purpose; the next start takes over the one that still runs on the same store.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hindcast_ledger::heads;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::monitor;

/// How long a start or stop may take.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The server's program.
    pub program: PathBuf,
    /// Its store; everything of it lies here.
    pub store: PathBuf,
    /// The port on loopback; 0 keeps the one of the last start, or takes a free one.
    pub port: u16,
    /// Ends the server when this process drops it; for tests.
    pub kill_on_drop: bool,
    /// Syncs before it acknowledges. Off only for a test that must be refused.
    pub sync_always: bool,
}

impl ServerOptions {
    /// The usual ones.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>, store: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), store: store.into(), port: 0, kill_on_drop: false, sync_always: true }
    }
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A step on the disk or with the process failed.
    #[error("the NATS server cannot {step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder of the failed operation.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// It ended, or never answered.
    #[error("the NATS server was not ready within {PATIENCE:?}; see {0}")]
    NotReady(PathBuf),
    /// It did not stop when asked.
    #[error("the NATS server {0} did not stop within {PATIENCE:?}")]
    NotStopped(u32),
}

/// What the store says of the server that runs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunningServer {
    pid: u32,
    port: u16,
    monitoring: u16,
}

/// A server that runs.
#[derive(Debug)]
pub struct NatsServer {
    options: ServerOptions,
    running: RunningServer,
    child: Option<Child>,
}

impl NatsServer {
    /// Starts a server, or takes over the one that still runs on this store, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started or is not ready in time.
    pub async fn start(options: ServerOptions) -> Result<Self, ServerError> {
        let io = |step, path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::Io { step, path, source }
        };
        std::fs::create_dir_all(&options.store).map_err(io("make", &options.store))?;
        let before = read_running(&options.store);
        if let Some(running) = &before
            && is_ours(running, &options.store).await
        {
            tracing::info!(pid = running.pid, port = running.port, "taking over a NATS server that still runs");
            return Ok(Self { running: running.clone(), options, child: None });
        }
        let config = options.store.join("server.conf");
        if let Some(before) = &before
            && let Some(pid) = process_of(&config)
        {
            // It was started a moment ago by somebody who was killed before it answered.
            let mut server = Self { running: RunningServer { pid, ..before.clone() }, options, child: None };
            server.wait_until_ready().await?;
            return Ok(server);
        }
        let kept = |port: u16, kept: Option<u16>| match (port, kept) {
            (0, Some(kept)) if is_free(kept) => Ok(kept),
            (0, _) => free_port(),
            (port, _) => Ok(port),
        };
        let port = kept(options.port, before.as_ref().map(|b| b.port)).map_err(io("listen for", &options.store))?;
        let monitoring = kept(0, before.as_ref().map(|b| b.monitoring)).map_err(io("listen for", &options.store))?;
        let note = |pid: u32| -> Result<RunningServer, ServerError> {
            let running = RunningServer { pid, port, monitoring };
            let path = running_path(&options.store);
            let text = serde_json::to_vec(&running).unwrap_or_default();
            heads::replace(&path, &text).map_err(|source| ServerError::Io { step: "write", path, source })?;
            Ok(running)
        };
        // The ports are noted before it runs, so that whoever comes after us finds it even then.
        note(0)?;
        std::fs::write(&config, config_text(&options, port, monitoring)).map_err(io("write", &config))?;
        let log = std::fs::File::create(log_path(&options.store)).map_err(io("write", &options.store))?;
        let mut command = Command::new(&options.program);
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A terminal's interrupt is ours to handle: we stop it, after everything is durable.
        command.process_group(0);
        let child = command.kill_on_drop(options.kill_on_drop).spawn().map_err(io("start", &options.program))?;
        let running = note(child.id().unwrap_or(0))?;
        let mut server = Self { options, running, child: Some(child) };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.running.port)
    }

    /// Where it says what clients cannot see.
    #[must_use]
    pub fn monitoring(&self) -> String {
        monitoring_of(&self.running)
    }

    /// The server's process, as the system numbers it.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.running.pid
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        let pid = self.running.pid;
        let signal = format!("stop={pid}");
        let asked = Command::new(&self.options.program)
            .args(["--signal", &signal])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        if !asked.is_ok_and(|status| status.success()) {
            tracing::warn!(pid, "the NATS server could not be asked to stop");
        }
        let gone = async {
            match self.child.as_mut() {
                Some(child) => child.wait().await.map(|_| ()).unwrap_or_default(),
                None => {
                    while is_ours(&self.running, &self.options.store).await {
                        tokio::time::sleep(LOOK).await;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.map_err(|_| ServerError::NotStopped(pid))
    }

    /// Kills it as a power cut would, and waits until it is gone. For tests.
    #[doc(hidden)]
    pub async fn kill(mut self) {
        if let Some(child) = self.child.as_mut()
            && let Err(error) = child.kill().await
        {
            tracing::error!(%error, "the NATS server could not be killed");
        }
    }

    async fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let not_ready = ServerError::NotReady(log_path(&self.options.store));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if let Some(child) = self.child.as_mut()
                && !matches!(child.try_wait(), Ok(None))
            {
                return Err(not_ready);
            }
            let healthy = monitor::page(&self.monitoring(), "/healthz").await;
            if healthy.is_ok_and(|page| page.get("status").and_then(Value::as_str) == Some("ok"))
                && is_ours(&self.running, &self.options.store).await
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(not_ready)
    }
}

fn monitoring_of(running: &RunningServer) -> String {
    format!("http://127.0.0.1:{}", running.monitoring)
}

/// The process that runs with this configuration, where one does.
fn process_of(config: &Path) -> Option<u32> {
    let config = config.to_string_lossy().into_owned();
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        // One that has ended and that nobody has waited for yet has no command line any more.
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let named = line.split(|byte| *byte == 0).any(|argument| argument == config.as_bytes());
        named.then_some(pid)
    })
}

/// Whether what answers there is the server of this store.
async fn is_ours(running: &RunningServer, store: &Path) -> bool {
    let Ok(varz) = monitor::page(&monitoring_of(running), "/varz").await else {
        return false;
    };
    varz.get("server_name").and_then(Value::as_str) == Some(name_of(store).as_str())
        && varz.get("port").and_then(Value::as_u64) == Some(u64::from(running.port))
}

/// The server's name, by which it is known again: a hash of its store's path.
fn name_of(store: &Path) -> String {
    let path = store.canonicalize().unwrap_or_else(|_| store.to_owned());
    format!("hindcast-{}", hindcast_domain::id::derive(&[path.to_string_lossy().as_bytes()]))
}

fn config_text(options: &ServerOptions, port: u16, monitoring: u16) -> String {
    let store = options.store.join("jetstream");
    let store = serde_json::to_string(&store.to_string_lossy()).unwrap_or_default();
    let sync = if options.sync_always { "always" } else { "2m" };
    format!(
        "# Written by hindcast at every start; edits are lost.\n\
         server_name: \"{}\"\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitoring}\"\n\
         jetstream {{\n  store_dir: {store}\n  # Without this an acknowledgement comes before the sync.\n  sync_interval: {sync}\n}}\n",
        name_of(&options.store)
    )
}

fn running_path(store: &Path) -> PathBuf {
    store.join("server.json")
}

fn log_path(store: &Path) -> PathBuf {
    store.join("server.log")
}

fn read_running(store: &Path) -> Option<RunningServer> {
    serde_json::from_slice(&std::fs::read(running_path(store)).ok()?).ok()
}

fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
