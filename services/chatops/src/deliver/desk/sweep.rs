//! What the desk forgets: incidents that ended long ago, and what was said long ago about none.

use hindcast_domain::chat::Message;
use hindcast_domain::{MessageId, Time};

use super::Desk;
use crate::state::KEPT;

impl Desk {
    /// Drops incidents that ended long ago, with their messages, and what was said long ago about none.
    pub(super) fn sweep(&mut self, now: Time) {
        let seen = &self.seen;
        self.incidents.retain(|id, tracked| seen.incident(&tracked.partition, id).is_some());
        let incidents = &self.incidents;
        let kept = |message: &Message| match &message.requested.incident {
            Some(incident) => incidents.contains_key(incident) || now.since(message.at) <= KEPT,
            None => now.since(message.at) <= KEPT,
        };
        self.messages.0.retain(|_, message| kept(message));
        let messages = &self.messages.0;
        let known = |id: &MessageId| messages.contains_key(id);
        self.gone.retain(|id| known(id));
        self.todo.retain(|id| known(id));
        self.failures.retain(|id, _| known(id));
        self.checked.retain(|id, _| known(id));
        self.pending.retain(|id, _| known(id));
        self.places.retain(|id, _| known(id));
        self.homes.retain(|_, incident| incidents.contains_key(incident));
        let questions = &self.questions;
        self.questions_in_order.retain(|id| questions.contains_key(id));
    }
}
