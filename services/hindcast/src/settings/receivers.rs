//! The receivers of notifications as they are written in `[[receivers]]`: which kinds there are, which keys each kind
//! takes, and what is wrong with an entry. Secrets are named by an environment variable or a file, never shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{bail, ensure};
use hindcast_domain::Severity;
use hindcast_domain::silence::RepeatingWindow;
use serde::{Deserialize, Serialize};

/// What a receiver understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Understands {
    /// Our own message, as JSON, signed where a secret is set.
    #[default]
    Webhook,
    /// A card, as a workflow of Teams takes it.
    TeamsWorkflow,
    /// Mail over SMTP.
    Email,
    /// Events API v2.
    #[serde(rename = "pagerduty")]
    PagerDuty,
    /// Opsgenie's alerts, which are also those of Jira Service Management.
    #[serde(alias = "jsm")]
    Opsgenie,
    /// What an Alertmanager sends to a webhook, version 4.
    Alertmanager,
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// A bot's message in a chat.
    Telegram,
    /// A topic of ntfy.
    Ntfy,
    /// Any HTTP API, by a template.
    Http,
}

/// The keys of a kind: those that it needs, and those that it may have. `url`, `token` and `secret` stand for three
/// ways to write them; `headers` for the plain ones and those from the environment or from files.
struct KindKeys {
    word: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
}

impl Understands {
    const fn keys(self) -> KindKeys {
        let (word, needs, takes): (_, &[&str], &[&str]) = match self {
            Self::Webhook => ("webhook", &["url"], &["secret"]),
            Self::TeamsWorkflow => ("teams-workflow", &["url"], &["secret"]),
            Self::Email => ("email", &["url", "from", "to"], &["user", "token", "tls"]),
            Self::PagerDuty => ("pagerduty", &["token"], &["url"]),
            Self::Opsgenie => ("opsgenie", &["token"], &["url"]),
            Self::Alertmanager => ("alertmanager", &["url"], &["token"]),
            Self::Slack => ("slack", &["url"], &[]),
            Self::Discord => ("discord", &["url"], &[]),
            Self::Mattermost => ("mattermost", &["url"], &[]),
            Self::Telegram => ("telegram", &["token", "chat"], &["url", "thread"]),
            Self::Ntfy => ("ntfy", &["topic"], &["url", "token"]),
            Self::Http => ("http", &["url", "body"], &["method", "headers"]),
        };
        KindKeys { word, needs, takes }
    }
}

/// A receiver of notifications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Receiver {
    /// The receiver's name, which notices show.
    pub name: String,
    /// What it understands.
    pub kind: Understands,
    /// Its address; absent when another key names where it stands.
    pub url: Option<String>,
    /// The environment variable that holds its address, where the address is a secret.
    pub url_env: Option<String>,
    /// The file that holds its address.
    pub url_file: Option<PathBuf>,
    /// The environment variable that holds the secret that signs.
    pub secret_env: Option<String>,
    /// The file that holds that secret.
    pub secret_file: Option<PathBuf>,
    /// The environment variable that holds the token, key or password.
    pub token_env: Option<String>,
    /// The file that holds it.
    pub token_file: Option<PathBuf>,
    /// The account of a mail server.
    pub user: Option<String>,
    /// Who writes a mail.
    pub from: Option<String>,
    /// Who is written to.
    pub to: Vec<String>,
    /// `none` where mail may travel in clear.
    pub tls: Option<String>,
    /// The chat of Telegram.
    pub chat: Option<String>,
    /// The topic of a forum of Telegram.
    pub thread: Option<i64>,
    /// The topic of ntfy.
    pub topic: Option<String>,
    /// How an HTTP API is called.
    pub method: Option<String>,
    /// Headers that are no secret.
    pub headers: BTreeMap<String, String>,
    /// Headers by the environment variable that holds the value.
    pub headers_env: BTreeMap<String, String>,
    /// Headers by the file that holds the value.
    pub headers_file: BTreeMap<String, PathBuf>,
    /// The template of a body.
    pub body: Option<String>,
    /// Only incidents of this severity or worse.
    pub at_least: Option<Severity>,
    /// Whether it wants pages only.
    pub pages_only: bool,
    /// Hours in which what does not page waits.
    pub quiet: Option<String>,
    /// Pages that it takes within the window.
    pub pages_max: Option<u32>,
    /// That window, in seconds.
    pub window_s: Option<i64>,
}

impl Receiver {
    /// Each key that only some kinds take, with the ways in which it is written here.
    fn written(&self) -> [(&'static str, Vec<&'static str>); 13] {
        let given = |ways: &[(&'static str, bool)]| -> Vec<&'static str> {
            ways.iter().filter(|(_, is_given)| *is_given).map(|(way, _)| *way).collect()
        };
        let one = |name: &'static str, is_given: bool| (name, given(&[(name, is_given)]));
        [
            (
                "url",
                given(&[
                    ("url", self.url.is_some()),
                    ("url_env", self.url_env.is_some()),
                    ("url_file", self.url_file.is_some()),
                ]),
            ),
            (
                "secret",
                given(&[("secret_env", self.secret_env.is_some()), ("secret_file", self.secret_file.is_some())]),
            ),
            ("token", given(&[("token_env", self.token_env.is_some()), ("token_file", self.token_file.is_some())])),
            (
                "headers",
                given(&[
                    ("headers", !self.headers.is_empty()),
                    ("headers_env", !self.headers_env.is_empty()),
                    ("headers_file", !self.headers_file.is_empty()),
                ]),
            ),
            one("user", self.user.is_some()),
            one("from", self.from.is_some()),
            one("to", !self.to.is_empty()),
            one("tls", self.tls.is_some()),
            one("chat", self.chat.is_some()),
            one("thread", self.thread.is_some()),
            one("topic", self.topic.is_some()),
            one("method", self.method.is_some()),
            one("body", self.body.is_some()),
        ]
    }

    fn check(&self) -> anyhow::Result<()> {
        let KindKeys { word, needs, takes } = self.kind.keys();
        let who = format!("the receiver {:?} of kind {word}", self.name);
        for (key, ways) in self.written() {
            let known = needs.contains(&key) || takes.contains(&key);
            if let Some(way) = ways.first().filter(|_| !known) {
                let keys: Vec<&str> = needs.iter().chain(takes).flat_map(|key| spellings(key)).copied().collect();
                bail!("{who} takes no key {way}: it takes {}", keys.join(", "));
            }
            // Headers of three origins add up; everything else is written once.
            if ways.len() > 1 && key != "headers" {
                bail!("expected one of {} for {who}, got {}", spellings(&key).join(", "), ways.join(" and "));
            }
            if ways.is_empty() && needs.contains(&key) {
                bail!("expected {} for {who}", spellings(&key).join(" or "));
            }
        }
        let mail = self.kind == Understands::Email;
        let is_web = |url: &String| mail || url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = self.url.as_ref().filter(|url| !is_web(url)) {
            bail!("expected an http or https address for {who}, got {url:?}");
        }
        if let Some(quiet) = &self.quiet {
            quiet.parse::<RepeatingWindow>().map_err(|error| anyhow::anyhow!("quiet of {who}: {error}"))?;
        }
        ensure!(self.tls.as_deref().is_none_or(|tls| tls == "none"), "expected tls = \"none\" or no tls for {who}");
        ensure!(
            self.pages_max != Some(0) && self.window_s.is_none_or(|window| window > 0),
            "expected pages_max and window_s above 0 for {who}"
        );
        Ok(())
    }
}

/// How a key is written.
fn spellings(key: &&str) -> &'static [&'static str] {
    match *key {
        "url" => &["url", "url_env", "url_file"],
        "secret" => &["secret_env", "secret_file"],
        "token" => &["token_env", "token_file"],
        "headers" => &["headers", "headers_env", "headers_file"],
        "user" => &["user"],
        "from" => &["from"],
        "to" => &["to"],
        "tls" => &["tls"],
        "chat" => &["chat"],
        "thread" => &["thread"],
        "topic" => &["topic"],
        "method" => &["method"],
        _ => &["body"],
    }
}

/// The receivers of the file, with those that one flag or one setting of Teams stands for.
pub(super) fn receivers(mut named: Vec<Receiver>, notify: Option<&String>, workflow: Option<&String>) -> Vec<Receiver> {
    let plain = |name: &str, kind, url: Option<&String>, url_env: Option<&String>| Receiver {
        name: name.to_owned(),
        kind,
        url: url.cloned(),
        url_env: url_env.cloned(),
        ..Receiver::default()
    };
    named.extend(notify.map(|url| plain("webhook", Understands::Webhook, Some(url), None)));
    named.extend(workflow.map(|name| plain("teams-workflow", Understands::TeamsWorkflow, None, Some(name))));
    named
}

/// Receivers with a name each, and the keys of their kind.
///
/// # Errors
/// The first thing that is wrong, with what to write.
pub(super) fn check_receivers(receivers: &[Receiver]) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    for receiver in receivers {
        ensure!(!receiver.name.trim().is_empty(), "expected a name for each entry of [[receivers]]");
        if !names.insert(&receiver.name) {
            bail!("expected each receiver's name once, got {:?} twice", receiver.name);
        }
        receiver.check()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(entry: &str) -> String {
        #[derive(Deserialize)]
        struct Entries {
            receivers: Vec<Receiver>,
        }
        match toml::from_str::<Entries>(&format!("[[receivers]]\n{entry}")) {
            Ok(entries) => check_receivers(&entries.receivers).err().map(|error| error.to_string()).unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_kind_is_written_with_its_own_keys() {
        for good in [
            "name = 'a'\nurl = 'http://127.0.0.1:1'\npages_max = 3",
            "name = 'a'\nkind = 'pagerduty'\ntoken_env = 'KEY'",
            "name = 'a'\nkind = 'jsm'\ntoken_file = '/run/key'\nurl = 'https://api.atlassian.com/jsm/ops/integration/v2/alerts'",
            "name = 'a'\nkind = 'email'\nurl = 'smtps://mail.example.com'\nfrom = 'a@b.c'\nto = ['d@e.f']\nuser = 'u'\ntoken_env = 'PW'",
            "name = 'a'\nkind = 'slack'\nurl_env = 'HOOK'",
            "name = 'a'\nkind = 'telegram'\ntoken_env = 'BOT'\nchat = '-100'\nthread = 4",
            "name = 'a'\nkind = 'ntfy'\ntopic = 'oncall'",
            "name = 'a'\nkind = 'alertmanager'\nurl_file = '/run/url'",
            "name = 'a'\nkind = 'http'\nurl = 'http://127.0.0.1:1'\nbody = '{}'\nheaders = {A = 'b'}\nheaders_env = {C = 'D'}",
        ] {
            assert_eq!(refused(good), "", "{good}");
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_named_with_what_to_write() {
        for (bad, words) in [
            (
                "name = 'a'\nkind = 'pagerduty'",
                "expected token_env or token_file for the receiver \"a\" of kind pagerduty",
            ),
            (
                "name = 'a'\nkind = 'pagerduty'\ntoken_env = 'A'\ntopic = 'b'",
                "takes no key topic: it takes token_env, token_file, url",
            ),
            ("name = 'a'\nkind = 'slack'\nurl = 'http://x'\nurl_env = 'A'", "got url and url_env"),
            ("name = 'a'\nkind = 'slack'\nurl = 'ftp://x'", "expected an http or https address"),
            ("name = 'a'\nkind = 'telegram'\ntoken_env = 'A'", "expected chat"),
            ("name = 'a'\nkind = 'email'\nurl = 'smtp://x'\nfrom = 'a@b.c'", "expected to for"),
            (
                "name = 'a'\nkind = 'email'\nurl = 'smtp://x'\nfrom = 'a@b.c'\nto = ['d@e.f']\ntls = 'maybe'",
                "tls = \"none\"",
            ),
            ("name = 'a'\nkind = 'pager'\nurl = 'http://x'", "unknown variant"),
            ("name = 'a'\nurl = 'http://x'\ntoken = 'abc'", "unknown field"),
            ("url = 'http://x'", "expected a name"),
            ("name = 'a'", "expected url or url_env or url_file"),
            ("name = 'a'\nurl = 'http://x'\npages_max = 0", "above 0"),
        ] {
            let said = refused(bad);
            assert!(said.contains(words), "{bad}: {said}");
        }
    }

    /// The documents' examples are what the start takes.
    #[test]
    fn every_example_of_the_documents_is_taken() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/paging.md")).unwrap();
        let examples: Vec<&str> =
            text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
        let mut kinds = BTreeSet::new();
        for example in examples.into_iter().filter(|example| example.contains("[[receivers]]")) {
            assert_eq!(refused(example.trim_start_matches("[[receivers]]\n")), "", "{example}");
            kinds.extend(example.lines().filter_map(|line| line.strip_prefix("kind = ")).map(str::to_owned));
        }
        assert_eq!(kinds.len(), 11, "{kinds:?}");
    }
}
