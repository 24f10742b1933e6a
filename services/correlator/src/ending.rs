//! When an incident is over by itself because alerts left it. Owns these decisions; refuses to know where alerts go.

use hindcast_domain::alert::{Alert, Status};
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::events;
use hindcast_domain::incident::{self, Incident};
use hindcast_domain::words::ResolvedBy;

use crate::state::CorrelatorState;

/// The decision that an incident is over by itself.
#[must_use]
pub fn resolved(incident: &Incident, by: ResolvedBy) -> Draft {
    let over = incident::Resolved { by, cause: None, resolution: None };
    Draft::system(&incident.id, Event::IncidentResolved(over))
}

/// An incident that alerts left is over when only quiet ones stayed.
pub(crate) fn left_quiet(state: &CorrelatorState, drafts: &[Draft]) -> Option<Draft> {
    let draft = drafts.first()?;
    let leaving = match &draft.event {
        Event::IncidentSplit(split) => &split.fingerprints,
        Event::IncidentUndone(undone) if undone.how == "merged" => &undone.fingerprints,
        Event::IncidentDeclared(_)
        | Event::IncidentMerged(_)
        | Event::IncidentUndone(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, placement, incident_status, care } =>
        {
            return None;
        }
    };
    let incident = state.book.incidents.get(&draft.subject.parse().ok()?).filter(|incident| incident.is_live())?;
    let mut staying = state.book.alerts_of(incident).filter(|alert| !leaving.contains(&alert.fingerprint)).peekable();
    staying.peek()?;
    let quiet = |alert: &Alert| alert.status == Status::Resolved && alert.flapping_until.is_none();
    staying.all(quiet).then(|| resolved(incident, ResolvedBy::Quiet))
}
