//! What an incident touches and how much trouble that is. Owns the form; refuses to know how it is concluded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much trouble an incident is, or may become: impact × probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentRisk {
    /// 0 to 1: the chance that not all of its services come through it unharmed, weighted by what each matters.
    pub score: f64,
    /// Why, in plain words: the services that add most.
    pub why: Vec<String>,
    /// Every service that is affected or at risk, the greatest risk first.
    pub services: Vec<ServiceRisk>,
}

/// What an incident risks at one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRisk {
    /// The service, by its name in the catalogue where it is known there.
    pub service: String,
    /// Impact × probability.
    pub score: f64,
    /// How much it matters, 0 to 1, by its tier.
    pub impact: f64,
    /// How likely it is, or will be, affected: 0 to 1.
    pub probability: f64,
    /// Where both come from.
    pub why: String,
}

/// What an incident touches, by all alerts that fire, all findings and all open incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// Id of the incident (`INC-…`).
    pub incident: String,
    /// The position that it shows.
    pub position: u64,
    /// Services with an alert or a finding.
    pub affected: Vec<String>,
    /// Services that depend on the cause and show nothing yet.
    pub at_risk: Vec<String>,
    /// Services that were watched and of which no sign was seen anywhere; it does not say that they are healthy.
    pub no_sign_seen: Vec<String>,
    /// Impact × probability.
    pub risk: IncidentRisk,
}
