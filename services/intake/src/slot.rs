//! What all chains of one writer share, and how an event of theirs is identified.

use hindcast_clock as clock;
use hindcast_domain::EventId;
use hindcast_events::NewEvent;
use hindcast_facts::NewFact;
use hindcast_ledger::port::Shared;
use hindcast_ledger::progress::LedgerProgress;
use hindcast_ledger::subject::Subject;

use crate::repeats::RepeatIndex;

/// Where the guarantee may be broken on purpose, so that its test can be seen to turn red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPoint {
    /// Nowhere.
    #[default]
    None,
    /// Requests are answered before the append.
    AcknowledgeBeforeAppend,
}

/// A slot of a ledger, as one process has it.
pub(crate) struct Slot {
    pub(crate) ledger: Shared,
    pub(crate) clock: clock::Shared,
    pub(crate) progress: LedgerProgress,
    /// A stable word, such as `door`.
    pub(crate) name: String,
    pub(crate) fail: FailPoint,
    /// What is known of alerts that fire, where repeats are gathered.
    pub(crate) repeats: Option<RepeatIndex>,
}

pub(crate) fn of_fact(new: NewFact) -> NewEvent {
    let NewFact { subject, actor, fact, traceparent } = new;
    NewEvent { subject, actor, event: fact.into_event(), traceparent }
}

/// The id of an intake event: a hash of its ledger, writer, counter and index.
#[must_use]
pub fn event_id(ledger: &str, subject: &Subject, counter: u64, index: usize) -> EventId {
    let subject = subject.to_string();
    EventId::derive(&[ledger.as_bytes(), subject.as_bytes(), &counter.to_be_bytes(), &index.to_be_bytes()])
}
