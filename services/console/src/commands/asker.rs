//! Who asks, and how: actor, idempotency key, `If-Match`, trace context. Roles come later; until then the
//! actor is a name that the asker chooses, and whoever may come in may ask for anything.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use hindcast_api::{AsOf, Code};
use hindcast_domain::event::SYSTEM;
use hindcast_http::{HttpRefusal, Result};

use crate::auth;
use crate::params::QueryParams;

/// The header with the person's name.
pub const ACTOR: &str = "x-hindcast-actor";
/// The header that makes a retry known.
pub const KEY: &str = "idempotency-key";
/// Whoever gives no name.
pub const ANONYMOUS: &str = "anonymous";

const ACTOR_CHARS_MAX: usize = 128;
const KEY_CHARS_MAX: usize = 255;

/// Who asks for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestActor {
    /// Their name.
    pub actor: String,
    /// Their key, if they sent one.
    pub key: Option<String>,
    /// The revision that they saw, if they named one.
    pub if_match: Option<u64>,
    /// As of when they looked, if they said so: what changed since then refuses the command.
    pub as_of: Option<AsOf>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestActor {
    type Rejection = HttpRefusal;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let headers = &parts.headers;
        let named = text(headers, ACTOR)?.or_else(|| auth::basic_name(headers));
        Ok(Self {
            actor: named.as_deref().map_or_else(|| Ok(ANONYMOUS.to_owned()), actor)?,
            key: text(headers, KEY)?.map(|value| key(&value)).transpose()?,
            if_match: text(headers, header::IF_MATCH.as_str())?.map_or(Ok(None), |value| revision(&value))?,
            as_of: QueryParams::of(&parts.uri)?.as_of()?,
            traceparent: text(headers, "traceparent")?.filter(|value| value.len() <= 64),
        })
    }
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| HttpRefusal::new(Code::BadParameter, format!("expected UTF-8 in the header {name}")))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// A name as it is recorded.
///
/// # Errors
/// 400 for one that is too long, has control characters, or is the system's own.
pub fn actor(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(ANONYMOUS.to_owned());
    }
    let fits = name.chars().count() <= ACTOR_CHARS_MAX && !name.chars().any(char::is_control);
    if !fits || name.eq_ignore_ascii_case(SYSTEM) {
        let detail = format!("expected a person's name of at most {ACTOR_CHARS_MAX} characters as the actor");
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    // A name is shown with all that it did; what was put there by mistake must not be.
    Ok(hindcast_redact::Redactor::default().text(name))
}

fn key(value: &str) -> Result<String> {
    if value.chars().count() > KEY_CHARS_MAX || value.chars().any(char::is_control) {
        let detail = format!("expected an Idempotency-Key of at most {KEY_CHARS_MAX} characters");
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    Ok(value.to_owned())
}

/// The revision of an `If-Match`: `"7"`, `7` or `W/"7"`; `*` is any.
fn revision(value: &str) -> Result<Option<u64>> {
    if value == "*" {
        return Ok(None);
    }
    let digits = value.trim_start_matches("W/").trim_matches('"');
    let bad = |_| {
        HttpRefusal::new(Code::BadParameter, format!("expected a revision such as \"7\" as If-Match, got {value:?}"))
    };
    digits.parse().map(Some).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_with_and_without_quotes() {
        for text in ["7", "\"7\"", "W/\"7\""] {
            assert_eq!(revision(text).unwrap(), Some(7), "{text}");
        }
        assert_eq!(revision("*").unwrap(), None);
        assert_eq!(revision("\"abc\"").unwrap_err().0.status, 400);
    }

    #[test]
    fn nobody_is_the_system() {
        assert_eq!(actor(" ").unwrap(), ANONYMOUS);
        assert_eq!(actor(" ada ").unwrap(), "ada");
        assert_eq!(actor("password=hunter2").unwrap(), "password=[redacted:secret]");
        assert!(actor("System").is_err() && actor("a\nb").is_err());
    }
}
