//! The console: the API of the contract, the live stream, commands, and the web pages for people.
//!
//! The one contract of this crate: *everything it shows it has from the read port, and everything it
//! changes it asks for through the ledger*. It keeps no state of its own, decides nothing, and knows
//! neither how views are kept nor which ledger runs. A page is a pure function of what was read.
//!
//! - [`routes`] is the one table of the API: the router and the `OpenAPI` document are built from it.
//! - [`look`] opens the one snapshot that a request is answered from.
//! - [`reads`], [`stream`], [`commands`] and [`ops`] answer its routes.
//! - [`advice`] answers what is concluded, and [`ask`] takes questions; who concludes is the advising port's.
//! - [`web`] reads for the pages and takes their forms; [`pages`] turns data into HTML.
//! - [`auth`] and [`guard`] stand in front of all of it.

// A refusal is rare and on its way out: a box for it would cost every reader more than it saves.
#![allow(clippy::result_large_err)]

pub mod advice;
pub mod ask;
pub mod auth;
pub mod commands;
pub mod counted;
pub mod fallback;
pub mod guard;
pub mod learn;
pub mod look;
pub mod openapi;
pub mod ops;
pub mod pages;
pub mod params;
pub mod reads;
pub mod report;
pub mod routes;
pub mod stream;
pub mod web;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use hindcast_advice as advising;
use hindcast_clock as clock;
use hindcast_domain::{SecretHash, Time};
use hindcast_facts::FactsWriter;
use hindcast_intake::CommandWriter;
use hindcast_ledger::LagBoard;
use hindcast_metrics::MetricRegistry;
use hindcast_queries as queries;
use hindcast_redact::RedactionKey;
use tokio::sync::{Semaphore, watch};

/// Says how chat is.
pub type ChatsSource = Arc<dyn Fn() -> hindcast_api::Chats + Send + Sync>;

/// What the console is made of.
pub struct Options {
    /// Answers every query, of a snapshot.
    pub queries: queries::Snapshots,
    /// What is concluded, without a model.
    pub advice: advising::Shared,
    /// Who answers questions.
    pub copilot: advising::SharedCopilot,
    /// Where the status of the chat connections is read.
    pub chats: ChatsSource,
    /// How far services are behind.
    pub lags: LagBoard,
    /// Who trains and backtests; `None` where another process does.
    pub learning: Option<hindcast_training::Shared>,
    /// Where commands are written.
    pub writer: FactsWriter,
    /// Appends the commands of people; the copilot, which is asked through `copilot`, never sees it.
    pub commands: CommandWriter,
    /// What time it is, for ages and relative times.
    pub clock: clock::Shared,
    /// Shared figures.
    pub metrics: MetricRegistry,
    /// The credential; without one everything is open, which only loopback may be.
    pub token: Option<SecretHash>,
    /// Under which redacted labels are told apart, as intake does.
    pub redaction: RedactionKey,
    /// The binary's version.
    pub version: &'static str,
    /// How people reach this server, without a slash at its end.
    pub public_url: String,
    /// Routes of other doors on the same address, for the `OpenAPI` document alone.
    pub also: Vec<openapi::Foreign>,
}

/// The console; cheap to clone.
#[derive(Clone)]
pub struct Console {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    /// The description of the API, made once.
    description: serde_json::Value,
    stopping: watch::Sender<bool>,
    /// Questions that are being answered.
    asking: Arc<Semaphore>,
}

impl Console {
    /// A console over these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let asking = Arc::new(Semaphore::new(ask::AT_ONCE_MAX));
        let description = openapi::document(options.version, &options.public_url, &options.also);
        Self { inner: Arc::new(Inner { options, description, stopping: watch::Sender::new(false), asking }) }
    }

    /// Ends open streams, so that the server can drain. Requests are still answered.
    pub fn stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    fn queries(&self) -> &queries::Snapshots {
        &self.inner.options.queries
    }

    fn advice(&self) -> &dyn advising::Advice {
        &*self.inner.options.advice
    }

    fn copilot(&self) -> &dyn advising::Copilot {
        &*self.inner.options.copilot
    }

    fn chats(&self) -> hindcast_api::Chats {
        (self.inner.options.chats)()
    }

    fn now(&self) -> Time {
        self.inner.options.clock.now()
    }
}

/// All routes of the console, behind its own guards. It has no fallback for unknown paths, so that it can be
/// merged with other routers; use [`fallback::not_found`] for the whole.
pub fn router(console: Console) -> Router {
    let routes = routes::api().merge(web::pages()).method_not_allowed_fallback(fallback::method_not_allowed);
    guarded(routes.with_state(console.clone()).layer(from_fn(look::position_header)), &console)
}

/// Routes of another door behind the same guards: the token, other sites' pages, headers and counters.
pub fn guarded(routes: Router, console: &Console) -> Router {
    let options = &console.inner.options;
    routes
        .layer(from_fn_with_state(options.token.clone(), auth::check))
        .layer(from_fn_with_state(guard::Guards::of(options), guard::same_site))
        .layer(from_fn(guard::headers))
        .layer(from_fn_with_state(options.metrics.clone(), guard::count))
}
