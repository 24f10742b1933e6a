//! Takes the pages' forms. A form becomes the same body that the API takes, and the answer is a redirect
//! back to the page; the name of whoever acted travels in the address, so that no cookie is needed.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, post};
use hindcast_api::Code;
use hindcast_domain::act::ActName;
use hindcast_domain::{IncidentId, LabelId};
use hindcast_http::{HttpRefusal, Result};
use serde_json::{Map, Value, json};

use super::learnt;
use crate::commands::asker::{ANONYMOUS, actor};
use crate::commands::undo::Undone;
use crate::commands::{Answer, Asker, Pending};
use crate::{Console, pages};
use pages::words::href;

/// A form as it came.
pub(super) struct Fields(Vec<(String, String)>);

impl FromRequest<Console> for Fields {
    type Rejection = HttpRefusal;
    async fn from_request(request: Request, console: &Console) -> Result<Self> {
        match Form::<Vec<(String, String)>>::from_request(request, console).await {
            Ok(Form(pairs)) => Ok(Self(pairs)),
            Err(FormRejection::InvalidFormContentType(_)) => {
                Err(HttpRefusal::new(Code::UnsupportedMediaType, "expected application/x-www-form-urlencoded"))
            }
            Err(_) => Err(HttpRefusal::new(Code::Malformed, "expected a form, it cannot be read")),
        }
    }
}

impl Fields {
    /// A field that says something.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, value)| known == name && !value.trim().is_empty());
        found.map(|(_, value)| value.trim())
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect()
    }

    /// The fields of an act, as the body that the API takes.
    fn filled(&self, act: ActName) -> Value {
        act.entry().filled(|name| self.all(name).into_iter().map(ToOwned::to_owned).collect())
    }

    /// The named fields that say something, as a body.
    pub(super) fn body(&self, names: &[&str]) -> Value {
        let pairs = names.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(self.one(name)?))));
        Value::Object(pairs.collect::<Map<String, Value>>())
    }

    /// The name of whoever acts: the field, or what the request says.
    pub(super) fn asker(&self, mut asker: Asker) -> Result<Asker> {
        if let Some(name) = self.one("actor") {
            asker.actor = actor(name)?;
        }
        Ok(asker)
    }

    /// The name for the next form.
    pub(super) fn me(&self) -> &str {
        self.one("actor").filter(|name| *name != ANONYMOUS).unwrap_or_default()
    }
}

/// The form of an act on an incident.
pub(super) fn act(act: ActName) -> MethodRouter<Console> {
    post(move |State(console): State<Console>, Path(id): Path<String>, asker: Asker, fields: Fields| async move {
        let answer = console.act(act, &id, fields.asker(asker)?, fields.filled(act)).await?;
        Ok::<Response, HttpRefusal>(match answer {
            Answer::Pending(pending) => waits(&pending, &format!("/{id}")),
            Answer::Changed(incident) | Answer::Created(incident, _) => back(&format!("/{}", incident.id), fields.me()),
        })
    })
}

/// Declares an incident.
pub(super) async fn declare(State(console): State<Console>, asker: Asker, fields: Fields) -> Result<Response> {
    Ok(match console.declare(fields.asker(asker)?, fields.filled(ActName::Declare)).await? {
        Answer::Pending(pending) => waits(&pending, "/"),
        Answer::Changed(incident) | Answer::Created(incident, _) => back(&format!("/{}", incident.id), fields.me()),
    })
}

/// Creates a silence.
pub(super) async fn silence(State(console): State<Console>, asker: Asker, fields: Fields) -> Result<Response> {
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
    asker: Asker,
    fields: Fields,
) -> Result<Response> {
    settle(console.unsilence(&id, fields.asker(asker)?).await?, &fields)
}

fn settle<T>(answer: Answer<T>, fields: &Fields) -> Result<Response> {
    Ok(match answer {
        Answer::Pending(pending) => waits(&pending, "/silences"),
        Answer::Changed(_) | Answer::Created(..) => back("/silences", fields.me()),
    })
}

/// Takes an event back.
pub(super) async fn undo(State(console): State<Console>, asker: Asker, fields: Fields) -> Result<Response> {
    Ok(match console.undo(fields.asker(asker)?, fields.filled(ActName::Undo)).await? {
        Undone::Pending(pending) => waits(&pending, "/"),
        Undone::Subject(subject) if subject.starts_with(IncidentId::PREFIX) => {
            back(&format!("/{subject}"), fields.me())
        }
        Undone::Subject(subject) if subject.starts_with(LabelId::PREFIX) => {
            Redirect::to(&learnt::labels_again(&fields)).into_response()
        }
        Undone::Subject(subject) if subject.starts_with("SIL-") => back("/silences", fields.me()),
        Undone::Subject(subject) => back(&format!("/alerts/{subject}"), ""),
    })
}

pub(super) fn back(path: &str, me: &str) -> Response {
    Redirect::to(&href(path, [("me", me)])).into_response()
}

pub(super) fn waits(pending: &Pending, path: &str) -> Response {
    (StatusCode::ACCEPTED, pages::error::pending(pending.position, &pending.command, path)).into_response()
}
