//! The doors, read as a specification: what is not the vendor's own leaves nothing, what a person did has one
//! effect however often it is delivered, and who may do what is decided by the vendor's id alone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

mod people;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hindcast_chat_cards::ChatVerb;
use hindcast_chatops::{ChatEndpoints, Options, SlackDoors, TeamsDoors, router};
use hindcast_domain::Secret;
use hindcast_domain::Severity;
use hindcast_domain::act::ActName;
use hindcast_domain::event::Event;
use hindcast_ledger::Ledger;
use hindcast_messaging::chat::{Authority, Denied, Inbox, VendorDelivery};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt as _;

use crate::harness::{VendorBehaviour, World, interaction, rules, signed};

const SECRET: &str = "a signing secret";
const NOW: i64 = 1_763_996_400;

fn set_up(world: &World) -> Options {
    let mut options = world.options();
    options.slack = Some(SlackDoors { signing_secrets: vec![Secret::new("an older one"), Secret::new(SECRET)] });
    options.teams =
        TeamsDoors { authority: Some(Arc::new(Gate)), outgoing_secret: Some(Secret::new("c2VjcmV0")), tenant: None };
    options
}

/// Lets `Bearer good` in.
struct Gate;

#[async_trait]
impl Authority for Gate {
    async fn check(&self, authorization: &str, service_url: &str, channel: &str) -> Result<String, Denied> {
        match (authorization, service_url, channel) {
            ("Bearer good", "https://smba.example/", "msteams") => Ok("key-1".to_owned()),
            ("Bearer later", ..) => Err(Denied::Unavailable("no keys".to_owned())),
            _ => Err(Denied::Invalid("the signature does not fit".to_owned())),
        }
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mac = hmac(secret.as_bytes(), &[format!("v0:{at}:{body}").as_bytes()]);
    format!("v0={}", hindcast_domain::hex::hex(&mac))
}

fn slack(path: &str, body: &str) -> Request<Body> {
    let request = Request::post(path).header("x-slack-request-timestamp", NOW.to_string());
    request.header("x-slack-signature", signature(SECRET, NOW, body)).body(Body::from(body.to_owned())).unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn typed(text: &str, user: &str, trigger: &str) -> String {
    let text = text.replace(' ', "+");
    format!("command=%2Fhindcast&text={text}&user_id={user}&channel_id=C1&trigger_id={trigger}&team_id=T1")
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_not_the_vendors_own_leaves_nothing_but_a_counter() {
    let world = World::new(rules()).await;
    let router = router(ChatEndpoints::new(set_up(&world)));
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let head = world.ledger.head().await.unwrap();
    let body = typed(&format!("ack {incident}"), "U-ADA", "t1");
    let good = signature(SECRET, NOW, &body);
    let request = |headers: &[(&str, &str)], body: &str| {
        let mut request = Request::post("/slack/commands");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let (at, late) = (NOW.to_string(), (NOW - 301).to_string());
    let bad = [
        request(&[], &body),
        request(&[("x-slack-request-timestamp", &at)], &body),
        request(&[("x-slack-request-timestamp", &at), ("x-slack-signature", "v0=00")], &body),
        request(&[("x-slack-request-timestamp", &at), ("x-slack-signature", &good)], &format!("{body}&x=1")),
        request(
            &[("x-slack-request-timestamp", &late), ("x-slack-signature", &signature(SECRET, NOW - 301, &body))],
            &body,
        ),
        request(&[("x-slack-request-timestamp", &at), ("x-slack-signature", &signature("another", NOW, &body))], &body),
        request(
            &[("x-slack-request-timestamp", &at), ("x-slack-signature", &good), ("x-slack-signature", &good)],
            &body,
        ),
        Request::post("/teams/messages").body(Body::from("{}")).unwrap(),
        Request::post("/teams/messages")
            .header("authorization", "Bearer bad")
            .body(Body::from(r#"{"serviceUrl":"https://smba.example/","channelId":"msteams"}"#))
            .unwrap(),
        Request::post("/teams/messages")
            .header("authorization", "Bearer good")
            .body(Body::from(r#"{"serviceUrl":"https://evil.example/","channelId":"msteams"}"#))
            .unwrap(),
        Request::post("/teams/outgoing").header("authorization", "HMAC AAAA").body(Body::from("{}")).unwrap(),
    ];
    let count = bad.len();
    for request in bad {
        let (status, problem) = send(&router, request).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("unauthorized")));
    }
    world.quiet().await;
    assert_eq!(world.ledger.head().await.unwrap(), head, "nothing was kept");
    let counted = ["slack", "teams"]
        .map(|vendor| world.metrics.get("hindcast_chat_received_total", &[("vendor", vendor), ("outcome", "denied")]));
    assert!((counted[0] + counted[1] - f64::from(u32::try_from(count).unwrap())).abs() < 0.1, "{counted:?}");

    let (status, _) = send(&router, slack("/slack/commands", &body)).await;
    world.quiet().await;
    assert_eq!(status, StatusCode::OK);
    let acknowledged = world.count(|event| matches!(event, Event::IncidentAcknowledged(_))).await;
    assert_eq!(acknowledged, 1, "the same with a good signature is taken");
}

#[tokio::test(start_paused = true)]
async fn a_door_that_is_not_set_up_says_so_and_a_body_that_is_too_large_is_not_read() {
    let world = World::new(rules()).await;
    let bare = router(ChatEndpoints::new(world.options()));
    for path in ["/slack/events", "/slack/interactive", "/slack/commands", "/teams/messages", "/teams/outgoing"] {
        let (status, problem) = send(&bare, Request::post(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::NOT_IMPLEMENTED, "{path}");
        assert!(problem["remedy"].as_str().unwrap().contains("docs/chat.md"), "{problem}");
    }
    let large = slack("/slack/events", &"x".repeat(1024 * 1024 + 1));
    assert_eq!(send(&router(ChatEndpoints::new(set_up(&world))), large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn slacks_question_whether_we_are_there_is_answered() {
    let world = World::new(rules()).await;
    let body = json!({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).to_string();
    let (status, answer) = send(&router(ChatEndpoints::new(set_up(&world))), slack("/slack/events", &body)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"challenge": "3eZbrw1a"})));
}

#[tokio::test(start_paused = true)]
async fn the_same_delivery_a_hundred_times_has_one_effect_also_after_a_restart() {
    let mut world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let body = typed(&format!("ack {}", &incident.as_str()[4..10]), "U-ADA", "t1");
    let asked = json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {
        "type": "app_mention", "user": "U-VIC", "channel": "C1", "ts": "1.1", "text": "<@U0> what is it?"}});
    for life in 0..2 {
        let options = set_up(&world);
        let doors = router(ChatEndpoints::new(options.clone()));
        let run = World::delivers_with(options);
        for _ in 0..50 {
            assert_eq!(send(&doors, slack("/slack/commands", &body)).await.0, StatusCode::OK);
            assert_eq!(send(&doors, slack("/slack/events", &asked.to_string())).await.0, StatusCode::OK);
        }
        world.settle().await;
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled(), "life {life}");
        world.restarts_lanes().await;
    }
    assert_eq!(world.count(|event| matches!(event, Event::IncidentAcknowledged(_))).await, 1);
    let answers = world.asked().await.iter().filter(|(what, _)| *what == "answer").count();
    assert_eq!((answers, world.vendor.doubles()), (1, 0));
    let told: Vec<String> = world.vendor.whispers().iter().map(|whisper| whisper.body["text"].to_string()).collect();
    assert!(
        told.len() <= 2 && told.iter().all(|text| text.contains("Taken.")),
        "nobody is told that they were heard before, nor more than once in a life: {told:?}"
    );
    let actor = world.events().await.into_iter().find(|event| matches!(event.event, Event::IncidentAcknowledged(_)));
    assert_eq!(actor.unwrap().actor, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_command_stands_in_the_commit_of_what_a_person_did() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let door = ChatEndpoints::new(world.options());
    door.receive(interaction("a", "U-ADA", ChatVerb::act(ActName::Acknowledge, incident)), signed()).await.unwrap();
    let events = world.events().await;
    let at = events.iter().position(|event| matches!(event.event, Event::ChatReceived(_))).unwrap();
    assert!(matches!(&events[at + 1].event, Event::Command(_)));
    assert_eq!(events[at].position + 1, events[at + 1].position, "one commit");
    assert_eq!(events[at].partition, events[at + 1].partition);
    let text = format!("{events:?}");
    assert!(!text.contains("hooks.example") && !text.contains("may choose"), "no secret, and no name of theirs");
}

#[tokio::test(start_paused = true)]
async fn a_bot_in_teams_is_answered_in_the_shape_of_an_invoke() {
    let world = World::new(json!({"people": [{"name": "ada", "teams": ["aad-ada"], "role": "responder"}]})).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let doors = router(ChatEndpoints::new(set_up(&world)));
    let activity = json!({
        "type": "message", "id": "1", "serviceUrl": "https://smba.example/", "channelId": "msteams",
        "from": {"id": "29:x", "aadObjectId": "aad-ada", "name": "Somebody"},
        "conversation": {"id": "19:c@thread.tacv2;messageid=7"}, "text": format!("<at>Hindcast</at> ack {incident}"),
    });
    let request = |token: &str| {
        Request::post("/teams/messages").header("authorization", token).body(Body::from(activity.to_string())).unwrap()
    };
    let (status, _) = send(&doors, request("Bearer later")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "nothing can be said without the vendor's keys");
    for _ in 0..3 {
        assert_eq!(send(&doors, request("Bearer good")).await.0, StatusCode::OK);
    }
    world.quiet().await;
    let events = world.events().await;
    let done: Vec<_> = events.iter().filter(|event| matches!(event.event, Event::IncidentAcknowledged(_))).collect();
    assert_eq!((done.len(), done[0].actor.as_str()), (1, "ada"));
    let verified = events.iter().find_map(|event| match &event.event {
        Event::ChatReceived(received) => Some(received.verified.clone()),
        _ => None,
    });
    assert_eq!(verified.unwrap().key_id.as_deref(), Some("key-1"));
}

#[tokio::test(start_paused = true)]
async fn an_outgoing_webhook_answers_questions_alone_and_at_once() {
    let world = World::new(rules()).await;
    let doors = router(ChatEndpoints::new(set_up(&world)));
    let ask = |id: &str, text: &str| {
        let body = json!({"type": "message", "id": id, "from": {"id": "29:x"}, "conversation": {"id": "19:c"},
            "text": format!("<at>Hindcast</at> {text}")})
        .to_string();
        let mac = base64(&hmac(b"secret", &[body.as_bytes()]));
        Request::post("/teams/outgoing").header("authorization", format!("HMAC {mac}")).body(Body::from(body)).unwrap()
    };
    let (status, answer) = send(&doors, ask("1", "what is going on?")).await;
    assert_eq!((status, answer["type"].as_str()), (StatusCode::OK, Some("message")));
    assert!(answer.to_string().contains("It was the deploy"), "{answer}");
    let (_, refused) = send(&doors, ask("2", "ack 7Q2K")).await;
    assert!(refused.to_string().contains("questions alone"), "{refused}");
    world.quiet().await;
    assert!(world.asked().await.is_empty(), "the answer went back in the response");
    assert_eq!(world.count(|event| matches!(event, Event::ChatReceived(_))).await, 1);
}

#[tokio::test(start_paused = true)]
async fn socket_mode_takes_the_same_way() {
    let world = World::new(rules()).await;
    let door = ChatEndpoints::new(world.options());
    let payload = json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {
        "type": "app_mention", "user": "U-VIC", "channel": "C1", "ts": "1.1", "text": "<@U0> what is it?"}});
    for _ in 0..3 {
        let delivery = VendorDelivery { kind: "events_api".to_owned(), payload: payload.clone() };
        assert_eq!(door.take(delivery).await, Ok(None));
    }
    let broken = VendorDelivery { kind: "interactive".to_owned(), payload: json!({}) };
    assert_eq!(door.take(broken).await, Ok(None), "it would come for ever");
    world.quiet().await;
    assert_eq!(world.count(|event| matches!(event, Event::ChatReceived(_))).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_down_holds_up_no_command() {
    let world = World::new(rules()).await;
    world.vendor.always(VendorBehaviour::Hang);
    let options = world.options();
    World::delivers_with(options.clone());
    let door = ChatEndpoints::new(options);
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    door.receive(interaction("a", "U-ADA", ChatVerb::act(ActName::Acknowledge, incident)), signed()).await.unwrap();
    world.quiet().await;
    assert_eq!(world.count(|event| matches!(event, Event::IncidentAcknowledged(_))).await, 1);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[at]) } else { '=' });
        }
    }
    text
}

#[tokio::test(start_paused = true)]
async fn slacks_check_of_the_certificate_comes_unsigned_and_does_nothing() {
    let world = World::new(rules()).await;
    let router = router(ChatEndpoints::new(set_up(&world)));
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let head = world.ledger.head().await.unwrap();
    let typed = typed(&format!("ack {incident}"), "U-ADA", "t1");
    let post = |path: &str, body: &str| Request::post(path).body(Body::from(body.to_owned())).unwrap();
    for path in ["/slack/commands", "/slack/interactive"] {
        let hidden = format!("{typed}&ssl_check=1");
        for body in ["ssl_check=1&token=x", "token=x&ssl_check=1", &hidden] {
            assert_eq!(send(&router, post(path, body)).await.0, StatusCode::OK, "{path} {body}");
        }
        let plain = format!("{typed}&ssl_check=0");
        for body in ["ssl_check=0", "ssl_check=10", "ssl_check=", "xssl_check=1", &plain, "ssl_check=0&ssl_check=1"] {
            assert_eq!(send(&router, post(path, body)).await.0, StatusCode::UNAUTHORIZED, "{path} {body}");
        }
        let get = |query: &str| Request::get(format!("{path}?{query}")).body(Body::empty()).unwrap();
        assert_eq!(send(&router, get("ssl_check=1")).await.0, StatusCode::OK);
        assert_eq!(send(&router, get("ssl_check=0")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    world.quiet().await;
    assert_eq!(world.ledger.head().await.unwrap(), head, "nothing was kept");
}
