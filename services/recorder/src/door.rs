//! Owns the HTTP door: it answers as the real receivers do, and keeps what comes before it answers.
//!
//! | route | takes |
//! |---|---|
//! | `POST /api/v2/alerts` | what Prometheus sends to an Alertmanager |
//! | `POST /ingest/alertmanager` | Alertmanager's webhook |
//! | `POST /ingest/change`, `POST /ingest/github` | changes |
//! | `POST /mark` | the truth, see [`crate::mark`] |
//! | `GET /`, `GET /status` | what was kept so far |

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::json;

use crate::clock;
use crate::compress;
use crate::error::Error;
use crate::format::{GroundTruth, RecordedChannel, RecordedRequest};
use crate::keep::RecordQueue;
use crate::limits::BODY_BYTES_MAX;
use crate::mark::{Mark, TruthMarks};
use crate::redact::RecordingRedactor;

/// Headers that belong to a connection or to one way of framing a body, and so to whoever plays the request.
const NOT_KEPT: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "accept-encoding",
];

/// What the door shares among its requests.
#[derive(Clone)]
pub(crate) struct RecordingEndpoint(Arc<EndpointState>);

struct EndpointState {
    keeper: RecordQueue,
    redactor: RecordingRedactor,
    truth_path: PathBuf,
    told: Mutex<TruthMarks>,
    started: Timestamp,
    kept: AtomicU64,
}

impl RecordingEndpoint {
    pub(crate) fn new(
        keeper: RecordQueue,
        redactor: RecordingRedactor,
        truth_path: PathBuf,
        started: Timestamp,
    ) -> Self {
        let told = Mutex::new(TruthMarks::default());
        Self(Arc::new(EndpointState { keeper, redactor, truth_path, told, started, kept: AtomicU64::new(0) }))
    }

    pub(crate) fn router(self) -> Router {
        let mut router = Router::new()
            .route("/", get(status))
            .route("/status", get(status))
            .route("/api/v2/status", get(status))
            .route("/mark", post(mark));
        for channel in RecordedChannel::ALL {
            let keep = move |state, method, uri, headers, body| keep(channel, state, method, uri, headers, body);
            router = router.route(channel.path(), post(keep));
        }
        router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(self)
    }

    /// What has been told so far, as it will stand in the recording.
    pub(crate) fn truth(&self, now: Timestamp) -> GroundTruth {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).truth(now)
    }
}

async fn keep(
    channel: RecordedChannel,
    State(door): State<RecordingEndpoint>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at = clock::now();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are recorded as text: send this one uncompressed");
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "bodies are recorded as text: this one is not UTF-8");
    };
    let redactor = &door.0.redactor;
    let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
    let request = RecordedRequest {
        at,
        channel,
        method: method.to_string(),
        path: redactor.text(path).into_owned(),
        headers: kept_headers(&headers, redactor),
        body: redactor.text(text).into_owned(),
    };
    if !door.0.keeper.request(request).await {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the recording has ended, nothing is kept any more");
    }
    door.0.kept.fetch_add(1, Ordering::Relaxed);
    match channel {
        RecordedChannel::Prometheus | RecordedChannel::Alertmanager => StatusCode::OK.into_response(),
        RecordedChannel::Change | RecordedChannel::Github => StatusCode::ACCEPTED.into_response(),
    }
}

fn kept_headers(headers: &HeaderMap, redactor: &RecordingRedactor) -> BTreeMap<String, String> {
    let kept = headers.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()));
    kept.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), redactor.header(name.as_str(), &value).into_owned())
    })
    .collect()
}

/// Hears a mark and puts the truth on disk before it answers.
async fn mark(State(door): State<RecordingEndpoint>, body: Bytes) -> Response {
    let mark: Mark = match serde_json::from_slice(&body) {
        Ok(mark) => mark,
        Err(error) => {
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("not a mark: {error}"));
        }
    };
    let now = clock::now();
    let mut told = door.0.told.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = told.hear(mark, now) {
        return refuse(StatusCode::CONFLICT, &error.to_string());
    }
    match write_truth(&door.0.truth_path, &told.truth(now)) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(%error, "a mark could not be written");
            refuse(StatusCode::INSUFFICIENT_STORAGE, "the mark could not be written")
        }
    }
}

/// Puts the truth in its file, whole.
pub(crate) fn write_truth(path: &std::path::Path, truth: &GroundTruth) -> Result<(), Error> {
    let bytes = serde_json::to_vec_pretty(truth)
        .map_err(|error| Error::Write { path: path.to_owned(), source: error.into() })?;
    compress::put(path, &bytes)
}

async fn status(State(door): State<RecordingEndpoint>) -> Response {
    let now = clock::now();
    let truth = door.truth(now);
    let open = |fault: &&crate::format::InjectedFault| fault.ended_at.is_none();
    Json(json!({
        "recording": true,
        "since": door.0.started,
        "requests": door.0.kept.load(Ordering::Relaxed),
        "faults": truth.faults.len(),
        "open_faults": truth.faults.iter().filter(open).map(|fault| &fault.id).collect::<Vec<_>>(),
        "changes": truth.changes.len(),
        // What a client of an Alertmanager looks at.
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {"version": env!("CARGO_PKG_VERSION")},
    }))
    .into_response()
}

fn refuse(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({"status": status.as_u16(), "detail": detail}))).into_response()
}
