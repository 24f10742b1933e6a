//! One incident: what it is, what may have been the cause, what was seen before, what is proposed, what happened,
//! what holds it together, and what can be done about it.

mod actions;
pub mod cause;
mod facts;
pub mod judging;
pub mod proposals;
pub mod similar;
mod why;

use std::collections::BTreeSet;

use hindcast_api::{
    Alert, Causes, Change, Finding, Incident, Notice, Page, Problem, Proposal, SimilarPage, TimelineEntry, Why,
};
use maud::{Markup, html};

use super::{Frame, alerts, ask, findings, parts};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct IncidentPage {
    /// What stands around it.
    pub frame: Frame,
    /// The incident at the position that is shown.
    pub incident: Incident,
    /// What happened, oldest first.
    pub timeline: Page<TimelineEntry>,
    /// One page of its member alerts.
    pub alerts: Page<Alert>,
    /// What holds it together.
    pub why: Why,
    /// Changes near it.
    pub changes: Vec<Change>,
    /// What people were told.
    pub notices: Page<Notice>,
    /// Merges and splits that were taken back.
    pub undone: BTreeSet<String>,
    /// Causes, similar incidents, proposals and findings, each with a problem in place of what failed.
    pub concluded: Concluded,
    /// What people said of that.
    pub judging: judging::Judging,
}

/// What is concluded of an incident. A part that cannot be had leaves the rest of the page as it is.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// What may have been the cause.
    pub causes: Result<Causes, Problem>,
    /// What is like it.
    pub similar: Result<SimilarPage, Problem>,
    /// What fits it.
    pub proposals: Result<Vec<Proposal>, Problem>,
    /// What detectors found near it, by when it began.
    pub findings: Result<Page<Finding>, Problem>,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &IncidentPage) -> Markup {
    let (frame, incident) = (&view.frame, &view.incident);
    frame.page(&html! {
        p.crumb { a href=(frame.link("/")) { "Incidents" } " / " span.mono { (incident.id) } }
        (facts::head(frame, incident))
        (question(view))
        // The first button of a form is what the return key presses, wherever it stands: a disabled one makes it do
        // nothing.
        @if frame.is_now() { button.none type="submit" form="act" disabled hidden {} }
        div.columns {
            div.main {
                (cause::section(frame, &view.concluded.causes, &view.judging))
                (proposals::section(frame, &view.concluded.proposals, &view.judging))
                (similar::section(frame, &view.concluded.similar, &view.judging))
                (found(view))
                (timeline(view))
                (members(view))
                (why::section(frame, &view.why))
            }
            aside {
                @if frame.is_now() { (actions::section(frame, incident, &view.judging)) }
                (facts::card(frame, incident))
                (changes(view))
                section.card {
                    h2 { "Afterwards" }
                    p { a href=(frame.link(&format!("/{}/postmortem", incident.id))) { "Drafted postmortem" } }
                }
                section.card {
                    h2 { "Notifications" }
                    @if view.notices.items.is_empty() { p.sub { "Nobody was notified." } }
                    @else { (parts::notices(frame, &view.notices.items, false)) }
                    @if view.notices.next.is_some() {
                        p { a href=(frame.link_with("/notices", &[("incident", &view.incident.id)])) { "all its notifications" } }
                    }
                }
            }
        }
    })
}

fn question(view: &IncidentPage) -> Markup {
    let form = ask::QuestionForm { incident: Some(view.incident.id.clone()), ..ask::QuestionForm::default() };
    html! { section.card.asking #ask { (ask::ask(&view.frame, &form, true)) } }
}

fn found(view: &IncidentPage) -> Markup {
    let all = super::words::href("/findings", [("environment", view.incident.environment.as_str())]);
    html! {
        section #findings {
            h2 { "Findings" }
            @match &view.concluded.findings {
                Err(problem) => (parts::unavailable(problem)),
                Ok(page) if page.items.is_empty() => p.sub { "No anomaly in the logs or metrics around it, or no telemetry was sent." },
                Ok(page) => {
                    div.card.flush { (findings::table(&view.frame, &page.items)) }
                    @if page.next.is_some() { p.sub.behind { a href=(all) { "all findings" } } }
                }
            }
        }
    }
}

fn timeline(view: &IncidentPage) -> Markup {
    let frame = &view.frame;
    html! {
        section {
            h2 { "Timeline" }
            ol.line { @for entry in &view.timeline.items { (line(view, entry)) } }
            (parts::further(frame, view.timeline.next.as_deref(), "Later entries"))
        }
    }
}

fn line(view: &IncidentPage, entry: &TimelineEntry) -> Markup {
    let frame = &view.frame;
    let family = entry.event_type.split('.').next().unwrap_or_default();
    let kind = entry.event_type.rsplit('.').next().unwrap_or_default();
    let undoable = matches!(entry.event_type.as_str(), "incident.merged" | "incident.split");
    let undone = view.undone.contains(&entry.event);
    html! {
        li.(family).(kind) {
            div.at { a href=(frame.at(&entry.position.to_string())) title="this page as of here" { (frame.clock(entry.time)) } }
            div.said {
                span.text {
                    @if family == "alert" { a href=(frame.link(&format!("/alerts/{}", entry.subject))) { (entry.text) } }
                    @else { (entry.text) }
                }
                @if entry.actor != "system" && !entry.text.contains(&entry.actor) { span.by { "by " (entry.actor) } }
                (parts::event(frame, &entry.event, entry.position))
                @if undoable && undone { span.by { "undone" } }
                @if undoable && !undone && frame.is_now() {
                    button.small form="act" formaction="/undo" name="event" value=(entry.event) type="submit" { "Undo" }
                }
            }
        }
    }
}

fn members(view: &IncidentPage) -> Markup {
    let frame = &view.frame;
    let split = frame.is_now() && view.incident.merged_into.is_none() && view.incident.alerts > 1;
    html! {
        section #alerts {
            h2 { "Alerts " span.n { (view.incident.alerts) } }
            @if view.alerts.items.is_empty() { p.sub { "No alerts: a person declared it, or all its alerts moved to another incident." } }
            @else {
                div.card.flush {
                    (alerts::table(frame, &view.alerts.items, alerts::Columns { split, incident: false }))
                    @if split {
                        p.under { button form="act" formaction=(format!("/{}/split", view.incident.id)) type="submit" { "Split the selected alerts off" } }
                    }
                }
                (parts::further_in(frame, "alerts", view.alerts.next.as_deref(), "Older alerts"))
            }
        }
    }
}

fn changes(view: &IncidentPage) -> Markup {
    let frame = &view.frame;
    html! {
        section.card {
            h2 { "Changes nearby" }
            @if view.changes.is_empty() { p.sub { "No deploy, flag or configuration change was recorded near it." } }
            @else {
                ul.changes { @for near in &view.changes {
                    li {
                        p { span.kind.soft { (near.change.kind) } " " (near.change.title)
                            @if let Some(version) = &near.change.version { " " code { (version) } } }
                        p.sub {
                            (frame.clock(near.change.at)) " · " (distance(view, near))
                            @if let Some(service) = &near.change.service { " · " span.chip { (service) } }
                            @if let Some(author) = &near.change.author { " · " (author) }
                            " · " (parts::event(frame, &near.event, near.position))
                        }
                    }
                } }
            }
        }
    }
}

fn distance(view: &IncidentPage, near: &Change) -> String {
    let (began, at) = (view.incident.started_at, near.change.at);
    let span = super::words::span(began.distance(at));
    if at <= began { format!("{span} before it began") } else { format!("{span} after it began") }
}
