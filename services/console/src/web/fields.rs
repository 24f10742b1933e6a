//! What a form of a page carries, and where its answer leads. Owns the reading of fields; refuses to know what is done
//! with them.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use hindcast_api::Code;
use hindcast_domain::act::ActName;
use hindcast_http::{HttpRefusal, Result};
use serde_json::{Map, Value};

use crate::commands::asker::{ANONYMOUS, actor};
use crate::commands::{Pending, RequestActor};
use crate::pages::words::href;
use crate::{Console, fallback, pages};

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

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect()
    }

    /// The fields of an act, as the body that the API takes.
    pub(super) fn filled(&self, act: ActName) -> Value {
        act.entry().filled(|name| self.all(name).into_iter().map(ToOwned::to_owned).collect())
    }

    /// The named fields that say something, as a body.
    pub(super) fn body(&self, names: &[&str]) -> Value {
        let pairs = names.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(self.one(name)?))));
        Value::Object(pairs.collect::<Map<String, Value>>())
    }

    /// The name of whoever acts: the field, or what the request says.
    pub(super) fn asker(&self, mut asker: RequestActor) -> Result<RequestActor> {
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

/// The id of an incident that an address names.
pub(super) fn incident_id(id: String) -> Result<String> {
    if fallback::is_incident(&id) {
        return Ok(id);
    }
    Err(HttpRefusal::new(Code::NotFound, format!("expected an incident, got {id:?}")))
}

/// Leads back to a page, under the name of whoever acted.
pub(super) fn back(path: &str, me: &str) -> Response {
    Redirect::to(&href(path, [("me", me)])).into_response()
}

/// Says that a command is not decided yet.
pub(super) fn waits(pending: &Pending, path: &str) -> Response {
    (StatusCode::ACCEPTED, pages::error::pending(pending.position, &pending.command, path)).into_response()
}
