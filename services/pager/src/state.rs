//! What the pager decides on: notices, what people were told of each incident, how much each receiver had
//! lately; and, as seen of the incident lanes and of delivery, their books and what was given up.

mod loud;

use hindcast_domain::events;
use hindcast_domain::words::HoldReason;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::book::Book;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Timer;
use hindcast_domain::notice::{Held, Notice, Notices, Reason, Requested};
use hindcast_domain::{IncidentId, NoticeId, Partition, Severity, Span, Time};
use serde::{Deserialize, Serialize};

use self::loud::LoudAlerts;
use crate::rules::{PagingRules, SECTION};

/// Pages of one receiver that are remembered for its budget.
const PAGED_MAX: usize = 10_000;
/// The longest window of a budget.
pub const WINDOW_MAX: Span = Span::hours(24);
/// How long a request is remembered, so that its expiry is understood.
const KEPT: Span = Span::hours(24 * 30);
/// Requests that are remembered.
const KEPT_MAX: usize = 100_000;

/// The state of the notices lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoticesState {
    /// Requests of the last month, and what is held now.
    pub notices: Notices,
    /// What people were told of each incident.
    pub told: BTreeMap<IncidentId, IncidentNotified>,
    /// When each receiver was paged lately, oldest first.
    pub paged: BTreeMap<String, VecDeque<Time>>,
    /// Receivers in a storm: until when.
    pub storms: BTreeMap<String, Time>,
    /// Pages by their notice, for as long as their expiry is understood.
    pages: BTreeMap<NoticeId, OpenPage>,
    /// Requests, oldest first.
    requests: VecDeque<(Time, NoticeId)>,
    /// Holds by when they end.
    holds: BTreeSet<(Time, NoticeId)>,
    /// What was seen of other lanes and of delivery.
    pub seen: ObservedState,
}

/// What was seen of other lanes and of delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedState {
    /// Books of the incident lanes.
    pub books: BTreeMap<String, Book>,
    /// How bad the alerts of each incident are.
    pub(crate) loud: LoudAlerts,
    /// The rules in force.
    pub rules: PagingRules,
    /// What whoever acknowledged an incident saw of it then.
    acknowledged: BTreeMap<IncidentId, Cover>,
    /// Requests that were given up, and when: nobody was told by them.
    expired: BTreeMap<NoticeId, Time>,
}

/// What people were told of an incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentNotified {
    /// Pages and holds, by their notice. A hold that ended without being told is no part of it.
    by: BTreeMap<NoticeId, Cover>,
    /// Whether anything at all was told, loud or quiet.
    pub notified: bool,
    /// Whether the last word was that it is over.
    pub over: bool,
    /// When it was paged last.
    pub paged_at: Option<Time>,
}

/// What a page or a hold says of an incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cover {
    /// The worst severity; `None` where nothing paged or is held.
    pub severity: Option<Severity>,
    /// What is hit.
    pub services: BTreeSet<String>,
    /// Who is concerned.
    pub teams: BTreeSet<String>,
}

impl Cover {
    fn of(severity: Severity, services: &[String], teams: &[String]) -> Self {
        Self {
            severity: Some(severity),
            services: services.iter().cloned().collect(),
            teams: teams.iter().cloned().collect(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.severity = self.severity.max(other.severity);
        self.services.extend(other.services.iter().cloned());
        self.teams.extend(other.teams.iter().cloned());
    }
}

/// What is kept of a page until its expiry is of no interest any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPage {
    /// When it was asked for first, through all that were given up.
    pub since: Time,
    /// Its words, where they do not follow from an incident.
    pub lines: Vec<String>,
}

impl NoticesState {
    /// An incident of a partition.
    #[must_use]
    pub fn incident(&self, partition: &Partition, id: &IncidentId) -> Option<&Incident> {
        self.book(partition)?.incidents.get(id)
    }

    /// The book of a partition.
    #[must_use]
    pub fn book(&self, partition: &Partition) -> Option<&Book> {
        self.seen.books.get(&partition.to_string())
    }

    /// An incident of any partition.
    #[must_use]
    pub fn any_incident(&self, id: &IncidentId) -> Option<&Incident> {
        self.seen.books.values().find_map(|book| book.incidents.get(id))
    }

    /// What people were told of an incident, or will be when a hold ends. What was given up told nobody.
    #[must_use]
    pub fn covered(&self, incident: &IncidentId) -> Cover {
        let mut cover = Cover::default();
        let told = self.told.get(incident).into_iter().flat_map(|told| &told.by);
        told.filter(|(notice, _)| !self.seen.expired.contains_key(*notice)).for_each(|(_, part)| cover.add(part));
        cover
    }

    /// What whoever takes care of an incident knows of it: what people were told, and what they saw.
    #[must_use]
    pub fn known(&self, incident: &IncidentId) -> Cover {
        let mut known = self.covered(incident);
        if let Some(saw) = self.seen.acknowledged.get(incident) {
            known.add(saw);
        }
        known
    }

    /// What is kept of a page.
    #[must_use]
    pub fn page(&self, notice: &NoticeId) -> Option<&OpenPage> {
        self.pages.get(notice)
    }

    /// What is held now, by when it ends.
    pub fn held(&self) -> impl Iterator<Item = &Notice> {
        self.holds.iter().filter_map(|(_, id)| self.notices.0.get(id))
    }

    /// Holds that concern an incident.
    pub fn holds_of<'a>(&'a self, incident: &'a IncidentId) -> impl Iterator<Item = &'a Notice> {
        self.held().filter(move |notice| notice.incident.as_ref() == Some(incident))
    }

    /// What is due next: the first hold that ends.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timer> {
        self.holds.first().map(|(due, id)| Timer { due: *due, id: format!("hold/{id}") })
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        if !self.notices.evolve(decision) {
            return;
        }
        let Ok(id) = decision.subject.parse::<NoticeId>() else { return };
        self.holds.retain(|(_, held)| *held != id);
        match &decision.event {
            Event::NoticeRequested(asked) => self.requested(id, asked, decision.time),
            Event::NoticeHeld(held) => self.hold(id, held),
            Event::NoticeReleased(released) => self.released(&id, &released.why, decision.time),
            Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | Event::NoticeExpired(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } =>
                {}
        }
        self.forget(decision.time);
    }

    fn requested(&mut self, id: NoticeId, asked: &Requested, now: Time) {
        self.requests.push_back((now, id.clone()));
        if asked.page {
            self.paged.entry(asked.receiver.clone()).or_default().push_back(now);
            let since = asked.delayed_by.map_or(now, |delay| now - delay);
            let lines = if asked.incident.is_none() { asked.lines.clone() } else { Vec::new() };
            self.pages.insert(id.clone(), OpenPage { since, lines });
        }
        if let Some(until) = asked.holds_until {
            self.storms.insert(asked.receiver.clone(), until);
        }
        if asked.reason == Reason::Digest {
            self.storms.remove(&asked.receiver);
        }
        let Some(incident) = &asked.incident else { return };
        let told = self.told.entry(incident.clone()).or_default();
        told.notified = true;
        told.over = asked.reason == Reason::Resolved;
        if asked.page {
            told.paged_at = told.paged_at.max(Some(now));
            told.by.insert(id, Cover::of(asked.severity, &asked.services, &asked.teams));
        }
    }

    fn hold(&mut self, id: NoticeId, held: &Held) {
        self.holds.insert((held.until, id.clone()));
        if let Some(incident) = &held.incident {
            let cover = Cover::of(held.severity, &held.services, &held.teams);
            self.told.entry(incident.clone()).or_default().by.insert(id, cover);
        }
    }

    fn released(&mut self, id: &NoticeId, why: &HoldReason, now: Time) {
        let notice = self.notices.0.remove(id);
        let incident = notice.and_then(|notice| notice.incident);
        let Some(told) = incident.and_then(|incident| self.told.get_mut(&incident)) else { return };
        if *why == HoldReason::Told {
            told.notified = true;
            told.over = false;
            told.paged_at = told.paged_at.max(Some(now));
        } else {
            told.by.remove(id);
        }
    }

    /// Drops what is too old to be asked about.
    fn forget(&mut self, now: Time) {
        let old = |at: Time| now.since(at) > KEPT;
        while self.requests.len() > KEPT_MAX || self.requests.front().is_some_and(|(at, _)| old(*at)) {
            let Some((_, id)) = self.requests.pop_front() else { break };
            self.notices.0.remove(&id);
            self.pages.remove(&id);
        }
        for times in self.paged.values_mut() {
            while times.len() > PAGED_MAX || times.front().is_some_and(|at| now.since(*at) > WINDOW_MAX) {
                times.pop_front();
            }
        }
    }
}

/// Lets go of what no notice is decided on, which is most of an alert: the incident lane and the views hold it.
fn lighten(alert: &mut Alert) {
    alert.labels = Labels::new();
    alert.annotations = Labels::new();
    (alert.about, alert.url, alert.source_fingerprint) = (None, None, None);
}

impl ObservedState {
    /// Folds an input.
    pub fn see(&mut self, input: &Recorded) {
        match &input.event {
            Event::Configured(configured) if configured.section == SECTION => {
                // Rules that cannot be read were refused where they were decided; here they change nothing.
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.rules = rules;
                }
            }
            Event::NoticeExpired(_) => {
                self.expired.retain(|_, at| input.time.since(*at) <= KEPT);
                if let Ok(notice) = input.subject.parse() {
                    self.expired.insert(notice, input.time);
                }
            }
            Event::NoticeDelivered(_) | Event::NoticeFailed(_) => {}
            Event::Configured(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeReleased(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence } => {
                let book = self.books.entry(input.partition.to_string()).or_default();
                let touched = book.evolve(input);
                for fingerprint in &touched.alerts {
                    let Some(alert) = book.alerts.get_mut(fingerprint) else { continue };
                    self.loud.note(alert);
                    lighten(alert);
                }
                self.remember_who_cares(input);
            }
        }
    }

    fn remember_who_cares(&mut self, input: &Recorded) {
        let Ok(id) = input.subject.parse::<IncidentId>() else { return };
        let incident = self.books.get(&input.partition.to_string()).and_then(|book| book.incidents.get(&id));
        if let (Event::IncidentAcknowledged(_), Some(incident)) = (&input.event, incident) {
            let (services, teams) = (incident.services.clone(), incident.teams.clone());
            self.acknowledged.insert(id, Cover { severity: None, services, teams });
        } else if matches!(
            &input.event,
            Event::IncidentUnacknowledged(_) | Event::IncidentResolved(_) | Event::IncidentReopened(_)
        ) {
            self.acknowledged.remove(&id);
        }
    }
}
