//! Links between services, in plain words.

use hindcast_domain::links::{LinkJudged, LinkKind, LinkObserved, LinkProposed, ServiceLink};

fn link(link: &ServiceLink) -> String {
    match link.kind {
        LinkKind::DependsOn => format!("{} depends on {}", link.from, link.to),
        LinkKind::OwnedBy => format!("{} is owned by {}", link.from, link.to),
    }
}

/// Evidence was seen.
pub(super) fn observed(seen: &LinkObserved) -> String {
    format!("evidence that {} ({}, {} times)", link(&seen.link), seen.sighting.source, seen.sighting.count)
}

/// A link is proposed.
pub(super) fn proposed(proposed: &LinkProposed) -> String {
    let from: Vec<&str> = proposed.sightings.iter().map(|sighting| sighting.source.as_str()).collect();
    format!(
        "proposed: {} (confidence {:.2}: {})",
        link(&proposed.link),
        f64::from(proposed.confidence) / 1e3,
        from.join(", ")
    )
}

/// A person said something of a link.
pub(super) fn judged(judged: &LinkJudged, actor: &str) -> String {
    format!("{} by {actor}: {}", judged.verdict, link(&judged.link))
}
