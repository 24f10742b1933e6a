//! What calls of the model have cost, and what was asked already, both counted from the ledger: so caps survive
//! a restart, and are the same for every process that reads it. Owns the caps per incident and per day.

use hindcast_domain::words::ModelOutcome;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hindcast_api::{AsOf, Citation, Event, Problem};
use hindcast_domain::Time;
use hindcast_domain::conversation::{Asked, Replied};
use hindcast_queries::{EventFilter, Queries, Window};

use crate::limits::{ASKED_KEPT_MAX, DAY, SPEND_ENTRIES_MAX, SPEND_PAGE, SPEND_REMEMBERED};
use crate::{Caps, intent};

/// One call.
#[derive(Clone, Debug, PartialEq)]
struct SpendEntry {
    at: Time,
    incident: Option<String>,
    cost_micros: u64,
}

/// A question that was asked before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedBefore {
    pub(crate) conversation: String,
    pub(crate) turn: u32,
    /// The position that it was about.
    pub(crate) as_of: u64,
}

/// Calls that have no reply yet.
#[derive(Clone, Copy, Debug, Default)]
struct Flying {
    calls: u32,
    cost_micros: u64,
}

#[derive(Debug, Default)]
struct SpendState {
    /// Calls by the position of their reply.
    entries: BTreeMap<u64, SpendEntry>,
    /// The incident of each turn of a conversation.
    incidents: BTreeMap<(String, u32), Option<String>>,
    /// What was asked already, by class and incident, oldest first.
    asked: BTreeMap<(String, String), Vec<AskedBefore>>,
    /// How far the ledger was read.
    read: Option<u64>,
    /// Calls that were let through and have no reply yet, by incident, and what they are expected to cost.
    reserved: BTreeMap<Option<String>, Flying>,
}

/// The calls of the last 30 days.
#[derive(Debug, Default)]
pub(crate) struct SpendLedger {
    state: Mutex<SpendState>,
    /// One reader at a time; others wait for what it reads.
    reading: tokio::sync::Mutex<()>,
}

/// A call that was let through; ends when it is dropped.
pub(crate) struct Reserved<'a> {
    of: &'a SpendLedger,
    incident: Option<String>,
    cost_micros: u64,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.of.lock();
        if let Some(flying) = state.reserved.get_mut(&self.incident) {
            flying.calls = flying.calls.saturating_sub(1);
            flying.cost_micros = flying.cost_micros.saturating_sub(self.cost_micros);
            if flying.calls == 0 {
                state.reserved.remove(&self.incident);
            }
        }
    }
}

impl SpendLedger {
    fn lock(&self) -> std::sync::MutexGuard<'_, SpendState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what the ledger has that was not read yet.
    pub(crate) async fn catch_up(&self, queries: &dyn Queries, now: Time) -> Result<(), Problem> {
        let _one = self.reading.lock().await;
        let read = self.lock().read;
        let from = match read {
            Some(read) => read + 1,
            // A time before the ledger's beginning is its beginning.
            None => queries.moment(Some(AsOf::Time(now - SPEND_REMEMBERED))).await.map_or(0, |(position, _)| position),
        };
        let (to, _) = queries.moment(None).await?;
        if from > to {
            return Ok(());
        }
        for event in all(queries, "conversation.asked", from, to).await? {
            let Ok(asked) = serde_json::from_value::<Asked>(event.data) else { continue };
            self.lock().learn(event.subject, asked);
        }
        for event in all(queries, "conversation.replied", from, to).await? {
            let Ok(replied) = serde_json::from_value::<Replied>(event.data) else { continue };
            let mut state = self.lock();
            let incident = state.incidents.get(&(event.subject, replied.turn)).cloned().flatten();
            let entry = SpendEntry { at: event.time, incident, cost_micros: replied.cost_micros };
            state.entries.insert(event.position, entry);
        }
        let mut state = self.lock();
        state.read = Some(to);
        state.forget(now);
        Ok(())
    }

    /// Questions of a class about an incident that were asked before, newest first.
    pub(crate) fn asked_before(&self, class: &str, incident: &str) -> Vec<AskedBefore> {
        let found = self.lock().asked.get(&(class.to_owned(), incident.to_owned())).cloned();
        found.unwrap_or_default().into_iter().rev().collect()
    }

    /// Counts a call of this process at once, before the views have seen it.
    pub(crate) fn add(&self, at: Time, incident: Option<&str>, cost_micros: u64, reply: &Citation) {
        let entry = SpendEntry { at, incident: incident.map(ToOwned::to_owned), cost_micros };
        self.lock().entries.insert(reply.position, entry);
    }

    /// Lets a call through that is expected to cost so much, or says which cap it would go past.
    pub(crate) fn reserve(
        &self,
        caps: &Caps,
        incident: Option<&str>,
        now: Time,
        cost_micros: u64,
    ) -> Result<Reserved<'_>, ModelOutcome> {
        let mut state = self.lock();
        let incident = incident.map(ToOwned::to_owned);
        let day = state.sum(|entry| entry.at > now - DAY);
        let of_incident = state.sum(|entry| entry.incident.is_some() && entry.incident == incident);
        let flying = state.reserved.values().fold(Flying::default(), |all, one| Flying {
            calls: all.calls.saturating_add(one.calls),
            cost_micros: all.cost_micros.saturating_add(one.cost_micros),
        });
        let here = incident.as_ref().and_then(|_| state.reserved.get(&incident)).copied().unwrap_or_default();
        let past = |spent: u64, flying: Flying, cap: u64| {
            cap > 0 && (spent >= cap || spent.saturating_add(flying.cost_micros).saturating_add(cost_micros) > cap)
        };
        if day.0.saturating_add(flying.calls) >= caps.day_calls_max {
            return Err(ModelOutcome::CapDayCalls);
        }
        if past(day.1, flying, caps.day_cost_micros_max) {
            return Err(ModelOutcome::CapDayCost);
        }
        if of_incident.0.saturating_add(here.calls) >= caps.incident_calls_max {
            return Err(ModelOutcome::CapIncidentCalls);
        }
        if past(of_incident.1, here, caps.incident_cost_micros_max) {
            return Err(ModelOutcome::CapIncidentCost);
        }
        let flying = state.reserved.entry(incident.clone()).or_default();
        flying.calls = flying.calls.saturating_add(1);
        flying.cost_micros = flying.cost_micros.saturating_add(cost_micros);
        Ok(Reserved { of: self, incident, cost_micros })
    }
}

impl SpendState {
    fn learn(&mut self, conversation: String, asked: Asked) {
        let incident = asked.incident.map(|id| id.to_string());
        self.incidents.insert((conversation.clone(), asked.turn), incident.clone());
        let Some(incident) = incident else { return };
        let before = self.asked.entry((intent::class(&asked.question), incident)).or_default();
        before.push(AskedBefore { conversation, turn: asked.turn, as_of: asked.as_of });
        if before.len() > ASKED_KEPT_MAX {
            before.remove(0);
        }
    }

    fn sum(&self, counts: impl Fn(&SpendEntry) -> bool) -> (u32, u64) {
        let of = self.entries.values().filter(|entry| counts(entry));
        of.fold((0, 0), |(calls, cost), entry| (calls + 1, cost.saturating_add(entry.cost_micros)))
    }

    fn forget(&mut self, now: Time) {
        let oldest = now - SPEND_REMEMBERED;
        self.entries.retain(|_, entry| entry.at >= oldest);
        while self.entries.len() > SPEND_ENTRIES_MAX {
            self.entries.pop_first();
        }
        // Only turns of the last calls can still get a reply; the rest is in the entries.
        while self.incidents.len() > SPEND_ENTRIES_MAX {
            self.incidents.pop_first();
        }
        while self.asked.len() > SPEND_ENTRIES_MAX {
            self.asked.pop_first();
        }
    }
}

/// All events of a type between two positions.
async fn all(queries: &dyn Queries, kind: &str, from: u64, to: u64) -> Result<Vec<Event>, Problem> {
    let filter =
        || EventFilter { kind: Some(kind.to_owned()), from: Some(from), to: Some(to), ..EventFilter::default() };
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = queries.events(filter(), Window { as_of: None, limit: Some(SPEND_PAGE), cursor }).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || found.len() >= SPEND_ENTRIES_MAX {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::Span;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    fn spent(spend: &SpendLedger, calls: u64, at: Time, incident: &str, cost: u64) {
        for _ in 0..calls {
            let position = spend.lock().entries.len() as u64 + 1;
            spend.add(at, Some(incident), cost, &Citation { event: String::new(), position });
        }
    }

    #[test]
    fn a_cap_that_is_reached_is_named() {
        let caps = Caps {
            day_calls_max: 5,
            incident_calls_max: 3,
            day_cost_micros_max: 1_000,
            incident_cost_micros_max: 500,
            ..Caps::default()
        };
        let spend = SpendLedger::default();
        spent(&spend, 3, NOW - Span::hours(30), "INC-A", 1);
        assert_eq!(spend.reserve(&caps, Some("INC-A"), NOW, 0).err(), Some(ModelOutcome::CapIncidentCalls));
        assert!(spend.reserve(&caps, Some("INC-B"), NOW, 0).is_ok(), "yesterday's calls are no calls of this day");
        spent(&spend, 1, NOW, "INC-B", 600);
        assert_eq!(spend.reserve(&caps, Some("INC-B"), NOW, 0).err(), Some(ModelOutcome::CapIncidentCost));
        spent(&spend, 1, NOW, "INC-C", 600);
        assert_eq!(spend.reserve(&caps, Some("INC-D"), NOW, 0).err(), Some(ModelOutcome::CapDayCost));
        spent(&spend, 3, NOW, "INC-E", 0);
        assert_eq!(spend.reserve(&caps, None, NOW, 0).err(), Some(ModelOutcome::CapDayCalls));
    }

    #[test]
    fn calls_that_fly_count_until_they_end() {
        let caps = Caps { day_calls_max: 2, ..Caps::default() };
        let spend = SpendLedger::default();
        let one = spend.reserve(&caps, Some("INC-A"), NOW, 0).ok();
        let two = spend.reserve(&caps, None, NOW, 0).ok();
        assert!(one.is_some() && two.is_some());
        assert_eq!(spend.reserve(&caps, None, NOW, 0).err(), Some(ModelOutcome::CapDayCalls));
        drop(one);
        assert!(spend.reserve(&caps, None, NOW, 0).is_ok());
    }

    #[test]
    fn calls_at_once_cannot_go_past_a_cap_of_money_together() {
        let caps = Caps { incident_cost_micros_max: 1_000, day_cost_micros_max: 1_500, ..Caps::default() };
        let spend = SpendLedger::default();
        let one = spend.reserve(&caps, Some("INC-A"), NOW, 600).ok();
        assert!(one.is_some());
        assert_eq!(spend.reserve(&caps, Some("INC-A"), NOW, 600).err(), Some(ModelOutcome::CapIncidentCost));
        let two = spend.reserve(&caps, Some("INC-B"), NOW, 900).ok();
        assert!(two.is_some());
        assert_eq!(spend.reserve(&caps, Some("INC-C"), NOW, 1).err(), Some(ModelOutcome::CapDayCost));
        drop((one, two));
        assert!(spend.reserve(&caps, Some("INC-A"), NOW, 600).is_ok(), "what did not cost that much is free again");
        let free = Caps { incident_cost_micros_max: 0, day_cost_micros_max: 0, ..caps };
        assert!(spend.reserve(&free, Some("INC-A"), NOW, u64::MAX).is_ok(), "0 is no limit");
    }
}
