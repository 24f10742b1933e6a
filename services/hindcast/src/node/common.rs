//! What every part of a node is handed, and the tasks that it runs. Owns names (slot, owner, installation) that tell
//! this process from others; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hindcast_clock as clock;
use hindcast_eventlog::lane;
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_facts::FactsWriter;
use hindcast_intake::{FailPoint, IntakeWriter};
use hindcast_ledger::{LagBoard, LedgerProgress, Shared};
use hindcast_metrics::MetricRegistry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Parts, Role, receivers};
use crate::folder::Folder;
use crate::ledger::OpenedLedger;
use crate::settings::Settings;

/// What every part of a node is handed. Cheap to clone but for the settings.
#[derive(Clone)]
pub struct Common {
    /// Settings, resolved.
    pub settings: Settings,
    /// Which parts run here.
    pub roles: BTreeSet<Role>,
    pub clock: clock::Shared,
    pub ledger: Shared,
    /// How far services are.
    pub progress: LedgerProgress,
    /// Shared figures.
    pub metrics: MetricRegistry,
    /// How far services are behind, as it was seen last.
    pub lags: LagBoard,
    /// The data folder.
    pub folder: Folder,
    /// Writes what comes in here.
    pub writer: IntakeWriter,
    /// The installation that this process belongs to.
    pub install: String,
    /// This process among those of its installation: the same after a restart.
    pub owner: String,
    /// The receivers that this process notifies, by name; none where it does not run the pager.
    pub notifiers: crate::trial::Receivers,
    /// Asks of a folder only: no intake, nothing decided, nothing delivered, nothing written.
    pub reading_only: bool,
    /// The writer's slot in the ledger.
    slot: String,
    snapshots: SnapshotStore,
}

impl Common {
    /// Takes the parts of a node apart.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn of(parts: Parts) -> anyhow::Result<(Self, OpenedLedger, TcpListener, Option<String>)> {
        let Parts { settings, roles, clock, opened, progress, metrics, listener, token, reading_only } = parts;
        let folder = Folder::open(&settings.data)?;
        let ledger = opened.ledger();
        let word = process_word(&folder)?;
        let slot = if roles.len() == Role::ALL.len() { "door".to_owned() } else { format!("door-{word}") };
        let fail = if settings.acknowledge_early { FailPoint::AcknowledgeBeforeAppend } else { FailPoint::None };
        let writer = IntakeWriter::gathering(Arc::clone(&ledger), Arc::clone(&clock), progress.clone(), &slot, fail);
        let install = settings.install.clone().map_or_else(|| folder.install(), Ok)?;
        let owner = format!("{install}/{word}");
        let pages = roles.contains(&Role::Pager) && !reading_only;
        let notifiers = if pages { receivers::notifiers(&settings)? } else { BTreeMap::new() };
        let lags = LagBoard::new(settings.health.lag());
        let snapshots = SnapshotStore::at(settings.data.join("snapshots")).shelving_after(settings.state.over_kept());
        let common = Self {
            settings,
            roles,
            clock,
            ledger,
            progress,
            metrics,
            lags,
            folder,
            writer,
            install,
            owner,
            notifiers,
            reading_only,
            slot,
            snapshots,
        };
        Ok((common, opened, listener, token))
    }

    /// Whether a role runs here and may write.
    pub fn runs(&self, role: Role) -> bool {
        self.roles.contains(&role) && !self.reading_only
    }

    /// What a lane's runner needs.
    pub fn lane(&self) -> lane::Options {
        lane::Options {
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.clock),
            progress: self.progress.clone(),
            snapshots: self.snapshots.clone(),
            owner: self.owner.clone(),
            backlog: lane::BACKLOG,
        }
    }

    /// A writer of its own for what is learnt, so that a long training never shares a commit with an alert.
    pub fn learning_writer(&self) -> FactsWriter {
        let slot = self.slot.replacen("door", "learning", 1);
        IntakeWriter::new(Arc::clone(&self.ledger), Arc::clone(&self.clock), self.progress.clone(), &slot).facts()
    }
}

/// A short word that tells this process's folder from others that share a ledger.
fn process_word(folder: &Folder) -> anyhow::Result<String> {
    Ok(folder.install()?.trim_start_matches("install-").chars().take(8).collect())
}

/// The services of a node as tasks that end together.
pub struct Tasks {
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
    stopping: watch::Sender<bool>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { running: JoinSet::new(), stopping: watch::channel(false).0 }
    }
}

impl Tasks {
    /// Runs a service under a name.
    pub fn spawn(&mut self, name: &'static str, service: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.running.spawn(async move { (name, service.await) });
    }

    /// Turns true when the services are to end.
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Asks all services to end.
    pub fn ask_to_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// The next service that ended, with what came of it; `None` where none runs.
    pub async fn next(&mut self) -> Option<Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>> {
        self.running.join_next().await
    }

    /// Cuts off whatever still runs.
    pub async fn shutdown(&mut self) {
        self.running.shutdown().await;
    }
}
