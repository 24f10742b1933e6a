//! Links between services and teams, as `GET /api/v1/topology` answers them.

use hindcast_domain::catalog::Catalog;
use hindcast_domain::links::{KnownLink, LinkKind, LinkSighting, LinkSource, LinkStatus, ServiceLink, ServiceLinks};
use hindcast_domain::{EventId, LinkId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A link that is known or proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TopologyLink {
    /// Its id, which `confirm` and `deny` take.
    pub id: LinkId,
    /// What it says.
    pub kind: LinkKind,
    /// The service that depends on another one, or that is owned.
    pub from: String,
    /// The service that is depended on, or the team.
    pub to: String,
    /// How sure it is.
    pub status: LinkStatus,
    /// The same as a probability: 1 where a person or the catalogue says so, 0 where a person denied it.
    pub confidence: f64,
    /// What says so.
    pub evidence: Vec<TopologyEvidence>,
    /// Who judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The last event about it; absent for what only the catalogue has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// Time of that event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Time>,
}

/// What one source says for a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TopologyEvidence {
    /// Where it was seen.
    pub source: LinkSource,
    /// How often.
    pub count: u64,
    /// How sure this alone makes.
    pub confidence: f64,
    /// One line, span, alert or merge that says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sample: String,
}

fn probability(thousandths: i32) -> f64 {
    f64::from(thousandths) / 1_000.0
}

fn evidence(sighting: &LinkSighting) -> TopologyEvidence {
    TopologyEvidence {
        source: sighting.source.clone(),
        count: sighting.count,
        confidence: probability(sighting.confidence),
        sample: sighting.sample.clone(),
    }
}

impl TopologyLink {
    /// A link as it is known.
    #[must_use]
    pub fn of(id: &LinkId, known: &KnownLink) -> Self {
        Self {
            id: id.clone(),
            kind: known.link.kind,
            from: known.link.from.clone(),
            to: known.link.to.clone(),
            status: known.status(),
            confidence: probability(known.strength()),
            evidence: known.sightings.iter().map(evidence).collect(),
            by: known.by.clone(),
            event: Some(known.event.clone()),
            updated_at: Some(known.updated_at),
        }
    }

    fn of_catalog(link: ServiceLink) -> Self {
        Self {
            id: link.id(),
            kind: link.kind,
            from: link.from,
            to: link.to,
            status: LinkStatus::Catalog,
            confidence: 1.0,
            evidence: Vec::new(),
            by: None,
            event: None,
            updated_at: None,
        }
    }

    /// All links: what waits for a word first, the surest first; then what people and the catalogue say. What the
    /// catalogue has is listed once.
    #[must_use]
    pub fn all(catalog: &Catalog, links: &ServiceLinks) -> Vec<Self> {
        let of = |kind, from: &str, to: &str| ServiceLink { kind, from: from.to_owned(), to: to.to_owned() };
        let written = catalog.services.iter().flat_map(|service| {
            let calls = service.depends_on.iter().map(|to| of(LinkKind::DependsOn, &service.name, to));
            calls.chain(service.owner.iter().map(|owner| of(LinkKind::OwnedBy, &service.name, owner)))
        });
        let mut all: Vec<Self> = written.map(Self::of_catalog).collect();
        let known = |id: &LinkId| all.iter().any(|link| link.id == *id);
        let others: Vec<Self> =
            links.iter().filter(|(id, _)| !known(id)).map(|(id, known)| Self::of(id, known)).collect();
        all.extend(others);
        let order = |status: LinkStatus| LinkStatus::ALL.iter().position(|known| *known == status);
        all.sort_by(|a, b| {
            let by = (order(a.status), &b.confidence, &a.from, &a.to);
            let other = (order(b.status), &a.confidence, &b.from, &b.to);
            by.partial_cmp(&other).unwrap_or(std::cmp::Ordering::Equal)
        });
        all
    }
}
