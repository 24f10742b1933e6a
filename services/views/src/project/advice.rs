//! What was found, kept, asked, proposed and said of an incident: where it is found again. Pure writing; refuses to read.

use hindcast_domain::chat::Act;
use hindcast_domain::event::Recorded;
use hindcast_domain::{Event, IncidentId, events};

use super::{ProjectedBatch, index};
use crate::store::keys::{self, MentionIndex};

/// What was found, kept, asked and proposed: by its own id, and on the incident's timeline.
pub(super) fn advice(work: &mut ProjectedBatch, recorded: &Recorded) {
    let kept_of = recorded.subject.parse().ok();
    let own = match &recorded.event {
        Event::FindingRaised(raised) => {
            index::finding(&mut work.batch, recorded, raised);
            raised.incident.as_ref()
        }
        Event::EvidencePinned(_) | Event::CallsSeen(_) => kept_of.as_ref(),
        Event::ConversationAsked(asked) => asked.incident.as_ref(),
        Event::ProposalMade(made) => Some(&made.incident),
        Event::ProposalRejected(rejected) => rejected.incident.as_ref(),
        Event::LinkObserved(_)
        | Event::ConversationToolUsed(_)
        | Event::ConversationReplied(_)
        | Event::ConversationAnswered(_) => None,
        Event::LabelJudged(judged) => about(&judged.about),
        Event::ShadowPlaced(placed) => {
            let id = keys::shadowed(placed.alert.as_str());
            work.batch.index(keys::about(MentionIndex::Subject, &id, recorded.position, recorded.position), []);
            return;
        }
        Event::ChatReceived(received) if received.act != Act::Looked => received.incident.as_ref(),
        Event::LabelGiven(_)
        | Event::LabelRetracted(_)
        | Event::ModelRegistered(_)
        | Event::ModelJudged(_)
        | Event::ModelPromoted(_)
        | Event::ModelRolledBack(_)
        | Event::ModelShadowed(_)
        | Event::ModelUnshadowed(_)
        | Event::ChatReceived(_)
        | Event::ChatDelivered(_)
        | Event::ChatUpdated(_)
        | Event::ChatFailed(_)
        | Event::ChatExpired(_)
        | Event::ChatRequested(_)
        | events! { intake, alert, incident, silence, control, notice } => return,
    };
    index::subject(&mut work.batch, recorded);
    if let Some(incident) = own {
        if is_made_for(&recorded.event) {
            let key = keys::about(MentionIndex::MadeFor, incident.as_str(), recorded.position, recorded.position);
            work.batch.index(key, recorded.subject.as_str());
        }
        index::timeline(&mut work.batch, incident, recorded, recorded.position);
    }
}

/// Whether an event is found by the incident that it was made for.
const fn is_made_for(event: &Event) -> bool {
    matches!(event, Event::ProposalMade(_) | Event::ProposalRejected(_) | Event::ConversationAsked(_))
}

/// The incident that a judgement or label is about, where one is named.
pub(crate) const fn about(about: &hindcast_domain::label::About) -> Option<&IncidentId> {
    use hindcast_domain::label::About as Judged;
    match about {
        Judged::Incident { incident } | Judged::Pair { incident, .. } | Judged::Recall { incident, .. } => {
            Some(incident)
        }
        Judged::Alert { incident, .. } => incident.as_ref(),
        Judged::Proposal { .. } | Judged::Notice { .. } | Judged::Conversation { .. } => None,
    }
}
