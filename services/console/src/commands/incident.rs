//! Commands about incidents: each action's body becomes a domain command for the incident's partition.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use hindcast_api::{Alert, Code, Incident, Problem};
use hindcast_domain::command::Command;
use hindcast_domain::limits::SPLIT_FINGERPRINTS_MAX;
use hindcast_domain::{Fingerprint, IncidentId, Partition, Span};
use hindcast_http::{Refusal, Result};
use hindcast_queries::{AlertFilter, EventFilter, Window};
use serde_json::Value;

use super::body::{self, Json, invalid};
use super::{Answer, Asker, Done, Order, Relative};
use crate::{Console, reads};

/// What feedback can say.
const VERDICTS: [&str; 6] = ["helpful", "useful", "confirmed", "noise", "not_helpful", "false_alarm"];

/// What can be asked for about one incident; the last word of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take care of it.
    Acknowledge,
    /// Stop taking care of it.
    Unacknowledge,
    /// It is over.
    Resolve,
    /// It is not over.
    Reopen,
    /// It is a part of another one.
    Merge,
    /// Some of its alerts are another problem.
    Split,
    /// Somebody else takes care.
    Assign,
    /// Write something down.
    Note,
    /// It is better or worse than it looks.
    Severity,
    /// Do not page for it for a while.
    Snooze,
    /// Did it help?
    Feedback,
}

/// The API's route for an action.
pub fn route(action: Action) -> MethodRouter<Console> {
    post(move |State(console): State<Console>, Path(id): Path<String>, asker: Asker, Json(body): Json| async move {
        console.act(action, &id, asker, body).await.map(respond)
    })
}

/// Declares an incident by hand.
///
/// # Errors
/// What [`Console::declare`] refuses.
pub async fn declare(State(console): State<Console>, asker: Asker, Json(body): Json) -> Result<Response> {
    console.declare(asker, body).await.map(respond)
}

fn respond(answer: Answer<Incident>) -> Response {
    let tag = match &answer {
        Answer::Changed(incident) | Answer::Created(incident, _) => Some(reads::etag(incident.revision)),
        Answer::Pending(_) => None,
    };
    let mut response = answer.into_response();
    if let Some(tag) = tag {
        response.headers_mut().extend(tag);
    }
    response
}

impl Console {
    /// Declares an incident.
    ///
    /// # Errors
    /// 422 for a body that makes no sense, and what [`Console::submit`] refuses.
    pub async fn declare(&self, asker: Asker, body: Value) -> Result<Answer<Incident>> {
        let body: body::Declare = body::read(body)?;
        if body.started_at.is_some_and(|at| at > self.now()) {
            return Err(invalid("expected a start that lies in the past as started_at"));
        }
        let services = body.services.into_iter().map(|name| body::text("services", &name)).collect::<Result<_>>()?;
        let command = Command::DeclareIncident {
            title: body::text("title", &body.title)?,
            severity: body.severity,
            services,
            description: body::maybe("description", body.description)?,
            started_at: body.started_at,
        };
        let order = Order {
            partition: Partition::of_environment(body.environment.as_deref().unwrap_or_default()),
            subject: "incident".to_owned(),
            command,
            relative: Relative::No,
        };
        match self.submit(&asker, order).await? {
            Done::Pending(pending) => Ok(Answer::Pending(pending)),
            Done::Accepted { subjects, .. } => {
                let id = subjects.first().map(String::as_str).unwrap_or_default();
                self.created(id).await
            }
        }
    }

    /// Does what an action asks for.
    ///
    /// # Errors
    /// 404 and 412 by the view, 422 for a body that makes no sense, and what [`Console::submit`] refuses.
    pub async fn act(&self, action: Action, id: &str, mut asker: Asker, body: Value) -> Result<Answer<Incident>> {
        let incident = self.queries().incident(Some(id), None).await?;
        self.check_seen(&incident, &mut asker).await?;
        let partition = self.queries().partition_of(&incident.id).await?;
        let (command, relative) = self.command(action, &incident, &partition, body).await?;
        let remains = match &command {
            Command::MergeIncident { into, .. } => into.to_string(),
            _ => incident.id.clone(),
        };
        let order = Order { partition, subject: incident.id.clone(), command, relative };
        match self.submit(&asker, order).await? {
            Done::Pending(pending) => Ok(Answer::Pending(pending)),
            Done::Accepted { position, .. } if action == Action::Split => self.born(&incident.id, position).await,
            Done::Accepted { .. } => Ok(Answer::Changed(self.queries().incident(Some(&remains), None).await?)),
        }
    }

    /// The revision that was named, or seen at `as_of`, must be the current one.
    async fn check_seen(&self, incident: &Incident, asker: &mut Asker) -> Result<()> {
        if let (None, Some(as_of)) = (asker.if_match, asker.as_of) {
            asker.if_match = Some(self.queries().incident(Some(&incident.id), Some(as_of)).await?.revision);
        }
        match asker.if_match {
            // An earlier success with the same key is told again, whatever happened since.
            Some(seen) if seen != incident.revision && !self.is_repeat(asker).await => {
                let detail = format!("expected revision {seen} of {}, it is at {}", incident.id, incident.revision);
                Err(Refusal::new(Code::StaleRevision, detail))
            }
            _ => Ok(()),
        }
    }

    async fn is_repeat(&self, asker: &Asker) -> bool {
        match &asker.key {
            Some(key) => self.queries().command_by_key(key).await.is_some(),
            None => false,
        }
    }

    async fn command(
        &self,
        action: Action,
        on: &Incident,
        partition: &Partition,
        body: Value,
    ) -> Result<(Command, Relative)> {
        let incident = incident_id(&on.id)?;
        let command = match action {
            Action::Merge => return self.merge(incident, partition, body::read(body)?).await,
            Action::Split => return self.split(incident, body::read(body)?).await,
            Action::Snooze => return self.snooze(incident, &body::read(body)?),
            Action::Acknowledge => {
                let _: body::Nothing = body::read(body)?;
                Command::AcknowledgeIncident { incident }
            }
            Action::Unacknowledge => {
                let _: body::Nothing = body::read(body)?;
                Command::UnacknowledgeIncident { incident }
            }
            Action::Reopen => {
                let _: body::Nothing = body::read(body)?;
                Command::ReopenIncident { incident }
            }
            Action::Resolve => {
                let body: body::Resolve = body::read(body)?;
                let cause = body::maybe("cause", body.cause)?;
                Command::ResolveIncident { incident, cause, resolution: body::maybe("resolution", body.resolution)? }
            }
            Action::Assign => {
                let body: body::Assign = body::read(body)?;
                Command::AssignIncident { incident, owner: body::maybe("owner", body.owner)? }
            }
            Action::Note => {
                let body: body::Note = body::read(body)?;
                Command::NoteIncident { incident, text: body::text("text", &body.text)? }
            }
            Action::Severity => {
                let body: body::SetSeverity = body::read(body)?;
                Command::SetIncidentSeverity { incident, severity: body.severity }
            }
            Action::Feedback => {
                let body: body::Feedback = body::read(body)?;
                let verdict = body::text("verdict", &body.verdict)?;
                if !VERDICTS.contains(&verdict.as_str()) {
                    return Err(invalid(format!("expected a verdict of {}, got {verdict:?}", VERDICTS.join(", "))));
                }
                Command::GiveFeedback { incident, verdict, text: body::maybe("text", body.text)? }
            }
        };
        Ok((command, Relative::No))
    }

    async fn merge(&self, incident: IncidentId, of: &Partition, body: body::Merge) -> Result<(Command, Relative)> {
        let into = self.queries().incident(Some(body.into.trim()), None).await?;
        if into.id == incident.as_str() {
            return Err(invalid(format!("expected two incidents to merge, got {incident} twice")));
        }
        let theirs = self.queries().partition_of(&into.id).await?;
        if theirs != *of {
            let detail = format!("expected two incidents of one environment, got {of} and {theirs}");
            return Err(Refusal::new(Code::CrossPartition, detail));
        }
        Ok((Command::MergeIncident { incident, into: incident_id(&into.id)? }, Relative::No))
    }

    async fn split(&self, incident: IncidentId, body: body::Split) -> Result<(Command, Relative)> {
        if body.fingerprints.is_empty() || body.fingerprints.len() > SPLIT_FINGERPRINTS_MAX {
            let got = body.fingerprints.len();
            return Err(invalid(format!("expected 1 to {SPLIT_FINGERPRINTS_MAX} fingerprints, got {got}")));
        }
        let mut fingerprints: Vec<Fingerprint> = Vec::with_capacity(body.fingerprints.len());
        for text in &body.fingerprints {
            let found = self.member(&incident, text).await?;
            if !fingerprints.contains(&found) {
                fingerprints.push(found);
            }
        }
        Ok((Command::SplitIncident { incident, fingerprints }, Relative::No))
    }

    fn snooze(&self, incident: IncidentId, body: &body::Snooze) -> Result<(Command, Relative)> {
        match (body.until, body.minutes) {
            (Some(until), None) if until > self.now() => {
                Ok((Command::SnoozeIncident { incident, until }, Relative::No))
            }
            (Some(until), None) => Err(invalid(format!("expected an end in the future as until, got {until}"))),
            (None, Some(minutes)) if minutes > 0 => {
                let span = Span::minutes(i64::from(minutes));
                Ok((Command::SnoozeIncident { incident, until: self.now() + span }, Relative::End(span)))
            }
            _ => Err(invalid("expected either until (a time) or minutes (more than 0)")),
        }
    }

    /// A member of an incident by any of its names.
    async fn member(&self, incident: &IncidentId, text: &str) -> Result<Fingerprint> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("expected a fingerprint, got an empty text"));
        }
        let filter = AlertFilter {
            fingerprint: Some(text.to_owned()),
            incident: Some(incident.to_string()),
            ..AlertFilter::default()
        };
        let window = Window { limit: Some(hindcast_api::LIMIT_MAX), ..Window::default() };
        let found = self.queries().alerts(filter, window).await?.items;
        let exact = |alert: &&Alert| alert.fingerprint == text || alert.source_fingerprint.as_deref() == Some(text);
        match (found.iter().find(exact), found.as_slice()) {
            (Some(alert), _) | (None, [alert]) => {
                alert.fingerprint.parse().map_err(|_| Refusal::new(Code::Internal, "a view holds no fingerprint"))
            }
            (None, []) => Err(invalid(format!("expected an alert of {incident}, got {text:?}"))),
            (None, several) => {
                let detail = format!("{} alerts of {incident} begin with {text:?}", several.len());
                Err(Refusal(Problem::new(Code::Ambiguous, detail)))
            }
        }
    }

    /// The incident that a split gave birth to: the decision at `position` names it.
    async fn born(&self, left: &str, position: u64) -> Result<Answer<Incident>> {
        let filter = EventFilter { from: Some(position), to: Some(position), ..EventFilter::default() };
        let events = self.queries().events(filter, Window::default()).await?.items;
        let born = events.iter().find_map(|event| event.data.get("incident")?.as_str());
        self.created(born.unwrap_or(left)).await
    }

    async fn created(&self, id: &str) -> Result<Answer<Incident>> {
        let incident = self.queries().incident(Some(id), None).await?;
        let at = format!("/api/v1/incidents/{}", incident.id);
        Ok(Answer::Created(incident, at))
    }
}

/// An id from a view.
///
/// # Errors
/// 500: views hold nothing but ids.
pub fn incident_id(id: &str) -> Result<IncidentId> {
    id.parse().map_err(|_| Refusal::new(Code::Internal, "a view holds no id of an incident"))
}
