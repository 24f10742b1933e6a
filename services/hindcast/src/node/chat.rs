//! Chat, wired: which vendors are set up, and with which secrets. Owns which adapter stands behind which door;
//! decides nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use axum::Router;
use hindcast_chat_slack::{self as slack, Slack};
use hindcast_chat_teams::{self as teams, AuthorityOptions, BotAuthority, Teams};
use hindcast_chatops::{Deliverer, Door, Handle, Options, Secret, SlackDoors, TeamsDoors};
use hindcast_clock as clock;
use hindcast_eventlog::lane;
use hindcast_messaging::chat as port;
use hindcast_messaging::notify::{Error as NotifyError, Message, Notifier};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::spawn;
use crate::settings::chat::{self as settings, secret};

/// What is needed of the rest of the node.
pub struct Parts<'a> {
    /// Settings of chat.
    pub settings: &'a settings::Chat,
    /// What the lane needs.
    pub lane: lane::Options,
    /// What the rest needs, without vendors and secrets.
    pub options: Options,
}

/// Chat, running or not.
pub struct Chat {
    /// The doors, set up or not.
    pub router: Router,
    /// How chat is.
    pub status: Handle,
}

/// Whether anything of chat is set up.
pub fn is_set_up(settings: &settings::Chat) -> bool {
    let (slack, teams) = (&settings.slack, &settings.teams);
    slack.bot_token_env.is_some() || teams.app_id.is_some() || teams.outgoing_secret_env.is_some()
}

/// Starts what is set up.
///
/// # Errors
/// When a secret is named and not there, or a setting cannot be worked with.
pub fn start(
    parts: Parts<'_>,
    runs: bool,
    tasks: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<Chat> {
    let Parts { settings, lane, mut options } = parts;
    let mut socket = None;
    if runs {
        socket = slack_of(&settings.slack, &mut options).context("[slack]")?;
        teams_of(&settings.teams, &mut options).context("[teams]")?;
    }
    let door = Door::new(options.clone());
    let status = options.handle.clone();
    if runs && is_set_up(settings) {
        status.is_set_up();
        let run = hindcast_chatops::run_lane(lane, stop.clone());
        spawn(tasks, hindcast_domain::lane::names::CHAT, async move { Ok(run.await?) });
        let run = Deliverer::new(options).run(stop.clone());
        spawn(tasks, "chat", async move { Ok(run.await?) });
        if let Some(socket) = socket {
            let (inbox, stop) = (Arc::new(door.clone()), stop.clone());
            spawn(tasks, "slack", async move {
                socket.run(inbox, stop).await;
                Ok(())
            });
        }
    }
    Ok(Chat { router: hindcast_chatops::router(door), status })
}

fn slack_of(settings: &settings::Slack, options: &mut Options) -> anyhow::Result<Option<slack::Socket>> {
    let Some(token) = secret(settings.bot_token_env.as_ref())? else { return Ok(None) };
    let vendor = Slack::open(slack::Options::new(&settings.api_url, token))?;
    options.vendors.push(Arc::new(vendor) as port::Shared);
    let signing = secret(settings.signing_secret_env.as_ref())?;
    options.slack = signing.map(|secrets| SlackDoors {
        signing_secrets: secrets.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Secret::new).collect(),
    });
    let app = secret(settings.app_token_env.as_ref())?;
    app.map(|token| slack::Socket::open(&settings.api_url, token)).transpose().map_err(Into::into)
}

fn teams_of(settings: &settings::Teams, options: &mut Options) -> anyhow::Result<()> {
    if let Some(token) = secret(settings.outgoing_secret_env.as_ref())? {
        options.teams.outgoing_secret = Some(Secret::new(token));
    }
    let (Some(app_id), Some(password)) = (&settings.app_id, secret(settings.app_password_env.as_ref())?) else {
        return Ok(());
    };
    if let Some(tenant) = settings.tenant.as_deref().filter(|tenant| !is_directory_id(tenant)) {
        anyhow::bail!(
            "expected tenant to be the directory's id, such as 8d6f1c1e-2f1a-4c55-9c7a-3b1f0a4c2e77, got {tenant:?}: \
             deliveries name their directory by it"
        );
    }
    let unix: teams::Clock = {
        let clock: clock::Shared = Arc::clone(&options.clock);
        Arc::new(move || clock.now().nanos() / 1_000_000_000)
    };
    let mut authority = AuthorityOptions::new(app_id, Arc::clone(&unix));
    if let Some(url) = &settings.metadata_url {
        authority.metadata_url.clone_from(url);
    }
    options.teams = TeamsDoors {
        authority: Some(Arc::new(BotAuthority::new(authority)?)),
        outgoing_secret: options.teams.outgoing_secret.take(),
        tenant: settings.tenant.clone(),
    };
    let vendor = Teams::open(teams::Options {
        tenant: settings.tenant.clone(),
        token_url: settings.token_url.clone(),
        service_url: settings.service_url.clone(),
        ..teams::Options::new(app_id, password.into(), unix)
    })?;
    options.vendors.push(Arc::new(vendor) as port::Shared);
    Ok(())
}

/// Whether a word is a directory's id, a GUID; its domain's name is none.
fn is_directory_id(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// A workflow of Teams as a receiver of notices: it is told with a card, and answers nothing.
pub struct Workflow(teams::Workflow);

impl Workflow {
    /// A workflow at an address, which is a secret.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn open(url: &str) -> anyhow::Result<Self> {
        Ok(Self(teams::Workflow::new(&url.into(), Duration::from_secs(10), true)?))
    }
}

#[async_trait]
impl Notifier for Workflow {
    async fn send(&self, message: &Message) -> Result<String, NotifyError> {
        let lines: Vec<&str> = message.lines.iter().map(String::as_str).collect();
        let card = hindcast_chat_cards::teams::render::notice(
            message.severity,
            &message.title,
            &lines,
            message.url.as_deref(),
        );
        match self.0.send(&card).await {
            Ok(()) => Ok("the workflow took it".to_owned()),
            Err(port::Error::Again { detail, .. }) => Err(NotifyError::Again(detail)),
            Err(port::Error::Gone(detail) | port::Error::Never(detail)) => Err(NotifyError::Never(detail)),
        }
    }
}
