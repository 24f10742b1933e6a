//! The rules that correlation follows, as a configuration section (`correlation`) with defaults.

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::{Severity, Span, alert};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration section's name.
pub const SECTION: &str = "correlation";

/// Times and thresholds. All times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CorrelationRules {
    /// How long after its end an incident is reopened by its own alerts, and not begun anew.
    pub reopen_within_s: i64,
    /// How long after its end an incident that comes back is still acknowledged: one delivery may end one instance of
    /// an alert and begin another.
    pub keep_acknowledged_s: i64,
    /// How long after that a new incident with the same alert is named a recurrence.
    pub recurrence_within_s: i64,
    /// How long after its end a state that is sent again is late and not back.
    pub late_s: i64,
    /// How long an alert may still be said to fire after a person resolved its incident. What is said longer begins a new
    /// one, as still firing after resolution.
    pub lag_s: i64,
    /// The window in which an alert's transitions are counted.
    pub flap_window_s: i64,
    /// Transitions in that window from which on it flaps.
    pub flap_transitions: u32,
    /// How long it flaps without a further transition.
    pub flap_calm_s: i64,
    /// How long an incident stays open whose alerts ended only by their sender's silence.
    pub stale_hold_s: i64,
    /// How long senders have, after the door opened, to speak again before their silence counts.
    pub door_grace_s: i64,
    /// When a sender counts as dead.
    pub heartbeats: HeartbeatRules,
    /// The weights of grouping.
    pub weights: GroupingWeights,
}

/// When a sender that repeats what fires counts as dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeartbeatRules {
    /// Whether the silence of a sender opens an incident.
    pub enabled: bool,
    /// How bad it is.
    pub severity: Severity,
    /// Names of alerts that fire as long as their sender is well: each has a rhythm of its own.
    pub watchdogs: Vec<String>,
}

impl Default for HeartbeatRules {
    fn default() -> Self {
        let watchdogs = ["Watchdog", "DeadMansSwitch"].map(str::to_owned).to_vec();
        Self { enabled: true, severity: Severity::Critical, watchdogs }
    }
}

impl Default for CorrelationRules {
    fn default() -> Self {
        Self {
            reopen_within_s: 120,
            keep_acknowledged_s: 10,
            recurrence_within_s: 30 * 86_400,
            late_s: 30,
            lag_s: 900,
            flap_window_s: 600,
            flap_transitions: 6,
            flap_calm_s: 600,
            stale_hold_s: 3_600,
            door_grace_s: 300,
            heartbeats: HeartbeatRules::default(),
            weights: GroupingWeights::default(),
        }
    }
}

impl CorrelationRules {
    /// The rules that an alert's own decisions follow.
    #[must_use]
    pub const fn alert(&self) -> alert::decide::Rules {
        alert::decide::Rules {
            late: Span::seconds(self.late_s),
            flap_window: Span::seconds(self.flap_window_s),
            flap_transitions: self.flap_transitions,
            flap_calm: Span::seconds(self.flap_calm_s),
        }
    }

    /// Checks that the rules make sense.
    ///
    /// # Errors
    /// The first one that does not, by name.
    pub fn check(&self) -> Result<(), String> {
        let times = [
            ("reopen_within_s", self.reopen_within_s),
            ("keep_acknowledged_s", self.keep_acknowledged_s),
            ("recurrence_within_s", self.recurrence_within_s),
            ("late_s", self.late_s),
            ("lag_s", self.lag_s),
            ("flap_window_s", self.flap_window_s),
            ("flap_calm_s", self.flap_calm_s),
            ("stale_hold_s", self.stale_hold_s),
            ("door_grace_s", self.door_grace_s),
        ];
        match times.into_iter().find(|(_, seconds)| *seconds < 0) {
            Some((name, seconds)) => Err(format!("expected {name} of 0 or more seconds, got {seconds}")),
            None if self.flap_transitions < 2 => Err("expected flap_transitions of 2 or more".to_owned()),
            None if !(1..1_000).contains(&self.weights.threshold) => {
                Err("expected weights.threshold between 1 and 999 thousandths".to_owned())
            }
            None => Ok(()),
        }
    }

    /// See [`CorrelationRules::keep_acknowledged_s`].
    #[must_use]
    pub const fn keep_acknowledged(&self) -> Span {
        Span::seconds(self.keep_acknowledged_s)
    }

    /// See [`CorrelationRules::reopen_within_s`].
    #[must_use]
    pub const fn reopen_within(&self) -> Span {
        Span::seconds(self.reopen_within_s)
    }
}
