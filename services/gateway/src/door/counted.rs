//! What is counted of every request to an intake endpoint, and which series that makes. Knows no format.

use std::collections::BTreeSet;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use hindcast_api::{Code, Problem};
use hindcast_metrics::{AtomicHistogram, MetricRegistry};

use super::ROUTES;
use crate::Gateway;

/// Statuses of good answers.
const GOOD: [u16; 4] = [200, 201, 202, 204];

/// How long requests took that were taken: their content is durable by then.
pub(crate) struct AcceptanceTimes {
    alerts: AtomicHistogram,
    telemetry: AtomicHistogram,
}

impl AcceptanceTimes {
    /// Those of a registry.
    pub(crate) fn of(metrics: &MetricRegistry) -> Self {
        let of = |kind| metrics.histogram("hindcast_intake_seconds", &[("kind", kind)]);
        Self { alerts: of("alerts"), telemetry: of("telemetry") }
    }

    /// The histogram of a route that takes something in.
    fn of_route(&self, route: &str) -> Option<&AtomicHistogram> {
        match route {
            "/v1/logs" | "/v1/metrics" | "/v1/traces" | "/api/v1/write" => Some(&self.telemetry),
            "/api/v1/alerts" | "/api/v2/alerts" => Some(&self.alerts),
            route if route.starts_with("/opentelemetry.") => Some(&self.telemetry),
            route if route.starts_with("/ingest/") => Some(&self.alerts),
            _ => None,
        }
    }
}

/// Every series of `hindcast_requests_total`: route and status.
#[must_use]
pub fn series() -> Vec<Vec<String>> {
    let statuses: BTreeSet<u16> = GOOD.into_iter().chain(Code::ALL.iter().map(|code| code.parts().1)).collect();
    let routes: BTreeSet<&str> = ROUTES.iter().map(|(_, path, _)| *path).collect();
    let of = |route: &&str| statuses.iter().map(|status| vec![(*route).to_owned(), status.to_string()]).collect();
    routes.iter().flat_map(|route| -> Vec<Vec<String>> { of(route) }).collect()
}

/// Counts a request by route and status, a refusal by its code, and how long it took where it was accepted.
pub(crate) async fn count(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let takes = request.method() == Method::POST;
    let response = next.run(request).await;
    let (route, code) = (route.as_ref().map_or("none", MatchedPath::as_str), response.status());
    let metrics = &gateway.inner.metrics;
    metrics.count("hindcast_requests_total", &[("door", route), ("code", code.as_str())], 1.0);
    if let Some(problem) = response.extensions().get::<Problem>() {
        metrics.count("hindcast_intake_refused_total", &[("code", problem.code.as_str())], 1.0);
    }
    if takes
        && code.is_success()
        && let Some(times) = gateway.inner.times.of_route(route)
    {
        times.observe(began.elapsed());
    }
    response
}
