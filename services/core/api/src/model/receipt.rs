//! The receipt of a delivery: what became of each thing that was received.

use hindcast_domain::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Alert;
use crate::words::{PageAccount, ReceiptStage};

/// An alert's whole way from the socket to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The current alert.
    pub alert: Alert,
    /// Each step, oldest first.
    pub steps: Vec<ReceiptStep>,
    /// What accounts for an alert that fires at a paging severity; `not_required` for every other one.
    pub accounted: PageAccount,
    /// Until when, where it is suppressed or held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Steps that were left out in the middle because there are too many.
    pub omitted: u64,
    /// The position that it shows.
    pub position: u64,
}

/// One step of an alert's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptStep {
    /// Time of the step.
    pub time: Time,
    /// What happened to it.
    pub stage: ReceiptStage,
    /// In plain words.
    pub text: String,
    /// Id of the event (`EVT-…`) that records the step.
    pub event: String,
    /// Position of that event in the ledger.
    pub position: u64,
    /// What a machine wants to know.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub detail: Value,
}

impl ReceiptStep {
    /// The stage as people read it.
    #[must_use]
    pub fn stage_in_words(&self) -> &str {
        match self.stage.as_str() {
            "kept_out" => "not grouped",
            "held" => "delayed",
            "released" => "delay ended",
            "settled" => "not flapping",
            "asked" => "requested",
            "stale" => "no longer sent",
            "expired" => "not delivered",
            other => other,
        }
    }
}
