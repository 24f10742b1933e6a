//! The vocabularies of answers that no event has. Open ones keep a word of another version as `Other`, so that an
//! older client can still read and show what a newer server says.

use hindcast_domain::vocabulary;

vocabulary! {
    /// Whether an event is a fact from outside or a decision.
    pub enum EventKind: open {
        /// A fact from outside.
        Intake = "intake",
        /// What the owner of a partition concluded.
        Decision = "decision",
    }
}

impl From<hindcast_domain::event::Kind> for EventKind {
    fn from(kind: hindcast_domain::event::Kind) -> Self {
        match kind {
            hindcast_domain::event::Kind::Intake => Self::Intake,
            hindcast_domain::event::Kind::Decision => Self::Decision,
        }
    }
}

vocabulary! {
    /// What accounts for an alert that fires at a paging severity.
    pub enum PageAccount: open {
        /// It paged itself.
        Paged = "paged",
        /// A page was sent for the incident that the alert belongs to.
        IncidentPaged = "incident_paged",
        /// A silence suppresses it.
        Suppressed = "suppressed",
        /// Its page waits until a named time.
        Held = "held",
        /// It does not fire, or not at a paging severity.
        NotRequired = "not_required",
        /// Nothing does: a defect.
        Unaccounted = "unaccounted",
    }
}

vocabulary! {
    /// A step of an alert's history from the endpoint to the page.
    pub enum ReceiptStage: open {
        /// Its request was taken in.
        Received = "received",
        /// Its fields were mapped.
        Normalised = "normalised",
        /// A person asked for something.
        Asked = "asked",
        /// It began to fire.
        Fired = "fired",
        /// It said what was known.
        Deduplicated = "deduplicated",
        /// It cleared.
        Resolved = "resolved",
        /// Its sender fell silent.
        Stale = "stale",
        /// A silence suppressed it.
        Suppressed = "suppressed",
        /// The suppression ended.
        Unsuppressed = "unsuppressed",
        /// It changes its state too often.
        Flapping = "flapping",
        /// It does so no more.
        Settled = "settled",
        /// It was put into an incident.
        Grouped = "grouped",
        /// It was not put into this incident.
        KeptOut = "kept_out",
        /// Its incident came back.
        Reopened = "reopened",
        /// Its incident was merged.
        Merged = "merged",
        /// Its incident was split.
        Split = "split",
        /// A merge or split was taken back.
        Undone = "undone",
        /// A notification was sent or delivered.
        Notified = "notified",
        /// A notification was suppressed.
        Held = "held",
        /// The suppression of a notification ended.
        Released = "released",
        /// A receiver did not take a notification.
        Failed = "failed",
        /// A notification was given up.
        Expired = "expired",
        /// Something else that concerns it.
        Unlisted = "other",
    }
}

vocabulary! {
    /// What kind of cause a hypothesis names.
    pub enum HypothesisKind: open {
        /// A service is the root cause.
        Service = "service",
        /// A change is the root cause.
        Change = "change",
    }
}

vocabulary! {
    /// Whether a proposal may be made.
    pub enum ProposalStatus: open {
        /// It may.
        Proposed = "proposed",
        /// Its runbook or parameters are not valid.
        Rejected = "rejected",
    }
}

vocabulary! {
    /// How much can go wrong when a runbook is followed.
    pub enum RiskLevel: open {
        /// Little.
        Low = "low",
        /// Something.
        Medium = "medium",
        /// Much.
        High = "high",
    }
}

vocabulary! {
    /// What kind of message waits for a chat vendor.
    pub enum ChatMessageKind: open {
        /// The card of an incident.
        Card = "card",
        /// A line in the card's thread.
        Note = "note",
        /// The answer to a question.
        Answer = "answer",
    }
}

vocabulary! {
    /// What `/readyz` says of a server that accepts requests.
    pub enum ReadyStatus: open {
        /// No service is behind.
        Ready = "ready",
        /// A service is behind by more than the limit.
        Behind = "behind",
    }
}
