//! The web pages' routes: reads what a page shows, and takes its forms. Pages themselves are in
//! [`crate::pages`]; what a form asks for is the same command that the API takes.

mod ask;
mod fields;
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

const ICON: &str = "/favicon.ico";
const ME: Param = text("me", "Your name, for the forms.");
const ONE: &[Param] = &[AS_OF, CURSOR, ALERTS_CURSOR, ME];
const SILENCES: &[Param] = &[AS_OF, CURSOR, ME, text("matchers", "For the form.")];
const TOPOLOGY: &[Param] = &[AS_OF, CURSOR, ME];
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
    let router = table().into_iter().fold(Router::new(), |router, (path, handler)| router.route(path, handler));
    router.layer(from_fn(as_page)).route(pages::style::path(), get(stylesheet)).route(ICON, get(icon))
}

/// The paths of all pages and forms, and of what pages are shown with.
pub fn paths() -> Vec<&'static str> {
    table().into_iter().map(|(path, _)| path).chain([pages::style::path(), ICON]).collect()
}

fn table() -> Vec<(&'static str, MethodRouter<Console>)> {
    let page = |query: &'static [Param], handler: MethodRouter<Console>| routes::strict(query, handler);
    let pages = [
        ("/", page(INCIDENTS, get(read::incidents))),
        ("/{id}", page(ONE, get(read::incident))),
        ("/alerts", page(routes::ALERTS, get(read::alerts))),
        ("/alerts/{fingerprint}", page(ALERT, get(read::receipt))),
        ("/silences", page(SILENCES, get(read::silences)).merge(post(forms::silence))),
        ("/silences/{id}/expire", post(forms::expire)),
        ("/topology", page(TOPOLOGY, get(read::topology))),
        ("/topology/{id}/confirm", post(forms::confirm_link)),
        ("/topology/{id}/deny", post(forms::deny_link)),
        ("/findings", page(FINDINGS, get(read::findings))),
        ("/ask", page(ASK, get(ask::form)).merge(post(ask::of_any))),
        ("/{id}/ask", page(ASK, get(ask::form_of)).merge(post(ask::of_incident))),
        ("/{id}/postmortem", page(ALERT, get(read::postmortem))),
        ("/notices", page(routes::NOTICES, get(read::notices))),
        ("/labels", page(LABELS, get(learnt::labels))),
        ("/models", page(MODELS, get(learnt::models))),
        ("/models/{name}", page(MODELS, get(learnt::model))),
        ("/models/{name}/{version}", page(VERSION, get(learnt::version))),
        ("/models/{name}/train", post(learnt::train)),
        ("/models/{name}/compare", post(learnt::compare)),
        ("/models/{name}/promote", learnt::moved(Move::Promote)),
        ("/models/{name}/rollback", learnt::moved(Move::RollBack)),
        ("/models/{name}/shadow", learnt::moved(Move::Shadow)),
        ("/{id}/judge", post(learnt::judge)),
        ("/reports", page(REPORTS, get(read::reports))),
        ("/events/{id}", page(ALERT, get(read::event))),
        ("/declare", post(forms::declare)),
        ("/undo", post(forms::undo)),
    ];
    pages.into_iter().chain(act::on_incident().map(|act| (act.form, forms::act(act.name)))).collect()
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
