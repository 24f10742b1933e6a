//! The five severities, and what pages. Vendors' words are mapped to them by tables at the door.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad an alert says it is; `Info` < `Low` < `Medium` < `High` < `Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Look at it when there is time.
    Low,
    /// Somebody should look today.
    Medium,
    /// Somebody must look now.
    High,
    /// Users are hurt now.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// Whether a firing alert of this severity may wake somebody.
    #[must_use]
    pub const fn pages(self) -> bool {
        matches!(self, Self::High | Self::Critical)
    }

    /// Whether an alert of this severity opens an incident of its own; `info` only joins one.
    #[must_use]
    pub const fn opens_incident(self) -> bool {
        !matches!(self, Self::Info)
    }

    /// The word for it, as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("expected critical, high, medium, low or info, got {text:?}"))
    }
}
