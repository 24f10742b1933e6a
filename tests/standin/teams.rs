//! A stand-in for Teams on this machine: key service, token endpoint, connector and a workflow's webhook, as
//! the public documentation describes them, with what goes wrong there at the turn of a switch. It signs with
//! keys of its own, so that it can also make every token that must be refused. It knows nothing of our code.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)] // a test that cannot go on fails

#[path = "teams/cards.rs"]
pub mod cards;
#[path = "teams/doors.rs"]
mod doors;
#[path = "teams/tokens.rs"]
pub mod tokens;
#[allow(clippy::duplicate_mod)] // each stand-in is whole by itself
#[path = "trap.rs"]
pub mod trap;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

#[allow(unused_imports)] // see above
pub use cards::{action, check_activity, check_card};
pub use tokens::Token;

/// What the app is known by.
pub const APP_ID: &str = "f5d48856-9a0b-4f4a-8d2e-2f2d3a0c7b11";
/// Its password; a test may look for it where it must not be.
pub const PASSWORD: &str = "p~assw+rd&of=the app";
/// The directory (tenant) of the stand-in, a GUID.
pub const TENANT: &str = "0a0a0a0a-1111-4222-8333-444455556666";
/// The signature in the workflow's address; a test may look for it where it must not be.
pub const WORKFLOW_SIGNATURE: &str = "sig-AAAABBBBCCCC";
/// The most that a message may be long, in bytes.
pub const MESSAGE_MAX: usize = 28 * 1024;

/// How the connector and the workflow behave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Well,
    /// 503.
    Down,
    /// Answers, but later.
    Slow(Duration),
    /// 429 with so many seconds in `Retry-After`.
    Limited(u64),
    /// Takes the message and breaks off before it has said so.
    CutAfterAccept,
    /// Refuses with a status and a code.
    Refuse(u16, &'static str),
    /// Points somewhere else.
    Redirect,
    /// Answers far more than anybody asked for.
    Endless,
}

/// A person in Teams.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub name: String,
    pub directory_id: String,
}

impl User {
    pub fn new(name: &str) -> Self {
        let sum: u64 = name.bytes().map(u64::from).sum();
        let directory_id = format!("00000000-0000-4000-8000-{sum:012}");
        Self { id: format!("29:1{name}"), name: name.to_owned(), directory_id }
    }
}

/// Where somebody writes.
#[derive(Clone, Debug)]
pub struct At {
    pub conversation: String,
    pub kind: &'static str,
}

impl At {
    pub fn channel(id: &str) -> Self {
        Self { conversation: id.to_owned(), kind: "channel" }
    }

    pub fn thread(channel: &str, root: &str) -> Self {
        Self { conversation: format!("{channel};messageid={root}"), kind: "channel" }
    }

    pub fn group(id: &str) -> Self {
        Self { conversation: id.to_owned(), kind: "groupChat" }
    }

    pub fn chat(id: &str) -> Self {
        Self { conversation: id.to_owned(), kind: "personal" }
    }
}

/// A message of the app's, as it stands.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: String,
    /// With the thread, for a channel.
    pub conversation: String,
    pub activity: Value,
    /// What stood there, oldest first; the last is `activity`.
    pub versions: Vec<Value>,
    /// For whose eyes alone.
    pub only_for: Option<String>,
}

#[derive(Default)]
struct Inner {
    mode: Option<Mode>,
    next: VecDeque<Mode>,
    keys_down: bool,
    rotated: bool,
    password_wrong: bool,
    cannot_target: bool,
    expires_in: Option<i64>,
    now: Option<i64>,
    tokens: BTreeSet<String>,
    kept: Vec<Kept>,
    closed: BTreeSet<String>,
    notices: Vec<Value>,
    ids: u64,
    counts: Counts,
}

/// How often each door was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub metadata: u64,
    pub keys: u64,
    pub tokens: u64,
    pub connector: u64,
    pub elsewhere: u64,
}

struct World {
    url: String,
    inner: Mutex<Inner>,
    trap: trap::Trap,
}

/// The stand-in. It ends with its value.
pub struct Teams {
    pub url: String,
    world: Arc<World>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Teams {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Teams {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(World { url: url.clone(), inner: Mutex::default(), trap: trap::Trap::default() });
        let app = doors::router(Arc::clone(&world));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, world, server }
    }

    // ── addresses, for settings ────────────────────────────────────────────────────────────────────

    pub fn metadata_url(&self) -> String {
        format!("{}/v1/.well-known/openidconfiguration", self.url)
    }

    pub fn token_url(&self) -> String {
        format!("{}/{TENANT}/oauth2/v2.0/token", self.url)
    }

    pub fn service_url(&self) -> String {
        format!("{}/emea/", self.url)
    }

    pub fn workflow_url(&self) -> String {
        let invoke = "workflows/notices/triggers/manual/paths/invoke";
        format!("{}/{invoke}?api-version=1&sp=%2Ftriggers&sv=1.0&sig={WORKFLOW_SIGNATURE}", self.url)
    }

    // ── switches ───────────────────────────────────────────────────────────────────────────────────

    /// How connector and workflow behave from now on.
    pub fn set(&self, mode: Mode) {
        self.world.lock().mode = Some(mode);
    }

    /// How they behave for the next request alone; called again, for the one after it.
    pub fn next(&self, mode: Mode) {
        self.world.lock().next.push_back(mode);
    }

    /// Where messages that are posted can be held.
    pub fn trap(&self) -> trap::Trap {
        self.world.trap.clone()
    }

    /// Whether metadata and keys answer 503.
    pub fn keys_down(&self, down: bool) {
        self.world.lock().keys_down = down;
    }

    /// Signs with another key from now on, and publishes no other.
    pub fn rotate_keys(&self) {
        self.world.lock().rotated = true;
    }

    /// Takes no token any more that was given.
    pub fn revoke_tokens(&self) {
        self.world.lock().tokens.clear();
    }

    /// Whether the app's password is another one.
    pub fn password_wrong(&self, wrong: bool) {
        self.world.lock().password_wrong = wrong;
    }

    /// Whether a message cannot be for one person's eyes alone.
    pub fn cannot_target(&self, cannot: bool) {
        self.world.lock().cannot_target = cannot;
    }

    /// How long tokens last, in seconds.
    pub fn tokens_last(&self, seconds: i64) {
        self.world.lock().expires_in = Some(seconds);
    }

    /// What time it is here, in seconds since 1970; the machine's where it was never said.
    pub fn set_time(&self, seconds: i64) {
        self.world.lock().now = Some(seconds);
    }

    /// A conversation, or a message, that is no more.
    pub fn close(&self, id: &str) {
        self.world.lock().closed.insert(id.to_owned());
    }

    // ── what came ──────────────────────────────────────────────────────────────────────────────────

    /// The app's messages, oldest first.
    pub fn messages(&self) -> Vec<Kept> {
        self.world.lock().kept.clone()
    }

    /// What the workflow was told, oldest first.
    pub fn notices(&self) -> Vec<Value> {
        self.world.lock().notices.clone()
    }

    pub fn counts(&self) -> Counts {
        self.world.lock().counts
    }

    // ── people ─────────────────────────────────────────────────────────────────────────────────────

    /// What every activity of a person has.
    pub fn activity(&self, user: &User, at: &At) -> Value {
        let id = self.world.lock().id();
        let group = at.kind != "personal";
        let channel = at.conversation.split(";messageid=").next().unwrap().to_owned();
        let mut activity = json!({
            "id": id,
            "timestamp": "2026-11-24T13:29:10.512Z",
            "localTimestamp": "2026-11-24T14:29:10.512+01:00",
            "localTimezone": "Europe/Berlin",
            "serviceUrl": self.service_url(),
            "channelId": "msteams",
            "from": {"id": user.id, "name": user.name, "aadObjectId": user.directory_id},
            "conversation": {"conversationType": at.kind, "tenantId": TENANT, "id": at.conversation},
            "recipient": {"id": format!("28:{APP_ID}"), "name": "Hindcast"},
            "channelData": {"tenant": {"id": TENANT}},
            "locale": "en-GB",
            "entities": [{"locale": "en-GB", "country": "GB", "platform": "Web", "type": "clientInfo"}],
        });
        if group {
            activity["conversation"]["isGroup"] = json!(true);
        }
        if at.kind == "channel" {
            activity["channelData"] = json!({
                "teamsChannelId": channel, "teamsTeamId": channel,
                "channel": {"id": channel}, "team": {"id": channel}, "tenant": {"id": TENANT},
            });
        }
        activity
    }

    /// A message that a person writes; in a channel, to the app by its name.
    pub fn message(&self, user: &User, at: &At, text: &str) -> Value {
        let mut activity = self.activity(user, at);
        activity["type"] = json!("message");
        activity["textFormat"] = json!("plain");
        activity["text"] = json!(text);
        if at.kind != "personal" {
            activity["text"] = json!(format!("<at>Hindcast</at> {text}\n"));
            let mentioned = json!({"id": format!("28:{APP_ID}"), "name": "Hindcast"});
            let mention = json!({"type": "mention", "mentioned": mentioned, "text": "<at>Hindcast</at>"});
            activity["entities"].as_array_mut().unwrap().push(mention);
        }
        activity
    }

    /// What Teams sends when a person presses a button of that title on the newest card that has one.
    /// `inputs` is what they typed into the card.
    pub fn pressed(&self, user: &User, title: &str, inputs: &Value) -> Value {
        let kept = self.messages();
        let (message, action) = kept
            .iter()
            .rev()
            .find_map(|kept| Some((kept, action(&kept.activity, title)?)))
            .unwrap_or_else(|| panic!("no card has a button {title:?}: {kept:#?}"));
        self.pressed_on(user, message, &action, inputs)
    }

    /// The same with an action that is at hand, on a message: for cards that an answer brought.
    pub fn pressed_on(&self, user: &User, message: &Kept, action: &Value, inputs: &Value) -> Value {
        let conversation = &message.conversation;
        let kind = match conversation {
            channel if channel.contains("@thread.tacv2") => "channel",
            group if group.starts_with("19:") => "groupChat",
            _ => "personal",
        };
        let mut activity = self.activity(user, &At { conversation: conversation.clone(), kind });
        activity["replyToId"] = json!(message.id);
        let mut data = action["data"].clone();
        if let Some(inputs) = inputs.as_object() {
            if !data.is_object() {
                data = json!({});
            }
            data.as_object_mut().unwrap().extend(inputs.clone());
        }
        if action["type"] == "Action.Submit" {
            activity["type"] = json!("message");
            activity["value"] = data;
            return activity;
        }
        assert_eq!(action["type"], "Action.Execute", "only this reaches the app: {action}");
        let mut sent = json!({"type": "Action.Execute", "data": data});
        for name in ["id", "verb", "title"] {
            if let Some(value) = action.get(name) {
                sent[name] = value.clone();
            }
        }
        activity["type"] = json!("invoke");
        activity["name"] = json!("adaptiveCard/action");
        activity["value"] = json!({"action": sent, "trigger": "manual"});
        activity
    }

    /// Delivers an activity to a door: status and body of the answer.
    pub async fn deliver(&self, door: &str, authorization: &str, activity: &Value) -> (u16, Value) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let sent = client.post(door).header("authorization", authorization).json(activity).send().await.unwrap();
        (sent.status().as_u16(), serde_json::from_str(&sent.text().await.unwrap()).unwrap_or_default())
    }

    /// Delivers an activity as an outgoing webhook does: signed with its security token, as Teams shows it.
    pub async fn deliver_outgoing(&self, door: &str, security_token: &str, activity: &Value) -> (u16, Value) {
        let body = activity.to_string();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let sent = client
            .post(door)
            .header("authorization", tokens::outgoing(security_token, &body))
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let sent = sent.send().await.unwrap();
        (sent.status().as_u16(), serde_json::from_str(&sent.text().await.unwrap()).unwrap_or_default())
    }

    /// Says something to the app.
    pub async fn say(&self, door: &str, user: &User, at: &At, text: &str) -> (u16, Value) {
        self.deliver(door, &self.authorization(Token::Good), &self.message(user, at, text)).await
    }

    /// Presses a button by its title.
    pub async fn press(&self, door: &str, user: &User, title: &str, inputs: &Value) -> (u16, Value) {
        self.deliver(door, &self.authorization(Token::Good), &self.pressed(user, title, inputs)).await
    }
}
