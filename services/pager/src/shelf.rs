//! What of this lane leaves memory once it was over for long, and what is back before it is read: all that is known of an
//! alert and of an incident, and what receivers heard of them. Owns that nobody is told otherwise for it; refuses to know
//! where the shelf stands.

use hindcast_domain::alert::Alert;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::{Timer, Upcoming};
use hindcast_domain::oncall;
use hindcast_domain::shelf::read::{PartsRead, is_over, is_quiet};
use hindcast_domain::shelf::{ShelfError, ShelvedPart};
use hindcast_domain::{Fingerprint, IncidentId, NoticeId, Span, Time, events};
use serde::{Deserialize, Serialize};

use crate::rules::SECTION;
use crate::state::NoticesState;
use crate::state::firing::{AlertNews, Audibility};
use crate::state::heard::{ShelvedAlertWords, ShelvedIncidentWords};
use crate::state::observed::{KEPT, ShelvedIncidentSight};

/// How long an incident that is over counts when the rules change: what is owed of an older one does not.
const RULED: Span = Span::hours(1);
/// How long it stays in memory at the least: an input may be as old as its lane is behind.
const KEPT_LEAST: Span = Span::minutes(70);

/// An alert, as it stands on the shelf.
#[derive(Serialize, Deserialize)]
struct ShelvedAlert {
    /// It is in one book as a rule.
    alerts: Vec<(String, Alert)>,
    news: Option<AlertNews>,
    heard: Option<ShelvedAlertWords>,
}

/// An incident, as it stands on the shelf.
#[derive(Serialize, Deserialize)]
struct ShelvedIncident {
    book: String,
    incident: Incident,
    seen: ShelvedIncidentSight,
    heard: ShelvedIncidentWords,
    let_go: Option<Time>,
}

impl NoticesState {
    /// Whether a change of the rules made at `now` is about an incident: it goes on, ended lately, or is owed a word.
    pub(crate) fn is_ruled(&self, id: &IncidentId, now: Time) -> bool {
        let is_live = self.any_incident(id).is_some_and(Incident::is_live);
        let lately = self.seen.touched.get(id).is_some_and(|at| now.since(*at) < RULED);
        is_live || lately || self.index.is_owed(id)
    }

    /// The same of an alert.
    pub(crate) fn is_ruled_alert(&self, fingerprint: &Fingerprint, news: &AlertNews, now: Time) -> bool {
        self.index.listed.contains_key(fingerprint) || news.incident.as_ref().is_some_and(|id| self.is_ruled(id, now))
    }

    fn any_alert(&self, id: &Fingerprint) -> Option<&Alert> {
        self.seen.books.values().find_map(|book| book.alerts.get(id))
    }

    /// Parts that are over, alerts first.
    pub(crate) fn over(&self, now: Time, kept: Span) -> Vec<ShelvedPart> {
        let kept = kept.max(KEPT_LEAST);
        let long = |at: Time| now.since(at) >= kept;
        let ends = |it: &Incident| {
            let touched = self.seen.touched.get(&it.id).is_none_or(|at| long(*at));
            let is_waited_for = self.index.is_owed(&it.id) || self.held.contains_key(&it.id);
            is_over(it, &long) && touched && !is_waited_for && self.seen.firing.worst(&it.id).is_none()
        };
        let mut parts = Vec::new();
        for (book, of) in &self.seen.books {
            for (id, part) in of.alerts.keys().filter_map(|id| Some((id, self.shelved_alert(id, &long, &ends)?))) {
                let is_first = part.alerts.first().is_some_and(|(first, _)| first == book);
                parts.extend(serde_json::to_vec(&part).ok().filter(|_| is_first).map(|part| (id.to_string(), part)));
            }
            for (id, incident) in of.incidents.iter().filter(|(_, incident)| ends(incident)) {
                let (seen, heard) = (self.seen.shelved_incident(id), self.heard.shelved_incident(id));
                let let_go = self.let_go.get(id).copied();
                let part = ShelvedIncident { book: book.clone(), incident: incident.clone(), seen, heard, let_go };
                parts.extend(serde_json::to_vec(&part).ok().map(|part| (id.to_string(), part)));
            }
        }
        parts
    }

    /// An alert as it goes to the shelf, if it may.
    fn shelved_alert(
        &self,
        id: &Fingerprint,
        long: &dyn Fn(Time) -> bool,
        ends: &dyn Fn(&Incident) -> bool,
    ) -> Option<ShelvedAlert> {
        let news = self.seen.firing.alerts.get(id);
        let is_silent = news.is_none_or(|news| news.audibility == Audibility::Ended);
        let alerts: Vec<(&String, &Alert)> =
            self.seen.books.iter().filter_map(|(book, of)| Some((book, of.alerts.get(id)?))).collect();
        let is_quiet = alerts.iter().all(|(_, alert)| is_quiet(alert, long));
        let homes = alerts.iter().filter_map(|(_, alert)| alert.incident.as_ref());
        let mut homes = homes.chain(news.and_then(|news| news.incident.as_ref()));
        let stays = |id: &IncidentId| self.any_incident(id).is_some_and(|incident| !ends(incident));
        if !is_quiet || !is_silent || self.index.listed.contains_key(id) || homes.any(stays) {
            return None;
        }
        let alerts = alerts.into_iter().map(|(book, alert)| (book.clone(), alert.clone())).collect();
        Some(ShelvedAlert { alerts, news: news.cloned(), heard: self.heard.shelved_alert(id) })
    }

    /// Lets go of parts that stand on the shelf.
    pub(crate) fn shelved(&mut self, parts: &[ShelvedPart]) {
        for (id, _) in parts {
            if let Ok(fingerprint) = id.parse::<Fingerprint>() {
                self.seen.books.values_mut().for_each(|book| {
                    book.alerts.remove(&fingerprint);
                });
                self.seen.firing.forget(&fingerprint);
                self.heard.forget_alert(&fingerprint);
            } else if let Ok(incident) = id.parse::<IncidentId>() {
                self.seen.forget_incident(&incident);
                self.heard.forget_incident(&incident);
                self.let_go.remove(&incident);
            }
        }
    }

    /// Takes a part back.
    pub(crate) fn taken_back(&mut self, id: &str, part: &[u8]) -> Result<(), ShelfError> {
        let unread = |error: serde_json::Error| ShelfError(format!("{id}: {error}"));
        if id.starts_with(IncidentId::PREFIX) {
            let part: ShelvedIncident = serde_json::from_slice(part).map_err(unread)?;
            let id = part.incident.id.clone();
            self.seen.take_incident_back(&part.book, part.incident, part.seen);
            self.heard.take_incident_back(&id, part.heard);
            self.let_go.extend(part.let_go.map(|at| (id, at)));
            return Ok(());
        }
        let part: ShelvedAlert = serde_json::from_slice(part).map_err(unread)?;
        let Ok(id) = id.parse::<Fingerprint>() else { return Err(ShelfError(format!("{id}: no alert"))) };
        for (book, alert) in part.alerts {
            self.seen.books.entry(book).or_default().alerts.insert(id.clone(), alert);
        }
        self.seen.firing.take_back(&id, part.news);
        self.heard.take_alert_back(&id, part.heard);
        Ok(())
    }

    /// What may stand on the shelf of all that is read next.
    pub(crate) fn missing(&self, of: Upcoming<'_>) -> Vec<String> {
        let (alert, incident) = (|id: &Fingerprint| self.any_alert(id), |id: &IncidentId| self.any_incident(id));
        let mut reading = PartsRead::of(&alert, &incident);
        match of {
            Upcoming::Input(input) => self.input(&mut reading, input),
            Upcoming::Decision(decision) => self.decision(&mut reading, decision),
            Upcoming::Timer(timer) => self.timer(&mut reading, timer),
        }
        reading.missing
    }

    fn input(&self, reading: &mut PartsRead<'_>, input: &Recorded) {
        match &input.event {
            Event::Configured(configured) if [SECTION, oncall::SECTION].iter().any(|it| configured.section == *it) => {
                let incidents = self.seen.turned.keys().filter(|id| self.is_ruled(id, input.time));
                incidents.for_each(|id| reading.lineage(id));
            }
            Event::NoticeExpired(_) => self.request(reading, &input.subject),
            events! { alert, incident } => {
                reading.decision(input);
                input.subject.parse().iter().for_each(|id| self.alert(reading, id));
            }
            Event::Configured(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | Event::NoticeRequested(_)
            | Event::NoticeHeld(_)
            | Event::NoticeReleased(_)
            | Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, silence } => {}
        }
    }

    /// An alert, and the incidents under which it is told of: its own, and the one in which it was heard last.
    fn alert(&self, reading: &mut PartsRead<'_>, id: &Fingerprint) {
        reading.alert(id);
        let homes = self.seen.books.values().filter_map(|book| book.alerts.get(id)?.incident.as_ref());
        let heard = self.seen.firing.alerts.get(id).and_then(|news| news.incident.as_ref());
        homes.chain(heard).for_each(|id| reading.lineage(id));
    }

    /// What a request told of.
    fn request(&self, reading: &mut PartsRead<'_>, notice: &str) {
        let Ok(notice) = notice.parse::<NoticeId>() else { return };
        for told in self.requests.iter().filter(|told| told.notice == notice) {
            told.incidents().iter().for_each(|id| reading.lineage(id));
            told.alerts.iter().for_each(|id| self.alert(reading, id));
        }
    }

    fn decision(&self, reading: &mut PartsRead<'_>, decision: &Recorded) {
        let notice = decision.subject.parse::<NoticeId>().ok().and_then(|id| self.notices.0.get(&id));
        notice.and_then(|notice| notice.incident.as_ref()).into_iter().for_each(|id| reading.lineage(id));
        match &decision.event {
            Event::NoticeRequested(asked) => {
                asked.incident.iter().chain(&asked.incidents).for_each(|id| reading.lineage(id));
                asked.alerts.iter().for_each(|named| self.alert(reading, &named.fingerprint));
            }
            Event::NoticeHeld(held) => held.incident.iter().for_each(|id| reading.lineage(id)),
            Event::NoticeReleased(_)
            | Event::NoticeDelivered(_)
            | Event::NoticeFailed(_)
            | Event::NoticeExpired(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } =>
                {}
        }
        // What is too old to be asked about is let go of by every decision.
        for told in self.requests.iter().take_while(|told| decision.time.since(told.at) > KEPT) {
            told.incidents().iter().for_each(|id| reading.lineage(id));
            told.alerts.iter().for_each(|id| self.alert(reading, id));
        }
    }

    fn timer(&self, reading: &mut PartsRead<'_>, timer: &Timer) {
        match timer.id.split_once('/') {
            Some(("tell", of)) => {
                let id = of.split_once('/').and_then(|(id, _)| id.parse().ok());
                id.iter().for_each(|id| reading.lineage(id));
            }
            Some(("hold", _)) => {
                // The end of a storm tells of all that it held.
                self.held.keys().for_each(|id| reading.lineage(id));
            }
            _ => {}
        }
    }
}
