//! The adapter against a stand-in of Slack: what becomes of a message whose reply is lost, what each refusal means,
//! and a manifest that asks for no more than the code needs.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

#[path = "../../../../tests/standin/slack.rs"]
mod standin;

use std::time::Duration;

use hindcast_chat_slack::{EVENTS, Options, SCOPES, Slack};
use hindcast_domain::Time;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use serde_json::{Value, json};
use standin::{BOT, Mode, Slack as StandIn};

fn slack(of: &StandIn) -> Slack {
    let options = Options { timeout: Duration::from_millis(800), ..Options::new(&of.api_url(), BOT) };
    Slack::open(options).unwrap()
}

fn message(key: &str, thread: Option<&str>) -> Outgoing {
    Outgoing {
        key: key.into(),
        channel: "C1".into(),
        thread: thread.map(Into::into),
        service_url: None,
        body: json!({"text": "hello", "blocks": [{"type": "divider"}]}),
        since: Time::from_nanos(1_700_000_000_000_000_000),
    }
}

#[tokio::test]
async fn what_was_taken_is_found_again_when_its_reply_was_lost() {
    let there = StandIn::start().await;
    let slack = slack(&there);
    assert_eq!(slack.find(&message("MSG-1", None)).await, Ok(VendorLookup::No));
    there.next(Mode::CutAfterAccept);
    assert!(matches!(slack.post(&message("MSG-1", None)).await, Err(Error::Again { .. })));
    let Ok(VendorLookup::At(place)) = slack.find(&message("MSG-1", None)).await else { panic!("it stands there") };
    assert_eq!(place.message, there.messages()[0].ts);
    // Many messages later, and in a thread, likewise.
    for index in 0..120 {
        slack.post(&message(&format!("MSG-x{index}"), Some(&place.message))).await.unwrap();
    }
    let last = message("MSG-x119", Some(&place.message));
    assert!(
        matches!(slack.find(&last).await, Ok(VendorLookup::At(at)) if at.thread.as_deref() == Some(place.message.as_str()))
    );
    there.cannot_read();
    assert_eq!(slack.find(&last).await, Ok(VendorLookup::CannotLook));
}

#[tokio::test]
async fn an_update_stands_where_the_message_was() {
    let there = StandIn::start().await;
    let slack = slack(&there);
    let place = slack.post(&message("MSG-1", None)).await.unwrap();
    slack.update(&place, &json!({"text": "changed", "blocks": [{"type": "divider"}]})).await.unwrap();
    let kept = there.messages();
    assert_eq!((kept.len(), kept[0].body["text"].as_str()), (1, Some("changed")));
    assert_eq!(kept[0].body["metadata"]["event_payload"]["key"], "MSG-1", "the key stays");
    let gone = hindcast_domain::chat::Place { message: "1.1".into(), ..place };
    assert!(matches!(slack.update(&gone, &json!({"text": "x"})).await, Err(Error::Gone(_))));
}

#[tokio::test]
async fn what_may_work_later_is_told_from_what_never_will() {
    let there = StandIn::start().await;
    let own = slack(&there);
    there.next(Mode::Limited(7));
    let limited = own.post(&message("a", None)).await;
    assert!(
        matches!(limited, Err(Error::Again { after: Some(after), .. }) if after == Duration::from_secs(7)),
        "{limited:?}"
    );
    there.next(Mode::Down);
    assert!(matches!(own.post(&message("a", None)).await, Err(Error::Again { .. })));
    there.next(Mode::Slow(Duration::from_secs(2)));
    assert!(matches!(own.post(&message("a", None)).await, Err(Error::Again { .. })));
    let wrong = Slack::open(Options::new(&there.api_url(), "xoxb-not-this-one")).unwrap();
    let Err(Error::Never(said)) = wrong.post(&message("a", None)).await else { panic!("a wrong token is final") };
    assert!(said.contains("invalid_auth") && !said.contains("xoxb"), "{said}");
    let nobody = Slack::open(Options::new("http://127.0.0.1:9", BOT)).unwrap();
    assert!(matches!(nobody.hello().await, Err(Error::Again { .. })));
    assert_eq!(own.hello().await, Ok("hindcast in acme".to_owned()));
}

#[tokio::test]
async fn an_answer_goes_to_the_vendors_addresses_alone() {
    let there = StandIn::start().await;
    let slack = slack(&there);
    let whisper = |response_url: Option<String>| Whisper {
        channel: "C1".into(),
        thread: None,
        user: "U1".into(),
        response_url,
        service_url: None,
        body: json!({"text": "psst"}),
    };
    slack.whisper(&whisper(None)).await.unwrap();
    assert_eq!(there.ephemerals()[0]["user"], "U1");
    slack.whisper(&whisper(Some(format!("{}/actions/U1", there.url)))).await.unwrap();
    assert_eq!(there.answers()[0]["response_type"], "ephemeral");
    for elsewhere in [
        "https://evil.example/actions",
        "http://169.254.169.254/latest",
        "https://slack.com.evil.example/",
        "file:///etc/passwd",
    ] {
        assert!(matches!(slack.whisper(&whisper(Some(elsewhere.into()))).await, Err(Error::Never(_))), "{elsewhere}");
    }
}

#[test]
fn plain_http_is_for_this_machine_alone_and_no_token_is_shown() {
    assert!(Slack::open(Options::new("http://slack.example.com/api", BOT)).is_err());
    assert!(Slack::open(Options::new("https://slack.com/api", "")).is_err());
    let shown = format!("{:?}", Options::new("https://slack.com/api", BOT));
    assert!(!shown.contains(BOT), "{shown}");
}

#[test]
fn the_manifest_asks_for_what_the_code_needs() {
    let text = include_str!("../../../../docs/slack-manifest.yaml");
    let manifest: Value = hindcast_domain::yaml::read(text).unwrap();
    let words = |list: &Value| {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words(&manifest["oauth_config"]["scopes"]["bot"]), SCOPES);
    assert_eq!(words(&manifest["settings"]["event_subscriptions"]["bot_events"]), EVENTS);
    for route in ["/slack/commands", "/slack/events", "/slack/interactive"] {
        assert!(text.contains(route), "{route}");
    }
}
