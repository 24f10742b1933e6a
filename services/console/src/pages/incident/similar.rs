//! Incidents of the past: the same problem with what ended it, and look-alikes with what sets them apart.

use hindcast_api::{Problem, Similar, SimilarPage};
use hindcast_domain::Span;
use maud::{Markup, html};

use super::judging::Judging;
use crate::pages::{Frame, parts, words};

/// The whole section.
#[must_use]
pub fn section(frame: &Frame, similar: &Result<SimilarPage, Problem>, judging: &Judging) -> Markup {
    html! {
        section #similar {
            h2 { "Past incidents" }
            @match similar {
                Err(problem) => (parts::unavailable(problem)),
                Ok(page) => {
                    @if page.items.is_empty() { p.sub { "No past incident is similar." } }
                    @else {
                        @if page.never_seen { p.sub.ahead { "No matching past incident. The incidents below have similar symptoms and a different cause." } }
                        (list(frame, &page.items, Some(judging)))
                    }
                    (parts::behind(page.behind))
                    @if page.stand_in { p.sub.behind { "Compared by words alone: no embedding model is installed." } }
                }
            }
        }
    }
}

/// Similar incidents as a list.
#[must_use]
pub fn list(frame: &Frame, items: &[Similar], judging: Option<&Judging>) -> Markup {
    html! { ul.similar.card { @for item in items { (one(frame, item, judging)) } } }
}

fn one(frame: &Frame, item: &Similar, judging: Option<&Judging>) -> Markup {
    html! {
        li.same[item.same] {
            div.score { b { (format!("{:.2}", item.score)) } meter min="0" max="1" value=(format!("{:.3}", item.score)) {} }
            div {
                p {
                    @if item.same { span.kind { "same problem" } } @else { span.kind.soft { "similar symptoms, different cause" } }
                    " " a.name href=(frame.link(&format!("/{}", item.incident))) { (item.title) }
                }
                p.sub { (words::id(&item.incident)) " · " (frame.clock(item.opened_at)) " · " (frame.age(item.opened_at)) " · " (words::incident_status(item.status).1) }
                dl.pairs {
                    @if !item.why.is_empty() { dt { "Alike" } dd { (item.why.join("; ")) } }
                    @if !item.differs.is_empty() { dt { "Differs" } dd.differs { (item.differs.join("; ")) } }
                    @if let Some(cause) = &item.cause { dt { "Cause" } dd { (cause) } }
                    @if let Some(resolution) = &item.resolution { dt { "Resolution" } dd { b { (resolution) } (quiet(item)) } }
                }
                @if !item.citations.is_empty() { p.cites { (parts::cites(frame, &item.citations)) } }
                @if let Some(judging) = judging { (judging.of_recall(&item.incident)) }
            }
        }
    }
}

fn quiet(item: &Similar) -> Markup {
    let quiet = item.quiet_for_s.filter(|seconds| *seconds > 0);
    let span = quiet.map(|seconds| Span::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 2_000_000_000)));
    html! { @if let Some(span) = span { ", no alert for " (words::span(span)) " after that" } }
}
