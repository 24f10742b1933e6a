//! One version of a model: what it does, what it was learnt from, how it does, how it was judged, and its card.

use std::collections::BTreeMap;

use hindcast_api::{ModelStatus, ModelVersion, ShadowReport};
use hindcast_domain::model::{Lineage, Metrics};
use maud::{Markup, html};

use crate::pages::{Frame, about, markdown, words};

use super::{forms, judged, percent, status, verdict};

/// Services that are shown: those with the most labelled pairs.
const SERVICES_MAX: usize = 30;
/// Differences of a shadow that are shown.
const DIFFERS_MAX: usize = 30;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct ModelVersionPage {
    /// What stands around it.
    pub frame: Frame,
    /// The version with its training data and comparisons.
    pub version: ModelVersion,
    /// The version in force.
    pub in_force: ModelVersion,
    /// Whether this process trains and compares.
    pub learns: bool,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &ModelVersionPage) -> Markup {
    let (frame, version) = (&view.frame, &view.version);
    let of_model = words::path(&["models", &version.name]);
    frame.page(&html! {
        p.crumb {
            a href=(frame.link("/models")) { "Models" } " / " a.mono href=(frame.link(&of_model)) { (version.name) } " / " (version.version)
        }
        section.head {
            p.badges {
                (words::status(status(version.status)))
                @if let Some(last) = version.judged.last() { (verdict(last.verdict)) "against version " (last.against) }
            }
            h1 { (version.name) " " (version.version) }
            p.lead { (summary(frame, version)) }
        }
        div.columns {
            div.main {
                (judged::section(frame, &version.judged))
                (metrics(&version.metrics))
                (shadow(frame, version))
                (card(frame, version))
            }
            aside {
                @if frame.is_now() { (forms::of_version(frame, version, view.in_force.version, view.learns)) }
                (facts(frame, version))
                (weights(version, &view.in_force))
            }
        }
    })
}

/// What it is doing, since when and why.
fn summary(frame: &Frame, version: &ModelVersion) -> Markup {
    html! {
        @match version.status {
            ModelStatus::InForce => "It is the production version",
            ModelStatus::Shadow => "It runs as a shadow of the production version and decides nothing",
            ModelStatus::Candidate => "It is a candidate and decides nothing: it waits for a comparison, or was compared and not promoted",
            ModelStatus::Retired => "It is retired: a former production version",
        }
        @if let Some(since) = version.in_force_since { " since " (frame.clock(since)) ", " (frame.age(since)) }
        @if let Some(why) = &version.why { ": " (why) }
        ". "
        @match &version.lineage {
            Some(lineage) => { "Trained on " (words::count(u64::from(lineage.labels), "label", "labels")) " up to #" (lineage.to) "." }
            None => "It has the default weights.",
        }
    }
}

fn metrics(metrics: &BTreeMap<String, Metrics>) -> Markup {
    let mut rows: Vec<(&String, &Metrics)> = metrics.iter().filter(|(name, _)| *name != "*").collect();
    rows.sort_by(|a, b| b.1.pairs.cmp(&a.1.pairs).then_with(|| a.0.cmp(b.0)));
    let row = |name: &str, of: &Metrics| {
        html! { tr {
            td { (name) } td.num { (of.pairs) } td.num { (of.same) } td.num { (of.missed) } td.num { (of.wrongly_same) } td.num { (percent(of.accuracy)) }
        } }
    };
    html! {
        @if !metrics.is_empty() {
            section {
                h2 { "On labelled pairs" }
                div.card.flush { div.scroll { table {
                    thead { tr { th { "Service" } th.num { "Pairs" } th.num { "One problem" } th.num { "Missed" } th.num { "Wrongly one" } th.num { "Right" } } }
                    tbody {
                        @if let Some(all) = metrics.get("*") { (row("all", all)) }
                        @for (name, of) in rows.iter().take(SERVICES_MAX) { (row(name, of)) }
                    }
                } } }
                @if rows.len() > SERVICES_MAX { p.sub.behind { (rows.len() - SERVICES_MAX) " services more in the API" } }
            }
        }
    }
}

fn shadow(frame: &Frame, version: &ModelVersion) -> Markup {
    html! {
        @if let Some(report) = &version.shadow {
            section #shadow {
                h2 { "As a shadow" }
                div.card { (differs(frame, report)) }
            }
        }
    }
}

fn differs(frame: &Frame, report: &ShadowReport) -> Markup {
    html! {
        p {
            "It grouped " (words::count(u64::from(report.placed), "alert", "alerts")) ", from #" (report.from) " to #" (report.through) ". "
            "It would have grouped " (report.would_join) " pairs of alerts that are in different incidents, and separated " (report.would_part) " pairs that are in one."
        }
        @if report.differs.is_empty() { p.sub { "It differs from the production version in no incident." } }
        @else {
            ul.plainly { @for one in report.differs.iter().take(DIFFERS_MAX) {
                li { a.mono href=(frame.link(&format!("/{}", one.incident))) { (words::id(&one.incident)) } " " (about::linked(frame, &one.text)) }
            } }
            @if report.differs.len() > DIFFERS_MAX { p.sub { (report.differs.len() - DIFFERS_MAX) " more in the API" } }
        }
    }
}

/// The model card. It leads nowhere: its links are shown as text.
fn card(frame: &Frame, version: &ModelVersion) -> Markup {
    let plain = format!("/api/v1{}", words::path(&["models", &version.name, &version.version.to_string(), "card"]));
    html! {
        @if let Some(text) = &version.card {
            section #card {
                h2 { "Model card" }
                details { summary { "Purpose, training data and limits" }
                    article.card.markdown.behind { (markdown::render(text, &|_| None)) }
                }
                p.sub.behind { a href=(frame.link(&plain)) { "as Markdown" } }
            }
        }
    }
}

fn facts(frame: &Frame, version: &ModelVersion) -> Markup {
    html! {
        section.card {
            h2 { "Facts" }
            dl.facts {
                @if let Some(at) = version.registered_at { dt { "Registered" } dd { (frame.clock(at)) " · " (frame.age(at)) } }
                @if let Some(by) = &version.registered_by { dt { "By" } dd { (by) } }
                @if let Some(event) = &version.event { dt { "Event" } dd.mono { a href=(frame.link(&format!("/events/{event}"))) { (words::id(event)) } } }
                @match &version.lineage {
                    Some(lineage) => (lineage_of(frame, version, lineage)),
                    None => { dt { "Training data" } dd { "none: default weights" } }
                }
                @if let Some(hash) = &version.hash { dt { "Hash" } dd.mono { (hash) } }
            }
        }
    }
}

fn lineage_of(frame: &Frame, version: &ModelVersion, lineage: &Lineage) -> Markup {
    let parent = words::path(&["models", &version.name, &lineage.parent.to_string()]);
    html! {
        dt { "Begun from" } dd { a href=(frame.link(&parent)) { "version " (lineage.parent) } }
        dt { "Labels" } dd { (lineage.labels) ", as they counted at #" (lineage.to) }
        dt { "History" } dd { "#" (lineage.from) " to #" (lineage.to) }
        dt { "Seed" } dd { (lineage.seed) }
        dt { "Code" } dd { (lineage.code) ", features version " (lineage.features) }
        dt { "Data set" } dd.mono { (lineage.dataset) }
    }
}

/// Its weights beside those in force.
fn weights(version: &ModelVersion, in_force: &ModelVersion) -> Markup {
    let beside = version.version != in_force.version;
    html! {
        section.card.flush {
            table.weights {
                thead { tr { th { "Weight" } th.num { "This one" } @if beside { th.num { "Production" } } } }
                tbody { @for (name, value) in version.weights.iter().filter(|(name, _)| *name != "version") { tr {
                    td { (name.replace('_', " ")) } td.num { (value) }
                    @if beside { td.num { @match in_force.weights.get(name) { Some(value) => (value), None => "–" } } }
                } } }
            }
            p.sub.under { "In thousandths of log-odds; the threshold in thousandths of a probability, the scale of time in seconds." }
        }
    }
}
