//! Whether a service catalogue is known, and what is proposed besides it.

use hindcast_api::{Page, TopologyLink};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::links::LinkStatus;
use hindcast_domain::text::count;

use super::Check;
use crate::client::{Path, typed};
use crate::context::CliContext;

/// Without a catalogue, alerts of different services share less than they could.
pub(super) async fn check(context: &CliContext<'_>) -> Option<Check> {
    let document = context.client.get(&Path::new("/api/v1/catalog")).await;
    let catalog: Catalog = match document.and_then(|document| typed("a catalogue", &document)) {
        Ok(catalog) => catalog,
        // A server that has no console.
        Err(error) if error.is_absent() => return None,
        Err(error) => return Some(Check::error("catalog", &error)),
    };
    let path = Path::new("/api/v1/topology").query("limit", "500");
    let document = context.client.get(&path).await;
    let page: Option<Page<TopologyLink>> = document.and_then(|document| typed("links", &document)).ok();
    let links = page.map(|page| page.items).unwrap_or_default();
    let proposed = links.iter().filter(|link| link.status == LinkStatus::Proposed).count() as u64;
    let confirmed = links.iter().filter(|link| link.status == LinkStatus::Confirmed).count() as u64;
    let waiting = format!("{} proposed, {confirmed} confirmed", count(proposed, "link"));
    let services = catalog.services.len() as u64;
    Some(if services == 0 && confirmed == 0 {
        Check::note(
            "catalog",
            format!("no service catalogue is known, so dependencies between services count little ({waiting})"),
            "Set one with `hindcast catalog put FILE` or `hindcast topology import FILE`, or confirm links: `hindcast \
             topology list`.",
        )
    } else {
        Check::ok("catalog", format!("{}; {waiting}", count(services, "service")))
    })
}
