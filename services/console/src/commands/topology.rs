//! Links between services: listed, confirmed, denied, and proposed from a file of Backstage.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use hindcast_api::{Code, Cursor, LIMIT_DEFAULT, Page, TopologyLink};
use hindcast_domain::command::Command;
use hindcast_domain::links::LinkVerdict;
use hindcast_domain::{LinkId, Partition};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{ListPart, Snapshot};
use hindcast_redact::Redactor;
use serde::{Deserialize, Serialize};

use super::body::{self, invalid};
use super::{CommandAnswer, CommandResult, Order, Relative, RequestActor};
use crate::Console;
use crate::look::Look;

/// The subject of a proposal from a file.
const SUBJECT: &str = "topology";

/// Known and proposed links.
///
/// # Errors
/// What the views refuse, and a cursor that is none.
pub async fn list(look: Look) -> Result<Json<Page<TopologyLink>>> {
    Ok(Json(page(look.seen(), look.part()?).await?))
}

/// A part of the list. A cursor names how many links come before it.
pub(crate) async fn page(seen: &Snapshot, part: ListPart) -> Result<Page<TopologyLink>> {
    let after = part.cursor.as_deref().map(Cursor::decode).transpose()?;
    let wrong = || HttpRefusal::new(Code::BadCursor, "expected a cursor that this list gave");
    let skipped: usize = match &after {
        Some(cursor) if cursor.position == seen.position() => cursor.after.parse().map_err(|_| wrong())?,
        Some(_) => return Err(wrong()),
        None => 0,
    };
    let all = TopologyLink::all(&seen.catalog().await?, &seen.links().await?);
    let limit = part.limit.unwrap_or(LIMIT_DEFAULT);
    let next = (all.len() > skipped.saturating_add(limit))
        .then(|| Cursor { position: seen.position(), after: (skipped + limit).to_string() }.encode());
    Ok(Page { items: all.into_iter().skip(skipped).take(limit).collect(), next, position: seen.position() })
}

/// What was proposed from a file.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopologyImport {
    /// Links of the file that are new, or surer than before.
    pub proposed: usize,
    /// Links that the file names.
    pub named: usize,
}

/// A YAML text.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BackstageFile(pub String);

/// Proposes the links of a `catalog-info.yaml`.
///
/// # Errors
/// 400 for what is no YAML, 409 where all is known already, 415 for another type, 422 for a file without links.
pub async fn import(
    State(console): State<Console>,
    asker: RequestActor,
    headers: HeaderMap,
    body: Body,
) -> Result<CommandAnswer<TopologyImport>> {
    let bytes = hindcast_http::read(&headers, body).await?;
    match body::media_type(&headers).as_deref() {
        None | Some("application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/plain") => {}
        Some(other) => {
            let detail = format!("expected application/yaml, got {other:?}");
            return Err(HttpRefusal::new(Code::UnsupportedMediaType, detail));
        }
    }
    let malformed = |detail: String| HttpRefusal::new(Code::Malformed, detail);
    let text = std::str::from_utf8(&bytes).map_err(|error| malformed(format!("expected UTF-8: {error}")))?;
    let mut links =
        hindcast_topology::backstage::read(text).map_err(|error| malformed(format!("expected YAML: {error}")))?;
    if links.is_empty() {
        return Err(invalid("expected a Component, Resource or API with dependsOn, consumesApis or owner in its spec"));
    }
    for seen in &mut links {
        seen.sighting.sample = Redactor::default().text(&seen.sighting.sample);
    }
    let named = links.len();
    let command = Command::ProposeLinks { links };
    let subject = SUBJECT.to_owned();
    let order = Order { partition: Partition::whole(Partition::TENANT), subject, command, relative: Relative::No };
    match console.submit(&asker, order).await? {
        CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
        CommandResult::Accepted { subjects, .. } => {
            Ok(CommandAnswer::Changed(TopologyImport { proposed: subjects.len(), named }))
        }
    }
}

/// Confirms a link.
///
/// # Errors
/// What [`Console::judge_link`] refuses.
pub async fn confirm(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
) -> Result<CommandAnswer<TopologyLink>> {
    console.judge_link(&id, LinkVerdict::Confirmed, asker).await
}

/// Denies a link.
///
/// # Errors
/// What [`Console::judge_link`] refuses.
pub async fn deny(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
) -> Result<CommandAnswer<TopologyLink>> {
    console.judge_link(&id, LinkVerdict::Denied, asker).await
}

impl Console {
    /// Confirms or denies a link, by its id or a unique prefix.
    ///
    /// # Errors
    /// 404 where none begins so, 409 where several do or it was judged so already.
    pub async fn judge_link(
        &self,
        id: &str,
        verdict: LinkVerdict,
        asker: RequestActor,
    ) -> Result<CommandAnswer<TopologyLink>> {
        let links = self.queries().now().await?.links().await?;
        let wanted = id.trim().to_ascii_uppercase();
        let begins = |link: &LinkId| {
            !wanted.is_empty()
                && (link.as_str().starts_with(&wanted) || link.as_str()[LinkId::PREFIX.len()..].starts_with(&wanted))
        };
        let found: Vec<LinkId> = links.iter().map(|(link, _)| link).filter(|link| begins(link)).cloned().collect();
        let link = match found.as_slice() {
            [one] => one.clone(),
            [] => return Err(HttpRefusal::new(Code::NotFound, format!("expected a proposed link, got {id:?}"))),
            _ => {
                return Err(HttpRefusal::new(
                    Code::Conflict,
                    format!("expected one link, {id:?} begins {}", found.len()),
                ));
            }
        };
        let command = Command::JudgeLink { link: link.clone(), verdict };
        let subject = link.to_string();
        let order = Order { partition: Partition::whole(Partition::TENANT), subject, command, relative: Relative::No };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { .. } => {
                let links = self.queries().now().await?.links().await?;
                let known = links.get(&link);
                let known = known.ok_or_else(|| HttpRefusal::new(Code::Internal, "the link is not in the views"))?;
                Ok(CommandAnswer::Changed(TopologyLink::of(&link, known)))
            }
        }
    }
}
