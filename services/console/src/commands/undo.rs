//! Undo: an event is found by its id, and the lane of its subject is asked to take it back by a new one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Event};
use hindcast_domain::act::ActName;
use hindcast_domain::command::Command;
use hindcast_domain::{EventId, IncidentId, LabelId, Partition, SilenceId};
use hindcast_http::{HttpRefusal, Result};
use serde_json::Value;

use super::body::Json;
use super::incident::given;
use super::{CommandAnswer, CommandResult, Order, Pending, Relative, RequestActor};
use crate::Console;

/// Takes an event back.
///
/// # Errors
/// What [`Console::undo`] refuses.
pub async fn undo(State(console): State<Console>, asker: RequestActor, Json(body): Json) -> Result<Response> {
    match console.undo(asker, body).await? {
        UndoAnswer::Pending(pending) => Ok(CommandAnswer::<()>::Pending(pending).into_response()),
        UndoAnswer::Subject(subject) => console.thing(&subject).await,
    }
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum UndoAnswer {
    /// It was taken back; this is what it was about.
    Subject(String),
    /// Not decided yet.
    Pending(Pending),
}

impl Console {
    /// Takes an event back.
    ///
    /// # Errors
    /// 404 for an unknown event, 422 for one that has no way back, and what [`Console::submit`] refuses.
    pub async fn undo(&self, asker: RequestActor, body: Value) -> Result<UndoAnswer> {
        let given = given(ActName::Undo, &body)?;
        let event = self.queries().now().await?.event(given.text("event").unwrap_or_default()).await?;
        let partition = partition(&event)?;
        let id: EventId =
            event.id.parse().map_err(|_| HttpRefusal::new(Code::Internal, "a view holds no id of an event"))?;
        let order = Order {
            partition,
            subject: event.subject.clone(),
            command: Command::UndoEvent { event: id, subject: event.subject.clone() },
            relative: Relative::No,
        };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(UndoAnswer::Pending(pending)),
            CommandResult::Accepted { .. } => Ok(UndoAnswer::Subject(event.subject)),
        }
    }

    /// A thing as it stands, by its id.
    async fn thing(&self, subject: &str) -> Result<Response> {
        let seen = self.queries().now().await?;
        if subject.starts_with(IncidentId::PREFIX) {
            let incident = seen.incident(Some(subject)).await?;
            return Ok(axum::Json(incident).into_response());
        }
        if subject.starts_with(SilenceId::PREFIX) {
            return Ok(axum::Json(seen.silence(subject).await?).into_response());
        }
        if subject.starts_with(LabelId::PREFIX) {
            return Ok(axum::Json(serde_json::json!({"id": subject, "retracted": true})).into_response());
        }
        Ok(axum::Json(seen.receipt(Some(subject)).await?.alert).into_response())
    }
}

/// Who can take an event back.
fn partition(event: &Event) -> Result<Partition> {
    let own = Partition { tenant: event.tenant.clone(), environment: event.environment.clone() };
    match event.event_type.as_str() {
        kind if kind.starts_with("incident.") => Ok(own),
        "silence.created" => Ok(Partition::whole(&event.tenant)),
        "alert.suppressed" | "label.given" => Ok(own),
        other => {
            let detail = format!("expected a merge, split, silence, suppression or label, {} is {other:?}", event.id);
            Err(HttpRefusal::new(Code::NotUndoable, detail))
        }
    }
}
