//! What one person is told after a delivery. Refuses to know how a vendor shows it.

use hindcast_api::Incident;
use hindcast_domain::IncidentId;

/// What a delivery comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryResult {
    /// What the person is told at once, if anything.
    pub say: Option<Say>,
}

/// What one person is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// A few words.
    Words(String),
    /// An incident, as its card shows it.
    Incident(IncidentId),
    /// Incidents that go on.
    List(Vec<Incident>),
    /// A message as the vendor shows it.
    Message(serde_json::Value),
}
