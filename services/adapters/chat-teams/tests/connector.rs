//! What goes out: messages, changes and words to one person stand where they should, refusals say whether to
//! try again, our token goes nowhere else, and no secret is in what is said.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

mod refusals;
mod token;

use std::sync::Arc;
use std::time::Duration;

use hindcast_chat_teams::{Options, Teams as Adapter, Workflow};
use hindcast_domain::Secret;
use hindcast_domain::Time;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use serde_json::{Value, json};

use crate::teams;
use crate::teams::{APP_ID, Mode, PASSWORD, TENANT, Teams, WORKFLOW_SIGNATURE};

const CHANNEL: &str = "19:abc@thread.tacv2";
const CHAT: &str = "a:1pL6i";
const NOW: i64 = 1_795_526_950;

fn options(teams: &Teams) -> Options {
    Options {
        tenant: Some(TENANT.into()),
        token_url: Some(teams.token_url()),
        service_url: Some(teams.service_url()),
        timeout: Duration::from_millis(700),
        ..Options::new(APP_ID, PASSWORD.into(), Arc::new(|| NOW))
    }
}

async fn scene() -> (Teams, Adapter) {
    let teams = Teams::start().await;
    let adapter = Adapter::open(options(&teams)).unwrap();
    (teams, adapter)
}

fn card(text: &str) -> Value {
    let action = json!({"type": "Action.Execute", "title": "Acknowledge", "verb": "ack", "data": {"i": "7Q2K"}});
    let body = json!([{"type": "TextBlock", "text": text}]);
    json!({"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": [action]})
}

fn to(channel: &str, thread: Option<&str>) -> Outgoing {
    Outgoing {
        key: "m1".into(),
        channel: channel.into(),
        thread: thread.map(str::to_owned),
        service_url: None,
        body: card("checkout is down"),
        since: Time::ZERO,
    }
}

fn shown(activity: &Value) -> &str {
    activity["attachments"][0]["content"]["body"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_message_in_a_channel_begins_a_thread_that_answers_go_into() {
    let (teams, adapter) = scene().await;
    let card = adapter.post(&to(CHANNEL, None)).await.unwrap();
    let here = Some(teams.service_url());
    assert_eq!((card.channel.as_str(), &card.thread, &card.service_url), (CHANNEL, &None, &here));
    let note = adapter.post(&to(CHANNEL, Some(&card.message))).await.unwrap();
    assert_eq!(note.thread.as_ref(), Some(&card.message));
    let whole = format!("{CHANNEL};messageid={}", card.message);
    let again = adapter.post(&to(&whole, None)).await.unwrap();
    assert_eq!((again.channel.as_str(), again.thread.as_ref()), (CHANNEL, Some(&card.message)));
    let kept = teams.messages();
    assert_eq!(kept.iter().map(|one| one.conversation.as_str()).collect::<Vec<_>>(), [&whole, &whole, &whole]);
    assert_eq!(kept.iter().map(|one| &one.id).collect::<Vec<_>>(), [&card.message, &note.message, &again.message]);
    assert_eq!(teams.counts().tokens, 1, "one token for all");
}

#[tokio::test]
async fn a_message_in_a_chat_stands_in_the_chat() {
    let (teams, adapter) = scene().await;
    for chat in [CHAT, "19:meeting_x@thread.v2"] {
        let place = adapter.post(&to(chat, Some("17"))).await.unwrap();
        assert_eq!((place.channel.as_str(), &place.thread), (chat, &None));
        assert_eq!(teams.messages().last().unwrap().conversation, chat);
        adapter.update(&place, &card("changed")).await.unwrap();
        assert_eq!(shown(&teams.messages().last().unwrap().activity), "changed");
    }
}

#[tokio::test]
async fn a_change_is_shown_in_the_same_place() {
    let (teams, adapter) = scene().await;
    let root = adapter.post(&to(CHANNEL, None)).await.unwrap();
    let note = adapter.post(&to(CHANNEL, Some(&root.message))).await.unwrap();
    adapter.update(&root, &card("over")).await.unwrap();
    adapter.update(&note, &card("noted")).await.unwrap();
    let kept = teams.messages();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept.iter().map(|one| shown(&one.activity)).collect::<Vec<_>>(), ["over", "noted"]);
    assert_eq!(kept.iter().map(|one| one.versions.len()).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn a_whole_activity_is_shown_as_it_is() {
    let (teams, adapter) = scene().await;
    let said = Outgoing { body: json!({"type": "message", "text": "hello"}), ..to(CHAT, None) };
    adapter.post(&said).await.unwrap();
    assert_eq!(teams.messages()[0].activity, said.body);
    let nothing = Outgoing { body: json!("hello"), ..to(CHAT, None) };
    assert!(matches!(adapter.post(&nothing).await, Err(Error::Never(_))));
}

fn whisper(channel: &str) -> Whisper {
    let mention = json!({"type": "mention", "text": "<at>Ada</at>", "mentioned": {"id": "29:1Ada"}});
    Whisper {
        channel: channel.into(),
        thread: Some("17".into()),
        user: "29:1Ada".into(),
        response_url: None,
        service_url: None,
        body: json!({"type": "message", "text": "no rights", "entities": [mention]}),
    }
}

#[tokio::test]
async fn a_word_to_one_person_is_for_their_eyes_where_the_vendor_can() {
    let (teams, adapter) = scene().await;
    adapter.whisper(&whisper(CHANNEL)).await.unwrap();
    let kept = teams.messages();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].only_for.as_deref(), Some("29:1Ada"));
    assert_eq!(kept[0].conversation, format!("{CHANNEL};messageid=17"));
}

#[tokio::test]
async fn where_the_vendor_cannot_it_is_a_reply_that_calls_nobody() {
    let (teams, adapter) = scene().await;
    teams.cannot_target(true);
    adapter.whisper(&whisper(CHANNEL)).await.unwrap();
    adapter.whisper(&whisper(CHAT)).await.unwrap();
    let kept = teams.messages();
    assert_eq!(kept.len(), 2);
    for one in &kept {
        assert_eq!((&one.only_for, &one.activity["entities"]), (&None, &json!([])));
        assert!(one.activity.get("recipient").is_none());
    }
    assert_eq!(kept[1].conversation, CHAT, "who is alone with us is spoken to there");
    // When it is only busy, it is not said to all.
    teams.cannot_target(false);
    teams.next(Mode::Limited(3));
    assert!(matches!(adapter.whisper(&whisper(CHANNEL)).await, Err(Error::Again { .. })));
    assert_eq!(teams.messages().len(), 2);
}

#[tokio::test]
async fn what_teams_does_not_have_is_said() {
    let (_teams, adapter) = scene().await;
    assert_eq!(adapter.vendor(), "teams");
    assert_eq!(adapter.find(&to(CHANNEL, None)).await, Ok(VendorLookup::CannotLook));
    assert!(matches!(adapter.open("x", &json!({})).await, Err(Error::Never(why)) if why.contains("inside the card")));
}

#[test]
fn settings_that_cannot_be_worked_with_are_refused() {
    let good = || Options::new(APP_ID, PASSWORD.into(), Arc::new(|| NOW));
    let said = |options: Options| Adapter::open(options).err().map(|error| error.to_string());
    assert_eq!(said(good()), None);
    assert!(said(Options { app_id: String::new(), ..good() }).unwrap().contains("teams.app_id"));
    assert!(said(Options { app_password: "".into(), ..good() }).unwrap().contains("teams.app_password"));
    assert!(
        said(Options { token_url: Some("http://login.example/".into()), ..good() })
            .unwrap()
            .contains("teams.token_url")
    );
    let elsewhere = Options { service_url: Some("https://evil.example/".into()), ..good() };
    assert!(said(elsewhere).unwrap().contains("teams.service_url"));
    assert!(!format!("{:?} {:?}", good(), Adapter::open(good())).contains("p~assw"));
}

#[tokio::test]
async fn a_workflow_is_told_and_its_address_never() {
    let teams = Teams::start().await;
    let open = |url: &str| Workflow::new(&Secret::from(url), Duration::from_millis(700), true);
    let workflow = open(&teams.workflow_url()).unwrap();
    let notice = json!({"type": "message", "attachments": [
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": card("paged")},
    ]});
    workflow.send(&notice).await.unwrap();
    assert_eq!(teams.notices(), std::slice::from_ref(&notice));
    let mut said = vec![format!("{workflow:?}")];
    for (mode, again) in [
        (Mode::Limited(7), true),
        (Mode::Down, true),
        (Mode::Slow(Duration::from_secs(3)), true),
        (Mode::Refuse(401, "X"), false),
        (Mode::Refuse(403, "X"), false),
        (Mode::Refuse(404, "WorkflowNotFound"), false),
        (Mode::Refuse(413, "X"), false),
        (Mode::Redirect, false),
    ] {
        teams.next(mode);
        let error = workflow.send(&notice).await.unwrap_err();
        assert_eq!(matches!(error, Error::Again { .. }), again, "{mode:?}: {error:?}");
        said.push(error.to_string());
    }
    let nowhere = format!("http://127.0.0.1:9/x?sig={WORKFLOW_SIGNATURE}");
    said.push(open(&nowhere).unwrap().send(&notice).await.unwrap_err().to_string());
    let wrong = teams.workflow_url().replace(WORKFLOW_SIGNATURE, "wrong-signature");
    said.push(open(&wrong).unwrap().send(&notice).await.unwrap_err().to_string());
    for url in [&format!("http://example.org/?sig={WORKFLOW_SIGNATURE}"), WORKFLOW_SIGNATURE] {
        said.push(open(url).unwrap_err().to_string());
    }
    for words in &said {
        assert!(!words.contains("sig") && !words.contains("://"), "{words}");
    }
    assert!(Workflow::new(&teams.workflow_url().into(), Duration::from_secs(1), false).is_err(), "https alone");
}

#[tokio::test]
async fn the_stand_in_shows_what_teams_would_and_refuses_what_it_would_not() {
    let (teams, adapter) = scene().await;
    let post = async |content: Value| adapter.post(&Outgoing { body: content, ..to(CHAT, None) }).await;
    let with = |name: &str, value: Value| {
        let mut card = card("x");
        card[name] = value;
        card
    };
    post(card("x")).await.unwrap();
    let seven = Value::Array(vec![json!({"type": "Action.Submit", "title": "x"}); 7]);
    for bad in [
        with("version", json!("1.9")),
        with("body", Value::Null),
        with("body", json!([{"type": "TextBlock"}])),
        with("body", json!([{"type": "Marquee", "text": "x"}])),
        with("actions", seven),
        with("actions", json!([{"type": "Action.Execute", "title": "no verb"}])),
        json!({"type": "message"}),
    ] {
        assert!(matches!(post(bad.clone()).await, Err(Error::Never(_))), "{bad}");
    }
    let ada = teams::User::new("Ada");
    let pressed = teams.pressed(&ada, "Acknowledge", &json!({"note": "mine"}));
    assert_eq!((&pressed["type"], &pressed["name"]), (&json!("invoke"), &json!("adaptiveCard/action")));
    assert_eq!(pressed["value"]["action"]["data"], json!({"i": "7Q2K", "note": "mine"}));
    assert_eq!(pressed["replyToId"], json!(teams.messages()[0].id));
    // The documented way of an outgoing webhook, by hand: HMAC-SHA256 over the body with the decoded token.
    let signed = teams::tokens::outgoing("YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgbm8=", "{}");
    assert_eq!(signed, "HMAC FsOp2tsrtF/4Kpmpjx5XWYYGFI35wkctZubCJsO+9i4=");
    let said = teams.message(&ada, &teams::At::thread(CHANNEL, "17"), "ack 7Q2K");
    assert_eq!(said["conversation"]["id"], json!(format!("{CHANNEL};messageid=17")));
    assert_eq!(said["channelData"]["channel"]["id"], json!(CHANNEL));
}
