//! What the pager decides on: notices, what each incident was told for, how much each receiver had lately;
//! and, as seen of the incident lanes, their books.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::book::Book;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Timer;
use hindcast_domain::notice::{Notices, Reason, Status};
use hindcast_domain::{IncidentId, NoticeId, Partition, Severity, Span, Time};
use serde::{Deserialize, Serialize};

use crate::rules::{Rules, SECTION};

/// Pages of one receiver that are remembered for its budget.
const PAGED_MAX: usize = 10_000;
/// The longest window of a budget.
pub const WINDOW_MAX: Span = Span::hours(24);

/// The state of the notices lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Notices that are on their way or held; others are dropped once their incident is over.
    pub notices: Notices,
    /// What each incident was told for.
    pub told: BTreeMap<IncidentId, Told>,
    /// When each receiver was paged lately, oldest first.
    pub paged: BTreeMap<String, VecDeque<Time>>,
    /// Receivers in a storm: until when.
    pub storms: BTreeMap<String, Time>,
    /// Books of the incident lanes, as seen.
    pub books: BTreeMap<String, Book>,
    /// The rules in force.
    pub rules: Rules,
    /// Holds by when they end.
    holds: BTreeSet<(Time, NoticeId)>,
}

/// What people were told of an incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The worst severity that was paged (or held).
    pub severity: Option<Severity>,
    /// The services that were hit at the last page.
    pub services: BTreeSet<String>,
    /// The teams that were concerned at the last page.
    pub teams: BTreeSet<String>,
    /// Whether anything at all was told.
    pub notified: bool,
}

impl State {
    /// An incident of a partition.
    #[must_use]
    pub fn incident(&self, partition: &Partition, id: &IncidentId) -> Option<&Incident> {
        self.books.get(&partition.to_string())?.incidents.get(id)
    }

    /// An incident of any partition.
    #[must_use]
    pub fn any_incident(&self, id: &IncidentId) -> Option<&Incident> {
        self.books.values().find_map(|book| book.incidents.get(id))
    }

    /// Folds an input.
    pub fn see(&mut self, input: &Recorded) {
        match &input.event {
            Event::Configured(configured) if configured.section == SECTION => {
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.rules = rules;
                }
            }
            // Deliveries are facts: they arrive as input.
            Event::NoticeDelivered(_) | Event::NoticeFailed(_) | Event::NoticeExpired(_) => {}
            _ => {
                let book = self.books.entry(input.partition.to_string()).or_default();
                book.evolve(input);
            }
        }
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        let now = decision.time;
        if !self.notices.evolve(decision) {
            return;
        }
        let Ok(id) = decision.subject.parse::<NoticeId>() else {
            return;
        };
        self.holds.retain(|(_, held)| *held != id);
        match &decision.event {
            Event::NoticeRequested(asked) => {
                if asked.page {
                    self.paged.entry(asked.receiver.clone()).or_default().push_back(now);
                }
                if let Some(until) = asked.holds_until {
                    self.storms.insert(asked.receiver.clone(), until);
                }
                if asked.reason == Reason::Digest {
                    self.storms.remove(&asked.receiver);
                }
                let severity = asked.page.then_some(asked.severity);
                self.tell(asked.incident.as_ref(), severity, &asked.services, &asked.teams);
            }
            Event::NoticeHeld(held) => {
                self.holds.insert((held.until, id));
                let severity = held.severity.pages().then_some(held.severity);
                self.tell(held.incident.as_ref(), severity, &held.services, &held.teams);
            }
            Event::NoticeReleased(_) => {
                self.notices.0.remove(&id);
            }
            _ => {}
        }
        for times in self.paged.values_mut() {
            while times.len() > PAGED_MAX || times.front().is_some_and(|at| now.since(*at) > WINDOW_MAX) {
                times.pop_front();
            }
        }
    }

    fn tell(
        &mut self,
        incident: Option<&IncidentId>,
        severity: Option<Severity>,
        services: &[String],
        teams: &[String],
    ) {
        let Some(id) = incident else { return };
        let told = self.told.entry(id.clone()).or_default();
        told.notified = true;
        if severity.is_some() {
            told.severity = told.severity.max(severity);
            told.services.extend(services.iter().cloned());
            told.teams.extend(teams.iter().cloned());
        }
    }

    /// Holds that concern an incident.
    pub fn holds_of<'a>(
        &'a self,
        incident: &'a IncidentId,
    ) -> impl Iterator<Item = &'a hindcast_domain::notice::Notice> {
        self.notices
            .0
            .values()
            .filter(move |notice| notice.status == Status::Held && notice.incident.as_ref() == Some(incident))
    }

    /// What is due next: the first hold that ends.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timer> {
        self.holds.first().map(|(due, id)| Timer { due: *due, id: format!("hold/{id}") })
    }
}
