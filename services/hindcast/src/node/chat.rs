//! Chat, wired: which vendors are set up, and with which secrets. Owns which adapter stands behind which door;
//! decides nothing.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use hindcast_chat_slack::{self as slack, Slack};
use hindcast_chat_teams::{self as teams, AuthorityOptions, BotAuthority, Teams};
use hindcast_chatops::{ChatEndpoints, Deliverer, FailPoint, Handle, Options, SlackDoors, TeamsDoors};
use hindcast_clock as clock;
use hindcast_domain::Secret;
use hindcast_messaging::chat as port;

use super::common::{Common, Tasks};
use super::{Advising, Role};
use crate::settings::chat::{self as settings, secret};

/// Chat, running or not.
pub struct ChatParts {
    /// The doors, set up or not.
    pub router: Router,
    /// How chat is.
    pub status: Handle,
}

/// Whether anything of chat is set up.
pub fn is_set_up(settings: &settings::ChatSettings) -> bool {
    let (slack, teams) = (&settings.slack, &settings.teams);
    slack.bot_token_env.is_some() || teams.app_id.is_some() || teams.outgoing_secret_env.is_some()
}

/// Starts what is set up.
///
/// # Errors
/// When a secret is named and not there, or a setting cannot be worked with.
pub fn start(
    common: &Common,
    queries: &hindcast_queries::Shared,
    advising: &Advising,
    tasks: &mut Tasks,
) -> anyhow::Result<ChatParts> {
    let settings = &common.settings.chat;
    let runs = common.runs(Role::Chat);
    let mut options = options(common, queries, advising);
    let mut socket = None;
    if runs {
        socket = slack_of(&settings.slack, &mut options).context("[slack]")?;
        teams_of(&settings.teams, &mut options).context("[teams]")?;
    }
    let door = ChatEndpoints::new(options.clone());
    let status = options.handle.clone();
    if runs && is_set_up(settings) {
        status.is_set_up();
        let run = hindcast_chatops::run_lane(common.lane(), tasks.stop());
        tasks.spawn(hindcast_domain::lane::names::CHAT, async move { Ok(run.await?) });
        let run = Deliverer::new(options).run(tasks.stop());
        tasks.spawn("chat", async move { Ok(run.await?) });
        if let Some(socket) = socket {
            let (inbox, stop) = (Arc::new(door.clone()), tasks.stop());
            tasks.spawn("slack", async move {
                socket.run(inbox, stop).await;
                Ok(())
            });
        }
    }
    Ok(ChatParts { router: hindcast_chatops::router(door), status })
}

/// What chat needs, without vendors and secrets.
fn options(common: &Common, queries: &hindcast_queries::Shared, advising: &Advising) -> Options {
    Options {
        ledger: Arc::clone(&common.ledger),
        writer: common.writer.facts(),
        commands: common.writer.commands(),
        clock: Arc::clone(&common.clock),
        install: common.install.clone(),
        holder: common.owner.clone(),
        queries: Arc::clone(queries).into(),
        advice: Arc::clone(&advising.advice),
        copilot: Arc::clone(&advising.copilot),
        vendors: Vec::new(),
        slack: None,
        teams: TeamsDoors::default(),
        public_url: common.settings.public_url.clone(),
        metrics: common.metrics.clone(),
        handle: Handle::default(),
        replies: hindcast_chatops::ReplyAddresses::default(),
        taken: hindcast_chatops::TakenDeliveries::default(),
        fail: if common.settings.send_blindly { FailPoint::SkipFind } else { FailPoint::None },
    }
}

fn slack_of(settings: &settings::SlackSettings, options: &mut Options) -> anyhow::Result<Option<slack::Socket>> {
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

fn teams_of(settings: &settings::TeamsSettings, options: &mut Options) -> anyhow::Result<()> {
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
    let unix: teams::UnixClock = {
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
