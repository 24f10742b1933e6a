//! The newest commands, by which what is decided is known to follow from one: only that is asked for later, so only that
//! is indexed. Owns the bound; refuses to know what a command says.

use std::collections::{BTreeSet, VecDeque};

use hindcast_domain::EventId;

use crate::limits::COMMANDS_MAX;

/// Commands, the oldest let go.
#[derive(Debug, Default)]
pub(super) struct NewestCommands {
    ids: BTreeSet<EventId>,
    oldest_first: VecDeque<EventId>,
}

impl NewestCommands {
    /// Notes a command.
    pub(super) fn note(&mut self, id: EventId) {
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.oldest_first.push_back(id);
        if self.oldest_first.len() > COMMANDS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Whether an event is a command.
    pub(super) fn contains(&self, id: &EventId) -> bool {
        self.ids.contains(id)
    }
}
