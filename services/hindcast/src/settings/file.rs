//! The configuration file: its sections as they are written, and how they are read and checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use hindcast_domain::catalog::Catalog;
use serde::{Deserialize, Serialize};

use super::receivers::Receiver;
use super::{FILE, advising, chat};

/// `hindcast.toml`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Address and port of the HTTP server.
    pub listen: Option<SocketAddr>,
    /// A further address for OpenTelemetry alone.
    pub otlp_listen: Option<SocketAddr>,
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
    /// How long deliveries are tried, and the like; its receivers are the tables `[[receivers]]`.
    pub paging: hindcast_pager::PagingRules,
    /// When a service counts as behind.
    pub health: HealthSettings,
    /// The dead man's switch outside that is told while alerts are decided.
    pub heartbeat: HeartbeatSettings,
    /// What stays in memory.
    pub state: StateSettings,
    /// Who is notified.
    pub receivers: Vec<Receiver>,
    /// Who is on call.
    pub oncall: Vec<hindcast_domain::oncall::OnCallSchedule>,
    /// Who sends.
    pub sources: Vec<hindcast_gateway::SourceConfig>,
    /// Syslog over TCP and UDP.
    pub syslog: hindcast_gateway::SyslogOptions,
    /// How telemetry is kept.
    pub telemetry: advising::TelemetrySettings,
    /// How the past is remembered.
    pub memory: crate::vector_stores::MemorySettings,
    /// Whether and how a language model is asked.
    pub copilot: advising::CopilotSettings,
    /// A folder of runbooks, beside those that are built in.
    pub runbooks: Option<PathBuf>,
    /// Which channels see what, and who may do what there.
    pub chat: hindcast_chatops::ChatRules,
    /// The table `[slack]`.
    pub slack: chat::SlackSettings,
    /// The table `[teams]`.
    pub teams: chat::TeamsSettings,
}

/// When a service counts as behind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSettings {
    /// Age in seconds of the oldest commit that a service has not processed, from which on `/readyz` and `doctor` name it.
    pub lag_s: u32,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { lag_s: 10 }
    }
}

impl HealthSettings {
    /// The same as a duration.
    #[must_use]
    pub const fn lag(self) -> Duration {
        Duration::from_secs(self.lag_s as u64)
    }
}

/// What stays in memory.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateSettings {
    /// How long something was over, in seconds, before it leaves memory; 0 for never.
    pub over_kept_s: u32,
}

impl Default for StateSettings {
    fn default() -> Self {
        Self { over_kept_s: 3_600 }
    }
}

impl StateSettings {
    /// The same as a span; `None` for never.
    #[must_use]
    pub fn over_kept(self) -> Option<hindcast_domain::Span> {
        (self.over_kept_s > 0).then(|| hindcast_domain::Span::seconds(i64::from(self.over_kept_s)))
    }
}

/// The dead man's switch outside that is told while alerts are decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeartbeatSettings {
    /// The address that is asked with GET; none where absent.
    pub url: Option<String>,
    /// The environment variable that holds the address, where the address is a secret.
    pub url_env: Option<String>,
    /// The pause between two requests, in seconds; at least 1.
    pub every_s: u32,
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        Self { url: None, url_env: None, every_s: 60 }
    }
}

impl HeartbeatSettings {
    /// The pause between two requests.
    #[must_use]
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_s.max(1).into())
    }
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

pub(super) fn read_file(path: Option<&Path>) -> anyhow::Result<File> {
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

impl LedgerChoice {
    /// The ledger that is named; the embedded one where none is.
    ///
    /// # Errors
    /// When the name is neither a kind of ledger nor an address of NATS.
    pub(super) fn read(named: Option<&String>) -> anyhow::Result<Self> {
        match named.map_or("embedded", String::as_str) {
            "embedded" => Ok(Self::Embedded),
            "nats" => Ok(Self::LocalNats),
            url if url.starts_with("nats://") || url.starts_with("tls://") => Ok(Self::Nats(url.to_owned())),
            other => bail!("expected a ledger of embedded, nats or nats://HOST:PORT, got {other:?}"),
        }
    }
}

/// Correlation within its bounds, with weights of version 1: those that a person sets.
pub(super) fn checked(
    correlation: hindcast_correlator::CorrelationRules,
) -> anyhow::Result<hindcast_correlator::CorrelationRules> {
    correlation.check().map_err(|wrong| anyhow::anyhow!("{wrong}")).context("[correlation]")?;
    if correlation.weights.version != 1 {
        let got = correlation.weights.version;
        bail!(
            "expected [correlation.weights] of version 1, got {got}: 1 is the default weights, later versions are trained"
        );
    }
    Ok(correlation)
}

/// Times of paging that make sense, and no receivers among them.
///
/// # Errors
/// The first one that does not, by name.
pub(super) fn check_paging(paging: &hindcast_pager::PagingRules) -> anyhow::Result<()> {
    if !paging.receivers.is_empty() {
        bail!("expected no receivers in [paging], got {}: each is a table [[receivers]]", paging.receivers.len());
    }
    let times = [
        ("first_after_s", paging.first_after_s),
        ("settle_s", paging.settle_s),
        ("more_within_s", paging.more_within_s),
        ("kind_quiet_s", paging.kind_quiet_s),
        ("return_quiet_s", paging.return_quiet_s),
        ("return_page_after_s", paging.return_page_after_s),
        ("remind_after_s", paging.remind_after_s),
        ("warn_before_silence_end_s", paging.warn_before_silence_end_s),
    ];
    if let Some((name, seconds)) = times.into_iter().find(|(_, seconds)| *seconds < 0) {
        bail!("expected {name} of 0 or more seconds in [paging], got {seconds}");
    }
    Ok(())
}

/// The rules of the file with the receivers of the file.
pub(super) fn paging(paging: hindcast_pager::PagingRules, receivers: &[Receiver]) -> hindcast_pager::PagingRules {
    let of = |receiver: &Receiver| {
        let name = serde_json::json!({"name": receiver.name, "pages_only": receiver.pages_only});
        let defaults: Option<hindcast_pager::ReceiverRules> = serde_json::from_value(name).ok();
        defaults.map(|defaults| hindcast_pager::ReceiverRules {
            quiet: receiver.quiet.clone(),
            at_least: receiver.at_least.unwrap_or(defaults.at_least),
            pages_max: receiver.pages_max.unwrap_or(defaults.pages_max),
            window_s: receiver.window_s.unwrap_or(defaults.window_s),
            ..defaults
        })
    };
    hindcast_pager::PagingRules { receivers: receivers.iter().filter_map(of).collect(), ..paging }
}
