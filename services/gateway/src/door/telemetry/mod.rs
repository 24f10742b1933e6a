//! The doors for telemetry: log lines, OTLP and Prometheus' remote write. Owns what all of them share: what is
//! gathered out of a request, its bounds, and that nothing is answered before the store has it on disk.
//!
//! Telemetry goes beside the ledger: no request of these doors becomes an event. A bad record is named and the
//! good ones are taken; what is refused leaves nothing but a counter.

mod clean;
mod fields;
mod intake;
pub(super) mod lines;
pub(super) mod otlp;
pub(super) mod remote_write;
mod wire;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};
use hindcast_telemetry::{Error, Shared};

use super::{encoding_of, read};
use crate::Gateway;
use crate::auth::Unverified;
use intake::Intake;

/// Records of one request, samples included.
const RECORDS_MAX: usize = 200_000;
/// Messages inside of a request's protobuf: each becomes far larger in memory than it can be on the wire.
const NODES_MAX: usize = 1_000_000;
/// Objects in a request's JSON, for the same reason.
const OBJECTS_MAX: usize = 500_000;
/// Bad records that an answer lists; all of them are counted.
const LISTED_MAX: usize = 100;
/// Environments that one request can mix.
const ENVIRONMENTS_MAX: usize = 64;
/// Bytes of a line; the rest is cut off, which is counted.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Labels of a record; what is beyond is left out, which is counted.
const LABELS_MAX: usize = 64;
/// Bytes of a label's name, a service or a metric.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of a label's value.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of records that one request can become: labels that stand once in it stand in each of its records.
const GATHERED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes from which on a body is read off the threads that serve sockets.
const LARGE_BYTES: usize = 128 * 1024;

/// How a record of a request is wrong.
pub(crate) type Bad = crate::format::Bad;

/// The store, where there is one.
fn store(gateway: &Gateway) -> Result<Shared> {
    gateway.inner.telemetry.clone().ok_or_else(|| {
        let problem = Problem::new(Code::Unavailable, "no telemetry store is served by this process");
        HttpRefusal(problem.remedy("Send telemetry to a process that keeps it, such as `hindcast up`."))
    })
}

/// Reads a body for a door that is guarded by the server's own credential: the credential first, then whether
/// there is a store, then the bytes as they came.
async fn arrive(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Bytes> {
    let guard = &gateway.inner.default_auth;
    if guard.reads_headers_alone() {
        guard.admit(headers)?;
    }
    store(gateway)?;
    let packed = read(headers, body).await?;
    Ok(Unverified::new(packed).verify(guard, headers)?.into_parts().0)
}

/// What is packed in a body, by its `Content-Encoding`: gzip or nothing.
async fn unpacked(headers: &HeaderMap, packed: Bytes) -> Result<Bytes> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(packed);
    }
    hindcast_http::read(&encoding_of(headers), Body::from(packed)).await
}

/// The media type without its parameters, in lower case; empty where there is none.
fn media(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a body where it may take a while.
async fn off<T: Send + 'static>(bytes: usize, read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if bytes < LARGE_BYTES {
        return read();
    }
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|_| Err(HttpRefusal::new(Code::Internal, "the body could not be read")))
}

/// Counts what was gathered, and has the store keep the good records. 2xx may follow only after this.
async fn keep(gateway: &Gateway, intake: &mut Intake) -> Result<()> {
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

/// The refusal of a request that is too much to be looked at.
fn too_many(what: &str, most: usize) -> HttpRefusal {
    let problem = Problem::new(Code::TooLarge, format!("expected at most {most} {what} a request"));
    HttpRefusal(problem.remedy("Send them in several requests."))
}
