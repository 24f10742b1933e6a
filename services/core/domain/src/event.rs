//! Everything that can be recorded, as one closed enum, and the envelope around it.
//!
//! The current version of each payload lives here; versions that were ever written and are no longer
//! current live in the `events` crate, with their upcasters. What an event *does* stands with its
//! aggregate, in its `evolve`.

mod intake;
mod type_name;

use crate::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, Partition};
use crate::repeats::RepeatBatch;
use crate::time::Time;
use crate::{alert, chat, command, conversation, finding, incident, label, links, model, notice, proposal, silence};

pub use intake::{Change, Delivery, DoorOpened, Parked, RejectedItem, Unparked, Verdict};

/// A fact or a decision. The `type` of each variant is what stands in the ledger, for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A request that arrived at the door; its alerts and changes follow in the same commit.
    #[serde(rename = "intake.delivery")]
    Delivery(Delivery),
    /// The door opened: from now on senders can be heard again.
    #[serde(rename = "intake.opened")]
    DoorOpened(DoorOpened),
    /// One alert as its sender sent it, normalised and redacted. Subject: its fingerprint.
    #[serde(rename = "intake.alert")]
    Observed(alert::Observation),
    /// Alerts that were sent again without a change, of all requests of a few milliseconds. Subject: `repeats`.
    #[serde(rename = "intake.repeats")]
    Repeats(RepeatBatch),
    /// A deploy, flag or configuration change. Subject: the service.
    #[serde(rename = "intake.change")]
    Change(Change),
    /// A person's command, by API, page, terminal or chat.
    #[serde(rename = "intake.command")]
    Command(command::Received),
    /// Something that was accepted and could not be handled.
    #[serde(rename = "intake.parked")]
    Parked(Parked),
    /// A parked item was retried or discarded. Subject: the parked event's id.
    #[serde(rename = "intake.unparked")]
    Unparked(Unparked),

    /// A detector concluded something from telemetry. Subject: the finding.
    #[serde(rename = "finding.raised")]
    FindingRaised(finding::Raised),
    /// Evidence for a link between two services was seen. Subject: the link.
    #[serde(rename = "topology.observed")]
    LinkObserved(links::LinkObserved),
    /// The telemetry around an incident was kept. Subject: the incident.
    #[serde(rename = "evidence.pinned")]
    EvidencePinned(finding::Pinned),
    /// Spans around an incident showed who calls whom. Subject: the incident.
    #[serde(rename = "evidence.calls")]
    CallsSeen(finding::CallsSeen),
    /// Somebody asked the copilot. Subject: the conversation.
    #[serde(rename = "conversation.asked")]
    ConversationAsked(conversation::Asked),
    /// The copilot used a tool.
    #[serde(rename = "conversation.tool_used")]
    ConversationToolUsed(conversation::ToolUsed),
    /// A model replied, or failed to.
    #[serde(rename = "conversation.replied")]
    ConversationReplied(conversation::Replied),
    /// The copilot answered.
    #[serde(rename = "conversation.answered")]
    ConversationAnswered(conversation::Answered),
    /// A runbook was proposed; nothing runs. Subject: the proposal.
    #[serde(rename = "proposal.made")]
    ProposalMade(proposal::Made),
    /// A proposal was not valid.
    #[serde(rename = "proposal.rejected")]
    ProposalRejected(proposal::Rejected),
    /// A person judged a proposal, a recall, an answer, a notice or a pair of alerts. Subject: what is judged.
    #[serde(rename = "label.judged")]
    LabelJudged(label::Judged),
    /// A version of a model exists. Subject: `<name>/<version>`.
    #[serde(rename = "model.registered")]
    ModelRegistered(model::Registered),
    /// A version was compared with another one on the past. Subject: `<name>/<version>`.
    #[serde(rename = "model.judged")]
    ModelJudged(model::Judged),
    /// What a shadow would have done with an alert; used for nothing. Subject: `<name>/<version>`.
    #[serde(rename = "shadow.placed")]
    ShadowPlaced(model::Placed),
    /// A person did something in Slack or Teams. Subject: the chat id.
    #[serde(rename = "chat.received")]
    ChatReceived(chat::Received),
    /// The vendor took a message. Subject: the message.
    #[serde(rename = "chat.delivered")]
    ChatDelivered(chat::Delivered),
    /// A card shows a newer state. Subject: the message.
    #[serde(rename = "chat.updated")]
    ChatUpdated(chat::Updated),
    /// The vendor did not take a message; it is tried again. Subject: the message.
    #[serde(rename = "chat.failed")]
    ChatFailed(chat::Failed),
    /// A message was given up. Subject: the message.
    #[serde(rename = "chat.expired")]
    ChatExpired(chat::Expired),

    /// An alert began to fire: the first time, or again.
    #[serde(rename = "alert.fired")]
    AlertFired(alert::Fired),
    /// The sender said again what was known.
    #[serde(rename = "alert.repeated")]
    AlertRepeated(alert::Repeated),
    /// The sender said that it is over.
    #[serde(rename = "alert.resolved")]
    AlertResolved(alert::Resolved),
    /// The sender fell silent.
    #[serde(rename = "alert.stale")]
    AlertStale(alert::Stale),
    /// A silence or maintenance window holds the alert back, until a named time.
    #[serde(rename = "alert.suppressed")]
    AlertSuppressed(alert::Suppressed),
    /// The suppression ended.
    #[serde(rename = "alert.unsuppressed")]
    AlertUnsuppressed(alert::Unsuppressed),
    /// The alert changes its mind too often; its transitions neither resolve nor reopen until a named time.
    #[serde(rename = "alert.flapping")]
    AlertFlapping(alert::Flapping),
    /// Flapping ended.
    #[serde(rename = "alert.settled")]
    AlertSettled(alert::Settled),

    /// An incident began with an alert.
    #[serde(rename = "incident.opened")]
    IncidentOpened(incident::Opened),
    /// A person declared an incident.
    #[serde(rename = "incident.declared")]
    IncidentDeclared(incident::Declared),
    /// `incident.alert_joined`: the correlator grouped an alert with an open incident.
    #[serde(rename = "incident.alert_joined")]
    IncidentAlertJoined(incident::AlertJoined),
    /// Somebody takes care.
    #[serde(rename = "incident.acknowledged")]
    IncidentAcknowledged(incident::Acknowledged),
    /// Nobody takes care any more.
    #[serde(rename = "incident.unacknowledged")]
    IncidentUnacknowledged(incident::Unacknowledged),
    /// It is over: all alerts are quiet, or a person said so.
    #[serde(rename = "incident.resolved")]
    IncidentResolved(incident::Resolved),
    /// It is back.
    #[serde(rename = "incident.reopened")]
    IncidentReopened(incident::Reopened),
    /// Another incident became a part of this one. Subject: the one that remains.
    #[serde(rename = "incident.merged")]
    IncidentMerged(incident::Merged),
    /// Some alerts became an incident of their own. Subject: the one they left.
    #[serde(rename = "incident.split")]
    IncidentSplit(incident::Split),
    /// A merge or split was taken back. Subject: that of the event that is undone.
    #[serde(rename = "incident.undone")]
    IncidentUndone(incident::Undone),
    /// It has another owner.
    #[serde(rename = "incident.assigned")]
    IncidentAssigned(incident::Assigned),
    /// A person wrote something down.
    #[serde(rename = "incident.noted")]
    IncidentNoted(incident::Noted),
    /// A person set the severity.
    #[serde(rename = "incident.severity_set")]
    IncidentSeveritySet(incident::SeveritySet),
    /// Pages wait until a named time.
    #[serde(rename = "incident.snoozed")]
    IncidentSnoozed(incident::Snoozed),
    /// The snooze ended.
    #[serde(rename = "incident.awoken")]
    IncidentAwoken(incident::Awoken),
    /// Whether it is one with another incident, or two, was asked again.
    #[serde(rename = "incident.reviewed")]
    IncidentReviewed(incident::Reviewed),
    /// A person said whether it helped.
    #[serde(rename = "incident.feedback")]
    IncidentFeedback(incident::Feedback),

    /// What somebody did, or did not do, is a label. Subject: the label.
    #[serde(rename = "label.given")]
    LabelGiven(label::Given),
    /// A label counts no more. Subject: the label.
    #[serde(rename = "label.retracted")]
    LabelRetracted(label::Retracted),
    /// A version of a model is the production version from here on. Subject: the model.
    #[serde(rename = "model.promoted")]
    ModelPromoted(model::Promoted),
    /// An earlier version is the production version again. Subject: the model.
    #[serde(rename = "model.rolled_back")]
    ModelRolledBack(model::RolledBack),
    /// A version runs as a shadow of the production version from here on. Subject: the model.
    #[serde(rename = "model.shadowed")]
    ModelShadowed(model::Shadowed),
    /// No version runs beside it any more. Subject: the model.
    #[serde(rename = "model.unshadowed")]
    ModelUnshadowed(model::Unshadowed),
    /// A message is to be shown in Slack or Teams. Subject: the message.
    #[serde(rename = "chat.requested")]
    ChatRequested(chat::Requested),

    /// A silence or maintenance window was created.
    #[serde(rename = "silence.created")]
    SilenceCreated(silence::Created),
    /// Its time has come.
    #[serde(rename = "silence.started")]
    SilenceStarted(silence::Started),
    /// Its time is over, or a person ended it.
    #[serde(rename = "silence.ended")]
    SilenceEnded(silence::Ended),
    /// A configuration section has new content.
    #[serde(rename = "control.configured")]
    Configured(command::Configured),
    /// A link between two services is proposed, or surer than before. Subject: the link.
    #[serde(rename = "topology.proposed")]
    LinkProposed(links::LinkProposed),
    /// A person confirmed or denied a link. Subject: the link.
    #[serde(rename = "topology.judged")]
    LinkJudged(links::LinkJudged),
    /// An installation may perform effects.
    #[serde(rename = "control.activated")]
    Activated(command::Activated),
    /// The ledger was restored from a backup.
    #[serde(rename = "control.restored")]
    Restored(command::Restored),
    /// A part of the ledger has a new owner.
    #[serde(rename = "lane.owned")]
    Owned(command::Owned),
    /// A command was understood and refused.
    #[serde(rename = "command.rejected")]
    CommandRejected(command::Rejected),

    /// A notification is due. Subject: the notice.
    #[serde(rename = "notice.requested")]
    NoticeRequested(notice::Requested),
    /// A notification is delayed, for a named reason and until a named time.
    #[serde(rename = "notice.held")]
    NoticeHeld(notice::Held),
    /// A hold ended without a notice of its own.
    #[serde(rename = "notice.released")]
    NoticeReleased(notice::Released),
    /// A receiver took it.
    #[serde(rename = "notice.delivered")]
    NoticeDelivered(notice::Delivered),
    /// A receiver did not take it; it is tried again.
    #[serde(rename = "notice.failed")]
    NoticeFailed(notice::Failed),
    /// It was given up.
    #[serde(rename = "notice.expired")]
    NoticeExpired(notice::Expired),
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A fact from outside.
    Intake,
    /// What the owner of a part of the ledger concluded.
    Decision,
}

impl Event {
    /// Whether it is a fact from outside or a decision of ours.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Delivery(_)
            | Self::DoorOpened(_)
            | Self::Observed(_)
            | Self::Repeats(_)
            | Self::Change(_)
            | Self::Command(_)
            | Self::Parked(_)
            | Self::Unparked(_)
            | Self::FindingRaised(_)
            | Self::LinkObserved(_)
            | Self::EvidencePinned(_)
            | Self::CallsSeen(_)
            | Self::ConversationAsked(_)
            | Self::ConversationToolUsed(_)
            | Self::ConversationReplied(_)
            | Self::ConversationAnswered(_)
            | Self::ProposalMade(_)
            | Self::ProposalRejected(_)
            | Self::LabelJudged(_)
            | Self::ModelRegistered(_)
            | Self::ModelJudged(_)
            | Self::ShadowPlaced(_)
            | Self::ChatReceived(_)
            | Self::ChatDelivered(_)
            | Self::ChatUpdated(_)
            | Self::ChatFailed(_)
            | Self::ChatExpired(_)
            | Self::NoticeDelivered(_)
            | Self::NoticeFailed(_)
            | Self::NoticeExpired(_) => Kind::Intake,
            Self::LabelGiven(_)
            | Self::LabelRetracted(_)
            | Self::ModelPromoted(_)
            | Self::ModelRolledBack(_)
            | Self::ModelShadowed(_)
            | Self::ModelUnshadowed(_)
            | Self::ChatRequested(_)
            | Self::NoticeRequested(_)
            | Self::NoticeHeld(_)
            | Self::NoticeReleased(_)
            | events! { alert, incident, silence, control } => Kind::Decision,
        }
    }
}

/// An event with its place: what folds and deciders read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The event's own id.
    pub id: EventId,
    /// `commit × 4096 + index`.
    pub position: u64,
    /// The correlation domain.
    pub partition: Partition,
    /// The id of the aggregate that it is about.
    pub subject: String,
    /// The aggregate's revision after the decision; `None` on intake.
    pub revision: Option<u64>,
    /// `now` of the decision, or when the fact was written.
    pub time: Time,
    /// Who: `system`, a source, or a person.
    pub actor: String,
    /// The event that this follows from.
    pub cause: Option<EventId>,
    /// What happened.
    pub event: Event,
}

/// A decision that has no id yet; the lane's owner gives it one from its cause and index.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The id of the aggregate.
    pub subject: String,
    /// Who decided: `system`, or the person whose command it was.
    pub actor: String,
    /// What was decided.
    pub event: Event,
}

impl Draft {
    /// A decision of the system's own.
    pub fn system(subject: impl ToString, event: Event) -> Self {
        Self { subject: subject.to_string(), actor: SYSTEM.to_owned(), event }
    }

    /// A decision on behalf of a person.
    pub fn by(actor: &str, subject: impl ToString, event: Event) -> Self {
        Self { subject: subject.to_string(), actor: actor.to_owned(), event }
    }
}

/// The actor of what nobody asked for.
pub const SYSTEM: &str = "system";
