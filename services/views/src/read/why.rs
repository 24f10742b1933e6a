//! What holds an incident together, and what was kept out of it.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_api::{Citation, Why, WhyKeptOut, WhyMember};
use hindcast_domain::Event;
use hindcast_domain::event::Recorded;

use super::Reader;
use crate::error::Error;
use crate::limits::{CONSIDERED_READ_MAX, KEPT_OUT_MAX, LOOK_BACK_EVENTS_MAX};
use crate::project::load::read_member;
use crate::project::tally::StoredMember;
use crate::project::write::grouping;
use crate::store::keys::{self, DocumentKind, MentionIndex, PackedIndex};
use crate::words;

impl Reader {
    /// Of an incident, by its whole id.
    pub(crate) fn why(&self, id: &str) -> Result<Why, Error> {
        let mut members = Vec::new();
        for (fingerprint, member) in self.members(id)? {
            members.extend(self.why_member(&fingerprint, &member)?);
        }
        members.sort_by(|a: &WhyMember, b| (a.position, &a.fingerprint).cmp(&(b.position, &b.fingerprint)));
        Ok(Why { incident: id.to_owned(), members, kept_out: self.kept_out(id)?, position: self.at })
    }

    /// Of some alerts of an incident, by its whole id and their fingerprints.
    pub(crate) fn why_of(&self, id: &str, alerts: &[String]) -> Result<Why, Error> {
        let mut members = Vec::new();
        for fingerprint in alerts {
            let member = keys::member(id, fingerprint);
            let Some(document) = self.store.document(DocumentKind::Member, &member, self.at)? else { continue };
            if let Some((fingerprint, stored)) = read_member(&member, &document.value)? {
                members.extend(self.why_member(fingerprint.as_str(), &stored)?);
            }
        }
        members.sort_by(|a: &WhyMember, b| (a.position, &a.fingerprint).cmp(&(b.position, &b.fingerprint)));
        Ok(Why { incident: id.to_owned(), members, kept_out: self.kept_out(id)?, position: self.at })
    }

    /// The events by which some alerts of an incident came into it. Most are found by their place alone; only what came
    /// by a merge, a split or once more is read.
    pub(crate) fn joined(&self, id: &str, alerts: &[String]) -> Result<BTreeMap<String, Citation>, Error> {
        let mut joined = BTreeMap::new();
        for fingerprint in alerts {
            let member = keys::member(id, fingerprint);
            let Some(document) = self.store.document(DocumentKind::Member, &member, self.at)? else { continue };
            let Some((_, stored)) = read_member(&member, &document.value)? else { continue };
            let event = stored.member.event.as_str();
            let cited = match self.position_of(event)? {
                Some(position) if self.store.tells_grouping(position)? => {
                    Some(Citation { event: event.to_owned(), position })
                }
                Some(_) => self
                    .why_member(fingerprint, &stored)?
                    .map(|member| Citation { event: member.event, position: member.position }),
                None => None,
            };
            joined.extend(cited.map(|cited| (fingerprint.clone(), cited)));
        }
        Ok(joined)
    }

    fn why_member(&self, fingerprint: &str, member: &StoredMember) -> Result<Option<WhyMember>, Error> {
        let Some(position) = self.position_of(member.member.event.as_str())? else {
            return Ok(None);
        };
        let Some(mut recorded) = self.recorded(position)? else {
            return Ok(None);
        };
        // A member that came back tells no reasons; those stand where it first came.
        if grouping(&recorded.event).is_none()
            && let Some(first) = self.joined_before(fingerprint, position)?
        {
            recorded = first;
        }
        let alert = self.alert_fold(fingerprint)?.map(|(_, alert)| alert);
        let ahead = alert.as_ref().and_then(|alert| Some((alert.source.as_str(), alert.sender_ahead?)));
        let clock = ahead.map(|(source, ahead)| hindcast_api::clock_in_words(source, ahead.as_millis() / 1_000));
        let service = alert.and_then(|alert| alert.service);
        Ok(Some(WhyMember {
            fingerprint: fingerprint.to_owned(),
            name: member.name.clone(),
            service,
            clock,
            text: self.say(&recorded)?,
            grouping: grouping(&recorded.event).cloned(),
            event: recorded.id.to_string(),
            position: recorded.position,
        }))
    }

    fn joined_before(&self, fingerprint: &str, before: u64) -> Result<Option<Recorded>, Error> {
        let mentions = self.store.about(MentionIndex::Receipt, fingerprint, self.at).rev();
        for mention in mentions.take(LOOK_BACK_EVENTS_MAX) {
            let position = mention?.position;
            if position < before
                && let Some(recorded) = self.recorded(position)?
                && grouping(&recorded.event).is_some()
            {
                return Ok(Some(recorded));
            }
        }
        Ok(None)
    }

    fn kept_out(&self, id: &str) -> Result<Vec<WhyKeptOut>, Error> {
        // The newest word on each alert counts.
        let mut kept: BTreeMap<String, WhyKeptOut> = BTreeMap::new();
        for mention in self.store.packed(PackedIndex::Considered, id, 0, self.at).rev().take(CONSIDERED_READ_MAX) {
            if kept.len() == KEPT_OUT_MAX {
                break;
            }
            let Some(recorded) = self.recorded(mention?.position)? else {
                continue;
            };
            let fingerprint = match &recorded.event {
                Event::IncidentOpened(opened) => opened.fingerprint.to_string(),
                Event::IncidentAlertJoined(joined) => joined.fingerprint.to_string(),
                Event::IncidentDeclared(_)
                | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, lineage, incident_status, care } =>
                {
                    continue;
                }
            };
            let Some((_, alert)) = self.alert_fold(&fingerprint)? else {
                continue;
            };
            let here = alert.incident.as_ref().is_some_and(|home| home.as_str() == id);
            let grouping = grouping(&recorded.event);
            let found = grouping.and_then(|g| g.considered.iter().find(|c| c.incident.as_str() == id).map(|c| (c, g)));
            if let Some((considered, grouping)) = found.filter(|_| !here && !kept.contains_key(&fingerprint)) {
                let entry = WhyKeptOut {
                    fingerprint: fingerprint.clone(),
                    name: alert.name,
                    score: words::score(considered.score),
                    text: words::kept_out(considered, grouping.threshold),
                    incident: alert.incident.map(|id| id.to_string()),
                    event: recorded.id.to_string(),
                    position: recorded.position,
                };
                kept.insert(fingerprint, entry);
            }
        }
        let mut kept: Vec<_> = kept.into_values().collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.position));
        Ok(kept)
    }
}
