//! What may have been the cause: the path from what broke to what alarmed, what speaks for and against it, what
//! was considered and is not it, and whom it hits.

use hindcast_api::{BlastRadius, Causes, Hypothesis, PathStep, Problem, Statement, StepRole};
use maud::{Markup, html};

use super::judging::Judging;
use crate::pages::{Frame, parts, words};

/// Refuted ones that are shown.
const REFUTED_MAX: usize = 12;

/// The whole section.
#[must_use]
pub fn section(frame: &Frame, causes: &Result<Causes, Problem>, judging: &Judging) -> Markup {
    html! {
        section #cause {
            h2 { "Cause" }
            @match causes {
                Err(problem) => (parts::unavailable(problem)),
                Ok(causes) => (known(frame, causes, judging)),
            }
        }
    }
}

fn known(frame: &Frame, causes: &Causes, judging: &Judging) -> Markup {
    let ranked: Vec<&str> = causes.items.iter().map(|hypothesis| hypothesis.cause.as_str()).collect();
    html! {
        div.card.cause {
            @match causes.items.split_first() {
                Some((first, others)) => {
                    (hypothesis(frame, first, Some(judging)))
                    @if !others.is_empty() {
                        details.others {
                            summary { (words::count(others.len() as u64, "other cause", "other causes")) " ranked lower" }
                            @for other in others { div.other { (hypothesis(frame, other, Some(judging))) } }
                        }
                    }
                }
                None => {
                    p.verdict { "Unresolved" }
                    p.sub { (causes.why_unresolved.as_deref().unwrap_or("The recorded evidence does not explain the incident well enough to name a root cause.")) }
                }
            }
            (judging.other_causes(&ranked))
            (refuted(frame, &causes.refuted))
            (radius(&causes.blast_radius))
            (parts::behind(causes.behind))
        }
    }
}

/// One cause with its path, what speaks for and against it, and what people say of it.
#[must_use]
pub fn hypothesis(frame: &Frame, hypothesis: &Hypothesis, judging: Option<&Judging>) -> Markup {
    html! {
        div.hypothesis {
            p.verdict {
                (hypothesis.cause)
                span.score title="ranks the causes; not a probability until calibrated with labels" {
                    meter min="0" max="1" value=(format!("{:.3}", hypothesis.score)) {}
                    (format!("{:.2}", hypothesis.score))
                }
            }
            (path(frame, &hypothesis.path))
            @if !hypothesis.confirms.is_empty() || !hypothesis.refutes.is_empty() {
                div.sides {
                    (statements(frame, "For it", "for", &hypothesis.confirms))
                    (statements(frame, "Against it", "against", &hypothesis.refutes))
                }
            }
            @if let Some(judging) = judging { (judging.of_cause(&hypothesis.cause)) }
        }
    }
}

/// The steps from what broke to what alarmed.
#[must_use]
pub fn path(frame: &Frame, steps: &[PathStep]) -> Markup {
    let role = |role| match role {
        StepRole::Broke => ("broke", "Root cause"),
        StepRole::Then => ("then", "Propagated to"),
        StepRole::Alarmed => ("alarmed", "First alert"),
    };
    html! {
        @if !steps.is_empty() {
            ol.path { @for step in steps {
                li.(role(step.role).0) {
                    p.role { (role(step.role).1) " " (frame.clock(step.time)) }
                    p { span.chip { (step.service) } }
                    p.what { (step.text) }
                    p.cites { (parts::cites(frame, &step.citations)) }
                }
            } }
        }
    }
}

fn statements(frame: &Frame, title: &str, class: &str, statements: &[Statement]) -> Markup {
    html! {
        @if !statements.is_empty() {
            div.side.(class) {
                h3 { (title) }
                ul { @for statement in statements {
                    li { (statement.text) " " (parts::cites(frame, &statement.citations)) }
                } }
            }
        }
    }
}

fn refuted(frame: &Frame, refuted: &[Hypothesis]) -> Markup {
    html! {
        @if !refuted.is_empty() {
            div.refuted {
                h3 { "Ruled out" }
                ul { @for hypothesis in refuted.iter().take(REFUTED_MAX) {
                    li {
                        span.kind.soft { (hypothesis.kind) } " " (hypothesis.cause)
                        @match hypothesis.refutes.first() {
                            Some(_) => { @for statement in &hypothesis.refutes { span.because { ": " (statement.text) " " (parts::cites(frame, &statement.citations)) } } }
                            None => { " " (parts::cites(frame, &hypothesis.citations)) }
                        }
                    }
                } }
                @if refuted.len() > REFUTED_MAX { p.sub { (refuted.len() - REFUTED_MAX) " more in the API" } }
            }
        }
    }
}

fn radius(radius: &BlastRadius) -> Markup {
    let row = |class: &str, word: &str, services: &[String]| {
        html! {
            @if !services.is_empty() {
                dt { (word) }
                dd.(class) { @for service in services { span.chip { (service) } " " } }
            }
        }
    };
    html! {
        @if !(radius.hit.is_empty() && radius.at_risk.is_empty() && radius.unharmed.is_empty()) {
            dl.radius {
                (row("hit", "Affected", &radius.hit))
                (row("risk", "At risk", &radius.at_risk))
                (row("unharmed", "No sign seen", &radius.unharmed))
            }
        }
    }
}
