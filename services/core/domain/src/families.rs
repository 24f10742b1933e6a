//! The events by what they are about, as patterns: `events!(chat, label)` in a `match` names every event of those
//! families. A fold names each event of the families that it is about and lists the others by family, so a new
//! event of its own families does not compile until somebody has decided what it means there.

use crate::event::Event;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// What arrived at an endpoint.
    Intake,
    /// What detectors concluded from telemetry.
    Finding,
    /// Questions to the copilot.
    Conversation,
    /// Proposed runbooks.
    Proposal,
    /// Labels and judgements.
    Label,
    /// Versions of models.
    Model,
    /// Slack and Teams.
    Chat,
    /// Decisions of the correlator about an alert.
    Alert,
    /// Decisions about an incident.
    Incident,
    /// Silences and maintenance windows.
    Silence,
    /// What applies to a whole tenant.
    Control,
    /// Notifications.
    Notice,
}

/// A pattern of all events of the named families, separated by commas.
#[macro_export]
macro_rules! events {
    (intake) => {
        $crate::Event::Delivery(_)
            | $crate::Event::DoorOpened(_)
            | $crate::Event::Observed(_)
            | $crate::Event::Repeats(_)
            | $crate::Event::Change(_)
            | $crate::Event::Command(_)
            | $crate::Event::Parked(_)
            | $crate::Event::Unparked(_)
    };
    (finding) => {
        $crate::Event::FindingRaised(_)
            | $crate::Event::LinkObserved(_)
            | $crate::Event::EvidencePinned(_)
            | $crate::Event::CallsSeen(_)
    };
    (conversation) => {
        $crate::Event::ConversationAsked(_)
            | $crate::Event::ConversationToolUsed(_)
            | $crate::Event::ConversationReplied(_)
            | $crate::Event::ConversationAnswered(_)
    };
    (proposal) => { $crate::Event::ProposalMade(_) | $crate::Event::ProposalRejected(_) };
    (label) => { $crate::Event::LabelJudged(_) | $crate::Event::LabelGiven(_) | $crate::Event::LabelRetracted(_) };
    (model) => {
        $crate::Event::ModelRegistered(_)
            | $crate::Event::ModelJudged(_)
            | $crate::Event::ShadowPlaced(_)
            | $crate::Event::ModelPromoted(_)
            | $crate::Event::ModelRolledBack(_)
            | $crate::Event::ModelShadowed(_)
            | $crate::Event::ModelUnshadowed(_)
    };
    (chat) => {
        $crate::Event::ChatReceived(_)
            | $crate::Event::ChatDelivered(_)
            | $crate::Event::ChatUpdated(_)
            | $crate::Event::ChatFailed(_)
            | $crate::Event::ChatExpired(_)
            | $crate::Event::ChatRequested(_)
    };
    (alert) => { $crate::Event::AlertFired(_) | $crate::events!(alert_course) };
    // What becomes of an alert that fired.
    (alert_course) => {
        $crate::Event::AlertRepeated(_)
            | $crate::Event::AlertResolved(_)
            | $crate::Event::AlertStale(_)
            | $crate::Event::AlertSuppressed(_)
            | $crate::Event::AlertUnsuppressed(_)
            | $crate::Event::AlertFlapping(_)
            | $crate::Event::AlertSettled(_)
    };
    (incident) => { $crate::Event::IncidentDeclared(_) | $crate::events!(placement, incident_status, lineage, care) };
    // An alert came into an incident.
    (placement) => { $crate::Event::IncidentOpened(_) | $crate::Event::IncidentAlertJoined(_) };
    // Where an incident is in its life.
    (incident_status) => {
        $crate::Event::IncidentAcknowledged(_)
            | $crate::Event::IncidentUnacknowledged(_)
            | $crate::Event::IncidentResolved(_)
            | $crate::Event::IncidentReopened(_)
    };
    // What is one incident with another.
    (lineage) => {
        $crate::Event::IncidentMerged(_)
            | $crate::Event::IncidentSplit(_)
            | $crate::Event::IncidentUndone(_)
    };
    // What people do for an incident that neither ends nor moves it.
    (care) => {
        $crate::Event::IncidentAssigned(_)
            | $crate::Event::IncidentNoted(_)
            | $crate::Event::IncidentSeveritySet(_)
            | $crate::Event::IncidentSnoozed(_)
            | $crate::Event::IncidentAwoken(_)
            | $crate::Event::IncidentReviewed(_)
            | $crate::Event::IncidentFeedback(_)
    };
    (silence) => {
        $crate::Event::SilenceCreated(_) | $crate::Event::SilenceStarted(_) | $crate::Event::SilenceEnded(_)
    };
    (control) => {
        $crate::Event::Configured(_)
            | $crate::Event::LinkProposed(_)
            | $crate::Event::LinkJudged(_)
            | $crate::Event::Activated(_)
            | $crate::Event::Restored(_)
            | $crate::Event::Owned(_)
            | $crate::Event::CommandRejected(_)
    };
    (notice) => {
        $crate::Event::NoticeRequested(_) | $crate::Event::NoticeHeld(_) | $crate::events!(notice_course)
    };
    // What becomes of a notice.
    (notice_course) => {
        $crate::Event::NoticeReleased(_)
            | $crate::Event::NoticeDelivered(_)
            | $crate::Event::NoticeFailed(_)
            | $crate::Event::NoticeExpired(_)
    };
    ($first:ident, $($rest:ident),+ $(,)?) => { $crate::events!($first) | $crate::events!($($rest),+) };
}

impl Event {
    /// What it is about. The compiler holds that every event is in exactly one family.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            crate::events!(intake) => Family::Intake,
            crate::events!(finding) => Family::Finding,
            crate::events!(conversation) => Family::Conversation,
            crate::events!(proposal) => Family::Proposal,
            crate::events!(label) => Family::Label,
            crate::events!(model) => Family::Model,
            crate::events!(chat) => Family::Chat,
            crate::events!(alert) => Family::Alert,
            crate::events!(incident) => Family::Incident,
            crate::events!(silence) => Family::Silence,
            crate::events!(control) => Family::Control,
            crate::events!(notice) => Family::Notice,
        }
    }
}
