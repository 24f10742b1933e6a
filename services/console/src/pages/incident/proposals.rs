//! Runbooks that fit: what they would touch, what they risk, what should be seen afterwards. Nothing runs here.

use hindcast_api::ProposalStatus;
use hindcast_api::{Problem, Proposal};
use maud::{Markup, html};
use serde_json::Value;

use super::judging::Judging;
use crate::pages::{Frame, parts};

/// The whole section.
#[must_use]
pub fn section(frame: &Frame, proposals: &Result<Vec<Proposal>, Problem>, judging: &Judging) -> Markup {
    html! {
        section #proposals {
            h2 { "Proposed runbooks" }
            @match proposals {
                Err(problem) => (parts::unavailable(problem)),
                Ok(proposals) if proposals.is_empty() => p.sub { "No runbook matches the evidence." },
                Ok(proposals) => (list(frame, proposals, Some(judging))),
            }
        }
    }
}

/// Proposals as a list.
#[must_use]
pub fn list(frame: &Frame, proposals: &[Proposal], judging: Option<&Judging>) -> Markup {
    html! {
        ul.proposals { @for (index, proposal) in proposals.iter().enumerate() { li.card { (one(frame, proposal, index == 0, judging)) } } }
        p.sub.behind { "Hindcast runs nothing: a person decides and acts." }
    }
}

fn one(frame: &Frame, proposal: &Proposal, open: bool, judging: Option<&Judging>) -> Markup {
    html! {
        p.line {
            b { (proposal.title) } " " span.risk.(level(&proposal.risk)) { (level(&proposal.risk)) " risk" }
            @if proposal.status == ProposalStatus::Rejected { " " span.kind.soft { "rejected" } }
        }
        p.sub { code { (proposal.runbook) } @for (name, value) in &proposal.params { " " code.param { (name) "=" (plain(value)) } } }
        p.why-line { (proposal.why) " " (parts::cites(frame, &proposal.citations)) }
        dl.pairs {
            @if !proposal.targets.is_empty() { dt { "Touches" } dd { @for target in &proposal.targets { span.chip { (target) } " " } } }
            dt { "Risk" } dd { (proposal.risk) }
            dt { "Effect" } dd { (proposal.effect) }
            dt { "Worked" } dd { @match proposal.worked.of { 0 => "not tried on a similar incident", of => { (proposal.worked.ended) " of " (of) " similar incidents" } } }
        }
        @if !proposal.steps.is_empty() {
            details open[open] { summary { "Steps" } ol.steps { @for step in &proposal.steps { li { (step) } } } }
        }
        @if let Some(judging) = judging.filter(|_| proposal.status != ProposalStatus::Rejected) { (judging.of_proposal(&proposal.id)) }
        p.sub { "by " (proposal.by) " · version " (proposal.version) " · " code { (proposal.id) } }
    }
}

/// The first word of a risk, where it is one of three.
fn level(risk: &str) -> &'static str {
    let word = risk.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "low" => "low",
        "high" => "high",
        _ => "medium",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
