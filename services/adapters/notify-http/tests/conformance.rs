//! Every notifier over HTTP against the stand-in of its vendor: taken once, put off, refused, inert, and silent about
//! its secrets.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_domain::Secret;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::Reason;
use hindcast_messaging::notify::{Error, Notification, Notifier, ReceiverTrouble};
use hindcast_notify_http::{
    AlertmanagerWebhook, DiscordWebhook, HttpTemplate, HttpTemplateOptions, MattermostWebhook, Ntfy, NtfyOptions,
    Opsgenie, PagerDuty, SlackWebhook, Telegram, TelegramOptions, Webhook,
};
use hindcast_testkit::vendors::{SECRET, VendorKind, VendorStandIn, message, notifier_suite};

/// Opens the notifier that speaks to a stand-in of this kind.
fn open(kind: VendorKind, vendor: &VendorStandIn, secret: &str) -> Arc<dyn Notifier> {
    let url = vendor.url(secret);
    let secret_url = Secret::from(url.as_str());
    match kind {
        VendorKind::Webhook => Arc::new(Webhook::new(&secret_url, Some("signs".into())).unwrap()),
        VendorKind::PagerDuty => Arc::new(PagerDuty::new(secret.into(), Some(&url)).unwrap()),
        VendorKind::Opsgenie => Arc::new(Opsgenie::new(secret.into(), Some(&url)).unwrap()),
        VendorKind::Alertmanager => {
            Arc::new(AlertmanagerWebhook::new(&secret_url, Some(secret.into()), "oncall").unwrap())
        }
        VendorKind::Slack => Arc::new(SlackWebhook::new(&secret_url).unwrap()),
        VendorKind::Discord => Arc::new(DiscordWebhook::new(&secret_url).unwrap()),
        VendorKind::Mattermost => Arc::new(MattermostWebhook::new(&secret_url).unwrap()),
        VendorKind::Telegram => {
            let options =
                TelegramOptions { token: secret.into(), chat: "-100".to_owned(), thread: Some(4), url: Some(url) };
            Arc::new(Telegram::new(options).unwrap())
        }
        VendorKind::Ntfy => {
            let options = NtfyOptions { topic: "oncall".into(), token: Some(secret.into()), url: Some(url) };
            Arc::new(Ntfy::new(options).unwrap())
        }
        VendorKind::Http => Arc::new(HttpTemplate::new(template(&url, secret, TEMPLATE)).unwrap()),
    }
}

const TEMPLATE: &str = r#"{"text": {{ headline ~ "\n" ~ text }}, "open": {{ not resolved }}}"#;

fn template(url: &str, secret: &str, body: &str) -> HttpTemplateOptions {
    HttpTemplateOptions {
        url: url.into(),
        method: "POST".to_owned(),
        headers: BTreeMap::from([("X-From".to_owned(), "hindcast".to_owned())]),
        secret_headers: BTreeMap::from([("X-Api-Key".to_owned(), secret.into())]),
        body: body.to_owned(),
    }
}

async fn holds(kind: VendorKind, acts: &[&str]) {
    let vendor = VendorStandIn::start(kind, SECRET).await;
    notifier_suite(&vendor, &|vendor, secret| open(kind, vendor, secret), acts).await;
}

#[tokio::test]
async fn pagerduty_holds_the_contract() {
    holds(VendorKind::PagerDuty, &[]).await;
}

#[tokio::test]
async fn opsgenie_holds_the_contract() {
    holds(VendorKind::Opsgenie, &[]).await;
}

#[tokio::test]
async fn an_alertmanagers_webhook_holds_the_contract() {
    holds(VendorKind::Alertmanager, &[]).await;
}

#[tokio::test]
async fn slack_holds_the_contract() {
    holds(VendorKind::Slack, &["<!channel>", "<@U123>"]).await;
}

#[tokio::test]
async fn discord_holds_the_contract() {
    holds(VendorKind::Discord, &["<@U123>", "@everyone", "@here", "](http", "**bold**"]).await;
}

#[tokio::test]
async fn mattermost_holds_the_contract() {
    holds(VendorKind::Mattermost, &["@channel", "@here", "](http", "**bold**", "<b>"]).await;
}

#[tokio::test]
async fn telegram_holds_the_contract() {
    holds(VendorKind::Telegram, &["<b>x</b>", "<!channel>"]).await;
}

#[tokio::test]
async fn ntfy_holds_the_contract() {
    holds(VendorKind::Ntfy, &[]).await;
}

#[tokio::test]
async fn a_template_holds_the_contract() {
    holds(VendorKind::Http, &[]).await;
}

/// Our own webhook hands on every text as it is, and tries every refusal again; the rest is the same.
#[tokio::test]
async fn our_webhook_is_signed_and_is_tried_again_after_every_refusal() {
    let vendor = VendorStandIn::start(VendorKind::Webhook, SECRET).await;
    let notifier = open(VendorKind::Webhook, &vendor, SECRET);
    assert_eq!(notifier.send(&message()).await.unwrap(), "202 Accepted");
    let request = vendor.requests().remove(0);
    assert!(request.header("x-hindcast-signature").starts_with("sha256="));
    assert_eq!(request.json()["key"], request.header("idempotency-key"));
    assert!(request.json().get("test").is_none(), "an ordinary message has no such field");
    let wrong = open(VendorKind::Webhook, &vendor, "another-secret").send(&message()).await.unwrap_err();
    assert_eq!(wrong.trouble(), ReceiverTrouble::Credential);
    vendor.mode(hindcast_testkit::vendors::VendorMode::Refuse);
    let refused = notifier.send(&message()).await.unwrap_err();
    assert!(matches!(refused, Error::Again { trouble: ReceiverTrouble::Refused, .. }), "{refused:?}");
}

/// The messages of one incident's life, with what a vendor that keeps an alert open is to do.
fn life() -> Vec<(Notification, &'static [&'static str])> {
    let of = |reason, page, status| Notification {
        reason,
        page,
        status: Some(status),
        key: format!("EVT-{reason:?}"),
        ..message()
    };
    vec![
        (of(Reason::Opened, true, Status::Open), &["open"]),
        (of(Reason::NewAlert, false, Status::Open), &["open"]),
        (of(Reason::Acknowledged, false, Status::Acknowledged), &["acknowledge"]),
        // A page on an alert that is acknowledged wakes nobody there: it is closed and opened anew.
        (of(Reason::Worse, true, Status::Acknowledged), &["close", "open"]),
        (of(Reason::Unacknowledged, true, Status::Open), &["close", "open"]),
        (of(Reason::Retried, true, Status::Open), &["open"]),
        (of(Reason::Resolved, false, Status::Resolved), &["close"]),
        (of(Reason::Reopened, true, Status::Open), &["close", "open"]),
        (of(Reason::Merged, false, Status::Resolved), &["close"]),
    ]
}

#[tokio::test]
async fn an_acknowledgement_and_an_end_reach_the_vendors_own_alert() {
    for kind in [VendorKind::PagerDuty, VendorKind::Opsgenie] {
        let vendor = VendorStandIn::start(kind, SECRET).await;
        let notifier = open(kind, &vendor, SECRET);
        assert!(notifier.keeps_open());
        let mut expected = Vec::new();
        for (message, actions) in life() {
            notifier.send(&message).await.unwrap();
            expected.extend_from_slice(actions);
        }
        let taken = vendor.taken();
        assert_eq!(taken.iter().map(|taken| taken.action).collect::<Vec<_>>(), expected, "{kind:?}");
        assert!(taken.iter().all(|taken| taken.key == "INC-0123456789ABCDEF"), "one alert for one incident: {taken:?}");
    }
}

#[tokio::test]
async fn an_alertmanagers_webhook_says_the_state_of_the_incident() {
    let vendor = VendorStandIn::start(VendorKind::Alertmanager, SECRET).await;
    let notifier = open(VendorKind::Alertmanager, &vendor, SECRET);
    for (message, _) in life() {
        notifier.send(&message).await.unwrap();
        let ends = message.is_end();
        assert_eq!(vendor.taken().last().unwrap().action, if ends { "close" } else { "open" }, "{:?}", message.reason);
    }
    // A message that names no alert stands for its incident.
    let bare = Notification { alerts: Vec::new(), ..message() };
    notifier.send(&bare).await.unwrap();
    let said = vendor.requests().last().unwrap().json();
    assert_eq!(said["alerts"][0]["labels"]["alertname"], "HindcastIncident");
    assert_eq!(said["receiver"], "oncall");
}

#[tokio::test]
async fn nobody_there_is_said_without_the_address() {
    let url = "http://127.0.0.1:9/services/T00000000/B00000000/s3cr3tpart";
    let error = SlackWebhook::new(&url.into()).unwrap().send(&message()).await.unwrap_err();
    assert_eq!(error.trouble(), ReceiverTrouble::Unavailable);
    assert!(
        !error.to_string().contains("s3cr3tpart") && error.to_string().contains("Slack cannot be reached"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("s3cr3tpart"));
    let refused = SlackWebhook::new(&"nonsense-s3cr3tpart".into()).unwrap_err();
    assert!(!refused.to_string().contains("s3cr3tpart"), "{refused}");
}

#[test]
fn a_template_that_would_fail_at_night_is_refused_at_the_start() {
    let refused = |body: &str| HttpTemplate::new(template("http://127.0.0.1:9/x", "k", body)).unwrap_err().to_string();
    for (body, words) in [
        (r#"{"text": "{{ title }}"}"#, "quotation marks"),
        (r#"{"text": {{ titel }}}"#, "undefined"),
        (r#"{"text": {{ title }"#, "template"),
        ("{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}", "fuel"),
        (r#"{% include "/etc/passwd" %}"#, "template"),
        (r#"{{ incident.id.x }}"#, "undefined"),
    ] {
        let said = refused(body);
        assert!(said.contains(words), "{body}: {said}");
    }
    let method = HttpTemplateOptions { method: "GET".to_owned(), ..template("http://127.0.0.1:9/x", "k", TEMPLATE) };
    assert!(HttpTemplate::new(method).unwrap_err().to_string().contains("POST"));
    let header = HttpTemplateOptions {
        secret_headers: BTreeMap::from([("X-Key".to_owned(), Secret::from("s3cr3t\r\nX-Evil: 1"))]),
        ..template("http://127.0.0.1:9/x", "k", TEMPLATE)
    };
    assert!(!HttpTemplate::new(header).unwrap_err().to_string().contains("s3cr3t"));
}
