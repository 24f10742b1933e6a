//! What was sent, held or suppressed, with why.

use hindcast_api::{ChatStatus, Chats, Notice, Page};
use hindcast_domain::Span;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct NoticesPage {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// The part of the list that is shown.
    pub notices: Page<Notice>,
    /// How chat is now; nothing as of an earlier moment.
    pub chats: Chats,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &NoticesPage) -> Markup {
    let frame = &view.frame;
    let statuses = ["requested", "delivered", "held", "released", "expired"];
    frame.page(&html! {
        h1 { "Notifications" }
        p.lead { "Notifications that were sent, and those that are delayed, with the reason and the end of the delay." }
        (chats(frame, &view.chats))
        form.filter method="get" action="/notices" {
            select name="status" aria-label="Status" {
                option value="" { "any status" }
                @for status in statuses { option value=(status) selected[frame.value("status") == status] { (status) } }
            }
            select name="page" aria-label="Kind" {
                @for (value, word) in [("", "pages and others"), ("true", "pages only"), ("false", "others only")] {
                    option value=(value) selected[frame.value("page") == value] { (word) }
                }
            }
            input type="text" name="incident" value=(frame.value("incident")) placeholder="incident" aria-label="Incident";
            button type="submit" { "Filter" }
            @if !frame.query.is_empty() { a.clear href=(frame.link("/notices")) { "clear" } }
        }
        @if view.notices.items.is_empty() {
            (parts::empty("No notification.", "Pages appear here as soon as an alert of high or critical severity fires."))
        } @else {
            section.card { (parts::notices(frame, &view.notices.items, true)) }
        }
        (parts::further(frame, view.notices.next.as_deref(), "Older notifications"))
    })
}

/// How Slack and Teams are: paging waits for neither.
fn chats(frame: &Frame, chats: &Chats) -> Markup {
    html! {
        @if !chats.items.is_empty() {
            section.card {
                h2 { "Chat" }
                @for chat in &chats.items { (vendor(frame, chat)) }
            }
        }
    }
}

fn vendor(frame: &Frame, chat: &ChatStatus) -> Markup {
    let age = Span::seconds(i64::try_from(chat.oldest_s).unwrap_or(i64::MAX / 2_000_000_000));
    html! {
        p {
            b { (chat.vendor) } " "
            @if !chat.active { "is served by another process or installation" }
            @else if chat.reachable { "can be reached" }
            @else { "cannot be reached; pending messages are sent when it can" }
            ", " (chat.cards) " cards are shown there, "
            @if chat.queued == 0 { "nothing is pending" }
            @else { b { (chat.queued) " pending, the oldest for " (words::span(age)) } }
            "."
        }
        @if let (false, Some(error)) = (chat.reachable, &chat.last_error) { p.sub { "Last error: " (error) } }
        @if !chat.waiting.is_empty() {
            ul.sub { @for one in &chat.waiting { li {
                (one.what) " for " (one.channel)
                @if let Some(error) = &one.error { ": " (error) }
                @if let Some(incident) = one.url.as_deref().and_then(|url| url.rsplit('/').next()) {
                    " · " a href=(frame.link(&format!("/{incident}"))) { (incident) }
                }
            } } }
        }
    }
}
