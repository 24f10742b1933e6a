//! What the people of the recording did: once an incident is over, they write down what it was and what ended
//! it, in the recording's own words, through the same command as anybody. Refuses to tell the service anything
//! else of the truth.

use anyhow::ensure;
use hindcast_api::Incident;
use hindcast_domain::{Span, Time, incident::Status};
use hindcast_queries::{IncidentFilter, Queries, Window};
use hindcast_recorder::format::InjectedFault;
use serde_json::json;

use super::played::time;
use crate::node::Node;

/// How long after an incident began its alerts may have been injected: rules look back over a window.
const AFTERMATH: Span = Span::seconds(60);

/// How long after a fault's end people wait before they write: what still rings must have ended.
const QUIET: Span = Span::minutes(2);

/// Faults whose incident waits for its last words.
pub struct People {
    waiting: Vec<InjectedFault>,
    /// Incidents that got them.
    pub told: u64,
}

impl People {
    /// People who know how each fault ended.
    pub fn of(faults: &[InjectedFault]) -> Self {
        let waiting = faults.iter().filter(|fault| fault.ended_at.is_some() && fault.ended_by.is_some());
        Self { waiting: waiting.cloned().collect(), told: 0 }
    }

    /// Writes down what is known by `now` about incidents that are over.
    ///
    /// # Errors
    /// When the service refuses it or does not answer.
    pub async fn tell(&mut self, node: &Node, client: &reqwest::Client, now: Time) -> anyhow::Result<bool> {
        let mut told = Vec::new();
        for (index, fault) in self.waiting.iter().enumerate() {
            if fault.ended_at.is_none_or(|at| time(at) + QUIET > now) {
                continue;
            }
            if let Some(incident) = over(node, fault).await? {
                write_down(node, client, &incident, fault).await?;
                told.push(index);
            }
        }
        for index in told.iter().rev() {
            self.waiting.remove(*index);
        }
        self.told += told.len() as u64;
        Ok(!told.is_empty())
    }
}

/// The incident of a fault, once it is over by itself.
async fn over(node: &Node, fault: &InjectedFault) -> anyhow::Result<Option<Incident>> {
    let window = Window { limit: Some(500), ..Window::default() };
    let incidents = node.views.incidents(IncidentFilter::default(), window).await?.items;
    let ended = fault.ended_at.map_or(Time::MAX, |at| time(at) + AFTERMATH);
    Ok(incidents.into_iter().find(|incident| {
        incident.status == Status::Resolved
            && incident.resolution.is_none()
            && incident.started_at >= time(fault.injected_at)
            && incident.started_at <= ended
            && incident.services.iter().any(|service| fault.services.contains(service))
    }))
}

async fn write_down(
    node: &Node,
    client: &reqwest::Client,
    incident: &Incident,
    fault: &InjectedFault,
) -> anyhow::Result<()> {
    let url = format!("http://{}/api/v1/incidents/{}/resolve", node.address, incident.id);
    let body = json!({"cause": fault.title, "resolution": fault.ended_by});
    let request = client.post(url).header("x-hindcast-actor", "on-call").json(&body);
    let response = request.header("idempotency-key", format!("demo/{}", fault.id)).send().await?;
    let status = response.status();
    ensure!(status.is_success(), "the service refused an incident's last words: {status} {}", response.text().await?);
    Ok(())
}
