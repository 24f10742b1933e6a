//! A decision before it stands in the ledger. Owns the place that it has meanwhile; what is decided in sight of it is
//! decided again by nobody.

use hindcast_domain::event::{Draft, Recorded};
use hindcast_domain::{EventId, Partition, Time};

/// A draft as if it were recorded, to look ahead within one decision.
pub(crate) fn provisional(draft: &Draft, lane: &Partition, now: Time) -> Recorded {
    Recorded {
        id: EventId::derive(&[b"provisional", draft.subject.as_bytes()]),
        position: 0,
        partition: lane.clone(),
        subject: draft.subject.clone(),
        revision: None,
        time: now,
        actor: draft.actor.clone(),
        cause: None,
        event: draft.event.clone(),
    }
}
