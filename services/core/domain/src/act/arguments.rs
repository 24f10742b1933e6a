//! What each act needs: the table's arguments.

use super::{ActArgument, ArgumentForm as F, CliForm};

/// What explicit feedback can say. The first three stand in forms; the rest are other words for them.
pub const VERDICTS: &[(&str, &str)] = &[
    ("helpful", "helpful"),
    ("not_helpful", "not helpful"),
    ("noise", "noise"),
    ("useful", "useful"),
    ("confirmed", "confirmed"),
    ("false_alarm", "false alarm"),
];

/// How long forms offer to snooze: minutes, and how they are shown.
pub const SNOOZES: &[(&str, &str)] = &[("15", "15 min"), ("60", "1 h"), ("240", "4 h"), ("1440", "1 d")];

/// What most arguments are like.
const ARGUMENT: ActArgument = ActArgument {
    name: "",
    form: F::Text,
    required: false,
    help: "",
    label: "",
    example: "",
    asked: true,
    cli: CliForm::Absent,
    cli_help: "",
};

pub(super) const DECLARE: &[ActArgument] = &[
    ActArgument {
        name: "title",
        form: F::Word,
        required: true,
        help: "What is wrong, in plain words",
        label: "Title",
        cli: CliForm::Words("TITLE"),
        ..ARGUMENT
    },
    ActArgument {
        name: "severity",
        form: F::Severity,
        required: true,
        help: "How bad it is: critical, high, medium, low or info",
        label: "Severity",
        cli: CliForm::Default("severity", "SEVERITY", "high"),
        ..ARGUMENT
    },
    ActArgument {
        name: "services",
        form: F::Names,
        help: "The affected services",
        label: "Services",
        cli: CliForm::Flag("service", "NAME"),
        cli_help: "An affected service; may be given several times, or with commas between",
        ..ARGUMENT
    },
    ActArgument {
        name: "description",
        help: "More words",
        label: "Description",
        cli: CliForm::Flag("description", "TEXT"),
        ..ARGUMENT
    },
    ActArgument {
        name: "environment",
        form: F::Word,
        help: "Where the software runs; production where absent",
        label: "Environment",
        cli: CliForm::Flag("environment", "NAME"),
        ..ARGUMENT
    },
    ActArgument {
        name: "started_at",
        form: F::Since,
        help: "When it began; now where absent",
        label: "Began",
        asked: false,
        cli: CliForm::Flag("started-at", "TIME"),
        cli_help: "When it began, such as 03:12 or 20m (ago); now where absent",
        ..ARGUMENT
    },
];

pub(super) const RESOLVE: &[ActArgument] = &[
    ActArgument {
        name: "cause",
        help: "What it was",
        label: "Cause",
        example: "idle transactions held every connection",
        cli: CliForm::Flag("cause", "TEXT"),
        ..ARGUMENT
    },
    ActArgument {
        name: "resolution",
        help: "What ended it",
        label: "Resolution",
        example: "terminated the sessions",
        cli: CliForm::Flag("resolution", "TEXT"),
        ..ARGUMENT
    },
];

pub(super) const MERGE: &[ActArgument] = &[ActArgument {
    name: "into",
    form: F::Incident,
    required: true,
    help: "The incident that remains: its id or a unique prefix",
    label: "Merge into",
    example: "INC-…",
    cli: CliForm::Place("INTO"),
    cli_help: "The incident that remains",
    ..ARGUMENT
}];

pub(super) const SPLIT: &[ActArgument] = &[ActArgument {
    name: "fingerprints",
    form: F::Fingerprints,
    required: true,
    help: "The alerts that leave: fingerprints of ours or the sender's, or unique prefixes",
    label: "Alerts that leave",
    example: "fingerprints, with blanks between",
    cli: CliForm::Many("FINGERPRINT|NAME"),
    cli_help: "The alerts that leave: fingerprints, unique prefixes, or names (all alerts of that name)",
    ..ARGUMENT
}];

pub(super) const ASSIGN: &[ActArgument] = &[ActArgument {
    name: "owner",
    form: F::Owner,
    required: true,
    help: "A person or a team; `null` for nobody",
    label: "Owner",
    example: "a person or a team; empty for nobody",
    cli: CliForm::OrNone("OWNER", "nobody"),
    cli_help: "A person or a team",
    ..ARGUMENT
}];

pub(super) const NOTE: &[ActArgument] = &[ActArgument {
    name: "text",
    required: true,
    help: "The note",
    label: "Note",
    example: "what you found",
    cli: CliForm::Words("TEXT"),
    ..ARGUMENT
}];

pub(super) const SEVERITY: &[ActArgument] = &[ActArgument {
    name: "severity",
    form: F::Severity,
    required: true,
    help: "critical, high, medium, low or info",
    label: "Severity",
    cli: CliForm::Place("SEVERITY"),
    ..ARGUMENT
}];

pub(super) const SNOOZE: &[ActArgument] = &[
    ActArgument {
        name: "until",
        form: F::Until,
        help: "Until when; this or `minutes`",
        label: "No page until",
        asked: false,
        cli: CliForm::Flag("until", "TIME"),
        cli_help: "Until when, such as 18:00 or 2026-11-20T18:00:00Z",
        ..ARGUMENT
    },
    ActArgument {
        name: "minutes",
        form: F::Minutes,
        help: "So many minutes from now; this or `until`",
        label: "No page for",
        cli: CliForm::Flag("for", "DURATION"),
        cli_help: "For how long, such as 90m or 2h; whole minutes",
        ..ARGUMENT
    },
];

pub(super) const FEEDBACK: &[ActArgument] = &[
    ActArgument {
        name: "verdict",
        form: F::OneOf(VERDICTS),
        required: true,
        help: "helpful, not_helpful, noise, …",
        label: "Verdict",
        cli: CliForm::Place("VERDICT"),
        ..ARGUMENT
    },
    // The page's one form has the note's text already.
    ActArgument { name: "text", help: "More words", asked: false, cli: CliForm::Flag("text", "TEXT"), ..ARGUMENT },
];

pub(super) const SILENCE: &[ActArgument] = &[
    ActArgument { name: "matchers", form: F::Matchers, required: true, cli: CliForm::Many("MATCHER"), ..ARGUMENT },
    ActArgument { name: "starts_at", form: F::Until, cli: CliForm::Flag("starts-at", "TIME"), ..ARGUMENT },
    ActArgument { name: "ends_at", form: F::Until, cli: CliForm::Flag("ends-at", "TIME"), ..ARGUMENT },
    ActArgument { name: "duration", form: F::Duration, cli: CliForm::Flag("for", "DURATION"), ..ARGUMENT },
    ActArgument { name: "created_by", form: F::Word, asked: false, ..ARGUMENT },
    ActArgument { name: "comment", required: true, cli: CliForm::Flag("comment", "TEXT"), ..ARGUMENT },
    ActArgument {
        name: "kind",
        form: F::OneOf(&[("silence", "silence"), ("maintenance", "maintenance window")]),
        cli: CliForm::Switch("maintenance"),
        ..ARGUMENT
    },
    ActArgument { name: "environment", form: F::Word, cli: CliForm::Flag("environment", "NAME"), ..ARGUMENT },
    ActArgument { name: "repeats", asked: false, cli: CliForm::Flag("repeat", "WINDOW"), ..ARGUMENT },
    ActArgument { name: "replaces", form: F::Silence, asked: false, cli: CliForm::Flag("replaces", "ID"), ..ARGUMENT },
];

pub(super) const UNDO: &[ActArgument] = &[ActArgument {
    name: "event",
    form: F::Event,
    required: true,
    help: "The event: its id or a unique prefix",
    label: "Event",
    example: "EVT-…",
    cli: CliForm::Place("EVENT|POSITION"),
    cli_help: "The event: its id, a unique prefix, or its position",
    ..ARGUMENT
}];
