//! The table itself. It is data: an entry for each act, in the order in which the terminal lists them.

use super::arguments::{ASSIGN, DECLARE, FEEDBACK, MERGE, NOTE, RESOLVE, SEVERITY, SILENCE, SNOOZE, SPLIT, UNDO};
use super::{ActEntry, ActName, ActRole, ActTarget, ActUndo, ChatWord, CliWord};
use crate::incident::Status::{self, Acknowledged, Open, Resolved};

const ANY: &[Status] = &[Open, Acknowledged, Resolved];
const LIVE: &[Status] = &[Open, Acknowledged];

/// What most acts are like: a responder does them to an incident.
const ACT: ActEntry = ActEntry {
    name: ActName::Declare,
    word: "",
    method: "post",
    path: "",
    form: "",
    on: ActTarget::Incident,
    role: ActRole::Responder,
    creates: false,
    undo: ActUndo::Never,
    offered: &[],
    button: "",
    past: "",
    help: "",
    answers: "",
    cli: CliWord { name: "", alias: None },
    chat: None,
    arguments: &[],
    one_of: &[],
};

const fn cli(name: &'static str, alias: Option<&'static str>) -> CliWord {
    CliWord { name, alias }
}

const fn chat(word: &'static str, rest: Option<&'static str>, example: &'static str) -> ChatWord {
    ChatWord { word, alias: None, joint: None, rest, example }
}

/// Every act, in the order of [`ActName`].
pub static ACTS: [ActEntry; 15] = [
    ActEntry {
        name: ActName::Declare,
        word: "declare",
        path: "/api/v1/incidents",
        form: "/declare",
        on: ActTarget::New,
        creates: true,
        undo: ActUndo::By(ActName::Resolve),
        button: "Declare",
        past: "declared",
        help: "Declare an incident by hand",
        cli: cli("declare", None),
        arguments: DECLARE,
        ..ACT
    },
    ActEntry {
        name: ActName::Acknowledge,
        word: "acknowledge",
        path: "/api/v1/incidents/{id}/acknowledge",
        form: "/{id}/acknowledge",
        undo: ActUndo::By(ActName::Unacknowledge),
        offered: &[Open],
        button: "Acknowledge",
        past: "acknowledged",
        help: "Acknowledge an incident",
        cli: cli("ack", Some("acknowledge")),
        chat: Some(ChatWord { alias: Some("acknowledge"), ..chat("ack", None, "") }),
        ..ACT
    },
    ActEntry {
        name: ActName::Unacknowledge,
        word: "unacknowledge",
        path: "/api/v1/incidents/{id}/unacknowledge",
        form: "/{id}/unacknowledge",
        undo: ActUndo::By(ActName::Acknowledge),
        offered: &[Acknowledged],
        button: "Withdraw acknowledgement",
        past: "acknowledgement withdrawn",
        help: "Withdraw the acknowledgement of an incident",
        cli: cli("unack", Some("unacknowledge")),
        chat: Some(ChatWord { alias: Some("unacknowledge"), ..chat("unack", None, "") }),
        ..ACT
    },
    ActEntry {
        name: ActName::Resolve,
        word: "resolve",
        path: "/api/v1/incidents/{id}/resolve",
        form: "/{id}/resolve",
        undo: ActUndo::By(ActName::Reopen),
        offered: ANY,
        button: "Resolve",
        past: "resolved",
        help: "Resolve an incident, with its cause and what ended it",
        cli: cli("resolve", None),
        chat: Some(ChatWord { joint: Some("because"), ..chat("resolve", Some("cause"), "what it was") }),
        arguments: RESOLVE,
        ..ACT
    },
    ActEntry {
        name: ActName::Reopen,
        word: "reopen",
        path: "/api/v1/incidents/{id}/reopen",
        form: "/{id}/reopen",
        undo: ActUndo::By(ActName::Resolve),
        offered: &[Resolved],
        button: "Reopen",
        past: "reopened",
        help: "Reopen a resolved incident",
        cli: cli("reopen", None),
        chat: Some(chat("reopen", None, "")),
        ..ACT
    },
    ActEntry {
        name: ActName::Merge,
        word: "merge",
        path: "/api/v1/incidents/{id}/merge",
        form: "/{id}/merge",
        undo: ActUndo::Undo,
        offered: LIVE,
        button: "Merge",
        past: "remains, {id} is merged into it",
        help: "Merge one incident into another: the first ends, the second remains",
        answers: "the incident that remains",
        cli: cli("merge", None),
        chat: Some(ChatWord { joint: Some("into"), ..chat("merge", Some("into"), "into 9F3C") }),
        arguments: MERGE,
        ..ACT
    },
    ActEntry {
        name: ActName::Split,
        word: "split",
        path: "/api/v1/incidents/{id}/split",
        form: "/{id}/split",
        creates: true,
        undo: ActUndo::Undo,
        offered: ANY,
        button: "Split",
        past: "is a new incident, split from {id}",
        help: "Move alerts of an incident to a new one",
        answers: "the new incident",
        cli: cli("split", None),
        chat: Some(chat("split", Some("fingerprints"), "FINGERPRINT…")),
        arguments: SPLIT,
        ..ACT
    },
    ActEntry {
        name: ActName::Assign,
        word: "assign",
        path: "/api/v1/incidents/{id}/assign",
        form: "/{id}/assign",
        undo: ActUndo::Again,
        offered: ANY,
        button: "Assign",
        past: "assigned to {owner}",
        help: "Assign an incident to a person or a team, or to nobody",
        cli: cli("assign", None),
        chat: Some(ChatWord { joint: Some("to"), ..chat("assign", Some("owner"), "anna") }),
        arguments: ASSIGN,
        ..ACT
    },
    ActEntry {
        name: ActName::Note,
        word: "note",
        path: "/api/v1/incidents/{id}/note",
        form: "/{id}/note",
        offered: ANY,
        button: "Add note",
        past: "noted",
        help: "Add a note to an incident",
        cli: cli("note", None),
        chat: Some(chat("note", Some("text"), "what you found")),
        arguments: NOTE,
        ..ACT
    },
    ActEntry {
        name: ActName::Severity,
        word: "severity",
        path: "/api/v1/incidents/{id}/severity",
        form: "/{id}/severity",
        undo: ActUndo::Again,
        offered: ANY,
        button: "Set severity",
        past: "is {severity} now",
        help: "Set the severity of an incident",
        cli: cli("severity", None),
        chat: Some(ChatWord { joint: Some("to"), ..chat("severity", Some("severity"), "high") }),
        arguments: SEVERITY,
        ..ACT
    },
    ActEntry {
        name: ActName::Snooze,
        word: "snooze",
        path: "/api/v1/incidents/{id}/snooze",
        form: "/{id}/snooze",
        undo: ActUndo::Again,
        offered: LIVE,
        button: "Snooze",
        past: "snoozed",
        help: "Suppress the pages of an incident for a while",
        cli: cli("snooze", None),
        chat: Some(ChatWord { joint: Some("for"), ..chat("snooze", Some("minutes"), "30m") }),
        arguments: SNOOZE,
        one_of: &["until", "minutes"],
        ..ACT
    },
    ActEntry {
        name: ActName::Feedback,
        word: "feedback",
        path: "/api/v1/incidents/{id}/feedback",
        form: "/{id}/feedback",
        undo: ActUndo::Again,
        offered: ANY,
        button: "Send feedback",
        past: "feedback taken",
        help: "Say whether an incident was helpful, or noise",
        cli: cli("feedback", None),
        arguments: FEEDBACK,
        ..ACT
    },
    ActEntry {
        name: ActName::Silence,
        word: "silence",
        path: "/api/v1/silences",
        form: "/silences",
        on: ActTarget::New,
        creates: true,
        undo: ActUndo::Undo,
        button: "Silence",
        past: "silenced",
        help: "Suppress alerts for a while, or during a maintenance window",
        answers: "the silence; Alertmanager's names are understood too",
        cli: cli("silence", None),
        arguments: SILENCE,
        ..ACT
    },
    ActEntry {
        name: ActName::Unsilence,
        word: "expire",
        method: "delete",
        path: "/api/v1/silences/{id}",
        form: "/silences/{id}/expire",
        on: ActTarget::Silence,
        button: "End",
        past: "ended",
        help: "End a silence",
        cli: cli("unsilence", None),
        ..ACT
    },
    ActEntry {
        name: ActName::Undo,
        word: "undo",
        path: "/api/v1/undo",
        form: "/undo",
        on: ActTarget::Event,
        button: "Undo",
        past: "undone",
        help: "Take back a merge, split, silence, suppression or label, by a new event",
        answers: "what the event was about",
        cli: cli("undo", None),
        arguments: UNDO,
        ..ACT
    },
];
