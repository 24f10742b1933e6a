//! What is owed by name: one duty for each stretch of firing at a paging severity, until a message names it.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::{Fingerprint, Severity, Time};

/// In what a stretch of firing is new to whoever acknowledged its incident, so that a page is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NewToCarer {
    /// Nothing of its kind was there before.
    pub(crate) kind: bool,
    /// Nothing of its entity was.
    pub(crate) entity: bool,
    /// Nothing was as bad.
    pub(crate) worse: bool,
}

impl NewToCarer {
    pub(crate) const fn is_any(self) -> bool {
        self.kind || self.entity || self.worse
    }
}

/// A stretch of firing that people are to be told of.
#[derive(Clone, Debug)]
pub(crate) struct NamingDuty {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) name: String,
    pub(crate) severity: Severity,
    pub(crate) began: Time,
    pub(crate) ended: bool,
    pub(crate) entity: String,
    /// What of it no page has said yet.
    pub(crate) new: NewToCarer,
    pub(crate) named: bool,
}

/// All open duties.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamingDuties {
    open: BTreeMap<u64, NamingDuty>,
    by_alert: BTreeMap<Fingerprint, BTreeSet<u64>>,
    /// Those of which a page is owed, or was.
    by_page: BTreeSet<u64>,
    due: BTreeSet<(Time, u64)>,
    next: u64,
}

impl NamingDuties {
    /// Opens a duty that is looked at when `due` has passed.
    pub(crate) fn owe(&mut self, duty: NamingDuty, due: Time) {
        let id = self.next;
        self.next += 1;
        self.by_alert.entry(duty.fingerprint.clone()).or_default().insert(id);
        self.open.insert(id, duty);
        self.due.insert((due, id));
    }

    /// The first duty that is due before `now`.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(Time, u64)> {
        let first = self.due.first().filter(|(due, _)| *due < now).copied()?;
        self.due.remove(&first);
        self.open.contains_key(&first.1).then_some(first).or_else(|| self.pop(now))
    }

    /// Looks at it again later.
    pub(crate) fn later(&mut self, id: u64, due: Time) {
        self.due.insert((due, id));
    }

    pub(crate) fn get(&self, id: u64) -> Option<&NamingDuty> {
        self.open.get(&id)
    }

    /// Closes a duty.
    pub(crate) fn close(&mut self, id: u64) -> Option<NamingDuty> {
        let duty = self.open.remove(&id)?;
        self.by_page.remove(&id);
        if let Some(ids) = self.by_alert.get_mut(&duty.fingerprint) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_alert.remove(&duty.fingerprint);
            }
        }
        Some(duty)
    }

    /// The open duties of an alert.
    pub(crate) fn of(&self, fingerprint: &Fingerprint) -> Vec<u64> {
        self.by_alert.get(fingerprint).into_iter().flatten().copied().collect()
    }

    /// Says that a page is owed.
    pub(crate) fn needs_page(&mut self, id: u64, new: NewToCarer) {
        if let Some(duty) = self.open.get_mut(&id).filter(|duty| !duty.ended) {
            let had = duty.new;
            duty.new = NewToCarer {
                kind: had.kind || new.kind,
                entity: had.entity || new.entity,
                worse: had.worse || new.worse,
            };
            self.by_page.insert(id);
        }
    }

    /// The open duties of which a page is owed, or was.
    pub(crate) fn of_page(&self) -> Vec<u64> {
        self.by_page.iter().copied().collect()
    }

    pub(crate) fn of_mut(&mut self, id: u64) -> Option<&mut NamingDuty> {
        self.open.get_mut(&id)
    }

    /// All open duties.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &NamingDuty)> {
        self.open.iter().map(|(id, duty)| (*id, duty))
    }
}
