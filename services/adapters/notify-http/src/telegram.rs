//! A chat of Telegram, by a bot. Owns the form of its messages and what its answers mean. The bot's token is a part of
//! the address.
//!
//! Source: Telegram, "Bot API": `sendMessage`, "Making requests", "HTML style", `ResponseParameters.retry_after`;
//! "Bots FAQ": one message a second and chat, 20 a minute in a group.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::wire::{HttpVendor, VendorLine, address, seconds_of};
use crate::words::{LengthUnit, entities, fitted, lines};

/// The API unless the settings say otherwise.
const URL: &str = "https://api.telegram.org";
/// The longest text of a message; we count it with its markup, which Telegram does not.
const TEXT_MAX: usize = 4096;
/// The longest headline.
const TITLE_MAX: usize = 500;
/// Room for tags and the link.
const MARKUP_MAX: usize = 600;

const VENDOR: HttpVendor = HttpVendor {
    who: "Telegram",
    rate: CallRate { gap: Duration::from_secs(1), burst: 3 },
    credential: &[401, 403, 404],
    remedy: "it refuses the bot; check the token that token_env or token_file names, and that the bot is in the chat \
             and may write there",
};
/// A group takes less than a person.
const GROUP: CallRate = CallRate { gap: Duration::from_secs(3), burst: 5 };

/// What a chat of Telegram is reached by.
#[derive(Clone, Debug)]
pub struct TelegramOptions {
    /// The bot's token.
    pub token: Secret,
    /// The chat: a number, or `@name` of a public channel.
    pub chat: String,
    /// The topic of a forum, by its number.
    pub thread: Option<i64>,
    /// The API, where it is not Telegram's own.
    pub url: Option<String>,
}

/// A bot that writes into one chat.
pub struct Telegram {
    line: VendorLine,
    url: Url,
    chat: String,
    thread: Option<i64>,
}

impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram").finish_non_exhaustive()
    }
}

impl Telegram {
    /// Writes into a chat.
    ///
    /// # Errors
    /// When the address is none, or the token has characters that none has.
    pub fn new(options: TelegramOptions) -> Result<Self, Misconfigured> {
        let TelegramOptions { token, chat, thread, url } = options;
        let word = token.expose().trim();
        let is_token = |c: char| c.is_ascii_alphanumeric() || "_-:".contains(c);
        if word.is_empty() || !word.chars().all(is_token) {
            let got = "something else".to_owned();
            return Err(Misconfigured {
                what: "Telegram's token",
                expected: "NUMBER:LETTERS, as BotFather shows it",
                got,
            });
        }
        let base = url.as_deref().unwrap_or(URL).trim_end_matches('/');
        let url = address("Telegram's url", &format!("{base}/bot{word}/sendMessage").into())?;
        let rate = if chat.starts_with('-') { GROUP } else { VENDOR.rate };
        let line = VendorLine::new(HttpVendor { rate, ..VENDOR }, vec![word.into()])?;
        Ok(Self { line, url, chat, thread })
    }

    fn body(&self, message: &Notification) -> Value {
        let text = |text: &str, max| fitted(text, max, LengthUnit::Utf16, entities);
        let title = text(&message.headline(), TITLE_MAX);
        let more = text(&lines(message), TEXT_MAX - TITLE_MAX - MARKUP_MAX);
        let link = message.url.as_ref().map(|url| format!("\n<a href=\"{}\">Open the incident</a>", text(url, 400)));
        let mut body = json!({
            "chat_id": self.chat,
            "text": format!("<b>{title}</b>\n{more}{}", link.unwrap_or_default()),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
            "disable_notification": !message.page,
        });
        if let Some(thread) = self.thread {
            body["message_thread_id"] = json!(thread);
        }
        body
    }
}

#[async_trait]
impl Notifier for Telegram {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let answer = self.line.call(self.line.post(&self.url).json(&self.body(message))).await?;
        let said = answer.json();
        if answer.is_success() && said["ok"] == true {
            let id = said["result"]["message_id"].as_i64();
            return Ok(id.map_or_else(|| "taken".to_owned(), |id| format!("message {id}")));
        }
        if answer.status == 429 {
            let after = said["parameters"]["retry_after"].as_f64().and_then(seconds_of).or(answer.after);
            return Err(self.line.held(after).await);
        }
        if answer.is_success() {
            return Err(Error::again("Telegram answered something else than a message: check url"));
        }
        let words = said["description"].as_str().unwrap_or_default();
        // A chat that the bot does not know is a bad request to Telegram, and may be mended.
        let is_chat = answer.status == 400 && words.to_ascii_lowercase().contains("chat not found");
        Err(if is_chat { self.line.credential(answer.status, words) } else { self.line.refused(&answer, words) })
    }
}
