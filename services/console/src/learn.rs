//! Labels, versions of models and backtests: reading them, judging, and moving the pointer. Owns parameters and forms
//! of answers; what is learnt is the port's, what is in force the control lane's.

mod labels;
mod progress;

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::{BacktestRequest, Code, Comparison, ModelVersion, Page, Problem, TrainRequest};
use hindcast_domain::Partition;
use hindcast_domain::command::Command;
use hindcast_http::{HttpRefusal, Result};
use hindcast_training as learning;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Console;
use crate::commands::body::{self, Json as Body};
use crate::commands::{CommandAnswer, CommandResult, Order, Relative, RequestActor};
use crate::look::Look;

use labels::WHY_BYTES_MAX;
pub use labels::{JudgementBody, coverage, judge, labels};
pub(crate) use labels::{cell_of, label_filter};
use progress::long;
pub(crate) use progress::{Begin, Heard, Running};

type Shown<T> = Result<Json<T>>;

/// How often a comment keeps an idle connection open, and finds out that nobody listens any more.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Versions of models, newest first.
pub async fn models(look: Look) -> Shown<Page<ModelVersion>> {
    Ok(Json(look.seen().models(look.part()?).await?))
}

/// The version in force of a model.
pub async fn model(Path(name): Path<String>, look: Look) -> Shown<ModelVersion> {
    Ok(Json(look.seen().model(&name, None).await?))
}

/// Answers `GET /v1/models/{model}/versions/{version}`.
pub async fn version(Path((name, version)): Path<(String, String)>, look: Look) -> Shown<ModelVersion> {
    Ok(Json(look.seen().model(&name, Some(number(&version)?)).await?))
}

/// Its model card, in Markdown.
pub async fn card(Path((name, version)): Path<(String, String)>, look: Look) -> Result<Response> {
    let found = look.seen().model(&name, Some(number(&version)?)).await?;
    let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kind, found.card.unwrap_or_default()).into_response())
}

pub(crate) fn number(text: &str) -> Result<u32> {
    let bad = |_| HttpRefusal::new(Code::BadParameter, format!("expected the number of a version, got {text:?}"));
    text.parse().map_err(bad)
}

/// Learns a version from labels.
pub async fn train(
    State(console): State<Console>,
    Path(name): Path<String>,
    headers: HeaderMap,
    asker: RequestActor,
    Body(body): Body,
) -> Result<Response> {
    long(&headers, console.training(&name, &asker, body)?).await
}

/// Decides the past again, compares, and records what the gate says.
pub async fn compare(
    State(console): State<Console>,
    Path(name): Path<String>,
    headers: HeaderMap,
    asker: RequestActor,
    Body(body): Body,
) -> Result<Response> {
    known(&name)?;
    long(&headers, console.comparing(&asker, body, true)?).await
}

/// The same without a record.
pub async fn backtest(
    State(console): State<Console>,
    headers: HeaderMap,
    asker: RequestActor,
    Body(body): Body,
) -> Result<Response> {
    long(&headers, console.comparing(&asker, body, false)?).await
}

/// The version to put in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// The version that is promoted; versions count from 1.
    pub version: u32,
}

/// Why the version before is put in force again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// In plain words.
    pub why: String,
}

/// The version that runs beside the one in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// Its number; absent or null ends the shadow.
    #[serde(default)]
    pub version: Option<u32>,
    /// The first position that it decides on, which may lie in the past; the head where absent.
    #[serde(default)]
    pub from: Option<u64>,
}

/// A command that moves what is in force, or what runs beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A version is put in force.
    Promote,
    /// The version before is.
    RollBack,
    /// A shadow begins or ends.
    Shadow,
}

/// Puts a version in force that passed against the one that is.
pub async fn promote(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: RequestActor,
    Body(body): Body,
) -> Result<CommandAnswer<ModelVersion>> {
    console.moved(&name, &asker, Move::Promote, body).await
}

/// Puts the version before in force again.
pub async fn roll_back(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: RequestActor,
    Body(body): Body,
) -> Result<CommandAnswer<ModelVersion>> {
    console.moved(&name, &asker, Move::RollBack, body).await
}

/// Begins or ends a shadow.
pub async fn shadow(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: RequestActor,
    Body(body): Body,
) -> Result<CommandAnswer<ModelVersion>> {
    console.moved(&name, &asker, Move::Shadow, body).await
}

impl Console {
    /// Whether this process trains and compares.
    pub(crate) fn learns(&self) -> bool {
        self.inner.options.learning.is_some()
    }

    fn learning(&self) -> Result<learning::Shared> {
        self.inner.options.learning.clone().ok_or_else(|| {
            let problem = Problem::new(Code::NotSetUp, "this process does not learn");
            HttpRefusal(problem.remedy("Ask a process that serves the roles `learning` and `console`."))
        })
    }

    /// A training that is checked and not begun.
    ///
    /// # Errors
    /// 404 for another model, 422 for a body that makes no sense, 501 where another process learns.
    pub(crate) fn training(&self, name: &str, asker: &RequestActor, body: Value) -> Result<Begin<ModelVersion>> {
        known(name)?;
        let request: TrainRequest = body::read(or_empty(body))?;
        let (port, by) = (self.learning()?, asker.actor.clone());
        Ok(Box::new(move |told| Box::pin(async move { port.train(request, &by, told).await })))
    }

    /// A comparison that is checked and not begun; with `judge`, what the gate says is recorded.
    ///
    /// # Errors
    /// 422 for a body that makes no sense, 501 where another process learns.
    pub(crate) fn comparing(&self, asker: &RequestActor, body: Value, judge: bool) -> Result<Begin<Comparison>> {
        let request: BacktestRequest = body::read(or_empty(body))?;
        let (port, by) = (self.learning()?, asker.actor.clone());
        Ok(Box::new(move |told| Box::pin(async move { port.backtest(request, &by, judge, told).await })))
    }

    /// Moves what is in force, or what runs beside it.
    ///
    /// # Errors
    /// 404 for another model, 422 for a body that makes no sense, and what [`Console::submit`] refuses.
    pub(crate) async fn moved(
        &self,
        name: &str,
        asker: &RequestActor,
        movement: Move,
        body: Value,
    ) -> Result<CommandAnswer<ModelVersion>> {
        let (command, shown) = order(name, movement, body)?;
        let partition = Partition::whole(Partition::TENANT);
        let order = Order { partition, subject: name.to_owned(), command, relative: Relative::No };
        match self.submit(asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { position, .. } => {
                self.reached(position).await;
                Ok(CommandAnswer::Changed(self.queries().now().await?.model(name, shown).await?))
            }
        }
    }
}

/// The command that a body asks for, and the version that is shown afterwards.
fn order(name: &str, movement: Move, body: Value) -> Result<(Command, Option<u32>)> {
    let model = name.to_owned();
    let order = match movement {
        Move::Promote => {
            let Promote { version } = body::read(body)?;
            (Command::PromoteModel { model, version }, Some(version))
        }
        Move::RollBack => {
            let RollBack { why } = body::read(body)?;
            let why = body::text("why", &why)?;
            if why.len() > WHY_BYTES_MAX {
                let detail = format!("expected a reason of at most {WHY_BYTES_MAX} bytes, got {}", why.len());
                return Err(body::invalid(detail));
            }
            (Command::RollBackModel { model, why }, None)
        }
        Move::Shadow => {
            let Shadow { version, from } = body::read(body)?;
            (Command::ShadowModel { model, version, from }, version)
        }
    };
    known(name)?;
    Ok(order)
}

pub(crate) fn known(name: &str) -> Result<()> {
    let model = hindcast_domain::model::PAIR_SCORER;
    if name == model {
        return Ok(());
    }
    Err(HttpRefusal::new(Code::NotFound, format!("expected the model {model}, got {name:?}")))
}

fn or_empty(body: Value) -> Value {
    if body.is_null() { json!({}) } else { body }
}

#[cfg(test)]
mod tests;
