//! What a sender can say of an alert, and what can happen to one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Labels;
use crate::entity::AlertSubject;
use crate::id::{EventId, Fingerprint};
use crate::severity::Severity;
use crate::shared::SharedCopy;
use crate::time::{Span, Time};
use crate::words::{SilenceEnd, SuppressionKind};

/// What the sender says: it is wrong, or it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// It is wrong.
    Firing,
    /// It is over.
    Resolved,
}

/// One alert as a sender told it: normalised and redacted, times as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// Computed from the labels; the sender's own is a separate field.
    pub fingerprint: Fingerprint,
    /// The sender's own, or its key where it has no fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_fingerprint: Option<String>,
    /// The configured source's name.
    pub source: String,
    /// The source that this one is a replica of, by the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// The rule's name.
    pub name: String,
    /// The service that it is about, as the sender names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What it is about, apart from who observed it; absent in events of before that was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<SharedCopy<AlertSubject>>,
    /// By the vendor's table.
    pub severity: Severity,
    /// Wrong, or over.
    pub signal: Signal,
    /// All labels.
    pub labels: Labels,
    /// All annotations.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// When it began, as sent; absent where the sender does not say (or says year 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// When it ended, as sent; only with `resolved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// How long the sender may be silent while it fires.
    #[serde(rename = "stale_after_ms")]
    pub stale_after: Span,
    /// Where the sender shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The sender's fields that no table mapped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<String>,
}

/// It began to fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fired {
    /// The `intake.alert` event.
    pub observed: EventId,
    /// 1 the first time; rises with each stretch of firing.
    pub occurrence: u64,
    /// The sender's own fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_fingerprint: Option<String>,
    /// The configured source's name.
    pub source: String,
    /// The source that this one is a replica of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// How far the source's clock is ahead of ours, as estimated; negative: behind. Absent where it is right.
    #[serde(rename = "sender_ahead_ms", default, skip_serializing_if = "Option::is_none")]
    pub sender_ahead: Option<Span>,
    /// The rule's name.
    pub name: String,
    /// The service, by its name in the catalogue where it is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What it is about, apart from who observed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<SharedCopy<AlertSubject>>,
    /// How bad it says it is.
    pub severity: Severity,
    /// All labels, whole.
    pub labels: Labels,
    /// All annotations.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// When it began by our clock: as sent, less the error of the sender's clock, and no later than it came.
    pub starts_at: Time,
    /// When it began, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at_sent: Option<Time>,
    /// When the sender's silence becomes a fact.
    pub stale_at: Time,
    /// Where the sender shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Why an observation is no transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The same state, sent again.
    Resent,
    /// The same state with another start time: another replica of the sender.
    Replica,
    /// A state that is over, sent again late.
    Late,
    /// An end, sent again.
    ResolvedAgain,
    /// An end by one sender, while another says that it fires.
    FiresElsewhere,
}

impl Observation {
    /// The sender whose word it is: the source, or the source that this one is a replica of.
    #[must_use]
    pub fn sender(&self) -> &str {
        self.replica_of.as_deref().unwrap_or(&self.source)
    }
}

/// The sender said again what was known. What it changed stands here; nothing else did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeated {
    /// The `intake.alert` event.
    pub observed: EventId,
    /// Why it is no transition.
    pub why: Repeat,
    /// The stretch of firing that it belongs to.
    pub occurrence: u64,
    /// The source, where it is another than the one that began the stretch, or one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The source that this one is a replica of, where `source` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// When it began, as sent now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at_sent: Option<Time>,
    /// When it ended by our clock, where an end is told that is not known of this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// The same as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_sent: Option<Time>,
    /// When the sender's silence becomes a fact, if this moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_at: Option<Time>,
    /// The new severity, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// All labels, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// All annotations, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Labels>,
}

/// The sender said that it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// The `intake.alert` event.
    pub observed: EventId,
    /// When it ended by our clock: as sent, less the error of the sender's clock, kept between its start and `now`.
    pub ends_at: Time,
    /// The same as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_sent: Option<Time>,
    /// The source, where it is another than the one that began the stretch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The source that this one is a replica of, where `source` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
}

/// The sender fell silent while it fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// When the sender last spoke.
    pub last_seen_at: Time,
}

/// It is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressed {
    /// The silence's id.
    pub by: String,
    /// What kind of silence it is.
    pub kind: SuppressionKind,
    /// Until when at the latest.
    pub until: Time,
}

/// It is held back no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unsuppressed {
    /// The silence's id.
    pub by: String,
    /// Why it ended.
    pub reason: SilenceEnd,
    /// Whether that silence may never hold this alert again.
    #[serde(default)]
    pub exempt: bool,
}

/// It changes its mind too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flapping {
    /// Transitions inside the window.
    pub transitions: u32,
    /// Until when it counts as flapping, unless it goes on.
    pub until: Time,
}

/// It calmed down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {}
