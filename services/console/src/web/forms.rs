//! Takes the pages' forms. A form becomes the same body that the API takes, and the answer is a redirect
//! back to the page; the name of whoever acted travels in the address, so that no cookie is needed.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, post};
use hindcast_domain::act::ActName;
use hindcast_domain::links::LinkVerdict;
use hindcast_domain::{IncidentId, LabelId};
use hindcast_http::{HttpRefusal, Result};
use serde_json::json;

use super::fields::{Fields, back, waits};
use super::learnt;
use crate::Console;
use crate::commands::undo::UndoAnswer;
use crate::commands::{CommandAnswer, RequestActor};

/// The form of an act on an incident.
pub(super) fn act(act: ActName) -> MethodRouter<Console> {
    post(
        move |State(console): State<Console>, Path(id): Path<String>, asker: RequestActor, fields: Fields| async move {
            let answer = console.act(act, &id, fields.asker(asker)?, fields.filled(act)).await?;
            Ok::<Response, HttpRefusal>(match answer {
                CommandAnswer::Pending(pending) => waits(&pending, &format!("/{id}")),
                CommandAnswer::Changed(incident) | CommandAnswer::Created(incident, _) => {
                    back(&format!("/{}", incident.id), fields.me())
                }
            })
        },
    )
}

/// Declares an incident.
pub(super) async fn declare(State(console): State<Console>, asker: RequestActor, fields: Fields) -> Result<Response> {
    Ok(match console.declare(fields.asker(asker)?, fields.filled(ActName::Declare)).await? {
        CommandAnswer::Pending(pending) => waits(&pending, "/"),
        CommandAnswer::Changed(incident) | CommandAnswer::Created(incident, _) => {
            back(&format!("/{}", incident.id), fields.me())
        }
    })
}

/// Creates a silence.
pub(super) async fn silence(State(console): State<Console>, asker: RequestActor, fields: Fields) -> Result<Response> {
    let end = if fields.one("ends_at").is_some() { "ends_at" } else { "duration" };
    let mut body = fields.body(&["starts_at", end, "comment", "kind", "environment"]);
    let lines = fields.one("matchers").unwrap_or_default();
    let matchers: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(object) = body.as_object_mut() {
        object.insert("matchers".to_owned(), json!(matchers));
    }
    settle(console.silence(fields.asker(asker)?, body).await?, &fields)
}

/// Ends a silence.
pub(super) async fn expire(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    settle(console.unsilence(&id, fields.asker(asker)?).await?, &fields)
}

fn settle<T>(answer: CommandAnswer<T>, fields: &Fields) -> Result<Response> {
    Ok(match answer {
        CommandAnswer::Pending(pending) => waits(&pending, "/silences"),
        CommandAnswer::Changed(_) | CommandAnswer::Created(..) => back("/silences", fields.me()),
    })
}

/// The button that says a proposed link is right.
pub(super) async fn confirm_link(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    judge_link(&console, &id, LinkVerdict::Confirmed, asker, &fields).await
}

/// The button that says a proposed link is wrong.
pub(super) async fn deny_link(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    judge_link(&console, &id, LinkVerdict::Denied, asker, &fields).await
}

async fn judge_link(
    console: &Console,
    id: &str,
    verdict: LinkVerdict,
    asker: RequestActor,
    fields: &Fields,
) -> Result<Response> {
    Ok(match console.judge_link(id, verdict, fields.asker(asker)?).await? {
        CommandAnswer::Pending(pending) => waits(&pending, "/topology"),
        CommandAnswer::Changed(_) | CommandAnswer::Created(..) => back("/topology", fields.me()),
    })
}

/// Takes an event back.
pub(super) async fn undo(State(console): State<Console>, asker: RequestActor, fields: Fields) -> Result<Response> {
    Ok(match console.undo(fields.asker(asker)?, fields.filled(ActName::Undo)).await? {
        UndoAnswer::Pending(pending) => waits(&pending, "/"),
        UndoAnswer::Subject(subject) if subject.starts_with(IncidentId::PREFIX) => {
            back(&format!("/{subject}"), fields.me())
        }
        UndoAnswer::Subject(subject) if subject.starts_with(LabelId::PREFIX) => {
            Redirect::to(&learnt::labels_again(&fields)).into_response()
        }
        UndoAnswer::Subject(subject) if subject.starts_with("SIL-") => back("/silences", fields.me()),
        UndoAnswer::Subject(subject) => back(&format!("/alerts/{subject}"), ""),
    })
}
