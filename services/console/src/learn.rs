//! Labels, versions of models and backtests: reading them, judging, and moving the pointer. Owns parameters and forms
//! of answers; what is learnt is the port's, what is in force the control lane's.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hindcast_advice::proposed;
use hindcast_api::{
    BacktestRequest, Code, Comparison, JudgeRequest, Label, LabelCoverage, LearnProgress, ModelVersion, Page, Problem,
    TrainRequest,
};
use hindcast_domain::command::Command;
use hindcast_domain::label::{About, Judged};
use hindcast_domain::{EventId, Partition};
use hindcast_facts::NewFact;
use hindcast_http::{HttpRefusal, Result};
use hindcast_mlops::table;
use hindcast_queries::{LabelFilter, Window};
use hindcast_training as learning;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Console;
use crate::commands::body::{self, Json as Body};
use crate::commands::{Answer, Asker, Done, Order, Relative};
use crate::params::Asked;

type Shown<T> = Result<Json<T>>;

/// Labels of one export; of more nothing is given, so that no part is taken for the whole.
const EXPORT_MAX: usize = 500_000;
/// Words of progress that wait for a slow reader.
const AHEAD: usize = 64;
/// How often a comment keeps an idle connection open, and finds out that nobody listens any more.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a page waits for the labels that follow from a judgement.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// The longest reason.
const WHY_BYTES_MAX: usize = 1_000;

// ── labels ─────────────────────────────────────────────────────────────────────────────────────────

/// Labels, newest first; all of them as NDJSON or CSV where that is asked for.
pub async fn labels(State(console): State<Console>, asked: Asked) -> Result<Response> {
    let filter = label_filter(&console, &asked).await?;
    let format = asked.one("format");
    match format.as_deref() {
        None | Some("json") => Ok(Json(console.queries().labels(filter, asked.window()?).await?).into_response()),
        Some(form @ ("ndjson" | "csv")) => {
            let labels = all(&console, &filter, &asked).await?;
            let (kind, text) = if form == "csv" {
                ("text/csv; charset=utf-8", csv(&labels))
            } else {
                ("application/x-ndjson", ndjson(&labels)?)
            };
            Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
        }
        Some(other) => {
            let detail = format!("expected a format of json, ndjson or csv, got {other:?}");
            Err(HttpRefusal::new(Code::BadParameter, detail))
        }
    }
}

/// The filter of a list of labels.
pub(crate) async fn label_filter(console: &Console, asked: &Asked) -> Result<LabelFilter> {
    let incident = match asked.one("incident") {
        Some(named) => Some(console.queries().incident(Some(&named), asked.as_of()?).await?.id),
        None => None,
    };
    let rule = asked.one("rule");
    if let Some(other) = rule.as_ref().filter(|rule| table::rule(rule).is_none()) {
        let known: Vec<&str> = table::RULES.iter().map(|known| known.name).collect();
        let detail = format!("expected a rule of {}, got {other:?}", known.join(", "));
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    Ok(LabelFilter {
        kind: asked.one("kind"),
        rule,
        provenance: asked.one("provenance"),
        incident,
        by: asked.one("by"),
        environment: asked.one("environment"),
        retracted: asked.flag("retracted")?,
        disputed: asked.flag("disputed")?,
    })
}

async fn all(console: &Console, filter: &LabelFilter, asked: &Asked) -> Result<Vec<Label>> {
    let mut window = Window { as_of: asked.as_of()?, limit: Some(hindcast_api::LIMIT_MAX), cursor: None };
    let mut labels = Vec::new();
    loop {
        let page = console.queries().labels(filter.clone(), window.clone()).await?;
        labels.extend(page.items);
        match page.next {
            None => return Ok(labels),
            Some(_) if labels.len() >= EXPORT_MAX => {
                let detail = format!("expected at most {EXPORT_MAX} labels in one export, found more");
                let problem = Problem::new(Code::OverLimit, detail);
                return Err(HttpRefusal(
                    problem.remedy("Filter by kind, rule, incident or environment, or read page by page."),
                ));
            }
            Some(next) => window.cursor = Some(next),
        }
    }
}

fn ndjson(labels: &[Label]) -> Result<String> {
    let mut text = String::new();
    for label in labels {
        let line = serde_json::to_string(label)
            .map_err(|error| HttpRefusal::new(Code::Internal, format!("a label has no JSON form: {error}")))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn csv(labels: &[Label]) -> String {
    let mut text = String::from(
        "id,at,kind,value,weight,provenance,rule,learns,by,incident,about,retracted,retracted_position,from,event,\
         environment,position,disputed\n",
    );
    for label in labels {
        let about = serde_json::to_string(&label.about).unwrap_or_default();
        let word = |value: serde_json::Result<Value>| value.ok().and_then(|word| word.as_str().map(str::to_owned));
        let cells = [
            label.id.clone(),
            label.at.to_string(),
            word(serde_json::to_value(label.kind)).unwrap_or_default(),
            label.value.clone(),
            label.weight.to_string(),
            word(serde_json::to_value(label.provenance)).unwrap_or_default(),
            label.rule.clone(),
            label.learns.to_string(),
            label.by.clone(),
            label.incident.clone().unwrap_or_default(),
            about,
            label.retracted.clone().unwrap_or_default(),
            label.retracted_position.map_or_else(String::new, |position| position.to_string()),
            label.from.clone(),
            label.event.clone(),
            label.environment.clone(),
            label.position.to_string(),
            label.disputed.to_string(),
        ];
        let row: Vec<String> = cells.iter().map(|cell| cell_of(cell)).collect();
        writeln!(text, "{}", row.join(",")).unwrap_or_default();
    }
    text
}

/// A cell of a table: quoted where it must be, and never read as a formula by a spreadsheet.
pub(crate) fn cell_of(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// How many closed incidents have a cause, and where people disagree.
pub async fn coverage(State(console): State<Console>, asked: Asked) -> Shown<LabelCoverage> {
    Ok(Json(console.queries().label_coverage(asked.as_of()?).await?))
}

/// What was recorded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JudgedAnswer {
    /// The `label.judged` event.
    pub event: String,
    /// Where it stands.
    pub position: u64,
}

/// Records a judgement; the lane of labels says what it is a label of.
///
/// # Errors
/// 422 for a verdict that says nothing of what is judged, 404 for what is not there.
pub async fn judge(State(console): State<Console>, asker: Asker, Body(body): Body) -> Result<Response> {
    let request: JudgeRequest = body::read(body)?;
    let answer = console.judge(&asker, request).await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

impl Console {
    /// Records a judgement.
    ///
    /// # Errors
    /// As those of the route.
    pub(crate) async fn judge(&self, asker: &Asker, request: JudgeRequest) -> Result<JudgedAnswer> {
        let incident = body::maybe("incident", request.incident.clone())?;
        let judged = checked(request)?;
        let partition = match (&judged.about, incident) {
            (About::Proposal { proposal }, Some(incident)) => {
                let incident = self.queries().incident(Some(&incident), None).await?.id;
                proposed::stands(self.queries(), self.advice(), &incident, proposal.as_str()).await?;
                self.queries().partition_of(&incident).await?
            }
            (About::Proposal { proposal }, None) => {
                match proposed::stands_somewhere(self.queries(), self.advice(), proposal.as_str()).await? {
                    Some(incident) => self.queries().partition_of(&incident).await?,
                    None => self.home_of(&judged.about).await?,
                }
            }
            (about, _) => self.home_of(about).await?,
        };
        let subject = subject_of(&judged.about);
        let fact = NewFact {
            subject,
            actor: asker.actor.clone(),
            fact: judged.into(),
            traceparent: asker.traceparent.clone(),
        };
        let receipt = self.inner.options.writer.submit(&partition, vec![fact]).await.map_err(|error| {
            tracing::warn!(%error, "a judgement was not written");
            HttpRefusal::new(Code::Unavailable, "the ledger takes nothing now")
        })?;
        let position = receipt.positions.first().copied().unwrap_or_default();
        self.reached(position).await;
        Ok(JudgedAnswer { event: receipt.ids.first().map(ToString::to_string).unwrap_or_default(), position })
    }

    /// Waits a moment for the lane of labels to say what a judgement is a label of, so that the next page shows it.
    pub(crate) async fn heard(&self, judged: &JudgedAnswer) {
        if let Ok(event) = judged.event.parse::<EventId>() {
            // Whatever comes of it, or nothing in time: the judgement is written.
            let _ = self.queries().outcome(&event, HEARD_WITHIN).await;
        }
    }

    /// Waits a moment for the views to show what was written.
    async fn reached(&self, position: u64) {
        let mut reached = self.queries().position();
        let seen = async { reached.wait_for(|reached| *reached >= position).await.is_ok() };
        if tokio::time::timeout(Duration::from_secs(5), seen).await.is_err() {
            tracing::debug!("the views have not reached what was written");
        }
    }

    /// The partition whose lane of labels hears of it.
    async fn home_of(&self, about: &About) -> Result<Partition> {
        let incident = match about {
            About::Incident { incident } | About::Pair { incident, .. } | About::Recall { incident, .. } => {
                Some(incident.clone())
            }
            About::Alert { incident, .. } => incident.clone(),
            About::Proposal { .. } | About::Notice { .. } | About::Conversation { .. } => None,
        };
        if let Some(incident) = incident {
            let found = self.queries().incident(Some(incident.as_str()), None).await?;
            return Ok(self.queries().partition_of(&found.id).await?);
        }
        let subject = subject_of(about);
        let filter = hindcast_queries::EventFilter { subject: Some(subject.clone()), ..Default::default() };
        let window = Window { limit: Some(1), ..Window::default() };
        let first = self.queries().events(filter, window).await?.items.into_iter().next();
        let first = first.ok_or_else(|| {
            HttpRefusal::new(Code::NotFound, format!("expected something to judge, found no {subject}"))
        })?;
        // What concerns the tenant as a whole, such as a notice, is heard in the environment of most incidents.
        let environment =
            if first.environment == Partition::WHOLE_TENANT { Partition::ENVIRONMENT } else { &first.environment };
        Ok(Partition { tenant: first.tenant.clone(), environment: environment.to_owned() })
    }
}

/// A judgement as it is recorded: without secrets, and one that says something of what is judged.
///
/// # Errors
/// 422, with the verdicts that were expected.
fn checked(request: JudgeRequest) -> Result<Judged> {
    let mut redactor = hindcast_redact::Redactor::default();
    let text = body::maybe("text", request.text)?.map(|text| redactor.text(&text));
    let judged =
        Judged { about: request.about, verdict: body::text("verdict", request.verdict.as_str())?.into(), text };
    hindcast_mlops::labeller::check(&judged).map_err(body::invalid)?;
    Ok(judged)
}

/// What a judgement's event is about.
fn subject_of(about: &About) -> String {
    match about {
        About::Incident { incident } | About::Recall { incident, .. } => incident.to_string(),
        About::Alert { fingerprint, .. } => fingerprint.to_string(),
        About::Pair { younger, .. } => younger.to_string(),
        About::Proposal { proposal } => proposal.to_string(),
        About::Notice { notice } => notice.to_string(),
        About::Conversation { conversation } => conversation.to_string(),
    }
}

// ── models ─────────────────────────────────────────────────────────────────────────────────────────

/// Versions of models, newest first.
pub async fn models(State(console): State<Console>, asked: Asked) -> Shown<Page<ModelVersion>> {
    Ok(Json(console.queries().models(asked.window()?).await?))
}

/// The version in force of a model.
pub async fn model(State(console): State<Console>, Path(name): Path<String>, asked: Asked) -> Shown<ModelVersion> {
    Ok(Json(console.queries().model(&name, None, asked.as_of()?).await?))
}

/// Answers `GET /v1/models/{model}/versions/{version}`.
pub async fn version(
    State(console): State<Console>,
    Path((name, version)): Path<(String, String)>,
    asked: Asked,
) -> Shown<ModelVersion> {
    Ok(Json(console.queries().model(&name, Some(number(&version)?), asked.as_of()?).await?))
}

/// Its model card, in Markdown.
pub async fn card(
    State(console): State<Console>,
    Path((name, version)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response> {
    let found = console.queries().model(&name, Some(number(&version)?), asked.as_of()?).await?;
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
    asker: Asker,
    Body(body): Body,
) -> Result<Response> {
    long(&headers, console.training(&name, &asker, body)?).await
}

/// Decides the past again, compares, and records what the gate says.
pub async fn compare(
    State(console): State<Console>,
    Path(name): Path<String>,
    headers: HeaderMap,
    asker: Asker,
    Body(body): Body,
) -> Result<Response> {
    known(&name)?;
    long(&headers, console.comparing(&asker, body, true)?).await
}

/// The same without a record.
pub async fn backtest(
    State(console): State<Console>,
    headers: HeaderMap,
    asker: Asker,
    Body(body): Body,
) -> Result<Response> {
    long(&headers, console.comparing(&asker, body, false)?).await
}

/// The version to put in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// Its number.
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
    asker: Asker,
    Body(body): Body,
) -> Result<Answer<ModelVersion>> {
    console.moved(&name, &asker, Move::Promote, body).await
}

/// Puts the version before in force again.
pub async fn roll_back(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: Asker,
    Body(body): Body,
) -> Result<Answer<ModelVersion>> {
    console.moved(&name, &asker, Move::RollBack, body).await
}

/// Begins or ends a shadow.
pub async fn shadow(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: Asker,
    Body(body): Body,
) -> Result<Answer<ModelVersion>> {
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
    pub(crate) fn training(&self, name: &str, asker: &Asker, body: Value) -> Result<Begin<ModelVersion>> {
        known(name)?;
        let request: TrainRequest = body::read(or_empty(body))?;
        let (port, by) = (self.learning()?, asker.actor.clone());
        Ok(Box::new(move |told| Box::pin(async move { port.train(request, &by, told).await })))
    }

    /// A comparison that is checked and not begun; with `judge`, what the gate says is recorded.
    ///
    /// # Errors
    /// 422 for a body that makes no sense, 501 where another process learns.
    pub(crate) fn comparing(&self, asker: &Asker, body: Value, judge: bool) -> Result<Begin<Comparison>> {
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
        asker: &Asker,
        movement: Move,
        body: Value,
    ) -> Result<Answer<ModelVersion>> {
        let (command, shown) = order(name, movement, body)?;
        let partition = Partition::whole(Partition::TENANT);
        let order = Order { partition, subject: name.to_owned(), command, relative: Relative::No };
        match self.submit(asker, order).await? {
            Done::Pending(pending) => Ok(Answer::Pending(pending)),
            Done::Accepted { position, .. } => {
                self.reached(position).await;
                Ok(Answer::Changed(self.queries().model(name, shown, None).await?))
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
    let model = hindcast_mlops::train::NAME;
    if name == model {
        return Ok(());
    }
    Err(HttpRefusal::new(Code::NotFound, format!("expected the model {model}, got {name:?}")))
}

fn or_empty(body: Value) -> Value {
    if body.is_null() { json!({}) } else { body }
}

// ── what takes long ────────────────────────────────────────────────────────────────────────────────

/// Work that takes long; dropping it stops it.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = core::result::Result<T, Problem>> + Send>>;
/// Work that is checked and not begun.
pub(crate) type Begin<T> = Box<dyn FnOnce(learning::Listener) -> Work<T> + Send>;

/// Answers at the end; or as server-sent events named `progress`, `done` and `error` where that is asked for.
async fn long<T: Serialize + Send + 'static>(headers: &HeaderMap, begin: Begin<T>) -> Result<Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return Ok(Json(begin(None).await?).into_response());
    }
    let events = stream::unfold(Running::begun(begin), |mut running| async move {
        let event = sse_of(running.next().await?);
        Some((Ok::<_, Infallible>(event), running))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Work that runs, and what it says while it does. Dropping it stops it.
pub(crate) struct Running<T> {
    work: Option<Work<T>>,
    progress: mpsc::Receiver<LearnProgress>,
    ended: Option<core::result::Result<T, Problem>>,
}

/// What is heard of work that runs.
pub(crate) enum Heard<T> {
    /// How far it is.
    Progress(LearnProgress),
    /// What came of it: the last word.
    Ended(core::result::Result<T, Problem>),
}

impl<T> Running<T> {
    /// Begins.
    pub(crate) fn begun(begin: Begin<T>) -> Self {
        let (sender, progress) = mpsc::channel::<LearnProgress>(AHEAD);
        Self { work: Some(begin(Some(sender))), progress, ended: None }
    }

    /// The next word; none after the last. Dropping this future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Heard<T>> {
        while let Some(work) = self.work.as_mut() {
            tokio::select! {
                biased;
                Some(progress) = self.progress.recv() => return Some(Heard::Progress(progress)),
                ended = work => {
                    self.work = None;
                    self.ended = Some(ended);
                }
            }
        }
        // What it said before it ended comes before how it ended.
        match self.progress.try_recv() {
            Ok(progress) => Some(Heard::Progress(progress)),
            Err(_) => self.ended.take().map(Heard::Ended),
        }
    }
}

fn sse_of<T: Serialize>(heard: Heard<T>) -> sse::Event {
    let (name, text) = match &heard {
        Heard::Progress(progress) => ("progress", serde_json::to_string(progress)),
        Heard::Ended(Ok(done)) => ("done", serde_json::to_string(done)),
        Heard::Ended(Err(problem)) => ("error", serde_json::to_string(problem)),
    };
    sse::Event::default().event(name).data(text.unwrap_or_else(|_| "null".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::cell_of;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        assert_eq!(cell_of("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell_of("a, b"), "\"a, b\"");
        assert_eq!(cell_of("-3.5"), "-3.5");
        assert_eq!(cell_of("@SUM"), "'@SUM");
    }
}
