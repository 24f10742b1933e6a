//! What the service would have said in the midst of each fault, asked through the API as anybody would, as of
//! the moment before somebody ended it. Owns the questions and the comparison with the truth; refuses to know
//! how an answer is made.

use std::time::Instant;

use anyhow::{Context, ensure};
use hindcast_api::{Answer, Causes, Proposal, SimilarPage};
use hindcast_recorder::format::{InjectedFault, StoredRecording};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::judge::DemoVerdict;
use super::played::{Played, Probed};
use crate::node::Node;

/// What a person asks at three in the morning.
pub const QUESTION: &str = "what is going on, have we seen this, what do I do?";

/// What was said of one fault.
#[derive(Clone, Debug, Serialize)]
pub struct Advised {
    /// The recorded fault that the question is about.
    pub fault: String,
    /// Id of the incident that the fault opened.
    pub incident: String,
    /// The position that was asked about.
    pub as_of: u64,
    /// The service that was really at its root.
    pub truth: String,
    /// Whether that service ranked first.
    pub first: bool,
    /// The earlier incident of the same cause, by the truth.
    pub expected_same: Option<String>,
    /// Whether exactly the incidents of the same cause were called the same.
    pub recalled: bool,
    /// Innocent changes that were blamed.
    pub blamed: Vec<String>,
    /// Causes, as the API gave them.
    pub causes: Causes,
    /// Similar incidents, likewise.
    pub similar: SimilarPage,
    /// Proposals, likewise.
    pub proposals: Vec<Proposal>,
    /// The answer to the question.
    pub answer: Answer,
    /// From the question to the answer, in microseconds.
    pub answered_us: u64,
    /// Citations of the answer that led to no event as of the question.
    pub dangling: Vec<String>,
}

/// Asks about each fault that was found.
///
/// # Errors
/// When the service does not answer as its contract says.
pub async fn ask(
    node: &Node,
    recording: &StoredRecording,
    played: &Played,
    verdict: &DemoVerdict,
) -> anyhow::Result<Vec<Advised>> {
    let client = DemoClient { http: reqwest::Client::new(), base: format!("http://{}", node.address) };
    let mut advised = Vec::new();
    for fault in &recording.truth.faults {
        let incident = verdict.incidents.get(&fault.id).and_then(|incidents| incidents.first());
        let (Some(incident), Some(as_of)) = (incident, played.midst.get(&fault.id)) else { continue };
        advised.push(client.about(recording, verdict, fault, incident, *as_of).await?);
    }
    Ok(advised)
}

struct DemoClient {
    http: reqwest::Client,
    base: String,
}

impl DemoClient {
    async fn about(
        &self,
        recording: &StoredRecording,
        verdict: &DemoVerdict,
        fault: &InjectedFault,
        incident: &str,
        as_of: u64,
    ) -> anyhow::Result<Advised> {
        let part = |name: &str| format!("/api/v1/incidents/{incident}/{name}?as_of={as_of}");
        let causes: Causes = self.get(&part("causes")).await?;
        let similar: SimilarPage = self.get(&part("similar")).await?;
        let proposals: Value = self.get(&part("proposals")).await?;
        let proposals: Vec<Proposal> = serde_json::from_value(proposals["items"].clone()).context("proposals")?;
        let began = Instant::now();
        let question = json!({"question": QUESTION, "incident": incident, "as_of": as_of});
        let response = self.http.post(format!("{}/api/v1/ask", self.base)).json(&question).send().await?;
        let answer: Answer = read(response).await.context("the answer")?;
        let answered_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let dangling = self.dangling(&answer, as_of).await?;
        let earlier = |id: &String| verdict.incidents.get(id).and_then(|incidents| incidents.first()).cloned();
        let expected_same = fault.same_as.as_ref().and_then(earlier);
        let same: Vec<&String> = similar.items.iter().filter(|s| s.same).map(|similar| &similar.incident).collect();
        let innocent = |text: &str| {
            let changes = recording.truth.changes.iter().filter(|change| change.innocent);
            changes.clone().any(|change| text.contains(&change.title))
        };
        Ok(Advised {
            fault: fault.id.clone(),
            incident: incident.to_owned(),
            as_of,
            truth: fault.service.clone(),
            first: causes.items.first().is_some_and(|first| first.service == fault.service),
            recalled: same == expected_same.iter().collect::<Vec<_>>(),
            expected_same,
            blamed: causes.items.iter().map(|cause| cause.cause.clone()).filter(|cause| innocent(cause)).collect(),
            causes,
            similar,
            proposals,
            answer,
            answered_us,
            dangling,
        })
    }

    /// Citations that cannot be opened.
    async fn dangling(&self, answer: &Answer, as_of: u64) -> anyhow::Result<Vec<String>> {
        let mut dangling = Vec::new();
        for cited in answer.claims.iter().flat_map(|claim| &claim.citations) {
            let found: Value =
                self.get(&format!("/api/v1/events?from={0}&to={0}&as_of={as_of}", cited.position)).await?;
            if found["items"][0]["id"] != Value::String(cited.event.clone()) {
                dangling.push(cited.event.clone());
            }
        }
        Ok(dangling)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        read(self.http.get(format!("{}{path}", self.base)).send().await?).await.with_context(|| path.to_owned())
    }
}

async fn read<T: DeserializeOwned>(response: reqwest::Response) -> anyhow::Result<T> {
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).with_context(|| format!("expected another answer, got {text}"))
}

/// Declares an incident by hand, asks for its cause, and resolves it: on a healthy stretch nothing may be named.
///
/// # Errors
/// When the service does not answer as its contract says.
pub async fn probe(node: &Node, from: hindcast_domain::Time, at: hindcast_domain::Time) -> anyhow::Result<Probed> {
    let client = DemoClient { http: reqwest::Client::new(), base: format!("http://{}", node.address) };
    let declared = json!({"title": "is anything wrong?", "severity": "low", "started_at": from.to_string()});
    let response = client.http.post(format!("{}/api/v1/incidents", client.base)).json(&declared).send().await?;
    let incident: Value = read(response).await.context("declaring an incident")?;
    let id = incident["id"].as_str().or_else(|| incident["incident"]["id"].as_str()).context("an incident's id")?;
    let causes: Causes = client.get(&format!("/api/v1/incidents/{id}/causes")).await?;
    let resolve = format!("{}/api/v1/incidents/{id}/resolve", client.base);
    let resolved = client.http.post(resolve).json(&json!({"resolution": "nothing was wrong"})).send().await?;
    ensure!(resolved.status().is_success(), "resolving a declared incident: {}", resolved.status());
    Ok(Probed { at, unresolved: causes.unresolved, named: causes.items.first().map(|first| first.cause.clone()) })
}
