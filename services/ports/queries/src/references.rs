//! What the arguments of an act name, found: the act's incident, another one of the same environment, alerts that
//! belong to it.

use hindcast_api::{Alert, Code, Incident, Problem};
use hindcast_domain::act::{ActReferences, GivenArguments};
use hindcast_domain::{Fingerprint, IncidentId, Partition};

use crate::{AlertFilter, ListPart, Snapshot};

/// The partition of an act's incident, and what its arguments name.
///
/// # Errors
/// 404 for an unknown incident, 409 for a name of several, 422 for incidents of two environments or for what is no
/// alert of the incident.
pub async fn references(
    seen: &Snapshot,
    given: &GivenArguments,
    on: &Incident,
) -> Result<(Partition, ActReferences), Problem> {
    let partition = seen.partition_of(&on.id).await?;
    let incident = incident_id(&on.id)?;
    let mut found = ActReferences::default();
    if let Some(into) = given.text("into") {
        let into = seen.incident(Some(into)).await?;
        let theirs = seen.partition_of(&into.id).await?;
        if theirs != partition {
            let detail = format!("expected two incidents of one environment, got {partition} and {theirs}");
            return Err(Problem::new(Code::CrossPartition, detail));
        }
        found.other = Some(incident_id(&into.id)?);
    }
    for text in given.texts("fingerprints") {
        found.fingerprints.push(member(seen, &incident, text).await?);
    }
    found.incident = Some(incident);
    Ok((partition, found))
}

/// An alert of an incident by any of its names.
async fn member(seen: &Snapshot, incident: &IncidentId, text: &str) -> Result<Fingerprint, Problem> {
    let filter = AlertFilter {
        fingerprint: Some(text.to_owned()),
        incident: Some(incident.to_string()),
        ..AlertFilter::default()
    };
    let found = seen.alerts(filter, ListPart::first(hindcast_api::LIMIT_MAX)).await?.items;
    let exact = |alert: &&Alert| alert.fingerprint == text || alert.source_fingerprint.as_deref() == Some(text);
    match (found.iter().find(exact), found.as_slice()) {
        (Some(alert), _) | (None, [alert]) => {
            alert.fingerprint.parse().map_err(|_| Problem::new(Code::Internal, "a view holds no fingerprint"))
        }
        (None, []) => Err(Problem::new(Code::Invalid, format!("expected an alert of {incident}, got {text:?}"))),
        (None, several) => {
            let detail = format!("{} alerts of {incident} begin with {text:?}", several.len());
            Err(Problem::new(Code::Ambiguous, detail))
        }
    }
}

fn incident_id(id: &str) -> Result<IncidentId, Problem> {
    id.parse().map_err(|_| Problem::new(Code::Internal, "a view holds no id of an incident"))
}
