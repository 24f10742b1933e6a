//! Figures over a stretch of time, as JSON or as a table of commas. Owns parameters and the table; what is counted is
//! the views'.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hindcast_api::{Duration, Report, ReportRow};
use hindcast_http::Result;
use hindcast_queries::ReportFilter;

use crate::Console;
use crate::learn::cell_of;
use crate::params::Asked;

/// Figures.
pub async fn report(State(console): State<Console>, asked: Asked) -> Result<Response> {
    let filter = ReportFilter {
        since: asked.time("since")?,
        until: asked.time("until")?,
        service: asked.one("service"),
        environment: asked.one("environment"),
    };
    let report = console.queries().report(filter, asked.as_of()?).await?;
    if asked.one("format").as_deref() == Some("csv") {
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&report)).into_response());
    }
    Ok(Json(report).into_response())
}

const COLUMNS: &str = "service,incidents,messages,alerts,pages,noise_removed_thousandths,missed,unaccounted,\
                       mttd_median_s,mttd_sample,mtta_median_s,mtta_sample,mttr_median_s,mttr_sample,reopened,closed,\
                       with_cause,labels";

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
    let median = |of: &Duration| of.median_s.map_or_else(String::new, |seconds| format!("{seconds:.1}"));
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
        assert_eq!(columns, [18, 18, 18], "{text}");
        assert!(text.contains("\n'=cmd()"), "{text}");
    }
}
