//! What Teams refuses, breaks off or does not know, and what is said about it.

use std::time::Duration;

use hindcast_chat_teams::{Options, Teams as Adapter};
use hindcast_messaging::chat::{Chat, Error, Outgoing};

use super::{CHANNEL, card, options, scene, to};
use crate::teams::{Mode, Teams};

#[tokio::test]
async fn whoever_is_not_known_is_told_what_to_check() {
    let (teams, adapter) = scene().await;
    teams.password_wrong(true);
    let error = adapter.hello().await.unwrap_err();
    let Error::Never(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("invalid_client 7000215") && why.contains("check the app's password"), "{why}");
    assert!(!why.contains("p~assw") && !why.contains("p%7E") && !why.contains("AADSTS"), "{why}");
    teams.password_wrong(false);
    assert!(adapter.hello().await.is_ok(), "and is known as soon as it is right");
    let stranger = Adapter::open(Options { app_id: "another".into(), ..options(&teams) }).unwrap();
    assert!(stranger.hello().await.unwrap_err().to_string().contains("app id"));
}

#[tokio::test]
async fn refusals_say_whether_to_try_again() {
    let (teams, adapter) = scene().await;
    let place = adapter.post(&to(CHANNEL, None)).await.unwrap();
    let attempt = async |mode: Mode| {
        teams.next(mode);
        let posted = adapter.post(&to(CHANNEL, None)).await.unwrap_err();
        teams.next(mode);
        let updated = adapter.update(&place, &card("x")).await.unwrap_err();
        assert_eq!(posted, updated, "{mode:?}");
        posted
    };
    let seven = Some(Duration::from_secs(7));
    assert!(matches!(attempt(Mode::Limited(7)).await, Error::Again { after, .. } if after == seven));
    let a_year = attempt(Mode::Limited(31_536_000)).await;
    assert!(matches!(a_year, Error::Again { after, .. } if after == Some(Duration::from_secs(3600))), "{a_year:?}");
    for again in [412, 500, 502, 503, 504] {
        assert!(matches!(attempt(Mode::Refuse(again, "X")).await, Error::Again { .. }), "{again}");
    }
    assert!(matches!(attempt(Mode::Down).await, Error::Again { .. }));
    let slow = attempt(Mode::Slow(Duration::from_secs(3))).await;
    assert!(matches!(&slow, Error::Again { detail, .. } if detail.contains("in time")), "{slow:?}");
    for (status, code, word) in [
        (403, "BotDisabledByAdmin", "admin center"),
        (403, "BotNotInConversationRoster", "add it to the team"),
        (403, "Whatever", "installed"),
        (413, "MessageSizeTooBig", "too large"),
        (400, "BadSyntax", "BadSyntax is what went wrong"),
        (405, "X", "405"),
    ] {
        let error = attempt(Mode::Refuse(status, code)).await;
        assert!(matches!(&error, Error::Never(why) if why.contains(word)), "{status} {code}: {error:?}");
    }
    let huge = Outgoing { body: card(&"x".repeat(40_000)), ..to(CHANNEL, None) };
    assert!(matches!(adapter.post(&huge).await, Err(Error::Never(why)) if why.contains("too large")));
}

#[tokio::test]
async fn what_is_no_more_is_gone() {
    let (teams, adapter) = scene().await;
    let place = adapter.post(&to(CHANNEL, None)).await.unwrap();
    teams.close(&place.message);
    assert!(matches!(adapter.update(&place, &card("x")).await, Err(Error::Gone(_))));
    teams.close(CHANNEL);
    assert!(matches!(adapter.post(&to(CHANNEL, None)).await, Err(Error::Gone(_))));
    assert!(matches!(adapter.post(&to(CHANNEL, Some("1"))).await, Err(Error::Gone(_))));
}

#[tokio::test]
async fn a_reply_that_breaks_off_leaves_it_open_whether_it_was_taken() {
    let (teams, adapter) = scene().await;
    teams.next(Mode::CutAfterAccept);
    let error = adapter.post(&to(CHANNEL, None)).await.unwrap_err();
    assert!(matches!(&error, Error::Again { detail, .. } if detail.contains("broke off")), "{error:?}");
    assert_eq!(teams.messages().len(), 1, "it was");
    teams.next(Mode::Endless);
    let error = adapter.post(&to(CHANNEL, None)).await.unwrap_err();
    assert!(matches!(&error, Error::Again { detail, .. } if detail.contains("more than 65536 bytes")), "{error:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (teams, adapter) = scene().await;
    teams.next(Mode::Redirect);
    assert!(matches!(adapter.post(&to(CHANNEL, None)).await, Err(Error::Never(why)) if why.contains("redirects")));
    assert_eq!(teams.counts().elsewhere, 0);
}

#[tokio::test]
async fn an_identifier_cannot_leave_its_place_in_the_address() {
    let (teams, adapter) = scene().await;
    let odd = "19:a/../../x?y=1#z%2f@thread.v2";
    adapter.post(&to(odd, None)).await.unwrap();
    assert_eq!(teams.messages()[0].conversation, odd);
    for bad in ["", ".", "..", "a\nb"] {
        assert!(matches!(adapter.post(&to(bad, None)).await, Err(Error::Never(_))), "{bad:?}");
    }
    assert_eq!((teams.messages().len(), teams.counts().elsewhere), (1, 0));
}

#[tokio::test]
async fn where_nothing_is_known_of_a_conversation_it_says_what_to_set() {
    let teams = Teams::start().await;
    let adapter = Adapter::open(Options { service_url: None, ..options(&teams) }).unwrap();
    assert!(
        matches!(adapter.post(&to(CHANNEL, None)).await, Err(Error::Never(why)) if why.contains("teams.service_url"))
    );
    let known = Outgoing { service_url: Some(teams.service_url()), ..to(CHANNEL, None) };
    adapter.post(&known).await.unwrap();
}

#[tokio::test]
async fn a_vendor_that_is_nowhere_is_tried_again() {
    let (teams, _) = scene().await;
    let nowhere = "http://127.0.0.1:9/";
    let adapter = Adapter::open(Options { service_url: Some(nowhere.into()), ..options(&teams) }).unwrap();
    let error = adapter.post(&to(CHANNEL, None)).await.unwrap_err();
    assert!(matches!(&error, Error::Again { detail, .. } if detail.contains("cannot be reached")), "{error:?}");
    let adapter = Adapter::open(Options { token_url: Some(nowhere.into()), ..options(&teams) }).unwrap();
    assert!(matches!(adapter.hello().await, Err(Error::Again { .. })));
}
