//! Notices: what people are told, and what they are not told now, why, and until when. Owns their events,
//! state and fold; the rules by which one is requested stand in the pager.

mod named;

pub use named::{DeliveredMessage, NamedAlert};

use crate::events;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::id::{EventId, Fingerprint, IncidentId, NoticeId, SilenceId};
use crate::incident;
use crate::severity::Severity;
use crate::time::{Span, Time};
use crate::words::HoldReason;

/// Why a notification is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An incident began.
    Opened,
    /// Its severity rose.
    Worse,
    /// A service that was not hit before is hit.
    NewService,
    /// A team that was not concerned before is concerned.
    NewTeam,
    /// An alert that no message named fires in an incident that people know.
    NewAlert,
    /// It is back after people were notified of its end.
    Reopened,
    /// Many services fail at a severity that pages nobody.
    Breadth,
    /// Whoever took care does so no more.
    Unacknowledged,
    /// A suppression or snooze ended and it still goes on.
    StillThere,
    /// Nobody acknowledged it since the last page.
    Reminder,
    /// A silence is about to end over something that still fires.
    SilenceEnds,
    /// An earlier page was given up and is still warranted.
    Retried,
    /// There is too much at once: this one says what is held.
    Storm,
    /// What was held during a storm.
    Digest,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It became a part of another incident.
    Merged,
    /// It is over.
    Resolved,
}

/// A notification is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// The incident that it is about; absent for storms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The receiver of the notification.
    pub receiver: String,
    /// The change of the incident that asks for a notification.
    pub reason: Reason,
    /// Whether it may wake somebody.
    pub page: bool,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub title: String,
    /// More words, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The affected services, as the notification names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// The teams that own them, as the notification names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Until when further pages are held; only in a storm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_until: Option<Time>,
    /// After which it is given up.
    pub expires_at: Time,
    /// How late it is, where an earlier one was given up.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "delayed_by_ms")]
    pub delayed_by: Option<Span>,
    /// Where the incident was in its life when the message was made; absent in requests of before messages named
    /// their alerts, and in a message about no single incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<incident::Status>,
    /// The alerts that the message names, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<NamedAlert>,
    /// The incidents that it tells of, where it tells of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<IncidentId>,
    /// The position up to which the state was read from which the message was made; absent in requests of before
    /// messages named their alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// The silence that is about to end, where it warns of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<SilenceId>,
}

/// A notification is delayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The incident that it is about; absent where an alert has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The alert that it is about, where it has no incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Fingerprint>,
    /// The receiver that is meant; absent where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Why they would have been.
    pub reason: Reason,
    /// Why they are not.
    pub why: HoldReason,
    /// End of the delay.
    pub until: Time,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub title: String,
    /// What is hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Which teams it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}

/// A hold ended without a notice of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// How it ended.
    pub why: HoldReason,
}

/// A receiver took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The `notice.requested` event.
    pub request: EventId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What the receiver answered, in short.
    pub answer: String,
    /// What it took; absent in deliveries of before that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<DeliveredMessage>,
}

/// A receiver did not take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// The `notice.requested` event.
    pub request: EventId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What went wrong, in short.
    pub error: String,
    /// Name of the receiver; absent in facts of before that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
}

/// It was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// The `notice.requested` event.
    pub request: EventId,
    /// The last error.
    pub error: String,
    /// Name of the receiver; absent in facts of before that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
}

/// Where a notice is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On its way.
    Requested,
    /// A receiver took it.
    Delivered,
    /// Given up.
    Expired,
    /// Held back, for a named reason and until a named time.
    Held,
    /// A hold that ended.
    Released,
}

/// A notice as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Derived from the event that requested it.
    pub id: NoticeId,
    /// The event that asked for it, or that held it.
    pub event: EventId,
    /// The incident that it is about.
    pub incident: Option<IncidentId>,
    /// The alert that it is about, where it has no incident.
    pub alert: Option<Fingerprint>,
    /// The receiver of the notification.
    pub receiver: Option<String>,
    /// The change of the incident that asks for a notification.
    pub reason: Reason,
    /// Whether it may wake somebody.
    pub page: bool,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub title: String,
    /// Where it is in its life.
    pub status: Status,
    /// Why it is held, or how that ended.
    pub why: Option<HoldReason>,
    /// Until when it is held, or when it is given up.
    pub until: Time,
    /// When it was asked for or held.
    pub at: Time,
    /// When a receiver took it.
    pub delivered_at: Option<Time>,
    /// Attempts so far.
    pub attempts: u32,
    /// The last error.
    pub error: Option<String>,
    /// Decisions on it so far.
    pub revision: u64,
}

/// All notices of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notices(pub BTreeMap<NoticeId, Notice>);

impl Notices {
    /// Folds one event; events about other things change nothing. True when it was about a notice.
    pub fn evolve(&mut self, recorded: &Recorded) -> bool {
        let Ok(id) = recorded.subject.parse::<NoticeId>() else {
            return false;
        };
        let revision = recorded.revision;
        match &recorded.event {
            Event::NoticeRequested(asked) => {
                self.0.insert(id.clone(), Notice::requested(id, asked, recorded));
                return true;
            }
            Event::NoticeHeld(held) => {
                self.0.insert(id.clone(), Notice::held(id, held, recorded));
                return true;
            }
            events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control, notice_course } =>
                {}
        }
        let Some(notice) = self.0.get_mut(&id) else {
            return false;
        };
        match &recorded.event {
            Event::NoticeReleased(released) => {
                notice.status = Status::Released;
                notice.why = Some(released.why.clone());
            }
            Event::NoticeDelivered(delivered) => {
                notice.status = Status::Delivered;
                notice.delivered_at = Some(recorded.time);
                notice.attempts = notice.attempts.max(delivered.attempt);
            }
            Event::NoticeFailed(failed) if notice.status == Status::Requested => {
                notice.attempts = notice.attempts.max(failed.attempt);
                notice.error = Some(failed.error.clone());
            }
            Event::NoticeExpired(expired) if notice.status == Status::Requested => {
                notice.status = Status::Expired;
                notice.error = Some(expired.error.clone());
            }
            Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeFailed(_)
            | Event::NoticeExpired(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } =>
                {}
        }
        notice.revision = revision.unwrap_or(notice.revision);
        true
    }
}

impl Notice {
    fn requested(id: NoticeId, asked: &Requested, recorded: &Recorded) -> Self {
        Self {
            id,
            event: recorded.id.clone(),
            incident: asked.incident.clone(),
            alert: None,
            receiver: Some(asked.receiver.clone()),
            reason: asked.reason,
            page: asked.page,
            severity: asked.severity,
            title: asked.title.clone(),
            status: Status::Requested,
            why: None,
            until: asked.expires_at,
            at: recorded.time,
            delivered_at: None,
            attempts: 0,
            error: None,
            revision: recorded.revision.unwrap_or(1),
        }
    }

    fn held(id: NoticeId, held: &Held, recorded: &Recorded) -> Self {
        Self {
            id,
            event: recorded.id.clone(),
            incident: held.incident.clone(),
            alert: held.alert.clone(),
            receiver: held.receiver.clone(),
            reason: held.reason,
            page: held.severity.pages(),
            severity: held.severity,
            title: held.title.clone(),
            status: Status::Held,
            why: Some(held.why.clone()),
            until: held.until,
            at: recorded.time,
            delivered_at: None,
            attempts: 0,
            error: None,
            revision: recorded.revision.unwrap_or(1),
        }
    }
}
