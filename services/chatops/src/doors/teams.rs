//! Teams' doors: what a bot is sent, behind a token that its vendor signed for us; and an outgoing webhook, which
//! asks questions alone and wants its answer at once. Owns the two fields that are looked at before the token
//! holds; refuses to look at anything else by then.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::Code;
use hindcast_chat_cards::interaction::Meaning;
use hindcast_chat_cards::{ChatVerb, Interaction, Vendor};
use hindcast_domain::chat::{Act, Received};
use hindcast_domain::event::Verdict;
use hindcast_domain::words::ChatVendor;
use hindcast_http::{HttpRefusal, Result};
use hindcast_messaging::chat::Denied;
use serde_json::{Value, json};

use super::endpoints::{ChatEndpoints, To, not_set_up, raw, values};
use super::say::{DeliveryResult, Say};
use super::scan;
use crate::surface;

/// How long an answer may take: Teams waits for five seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// What a bot is sent.
pub(super) async fn messages(State(door): State<ChatEndpoints>, headers: HeaderMap, body: Body) -> Result<Response> {
    let Some(authority) = door.options().teams.authority.clone() else {
        return Err(not_set_up("A bot for Teams", "teams"));
    };
    let body = raw(body).await?;
    let authorization = values(&headers, header::AUTHORIZATION.as_str());
    let ([authorization], Some(fields)) = (authorization.as_slice(), scan::fields(&body)) else {
        return Err(door.denied(Vendor::Teams, "a header or a field is missing, or there twice"));
    };
    let channel = fields.channel.as_deref().unwrap_or_default();
    let key_id = match authority.check(authorization, &fields.service_url, channel).await {
        Ok(key_id) => Some(key_id),
        Err(Denied::Invalid(why)) => return Err(door.denied(Vendor::Teams, &why)),
        Err(Denied::Unavailable(why)) => {
            door.count(Vendor::Teams, "unchecked");
            tracing::warn!(why, "a token cannot be checked now");
            return Err(HttpRefusal::new(Code::Unavailable, "the vendor's keys cannot be had now"));
        }
    };
    let verified = Verdict { scheme: "jwt".into(), key_id };
    let meaning = surface::teams_meaning(&body).map_err(|error| door.unreadable(Vendor::Teams, &error))?;
    let done = match meaning {
        Meaning::Person(interaction) => {
            // What was checked must be what is acted on.
            if interaction.service_url.as_deref().is_some_and(|url| url != fields.service_url) {
                return Err(door.denied(Vendor::Teams, "the delivery names another address than its token"));
            }
            // A bot can be installed by anybody who knows its id: only people of the directory are served.
            if let Some(tenant) = &door.options().teams.tenant
                && !interaction.team.as_ref().is_some_and(|team| team.eq_ignore_ascii_case(tenant))
            {
                return Err(door.denied(Vendor::Teams, "the delivery is of another directory"));
            }
            let to = To::of(&interaction);
            let done = door.receive(*interaction, verified).await?;
            match done.say {
                // A button's own answer has room for words alone.
                Some(Say::Words(_)) if fields.invoke => return Ok(Json(invoked(done)).into_response()),
                Some(_) if fields.invoke => {
                    door.say(Vendor::Teams, to, done);
                    DeliveryResult { say: Some(Say::Words("See the message below.".to_owned())) }
                }
                _ => {
                    door.say(Vendor::Teams, to, done);
                    DeliveryResult::default()
                }
            }
        }
        Meaning::Challenge(_) | Meaning::Nothing(_) => {
            door.count(Vendor::Teams, "nothing");
            DeliveryResult::default()
        }
    };
    if fields.invoke {
        return Ok(Json(invoked(done)).into_response());
    }
    Ok(StatusCode::OK.into_response())
}

/// The answer to an invoke: the card follows by itself.
fn invoked(done: DeliveryResult) -> Value {
    let say = match done.say {
        Some(Say::Words(words)) => words,
        _ => "Taken. The card shows what comes of it.".to_owned(),
    };
    json!({ "statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": say })
}

/// A question through an outgoing webhook.
pub(super) async fn outgoing(State(door): State<ChatEndpoints>, headers: HeaderMap, body: Body) -> Result<Response> {
    let Some(secret) = door.options().teams.outgoing_secret.clone() else {
        return Err(not_set_up("An outgoing webhook of Teams", "teams"));
    };
    let body = raw(body).await?;
    let authorization = values(&headers, header::AUTHORIZATION.as_str());
    if let Err(why) = surface::teams_is_genuine(secret.expose(), &authorization, &body) {
        return Err(door.denied(Vendor::Teams, &why));
    }
    let meaning = surface::teams_outgoing(&body).map_err(|error| door.unreadable(Vendor::Teams, &error))?;
    let Meaning::Person(interaction) = meaning else {
        door.count(Vendor::Teams, "nothing");
        return Ok(Json(said("Ask a question about an incident.")).into_response());
    };
    if !matches!(interaction.verb, ChatVerb::Ask { .. }) {
        door.count(Vendor::Teams, "refused");
        return Ok(Json(said("This webhook answers questions alone: it has no way to show a card.")).into_response());
    }
    Ok(Json(door.answer_at_once(*interaction).await?).into_response())
}

impl ChatEndpoints {
    /// Records a question and answers it in the response to it, or says where to ask instead.
    async fn answer_at_once(&self, interaction: Interaction) -> Result<Value> {
        let verified = Verdict { scheme: "hmac-sha256".into(), key_id: None };
        let ChatVerb::Ask { incident, text } = interaction.verb.clone() else {
            return Ok(said("Ask a question about an incident."));
        };
        let known = self.rules().await?.known(Vendor::Teams, &interaction.user);
        let received = Received {
            vendor: ChatVendor::Teams,
            key: String::new(),
            user: interaction.user.clone(),
            person: known.person,
            channel: interaction.channel.clone(),
            thread: interaction.thread.clone(),
            incident,
            act: Act::Asked,
            text: Some(hindcast_redact::Redactor::default().text(&text)),
            service_url: None,
            verified: verified.clone(),
        };
        let done = self.receive(interaction, verified).await?;
        if let Some(Say::Words(say)) = done.say {
            return Ok(said(&say));
        }
        let elsewhere = || format!("That takes longer than Teams waits. Ask at {}/ask.", self.options().public_url);
        let Ok(permit) = std::sync::Arc::clone(&self.inner.questions).try_acquire_owned() else {
            return Ok(said(&elsewhere()));
        };
        let answered = tokio::time::timeout(ANSWERED_WITHIN, self.options().answered(&received)).await;
        drop(permit);
        Ok(match answered {
            Ok(Ok(answer)) => surface::activity(surface::answer(Vendor::Teams, &answer, &self.options().public_url)),
            Ok(Err(problem)) => said(&format!("{}. {}", problem.detail, problem.remedy)),
            Err(_) => said(&elsewhere()),
        })
    }
}

fn said(text: &str) -> Value {
    surface::activity(surface::words(Vendor::Teams, text))
}
