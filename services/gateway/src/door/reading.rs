//! How a request is read: who is let in, how a body arrives and is unpacked, and what of the headers goes on with it.
//! Refuses to know formats and paths.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hindcast_api::Code;
use hindcast_http::{HttpRefusal, Result};

use crate::Gateway;
use crate::auth::{Unverified, Verified};
use crate::source::Source;
use crate::take::CarriedHeaders;

/// Lets somebody in who asks for what is guarded by the server's own credential.
pub(super) fn admit(gateway: &Gateway, headers: &HeaderMap) -> Result<hindcast_domain::event::Verdict> {
    gateway.inner.default_auth.admit(headers)
}

/// Reads a body of JSON: the credential first, then the bytes as they came, then what is packed in them.
pub(super) async fn arrive(
    gateway: &Gateway,
    source: &Source,
    headers: &HeaderMap,
    body: Body,
) -> Result<Verified<Bytes>> {
    arrive_as(gateway, source, headers, body, is_json).await
}

/// Reads a body whose media type `is_right`, in the same order.
pub(super) async fn arrive_as(
    gateway: &Gateway,
    source: &Source,
    headers: &HeaderMap,
    body: Body,
    is_right: fn(&HeaderMap) -> Result<()>,
) -> Result<Verified<Bytes>> {
    let guard = gateway.guard_of(source);
    if guard.reads_headers_alone() {
        guard.admit(headers)?;
    }
    is_right(headers)?;
    let packed = read(headers, body).await?;
    let verified = Unverified::new(packed).verify(guard, headers)?;
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(verified);
    }
    let plain = hindcast_http::read(&encoding_of(headers), Body::from(verified.get().clone())).await?;
    verified.try_map(|_| Ok(plain))
}

/// The bytes as they came.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes> {
    let mut bare = HeaderMap::new();
    if let Some(length) = headers.get(header::CONTENT_LENGTH) {
        bare.insert(header::CONTENT_LENGTH, length.clone());
    }
    hindcast_http::read(&bare, body).await
}

pub(super) fn encoding_of(headers: &HeaderMap) -> HeaderMap {
    let encoding = headers.get(header::CONTENT_ENCODING).cloned();
    encoding.into_iter().map(|encoding| (header::CONTENT_ENCODING, encoding)).collect()
}

/// JSON by its media type; a missing one is taken for it.
fn is_json(headers: &HeaderMap) -> Result<()> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let plain = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if plain.is_empty() || plain == "application/json" || plain.ends_with("+json") {
        return Ok(());
    }
    Err(HttpRefusal::new(Code::UnsupportedMediaType, format!("expected application/json, got {plain:.64?}")))
}

/// What of the headers goes on with the body.
pub(super) fn told(headers: &HeaderMap) -> CarriedHeaders {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim().to_owned());
    let short = |text: &String| (1..=128).contains(&text.len());
    let traced = |text: &String| {
        text.len() == 55 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-')
    };
    CarriedHeaders {
        event: text("x-github-event").filter(short),
        delivery: text("x-github-delivery").filter(short),
        traceparent: text("traceparent").filter(traced),
    }
}
