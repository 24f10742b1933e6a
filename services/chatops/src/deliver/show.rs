//! What a message shows, read from the views as of one position. Owns which questions are asked for it; refuses
//! to know how it looks: that is the renderers'.

use std::time::Duration;

use hindcast_api::{Answer, AsOf, Ask, Code, Event, Incident, Problem};
use hindcast_chat_cards::IncidentView;
use hindcast_chat_cards::view::ThreadNote;
use hindcast_domain::chat::Received;
use hindcast_domain::{EventId, IncidentId};
use hindcast_queries::{ListPart, Snapshot};

use crate::Options;
use crate::key;

/// How long what is concluded is waited for; a card does without.
const CONCLUDED_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);
/// Words of people that a card shows.
const LABELS_MAX: usize = 5;
/// Entries of a timeline that are looked through for them.
const ENTRIES_MAX: usize = 500;

impl Options {
    /// An incident as it is now.
    pub(crate) async fn seen(&self, incident: &IncidentId) -> Result<IncidentView, Problem> {
        self.view_of(&self.queries.now().await?, incident).await
    }

    /// An incident as of a position.
    pub(crate) async fn view(&self, incident: &IncidentId, position: u64) -> Result<IncidentView, Problem> {
        self.view_of(&self.queries.at(position).await?, incident).await
    }

    /// All that a card shows, of one snapshot.
    async fn view_of(&self, seen: &Snapshot, incident: &IncidentId) -> Result<IncidentView, Problem> {
        let id = incident.as_str();
        let shown = seen.incident(Some(id)).await?;
        let causes = in_time(self.advice.causes(seen, Some(id))).await;
        let similar = in_time(self.advice.similar(seen, Some(id))).await;
        let proposals = in_time(self.advice.proposals(seen, Some(id))).await.unwrap_or_default();
        let merged_into = match &shown.merged_into {
            Some(into) => {
                let into = seen.incident(Some(into)).await?;
                Some((into.title, into.url))
            }
            None => None,
        };
        Ok(IncidentView {
            labels: labels(seen, id).await,
            acknowledged_by: shown.acknowledged_by.clone(),
            incident: shown,
            causes,
            similar,
            proposals,
            merged_into,
            position: seen.position(),
            at: seen.recorded_at(),
            public_url: self.public_url.clone(),
        })
    }

    /// The line that tells an event, in the thread of `about`'s card: of the event's own position.
    pub(crate) async fn told(&self, event: &EventId, about: &IncidentId) -> Result<ThreadNote, Problem> {
        let now = self.queries.now().await?;
        let event = &now.event(event.as_str()).await?;
        let seen = &now.earlier(AsOf::Position(event.position)).await?;
        let incident = seen.incident(Some(about.as_str())).await?;
        if event.event_type == "incident.resolved" {
            return Ok(self.fixed(seen, event, incident).await);
        }
        let text = match event.event_type.as_str() {
            "incident.merged" => merged(seen, event, about, &incident).await?,
            "incident.split" => {
                let born = event.data.get("incident").and_then(|id| id.as_str()).unwrap_or_default();
                let born = seen.incident(Some(born)).await?;
                format!("Split: some of its alerts are now in {} ({}).", born.title, born.url)
            }
            _ => words(event, &incident),
        };
        let url = Some(incident.url);
        Ok(ThreadNote::Said { text, url })
    }

    /// It is over: was this what fixed it?
    async fn fixed(&self, seen: &Snapshot, event: &Event, incident: Incident) -> ThreadNote {
        let proposals = in_time(self.advice.proposals(seen, Some(&incident.id))).await.unwrap_or_default();
        let similar = in_time(self.advice.similar(seen, Some(&incident.id))).await;
        let recall = similar.and_then(|page| page.items.into_iter().find(|item| item.same));
        ThreadNote::Fixed {
            text: words(event, &incident),
            proposal: proposals.into_iter().next().map(|proposal| (proposal.id, proposal.title)),
            recall: recall.map(|item| (item.incident, item.title)),
            revision: incident.revision,
            incident: incident.id,
        }
    }

    /// The answer to a question. What is asked in one thread is one conversation.
    pub(crate) async fn answered(&self, received: &Received) -> Result<Answer, Problem> {
        let place = received.thread.as_deref().unwrap_or(&received.user);
        let word = key::hashed(received.vendor.as_str(), &format!("{}/{place}", received.channel));
        let ask = Ask {
            question: received.text.clone().unwrap_or_default(),
            incident: received.incident.as_ref().map(ToString::to_string),
            as_of: None,
            conversation: Some(format!("chat/{word}")),
        };
        let stranger = || format!("{}:{}", received.vendor, received.user);
        let actor = received.person.clone().unwrap_or_else(stranger);
        let asker = hindcast_advice::Asker { actor, channel: received.vendor.as_str().into() };
        let late = |_| Err(Problem::new(Code::Unavailable, "an answer took too long"));
        tokio::time::timeout(ANSWERED_WITHIN, self.copilot.ask(ask, asker, None)).await.unwrap_or_else(late)
    }

    /// Where an incident stands, in a sentence.
    pub(crate) async fn standing(&self, incident: &str) -> Option<String> {
        let incident = self.queries.now().await.ok()?.incident(Some(incident)).await.ok()?;
        Some(format!("{} ({}) is {} now: {}", incident.title, incident.id, status(&incident), incident.url))
    }
}

/// What people said of it, newest last.
async fn labels(seen: &Snapshot, id: &str) -> Vec<String> {
    let Ok(page) = seen.timeline(id, ListPart::first(ENTRIES_MAX)).await else { return Vec::new() };
    let said = page
        .items
        .into_iter()
        .filter(|entry| matches!(entry.event_type.as_str(), "incident.feedback" | "label.judged" | "label.given"));
    let mut said: Vec<String> = said.map(|entry| entry.text).collect();
    said.drain(..said.len().saturating_sub(LABELS_MAX));
    said
}

/// What a merge says under one of the two cards: the same event is told under both.
async fn merged(seen: &Snapshot, event: &Event, about: &IncidentId, incident: &Incident) -> Result<String, Problem> {
    if event.subject == about.as_str() {
        let other = event.data.get("incident").and_then(|id| id.as_str()).unwrap_or_default();
        let other = seen.incident(Some(other)).await?;
        return Ok(format!("{} merged {} into this one ({}).", event.actor, other.title, other.url));
    }
    let into = seen.incident(incident.merged_into.as_deref()).await?;
    Ok(format!("{} merged this one into {} ({}).", event.actor, into.title, into.url))
}

async fn in_time<T>(question: impl Future<Output = Result<T, Problem>>) -> Option<T> {
    match tokio::time::timeout(CONCLUDED_WITHIN, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(code = %error.code, "a card does without what could not be concluded");
            None
        }
        Err(_) => None,
    }
}

/// Where an incident is in its life, with who put it there.
fn status(incident: &Incident) -> String {
    use hindcast_domain::incident::Status;
    let by = |who: &Option<String>| who.as_deref().map(|who| format!(" by {who}")).unwrap_or_default();
    match (incident.status, &incident.merged_into) {
        (_, Some(into)) => format!("merged into {into}"),
        (Status::Open, _) => "open".to_owned(),
        (Status::Acknowledged, _) => format!("acknowledged{}", by(&incident.acknowledged_by)),
        (Status::Resolved, _) => "resolved".to_owned(),
    }
}

/// An event that concerns one incident alone, in plain words.
fn words(event: &Event, incident: &Incident) -> String {
    let actor = &event.actor;
    match event.event_type.as_str() {
        "incident.acknowledged" => format!("Acknowledged by {actor}."),
        "incident.resolved" => match event.data.get("by").and_then(|by| by.as_str()) {
            Some("person") => format!("Resolved by {actor}."),
            Some("stale") => "Resolved automatically: its alerts are no longer sent.".to_owned(),
            _ => "Resolved automatically: all alerts cleared.".to_owned(),
        },
        "incident.reopened" => format!("Reopened for the {} time.", ordinal(incident.reopened)),
        "incident.alert_joined" => format!("Severity is now {}.", incident.severity),
        "incident.severity_set" => format!("{actor} set the severity to {}.", incident.severity),
        "incident.undone" => format!("{actor} undid a merge or a split."),
        other => format!("{other} by {actor}."),
    }
}

fn ordinal(n: u64) -> String {
    match (n % 10, n % 100) {
        (1, teen) if teen != 11 => format!("{n}st"),
        (2, teen) if teen != 12 => format!("{n}nd"),
        (3, teen) if teen != 13 => format!("{n}rd"),
        _ => format!("{n}th"),
    }
}
