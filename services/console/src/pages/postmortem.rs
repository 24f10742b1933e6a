//! A drafted postmortem, read as a page.

use std::collections::BTreeMap;

use hindcast_api::{Incident, Postmortem};
use maud::{Markup, html};

use super::{Frame, markdown, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct PostmortemPage {
    /// What stands around it.
    pub frame: Frame,
    /// The incident that the draft is about.
    pub incident: Incident,
    /// The draft with its citations, as of the position of the page.
    pub drafted: Postmortem,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &PostmortemPage) -> Markup {
    let (frame, drafted) = (&view.frame, &view.drafted);
    let places: BTreeMap<u64, &str> =
        drafted.citations.iter().map(|citation| (citation.position, citation.event.as_str())).collect();
    let link = |to: &str| target(frame, &places, to);
    frame.page(&html! {
        p.crumb {
            a href=(frame.link("/")) { "Incidents" } " / "
            a.mono href=(frame.link(&format!("/{}", view.incident.id))) { (view.incident.id) } " / Postmortem"
        }
        article.card.markdown { (markdown::render(&drafted.markdown, &link)) }
        p.sub.behind {
            "A draft as of position #" (drafted.position) ", from recorded events alone. It cites " (words::count(drafted.citations.len() as u64, "event", "events")) ". "
            "As Markdown: " code { "hindcast postmortem " (view.incident.id) " -o postmortem.md" }
        }
    })
}

/// Where a link of the draft leads: a position to its event, an event of the API to its page, and nowhere else
/// but to this server or over http.
fn target(frame: &Frame, places: &BTreeMap<u64, &str>, to: &str) -> Option<String> {
    if let Some(position) = position(to) {
        return places.get(&position).map(|event| frame.link(&format!("/events/{event}")));
    }
    if let Some(event) = to.strip_prefix("/api/v1/events/") {
        return Some(frame.link(&format!("/events/{event}"))).filter(|_| is_word(event));
    }
    let local = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '?', '#']);
    if local {
        return Some(frame.link(to));
    }
    (to.starts_with("https://") || to.starts_with("http://")).then(|| to.to_owned())
}

/// A position as a link names it: `#8812`, or the list of events from there on.
fn position(to: &str) -> Option<u64> {
    let listed = || to.strip_prefix("/api/v1/events?")?.split('&').find_map(|pair| pair.strip_prefix("from="));
    to.strip_prefix('#').or_else(listed)?.parse().ok()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
