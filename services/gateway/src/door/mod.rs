//! The doors: which address does what. Owns what all of them share: who is let in, how a body is read and
//! what is counted; refuses to know formats.

mod alertmanager;
mod compatible;
pub(crate) mod counted;
mod filter;
mod ingest;
mod parked;
mod reading;
mod silences;
mod telemetry;

pub use telemetry::syslog::{AddressRange, NoNetwork, SyslogError, SyslogListener, SyslogOptions};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use hindcast_api::{Code, Problem};
use hindcast_http::HttpRefusal;

use crate::Gateway;

/// The gateway's routes. Unknown addresses are for whoever merges them.
pub fn router(gateway: Gateway) -> Router {
    open(otlp_routes().merge(routes()), gateway)
}

/// The doors of OpenTelemetry alone, for an address of their own.
pub fn otlp_router(gateway: Gateway) -> Router {
    open(otlp_routes(), gateway)
}

fn open(routes: Router<Gateway>, gateway: Gateway) -> Router {
    routes
        .route_layer(from_fn(same_site))
        .route_layer(from_fn(compatible::refusals))
        .route_layer(from_fn_with_state(gateway.clone(), counted::count))
        .with_state(gateway)
}

fn otlp_routes() -> Router<Gateway> {
    Router::new()
        .route("/v1/logs", post(telemetry::otlp::logs))
        .route("/v1/metrics", post(telemetry::otlp::metrics))
        .route("/v1/traces", post(telemetry::otlp::traces))
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", post(telemetry::otlp::grpc::logs))
        .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", post(telemetry::otlp::grpc::metrics))
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(telemetry::otlp::grpc::traces))
}

fn routes() -> Router<Gateway> {
    Router::new()
        .route("/ingest/{source}", post(ingest::post))
        // Prometheus has one setting for where to send to, `path_prefix`, and appends the rest.
        .route("/ingest/{source}/api/v2/alerts", post(ingest::prefixed))
        .route("/ingest/{source}/api/v1/alerts", post(ingest::prefixed_v1))
        .route("/api/v1/write", post(telemetry::remote_write::write))
        .route("/api/v1/alerts", post(ingest::alerts_v1))
        .route("/api/v2/alerts", post(ingest::alerts).get(alertmanager::alerts))
        .route("/api/v2/alerts/groups", get(alertmanager::groups))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/receivers", get(alertmanager::receivers))
        .route("/api/v2/silences", post(silences::create).get(silences::list))
        .route("/api/v2/silence/{id}", delete(silences::expire).get(silences::one))
        .route("/api/v1/parked", get(parked::list))
        .route("/api/v1/parked/{id}/retry", post(parked::retry))
        .route("/api/v1/parked/{id}/discard", post(parked::discard))
}

/// The doors as the description of the API lists them: (method, path, what it is for).
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/ingest/{source}", "Takes what a source sends, in its own format."),
    ("POST", "/ingest/{source}/api/v2/alerts", "The same for Prometheus with a path prefix."),
    ("POST", "/ingest/{source}/api/v1/alerts", "The same for an old Prometheus with a path prefix."),
    ("POST", "/v1/logs", "Takes log records as OTLP over HTTP, protobuf or JSON."),
    ("POST", "/v1/metrics", "Takes metrics as OTLP over HTTP, protobuf or JSON."),
    ("POST", "/v1/traces", "Takes spans as OTLP over HTTP, protobuf or JSON."),
    ("POST", "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "Takes log records as OTLP over gRPC."),
    ("POST", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "Takes metrics as OTLP over gRPC."),
    ("POST", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "Takes spans as OTLP over gRPC."),
    ("POST", "/api/v1/write", "Takes samples as Prometheus' remote write 1.0."),
    ("POST", "/api/v1/alerts", "Takes alerts as an old Alertmanager does."),
    ("POST", "/api/v2/alerts", "Takes alerts as an Alertmanager does."),
    ("GET", "/api/v2/alerts", "Firing alerts in Alertmanager's shape."),
    ("GET", "/api/v2/alerts/groups", "Firing alerts by name in Alertmanager's shape."),
    ("GET", "/api/v2/status", "What this server is, in Alertmanager's shape."),
    ("GET", "/api/v2/receivers", "The one receiver, in Alertmanager's shape."),
    ("POST", "/api/v2/silences", "Creates or edits a silence as an Alertmanager does."),
    ("GET", "/api/v2/silences", "Silences in Alertmanager's shape."),
    ("GET", "/api/v2/silence/{id}", "One silence in Alertmanager's shape."),
    ("DELETE", "/api/v2/silence/{id}", "Ends a silence."),
    ("GET", "/api/v1/parked", "Dead letters: items that were accepted and could not be processed."),
    ("POST", "/api/v1/parked/{id}/retry", "Retries a dead letter."),
    ("POST", "/api/v1/parked/{id}/discard", "Discards a dead letter."),
];

/// Doors that are promised and answer 501 until they are built. Whoever builds one takes it out here.
pub fn promised() -> Router {
    let paths = ["/v2/enqueue", "/opsgenie/v2/alerts", "/opsgenie/v2/alerts/{*rest}"];
    let answer = || async { HttpRefusal::new(Code::NotImplemented, "this endpoint is promised and not built yet") };
    paths.iter().fold(Router::new(), |router, path| router.route(path, any(answer)))
}

/// Turns away what another site's page makes a browser send: an open door would take it.
async fn same_site(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    match site {
        Some(site) if !matches!(site, "same-origin" | "none") => {
            let problem = Problem::new(Code::Forbidden, format!("expected no other site's page, got {site:.32?}"));
            HttpRefusal(problem.remedy("Send it from a program, not from a page.")).into_response()
        }
        _ => next.run(request).await,
    }
}
