//! The pages that ask: the form by itself, and the form of an incident. A question becomes the same one that the
//! API takes, and its answer is the page.

use axum::extract::{Path, State};
use hindcast_advice::Asker as Person;
use hindcast_api::{Ask, Incident};
use hindcast_http::Result;
use maud::Markup;
use serde_json::Value;

use super::fields::{Fields, incident_id};
use crate::Console;
use crate::ask::checked;
use crate::commands::RequestActor;
use crate::look::Look;
use crate::pages::ask::{AnswerPage, QuestionForm};
use crate::pages::{self, Tab};
use crate::params::{AS_OF, QueryParams};

/// Where the form is.
const PATH: &str = "/ask";

/// The form; a question of the address stands in it and is not asked by looking at it.
pub(super) async fn form(look: Look) -> Result<Markup> {
    shown(look.asked().one("incident"), &look).await
}

/// The form of an incident, for whoever loads the address of an answer again.
pub(super) async fn form_of(Path(id): Path<String>, look: Look) -> Result<Markup> {
    shown(Some(incident_id(id)?), &look).await
}

/// A question about no incident in particular.
pub(super) async fn of_any(State(console): State<Console>, asker: RequestActor, fields: Fields) -> Result<Markup> {
    let incident = fields.one("incident").map(str::to_owned);
    console.answered(incident, &asker, &fields).await
}

/// A question about an incident.
pub(super) async fn of_incident(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Markup> {
    console.answered(Some(incident_id(id)?), &asker, &fields).await
}

async fn shown(incident: Option<String>, look: &Look) -> Result<Markup> {
    let about: Option<Incident> = match incident {
        Some(id) => Some(look.seen().incident(Some(&id)).await?),
        None => None,
    };
    let form = QuestionForm {
        question: look.asked().one("question").unwrap_or_default(),
        incident: about.as_ref().map(|incident| incident.id.clone()),
        conversation: look.asked().one("conversation"),
    };
    let frame = look.frame(PATH, Tab::Ask, "Ask").await?;
    Ok(pages::ask::page(&frame, &form, about.as_ref()))
}

impl Console {
    async fn answered(&self, incident: Option<String>, asker: &RequestActor, fields: &Fields) -> Result<Markup> {
        let as_of = fields.one(AS_OF.name);
        let ask = checked(Ask {
            question: fields.one("question").unwrap_or_default().to_owned(),
            incident,
            as_of: as_of.map(|as_of| Value::String(as_of.to_owned())),
            conversation: fields.one("conversation").map(str::to_owned),
        })?;
        let question = ask.question.clone();
        let person = Person { actor: asker.actor.clone(), channel: "web".into() };
        let answer = self.answer(ask, person, self.may_ask()?).await?;
        // The answer's own page cannot be looked at again: the foot and the banner lead back to the form.
        let mut about = vec![("question", question.as_str())];
        about.extend(answer.incident.as_deref().map(|incident| ("incident", incident)));
        about.extend(as_of.map(|as_of| (AS_OF.name, as_of)));
        let look = Look::at(self, QueryParams::made(&about), answer.position).await?;
        let frame = look.frame(PATH, Tab::Ask, &question).await?;
        Ok(pages::ask::answered(&AnswerPage { frame, question, answer }))
    }
}
