//! One process of Hindcast: the services that were asked for, wired to one ledger, one clock and one door.
//!
//! Order matters twice. At start: the ledger opens first, the door's opening is written before anybody
//! decides (so that silence while we were away is not held against senders), then deciders, views and
//! delivery run, then the door answers. At the end: the door takes nothing new, what it took is made
//! durable, deciders append and snapshot, and the ledger closes last.

mod advising;
mod chat;
mod learning;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use hindcast_clock as clock;
use hindcast_console::{Console, TokenCheck};
use hindcast_domain::command::{Activated, Command, Configured, Received};
use hindcast_domain::event::{DoorOpened, Event, SYSTEM};
use hindcast_domain::{Partition, lane::names};
use hindcast_eventlog::lane;
use hindcast_eventlog::snapshot::Store;
use hindcast_eventlog::writer::{FailPoint, Writer};
use hindcast_events::NewEvent;
use hindcast_gateway::{Gateway, Guard};
use hindcast_http::Metrics;
use hindcast_ledger::{Progress, Shared};
use hindcast_messaging::notify::Notifier;
use hindcast_notify_webhook::Webhook;
use hindcast_pager::Deliverer;
use hindcast_queries::{EventFilter, Queries, Window};
use hindcast_views::Views;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use self::advising::Advising;
use crate::extra;
use crate::folder::Folder;
use crate::ledger::Opened;
use crate::settings::{Settings, Understands, environment};

/// How long open requests have at the end.
const DRAIN: Duration = Duration::from_millis(2_000);
/// How long the door waits for the configuration to be in force.
const OPEN: Duration = Duration::from_secs(5);
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
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Gateway, Self::Control, Self::Correlator, Self::Pager, Self::Learning, Self::Chat, Self::Console];
}

/// What a node is made of.
pub struct Parts {
    /// Settings, resolved.
    pub settings: Settings,
    /// Which parts run here.
    pub roles: BTreeSet<Role>,
    /// The clock.
    pub clock: clock::Shared,
    /// The ledger.
    pub opened: Opened,
    /// How far services are.
    pub progress: Progress,
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
    /// The views.
    pub views: Views,
    /// How far services are.
    pub progress: Progress,
    /// The ledger.
    pub ledger: Shared,
    /// What advises.
    pub advising: Advising,
    writer: Writer,
    console: Console,
    opened: Opened,
    door: watch::Sender<bool>,
    services: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Node {
    /// Starts everything.
    ///
    /// # Errors
    /// When the folder, the ledger or the views cannot be opened.
    pub async fn start(parts: Parts) -> anyhow::Result<Self> {
        let Parts { settings, roles, clock, opened, progress, listener, token, reading_only } = parts;
        let folder = Folder::open(&settings.data)?;
        let address = listener.local_addr()?;
        let ledger = opened.ledger();
        let metrics = Metrics::default();
        let slot =
            if roles.len() == Role::ALL.len() { "door".to_owned() } else { format!("door-{}", process_word(&folder)?) };
        let fail = if settings.acknowledge_early { FailPoint::AcknowledgeBeforeAppend } else { FailPoint::None };
        let writer = Writer::with_fail_point(Arc::clone(&ledger), Arc::clone(&clock), progress.clone(), &slot, fail);
        let install = settings.install.clone().map_or_else(|| folder.install(), Ok)?;
        // Processes of one installation are told apart by their folders, and each is the same after a restart.
        let owner = format!("{install}/{}", process_word(&folder)?);
        if !reading_only {
            begin(&ledger, &writer, &roles, &install).await?;
        }

        let views = Views::open(hindcast_views::Options {
            ledger: Arc::clone(&ledger),
            clock: Arc::clone(&clock),
            progress: progress.clone(),
            folder: settings.data.join("views"),
            public_url: settings.public_url.clone(),
            fail: hindcast_views::FailPoint::None,
        })
        .await
        .context("the views")?;

        if !reading_only {
            progress.expect(&["views", names::CONTROL, names::INCIDENTS, names::NOTICES]);
            if roles.contains(&Role::Learning) {
                progress.expect(&[names::LABELS]);
            }
            if roles.contains(&Role::Chat) && chat::is_set_up(&settings.chat) {
                progress.expect(&[names::CHAT]);
            }
        }
        let (services, stop) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let options = lane::Options {
            ledger: Arc::clone(&ledger),
            clock: Arc::clone(&clock),
            progress: progress.clone(),
            snapshots: Store::at(settings.data.join("snapshots")),
            owner: owner.clone(),
        };
        spawn(&mut tasks, "views", {
            let views = views.clone();
            let stop = stop.clone();
            async move { views.run(stop).await.map_err(Into::into) }
        });
        if !reading_only {
            if roles.contains(&Role::Control) {
                let run = hindcast_control::run(options.clone(), stop.clone());
                spawn(&mut tasks, names::CONTROL, async move { Ok(run.await?) });
            }
            if roles.contains(&Role::Correlator) {
                let run = hindcast_correlator::run(options.clone(), stop.clone());
                spawn(&mut tasks, names::INCIDENTS, async move { Ok(run.await?) });
            }
            if roles.contains(&Role::Pager) {
                let run = hindcast_pager::run(options.clone(), stop.clone());
                spawn(&mut tasks, names::NOTICES, async move { Ok(run.await?) });
                let deliverer = Deliverer {
                    ledger: Arc::clone(&ledger),
                    writer: writer.clone(),
                    clock: Arc::clone(&clock),
                    install: install.clone(),
                    holder: owner.clone(),
                    notifiers: notifiers(&settings)?,
                    public_url: settings.public_url.clone(),
                    metrics: metrics.clone(),
                };
                let run = deliverer.run(stop.clone());
                spawn(&mut tasks, "delivery", async move { Ok(run.await?) });
            }
        }

        let queries: hindcast_queries::Shared = Arc::new(views.clone());
        let parts = advising::Parts {
            settings: &settings,
            ledger: Arc::clone(&ledger),
            queries: Arc::clone(&queries),
            writer: writer.clone(),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
            reading_only,
            detects: roles.contains(&Role::Gateway),
        };
        let advising = Advising::start(parts, &mut tasks, &stop).await?;
        let learning = roles.contains(&Role::Learning).then(|| {
            // What is learnt is written beside the door, so that a long training never shares a commit with an alert.
            let slot = slot.replacen("door", "learning", 1);
            let writer = Writer::new(Arc::clone(&ledger), Arc::clone(&clock), progress.clone(), &slot);
            let parts = learning::Parts {
                ledger: Arc::clone(&ledger),
                writer,
                queries: Arc::clone(&queries),
                clock: Arc::clone(&clock),
                lane: options.clone(),
            };
            learning::start(parts, reading_only, &mut tasks, &stop)
        });
        let chat = chat::Parts {
            settings: &settings.chat,
            lane: options,
            options: hindcast_chatops::Options {
                ledger: Arc::clone(&ledger),
                writer: writer.clone(),
                clock: Arc::clone(&clock),
                install: install.clone(),
                holder: owner,
                queries: Arc::clone(&queries),
                advice: Arc::clone(&advising.advice),
                copilot: Arc::clone(&advising.copilot),
                vendors: Vec::new(),
                slack: None,
                teams: hindcast_chatops::TeamsDoors::default(),
                public_url: settings.public_url.clone(),
                metrics: metrics.clone(),
                handle: hindcast_chatops::Handle::default(),
                replies: hindcast_chatops::Replies::default(),
                taken: hindcast_chatops::Taken::default(),
                fail: if settings.send_blindly {
                    hindcast_chatops::FailPoint::SkipFind
                } else {
                    hindcast_chatops::FailPoint::None
                },
            },
        };
        let runs_chat = roles.contains(&Role::Chat) && !reading_only;
        let chat = chat::start(chat, runs_chat, &mut tasks, &stop).context("chat")?;
        let check = token.as_deref().and_then(TokenCheck::of_hex);
        let console = Console::new(hindcast_console::Options {
            queries: Arc::clone(&queries),
            advice: Arc::clone(&advising.advice),
            copilot: Arc::clone(&advising.copilot),
            chats: {
                let status = chat.status.clone();
                Arc::new(move || status.status())
            },
            learning,
            writer: writer.clone(),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
            token: check.clone(),
            version: env!("CARGO_PKG_VERSION"),
            public_url: settings.public_url.clone(),
            also: extra::described(),
        });
        let gateway = Gateway::new(hindcast_gateway::Options {
            writer: writer.clone(),
            queries: Some(queries),
            telemetry: advising.telemetry.clone(),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
            key: hindcast_gateway::TenantKey::new(folder.keys()?.tenant_bytes()?),
            sources: settings.sources.clone(),
            default_auth: token.as_deref().and_then(sha256).map_or_else(Guard::open, |hash| Guard::token("api", hash)),
            env: Arc::new(environment),
        })
        .context("the sources")?;

        let mut router = Router::new();
        if roles.contains(&Role::Console) {
            router = router.merge(hindcast_console::router(console.clone()));
            let mcp = hindcast_mcp::router(
                advising.toolbox.clone(),
                Arc::clone(&advising.copilot),
                env!("CARGO_PKG_VERSION"),
            );
            router = router.merge(hindcast_console::guarded(mcp, &console));
            let state = extra::State {
                ledger: Arc::clone(&ledger),
                writer: writer.clone(),
                install: install.clone(),
                folder: folder.clone(),
                reading_only,
                public_url: settings.public_url.clone(),
            };
            router = router.merge(extra::router(state, check));
        } else {
            router = router.merge(extra::probes(Arc::new(views.clone()), metrics.clone()));
        }
        router = router.merge(chat.router);
        if roles.contains(&Role::Gateway) || reading_only {
            router = router.merge(hindcast_gateway::router(gateway)).merge(hindcast_gateway::promised());
        }
        let router = if reading_only { router.layer(axum::middleware::from_fn(extra::only_reads)) } else { router };
        let told = Arc::clone(&clock);
        let router = router
            .layer(axum::middleware::map_response(move |response| std::future::ready(with_time(response, told.now()))))
            .fallback(hindcast_console::fallback::not_found)
            .method_not_allowed_fallback(hindcast_console::fallback::method_not_allowed);
        let (door, closing) = watch::channel(false);
        let (configured, may_open) = tokio::sync::oneshot::channel();
        let serving = tokio::spawn(async move {
            // Usually the configuration is in force within a blink; a long rebuild must not keep the door shut.
            if !matches!(tokio::time::timeout(OPEN, may_open).await, Ok(Ok(()))) {
                tracing::info!("the door opens while the views are still being built");
            }
            serve(listener, router, closing).await;
        });

        let node = Self {
            address,
            views,
            progress,
            ledger,
            advising,
            writer,
            console,
            opened,
            door,
            services,
            serving,
            tasks,
        };
        if !reading_only && (roles.contains(&Role::Control) || roles.contains(&Role::Pager)) {
            node.ready().await?;
        }
        if !reading_only && roles.contains(&Role::Pager) {
            node.activate_where_nobody_is(&install).await?;
        }
        if !reading_only && roles.contains(&Role::Control) {
            node.configure(&settings).await?;
        }
        if configured.send(()).is_err() {
            tracing::debug!("the door had opened by itself");
        }
        Ok(node)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let ready = async {
            while !self.views.is_ready() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(READY, ready).await.context("the views did not reach the ledger's head in time")
    }

    /// A ledger that never had an active installation (others wrote to it first) gets the first that pages.
    async fn activate_where_nobody_is(&self, install: &str) -> anyhow::Result<()> {
        let filter = EventFilter { kind: Some("control.activated".to_owned()), ..EventFilter::default() };
        let known = self.views.events(filter, Window { limit: Some(1), ..Window::default() }).await?;
        let asked = EventFilter {
            kind: Some("intake.command".to_owned()),
            subject: Some("activation".to_owned()),
            ..EventFilter::default()
        };
        let asked = self.views.events(asked, Window { limit: Some(1), ..Window::default() }).await?;
        if known.items.is_empty() && asked.items.is_empty() {
            activate(&self.writer, install).await?;
        }
        Ok(())
    }

    /// Puts configuration in force where it differs from what is.
    async fn configure(&self, settings: &Settings) -> anyhow::Result<()> {
        let mut sections = vec![
            (hindcast_correlator::rules::SECTION, serde_json::to_value(&settings.correlation)?),
            (hindcast_pager::rules::SECTION, serde_json::to_value(&settings.paging)?),
        ];
        sections.push((hindcast_advisor::SECTION, crate::runbooks::in_force(settings.advising.runbooks.as_deref())?));
        if chat::is_set_up(&settings.chat) {
            sections.push((hindcast_chatops::rules::SECTION, serde_json::to_value(&settings.chat.rules)?));
        }
        if let Some(catalog) = &settings.catalog {
            sections.push(("catalog", serde_json::to_value(catalog)?));
        }
        for (section, content) in sections {
            let hash: String =
                Sha256::digest(serde_json::to_vec(&content)?).iter().map(|b| format!("{b:02x}")).collect();
            let in_force = self.views.configured(section, None).await?.map(|(hash, _)| hash);
            if in_force.as_ref() == Some(&hash) {
                continue;
            }
            let head = self.ledger.head().await?;
            let key = format!("configure/{section}/{hash}/{head}");
            let configured = Configured { section: section.to_owned(), hash, content };
            let command = Received { key, if_match: None, command: Command::Configure(configured) };
            let new = NewEvent {
                subject: section.to_owned(),
                actor: SYSTEM.to_owned(),
                event: Event::Command(command),
                traceparent: None,
            };
            let receipt = self.writer.submit(&Partition::whole(Partition::TENANT), vec![new]).await?;
            if let Some(id) = receipt.ids.first() {
                self.views.outcome(id, Duration::from_secs(5)).await;
            }
        }
        Ok(())
    }

    /// Ends with the first service that ends by itself, and says why.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
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
        self.services.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP, all).await.is_err() {
            tracing::warn!("a service did not end in time; the next start folds what it did not keep");
            self.tasks.shutdown().await;
        }
        drop(self.views);
        if tokio::time::timeout(STOP, self.opened.close()).await.is_err() {
            tracing::warn!("the ledger did not close in time");
        }
    }
}

/// Says what time it is here: a client's ages are wrong against a clock that is stepped.
fn with_time(mut response: axum::response::Response, now: hindcast_domain::Time) -> axum::response::Response {
    if let Ok(value) = axum::http::HeaderValue::from_str(&now.to_string()) {
        response.headers_mut().insert("x-hindcast-time", value);
    }
    response
}

async fn serve(listener: TcpListener, router: Router, mut closing: watch::Receiver<bool>) {
    let graceful = async move {
        while !*closing.borrow() {
            if closing.changed().await.is_err() {
                break;
            }
        }
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(graceful).await {
        tracing::error!(%error, "the door broke down");
    }
}

fn spawn(
    tasks: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    name: &'static str,
    service: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) {
    tasks.spawn(async move { (name, service.await) });
}

/// The first facts of a start: the activation of a new ledger, and that the door opens.
async fn begin(ledger: &Shared, writer: &Writer, roles: &BTreeSet<Role>, install: &str) -> anyhow::Result<()> {
    if ledger.head().await.context("the ledger's head")? == 0 && roles.contains(&Role::Pager) {
        activate(writer, install).await?;
    }
    if !roles.contains(&Role::Gateway) {
        return Ok(());
    }
    let subjects = ledger.subjects().await.context("the ledger's subjects")?;
    let partitions: BTreeSet<Partition> = subjects
        .iter()
        .filter(|(subject, _)| subject.slot().is_some() && !subject.partition().is_whole())
        .map(|(subject, _)| subject.partition().clone())
        .collect();
    for partition in partitions {
        let opened = DoorOpened { version: env!("CARGO_PKG_VERSION").to_owned() };
        let new = NewEvent {
            subject: "door".to_owned(),
            actor: SYSTEM.to_owned(),
            event: Event::DoorOpened(opened),
            traceparent: None,
        };
        writer.submit(&partition, vec![new]).await?;
    }
    Ok(())
}

async fn activate(writer: &Writer, install: &str) -> anyhow::Result<()> {
    let activate = Command::Activate(Activated { install: install.to_owned() });
    let received = Received { key: format!("activate/{install}"), if_match: None, command: activate };
    let new = NewEvent {
        subject: "activation".to_owned(),
        actor: SYSTEM.to_owned(),
        event: Event::Command(received),
        traceparent: None,
    };
    writer.submit(&Partition::whole(Partition::TENANT), vec![new]).await?;
    Ok(())
}

fn notifiers(settings: &Settings) -> anyhow::Result<BTreeMap<String, Arc<dyn Notifier>>> {
    let mut notifiers: BTreeMap<String, Arc<dyn Notifier>> = BTreeMap::new();
    for receiver in &settings.receivers {
        let url = match (&receiver.url, &receiver.url_env) {
            (Some(url), _) => url.clone(),
            (None, Some(name)) => environment(name).with_context(|| format!("the environment variable {name}"))?,
            (None, None) => anyhow::bail!("expected url or url_env for the receiver {:?}", receiver.name),
        };
        let secret = match &receiver.secret_env {
            Some(name) => {
                Some(environment(name).with_context(|| format!("the environment variable {name}"))?.into_bytes())
            }
            None => None,
        };
        let opened: anyhow::Result<Arc<dyn Notifier>> = match receiver.kind {
            Understands::Webhook => {
                Webhook::new(&url, secret).map(|webhook| Arc::new(webhook) as Arc<dyn Notifier>).map_err(Into::into)
            }
            Understands::TeamsWorkflow => {
                chat::Workflow::open(&url).map(|workflow| Arc::new(workflow) as Arc<dyn Notifier>)
            }
        };
        let notifier = opened.with_context(|| format!("the receiver {:?}", receiver.name))?;
        notifiers.insert(receiver.name.clone(), notifier);
    }
    Ok(notifiers)
}

/// A short word that tells this process's folder from others that share a ledger.
fn process_word(folder: &Folder) -> anyhow::Result<String> {
    Ok(folder.install()?.trim_start_matches("install-").chars().take(8).collect())
}

/// A hash from its 64 hexadecimal digits.
fn sha256(hex: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}
