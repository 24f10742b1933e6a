//! How a version was judged: the verdict, why, whom it names, and the figures of both sides.

use hindcast_api::ModelJudgement;
use hindcast_mlops::compare::{ComparisonReport, Estimate};
use maud::{Markup, html};

use crate::pages::{Frame, about};

use super::verdict;

/// Judgements that are shown, the newest.
const JUDGED_MAX: usize = 20;
/// Reasons of one that are shown.
pub(super) const REASONS_MAX: usize = 40;
/// Services of one that are shown: those with the most problems.
const SERVICES_MAX: usize = 20;

pub(super) fn section(frame: &Frame, judged: &[ModelJudgement]) -> Markup {
    html! {
        section #judged {
            h2 { "Judged" }
            @if judged.is_empty() { p.sub { "Not compared with any version yet." } }
            @for (index, one) in judged.iter().rev().take(JUDGED_MAX).enumerate() {
                div.card.judgement {
                    p.line {
                        (verdict(one.verdict)) " against version " (one.against) " "
                        span.sub { (frame.clock(one.at)) " · " (frame.age(one.at)) " · " a.pos href=(frame.link(&format!("/events/{}", one.event))) { "event" } }
                    }
                    (reasons(frame, &one.reasons))
                    (figures(one, index == 0))
                }
            }
            @if judged.len() > JUDGED_MAX { p.sub.behind { (judged.len() - JUDGED_MAX) " earlier ones in the API" } }
        }
    }
}

/// Why, with each incident that is named as a link.
pub(super) fn reasons(frame: &Frame, reasons: &[String]) -> Markup {
    html! {
        ul.plainly {
            @for reason in reasons.iter().take(REASONS_MAX) { li { (about::linked(frame, reason)) } }
            @if reasons.len() > REASONS_MAX { li.sub { (reasons.len() - REASONS_MAX) " more" } }
        }
    }
}

/// The figures, where they are of the form that is known.
fn figures(judged: &ModelJudgement, open: bool) -> Markup {
    let Ok(report) = serde_json::from_value::<ComparisonReport>(judged.report.clone()) else { return html! {} };
    let (before, now) = (&report.champion, &report.candidate);
    let lines: [(&str, u32, u32, Estimate); 4] = [
        ("Wrongly merged", before.merged, now.merged, report.merged),
        ("Problems without a notification", before.missed, now.missed, report.missed),
        ("Incidents split by mistake", before.split, now.split, report.split),
        ("Pages", before.pages, now.pages, report.pages),
    ];
    let mut services: Vec<_> = report.services.iter().collect();
    services.sort_by(|a, b| b.1.problems.cmp(&a.1.problems).then_with(|| a.0.cmp(b.0)));
    html! {
        details open[open] {
            summary { "Figures on " (report.problems) " labelled problems" }
            div.scroll { table.figures {
                thead { tr { th {} th.num { "Version " (judged.against) } th.num { "This one" } th.num { "Difference" } th.num { "95 %" } } }
                tbody {
                    @for (word, before, now, difference) in lines { tr {
                        td { (word) } td.num { (before) } td.num { (now) }
                        td.num { (signed(difference.seen)) } td.num { (interval(difference)) }
                    } }
                    tr { td { "Cost of errors" } td {} td {} td.num { (signed(report.cost.seen)) } td.num { (interval(report.cost)) } }
                }
            } }
            @if !services.is_empty() {
                div.scroll { table.figures {
                    thead { tr { th { "Service" } th.num { "Problems" } th.num { "Merged" } th.num { "Missed" } th.num { "Too many" } th.num { "Cost" } th.num { "95 %" } } }
                    tbody { @for (name, of) in services.iter().take(SERVICES_MAX) { tr {
                        td { (name) } td.num { (of.problems) }
                        @for (before, now) in [(of.champion.merged, of.candidate.merged), (of.champion.missed, of.candidate.missed), (of.champion.split, of.candidate.split)] {
                            td.num { (before) " → " (now) }
                        }
                        td.num { (signed(of.cost.seen)) } td.num { (interval(of.cost)) }
                    } } }
                } }
                @if services.len() > SERVICES_MAX { p.sub { (services.len() - SERVICES_MAX) " services more in the API" } }
            }
        }
    }
}

fn signed(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:+}") }
}

fn interval(of: Estimate) -> String {
    format!("{} to {}", signed(of.low), signed(of.high))
}
