//! From the settings to a vendor: receivers of four kinds against stand-ins that speak their protocols, a test of a
//! receiver, and what `doctor` and the metrics say of one in trouble.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use std::time::{Duration, Instant};

use hindcast_testkit::vendors::{MailStandIn, SECRET, VendorKind, VendorMode, VendorStandIn};
use serde_json::json;

use crate::support;
use support::{Ledger, Server, folder};

/// Waits for what comes within a minute.
async fn comes(what: &str, is_there: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < Duration::from_secs(60), "expected {what} within a minute");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_reaches_receivers_of_every_sort_and_closes_what_it_opened() {
    let data = folder();
    let phone = VendorStandIn::start(VendorKind::PagerDuty, SECRET).await;
    let channel = VendorStandIn::start(VendorKind::Slack, SECRET).await;
    let ticket = VendorStandIn::start(VendorKind::Http, SECRET).await;
    let mail = MailStandIn::start(SECRET).await;
    let (hook, key) = (data.path().join("hook"), data.path().join("key"));
    std::fs::write(&hook, format!("{}\n", channel.url(SECRET))).unwrap();
    std::fs::write(&key, format!("{SECRET}\n")).unwrap();
    let config = data.path().join("hindcast.toml");
    let settings = format!(
        "[paging]\nfirst_after_s = 0\nsettle_s = 0\n\
         [[receivers]]\nname = 'phone'\nkind = 'pagerduty'\ntoken_env = 'PHONE_KEY'\nurl = '{}'\n\
         [[receivers]]\nname = 'channel'\nkind = 'slack'\nurl_file = '{}'\n\
         [[receivers]]\nname = 'ticket'\nkind = 'http'\nurl = '{}'\nbody = '{{\"text\": {{{{ headline }}}}}}'\n\
         headers_file = {{ X-Api-Key = '{}' }}\n\
         [[receivers]]\nname = 'mail'\nkind = 'email'\nurl = '{}'\ntls = 'none'\nuser = 'ops'\ntoken_env = 'MAIL_PASSWORD'\n\
         from = 'hindcast@example.com'\nto = ['ops@example.com']\n",
        phone.url(""),
        hook.display(),
        ticket.url(""),
        key.display(),
        mail.url(),
    );
    std::fs::write(&config, settings).unwrap();
    let more = ["--ledger", Ledger::Embedded.flag(), "--config", config.to_str().unwrap()];
    let environment = [("PHONE_KEY", SECRET), ("MAIL_PASSWORD", SECRET)];
    let mut server = Server::spawn_with(support::free_port(), data.path(), &more, &environment);
    server.ready().await;

    assert_eq!(server.fire("PgDown", "postgres", "critical").await.0, 200);
    comes("a page on the phone", || phone.taken().iter().any(|it| it.action == "open")).await;
    comes("a page everywhere", || {
        !(channel.taken().is_empty() || ticket.taken().is_empty() || mail.taken().is_empty())
    })
    .await;
    server.settled().await;
    let id = server.get("/api/v1/incidents").await["items"][0]["id"].as_str().unwrap().to_owned();
    let (status, body) = server.post(&format!("/api/v1/incidents/{id}/acknowledge"), &json!({})).await;
    assert_eq!(status, 200, "{body}");
    comes("the acknowledgement", || phone.taken().iter().any(|it| it.action == "acknowledge")).await;
    let (status, body) = server.post(&format!("/api/v1/incidents/{id}/resolve"), &json!({})).await;
    assert_eq!(status, 200, "{body}");
    comes("the end", || phone.taken().iter().any(|it| it.action == "close")).await;
    comes("the end in the channel", || channel.taken().iter().any(|it| it.text.contains("[resolved]"))).await;
    let actions: Vec<&str> = phone.taken().iter().map(|it| it.action).collect();
    assert_eq!(actions, ["open", "acknowledge", "close"]);
    assert!(phone.taken().iter().all(|it| it.key == id), "our incident is PagerDuty's key");
    assert!(mail.taken()[0].header("Subject").unwrap().contains("PgDown on postgres"));

    // What each answered is in the record, and no credential is: not there, not in the log, not in the metrics.
    server.settled().await;
    let events = server.all("/api/v1/events?kind=notice.delivered").await;
    let answers: Vec<&str> = events.iter().filter_map(|event| event["data"]["answer"].as_str()).collect();
    assert!(answers.iter().any(|answer| answer.contains(&format!("dedup_key {id}"))), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.contains("queued as Q1")), "{answers:?}");
    let all = json!(server.all("/api/v1/events").await).to_string();
    let metrics = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let log = std::fs::read_to_string(data.path().join("test.log")).unwrap();
    for (place, text) in [("the ledger", &all), ("the metrics", &metrics), ("the log", &log)] {
        assert!(!text.contains(SECRET), "a credential is in {place}");
    }
    assert!(server.stop().success(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_and_a_limit_are_named_by_doctor_and_metrics() {
    let data = folder();
    let phone = VendorStandIn::start(VendorKind::PagerDuty, "another-key").await;
    let channel = VendorStandIn::start(VendorKind::Slack, SECRET).await;
    channel.mode(VendorMode::Limit(40));
    let config = data.path().join("hindcast.toml");
    let settings = format!(
        "[paging]\nfirst_after_s = 0\n\
         [[receivers]]\nname = 'phone'\nkind = 'pagerduty'\ntoken_env = 'PHONE_KEY'\nurl = '{}'\n\
         [[receivers]]\nname = 'channel'\nkind = 'slack'\nurl_env = 'CHANNEL_HOOK'\n",
        phone.url("")
    );
    std::fs::write(&config, settings).unwrap();
    let more = ["--ledger", Ledger::Embedded.flag(), "--config", config.to_str().unwrap()];
    let hook = channel.url(SECRET);
    let environment = [("PHONE_KEY", SECRET), ("CHANNEL_HOOK", hook.as_str())];
    let mut server = Server::spawn_with(support::free_port(), data.path(), &more, &environment);
    server.ready().await;
    let fired = Instant::now();
    assert_eq!(server.fire("PgDown", "postgres", "critical").await.0, 200);
    comes("an attempt at each", || !(phone.requests().is_empty() || channel.requests().is_empty())).await;
    let wanted = [("phone", "credential"), ("channel", "rate_limit")];
    let metrics = loop {
        let metrics = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
        let line = |(receiver, trouble): &(&str, &str)| {
            format!("hindcast_receiver_trouble{{receiver=\"{receiver}\",trouble=\"{trouble}\"}} 1")
        };
        if wanted.iter().all(|wanted| metrics.contains(&line(wanted))) {
            break metrics;
        }
        assert!(fired.elapsed() < Duration::from_secs(60), "expected both within a minute:\n{metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(!metrics.contains(SECRET));
    let (status, out, err) = server.cli(&["doctor"]);
    assert_eq!(status, 1, "{err}");
    assert!(out.contains("phone refuses the credential") && out.contains("channel wants fewer messages"), "{out}");
    assert!(!out.contains(SECRET), "{out}");

    // A test says the same at once, and that it is well again.
    let (status, _, err) = server.cli(&["receiver", "test", "phone"]);
    assert_eq!(status, 1);
    assert!(err.contains("credential") && err.contains("token_env") && !err.contains(SECRET), "{err}");
    let (status, _, err) = server.cli(&["receiver", "test", "nobody"]);
    assert_ne!(status, 0);
    assert!(err.contains("channel, phone"), "the known ones are named: {err}");
    let (status, _, _) = server.cli(&["receiver", "test", ""]);
    assert_eq!(status, 2);
    assert!(server.stop().success(), "{}", server.log());
    drop(phone);

    let phone = VendorStandIn::start(VendorKind::PagerDuty, SECRET).await;
    let settings = format!(
        "[[receivers]]\nname = 'phone'\nkind = 'pagerduty'\ntoken_env = 'PHONE_KEY'\nurl = '{}'\n",
        phone.url("")
    );
    std::fs::write(&config, settings).unwrap();
    let other = folder();
    let mut server = Server::spawn_with(support::free_port(), other.path(), &more, &environment);
    server.ready().await;
    let (status, out, err) = server.cli(&["receiver", "test", "phone"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("phone took the test message: trigger: Event processed"), "{out}");
    assert_eq!(phone.taken().iter().map(|it| it.action).collect::<Vec<_>>(), ["open", "close"], "nothing stays open");
    let keys: Vec<String> = phone.taken().into_iter().map(|it| it.key).collect();
    assert_eq!(keys[0], keys[1]);
    assert!(server.get("/api/v1/incidents").await["items"].as_array().unwrap().is_empty(), "nothing happened");
    assert!(server.stop().success(), "{}", server.log());
}
