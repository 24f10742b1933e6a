//! What a person may ask for, and what becomes of it. A command is a fact at the door; the owner of the
//! lane answers with the event that it caused, or with [`Rejected`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, Fingerprint, IncidentId, LinkId, SilenceId};
use crate::links::{LinkObserved, LinkVerdict};
use crate::severity::Severity;
use crate::silence;
use crate::time::Time;
use crate::words::{ConfigSection, UserVerdict};

/// A command as it was taken in. The person stands in the envelope, as the actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// The idempotency key: the same key is the same command.
    pub key: String,
    /// The revision that the person saw, if it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<u64>,
    /// What is asked for.
    #[serde(flatten)]
    pub command: Command,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", content = "arguments", rename_all = "snake_case")]
pub enum Command {
    /// Begin an incident without an alert.
    DeclareIncident {
        /// In plain words.
        title: String,
        /// How bad it is.
        severity: Severity,
        /// What it hits.
        #[serde(default)]
        services: Vec<String>,
        /// More words.
        #[serde(default)]
        description: Option<String>,
        /// When it began; now where absent.
        #[serde(default)]
        started_at: Option<Time>,
    },
    /// Take care of it.
    AcknowledgeIncident {
        /// The incident that is acknowledged.
        incident: IncidentId,
    },
    /// Stop taking care of it.
    UnacknowledgeIncident {
        /// The incident whose acknowledgement is withdrawn.
        incident: IncidentId,
    },
    /// It is over.
    ResolveIncident {
        /// The incident that is resolved.
        incident: IncidentId,
        /// The cause in the person's words; absent when none was given.
        #[serde(default)]
        cause: Option<String>,
        /// What ended it.
        #[serde(default)]
        resolution: Option<String>,
    },
    /// It is not over.
    ReopenIncident {
        /// The resolved incident that opens again.
        incident: IncidentId,
    },
    /// It is a part of another one.
    MergeIncident {
        /// The one that ends.
        incident: IncidentId,
        /// The one that remains.
        into: IncidentId,
    },
    /// Some of its alerts are another problem.
    SplitIncident {
        /// The incident that alerts are moved out of.
        incident: IncidentId,
        /// The alerts that leave.
        fingerprints: Vec<Fingerprint>,
    },
    /// Somebody else takes care.
    AssignIncident {
        /// The incident that is assigned.
        incident: IncidentId,
        /// A person or a team; nobody where absent.
        #[serde(default)]
        owner: Option<String>,
    },
    /// Write something down.
    NoteIncident {
        /// The incident that the note is attached to.
        incident: IncidentId,
        /// The note, as plain text.
        text: String,
    },
    /// It is better or worse than it looks.
    SetIncidentSeverity {
        /// The incident whose severity changes.
        incident: IncidentId,
        /// The new severity.
        severity: Severity,
    },
    /// Do not page for it until then.
    SnoozeIncident {
        /// The incident whose pages pause.
        incident: IncidentId,
        /// End of the pause.
        until: Time,
    },
    /// Did it help?
    GiveFeedback {
        /// The incident that is judged.
        incident: IncidentId,
        /// The person's verdict, such as helpful or noise.
        verdict: UserVerdict,
        /// More words.
        #[serde(default)]
        text: Option<String>,
    },
    /// Take an event back.
    UndoEvent {
        /// The event that is taken back.
        event: EventId,
        /// The event's subject, by which its owner finds it.
        subject: String,
    },
    /// Hold alerts back.
    CreateSilence {
        /// What it says.
        terms: silence::Terms,
        /// The silence that this one replaces; absent for a new one.
        #[serde(default)]
        replaces: Option<SilenceId>,
    },
    /// End a silence.
    ExpireSilence {
        /// The silence that ends now.
        silence: SilenceId,
    },
    /// Activate a configuration section.
    Configure(Configured),
    /// Make a version of a model the production version.
    PromoteModel {
        /// Name of the model, such as `pair-scorer`.
        model: String,
        /// Number of the version that becomes the production version.
        version: u32,
    },
    /// Make the version before the production version again.
    RollBackModel {
        /// Name of the model, such as `pair-scorer`.
        model: String,
        /// Why, in plain words.
        why: String,
    },
    /// Let a version run as a shadow of the production version.
    ShadowModel {
        /// Name of the model, such as `pair-scorer`.
        model: String,
        /// The version; `None` ends the shadow.
        version: Option<u32>,
        /// The first position that it decides on; the head where absent.
        #[serde(default)]
        from: Option<u64>,
    },
    /// Propose links between services, from a file.
    ProposeLinks {
        /// The links with what says so.
        links: Vec<LinkObserved>,
    },
    /// Confirm or deny a link.
    JudgeLink {
        /// The link that is judged.
        link: LinkId,
        /// What the person says of it.
        verdict: LinkVerdict,
    },
    /// Let an installation perform effects.
    Activate(Activated),
    /// Say that this ledger was restored from a backup.
    Restore(Restored),
}

/// A configuration section in canonical form. Secrets are references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configured {
    /// The name of the section.
    pub section: ConfigSection,
    /// SHA-256 of the content, in hexadecimal.
    pub hash: String,
    /// The section's content as JSON.
    pub content: serde_json::Value,
}

/// An installation may perform effects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activated {
    /// The installation's id, which lies outside ledger and backup.
    pub install: String,
}

/// The ledger was restored from a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// The backup's head.
    pub position: u64,
    /// The backup's own hash.
    pub hash: String,
}

/// A part of the ledger has a new owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owned {
    /// Rises with each owner.
    pub epoch: u64,
    /// The owner's installation.
    pub owner: String,
}

/// A command was understood and refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Rejected {
    /// A stable code.
    pub code: Code,
    /// What was expected and what came.
    pub detail: String,
}

/// Why a command was refused; each has a status and a remedy in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No such incident, silence or event in this partition.
    NotFound,
    /// It is in a state in which this means nothing.
    Conflict,
    /// Its revision is not the one that was named.
    StaleRevision,
    /// It became a part of another incident.
    MergedAway,
    /// Two incidents of two partitions.
    CrossPartition,
    /// The arguments contradict themselves.
    Invalid,
    /// It cannot be undone.
    NotUndoable,
    /// An earlier undo took the event back.
    AlreadyUndone,
    /// The same key came with another command.
    KeyReused,
}

impl Rejected {
    /// A refusal with its reason.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}
