//! The name of each type of event, as it stands in the ledger. Owns no meaning: what a type is about is in
//! [`crate::families`].

use crate::event::Event;

macro_rules! type_names {
    ($($variant:ident $name:literal),+ $(,)?) => {
        impl Event {
            /// The event's type, such as `alert.fired`: what the ledger has under `type`.
            #[must_use]
            pub const fn type_name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                }
            }
        }
    };
}

type_names! {
    Delivery "intake.delivery",
    DoorOpened "intake.opened",
    Observed "intake.alert",
    Repeats "intake.repeats",
    Change "intake.change",
    Command "intake.command",
    Parked "intake.parked",
    Unparked "intake.unparked",
    FindingRaised "finding.raised",
    LinkObserved "topology.observed",
    EvidencePinned "evidence.pinned",
    CallsSeen "evidence.calls",
    ConversationAsked "conversation.asked",
    ConversationToolUsed "conversation.tool_used",
    ConversationReplied "conversation.replied",
    ConversationAnswered "conversation.answered",
    ProposalMade "proposal.made",
    ProposalRejected "proposal.rejected",
    LabelJudged "label.judged",
    ModelRegistered "model.registered",
    ModelJudged "model.judged",
    ShadowPlaced "shadow.placed",
    ChatReceived "chat.received",
    ChatDelivered "chat.delivered",
    ChatUpdated "chat.updated",
    ChatFailed "chat.failed",
    ChatExpired "chat.expired",
    AlertFired "alert.fired",
    AlertRepeated "alert.repeated",
    AlertResolved "alert.resolved",
    AlertStale "alert.stale",
    AlertSuppressed "alert.suppressed",
    AlertUnsuppressed "alert.unsuppressed",
    AlertFlapping "alert.flapping",
    AlertSettled "alert.settled",
    IncidentOpened "incident.opened",
    IncidentDeclared "incident.declared",
    IncidentAlertJoined "incident.alert_joined",
    IncidentAcknowledged "incident.acknowledged",
    IncidentUnacknowledged "incident.unacknowledged",
    IncidentResolved "incident.resolved",
    IncidentReopened "incident.reopened",
    IncidentMerged "incident.merged",
    IncidentSplit "incident.split",
    IncidentUndone "incident.undone",
    IncidentAssigned "incident.assigned",
    IncidentNoted "incident.noted",
    IncidentSeveritySet "incident.severity_set",
    IncidentSnoozed "incident.snoozed",
    IncidentAwoken "incident.awoken",
    IncidentReviewed "incident.reviewed",
    IncidentFeedback "incident.feedback",
    LabelGiven "label.given",
    LabelRetracted "label.retracted",
    ModelPromoted "model.promoted",
    ModelRolledBack "model.rolled_back",
    ModelShadowed "model.shadowed",
    ModelUnshadowed "model.unshadowed",
    ChatRequested "chat.requested",
    SilenceCreated "silence.created",
    SilenceStarted "silence.started",
    SilenceEnded "silence.ended",
    Configured "control.configured",
    LinkProposed "topology.proposed",
    LinkJudged "topology.judged",
    Activated "control.activated",
    Restored "control.restored",
    Owned "lane.owned",
    CommandRejected "command.rejected",
    NoticeRequested "notice.requested",
    NoticeHeld "notice.held",
    NoticeReleased "notice.released",
    NoticeDelivered "notice.delivered",
    NoticeFailed "notice.failed",
    NoticeExpired "notice.expired",
}
