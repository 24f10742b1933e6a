//! One question to the state, at one time and for one cause. Owns what every part of the decision uses: what is to be
//! told, and the id of a draft. Refuses to decide.

use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::Incident;
use hindcast_domain::notice::{self, Notice, Reason, Released};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, NoticeId, Severity, Span, Time};

use crate::owed::OwedWord;
use crate::state::NoticesState;

/// Why a page is held in a storm.
pub(crate) const WHY: HoldReason = HoldReason::Storm;

/// One question to the state, at one time, for one cause.
pub(crate) struct NoticeQuestion<'a> {
    pub(crate) state: &'a NoticesState,
    pub(crate) cause: &'a EventId,
    pub(crate) now: Time,
    /// What the same decision says already; it is not folded yet, and it counts for the budget.
    pub(crate) before: &'a [Draft],
}

/// What is to be told of an incident.
#[derive(Clone, Copy)]
pub(crate) struct NoticeWording<'a> {
    pub(crate) incident: &'a Incident,
    pub(crate) severity: Severity,
    pub(crate) reason: Reason,
    pub(crate) page: bool,
    /// How late it is, where an earlier page was given up.
    pub(crate) late: Option<Span>,
}

impl<'a> NoticeQuestion<'a> {
    /// What an owed word says.
    pub(crate) fn wording(&self, incident: &'a Incident, owed: &OwedWord) -> NoticeWording<'a> {
        let firing = self.state.seen.firing.worst(&incident.id).filter(|_| owed.page);
        let severity = self.state.severity(incident);
        NoticeWording {
            incident,
            severity: firing.map_or(severity, |firing| firing.max(severity)),
            reason: owed.reason,
            page: owed.page,
            late: owed.lost_since.map(|since| self.now.since(since)),
        }
    }

    pub(crate) fn expires_at(&self) -> Time {
        self.now + self.state.seen.rules.give_up_after()
    }

    pub(crate) fn draft(&self, receiver: &str, about: &str, event: Event) -> Draft {
        let id = NoticeId::derive(&[self.cause.as_str().as_bytes(), receiver.as_bytes(), about.as_bytes()]);
        Draft::system(id, event)
    }
}

pub(crate) fn released(id: &NoticeId, why: HoldReason) -> Draft {
    debug_assert!(
        matches!(why, HoldReason::Told | HoldReason::Over | HoldReason::Held | HoldReason::Merged),
        "{why} is no reason for a release"
    );
    Draft::system(id, Event::NoticeReleased(Released { why }))
}

pub(crate) fn is_storm_hold(notice: &Notice) -> bool {
    notice.status == notice::Status::Held && notice.why == Some(WHY)
}
