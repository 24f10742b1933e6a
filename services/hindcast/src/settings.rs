//! Settings: flag over environment over `hindcast.toml` over default. The one place that knows where a
//! setting comes from; everyone else is handed values. Secrets are named by reference and never shown.

pub mod advising;
pub mod chat;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Parser};
use hindcast_domain::Severity;
use hindcast_domain::catalog::Catalog;
use serde::{Deserialize, Serialize};

/// Where a server listens unless it is told otherwise.
pub const LISTEN: &str = "127.0.0.1:7171";
/// Where data lie unless it is told otherwise.
pub const DATA: &str = "./hindcast-data";
/// The settings file that is read without being named, where there is one.
const FILE: &str = "hindcast.toml";

/// The flags that `up` and `serve` share.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// The address and port of the HTTP server [default: 127.0.0.1:7171].
    #[arg(long, value_name = "HOST:PORT", env = "HINDCAST_LISTEN")]
    pub listen: Option<SocketAddr>,

    /// The ledger: embedded, nats (starts a local nats-server) or nats://HOST:PORT [default: embedded].
    #[arg(long, value_name = "LEDGER", env = "HINDCAST_LEDGER")]
    pub ledger: Option<String>,

    /// The settings file.
    #[arg(skip)]
    pub config: Option<PathBuf>,

    /// The service catalogue, in YAML or JSON.
    #[arg(long, value_name = "FILE", env = "HINDCAST_CATALOG")]
    pub catalog: Option<PathBuf>,

    /// The address of this server in links [default: the listen address].
    #[arg(long, value_name = "URL", env = "HINDCAST_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// The URL of a webhook to notify; the settings file can name more.
    #[arg(long, value_name = "URL", env = "HINDCAST_NOTIFY")]
    pub notify: Option<String>,

    /// Accept a NATS server that may lose acknowledged events, or whose durability is unknown.
    #[arg(long, env = "HINDCAST_ACCEPT_LOSSY_LEDGER", value_parser = clap::builder::FalseyValueParser::new())]
    pub accept_lossy_ledger: bool,

    /// The monitoring address of the NATS server, to read its durability from.
    #[arg(long, value_name = "HOST:PORT", env = "HINDCAST_NATS_MONITOR")]
    pub nats_monitor: Option<String>,

    /// The name of this installation, shared by its processes [default: one per data folder].
    #[arg(long, value_name = "NAME", env = "HINDCAST_INSTALL")]
    pub install: Option<String>,

    /// Install nats-server with pip where `--ledger nats` finds none.
    #[arg(long, env = "HINDCAST_FETCH_NATS", value_parser = clap::builder::FalseyValueParser::new())]
    pub fetch_nats: bool,

    #[command(flatten)]
    pub advising: advising::AdvisingFlags,

    /// Answer senders before their alerts are durable: breaks the guarantee, for its test alone.
    #[arg(long, hide = true)]
    pub fail_point_acknowledge_early: bool,

    /// Ask no chat vendor what it took before sending again: breaks the guarantee, for its test alone.
    #[arg(long, hide = true)]
    pub fail_point_send_blindly: bool,
}

/// A line that has these flags alone.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    flags: Flags,
}

impl Flags {
    /// What stands in the environment, for a command that has none of these flags and must mean the same.
    ///
    /// # Errors
    /// When a variable holds what its flag would refuse.
    pub fn of_environment(config: Option<&Path>) -> anyhow::Result<Self> {
        let alone = Alone::try_parse_from(["hindcast"]).map_err(|error| {
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default();
            anyhow::anyhow!("{}", first.trim_start_matches("error: ")).context("the environment")
        })?;
        Ok(Self { config: config.map(Path::to_path_buf), ..alone.flags })
    }
}

/// `hindcast.toml`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Address and port of the HTTP server.
    pub listen: Option<SocketAddr>,
    /// Where data lie.
    pub data: Option<PathBuf>,
    /// `embedded`, `nats`, or `nats://HOST:PORT`.
    pub ledger: Option<String>,
    /// The service catalogue's file.
    pub catalog: Option<PathBuf>,
    /// How people reach this server.
    pub public_url: Option<String>,
    /// Whether a ledger that may lose is accepted.
    pub accept_lossy_ledger: bool,
    /// The monitoring address of the NATS server.
    pub nats_monitor: Option<String>,
    /// The name of this installation.
    pub install: Option<String>,
    /// How alerts are grouped.
    pub correlation: Option<hindcast_correlator::CorrelationRules>,
    /// How long deliveries are tried, and the like.
    pub paging: Paging,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Who sends.
    pub sources: Vec<hindcast_gateway::SourceConfig>,
    /// How telemetry is kept.
    pub telemetry: advising::Telemetry,
    /// How the past is remembered.
    pub memory: advising::Memory,
    /// Whether and how a language model is asked.
    pub copilot: advising::Copilot,
    /// A folder of runbooks, beside those that are built in.
    pub runbooks: Option<PathBuf>,
    /// Which channels see what, and who may do what there.
    pub chat: hindcast_chatops::ChatRules,
    /// The table `[slack]`.
    pub slack: chat::Slack,
    /// The table `[teams]`.
    pub teams: chat::Teams,
}

/// How people are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paging {
    /// How long a delivery is tried before it is given up and requested anew, in seconds.
    pub give_up_after_s: i64,
    /// Whether people are told that an incident is over.
    pub tell_resolved: bool,
}

impl Default for Paging {
    fn default() -> Self {
        let rules = hindcast_pager::PagingRules::default();
        Self { give_up_after_s: rules.give_up_after_s, tell_resolved: rules.tell_resolved }
    }
}

/// What a receiver understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Understands {
    /// Our own message, as JSON, signed where a secret is set.
    #[default]
    Webhook,
    /// A card, as a workflow of Teams takes it.
    TeamsWorkflow,
}

/// Who is told: a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// The receiver's name, which notices show.
    pub name: String,
    /// What it understands.
    #[serde(default)]
    pub kind: Understands,
    /// The webhook's address; absent when `url_env` names a variable that holds it.
    #[serde(default)]
    pub url: Option<String>,
    /// The environment variable that holds its address, where the address is a secret.
    #[serde(default)]
    pub url_env: Option<String>,
    /// The environment variable that holds the secret that signs.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// Only incidents of this severity or worse.
    #[serde(default)]
    pub at_least: Option<Severity>,
    /// Whether it wants pages only.
    #[serde(default)]
    pub pages_only: bool,
    /// Pages that it takes within the window.
    #[serde(default)]
    pub pages_max: Option<u32>,
    /// That window, in seconds.
    #[serde(default)]
    pub window_s: Option<i64>,
}

/// The ledger that the settings choose: files in the data folder, or a NATS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChoice {
    /// Segment files under the data folder.
    Embedded,
    /// A local nats-server of ours, with its store under the data folder.
    LocalNats,
    /// A NATS server.
    Nats(String),
}

/// Settings, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address and port of the HTTP server.
    pub listen: SocketAddr,
    /// Where data lie.
    pub data: PathBuf,
    /// Files in the data folder, or a NATS server.
    pub ledger: LedgerChoice,
    /// The service catalogue, where one is configured.
    pub catalog: Option<Catalog>,
    /// How people reach this server.
    pub public_url: String,
    /// Whether a ledger that may lose is accepted.
    pub accept_lossy_ledger: bool,
    /// The monitoring address of the NATS server.
    pub nats_monitor: Option<String>,
    /// The name of this installation, where it is not the data folder's.
    pub install: Option<String>,
    /// Whether nats-server may be installed.
    pub fetch_nats: bool,
    /// How alerts are grouped; the defaults where absent.
    pub correlation: hindcast_correlator::CorrelationRules,
    /// Who is told how much.
    pub paging: hindcast_pager::PagingRules,
    /// Where each receiver is.
    pub receivers: Vec<Receiver>,
    /// Who sends.
    pub sources: Vec<hindcast_gateway::SourceConfig>,
    /// What advises.
    pub advising: advising::Advising,
    /// Slack and Teams.
    pub chat: chat::Chat,
    /// Breaks the guarantee, for its test alone.
    pub acknowledge_early: bool,
    /// Whether chat sends again without asking what was taken, for a test.
    pub send_blindly: bool,
}

impl Settings {
    /// Resolves flags (which hold the environment already) over the file over defaults.
    ///
    /// # Errors
    /// When the file, or what it names, cannot be read or makes no sense.
    pub fn resolve(flags: &Flags, data: Option<&Path>) -> anyhow::Result<Self> {
        let file = read_file(flags.config.as_deref())?;
        let ledger = flags.ledger.clone().or(file.ledger).unwrap_or_else(|| "embedded".to_owned());
        let ledger = match ledger.as_str() {
            "embedded" => LedgerChoice::Embedded,
            "nats" => LedgerChoice::LocalNats,
            url if url.starts_with("nats://") || url.starts_with("tls://") => LedgerChoice::Nats(url.to_owned()),
            other => {
                bail!("expected a ledger of embedded, nats or nats://HOST:PORT, got {other:?}")
            }
        };
        let listen = match flags.listen.or(file.listen) {
            Some(listen) => listen,
            None => LISTEN.parse().context("the default listen address")?,
        };
        let catalog = flags.catalog.clone().or(file.catalog).map(|path| read_catalog(&path)).transpose()?;
        let mut receivers = file.receivers;
        if let Some(url) = &flags.notify {
            receivers.push(Receiver {
                name: "webhook".to_owned(),
                kind: Understands::Webhook,
                url: Some(url.clone()),
                url_env: None,
                secret_env: None,
                at_least: None,
                pages_only: false,
                pages_max: None,
                window_s: None,
            });
        }
        if let Some(name) = &file.teams.workflow_url_env {
            receivers.push(Receiver {
                name: "teams-workflow".to_owned(),
                kind: Understands::TeamsWorkflow,
                url: None,
                url_env: Some(name.clone()),
                secret_env: None,
                at_least: None,
                pages_only: false,
                pages_max: None,
                window_s: None,
            });
        }
        check_receivers(&receivers)?;
        for source in &file.sources {
            hindcast_gateway::source::check(source).context("a source")?;
        }
        let correlation = file.correlation.unwrap_or_default();
        correlation.check().map_err(|wrong| anyhow::anyhow!("{wrong}")).context("[correlation]")?;
        if correlation.weights.version != 1 {
            let got = correlation.weights.version;
            bail!(
                "expected [correlation.weights] of version 1, got {got}: 1 is the default weights, later versions are trained"
            );
        }
        let advising = advising::Advising {
            telemetry: file.telemetry,
            memory: file.memory,
            copilot: file.copilot,
            runbooks: file.runbooks,
        };
        Ok(Self {
            advising: advising.resolve(&flags.advising)?,
            chat: chat::Chat { slack: file.slack, teams: file.teams, rules: file.chat }.check()?,
            listen,
            data: data
                .map(Path::to_path_buf)
                .or_else(|| environment("HINDCAST_DATA").map(PathBuf::from))
                .or(file.data)
                .unwrap_or_else(|| DATA.into()),
            ledger,
            catalog,
            public_url: flags.public_url.clone().or(file.public_url).unwrap_or_else(|| format!("http://{listen}")),
            accept_lossy_ledger: flags.accept_lossy_ledger || file.accept_lossy_ledger,
            nats_monitor: flags.nats_monitor.clone().or(file.nats_monitor),
            install: flags.install.clone().or(file.install),
            fetch_nats: flags.fetch_nats,
            correlation,
            paging: paging(&file.paging, &receivers),
            receivers,
            sources: file.sources,
            acknowledge_early: flags.fail_point_acknowledge_early,
            send_blindly: flags.fail_point_send_blindly,
        })
    }

    /// Settings as people may see them: secrets are references by nature.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        serde_json::json!({
            "listen": self.listen,
            "data": self.data,
            "ledger": match &self.ledger {
                LedgerChoice::Embedded => "embedded".to_owned(),
                LedgerChoice::LocalNats => "nats".to_owned(),
                LedgerChoice::Nats(url) => without_credentials(url),
            },
            "public_url": without_credentials(&self.public_url),
            "install": self.install,
            "nats_monitor": self.nats_monitor.as_deref().map(without_credentials),
            "accept_lossy_ledger": self.accept_lossy_ledger,
            "correlation": self.correlation,
            "paging": self.paging,
            "receivers": self.receivers.iter().map(|receiver| &receiver.name).collect::<Vec<_>>(),
            "sources": self.sources,
            "advising": self.advising.shown(),
            "chat": self.chat.rules,
            "slack": self.chat.slack,
            "teams": self.chat.teams,
            "catalog_services": self.catalog.as_ref().map(|catalog| catalog.services.len()),
        })
    }
}

/// An address as people may see it: what stands before an `@` may be a password.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => url.to_owned(),
    }
}

fn read_file(path: Option<&Path>) -> anyhow::Result<File> {
    let path = match path {
        Some(path) => path,
        None if Path::new(FILE).exists() => Path::new(FILE),
        None => return Ok(File::default()),
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("the settings file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the settings file {}", path.display()))
}

/// Reads a service catalogue, in YAML or JSON, and checks it.
///
/// # Errors
/// When it cannot be read or makes no sense.
pub fn read_catalog(path: &Path) -> anyhow::Result<Catalog> {
    let text = std::fs::read_to_string(path).with_context(|| format!("the catalogue {}", path.display()))?;
    parse_catalog(&text).with_context(|| format!("the catalogue {}", path.display()))
}

/// Reads a service catalogue from its text.
///
/// # Errors
/// When it cannot be read or makes no sense.
pub fn parse_catalog(text: &str) -> anyhow::Result<Catalog> {
    let catalog: Catalog = hindcast_domain::yaml::read(text)?;
    catalog.check()?;
    Ok(catalog)
}

fn check_receivers(receivers: &[Receiver]) -> anyhow::Result<()> {
    let mut names = std::collections::BTreeSet::new();
    for receiver in receivers {
        if !names.insert(&receiver.name) {
            bail!("expected each receiver's name once, got {:?} twice", receiver.name);
        }
        let is_web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = receiver.url.as_ref().filter(|url| !is_web(url)) {
            bail!("expected an http or https address for the receiver {:?}, got {url:?}", receiver.name);
        }
        if receiver.pages_max == Some(0) || receiver.window_s.is_some_and(|window| window <= 0) {
            bail!("expected pages_max and window_s above 0 for the receiver {:?}", receiver.name);
        }
        if receiver.url.is_some() == receiver.url_env.is_some() {
            bail!("expected either url or url_env for the receiver {:?}", receiver.name);
        }
    }
    Ok(())
}

fn paging(paging: &Paging, receivers: &[Receiver]) -> hindcast_pager::PagingRules {
    let of = |receiver: &Receiver| {
        let name = serde_json::json!({"name": receiver.name, "pages_only": receiver.pages_only});
        let defaults: Option<hindcast_pager::ReceiverRules> = serde_json::from_value(name).ok();
        defaults.map(|defaults| hindcast_pager::ReceiverRules {
            at_least: receiver.at_least.unwrap_or(defaults.at_least),
            pages_max: receiver.pages_max.unwrap_or(defaults.pages_max),
            window_s: receiver.window_s.unwrap_or(defaults.window_s),
            ..defaults
        })
    };
    hindcast_pager::PagingRules {
        receivers: receivers.iter().filter_map(of).collect(),
        give_up_after_s: paging.give_up_after_s,
        tell_resolved: paging.tell_resolved,
    }
}

/// A value of the environment, for references to secrets.
#[allow(clippy::disallowed_methods)] // settings are the door to the environment
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_asked_with_the_settings_that_a_server_would_run_with() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("elsewhere.toml");
        std::fs::write(&file, "[memory]\nmodel_dir = \"/models/mine\"\nqdrant_url = \"http://127.0.0.1:6334\"\n")?;
        let settings = Settings::resolve(&Flags::of_environment(Some(&file))?, Some(folder.path()))?;
        assert_eq!(settings.advising.memory.model_dir.as_deref(), Some(Path::new("/models/mine")));
        assert_eq!(settings.advising.memory.qdrant_url.as_deref(), Some("http://127.0.0.1:6334"));
        assert_eq!(settings.data, folder.path());
        let missing = folder.path().join("missing.toml");
        let refused = Settings::resolve(&Flags::of_environment(Some(&missing))?, None).err();
        assert!(refused.is_some_and(|error| format!("{error:#}").contains("missing.toml")));
        Ok(())
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(without_credentials("nats://user:hunter2@broker:4222"), "nats://broker:4222");
        assert_eq!(without_credentials("http://127.0.0.1:7171"), "http://127.0.0.1:7171");
    }
}
