//! The receivers of notifications, opened from the settings. Owns which adapter stands behind which kind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hindcast_chat_teams::Workflow;
use hindcast_domain::Secret;
use hindcast_messaging::notify::Notifier;
use hindcast_notify_email::{Email, EmailOptions};
use hindcast_notify_http::{
    AlertmanagerWebhook, DiscordWebhook, HttpTemplate, HttpTemplateOptions, MattermostWebhook, Ntfy, NtfyOptions,
    Opsgenie, PagerDuty, SlackWebhook, Telegram, TelegramOptions, Webhook,
};

use crate::settings::{Receiver, Settings, Understands, environment};

/// How long one attempt to start a workflow may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that a file with a secret may hold, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// One notifier for each receiver of the settings, by its name.
///
/// # Errors
/// When an address or a secret is not there, or an address cannot be used.
pub fn notifiers(settings: &Settings) -> anyhow::Result<BTreeMap<String, Arc<dyn Notifier>>> {
    let open = |receiver: &Receiver| {
        let notifier = notifier(receiver).with_context(|| format!("the receiver {:?}", receiver.name))?;
        Ok((receiver.name.clone(), notifier))
    };
    settings.receivers.iter().map(open).collect()
}

fn notifier(receiver: &Receiver) -> anyhow::Result<Arc<dyn Notifier>> {
    let plain = receiver.url.clone().map(Secret::from);
    let url = match plain {
        None => secret(receiver.url_env.as_ref(), receiver.url_file.as_deref())?,
        written => written,
    };
    let token = || secret(receiver.token_env.as_ref(), receiver.token_file.as_deref());
    let needed = |what: Option<Secret>, key| what.with_context(|| format!("expected {key}"));
    let address = || needed(url.clone(), "url, url_env or url_file");
    let other = url.as_ref().map(Secret::expose);
    Ok(match receiver.kind {
        Understands::Webhook => {
            let signs = secret(receiver.secret_env.as_ref(), receiver.secret_file.as_deref())?;
            Arc::new(Webhook::new(&address()?, signs)?)
        }
        Understands::TeamsWorkflow => Arc::new(Workflow::new(&address()?, TIMEOUT, true)?),
        Understands::Email => Arc::new(Email::new(EmailOptions {
            url: address()?.expose().to_owned(),
            in_clear: receiver.tls.is_some(),
            user: receiver.user.clone(),
            password: token()?,
            from: receiver.from.clone().unwrap_or_default(),
            to: receiver.to.clone(),
        })?),
        Understands::PagerDuty => Arc::new(PagerDuty::new(needed(token()?, "token_env or token_file")?, other)?),
        Understands::Opsgenie => Arc::new(Opsgenie::new(needed(token()?, "token_env or token_file")?, other)?),
        Understands::Alertmanager => Arc::new(AlertmanagerWebhook::new(&address()?, token()?, &receiver.name)?),
        Understands::Slack => Arc::new(SlackWebhook::new(&address()?)?),
        Understands::Discord => Arc::new(DiscordWebhook::new(&address()?)?),
        Understands::Mattermost => Arc::new(MattermostWebhook::new(&address()?)?),
        Understands::Telegram => Arc::new(Telegram::new(TelegramOptions {
            token: needed(token()?, "token_env or token_file")?,
            chat: receiver.chat.clone().unwrap_or_default(),
            thread: receiver.thread,
            url: other.map(str::to_owned),
        })?),
        Understands::Ntfy => Arc::new(Ntfy::new(NtfyOptions {
            topic: receiver.topic.clone().unwrap_or_default().into(),
            token: token()?,
            url: other.map(str::to_owned),
        })?),
        Understands::Http => Arc::new(HttpTemplate::new(HttpTemplateOptions {
            url: address()?,
            method: receiver.method.clone().unwrap_or_else(|| "POST".to_owned()),
            headers: receiver.headers.clone(),
            secret_headers: secret_headers(receiver)?,
            body: receiver.body.clone().unwrap_or_default(),
        })?),
    })
}

fn secret_headers(receiver: &Receiver) -> anyhow::Result<BTreeMap<String, Secret>> {
    let of_environment = receiver.headers_env.iter().map(|(name, variable)| (name, Some(variable), None));
    let of_files = receiver.headers_file.iter().map(|(name, path)| (name, None, Some(path.as_path())));
    let mut headers = BTreeMap::new();
    for (name, variable, path) in of_environment.chain(of_files) {
        headers.extend(secret(variable, path)?.map(|value| (name.clone(), value)));
    }
    Ok(headers)
}

/// A secret by the variable or the file that holds it; `None` where neither is named.
fn secret(variable: Option<&String>, path: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    if let Some(name) = variable {
        let value = environment(name).with_context(|| {
            format!("the environment variable {name} is not set or empty: set it for the process of Hindcast")
        })?;
        return Ok(Some(value.into()));
    }
    path.map(read).transpose()
}

fn read(path: &Path) -> anyhow::Result<Secret> {
    let name = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("the file {name}"))?.len();
    anyhow::ensure!(size <= SECRET_BYTES_MAX, "expected a file of one secret, got {size} bytes in {name}");
    let text = std::fs::read_to_string(path).with_context(|| format!("the file {name}"))?;
    let value = text.trim();
    anyhow::ensure!(!value.is_empty(), "expected a secret in the file {name}, it is empty");
    Ok(value.into())
}
