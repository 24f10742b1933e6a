//! A webhook of Discord. Owns the form of its messages and what its answers mean. The address is the credential.
//!
//! Source: Discord, "Webhook resource: Execute Webhook" (`wait`), "Embed limits", "Allowed mentions object", "Rate
//! limits" (`retry_after` in the body).

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets, seconds_of};
use crate::words::{LengthUnit, colour, fitted, lines, markdown};

/// The longest title and description of an embed, in characters.
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4096;
/// The longest id that is kept of an answer.
const ID_MAX: usize = 40;

const VENDOR: HttpVendor = HttpVendor {
    who: "Discord",
    // 30 messages a minute and webhook, five of them within two seconds.
    rate: CallRate { gap: Duration::from_secs(2), burst: 5 },
    credential: &[401, 403, 404],
    remedy: "it refuses the webhook's address; make the webhook anew and put its address into the place that url_env \
             or url_file names",
};

/// A webhook, which posts into one channel.
pub struct DiscordWebhook {
    line: VendorLine,
    url: Url,
}

impl std::fmt::Debug for DiscordWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiscordWebhook").finish_non_exhaustive()
    }
}

impl DiscordWebhook {
    /// Posts to this address, and waits until the message is there.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(url: &Secret) -> Result<Self, Misconfigured> {
        let mut url = address("a Discord webhook's url", url)?;
        let secrets = address_secrets(&url);
        if !url.query_pairs().any(|(name, _)| name == "wait") {
            url.query_pairs_mut().append_pair("wait", "true");
        }
        Ok(Self { line: VendorLine::new(VENDOR, secrets)?, url })
    }
}

#[async_trait]
impl Notifier for DiscordWebhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let answer = self.line.call(self.line.post(&self.url).json(&body(message))).await?;
        let said = answer.json();
        if answer.is_success() {
            let id = said["id"].as_str().map(|id| hindcast_domain::text::cut(id, ID_MAX));
            return Ok(id.map_or_else(|| "taken".to_owned(), |id| format!("message {id}")));
        }
        if answer.status == 429 {
            let after = said["retry_after"].as_f64().and_then(seconds_of).or(answer.after);
            return Err(self.line.held(after).await);
        }
        Err(self.line.refused(&answer, said["message"].as_str().unwrap_or_default()))
    }
}

fn body(message: &Notification) -> Value {
    let text = |text: &str, max| fitted(text, max, LengthUnit::Utf16, markdown);
    let mut embed = json!({
        "title": text(&message.headline(), TITLE_MAX),
        "description": text(&lines(message), DESCRIPTION_MAX),
        "color": colour(message),
        "timestamp": message.at.to_string(),
        "footer": {"text": message.notice},
    });
    if let Some(url) = &message.url {
        embed["url"] = json!(url);
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}
