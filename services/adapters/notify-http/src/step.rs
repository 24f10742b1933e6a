//! What a message is to a vendor that keeps an alert of its own open under a key. Owns which messages open, wake again,
//! acknowledge and close it.

use hindcast_domain::notice::Reason;
use hindcast_messaging::notify::Notification;

/// What the vendor is to do with the alert that it keeps for an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VendorStep {
    /// Open it, or note more on the one that is open.
    Trigger,
    /// Wake people again: such a vendor tells nobody of more on an alert that is open and acknowledged, so that it is
    /// closed and opened anew.
    TriggerAnew,
    /// Somebody takes care.
    Acknowledge,
    /// It is over.
    Close,
}

impl VendorStep {
    pub(crate) fn of(message: &Notification) -> Self {
        if message.is_end() {
            return Self::Close;
        }
        match message.reason {
            Reason::Acknowledged => Self::Acknowledge,
            // The first word, and a page that nobody got: nothing is open there yet, or it wakes by itself.
            Reason::Opened | Reason::Retried | Reason::Storm | Reason::Digest => Self::Trigger,
            _ if message.page => Self::TriggerAnew,
            _ => Self::Trigger,
        }
    }
}
