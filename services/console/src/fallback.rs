//! What is said where nothing is: unknown paths and wrong methods, as a problem for programs and as a page
//! for browsers. Knows no route.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Problem};
use hindcast_http::HttpRefusal;

use crate::pages;

/// Answers 404: there is no such path.
pub async fn not_found(request: Request) -> Response {
    let path = request.uri().path();
    refuse(request.headers(), Problem::new(Code::NotFound, format!("expected a path of this server, got {path:?}")))
}

/// Answers 405: the path takes another method.
pub async fn method_not_allowed(request: Request) -> Response {
    let path = request.uri().path();
    // `/{id}` matches every single word; only incidents are things there.
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if matched.is_some_and(|matched| matched.starts_with("/{id}")) && !is_incident(path.trim_start_matches('/')) {
        return not_found(request).await;
    }
    let detail = format!("expected another method for {path:?}, got {}", request.method());
    refuse(request.headers(), Problem::new(Code::MethodNotAllowed, detail))
}

/// Whether a path's first word can be an incident's id.
#[must_use]
pub fn is_incident(word: &str) -> bool {
    word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("INC-"))
}

/// A refusal in the form that fits who asks: a page where HTML is asked for, a problem otherwise.
#[must_use]
pub fn refuse(headers: &HeaderMap, problem: Problem) -> Response {
    if !wants_html(headers) {
        return HttpRefusal(problem).into_response();
    }
    let mut response = HttpRefusal(problem.clone()).into_response();
    let page = pages::error::page(&problem).into_string();
    *response.body_mut() = page.into();
    let html = axum::http::HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// Whether a person's browser asks.
#[must_use]
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
