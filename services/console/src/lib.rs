//! The console: the API of the contract, the live stream, commands, and the web pages for people.
//!
//! The one contract of this crate: *everything it shows it has from the read port, and everything it
//! changes it asks for through the ledger*. It keeps no state of its own, decides nothing, and knows
//! neither how views are kept nor which ledger runs. A page is a pure function of what was read.
//!
//! - [`routes`] is the one table of the API: the router and the `OpenAPI` document are built from it.
//! - [`reads`], [`stream`], [`commands`] and [`ops`] answer its routes.
//! - [`web`] reads for the pages and takes their forms; [`pages`] turns data into HTML.
//! - [`auth`] and [`guard`] stand in front of all of it.

// A refusal is rare and on its way out: a box for it would cost every reader more than it saves.
#![allow(clippy::result_large_err)]

pub mod auth;
pub mod commands;
pub mod fallback;
pub mod guard;
pub mod openapi;
pub mod ops;
pub mod pages;
pub mod params;
pub mod reads;
pub mod routes;
pub mod stream;
pub mod web;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use hindcast_clock as clock;
use hindcast_domain::Time;
use hindcast_http::Metrics;
use hindcast_ledger::writer::Writer;
use hindcast_queries as queries;
use tokio::sync::watch;

pub use auth::TokenCheck;

/// What the console is made of.
pub struct Options {
    /// The views.
    pub queries: queries::Shared,
    /// Where commands are written.
    pub writer: Writer,
    /// What time it is, for ages and relative times.
    pub clock: clock::Shared,
    /// Shared figures.
    pub metrics: Metrics,
    /// The credential; without one everything is open, which only loopback may be.
    pub token: Option<TokenCheck>,
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
    stopping: watch::Sender<bool>,
}

impl Console {
    /// A console over these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { inner: Arc::new(Inner { options, stopping: watch::Sender::new(false) }) }
    }

    /// Ends open streams, so that the server can drain. Requests are still answered.
    pub fn stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    fn queries(&self) -> &dyn queries::Queries {
        &*self.inner.options.queries
    }

    fn now(&self) -> Time {
        self.inner.options.clock.now()
    }
}

/// All routes of the console, behind its own guards. It has no fallback for unknown paths, so that it can be
/// merged with other routers; use [`fallback::not_found`] for the whole.
pub fn router(console: Console) -> Router {
    let guards = guard::Guards::of(&console.inner.options);
    let metrics = console.inner.options.metrics.clone();
    let token = console.inner.options.token.clone();
    routes::api()
        .merge(web::pages())
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(from_fn_with_state(token, auth::check))
        .layer(from_fn_with_state(guards, guard::same_site))
        .layer(from_fn(guard::headers))
        .layer(from_fn_with_state(metrics, guard::count))
        .with_state(console)
}
