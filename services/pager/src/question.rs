//! One question to the state: does what people were told still cover an incident? Owns what every part of the decision
//! uses: the wording of a notice, the id of a draft, and when a page is owed. Refuses to decide.

use hindcast_domain::event::{Draft, Event};
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::notice::{self, Notice, Reason, Released};
use hindcast_domain::words::HoldReason;
use hindcast_domain::{EventId, NoticeId, Severity, Span, Time};

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
    /// How late it is, where an earlier page was given up.
    pub(crate) late: Option<Span>,
}

impl NoticeQuestion<'_> {
    /// Whether a page that was meant for people at `since` is still owed to them: it goes on, and nobody took
    /// care of it after that.
    pub(crate) fn owed(&self, incident: &Incident, since: Time) -> bool {
        match incident.status {
            Status::Open => true,
            Status::Acknowledged => incident.acknowledged_at.is_none_or(|at| at <= since),
            Status::Resolved => false,
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
