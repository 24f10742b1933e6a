//! Tells people by an HTTP webhook: one POST of a [`Notification`] as JSON.
//!
//! The one contract of this crate: *only a 2xx counts as taken*. Every attempt carries the same
//! `Idempotency-Key`, and a signature where a secret is configured: `X-Hindcast-Signature: sha256=…`,
//! HMAC-SHA256 over the body.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A notifier that posts each notification as JSON to a URL.
pub struct Webhook {
    client: reqwest::Client,
    url: String,
    secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook at `url`, signed with `secret` where there is one.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(url: &str, secret: Option<Vec<u8>>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, url: url.to_owned(), secret })
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let body = serde_json::to_vec(message).map_err(|error| Error::Never(error.to_string()))?;
        let mut request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("idempotency-key", &message.key);
        if let Some(secret) = &self.secret {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|error| Error::Never(error.to_string()))?;
            mac.update(&body);
            let hex = hindcast_domain::hex::hex(&mac.finalize().into_bytes());
            request = request.header("x-hindcast-signature", format!("sha256={hex}"));
        }
        // The address may hold a secret: it is left out of what is told.
        let response =
            request.body(body).send().await.map_err(|error| Error::Again(error.without_url().to_string()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(status.to_string());
        }
        // A receiver that is misconfigured today may be mended tomorrow: every refusal is tried again.
        Err(Error::Again(format!("the receiver answered {status}")))
    }
}
