//! Silences as an Alertmanager has them. Owns the translation to and from its shapes; refuses to decide: a
//! silence is a command in the ledger, and the control lane answers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Problem, Silence};
use hindcast_domain::command::{Command, Received};
use hindcast_domain::limits::TEXT_BYTES_MAX;
use hindcast_domain::silence::{Kind, Matcher, RepeatingWindow, SilenceState, Terms};
use hindcast_domain::{Partition, SilenceId, Time};
use hindcast_http::{HttpRefusal, Result};
use hindcast_intake::NewCommand;
use hindcast_queries::{CommandOutcome, Window};
use serde::Deserialize;
use serde_json::{Value, json};

use super::alertmanager::PAGES_MAX;
use super::filter::Filter;
use super::reading::{admit, read, told};
use crate::redact::Redactor;
use crate::take::refused;
use crate::{Gateway, time};

/// How long the control lane's answer is awaited.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of `POST /api/v2/silences`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertmanagerSilence {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<Matcher>,
    starts_at: String,
    ends_at: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
}

/// `GET /api/v2/silences`
pub(super) async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Vec<Value>>> {
    admit(&gateway, &headers)?;
    let filter = Filter::of(&query)?;
    let queries = gateway.queries()?;
    let mut shown = Vec::new();
    let mut window = Window { limit: Some(hindcast_api::LIMIT_MAX), ..Window::default() };
    for _ in 0..PAGES_MAX {
        let page = queries.silences(window.clone()).await?;
        let wanted = |silence: &&Silence| filter.matches(&named(&silence.terms.matchers));
        shown.extend(page.items.iter().filter(wanted).map(shape));
        match page.next {
            Some(next) => window.cursor = Some(next),
            None => break,
        }
    }
    Ok(Json(shown))
}

/// Filters look at a silence's matchers as if they were labels.
fn named(matchers: &[Matcher]) -> BTreeMap<String, String> {
    matchers.iter().map(|matcher| (matcher.name.clone(), matcher.value.clone())).collect()
}

/// `GET /api/v2/silence/{id}`
pub(super) async fn one(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    admit(&gateway, &headers)?;
    let silence = gateway.queries()?.silence(&id, None).await?;
    Ok(Json(shape(&silence)))
}

fn shape(silence: &Silence) -> Value {
    let state = match silence.state {
        SilenceState::Pending => "pending",
        SilenceState::Active => "active",
        SilenceState::Expired => "expired",
    };
    let terms = &silence.terms;
    let ends_at = if silence.ended.is_some() { terms.ends_at.min(silence.updated_at) } else { terms.ends_at };
    json!({
        "id": silence.id, "status": { "state": state }, "updatedAt": silence.updated_at, "comment": terms.comment,
        "createdBy": terms.created_by, "startsAt": terms.starts_at, "endsAt": ends_at, "matchers": terms.matchers,
    })
}

/// `POST /api/v2/silences`
pub(super) async fn create(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Result<Response> {
    admit(&gateway, &headers)?;
    let body = read(&headers, body).await?;
    let json = hindcast_http::json(&body)?;
    let asked: AlertmanagerSilence = serde_json::from_value(json)
        .map_err(|error| HttpRefusal::new(Code::Malformed, format!("expected a silence: {error:.200}")))?;
    let replaces = match asked.id.as_deref().filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(gateway.queries()?.silence(id, None).await?),
    };
    // An Alertmanager knows of no windows that repeat: an edit by its clients leaves that as it is.
    let repeats = replaces.as_ref().and_then(|silence| silence.terms.repeats.clone());
    let replaces = replaces.map(|silence| silence_id(&silence.id)).transpose()?;
    let terms = terms(asked, repeats, gateway.inner.key.redactor(), gateway.now())?;
    let actor = Some(terms.created_by.chars().take(128).collect::<String>()).filter(|name| !name.is_empty());
    let command = Command::CreateSilence { terms, replaces };
    match ask(&gateway, &headers, actor, "silence".to_owned(), command).await? {
        // An edit begins the new silence before it ends the old one.
        SilenceResult::Decided(subjects) => match subjects.iter().find(|id| id.starts_with(SilenceId::PREFIX)) {
            Some(id) => Ok(Json(json!({ "silenceID": id })).into_response()),
            None => Err(HttpRefusal::new(Code::Internal, "the decision named no silence")),
        },
        SilenceResult::Pending(position) => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "position": position }))).into_response())
        }
    }
}

/// `DELETE /api/v2/silence/{id}`
pub(super) async fn expire(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    admit(&gateway, &headers)?;
    let silence = known(&gateway, &id).await?;
    let subject = silence.to_string();
    match ask(&gateway, &headers, None, subject, Command::ExpireSilence { silence }).await? {
        SilenceResult::Decided(_) => Ok(StatusCode::OK),
        SilenceResult::Pending(_) => Ok(StatusCode::ACCEPTED),
    }
}

/// The silence of that id, by the views; 404 where there is none.
async fn known(gateway: &Gateway, id: &str) -> Result<SilenceId> {
    silence_id(&gateway.queries()?.silence(id, None).await?.id)
}

fn silence_id(id: &str) -> Result<SilenceId> {
    id.parse().map_err(|_| HttpRefusal::new(Code::Internal, "the views named no silence"))
}

/// What is asked for, checked and cleaned. Alertmanager's start in the past means now.
fn terms(
    asked: AlertmanagerSilence,
    repeats: Option<RepeatingWindow>,
    mut redactor: Redactor,
    now: Time,
) -> Result<Terms> {
    let invalid = |detail: String| {
        let mut problem = Problem::new(Code::Invalid, detail);
        problem.status = 400;
        HttpRefusal(problem)
    };
    let at = |text: &str| match time::rfc3339(text) {
        Ok(time) => Ok(time.unwrap_or(now)),
        Err(error) => Err(invalid(error.to_string())),
    };
    if asked.comment.len() > TEXT_BYTES_MAX || asked.created_by.len() > TEXT_BYTES_MAX {
        return Err(invalid(format!("expected at most {TEXT_BYTES_MAX} bytes in comment and createdBy")));
    }
    let mut matchers = asked.matchers;
    for matcher in &mut matchers {
        matcher.clean(|name, value| redactor.label(name, value)).map_err(|error| invalid(error.to_string()))?;
    }
    let terms = Terms {
        matchers,
        starts_at: at(&asked.starts_at)?.max(now),
        ends_at: at(&asked.ends_at)?,
        created_by: redactor.text(&asked.created_by),
        comment: redactor.text(&asked.comment),
        kind: Kind::Silence,
        environment: None,
        repeats,
    };
    terms.check(now).map_err(|error| invalid(error.to_string()))?;
    Ok(terms)
}

enum SilenceResult {
    /// The events' subjects.
    Decided(Vec<String>),
    /// The command's position.
    Pending(u64),
}

async fn ask(
    gateway: &Gateway,
    headers: &HeaderMap,
    actor: Option<String>,
    subject: String,
    command: Command,
) -> Result<SilenceResult> {
    let queries = gateway.queries()?;
    let received = Received { key: fresh_key()?, if_match: None, command };
    let command = NewCommand {
        subject,
        actor: actor.unwrap_or_else(|| "alertmanager-api".to_owned()),
        command: received,
        traceparent: told(headers).traceparent,
    };
    let partition = Partition::whole(Partition::TENANT);
    let receipt = gateway.inner.commands.submit(&partition, command).await.map_err(refused)?;
    let id = receipt.ids.first().ok_or_else(|| HttpRefusal::new(Code::Internal, "the ledger named no position"))?;
    match queries.outcome(id, PATIENCE).await {
        CommandOutcome::Accepted { subjects, .. } => Ok(SilenceResult::Decided(subjects)),
        CommandOutcome::Rejected(rejected) => Err(Problem::of_rejection(&rejected).into()),
        CommandOutcome::Pending => Ok(SilenceResult::Pending(receipt.position())),
    }
}

/// An Alertmanager has no idempotency keys, so every request is a command of its own.
fn fresh_key() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no random numbers for a command's key");
        HttpRefusal::new(Code::Unavailable, "no random numbers can be had now")
    })?;
    Ok(hindcast_domain::hex::hex(&bytes))
}
