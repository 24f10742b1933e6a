//! The catalogue of acts: everything that a person can do, each with its name, its arguments, who may do it, on
//! what, and the words for it. The API's routes and bodies, the web forms, the terminal's commands and the words,
//! buttons and dialogs of chat are derived from this table, so that an act exists at every one of them or at none.
//!
//! Owns the step from what was given to a [`Command`](crate::command::Command); refuses to know where it was given.

mod arguments;
mod catalogue;
mod command;
mod given;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::Status;
use crate::limits::{SPLIT_FINGERPRINTS_MAX, TEXT_BYTES_MAX};

pub use arguments::{SNOOZES, VERDICTS};
pub use catalogue::ACTS;
pub use command::ActReferences;
pub use given::{ArgumentError, GivenArguments, GivenValue, minutes};

/// The acts that a person can request through the API, the web pages, the CLI and chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is explained by its entry in the catalogue
pub enum ActName {
    Declare,
    Acknowledge,
    Unacknowledge,
    Resolve,
    Reopen,
    Merge,
    Split,
    Assign,
    Note,
    Severity,
    Snooze,
    Feedback,
    Silence,
    Unsilence,
    Undo,
}

impl ActName {
    /// Its entry in the catalogue.
    #[must_use]
    pub fn entry(self) -> &'static ActEntry {
        // The catalogue is in the order of the names, which a test holds.
        &ACTS[self as usize]
    }
}

/// What an act is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActTarget {
    /// Something new.
    New,
    /// An incident by id or unique prefix.
    Incident,
    /// A silence by id or unique prefix.
    Silence,
    /// An event of the ledger.
    Event,
}

/// What a person may do. Each role includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Role")]
pub enum ActRole {
    /// Looks and asks.
    #[default]
    Viewer,
    /// Acts on incidents and judges.
    Responder,
    /// Everything.
    Admin,
}

impl ActRole {
    /// Its word in settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }
}

/// How an act is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActUndo {
    /// By undoing its event.
    Undo,
    /// By another act.
    By(ActName),
    /// By the same act with other arguments.
    Again,
    /// Not at all; the ledger keeps what was said.
    Never,
}

/// An act with its target, its arguments and its texts.
#[derive(Clone, Copy, Debug)]
pub struct ActEntry {
    /// The key of the entry; unique in the catalogue.
    pub name: ActName,
    /// The word that its addresses end with, and its fields in events and metrics.
    pub word: &'static str,
    /// The API's method.
    pub method: &'static str,
    /// The API's path.
    pub path: &'static str,
    /// The path that its web form is sent to.
    pub form: &'static str,
    /// What it is done to.
    pub on: ActTarget,
    /// Who may do it.
    pub role: ActRole,
    /// Whether the answer is a new thing.
    pub creates: bool,
    /// How it is taken back.
    pub undo: ActUndo,
    /// In which states of an incident it is offered; empty where it is not about an incident.
    pub offered: &'static [Status],
    /// What its button says.
    pub button: &'static str,
    /// What was done, for the line after it; `{name}` stands for an argument, `{id}` for the incident as typed.
    pub past: &'static str,
    /// One line, as an instruction and without a full stop.
    pub help: &'static str,
    /// What the API answers with where that needs a word; empty otherwise.
    pub answers: &'static str,
    /// The terminal's command.
    pub cli: CliWord,
    /// The word in chat, if chat offers it.
    pub chat: Option<ChatWord>,
    /// What it needs.
    pub arguments: &'static [ActArgument],
    /// Arguments of which exactly one is given; empty where there is no such choice.
    pub one_of: &'static [&'static str],
}

impl ActEntry {
    /// An argument by its name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&'static ActArgument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The arguments that a form or a dialog asks for.
    pub fn fields(&self) -> impl Iterator<Item = &'static ActArgument> {
        self.arguments.iter().filter(|argument| argument.asked)
    }

    /// Whether an incident in this state is offered it.
    #[must_use]
    pub fn is_offered(&self, status: Status) -> bool {
        self.offered.contains(&status)
    }

    /// Whether pressing its button asks for more before anything happens.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.fields().next().is_some()
    }
}

/// What an act needs.
#[derive(Clone, Copy, Debug)]
pub struct ActArgument {
    /// Its field in a body, a form and a dialog.
    pub name: &'static str,
    /// What it can hold.
    pub form: ArgumentForm,
    /// Whether a body must have it.
    pub required: bool,
    /// One line, without a full stop.
    pub help: &'static str,
    /// What stands above its field.
    pub label: &'static str,
    /// What stands in its field as an example.
    pub example: &'static str,
    /// Whether forms and dialogs ask for it.
    pub asked: bool,
    /// How the terminal takes it.
    pub cli: CliForm,
    /// The terminal's own help, where it takes it in another form; empty otherwise.
    pub cli_help: &'static str,
}

impl ActArgument {
    /// The most that it may hold, in bytes or items.
    #[must_use]
    pub const fn bound(&self) -> Option<usize> {
        match self.form {
            ArgumentForm::Text | ArgumentForm::Owner | ArgumentForm::Word => Some(TEXT_BYTES_MAX),
            ArgumentForm::Fingerprints => Some(SPLIT_FINGERPRINTS_MAX),
            _ => None,
        }
    }
}

/// What an argument can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentForm {
    /// Several lines of a person's words.
    Text,
    /// One line.
    Word,
    /// A person or a team; `null` for nobody.
    Owner,
    /// Several names.
    Names,
    /// One of `info`, `low`, `medium`, `high` and `critical`.
    Severity,
    /// One of these words, each with how it is shown.
    OneOf(&'static [(&'static str, &'static str)]),
    /// Another incident, by its id or a unique prefix.
    Incident,
    /// Alerts of the incident, by any of their names.
    Fingerprints,
    /// An event, by its id or a unique prefix.
    Event,
    /// A silence, by its id or a unique prefix.
    Silence,
    /// A time in the past.
    Since,
    /// A time in the future.
    Until,
    /// A number of minutes.
    Minutes,
    /// A length of time with its unit.
    Duration,
    /// Matchers of labels.
    Matchers,
}

/// An act's command in the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CliWord {
    /// The subcommand, such as `ack`.
    pub name: &'static str,
    /// Another name for it.
    pub alias: Option<&'static str>,
}

/// How the terminal takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliForm {
    /// Not at all.
    Absent,
    /// As a value in its place.
    Place(&'static str),
    /// As all the words that follow, which are joined.
    Words(&'static str),
    /// As several values.
    Many(&'static str),
    /// As a flag with a value.
    Flag(&'static str, &'static str),
    /// As a flag with a value and a default.
    Default(&'static str, &'static str, &'static str),
    /// As a value in its place, or as a flag that says that there is none.
    OrNone(&'static str, &'static str),
    /// As a flag without a value.
    Switch(&'static str),
}

/// An act's word in chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatWord {
    /// The first word of the chat message.
    pub word: &'static str,
    /// Another spelling.
    pub alias: Option<&'static str>,
    /// A word that may stand between the incident and the rest: `into`, `to`, `for`, `because`.
    pub joint: Option<&'static str>,
    /// The argument that the rest is read as.
    pub rest: Option<&'static str>,
    /// An example without the word and the incident.
    pub example: &'static str,
}

/// The entries for an incident.
pub fn on_incident() -> impl Iterator<Item = &'static ActEntry> {
    ACTS.iter().filter(|act| act.on == ActTarget::Incident)
}

/// The entries that chat offers, each with its word.
pub fn in_chat() -> impl Iterator<Item = (&'static ActEntry, ChatWord)> {
    ACTS.iter().filter_map(|act| Some((act, act.chat?)))
}

/// An act by its word in chat, or another spelling of it.
#[must_use]
pub fn of_chat(word: &str) -> Option<(&'static ActEntry, ChatWord)> {
    in_chat().find(|(_, chat)| chat.word == word || chat.alias == Some(word))
}
