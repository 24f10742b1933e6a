//! The judge: what was found, against the recording's truth. It reads the ledger's events and nothing else,
//! so that an incident which came back for another fault does not pass for two.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::Event;
use hindcast_domain::{Span, Time};
use hindcast_queries::{EventFilter, Queries, Window};
use hindcast_recorder::format::{InjectedFault, StoredRecording};
use hindcast_views::Views;
use serde::Serialize;

use super::played::time;

/// How long after a fault's end its alerts may still begin: rules look back over a window.
const AFTERMATH: Span = Span::seconds(60);

/// What was found, against the truth.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DemoVerdict {
    /// Faults in the recording.
    pub faults: usize,
    /// Faults with exactly one incident.
    pub found: usize,
    /// Faults without an incident.
    pub missed: Vec<String>,
    /// Faults with several incidents.
    pub split: Vec<String>,
    /// Incidents with alerts of several faults.
    pub merged: Vec<String>,
    /// Alerts that began to fire outside of any fault.
    pub strays: Vec<String>,
    /// Each fault's incidents.
    pub incidents: BTreeMap<String, BTreeSet<String>>,
    /// From the injection to the incident, in milliseconds, one a found fault, sorted.
    pub noticed_after_ms: Vec<i64>,
    /// Every stretch of firing that was seen.
    pub firings: usize,
}

struct JudgedFiring {
    name: String,
    starts_at: Time,
    seen_at: Time,
    incident: Option<String>,
}

/// Compares what is in the ledger with the recording's truth.
///
/// # Errors
/// When the views cannot be asked.
pub async fn judge(views: &Views, recording: &StoredRecording) -> anyhow::Result<DemoVerdict> {
    let firings = firings(views).await?;
    let mut verdict =
        DemoVerdict { faults: recording.truth.faults.len(), firings: firings.len(), ..DemoVerdict::default() };
    let mut faults_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for firing in &firings {
        let Some(fault) = recording.truth.faults.iter().find(|fault| caused(fault, firing)) else {
            verdict.strays.push(format!("{} at {}", firing.name, firing.starts_at));
            continue;
        };
        if let Some(incident) = &firing.incident {
            verdict.incidents.entry(fault.id.clone()).or_default().insert(incident.clone());
            faults_of.entry(incident).or_default().insert(&fault.id);
        }
    }
    for fault in &recording.truth.faults {
        match verdict.incidents.get(&fault.id).map_or(0, BTreeSet::len) {
            0 => verdict.missed.push(fault.id.clone()),
            1 => verdict.found += 1,
            _ => verdict.split.push(fault.id.clone()),
        }
        let first = firings.iter().filter(|firing| caused(fault, firing) && firing.incident.is_some());
        if let Some(seen) = first.map(|firing| firing.seen_at).min() {
            verdict.noticed_after_ms.push(seen.since(time(fault.injected_at)).as_millis());
        }
    }
    verdict.merged = faults_of.iter().filter(|(_, faults)| faults.len() > 1).map(|(id, _)| (*id).to_owned()).collect();
    verdict.noticed_after_ms.sort_unstable();
    Ok(verdict)
}

fn caused(fault: &InjectedFault, firing: &JudgedFiring) -> bool {
    let ended = fault.ended_at.map_or(Time::MAX, |at| time(at) + AFTERMATH);
    fault.alerts.contains(&firing.name) && firing.starts_at >= time(fault.injected_at) && firing.starts_at <= ended
}

/// Every stretch of firing, with the incident that its alert belonged to once its commit was read.
async fn firings(views: &Views) -> anyhow::Result<Vec<JudgedFiring>> {
    let mut firings: Vec<(String, JudgedFiring)> = Vec::new();
    let mut home: BTreeMap<String, String> = BTreeMap::new();
    let mut cursor = None;
    loop {
        let filter = EventFilter { kind: Some("decision".to_owned()), ..EventFilter::default() };
        let page = views.events(filter, Window { limit: Some(500), cursor, ..Window::default() }).await?;
        for event in &page.items {
            match event.event_type.as_str() {
                "alert.fired" => firings.push((event.subject.clone(), fired(event))),
                "incident.opened" | "incident.alert_joined" | "incident.reopened" => {
                    if let Some(fingerprint) = event.data["fingerprint"].as_str() {
                        home.insert(fingerprint.to_owned(), event.subject.clone());
                    }
                }
                _ => {}
            }
            for (fingerprint, firing) in firings.iter_mut().rev().take(64) {
                // Decided in the same moment, or placed later when a silence ended.
                if firing.incident.is_none()
                    || event.event_type.starts_with("incident.") && event.time == firing.seen_at
                {
                    firing.incident = home.get(fingerprint).cloned();
                }
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(firings.into_iter().map(|(_, firing)| firing).collect())
}

fn fired(event: &Event) -> JudgedFiring {
    let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
    JudgedFiring {
        name: text("name"),
        starts_at: text("starts_at").parse().unwrap_or(event.time),
        seen_at: event.time,
        incident: None,
    }
}
