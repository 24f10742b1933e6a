//! Readers: every answer as of a position. A reader owns its position and nothing else; it refuses to look
//! at the folds in memory, so that an answer about now and one about last week take the same way.

pub(crate) mod alerts;
pub(crate) mod events;
pub(crate) mod find;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod labels;
pub(crate) mod lists;
pub(crate) mod models;
pub(crate) mod receipt;
pub(crate) mod repeats;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod timeline;
pub(crate) mod why;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_api::{AsOf, Code, Cursor, LIMIT_DEFAULT, LIMIT_MAX, Page, Problem};
use hindcast_domain::event::Recorded;
use hindcast_domain::{Event, Time};
use hindcast_queries::Window;

use crate::error::Error;
use crate::project::repeats::{CountedRepeat, SharedRepeats};
use crate::store::Store;
use crate::store::event::LedgerEvents;
use crate::store::keys::{DocumentKind, List};
use crate::words::{self, Names};

/// What every reader needs.
#[derive(Clone)]
pub(crate) struct ReadContext {
    pub(crate) store: Store,
    pub(crate) events: LedgerEvents,
    /// Repeats that were counted lately.
    pub(crate) recent: SharedRepeats,
    /// What stands before the path of a link.
    pub(crate) public_url: String,
    /// The position that was reached.
    pub(crate) reached: u64,
    /// Shows what is later too: the guarantee broken on purpose.
    pub(crate) show_later: bool,
}

/// A reader as of a position.
pub(crate) struct Reader {
    pub(crate) store: Store,
    pub(crate) events: LedgerEvents,
    /// Repeats that were counted lately.
    recent: SharedRepeats,
    /// Repeats of the past that are in no document as of `at`, once asked.
    batches: RefCell<Option<Vec<CountedRepeat>>>,
    /// What stands before the path of a link.
    pub(crate) public_url: String,
    /// Nothing that became known later is shown.
    pub(crate) at: u64,
    /// What alerts are called, once asked.
    called: RefCell<BTreeMap<String, String>>,
}

/// A list's page as it was asked for.
pub(crate) struct PageBounds {
    /// Items at most.
    pub(crate) limit: usize,
    /// The key behind which it begins.
    pub(crate) after: Option<u64>,
}

impl ReadContext {
    /// The position that `as_of` means, and whether a later commit may still fall under it.
    pub(crate) fn resolve(&self, as_of: Option<AsOf>) -> Result<(u64, bool), Error> {
        if self.show_later {
            return Ok((self.reached, false));
        }
        Ok(match as_of {
            None => (self.reached, false),
            Some(AsOf::Position(position)) => (position.min(self.reached), false),
            Some(AsOf::Time(time)) => {
                // What is being projected right now is no part of an answer.
                let known = self.store.known_at(time.nanos())?.unwrap_or(0);
                (known.min(self.reached), known >= self.reached)
            }
        })
    }

    pub(crate) fn reader(&self, as_of: Option<AsOf>) -> Result<Reader, Error> {
        Ok(self.at(self.resolve(as_of)?.0))
    }

    /// A reader as of a position.
    pub(crate) fn at(&self, at: u64) -> Reader {
        let called = RefCell::default();
        Reader {
            store: self.store.clone(),
            events: self.events.clone(),
            recent: Arc::clone(&self.recent),
            batches: RefCell::default(),
            public_url: self.public_url.clone(),
            at,
            called,
        }
    }

    /// A reader for a page of a list: a cursor stays at the position of its first page.
    pub(crate) fn page(&self, window: &Window) -> Result<(Reader, PageBounds), Problem> {
        let limit = window.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::new(Code::BadLimit, format!("expected a limit of 1 to {LIMIT_MAX}, got {limit}")));
        }
        let Some(cursor) = &window.cursor else {
            return Ok((self.reader(window.as_of)?, PageBounds { limit, after: None }));
        };
        let cursor = Cursor::decode(cursor)?;
        let bad = |_| Problem::new(Code::BadCursor, "expected a cursor that this list gave");
        let after = cursor.after.parse().map_err(bad)?;
        Ok((self.reader(Some(AsOf::Position(cursor.position)))?, PageBounds { limit, after: Some(after) }))
    }
}

impl Reader {
    /// A page of a list, newest first. `pick` makes an item of an id, or passes it over.
    pub(crate) fn newest<T>(
        &self,
        list: List,
        asked: &PageBounds,
        pick: impl FnMut(&str, u64) -> Result<Option<T>, Error>,
    ) -> Result<Page<T>, Error> {
        self.picked(self.store.list(list, self.at, asked.after), asked, pick)
    }

    /// A page of entries that come newest first: (position, id).
    pub(crate) fn picked<T>(
        &self,
        entries: impl Iterator<Item = Result<(u64, String), Error>>,
        asked: &PageBounds,
        mut pick: impl FnMut(&str, u64) -> Result<Option<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let mut found = Vec::new();
        let mut last = 0;
        for entry in entries {
            let (position, id) = entry?;
            if asked.after.is_some_and(|after| position >= after) {
                continue;
            }
            let Some(item) = pick(&id, position)? else {
                continue;
            };
            if found.len() == asked.limit {
                return Ok(self.cut(found, Some(last)));
            }
            found.push(item);
            last = position;
        }
        Ok(self.cut(found, None))
    }

    /// A page, with the cursor of the next one behind `last`.
    pub(crate) fn cut<T>(&self, items: Vec<T>, last: Option<u64>) -> Page<T> {
        let next = last.map(|last| Cursor { position: self.at, after: last.to_string() }.encode());
        Page { items, next, position: self.at }
    }

    /// An event with its place, as it was recorded; `None` where it is of a type that is not known here.
    pub(crate) fn recorded(&self, position: u64) -> Result<Option<Recorded>, Error> {
        match self.events.at(position)? {
            Some(event) => event.recorded(),
            None => Ok(None),
        }
    }

    /// The position of an event, by its whole id.
    pub(crate) fn position_of(&self, id: &str) -> Result<Option<u64>, Error> {
        Ok(self.store.events_by_id(id, self.at, 1)?.first().copied())
    }

    /// An event in plain words.
    pub(crate) fn say(&self, recorded: &Recorded) -> Result<String, Error> {
        if let Event::NoticeDelivered(delivered) = &recorded.event {
            let asked_at = self.notice_at(&recorded.subject)?;
            return Ok(words::delivered(delivered, asked_at.map(|at| recorded.time.since(at))));
        }
        Ok(words::line(&recorded.event, &recorded.subject, &recorded.actor, self))
    }

    fn notice_at(&self, id: &str) -> Result<Option<Time>, Error> {
        let Some(document) = self.store.document(DocumentKind::Notice, id, self.at)? else {
            return Ok(None);
        };
        let (_, notice) = document.read::<hindcast_domain::notice::Notice>("a notice")?;
        Ok(Some(notice.at))
    }

    fn call(&self, fingerprint: &str) -> Result<String, Error> {
        let Some(document) = self.store.document(DocumentKind::Alert, fingerprint, self.at)? else {
            return Ok(fingerprint.to_owned());
        };
        let (_, alert) = document.read::<hindcast_domain::alert::Alert>("an alert")?;
        Ok(match &alert.service {
            Some(service) => format!("{service}: {}", alert.name),
            None => alert.name,
        })
    }
}

impl Names for Reader {
    fn alert(&self, fingerprint: &str) -> String {
        if let Some(known) = self.called.borrow().get(fingerprint) {
            return known.clone();
        }
        let name = self.call(fingerprint).unwrap_or_else(|error| {
            tracing::warn!(%error, "an alert's name cannot be read");
            fingerprint.to_owned()
        });
        self.called.borrow_mut().insert(fingerprint.to_owned(), name.clone());
        name
    }
}
