//! What each receiver heard: of each incident, and of each alert by name. Made by the lane's own requests alone; that a
//! request was given up is asked of whoever reads this.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::incident::Status;
use hindcast_domain::notice::{NamedAlert, Reason, Requested};
use hindcast_domain::{Fingerprint, IncidentId, NoticeId, Severity, Time};
use serde::{Deserialize, Serialize};

use super::firing::{AlertNews, StretchStart};

/// Messages about one incident to one receiver that are remembered one by one.
const MESSAGES_KEPT: usize = 24;
/// Messages that name one alert to one receiver and are remembered.
const MARKS_KEPT: usize = 3;
/// The kind under which a message of before messages named their alerts counts all of them.
const EVERY_KIND: &str = "";

/// What is known of an incident: by messages, or by whoever acknowledged it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownOfIncident {
    /// The worst severity; `None` where nothing paged.
    pub(crate) severity: Option<Severity>,
    /// Names of rules.
    pub(crate) kinds: BTreeSet<String>,
    /// What fails.
    pub(crate) entities: BTreeSet<String>,
    /// The services that it is about.
    pub(crate) services: BTreeSet<String>,
    /// Who is concerned.
    pub(crate) teams: BTreeSet<String>,
}

impl KnownOfIncident {
    pub(crate) fn add(&mut self, other: &Self) {
        self.severity = self.severity.max(other.severity);
        self.kinds.extend(other.kinds.iter().cloned());
        self.entities.extend(other.entities.iter().cloned());
        self.services.extend(other.services.iter().cloned());
        self.teams.extend(other.teams.iter().cloned());
    }
}

/// One message about one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeardMessage {
    pub(crate) notice: NoticeId,
    pub(crate) reason: Reason,
    pub(crate) page: bool,
    /// Where the incident was in its life; absent in a message about several, which says only that it goes on.
    pub(crate) status: Option<Status>,
    pub(crate) at: Time,
    pub(crate) through: u64,
    /// When it was to be given up.
    pub(crate) expires_at: Time,
    /// Whether it is of before messages named their alerts.
    pub(crate) unnamed: bool,
    known: KnownOfIncident,
}

/// What one receiver heard of one incident, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeardOfIncident {
    pub(crate) messages: VecDeque<HeardMessage>,
    /// What older pages said.
    older: KnownOfIncident,
}

/// Messages that count alerts, by kind and receiver, each with the position up to which it was made.
pub(crate) type KindsHeard = BTreeMap<String, BTreeMap<String, VecDeque<(u64, NoticeId)>>>;

/// What receivers heard of one alert by name.
pub(crate) type ShelvedAlertWords = BTreeMap<String, VecDeque<(u64, NoticeId)>>;

/// What receivers heard of one incident, and of its alerts by kind.
pub(crate) type ShelvedIncidentWords = (Option<BTreeMap<String, HeardOfIncident>>, Option<KindsHeard>);

/// What all receivers heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeardWords {
    incidents: BTreeMap<IncidentId, BTreeMap<String, HeardOfIncident>>,
    /// By alert and receiver: messages that name it, each with the position through which it was read.
    alerts: BTreeMap<Fingerprint, BTreeMap<String, VecDeque<(u64, NoticeId)>>>,
    /// By incident, kind and receiver: messages that count its alerts.
    kinds: BTreeMap<IncidentId, KindsHeard>,
}

/// Whether a message reached nobody: it was given up.
pub(crate) type LostNotice<'a> = &'a dyn Fn(&NoticeId) -> bool;

/// What a message told of, so that it can be forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToldOf {
    pub(crate) at: Time,
    pub(crate) notice: NoticeId,
    incidents: Vec<IncidentId>,
    pub(crate) alerts: Vec<Fingerprint>,
}

impl ToldOf {
    pub(crate) fn new(notice: &NoticeId, asked: &Requested, at: Time) -> Self {
        let incidents = asked.incident.iter().chain(&asked.incidents).cloned().collect();
        let alerts = asked.alerts.iter().map(|named| named.fingerprint.clone()).collect();
        Self { at, notice: notice.clone(), incidents, alerts }
    }

    pub(crate) fn incidents(&self) -> &[IncidentId] {
        &self.incidents
    }
}

impl HeardOfIncident {
    fn forget(&mut self, notice: &NoticeId) {
        let Some(index) = self.messages.iter().position(|message| message.notice == *notice) else { return };
        let is_last = index + 1 == self.messages.len();
        if is_last && self.messages.back().is_some_and(|last| last.status != Some(Status::Resolved)) {
            return;
        }
        if let Some(message) = self.messages.remove(index).filter(|message| message.page) {
            self.older.add(&message.known);
        }
    }

    /// The last message that was not given up.
    pub(crate) fn last(&self, lost: LostNotice<'_>) -> Option<&HeardMessage> {
        self.messages.iter().rev().find(|message| !lost(&message.notice))
    }

    /// The messages after that, which were given up.
    pub(crate) fn lost<'a>(&'a self, lost: LostNotice<'a>) -> impl Iterator<Item = &'a HeardMessage> {
        self.messages.iter().rev().take_while(move |message| lost(&message.notice))
    }

    /// The last page that was not given up.
    pub(crate) fn last_page(&self, lost: LostNotice<'_>) -> Option<&HeardMessage> {
        self.messages.iter().rev().find(|message| message.page && !lost(&message.notice))
    }

    /// Whether a message named alerts of a kind, at a severity that pages.
    pub(crate) fn names(&self, kind: &str, lost: LostNotice<'_>) -> bool {
        self.messages.iter().any(|message| message.known.kinds.contains(kind) && !lost(&message.notice))
    }

    /// What its pages said.
    pub(crate) fn known(&self, lost: LostNotice<'_>) -> KnownOfIncident {
        let mut known = self.older.clone();
        let pages = self.messages.iter().filter(|message| message.page && !lost(&message.notice));
        pages.for_each(|message| known.add(&message.known));
        known
    }
}

impl HeardWords {
    /// Takes in a request, made at `now`; `position` is its own where it was read from the ledger.
    pub(crate) fn requested(&mut self, notice: &NoticeId, asked: &Requested, now: Time, position: u64) {
        let unnamed = asked.through.is_none();
        let through = asked.through.unwrap_or(position);
        for incident in asked.incident.iter().chain(&asked.incidents) {
            let of = |named: &&NamedAlert| named.incident.as_ref().or(asked.incident.as_ref()) == Some(incident);
            let severity = severity_said(asked, asked.alerts.iter().filter(of), unnamed);
            let mut known = KnownOfIncident { severity: Some(severity), ..KnownOfIncident::default() };
            known.teams.extend(asked.teams.iter().cloned());
            known.services.extend(asked.services.iter().cloned());
            for named in asked.alerts.iter().filter(of) {
                if asked.page || named.severity.pages() {
                    known.kinds.insert(named.name.clone());
                }
                let entity = named.entity.as_ref().map(ToString::to_string).or_else(|| named.service.clone());
                known.entities.insert(entity.unwrap_or_default());
            }
            let over = matches!(asked.reason, Reason::Resolved | Reason::Merged);
            let status = asked.status.or(over.then_some(Status::Resolved));
            let message = HeardMessage {
                notice: notice.clone(),
                reason: asked.reason,
                page: asked.page,
                status,
                at: now,
                through,
                expires_at: asked.expires_at,
                unnamed,
                known,
            };
            self.push(incident, &asked.receiver, message);
            if unnamed {
                self.count(incident, EVERY_KIND, &asked.receiver, through, notice);
            }
        }
        for named in &asked.alerts {
            let incident = named.incident.as_ref().or(asked.incident.as_ref());
            match (named.count, incident) {
                (Some(_), Some(incident)) => self.count(incident, &named.name, &asked.receiver, through, notice),
                _ => {
                    let by = self.alerts.entry(named.fingerprint.clone()).or_default();
                    mark(by.entry(asked.receiver.clone()).or_default(), through, notice);
                }
            }
        }
    }

    /// Forgets an old message: what it named, and what it said of incidents unless it is the last word on one that goes
    /// on.
    pub(crate) fn forget(&mut self, old: &ToldOf) {
        for fingerprint in &old.alerts {
            let Some(by) = self.alerts.get_mut(fingerprint) else { continue };
            by.values_mut().for_each(|marks| marks.retain(|(_, notice)| *notice != old.notice));
            by.retain(|_, marks| !marks.is_empty());
            if by.is_empty() {
                self.alerts.remove(fingerprint);
            }
        }
        for incident in &old.incidents {
            let Some(by) = self.incidents.get_mut(incident) else { continue };
            by.values_mut().for_each(|heard| heard.forget(&old.notice));
            by.retain(|_, heard| !heard.messages.is_empty());
            if by.is_empty() {
                self.incidents.remove(incident);
                self.kinds.remove(incident);
            }
        }
    }

    /// What was heard of an alert by name, for the shelf.
    pub(crate) fn shelved_alert(&self, fingerprint: &Fingerprint) -> Option<ShelvedAlertWords> {
        self.alerts.get(fingerprint).cloned()
    }

    /// What was heard of an incident, likewise.
    pub(crate) fn shelved_incident(&self, id: &IncidentId) -> ShelvedIncidentWords {
        (self.incidents.get(id).cloned(), self.kinds.get(id).cloned())
    }

    /// Lets go of what was heard of an alert that is over for long.
    pub(crate) fn forget_alert(&mut self, fingerprint: &Fingerprint) {
        self.alerts.remove(fingerprint);
    }

    /// The same of an incident.
    pub(crate) fn forget_incident(&mut self, id: &IncidentId) {
        self.incidents.remove(id);
        self.kinds.remove(id);
    }

    /// What was heard of an alert is asked for again, and nothing was heard of it since.
    pub(crate) fn take_alert_back(&mut self, fingerprint: &Fingerprint, words: Option<ShelvedAlertWords>) {
        self.alerts.extend(words.map(|words| (fingerprint.clone(), words)));
    }

    /// The same of an incident.
    pub(crate) fn take_incident_back(&mut self, id: &IncidentId, (words, kinds): ShelvedIncidentWords) {
        self.incidents.extend(words.map(|words| (id.clone(), words)));
        self.kinds.extend(kinds.map(|kinds| (id.clone(), kinds)));
    }

    fn push(&mut self, incident: &IncidentId, receiver: &str, message: HeardMessage) {
        let by = self.incidents.entry(incident.clone()).or_default();
        let heard = by.entry(receiver.to_owned()).or_default();
        heard.messages.push_back(message);
        while heard.messages.len() > MESSAGES_KEPT {
            let Some(oldest) = heard.messages.pop_front() else { break };
            if oldest.page {
                heard.older.add(&oldest.known);
            }
        }
    }

    fn count(&mut self, incident: &IncidentId, kind: &str, receiver: &str, through: u64, notice: &NoticeId) {
        let kinds = self.kinds.entry(incident.clone()).or_default().entry(kind.to_owned()).or_default();
        mark(kinds.entry(receiver.to_owned()).or_default(), through, notice);
    }

    /// What a receiver heard of an incident.
    pub(crate) fn of(&self, incident: &IncidentId, receiver: &str) -> Option<&HeardOfIncident> {
        self.incidents.get(incident)?.get(receiver)
    }

    /// What all receivers heard of an incident.
    pub(crate) fn of_all(&self, incident: &IncidentId) -> impl Iterator<Item = (&String, &HeardOfIncident)> {
        self.incidents.get(incident).into_iter().flatten()
    }

    /// Whether a message names an alert after a stretch of it began, or counts its kind after it could be heard.
    pub(crate) fn names(
        &self,
        fingerprint: &Fingerprint,
        receiver: &str,
        news: &AlertNews,
        stretch: &StretchStart,
        lost: LostNotice<'_>,
    ) -> bool {
        let after = |marks: &VecDeque<(u64, NoticeId)>, position: u64| {
            marks.iter().any(|(through, notice)| *through >= position && !lost(notice))
        };
        let named = self.alerts.get(fingerprint).and_then(|by| by.get(receiver));
        let of_kind = |kind: &str| self.kinds.get(news.incident.as_ref()?)?.get(kind)?.get(receiver);
        named.is_some_and(|marks| after(marks, stretch.began))
            || of_kind(&news.name).is_some_and(|marks| after(marks, stretch.heard_from))
            || of_kind(EVERY_KIND).is_some_and(|marks| after(marks, stretch.heard_from))
    }

    /// Whether any receiver was told of an alert by name, or of its incident at all.
    pub(crate) fn names_to_anybody(
        &self,
        fingerprint: &Fingerprint,
        news: &AlertNews,
        stretch: &StretchStart,
        lost: LostNotice<'_>,
    ) -> bool {
        let incident = news.incident.as_ref();
        let receivers = incident.and_then(|incident| self.incidents.get(incident)).into_iter().flatten();
        let named = self.alerts.get(fingerprint).into_iter().flatten().map(|(receiver, _)| receiver);
        let mut told = receivers.map(|(receiver, _)| receiver).chain(named);
        told.any(|receiver| self.names(fingerprint, receiver, news, stretch, lost))
    }
}

/// How bad a message says one incident is, by the alerts that it names of it: the severity of one about several is that
/// of the worst of them.
fn severity_said<'a>(asked: &Requested, named: impl Iterator<Item = &'a NamedAlert>, unnamed: bool) -> Severity {
    if asked.incident.is_some() || unnamed {
        return asked.severity;
    }
    named.map(|named| named.severity).max().unwrap_or(Severity::High).min(asked.severity)
}

fn mark(marks: &mut VecDeque<(u64, NoticeId)>, through: u64, notice: &NoticeId) {
    if marks.len() == MARKS_KEPT {
        marks.pop_front();
    }
    marks.push_back((through, notice.clone()));
}
