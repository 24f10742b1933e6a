//! A topic of ntfy. Owns the form of its messages and what its answers mean.
//!
//! Source: ntfy, "Publishing": "Publish as JSON", "Message priority", "Limitations" (4,096 bytes a message, 60
//! requests at once and then one in five seconds).

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::{Secret, Severity};
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address};
use crate::words::{LengthUnit, fitted, lines, verbatim};

/// The public server, unless the settings name another.
const URL: &str = "https://ntfy.sh";
/// The longest message in bytes; a longer one becomes a file that nobody reads at night.
const MESSAGE_MAX: usize = 4096;
/// The longest title in bytes.
const TITLE_MAX: usize = 250;
/// The longest id that is kept of an answer.
const ID_MAX: usize = 40;

const VENDOR: HttpVendor = HttpVendor {
    who: "ntfy",
    rate: CallRate { gap: Duration::from_secs(5), burst: 60 },
    credential: &[401, 403],
    remedy: "it refuses the token, or the token may not write to the topic; check topic, and token_env or token_file",
};

/// What a topic is reached by.
#[derive(Clone, Debug)]
pub struct NtfyOptions {
    /// The topic, which is a secret on a server without accounts.
    pub topic: Secret,
    /// An access token.
    pub token: Option<Secret>,
    /// The server, where it is not the public one.
    pub url: Option<String>,
}

/// A topic, to which phones subscribe.
pub struct Ntfy {
    line: VendorLine,
    url: Url,
    topic: Secret,
    token: Option<Secret>,
}

impl std::fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ntfy").finish_non_exhaustive()
    }
}

impl Ntfy {
    /// Publishes to a topic.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(options: NtfyOptions) -> Result<Self, Misconfigured> {
        let NtfyOptions { topic, token, url } = options;
        let url = address("ntfy's url", &url.as_deref().unwrap_or(URL).into())?;
        let secrets = token.iter().cloned().chain([topic.clone()]).collect();
        Ok(Self { line: VendorLine::new(VENDOR, secrets)?, url, topic, token })
    }

    fn body(&self, message: &Notification) -> Value {
        let text = |text: &str, max| fitted(text, max, LengthUnit::Bytes, verbatim);
        let more = lines(message);
        let more = if more.trim().is_empty() { message.headline() } else { more };
        let mut body = json!({
            "topic": self.topic.expose(),
            "title": text(&message.headline(), TITLE_MAX),
            "message": text(&more, MESSAGE_MAX),
            "priority": priority(message),
            "tags": [if message.is_end() { "white_check_mark" } else { "rotating_light" }],
        });
        if let Some(url) = &message.url {
            body["click"] = json!(url);
        }
        body
    }
}

#[async_trait]
impl Notifier for Ntfy {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let mut request = self.line.post(&self.url).json(&self.body(message));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = self.line.call(request).await?;
        let said = answer.json();
        match said["id"].as_str() {
            Some(id) if answer.is_success() => Ok(format!("message {}", hindcast_domain::text::cut(id, ID_MAX))),
            None if answer.is_success() => Err(Error::again("ntfy answered something else than a message: check url")),
            _ => Err(self.line.refused(&answer, said["error"].as_str().unwrap_or_default())),
        }
    }
}

/// A page rings; 5 also where the phone is silent.
fn priority(message: &Notification) -> u8 {
    match (message.page, message.severity) {
        (true, Severity::Critical) => 5,
        (true, _) => 4,
        (false, Severity::Low | Severity::Info) => 2,
        (false, _) => 3,
    }
}
