//! The handle that appends commands. Whoever has one can act on incidents, silences and models.

use hindcast_domain::command::Received;
use hindcast_domain::{Event, Partition};
use hindcast_events::NewEvent;
use hindcast_facts::{Appended, NewFact, SubmitError};

use crate::slot::of_fact;
use crate::writer::IntakeWriter;

/// A command that is about to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCommand {
    /// The id of the aggregate that it is about.
    pub subject: String,
    /// The person, or the system, that asks for it.
    pub actor: String,
    /// What is asked for, with its idempotency key.
    pub command: Received,
    /// W3C trace context of the request, if it had one.
    pub traceparent: Option<String>,
}

/// Appends commands. Cheap to clone; all clones share their commits with the facts of the same slot.
///
/// A crate can name this type only with an edge to `hindcast-intake`, which the architecture test grants by name.
#[derive(Clone)]
pub struct CommandWriter(IntakeWriter);

impl IntakeWriter {
    /// A handle that appends commands, and the facts that they follow from.
    #[must_use]
    pub fn commands(&self) -> CommandWriter {
        CommandWriter(self.clone())
    }
}

impl CommandWriter {
    /// Appends one command and answers once it is durable; what its lane decides about it comes later.
    ///
    /// # Errors
    /// When it is not known to be durable: the caller has to try again, with the same key.
    pub async fn submit(&self, partition: &Partition, command: NewCommand) -> Result<Appended, SubmitError> {
        self.submit_after(partition, Vec::new(), command).await
    }

    /// The same, behind the facts that it follows from, in one commit: both are durable, or neither is.
    ///
    /// # Errors
    /// When they are not known to be durable: the caller has to try again, with the same key.
    pub async fn submit_after(
        &self,
        partition: &Partition,
        facts: Vec<NewFact>,
        command: NewCommand,
    ) -> Result<Appended, SubmitError> {
        let NewCommand { subject, actor, command, traceparent } = command;
        let command = NewEvent { subject, actor, event: Event::Command(command), traceparent };
        let events = facts.into_iter().map(of_fact).chain([command]).collect();
        self.0.submit(partition, events).await
    }
}
