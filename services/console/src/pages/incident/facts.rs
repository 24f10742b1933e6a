//! The head of an incident and its facts.

use hindcast_api::Incident;
use hindcast_domain::incident::Status;
use hindcast_domain::words::ResolvedBy;
use maud::{Markup, html};

use crate::pages::{Frame, words};

/// Title, badges, and the whole in one sentence.
pub(super) fn head(frame: &Frame, incident: &Incident) -> Markup {
    html! {
        section.head.(incident.severity.as_str()).(words::incident_status(incident.status).0) {
            p.badges {
                (words::severity(incident.severity)) (words::status(words::incident_status(incident.status)))
                @if incident.peak_severity != incident.severity { span.sub { "was " (incident.peak_severity.as_str()) } }
                @for service in &incident.services { span.chip { (service) } }
            }
            h1 { (incident.title) }
            p.lead { (summary(frame, incident)) }
            @if let Some(into) = &incident.merged_into {
                p.accounted.hold { "Merged into " a href=(frame.link(&format!("/{into}"))) { (into) } "." }
            }
        }
    }
}

/// Everything that matters, in one or two sentences.
fn summary(frame: &Frame, incident: &Incident) -> Markup {
    let noticed = incident.opened_at.since(incident.started_at);
    html! {
        "Began " (frame.clock(incident.started_at)) ", opened "
        @if noticed.as_millis() < 1_000 { "at once" } @else { (words::span(noticed)) " later" }
        "; " (words::count(incident.alerts, "alert", "alerts"))
        @if incident.status != Status::Resolved && incident.alerts > 0 { ", " (incident.firing) " firing" }
        ", received " (words::count(incident.occurrences, "time", "times")) ". "
        @match incident.status {
            Status::Open => { "Open for " (words::span(frame.now.since(incident.started_at))) "; not acknowledged." }
            Status::Acknowledged => {
                @match &incident.acknowledged_by {
                    Some(who) => { "Acknowledged by " (who) }
                    None => "Acknowledged"
                }
                @if let Some(at) = incident.acknowledged_at { " at " (frame.clock(at)) ", " (words::span(at.since(incident.opened_at))) " after it was opened" }
                "."
            }
            Status::Resolved => {
                "Resolved"
                @if let Some(at) = incident.resolved_at { " at " (frame.clock(at)) ", after " (words::span(at.since(incident.started_at))) }
                @match incident.resolved_by {
                    Some(ResolvedBy::Quiet) => " automatically: all alerts cleared.",
                    Some(ResolvedBy::Stale) => " automatically: its alerts are no longer sent.",
                    Some(ResolvedBy::Person) => " by a person.",
                    Some(ResolvedBy::Merged) => " by a merge into another incident.",
                    Some(ResolvedBy::Other(_)) | None => ".",
                }
            }
        }
        @if let Some(cause) = &incident.cause { " Cause: " b { (cause) } "." }
        @if let Some(resolution) = &incident.resolution { " Resolution: " b { (resolution) } "." }
    }
}

/// The facts as a list.
pub(super) fn card(frame: &Frame, incident: &Incident) -> Markup {
    let other = |id: &str| html! { a href=(frame.link(&format!("/{id}"))) { (words::id(id)) } };
    html! {
        section.card {
            h2 { "Facts" }
            dl.facts {
                dt { "Began" } dd { (frame.clock(incident.started_at)) " · " (frame.age(incident.started_at)) }
                dt { "Opened" } dd { (frame.clock(incident.opened_at)) }
                @if let Some(at) = incident.acknowledged_at { dt { "Acknowledged" } dd { (frame.clock(at)) @if let Some(by) = &incident.acknowledged_by { " by " (by) } } }
                @if let Some(at) = incident.resolved_at { dt { "Resolved" } dd { (frame.clock(at)) } }
                dt { "Last change" } dd { (frame.clock(incident.updated_at)) }
                dt { "Owner" } dd { @match &incident.owner { Some(owner) => (owner), None => span.sub { "not assigned" } } }
                @if !incident.teams.is_empty() { dt { "Teams" } dd { (incident.teams.join(", ")) } }
                dt { "Environment" } dd { (incident.environment) }
                @if incident.reopened > 0 { dt { "Reopened" } dd { (words::count(incident.reopened, "time", "times")) } }
                @if let Some(until) = incident.snoozed_until { dt { "Snoozed until" } dd { (frame.clock(until)) " · " (frame.age(until)) } }
                @if let Some(earlier) = &incident.recurrence_of { dt { "Recurrence of" } dd { (other(earlier)) } }
                @if let Some(from) = &incident.split_from { dt { "Split from" } dd { (other(from)) } }
                @if !incident.merged_from.is_empty() { dt { "Merged from" } dd { @for from in &incident.merged_from { (other(from)) " " } } }
                dt { "Grouped by" } dd { (grouped(incident)) }
                @if let Some(shadow) = &incident.shadow { dt { "Shadow v" (shadow.version) } dd { (shadow.text) } }
                dt { "Revision" } dd { (incident.revision) }
            }
        }
    }
}

/// Which versions of the weights put its alerts together.
fn grouped(incident: &Incident) -> String {
    let versions: Vec<String> = incident.grouped_by.iter().map(ToString::to_string).collect();
    match versions.as_slice() {
        [] if incident.weights == 0 => "a person".to_owned(),
        [] => format!("weights v{}", incident.weights),
        versions => format!("weights v{}", versions.join(", v")),
    }
}
