//! Versions of the models that are learnt: which one decides, since when and why, how each was judged, and what can
//! be done about it. A page is a pure function of what was read, as everywhere.

mod forms;
mod judged;
pub mod version;
pub mod work;

use hindcast_api::{ModelStatus, ModelVersion, Page};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Verdict;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct ModelsPage {
    /// What stands around it.
    pub frame: Frame,
    /// The model, where the list is of one.
    pub name: Option<String>,
    /// Versions, newest first.
    pub versions: Page<ModelVersion>,
    /// The version in force.
    pub in_force: ModelVersion,
    /// Whether this process trains and compares.
    pub learns: bool,
}

/// The page of versions.
#[must_use]
pub fn page(view: &ModelsPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        @if let Some(name) = &view.name { p.crumb { a href=(frame.link("/models")) { "Models" } " / " span.mono { (name) } } }
        h1 { @match &view.name { Some(name) => (name), None => "Models" } }
        p.lead {
            "Models trained on " a href=(frame.link("/labels")) { "labels" }
            ". The pair scorer estimates whether two alerts are one problem. A version is promoted only after it passed a comparison with the production version."
        }
        (in_force(view))
        section.card.flush { div.scroll { table {
            thead { tr { th { "Version" } th { "Status" } th { "Since, and why" } th { "Training data" } th.num { "Accuracy" } th { "Last comparison" } } }
            tbody { @for version in &view.versions.items { (row(frame, version)) } }
        } } }
        (parts::further(frame, view.versions.next.as_deref(), "Older versions"))
        @if frame.is_now() { (forms::of_model(frame, PAIR_SCORER, &view.in_force, view.learns)) }
    })
}

fn in_force(view: &ModelsPage) -> Markup {
    let it = &view.in_force;
    html! {
        p.accounted.good {
            a href=(link(&view.frame, it)) { (it.name) " " (it.version) } " is the production version"
            @if let Some(since) = it.in_force_since { " since " (view.frame.clock(since)) }
            @if let Some(why) = &it.why { ": " (why) } "."
        }
    }
}

/// Where a version's page is.
fn link(frame: &Frame, version: &ModelVersion) -> String {
    frame.link(&words::path(&["models", &version.name, &version.version.to_string()]))
}

fn row(frame: &Frame, version: &ModelVersion) -> Markup {
    html! {
        tr {
            td { a.name href=(link(frame, version)) { (version.name) " " (version.version) } }
            td { (words::status(status(version.status))) }
            td.value {
                @if let Some(at) = version.in_force_since.or(version.registered_at) {
                    (frame.clock(at)) " " span.sub { (frame.age(at)) }
                }
                @if let Some(why) = &version.why { div.sub { (why) } }
                @else if let Some(by) = &version.registered_by { div.sub { "registered by " (by) } }
            }
            td {
                @match &version.lineage {
                    Some(lineage) => {
                        (words::count(u64::from(lineage.labels), "label", "labels"))
                        div.sub { "#" (lineage.from) " to #" (lineage.to) }
                    }
                    None => span.sub { "default weights" },
                }
            }
            td.num { @match version.metrics.get("*") { Some(all) => (percent(all.accuracy)), None => span.sub { "–" } } }
            td {
                @match version.judged.last() {
                    Some(last) => { (verdict(last.verdict)) div.sub { "against " (last.against) ", " (frame.age(last.at)) } }
                    None => span.sub { "none" },
                }
            }
        }
    }
}

/// A status as a badge.
fn status(status: ModelStatus) -> (&'static str, &'static str) {
    match status {
        ModelStatus::InForce => ("in-force", "Production"),
        ModelStatus::Shadow => ("shadow", "Shadow"),
        ModelStatus::Candidate => ("candidate", "Candidate"),
        ModelStatus::Retired => ("retired", "Retired"),
    }
}

/// A verdict as a badge.
fn verdict(verdict: Verdict) -> Markup {
    let (class, word) = match verdict {
        Verdict::Pass => ("pass", "pass"),
        Verdict::Fail => ("fail", "fail"),
        Verdict::Inconclusive => ("inconclusive", "inconclusive"),
        Verdict::Error => ("fail", "error"),
    };
    html! { span.verdict-of.(class) { (word) } }
}

/// Thousandths as a share.
fn percent(thousandths: u32) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}
