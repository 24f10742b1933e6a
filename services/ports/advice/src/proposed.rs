//! What rules propose is worked out anew each time and stands in no ledger. Owns that it does before somebody's word
//! on it is recorded, so that the word is about something.

use hindcast_api::{Code, Problem};
use hindcast_queries::{EventFilter, IncidentFilter, Queries, Window};
use serde_json::Value;

use crate::Advice;

/// Incidents whose proposals are looked through where none is named.
const SEARCHED_MAX: usize = 20;

/// Records a proposal as it is made for an incident now, unless it stands in the ledger already.
///
/// # Errors
/// 404 where it is none of the incident's, any more or at all.
pub async fn stands(queries: &dyn Queries, advice: &dyn Advice, incident: &str, id: &str) -> Result<(), Problem> {
    if is_recorded(queries, id).await? || record(advice, incident, id).await? {
        return Ok(());
    }
    let detail = format!("expected a proposal of {incident}, got {id}: what is proposed may have changed");
    Err(Problem::new(Code::NotFound, detail).remedy("Look at the incident again."))
}

/// The same where nobody says which incident it is for: it is looked for in the newest ones. The incident, where it
/// had to be looked for.
///
/// # Errors
/// 404 where none of these has it.
pub async fn stands_somewhere(queries: &dyn Queries, advice: &dyn Advice, id: &str) -> Result<Option<String>, Problem> {
    if is_recorded(queries, id).await? {
        return Ok(None);
    }
    let window = Window { limit: Some(SEARCHED_MAX), ..Window::default() };
    for incident in queries.incidents(IncidentFilter::default(), window).await?.items {
        if record(advice, &incident.id, id).await? {
            return Ok(Some(incident.id));
        }
    }
    let detail = format!("expected a proposal, got {id}: none of the newest {SEARCHED_MAX} incidents has it");
    Err(Problem::new(Code::NotFound, detail).remedy("Name its incident, or record it with `hindcast runbook propose`."))
}

async fn is_recorded(queries: &dyn Queries, id: &str) -> Result<bool, Problem> {
    let (kind, subject) = (Some("proposal.made".to_owned()), Some(id.to_owned()));
    let filter = EventFilter { kind, subject, ..EventFilter::default() };
    let window = Window { limit: Some(1), ..Window::default() };
    Ok(!queries.events(filter, window).await?.items.is_empty())
}

async fn record(advice: &dyn Advice, incident: &str, id: &str) -> Result<bool, Problem> {
    let shown = advice.proposals(Some(incident), None).await?;
    let Some(shown) = shown.into_iter().find(|proposal| proposal.id == id) else { return Ok(false) };
    let params = Value::Object(shown.params.into_iter().collect());
    Ok(advice.propose(incident, &shown.runbook, params, &shown.by).await?.id == id)
}
