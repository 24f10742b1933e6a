//! Routes that only the binary can answer, since they touch the ledger or the folder itself: activation,
//! backup, and the probes of roles that have no console.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hindcast_api::Code;
use hindcast_console::openapi::Foreign;
use hindcast_domain::Partition;
use hindcast_domain::SecretHash;
use hindcast_domain::Time;
use hindcast_domain::command::{Activated, Command, Received};
use hindcast_http::HttpRefusal;
use hindcast_intake::{CommandWriter, NewCommand};
use hindcast_ledger::{LagBoard, Shared};
use hindcast_metrics::MetricRegistry;

use crate::backup;
use crate::folder::Folder;

/// What these routes need.
#[derive(Clone)]
pub struct ProcessState {
    pub ledger: Shared,
    /// Where commands are written.
    pub commands: CommandWriter,
    /// This installation's id.
    pub install: String,
    /// The data folder.
    pub folder: Folder,
    /// Whether nothing may be written.
    pub reading_only: bool,
    /// How people reach this server: the one name that an open server answers to, besides loopback's.
    pub public_url: String,
    /// The receivers of this process.
    pub notifiers: crate::trial::Receivers,
    /// The source of time.
    pub clock: hindcast_clock::Shared,
    /// Shared figures.
    pub metrics: MetricRegistry,
    /// The rhythms of senders.
    pub heartbeats: crate::heartbeats::Heartbeats,
}

/// For the description of all routes.
#[must_use]
pub fn described() -> Vec<Foreign> {
    let doors = hindcast_gateway::ROUTES.iter().map(|(method, path, about)| Foreign {
        method: match *method {
            "GET" => "get",
            "DELETE" => "delete",
            _ => "post",
        },
        path,
        about,
        media: match *path {
            "/v1/logs" | "/v1/metrics" => &["application/x-protobuf", "application/json"],
            "/api/v1/write" => &["application/x-protobuf"],
            _ => &["application/json"],
        },
        status: match *path {
            "/ingest/{source}" => 202,
            "/api/v1/write" => 204,
            _ => 200,
        },
    });
    let chat = CHAT.iter().map(|(path, about, media)| Foreign { method: "post", path, about, media, status: 200 });
    OWN.into_iter().chain(chat).chain(doors).collect()
}

/// Routes that only this binary has.
const OWN: [Foreign; 7] = [
    Foreign {
        method: "post",
        path: "/api/v1/activate",
        about: "Activates the notification effects of this installation.",
        media: &[],
        status: 200,
    },
    Foreign {
        method: "post",
        path: "/api/v1/redecide",
        about: "Decides the recorded past again and compares it with what is recorded, byte for byte.",
        media: &[],
        status: 200,
    },
    Foreign {
        method: "get",
        path: "/api/v1/audit/pages",
        about: "Compares the notifications that people received with what was true: breaches of the paging contract, by rule.",
        media: &[],
        status: 200,
    },
    Foreign {
        method: "get",
        path: "/api/v1/heartbeats",
        about: "Senders and their rhythm: how often each repeats what fires, and whether it is silent.",
        media: &[],
        status: 200,
    },
    Foreign {
        method: "post",
        path: "/api/v1/receivers/{name}/test",
        about: "Sends a test message to a receiver, and answers what it said.",
        media: &[],
        status: 200,
    },
    Foreign {
        method: "get",
        path: "/api/v1/backup",
        about: "The whole ledger and its keys as one file.",
        media: &[backup::MEDIA],
        status: 200,
    },
    Foreign {
        method: "post",
        path: hindcast_mcp::PATH,
        about: "The read-only tools, and questions, over the Model Context Protocol.",
        media: &["application/json"],
        status: 200,
    },
];

/// Chat's doors, each with what it takes.
const CHAT: [(&str, &str, &[&str]); 5] = [
    ("/slack/events", "Events from Slack, signed.", &["application/json"]),
    ("/slack/interactive", "Buttons and dialogs of Slack, signed.", &["application/x-www-form-urlencoded"]),
    ("/slack/commands", "The command `/hindcast` of Slack, signed.", &["application/x-www-form-urlencoded"]),
    ("/teams/messages", "Events from Teams, with a token of the Bot Framework.", &["application/json"]),
    ("/teams/outgoing", "A question through an outgoing webhook of Teams, signed.", &["application/json"]),
];

/// Activation, backup and the figures of the process.
pub fn router(state: ProcessState, token: Option<SecretHash>) -> Router {
    Router::new()
        .route("/api/v1/activate", post(activate))
        .route("/api/v1/backup", get(download))
        .route("/api/v1/redecide", post(redecide))
        .route("/api/v1/audit/pages", get(audit_pages))
        .route("/api/v1/heartbeats", get(heartbeats))
        .route("/api/v1/receivers/{name}/test", post(test_receiver))
        .layer(axum::middleware::from_fn_with_state(token, hindcast_console::auth::check))
        .layer(axum::middleware::from_fn_with_state(state.clone(), from_here))
        .with_state(state)
}

/// Another site's page must reach neither the whole ledger nor the switch of effects, not even by a name
/// that it has pointed at this machine.
async fn from_here(
    axum::extract::State(state): axum::extract::State<ProcessState>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    if is_from_here(request.headers(), &state.public_url) {
        return next.run(request).await;
    }
    HttpRefusal::new(Code::Forbidden, "this route accepts requests from this server's own pages and host names only")
        .into_response()
}

fn is_from_here(headers: &axum::http::HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() || public_url.ends_with(&format!("//{host}"))
    };
    let host = text("host").is_none_or(ours);
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = text("origin").is_none_or(|origin| origin.split_once("//").is_some_and(|(_, host)| ours(host)));
    host && site && origin
}

/// Over a folder that is open for reading, whatever would write is refused.
pub async fn only_reads(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    use axum::http::Method;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) || asks(request.uri().path());
    if reads {
        return next.run(request).await;
    }
    let detail = "this folder is open read-only: nothing is accepted or changed";
    let mut problem = HttpRefusal::new(Code::Unavailable, detail);
    problem.0.remedy = "Start `hindcast up` on the folder, and use --server.".to_owned();
    problem.into_response()
}

/// Decides the past again.
async fn redecide(axum::extract::State(state): axum::extract::State<ProcessState>) -> Response {
    match crate::redecide::all(&state.ledger).await {
        Ok(redecided) => axum::Json(redecided).into_response(),
        Err(error) => {
            tracing::error!(%error, "the past was not decided again");
            HttpRefusal::new(Code::Unavailable, "the ledger cannot be read to its end").into_response()
        }
    }
}

/// Tries one receiver.
async fn test_receiver(
    axum::extract::State(state): axum::extract::State<ProcessState>,
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Response {
    let Some(notifier) = state.notifiers.get(&name) else {
        let known: Vec<&str> = state.notifiers.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none is configured in this process".to_owned() } else { known.join(", ") };
        let detail = format!("expected the name of a receiver ({known}), got {name:?}");
        return HttpRefusal::new(Code::NotFound, detail).into_response();
    };
    let notifier = std::sync::Arc::clone(notifier);
    axum::Json(crate::trial::run(&name, &*notifier, state.clock.now(), &state.metrics).await).into_response()
}

/// What the paging audit is asked for.
#[derive(Debug, serde::Deserialize)]
struct AuditAsked {
    from: Option<String>,
    to: Option<String>,
    as_of: Option<String>,
}

/// Audits what people were told.
async fn audit_pages(
    axum::extract::State(state): axum::extract::State<ProcessState>,
    axum::extract::Query(asked): axum::extract::Query<AuditAsked>,
) -> Response {
    let span = match audit_span(&asked) {
        Ok(span) => span,
        Err(detail) => return HttpRefusal::new(Code::Malformed, detail).into_response(),
    };
    match crate::audit::pages(&state.ledger, span).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => {
            tracing::error!(%error, "notifications were not audited");
            HttpRefusal::new(Code::Unavailable, "the ledger cannot be read to its end").into_response()
        }
    }
}

/// `as_of` is a position, or a time like `from` and `to`.
fn audit_span(asked: &AuditAsked) -> Result<crate::audit::AuditSpan, String> {
    let time = |name: &str, text: &str| {
        text.parse::<Time>().map_err(|_| format!("expected a time in RFC 3339 as {name}, got {text:?}"))
    };
    let position = asked.as_of.as_deref().and_then(|text| text.parse::<u64>().ok());
    let end = match (&asked.to, &asked.as_of) {
        (Some(to), _) => Some(time("to", to)?),
        (None, Some(as_of)) if position.is_none() => Some(time("as_of", as_of)?),
        (None, _) => None,
    };
    let from = asked.from.as_deref().map(|text| time("from", text)).transpose()?;
    Ok(crate::audit::AuditSpan { from: from.unwrap_or(Time::ZERO), to: end, as_of: position })
}

/// The position or time as of which senders are listed.
#[derive(Debug, serde::Deserialize)]
struct HeartbeatsAsked {
    as_of: Option<String>,
}

/// The rhythms of senders.
async fn heartbeats(
    axum::extract::State(state): axum::extract::State<ProcessState>,
    axum::extract::Query(asked): axum::extract::Query<HeartbeatsAsked>,
) -> Response {
    use crate::heartbeats::HeartbeatMoment;
    let moment = match asked.as_of.as_deref() {
        None => HeartbeatMoment::Now,
        Some(text) => match (text.parse::<u64>(), text.parse::<Time>()) {
            (Ok(position), _) => HeartbeatMoment::Position(position),
            (_, Ok(time)) => HeartbeatMoment::Time(time),
            _ => {
                let detail = format!("expected a position or a time in RFC 3339 as as_of, got {text:?}");
                return HttpRefusal::new(Code::BadAsOf, detail).into_response();
            }
        },
    };
    match state.heartbeats.list(&state.ledger, moment).await {
        Ok(page) => axum::Json(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the rhythms of senders were not read");
            HttpRefusal::new(Code::Unavailable, "the ledger cannot be read to its end").into_response()
        }
    }
}

/// Whether a path that takes a POST asks and changes nothing. A question over a folder is answered and not kept.
fn asks(path: &str) -> bool {
    const ASK: [&str; 7] =
        ["/api/v1/verify", "/api/v1/replay", "/api/v1/redecide", "/api/v1/backtest", "/api/v1/ask", "/mcp", "/ask"];
    ASK.contains(&path) || path.ends_with("/ask")
}

/// `/healthz`, `/readyz` and `/metrics` of a process without a console.
pub fn probes(queries: hindcast_queries::Shared, lags: LagBoard, metrics: MetricRegistry) -> Router {
    let ready = move || {
        let position = *queries.position().borrow();
        std::future::ready(hindcast_console::ops::readiness(position, queries.is_ready(), &lags).map(axum::Json))
    };
    Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(ready)).route(
        "/metrics",
        get(move |headers: HeaderMap| std::future::ready(hindcast_console::ops::expose(&metrics, &headers))),
    )
}

async fn activate(axum::extract::State(state): axum::extract::State<ProcessState>) -> Response {
    if state.reading_only {
        return HttpRefusal::new(Code::Unavailable, "this folder is open read-only; start `hindcast up` on it")
            .into_response();
    }
    let head = state.ledger.head().await.unwrap_or(0);
    let received = Received {
        key: format!("activate/{}/{head}", state.install),
        if_match: None,
        command: Command::Activate(Activated { install: state.install.clone() }),
    };
    let new = NewCommand {
        subject: "activation".to_owned(),
        actor: "operator".to_owned(),
        command: received,
        traceparent: None,
    };
    match state.commands.submit(&Partition::whole(Partition::TENANT), new).await {
        Ok(receipt) => {
            let body = serde_json::json!({"install": state.install, "position": receipt.position()});
            axum::Json(body).into_response()
        }
        Err(error) => HttpRefusal::new(Code::Unavailable, error.to_string()).into_response(),
    }
}

async fn download(axum::extract::State(state): axum::extract::State<ProcessState>) -> Response {
    let keys = match state.folder.keys() {
        Ok(keys) => keys,
        Err(error) => return HttpRefusal::new(Code::Internal, error.to_string()).into_response(),
    };
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<bytes::Bytes>>(4);
    tokio::spawn(async move {
        if let Err(error) = backup::write(state.ledger.as_ref(), &keys, &sender).await {
            // The file ends without its seal, so that nobody takes it for whole.
            tracing::error!(%error, "a backup broke off");
            let broken = std::io::Error::other("the backup broke off");
            if sender.send_timeout(Err(broken), Duration::from_secs(1)).await.is_err() {
                tracing::debug!("the client that asked for a backup closed the connection");
            }
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let headers = [
        (header::CONTENT_TYPE, backup::MEDIA),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"hindcast.backup\""),
    ];
    (headers, Body::from_stream(stream)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sites_page_reaches_neither_backup_nor_activation() {
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
            });
            is_from_here(&headers.collect(), "https://hindcast.example.com")
        };
        assert!(from(&[("host", "127.0.0.1:7171")]) && from(&[("host", "localhost:7171")]));
        assert!(from(&[("host", "hindcast.example.com")]));
        assert!(!from(&[("host", "evil.example.org")]), "a name that was pointed at this machine");
        assert!(!from(&[("host", "127.0.0.1:7171"), ("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("host", "127.0.0.1:7171"), ("origin", "http://evil.example")]));
    }
}
