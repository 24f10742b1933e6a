//! The bodies of commands, as types: what is required, what is understood, and what is refused. Owns the
//! step from bytes to a body; refuses to know what is done with it.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use hindcast_api::Code;
use hindcast_domain::limits::TEXT_BYTES_MAX;
use hindcast_domain::{Time, silence};
use hindcast_http::{HttpRefusal, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::duration::DurationText;

/// A JSON body; an absent one counts as an empty object.
#[derive(Clone, Debug)]
pub struct Json(pub Value);

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = HttpRefusal;
    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let bytes = hindcast_http::read(&parts.headers, body).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Value::Object(serde_json::Map::new())));
        }
        match media_type(&parts.headers).as_deref() {
            None | Some("application/json") => {}
            Some(other) if other.ends_with("+json") => {}
            Some(other) => {
                let detail = format!("expected application/json, got {other:?}");
                return Err(HttpRefusal::new(Code::UnsupportedMediaType, detail));
            }
        }
        hindcast_http::json(&bytes).map(Self)
    }
}

/// The media type of a body, without its parameters.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Reads a body of one of the types below.
///
/// # Errors
/// 422, naming the field.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    // A list would be read as the fields in their order.
    if !value.is_object() {
        return Err(invalid("expected the body as an object"));
    }
    serde_json::from_value(value).map_err(|error| invalid(format!("the body: {error}")))
}

/// Refuses what is understood and makes no sense.
pub fn invalid(detail: impl Into<String>) -> HttpRefusal {
    HttpRefusal::new(Code::Invalid, detail)
}

/// A text that says something and is not too long.
///
/// # Errors
/// 422 for an empty or a too long one.
pub fn text(name: &str, value: &str) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(invalid(format!("expected words as {name}, got an empty text")));
    }
    if value.len() > TEXT_BYTES_MAX {
        return Err(invalid(format!("expected at most {TEXT_BYTES_MAX} bytes as {name}, got {}", value.len())));
    }
    Ok(value.to_owned())
}

/// The same for a text that may be absent; an empty one counts as absent.
///
/// # Errors
/// 422 for a too long one.
pub fn maybe(name: &str, value: Option<String>) -> Result<Option<String>> {
    value.filter(|value| !value.trim().is_empty()).map(|value| text(name, &value)).transpose()
}

/// No arguments.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Fold afresh.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Replay")]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// Up to here, a position or a time; the head where absent.
    #[serde(default)]
    pub to: Option<Value>,
}

/// Hold alerts back. Alertmanager's names (`startsAt`, `endsAt`, `createdBy`) are understood too.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Silence")]
#[serde(deny_unknown_fields)]
pub struct SilenceBody {
    /// All of these must match.
    pub matchers: Vec<Match>,
    /// From when; now where absent.
    #[serde(default, alias = "startsAt")]
    pub starts_at: Option<Time>,
    /// Until when; this or `duration`.
    #[serde(default, alias = "endsAt")]
    pub ends_at: Option<Time>,
    /// So long after the start: `90m`, `2h`, `1d`, `1h30m`, or a number of seconds.
    #[serde(default)]
    pub duration: Option<DurationText>,
    /// Who asked for it; the actor where absent.
    #[serde(default, alias = "createdBy")]
    pub created_by: Option<String>,
    /// The reason, in your own words.
    pub comment: String,
    /// `silence` or `maintenance`.
    #[serde(default)]
    pub kind: Option<silence::Kind>,
    /// Only in this environment; in all of them where absent.
    #[serde(default)]
    pub environment: Option<String>,
    /// When it comes round again, in the local time of a place; its first time is the next one then, and neither
    /// `ends_at` nor `duration` is given.
    #[serde(default)]
    pub repeats: Option<RepeatSpelling>,
    /// The silence that this one replaces.
    #[serde(default, alias = "id")]
    pub replaces: Option<String>,
}

/// When a window repeats, as an object or as a text such as `sat,sun 02:30-05:00 Europe/Berlin`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RepeatSpelling {
    /// As text, such as `2nd tue 02:00-04:00 Europe/Berlin` or `daily 22:00-06:00 UTC`.
    Text(String),
    /// With its parts as separate fields.
    Object(silence::RepeatingWindow),
}

/// A matcher, as an object or as a text such as `service=~"pg|redis"`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Match {
    /// One matcher as text, such as `service=checkout` or `name=~"Disk.*"`.
    Text(String),
    /// One matcher with its parts as separate fields.
    Object(MatchObject),
}

/// A matcher as an object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchObject {
    /// The label's name.
    pub name: String,
    /// A value, or an anchored regular expression.
    pub value: String,
    /// Whether `value` is a regular expression.
    #[serde(default, rename = "isRegex", alias = "is_regex")]
    pub is_regex: bool,
    /// Whether it must match (`true`, also where absent) or must not.
    #[serde(default, rename = "isEqual", alias = "is_equal")]
    pub is_equal: Option<bool>,
}
