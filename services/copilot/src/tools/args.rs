//! The arguments of the tools, read strictly: an unknown field or a wrong type is an error that names it.

use std::str::FromStr;

use hindcast_api::{Code, Problem};
use hindcast_domain::{Severity, Time, alert, incident};
use hindcast_telemetry::LogLevel;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Items of a list where no limit was asked for.
pub(super) const LIMIT_DEFAULT: usize = 20;
/// Items of the longest list.
pub(super) const LIMIT_MAX: usize = 100;

/// Reads the arguments of a tool. Nothing at all stands for an empty object.
pub(super) fn read<T: DeserializeOwned>(tool: &str, arguments: Value) -> Result<T, Problem> {
    let arguments = if arguments.is_null() { Value::Object(serde_json::Map::new()) } else { arguments };
    if !arguments.is_object() {
        return Err(wrong(tool, "expected an object of arguments"));
    }
    serde_json::from_value(arguments).map_err(|error| wrong(tool, &error.to_string()))
}

fn wrong(tool: &str, detail: &str) -> Problem {
    let detail: String = detail.chars().take(300).collect();
    Problem::new(Code::Invalid, format!("the arguments of {tool}: {detail}"))
        .remedy("Give the arguments that the tool's schema names, and no others.")
}

/// A limit within its bounds.
pub(super) fn limit(tool: &str, asked: Option<u64>) -> Result<usize, Problem> {
    let Some(asked) = asked else { return Ok(LIMIT_DEFAULT) };
    let limit = usize::try_from(asked).ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| wrong(tool, &format!("expected a limit of 1 to {LIMIT_MAX}, got {asked}")))
}

/// A word of a closed set.
pub(super) fn word<T: DeserializeOwned>(tool: &str, what: &str, text: &str) -> Result<T, Problem> {
    let value = Value::String(text.trim().to_lowercase());
    serde_json::from_value(value).map_err(|error| wrong(tool, &format!("{what}: {error}")))
}

pub(super) fn time(tool: &str, text: Option<&str>) -> Result<Option<Time>, Problem> {
    text.map(|text| Time::from_str(text).map_err(|error| wrong(tool, &error.to_string()))).transpose()
}

pub(super) fn statuses(tool: &str, text: Option<&str>) -> Result<Vec<incident::Status>, Problem> {
    text.map(|text| word(tool, "status", text)).transpose().map(|found| found.into_iter().collect())
}

pub(super) fn alert_statuses(tool: &str, text: Option<&str>) -> Result<Vec<alert::Status>, Problem> {
    text.map(|text| word(tool, "status", text)).transpose().map(|found| found.into_iter().collect())
}

pub(super) fn severities(tool: &str, text: Option<&str>) -> Result<Vec<Severity>, Problem> {
    text.map(|text| word(tool, "severity", text)).transpose().map(|found| found.into_iter().collect())
}

pub(super) fn level(text: Option<&str>) -> Option<LogLevel> {
    text.map(LogLevel::of_word)
}

/// Arguments of tools that are about one incident.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfIncident {
    /// The id or a unique prefix; the newest where absent.
    pub(super) incident: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListIncidents {
    pub(super) status: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) service: Option<String>,
    pub(super) q: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetTimeline {
    pub(super) incident: Option<String>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetAlerts {
    pub(super) incident: Option<String>,
    pub(super) name: Option<String>,
    pub(super) service: Option<String>,
    pub(super) status: Option<String>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetReceipt {
    pub(super) alert: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetSimilar {
    pub(super) incident: Option<String>,
    pub(super) text: Option<String>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetFindings {
    pub(super) incident: Option<String>,
    pub(super) service: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchEvents {
    pub(super) kind: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetEvent {
    pub(super) event: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchLogs {
    pub(super) incident: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) service: Option<String>,
    pub(super) level: Option<String>,
    pub(super) contains: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) limit: Option<u64>,
}
