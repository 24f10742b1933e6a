//! What a card is made of: an incident's state at a position, with what is concluded about it. Owns the
//! shape; refuses to know where it was read.

use hindcast_api::{Causes, Incident, Proposal, SimilarPage};
use hindcast_domain::Time;

/// An incident as a card shows it. All of it is as of [`IncidentView::position`].
#[derive(Clone, Debug)]
pub struct IncidentView {
    /// The incident, with peak and current values.
    pub incident: Incident,
    /// What may have been the cause; `None` where nothing was concluded yet.
    pub causes: Option<Causes>,
    /// What of the past is like it; `None` where nothing was looked for yet.
    pub similar: Option<SimilarPage>,
    /// Runbooks that fit; nothing runs.
    pub proposals: Vec<Proposal>,
    /// What people said of it: words such as `cause named by ada`, newest last.
    pub labels: Vec<String>,
    /// Whoever took care, as shown.
    pub acknowledged_by: Option<String>,
    /// The incident that it became a part of, by its title and address.
    pub merged_into: Option<(String, String)>,
    /// Ledger position of the state that the card shows.
    pub position: u64,
    /// What the time was at that position, for ages.
    pub at: Time,
    /// What the address of a web page begins with.
    pub public_url: String,
}

/// One line in a card's thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadNote {
    /// Something happened, told in plain words.
    Said {
        /// What was said, as plain text.
        text: String,
        /// The event's web page.
        url: Option<String>,
    },
    /// It is over: was this what fixed it?
    Fixed {
        /// What was answered, as plain text.
        text: String,
        /// The proposal that is asked about, by id and in words.
        proposal: Option<(String, String)>,
        /// The earlier incident that is asked about, by id and in words.
        recall: Option<(String, String)>,
        /// Id of the incident (`INC-…`).
        incident: String,
        /// Revision of the incident that the message shows.
        revision: u64,
    },
}

/// What a dialog lets people choose from.
#[derive(Clone, Debug, Default)]
pub struct DialogChoices {
    /// Incidents that are open in the same environment.
    pub incidents: Vec<Incident>,
    /// Alerts of the incident: the name that is shown, and the fingerprint.
    pub alerts: Vec<(String, String)>,
}

/// What stands in a field of a dialog now.
#[must_use]
pub fn current<'a>(incident: &'a Incident, field: &str) -> Option<&'a str> {
    match field {
        "cause" => incident.cause.as_deref(),
        "resolution" => incident.resolution.as_deref(),
        "owner" => incident.owner.as_deref(),
        "severity" => Some(incident.severity.as_str()),
        _ => None,
    }
}
