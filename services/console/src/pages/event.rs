//! One event of the ledger, whole.

use hindcast_api::Event;
use maud::{Markup, html};

use super::Frame;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// What stands around it.
    pub frame: Frame,
    /// The event with its payload.
    pub event: Event,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &EventPage) -> Markup {
    let (frame, event) = (&view.frame, &view.event);
    let json = serde_json::to_string_pretty(&event.data).unwrap_or_default();
    let about = if event.subject.starts_with("INC-") {
        Some(format!("/{}", event.subject))
    } else if event.event_type.starts_with("alert.") || event.event_type == "intake.alert" {
        Some(format!("/alerts/{}", event.subject))
    } else {
        None
    };
    frame.page(&html! {
        p.crumb { "Ledger · #" (event.position) }
        h1.mono { (event.event_type) }
        section.card {
            dl.facts {
                dt { "Event" } dd.mono { (event.id) }
                dt { "Position" } dd { "#" (event.position) " · commit " (event.position / 4_096) ", index " (event.position % 4_096) " · " a href=(frame.at(&event.position.to_string())) { "as of here" } }
                dt { "Kind" } dd { (event.kind) }
                dt { "About" } dd.mono { @match &about { Some(link) => a href=(frame.link(link)) { (event.subject) }, None => (event.subject) } }
                dt { "Time" } dd { (event.time.to_string()) }
                dt { "Recorded" } dd { (event.recorded_at.to_string()) }
                dt { "Actor" } dd { (event.actor) }
                @if let Some(revision) = event.revision { dt { "Revision" } dd { (revision) } }
                @if let Some(cause) = &event.causation_id { dt { "Follows from" } dd.mono { a href=(frame.link(&format!("/events/{cause}"))) { (cause) } } }
                dt { "Partition" } dd { (event.tenant) "/" (event.environment) }
                dt { "Subject of the ledger" } dd.mono { (event.source) }
            }
        }
        h2 { "Data" }
        pre.card.json { code { (json) } }
    })
}
