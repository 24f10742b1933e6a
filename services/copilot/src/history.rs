//! Conversations: which turn comes next, and what was said before. Owns that one conversation has one answer in
//! the making at a time; what was said is read back from the ledger, where it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hindcast_api::{Code, Event, Problem};
use hindcast_domain::ConversationId;
use hindcast_domain::conversation::{Answered, Asked};
use hindcast_queries::{EventFilter, Queries, Window};

use crate::evidence::cut;
use crate::limits::{
    CONVERSATION_EVENTS_MAX, CONVERSATIONS_KEPT_MAX, HISTORY_TURN_BYTES_MAX, HISTORY_TURNS_MAX, TURNS_MAX,
};

/// How long a turn waits for the views to have seen the turn before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// One earlier turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Earlier {
    pub(crate) turn: u32,
    /// The position that it was about.
    pub(crate) as_of: u64,
    pub(crate) question: String,
    pub(crate) incident: Option<String>,
    /// What was answered, in plain words; empty where nothing was.
    pub(crate) answer: String,
}

/// Conversations that this process has taken part in lately.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    state: Mutex<ConversationState>,
}

#[derive(Debug, Default)]
struct ConversationState {
    /// Those that are being answered.
    busy: BTreeSet<ConversationId>,
    /// The last turn and the position of its last event.
    last: BTreeMap<ConversationId, (u32, u64)>,
}

/// Keeps others out of a conversation until it is dropped.
pub(crate) struct Busy<'a> {
    of: &'a Conversations,
    id: ConversationId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.of.lock().busy.remove(&self.id);
    }
}

impl Conversations {
    fn lock(&self) -> std::sync::MutexGuard<'_, ConversationState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a conversation for one answer.
    pub(crate) fn take(&self, id: &ConversationId) -> Result<Busy<'_>, Problem> {
        if !self.lock().busy.insert(id.clone()) {
            let said = format!("a question of conversation {id} is being answered");
            return Err(Problem::new(Code::Conflict, said).remedy("Wait for that answer, or stop it."));
        }
        Ok(Busy { of: self, id: id.clone() })
    }

    /// The position of the last event that this process wrote for any of them.
    pub(crate) fn latest(&self) -> u64 {
        self.lock().last.values().map(|(_, position)| *position).max().unwrap_or(0)
    }

    /// Remembers how far a conversation came, until the views have seen it too.
    pub(crate) fn remember(&self, id: &ConversationId, turn: u32, position: u64) {
        let mut state = self.lock();
        if state.last.len() >= CONVERSATIONS_KEPT_MAX && !state.last.contains_key(id) {
            // The one that lies furthest back: the views have long seen it.
            let oldest = state.last.iter().min_by_key(|(_, (_, position))| *position).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| state.last.remove(&oldest));
        }
        state.last.insert(id.clone(), (turn, position));
    }

    /// The earlier turns of a conversation, and the number of the next one.
    pub(crate) async fn earlier(
        &self,
        queries: &dyn Queries,
        id: &ConversationId,
    ) -> Result<(Vec<Earlier>, u32), Problem> {
        let known = self.lock().last.get(id).copied();
        if let Some((_, position)) = known {
            seen(queries, position).await;
        }
        let turns = read(queries, id).await?;
        let last = turns.iter().map(|turn| turn.turn).max().unwrap_or(0).max(known.map_or(0, |(turn, _)| turn));
        if last >= TURNS_MAX {
            let said = format!("conversation {id} has {TURNS_MAX} turns, which is the most");
            return Err(Problem::new(Code::Conflict, said).remedy("Begin a new conversation."));
        }
        Ok((turns, last + 1))
    }
}

/// Waits for the views to reach a position; goes on without after a while.
pub(crate) async fn seen(queries: &dyn Queries, position: u64) {
    let mut reached = queries.position();
    let wait = reached.wait_for(|reached| *reached >= position);
    if !matches!(tokio::time::timeout(PATIENCE, wait).await, Ok(Ok(_))) {
        tracing::warn!(position, "the views have not seen the turn before this one");
    }
}

/// All events of a conversation, oldest first.
pub(crate) async fn events(queries: &dyn Queries, id: &ConversationId) -> Result<Vec<Event>, Problem> {
    let filter = || EventFilter { subject: Some(id.to_string()), ..EventFilter::default() };
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let window = Window { as_of: None, limit: Some(hindcast_api::LIMIT_MAX), cursor };
        let page = queries.events(filter(), window).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || found.len() >= CONVERSATION_EVENTS_MAX {
            return Ok(found);
        }
    }
}

async fn read(queries: &dyn Queries, id: &ConversationId) -> Result<Vec<Earlier>, Problem> {
    let mut turns: BTreeMap<u32, Earlier> = BTreeMap::new();
    for event in events(queries, id).await? {
        match event.event_type.as_str() {
            "conversation.asked" => {
                let Ok(asked) = serde_json::from_value::<Asked>(event.data) else { continue };
                let earlier = Earlier {
                    turn: asked.turn,
                    as_of: asked.as_of,
                    question: asked.question,
                    incident: asked.incident.map(|id| id.to_string()),
                    answer: String::new(),
                };
                turns.insert(asked.turn, earlier);
            }
            "conversation.answered" => {
                let Ok(answered) = serde_json::from_value::<Answered>(event.data) else { continue };
                if let Some(turn) = turns.get_mut(&answered.turn) {
                    turn.answer =
                        answered.answer.get("answer").and_then(|text| text.as_str()).unwrap_or_default().to_owned();
                }
            }
            _ => {}
        }
    }
    Ok(turns.into_values().collect())
}

/// What a prompt tells of earlier turns: the last ones, cut, and only those that were about no later moment.
pub(crate) fn told(turns: &[Earlier], position: u64) -> Vec<Earlier> {
    let mut told: Vec<Earlier> =
        turns.iter().rev().filter(|turn| turn.as_of <= position).take(HISTORY_TURNS_MAX).cloned().collect();
    told.reverse();
    for turn in &mut told {
        turn.question = cut(&turn.question, HISTORY_TURN_BYTES_MAX);
        turn.answer = cut(&turn.answer, HISTORY_TURN_BYTES_MAX);
    }
    told
}

/// The incident that a conversation is about: that of its last turn which had one.
pub(crate) fn incident(turns: &[Earlier]) -> Option<&str> {
    turns.iter().rev().find_map(|turn| turn.incident.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(turn: u32, as_of: u64) -> Earlier {
        Earlier { turn, as_of, question: format!("q{turn}"), incident: None, answer: "a".repeat(5_000) }
    }

    #[test]
    fn a_prompt_tells_no_turn_that_was_about_a_later_moment() {
        let turns: Vec<_> = (1..=8).map(|n| turn(n, u64::from(n) * 10)).collect();
        let told = told(&turns, 65);
        assert_eq!(told.iter().map(|turn| turn.turn).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(told.iter().all(|turn| turn.answer.len() <= HISTORY_TURN_BYTES_MAX));
    }

    #[test]
    fn one_conversation_has_one_answer_in_the_making() {
        let conversations = Conversations::default();
        let id = ConversationId::derive(&[b"a"]);
        let busy = conversations.take(&id).unwrap();
        assert!(conversations.take(&ConversationId::derive(&[b"b"])).is_ok());
        assert_eq!(conversations.take(&id).err().unwrap().status, 409);
        drop(busy);
        assert!(conversations.take(&id).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let conversations = Conversations::default();
        for n in 0..CONVERSATIONS_KEPT_MAX as u64 + 10 {
            conversations.remember(&ConversationId::derive(&[&n.to_be_bytes()]), 1, n);
        }
        assert_eq!(conversations.lock().last.len(), CONVERSATIONS_KEPT_MAX);
    }
}
