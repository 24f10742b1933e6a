//! Our own webhook: one POST of a [`Notification`] as JSON.
//!
//! The one contract of this module: *only a 2xx counts as taken*. Every attempt carries the same
//! `Idempotency-Key`, and a signature where a secret is configured: `X-Hindcast-Signature: sha256=…`,
//! HMAC-SHA256 over the body.

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier, ReceiverTrouble};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha2::Sha256;

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets};

const VENDOR: HttpVendor = HttpVendor {
    who: "the receiver",
    rate: CallRate::FREE,
    credential: &[401, 403],
    remedy: "it refuses the signature or the address; check secret_env and url on both sides",
};

/// A notifier that posts each notification as JSON to a URL.
pub struct Webhook {
    line: VendorLine,
    url: Url,
    secret: Option<Secret>,
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
    /// When the address is none.
    pub fn new(url: &Secret, secret: Option<Secret>) -> Result<Self, Misconfigured> {
        let url = address("a webhook", url)?;
        let secrets = address_secrets(&url).into_iter().chain(secret.clone()).collect();
        Ok(Self { line: VendorLine::new(VENDOR, secrets)?, url, secret })
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let body = serde_json::to_vec(message).map_err(|error| Error::Never(error.to_string()))?;
        let mut request = self
            .line
            .post(&self.url)
            .header("content-type", "application/json")
            .header("idempotency-key", &message.key);
        if let Some(secret) = &self.secret {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
                .map_err(|error| Error::Never(error.to_string()))?;
            mac.update(&body);
            let hex = hindcast_domain::hex::hex(&mac.finalize().into_bytes());
            request = request.header("x-hindcast-signature", format!("sha256={hex}"));
        }
        let answer = self.line.call(request.body(body)).await?;
        if answer.is_success() {
            return Ok(said(answer.status));
        }
        Err(match self.line.refused(&answer, "") {
            // A receiver that is misconfigured today may be mended tomorrow: every refusal is tried again.
            Error::Never(detail) => Error::Again { detail, after: None, trouble: ReceiverTrouble::Refused },
            again @ Error::Again { .. } => again,
        })
    }
}

/// A status as people know it: `202 Accepted`.
pub(crate) fn said(status: u16) -> String {
    reqwest::StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string())
}
