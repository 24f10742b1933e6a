//! Our own token: kept until shortly before its end, replaced once, and sent to allowed hosts alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hindcast_chat_teams::{Options, Teams as Adapter};
use hindcast_domain::chat::Place;
use hindcast_messaging::chat::{Chat, Error, Outgoing};

use super::{CHANNEL, CHAT, NOW, card, options, scene, to};
use crate::teams::{APP_ID, Mode, Teams};

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let teams = Teams::start().await;
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = Arc::clone(&now);
    let with = Options { clock: Arc::new(move || clock.load(Ordering::SeqCst)), ..options(&teams) };
    let adapter = Adapter::open(with).unwrap();
    assert_eq!(adapter.hello().await.unwrap(), format!("app {APP_ID}"));
    futures::future::join_all((0..10).map(|_| adapter.hello())).await;
    now.fetch_add(3599 - 301, Ordering::SeqCst);
    adapter.hello().await.unwrap();
    assert_eq!(teams.counts().tokens, 1);
    now.fetch_add(1, Ordering::SeqCst);
    futures::future::join_all((0..10).map(|_| adapter.hello())).await;
    assert_eq!(teams.counts().tokens, 2);
    // A short one is used as well, for half its life.
    teams.tokens_last(60);
    now.fetch_add(3600, Ordering::SeqCst);
    adapter.hello().await.unwrap();
    now.fetch_add(29, Ordering::SeqCst);
    adapter.hello().await.unwrap();
    assert_eq!(teams.counts().tokens, 3);
    now.fetch_add(1, Ordering::SeqCst);
    adapter.hello().await.unwrap();
    assert_eq!(teams.counts().tokens, 4);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (teams, adapter) = scene().await;
    adapter.post(&to(CHAT, None)).await.unwrap();
    teams.revoke_tokens();
    adapter.post(&to(CHAT, None)).await.unwrap();
    assert_eq!((teams.counts().tokens, teams.messages().len()), (2, 2));
    teams.set(Mode::Refuse(401, "Unauthorized"));
    let before = teams.counts();
    let error = adapter.post(&to(CHAT, None)).await.unwrap_err();
    assert!(matches!(&error, Error::Never(why) if why.contains("password")), "{error:?}");
    let after = teams.counts();
    assert_eq!((after.connector - before.connector, after.tokens - before.tokens), (2, 1));
}

#[tokio::test]
async fn our_token_goes_to_allowed_hosts_alone() {
    let (teams, adapter) = scene().await;
    let thief = Teams::start().await;
    let there = thief.service_url().replace("127.0.0.1", "127.0.0.1.nip.example");
    for elsewhere in [there.as_str(), "https://evil.example/", "http://smba.trafficmanager.net/", "not an address"] {
        let message = Outgoing { service_url: Some(elsewhere.into()), ..to(CHANNEL, None) };
        assert!(
            matches!(adapter.post(&message).await, Err(Error::Never(why)) if why.contains("service URL")),
            "{elsewhere}"
        );
        let place =
            Place { channel: CHANNEL.into(), message: "1".into(), thread: None, service_url: message.service_url };
        assert!(matches!(adapter.update(&place, &card("x")).await, Err(Error::Never(_))), "{elsewhere}");
    }
    assert_eq!((teams.counts().tokens, teams.counts().connector, thief.counts().elsewhere), (0, 0, 0));
    // Without a test's token address, this very machine is none of them.
    let public = Options { token_url: None, service_url: None, ..options(&teams) };
    let message = Outgoing { service_url: Some(teams.service_url()), ..to(CHANNEL, None) };
    let refused = Adapter::open(public).unwrap().post(&message).await;
    assert!(matches!(refused, Err(Error::Never(why)) if why.contains("https")));
}
