//! Labels: how much of the past has a cause, where people disagree, and who said what.

use std::collections::BTreeSet;

use hindcast_api::{Disagreement, Label, LabelCoverage, Page, ServiceCoverage};
use hindcast_domain::label::{Kind, Provenance};
use hindcast_domain::text::thousands;
use hindcast_mlops::table;
use maud::{Markup, html};

use super::about::{self, ShownNames};
use super::{Frame, parts, words};

/// The filters of the list, by their names in the address.
pub const FILTERS: [&str; 9] =
    ["kind", "rule", "provenance", "incident", "by", "environment", "retracted", "disputed", "limit"];
/// Services that are shown: those with the most closed incidents.
pub const SERVICES_MAX: usize = 10;
/// Incidents without a cause that are shown.
pub const MISSING_MAX: usize = 10;
/// Disagreements that are shown.
pub const DISAGREEMENTS_MAX: usize = 20;
/// Of these, those that are shown at once.
const DISAGREEMENTS_AT_ONCE: usize = 4;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct LabelsPage {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// How much has a cause.
    pub coverage: LabelCoverage,
    /// The part of the list that is shown.
    pub labels: Page<Label>,
    /// What is named in them.
    pub names: ShownNames,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &LabelsPage) -> Markup {
    let frame = &view.frame;
    let takes_back = frame.is_now() && view.labels.items.iter().any(|label| label.retracted.is_none());
    frame.page(&html! {
        h1 { "Labels" }
        p.lead { "Explicit feedback from people, and labels inferred from their actions. Models are trained on these labels alone." }
        (counts(&view.coverage))
        (coverage(view))
        (disagreements(view))
        h2 { "Given" }
        (filter(frame))
        @if view.labels.items.is_empty() {
            (parts::empty("No label matches.", "Name a cause when you resolve an incident, merge what is one problem, or remove a filter."))
        } @else {
            @if takes_back { (take_back(frame)) }
            section.card.flush { (table_of(view)) }
        }
        (parts::further(frame, view.labels.next.as_deref(), "Older labels"))
        (export(frame))
    })
}

fn counts(coverage: &LabelCoverage) -> Markup {
    let concluded = coverage.labels.saturating_sub(coverage.explicit);
    let count = |number: u32, word: &str| html! { div.count { b { (thousands(u64::from(number))) } span { (word) } } };
    html! {
        section.counts.labels {
            (count(coverage.labels, "valid labels"))
            (count(coverage.explicit, "explicit feedback"))
            (count(concluded, "inferred labels"))
            (count(coverage.retracted, "retracted"))
            div.count.wide {
                b { (coverage.with_cause) " of " (coverage.closed) }
                span { "closed incidents with a cause" }
                (bar(coverage.with_cause, coverage.closed))
            }
        }
    }
}

/// A share as a bar.
fn bar(part: u32, whole: u32) -> Markup {
    html! { meter min="0" max=(whole.max(1)) value=(part) aria-label=(format!("{part} of {whole}")) {} }
}

fn coverage(view: &LabelsPage) -> Markup {
    let coverage = &view.coverage;
    let mut services: Vec<(&String, &ServiceCoverage)> = coverage.services.iter().collect();
    services.sort_by(|a, b| b.1.closed.cmp(&a.1.closed).then_with(|| a.0.cmp(b.0)));
    html! {
        @if coverage.closed > 0 {
            div.halves {
                section.card.flush {
                    table.shares {
                        thead { tr { th { "Service" } th { "With a cause" } th.num { "Closed" } } }
                        tbody { @for (name, of) in services.iter().take(SERVICES_MAX) { tr {
                            td { span.chip { (name) } }
                            td { (of.with_cause) " " (bar(of.with_cause, of.closed)) }
                            td.num { (of.closed) }
                        } } }
                    }
                    @if services.len() > SERVICES_MAX { p.sub.under { (services.len() - SERVICES_MAX) " services more in the API" } }
                }
                section.card { (missing(view)) }
            }
        }
    }
}

fn missing(view: &LabelsPage) -> Markup {
    let missing = &view.coverage.missing;
    html! {
        h2 { "Closed without a cause" }
        @if missing.is_empty() { p.sub { "Every closed incident has one." } }
        @else {
            ul.plainly { @for id in missing.iter().take(MISSING_MAX) { li { (about::incident(&view.frame, &view.names, id)) } } }
            @if missing.len() > MISSING_MAX { p.sub { "and older ones: the API names " (missing.len()) } }
        }
    }
}

fn disagreements(view: &LabelsPage) -> Markup {
    let all = &view.coverage.disagreements;
    let (first, more) = all.split_at(DISAGREEMENTS_AT_ONCE.min(all.len()));
    html! {
        @if !all.is_empty() {
            h2 { "People disagree " span.n { (all.len()) } }
            section.card {
                ul.changes { @for one in first { (disagreement(view, one)) } }
                @if !more.is_empty() {
                    details.others {
                        summary { (words::count(more.len() as u64, "other", "others")) }
                        ul.changes.behind { @for one in more.iter().take(DISAGREEMENTS_MAX - DISAGREEMENTS_AT_ONCE) { (disagreement(view, one)) } }
                        @if all.len() > DISAGREEMENTS_MAX { p.sub.behind { (all.len() - DISAGREEMENTS_MAX) " more in the API" } }
                    }
                }
            }
        }
    }
}

fn disagreement(view: &LabelsPage, one: &Disagreement) -> Markup {
    html! {
        li {
            p { span.kind.soft { (table::kind_word(one.kind)) } " " (about::about(&view.frame, &view.names, &one.about, None)) }
            p.sub { @for (index, said) in one.said.iter().enumerate() {
                @if index > 0 { " · " } b { (said.by) } " says " (value(one.kind, &said.value))
            } }
        }
    }
}

/// What a label says, in words: a word of ours without its underlines, a person's words as they are.
fn value(kind: Kind, text: &str) -> Markup {
    html! { @if kind == Kind::Cause { (text) } @else { b { (text.replace('_', " ")) } } }
}

fn filter(frame: &Frame) -> Markup {
    let kinds: BTreeSet<&str> = table::RULES.iter().map(|rule| table::kind_word(rule.kind)).collect();
    let choice = |name: &str, label: &str, any: &str, options: &[(&str, &str)]| {
        html! {
            select name=(name) aria-label=(label) {
                option value="" { (any) }
                @for (value, word) in options { option value=(value) selected[frame.value(name) == *value] { (word) } }
            }
        }
    };
    let kinds: Vec<(&str, &str)> = kinds.into_iter().map(|kind| (kind, kind)).collect();
    let rules: Vec<(&str, &str)> = table::RULES.iter().map(|rule| (rule.name, rule.name)).collect();
    html! {
        form.filter method="get" action="/labels" {
            (choice("kind", "Kind", "any kind", &kinds))
            (choice("rule", "Rule", "any rule", &rules))
            (choice("provenance", "Explicit or inferred", "explicit or inferred", &[("explicit", "explicit feedback"), ("implicit", "inferred")]))
            (choice("retracted", "Retracted", "retracted or not", &[("false", "not retracted"), ("true", "retracted")]))
            (choice("disputed", "Disputed", "disputed or not", &[("true", "disputed"), ("false", "not disputed")]))
            input type="text" name="incident" value=(frame.value("incident")) placeholder="incident" aria-label="Incident";
            input type="text" name="by" value=(frame.value("by")) placeholder="by whom" aria-label="By whom";
            input type="text" name="environment" value=(frame.value("environment")) placeholder="environment" aria-label="Environment";
            @if let Some(seen) = &frame.seen { input type="hidden" name="as_of" value=(seen.asked); }
            button type="submit" { "Filter" }
            @if FILTERS.iter().any(|name| !frame.value(name).is_empty()) { a.clear href=(frame.link("/labels")) { "clear" } }
        }
    }
}

/// The one form that every "take back" belongs to: the name of whoever acts is written once.
fn take_back(frame: &Frame) -> Markup {
    html! {
        form.filter.acting #back method="post" action="/undo" {
            // The first button is what the return key presses: a disabled one makes it do nothing.
            button.none type="submit" disabled hidden {}
            @for name in FILTERS { @if !frame.value(name).is_empty() { input type="hidden" name=(name) value=(frame.value(name)); } }
            (parts::name_field(frame.value("me")))
        }
    }
}

fn table_of(view: &LabelsPage) -> Markup {
    html! {
        div.scroll { table.given {
            thead { tr { th { "When" } th { "What" } th { "Of" } th.num { "Weight" } th { "By" } th { "Rule" } th { span.sr { "Retract" } } } }
            tbody { @for label in &view.labels.items { (row(view, label)) } }
        } }
    }
}

fn row(view: &LabelsPage, label: &Label) -> Markup {
    let frame = &view.frame;
    let counts = label.retracted.is_none();
    html! {
        tr.over[!counts] {
            td { (frame.clock(label.at)) div.sub { (frame.age(label.at)) " · " (parts::event(frame, &label.event, label.position)) } }
            td.value {
                span.kind.soft { (table::kind_word(label.kind)) } " " span.says { (value(label.kind, label.value.as_str())) }
                @if label.disputed { " " span.kind.disputed { "disputed" } }
                @if let Some(why) = &label.retracted {
                    div.sub { "no longer counts: " (why) @if let Some(at) = label.retracted_position { " · #" (at) } }
                }
            }
            td.value { (about::about(frame, &view.names, &label.about, label.incident.as_deref())) }
            td.num { (format!("{:.2}", f64::from(label.weight) / 1_000.0)) div.sub { (provenance(label.provenance)) } }
            td { (label.by) }
            td {
                a href=(frame.link(&format!("/events/{}", label.from))) title=(when(label.rule.as_str())) { (label.rule.as_str().replace('_', " ")) }
                div.sub { "for " (label.learns) }
            }
            td { @if counts && frame.is_now() { button.small form="back" type="submit" name="event" value=(label.event) { "Retract" } } }
        }
    }
}

/// What happened, by the rule of the table.
fn when(rule: &str) -> &'static str {
    table::rule(rule).map_or("the event that it follows from", |rule| rule.when)
}

const fn provenance(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Explicit => "explicit",
        Provenance::Implicit => "inferred",
    }
}

/// All that fit the filter, as files.
fn export(frame: &Frame) -> Markup {
    let to = |format: &str| {
        let filter = FILTERS.iter().filter(|name| **name != "limit").map(|name| (*name, frame.value(name)));
        let seen = frame.seen.iter().map(|seen| ("as_of", seen.asked.as_str()));
        words::href("/api/v1/labels", [("format", format)].into_iter().chain(filter).chain(seen))
    };
    html! {
        p.sub.behind { "All matching labels as " a href=(to("ndjson")) { "NDJSON" } " or " a href=(to("csv")) { "CSV" } "." }
    }
}
