//! How a moment becomes a position, once. Owns the opening of snapshots, and what asks of no position at all.
//!
//! Who shows something holds [`Snapshots`], opens one at the beginning of a request and asks that one alone: what stands
//! together on a page, a card or in an answer can then not be torn.

use std::time::Duration;

use hindcast_api::{AsOf, Problem, Replay, State, Verification};
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition};
use tokio::sync::watch;

use crate::snapshot::Snapshot;
use crate::{CommandOutcome, Shared};

/// The views as those who show something hold them: they answer through snapshots.
#[derive(Clone)]
pub struct Snapshots {
    views: Shared,
}

impl From<Shared> for Snapshots {
    fn from(views: Shared) -> Self {
        Self { views }
    }
}

impl Snapshots {
    /// The past as of a moment: the position that the views have reached where none is named.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn open(&self, as_of: Option<AsOf>) -> Result<Snapshot, Problem> {
        // Read before: what is reached meanwhile may still fall under a time that is asked for.
        let reached = *self.views.position().borrow();
        let (position, recorded_at) = self.views.moment(as_of).await?;
        let provisional = matches!(as_of, Some(AsOf::Time(_))) && position >= reached;
        Ok(Snapshot { views: Shared::clone(&self.views), position, recorded_at, asked: as_of, provisional })
    }

    /// The past as of a position; of the one that was reached where it lies beyond.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn at(&self, position: u64) -> Result<Snapshot, Problem> {
        self.open(Some(AsOf::Position(position))).await
    }

    /// What is decided by now.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn now(&self) -> Result<Snapshot, Problem> {
        self.open(None).await
    }

    /// The position that the views have reached, and its changes.
    #[must_use]
    pub fn position(&self) -> watch::Receiver<u64> {
        self.views.position()
    }

    /// Whether they have reached the head as it was when they started.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.views.is_ready()
    }

    /// Counts, versions and the state hash: one answer, which says its own position.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn state(&self, as_of: Option<AsOf>) -> Result<State, Problem> {
        self.views.state(as_of).await
    }

    /// The partition of an incident, which never changes.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        self.views.partition_of(incident).await
    }

    /// Waits for what becomes of a command, at most `patience`.
    pub async fn outcome(&self, command: &EventId, patience: Duration) -> CommandOutcome {
        self.views.outcome(command, patience).await
    }

    /// An earlier command with the same idempotency key, if there was one: its event, and the command.
    pub async fn command_by_key(&self, key: &str) -> Option<(EventId, Received)> {
        self.views.command_by_key(key).await
    }

    /// Walks the chains.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn verify(&self) -> Result<Verification, Problem> {
        self.views.verify().await
    }

    /// Folds afresh beside the live state, up to `to`.
    ///
    /// # Errors
    /// When the ledger or the views cannot be read.
    pub async fn replay(&self, to: Option<AsOf>) -> Result<Replay, Problem> {
        self.views.replay(to).await
    }
}
