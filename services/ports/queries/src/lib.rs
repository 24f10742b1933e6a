//! The read port: every question that a page, a route, a command or a door may ask of the views.
//!
//! The one contract of this crate: *an answer as of a position shows nothing that was recorded after it*,
//! and every question takes `as_of`. Whoever asks does not know how views are kept.

pub mod conformance;
mod links;
pub mod memory;
mod references;
mod snapshot;
mod snapshots;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Citation, Event, Finding, Incident, Label, LabelCoverage, ModelVersion, Notice, Page, Parked,
    Problem, Receipt, Replay, Report, Silence, State, TimelineEntry, Verification, Why, WhyMember,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Rejected;
use hindcast_domain::words::RuleName;
use hindcast_domain::{EventId, Partition, Severity, Time, alert, incident, label, notice};
use tokio::sync::watch;

pub use references::references;
pub use snapshot::{ListPart, Snapshot, StateCounts};
pub use snapshots::Snapshots;

/// Changes this many hours before an incident are shown with it.
pub const CHANGES_HOURS_BEFORE: i64 = 6;

/// Shared views.
pub type Shared = Arc<dyn Queries>;

/// Which page of a list, as of when.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// As of when; now where absent. A cursor keeps its own position and overrides this.
    pub as_of: Option<AsOf>,
    /// Items a page, 1 to 500; 50 where absent.
    pub limit: Option<usize>,
    /// Where it goes on.
    pub cursor: Option<String>,
}

/// Which incidents, newest first.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Any of these.
    pub status: Vec<incident::Status>,
    /// Any of these.
    pub severity: Vec<Severity>,
    /// This service, by any of its names.
    pub service: Option<String>,
    /// All these words, in title, services, cause, resolution or alert names.
    pub q: Option<String>,
    /// Opened at or after.
    pub since: Option<Time>,
    /// Opened before.
    pub until: Option<Time>,
    /// Keeps incidents of one environment.
    pub environment: Option<String>,
}

/// Which alerts, newest first.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// A fingerprint of ours or the sender's, or a unique prefix.
    pub fingerprint: Option<String>,
    /// The rule's name.
    pub name: Option<String>,
    /// Any of these.
    pub status: Vec<alert::Status>,
    /// All of these labels.
    pub labels: Vec<(String, String)>,
    /// Members of this incident.
    pub incident: Option<String>,
    /// Only suppressed ones, or only those that are not.
    pub suppressed: Option<bool>,
}

/// Which notices, newest first.
#[derive(Clone, Debug, Default)]
pub struct NoticeFilter {
    /// About this incident.
    pub incident: Option<String>,
    /// Any of these.
    pub status: Vec<notice::Status>,
    /// Only pages, or only others.
    pub page: Option<bool>,
}

/// Which findings, newest first.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Keeps findings of one service.
    pub service: Option<String>,
    /// Keeps findings of one environment.
    pub environment: Option<String>,
    /// That began at or after.
    pub since: Option<Time>,
    /// That began before.
    pub until: Option<Time>,
}

/// Which labels, newest first.
#[derive(Clone, Debug, Default)]
pub struct LabelFilter {
    /// Keeps labels of one kind.
    pub kind: Option<label::Kind>,
    /// Keeps labels of one rule of the table.
    pub rule: Option<RuleName>,
    /// Keeps labels that a person gave, or those that were inferred.
    pub provenance: Option<label::Provenance>,
    /// Given in this incident, by its whole id.
    pub incident: Option<String>,
    /// By this person.
    pub by: Option<String>,
    /// Keeps labels of one environment.
    pub environment: Option<String>,
    /// Only retracted ones, or only those that count.
    pub retracted: Option<bool>,
    /// Only those that others dispute, or only those that nobody does.
    pub disputed: Option<bool>,
}

/// Which stretch a report is of.
#[derive(Clone, Debug, Default)]
pub struct ReportFilter {
    /// Incidents opened at or after; 30 days back where absent.
    pub since: Option<Time>,
    /// Incidents opened before; the newest event where absent.
    pub until: Option<Time>,
    /// Incidents of this service alone.
    pub service: Option<String>,
    /// Incidents of this environment alone.
    pub environment: Option<String>,
}

/// Which events, oldest first.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// A kind (`intake`, `decision`), a whole type (`incident.opened`) or its first word (`incident`).
    pub kind: Option<String>,
    /// At or after this position.
    pub from: Option<u64>,
    /// At or before this position.
    pub to: Option<u64>,
    /// About this subject.
    pub subject: Option<String>,
    /// Proposals and questions that were made for this incident, by its whole id.
    pub incident: Option<String>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandOutcome {
    /// It caused these events.
    Accepted {
        /// The events' subjects, in order.
        subjects: Vec<String>,
        /// The position of the last of them.
        position: u64,
    },
    /// Its lane refused it.
    Rejected(Rejected),
    /// Not decided in time; it stands in the ledger and will be.
    Pending,
}

/// Every question about the ledger, as of any position.
#[async_trait]
pub trait Queries: Send + Sync + 'static {
    /// The position that the views have reached, and its changes.
    fn position(&self) -> watch::Receiver<u64>;

    /// Whether they have reached the head as it was when they started.
    fn is_ready(&self) -> bool;

    /// Incidents, newest first.
    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem>;
    /// One incident, by its id or a unique prefix; the newest where absent.
    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem>;
    /// Its timeline, oldest first.
    async fn timeline(&self, id: &str, window: Window) -> Result<Page<TimelineEntry>, Problem>;
    /// What holds it together.
    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem>;
    /// What holds some of its alerts in it, by their fingerprints, and what was kept out: [`Queries::why`] of an incident
    /// of many alerts reads each of them.
    async fn why_of(&self, id: &str, alerts: &[String], as_of: Option<AsOf>) -> Result<Why, Problem> {
        let mut why = self.why(id, as_of).await?;
        why.members.retain(|member| alerts.contains(&member.fingerprint));
        Ok(why)
    }
    /// The events by which some of its alerts came into it, by fingerprint: those of [`Queries::why_of`], without their
    /// words.
    async fn joined(
        &self,
        id: &str,
        alerts: &[String],
        as_of: Option<AsOf>,
    ) -> Result<BTreeMap<String, Citation>, Problem> {
        let members = self.why_of(id, alerts, as_of).await?.members;
        let cited = |it: WhyMember| (it.fingerprint, Citation { event: it.event, position: it.position });
        Ok(members.into_iter().map(cited).collect())
    }
    /// Changes within the hours before it and while it lasted, newest first.
    async fn changes(&self, id: &str, as_of: Option<AsOf>) -> Result<Vec<Change>, Problem>;
    /// Alerts, newest first.
    async fn alerts(&self, filter: AlertFilter, window: Window) -> Result<Page<Alert>, Problem>;
    /// One alert's whole way, by fingerprint (ours or the sender's), prefix or name; the newest where absent.
    async fn receipt(&self, alert: Option<&str>, as_of: Option<AsOf>) -> Result<Receipt, Problem>;
    /// Findings of detectors, newest first by when they began.
    async fn findings(&self, filter: FindingFilter, window: Window) -> Result<Page<Finding>, Problem>;
    /// Services of an environment of which an alert, a change or a finding was ever seen, and those of the
    /// catalogue.
    async fn watched(&self, environment: &str, as_of: Option<AsOf>) -> Result<Vec<String>, Problem>;
    /// What a moment is: its position, and when that was recorded.
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem>;
    /// Labels, newest first.
    async fn labels(&self, filter: LabelFilter, window: Window) -> Result<Page<Label>, Problem>;
    /// How many closed incidents have a cause, and where people disagree.
    async fn label_coverage(&self, as_of: Option<AsOf>) -> Result<LabelCoverage, Problem>;
    /// Versions of models, newest first; the one set by hand is always among them. Without their cards.
    async fn models(&self, window: Window) -> Result<Page<ModelVersion>, Problem>;
    /// One version of a model, with its card; the one in force where none is named.
    async fn model(&self, name: &str, version: Option<u32>, as_of: Option<AsOf>) -> Result<ModelVersion, Problem>;
    /// Figures over a stretch of time.
    async fn report(&self, filter: ReportFilter, as_of: Option<AsOf>) -> Result<Report, Problem>;
    /// Silences, newest first.
    async fn silences(&self, window: Window) -> Result<Page<Silence>, Problem>;
    /// Answers the silence with this id or unique prefix.
    async fn silence(&self, id: &str, as_of: Option<AsOf>) -> Result<Silence, Problem>;
    /// Notices, newest first.
    async fn notices(&self, filter: NoticeFilter, window: Window) -> Result<Page<Notice>, Problem>;
    /// Parked items, newest first; only open ones where `open`.
    async fn parked(&self, open: bool, window: Window) -> Result<Page<Parked>, Problem>;
    /// Answers the dead letter with this id.
    async fn parked_item(&self, id: &str) -> Result<Parked, Problem>;
    /// Events, oldest first.
    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem>;
    /// One event, by its id or a unique prefix.
    async fn event(&self, id: &str, as_of: Option<AsOf>) -> Result<Event, Problem>;
    /// The service catalogue in force.
    async fn catalog(&self, as_of: Option<AsOf>) -> Result<Catalog, Problem>;
    /// A configuration section in force: (hash, content).
    async fn configured(
        &self,
        section: &str,
        as_of: Option<AsOf>,
    ) -> Result<Option<(String, serde_json::Value)>, Problem>;
    /// Counts, versions and the state hash.
    async fn state(&self, as_of: Option<AsOf>) -> Result<State, Problem>;
    /// What is counted as of a position that was reached, without the state hash.
    async fn counted(&self, position: u64) -> Result<StateCounts, Problem> {
        let State { incidents, alerts, parked, .. } = self.state(Some(AsOf::Position(position))).await?;
        Ok(StateCounts { incidents, alerts, parked })
    }
    /// Whether all that follows from what stands up to `position` was decided and is in the views; asked about `now`,
    /// whether nothing stands behind it either.
    async fn is_settled(&self, position: u64, now: bool) -> Result<bool, Problem> {
        let as_of = (!now).then_some(AsOf::Position(position));
        Ok(self.state(as_of).await?.settled)
    }
    /// The partition of an incident.
    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem>;

    /// Waits for what becomes of a command, at most `patience`.
    async fn outcome(&self, command: &EventId, patience: Duration) -> CommandOutcome;
    /// An earlier command with the same idempotency key, if there was one: its event, and the command.
    async fn command_by_key(&self, key: &str) -> Option<(EventId, hindcast_domain::command::Received)>;

    /// Walks the chains.
    async fn verify(&self) -> Result<Verification, Problem>;
    /// Folds afresh beside the live state, up to `to`.
    async fn replay(&self, to: Option<AsOf>) -> Result<Replay, Problem>;
}
