//! What this process answers over HTTP, put together from its services. Owns which routes are open in which role.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use hindcast_console::Console;
use hindcast_domain::SecretHash;
use hindcast_gateway::{Gateway, Guard, SyslogListener};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::common::Common;
use super::{Advising, Role, chat};
use crate::extra;
use crate::settings::environment;

/// How long the listener waits for the configuration to be in force.
const OPEN: Duration = Duration::from_secs(5);

/// What is answered from.
pub struct Served<'a> {
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Shared,
    /// What advises.
    pub advising: &'a Advising,
    /// The API and the web pages.
    pub console: &'a Console,
    /// Chat, running or not.
    pub chat: chat::ChatParts,
    /// The doors for senders.
    pub gateway: Gateway,
    /// The check of the token that is wanted.
    pub check: Option<SecretHash>,
}

/// All routes of this process.
pub fn router(common: &Common, served: Served<'_>) -> Router {
    let Served { queries, advising, console, chat, gateway, check } = served;
    let mut router = Router::new();
    if common.roles.contains(&Role::Console) {
        let version = env!("CARGO_PKG_VERSION");
        let mcp = hindcast_mcp::router(Arc::new(advising.toolbox.clone()), Arc::clone(&advising.copilot), version);
        router = router.merge(hindcast_console::router(console.clone()));
        router = router.merge(hindcast_console::guarded(mcp, console));
        router = router.merge(extra::router(state(common), check));
    } else {
        router = router.merge(extra::probes(queries, common.lags.clone(), common.metrics.clone()));
    }
    router = router.merge(chat.router);
    if common.roles.contains(&Role::Gateway) || common.reading_only {
        router = router.merge(hindcast_gateway::router(gateway)).merge(hindcast_gateway::promised());
    }
    let router = if common.reading_only { router.layer(axum::middleware::from_fn(extra::only_reads)) } else { router };
    let clock = Arc::clone(&common.clock);
    let stamped = move |response| std::future::ready(with_time(response, clock.now()));
    router
        .layer(axum::middleware::map_response(stamped))
        .fallback(hindcast_console::fallback::not_found)
        .method_not_allowed_fallback(hindcast_console::fallback::method_not_allowed)
}

/// The doors for senders; `token` is the hash of what is wanted of them, in hexadecimal.
///
/// # Errors
/// When the configured sources cannot be worked with.
pub fn gateway(
    common: &Common,
    queries: hindcast_queries::Shared,
    advising: &Advising,
    token: Option<&str>,
) -> anyhow::Result<Gateway> {
    Gateway::new(hindcast_gateway::Options {
        writer: common.writer.facts(),
        commands: common.writer.commands(),
        queries: Some(queries),
        telemetry: advising.telemetry.clone(),
        clock: Arc::clone(&common.clock),
        metrics: common.metrics.clone(),
        key: hindcast_gateway::TenantKey::new(common.folder.keys()?.tenant_bytes()?),
        sources: common.settings.sources.clone(),
        default_auth: token.and_then(SecretHash::from_hex).map_or_else(Guard::open, |hash| Guard::token("api", hash)),
        env: Arc::new(environment),
    })
    .context("the sources")
}

fn state(common: &Common) -> extra::ProcessState {
    extra::ProcessState {
        ledger: Arc::clone(&common.ledger),
        commands: common.writer.commands(),
        install: common.install.clone(),
        folder: common.folder.clone(),
        reading_only: common.reading_only,
        public_url: common.settings.public_url.clone(),
        notifiers: common.notifiers.clone(),
        clock: Arc::clone(&common.clock),
        metrics: common.metrics.clone(),
        heartbeats: crate::heartbeats::Heartbeats::default(),
    }
}

/// Serves once the configuration is in force, which usually takes a blink; a long rebuild must not keep people out,
/// so that after a while it serves all the same.
pub async fn serve_when_configured(
    listener: TcpListener,
    router: Router,
    closing: watch::Receiver<bool>,
    configured: oneshot::Receiver<()>,
) {
    if !matches!(tokio::time::timeout(OPEN, configured).await, Ok(Ok(()))) {
        tracing::info!("the listener opens while the views are still being built");
    }
    serve(listener, router, closing).await;
}

/// Further addresses for telemetry, bound and not served yet.
pub struct TelemetryListeners {
    otlp: Option<TcpListener>,
    syslog: Option<SyslogListener>,
}

impl TelemetryListeners {
    /// Listens on the addresses that are configured, where senders are served here.
    ///
    /// # Errors
    /// When an address cannot be listened on, or would be open to everybody.
    pub async fn bind(common: &Common) -> anyhow::Result<Self> {
        if !common.runs(Role::Gateway) {
            return Ok(Self { otlp: None, syslog: None });
        }
        let otlp = match common.settings.otlp_listen {
            Some(address) => {
                Some(TcpListener::bind(address).await.with_context(|| format!("the OTLP address {address}"))?)
            }
            None => None,
        };
        let syslog = SyslogListener::bind(common.settings.syslog.clone()).await?;
        Ok(Self { otlp, syslog })
    }

    /// Where OpenTelemetry and syslog are listened for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addresses(&self) -> std::io::Result<[Option<SocketAddr>; 2]> {
        let otlp = self.otlp.as_ref().map(TcpListener::local_addr).transpose()?;
        Ok([otlp, self.syslog.as_ref().map(SyslogListener::address).transpose()?])
    }

    /// Serves them until `closing`.
    pub async fn serve(self, gateway: Gateway, closing: watch::Receiver<bool>) {
        let otlp = async {
            if let Some(listener) = self.otlp {
                serve(listener, hindcast_gateway::otlp_router(gateway.clone()), closing.clone()).await;
            }
        };
        let syslog = async {
            if let Some(listener) = self.syslog {
                listener.run(gateway.clone(), closing.clone()).await;
            }
        };
        futures::join!(otlp, syslog);
    }
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
        tracing::error!(%error, "the listener broke down");
    }
}

/// Says what time it is here: a client's ages are wrong against a clock that is stepped.
fn with_time(mut response: axum::response::Response, now: hindcast_domain::Time) -> axum::response::Response {
    if let Ok(value) = axum::http::HeaderValue::from_str(&now.to_string()) {
        response.headers_mut().insert("x-hindcast-time", value);
    }
    response
}
