//! The detector: reads telemetry as it arrives and writes down what it concludes from it, as facts.
//!
//! The one contract of this crate: *what is raised is a function of the telemetry and of the incidents*: the
//! same lines and samples raise findings with the same ids, so that a crash, a retry and a second reading say
//! nothing twice. It decides nothing about alerts, pages or incidents, and holds none of them up: alerts go
//! their way while telemetry is late, floods or is not there at all.
//!
//! [`Options`] → [`Detector::new`] → [`Detector::run`], watched through a cheap [`Handle`].

mod cases;
mod error;
mod follow;
mod levels;
mod limits;
mod lines;
mod links;
mod look;
mod pins;
mod raise;
mod state;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use hindcast_clock as clock;
use hindcast_facts::FactsWriter;
use hindcast_metrics::MetricRegistry;
use hindcast_telemetry::ArrivalCursor;
use tokio::sync::{Mutex, watch};

pub use error::Error;

/// The version of the detector, which every finding carries. It rises when a rule changes.
pub const VERSION: u32 = 2;
/// Who raises: the actor of the events.
pub const ACTOR: &str = "detector";

/// What it needs.
#[derive(Clone)]
pub struct Options {
    /// Where telemetry is kept.
    pub telemetry: hindcast_telemetry::Shared,
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Shared,
    /// Writes the findings.
    pub writer: FactsWriter,
    /// The source of time, stepped in tests.
    pub clock: clock::Shared,
    /// Figures of the process.
    pub metrics: MetricRegistry,
    /// Where its snapshot lies; `None` keeps none.
    pub folder: Option<PathBuf>,
    /// Where the guarantee is broken on purpose.
    pub fail: FailPoint,
}

/// Where the guarantee may be broken on purpose, so that its test can be seen to turn red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPoint {
    /// Nowhere.
    #[default]
    None,
    /// What was raised before is not looked up.
    RaiseAgain,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DetectorProgress {
    /// All telemetry before it was read, and what follows from it is written.
    pub cursor: ArrivalCursor,
    /// All incidents of the views up to this position were looked at.
    pub seen: u64,
    /// It has begun, and nothing that was due is owed: a detector that finds its state again is not idle.
    pub is_quiet: bool,
}

/// Follows telemetry and incidents, and records findings.
pub struct Detector {
    pub(crate) options: Options,
    pub(crate) progress: watch::Sender<DetectorProgress>,
    pub(crate) work: Mutex<()>,
}

/// Tells how far a detector is; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    progress: watch::Receiver<DetectorProgress>,
    views: watch::Receiver<u64>,
}

impl Detector {
    /// A detector that does nothing until it runs.
    #[must_use]
    pub fn new(options: Options) -> Arc<Self> {
        Arc::new(Self { options, progress: watch::Sender::default(), work: Mutex::default() })
    }

    /// Tells how far it is.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { progress: self.progress.subscribe(), views: self.options.queries.position() }
    }
}

impl Handle {
    /// All telemetry before it was read, and every finding that follows from it is durable.
    #[must_use]
    pub fn position(&self) -> ArrivalCursor {
        self.progress.borrow().cursor
    }

    /// Whether everything that arrived up to `head` was read, all incidents that the views know were looked at
    /// as far as their telemetry goes, and every finding that follows is written.
    #[must_use]
    pub fn idle(&self, head: ArrivalCursor) -> bool {
        let progress = *self.progress.borrow();
        progress.is_quiet && progress.cursor >= head && progress.seen >= *self.views.borrow()
    }

    /// Ends when anything changed of what [`Handle::idle`] tells.
    pub async fn changed(&mut self) {
        tokio::select! {
            changed = self.progress.changed() => if changed.is_err() { std::future::pending::<()>().await },
            changed = self.views.changed() => if changed.is_err() { std::future::pending::<()>().await },
        }
    }
}
