//! What the notices lane has seen of other lanes and of delivery. Owns the half of its state that its own decisions do
//! not touch.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::book::Book;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::notice::Reason;
use hindcast_domain::oncall::{self, OnCallRules};
use hindcast_domain::{Fingerprint, IncidentId, NoticeId, Severity, Span, Time};
use serde::{Deserialize, Serialize};

use super::firing::FiringAlerts;
use super::heard::KnownOfIncident;
use super::silenced::SilencedAlerts;
use crate::rules::{PagingRules, SECTION};

/// How long a request is remembered, so that its expiry is understood.
pub(crate) const KEPT: Span = Span::hours(24 * 30);

/// Annotations that a message says: those that hold its links.
const SAID: [&str; 7] =
    ["runbook_url", "runbook", "dashboard_url", "dashboard", "panel_url", "image_url", "silence_url"];

/// What was seen of other lanes and of delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedState {
    /// Books of the incident lanes.
    pub books: BTreeMap<String, Book>,
    /// The alerts of each incident as people are to hear of them.
    pub(crate) firing: FiringAlerts,
    /// The rules in force.
    pub rules: PagingRules,
    /// The schedules by which somebody is on call.
    #[serde(default)]
    pub(crate) on_call: OnCallRules,
    /// All silences, and what each of them holds that fires. A snapshot without them is not read.
    pub(crate) silenced: SilencedAlerts,
    /// From which position on each receiver is one.
    pub(crate) receiver_since: BTreeMap<String, u64>,
    /// What whoever acknowledged an incident saw of it then.
    pub(crate) acknowledged: BTreeMap<IncidentId, KnownOfIncident>,
    /// When the status of each incident changed last.
    pub(crate) turned: BTreeMap<IncidentId, StatusTurn>,
    /// What asks for a message although no alert is new.
    pub(crate) calls: BTreeMap<IncidentId, BTreeMap<Reason, NoticeCall>>,
    /// When an input was about each incident last: nothing is said as of before that.
    pub(crate) touched: BTreeMap<IncidentId, Time>,
    /// When the rules changed last.
    pub(crate) configured_at: Time,
    /// Since when an alert of each incident fires at a paging severity.
    pub(crate) loud_since: BTreeMap<IncidentId, Time>,
    /// Since when an incident is wide.
    pub(crate) wide_since: BTreeMap<IncidentId, Time>,
    /// Requests that were given up, and when: nobody was told by them.
    pub(crate) expired: BTreeMap<NoticeId, Time>,
    /// The position through which the lane has read.
    pub(crate) position: u64,
}

/// The last change of an incident's status.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StatusTurn {
    pub(crate) status: Status,
    pub(crate) at: Time,
    pub(crate) position: u64,
}

/// What was seen of an incident beside its book, as it stands on the shelf.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ShelvedIncidentSight {
    acknowledged: Option<KnownOfIncident>,
    turned: Option<StatusTurn>,
    calls: Option<BTreeMap<Reason, NoticeCall>>,
    touched: Option<Time>,
    loud_since: Option<Time>,
    wide_since: Option<Time>,
}

/// Something that asks for a message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NoticeCall {
    pub(crate) at: Time,
    pub(crate) position: u64,
}

/// What an input changed.
pub(crate) enum SeenChange {
    /// Nothing that people are to hear of.
    Nothing,
    /// What is owed to all receivers is to be looked at anew.
    Rules,
    /// A request was given up.
    Lost(NoticeId),
    /// Alerts and incidents.
    Touched { alerts: Vec<Fingerprint>, incidents: Vec<IncidentId> },
}

/// Lets go of what no notice is decided on and no message says, which is most of an alert: the incident lane and the
/// views hold it.
fn lighten(alert: &mut Alert) {
    alert.labels = Labels::new();
    let is_said = |name: &String| SAID.contains(&name.as_str());
    // Others share them, so that they are not changed in their place.
    if !alert.annotations.keys().all(is_said) {
        let said = alert.annotations.iter().filter(|(name, _)| is_said(name));
        alert.annotations = said.map(|(name, link)| (name.clone(), link.clone())).collect();
    }
    alert.source_fingerprint = None;
}

impl ObservedState {
    /// What was seen of an incident, for the shelf.
    pub(crate) fn shelved_incident(&self, id: &IncidentId) -> ShelvedIncidentSight {
        ShelvedIncidentSight {
            acknowledged: self.acknowledged.get(id).cloned(),
            turned: self.turned.get(id).copied(),
            calls: self.calls.get(id).cloned(),
            touched: self.touched.get(id).copied(),
            loud_since: self.loud_since.get(id).copied(),
            wide_since: self.wide_since.get(id).copied(),
        }
    }

    /// Lets go of an incident that is over for long.
    pub(crate) fn forget_incident(&mut self, id: &IncidentId) {
        self.books.values_mut().for_each(|book| {
            book.incidents.remove(id);
        });
        self.acknowledged.remove(id);
        self.turned.remove(id);
        self.calls.remove(id);
        self.touched.remove(id);
        self.loud_since.remove(id);
        self.wide_since.remove(id);
    }

    /// An incident is asked about again, and no input was about it since.
    pub(crate) fn take_incident_back(&mut self, book: &str, incident: Incident, sight: ShelvedIncidentSight) {
        let id = incident.id.clone();
        self.acknowledged.extend(sight.acknowledged.map(|saw| (id.clone(), saw)));
        self.turned.extend(sight.turned.map(|turn| (id.clone(), turn)));
        self.calls.extend(sight.calls.map(|calls| (id.clone(), calls)));
        self.touched.extend(sight.touched.map(|at| (id.clone(), at)));
        self.loud_since.extend(sight.loud_since.map(|at| (id.clone(), at)));
        self.wide_since.extend(sight.wide_since.map(|at| (id.clone(), at)));
        self.books.entry(book.to_owned()).or_default().incidents.insert(id, incident);
    }

    /// Folds an input.
    pub(crate) fn see(&mut self, input: &Recorded) -> SeenChange {
        self.position = self.position.max(input.position);
        self.silenced.silences.evolve(input);
        match &input.event {
            Event::Configured(configured) if configured.section == SECTION => {
                // Rules that cannot be read were refused where they were decided; here they change nothing.
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.configure(rules, input);
                }
                SeenChange::Rules
            }
            Event::Configured(configured) if configured.section == oncall::SECTION => {
                if let Ok(rules) = serde_json::from_value(configured.content.clone()) {
                    self.on_call = rules;
                    self.configured_at = self.configured_at.max(input.time);
                }
                SeenChange::Rules
            }
            Event::NoticeExpired(_) => {
                self.expired.retain(|_, at| input.time.since(*at) <= KEPT);
                let Ok(notice) = input.subject.parse::<NoticeId>() else { return SeenChange::Nothing };
                self.expired.insert(notice.clone(), input.time);
                SeenChange::Lost(notice)
            }
            Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | Event::Configured(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::CommandRejected(_)
            | Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeReleased(_) => SeenChange::Nothing,
            events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence } => {
                self.book(input)
            }
        }
    }

    fn configure(&mut self, rules: PagingRules, input: &Recorded) {
        self.configured_at = self.configured_at.max(input.time);
        let known: Vec<String> = self.rules.receivers().into_iter().map(|receiver| receiver.name).collect();
        let first = self.receiver_since.is_empty() && self.books.is_empty();
        for receiver in rules.receivers() {
            if first {
                self.receiver_since.insert(receiver.name, 0);
            } else if !known.contains(&receiver.name) {
                self.receiver_since.insert(receiver.name, input.position);
            }
        }
        self.rules = rules;
    }

    fn book(&mut self, input: &Recorded) -> SeenChange {
        let book = self.books.entry(input.partition.to_string()).or_default();
        let mut touched = book.evolve(input);
        for fingerprint in &touched.alerts {
            let Some(alert) = book.alerts.get_mut(fingerprint) else { continue };
            self.firing.note(alert, input.time, input.position);
            self.silenced.note(alert, input.time);
            lighten(alert);
        }
        for id in &touched.incidents {
            let Some(incident) = book.incidents.get(id) else { continue };
            let (status, at, position) = (incident.status, input.time, input.position);
            if self.turned.get(id).is_none_or(|turn| turn.status != status) {
                self.turned.insert(id.clone(), StatusTurn { status, at, position });
            }
            self.touched.insert(id.clone(), at);
            if self.firing.worst(id).is_some_and(Severity::pages) {
                self.loud_since.entry(id.clone()).or_insert(at);
            } else {
                self.loud_since.remove(id);
            }
            let (services, entities) = self.firing.breadth(id);
            if self.rules.is_wide(services, entities) {
                self.wide_since.entry(id.clone()).or_insert(at);
            } else {
                self.wide_since.remove(id);
            }
        }
        self.remember_who_cares(input);
        self.note_call(input);
        // Those in whose sight one changed, by a merge or a split of before, are looked at as well.
        touched.incidents.extend(input.subject.parse::<IncidentId>().ok());
        SeenChange::Touched { alerts: touched.alerts, incidents: touched.incidents }
    }

    fn remember_who_cares(&mut self, input: &Recorded) {
        let Ok(id) = input.subject.parse::<IncidentId>() else { return };
        let incident = self.books.get(&input.partition.to_string()).and_then(|book| book.incidents.get(&id));
        if let (Event::IncidentAcknowledged(_), Some(incident)) = (&input.event, incident) {
            let mut saw = KnownOfIncident {
                severity: Some(incident.severity.max(self.firing.worst(&id).unwrap_or(incident.severity))),
                services: incident.services.clone(),
                teams: incident.teams.clone(),
                ..KnownOfIncident::default()
            };
            for news in self.firing.members(&id).filter_map(|fingerprint| self.firing.alerts.get(fingerprint)) {
                saw.kinds.insert(news.name.clone());
                saw.entities.insert(news.entity.clone());
            }
            self.acknowledged.insert(id, saw);
            return;
        }
        let keeps = matches!(&input.event, Event::IncidentReopened(reopened) if reopened.keeps_acknowledgement);
        if !keeps && matches!(&input.event, Event::IncidentUnacknowledged(_) | Event::IncidentReopened(_)) {
            self.acknowledged.remove(&id);
        }
    }

    fn note_call(&mut self, input: &Recorded) {
        let Ok(id) = input.subject.parse::<IncidentId>() else { return };
        let reason = match &input.event {
            Event::IncidentUnacknowledged(_) => Reason::Unacknowledged,
            Event::IncidentAwoken(_) => Reason::StillThere,
            Event::IncidentSeveritySet(_) => Reason::Worse,
            Event::IncidentOpened(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAlertJoined(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentResolved(_)
            | Event::IncidentReopened(_)
            | Event::IncidentMerged(_)
            | Event::IncidentSplit(_)
            | Event::IncidentUndone(_)
            | Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentReviewed(_)
            | Event::IncidentFeedback(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } =>
            {
                return;
            }
        };
        let call = NoticeCall { at: input.time, position: input.position };
        self.calls.entry(id).or_default().insert(reason, call);
    }
}
