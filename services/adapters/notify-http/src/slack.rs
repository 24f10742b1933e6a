//! An incoming webhook of Slack. Owns the form of its messages and what its answers mean. The address is the
//! credential.
//!
//! Source: Slack, "Sending messages using incoming webhooks" (answers and errors), "Block Kit" (lengths), "Rate
//! limits", "Formatting text": `&`, `<` and `>` are all that has to be escaped.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets};
use crate::words::{LengthUnit, entities, fitted, lines, verbatim};

/// The longest plain text of a header and of a section, in characters.
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3000;
/// The longest text that a notification on a phone shows.
const FALLBACK_MAX: usize = 1000;

const VENDOR: HttpVendor = HttpVendor {
    who: "Slack",
    rate: CallRate { gap: Duration::from_secs(1), burst: 3 },
    credential: &[401, 403, 404, 410],
    remedy: "it refuses the webhook's address; make the incoming webhook anew and put its address into the place that \
             url_env or url_file names",
};

/// An incoming webhook, which posts into one channel.
pub struct SlackWebhook {
    line: VendorLine,
    url: Url,
}

impl std::fmt::Debug for SlackWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackWebhook").finish_non_exhaustive()
    }
}

impl SlackWebhook {
    /// Posts to this address.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(url: &Secret) -> Result<Self, Misconfigured> {
        let url = address("a Slack webhook's url", url)?;
        Ok(Self { line: VendorLine::new(VENDOR, address_secrets(&url))?, url })
    }
}

#[async_trait]
impl Notifier for SlackWebhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let answer = self.line.call(self.line.post(&self.url).json(&body(message))).await?;
        // A channel that is archived, or an app that was removed, is a 200 of other words behind some proxies.
        if answer.is_success() && answer.body.trim() == "ok" {
            return Ok("ok".to_owned());
        }
        Err(if answer.is_success() {
            Error::again("Slack answered something else than ok: the address is not that of an incoming webhook")
        } else {
            self.line.refused(&answer, &answer.body)
        })
    }
}

/// Foreign text stands in `plain_text`, where nothing is obeyed; the one link is ours.
fn body(message: &Notification) -> Value {
    let text = |text: &str, max| {
        let text = fitted(text, max, LengthUnit::Utf16, verbatim);
        json!({"type": "plain_text", "emoji": false, "text": text})
    };
    let mut blocks = vec![json!({"type": "header", "text": text(&message.headline(), HEADER_MAX)})];
    let more = lines(message);
    if !more.trim().is_empty() {
        blocks.push(json!({"type": "section", "text": text(&more, SECTION_MAX)}));
    }
    if let Some(url) = &message.url {
        let url = fitted(url, SECTION_MAX / 2, LengthUnit::Utf16, entities);
        let link = format!("<{url}|Open the incident>");
        blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": link}]}));
    }
    json!({
        "text": fitted(&message.headline(), FALLBACK_MAX, LengthUnit::Utf16, entities),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}
