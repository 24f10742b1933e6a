//! One alert's receipt: a line of steps from the socket to the page.

use hindcast_api::PageAccount;
use hindcast_api::{Receipt, ReceiptStage, ReceiptStep};
use hindcast_domain::SilenceId;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct ReceiptPage {
    /// What stands around it.
    pub frame: Frame,
    /// The alert's history from intake to notification.
    pub receipt: Receipt,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &ReceiptPage) -> Markup {
    let (frame, receipt) = (&view.frame, &view.receipt);
    let alert = &receipt.alert;
    frame.page(&html! {
        p.crumb { a href=(frame.link("/alerts")) { "Alerts" } " / " span.mono { (alert.fingerprint) } }
        h1 { (alert.name) }
        p.badges {
            (words::severity(alert.severity)) (words::status(words::alert_status(alert.status)))
            @if let Some(service) = &alert.service { span.chip { (service) } }
            @if let Some(incident) = &alert.incident { "member of " a href=(frame.link(&format!("/{incident}"))) { (words::id(incident)) } }
        }
        (accounted(frame, receipt))
        div.columns {
            div.main {
                h2 { "Alert history" }
                ol.line { @for (index, step) in receipt.steps.iter().enumerate() {
                    @if receipt.omitted > 0 && index == receipt.steps.len() / 2 {
                        li.omitted { (words::count(receipt.omitted, "step", "steps")) " not shown" }
                    }
                    (step_line(frame, step))
                } }
            }
            aside {
                section.card {
                    h2 { "Facts" }
                    dl.facts {
                        @if let Some(entity) = &alert.entity { dt { "About" } dd { (entity) } }
                        @if let Some(observer) = &alert.observed_by { dt { "Observed by" } dd { (observer) } }
                        @if let Some(rule) = &alert.entity_rule { dt { "By the rule" } dd.mono { (rule) } }
                        dt { "Source" } dd { (alert.source) }
                        @if let Some(clock) = alert.clock_in_words() { dt { "Clock" } dd.notice { (clock) } }
                        @for sender in &alert.senders {
                            dt { "Sender " (sender.name) } dd { (words::alert_status(sender.status).1) }
                        }
                        @if let Some(theirs) = &alert.source_fingerprint { dt { "Sender's own" } dd.mono { (theirs) } }
                        dt { "Environment" } dd { (alert.environment) }
                        dt { "Began" } dd { (frame.clock(alert.starts_at)) " · " (frame.age(alert.starts_at)) }
                        @if let Some(ends) = alert.ends_at { dt { "Ended" } dd { (frame.clock(ends)) } }
                        dt { "First received" } dd { (frame.clock(alert.first_seen_at)) }
                        dt { "Last received" } dd { (frame.clock(alert.last_seen_at)) }
                        dt { "Received" } dd { (words::count(alert.occurrences, "time", "times")) ", fired " (words::count(alert.fired, "time", "times")) }
                        @if let Some(by) = &alert.suppressed_by { dt { "Suppressed by" } (suppressed(frame, receipt, by)) }
                        @if let Some(url) = alert.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://")) {
                            dt { "At its sender" } dd { a href=(url) rel="noreferrer noopener" { "open" } }
                        }
                    }
                }
                (pairs("Labels", &alert.labels))
                (pairs("Annotations", &alert.annotations))
            }
        }
    })
}

fn pairs(title: &str, pairs: &std::collections::BTreeMap<String, String>) -> Markup {
    html! {
        @if !pairs.is_empty() {
            section.card {
                h2 { (title) }
                dl.facts.mono { @for (name, value) in pairs { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// What suppresses the alert, and the way to lift that.
fn suppressed(frame: &Frame, receipt: &Receipt, by: &str) -> Markup {
    let newest = receipt.steps.iter().rfind(|step| step.stage == ReceiptStage::Suppressed);
    html! {
        dd.mono {
            @if by.starts_with(SilenceId::PREFIX) { a href=(frame.link("/silences")) { (by) } } @else { (by) }
            @if let Some(step) = newest.filter(|_| frame.is_now()) {
                form.inline method="post" action="/undo" {
                    input type="hidden" name="event" value=(step.event);
                    button type="submit" title="this alert counts again, and is not suppressed so any more" { "Lift" }
                }
            }
        }
    }
}

fn accounted(frame: &Frame, receipt: &Receipt) -> Markup {
    let (class, words) = match receipt.accounted {
        PageAccount::Paged => ("good", "A page was sent for it."),
        PageAccount::IncidentPaged => ("good", "A page was sent for its incident."),
        PageAccount::Suppressed => ("hold", "Suppressed by a silence or maintenance window"),
        PageAccount::Held => ("hold", "Its page is delayed"),
        PageAccount::NotRequired => ("calm", "No page is required."),
        PageAccount::Unaccounted | PageAccount::Other(_) => {
            ("bad", "No record explains why it was not notified: this is a defect of Hindcast. Please report it.")
        }
    };
    html! {
        p.accounted.(class) {
            (words)
            @if let Some(until) = receipt.until { " until " (frame.clock(until)) " (" (frame.age(until)) ")." }
            @else if class == "hold" { "." }
        }
    }
}

fn step_line(frame: &Frame, step: &ReceiptStep) -> Markup {
    html! {
        li.(step.stage) {
            div.at { a href=(frame.at(&step.position.to_string())) title="this page as of here" { (frame.clock(step.time)) } }
            div.said.staged {
                span.stage { (step.stage_in_words()) }
                div {
                    span.text { (step.text) }
                    (parts::event(frame, &step.event, step.position))
                    @if !step.detail.is_null() {
                        details { summary { "detail" } pre.json { (serde_json::to_string_pretty(&step.detail).unwrap_or_default()) } }
                    }
                }
            }
        }
    }
}
