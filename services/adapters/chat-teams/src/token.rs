//! Our own token: asked for with the app's password, kept until shortly before it ends, asked for anew when
//! the connector refuses it. Refuses to show password or token.

use std::sync::Arc;

use hindcast_messaging::chat::Error;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::UnixClock;
use crate::wire::{self, encoded};
use hindcast_domain::Secret;

/// So long before its end a token is not used any more, in seconds.
const MARGIN_S: i64 = 300;
/// Who is spoken to, in errors.
const WHO: &str = "the token endpoint";

/// Gets tokens for the connector.
pub(crate) struct TokenSource {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) app_id: String,
    pub(crate) password: Secret,
    pub(crate) scope: String,
    pub(crate) clock: UnixClock,
    pub(crate) kept: Mutex<Option<CachedToken>>,
}

/// A token that is kept.
pub(crate) struct CachedToken {
    token: Arc<str>,
    until: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Value>,
}

impl TokenSource {
    /// A token that is good for a while. `refused` is one that the connector did not take: never that one.
    ///
    /// # Errors
    /// `Again` when the endpoint cannot be reached, `Never` with a remedy when it does not know us.
    pub(crate) async fn get(&self, refused: Option<&str>) -> Result<Arc<str>, Error> {
        // Whoever comes meanwhile waits here and takes the same token: one is asked for at a time.
        let mut kept = self.kept.lock().await;
        let now = (self.clock)();
        if let Some(good) = kept.as_ref().filter(|kept| now < kept.until && refused != Some(&*kept.token)) {
            return Ok(Arc::clone(&good.token));
        }
        *kept = None;
        let granted = self.ask().await?;
        let token: Arc<str> = granted.access_token.into();
        let lasts = granted.expires_in.as_ref().and_then(seconds).unwrap_or(0).clamp(0, 7 * 24 * 3600);
        // A token that lasts less than the margin is used for half its life.
        *kept = Some(CachedToken {
            token: Arc::clone(&token),
            until: now.saturating_add((lasts - MARGIN_S).max(lasts / 2)),
        });
        Ok(token)
    }

    async fn ask(&self) -> Result<Granted, Error> {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            encoded(&self.app_id),
            encoded(self.password.expose()),
            encoded(&self.scope)
        );
        let request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let response = request.send().await.map_err(|error| wire::unreached(WHO, error))?;
        let status = response.status().as_u16();
        if matches!(status, 400 | 401) {
            return Err(unknown_to(&wire::body(WHO, response, wire::REPLY_MAX).await.unwrap_or_default()));
        }
        if !response.status().is_success() {
            return Err(wire::refusal(WHO, response).await);
        }
        let bytes = wire::body(WHO, response, wire::REPLY_MAX).await?;
        let granted: Granted = serde_json::from_slice(&bytes)
            .map_err(|_| Error::Never(format!("{WHO} answered without access_token; check teams.token_url")))?;
        let odd = granted.access_token.is_empty() || granted.access_token.contains(|c: char| !c.is_ascii_graphic());
        if odd {
            return Err(Error::Never(format!("{WHO} answered a token that no header can hold; check teams.token_url")));
        }
        Ok(granted)
    }
}

/// Seconds, as a number or, as some endpoints say it, a string.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// What to do about a refusal of the app itself.
fn unknown_to(said: &[u8]) -> Error {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let code = said["error"].as_str().unwrap_or_default();
    let number = said["error_codes"][0].as_i64().unwrap_or_default();
    let remedy = match (code, number) {
        ("temporarily_unavailable", _) => {
            return Error::Again { detail: format!("{WHO} is unavailable for now"), after: None };
        }
        (_, 7_000_222) => "the app's password has run out; make a new one",
        ("invalid_client", _) => "check the app's password",
        ("unauthorized_client", _) => "check the app id and the tenant",
        ("invalid_request", _) => "check the tenant and the app id",
        ("invalid_scope", _) => "check the scope",
        _ => "check the app id, its password and the tenant",
    };
    // Only the codes are shown: the words that come along name what was sent.
    let code = if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') { code } else { "" };
    Error::Never(format!("{WHO} does not know us ({code} {number}): {remedy}"))
}
