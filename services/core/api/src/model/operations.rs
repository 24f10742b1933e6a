//! The state of the house as a whole: what is parked, the counts, a replay and a verification.

use std::collections::BTreeMap;

use hindcast_domain::Time;
use hindcast_domain::words::{ItemFault, ParkedStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::words::ReadyStatus;

/// A dead letter: an item that was accepted and could not be processed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parked {
    /// The `intake.parked` event's id.
    pub id: String,
    /// What became of it.
    pub status: ParkedStatus,
    /// Name of the source that sent the item.
    pub source: String,
    /// Format in which the item was received, such as `alertmanager`.
    pub format: String,
    /// What is wrong, as a stable code.
    pub code: ItemFault,
    /// What was expected and what came.
    pub detail: String,
    /// What to do.
    pub remedy: String,
    /// Time at which the item became a dead letter.
    pub at: Time,
    /// The item, redacted.
    pub payload: Value,
    /// Position of the event that records it.
    pub position: u64,
}

/// The state as of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// The ledger's head, or `as_of`.
    pub position: u64,
    /// Whether every service has consumed all up to it and nothing that follows is outstanding.
    pub settled: bool,
    /// Whether a later commit may still fall under the time that was asked for.
    pub provisional: bool,
    /// The version of the computation, a colon, and a SHA-256.
    pub state_hash: String,
    /// How many incidents there are.
    pub incidents: IncidentCounts,
    /// How many alerts there are.
    pub alerts: AlertCounts,
    /// Dead letters that are not retried or discarded.
    pub parked: u64,
    /// The current versions: `fold`, `weights`, `catalog`, …
    pub versions: BTreeMap<String, String>,
    /// The ledger's identity.
    pub ledger: String,
    /// How far each service is, and when its next timer is due.
    #[serde(default)]
    pub services: BTreeMap<String, ServicePosition>,
}

/// Incidents by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentCounts {
    /// Not acknowledged.
    pub open: u64,
    /// Somebody does.
    pub acknowledged: u64,
    /// Over.
    pub resolved: u64,
}

/// Alerts by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertCounts {
    /// Wrong now.
    pub firing: u64,
    /// Over.
    pub resolved: u64,
    /// The sender fell silent.
    pub stale: u64,
    /// Suppressed, of the firing ones.
    pub suppressed: u64,
}

/// How far a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePosition {
    /// The position through which it has processed all.
    pub position: u64,
    /// When its next timer is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Whether the state that was computed afresh equals the live state.
    pub identical: bool,
    /// The hash of the state that was computed afresh.
    pub replayed_hash: String,
    /// The live state's hash at the same position.
    pub live_hash: String,
    /// Position up to which the state was rebuilt.
    pub position: u64,
    /// How many events were read.
    pub events: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What came of deciding the recorded past again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Redecided {
    /// Whether everything that was compared is what is recorded, byte for byte.
    pub identical: bool,
    /// The version of the engine that decided it again.
    pub engine: u32,
    /// The other engines that decided a part of the past; that part was folded and not compared. Commits from before
    /// engines were numbered count as 0.
    pub other_engines: Vec<u32>,
    /// Commits of lanes that were decided again and compared.
    pub commits: u64,
    /// Events in those commits.
    pub events: u64,
    /// Commits of lanes that were folded and not compared: those of other engines, and those behind a difference.
    pub folded: u64,
    /// Position up to which was decided again.
    pub position: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Where a lane would decide something else than it did: the first place of each.
    pub differences: Vec<RedecidedOtherwise>,
}

/// A place where the past would be decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedecidedOtherwise {
    /// Position of the first event that differs.
    pub position: u64,
    /// The lane's subject.
    pub subject: String,
    /// The event that is recorded there; absent where the commit ends before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// The event that is decided now; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<String>,
}

/// What a walk of the chains found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Whether nothing is wrong.
    pub intact: bool,
    /// Commits walked.
    pub commits: u64,
    /// Events walked.
    pub events: u64,
    /// The head's position.
    pub position: u64,
    /// What is wrong.
    pub damage: Vec<DamageFound>,
    /// What this walk cannot find.
    pub bound: String,
}

/// One thing that is wrong with the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamageFound {
    /// Position of the damaged commit.
    pub position: u64,
    /// Subject of the damaged commit.
    pub subject: String,
    /// The check that failed.
    pub detail: String,
}

/// Whether a server accepts requests, and which of its services are behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Whether a service is behind; requests are accepted and stored in either case.
    pub status: ReadyStatus,
    /// The position that the views have reached.
    pub position: u64,
    /// The services whose lag is over the limit.
    #[serde(default)]
    pub behind: Vec<BehindService>,
    /// The configured limit in seconds; 0 where an older server does not say.
    #[serde(default)]
    pub lag_limit_s: u64,
}

/// A service that has not processed what came in some time ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BehindService {
    /// The service; of another process it begins with that one's name.
    pub service: String,
    /// Age in seconds of the oldest commit that it has not processed.
    pub lag_s: u64,
    /// Commits that it has not processed.
    pub commits: u64,
}
