//! Figures over a stretch of time, as JSON, as a table of commas and as a page. Owns parameters and how figures are
//! shown; what is counted is the views'.

use std::fmt::Write as _;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hindcast_api::{Code, Duration, Report, ReportRow};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::ReportFilter;
use maud::{Markup, html};

use crate::learn::cell_of;
use crate::look::Look;
use crate::pages::Frame;
use crate::params::QueryParams;

/// Figures.
pub async fn report(look: Look) -> Result<Response> {
    let report = look.seen().report(filter(look.asked())?).await?;
    if look.asked().one("format").as_deref() == Some("csv") {
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&report)).into_response());
    }
    Ok(Json(report).into_response())
}

/// Which stretch is asked for.
pub(crate) fn filter(asked: &QueryParams) -> Result<ReportFilter> {
    let (since, until) = (asked.time("since")?, asked.time("until")?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        let detail = format!("expected since before until, got {since} and {until}");
        return Err(HttpRefusal::new(Code::BadParameter, detail));
    }
    Ok(ReportFilter { since, until, service: asked.one("service"), environment: asked.one("environment") })
}

/// Renders the HTML.
#[must_use]
pub fn page(frame: &Frame, report: &Report) -> Markup {
    let rows = || {
        std::iter::once(("all", &report.total)).chain(report.services.iter().map(|(name, row)| (name.as_str(), row)))
    };
    frame.page(&html! {
        h1 { "Reports" }
        p.lead {
            "What was removed and what that cost"
            @if let (Some(since), Some(until)) = (report.since, report.until) { ", from " (since) " to " (until) }
            "."
        }
        form.filter method="get" action="/reports" {
            @for name in ["since", "until", "service", "environment"] {
                input type="text" name=(name) value=(frame.value(name)) placeholder=(name) aria-label=(name);
            }
            @if let Some(seen) = &frame.seen { input type="hidden" name="as_of" value=(seen.asked); }
            button type="submit" { "Show" }
            @if !frame.query.is_empty() { a.clear href=(frame.link("/reports")) { "clear" } }
        }
        section.card.flush { div.scroll { table {
            thead { tr {
                @for word in ["Service", "Incidents", "Messages", "Firings", "Pages", "Noise removed", "Missed", "Merged wrongly", "Unaccounted", "Cause known"] {
                    th { (word) }
                }
            } }
            tbody { @for (name, row) in rows() { tr {
                td { (name) }
                @for count in [row.incidents, row.messages, row.firings, row.paged] { td { (count) } }
                td { (share(row.noise_removed)) }
                td { (row.missed) @if row.missed > 0 { span.sub { " (" (row.declared) " declared, " (row.came_back) " reopened)" } } }
                td { (row.wrongly_merged) }
                td { (row.unaccounted) }
                td { (row.with_cause) " of " (row.closed) }
            } } }
        } } }
        section.card.flush { div.scroll { table {
            thead { tr {
                @for word in ["Service", "Detect", "Acknowledge", "Resolve", "Labels", "Useful", "Noise", "No action"] { th { (word) } }
            } }
            tbody { @for (name, row) in rows() { tr {
                td { (name) }
                @for of in [&row.mttd, &row.mtta, &row.mttr] { td { (spans(of)) } }
                @for count in [row.labels, row.useful, row.noise, row.no_action] { td { (count) } }
            } } }
        } } }
        section.card {
            h2 { "Models" }
            p { (report.spend.answers) " answers, " (report.spend.with_model) " with a model." }
            @for (model, of) in &report.spend.models {
                p { (model) ": " (of.replies) " replies, " (of.tokens) " tokens, $" (format!("{:.4}", of.cost)) }
            }
        }
        section.card {
            details {
                summary { "What is counted" }
                dl { @for (name, what) in &report.definitions { dt { (name) } dd { (what) } } }
            }
        }
    })
}

fn share(thousandths: Option<u32>) -> String {
    thousandths.map_or_else(|| "–".to_owned(), |share| format!("{}.{} %", share / 10, share % 10))
}

/// Mean, median and 90th percentile, with the sample; a dash where it is empty.
fn spans(of: &Duration) -> String {
    let (Some(mean), Some(median), Some(p90)) = (of.mean_s, of.median_s, of.p90_s) else { return "–".to_owned() };
    let text = |seconds: f64| match seconds {
        ..60.0 => format!("{seconds:.0} s"),
        60.0..3_600.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    };
    format!("mean {}, median {}, p90 {} ({})", text(mean), text(median), text(p90), of.sample)
}

const COLUMNS: &str = "service,incidents,messages,alerts,pages,noise_removed_thousandths,missed,unaccounted,\
                       mttd_median_s,mttd_sample,mtta_median_s,mtta_sample,mttr_median_s,mttr_sample,reopened,closed,\
                       with_cause,labels,firings,paged,declared,came_back,wrongly_merged,useful,noise,no_action,\
                       mttd_mean_s,mttd_p90_s,mtta_mean_s,mtta_p90_s,mttr_mean_s,mttr_p90_s";

/// All services together first, under `*`.
fn csv(report: &Report) -> String {
    let mut text = format!("{COLUMNS}\n");
    let services = report.services.iter().map(|(name, row)| (name.as_str(), row));
    for (name, row) in std::iter::once(("*", &report.total)).chain(services) {
        line(&mut text, name, row);
    }
    text
}

fn line(text: &mut String, name: &str, row: &ReportRow) {
    let told = |seconds: Option<f64>| seconds.map_or_else(String::new, |seconds| format!("{seconds:.1}"));
    let median = |of: &Duration| told(of.median_s);
    let removed = row.noise_removed.map_or_else(String::new, |share| share.to_string());
    let cells = [
        cell_of(name),
        row.incidents.to_string(),
        row.messages.to_string(),
        row.alerts.to_string(),
        row.pages.to_string(),
        removed,
        row.missed.to_string(),
        row.unaccounted.to_string(),
        median(&row.mttd),
        row.mttd.sample.to_string(),
        median(&row.mtta),
        row.mtta.sample.to_string(),
        median(&row.mttr),
        row.mttr.sample.to_string(),
        row.reopened.to_string(),
        row.closed.to_string(),
        row.with_cause.to_string(),
        row.labels.to_string(),
        row.firings.to_string(),
        row.paged.to_string(),
        row.declared.to_string(),
        row.came_back.to_string(),
        row.wrongly_merged.to_string(),
        row.useful.to_string(),
        row.noise.to_string(),
        row.no_action.to_string(),
        told(row.mttd.mean_s),
        told(row.mttd.p90_s),
        told(row.mtta.mean_s),
        told(row.mtta.p90_s),
        told(row.mttr.mean_s),
        told(row.mttr.p90_s),
    ];
    // A string takes whatever is written to it.
    writeln!(text, "{}", cells.join(",")).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_as_many_cells_as_columns_and_no_formula() {
        let mut report = Report::default();
        report.services.insert("=cmd()".to_owned(), ReportRow::default());
        let text = csv(&report);
        let columns: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [32, 32, 32], "{text}");
        assert!(text.contains("\n'=cmd()"), "{text}");
    }
}
