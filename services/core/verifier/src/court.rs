//! What a claim is judged by: the events, the position of the question, and who asks. Owns which event may be
//! called as a witness at all; refuses to know what is claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_api::{Causes, Citation, Event, Similar};
use hindcast_domain::Time;
use hindcast_domain::catalog::Topology;
use serde_json::Value;

use crate::ClaimFault;
use crate::concluded::CourtConclusions;
use crate::facts::{self, EventFacts};
use crate::known::KnownNames;
use crate::named;
use crate::words::fold;

/// Citations that one claim may have.
pub const CITATIONS_MAX: usize = 64;
/// The environment that stands for the tenant as a whole: seen from each of its environments.
const WHOLE_TENANT: &str = "_";

/// How the types of events begin that tell what was asked and answered.
const CONVERSATION: &str = "conversation.";

/// Which checks are made. All of them, always; each can be switched off to show that its test turns red.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // one switch a check
pub struct Checks {
    /// A cited event exists at the cited position.
    pub exists: bool,
    /// It was known at the position of the question.
    pub as_of: bool,
    /// It belongs to the asker's tenant and environments.
    pub visible: bool,
    /// It is no part of a conversation: what somebody asked or a model replied is evidence of nothing.
    pub talk: bool,
    /// Numbers, compared with those of the cited events.
    pub numbers: bool,
    /// Times, dates and durations.
    pub times: bool,
    /// Services, by any name.
    pub services: bool,
    /// People, by the names that events know.
    pub people: bool,
    /// Ids, versions and other names that are no plain words.
    pub ids: bool,
    /// Quoted text.
    pub quotes: bool,
    /// Severities, compared with those of the cited events.
    pub severities: bool,
    /// What is denied, and which way a level moved.
    pub denials: bool,
    /// Order in time and cause.
    pub order: bool,
    /// The steps of a path.
    pub path: bool,
    /// Each cited event has something to do with the claim.
    pub bears: bool,
    /// Every word of a free text is one that an assertion of it means.
    pub words: bool,
    /// A verb says what its subject and its object may do.
    pub frames: bool,
    /// A cause is only what was ranked, or what a person named.
    pub causes: bool,
    /// What a sender wrote is quoted as the sender's words, and is no order or promise.
    pub senders: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            exists: true,
            as_of: true,
            visible: true,
            talk: true,
            numbers: true,
            times: true,
            services: true,
            people: true,
            ids: true,
            quotes: true,
            severities: true,
            denials: true,
            order: true,
            path: true,
            bears: true,
            words: true,
            frames: true,
            causes: true,
            senders: true,
        }
    }
}

/// The court: everything that a claim is judged by.
///
/// `events` may hold what the asker may not see; a citation of it is told from a citation of nothing in no
/// reason, so that a refusal gives nothing away.
#[derive(Debug)]
pub struct Court {
    as_of: u64,
    now: Time,
    tenant: String,
    environments: Option<BTreeSet<String>>,
    events: BTreeMap<String, Event>,
    names: KnownNames,
    topology: Option<Topology>,
    concluded: CourtConclusions,
    whole: BTreeSet<String>,
    /// Which checks are made.
    pub checks: Checks,
    known: Mutex<BTreeMap<String, Arc<EventFacts>>>,
}

impl Court {
    /// A court as of a position, which was recorded at `now`, for an asker of `tenant`.
    #[must_use]
    pub fn new(as_of: u64, now: Time, tenant: &str) -> Self {
        Self {
            as_of,
            now,
            tenant: tenant.to_owned(),
            environments: None,
            events: BTreeMap::new(),
            names: KnownNames::default(),
            topology: None,
            concluded: CourtConclusions::default(),
            whole: BTreeSet::new(),
            checks: Checks::default(),
            known: Mutex::default(),
        }
    }

    /// Only these environments may be seen, besides what concerns the whole tenant; all of the tenant's where
    /// this is not called.
    #[must_use]
    pub fn environments(mut self, environments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.environments = Some(environments.into_iter().map(Into::into).collect());
        self
    }

    /// With the services, their aliases, and who depends on whom.
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        for (name, one) in topology.names() {
            self.names.services.insert(name.to_lowercase(), one.to_owned());
        }
        self.topology = Some(topology);
        self
    }

    /// With what was ranked and compared, which conclusions of ours are checked by.
    pub fn conclude(&mut self, causes: Option<&Causes>, similar: &[Similar]) {
        self.concluded = CourtConclusions::new(causes, similar);
    }

    /// With an incident of which every event is among those of the court, so that what is not there did not happen.
    #[must_use]
    pub fn whole(mut self, incident: &str) -> Self {
        self.whole.insert(incident.to_lowercase());
        self
    }

    /// With these events, whoever may see them.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        for event in events {
            self.add(event);
        }
        self
    }

    /// Adds an event.
    pub fn add(&mut self, event: Event) {
        if self.sees(&event) && event.position <= self.as_of {
            for service in named::services_named(&event) {
                self.names.services.entry(service.to_lowercase()).or_insert(service);
            }
            self.names.people.extend(named::people_named(&event));
            if let Some((fingerprint, names)) = named::alert_of(&event) {
                self.names.alerts.entry(fingerprint).or_default().extend(names);
            }
            let field = |name: &str| event.data.get(name).and_then(Value::as_str);
            self.names.metrics.extend(field("metric").map(fold));
            if let Some(receiver) = field("receiver").filter(|_| event.event_type == "notice.requested") {
                let page = event.data.get("page").and_then(Value::as_bool).unwrap_or(false);
                self.names.notices.insert(event.subject.clone(), (receiver.to_owned(), page));
            }
        }
        // what an event says may rest on what others are called
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.events.insert(event.id.clone(), event);
    }

    /// The event of an id, whoever may see it.
    #[must_use]
    pub fn event(&self, id: &str) -> Option<&Event> {
        self.events.get(id)
    }

    pub(crate) const fn now(&self) -> Time {
        self.now
    }

    pub(crate) const fn known_topology(&self) -> Option<&Topology> {
        self.topology.as_ref()
    }

    /// What services, people and alerts are called, as far as may be seen.
    pub(crate) const fn names(&self) -> &KnownNames {
        &self.names
    }

    pub(crate) const fn concluded(&self) -> &CourtConclusions {
        &self.concluded
    }

    pub(crate) fn is_whole(&self, incident: &str) -> bool {
        self.whole.contains(&incident.to_lowercase())
    }

    /// What happened by every event that may be seen by then.
    pub(crate) fn all(&self) -> impl Iterator<Item = Arc<EventFacts>> {
        let known = |event: &&Event| {
            self.sees(event) && event.position <= self.as_of && !event.event_type.starts_with(CONVERSATION)
        };
        self.events.values().filter(known).map(|event| self.facts(event))
    }

    fn sees(&self, event: &Event) -> bool {
        let environment = || {
            let known = self.environments.as_ref();
            event.environment == WHOLE_TENANT || known.is_none_or(|known| known.contains(&event.environment))
        };
        event.tenant == self.tenant && environment()
    }

    /// The cited events, each once, in the order in which they are cited.
    pub(crate) fn summon(&self, citations: &[Citation]) -> Result<Vec<Arc<EventFacts>>, ClaimFault> {
        if citations.is_empty() {
            return Err(ClaimFault::Unverifiable("it cites no event".to_owned()));
        }
        if citations.len() > CITATIONS_MAX {
            return Err(ClaimFault::Unsupported(format!(
                "expected at most {CITATIONS_MAX} citations, got {}",
                citations.len()
            )));
        }
        let mut cited: Vec<Arc<EventFacts>> = Vec::new();
        for citation in citations {
            let Some(event) = self.witness(citation)? else {
                continue;
            };
            if !cited.iter().any(|known| known.id == event.id) {
                cited.push(self.facts(event));
            }
        }
        Ok(cited)
    }

    fn witness(&self, citation: &Citation) -> Result<Option<&Event>, ClaimFault> {
        let nothing = || ClaimFault::Unsupported(format!("{} is no event that can be seen here", citation.event));
        let Some(event) = self.events.get(&citation.event) else {
            return if self.checks.exists { Err(nothing()) } else { Ok(None) };
        };
        if self.checks.visible && !self.sees(event) {
            return Err(nothing());
        }
        if self.checks.as_of && (event.position > self.as_of || citation.position > self.as_of) {
            return Err(ClaimFault::Unsupported(format!("{} was not known by then", citation.event)));
        }
        if self.checks.talk && event.event_type.starts_with(CONVERSATION) {
            let said = format!("{} is what was said in a conversation, which is evidence of nothing", citation.event);
            return Err(ClaimFault::Unsupported(said));
        }
        if self.checks.exists && event.position != citation.position {
            return Err(ClaimFault::Unsupported(format!(
                "{} stands at position {}, not at {}",
                citation.event, event.position, citation.position
            )));
        }
        Ok(Some(event))
    }

    fn facts(&self, event: &Event) -> Arc<EventFacts> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(event.id.clone()).or_insert_with(|| Arc::new(facts::facts(event, &self.names))).clone()
    }
}
