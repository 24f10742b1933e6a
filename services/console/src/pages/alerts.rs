//! The list of alerts.

use hindcast_api::{Alert, Page};
use hindcast_domain::text::thousands;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct AlertsPage {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// The part of the list that is shown.
    pub alerts: Page<Alert>,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &AlertsPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        h1 { "Alerts" }
        p.lead { "Alerts as their senders report them. Each has a receipt: its history from intake to notification." }
        form.filter method="get" action="/alerts" {
            select name="status" aria-label="Status" {
                @for (value, word) in [("", "any status"), ("firing", "firing"), ("resolved", "resolved"), ("stale", "no longer sent")] {
                    option value=(value) selected[frame.value("status") == value] { (word) }
                }
            }
            input type="text" name="name" value=(frame.value("name")) placeholder="rule's name" aria-label="Name";
            input type="text" name="label" value=(frame.value("label")) placeholder="label=value" aria-label="Label";
            select name="suppressed" aria-label="Suppressed" {
                @for (value, word) in [("", "suppressed or not"), ("true", "suppressed"), ("false", "not suppressed")] {
                    option value=(value) selected[frame.value("suppressed") == value] { (word) }
                }
            }
            button type="submit" { "Filter" }
            @if !frame.query.is_empty() { a.clear href=(frame.link("/alerts")) { "clear" } }
        }
        @if view.alerts.items.is_empty() {
            (parts::empty("No alert matches.", "Send one to POST /api/v2/alerts, or remove a filter."))
        } @else {
            section.card.flush { (table(frame, &view.alerts.items, Columns { split: false, incident: true })) }
        }
        (parts::further(frame, view.alerts.next.as_deref(), "Older alerts"))
    })
}

/// Which columns a table of alerts has besides its own.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Checkboxes of the form `act`.
    pub split: bool,
    /// Whether a column links each alert to its incident.
    pub incident: bool,
}

/// Alerts as a table.
#[must_use]
pub fn table(frame: &Frame, alerts: &[Alert], columns: Columns) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                @if columns.split { th.tick { span.sr { "Split" } } }
                th { "Alert" } th { "Status" } th { "Service" } th { "Began" } th { "Last received" } th.num { "Received" }
                @if columns.incident { th { "Incident" } }
            } }
            tbody { @for alert in alerts { (row(frame, alert, columns)) } }
        } }
    }
}

/// What an alert is about, who observed it, and the rule that says so.
fn about(alert: &Alert) -> Markup {
    html! {
        @if let Some(entity) = &alert.entity {
            div.sub title=(alert.entity_rule.as_deref().unwrap_or_default()) { "about " (entity) }
        }
        @if let Some(observer) = &alert.observed_by { div.sub { "observed by " (observer) } }
    }
}

fn row(frame: &Frame, alert: &Alert, columns: Columns) -> Markup {
    html! {
        tr.(words::alert_status(alert.status).0) {
            @if columns.split {
                td.tick { input type="checkbox" form="act" name="fingerprints" value=(alert.fingerprint) aria-label=(format!("split {}", alert.name)); }
            }
            td {
                (words::severity(alert.severity)) " "
                a.name href=(frame.link(&format!("/alerts/{}", alert.fingerprint))) { (alert.name) }
                @if let Some(summary) = alert.annotations.get("summary").or_else(|| alert.annotations.get("description")) {
                    div.sub.clip { (summary) }
                }
            }
            td {
                (words::status(words::alert_status(alert.status)))
                @if alert.suppressed_by.is_some() {
                    div.sub { "suppressed" @if let Some(until) = alert.suppressed_until { " until " (frame.clock(until)) } }
                }
                @if alert.flapping_until.is_some_and(|until| until > frame.now) { div.sub { "flapping" } }
            }
            td {
                @if let Some(service) = &alert.service { span.chip { (service) } }
                (about(alert))
            }
            td { (frame.clock(alert.starts_at)) div.sub { (frame.age(alert.starts_at)) } }
            td { (frame.clock(alert.last_seen_at)) @if let Some(ends) = alert.ends_at { div.sub { "ended " (frame.clock(ends)) } } }
            td.num { (thousands(alert.occurrences)) }
            @if columns.incident {
                td { @if let Some(incident) = &alert.incident { a href=(frame.link(&format!("/{incident}"))) { (words::id(incident)) } } }
            }
        }
    }
}
