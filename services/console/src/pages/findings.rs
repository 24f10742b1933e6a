//! What detectors concluded from telemetry: a list of its own, and a table for an incident.

use hindcast_api::{Finding, Page};
use hindcast_domain::finding::Kind;
use hindcast_domain::text::thousands;
use maud::{Markup, html};

use super::{Frame, parts};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct FindingsPage {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// The part of the list that is shown.
    pub findings: Page<Finding>,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &FindingsPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        h1 { "Findings" }
        p.lead { "Anomalies that detectors found in logs and metrics. Telemetry expires; findings are kept." }
        form.filter method="get" action="/findings" {
            input type="text" name="service" value=(frame.value("service")) placeholder="service" aria-label="Service";
            input type="text" name="environment" value=(frame.value("environment")) placeholder="environment" aria-label="Environment";
            @if let Some(seen) = &frame.seen { input type="hidden" name="as_of" value=(seen.asked); }
            button type="submit" { "Filter" }
            @if !frame.query.is_empty() { a.clear href=(frame.link("/findings")) { "clear" } }
        }
        @if view.findings.items.is_empty() {
            (parts::empty("No finding matches.", "Send logs to POST /v1/logs and metrics to POST /v1/metrics, or remove a filter."))
        } @else {
            section.card.flush { (table(frame, &view.findings.items)) }
        }
        (parts::further(frame, view.findings.next.as_deref(), "Older findings"))
    })
}

/// Findings as a table.
#[must_use]
pub fn table(frame: &Frame, findings: &[Finding]) -> Markup {
    html! {
        div.scroll { table.findings {
            thead { tr { th { "Finding" } th { "Service" } th { "Began" } th.num { "Before" } th.num { "After" } th.num { "Score" } } }
            tbody { @for finding in findings { (row(frame, finding)) } }
        } }
    }
}

fn row(frame: &Frame, finding: &Finding) -> Markup {
    let it = &finding.finding;
    let sample = it.template.as_ref().map(|template| template.sample.as_str()).filter(|sample| !sample.is_empty());
    html! {
        tr {
            td {
                span.kind.soft { (kind(it.kind)) } " " span.name { (it.title) } " " (parts::event(frame, &finding.event, finding.position))
                @if let Some(sample) = sample { div.sub.clip.mono title=(sample) { (sample) } }
            }
            td { span.chip { (it.service) } }
            td { (frame.clock(it.at)) div.sub { (frame.age(it.at)) } }
            td.num { (number(it.before)) @if let Some(unit) = unit(it.kind) { div.sub { (unit) } } }
            td.num { (number(it.after)) @if let Some(unit) = unit(it.kind) { div.sub { (unit) } } }
            td.num { (format!("{:.2}", f64::from(it.score) / 1_000.0)) }
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::NewTemplate => "new log line",
        Kind::BurstingTemplate => "burst of log lines",
        Kind::MetricShift => "metric",
        Kind::FailingRequests => "failing requests",
        Kind::SlowRequests => "slow requests",
    }
}

fn unit(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::NewTemplate | Kind::BurstingTemplate => Some("/min"),
        Kind::SlowRequests => Some("ms"),
        Kind::MetricShift | Kind::FailingRequests => None,
    }
}

/// A figure as people read it: grouped where it is large, three digits where it is small.
fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size >= 1e15 {
        return format!("{value:.2e}");
    }
    if size >= 1_000.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        // Whole and below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        return format!("{sign}{}", thousands(size.round() as u64));
    }
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 1.0 {
        1
    } else {
        3
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.0214, "0.021"), (3.25, "3.2"), (412.4, "412"), (-12_345.6, "-12,346"), (f64::NAN, "–")]
        {
            assert_eq!(number(value), text, "{value}");
        }
    }
}
