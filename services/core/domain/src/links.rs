//! What is known between services besides the catalogue: which depends on which, and which team answers for one. Each
//! link is proposed with evidence and confidence; a person confirms or denies it. Owns the fold and how evidence adds up;
//! refuses to look for evidence.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::events;
use crate::id::{EventId, LinkId};
use crate::time::Time;
use crate::vocabulary;

/// Links that are known at once; a further one is not taken.
pub const LINKS_MAX: usize = 5_000;
/// Links that one command proposes.
pub const LINKS_PER_COMMAND_MAX: usize = 2_000;
/// Bytes of a name in a link.
const NAME_BYTES_MAX: usize = 256;
/// Longest sample, in bytes; a longer one is cut.
pub const SAMPLE_BYTES_MAX: usize = 256;
/// What evidence gives together at the most, in thousandths: more is a person's word.
const CONFIDENCE_MAX: i32 = 980;
/// A rise of confidence, in thousandths, below which nothing is recorded.
const CONFIDENCE_STEP: i32 = 10;

vocabulary! {
    /// What a link says.
    pub enum LinkKind: closed {
        /// The first calls the second.
        DependsOn = "depends_on",
        /// The team answers for the service.
        OwnedBy = "owned_by",
    }
}

vocabulary! {
    /// What a link rests on.
    pub enum LinkSource: open {
        /// A span of one service within a span of another.
        Spans = "spans",
        /// Addresses of one service in log lines of another.
        Addresses = "addresses",
        /// The name of one service in log lines of another.
        Names = "names",
        /// Labels of alerts that name a team.
        OwnerLabels = "owner_labels",
        /// A `catalog-info.yaml` of Backstage.
        Backstage = "backstage",
        /// Alerts of one service that follow those of another, again and again.
        LaggedAlerts = "lagged_alerts",
        /// People merged incidents of both.
        Merges = "merges",
    }
}

vocabulary! {
    /// What a person says of a link.
    pub enum LinkVerdict: closed {
        /// The link is right.
        Confirmed = "confirmed",
        /// The link is wrong.
        Denied = "denied",
    }
}

vocabulary! {
    /// How sure a link is.
    pub enum LinkStatus: closed {
        /// Evidence says so.
        Proposed = "proposed",
        /// A person said so.
        Confirmed = "confirmed",
        /// A person said that it is not so.
        Denied = "denied",
        /// The catalogue says so.
        Catalog = "catalog",
    }
}

/// A link between two names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ServiceLink {
    /// What it says.
    pub kind: LinkKind,
    /// The service that depends on another one, or that is owned.
    pub from: String,
    /// The service that is depended on, or the team.
    pub to: String,
}

impl ServiceLink {
    /// Its id, which follows from what it says.
    #[must_use]
    pub fn id(&self) -> LinkId {
        LinkId::derive(&[self.kind.as_str().as_bytes(), self.from.as_bytes(), self.to.as_bytes()])
    }

    /// Whether both names can be kept, and differ.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let is_name = |name: &str| !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX;
        is_name(&self.from) && is_name(&self.to) && self.from != self.to
    }
}

/// What one source says for a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkSighting {
    /// Where it was seen.
    pub source: LinkSource,
    /// How often.
    pub count: u64,
    /// How sure this alone makes, in thousandths.
    pub confidence: i32,
    /// One line, span, alert or merge that says so, redacted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sample: String,
}

/// Evidence for a link was seen. Subject: the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkObserved {
    /// What it would say.
    pub link: ServiceLink,
    /// The evidence.
    pub sighting: LinkSighting,
}

/// A link is proposed, or surer than before. Subject: the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkProposed {
    /// What it says.
    pub link: ServiceLink,
    /// All evidence so far, one of each source.
    pub sightings: Vec<LinkSighting>,
    /// How sure they make together, in thousandths.
    pub confidence: i32,
}

/// A person confirmed or denied a link. Subject: the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkJudged {
    /// What it says.
    pub link: ServiceLink,
    /// What the person says of it.
    pub verdict: LinkVerdict,
}

/// A link with its evidence and what people said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownLink {
    /// What it says.
    pub link: ServiceLink,
    /// The evidence, one of each source.
    pub sightings: Vec<LinkSighting>,
    /// How sure the evidence makes, in thousandths.
    pub confidence: i32,
    /// What a person said of it.
    pub verdict: Option<LinkVerdict>,
    /// That person.
    pub by: Option<String>,
    /// The last event about it.
    pub event: EventId,
    /// Time of that event.
    pub updated_at: Time,
    /// Decisions about it.
    pub revision: u64,
}

impl KnownLink {
    /// How far it counts, in thousandths: all where a person said so, none where a person denied it.
    #[must_use]
    pub fn strength(&self) -> i32 {
        match self.verdict {
            Some(LinkVerdict::Confirmed) => 1_000,
            Some(LinkVerdict::Denied) => 0,
            None => self.confidence,
        }
    }

    /// How sure it is, in a word.
    #[must_use]
    pub const fn status(&self) -> LinkStatus {
        match self.verdict {
            Some(LinkVerdict::Confirmed) => LinkStatus::Confirmed,
            Some(LinkVerdict::Denied) => LinkStatus::Denied,
            None => LinkStatus::Proposed,
        }
    }
}

/// All links of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLinks(BTreeMap<LinkId, KnownLink>);

impl ServiceLinks {
    /// The link with this id.
    #[must_use]
    pub fn get(&self, id: &LinkId) -> Option<&KnownLink> {
        self.0.get(id)
    }

    /// All of them, by their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&LinkId, &KnownLink)> {
        self.0.iter()
    }

    /// Folds a decision; whether anything changed.
    pub fn evolve(&mut self, decision: &Recorded) -> bool {
        let known = |link: &ServiceLink| KnownLink {
            link: link.clone(),
            sightings: Vec::new(),
            confidence: 0,
            verdict: None,
            by: None,
            event: decision.id.clone(),
            updated_at: decision.time,
            revision: 0,
        };
        let link = match &decision.event {
            Event::LinkProposed(proposed) => &proposed.link,
            Event::LinkJudged(judged) => &judged.link,
            Event::Configured(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, notice } =>
            {
                return false;
            }
        };
        let entry = self.0.entry(link.id()).or_insert_with(|| known(link));
        (entry.event, entry.updated_at) = (decision.id.clone(), decision.time);
        entry.revision = decision.revision.unwrap_or(entry.revision);
        if let Event::LinkProposed(proposed) = &decision.event {
            entry.sightings.clone_from(&proposed.sightings);
            entry.confidence = proposed.confidence;
        }
        if let Event::LinkJudged(judged) = &decision.event {
            entry.verdict = Some(judged.verdict);
            entry.by = Some(decision.actor.clone());
        }
        true
    }

    /// What evidence means for a link: a proposal where it makes it surer. What a person judged is not asked again.
    #[must_use]
    pub fn propose(&self, seen: &LinkObserved) -> Option<LinkProposed> {
        let known = self.0.get(&seen.link.id());
        let is_judged = known.is_some_and(|known| known.verdict.is_some());
        if is_judged || !seen.link.is_valid() || known.is_none() && self.0.len() >= LINKS_MAX {
            return None;
        }
        let mut sightings = known.map(|known| known.sightings.clone()).unwrap_or_default();
        match sightings.iter_mut().find(|sighting| sighting.source == seen.sighting.source) {
            Some(before) if before.confidence >= seen.sighting.confidence => return None,
            Some(before) => before.clone_from(&seen.sighting),
            None => sightings.push(seen.sighting.clone()),
        }
        let confidence = together(&sightings);
        let before = known.map_or(0, |known| known.confidence);
        (confidence >= before + CONFIDENCE_STEP).then(|| LinkProposed {
            link: seen.link.clone(),
            sightings,
            confidence,
        })
    }

    /// What people confirmed.
    pub fn confirmed(&self) -> impl Iterator<Item = &ServiceLink> {
        self.0.values().filter(|known| known.verdict == Some(LinkVerdict::Confirmed)).map(|known| &known.link)
    }
}

/// What independent evidence gives together: the chance that not all of it is wrong.
fn together(sightings: &[LinkSighting]) -> i32 {
    let wrong = sightings.iter().fold(1_000_000_i64, |wrong, sighting| {
        wrong * (1_000 - i64::from(sighting.confidence.clamp(0, CONFIDENCE_MAX))) / 1_000
    });
    i32::try_from(1_000 - wrong / 1_000).unwrap_or(0).min(CONFIDENCE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(source: LinkSource, confidence: i32) -> LinkObserved {
        let link = ServiceLink { kind: LinkKind::DependsOn, from: "shop".into(), to: "pg".into() };
        LinkObserved { link, sighting: LinkSighting { source, count: 3, confidence, sample: String::new() } }
    }

    fn recorded(event: Event) -> Recorded {
        Recorded {
            id: EventId::derive(&[b"one"]),
            position: 1,
            partition: crate::Partition::whole("default"),
            subject: seen(LinkSource::Names, 1).link.id().to_string(),
            revision: Some(1),
            time: Time::ZERO,
            actor: "ada".to_owned(),
            cause: None,
            event,
        }
    }

    #[test]
    fn evidence_adds_up_and_the_same_again_says_nothing() {
        let mut links = ServiceLinks::default();
        for (source, confidence, expect) in [
            (LinkSource::Names, 300, Some(300)),
            (LinkSource::Names, 300, None),
            (LinkSource::Addresses, 600, Some(720)),
            (LinkSource::Names, 500, Some(800)),
            (LinkSource::Spans, 950, Some(980)),
            (LinkSource::Spans, 960, None),
        ] {
            let proposed = links.propose(&seen(source.clone(), confidence));
            assert_eq!(proposed.as_ref().map(|proposed| proposed.confidence), expect, "{source}");
            proposed.map(|proposed| links.evolve(&recorded(Event::LinkProposed(proposed))));
        }
    }

    #[test]
    fn a_persons_word_stands_over_evidence() {
        let mut links = ServiceLinks::default();
        let proposed = links.propose(&seen(LinkSource::Names, 300)).unwrap();
        let link = proposed.link.clone();
        links.evolve(&recorded(Event::LinkProposed(proposed)));
        for (verdict, strength, calls) in [(LinkVerdict::Denied, 0, 0), (LinkVerdict::Confirmed, 1_000, 1)] {
            links.evolve(&recorded(Event::LinkJudged(LinkJudged { link: link.clone(), verdict })));
            assert_eq!(links.get(&link.id()).unwrap().strength(), strength);
            assert!(links.propose(&seen(LinkSource::Spans, 950)).is_none());
            assert_eq!(links.confirmed().count(), calls);
            let catalog = crate::catalog::Catalog::default().with_confirmed(&links);
            assert_eq!(catalog.services.iter().map(|service| service.depends_on.len()).sum::<usize>(), calls);
            catalog.check().unwrap();
        }
    }

    #[test]
    fn a_link_of_a_name_with_itself_or_with_nothing_is_none() {
        let named = |from: &str, to: &str| ServiceLink { kind: LinkKind::DependsOn, from: from.into(), to: to.into() };
        assert!(named("a", "b").is_valid());
        assert!(!named("a", "a").is_valid() && !named("a", " ").is_valid() && !named("", "b").is_valid());
    }
}
