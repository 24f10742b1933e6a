//! What a person did in chat, whichever vendor brought it. Owns the words; refuses to know what follows.

use hindcast_domain::IncidentId;
use hindcast_domain::label::About;

/// A vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Slack.
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
    /// Where.
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
    pub verb: Verb,
    /// What may be answered to at once; secrets, kept in memory alone.
    pub reply: Reply,
}

/// Doors that a vendor opens for the answer to one delivery. Secrets: in memory alone, never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Where an answer to this delivery is taken.
    pub response_url: Option<String>,
    /// With what a dialog may be opened, for three seconds.
    pub trigger: Option<String>,
}

impl core::fmt::Debug for Reply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// What a person did. An incident is named by its id, or by what a person typed where it says so.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Takes care.
    Acknowledge(IncidentId),
    /// Takes care no more.
    Unacknowledge(IncidentId),
    /// It is over.
    Resolve {
        /// Which.
        incident: IncidentId,
        /// What it was.
        cause: Option<String>,
        /// What ended it.
        resolution: Option<String>,
    },
    /// It is not over.
    Reopen(IncidentId),
    /// It is a part of another one.
    Merge {
        /// The one that ends.
        incident: IncidentId,
        /// The one that remains.
        into: IncidentId,
    },
    /// Wants the dialog that asks for cause and resolution.
    OpenResolve(IncidentId),
    /// Wants the dialog that asks what it is merged into.
    OpenMerge(IncidentId),
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
        /// What.
        about: About,
        /// A verdict of `label.judged`.
        verdict: String,
        /// More words.
        text: Option<String>,
    },
    /// A command that was typed, with an incident as typed: `ack 7Q2K`, `show 7Q2K`.
    Typed {
        /// `ack`, `unack`, `resolve`, `reopen`, `show`, `list`, `merge`.
        word: String,
        /// The incident, as typed: an id or a prefix.
        incident: Option<String>,
        /// What else was typed.
        rest: String,
    },
    /// Wants to know what can be said.
    Help,
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
pub struct Unreadable {
    /// What stands there in a good one.
    pub expected: &'static str,
    /// What came, in short and without its content.
    pub got: String,
}
