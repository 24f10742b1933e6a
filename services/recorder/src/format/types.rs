//! Owns the serde types of a recording.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

/// What a recording is and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingManifest {
    /// The format of the whole folder.
    pub format: u32,
    /// Its short name, which is the folder's.
    pub name: String,
    /// What was recorded, in plain words.
    pub title: String,
    /// When it began.
    #[serde(serialize_with = "milliseconds")]
    pub recorded_at: Timestamp,
    /// How long it lasted, in seconds.
    pub duration_s: f64,
    /// The environment that its alerts are about.
    pub environment: String,
    /// What was running.
    #[serde(default)]
    pub software: Vec<Software>,
    /// Which of the two channels that carry the same alerts is played unless asked otherwise.
    pub play: RecordedChannel,
    /// What made the recording.
    pub recorder: String,
}

/// A program that was running, and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// The program, such as `prometheus`.
    pub name: String,
    /// The release that was running.
    pub version: String,
}

/// The way by which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedChannel {
    /// Prometheus, as to an Alertmanager.
    Prometheus,
    /// Alertmanager's webhook.
    Alertmanager,
    /// A change event in Hindcast's own shape.
    Change,
    /// A GitHub webhook.
    Github,
}

impl RecordedChannel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Prometheus, Self::Alertmanager, Self::Change, Self::Github];

    /// Where its requests are posted, at the recorder as at Hindcast.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Prometheus => "/api/v2/alerts",
            Self::Alertmanager => "/ingest/alertmanager",
            Self::Change => "/ingest/change",
            Self::Github => "/ingest/github",
        }
    }

    /// Its name, as recordings and the command line spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Change => "change",
            Self::Github => "github",
        }
    }
}

/// One HTTP request, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// When it had arrived whole.
    #[serde(serialize_with = "milliseconds")]
    pub at: Timestamp,
    /// By which way.
    pub channel: RecordedChannel,
    /// The HTTP method, such as `POST`.
    pub method: String,
    /// Its path and query, as it must be played.
    pub path: String,
    /// Its headers by lower-case name, without those that belong to the connection.
    pub headers: BTreeMap<String, String>,
    /// Its body, with secrets taken out.
    pub body: String,
}

/// What was really the case while the recording was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroundTruth {
    /// What went wrong.
    pub faults: Vec<InjectedFault>,
    /// What was changed.
    pub changes: Vec<RecordedChange>,
    /// When nothing was wrong.
    pub healthy: Vec<Healthy>,
}

/// One thing that went wrong, from its injection to what ended it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InjectedFault {
    /// Its id within the recording.
    pub id: String,
    /// Its kind; two faults of one kind have one cause.
    pub kind: String,
    /// The service at its root, by its name in the catalogue.
    pub service: String,
    /// What was wrong, in plain words.
    pub title: String,
    /// When it began.
    #[serde(serialize_with = "milliseconds")]
    pub injected_at: Timestamp,
    /// When it was ended; none if the recording ended first.
    #[serde(serialize_with = "milliseconds_or_none")]
    pub ended_at: Option<Timestamp>,
    /// What ended it, in plain words.
    pub ended_by: Option<String>,
    /// Names of the alerts that it causes.
    pub alerts: Vec<String>,
    /// Services that it affects.
    pub services: Vec<String>,
    /// An earlier fault of the same cause.
    pub same_as: Option<String>,
    /// An earlier fault that looks the same and has another cause.
    pub looks_like: Option<String>,
}

/// One change, and whether it did any harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChange {
    /// Its id within the recording.
    pub id: String,
    /// The service that was changed.
    pub service: String,
    /// Time at which the change was made.
    #[serde(serialize_with = "milliseconds")]
    pub at: Timestamp,
    /// What was changed.
    pub title: String,
    /// Whether no fault came of it.
    pub innocent: bool,
}

/// A stretch in which nothing was wrong, but for faults of the kind `unrelated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthy {
    /// Its first moment.
    #[serde(serialize_with = "milliseconds")]
    pub from: Timestamp,
    /// The end of the stretch; it is not part of it.
    #[serde(serialize_with = "milliseconds")]
    pub to: Timestamp,
}

/// A log line with its time, service and text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written, by its own word where it has one.
    #[serde(serialize_with = "milliseconds")]
    pub time: Timestamp,
    /// The service that wrote it.
    pub service: String,
    /// `debug`, `info`, `warning`, `error` or `fatal`.
    pub severity: String,
    /// What it says, without its time.
    pub message: String,
}

fn milliseconds<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{at:.3}"))
}

#[allow(clippy::ref_option, reason = "the shape that serde asks for")]
fn milliseconds_or_none<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => milliseconds(at, to),
        None => to.serialize_none(),
    }
}
