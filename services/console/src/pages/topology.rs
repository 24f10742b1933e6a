//! Links between services and teams: what is proposed with its evidence, and what is known.

use hindcast_api::{Page, TopologyLink};
use hindcast_domain::links::{LinkKind, LinkStatus};
use hindcast_domain::text::count;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct TopologyPage {
    /// What stands around it.
    pub frame: Frame,
    /// The part of the list that is shown.
    pub links: Page<TopologyLink>,
    /// Whether a catalogue is known.
    pub has_catalog: bool,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &TopologyPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        h1 { "Topology" }
        p.lead {
            "Which service depends on which, and who answers for one. A proposal counts in grouping by its confidence until "
            "somebody confirms or denies it."
        }
        @if !view.has_catalog { (no_catalog()) }
        @if view.links.items.is_empty() {
            (parts::empty("No link.", "Log lines, spans, alerts and merges propose links as they come in."))
        } @else {
            ul.silences { @for link in &view.links.items { (row(frame, link)) } }
        }
        (parts::further(frame, view.links.next.as_deref(), "More links"))
    })
}

/// What is missing without a catalogue.
pub(super) fn no_catalog() -> Markup {
    html! {
        p.told {
            "No service catalogue is known, so alerts of different services are grouped by what they share alone. "
            "Set one with " code { "hindcast catalog put FILE" } ", or import a file of Backstage with "
            code { "hindcast topology import FILE" } "."
        }
    }
}

const fn status(status: LinkStatus) -> (&'static str, &'static str) {
    match status {
        LinkStatus::Proposed => ("pending", "proposed"),
        LinkStatus::Confirmed => ("active", "confirmed"),
        LinkStatus::Denied => ("ended", "denied"),
        LinkStatus::Catalog => ("active", "in the catalogue"),
    }
}

fn row(frame: &Frame, link: &TopologyLink) -> Markup {
    let says = match link.kind {
        LinkKind::DependsOn => "depends on",
        LinkKind::OwnedBy => "is owned by",
    };
    let judges = |verb: &str, word: &str| {
        html! { button type="submit" formaction=(format!("/topology/{}/{verb}", link.id)) { (word) } }
    };
    html! {
        li.card.silence {
            div.what {
                p.badges { (words::status(status(link.status))) span.chip { (format!("confidence {:.2}", link.confidence)) } }
                p.comment { strong { (link.from) } " " (says) " " strong { (link.to) } }
                @for evidence in &link.evidence {
                    p.sub {
                        (evidence.source.as_str().replace('_', " ")) ", " (count(evidence.count, "time"))
                        @if !evidence.sample.is_empty() { ": " code { (evidence.sample) } }
                    }
                }
                p.sub {
                    @if let Some(by) = &link.by { "by " (by) " · " }
                    @if let Some(event) = &link.event {
                        a.pos href=(frame.link(&format!("/events/{event}"))) { "event" }
                    }
                }
            }
            @if frame.is_now() && link.status != LinkStatus::Catalog {
                form.inline method="post" action=(format!("/topology/{}/confirm", link.id)) {
                    input type="hidden" name="actor" value=(frame.value("me"));
                    @if link.status != LinkStatus::Confirmed { (judges("confirm", "Confirm")) }
                    @if link.status != LinkStatus::Denied { (judges("deny", "Deny")) }
                }
            }
        }
    }
}
