//! Gathers the evidence of an incident from the views, all of it as of one position.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{AsOf, Citation, Problem};
use hindcast_domain::Span;
use hindcast_queries::{AlertFilter, FindingFilter, Queries, Window};
use hindcast_reason::{Evidence, Symptom};

/// How long before an incident findings are looked at.
pub const BEFORE: Span = Span::minutes(15);
/// Alerts, timeline entries and findings that are looked at.
const ITEMS_MAX: usize = 500;

/// The evidence of an incident (by id or unique prefix; the newest where absent), as of `as_of`.
///
/// # Errors
/// When there is no such incident as of then, or the views cannot be read.
pub async fn evidence(
    queries: &dyn Queries,
    incident: Option<&str>,
    as_of: Option<AsOf>,
) -> Result<Evidence, Problem> {
    let (position, now) = queries.moment(as_of).await?;
    let then = Some(AsOf::Position(position));
    let window = || Window { as_of: then, limit: Some(ITEMS_MAX), cursor: None };
    let incident = queries.incident(incident, then).await?;
    let alerts = AlertFilter { incident: Some(incident.id.clone()), ..AlertFilter::default() };
    let alerts = queries.alerts(alerts, window()).await?.items;
    let timeline = queries.timeline(&incident.id, window()).await?.items;
    let changes = queries.changes(&incident.id, then).await?;
    let findings = FindingFilter {
        environment: Some(incident.environment.clone()),
        since: Some(incident.started_at - BEFORE),
        until: incident.resolved_at,
        ..FindingFilter::default()
    };
    let findings = queries.findings(findings, window()).await?.items;
    let watched = queries.watched(&incident.environment, then).await?;

    let mut fired: BTreeMap<&str, Citation> = BTreeMap::new();
    for entry in &timeline {
        if entry.event_type == "alert.fired" {
            fired.insert(&entry.subject, Citation { event: entry.event.clone(), position: entry.position });
        }
    }
    let why = queries.why(&incident.id, then).await?;
    let joined: BTreeMap<&str, Citation> = why
        .members
        .iter()
        .map(|member| {
            (member.fingerprint.as_str(), Citation { event: member.event.clone(), position: member.position })
        })
        .collect();
    let mut symptoms: Vec<Symptom> = alerts
        .into_iter()
        .filter_map(|alert| {
            let joined = joined.get(alert.fingerprint.as_str()).cloned();
            let fired = fired.get(alert.fingerprint.as_str()).cloned().or_else(|| joined.clone())?;
            Some(Symptom { alert, fired, joined })
        })
        .collect();
    symptoms.sort_by(|a, b| (a.alert.starts_at, &a.alert.fingerprint).cmp(&(b.alert.starts_at, &b.alert.fingerprint)));
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort_by(|a, b| (a.finding.at, a.position).cmp(&(b.finding.at, b.position)));
    let watched: BTreeSet<String> = watched.into_iter().collect();
    Ok(Evidence {
        incident,
        symptoms,
        changes,
        findings,
        timeline,
        watched: watched.into_iter().collect(),
        position,
        now,
    })
}
