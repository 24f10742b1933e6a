//! How often each link was seen, and when that is worth saying. Owns the confidence of each source by its count; the
//! numbers are chosen by hand, so that one source alone other than spans stays well below a person's word.

use std::collections::BTreeMap;

use hindcast_domain::links::{LinkObserved, LinkSighting, LinkSource, ServiceLink};
use serde::{Deserialize, Serialize};

/// Links that are counted at once.
const COUNTED_MAX: usize = 20_000;

/// Counts from which on a source makes so sure, in thousandths.
const fn levels(source: &LinkSource) -> &'static [(u64, i32)] {
    match source {
        LinkSource::Spans => &[(3, 900), (20, 950)],
        LinkSource::Addresses => &[(3, 600), (10, 700), (50, 800)],
        LinkSource::Names => &[(5, 300), (20, 400), (100, 450)],
        LinkSource::OwnerLabels => &[(1, 500), (5, 700), (20, 800)],
        LinkSource::Backstage => &[(1, 900)],
        LinkSource::LaggedAlerts => &[(3, 350), (5, 450), (8, 550)],
        LinkSource::Merges => &[(1, 500), (2, 700), (3, 800)],
        LinkSource::Other(_) => &[],
    }
}

/// One link by one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CountedLink {
    count: u64,
    confidence: i32,
}

/// All links that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CountedLinks(BTreeMap<String, CountedLink>);

impl CountedLinks {
    /// Counts a sighting; says so where it makes surer than the ones before.
    pub(crate) fn count(&mut self, link: ServiceLink, source: LinkSource, sample: &str) -> Option<LinkObserved> {
        if !link.is_valid() {
            return None;
        }
        let key = format!("{source} {}", link.id());
        if self.0.len() >= COUNTED_MAX && !self.0.contains_key(&key) {
            return None;
        }
        let counted = self.0.entry(key).or_insert(CountedLink { count: 0, confidence: 0 });
        counted.count += 1;
        let confidence = levels(&source).iter().rev().find(|(least, _)| counted.count >= *least)?.1;
        if confidence <= counted.confidence {
            return None;
        }
        counted.confidence = confidence;
        let sighting = LinkSighting { source, count: counted.count, confidence, sample: sample.to_owned() };
        Some(LinkObserved { link, sighting })
    }
}
