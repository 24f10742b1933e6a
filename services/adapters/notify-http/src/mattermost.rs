//! An incoming webhook of Mattermost. Owns the form of its messages and what its answers mean. The address is the
//! credential.
//!
//! Source: Mattermost, "Incoming webhooks" (`ok`, errors with `message`), "Message attachments".

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets};
use crate::words::{LengthUnit, colour, fitted, lines, markdown};

/// The longest post of a server with an old database, in characters; newer ones take more.
const TEXT_MAX: usize = 4000;
/// The longest title of an attachment that stays on a screen.
const TITLE_MAX: usize = 300;

const VENDOR: HttpVendor = HttpVendor {
    who: "Mattermost",
    // What a server allows unless it is told otherwise.
    rate: CallRate { gap: Duration::from_millis(100), burst: 10 },
    credential: &[401, 403, 404],
    remedy: "it refuses the webhook's address; make the incoming webhook anew, or have incoming webhooks allowed, and \
             put the address into the place that url_env or url_file names",
};

/// An incoming webhook, which posts into one channel.
pub struct MattermostWebhook {
    line: VendorLine,
    url: Url,
}

impl std::fmt::Debug for MattermostWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MattermostWebhook").finish_non_exhaustive()
    }
}

impl MattermostWebhook {
    /// Posts to this address.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(url: &Secret) -> Result<Self, Misconfigured> {
        let url = address("a Mattermost webhook's url", url)?;
        Ok(Self { line: VendorLine::new(VENDOR, address_secrets(&url))?, url })
    }
}

#[async_trait]
impl Notifier for MattermostWebhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let answer = self.line.call(self.line.post(&self.url).json(&body(message))).await?;
        if answer.is_success() {
            return Ok("ok".to_owned());
        }
        let said = answer.json();
        let words = said["message"].as_str().unwrap_or_default();
        // A webhook that is no more is a wrong parameter to some versions.
        let is_gone = answer.status == 400 && said["id"].as_str().is_some_and(|id| id.contains("incoming_webhook"));
        Err(if is_gone { self.line.credential(answer.status, words) } else { self.line.refused(&answer, words) })
    }
}

fn body(message: &Notification) -> Value {
    let text = |text: &str, max| fitted(text, max, LengthUnit::Utf16, markdown);
    let mut attachment = json!({
        "fallback": text(&message.headline(), TITLE_MAX),
        "color": format!("#{:06x}", colour(message)),
        "title": text(&message.headline(), TITLE_MAX),
        "text": text(&lines(message), TEXT_MAX),
        "footer": message.notice,
    });
    if let Some(url) = &message.url {
        attachment["title_link"] = json!(url);
    }
    json!({"attachments": [attachment]})
}
