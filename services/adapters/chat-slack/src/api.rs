//! The Web API: shows messages, changes them, finds them again. Owns the chat port for Slack; refuses to know what
//! a message says.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Span;
use hindcast_domain::chat::Place;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use serde_json::{Value, json};

use crate::pace::Pace;
use crate::wire::SlackWebApi;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;

/// The scopes that a bot needs, and no more; the manifest names the same.
pub const SCOPES: [&str; 5] = ["app_mentions:read", "channels:history", "chat:write", "commands", "im:history"];
/// The events that it wants to hear.
pub const EVENTS: [&str; 2] = ["app_mention", "message.im"];

/// The kind of metadata that carries our key.
const KIND: &str = "hindcast_message";
/// One message a second and channel.
const MESSAGE_GAP: Duration = Duration::from_millis(1_050);
/// Changes go by the method: fifty a minute.
const CHANGE_GAP: Duration = Duration::from_millis(1_250);
/// Pages of a channel that are looked through for a message.
const PAGES_MAX: usize = 10;
/// How much earlier than it was asked for a message may stand, by another clock.
const EARLIER: Span = Span::seconds(300);

/// How Slack is spoken to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API's address.
    pub api_url: String,
    /// The bot's token.
    pub bot_token: Secret,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Whether calls are spaced as the vendor wants.
    pub paced: bool,
}

impl Options {
    /// The API at an address, with a token.
    #[must_use]
    pub fn new(api_url: &str, bot_token: impl Into<Secret>) -> Self {
        Self { api_url: api_url.to_owned(), bot_token: bot_token.into(), timeout: Duration::from_secs(10), paced: true }
    }
}

/// Client of Slack's Web API.
#[derive(Debug)]
pub struct Slack {
    wire: SlackWebApi,
    pace: Pace,
    paced: bool,
}

impl Slack {
    /// Slack, by its settings alone: nothing is connected to.
    ///
    /// # Errors
    /// When a setting cannot be worked with.
    pub fn open(options: Options) -> Result<Self, Misconfigured> {
        let wire = SlackWebApi::new(&options.api_url, options.bot_token, options.timeout)?;
        // A stand-in on this very machine has no pace.
        let paced = options.paced && !wire.is_local();
        Ok(Self { wire, pace: Pace::default(), paced })
    }

    async fn turn(&self, lane: &str, gap: Duration) {
        if self.paced {
            self.pace.turn(lane, gap).await;
        }
    }

    /// The message with a key on one page of a channel or thread, and where the next page begins.
    fn found(page: &Value, key: &str) -> (Option<String>, Option<String>) {
        let ours = |message: &&Value| {
            message["metadata"]["event_type"] == KIND && message["metadata"]["event_payload"]["key"] == key
        };
        let messages = page["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let at = messages.iter().find(ours).and_then(|message| message["ts"].as_str()).map(str::to_owned);
        let next = page["response_metadata"]["next_cursor"].as_str().filter(|next| !next.is_empty());
        (at, next.map(str::to_owned))
    }
}

#[async_trait]
impl Chat for Slack {
    fn vendor(&self) -> &'static str {
        "slack"
    }

    async fn post(&self, message: &Outgoing) -> Result<Place, Error> {
        self.turn(&message.channel, MESSAGE_GAP).await;
        let mut body = message.body.clone();
        if !body.is_object() {
            return Err(Error::Never("a message is an object of blocks".to_owned()));
        }
        body["channel"] = json!(message.channel);
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        body["metadata"] = json!({"event_type": KIND, "event_payload": {"key": message.key}});
        if let Some(thread) = &message.thread {
            body["thread_ts"] = json!(thread);
        }
        let answer = self.wire.call("chat.postMessage", &body).await?;
        let word = |name: &str| answer[name].as_str().map(str::to_owned);
        // Slack names the channel by its id, whatever name it was asked by.
        let (Some(ts), channel) = (word("ts"), word("channel")) else {
            return Err(Error::Again { detail: "Slack did not say where the message stands".to_owned(), after: None });
        };
        Ok(Place {
            channel: channel.unwrap_or_else(|| message.channel.clone()),
            message: ts,
            thread: message.thread.clone(),
            service_url: None,
        })
    }

    async fn update(&self, place: &Place, body: &Value) -> Result<(), Error> {
        self.turn("chat.update", CHANGE_GAP).await;
        let mut body = body.clone();
        body["channel"] = json!(place.channel);
        body["ts"] = json!(place.message);
        self.wire.call("chat.update", &body).await.map(|_| ())
    }

    async fn find(&self, message: &Outgoing) -> Result<VendorLookup, Error> {
        let oldest = (message.since - EARLIER).nanos().max(0) / 1_000_000_000;
        let mut arguments = vec![
            ("channel", message.channel.clone()),
            ("oldest", format!("{oldest}.000000")),
            ("include_all_metadata", "true".to_owned()),
            ("limit", "200".to_owned()),
        ];
        let method = match &message.thread {
            Some(thread) => {
                arguments.push(("ts", thread.clone()));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut page = arguments.clone();
            page.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
            let answer = match self.wire.ask(method, &page).await {
                Ok(answer) => answer,
                // Without the right to read, or in a kind of channel that cannot be read, nothing can be said.
                Err(Error::Never(_)) => return Ok(VendorLookup::CannotLook),
                Err(Error::Gone(detail)) => return Err(Error::Gone(detail)),
                Err(error) => return Err(error),
            };
            let (at, next) = Self::found(&answer, &message.key);
            if let Some(ts) = at {
                let (channel, thread) = (message.channel.clone(), message.thread.clone());
                return Ok(VendorLookup::At(Place { channel, message: ts, thread, service_url: None }));
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(VendorLookup::No),
            }
        }
        Ok(VendorLookup::CannotLook)
    }

    async fn whisper(&self, whisper: &Whisper) -> Result<(), Error> {
        let mut body = whisper.body.clone();
        if let Some(address) = &whisper.response_url {
            body["response_type"] = json!("ephemeral");
            body["replace_original"] = json!(false);
            return self.wire.respond(address, &body).await;
        }
        body["channel"] = json!(whisper.channel);
        body["user"] = json!(whisper.user);
        if let Some(thread) = &whisper.thread {
            body["thread_ts"] = json!(thread);
        }
        self.wire.call("chat.postEphemeral", &body).await.map(|_| ())
    }

    async fn open(&self, trigger: &str, dialog: &Value) -> Result<(), Error> {
        self.wire.call("views.open", &json!({"trigger_id": trigger, "view": dialog})).await.map(|_| ())
    }

    async fn hello(&self) -> Result<String, Error> {
        let answer = self.wire.call("auth.test", &json!({})).await?;
        let word = |name: &str| answer[name].as_str().unwrap_or("?").chars().take(80).collect::<String>();
        Ok(format!("{} in {}", word("user"), word("team")))
    }
}
