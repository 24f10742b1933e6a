//! The web pages' routes: reads what a page shows, and takes its forms. Pages themselves are in
//! [`crate::pages`]; what a form asks for is the same command that the API takes.

mod ask;
mod forms;
mod growing;
mod learnt;
mod read;

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use hindcast_api::Problem;
use hindcast_domain::act;

use crate::learn::Move;
use crate::params::{ALERTS_CURSOR, AS_OF, CURSOR, Param, of, text};
use crate::{Console, fallback, pages, routes};

const ME: Param = text("me", "Your name, for the forms.");
const ONE: &[Param] = &[AS_OF, CURSOR, ALERTS_CURSOR, ME];
const SILENCES: &[Param] = &[AS_OF, CURSOR, ME, text("matchers", "For the form.")];
const ALERT: &[Param] = &[AS_OF];
const FINDINGS: &[Param] = &[
    text("service", ""),
    text("environment", ""),
    text("since", ""),
    text("until", ""),
    text("limit", ""),
    AS_OF,
    CURSOR,
];
const LABELS: &[Param] = &[
    text("kind", ""),
    text("rule", ""),
    of("provenance", crate::params::Form::Words(&[]), ""),
    text("incident", ""),
    text("by", ""),
    text("environment", ""),
    text("retracted", ""),
    text("disputed", ""),
    text("limit", ""),
    AS_OF,
    CURSOR,
    ME,
];
const MODELS: &[Param] = &[text("limit", ""), AS_OF, CURSOR, ME];
const VERSION: &[Param] = &[AS_OF, ME];
const REPORTS: &[Param] = &[text("since", ""), text("until", ""), text("service", ""), text("environment", ""), AS_OF];
const ASK: &[Param] = &[AS_OF, ME, text("question", ""), text("incident", ""), text("conversation", "")];
const INCIDENTS: &[Param] = &[
    of("status", crate::params::Form::Words(&[]), ""),
    of("severity", crate::params::Form::Words(&[]), ""),
    text("service", ""),
    text("q", ""),
    text("since", ""),
    text("until", ""),
    text("environment", ""),
    text("limit", ""),
    AS_OF,
    CURSOR,
    ME,
];

/// All pages and their forms.
pub fn pages() -> Router<Console> {
    let page = |query: &'static [Param], handler: MethodRouter<Console>| routes::strict(query, handler);
    let mut router = Router::new()
        .route("/", page(INCIDENTS, get(read::incidents)))
        .route("/{id}", page(ONE, get(read::incident)))
        .route("/alerts", page(routes::ALERTS, get(read::alerts)))
        .route("/alerts/{fingerprint}", page(ALERT, get(read::receipt)))
        .route("/silences", page(SILENCES, get(read::silences)).merge(post(forms::silence)))
        .route("/silences/{id}/expire", post(forms::expire))
        .route("/findings", page(FINDINGS, get(read::findings)))
        .route("/ask", page(ASK, get(ask::form)).merge(post(ask::of_any)))
        .route("/{id}/ask", page(ASK, get(ask::form_of)).merge(post(ask::of_incident)))
        .route("/{id}/postmortem", page(ALERT, get(read::postmortem)))
        .route("/notices", page(routes::NOTICES, get(read::notices)))
        .route("/labels", page(LABELS, get(learnt::labels)))
        .route("/models", page(MODELS, get(learnt::models)))
        .route("/models/{name}", page(MODELS, get(learnt::model)))
        .route("/models/{name}/{version}", page(VERSION, get(learnt::version)))
        .route("/models/{name}/train", post(learnt::train))
        .route("/models/{name}/compare", post(learnt::compare))
        .route("/models/{name}/promote", learnt::moved(Move::Promote))
        .route("/models/{name}/rollback", learnt::moved(Move::RollBack))
        .route("/models/{name}/shadow", learnt::moved(Move::Shadow))
        .route("/{id}/judge", post(learnt::judge))
        .route("/reports", page(REPORTS, get(read::reports)))
        .route("/events/{id}", page(ALERT, get(read::event)))
        .route("/declare", post(forms::declare))
        .route("/undo", post(forms::undo));
    for act in act::on_incident() {
        router = router.route(act.form, forms::act(act.name));
    }
    router.layer(from_fn(as_page)).route(pages::style::path(), get(stylesheet)).route("/favicon.ico", get(icon))
}

/// A refusal is shown as a page to whoever looks at pages.
async fn as_page(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) => fallback::refuse(&headers, problem.clone()),
        None => response,
    }
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

async fn stylesheet() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOR_EVER)];
    (headers, pages::style::CSS).into_response()
}

async fn icon() -> Response {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, pages::style::ICON).into_response()
}
