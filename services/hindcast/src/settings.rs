//! Settings: flag over environment over `hindcast.toml` over default. The one place that knows where a
//! setting comes from; everyone else is handed values. Secrets are named by reference and never shown.

pub mod advising;
pub mod chat;
mod file;
mod receivers;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Parser};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::oncall::OnCallRules;

pub use file::{HealthSettings, HeartbeatSettings, LedgerChoice, StateSettings, parse_catalog, read_catalog};
use file::{check_paging, checked, paging, read_file};
pub use receivers::{Receiver, Understands};
use receivers::{check_receivers, receivers};
pub use values::{environment, without_credentials};

/// Where a server listens unless it is told otherwise.
pub const LISTEN: &str = "127.0.0.1:7171";
/// Where OpenTelemetry's senders look for a collector, unless it is told otherwise.
const OTLP_LISTEN: &str = "127.0.0.1:4317";
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

    /// A further address for OpenTelemetry alone, over gRPC and HTTP; without a value, port 4317 of this machine.
    #[arg(long, value_name = "HOST:PORT", env = "HINDCAST_OTLP_LISTEN", num_args = 0..=1, default_missing_value = OTLP_LISTEN)]
    pub otlp_listen: Option<SocketAddr>,

    /// The address for syslog over TCP and UDP.
    #[arg(long, value_name = "HOST:PORT", env = "HINDCAST_SYSLOG_LISTEN")]
    pub syslog_listen: Option<SocketAddr>,

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

/// Settings, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address and port of the HTTP server.
    pub listen: SocketAddr,
    /// A further address for OpenTelemetry alone.
    pub otlp_listen: Option<SocketAddr>,
    /// Syslog, where it is taken.
    pub syslog: hindcast_gateway::SyslogOptions,
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
    /// When a service counts as behind.
    pub health: HealthSettings,
    /// What stays in memory.
    pub state: StateSettings,
    /// The dead man's switch outside.
    pub heartbeat: HeartbeatSettings,
    /// Who is notified of what.
    pub paging: hindcast_pager::PagingRules,
    /// Where each receiver is.
    pub receivers: Vec<Receiver>,
    /// Who is on call; calendars are read at the start.
    pub oncall: OnCallRules,
    /// Who sends.
    pub sources: Vec<hindcast_gateway::SourceConfig>,
    /// What advises.
    pub advising: advising::AdvisingSettings,
    /// Slack and Teams.
    pub chat: chat::ChatSettings,
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
        let ledger = LedgerChoice::read(flags.ledger.as_ref().or(file.ledger.as_ref()))?;
        let listen = match flags.listen.or(file.listen) {
            Some(listen) => listen,
            None => LISTEN.parse().context("the default listen address")?,
        };
        let catalog = flags.catalog.clone().or(file.catalog).map(|path| read_catalog(&path)).transpose()?;
        let receivers = receivers(file.receivers, flags.notify.as_ref(), file.teams.workflow_url_env.as_ref());
        check_receivers(&receivers)?;
        check_paging(&file.paging)?;
        let oncall = OnCallRules { schedules: file.oncall };
        oncall.check().context("a schedule of [[oncall]]")?;
        let paging = paging(file.paging, &receivers);
        paging.check_escalations(&oncall).map_err(anyhow::Error::msg).context("[[paging.escalations]]")?;
        for source in &file.sources {
            hindcast_gateway::source::check(source).context("a source")?;
        }
        let syslog =
            hindcast_gateway::SyslogOptions { listen: flags.syslog_listen.or(file.syslog.listen), ..file.syslog };
        syslog.check()?;
        hindcast_gateway::source::check_replicas(&file.sources).context("a source")?;
        let correlation = checked(file.correlation.unwrap_or_default())?;
        let advising = advising::AdvisingSettings {
            telemetry: file.telemetry,
            memory: file.memory,
            copilot: file.copilot,
            runbooks: file.runbooks,
        };
        Ok(Self {
            advising: advising.resolve(&flags.advising)?,
            chat: chat::ChatSettings { slack: file.slack, teams: file.teams, rules: file.chat }.check()?,
            listen,
            otlp_listen: flags.otlp_listen.or(file.otlp_listen),
            syslog,
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
            paging,
            health: file.health,
            state: file.state,
            heartbeat: file.heartbeat,
            receivers,
            oncall,
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
            "otlp_listen": self.otlp_listen,
            "syslog": self.syslog,
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
            "oncall": self.oncall.schedules,
            "health": self.health,
            "state": self.state,
            "heartbeat": { "every_s": self.heartbeat.every_s, "url_env": self.heartbeat.url_env,
                "url": self.heartbeat.url.as_deref().map(without_credentials) },
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

#[cfg(test)]
mod tests;
