//! Versions of payloads and the way from each to the next. All types are at version 1 today: the table is
//! the list of types that exist, and grows an upcaster with every version that a type gains.

use serde_json::Value;

/// Lifts a payload one version up.
pub(crate) type Upcaster = fn(Value) -> Value;

/// One type: its name, and an upcaster for each version before the current one, oldest first.
struct UpcastEntry {
    kind: &'static str,
    upcasters: &'static [Upcaster],
}

macro_rules! types {
    ($($kind:literal),* $(,)?) => {
        &[$(UpcastEntry { kind: $kind, upcasters: &[] }),*]
    };
}

const TYPES: &[UpcastEntry] = types![
    "intake.delivery",
    "intake.opened",
    "intake.alert",
    "intake.repeats",
    "intake.change",
    "intake.command",
    "intake.parked",
    "intake.unparked",
    "finding.raised",
    "topology.observed",
    "evidence.pinned",
    "evidence.calls",
    "conversation.asked",
    "conversation.tool_used",
    "conversation.replied",
    "conversation.answered",
    "proposal.made",
    "proposal.rejected",
    "label.judged",
    "model.registered",
    "model.judged",
    "shadow.placed",
    "chat.received",
    "chat.delivered",
    "chat.updated",
    "chat.failed",
    "chat.expired",
    "alert.fired",
    "alert.repeated",
    "alert.resolved",
    "alert.stale",
    "alert.suppressed",
    "alert.unsuppressed",
    "alert.flapping",
    "alert.settled",
    "incident.opened",
    "incident.declared",
    "incident.alert_joined",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.merged",
    "incident.split",
    "incident.undone",
    "incident.assigned",
    "incident.noted",
    "incident.severity_set",
    "incident.snoozed",
    "incident.awoken",
    "incident.reviewed",
    "incident.feedback",
    "label.given",
    "label.retracted",
    "model.promoted",
    "model.rolled_back",
    "model.shadowed",
    "model.unshadowed",
    "chat.requested",
    "silence.created",
    "silence.started",
    "silence.ended",
    "control.configured",
    "topology.proposed",
    "topology.judged",
    "control.activated",
    "control.restored",
    "lane.owned",
    "command.rejected",
    "notice.requested",
    "notice.held",
    "notice.released",
    "notice.delivered",
    "notice.failed",
    "notice.expired",
];

/// The types that exist.
pub fn types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|entry| entry.kind)
}

/// The version that is written today; 1 for a type that is not in the table.
#[must_use]
pub fn current_version(kind: &str) -> u32 {
    TYPES.iter().find(|entry| entry.kind == kind).map_or(1, version_of)
}

fn version_of(entry: &UpcastEntry) -> u32 {
    u32::try_from(entry.upcasters.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The upcasters that lift a payload of that version to the current one, none for the current one; `None` for an
/// unknown type or a version of the future.
pub(crate) fn missing(kind: &str, version: u32) -> Option<&'static [Upcaster]> {
    let entry = TYPES.iter().find(|entry| entry.kind == kind)?;
    entry.upcasters.get((version as usize).checked_sub(1)?..)
}
