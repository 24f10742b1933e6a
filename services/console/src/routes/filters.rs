//! The query parameters of each kind of route.

use crate::params::{AS_OF, CURSOR, Form, LIMIT, Param, of, text};

const WORDS_SEVERITY: Form = Form::Words(&["critical", "high", "medium", "low", "info"]);
const WORDS_INCIDENT: Form = Form::Words(&["open", "acknowledged", "resolved"]);
const WORDS_ALERT: Form = Form::Words(&["firing", "resolved", "stale"]);
const WORDS_NOTICE: Form = Form::Words(&["requested", "delivered", "expired", "held", "released"]);

pub(super) const NONE: &[Param] = &[];
pub(super) const ONE: &[Param] = &[AS_OF];
pub(super) const LIST: &[Param] = &[AS_OF, LIMIT, CURSOR];
/// The filters of the incident list.
pub const INCIDENTS: &[Param] = &[
    of("status", WORDS_INCIDENT, "Any of these."),
    of("severity", WORDS_SEVERITY, "Any of these."),
    text("service", "This service, by any of its names."),
    text("q", "All these words, in title, services, cause, resolution or alert names."),
    of("since", Form::Time, "Opened at or after."),
    of("until", Form::Time, "Opened before."),
    text("environment", "In this environment."),
    AS_OF,
    LIMIT,
    CURSOR,
];
/// The filters of the alert list.
pub const ALERTS: &[Param] = &[
    text("fingerprint", "Ours or the sender's, or a unique prefix."),
    text("name", "The rule's name."),
    of("status", WORDS_ALERT, "Any of these."),
    text("label", "NAME=VALUE; may come several times, all must match."),
    text("incident", "Members of this incident: its id or a unique prefix."),
    of("suppressed", Form::Flag, "Only suppressed ones, or only those that are not."),
    AS_OF,
    LIMIT,
    CURSOR,
];
/// The filters of the notice list.
pub const NOTICES: &[Param] = &[
    text("incident", "About this incident: its id or a unique prefix."),
    of("status", WORDS_NOTICE, "Any of these."),
    of("page", Form::Flag, "Only what may wake somebody, or only the rest."),
    AS_OF,
    LIMIT,
    CURSOR,
];
/// When, and for what, somebody is on call.
pub const ONCALL: &[Param] = &[
    of("at", Form::Time, "At this time; now where absent."),
    text("service", "By the schedules for this service alone."),
    AS_OF,
];
/// The filters of the list of findings.
pub const FINDINGS: &[Param] = &[
    text("service", "Of this service."),
    text("environment", "Of this environment."),
    of("since", Form::Time, "That began at or after."),
    of("until", Form::Time, "That began before."),
    AS_OF,
    LIMIT,
    CURSOR,
];
/// The stretch of a report.
pub const REPORTS: &[Param] = &[
    of("since", Form::Time, "Incidents opened at or after; 30 days back where absent."),
    of("until", Form::Time, "Incidents opened before."),
    text("service", "Of this service alone."),
    text("environment", "Of this environment alone."),
    of("format", Form::Words(&["json", "csv"]), "A document, or a table of commas."),
    AS_OF,
];
/// What kinds of things labels say.
const KINDS: &[&str] =
    &["grouping", "cause", "attention", "severity", "resolution", "proposal", "recall", "notice", "answer"];
/// The filters of the list of labels.
pub const LABELS: &[Param] = &[
    of("kind", Form::Words(KINDS), "What kind of thing they say."),
    text("rule", "A rule of the table, such as `merged`."),
    of("provenance", Form::Words(&["explicit", "implicit"]), "Said by a person, or concluded."),
    text("incident", "Given in this incident: its id or a unique prefix."),
    text("by", "By this person."),
    text("environment", "In this environment."),
    of("retracted", Form::Flag, "Only those that count no more, or only those that do."),
    of("disputed", Form::Flag, "Only those that others dispute, or only those that nobody does."),
    of("format", Form::Words(&["json", "ndjson", "csv"]), "A page of JSON, or all of them as lines or a table."),
    AS_OF,
    LIMIT,
    CURSOR,
];
pub(super) const MEMORY: &[Param] =
    &[text("q", "Words to look for."), AS_OF, of("limit", Form::Integer, "How many, 1 to 50; 10 where absent.")];
/// The filters of the event list.
pub const EVENTS: &[Param] = &[
    text("kind", "`intake`, `decision`, a whole type (`incident.opened`) or its first word (`incident`)."),
    of("from", Form::Integer, "At or after this position."),
    of("to", Form::Integer, "At or before this position."),
    text("subject", "About this subject."),
    AS_OF,
    LIMIT,
    CURSOR,
];
pub(super) const STREAM: &[Param] = &[
    text("kind", "As for /api/v1/events."),
    of("from", Form::Integer, "From this position on; from now on where absent. `Last-Event-ID` comes first."),
    of("as_of", Form::AsOf, "Ends there instead of waiting for more."),
];
