//! Owns what a recording can be told, as a struct for programs and as arguments for people.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::format::{RecordedChannel, Software};
use crate::logline::LogFormat;

/// What to record, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Prometheus, Alertmanager and the scenario send to.
    pub listen: SocketAddr,
    /// The folder of the recording; it must not exist yet, or be empty.
    pub out: PathBuf,
    /// The recording's short name.
    pub name: String,
    /// What is recorded, in plain words.
    pub title: String,
    /// The environment that the alerts are about.
    pub environment: String,
    /// What is running, with versions.
    pub software: Vec<Software>,
    /// Which of the two channels that carry the same alerts is played by default.
    pub play: RecordedChannel,
    /// The Prometheus to export metrics from, such as `http://127.0.0.1:9090`.
    pub prometheus: Option<String>,
    /// The metrics to export.
    pub metrics: Vec<MetricQuery>,
    /// The distance of the exported samples.
    pub step: Duration,
    /// Log files to follow.
    pub logs: Vec<LogSource>,
    /// The service catalogue, copied into the recording.
    pub catalog: Option<PathBuf>,
    /// Words to replace wherever they occur, such as the name of a host.
    pub replace: Vec<(String, String)>,
    /// A scenario to run; the recording ends when it does. It finds the recorder's address in `HINDCAST_RECORDER`.
    pub command: Vec<String>,
    /// The longest that the recording may last.
    pub duration: Option<Duration>,
}

/// A log file, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// The service that writes it.
    pub service: String,
    /// Where it is; it may appear later, and be rotated.
    pub path: PathBuf,
    /// How it is written.
    pub format: LogFormat,
}

/// A metric to export: an expression that gives one series for each service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// Its name in the recording.
    pub metric: String,
    /// What to ask Prometheus.
    pub query: String,
    /// The label that names the service.
    #[serde(default = "service_label")]
    pub service_label: String,
    /// The service of a series without that label.
    #[serde(default)]
    pub service: Option<String>,
}

fn service_label() -> String {
    "service".to_owned()
}

/// The arguments of `hindcast record`.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordArgs {
    /// Folder of the recording; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Short name of the recording [default: the folder's]
    #[arg(long)]
    name: Option<String>,
    /// What is recorded, in plain words
    #[arg(long, default_value = "a recording")]
    title: String,
    /// Environment that the alerts are about
    #[arg(long, default_value = "production")]
    environment: String,
    /// Where Prometheus (POST /api/v2/alerts), Alertmanager (/ingest/alertmanager) and changes are sent to
    #[arg(long = "record-listen", value_name = "HOST:PORT", default_value = "127.0.0.1:7272")]
    listen: SocketAddr,
    /// Prometheus to export metrics from, such as http://127.0.0.1:9090
    #[arg(long, value_name = "URL", requires = "metrics")]
    prometheus: Option<String>,
    /// JSON file of the metrics to export: [{"metric","query","service_label"?,"service"?}]
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Distance of the exported samples, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    step: u32,
    /// Log file to follow; formats: nginx-access, nginx-error, postgres, redis, json, plain
    #[arg(long = "log", value_name = "SERVICE=FILE[:FORMAT]", value_parser = log_source)]
    logs: Vec<LogSource>,
    /// Service catalogue to keep with the recording
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Program that runs here, with its version
    #[arg(long, value_name = "NAME=VERSION", value_parser = software)]
    software: Vec<Software>,
    /// Channel that is played by default: prometheus or alertmanager
    #[arg(long, default_value = "prometheus", value_parser = channel)]
    play: RecordedChannel,
    /// Word to replace wherever it occurs, such as a host's name
    #[arg(long, value_name = "FROM=TO", value_parser = pair)]
    replace: Vec<(String, String)>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Scenario to run; the recording ends with it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Why arguments are not options.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// The folder has no name to call the recording by.
    #[error("{} has no name of its own; give one with --name", .0.display())]
    Unnamed(PathBuf),
    /// The file of metrics could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of metrics is not what it should be.
    #[error("{} is not a list of metrics; expected [{{\"metric\",\"query\",\"service_label\"?,\"service\"?}}]", path.display())]
    Metrics {
        /// Which file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
}

impl TryFrom<RecordArgs> for Options {
    type Error = ArgsError;

    fn try_from(args: RecordArgs) -> Result<Self, ArgsError> {
        let folder_name = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = args.name.or(folder_name).ok_or_else(|| ArgsError::Unnamed(args.out.clone()))?;
        let metrics = args.metrics.map(read_metrics).transpose()?.unwrap_or_default();
        Ok(Self {
            listen: args.listen,
            out: args.out,
            name,
            title: args.title,
            environment: args.environment,
            software: args.software,
            play: args.play,
            prometheus: args.prometheus,
            metrics,
            step: Duration::from_secs(args.step.into()),
            logs: args.logs,
            catalog: args.catalog,
            replace: args.replace,
            command: args.command,
            duration: args.duration.map(Duration::from_secs),
        })
    }
}

fn read_metrics(path: PathBuf) -> Result<Vec<MetricQuery>, ArgsError> {
    let bytes = std::fs::read(&path).map_err(|source| ArgsError::Read { path: path.clone(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| ArgsError::Metrics { path, source })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or_else(|| format!("expected LEFT=RIGHT, got `{text}`"))?;
    if left.is_empty() {
        Err(format!("nothing stands before the = of `{text}`"))
    } else {
        Ok((left.to_owned(), right.to_owned()))
    }
}

fn software(text: &str) -> Result<Software, String> {
    pair(text).map(|(name, version)| Software { name, version })
}

fn channel(text: &str) -> Result<RecordedChannel, String> {
    let alerts = [RecordedChannel::Prometheus, RecordedChannel::Alertmanager];
    alerts
        .into_iter()
        .find(|channel| channel.name() == text)
        .ok_or_else(|| "expected prometheus or alertmanager".to_owned())
}

/// `SERVICE=FILE` or `SERVICE=FILE:FORMAT`; a colon that no format follows belongs to the file's name.
fn log_source(text: &str) -> Result<LogSource, String> {
    let (service, file) = pair(text)?;
    let (path, format) = match file.rsplit_once(':') {
        Some((path, format)) if !format.contains('/') => (path, format.parse()?),
        _ => (file.as_str(), LogFormat::Plain),
    };
    Ok(LogSource { service, path: path.into(), format })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: RecordArgs,
    }

    fn options(line: &[&str]) -> Options {
        Cli::try_parse_from([&["record"], line].concat()).unwrap().args.try_into().unwrap()
    }

    #[test]
    fn a_folder_is_enough() {
        let options = options(&["--out", "/tmp/x/pg-pool"]);
        assert_eq!(
            (options.name.as_str(), options.play, options.command.len()),
            ("pg-pool", RecordedChannel::Prometheus, 0)
        );
        assert_eq!(options.duration, None);
    }

    #[test]
    fn a_scenario_keeps_its_own_flags() {
        let options = options(&["--out", "r", "--play", "alertmanager", "--", "python3", "scenario.py", "--fast"]);
        assert_eq!(options.command, ["python3", "scenario.py", "--fast"]);
        assert_eq!(options.play, RecordedChannel::Alertmanager);
    }

    #[test]
    fn a_log_names_its_service_file_and_format() {
        let log = |text| log_source(text).map(|log| (log.service, log.path, log.format));
        assert_eq!(
            log("db=/var/log/pg.log:postgres").unwrap(),
            ("db".into(), "/var/log/pg.log".into(), LogFormat::Postgres)
        );
        assert_eq!(log("app=/a:b/c.log").unwrap(), ("app".into(), "/a:b/c.log".into(), LogFormat::Plain));
        assert!(log("app=/a.log:toml").unwrap_err().contains("known:"));
        assert!(log("/a.log").is_err());
    }
}
