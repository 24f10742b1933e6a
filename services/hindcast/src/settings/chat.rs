//! Settings of chat: Slack, Teams, which channels see what, and who may do what there. Secrets are named by
//! the environment variable that holds them, never held.

use anyhow::{Context, bail, ensure};
use hindcast_chatops::ChatRules;
use serde::{Deserialize, Serialize};

use super::values::environment;

/// Slack's own address.
const SLACK_API: &str = "https://slack.com/api";

/// Slack. Signed deliveries want the signing secret, socket mode the app token; one of the two will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlackSettings {
    /// The variable that holds the signing secret; several, with commas, while one is exchanged.
    pub signing_secret_env: Option<String>,
    /// The variable that holds the bot's token (`xoxb-…`).
    pub bot_token_env: Option<String>,
    /// The variable that holds the app's token (`xapp-…`): deliveries come over a connection that we open.
    pub app_token_env: Option<String>,
    /// Slack's API.
    pub api_url: String,
}

impl Default for SlackSettings {
    fn default() -> Self {
        Self { signing_secret_env: None, bot_token_env: None, app_token_env: None, api_url: SLACK_API.to_owned() }
    }
}

/// The table `[teams]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TeamsSettings {
    /// The bot's app id.
    pub app_id: Option<String>,
    /// The variable that holds its password.
    pub app_password_env: Option<String>,
    /// The directory of a bot that lives in one; any where absent.
    pub tenant: Option<String>,
    /// The variable that holds an outgoing webhook's security token.
    pub outgoing_secret_env: Option<String>,
    /// The variable that holds a workflow webhook's address, which is a secret.
    pub workflow_url_env: Option<String>,
    /// Where the vendor's keys are told.
    pub metadata_url: Option<String>,
    /// Where tokens are given.
    pub token_url: Option<String>,
    /// Where conversations are served that no delivery told of yet.
    pub service_url: Option<String>,
}

/// All of chat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatSettings {
    /// The table `[slack]`.
    pub slack: SlackSettings,
    /// The table `[teams]`.
    pub teams: TeamsSettings,
    /// Which channels see what, and who may do what.
    pub rules: ChatRules,
}

impl ChatSettings {
    /// Checks that what is set belongs together.
    ///
    /// # Errors
    /// What is missing, or makes no sense.
    pub fn check(self) -> anyhow::Result<Self> {
        self.rules.check().map_err(|wrong| anyhow::anyhow!("{wrong}")).context("[chat]")?;
        ensure!(is_web(&self.slack.api_url), "expected an http or https address in slack.api_url");
        let slack = &self.slack;
        if slack.bot_token_env.is_none() && (slack.signing_secret_env.is_some() || slack.app_token_env.is_some()) {
            bail!("expected slack.bot_token_env beside the other settings of [slack]: without it no card can be sent");
        }
        if slack.bot_token_env.is_some() && slack.signing_secret_env.is_none() && slack.app_token_env.is_none() {
            bail!("expected slack.signing_secret_env or slack.app_token_env: without one no button works");
        }
        let teams = &self.teams;
        if teams.app_id.is_some() != teams.app_password_env.is_some() {
            bail!("expected teams.app_id and teams.app_password_env together");
        }
        for (name, url) in [
            ("metadata_url", &teams.metadata_url),
            ("token_url", &teams.token_url),
            ("service_url", &teams.service_url),
        ] {
            ensure!(url.as_ref().is_none_or(|url| is_web(url)), "expected an http or https address in teams.{name}");
        }
        for channel in &self.rules.channels {
            let configured = match channel.vendor.as_str() {
                "slack" => slack.bot_token_env.is_some(),
                "teams" => teams.app_id.is_some(),
                _ => true,
            };
            if !configured {
                bail!("expected [{}] to be set up for the channel {:?} of [chat]", channel.vendor, channel.channel);
            }
        }
        Ok(self)
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// A secret by the name of its variable; `None` where none is named.
///
/// # Errors
/// The variable is named and empty.
pub fn secret(name: Option<&String>) -> anyhow::Result<Option<String>> {
    name.map(|name| environment(name).with_context(|| format!("the environment variable {name}"))).transpose()
}
