//! What the correlator decides on: the partition's book, what it has seen of other lanes, and two indexes
//! (who is due when, which incidents an alert may join) that follow from both.

pub(crate) mod agenda;
mod recent;

use hindcast_domain::events;
use hindcast_domain::words::ResolvedBy;
use std::collections::{BTreeMap, VecDeque};

use hindcast_correlation::grouped::GroupedAlerts;
use hindcast_correlation::groups::IncidentGroup;
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::alert::clock::SenderClocks;
use hindcast_domain::alert::{Alert, Status};
use hindcast_domain::book::{Book, Touched};
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Timer;
use hindcast_domain::links::ServiceLinks;
use hindcast_domain::repeats::{LastRepeat, LastRepeats};
use hindcast_domain::rhythm::{RhythmKey, Rhythms};
use hindcast_domain::silence::Silences;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Span, Time};
use serde::{Deserialize, Serialize};

use agenda::Agenda;
use recent::Recent;

use crate::roster::Roster;
use crate::rules::{CorrelationRules, SECTION};
use hindcast_domain::model::PAIR_SCORER;

/// Idempotency keys that are remembered; an older one was answered long ago.
const KEYS_MAX: usize = 10_000;

/// How long an incident that ended is looked at when an alert looks for its place, at the most.
const RECENT_KEPT: Span = Span::hours(24);

/// The state of one incident lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorrelatorState {
    /// Alerts and incidents: made by this lane's own decisions.
    pub book: Book,
    /// What was seen of other lanes and of the door.
    pub seen: ObservedLanes,
    /// Timers, in the order in which they are due. Follows from the above.
    agenda: Agenda,
    /// Incidents that live, or ended so lately that they may come back. Follows from the above.
    recent: Recent,
    /// Who of each incident's alerts still counts. Follows from the above.
    pub(crate) roster: Roster,
    /// What the decisions of this lane taught about grouping. A snapshot without it is of another engine: it is not read,
    /// and the lane is folded from its beginning.
    pub grouped: GroupedAlerts,
    /// Senders and watchdogs that are known to be silent, with the alerts that say so. Follows from the above.
    #[serde(with = "hindcast_domain::rhythm::as_pairs")]
    silent: BTreeMap<RhythmKey, Fingerprint>,
    /// How far the clocks of senders are wrong, by the times in decisions of this lane.
    pub(crate) clocks: SenderClocks,
}

/// What was seen of other lanes and of the door.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedLanes {
    /// All silences of the tenant.
    pub silences: Silences,
    /// The catalogue in force.
    catalog: Catalog,
    /// What is known between services besides it.
    #[serde(default)]
    links: ServiceLinks,
    #[serde(skip)]
    topology: std::sync::OnceLock<Topology>,
    /// The rules in force.
    pub rules: CorrelationRules,
    /// The weights of the version in force, where one was learnt; those of the rules are set by hand.
    scorer: Option<GroupingWeights>,
    /// When each alert was last sent again without a change.
    #[serde(default)]
    pub(crate) repeats: LastRepeats,
    /// How regularly each sender repeats what fires. A snapshot without it is not read.
    pub(crate) rhythms: Rhythms,
    /// When the door last opened.
    pub door_opened_at: Time,
    /// The newest idempotency keys with the commands that brought them.
    keys: BTreeMap<String, EventId>,
    keys_in_order: VecDeque<String>,
}

impl ObservedLanes {
    /// The catalogue made ready.
    pub fn topology(&self) -> &Topology {
        self.topology.get_or_init(|| Topology::with_links(&self.catalog, &self.links))
    }

    /// The weights that group: those that were learnt and promoted, or those set by hand.
    #[must_use]
    pub fn weights(&self) -> &GroupingWeights {
        self.scorer.as_ref().unwrap_or(&self.rules.weights)
    }

    /// The command that brought an idempotency key first.
    #[must_use]
    pub fn command_of(&self, key: &str) -> Option<&EventId> {
        self.keys.get(key)
    }

    fn remember(&mut self, key: &str, command: &EventId) {
        if self.keys.contains_key(key) {
            return;
        }
        if self.keys_in_order.len() == KEYS_MAX
            && let Some(oldest) = self.keys_in_order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        self.keys.insert(key.to_owned(), command.clone());
        self.keys_in_order.push_back(key.to_owned());
    }
}

impl CorrelatorState {
    /// Folds an input that was consumed.
    pub fn see(&mut self, input: &Recorded) {
        self.seen.silences.evolve(input);
        let moved = self.seen.rhythms.see(input, &self.seen.rules.heartbeats.watchdogs);
        moved.iter().for_each(|key| self.index_rhythm(key));
        match &input.event {
            Event::Command(received) => self.seen.remember(&received.key, &input.id),
            Event::Repeats(batch) => {
                self.seen.repeats.note(batch, input.time);
                batch.alerts.iter().for_each(|alert| self.index_alert(&alert.fingerprint));
            }
            Event::DoorOpened(_) => {
                self.seen.door_opened_at = self.seen.door_opened_at.max(input.time);
                self.rebuild_timers();
            }
            Event::Configured(configured) if configured.section == "catalog" => {
                // A catalogue that cannot be read was refused where it was decided; here it changes nothing.
                if let Ok(catalog) = serde_json::from_value(configured.content.clone()) {
                    self.seen.catalog = catalog;
                    self.seen.topology = std::sync::OnceLock::new();
                }
            }
            Event::LinkProposed(_) | Event::LinkJudged(_) => {
                if self.seen.links.evolve(input) {
                    self.seen.topology = std::sync::OnceLock::new();
                }
            }
            Event::Configured(configured) if configured.section == SECTION => {
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.seen.rules = rules;
                    self.rebuild_timers();
                }
            }
            // No content: what was learnt is out of force, and what is set by hand counts again.
            Event::Configured(configured) if configured.section == PAIR_SCORER => {
                self.seen.scorer = serde_json::from_value(configured.content.clone()).unwrap_or_default();
            }
            Event::Delivery(_)
            | Event::Observed(_)
            | Event::Change(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::Configured(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, notice } => {}
        }
    }

    /// Folds a decision of this lane.
    pub fn evolve(&mut self, decision: &Recorded) {
        let touched = self.book.evolve(decision);
        self.grouped.evolve(&self.book, decision);
        self.clocks.evolve(&self.book.alerts, decision);
        self.index(&touched);
    }

    fn index(&mut self, touched: &Touched) {
        for fingerprint in &touched.alerts {
            self.index_alert(fingerprint);
        }
        let mut ended = false;
        for id in &touched.incidents {
            let Some(incident) = self.book.incidents.get(id) else {
                continue;
            };
            ended |= !incident.is_live();
            self.recent.note(incident);
            self.index_incident(id);
        }
        if ended {
            // A fixed bound, and not the rules': this fold must not read what was seen.
            self.recent.forget(self.book.now, RECENT_KEPT);
        }
    }

    fn index_alert(&mut self, fingerprint: &Fingerprint) {
        let Some(alert) = self.book.alerts.get(fingerprint) else {
            return;
        };
        self.roster.update(alert);
        let silent = RhythmKey::of(&alert.source, &alert.name, &alert.labels);
        let stale = alert.stale_at.filter(|_| alert.status == Status::Firing);
        let several = alert.last_lease(None, &self.seen.repeats);
        let stale = stale.map(|at| match self.seen.repeated_since(alert) {
            Some(last) => self.seen.deferred(several.unwrap_or(last.stale_at), last.at),
            None => self.seen.deferred(several.unwrap_or(at), alert.last_seen_at),
        });
        let flapping = alert.flapping_until;
        let suppressed = alert.suppressed.as_ref().map(|suppression| suppression.until);
        self.agenda.stale(fingerprint, stale);
        self.agenda.settle(fingerprint, flapping);
        self.agenda.unsuppress(fingerprint, suppressed);
        if let Some(key) = silent {
            if alert.is_firing() {
                self.silent.insert(key.clone(), fingerprint.clone());
            } else {
                self.silent.remove(&key);
            }
            self.index_rhythm(&key);
        }
    }

    /// A silence that is known needs no timer.
    fn index_rhythm(&mut self, key: &RhythmKey) {
        let watches = self.seen.rules.heartbeats.enabled && !self.silent.contains_key(key);
        let due = self.seen.rhythms.deadline(key).filter(|_| watches);
        self.agenda.silent(key, due);
    }

    pub(crate) fn is_nobody_silent(&self) -> bool {
        self.silent.is_empty()
    }

    /// The alert that says that a sender or watchdog is silent, while it fires.
    pub(crate) fn silent_alert(&self, key: &RhythmKey) -> Option<&Alert> {
        self.book.alerts.get(self.silent.get(key)?)
    }

    fn index_incident(&mut self, id: &IncidentId) {
        let Some(incident) = self.book.incidents.get(id) else {
            return;
        };
        let snoozed = incident.snoozed_until.filter(|_| incident.is_live());
        let hold = Span::seconds(self.seen.rules.stale_hold_s);
        let closed = |fingerprint| self.book.alerts.get(fingerprint).and_then(|alert| alert.occurrence().closed_at);
        let silent = self.roster.silent(id).filter(|_| incident.is_live());
        let quiet = silent.and_then(|silent| silent.filter_map(closed).max()).map(|at| at + hold);
        self.agenda.awake(id, snoozed);
        self.agenda.quiet(id, quiet);
        let review = self.grouped.groups.get(id).and_then(|group| group.review);
        self.agenda.review(id, review.filter(|_| incident.is_live()));
    }

    fn rebuild_timers(&mut self) {
        let alerts: Vec<_> = self.book.alerts.keys().cloned().collect();
        let incidents: Vec<_> = self.recent.all().cloned().collect();
        alerts.iter().for_each(|fingerprint| self.index_alert(fingerprint));
        incidents.iter().for_each(|id| self.index_incident(id));
        let senders: Vec<_> = self.seen.rhythms.iter().map(|(key, _)| key.clone()).collect();
        senders.iter().for_each(|key| self.index_rhythm(key));
    }

    /// What is due next.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timer> {
        self.agenda.next()
    }

    /// Whether an alert may join an incident at `now`: one that lives, one whose alerts fell quiet so lately that what
    /// fires now may be the same problem, and one that a nuisance goes back to. After a person resolved one, none may.
    #[must_use]
    pub fn is_joinable(&self, group: &IncidentGroup, comes_back: bool, now: Time) -> bool {
        let Some(incident) = self.book.incidents.get(&group.id).filter(|incident| incident.merged_into.is_none())
        else {
            return false;
        };
        let lately = |at| now.since(at) <= self.seen.rules.reopen_within();
        // What paged is another problem when it begins again; a nuisance is the same one.
        let comes_back = comes_back && !incident.peak_severity.pages();
        match incident.resolved_by {
            _ if incident.is_live() => true,
            _ if is_closed_by_a_person(incident) => false,
            Some(ResolvedBy::Quiet) => comes_back || incident.resolved_at.is_some_and(lately),
            Some(ResolvedBy::Stale) => comes_back || group.is_active(now),
            Some(ResolvedBy::Person | ResolvedBy::Merged | ResolvedBy::Other(_)) | None => false,
        }
    }

    /// The newest incident that an alert belonged to, through merges.
    #[must_use]
    pub fn last_incident(&self, fingerprint: &Fingerprint) -> Option<&Incident> {
        self.book.home(self.book.alerts.get(fingerprint)?.incident.as_ref()?)
    }
}

impl ObservedLanes {
    /// The last repeat of an alert, where nothing else was said of it since.
    pub(crate) fn repeated_since(&self, alert: &Alert) -> Option<&LastRepeat> {
        self.repeats.of(&alert.fingerprint).filter(|last| last.at >= alert.last_seen_at)
    }

    /// A sender that could not be heard is not stale for that: what fell silent before the door opened has
    /// a grace from then.
    fn deferred(&self, stale_at: Time, last_seen_at: Time) -> Time {
        if last_seen_at < self.door_opened_at {
            stale_at.max(self.door_opened_at + Span::seconds(self.rules.door_grace_s))
        } else {
            stale_at
        }
    }
}

/// Whether a person's word closed an incident: by resolving it, or by saying what it was after it ended by itself.
pub(crate) fn is_closed_by_a_person(incident: &Incident) -> bool {
    let said = incident.cause.is_some() || incident.resolution.is_some();
    !incident.is_live() && (said || incident.resolved_by == Some(ResolvedBy::Person))
}
