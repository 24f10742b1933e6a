//! Silences, notices, parked items and configuration sections, as the API shows them.

use hindcast_api as api;
use hindcast_api::{Page, Problem};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Configured;
use hindcast_domain::notice::Notice;
use hindcast_domain::silence::Silence;
use hindcast_domain::words::ParkedStatus;
use hindcast_queries::NoticeFilter;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::project::open::is_open;
use crate::store::keys::{self, DocumentKind, List, MentionIndex, OPEN_NOTICES};

impl Reader {
    /// A silence, by its whole id.
    pub(crate) fn silence(&self, id: &str) -> Result<Option<api::Silence>, Error> {
        let Some(document) = self.store.document(DocumentKind::Silence, id, self.at)? else {
            return Ok(None);
        };
        let (_, silence) = document.read::<Silence>("a silence")?;
        let created = match self.store.first(DocumentKind::Silence, id, self.at)? {
            Some(position) => self.id_at(position)?,
            None => String::new(),
        };
        Ok(Some(api::Silence {
            id: silence.id.to_string(),
            state: silence.state,
            terms: silence.terms,
            created_at: silence.created_at,
            updated_at: silence.updated_at,
            ended: silence.ended,
            event: created,
            revision: silence.revision,
            holds: None,
            matched: None,
        }))
    }

    fn id_at(&self, position: u64) -> Result<String, Error> {
        Ok(self.recorded(position)?.map(|recorded| recorded.id.to_string()).unwrap_or_default())
    }

    /// A page of silences, newest first.
    pub(crate) fn silences(&self, asked: &PageBounds) -> Result<Page<api::Silence>, Problem> {
        Ok(self.newest(List::Silences, asked, |id, _| self.silence(id))?)
    }

    /// A page of notices, newest first.
    pub(crate) fn notices(&self, filter: &NoticeFilter, asked: &PageBounds) -> Result<Page<api::Notice>, Problem> {
        let incident = match &filter.incident {
            Some(text) => Some(self.find_incident(Some(text))?),
            None => None,
        };
        let pick = |id: &str, position: u64| {
            let Some(document) = self.store.document(DocumentKind::Notice, id, self.at)? else {
                return Ok(None);
            };
            let (_, notice) = document.read::<Notice>("a notice")?;
            let about = notice.incident.as_ref().map(|id| id.as_str());
            let wanted = (incident.is_none() || incident.as_deref() == about)
                && (filter.status.is_empty() || filter.status.contains(&notice.status))
                && filter.page.is_none_or(|page| page == notice.page);
            Ok::<_, Error>(wanted.then(|| show_notice(notice, position)))
        };
        if let Some(incident) = &incident {
            let own = self.store.about(MentionIndex::NoticesOf, incident, self.at).rev();
            let own = own.map(|mention| mention.and_then(|own| Ok((own.position, self.noted(&own.value)?))));
            return Ok(self.picked(own, asked, pick)?);
        }
        let open_alone = !filter.status.is_empty() && filter.status.iter().all(|status| is_open(*status));
        let oldest = if open_alone { self.oldest_open_notice()? } else { Some(0) };
        let Some(oldest) = oldest else { return Ok(self.cut(Vec::new(), None)) };
        let list = self.store.list(List::Notices, self.at, asked.after);
        let list = list.take_while(|entry| entry.as_ref().map_or(true, |(position, _)| *position >= oldest));
        Ok(self.picked(list, asked, pick)?)
    }

    /// Where the oldest notice began that is still requested or held; `None` where there is none.
    fn oldest_open_notice(&self) -> Result<Option<u64>, Error> {
        let mark = self.store.document(DocumentKind::Mark, OPEN_NOTICES, self.at)?;
        Ok(mark.and_then(|mark| keys::tail(&mark.value)))
    }

    /// A parked item, by its event's whole id.
    pub(crate) fn parked_item(&self, id: &str) -> Result<Option<api::Parked>, Error> {
        let Some(document) = self.store.document(DocumentKind::Parked, id, self.at)? else {
            return Ok(None);
        };
        let (_, mut item) = document.read::<api::Parked>("a dead letter")?;
        if let Some(became) = self.store.document(DocumentKind::Unparked, id, self.at)? {
            item.status = self.noted(&became.value)?.into();
        }
        Ok(Some(item))
    }

    /// A page of parked items, newest first.
    pub(crate) fn parked(&self, open: bool, asked: &PageBounds) -> Result<Page<api::Parked>, Problem> {
        Ok(self.newest(List::Parked, asked, |id, _| {
            Ok(self.parked_item(id)?.filter(|item| !open || item.status == ParkedStatus::Parked))
        })?)
    }

    /// A configuration section in force.
    pub(crate) fn section(&self, name: &str) -> Result<Option<Configured>, Error> {
        let Some(document) = self.store.document(DocumentKind::Section, name, self.at)? else {
            return Ok(None);
        };
        Ok(Some(document.read::<Configured>("a configuration section")?.1))
    }

    /// The service catalogue in force; an empty one where none is.
    pub(crate) fn catalog(&self) -> Result<Catalog, Error> {
        let Some(section) = self.section("catalog")? else {
            return Ok(Catalog::default());
        };
        serde_json::from_value(section.content).map_err(|source| Error::Json { expected: "a catalogue", source })
    }
}

fn show_notice(notice: Notice, position: u64) -> api::Notice {
    api::Notice {
        id: notice.id.to_string(),
        status: notice.status,
        page: notice.page,
        reason: notice.reason,
        receiver: notice.receiver,
        incident: notice.incident.map(|id| id.to_string()),
        alert: notice.alert.map(|alert| alert.to_string()),
        severity: notice.severity,
        title: notice.title,
        why: notice.why,
        until: notice.until,
        at: notice.at,
        delivered_at: notice.delivered_at,
        attempts: notice.attempts,
        error: notice.error,
        event: notice.event.to_string(),
        position,
    }
}
