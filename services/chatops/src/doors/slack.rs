//! Slack's doors: events, buttons and dialogs, typed commands; over HTTP with a signature, or over the connection
//! of socket mode, which only somebody with our app token can open.

use async_trait::async_trait;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Problem};
use hindcast_chat_cards::Vendor;
use hindcast_chat_cards::interaction::{Meaning, UnreadableDelivery};
use hindcast_chat_cards::slack::read::is_certificate_check;
use hindcast_domain::event::Verdict;
use hindcast_http::{HttpRefusal, Result};
use hindcast_messaging::chat::{Inbox, VendorDelivery};
use serde_json::{Value, json};

use super::endpoints::{ChatEndpoints, To, not_set_up, raw, values};
use crate::surface;

/// Messages, mentions, and Slack's question whether we are there.
pub(super) async fn events(State(door): State<ChatEndpoints>, headers: HeaderMap, body: Body) -> Result<Response> {
    door.slack("events_api", &headers, body).await
}

/// Buttons and dialogs.
pub(super) async fn interactive(State(door): State<ChatEndpoints>, headers: HeaderMap, body: Body) -> Result<Response> {
    door.slack("interactive", &headers, body).await
}

/// Typed commands.
pub(super) async fn commands(State(door): State<ChatEndpoints>, headers: HeaderMap, body: Body) -> Result<Response> {
    door.slack("slash_commands", &headers, body).await
}

/// Slack's question with `GET` whether our certificate is good.
pub(super) async fn certificate(RawQuery(query): RawQuery) -> Result<Response> {
    if is_certificate_check(query.unwrap_or_default().as_bytes()) {
        return Ok(StatusCode::OK.into_response());
    }
    Err(HttpRefusal::new(Code::MethodNotAllowed, "expected POST, or Slack's check of the certificate"))
}

impl ChatEndpoints {
    async fn slack(&self, kind: &str, headers: &HeaderMap, body: Body) -> Result<Response> {
        let Some(doors) = self.options().slack.as_ref().filter(|doors| !doors.signing_secrets.is_empty()) else {
            return Err(not_set_up("Slack", "slack"));
        };
        let body = raw(body).await?;
        // Whatever else stands in it, nothing of it is done.
        if kind != "events_api" && is_certificate_check(&body) {
            self.count(Vendor::Slack, "nothing");
            return Ok(StatusCode::OK.into_response());
        }
        let secrets: Vec<&str> = doors.signing_secrets.iter().map(hindcast_domain::Secret::expose).collect();
        let timestamps = values(headers, "x-slack-request-timestamp");
        let signatures = values(headers, "x-slack-signature");
        let now = self.options().clock.now();
        if let Err(why) = surface::slack_is_genuine(&secrets, &timestamps, &signatures, &body, now) {
            return Err(self.denied(Vendor::Slack, &why));
        }
        let verified = Verdict { scheme: "hmac-sha256".into(), key_id: None };
        match self.slack_meaning(surface::slack_meaning(kind, &body), verified).await? {
            Some(answer) => Ok(Json(answer).into_response()),
            None => Ok(StatusCode::OK.into_response()),
        }
    }

    /// What is answered, where anything is.
    async fn slack_meaning(
        &self,
        meaning: core::result::Result<Meaning, UnreadableDelivery>,
        verified: Verdict,
    ) -> Result<Option<Value>> {
        let meaning = meaning.map_err(|error| self.unreadable(Vendor::Slack, &error))?;
        match meaning {
            Meaning::Challenge(challenge) => Ok(Some(json!({ "challenge": challenge }))),
            Meaning::Nothing(why) => {
                self.count(Vendor::Slack, "nothing");
                tracing::debug!(why, "a delivery concerns nobody here");
                Ok(None)
            }
            Meaning::Person(interaction) => {
                let to = To::of(&interaction);
                let done = self.receive(*interaction, verified).await?;
                self.say(Vendor::Slack, to, done);
                Ok(None)
            }
        }
    }

    /// A delivery that is not the vendor's own leaves a counter and nothing else.
    pub(super) fn denied(&self, vendor: Vendor, why: &str) -> HttpRefusal {
        self.count(vendor, "denied");
        tracing::debug!(vendor = vendor.word(), why, "a delivery is not the vendor's own");
        let detail = format!("expected a delivery that {} signed for us", vendor.word());
        HttpRefusal(Problem::new(Code::Unauthorized, detail).remedy("Check the secret in the settings, and the clock."))
    }

    pub(super) fn unreadable(&self, vendor: Vendor, error: &UnreadableDelivery) -> HttpRefusal {
        self.count(vendor, "unreadable");
        tracing::warn!(vendor = vendor.word(), %error, "a delivery cannot be read");
        HttpRefusal::new(Code::Malformed, error.to_string())
    }
}

#[async_trait]
impl Inbox for ChatEndpoints {
    async fn take(&self, delivery: VendorDelivery) -> core::result::Result<Option<Value>, String> {
        let verified = Verdict { scheme: "socket".into(), key_id: None };
        let meaning = surface::slack_meaning_of(&delivery.kind, &delivery.payload);
        if let Err(error) = &meaning {
            // It would come again and again: it is counted, and acknowledged.
            drop(self.unreadable(Vendor::Slack, error));
            return Ok(None);
        }
        self.slack_meaning(meaning, verified).await.map_err(|refusal| refusal.0.detail)
    }
}
