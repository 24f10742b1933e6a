//! People at Slack: what is sent when they press, type, mention and submit, and how it is signed.

use hmac::KeyInit;
use hmac::Mac;
use std::time::Duration;

use hmac::Hmac;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Kept, SIGNING, Slack, button};

impl Slack {
    /// What Slack sends when a person presses a button of that text on a message.
    pub fn pressed(&self, user: &str, message: &Kept, text: &str) -> Value {
        let button = button(&message.body, text).unwrap_or_else(|| panic!("no button {text:?}: {}", message.body));
        let ts = self.world.lock().ts();
        json!({
            "type": "block_actions", "api_app_id": "A1", "team": {"id": "T1", "domain": "acme"},
            "user": {"id": user, "username": user.to_lowercase(), "name": user.to_lowercase(), "team_id": "T1"},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": false},
            "channel": {"id": message.channel, "name": "ops"}, "trigger_id": format!("trigger.{ts}"),
            "message": {"type": "message", "ts": message.ts, "user": "UBOT", "bot_id": "B1"},
            "response_url": format!("{}/actions/{user}", self.url), "state": {"values": {}},
            "actions": [{"type": "button", "action_id": button["action_id"], "block_id": "b", "text": button["text"],
                "value": button["value"], "action_ts": ts}],
        })
    }

    /// What Slack sends when a person fills the newest dialog in and submits it.
    pub fn submitted(&self, user: &str, given: &[(&str, &str)]) -> Value {
        let view = self.views().pop().expect("a dialog was opened");
        let mut values = serde_json::Map::new();
        for block in view["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input") {
            let id = block["block_id"].as_str().unwrap();
            let (kind, action) = (&block["element"]["type"], block["element"]["action_id"].as_str().unwrap());
            let text = given.iter().find(|(name, _)| *name == id).map(|(_, text)| *text);
            let input = if kind == "static_select" {
                json!({"type": kind, "selected_option": text.map(|value| json!({"value": value}))})
            } else {
                json!({"type": kind, "value": text})
            };
            values.insert(id.to_owned(), json!({action: input}));
        }
        let id = format!("V{}", self.world.lock().ts());
        json!({
            "type": "view_submission", "team": {"id": "T1"}, "user": {"id": user, "name": user.to_lowercase()},
            "trigger_id": "t", "view": {"id": id, "type": "modal", "hash": "h", "callback_id": "",
                "private_metadata": view["private_metadata"], "state": {"values": values}},
        })
    }

    /// What Slack sends when a person mentions the app in a thread.
    pub fn mentioned(&self, user: &str, channel: &str, thread: &str, text: &str) -> Value {
        let ts = self.world.lock().ts();
        json!({
            "type": "event_callback", "token": "x", "team_id": "T1", "api_app_id": "A1", "event_id": format!("Ev{ts}"),
            "event_time": 1, "event": {"type": "app_mention", "user": user, "ts": ts, "thread_ts": thread,
                "channel": channel, "text": format!("<@UBOT> {text}"), "event_ts": ts},
        })
    }

    /// A signature over a body, as Slack makes it.
    pub fn signature(secret: &str, timestamp: &str, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("v0:{timestamp}:{body}").as_bytes());
        format!("v0={}", hindcast_domain::hex::hex(&mac.finalize().into_bytes()))
    }

    /// Sends a signed body to a door: status and body of the answer.
    pub async fn send(&self, door: &str, kind: &str, body: &str) -> (u16, Value) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
        let signature = Self::signature(SIGNING, &now, body);
        self.send_with(door, kind, body, &[("x-slack-request-timestamp", &now), ("x-slack-signature", &signature)])
            .await
    }

    pub async fn send_with(&self, door: &str, kind: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut request = client.post(door).header("content-type", kind).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = request.send().await.unwrap();
        (sent.status().as_u16(), serde_json::from_str(&sent.text().await.unwrap()).unwrap_or_default())
    }

    pub async fn interact(&self, base: &str, payload: &Value) -> (u16, Value) {
        let body = form(&[("payload", &payload.to_string())]);
        self.send(&format!("{base}/slack/interactive"), "application/x-www-form-urlencoded", &body).await
    }

    pub async fn event(&self, base: &str, payload: &Value) -> (u16, Value) {
        self.send(&format!("{base}/slack/events"), "application/json", &payload.to_string()).await
    }

    pub async fn command(&self, base: &str, user: &str, channel: &str, text: &str) -> (u16, Value) {
        let trigger = self.world.lock().ts();
        let answer = format!("{}/actions/{user}", self.url);
        let body = form(&[
            ("command", "/hindcast"),
            ("text", text),
            ("user_id", user),
            ("user_name", user),
            ("channel_id", channel),
            ("team_id", "T1"),
            ("trigger_id", &trigger),
            ("response_url", &answer),
        ]);
        self.send(&format!("{base}/slack/commands"), "application/x-www-form-urlencoded", &body).await
    }

    /// Delivers over the open connections; whether there was one.
    pub fn push(&self, kind: &str, payload: &Value) -> Option<String> {
        let id = format!("E{}", self.world.lock().ts());
        let envelope = json!({"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": kind == "slash_commands"});
        let mut sockets = self.world.sockets.lock().unwrap();
        sockets.retain(|socket| !socket.is_closed());
        sockets.last().filter(|socket| socket.send(envelope).is_ok()).map(|_| id)
    }

    /// Says that the connection will be renewed.
    pub fn refresh(&self) {
        for socket in self.world.sockets.lock().unwrap().iter() {
            socket.send(json!({"type": "disconnect", "reason": "refresh_requested"})).ok();
        }
    }

    pub fn connections(&self) -> usize {
        self.world.sockets.lock().unwrap().iter().filter(|socket| !socket.is_closed()).count()
    }
}

/// A form's body.
fn form(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}
