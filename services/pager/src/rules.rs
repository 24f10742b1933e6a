//! Who is told, and how much at once: the configuration section `paging`, with defaults.

use hindcast_domain::{Severity, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration section's name.
pub const SECTION: &str = "paging";

/// The receiver that exists without configuration: the terminal's log and the web pages.
pub const SCREEN: &str = "screen";

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverRules {
    /// Name of the receiver in the settings.
    pub name: String,
    /// Only incidents of this severity or worse.
    #[serde(default = "low")]
    pub at_least: Severity,
    /// Whether it wants pages only, and no quieter notices.
    #[serde(default)]
    pub pages_only: bool,
    /// Pages that it takes within the window before the storm rule holds the rest.
    #[serde(default = "pages_max")]
    pub pages_max: u32,
    /// That window, in seconds.
    #[serde(default = "window_s")]
    pub window_s: i64,
}

const fn low() -> Severity {
    Severity::Low
}

const fn pages_max() -> u32 {
    20
}

const fn window_s() -> i64 {
    600
}

/// Who is told, and for how long it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PagingRules {
    /// Who is told. Without any, the screen is.
    pub receivers: Vec<ReceiverRules>,
    /// How long a delivery is tried before it is given up and requested anew, in seconds.
    pub give_up_after_s: i64,
    /// Whether people are told that an incident is over.
    pub tell_resolved: bool,
}

impl Default for PagingRules {
    fn default() -> Self {
        Self { receivers: Vec::new(), give_up_after_s: 600, tell_resolved: true }
    }
}

impl PagingRules {
    /// The receivers in force.
    #[must_use]
    pub fn receivers(&self) -> Vec<ReceiverRules> {
        if self.receivers.is_empty() {
            return vec![ReceiverRules {
                name: SCREEN.to_owned(),
                at_least: low(),
                pages_only: false,
                pages_max: pages_max(),
                window_s: window_s(),
            }];
        }
        self.receivers.clone()
    }

    /// See [`PagingRules::give_up_after_s`].
    #[must_use]
    pub const fn give_up_after(&self) -> Span {
        Span::seconds(self.give_up_after_s)
    }
}

impl ReceiverRules {
    /// See [`ReceiverRules::window_s`].
    #[must_use]
    pub const fn window(&self) -> Span {
        Span::seconds(self.window_s)
    }
}
