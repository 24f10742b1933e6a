//! Refusals: `application/problem+json` with a stable code and a remedy, never an internal cause.

use hindcast_domain::vocabulary;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A refusal, after RFC 9457, with two fields of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// A link to the code's description.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in plain words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was expected and what came.
    pub detail: String,
    /// The stable code.
    pub code: ProblemCode,
    /// What to do.
    pub remedy: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal, $remedy:literal;)*) => {
        /// Every code that a refusal can have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes, for the documents.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                self.parts().0
            }

            /// (code, status, title, remedy)
            #[must_use]
            pub const fn parts(self) -> (&'static str, u16, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($code, $status, $title, $remedy),)*
                }
            }
        }

        vocabulary! {
            /// The code of a refusal as a program reads it: a server of another version may have others.
            pub enum ProblemCode: open {
                $($(#[$doc])* $name = $code,)*
            }
        }

        impl From<Code> for ProblemCode {
            fn from(code: Code) -> Self {
                match code {
                    $(Code::$name => Self::$name,)*
                }
            }
        }

        impl PartialEq<Code> for ProblemCode {
            fn eq(&self, code: &Code) -> bool {
                self.as_str() == code.as_str()
            }
        }
    };
}

codes! {
    /// Not the syntax that was announced.
    Malformed = "malformed", 400, "The body is not well-formed", "Send well-formed content of the announced type.";
    /// An unknown or ill-formed parameter.
    BadParameter = "bad_parameter", 400, "A parameter is not valid", "See /openapi.json for the parameters of this route.";
    /// A limit outside 1 to 500.
    BadLimit = "bad_limit", 400, "The limit is out of range", "Use a limit of 1 to 500.";
    /// Not a cursor of ours.
    BadCursor = "bad_cursor", 400, "The cursor is not valid", "Use the `next` of the previous page, unchanged.";
    /// Neither a position nor a time.
    BadAsOf = "bad_as_of", 400, "as_of is not valid", "Use a position or an RFC 3339 time, such as 2026-11-20T03:12:00Z.";
    /// Nested too deep, too many labels, and the like.
    OverLimit = "over_limit", 400, "A limit is exceeded", "Send less: at most 64 levels of nesting and 256 labels an alert.";
    /// No credential, or a wrong one.
    Unauthorized = "unauthorized", 401, "A credential is missing or wrong", "Send the source's credential, or `Authorization: Bearer` with the token.";
    /// A right that is not given.
    Forbidden = "forbidden", 403, "Not allowed", "Ask the operator of Hindcast for the right.";
    /// No such thing.
    NotFound = "not_found", 404, "Not found", "Find it in the lists under /api/v1.";
    /// A prefix of several ids.
    Ambiguous = "ambiguous", 409, "The prefix matches several ids", "Use more digits of the id.";
    /// Another method.
    MethodNotAllowed = "method_not_allowed", 405, "The route does not support this method", "See /openapi.json for the methods of this route.";
    /// A state in which this means nothing.
    Conflict = "conflict", 409, "The current state does not allow this", "Read the current state, and send a command that fits it.";
    /// It became a part of another incident.
    MergedAway = "merged_away", 409, "The incident was merged into another incident", "Use the incident that it was merged into.";
    /// The same key with another command.
    KeyReused = "key_reused", 409, "The idempotency key was used for another command", "Use a fresh Idempotency-Key.";
    /// An earlier undo took the event back.
    AlreadyUndone = "already_undone", 409, "Already undone", "Nothing is left to do.";
    /// A revision that is not current.
    StaleRevision = "stale_revision", 412, "It changed after you read it", "Read it again and send its revision as If-Match.";
    /// Too many bytes.
    TooLarge = "too_large", 413, "The body is too large", "Send at most 16 MiB a request.";
    /// A type that this route does not read.
    UnsupportedMediaType = "unsupported_media_type", 415, "The media type is not supported", "Send application/json.";
    /// Understood, and makes no sense.
    Invalid = "invalid", 422, "Validation failed", "Fix the field named in `detail`.";
    /// Too little to learn from.
    TooFewLabels = "too_few_labels", 422, "Too few labels for a training", "Merge, split or resolve with a cause where you know better, and train again.";
    /// Two partitions.
    CrossPartition = "cross_partition", 422, "The incidents are of different environments", "Link the incidents instead of merging them.";
    /// Something that has no way back.
    NotUndoable = "not_undoable", 422, "This event cannot be undone", "Undo a merge, split, silence or suppression.";
    /// Too much at once.
    Busy = "busy", 429, "Too many requests are pending", "Retry after Retry-After seconds.";
    /// Not built yet.
    NotImplemented = "not_implemented", 501, "Promised and not built yet", "See CHANGELOG.md for what is built.";
    /// Built, and not set up in this process.
    NotSetUp = "not_set_up", 501, "Not configured in this process", "Set it up in the settings, or ask the process that has it.";
    /// The ledger takes nothing, or we are not ready.
    Unavailable = "unavailable", 503, "Temporarily unavailable", "Retry after Retry-After seconds.";
    /// A defect of ours.
    Internal = "internal", 500, "Internal error", "Read the log of Hindcast, and report the defect.";
}

impl Problem {
    /// A refusal with what was expected and what came.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (word, status, title, remedy) = code.parts();
        Self {
            kind: format!("/docs/errors#{word}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.into(),
            remedy: remedy.to_owned(),
        }
    }

    /// The same with a remedy that fits better.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Of a command that was refused by its owner.
    #[must_use]
    pub fn of_rejection(rejected: &hindcast_domain::command::Rejected) -> Self {
        use hindcast_domain::command::Code as Why;
        let code = match rejected.code {
            Why::NotFound => Code::NotFound,
            Why::Conflict => Code::Conflict,
            Why::StaleRevision => Code::StaleRevision,
            Why::MergedAway => Code::MergedAway,
            Why::CrossPartition => Code::CrossPartition,
            Why::Invalid => Code::Invalid,
            Why::NotUndoable => Code::NotUndoable,
            Why::AlreadyUndone => Code::AlreadyUndone,
            Why::KeyReused => Code::KeyReused,
        };
        Self::new(code, rejected.detail.clone())
    }
}
