//! Appending facts, and nothing but facts.
//!
//! The one contract of this crate: *what is appended here is no command.* A copilot, a detector or a trainer holds a
//! [`FactsWriter`]; it takes [`NewFact`]s, whose payload is a [`Fact`], and a [`Fact`] cannot be made from a command.
//! Commands are appended by `hindcast_intake::CommandWriter`, in another crate, and the architecture test says which
//! crates may name that one. The console answers people's commands and also asks the copilot: it has both writers,
//! and gives the copilot neither.
//!
//! It refuses to know which ledger the facts lie in, or how a commit is made.

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_domain::fact::Fact;
use hindcast_domain::{EventId, Partition};

/// A fact that is about to be appended; it gets its id, its time and its position from the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFact {
    /// The id of the aggregate or thing that it is about.
    pub subject: String,
    /// Who saw it: `system`, a source, or a person.
    pub actor: String,
    /// What was seen.
    pub fact: Fact,
    /// W3C trace context of the request, if it had one.
    pub traceparent: Option<String>,
}

impl NewFact {
    /// A fact without a trace context.
    pub fn new(subject: impl Into<String>, actor: impl Into<String>, fact: impl Into<Fact>) -> Self {
        Self { subject: subject.into(), actor: actor.into(), fact: fact.into(), traceparent: None }
    }
}

/// Where the events of one request lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of each event, in the order of the request.
    pub positions: Vec<u64>,
    /// The id of each event, in the order of the request.
    pub ids: Vec<EventId>,
}

impl Appended {
    /// The position of the last event; 0 where there was none.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.positions.last().copied().unwrap_or(0)
    }
}

/// Why a request's events are not known to be durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// So many requests wait that this one is turned away; nothing of it was written.
    #[error("too many requests wait for the ledger")]
    Busy,
    /// One event alone is over a commit's limit.
    #[error("one event of {0} bytes is over the limit of a commit")]
    TooLarge(usize),
    /// The ledger cannot be appended to now, for the reason given.
    #[error("the ledger takes nothing now: {0}")]
    Unavailable(String),
    /// The process stops and appends nothing more.
    #[error("the writer has stopped")]
    Stopped,
}

/// What appends facts to a ledger. `hindcast-intake` implements it.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Appends facts of one request in order, and answers once the last of them is durable.
    ///
    /// # Errors
    /// When they are not known to be durable: the caller has to try again.
    async fn append(&self, partition: &Partition, facts: Vec<NewFact>) -> Result<Appended, SubmitError>;
}

/// Appends facts. Cheap to clone; all clones share their commits.
///
/// A fact is taken:
/// ```
/// use hindcast_domain::event::DoorOpened;
/// use hindcast_facts::NewFact;
/// let opened = NewFact::new("door", "system", DoorOpened { version: "1.0.0".to_owned() });
/// assert_eq!(opened.subject, "door");
/// ```
///
/// A command is not: this does not compile.
/// ```compile_fail,E0277
/// use hindcast_domain::{Partition, command::Received};
/// use hindcast_facts::{FactsWriter, NewFact};
/// async fn act(writer: &FactsWriter, partition: &Partition, command: Received) {
///     let _ = writer.submit(partition, vec![NewFact::new("incident", "a model", command)]).await;
/// }
/// ```
#[derive(Clone)]
pub struct FactsWriter(Arc<dyn Sink>);

impl FactsWriter {
    /// A writer over what appends.
    #[must_use]
    pub fn over(sink: Arc<dyn Sink>) -> Self {
        Self(sink)
    }

    /// Appends facts of one request in order, and answers once the last of them is durable.
    ///
    /// # Errors
    /// When they are not known to be durable: the caller has to try again.
    pub async fn submit(&self, partition: &Partition, facts: Vec<NewFact>) -> Result<Appended, SubmitError> {
        self.0.append(partition, facts).await
    }
}
