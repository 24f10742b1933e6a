//! The ledger's events: single ones, lists of them, and what became of a command.

use hindcast_api as api;
use hindcast_api::{Code, EventKind, Page, Problem};
use hindcast_domain::command;
use hindcast_domain::{ConversationId, Event, EventId, FindingId, ProposalId, Time};
use hindcast_events::upcast;
use hindcast_ledger::commit;
use hindcast_queries::{CommandOutcome, EventFilter};

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::store::Mention;
use crate::store::event::{EventHead, LedgerEvent};
use crate::store::keys::{MentionIndex, PackedIndex};

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
        event.shown(event.recorded_at(|seq| self.store.recorded_at(seq))?)
    }

    /// A page of events, oldest first.
    pub(crate) fn events(&self, filter: &EventFilter, asked: &PageBounds) -> Result<Page<api::Event>, Problem> {
        let from = asked.after.map_or(0, |after| after + 1).max(filter.from.unwrap_or(0));
        let to = filter.to.map_or(self.at, |to| to.min(self.at));
        if from > to {
            return Ok(self.cut(Vec::new(), None));
        }
        let wanted = |event: &LedgerEvent, head: &EventHead<'_>| {
            filter.kind.as_deref().is_none_or(|kind| event.is_kind(head, kind))
                && filter.subject.as_deref().is_none_or(|subject| head.subject == subject)
        };
        // What has no document is found by its subject, what was made for an incident by the incident, and types by
        // their own index.
        let made_for = filter.incident.as_deref().map(|id| (MentionIndex::MadeFor, id));
        let own = filter.subject.as_deref().filter(|subject| is_indexed(subject)).map(|id| (MentionIndex::Subject, id));
        let page = match (made_for.or(own), filter.kind.as_deref()) {
            (Some((about, id)), _) => {
                let positions = positions(self.store.about_from(about, id, from, to));
                self.gather(self.at_each(positions), asked, wanted)?
            }
            (None, Some(kind)) if !indexed_types(kind).is_empty() => {
                let types = indexed_types(kind).into_iter();
                let each = types.map(|kind| positions(self.store.packed(PackedIndex::Type, kind, from, to)).peekable());
                self.gather(self.at_each(merged(each.collect())), asked, wanted)?
            }
            _ => self.gather(self.events.between(from, to), asked, wanted)?,
        };
        Ok(page)
    }

    fn at_each(
        &self,
        positions: impl Iterator<Item = Result<u64, Error>>,
    ) -> impl Iterator<Item = Result<LedgerEvent, Error>> {
        positions.filter_map(|position| match position {
            Ok(position) => self.events.at(position).transpose(),
            Err(error) => Some(Err(error)),
        })
    }

    fn gather(
        &self,
        events: impl Iterator<Item = Result<LedgerEvent, Error>>,
        asked: &PageBounds,
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
        for mention in self.store.about(MentionIndex::Caused, command.as_str(), self.at) {
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
        let Some(mention) = self.store.about(MentionIndex::Key, key, self.at).next() else {
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

/// The types that a filter's word means: a whole type, or those of a family. None for the two kinds that events are
/// of, which nearly every event is.
fn indexed_types(word: &str) -> Vec<&str> {
    if word.contains('.') {
        return vec![word];
    }
    if [EventKind::Intake, EventKind::Decision].iter().any(|kind| *kind == *word) {
        return Vec::new();
    }
    upcast::types().filter(|kind| kind.split('.').next() == Some(word)).collect()
}

fn positions(mentions: impl Iterator<Item = Result<Mention, Error>>) -> impl Iterator<Item = Result<u64, Error>> {
    mentions.map(|mention| mention.map(|mention| mention.position))
}

/// Positions of several indexes in one order; an error comes at once.
fn merged<I: Iterator<Item = Result<u64, Error>>>(
    mut each: Vec<std::iter::Peekable<I>>,
) -> impl Iterator<Item = Result<u64, Error>> {
    std::iter::from_fn(move || {
        let first = |one: &mut std::iter::Peekable<I>| match one.peek() {
            Some(Ok(position)) => Some(*position),
            Some(Err(_)) => Some(0),
            None => None,
        };
        let least = each.iter_mut().enumerate().filter_map(|(at, one)| Some((first(one)?, at))).min()?;
        each.get_mut(least.1)?.next()
    })
}
