//! Mail against a server that speaks SMTP: taken once, put off, refused, inert, one mail for each address, and silent
//! about the password.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_messaging::notify::{Error, Notifier, ReceiverTrouble};
use hindcast_notify_email::{Email, EmailOptions};
use hindcast_testkit::vendors::{MailStandIn, SECRET, VendorMode, hostile, message};

fn open(server: &MailStandIn, password: &str, to: &[&str]) -> Email {
    Email::new(EmailOptions {
        url: server.url(),
        in_clear: true,
        user: Some("ops".to_owned()),
        password: Some(password.into()),
        from: "Hindcast <hindcast@example.com>".to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
    })
    .unwrap()
}

#[tokio::test]
async fn a_message_is_one_mail_for_each_address_in_one_thread() {
    let server = MailStandIn::start(SECRET).await;
    let email = open(&server, SECRET, &["a@example.com", "B <b@example.com>"]);
    let answer = email.send(&message()).await.unwrap();
    assert!(answer.contains("a@example.com: 250 2.0.0 queued as Q1"), "{answer}");
    let taken = server.taken();
    assert_eq!(taken.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["a@example.com", "b@example.com"]);
    let header = |name| taken[0].header(name).unwrap();
    assert_eq!(header("Message-ID"), "<EVT-0123456789ABCDEF@example.com>");
    assert_eq!(header("References"), "<hindcast-INC-0123456789ABCDEF@example.com>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Subject").contains("PostgreSQL has no connections left"));
    // Whoever has it is spared when it is sent again.
    assert!(email.send(&message()).await.unwrap().contains("taken before"));
    assert_eq!(server.taken().len(), 2);
}

#[tokio::test]
async fn foreign_text_makes_no_header_and_no_markup() {
    let server = MailStandIn::start(SECRET).await;
    let email = open(&server, SECRET, &["a@example.com"]);
    email.send(&hostile()).await.unwrap();
    let mail = server.taken().remove(0);
    assert!(mail.header("Bcc").is_none(), "{}", mail.data.chars().take(2_000).collect::<String>());
    assert_eq!(mail.to, "a@example.com");
    let head = mail.data.split("\r\n\r\n").next().unwrap();
    assert!(head.lines().all(|line| line.contains(": ") || line.starts_with([' ', '\t'])), "{head}");
    assert!(!mail.data.contains("<b>x</b>\n") && !mail.data.contains('\u{202E}'));
    let html = mail.data.split("text/html").nth(1).unwrap();
    assert!(!html.contains("<!channel>"), "markup is escaped");
}

#[tokio::test]
async fn refusals_say_whether_to_come_again_and_never_the_password() {
    let server = MailStandIn::start(SECRET).await;
    let email = open(&server, SECRET, &["a@example.com"]);
    let mut said = Vec::new();
    for (mode, trouble) in [
        (VendorMode::Limit(30), ReceiverTrouble::RateLimit),
        (VendorMode::Down, ReceiverTrouble::Unavailable),
        (VendorMode::Refuse, ReceiverTrouble::Refused),
    ] {
        server.mode(mode);
        let error = email.send(&message()).await.unwrap_err();
        assert_eq!(error.trouble(), trouble, "{mode:?}: {error}");
        assert_eq!(matches!(error, Error::Never(_)), trouble == ReceiverTrouble::Refused, "{error}");
        said.push(error.to_string());
    }
    server.mode(VendorMode::Take);
    let error = open(&server, "wrong", &["a@example.com"]).send(&message()).await.unwrap_err();
    assert_eq!(error.trouble(), ReceiverTrouble::Credential, "{error}");
    said.push(error.to_string());
    let gone = server.url();
    drop(server);
    let options = EmailOptions {
        url: gone,
        in_clear: true,
        user: None,
        password: None,
        from: "a@example.com".to_owned(),
        to: vec!["b@example.com".to_owned()],
    };
    let error = Email::new(options).unwrap().send(&message()).await.unwrap_err();
    assert!(matches!(error.trouble(), ReceiverTrouble::Unavailable | ReceiverTrouble::Credential), "{error}");
    said.push(error.to_string());
    for text in said {
        assert!(!text.contains("wrong") && !text.contains(SECRET) && !text.contains('\n'), "{text}");
    }
}

#[tokio::test]
async fn one_address_that_is_refused_takes_nothing_from_the_others() {
    let server = MailStandIn::start(SECRET).await;
    server.knows_not("gone@example.com");
    let email = open(&server, SECRET, &["gone@example.com", "a@example.com"]);
    let answer = email.send(&message()).await.unwrap();
    assert!(
        answer.contains("a@example.com: 250") && answer.contains("gone@example.com: the mail server replied 550"),
        "{answer}"
    );
    assert_eq!(server.taken().len(), 1);
    let nobody = open(&server, SECRET, &["gone@example.com"]).send(&message()).await.unwrap_err();
    assert!(matches!(nobody, Error::Never(_)), "{nobody}");
}

#[test]
fn addresses_that_are_none_are_refused_at_the_start() {
    let options = |from: &str, to: &[&str]| EmailOptions {
        url: "smtp://127.0.0.1:25".to_owned(),
        in_clear: true,
        user: None,
        password: None,
        from: from.to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
    };
    for (from, to) in [
        ("nobody", &["a@example.com"][..]),
        ("a@example.com", &["b@example.com\r\nBcc: c@example.com"]),
        ("a@example.com", &[]),
    ] {
        assert!(Email::new(options(from, to)).is_err(), "{from} {to:?}");
    }
}
