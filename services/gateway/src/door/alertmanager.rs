//! What an Alertmanager's API shows, so that `amtool` and dashboards work. Owns its shapes; refuses to hold
//! state: everything is asked of the views.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use hindcast_api::{Alert, Code, Problem};
use hindcast_domain::{Span, alert};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{AlertFilter, Window};
use serde_json::{Value, json};

use super::filter::{Filter, anchored};
use super::reading::admit;
use crate::Gateway;

/// The version of the API that is spoken here; dashboards choose by it how to read.
const SPOKEN: &str = "0.27.0";
/// The one receiver that there is: notices are not routed here.
const RECEIVER: &str = "hindcast";
/// Pages of a list that are read for one answer: an Alertmanager has no pages.
pub(super) const PAGES_MAX: usize = 40;
/// How far ahead the end of a firing alert is shown: an Alertmanager's resolve timeout.
const AHEAD: Span = Span::minutes(5);

type AlertsQuery = Query<Vec<(String, String)>>;

/// `GET /api/v2/alerts`
pub(super) async fn alerts(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Query(query): AlertsQuery,
) -> Result<Json<Vec<Value>>> {
    admit(&gateway, &headers)?;
    let alerts = firing(&gateway, &query).await?;
    Ok(Json(alerts.iter().map(|alert| shown(&gateway, alert)).collect()))
}

/// `GET /api/v2/alerts/groups`: by the rule's name.
pub(super) async fn groups(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Query(query): AlertsQuery,
) -> Result<Json<Vec<Value>>> {
    admit(&gateway, &headers)?;
    let alerts = firing(&gateway, &query).await?;
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for alert in &alerts {
        groups.entry(&alert.name).or_default().push(shown(&gateway, alert));
    }
    let group = |(name, alerts): (&str, Vec<Value>)| json!({ "labels": { "alertname": name }, "receiver": { "name": RECEIVER }, "alerts": alerts });
    Ok(Json(groups.into_iter().map(group).collect()))
}

/// `GET /api/v2/receivers`
pub(super) async fn receivers(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Json<Value>> {
    admit(&gateway, &headers)?;
    Ok(Json(json!([{ "name": RECEIVER }])))
}

/// `GET /api/v2/status`
pub(super) async fn status(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Json<Value>> {
    admit(&gateway, &headers)?;
    let ours = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "cluster": { "status": "disabled", "peers": [] },
        "config": { "original": format!("route:\n  receiver: {RECEIVER}\nreceivers:\n- name: {RECEIVER}\n") },
        "uptime": gateway.inner.started_at,
        "versionInfo": {
            "branch": format!("hindcast-{ours}"), "buildDate": "", "buildUser": "", "goVersion": "",
            "revision": ours, "version": SPOKEN,
        },
    })))
}

/// A parameter that is `true` where it is absent.
fn flag(query: &[(String, String)], name: &str) -> Result<bool> {
    match query.iter().rev().find(|(asked, _)| asked == name).map(|(_, value)| value.as_str()) {
        None | Some("" | "true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(other) => {
            Err(HttpRefusal::new(Code::BadParameter, format!("expected true or false in {name}, got {other:.32?}")))
        }
    }
}

async fn firing(gateway: &Gateway, query: &[(String, String)]) -> Result<Vec<Alert>> {
    let filter = Filter::of(query)?;
    // Nothing is ever inhibited or unprocessed here, so those two only have to be understood.
    let (active, silenced) = (flag(query, "active")?, flag(query, "silenced")?);
    flag(query, "inhibited")?;
    flag(query, "unprocessed")?;
    let receiver = query.iter().find(|(name, _)| name == "receiver").map(|(_, pattern)| pattern.as_str());
    let elsewhere = match receiver.filter(|pattern| !pattern.is_empty()) {
        Some(pattern) => !anchored(pattern)?.is_match(RECEIVER),
        None => false,
    };
    if elsewhere || !(active || silenced) {
        return Ok(Vec::new());
    }
    let suppressed = if active && silenced { None } else { Some(silenced) };
    let asked = AlertFilter { status: vec![alert::Status::Firing], suppressed, ..AlertFilter::default() };
    let queries = gateway.queries()?;
    let mut alerts = Vec::new();
    let mut window = Window { limit: Some(hindcast_api::LIMIT_MAX), ..Window::default() };
    for _ in 0..PAGES_MAX {
        let page = queries.alerts(asked.clone(), window.clone()).await?;
        alerts.extend(page.items.into_iter().filter(|alert| filter.matches(&alert.labels)));
        match page.next {
            Some(next) => window.cursor = Some(next),
            None => return Ok(alerts),
        }
    }
    let most = PAGES_MAX * hindcast_api::LIMIT_MAX;
    let problem = Problem::new(Code::Invalid, format!("expected at most {most} alerts, there are more"));
    Err(HttpRefusal(problem.remedy("Read them page by page under /api/v1/alerts.")))
}

fn shown(gateway: &Gateway, alert: &Alert) -> Value {
    let ends_at = alert.ends_at.unwrap_or_else(|| alert.last_seen_at.max(gateway.now()) + AHEAD);
    let silenced_by: Vec<&String> = alert.suppressed_by.iter().collect();
    let state = if silenced_by.is_empty() { "active" } else { "suppressed" };
    let page = || alert.receipt.clone();
    json!({
        "annotations": alert.annotations,
        "endsAt": ends_at,
        "fingerprint": alert.source_fingerprint.as_ref().unwrap_or(&alert.fingerprint),
        "receivers": [{ "name": RECEIVER }],
        "startsAt": alert.starts_at,
        "status": { "inhibitedBy": [], "silencedBy": silenced_by, "state": state },
        "updatedAt": alert.last_seen_at,
        "generatorURL": alert.url.clone().unwrap_or_else(page),
        "labels": alert.labels,
    })
}
