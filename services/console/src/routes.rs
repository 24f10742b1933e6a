//! The one table of the API. The router and the `OpenAPI` document are both built from it, so that neither
//! can say what the other does not do; a test asks every route of the document.

mod filters;
mod table;

use std::borrow::Cow;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use hindcast_domain::act::ActName;
use schemars::{Schema, SchemaGenerator};

use crate::Console;
use crate::params::{Param, QueryParams};

pub use filters::{ALERTS, EVENTS, FINDINGS, INCIDENTS, LABELS, NOTICES};

/// Adds a type to a document and answers a reference to it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Where the form of a body is said.
#[derive(Clone, Copy)]
pub enum BodyOf {
    /// The schema of a Rust type.
    Type(SchemaOf),
    /// By the catalogue of acts.
    Act(ActName),
}

impl BodyOf {
    /// Adds it to a document and answers a reference to it.
    pub fn schema(self, generator: &mut SchemaGenerator) -> Schema {
        match self {
            Self::Type(schema) => schema(generator),
            Self::Act(act) => crate::commands::schema::of(act.entry(), generator),
        }
    }
}

/// Who answers a route.
#[derive(Clone, Copy)]
enum Handler {
    Fixed(fn() -> MethodRouter<Console>),
    Act(ActName),
}

impl Handler {
    fn router(self) -> MethodRouter<Console> {
        match self {
            Self::Fixed(handler) => handler(),
            Self::Act(act) => crate::commands::incident::route(act),
        }
    }
}

/// What a route takes as its body.
#[derive(Clone, Copy)]
pub struct Takes {
    /// The JSON schema of the body, for the description of the API.
    pub schema: BodyOf,
    /// Its media types.
    pub media: &'static [&'static str],
}

/// What a route answers with.
#[derive(Clone, Copy)]
pub struct Gives {
    /// The statuses that carry it.
    pub status: &'static [u16],
    /// Its form; absent where it is plain text.
    pub schema: Option<SchemaOf>,
    /// Its media type.
    pub media: &'static str,
    /// Other media types of the same answer, for whoever accepts them.
    pub also: &'static [&'static str],
}

/// One method of one path.
pub struct Route {
    /// `get`, `post`, `put`, `delete`.
    pub method: &'static str,
    /// With `{parameters}`.
    pub path: &'static str,
    /// One line.
    pub about: Cow<'static, str>,
    /// Its group in the document.
    pub tag: &'static str,
    /// Query parameters; any other is refused.
    pub query: &'static [Param],
    /// The body that the route takes; absent where it takes none.
    pub takes: Option<Takes>,
    /// Its good answers.
    pub gives: Gives,
    /// Whether it is a command: `If-Match`, `Idempotency-Key`, the actor, and 202.
    pub command: bool,
    handler: Handler,
}

/// Every route of the API.
#[must_use]
pub fn all() -> Vec<Route> {
    table::all()
}

/// The router of the table. Each route refuses parameters that the table does not name.
pub fn api() -> Router<Console> {
    all().into_iter().fold(Router::new(), |router, route| {
        let handler = route.handler.router();
        router.route(route.path, strict(route.query, handler))
    })
}

/// The same routes, refusing parameters that are not named.
pub(crate) fn strict(query: &'static [Param], handler: MethodRouter<Console>) -> MethodRouter<Console> {
    handler.route_layer(from_fn(move |request: Request, next: Next| async move {
        match QueryParams::of(request.uri()).and_then(|asked| asked.check(query)) {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    }))
}
