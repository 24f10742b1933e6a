//! The page of work that takes long: it begins with what is done, grows by a line as the work goes on, and ends with
//! what came of it. Owns the pieces; refuses to know when they are sent.

use hindcast_api::{Comparison, LearnProgress, ModelVersion, Problem};
use hindcast_domain::text::thousands;
use maud::{Markup, PreEscaped, html};

use crate::pages::{Frame, words};

use super::{judged, verdict};

/// Where the lines go: no text can hold it, for text is escaped.
const HERE: &str = "<!-- here -->";

/// What stands before the first line and behind the last one.
#[must_use]
pub fn halves(frame: &Frame, title: &str) -> (String, String) {
    let page = frame.page(&html! {
        p.crumb { a href=(frame.link("/models")) { "Models" } }
        h1 { (title) }
        p.lead { "This page updates until the work ends. Leaving the page stops the work, and nothing is recorded." }
        section.card.work { (PreEscaped(HERE)) }
    });
    let page = page.into_string();
    let (head, tail) = page.split_once(HERE).unwrap_or((&page, ""));
    (head.to_owned(), tail.to_owned())
}

/// A step that begins. Its end tag is left to whatever follows, as HTML allows, so that its shares stand behind it.
#[must_use]
pub fn step(progress: &LearnProgress) -> Markup {
    html! { (PreEscaped("<p class=\"step\">")) (progress.step) (share(progress)) }
}

/// How far the step is.
#[must_use]
pub fn share(progress: &LearnProgress) -> Markup {
    let percent = progress.done.saturating_mul(100).checked_div(progress.of);
    html! { @if let Some(percent) = percent.filter(|percent| *percent > 0) { span.sub { " " (percent) " %" } } }
}

/// A version was learnt.
#[must_use]
pub fn trained(frame: &Frame, version: &ModelVersion) -> Markup {
    html! {
        p.step.ended { b { "Done: " (version.name) " " (version.version) " is registered." } }
        p.sub { "It decides nothing yet. Compare it with the production version next." }
        p { (to(frame, &version.name, version.version)) }
    }
}

/// Two versions were compared.
#[must_use]
pub fn compared(frame: &Frame, comparison: &Comparison) -> Markup {
    html! {
        p.step.ended { b { "Done: " } (verdict(comparison.verdict)) " against version " (comparison.against) }
        (judged::reasons(frame, &comparison.reasons))
        @if let Some(engine) = &comparison.engine { p.sub { (engine) } }
        p.sub { (thousands(comparison.inputs)) " inputs were decided again, from position #" (comparison.from) " to #" (comparison.to) "." }
        @if let Some(version) = comparison.version { p { (to(frame, &comparison.name, version)) } }
    }
}

/// It was refused on the way.
#[must_use]
pub fn refused(problem: &Problem) -> Markup {
    html! {
        p.step.ended.bad { b { (problem.title) } }
        p.detail { (problem.detail) }
        p.sub { (problem.remedy) }
        p { a.button href="/models" { "All versions" } }
    }
}

fn to(frame: &Frame, name: &str, version: u32) -> Markup {
    let path = words::path(&["models", name, &version.to_string()]);
    let link = words::href(&path, [("me", frame.value("me"))]);
    html! { a.button.primary href=(link) { "Look at version " (version) } }
}
