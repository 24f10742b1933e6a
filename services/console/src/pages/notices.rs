//! What was sent, held or suppressed, with why.

use hindcast_api::{Notice, Page};
use maud::{Markup, html};

use super::{Frame, parts};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct View {
    /// What stands around it; its query holds the filter.
    pub frame: Frame,
    /// The notices.
    pub notices: Page<Notice>,
}

/// The page.
#[must_use]
pub fn page(view: &View) -> Markup {
    let frame = &view.frame;
    let statuses = ["requested", "delivered", "held", "released", "expired"];
    frame.page(&html! {
        h1 { "Notices" }
        p.lead { "What people were told, what is held back, why, and until when." }
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
            (parts::empty("No notice.", "Pages appear here as soon as an alert of high or critical severity fires."))
        } @else {
            section.card { (parts::notices(frame, &view.notices.items, true)) }
        }
        (parts::further(frame, view.notices.next.as_deref(), "Older notices"))
    })
}
