//! What a person did in chat, whichever vendor brought it. Owns the words; refuses to know what follows.

use hindcast_domain::IncidentId;
use hindcast_domain::act::ActName;
use hindcast_domain::label::About;
use serde_json::{Value, json};

/// A chat product that cards are rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Slack, over its Web API and Events API.
    Slack,
    /// Microsoft Teams.
    Teams,
}

impl Vendor {
    /// Its word in events and settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }
}

/// One thing that a person did.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// The chat product that sent it.
    pub vendor: Vendor,
    /// What makes it the same when it is delivered again: the vendor's own id of it.
    pub key: String,
    /// The vendor's workspace or tenant, where it is named.
    pub team: Option<String>,
    /// The person, as the vendor names them.
    pub user: String,
    /// The person's name, as shown; for people to read alone, never for rights.
    pub user_name: Option<String>,
    /// The channel or conversation.
    pub channel: String,
    /// The thread that an answer goes into.
    pub thread: Option<String>,
    /// Where the conversation is served, for vendors that say so.
    pub service_url: Option<String>,
    /// The message that a button stood on, as the vendor names it.
    pub message: Option<String>,
    /// The incident's revision that the person saw, where a button carries it.
    pub seen: Option<u64>,
    /// What they did.
    pub verb: ChatVerb,
    /// What may be answered to at once; secrets, kept in memory alone.
    pub reply: ChatReply,
}

/// Doors that a vendor opens for the answer to one delivery. Secrets: in memory alone, never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ChatReply {
    /// Where an answer to this delivery is taken.
    pub response_url: Option<String>,
    /// With what a dialog may be opened, for three seconds.
    pub trigger: Option<String>,
}

impl core::fmt::Debug for ChatReply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// What a person did. An incident is named by its id, or by what a person typed where it says so.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatVerb {
    /// Does an act of the catalogue.
    Act {
        /// The act that the button stands for.
        act: ActName,
        /// The incident that it is done to.
        incident: IncidentId,
        /// What was filled in, as the act's body.
        body: Value,
    },
    /// Wants the dialog that asks for what an act needs.
    OpenAct {
        /// The act whose dialog is opened.
        act: ActName,
        /// The incident that it is done to.
        incident: IncidentId,
    },
    /// Wants to choose among the acts that have no button on the card.
    OpenMore(IncidentId),
    /// Wants the dialog that asks for a question.
    OpenAsk(IncidentId),
    /// Asks the copilot.
    Ask {
        /// About which; `None` lets the copilot decide.
        incident: Option<IncidentId>,
        /// The question, as typed.
        text: String,
    },
    /// Judges something: this was the cause, this fixed it, helpful or not, approved or rejected.
    Judge {
        /// The incident that it was shown in.
        incident: Option<IncidentId>,
        /// The item that is judged.
        about: About,
        /// A verdict of `label.judged`.
        verdict: String,
        /// More words.
        text: Option<String>,
    },
    /// A command that was typed, with an incident as typed: `ack 7Q2K`, `show 7Q2K`.
    Typed {
        /// `show`, `list`, or an act's word in chat.
        word: String,
        /// The incident, as typed: an id or a prefix.
        incident: Option<String>,
        /// What else was typed.
        rest: String,
    },
    /// Wants to know what can be said.
    Help,
}

impl ChatVerb {
    /// An act that needs nothing more.
    #[must_use]
    pub fn act(act: ActName, incident: IncidentId) -> Self {
        Self::filled(act, incident, json!({}))
    }

    /// An act with its body.
    #[must_use]
    pub const fn filled(act: ActName, incident: IncidentId, body: Value) -> Self {
        Self::Act { act, incident, body }
    }
}

/// What a delivery means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The vendor wants to see that we are there: answer with this.
    Challenge(String),
    /// A person did something.
    Person(Box<Interaction>),
    /// Nothing that concerns us, with the reason in a word or two: `own message`, `unknown event`.
    Nothing(&'static str),
}

/// Why a delivery could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got}")]
pub struct UnreadableDelivery {
    /// What stands there in a good one.
    pub expected: &'static str,
    /// What came, in short and without its content.
    pub got: String,
}
