//! One process of Hindcast: the services that were asked for, wired to one ledger, one clock and one listener.
//!
//! Order matters twice. At start: the ledger opens first, the opening of intake is written before anybody
//! decides (so that silence while the process was away is not held against senders), then deciders, views and
//! delivery run, then the listener answers. At the end: nothing new is taken, what was taken is made
//! durable, deciders append and snapshot, and the ledger closes last.

mod advising;
mod chat;
mod common;
mod deciders;
mod disk;
pub mod figures;
mod heartbeat;
mod learning;
mod receivers;
mod routes;
mod startup;
mod watching;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hindcast_clock as clock;
use hindcast_console::Console;
use hindcast_domain::SecretHash;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::{LedgerProgress, Shared};
use hindcast_metrics::MetricRegistry;
use hindcast_queries::Queries as _;
use hindcast_views::Views;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::advising::Advising;
use self::common::{Common, Tasks};
use crate::ledger::OpenedLedger;
use crate::settings::Settings;

/// How long open requests have at the end.
const DRAIN: Duration = Duration::from_millis(2_000);
/// How long each service has at the end.
const STOP: Duration = Duration::from_millis(2_500);
/// How long the views have to reach the head before configuration is put in force.
const READY: Duration = Duration::from_secs(600);

/// A part that can run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// The doors for senders.
    Gateway,
    /// Silences and configuration.
    Control,
    /// Alerts to incidents.
    Correlator,
    /// What pages.
    Pager,
    /// Labels, training, backtests and shadows.
    Learning,
    /// Slack and Teams.
    Chat,
    /// The API and the web pages.
    Console,
}

impl Role {
    /// Every role, as `hindcast up` runs them in one process.
    pub const ALL: [Self; 7] =
        [Self::Gateway, Self::Control, Self::Correlator, Self::Pager, Self::Learning, Self::Chat, Self::Console];
}

/// What a node is made of.
pub struct Parts {
    /// Settings, resolved.
    pub settings: Settings,
    /// Which parts run here.
    pub roles: BTreeSet<Role>,
    /// The source of time, stepped in the demo and in tests.
    pub clock: clock::Shared,
    /// The open ledger, with what has to be closed after it.
    pub opened: OpenedLedger,
    /// How far services are.
    pub progress: LedgerProgress,
    /// The process's metrics.
    pub metrics: MetricRegistry,
    /// The listener, bound before anything else.
    pub listener: TcpListener,
    /// Whether the API wants a token.
    pub token: Option<String>,
    /// Asks of a folder only: no door for senders, nothing decided, nothing delivered, nothing written.
    pub reading_only: bool,
}

/// A running node.
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens for OpenTelemetry alone, if it does.
    pub otlp_address: Option<SocketAddr>,
    /// Where it listens for syslog, if it does.
    pub syslog_address: Option<SocketAddr>,
    /// The read model that pages and routes answer from.
    pub views: Views,
    /// How far services are.
    pub progress: LedgerProgress,
    /// The ledger that all roles of the process share.
    pub ledger: Shared,
    /// What advises.
    pub advising: Advising,
    writer: IntakeWriter,
    console: Console,
    opened: OpenedLedger,
    door: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    tasks: Tasks,
}

impl Node {
    /// Starts everything.
    ///
    /// # Errors
    /// When the folder, the ledger or the views cannot be opened.
    pub async fn start(parts: Parts) -> anyhow::Result<Self> {
        let (common, opened, listener, token) = Common::of(parts)?;
        let address = listener.local_addr()?;
        if !common.reading_only {
            startup::begin(&common).await?;
        }
        let views = open_views(&common).await?;
        deciders::expect(&common);
        let mut tasks = Tasks::default();
        tasks.spawn("views", {
            let (views, stop) = (views.clone(), tasks.stop());
            async move { views.run(stop).await.map_err(Into::into) }
        });
        deciders::start(&common, &mut tasks)?;

        let queries: hindcast_queries::Shared = Arc::new(views.clone());
        let advising = Advising::start(&common, Arc::clone(&queries), &mut tasks).await?;
        let learning = common.roles.contains(&Role::Learning).then(|| learning::start(&common, &queries, &mut tasks));
        let chat = chat::start(&common, &queries, &advising, &mut tasks).context("chat")?;
        let check = token.as_deref().and_then(SecretHash::from_hex);
        let console = Console::new(console_options(&common, &queries, &advising, &chat, learning, check.clone())?);
        let trouble = watching::start(&common, &opened, &queries, &mut tasks);
        heartbeat::start(&common, trouble, &mut tasks)?;
        let gateway = routes::gateway(&common, Arc::clone(&queries), &advising, token.as_deref())?;
        let telemetry = routes::TelemetryListeners::bind(&common).await?;
        let [otlp_address, syslog_address] = telemetry.addresses()?;
        let served =
            routes::Served { queries, advising: &advising, console: &console, chat, gateway: gateway.clone(), check };
        let router = routes::router(&common, served);
        let (door, closing) = watch::channel(false);
        let (configured, may_open) = tokio::sync::oneshot::channel();
        let serving = tokio::spawn(async move {
            let telemetry = telemetry.serve(gateway, closing.clone());
            futures::join!(routes::serve_when_configured(listener, router, closing, may_open), telemetry);
        });

        let Common { progress, ledger, writer, .. } = common.clone();
        let node = Self {
            address,
            otlp_address,
            syslog_address,
            views,
            progress,
            ledger,
            advising,
            writer,
            console,
            opened,
            door,
            serving,
            tasks,
        };
        node.configure(&common).await?;
        if configured.send(()).is_err() {
            tracing::debug!("the listener had opened by itself");
        }
        Ok(node)
    }

    /// Activates the installation where none is active, and puts the configuration in force.
    async fn configure(&self, common: &Common) -> anyhow::Result<()> {
        let (configures, pages) = (common.runs(Role::Control), common.runs(Role::Pager));
        if configures || pages {
            self.ready().await?;
        }
        if pages {
            startup::activate_where_nobody_is(common, &self.views).await?;
        }
        if configures {
            startup::configure(common, &self.views).await?;
        }
        Ok(())
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let ready = async {
            while !self.views.is_ready() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(READY, ready).await.context("the views did not reach the ledger's head in time")
    }

    /// Ends with the first service that ends by itself, and says why.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.next().await {
            Some(Ok((name, Err(error)))) => error.context(format!("the service {name} ended")),
            Some(Ok((name, Ok(())))) => {
                anyhow::anyhow!("the service {name} ended without being asked to")
            }
            Some(Err(error)) => anyhow::anyhow!("a service broke down: {error}"),
            None => std::future::pending().await,
        }
    }

    /// Takes nothing new, makes durable what was taken, snapshots, and ends.
    pub async fn stop(mut self) {
        self.console.stop();
        self.door.send_replace(true);
        let abort = self.serving.abort_handle();
        if tokio::time::timeout(DRAIN, self.serving).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
            abort.abort();
        }
        if tokio::time::timeout(STOP, self.writer.stop()).await.is_err() {
            tracing::warn!("the ledger did not take the last requests in time; their senders were not answered");
        }
        self.tasks.ask_to_stop();
        let all = async { while self.tasks.next().await.is_some() {} };
        if tokio::time::timeout(STOP, all).await.is_err() {
            tracing::warn!("a service did not end in time; the next start computes what it did not keep");
            self.tasks.shutdown().await;
        }
        drop(self.views);
        if tokio::time::timeout(STOP, self.opened.close()).await.is_err() {
            tracing::warn!("the ledger did not close in time");
        }
    }
}

async fn open_views(common: &Common) -> anyhow::Result<Views> {
    Views::open(hindcast_views::Options {
        ledger: Arc::clone(&common.ledger),
        clock: Arc::clone(&common.clock),
        progress: common.progress.clone(),
        folder: common.settings.data.join("views"),
        over_kept: common.settings.state.over_kept(),
        public_url: common.settings.public_url.clone(),
        fail: hindcast_views::FailPoint::None,
    })
    .await
    .context("the views")
}

fn console_options(
    common: &Common,
    queries: &hindcast_queries::Shared,
    advising: &Advising,
    chat: &chat::ChatParts,
    learning: Option<hindcast_training::Shared>,
    token: Option<SecretHash>,
) -> anyhow::Result<hindcast_console::Options> {
    let status = chat.status.clone();
    Ok(hindcast_console::Options {
        queries: Arc::clone(queries).into(),
        advice: Arc::clone(&advising.advice),
        copilot: Arc::clone(&advising.copilot),
        chats: Arc::new(move || status.status()),
        lags: common.lags.clone(),
        learning,
        writer: common.writer.facts(),
        commands: common.writer.commands(),
        clock: Arc::clone(&common.clock),
        metrics: common.metrics.clone(),
        token,
        version: env!("CARGO_PKG_VERSION"),
        public_url: common.settings.public_url.clone(),
        redaction: hindcast_redact::RedactionKey::derive(&common.folder.keys()?.tenant_bytes()?),
        also: crate::extra::described(),
    })
}
