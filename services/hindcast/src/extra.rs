//! Routes that only the binary can answer, since they touch the ledger or the folder itself: activation,
//! backup, and the probes of roles that have no console.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hindcast_api::Code;
use hindcast_console::{TokenCheck, openapi::Foreign};
use hindcast_domain::Partition;
use hindcast_domain::command::{Activated, Command, Received};
use hindcast_domain::event::Event;
use hindcast_events::NewEvent;
use hindcast_http::{Metrics, Refusal};
use hindcast_ledger::Shared;
use hindcast_ledger::writer::Writer;

use crate::backup;
use crate::folder::Folder;

/// What these routes need.
#[derive(Clone)]
pub struct State {
    /// The ledger.
    pub ledger: Shared,
    /// Where commands are written.
    pub writer: Writer,
    /// This installation's id.
    pub install: String,
    /// The data folder.
    pub folder: Folder,
    /// Whether nothing may be written.
    pub reading_only: bool,
}

/// For the description of all routes.
#[must_use]
pub fn described() -> Vec<Foreign> {
    vec![
        Foreign {
            method: "post",
            path: "/api/v1/activate",
            about: "Lets this installation perform effects.",
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
            path: "/ingest/{source}",
            about: "Takes what a source sends, in its format.",
            media: &["application/json"],
            status: 202,
        },
        Foreign {
            method: "post",
            path: "/api/v2/alerts",
            about: "Takes alerts as Prometheus sends them to an Alertmanager.",
            media: &["application/json"],
            status: 200,
        },
    ]
}

/// The routes.
pub fn router(state: State, token: Option<TokenCheck>) -> Router {
    Router::new()
        .route("/api/v1/activate", post(activate))
        .route("/api/v1/backup", get(download))
        .layer(axum::middleware::from_fn_with_state(token, hindcast_console::auth::check))
        .with_state(state)
}

/// `/healthz`, `/readyz` and `/metrics` of a process without a console.
pub fn probes(queries: hindcast_queries::Shared, metrics: Metrics) -> Router {
    let ready = move || {
        let queries = Arc::clone(&queries);
        async move {
            if queries.is_ready() {
                (StatusCode::OK, "ready\n").into_response()
            } else {
                Refusal::new(Code::Unavailable, "the views have not reached the ledger's head yet").into_response()
            }
        }
    };
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || std::future::ready(metrics.render())))
}

async fn activate(axum::extract::State(state): axum::extract::State<State>) -> Response {
    if state.reading_only {
        return Refusal::new(Code::Unavailable, "this folder is open for reading alone; start `hindcast up` on it")
            .into_response();
    }
    let head = state.ledger.head().await.unwrap_or(0);
    let received = Received {
        key: format!("activate/{}/{head}", state.install),
        if_match: None,
        command: Command::Activate(Activated { install: state.install.clone() }),
    };
    let new = NewEvent {
        subject: "activation".to_owned(),
        actor: "operator".to_owned(),
        event: Event::Command(received),
        traceparent: None,
    };
    match state.writer.submit(&Partition::whole(Partition::TENANT), vec![new]).await {
        Ok(receipt) => {
            let body = serde_json::json!({"install": state.install, "position": receipt.position()});
            axum::Json(body).into_response()
        }
        Err(error) => Refusal::new(Code::Unavailable, error.to_string()).into_response(),
    }
}

async fn download(axum::extract::State(state): axum::extract::State<State>) -> Response {
    let keys = match state.folder.keys() {
        Ok(keys) => keys,
        Err(error) => return Refusal::new(Code::Internal, error.to_string()).into_response(),
    };
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<bytes::Bytes>>(4);
    tokio::spawn(async move {
        if let Err(error) = backup::write(state.ledger.as_ref(), &keys, &sender).await {
            // The file ends without its seal, so that nobody takes it for whole.
            tracing::error!(%error, "a backup broke off");
            let broken = std::io::Error::other("the backup broke off");
            if sender.send_timeout(Err(broken), Duration::from_secs(1)).await.is_err() {
                tracing::debug!("whoever asked for a backup went away");
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
