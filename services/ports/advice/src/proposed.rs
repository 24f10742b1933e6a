//! What rules propose is worked out anew each time and stands in no ledger. Owns that it does before somebody's word
//! on it is recorded, so that the word is about something.

use hindcast_api::{Code, Problem};
use hindcast_queries::{EventFilter, IncidentFilter, ListPart, Snapshot};
use serde_json::Value;

use crate::Advice;

/// Incidents whose proposals are looked through where none is named.
const SEARCHED_MAX: usize = 20;

/// Records a proposal as it is made for an incident now, unless it stands in the ledger already.
///
/// # Errors
/// 404 where it is none of the incident's, any more or at all.
pub async fn stands(seen: &Snapshot, advice: &dyn Advice, incident: &str, id: &str) -> Result<(), Problem> {
    if is_recorded(seen, id).await? || record(seen, advice, incident, id).await? {
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
pub async fn stands_somewhere(seen: &Snapshot, advice: &dyn Advice, id: &str) -> Result<Option<String>, Problem> {
    if is_recorded(seen, id).await? {
        return Ok(None);
    }
    for incident in seen.incidents(IncidentFilter::default(), ListPart::first(SEARCHED_MAX)).await?.items {
        if record(seen, advice, &incident.id, id).await? {
            return Ok(Some(incident.id));
        }
    }
    let detail = format!("expected a proposal, got {id}: none of the newest {SEARCHED_MAX} incidents has it");
    Err(Problem::new(Code::NotFound, detail).remedy("Name its incident, or record it with `hindcast runbook propose`."))
}

async fn is_recorded(seen: &Snapshot, id: &str) -> Result<bool, Problem> {
    let (kind, subject) = (Some("proposal.made".to_owned()), Some(id.to_owned()));
    let filter = EventFilter { kind, subject, ..EventFilter::default() };
    Ok(!seen.events(filter, ListPart::first(1)).await?.items.is_empty())
}

async fn record(seen: &Snapshot, advice: &dyn Advice, incident: &str, id: &str) -> Result<bool, Problem> {
    let shown = advice.proposals(seen, Some(incident)).await?;
    let Some(shown) = shown.into_iter().find(|proposal| proposal.id == id) else { return Ok(false) };
    let params = Value::Object(shown.params.into_iter().collect());
    Ok(advice.propose(seen, incident, &shown.runbook, params, &shown.by).await?.id == id)
}
