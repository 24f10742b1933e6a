//! How the tools are offered: a name, what it answers, and a schema that takes nothing else.

use serde_json::{Map, Value, json};

use hindcast_advice::tools::Spec;
use hindcast_api::{Code, Problem};

use super::args::LIMIT_MAX;

const INCIDENT: (&str, &str) = ("incident", "An incident's id (INC-…) or a unique prefix; the newest where absent.");

/// All tools, in the order in which they are listed.
pub(super) fn all() -> Vec<Spec> {
    vec![
        list_incidents(),
        tool("get_incident", "One incident: status, severity, services, times, who has it.", &[text(INCIDENT)]),
        tool(
            "get_timeline",
            "What happened in an incident, in plain words, oldest first, each line with its event.",
            &[text(INCIDENT), limit()],
        ),
        tool(
            "get_alerts",
            "Alerts, newest first: of an incident, by name, service or status.",
            &[
                text(("incident", "Only members of this incident.")),
                text(("name", "Only of this rule.")),
                text(("service", "Only of this service.")),
                word("status", "Only with this status.", &["firing", "resolved", "stale"]),
                limit(),
            ],
        ),
        tool(
            "get_receipt",
            "One alert's whole way from the socket to the page, step by step with events.",
            &[text(("alert", "The alert's fingerprint, a unique prefix or its name; the newest where absent."))],
        ),
        tool(
            "get_why",
            "What holds an incident together: why each alert is a member, and what was kept out.",
            &[text(INCIDENT)],
        ),
        tool(
            "get_causes",
            "What may have been the cause of an incident, best first, with the path from there to the alarm; \
             'unresolved' is an answer.",
            &[text(INCIDENT)],
        ),
        get_similar(),
        tool("get_proposals", "Runbooks that fit an incident. Nothing runs.", &[text(INCIDENT)]),
        tool("get_changes", "Deploys, flags and configuration changes near an incident.", &[text(INCIDENT)]),
        get_findings(),
        search_events(),
        tool(
            "get_event",
            "One event of the ledger, whole.",
            &[required(text(("event", "The event's id (EVT-…) or a unique prefix.")))],
        ),
        search_logs(),
    ]
}

fn list_incidents() -> Spec {
    tool(
        "list_incidents",
        "Incidents, newest first.",
        &[
            word("status", "Only with this status.", &["open", "acknowledged", "resolved"]),
            word("severity", "Only of this severity.", &["critical", "high", "medium", "low", "info"]),
            text(("service", "Only of this service.")),
            text(("q", "Only with all these words in title, services, cause, resolution or alert names.")),
            time("since", "Opened at or after this time (RFC 3339)."),
            time("until", "Opened before this time (RFC 3339)."),
            limit(),
        ],
    )
}

fn get_similar() -> Spec {
    tool(
        "get_similar",
        "Incidents of the past that are like an incident, or like a text: what they were and what ended them.",
        &[text(INCIDENT), text(("text", "Words to look for instead of an incident.")), limit()],
    )
}

fn get_findings() -> Spec {
    tool(
        "get_findings",
        "What detectors concluded from logs and metrics: new or bursting log templates, metric shifts.",
        &[
            text(("incident", "Only in the environment of this incident, from a quarter of an hour before it.")),
            text(("service", "Only of this service.")),
            time("since", "Began at or after this time (RFC 3339)."),
            time("until", "Began before this time (RFC 3339)."),
            limit(),
        ],
    )
}

fn search_events() -> Spec {
    tool(
        "search_events",
        "Events of the ledger, oldest first.",
        &[
            text(("kind", "A whole type such as incident.opened, or its first word.")),
            text(("subject", "Only about this id.")),
            number("from", "At or after this position."),
            number("to", "At or before this position."),
            limit(),
        ],
    )
}

fn search_logs() -> Spec {
    tool(
        "search_logs",
        "Log lines that are still kept. Telemetry expires and is no event: it cannot be cited, and it is not \
         there for questions about the past.",
        &[
            text(("incident", "Around this incident, in its environment.")),
            text(("environment", "In this environment, where no incident is named.")),
            text(("service", "Only of this service.")),
            word("level", "At least this bad.", &["debug", "info", "warning", "error", "fatal"]),
            text(("contains", "Only lines with this text.")),
            time("from", "From this time on (RFC 3339)."),
            time("to", "Before this time (RFC 3339)."),
            limit(),
        ],
    )
}

struct Field {
    name: &'static str,
    schema: Value,
    required: bool,
}

fn text((name, about): (&'static str, &str)) -> Field {
    Field { name, schema: json!({"type": "string", "maxLength": 256, "description": about}), required: false }
}

fn time(name: &'static str, about: &str) -> Field {
    Field { name, schema: json!({"type": "string", "maxLength": 40, "description": about}), required: false }
}

fn word(name: &'static str, about: &str, words: &[&str]) -> Field {
    Field { name, schema: json!({"type": "string", "enum": words, "description": about}), required: false }
}

fn number(name: &'static str, about: &str) -> Field {
    Field { name, schema: json!({"type": "integer", "minimum": 0, "description": about}), required: false }
}

fn limit() -> Field {
    let schema = json!({
        "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "description": "At most so many; 20 where absent.",
    });
    Field { name: "limit", schema, required: false }
}

fn required(field: Field) -> Field {
    Field { required: true, ..field }
}

fn tool(name: &'static str, about: &'static str, fields: &[Field]) -> Spec {
    let needed: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.schema.clone())).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": needed, "additionalProperties": false,
    });
    Spec { name, about, schema }
}

/// What is said to somebody who names no tool of ours.
pub(super) fn unknown(name: &str) -> Problem {
    let names: Vec<&str> = all().iter().map(|spec| spec.name).collect();
    // A name comes from a model and may be anything.
    let shown: String = name.chars().take(64).collect();
    Problem::new(Code::NotFound, format!("expected one of the tools {}, got {shown:?}", names.join(", ")))
        .remedy("Use a tool's name as it is listed.")
}
