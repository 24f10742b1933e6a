//! A fact that may be appended by whoever saw it. Owns the list of the payloads that are facts; a command and a
//! decision are not among them, so that no value of [`Fact`] can be one.

use crate::event::{Change, Delivery, DoorOpened, Event, Parked, Unparked};
use crate::{alert, chat, conversation, finding, label, links, model, notice, proposal};

/// An event that is neither a command nor a decision. The only way to make one is [`From`] its payload.
///
/// ```
/// use hindcast_domain::{Event, event::DoorOpened, fact::Fact};
/// let fact = Fact::from(DoorOpened { version: "1.0.0".to_owned() });
/// assert!(matches!(fact.event(), Event::DoorOpened(_)));
/// ```
///
/// A command does not become one:
/// ```compile_fail,E0277
/// use hindcast_domain::{command::Received, fact::Fact};
/// fn smuggle(command: Received) -> Fact {
///     Fact::from(command)
/// }
/// ```
///
/// Nor does an event whose type is not known:
/// ```compile_fail,E0277
/// use hindcast_domain::{Event, fact::Fact};
/// fn smuggle(event: Event) -> Fact {
///     Fact::from(event)
/// }
/// ```
///
/// Nor can the field be set from outside:
/// ```compile_fail,E0423
/// use hindcast_domain::{Event, fact::Fact};
/// fn smuggle(event: Event) -> Fact {
///     Fact(event)
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fact(Event);

impl Fact {
    /// The event as it is read back.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.0
    }

    /// The event, for whoever encodes it.
    #[must_use]
    pub fn into_event(self) -> Event {
        self.0
    }
}

macro_rules! facts {
    ($($variant:ident($payload:ty)),* $(,)?) => {
        $(impl From<$payload> for Fact {
            fn from(payload: $payload) -> Self {
                Self(Event::$variant(payload))
            }
        })*
    };
}

facts! {
    Delivery(Delivery),
    DoorOpened(DoorOpened),
    Observed(alert::Observation),
    Change(Change),
    Parked(Parked),
    Unparked(Unparked),
    FindingRaised(finding::Raised),
    LinkObserved(links::LinkObserved),
    EvidencePinned(finding::Pinned),
    CallsSeen(finding::CallsSeen),
    ConversationAsked(conversation::Asked),
    ConversationToolUsed(conversation::ToolUsed),
    ConversationReplied(conversation::Replied),
    ConversationAnswered(conversation::Answered),
    ProposalMade(proposal::Made),
    ProposalRejected(proposal::Rejected),
    LabelJudged(label::Judged),
    ModelRegistered(model::Registered),
    ModelJudged(model::Judged),
    ShadowPlaced(model::Placed),
    ChatReceived(chat::Received),
    ChatDelivered(chat::Delivered),
    ChatUpdated(chat::Updated),
    ChatFailed(chat::Failed),
    ChatExpired(chat::Expired),
    NoticeDelivered(notice::Delivered),
    NoticeFailed(notice::Failed),
    NoticeExpired(notice::Expired),
}
