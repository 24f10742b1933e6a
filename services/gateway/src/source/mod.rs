//! Sources as they are configured: `[[sources]]` of `hindcast.toml`. Owns their form and what makes one
//! valid; refuses to hold a secret: keys are named by reference and read once, at start.

mod expression;
mod map;
mod mapping;
mod resolve;

use std::fmt;
use std::sync::Arc;

use hindcast_domain::Span;
use serde::{Deserialize, Serialize};

use crate::auth::{Encoding, Guard};
use crate::format::Format;

pub use map::MapConfig;
pub(crate) use map::SourceMap;
pub use mapping::Mapping;
pub use resolve::{check, check_replicas};
pub(crate) use resolve::{keyless, resolve};

/// Looks a name up in the environment.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Sources that one installation can have.
pub const SOURCES_MAX: usize = 1_000;

/// One `[[sources]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The last part of its address, `/ingest/{name}`.
    pub name: String,
    /// Its format's name in the table of formats.
    pub format: String,
    /// Where its alerts belong; by their own fields where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The service of alerts and changes that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How long it may be silent about an alert that fires, such as `12h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<String>,
    /// The source that it is a replica of: both say the same, and count as one sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// How it is recognised; by the server's own token where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthConfig>,
    /// Where the fields stand; only with the format `generic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Expressions for name, service, severity and entity of its alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<MapConfig>,
}

/// How a source is recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthConfig {
    /// Anybody may send.
    Open,
    /// `Authorization: Bearer TOKEN`.
    Bearer {
        /// Any of these tokens.
        keys: Vec<KeyConfig>,
    },
    /// HTTP basic.
    Basic {
        /// The user name of basic authentication.
        username: String,
        /// Any of these passwords.
        keys: Vec<KeyConfig>,
    },
    /// HMAC-SHA256 over the body.
    Hmac {
        /// The header that carries it.
        #[serde(default = "github_header")]
        header: String,
        /// What stands before it.
        #[serde(default = "github_prefix")]
        prefix: String,
        /// How it is written.
        #[serde(default)]
        encoding: Encoding,
        /// Any of these secrets.
        keys: Vec<KeyConfig>,
    },
}

fn github_header() -> String {
    "X-Hub-Signature-256".to_owned()
}

fn github_prefix() -> String {
    "sha256=".to_owned()
}

/// A key by reference: exactly one of the three.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Its name, which deliveries record.
    pub id: String,
    /// The environment variable that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// The file that holds it; blanks around it do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// Its SHA-256 in hexadecimal; not with `hmac`, which needs the secret itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
}

impl fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyConfig({})", self.id)
    }
}

/// What is wrong with the configured sources.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// A name that fits no address.
    #[error("source {0:?}: expected a name of 1 to 64 of a–z, 0–9, '-', '_' and '.'")]
    Name(String),
    /// Two sources of one name.
    #[error("source {0:?}: expected every name once, got it twice")]
    Twice(String),
    /// More sources than a server takes: how many the settings name.
    #[error("expected at most {SOURCES_MAX} sources, got {0}")]
    TooMany(usize),
    /// No such format, or one that is not built.
    #[error("source {source_name:?}: expected one of the formats {known}, got {got:?}")]
    Format {
        /// Name of the source in the settings.
        source_name: String,
        /// What came.
        got: String,
        /// The formats that there are.
        known: String,
    },
    /// A source that is called like a format and has another.
    #[error("source {source_name:?}: expected the format of that name, got {got:?}; use another name")]
    Misnamed {
        /// The rejected name.
        source_name: String,
        /// What came.
        got: String,
    },
    /// A field that makes no sense.
    #[error("source {source_name:?}: expected {expected} in `{field}`, got {got:?}")]
    Field {
        /// Name of the source in the settings.
        source_name: String,
        /// Name of the setting that is wrong.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// An expression that does not compile, or could take long.
    #[error(
        "source {source_name:?}: expected a CEL expression in `{field}`: {detail}; correct it, and try it with \
         `hindcast source explain`"
    )]
    Expression {
        /// Name of the source in the settings.
        source_name: String,
        /// Name of the setting that is wrong.
        field: &'static str,
        /// Line and column within the expression, and what is wrong there.
        detail: String,
    },
    /// A key that cannot be had.
    #[error("source {source_name:?}, key {key:?}: {detail}")]
    Key {
        /// Name of the source in the settings.
        source_name: String,
        /// The key's id.
        key: String,
        /// What is wrong, without the key.
        detail: String,
    },
}

/// A source that is ready to take something in.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) format: &'static Format,
    pub(crate) environment: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) stale_after: Option<Span>,
    pub(crate) replica_of: Option<String>,
    /// Its own guard; the server's where absent.
    pub(crate) guard: Option<Guard>,
    pub(crate) mapping: Option<Mapping>,
    /// What the operator says of its alerts.
    pub(crate) map: Option<SourceMap>,
}

impl Source {
    /// A source that nobody configured, of the format's own name.
    pub(crate) fn of_format(format: &'static Format) -> Self {
        Self {
            name: format.name.to_owned(),
            format,
            environment: None,
            service: None,
            stale_after: None,
            replica_of: None,
            guard: None,
            mapping: None,
            map: None,
        }
    }
}
