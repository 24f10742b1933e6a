//! How a request with telemetry is read, and how what it brings is kept. Refuses to know formats.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};
use hindcast_telemetry::{Error, Shared};

use super::super::reading::{encoding_of, read};
use super::intake::Intake;
use crate::Gateway;
use crate::auth::Unverified;

/// Bytes from which on a body is read off the threads that serve sockets.
const LARGE_BYTES: usize = 128 * 1024;

/// The store, where there is one.
pub(super) fn store(gateway: &Gateway) -> Result<Shared> {
    gateway.inner.telemetry.clone().ok_or_else(|| {
        let problem = Problem::new(Code::Unavailable, "no telemetry store is served by this process");
        HttpRefusal(problem.remedy("Send telemetry to a process that keeps it, such as `hindcast up`."))
    })
}

/// Reads a body for a door that is guarded by the server's own credential: the credential first, then whether
/// there is a store, then the bytes as they came.
pub(super) async fn arrive(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Bytes> {
    let guard = &gateway.inner.default_auth;
    if guard.reads_headers_alone() {
        guard.admit(headers)?;
    }
    store(gateway)?;
    let packed = read(headers, body).await?;
    Ok(Unverified::new(packed).verify(guard, headers)?.into_parts().0)
}

/// What is packed in a body, by its `Content-Encoding`: gzip or nothing.
pub(super) async fn unpacked(headers: &HeaderMap, packed: Bytes) -> Result<Bytes> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(packed);
    }
    hindcast_http::read(&encoding_of(headers), Body::from(packed)).await
}

/// The media type without its parameters, in lower case; empty where there is none.
pub(super) fn media(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a body where it may take a while.
pub(super) async fn off<T: Send + 'static>(
    bytes: usize,
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if bytes < LARGE_BYTES {
        return read();
    }
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|_| Err(HttpRefusal::new(Code::Internal, "the body could not be read")))
}

/// Counts what was gathered, and has the store keep the good records. 2xx may follow only after this.
pub(super) async fn keep(gateway: &Gateway, intake: &mut Intake) -> Result<()> {
    let store = store(gateway)?;
    intake.count_bad(&gateway.inner.metrics);
    for (partition, batch) in intake.take_batches() {
        store.append(&partition, batch).await.map_err(|error| refused(&error))?;
    }
    intake.count_good(&gateway.inner.metrics);
    Ok(())
}

/// What a sender is told that has to come again.
fn refused(error: &Error) -> HttpRefusal {
    tracing::warn!(%error, "the telemetry store takes nothing");
    let problem = Problem::new(Code::Unavailable, "the telemetry store takes nothing now");
    HttpRefusal(problem.remedy("Try again after Retry-After seconds; if it lasts, look at the disk's room."))
}
