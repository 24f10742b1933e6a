//! What holds an incident together, and what was kept out.

use hindcast_api::{Why, WhyKeptOut, WhyMember};
use hindcast_domain::incident::Grouping;
use maud::{Markup, html};

use crate::pages::{Frame, parts};

pub(super) fn section(frame: &Frame, why: &Why) -> Markup {
    html! {
        section {
            h2 { "Why these alerts are grouped" }
            @if why.members.is_empty() { p.sub { "It has no alerts." } }
            @else { ul.why.card { @for member in &why.members { (joined(frame, member)) } } }
            @if !why.kept_out.is_empty() {
                h2 { "Not grouped" }
                ul.why.card { @for out in &why.kept_out { (kept_out(frame, out)) } }
            }
        }
    }
}

fn joined(frame: &Frame, member: &WhyMember) -> Markup {
    let score = member.grouping.as_ref().filter(|grouping| grouping.rule == "score");
    html! {
        li {
            (meter(score.map(|grouping| f64::from(grouping.score) / 1_000.0), score.map(|grouping| f64::from(grouping.threshold) / 1_000.0)))
            div {
                p {
                    a href=(frame.link(&format!("/alerts/{}", member.fingerprint))) { (member.name) }
                    @if let Some(service) = &member.service { " " span.chip { (service) } }
                }
                p.sub { (member.text) " · " (parts::event(frame, &member.event, member.position)) }
                @if let Some(grouping) = &member.grouping { (reasons(grouping)) }
            }
        }
    }
}

fn kept_out(frame: &Frame, out: &WhyKeptOut) -> Markup {
    html! {
        li.out {
            (meter(Some(out.score), None))
            div {
                p { a href=(frame.link(&format!("/alerts/{}", out.fingerprint))) { (out.name) }
                    @if let Some(incident) = &out.incident { " is in " a href=(frame.link(&format!("/{incident}"))) { (crate::pages::words::id(incident)) } } }
                p.sub { (out.text) " · " (parts::event(frame, &out.event, out.position)) }
            }
        }
    }
}

/// A score as a bar, with the score that was needed.
fn meter(score: Option<f64>, needed: Option<f64>) -> Markup {
    html! {
        div.score {
            @match score {
                Some(score) => {
                    b { (format!("{score:.2}")) }
                    meter min="0" max="1" value=(format!("{score:.3}")) {}
                    @if let Some(needed) = needed { span { "of " (format!("{needed:.2}")) } }
                }
                None => b.none { "–" }
            }
        }
    }
}

fn reasons(grouping: &Grouping) -> Markup {
    let mut parts: Vec<(&String, &i32)> = grouping.parts.iter().filter(|(_, weight)| **weight != 0).collect();
    parts.sort_by_key(|(_, weight)| -weight.abs());
    html! {
        @if !parts.is_empty() {
            p.parts { @for (name, weight) in parts {
                span.part.against[*weight < 0] { (name.replace('_', " ")) " " (format!("{:+.1}", f64::from(*weight) / 1_000.0)) }
            } }
        }
    }
}
