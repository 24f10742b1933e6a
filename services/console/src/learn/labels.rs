//! Labels: reading and exporting them, what share of the incidents has one, and judging.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hindcast_advice::proposed;
use hindcast_api::{Code, JudgeRequest, Label, LabelCoverage, Problem};
use hindcast_domain::label::{About, Judged};
use hindcast_domain::{EventId, Partition};
use hindcast_facts::NewFact;
use hindcast_http::{HttpRefusal, Result};
use hindcast_mlops::table;
use hindcast_queries::{LabelFilter, ListPart, Snapshot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shown;
use crate::Console;
use crate::commands::RequestActor;
use crate::commands::body::{self, Json as Body};
use crate::look::Look;

/// Labels of one export; of more nothing is given, so that no part is taken for the whole.
const EXPORT_MAX: usize = 500_000;

/// How long a page waits for the labels that follow from a judgement.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// The longest reason.
pub(super) const WHY_BYTES_MAX: usize = 1_000;

/// Labels, newest first; all of them as NDJSON or CSV where that is asked for.
pub async fn labels(look: Look) -> Result<Response> {
    let filter = label_filter(&look).await?;
    let format = look.asked().one("format");
    match format.as_deref() {
        None | Some("json") => Ok(Json(look.seen().labels(filter, look.part()?).await?).into_response()),
        Some(form @ ("ndjson" | "csv")) => {
            let labels = all(look.seen(), &filter).await?;
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
pub(crate) async fn label_filter(look: &Look) -> Result<LabelFilter> {
    let asked = look.asked();
    let incident = match asked.one("incident") {
        Some(named) => Some(look.seen().incident(Some(&named)).await?.id),
        None => None,
    };
    let rule = asked.one("rule");
    if let Some(other) = rule.as_ref().filter(|rule| table::rule(rule).is_none()) {
        let known: Vec<&str> = table::RULES.iter().map(|known| known.name).collect();
        let detail = format!("expected a rule of {}, got {other:?}", known.join(", "));
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    Ok(LabelFilter {
        kind: asked.word("kind")?,
        rule: rule.map(Into::into),
        provenance: asked.word("provenance")?,
        incident,
        by: asked.one("by"),
        environment: asked.one("environment"),
        retracted: asked.flag("retracted")?,
        disputed: asked.flag("disputed")?,
    })
}

async fn all(seen: &Snapshot, filter: &LabelFilter) -> Result<Vec<Label>> {
    let mut part = ListPart::first(hindcast_api::LIMIT_MAX);
    let mut labels = Vec::new();
    loop {
        let page = seen.labels(filter.clone(), part.clone()).await?;
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
            Some(next) => part.cursor = Some(next),
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
            label.value.to_string(),
            label.weight.to_string(),
            word(serde_json::to_value(label.provenance)).unwrap_or_default(),
            label.rule.to_string(),
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
pub async fn coverage(look: Look) -> Shown<LabelCoverage> {
    Ok(Json(look.seen().label_coverage().await?))
}

/// What was recorded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JudgementBody {
    /// The `label.judged` event.
    pub event: String,
    /// Where it stands.
    pub position: u64,
}

/// Records a judgement; the lane of labels says what it is a label of.
///
/// # Errors
/// 422 for a verdict that says nothing of what is judged, 404 for what is not there.
pub async fn judge(State(console): State<Console>, asker: RequestActor, Body(body): Body) -> Result<Response> {
    let request: JudgeRequest = body::read(body)?;
    let answer = console.judge(&asker, request).await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

impl Console {
    /// Records a judgement.
    ///
    /// # Errors
    /// As those of the route.
    pub(crate) async fn judge(&self, asker: &RequestActor, request: JudgeRequest) -> Result<JudgementBody> {
        let incident = body::maybe("incident", request.incident.clone())?;
        let judged = checked(request)?;
        let seen = &self.queries().now().await?;
        let partition = match (&judged.about, incident) {
            (About::Proposal { proposal }, Some(incident)) => {
                let incident = seen.incident(Some(&incident)).await?.id;
                proposed::stands(seen, self.advice(), &incident, proposal.as_str()).await?;
                seen.partition_of(&incident).await?
            }
            (About::Proposal { proposal }, None) => {
                match proposed::stands_somewhere(seen, self.advice(), proposal.as_str()).await? {
                    Some(incident) => seen.partition_of(&incident).await?,
                    None => home_of(seen, &judged.about).await?,
                }
            }
            (about, _) => home_of(seen, about).await?,
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
        Ok(JudgementBody { event: receipt.ids.first().map(ToString::to_string).unwrap_or_default(), position })
    }

    /// Waits a moment for the lane of labels to say what a judgement is a label of, so that the next page shows it.
    pub(crate) async fn heard(&self, judged: &JudgementBody) {
        if let Ok(event) = judged.event.parse::<EventId>() {
            // Whatever comes of it, or nothing in time: the judgement is written.
            let _ = self.queries().outcome(&event, HEARD_WITHIN).await;
        }
    }

    /// Waits a moment for the views to show what was written.
    pub(super) async fn reached(&self, position: u64) {
        let mut reached = self.queries().position();
        let seen = async { reached.wait_for(|reached| *reached >= position).await.is_ok() };
        if tokio::time::timeout(Duration::from_secs(5), seen).await.is_err() {
            tracing::debug!("the views have not reached what was written");
        }
    }
}

/// The partition whose lane of labels hears of it.
async fn home_of(seen: &Snapshot, about: &About) -> Result<Partition> {
    let incident = match about {
        About::Incident { incident } | About::Pair { incident, .. } | About::Recall { incident, .. } => {
            Some(incident.clone())
        }
        About::Alert { incident, .. } => incident.clone(),
        About::Proposal { .. } | About::Notice { .. } | About::Conversation { .. } => None,
    };
    if let Some(incident) = incident {
        let found = seen.incident(Some(incident.as_str())).await?;
        return Ok(seen.partition_of(&found.id).await?);
    }
    let subject = subject_of(about);
    let filter = hindcast_queries::EventFilter { subject: Some(subject.clone()), ..Default::default() };
    let first = seen.events(filter, ListPart::first(1)).await?.items.into_iter().next();
    let first = first
        .ok_or_else(|| HttpRefusal::new(Code::NotFound, format!("expected something to judge, found no {subject}")))?;
    // What concerns the tenant as a whole, such as a notice, is heard in the environment of most incidents.
    let environment =
        if first.environment == Partition::WHOLE_TENANT { Partition::ENVIRONMENT } else { &first.environment };
    Ok(Partition { tenant: first.tenant.clone(), environment: environment.to_owned() })
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
