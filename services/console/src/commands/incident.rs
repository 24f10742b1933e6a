//! Acts on incidents: what was given becomes a command for the incident's partition. Owns finding what the arguments
//! name; which arguments there are, and what they become, is the catalogue's.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use hindcast_api::{Code, Incident};
use hindcast_domain::act::{ActName, ActReferences, ArgumentError, GivenArguments};
use hindcast_domain::command::Command;
use hindcast_domain::{IncidentId, Partition};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{EventFilter, ListPart, references};
use serde_json::Value;

use super::body::{Json, invalid};
use super::{CommandAnswer, CommandResult, Order, Relative, RequestActor};
use crate::{Console, reads};

/// The API's route for an act on an incident.
pub fn route(act: ActName) -> MethodRouter<Console> {
    post(
        move |State(console): State<Console>, Path(id): Path<String>, asker: RequestActor, Json(body): Json| async move {
            console.act(act, &id, asker, body).await.map(respond)
        },
    )
}

/// Declares an incident by hand.
///
/// # Errors
/// What [`Console::declare`] refuses.
pub async fn declare(State(console): State<Console>, asker: RequestActor, Json(body): Json) -> Result<Response> {
    console.declare(asker, body).await.map(respond)
}

fn respond(answer: CommandAnswer<Incident>) -> Response {
    let tag = match &answer {
        CommandAnswer::Changed(incident) | CommandAnswer::Created(incident, _) => Some(reads::etag(incident.revision)),
        CommandAnswer::Pending(_) => None,
    };
    let mut response = answer.into_response();
    if let Some(tag) = tag {
        response.headers_mut().extend(tag);
    }
    response
}

/// What an act was given, from a body.
///
/// # Errors
/// 422, naming the field.
pub fn given(act: ActName, body: &Value) -> Result<GivenArguments> {
    act.entry().read(body).map_err(refused)
}

fn refused(error: ArgumentError) -> HttpRefusal {
    invalid(error.detail)
}

impl Console {
    /// Declares an incident.
    ///
    /// # Errors
    /// 422 for a body that makes no sense, and what [`Console::submit`] refuses.
    pub async fn declare(&self, asker: RequestActor, body: Value) -> Result<CommandAnswer<Incident>> {
        let given = given(ActName::Declare, &body)?;
        let command = given.command(ActReferences::default(), self.now()).map_err(refused)?;
        let order = Order {
            partition: Partition::of_environment(given.text("environment").unwrap_or_default()),
            subject: "incident".to_owned(),
            command,
            relative: Relative::No,
        };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { subjects, .. } => {
                let id = subjects.first().map(String::as_str).unwrap_or_default();
                self.created(id).await
            }
        }
    }

    /// Does an act on an incident.
    ///
    /// # Errors
    /// 404 and 412 by the view, 422 for a body that makes no sense, and what [`Console::submit`] refuses.
    pub async fn act(
        &self,
        act: ActName,
        id: &str,
        mut asker: RequestActor,
        body: Value,
    ) -> Result<CommandAnswer<Incident>> {
        let seen = self.queries().now().await?;
        let incident = seen.incident(Some(id)).await?;
        self.check_seen(&incident, &mut asker).await?;
        let given = given(act, &body)?;
        let (partition, found) = references(&seen, &given, &incident).await?;
        let command = given.command(found, self.now()).map_err(refused)?;
        let relative = given.span().map_or(Relative::No, Relative::End);
        let remains = match &command {
            Command::MergeIncident { into, .. } => into.to_string(),
            _ => incident.id.clone(),
        };
        let order = Order { partition, subject: incident.id.clone(), command, relative };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { position, .. } if act == ActName::Split => {
                self.born(&incident.id, position).await
            }
            CommandResult::Accepted { .. } => Ok(CommandAnswer::Changed(self.latest(&remains).await?)),
        }
    }

    /// The revision that was named, or seen at `as_of`, must be the current one.
    async fn check_seen(&self, incident: &Incident, asker: &mut RequestActor) -> Result<()> {
        if let (None, Some(as_of)) = (asker.if_match, asker.as_of) {
            let then = self.queries().open(Some(as_of)).await?;
            asker.if_match = Some(then.incident(Some(&incident.id)).await?.revision);
        }
        match asker.if_match {
            // An earlier success with the same key is told again, whatever happened since.
            Some(seen) if seen != incident.revision && !self.is_repeat(asker).await => {
                let detail = format!("expected revision {seen} of {}, it is at {}", incident.id, incident.revision);
                Err(HttpRefusal::new(Code::StaleRevision, detail))
            }
            _ => Ok(()),
        }
    }

    async fn is_repeat(&self, asker: &RequestActor) -> bool {
        match &asker.key {
            Some(key) => self.queries().command_by_key(key).await.is_some(),
            None => false,
        }
    }

    /// The incident that a split gave birth to: the decision at `position` names it.
    async fn born(&self, left: &str, position: u64) -> Result<CommandAnswer<Incident>> {
        let filter = EventFilter { from: Some(position), to: Some(position), ..EventFilter::default() };
        let events = self.queries().now().await?.events(filter, ListPart::default()).await?.items;
        let born = events.iter().find_map(|event| event.data.get("incident")?.as_str());
        self.created(born.unwrap_or(left)).await
    }

    /// An incident as it stands once its lane has answered.
    async fn latest(&self, id: &str) -> Result<Incident> {
        Ok(self.queries().now().await?.incident(Some(id)).await?)
    }

    async fn created(&self, id: &str) -> Result<CommandAnswer<Incident>> {
        let incident = self.latest(id).await?;
        let at = format!("/api/v1/incidents/{}", incident.id);
        Ok(CommandAnswer::Created(incident, at))
    }
}

/// An id from a view.
///
/// # Errors
/// 500: views hold nothing but ids.
pub fn incident_id(id: &str) -> Result<IncidentId> {
    id.parse().map_err(|_| HttpRefusal::new(Code::Internal, "a view holds no id of an incident"))
}
