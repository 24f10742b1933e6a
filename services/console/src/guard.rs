//! What stands in front of every route: refusal of cross-site writes and of foreign host names, the
//! security headers of pages, and the counters. Knows no route's meaning.

use std::net::IpAddr;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use hindcast_api::{Code, Problem};
use hindcast_metrics::MetricRegistry;

use crate::{Options, fallback};

/// Nothing but our own stylesheet, icon and forms; no script at all.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";

/// What the guards know of this server.
#[derive(Clone, Debug)]
pub struct Guards {
    /// Whether there is no credential, so that the browser's own rules are all that protects it.
    open: bool,
    /// The host of the public URL.
    host: String,
}

impl Guards {
    /// From the console's options.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        let url = options.public_url.as_str();
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        Self { open: options.token.is_none(), host: name_of(host).to_ascii_lowercase() }
    }

    /// A name that resolves to us by somebody else's doing (DNS rebinding) has dots and is not ours.
    fn is_foreign(&self, host: &str) -> bool {
        let name = name_of(host).to_ascii_lowercase();
        let plain = name.trim_start_matches('[').trim_end_matches(']');
        let harmless = plain.parse::<IpAddr>().is_ok() || !plain.contains('.') || plain.ends_with(".localhost");
        self.open && !harmless && name != self.host
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Refuses what another site's page makes a browser send.
pub async fn same_site(State(guards): State<Guards>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()));
    if let Some(host) = host.filter(|host| guards.is_foreign(host)) {
        let detail = format!("expected the name of this server, got the host {host:?}");
        let problem = Problem::new(Code::Forbidden, detail)
            .remedy("Use an address or localhost, or set the public URL to this name.");
        return fallback::refuse(request.headers(), problem);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && let Some(from) = foreign_origin(request.headers(), host) {
        let problem =
            Problem::new(Code::Forbidden, format!("expected a request from these pages, it comes from {from}"))
                .remedy("Use the pages of this server, or send no Origin header.");
        return fallback::refuse(request.headers(), problem);
    }
    next.run(request).await
}

/// Where a request comes from, if a browser says that it is not our own page.
fn foreign_origin(headers: &HeaderMap, host: Option<&str>) -> Option<String> {
    if let Some(site) = text(headers, "sec-fetch-site").filter(|site| !matches!(*site, "same-origin" | "none")) {
        return Some(format!("a {site} page"));
    }
    let origin = text(headers, header::ORIGIN)?;
    let from = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    (Some(from) != host).then(|| format!("{origin:?}"))
}

/// Sets the headers by which a browser keeps our pages to themselves.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let html = text(response.headers(), header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if html {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        // `no-referrer` would turn the Origin of our own forms into `null`.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    response
}

/// Counts requests by route and status, and refusals by code.
pub async fn count(State(metrics): State<MetricRegistry>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status();
    metrics.count("hindcast_http_requests_total", &[("route", &route), ("status", status.as_str())], 1.0);
    if let Some(problem) = response.extensions().get::<Problem>() {
        metrics.count("hindcast_refused_total", &[("code", problem.code.as_str())], 1.0);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_server_answers_to_addresses_and_its_own_name_alone() {
        let guards = Guards { open: true, host: "hindcast.example.com".to_owned() };
        for host in ["127.0.0.1:7171", "[::1]:7171", "localhost:7171", "hindcast", "Hindcast.example.com"] {
            assert!(!guards.is_foreign(host), "{host}");
        }
        assert!(guards.is_foreign("evil.example.org:7171"));
        assert!(!Guards { open: false, ..guards }.is_foreign("evil.example.org"));
    }
}
