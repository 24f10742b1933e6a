//! Runbooks: what may be done, with typed parameters, for reading and proposing only. Owns their form, their
//! checks and their versions; refuses to know a shell or a runner: nothing here runs.

mod check;
mod compiled;
mod fill;
mod origin;
mod propose;
mod value;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use check::check;
pub use fill::{FilledRunbook, fill};
pub use propose::{PROPOSALS_MAX, proposal, propose};

/// Bytes of a runbook's file.
pub const BYTES_MAX: usize = 64 * 1024;
/// Parameters of one runbook.
pub const PARAMS_MAX: usize = 16;
/// Steps of one list.
pub const STEPS_MAX: usize = 32;

/// A runbook as people write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name: lower case, digits and hyphens, at most 64 characters.
    pub name: String,
    /// What it does, in one line.
    pub title: String,
    /// When to use it and why it helps.
    pub about: String,
    /// Whether it repairs something or only looks.
    #[serde(default)]
    pub purpose: Purpose,
    /// When it fits.
    pub applies: Applies,
    /// The parameters by name; each has a type and bounds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, RunbookParam>,
    /// What it touches, with `{{param}}` where a parameter stands.
    pub targets: Vec<String>,
    /// What to look at before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<RunbookStep>,
    /// What to do.
    pub steps: Vec<RunbookStep>,
    /// What should be seen afterwards.
    pub effect: Effect,
    /// What can go wrong.
    pub risk: Risk,
    /// Whether and how it can be taken back.
    pub reversible: Reversible,
    /// Phrases by which a resolution is known to mean this runbook: all words of one phrase must stand in it,
    /// each as the beginning of a word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_as: Vec<String>,
}

/// What a runbook is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It changes something.
    #[default]
    Repair,
    /// It only looks. It may be proposed where nothing is known yet.
    Diagnose,
}

/// When a runbook fits: the service is of its kind, and one of the signs is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applies {
    /// Regular expressions of which one must match the service that broke: its name, its alerts' names and
    /// labels, its metrics or its lines. Any service where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<String>,
    /// Only where a change of that service broke it.
    #[serde(default)]
    pub after_change: bool,
    /// Signs of which one must be there; any where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<RunbookSign>,
}

/// Something to be seen at the service that broke. All that is said of one sign must be true of one alert,
/// finding or line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookSign {
    /// Words that must all stand in an alert's texts, a log line or a metric's name, whatever the case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// A regular expression over the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A regular expression over an alert's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// A regular expression over a metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Which way that metric moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// Which way a metric moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Text of safe characters: letters, digits and `. _ : / @ % + = , -`, not beginning with `-`.
    String,
    /// A whole number.
    Integer,
    /// A number that may have decimals.
    Number,
    /// A length of time, such as `90s`, `5m` or `2h`.
    Duration,
    /// True or false.
    Boolean,
}

/// A parameter: its type, its bounds, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookParam {
    /// The type, which decides the bounds that it may have.
    #[serde(rename = "type")]
    pub kind: Type,
    /// What it means.
    pub about: String,
    /// For a string: a regular expression that the whole of it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// For a string: the only values that it may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// For a string: its characters at most; 128 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// For an integer, number or duration: the least that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// For an integer, number or duration: the most that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// Its value where nothing else gives one. Without it the parameter is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Where its value comes from in the evidence; the first that gives a valid one wins. `cause.service`,
    /// `alert.label.NAME`, `alert.annotation.NAME`, `change.version`, `change.previous_version`,
    /// `finding.metric`, `incident.id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
}

/// One step, for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookStep {
    /// In plain words, with `{{param}}` where a parameter stands.
    pub text: String,
    /// The command line that a person might use, likewise. It is shown and never run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What should be seen afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// In plain words.
    pub text: String,
    /// Whether the alerts of the service that broke must be over.
    #[serde(default = "yes")]
    pub alerts_quiet: bool,
    /// Within what time, such as `5m`.
    pub within: String,
}

const fn yes() -> bool {
    true
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// How much.
    pub level: RiskLevel,
    /// The possible damage, in words.
    pub what: String,
}

/// How much can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// Nothing that anybody notices.
    Low,
    /// Something that some notice.
    Medium,
    /// Something that all notice, or that cannot be taken back.
    High,
}

impl RiskLevel {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whether it can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reversible {
    /// Whether.
    pub possible: bool,
    /// How, or why not.
    pub how: String,
}

/// What is wrong with a runbook, or with what is asked of one. Each says what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRunbook {
    /// The file cannot be read as a runbook.
    #[error("expected a runbook in YAML: {0}; correct the file there")]
    Form(String),
    /// The file is too large.
    #[error("expected at most {BYTES_MAX} bytes, got {0}; leave out what is no step")]
    TooLarge(usize),
    /// A field of the runbook.
    #[error("{field}: expected {expected}, got {got}")]
    Field {
        /// Name of the wrong field, with the place in its list.
        field: String,
        /// What would be right.
        expected: String,
        /// What came.
        got: String,
    },
    /// A parameter that the runbook does not have.
    #[error("expected one of the parameters {known}, got {got:?}; leave it out")]
    Unknown {
        /// The parameters that it has.
        known: String,
        /// What came.
        got: String,
    },
    /// A parameter without a value.
    #[error("expected a value for {name} ({about}), got none; name one")]
    Missing {
        /// The name of the parameter that is missing.
        name: String,
        /// What it means.
        about: String,
    },
    /// A target that no event of the incident names.
    #[error(
        "expected a value for {name} that an event of the incident names, got {got}; a target without evidence is not proposed"
    )]
    NoEvidence {
        /// The name of the parameter.
        name: String,
        /// What came.
        got: String,
    },
    /// A value that the parameter may not have.
    #[error("{name}: expected {expected}, got {got}; choose another value")]
    Value {
        /// The name of the parameter that has a wrong value.
        name: String,
        /// What would be right.
        expected: String,
        /// What came.
        got: String,
    },
}

impl Runbook {
    /// Reads a runbook from YAML (or JSON) and checks it.
    ///
    /// # Errors
    /// When it is too large, no runbook, or [`check`] finds something wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidRunbook> {
        if text.len() > BYTES_MAX {
            return Err(InvalidRunbook::TooLarge(text.len()));
        }
        let runbook: Self =
            hindcast_domain::yaml::read(text).map_err(|error| InvalidRunbook::Form(error.to_string()))?;
        check(&runbook)?;
        Ok(runbook)
    }

    /// Its version: the first 12 hexadecimal digits of SHA-256 over its content in canonical form.
    #[must_use]
    pub fn version(&self) -> String {
        // maps are sorted and fields stand in the order of the types, so this is canonical
        let content = serde_json::to_vec(self).unwrap_or_default();
        hindcast_domain::hex::hex(&Sha256::digest(&content)[..6])
    }

    /// It as it is listed: types and bounds in words.
    #[must_use]
    pub fn summary(&self) -> hindcast_api::RunbookSummary {
        hindcast_api::RunbookSummary {
            name: self.name.clone(),
            title: self.title.clone(),
            version: self.version(),
            risk: self.risk.level.as_str().into(),
            params: self.params.iter().map(|(name, param)| (name.clone(), value::words(param))).collect(),
        }
    }
}
