//! Pieces that several pages share.

use hindcast_api::{Citation, Notice, Problem};
use maud::{Markup, html};

use super::{Frame, words};

/// Events that are linked behind one text.
const CITES_MAX: usize = 8;

/// Nothing to show, and what to do about it.
#[must_use]
pub fn empty(what: &str, hint: &str) -> Markup {
    html! { div.empty { p { (what) } p.hint { (hint) } } }
}

/// The link to the next page of a list.
#[must_use]
pub fn further(frame: &Frame, next: Option<&str>, word: &str) -> Markup {
    html! {
        @if let Some(cursor) = next { p.paging { a.button href=(frame.further(cursor)) { (word) " →" } } }
    }
}

/// The link to the next page of one of several lists on a page, by its parameter; it leads to where the list is.
#[must_use]
pub fn further_in(frame: &Frame, list: &str, next: Option<&str>, word: &str) -> Markup {
    html! {
        @if let Some(cursor) = next {
            p.paging { a.button href=(format!("{}#{list}", frame.further_in(list, cursor))) { (word) " →" } }
        }
    }
}

/// Who acts. There is no cookie: the name travels in the address.
#[must_use]
pub fn name_field(me: &str) -> Markup {
    html! {
        label { "Your name" input type="text" name="actor" value=(me) placeholder="anonymous" autocomplete="username" maxlength="128"; }
    }
}

/// A link to an event, by its place.
#[must_use]
pub fn event(frame: &Frame, id: &str, position: u64) -> Markup {
    html! { a.pos href=(frame.link(&format!("/events/{id}"))) title=(id) { "#" (position) } }
}

/// Links to events, each once, in order.
#[must_use]
pub fn cites(frame: &Frame, citations: &[Citation]) -> Markup {
    let mut places: Vec<(u64, &str)> =
        citations.iter().map(|citation| (citation.position, citation.event.as_str())).collect();
    places.sort_unstable();
    places.dedup();
    html! {
        @for (position, id) in places.iter().take(CITES_MAX) { (event(frame, id, *position)) " " }
        @if places.len() > CITES_MAX { span.sub { "and " (places.len() - CITES_MAX) " more" } }
    }
}

/// A part of a page that cannot be had now: the rest is shown.
#[must_use]
pub fn unavailable(problem: &Problem) -> Markup {
    html! { p.sub.unavailable { "Not available: " (problem.detail) ". " (problem.remedy) } }
}

/// How far the memory of past incidents was, where it had not reached the position of the page.
#[must_use]
pub fn behind(memory: Option<u64>) -> Markup {
    html! {
        @if let Some(reached) = memory {
            p.sub.behind { "The memory of past incidents had reached #" (reached) " when this page was made: incidents of later are not compared." }
        }
    }
}

/// Notices as a list.
#[must_use]
pub fn notices(frame: &Frame, notices: &[Notice], with_incident: bool) -> Markup {
    html! {
        ul.notices { @for notice in notices { (one_notice(frame, notice, with_incident)) } }
    }
}

fn one_notice(frame: &Frame, notice: &Notice, with_incident: bool) -> Markup {
    html! {
        li.notice {
            (words::status(words::notice_status(notice.status)))
            div {
                p.line {
                    @if notice.page { span.kind { "page" } } @else { span.kind.soft { "notice" } }
                    @if let Some(receiver) = &notice.receiver { " to " b { (receiver) } }
                    " because " (words::reason(notice.reason))
                }
                @if with_incident {
                    p.about {
                        @if let Some(incident) = &notice.incident {
                            a href=(frame.link(&format!("/{incident}"))) { (notice.title) }
                        } @else if let Some(alert) = &notice.alert {
                            a href=(frame.link(&format!("/alerts/{alert}"))) { (notice.title) }
                        } @else { (notice.title) }
                        " " (words::severity(notice.severity))
                    }
                }
                p.sub {
                    (frame.clock(notice.at)) " · " (frame.age(notice.at))
                    @if let Some(at) = notice.delivered_at { " · delivered after " (words::span(at.since(notice.at))) }
                    @if let Some(why) = &notice.why { " · " (why) }
                    @if notice.status == hindcast_domain::notice::Status::Held { " until " (frame.clock(notice.until)) }
                    @if notice.attempts > 1 { " · " (notice.attempts) " attempts" }
                    @if let Some(error) = &notice.error { " · " span.bad { (error) } }
                    " · " (event(frame, &notice.event, notice.position))
                }
            }
        }
    }
}
