//! The advising routes: causes, similar incidents, proposals, postmortems, findings, runbooks and memory.
//! Owns parameters and forms of answers; refuses to know how anything is concluded: that is the port's.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::ProposalStatus;
use hindcast_api::{Causes, Code, Finding, Impact, Page, Postmortem, Proposal, RunbookSummary, SimilarPage};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::FindingFilter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Console;
use crate::commands::RequestActor;
use crate::commands::body::{self, Json as Body};
use crate::look::Look;
use crate::params::QueryParams;

type AdviceResponse<T> = Result<Json<T>>;

/// Similar incidents of a text where no limit is asked for.
const RECALLED: usize = 10;
/// The most that are given.
const RECALLED_MAX: usize = 50;
/// Bytes of a text that is looked for.
const TEXT_BYTES_MAX: usize = 4_096;
/// Bytes of a runbook's name.
const NAME_BYTES_MAX: usize = 128;

/// What may have been the cause of an incident.
pub async fn causes(Path(id): Path<String>, look: Look) -> AdviceResponse<Causes> {
    let mut causes = look.advice().causes(look.seen(), Some(&id)).await?;
    causes.next = look.asked().cut(&mut causes.items, causes.position)?;
    Ok(Json(causes))
}

/// What it touches, by all that fires, was found and is open, with the risk.
pub async fn impact(Path(id): Path<String>, look: Look) -> AdviceResponse<Impact> {
    let causes = look.advice().causes(look.seen(), Some(&id)).await?;
    let radius = causes.blast_radius;
    Ok(Json(Impact {
        incident: causes.incident,
        position: causes.position,
        affected: radius.hit,
        at_risk: radius.at_risk,
        no_sign_seen: radius.unharmed,
        risk: causes.risk.unwrap_or_default(),
    }))
}

/// Incidents of the past that are like it.
pub async fn similar(Path(id): Path<String>, look: Look) -> AdviceResponse<SimilarPage> {
    let mut similar = look.advice().similar(look.seen(), Some(&id)).await?;
    similar.next = look.asked().cut(&mut similar.items, similar.position)?;
    Ok(Json(similar))
}

/// Runbooks that fit it.
pub async fn proposals(Path(id): Path<String>, look: Look) -> AdviceResponse<Page<Proposal>> {
    let position = look.seen().position();
    let mut items = look.advice().proposals(look.seen(), Some(&id)).await?;
    let next = look.asked().cut(&mut items, position)?;
    Ok(Json(Page { items, next, position }))
}

/// A runbook that somebody proposes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// The runbook's name.
    pub runbook: String,
    /// Its parameters; the runbook's own defaults where they are absent.
    #[serde(default)]
    pub params: serde_json::Map<String, Value>,
}

/// Checks a runbook with parameters and records it. Nothing runs.
///
/// # Errors
/// 422 where it may not be: that is recorded too.
pub async fn propose(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    Body(body): Body,
) -> Result<Response> {
    let Propose { runbook, params } = body::read(body)?;
    let runbook = body::text("runbook", &runbook)?;
    if runbook.len() > NAME_BYTES_MAX {
        return Err(body::invalid(format!("expected a runbook's name of at most {NAME_BYTES_MAX} bytes")));
    }
    let seen = console.queries().now().await?;
    let incident = seen.incident(Some(&id)).await?.id;
    let proposal = console.advice().propose(&seen, &incident, &runbook, Value::Object(params), &asker.actor).await?;
    if proposal.status == ProposalStatus::Rejected {
        let mut refusal = body::invalid(proposal.why);
        refusal.0.remedy =
            "Correct the parameters; GET /api/v1/runbooks lists the runbooks with their bounds.".to_owned();
        return Err(refusal);
    }
    let at = format!("/api/v1/incidents/{incident}/proposals");
    Ok((StatusCode::CREATED, [(header::LOCATION, at)], Json(proposal)).into_response())
}

/// A postmortem, drafted: JSON, or Markdown where that is asked for.
pub async fn postmortem(Path(id): Path<String>, look: Look, headers: HeaderMap) -> Result<Response> {
    let drafted: Postmortem = look.advice().postmortem(look.seen(), Some(&id)).await?;
    if wants_markdown(&headers) {
        let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
        return Ok((kind, drafted.markdown).into_response());
    }
    Ok(Json(drafted).into_response())
}

fn wants_markdown(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/markdown")
}

/// Findings of detectors, newest first.
pub async fn findings(look: Look) -> AdviceResponse<Page<Finding>> {
    Ok(Json(look.seen().findings(finding_filter(look.asked())?, look.part()?).await?))
}

/// The filter of a list of findings.
pub(crate) fn finding_filter(asked: &QueryParams) -> Result<FindingFilter> {
    Ok(FindingFilter {
        service: asked.one("service"),
        environment: asked.one("environment"),
        since: asked.time("since")?,
        until: asked.time("until")?,
    })
}

/// The runbooks in force.
pub async fn runbooks(look: Look) -> AdviceResponse<Page<RunbookSummary>> {
    let position = look.seen().position();
    let mut items = look.advice().runbooks(look.seen()).await?;
    let next = look.asked().cut(&mut items, position)?;
    Ok(Json(Page { items, next, position }))
}

/// Incidents of the past that are like a text.
pub async fn memory(look: Look) -> AdviceResponse<SimilarPage> {
    let text = look.asked().one("q").unwrap_or_default();
    if text.is_empty() {
        return Err(HttpRefusal::new(Code::BadParameter, "expected q with words to look for, it is empty"));
    }
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("expected q of at most {TEXT_BYTES_MAX} bytes, got {}", text.len());
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    let limit = look.part()?.limit.unwrap_or(RECALLED);
    if limit > RECALLED_MAX {
        return Err(HttpRefusal::new(Code::BadLimit, format!("expected a limit of 1 to {RECALLED_MAX}, got {limit}")));
    }
    Ok(Json(look.advice().recall(look.seen(), &text, limit).await?))
}
