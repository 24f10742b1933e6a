//! The ledger's events: single ones, lists of them, and what became of a command.

use hindcast_api as api;
use hindcast_api::{Code, Page, Problem};
use hindcast_domain::command;
use hindcast_domain::{ConversationId, Event, EventId, FindingId, ProposalId, Time};
use hindcast_ledger::commit;
use hindcast_queries::{CommandOutcome, EventFilter};

use super::{Asked, Reader};
use crate::error::Error;
use crate::store::event::{EventHead, LedgerEvent};
use crate::store::keys::About;

impl Reader {
    /// One event, by its id or a unique prefix.
    pub(crate) fn event(&self, text: &str) -> Result<api::Event, Problem> {
        let position = self.find_event(text)?;
        let event = self.events.at(position)?;
        let missing = || Problem::new(Code::NotFound, format!("expected an event, found none for {text:?}"));
        Ok(self.shown(&event.ok_or_else(missing)?)?)
    }

    /// When the position that is read was recorded; the beginning of time in an empty ledger.
    pub(crate) fn recorded_at(&self) -> Result<Time, Error> {
        let recorded_at = self.store.recorded_at(commit::seq_of(self.at))?;
        Ok(recorded_at.map_or(Time::ZERO, Time::from_nanos))
    }

    fn shown(&self, event: &LedgerEvent) -> Result<api::Event, Error> {
        let recorded_at = self.store.recorded_at(event.seq())?;
        event.shown(recorded_at.map_or(Time::ZERO, Time::from_nanos))
    }

    /// A page of events, oldest first.
    pub(crate) fn events(&self, filter: &EventFilter, asked: &Asked) -> Result<Page<api::Event>, Problem> {
        let from = asked.after.map_or(0, |after| after + 1).max(filter.from.unwrap_or(0));
        let to = filter.to.map_or(self.at, |to| to.min(self.at));
        if from > to {
            return Ok(self.cut(Vec::new(), None));
        }
        let wanted = |event: &LedgerEvent, head: &EventHead<'_>| {
            filter.kind.as_deref().is_none_or(|kind| event.is_kind(head, kind))
                && filter.subject.as_deref().is_none_or(|subject| head.subject == subject)
        };
        // A whole type has an index of its own, and so has what has no document.
        let whole = filter.kind.as_deref().filter(|kind| kind.contains('.')).map(|kind| (About::Type, kind));
        let own = filter.subject.as_deref().filter(|subject| is_indexed(subject)).map(|id| (About::Subject, id));
        let page = match own.or(whole) {
            Some((about, id)) => {
                let mentions = self.store.about_from(about, id, from, to);
                let read = mentions.filter_map(|mention| match mention {
                    Ok(mention) => self.events.at(mention.position).transpose(),
                    Err(error) => Some(Err(error)),
                });
                self.gather(read, asked, wanted)?
            }
            None => self.gather(self.events.between(from, to), asked, wanted)?,
        };
        Ok(page)
    }

    fn gather(
        &self,
        events: impl Iterator<Item = Result<LedgerEvent, Error>>,
        asked: &Asked,
        wanted: impl Fn(&LedgerEvent, &EventHead<'_>) -> bool,
    ) -> Result<Page<api::Event>, Error> {
        let mut found = Vec::new();
        let mut last = 0;
        for entry in events {
            let event = entry?;
            if !wanted(&event, &event.head()?) {
                continue;
            }
            if found.len() == asked.limit {
                return Ok(self.cut(found, Some(last)));
            }
            found.push(self.shown(&event)?);
            last = event.position();
        }
        Ok(self.cut(found, None))
    }

    /// What became of a command; `None` while nothing follows from it.
    pub(crate) fn outcome(&self, command: &EventId) -> Result<Option<CommandOutcome>, Error> {
        let mut subjects = Vec::new();
        let mut last = 0;
        let mut refused = None;
        for mention in self.store.about(About::Caused, command.as_str(), self.at) {
            let Some(recorded) = self.recorded(mention?.position)? else {
                continue;
            };
            match recorded.event {
                Event::CommandRejected(rejected) => refused = Some(rejected),
                _ => {
                    subjects.push(recorded.subject);
                    last = recorded.position;
                }
            }
        }
        Ok(match (subjects.is_empty(), refused) {
            (false, _) => Some(CommandOutcome::Accepted { subjects, position: last }),
            (true, Some(rejected)) => Some(CommandOutcome::Rejected(rejected)),
            (true, None) => None,
        })
    }

    /// The first command of an idempotency key.
    pub(crate) fn command_by_key(&self, key: &str) -> Result<Option<(EventId, command::Received)>, Error> {
        let Some(mention) = self.store.about(About::Key, key, self.at).next() else {
            return Ok(None);
        };
        let recorded = self.recorded(mention?.position)?;
        Ok(recorded.and_then(|recorded| match recorded.event {
            Event::Command(received) => Some((recorded.id, received)),
            _ => None,
        }))
    }
}

/// Whether events of a subject are found by it.
fn is_indexed(subject: &str) -> bool {
    [ConversationId::PREFIX, ProposalId::PREFIX, FindingId::PREFIX].iter().any(|prefix| subject.starts_with(prefix))
}
