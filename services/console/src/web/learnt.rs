//! The pages of labels and models, their forms, and judging on an incident's page. A form becomes the same body that
//! the API takes, and is done by the same code.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use futures::stream::{self, StreamExt};
use hindcast_api::{
    Comparison, JudgeRequest, Label, LabelCoverage, ModelVersion, Page, Problem, Proposal, TimelineEntry,
};
use hindcast_domain::label::{About, Provenance};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_http::{HttpRefusal, Result};
use hindcast_mlops::registry::BY_HAND;
use hindcast_queries::{AlertFilter, EventFilter, LabelFilter, ListPart, Snapshot};
use maud::Markup;
use serde_json::{Map, Value, json};

use super::fields::{Fields, back, incident_id, waits};
use super::growing::{WorkEnd, grows};
use crate::Console;
use crate::commands::{CommandAnswer, RequestActor, body};
use crate::learn::{self, Move};
use crate::look::Look;
use crate::pages::about::ShownNames;
use crate::pages::models::{self as models_page, version as version_page, work};
use crate::pages::{Frame, Tab, labels as labels_page, words};
use crate::params::QueryParams;

/// Names that are looked up for one page; what is beyond is shown by its id.
const NAMES_MAX: usize = 200;
/// Names that are looked up side by side.
const NAMES_AT_ONCE: usize = 8;
/// Labels of an incident that are shown beside its buttons.
const SAID_MAX: usize = 500;
/// How long a page waits for the views to show what was recorded.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

// ── labels ─────────────────────────────────────────────────────────────────────────────────────────

/// Labels, and how much of the past has a cause.
pub(super) async fn labels(OriginalUri(uri): OriginalUri, look: Look) -> Result<Markup> {
    let seen = look.seen();
    let labels = seen.labels(learn::label_filter(&look).await?, look.part()?).await?;
    let coverage = seen.label_coverage().await?;
    let names = names(seen, &labels.items, &coverage).await;
    let frame = look.frame(uri.path(), Tab::Labels, "Labels").await?;
    Ok(labels_page::page(&labels_page::LabelsPage { frame, coverage, labels, names }))
}

/// Where the list of labels is, with the filter that a form carried.
pub(super) fn labels_again(fields: &Fields) -> String {
    let filter = labels_page::FILTERS.iter().map(|name| (*name, fields.one(name).unwrap_or_default()));
    words::href("/labels", filter.chain([("me", fields.me())]))
}

/// What the things are called that a page of labels names.
async fn names(seen: &Snapshot, labels: &[Label], coverage: &LabelCoverage) -> ShownNames {
    let (mut incidents, mut alerts) = (BTreeSet::new(), BTreeSet::new());
    incidents.extend(coverage.missing.iter().take(labels_page::MISSING_MAX).cloned());
    let disputed = coverage.disagreements.iter().take(labels_page::DISAGREEMENTS_MAX);
    for about in disputed.map(|one| &one.about).chain(labels.iter().map(|label| &label.about)) {
        named(about, &mut incidents, &mut alerts);
    }
    incidents.extend(labels.iter().filter_map(|label| label.incident.clone()));
    let titles = stream::iter(incidents.into_iter().take(NAMES_MAX)).map(|id| async move {
        let found = seen.incident(Some(&id)).await;
        found.ok().map(|found| (id, found.title))
    });
    let called = stream::iter(alerts.into_iter().take(NAMES_MAX)).map(|id| async move {
        let filter = AlertFilter { fingerprint: Some(id.clone()), ..AlertFilter::default() };
        let found = seen.alerts(filter, ListPart::first(1)).await;
        found.ok().and_then(|page| page.items.into_iter().next()).map(|found| (id, found.name))
    });
    ShownNames {
        incidents: titles.buffer_unordered(NAMES_AT_ONCE).filter_map(std::future::ready).collect().await,
        alerts: called.buffer_unordered(NAMES_AT_ONCE).filter_map(std::future::ready).collect().await,
    }
}

/// What people said of an incident, its causes, its like and its proposals, as it counted then. Labels are read only
/// where something was judged at all.
pub(super) async fn said(
    seen: &Snapshot,
    incident: &str,
    timeline: &Page<TimelineEntry>,
    proposals: &[Proposal],
) -> std::result::Result<Vec<Label>, Problem> {
    let on_timeline = timeline.items.iter().any(|entry| is_judging(&entry.event_type));
    // A page of the timeline that is not all of it proves nothing.
    let is_whole = timeline.next.is_none();
    if is_whole && !on_timeline && !is_any_judged(seen, proposals).await? {
        return Ok(Vec::new());
    }
    let filter = LabelFilter {
        incident: Some(incident.to_owned()),
        provenance: Some(Provenance::Explicit),
        retracted: Some(false),
        ..LabelFilter::default()
    };
    Ok(seen.labels(filter, ListPart::first(SAID_MAX)).await?.items)
}

async fn is_any_judged(seen: &Snapshot, proposals: &[Proposal]) -> std::result::Result<bool, Problem> {
    for proposal in proposals {
        let (kind, subject) = (Some("label.judged".to_owned()), Some(proposal.id.clone()));
        let filter = EventFilter { kind, subject, ..EventFilter::default() };
        if !seen.events(filter, ListPart::first(1)).await?.items.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_judging(event_type: &str) -> bool {
    matches!(event_type, "label.judged" | "incident.feedback")
}

/// Notes what is named, so that it can be called by its name.
fn named(about: &About, incidents: &mut BTreeSet<String>, alerts: &mut BTreeSet<String>) {
    match about {
        About::Incident { incident } => {
            incidents.insert(incident.to_string());
        }
        About::Recall { incident, similar } => incidents.extend([incident.to_string(), similar.to_string()]),
        About::Alert { fingerprint, .. } => {
            alerts.insert(fingerprint.to_string());
        }
        About::Pair { younger, older, .. } => alerts.extend([younger.to_string(), older.to_string()]),
        About::Proposal { .. } | About::Notice { .. } | About::Conversation { .. } => {}
    }
}

/// A judgement on an incident's page: the button carries the body that the API takes.
pub(super) async fn judge(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    let asker = fields.asker(asker)?;
    let incident = console.queries().now().await?.incident(Some(&incident_id(id)?)).await?;
    let carried = fields.one("judgement").unwrap_or_default();
    let carried = serde_json::from_str::<Value>(carried)
        .map_err(|_| body::invalid("expected a judgement as one of the page's buttons carries it"))?;
    let request: JudgeRequest = body::read(carried)?;
    let request = JudgeRequest { incident: Some(incident.id.clone()), ..request };
    let judged = console.judge(&asker, request).await?;
    console.heard(&judged).await;
    Ok(back(&format!("/{}", incident.id), fields.me()))
}

// ── models ─────────────────────────────────────────────────────────────────────────────────────────

/// Versions of all models.
pub(super) async fn models(look: Look) -> Result<Markup> {
    versions(None, &look).await
}

/// Versions of one model.
pub(super) async fn model(Path(name): Path<String>, look: Look) -> Result<Markup> {
    versions(Some(name), &look).await
}

pub(super) async fn version(Path((name, number)): Path<(String, String)>, look: Look) -> Result<Markup> {
    let version = look.seen().model(&name, Some(learn::number(&number)?)).await?;
    let in_force = look.seen().model(&name, None).await?;
    let path = words::path(&["models", &name, &version.version.to_string()]);
    let title = format!("{} {}", version.name, version.version);
    let frame = look.frame(&path, Tab::Models, &title).await?;
    Ok(version_page::page(&version_page::ModelVersionPage { frame, version, in_force, learns: look.learns() }))
}

async fn versions(name: Option<String>, look: &Look) -> Result<Markup> {
    let in_force = look.seen().model(name.as_deref().unwrap_or(PAIR_SCORER), None).await?;
    let path = name.as_deref().map_or_else(|| "/models".to_owned(), |name| words::path(&["models", name]));
    let mut versions = look.seen().models(look.part()?).await?;
    versions.items.retain(|version| name.as_ref().is_none_or(|name| version.name == *name));
    let frame = look.frame(&path, Tab::Models, name.as_deref().unwrap_or("Models")).await?;
    Ok(models_page::page(&models_page::ModelsPage { frame, name, versions, in_force, learns: look.learns() }))
}

/// The form of a promotion, a roll-back or a shadow.
pub(super) fn moved(movement: Move) -> axum::routing::MethodRouter<Console> {
    axum::routing::post(
        move |State(console): State<Console>, Path(name): Path<String>, asker: RequestActor, fields: Fields| async move {
            let body = match movement {
                Move::Promote => numbers(&fields, &["version"]),
                Move::RollBack => fields.body(&["why"]),
                Move::Shadow if fields.one("end").is_some() => json!({}),
                Move::Shadow => numbers(&fields, &["version", "from"]),
            };
            let at = |version: u32| words::path(&["models", &name, &version.to_string()]);
            Ok::<Response, HttpRefusal>(match console.moved(&name, &fields.asker(asker)?, movement, body).await? {
                CommandAnswer::Pending(pending) => waits(&pending, &words::path(&["models", &name])),
                CommandAnswer::Changed(version) | CommandAnswer::Created(version, _) => {
                    back(&at(version.version), fields.me())
                }
            })
        },
    )
}

/// The named fields that say something, as numbers where they are some; others are refused by whoever reads them.
fn numbers(fields: &Fields, names: &[&str]) -> Value {
    let number = |text: &str| text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from);
    let pairs = names.iter().filter_map(|name| Some(((*name).to_owned(), number(fields.one(name)?))));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

/// Several bodies as one.
fn both(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// The form of a training.
pub(super) async fn train(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    let body = both(fields.body(&["environment", "to"]), numbers(&fields, &["seed"]));
    let begin = console.training(&name, &fields.asker(asker)?, body)?;
    let title = format!("Training {name}");
    let frame = console.working(&fields, &title).await?;
    let halves = work::halves(&frame, &title);
    let end = move |trained: WorkEnd<ModelVersion>| async move {
        match trained {
            Ok(version) => {
                console.shown(&version.name, version.version, |_| true).await;
                work::trained(&frame, &version)
            }
            Err(problem) => work::refused(&problem),
        }
    };
    Ok(grows(halves, begin, end))
}

/// The form of a comparison.
pub(super) async fn compare(
    State(console): State<Console>,
    Path(name): Path<String>,
    asker: RequestActor,
    fields: Fields,
) -> Result<Response> {
    learn::known(&name)?;
    let body = both(fields.body(&["environment", "since", "to"]), numbers(&fields, &["version", "against", "seed"]));
    let begin = console.comparing(&fields.asker(asker)?, body, true)?;
    let title = format!("Comparing {name} {}", fields.one("version").unwrap_or("with the production version"));
    let frame = console.working(&fields, &title).await?;
    let halves = work::halves(&frame, &title);
    let end = move |compared: WorkEnd<Comparison>| async move {
        match compared {
            Ok(comparison) => {
                // What people set by hand has no judgements of its own.
                let registered = comparison.version.filter(|version| *version != BY_HAND);
                if let (Some(version), Some(event)) = (registered, &comparison.event) {
                    let is_judged = |shown: &ModelVersion| shown.judged.iter().any(|judged| judged.event == *event);
                    console.shown(&comparison.name, version, is_judged).await;
                }
                work::compared(&frame, &comparison)
            }
            Err(problem) => work::refused(&problem),
        }
    };
    Ok(grows(halves, begin, end))
}

// ── what takes long ────────────────────────────────────────────────────────────────────────────────

impl Console {
    /// What stands around the page of work.
    async fn working(&self, fields: &Fields, title: &str) -> Result<Frame> {
        let look = Look::open(self, QueryParams::made(&[("me", fields.me())])).await?;
        look.frame("/models", Tab::Models, title).await
    }

    /// Waits a moment for the views to show what was recorded of a version.
    async fn shown(&self, name: &str, version: u32, is: impl Fn(&ModelVersion) -> bool) {
        let mut reached = self.queries().position();
        let seen = async {
            loop {
                reached.borrow_and_update();
                let found = async { self.queries().now().await?.model(name, Some(version)).await };
                if found.await.is_ok_and(|found| is(&found)) {
                    return;
                }
                if reached.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(SHOWN_WITHIN, seen).await.is_err() {
            tracing::debug!("the views have not reached what was recorded");
        }
    }
}
