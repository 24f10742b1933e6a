//! Alerts as the API shows them, and lists of them.

use hindcast_api as api;
use hindcast_api::{Page, Problem};
use hindcast_domain::alert::senders::SenderWord;
use hindcast_domain::alert::{Alert, Status};
use hindcast_domain::shared::SharedCopy;
use hindcast_queries::AlertFilter;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::project::load::partition_of;
use crate::store::keys::{self, DocumentKind, List, MentionIndex};

impl Reader {
    /// An alert's fold and its partition.
    pub(crate) fn alert_fold(&self, fingerprint: &str) -> Result<Option<(String, Alert)>, Error> {
        let Some(document) = self.store.document(DocumentKind::Alert, fingerprint, self.at)? else {
            return Ok(None);
        };
        Ok(Some(document.read::<Alert>("an alert")?))
    }

    /// An alert as the API shows it.
    pub(crate) fn show_alert(&self, partition: &str, alert: Alert) -> Result<api::Alert, Error> {
        let repeats = self.repeats(alert.fingerprint.as_str())?;
        let occurrence = alert.occurrence();
        let (starts_at, ends_at) = (occurrence.starts_at, occurrence.ends_at);
        let (entity, observed_by, entity_rule) = match alert.about.map(SharedCopy::into_inner) {
            Some(about) => (about.entity, about.observed_by, Some(about.rule)),
            None => (None, None, None),
        };
        let sender = |(name, word): (String, SenderWord)| api::AlertSender {
            name,
            status: if word.ended.is_some() { Status::Resolved } else { Status::Firing },
            stale_at: word.ended.is_none().then_some(word.stale_at),
        };
        Ok(api::Alert {
            clock_ahead_s: alert.sender_ahead.map(|ahead| ahead.as_millis() / 1_000),
            senders: alert.senders.into_iter().map(sender).collect(),
            entity,
            observed_by,
            entity_rule,
            receipt: format!("{}/api/v1/alerts/{}/receipt", self.public_url, alert.fingerprint),
            environment: partition_of(partition)?.environment,
            fingerprint: alert.fingerprint.to_string(),
            source_fingerprint: alert.source_fingerprint,
            source: alert.source,
            name: alert.name,
            service: alert.service,
            status: alert.status,
            severity: alert.severity,
            labels: alert.labels.into(),
            annotations: alert.annotations.into(),
            starts_at,
            ends_at,
            first_seen_at: alert.first_seen_at,
            last_seen_at: alert.last_seen_at.max(repeats.last_at),
            occurrences: alert.messages + repeats.count,
            fired: alert.fired,
            incident: alert.incident.map(|id| id.to_string()),
            suppressed_until: alert.suppressed.as_ref().map(|held| held.until),
            suppressed_by: alert.suppressed.map(|held| held.by),
            flapping_until: alert.flapping_until,
            url: alert.url,
            revision: alert.revision,
        })
    }

    /// A page of alerts, newest first.
    pub(crate) fn alerts(&self, filter: &AlertFilter, asked: &PageBounds) -> Result<Page<api::Alert>, Problem> {
        let pick = |id: &str, _| self.pick_alert(filter, id);
        let incident = match &filter.incident {
            Some(id) => Some(self.find_incident(Some(id))?),
            None => None,
        };
        let is_member = |id: &str| match &incident {
            Some(incident) => self.is_member(incident, id),
            None => Ok(true),
        };
        let named = self.candidates(filter)?;
        Ok(match (named, &incident) {
            (Some(candidates), _) => {
                let candidates = candidates.into_iter().map(Ok);
                self.picked(candidates, asked, |id, at| if is_member(id)? { pick(id, at) } else { Ok(None) })?
            }
            (None, Some(incident)) => {
                let mut before = None;
                let joined = self.store.about(MentionIndex::AlertsOf, incident, self.at).rev();
                let joined = joined.map(|mention| mention.and_then(|one| Ok((one.position, self.noted(&one.value)?))));
                // One that left and came back stands there twice.
                let once = joined.filter(|entry| match entry {
                    Ok((position, _)) => before.replace(*position) != Some(*position),
                    Err(_) => true,
                });
                self.picked(once, asked, |id, at| if is_member(id)? { pick(id, at) } else { Ok(None) })?
            }
            (None, None) => self.newest(List::Alerts, asked, pick)?,
        })
    }

    /// Whether an alert is one of an incident's, as of the position.
    pub(crate) fn is_member(&self, incident: &str, fingerprint: &str) -> Result<bool, Error> {
        let member = self.store.document(DocumentKind::Member, &keys::member(incident, fingerprint), self.at)?;
        Ok(member.is_some_and(|member| !member.value.is_empty()))
    }

    fn pick_alert(&self, filter: &AlertFilter, id: &str) -> Result<Option<api::Alert>, Error> {
        let Some((partition, alert)) = self.alert_fold(id)? else {
            return Ok(None);
        };
        let has = |(name, value): &(String, String)| alert.labels.get(name).is_some_and(|known| known == value);
        let wanted = filter.name.as_ref().is_none_or(|name| *name == alert.name)
            && (filter.status.is_empty() || filter.status.contains(&alert.status))
            && filter.labels.iter().all(has)
            && filter.suppressed.is_none_or(|suppressed| suppressed == alert.suppressed.is_some());
        if wanted { self.show_alert(&partition, alert).map(Some) } else { Ok(None) }
    }

    /// The alerts that a filter names by a fingerprint or a name, newest first; `None` where it names none.
    fn candidates(&self, filter: &AlertFilter) -> Result<Option<Vec<(u64, String)>>, Problem> {
        let mut sets: Vec<Vec<String>> = Vec::new();
        if let Some(text) = &filter.fingerprint {
            sets.push(self.alerts_of(text)?);
        }
        if let Some(name) = &filter.name {
            sets.push(self.alerts_named(name)?);
        }
        let Some(first) = sets.first() else {
            return Ok(None);
        };
        let mut placed = Vec::new();
        for id in first.iter().filter(|id| sets.iter().skip(1).all(|set| set.contains(id))) {
            placed.extend(self.store.first(DocumentKind::Alert, id, self.at)?.map(|position| (position, id.clone())));
        }
        placed.sort_by(|a, b| b.cmp(a));
        placed.dedup();
        Ok(Some(placed))
    }
}
