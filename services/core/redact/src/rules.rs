//! The rules: what a secret looks like, and what stands in its place. Owns the patterns and their order;
//! refuses to know where a text comes from. Where a rule cannot tell, it takes out too much rather than too
//! little.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

use super::RedactionCounts;
use super::mark::{RedactionKey, is_mark, mark};

/// What a rule does with what it finds.
enum RuleEffect {
    /// All of it is the secret.
    Whole,
    /// The group `secret` is; what stands around it stays.
    Group,
    /// All of it is, if it is a card number.
    Card,
    /// The group `secret` is, if it does not look like a word.
    NoWord,
}

/// (kind, pattern, act), in the order in which they run: the sure ones before those that know only a name.
const RULES: &[(&str, &str, RuleEffect)] = &[
    (
        "private_key",
        r"-----BEGIN[A-Z0-9 ]* PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END[A-Z0-9 ]* PRIVATE KEY(?: BLOCK)?-----|\z)",
        RuleEffect::Whole,
    ),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*", RuleEffect::Whole),
    ("aws_key", r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA)[A-Z0-9]{16,}", RuleEffect::Whole),
    ("github_token", r"(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})", RuleEffect::Whole),
    ("gitlab_token", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_.-]{16,}", RuleEffect::Whole),
    ("slack_token", r"(?:xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,})", RuleEffect::Whole),
    (
        "slack_webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]+)",
        RuleEffect::Group,
    ),
    ("discord_webhook", r"discord(?:app)?\.com/api/webhooks/(?P<secret>[0-9]+/[A-Za-z0-9_-]+)", RuleEffect::Group),
    ("stripe_key", r"\b(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}", RuleEffect::Whole),
    ("google_key", r"(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{16,})", RuleEffect::Whole),
    (
        "api_key",
        r"\b(?:sk-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{64}|glsa_[A-Za-z0-9_]{32,}|hvs\.[A-Za-z0-9_-]{16,})",
        RuleEffect::Whole,
    ),
    ("userinfo", r#"[A-Za-z][A-Za-z0-9+.-]*://(?P<secret>[^/\s?#"'<>]+)@"#, RuleEffect::Group),
    ("cookie", r#"(?i)\bcookie\\?["']?\s*:\s*\\?["']?(?P<secret>[A-Za-z0-9_.-]+=[^\r\n"'\\]+)"#, RuleEffect::Group),
    (
        "authorization",
        r#"(?i)authorization\\?["']?\s*(?:=>|[:=])\s*\\?["']?(?:(?:basic|bearer|token|digest|apikey|negotiate)\s+)?(?P<secret>[^\s"',;\\]+)"#,
        RuleEffect::Group,
    ),
    ("bearer", r#"(?i)\bbearer\s+\\?["']?(?P<secret>[A-Za-z0-9._~+/=-]{2,})"#, RuleEffect::NoWord),
    (
        "url_secret",
        r#"(?i)[?&;](?:amp;)?(?:[a-z0-9_.-]*(?:token|signature|password|passwd|secret|api[_-]?key|access[_-]?key|credential)|x-goog-signature|sig|key|code|auth|pwd|pass|jwt|session(?:_?id)?)=(?P<secret>[^&\s#"'<>]+)"#,
        RuleEffect::Group,
    ),
    ("secret", SECRET_QUOTED, RuleEffect::Group),
    ("secret", SECRET_PLAIN, RuleEffect::Group),
    ("card", r"\d(?:[ -]?\d){12,18}", RuleEffect::Card),
];

/// A name that says secret, a sign, and a value in quotes (plain ones, or those of JSON inside of a text).
const SECRET_QUOTED: &str = r#"(?i)(?:password|passwd|passphrase|pwd|[_-]pass|secret|token|(?:api|access|account|private|secret|signing|encryption)[ _-]?key|credentials?)(?:[_-]?(?:value|hash|[0-9]+))?\\*["']?\s*(?:=>|:=|=~|!=|!~|==|=|:)\s*(?:\\+"(?P<secret>[^"\\]+)|"(?P<double>(?:[^"\\]|\\.)+)|'(?P<single>(?:[^'\\]|\\.)+))"#;

/// The same with a value that ends at a blank, `&`, `,` or `;`.
const SECRET_PLAIN: &str = r#"(?i)(?:password|passwd|passphrase|pwd|[_-]pass|secret|token|(?:api|access|account|private|secret|signing|encryption)[ _-]?key|credentials?)(?:[_-]?(?:value|hash|[0-9]+))?\\*["']?\s*(?:=>|:=|=~|!=|!~|==|=|:)\s*(?P<secret>[^\s&,;"'\\~=>][^\s&,;]*)"#;

/// Names whose value is a secret whatever it looks like: those that end so, with `-`, `_`, `.` and blanks
/// taken out, in any case.
const NAMES: &[(&str, &str)] = &[
    ("password", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
    ("pwd", "password"),
    ("secret", "secret"),
    ("token", "token"),
    ("apikey", "api_key"),
    ("accesskey", "api_key"),
    ("secretkey", "secret"),
    ("privatekey", "private_key"),
    ("accountkey", "secret"),
    ("signingkey", "secret"),
    ("encryptionkey", "secret"),
    ("dbpass", "password"),
    ("authorization", "authorization"),
    ("credential", "secret"),
    ("credentials", "secret"),
    ("cookie", "cookie"),
];

/// The kinds of secrets, each once.
pub(super) fn kinds() -> BTreeSet<&'static str> {
    RULES.iter().map(|(kind, ..)| *kind).chain(NAMES.iter().map(|(_, kind)| *kind)).collect()
}

/// The kind of secret that a key's name announces.
pub(super) fn kind_of_name(name: &str) -> Option<&'static str> {
    // No announcing name is longer, and most names are no secret's: look at the end alone.
    let mut plain: Vec<u8> = name.bytes().rev().filter(u8::is_ascii_alphanumeric).take(16).collect();
    plain.reverse();
    plain.make_ascii_lowercase();
    NAMES.iter().find(|(end, _)| plain.ends_with(end.as_bytes())).map(|(_, kind)| *kind)
}

struct Compiled {
    set: RegexSet,
    rules: Vec<Regex>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let rules: Vec<Regex> = RULES.iter().filter_map(|(_, pattern, _)| Regex::new(pattern).ok()).collect();
    assert_eq!(rules.len(), RULES.len(), "every rule compiles, or none may run");
    let set = RegexSet::new(RULES.iter().map(|(_, pattern, _)| *pattern)).unwrap_or_else(|_| RegexSet::empty());
    assert_eq!(set.len(), RULES.len(), "the rules compile as a set");
    Compiled { set, rules }
});

/// A text without its secrets, which are told apart where there is a key.
pub(super) fn apply(text: &str, key: Option<&RedactionKey>, counts: &mut RedactionCounts) -> String {
    let compiled = &*COMPILED;
    let found = compiled.set.matches(text);
    if !found.matched_any() {
        return text.to_owned();
    }
    let mut clean = Cow::Borrowed(text);
    // From the first rule that matches on, every rule runs: what one takes out may show another its find.
    let first = found.iter().next().unwrap_or(0);
    for (rule, (kind, _, act)) in compiled.rules.iter().zip(RULES).skip(first) {
        let next = rule.replace_all(&clean, |caught: &Captures<'_>| replace((kind, act), caught, &clean, key, counts));
        if let Cow::Owned(next) = next {
            clean = Cow::Owned(next);
        }
    }
    clean.into_owned()
}

fn replace(
    (kind, act): (&'static str, &RuleEffect),
    caught: &Captures<'_>,
    text: &str,
    key: Option<&RedactionKey>,
    counts: &mut RedactionCounts,
) -> String {
    let whole = caught.get(0).map_or("", |found| found.as_str());
    let secret = match act {
        RuleEffect::Whole | RuleEffect::Card => caught.get(0),
        RuleEffect::Group | RuleEffect::NoWord => {
            ["secret", "double", "single"].iter().find_map(|group| caught.name(group))
        }
    };
    let (Some(secret), Some(start)) = (secret, caught.get(0).map(|found| found.start())) else {
        return whole.to_owned();
    };
    let spared = is_mark(secret.as_str())
        || match act {
            RuleEffect::Card => !is_card(text, secret.start(), secret.end()),
            RuleEffect::NoWord => is_word(secret.as_str()),
            RuleEffect::Whole | RuleEffect::Group => false,
        };
    if spared {
        return whole.to_owned();
    }
    *counts.entry(kind).or_default() += 1;
    let before = whole.get(..secret.start() - start).unwrap_or_default();
    let after = whole.get(secret.end() - start..).unwrap_or_default();
    format!("{before}{}{after}", mark(kind, secret.as_str(), key))
}

/// "bearer token" and "bearer of bad news" are words; what has a digit, a sign or eight letters is none.
fn is_word(text: &str) -> bool {
    text.len() < 8 && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.')
}

/// A number of a card: 13 to 19 digits of a scheme's range with a right check digit, and no part of a
/// longer number, of a fraction or of a word.
fn is_card(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|before| before.bytes().next_back());
    let after = text.get(end..).and_then(|after| after.bytes().next());
    let joins = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if before.is_some_and(|b| joins(b) || b == b'.') || after.is_some_and(joins) {
        return false;
    }
    let digits: Vec<u32> =
        text.get(start..end).unwrap_or_default().chars().filter_map(|digit| digit.to_digit(10)).collect();
    let in_range = match digits.first() {
        Some(3..=6) => true,
        Some(2) => digits.len() == 16,
        _ => false,
    };
    in_range && luhn(&digits)
}

/// The check of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weigh = |(place, digit): (usize, &u32)| {
        if place % 2 == 1 { doubled(*digit) } else { *digit }
    };
    digits.iter().rev().enumerate().map(weigh).sum::<u32>().is_multiple_of(10)
}
