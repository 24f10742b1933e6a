//! The list of incidents: what is wrong now, who is told of it, and what is held back.

use hindcast_api::{Incident, Notice, Page};
use hindcast_domain::Severity;
use hindcast_domain::text::thousands;
use hindcast_queries::StateCounts;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct IncidentsPage {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// Counts.
    pub counted: StateCounts,
    /// The part of the list that is shown.
    pub incidents: Page<Incident>,
    /// Pages on their way.
    pub waiting: Page<Notice>,
    /// Notices that are held.
    pub held: Page<Notice>,
    /// Whether a service catalogue is known.
    pub has_catalog: bool,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &IncidentsPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        (counts(view))
        (told(view))
        @if !view.has_catalog {
            p.told {
                "No service catalogue is known: " a href=(frame.link("/topology")) { "the topology" }
                " lists what is proposed instead."
            }
        }
        (filter(frame))
        @if view.incidents.items.is_empty() {
            @if frame.query.is_empty() {
                (parts::empty("No incident yet.", "Send an alert to POST /api/v2/alerts, or declare one below."))
            } @else {
                (parts::empty("No incident matches.", "Remove a filter, or search further back."))
            }
        } @else {
            ol.incidents { @for incident in &view.incidents.items { (row(frame, incident)) } }
        }
        (parts::further(frame, view.incidents.next.as_deref(), "Older incidents"))
        @if frame.is_now() { (declare(frame)) }
    })
}

fn counts(view: &IncidentsPage) -> Markup {
    let counts = view.counted.incidents;
    let of = |word: &str, class: &str, number: u64| {
        let seen = view.frame.seen.iter().map(|seen| ("as_of", seen.asked.as_str()));
        let link = words::href("/", [("status", class)].into_iter().chain(seen));
        html! {
            a.count.(class).some[number > 0].on[view.frame.value("status") == class] href=(link) {
                b { (thousands(number)) } span { (word) }
            }
        }
    };
    html! {
        section.counts {
            (of("open", "open", counts.open))
            (of("acknowledged", "acknowledged", counts.acknowledged))
            (of("resolved", "resolved", counts.resolved))
            a.count href=(words::href("/alerts", [("status", "firing")])) {
                b { (thousands(view.counted.alerts.firing)) } span { "alerts firing" }
            }
            a.count href=(words::href("/alerts", [("suppressed", "true")])) {
                b { (thousands(view.counted.alerts.suppressed)) } span { "suppressed" }
            }
        }
    }
}

/// What pages, and what is held.
fn told(view: &IncidentsPage) -> Markup {
    let (waiting, held) = (&view.waiting.items, &view.held.items);
    let until = held.iter().map(|notice| notice.until).min();
    let more = |page: &Page<Notice>| if page.next.is_some() { "+" } else { "" };
    html! {
        p.told {
            @if waiting.is_empty() { "No page is pending" }
            @else {
                a href="/notices?status=requested&page=true" {
                    (waiting.len()) (more(&view.waiting)) @if waiting.len() == 1 { " page" } @else { " pages" } " pending"
                }
                @if let Some(error) = waiting.iter().find_map(|notice| notice.error.as_deref()) {
                    span.bad { " (" (error) ")" }
                }
            }
            " · "
            @if held.is_empty() { "no notification is delayed" }
            @else {
                a href="/notices?status=held" { (held.len()) (more(&view.held)) " delayed" }
                @if let Some(until) = until { ", the first until " (view.frame.clock(until)) }
            }
            @if view.counted.parked > 0 { " · " span.bad { (words::count(view.counted.parked, "dead letter", "dead letters")) } }
        }
    }
}

fn filter(frame: &Frame) -> Markup {
    let statuses = [
        ("", "any status"),
        ("open,acknowledged", "not resolved"),
        ("open", "open"),
        ("acknowledged", "acknowledged"),
        ("resolved", "resolved"),
    ];
    html! {
        form.filter method="get" action="/" role="search" {
            input.wide type="search" name="q" value=(frame.value("q")) placeholder="Words in title, services, cause, alerts" aria-label="Words";
            select name="status" aria-label="Status" {
                @for (value, word) in statuses { option value=(value) selected[frame.value("status") == value] { (word) } }
            }
            select name="severity" aria-label="Severity" {
                option value="" { "any severity" }
                @for severity in Severity::ALL {
                    option value=(severity.as_str()) selected[frame.value("severity") == severity.as_str()] { (severity.as_str()) }
                }
            }
            input type="text" name="service" value=(frame.value("service")) placeholder="service" aria-label="Service";
            input type="text" name="as_of" value=(frame.seen.as_ref().map_or("", |seen| seen.asked.as_str())) placeholder="as of (time or #)" aria-label="As of";
            button type="submit" { "Filter" }
            @if !frame.query.is_empty() { a.clear href=(frame.link("/")) { "clear" } }
        }
    }
}

fn row(frame: &Frame, incident: &Incident) -> Markup {
    let status = words::incident_status(incident.status);
    html! {
        li.incident.(incident.severity.as_str()).(status.0) {
            div.what {
                a.title href=(frame.link(&format!("/{}", incident.id))) { (incident.title) }
                div.sub {
                    (words::severity(incident.severity))
                    (words::id(&incident.id))
                    @for service in incident.services.iter().take(4) { span.chip { (service) } }
                    @if incident.services.len() > 4 { span.more { "+" (incident.services.len() - 4) } }
                    @if let Some(owner) = &incident.owner { span.owner { (owner) } }
                    @if incident.reopened > 0 { span.again { "reopened " (words::count(incident.reopened, "time", "times")) } }
                    @if incident.recurrence_of.is_some() { span.again { "recurrence" } }
                    @if let Some(until) = incident.snoozed_until { span.again { "snoozed until " (frame.clock(until)) } }
                }
            }
            div.figure { b { (incident.firing) } span { "of " (words::count(incident.alerts, "alert", "alerts")) } }
            div.when {
                (words::status(status))
                span { (age(frame, incident)) }
            }
        }
    }
}

fn age(frame: &Frame, incident: &Incident) -> String {
    match incident.resolved_at {
        Some(at) => format!("{} · took {}", frame.age(at), words::span(at.since(incident.started_at))),
        None => format!("for {}", words::span(frame.now.since(incident.started_at))),
    }
}

fn declare(frame: &Frame) -> Markup {
    html! {
        details.card.declare {
            summary { "Declare an incident" }
            form.fields method="post" action="/declare" {
                label.wide { "What is wrong?" input type="text" name="title" required; }
                label { "Severity" select name="severity" {
                    @for severity in Severity::ALL { option value=(severity.as_str()) selected[severity == Severity::High] { (severity.as_str()) } }
                } }
                label { "Services" input type="text" name="services" placeholder="checkout, api"; }
                label { "Environment" input type="text" name="environment" placeholder="production"; }
                (parts::name_field(frame.value("me")))
                button.primary type="submit" { "Declare" }
            }
        }
    }
}
