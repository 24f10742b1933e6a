//! What is found, what is spared, and that nothing planted survives. Owns the examples; refuses to know the rules.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn clean(text: &str) -> String {
    Redactor::default().text(text)
}

#[test]
fn secrets_are_taken_out_and_what_stands_around_them_stays() {
    for (text, expected) in [
        ("login failed: password=hunter2 for ada", "login failed: password=[redacted:secret] for ada"),
        (r#"{"password": "hun ter2", "user": "ada"}"#, r#"{"password": "[redacted:secret]", "user": "ada"}"#),
        (r#"body {\"api_key\":\"abc\"}"#, r#"body {\"api_key\":\"[redacted:secret]\"}"#),
        ("Authorization: Basic YWRhOmFkYQ==", "Authorization: Basic [redacted:authorization]"),
        ("request with Cookie: session=abc123; theme=dark", "request with Cookie: [redacted:cookie]"),
        ("sent Bearer abc123 upstream", "sent Bearer [redacted:bearer] upstream"),
        ("postgres://ada:p@ss@db:5432/shop", "postgres://[redacted:userinfo]@db:5432/shop"),
        ("https://x.example.com/a?sig=abc%3D&b=1", "https://x.example.com/a?sig=[redacted:url_secret]&b=1"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/[redacted:slack_webhook]"),
        ("card 4111 1111 1111 1111 refused", "card [redacted:card] refused"),
        ("key AKIAIOSFODNN7EXAMPLE leaked", "key [redacted:aws_key] leaked"),
        ("AWS_SECRET_ACCESS_KEY=wJalr/x+y", "AWS_SECRET_ACCESS_KEY=[redacted:secret]"),
        ("secret key: abc; X-Api-Key: def", "secret key: [redacted:secret]; X-Api-Key: [redacted:secret]"),
        (
            "DefaultEndpointsProtocol=https;AccountKey=ab==;x=1",
            "DefaultEndpointsProtocol=https;AccountKey=[redacted:secret];x=1",
        ),
        ("up{token=~\"abc\"}", "up{token=~\"[redacted:secret]\"}"),
    ] {
        let expected = expected.replace("com/[redacted:slack", "com/services/[redacted:slack");
        assert_eq!(clean(text), expected);
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for text in [
        "Error ratio of shop/cart is 0.4916666666666667 over the last 10 seconds.",
        "http://prometheus-0.example.com:9090/graph?g0.expr=route%3Ahttp_errors%3Aratio_rate10s+%3E+0.2&g0.tab=1",
        "shop-7c9d5b6f4-x2x9k:8000",
        "5e1f2a3b-4c5d-6e7f-8091-a2b3c4d5e6f7",
        "1763996969407000123",
        "the bearer of bad news",
        "tokens_total is 5",
        "2026-11-24T13:29:09.407Z",
        "order 4111111111111112 has a wrong check digit",
        "ops@example.com",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn a_name_that_says_secret_is_enough() {
    let mut redactor = Redactor::default();
    let labels =
        BTreeMap::<String, String>::from([("db_password".into(), "x".into()), ("secret_name".into(), "tls".into())]);
    let labels = redactor.labels(labels);
    assert_eq!(labels.get("db_password").map(String::as_str), Some("[redacted:password]"));
    assert_eq!(labels.get("secret_name").map(String::as_str), Some("tls"));
    let value = redactor.value(json!({"apiKey": {"nested": 1}, "X-Auth-Token": 5, "a": [{"token": "t"}], "n": null}));
    assert_eq!(
        value,
        json!({"apiKey": "[redacted:api_key]", "X-Auth-Token": "[redacted:token]",
               "a": [{"token": "[redacted:token]"}], "n": null})
    );
    assert_eq!(redactor.counts().values().sum::<u32>(), 4);
}

#[test]
fn a_block_that_was_cut_off_is_taken_out_to_the_end() {
    let text = "see -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\nAAKCAQEA";
    assert_eq!(clean(text), "see [redacted:private_key]");
}

/// Secrets of known forms, with parts that a test can search for.
fn planted() -> impl Strategy<Value = (String, String)> {
    let word = "[A-Za-z0-9]{20,30}";
    let shown = |form: &'static str| move |secret: String| (form.replace('@', &secret), secret);
    prop_oneof![
        word.prop_map(shown("password=@")),
        word.prop_map(shown("\"passwd\": \"@\"")),
        word.prop_map(shown("api_key: @")),
        word.prop_map(shown("API-KEY=@")),
        word.prop_map(shown("client_secret=>'@'")),
        word.prop_map(shown("\\\"token\\\":\\\"@\\\"")),
        word.prop_map(shown("Authorization: Bearer @")),
        word.prop_map(shown("authorization=@")),
        word.prop_map(shown("bearer @")),
        word.prop_map(shown("https://x.example.com/p?access_token=@&y=1")),
        word.prop_map(|secret| (format!("redis://:{secret}@cache:6379/0"), secret)),
        word.prop_map(shown("ghp_@")),
        word.prop_map(shown("glpat-@")),
        word.prop_map(shown("xoxb-@")),
        "[A-Z0-9]{16}".prop_map(shown("AKIA@")),
        word.prop_map(shown("eyJhbGciOiJIUzI1NiJ9.@.c2ln")),
        word.prop_map(shown("-----BEGIN PRIVATE KEY-----\n@\n-----END PRIVATE KEY-----")),
    ]
}

proptest! {
    #[test]
    fn a_planted_secret_never_survives(
        before in "[ -~\n]{0,40}", (text, secret) in planted(), after in "[ -~\n]{0,40}"
    ) {
        let whole = format!("{before} {text} {after}");
        prop_assert!(!clean(&whole).contains(&secret), "{}", clean(&whole));
        let value = Redactor::default().value(json!({"a": [{"b": whole.clone()}], whole.clone(): 1}));
        prop_assert!(!value.to_string().contains(&secret), "{value}");
        let labels = Redactor::default().labels(BTreeMap::from([("x".into(), whole.clone()), (whole, "y".into())]));
        let shown = format!("{labels:?}");
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }

    #[test]
    fn a_second_run_finds_nothing_more(
        before in "[ -~\n]{0,40}", (text, _) in planted(), after in "[ -~\n]{0,40}"
    ) {
        let once = clean(&format!("{before} {text} {after}"));
        prop_assert_eq!(clean(&once), once);
    }
}

/// Labels that differ in a secret alone stay different, the same secret stays the same, and neither can be read; a mark
/// that comes back is left as it is.
#[test]
fn labels_stay_distinct_under_a_key() {
    let key = RedactionKey::derive(&[7; 32]);
    let label = |key: &RedactionKey, name: &str, value: &str| Redactor::telling_apart(key.clone()).label(name, value);
    for (name, one, two) in [
        ("token", "one", "two"),
        ("db_password", "hunter2", "hunter3"),
        ("url", "https://x.example.com/a?sig=abc", "https://x.example.com/a?sig=abd"),
        ("dsn", "postgres://ada:p1@db:5432/shop", "postgres://ada:p2@db:5432/shop"),
        ("cmd", "run --token=abc", "run --token=abd"),
        ("key", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"),
    ] {
        let (first, second) = (label(&key, name, one), label(&key, name, two));
        assert_ne!(first, second, "{name}");
        assert_eq!(label(&key, name, one), first);
        assert_eq!(label(&key, name, &first), first, "cleaning what is clean changes nothing");
        assert_eq!(Redactor::default().label(name, &first), first, "also without a key");
        assert_eq!(Redactor::default().text(&first), first, "and wherever it stands");
        assert_eq!(Redactor::default().value(json!({name: first})), json!({name: first}));
        assert!(first.contains("[redacted:") && !first.contains(one), "{first}");
        assert_ne!(label(&RedactionKey::derive(&[8; 32]), name, one), first, "another tenant's digest is another");
    }
    assert_eq!(label(&key, "token", ""), "", "no value is no secret");
    let mut redactor = Redactor::telling_apart(key);
    assert_eq!(redactor.text("password=hunter2"), "password=[redacted:secret]", "texts need no digest");
    assert_eq!(redactor.named("token", "one"), "[redacted:token]");
}
