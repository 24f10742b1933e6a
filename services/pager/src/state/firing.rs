//! The alerts of each incident as people are to hear of them: which fire and are not held back, since when that is
//! news, and how wide it is. Follows from the books, and is kept as they change: an incident may have ten thousand
//! alerts, and a decision about it may not look at all of them.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::Alert;
use hindcast_domain::{Fingerprint, IncidentId, Severity, Span, Time};
use serde::{Deserialize, Serialize};

/// Whether people can hear of an alert now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Audibility {
    /// It fires.
    Loud,
    /// It fires, and a silence holds it or it has no incident.
    Quiet,
    /// It fired for a while, and is over.
    Ended,
}

/// One alert as people are to hear of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlertNews {
    pub(crate) incident: Option<IncidentId>,
    pub(crate) name: String,
    pub(crate) entity: String,
    pub(crate) service: Option<String>,
    pub(crate) severity: Severity,
    /// The worst that it was in this stretch of firing.
    pub(crate) peak: Severity,
    pub(crate) audibility: Audibility,
    /// When people could no longer hear of it, where it is over.
    pub(crate) ended: Option<Time>,
    occurrence: u64,
    /// The newest stretch of firing, or the moment at which it became worse.
    pub(crate) stretch: StretchStart,
    /// Those before it, oldest first: people may not have heard of them yet.
    pub(crate) earlier: Vec<StretchStart>,
}

/// Where a stretch of firing begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StretchStart {
    /// The position at which it began, or became worse.
    pub(crate) began: u64,
    /// The position from which on it can be heard in this incident.
    pub(crate) heard_from: u64,
    /// The time of that.
    pub(crate) since: Time,
    /// The worst that the alert was in it.
    pub(crate) peak: Severity,
}

/// How long the beginnings of stretches are remembered, and how many of them: a message that tells of one may be given
/// up, and what it told of is owed again then.
const EARLIER_KEPT: (Span, usize) = (Span::hours(2), 48);

/// The alerts of one incident that fire, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IncidentBreadth {
    severities: BTreeMap<Severity, u32>,
    services: BTreeMap<String, u32>,
    entities: BTreeMap<String, u32>,
}

impl AlertNews {
    /// As it was before a stretch that began and ended at one instant.
    fn without_the_last(&self) -> Option<Self> {
        let mut before = self.clone();
        before.stretch = before.earlier.pop()?;
        before.peak = before.stretch.peak;
        before.audibility = Audibility::Ended;
        before.ended = None;
        Some(before)
    }
}

/// All alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct FiringAlerts {
    pub(crate) alerts: BTreeMap<Fingerprint, AlertNews>,
    breadth: BTreeMap<IncidentId, IncidentBreadth>,
    members: BTreeMap<IncidentId, BTreeSet<Fingerprint>>,
}

impl FiringAlerts {
    /// Takes in what an alert is after the event at `position`.
    pub(crate) fn note(&mut self, alert: &Alert, now: Time, position: u64) {
        let before = self.alerts.remove(&alert.fingerprint);
        if let Some(before) = &before {
            self.count(&alert.fingerprint, before, false);
        }
        let Some(is) = news(alert, before.as_ref(), now, position) else { return };
        self.count(&alert.fingerprint, &is, true);
        self.alerts.insert(alert.fingerprint.clone(), is);
    }

    /// Lets go of an alert that is over for long.
    pub(crate) fn forget(&mut self, fingerprint: &Fingerprint) {
        if let Some(news) = self.alerts.remove(fingerprint) {
            self.count(fingerprint, &news, false);
        }
    }

    /// The same alert is asked about again: it counts for its incident as before.
    pub(crate) fn take_back(&mut self, fingerprint: &Fingerprint, news: Option<AlertNews>) {
        if let Some(news) = news {
            self.count(fingerprint, &news, true);
            self.alerts.insert(fingerprint.clone(), news);
        }
    }

    fn count(&mut self, fingerprint: &Fingerprint, news: &AlertNews, add: bool) {
        let Some(incident) = &news.incident else { return };
        let members = self.members.entry(incident.clone()).or_default();
        if add {
            members.insert(fingerprint.clone());
        } else {
            members.remove(fingerprint);
        }
        if members.is_empty() {
            self.members.remove(incident);
        }
        if news.audibility != Audibility::Loud {
            return;
        }
        let breadth = self.breadth.entry(incident.clone()).or_default();
        step(&mut breadth.severities, news.severity, add);
        if news.severity >= Severity::Medium {
            step(&mut breadth.entities, news.entity.clone(), add);
            if let Some(service) = &news.service {
                step(&mut breadth.services, service.clone(), add);
            }
        }
        if breadth.severities.is_empty() {
            self.breadth.remove(incident);
        }
    }

    /// The worst of an incident's alerts that fire and are not held back.
    pub(crate) fn worst(&self, incident: &IncidentId) -> Option<Severity> {
        self.breadth.get(incident)?.severities.keys().next_back().copied()
    }

    /// How many services and entities of an incident fail at a severity that somebody should see.
    pub(crate) fn breadth(&self, incident: &IncidentId) -> (usize, usize) {
        self.breadth.get(incident).map_or((0, 0), |breadth| (breadth.services.len(), breadth.entities.len()))
    }

    /// The alerts of an incident, those that ended too.
    pub(crate) fn members(&self, incident: &IncidentId) -> impl Iterator<Item = &Fingerprint> {
        self.members.get(incident).into_iter().flatten()
    }
}

fn step<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K, add: bool) {
    if add {
        *counts.entry(key).or_default() += 1;
    } else if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// Whether people are to hear of it at all.
fn is_owed(news: &AlertNews) -> bool {
    news.audibility != Audibility::Quiet && news.peak.pages()
}

/// What an alert is now, after what it was. One that began and ended at one instant is nothing.
fn news(alert: &Alert, before: Option<&AlertNews>, now: Time, position: u64) -> Option<AlertNews> {
    let occurrence = alert.occurrence();
    let same = before.filter(|before| before.occurrence == occurrence.number);
    let audibility = match alert.is_firing() {
        true if alert.suppressed.is_none() && alert.incident.is_some() => Audibility::Loud,
        true => Audibility::Quiet,
        false => match same?.audibility {
            // What nobody could hear ends without a word.
            Audibility::Quiet => return None,
            Audibility::Loud if occurrence.first_seen_at == now => return same?.without_the_last(),
            Audibility::Loud | Audibility::Ended => Audibility::Ended,
        },
    };
    let worse = same.is_some_and(|before| alert.severity > before.severity);
    let goes_on = same.filter(|before| {
        let heard = before.audibility == audibility || audibility == Audibility::Ended;
        heard && !worse && before.incident == alert.incident
    });
    let began = same.filter(|_| !worse).map_or(position, |before| before.stretch.began);
    let peak = same.map_or(alert.severity, |before| before.peak.max(alert.severity));
    let new = StretchStart { began, heard_from: position, since: now, peak };
    let stretch = goes_on.map_or(new, |before| StretchStart { began, peak, ..before.stretch });
    let mut earlier = before.map(|before| before.earlier.clone()).unwrap_or_default();
    if let Some(before) = before.filter(|before| is_owed(before) && before.stretch != stretch) {
        earlier.retain(|start| now.since(start.since) <= EARLIER_KEPT.0);
        if earlier.len() < EARLIER_KEPT.1 {
            earlier.push(before.stretch);
        }
    }
    let entity = alert.about.as_ref().and_then(|about| about.entity.as_ref()).map(ToString::to_string);
    Some(AlertNews {
        incident: alert.incident.clone(),
        name: alert.name.clone(),
        entity: entity.or_else(|| alert.service.clone()).unwrap_or_default(),
        service: alert.service.clone(),
        severity: alert.severity,
        peak,
        audibility,
        ended: (audibility == Audibility::Ended).then(|| same.and_then(|before| before.ended).unwrap_or(now)),
        occurrence: occurrence.number,
        stretch,
        earlier,
    })
}
