//! Views in memory: the one stand-in for the read port that tests of services use. They answer from documents that a
//! test puts at positions, by the same contract as views over a ledger; [`crate::conformance`] runs on both.
//! They refuse to fold: what a document says at a position is what was put there.

mod answer;
mod filters;
mod kept;
mod look;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Event, Finding, Incident, Label, LabelCoverage, ModelVersion, Notice, Parked, Receipt, Report,
    Silence, TimelineEntry, Why,
};
use hindcast_domain::EventId;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use serde_json::Value;
use tokio::sync::watch;

pub use kept::KeptDocument;
use kept::Versions;

use crate::{
    AlertFilter, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, LabelFilter, NoticeFilter, Window,
};

/// A question as it was asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// A page of incidents.
    Incidents(IncidentFilter, Window),
    /// A page of alerts.
    Alerts(AlertFilter, Window),
    /// A page of findings.
    Findings(FindingFilter, Window),
    /// A page of labels.
    Labels(LabelFilter, Window),
    /// A page of notices.
    Notices(NoticeFilter, Window),
    /// A page of events.
    Events(EventFilter, Window),
    /// Any other, by the name of its method.
    Other(&'static str, Option<AsOf>),
}

impl Question {
    /// The method that was called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Incidents(..) => "incidents",
            Self::Alerts(..) => "alerts",
            Self::Findings(..) => "findings",
            Self::Labels(..) => "labels",
            Self::Notices(..) => "notices",
            Self::Events(..) => "events",
            Self::Other(name, _) => name,
        }
    }

    /// As of when it was asked.
    #[must_use]
    pub const fn as_of(&self) -> Option<AsOf> {
        match self {
            Self::Incidents(_, window)
            | Self::Alerts(_, window)
            | Self::Findings(_, window)
            | Self::Labels(_, window)
            | Self::Notices(_, window)
            | Self::Events(_, window) => window.as_of,
            Self::Other(_, as_of) => *as_of,
        }
    }
}

/// A ledger that is read before each question, where a test has one that others write.
#[async_trait]
pub trait EventSource: Send + Sync {
    /// All its events, oldest first.
    async fn events(&self) -> Vec<Event>;
}

/// Views that a test fills.
pub struct MemoryViews {
    position: watch::Sender<u64>,
    held: Mutex<MemoryContents>,
    source: Option<Arc<dyn EventSource>>,
}

#[derive(Default)]
struct MemoryContents {
    incidents: Versions<Incident>,
    alerts: Versions<Alert>,
    receipts: Versions<Receipt>,
    whys: Versions<Why>,
    silences: Versions<Silence>,
    notices: Versions<Notice>,
    parked: Versions<Parked>,
    labels: Versions<Label>,
    models: Versions<ModelVersion>,
    findings: Versions<Finding>,
    changes: Versions<Change>,
    sections: Versions<StoredSection>,
    events: BTreeMap<u64, Event>,
    timeline: BTreeMap<String, Vec<TimelineEntry>>,
    commands: BTreeMap<String, (EventId, Received)>,
    coverage: Option<LabelCoverage>,
    report: Report,
    outcome: Option<CommandOutcome>,
    unready: bool,
    refuse: (String, u32),
    asked: Vec<Question>,
}

/// A configuration section in force.
#[derive(Clone)]
struct StoredSection {
    name: String,
    hash: String,
    content: Value,
}

macro_rules! documents {
    ($($type:ty, $prefix:literal, $field:ident, |$it:ident| $id:expr;)+) => {
        $(
            impl KeptDocument for $type {
                const PREFIX: &'static str = $prefix;
                fn id(&self) -> String {
                    let $it = self;
                    $id
                }
            }
            impl Keeps<$type> for MemoryContents {
                fn kept(&mut self) -> &mut Versions<$type> {
                    &mut self.$field
                }
            }
        )+
    };
}

trait Keeps<T> {
    fn kept(&mut self) -> &mut Versions<T>;
}

documents! {
    Incident, "INC-", incidents, |it| it.id.clone();
    Alert, "", alerts, |it| it.fingerprint.clone();
    Receipt, "", receipts, |it| it.alert.fingerprint.clone();
    Why, "INC-", whys, |it| it.incident.clone();
    Silence, "SIL-", silences, |it| it.id.clone();
    Notice, "NTC-", notices, |it| it.id.clone();
    Parked, "EVT-", parked, |it| it.id.clone();
    Label, "LBL-", labels, |it| it.id.clone();
    ModelVersion, "", models, |it| format!("{}/{}", it.name, it.version);
    Finding, "", findings, |it| format!("{}/{}", it.id, it.event);
    Change, "EVT-", changes, |it| it.event.clone();
    StoredSection, "", sections, |it| it.name.clone();
}

impl Default for MemoryViews {
    fn default() -> Self {
        Self::at(0)
    }
}

#[allow(private_bounds)] // which documents are kept is decided here
impl MemoryViews {
    /// Empty views that have reached a position.
    #[must_use]
    pub fn at(position: u64) -> Self {
        Self { position: watch::Sender::new(position), held: Mutex::default(), source: None }
    }

    /// Views that also show the events of `source`, and have reached the newest of them.
    #[must_use]
    pub fn over(mut self, source: Arc<dyn EventSource>) -> Self {
        self.source = Some(source);
        self
    }

    fn held(&self) -> MutexGuard<'_, MemoryContents> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A version of a document, known from a position on.
    pub fn put<T: KeptDocument>(&self, position: u64, document: T)
    where
        MemoryContents: Keeps<T>,
    {
        self.held().kept().put(position, document);
    }

    /// The newest version of a document, changed from a position on.
    ///
    /// # Panics
    /// When there is no such document.
    pub fn change<T: KeptDocument>(&self, position: u64, id: &str, change: impl FnOnce(&mut T))
    where
        MemoryContents: Keeps<T>,
    {
        let mut held = self.held();
        let kept = <MemoryContents as Keeps<T>>::kept(&mut held);
        let Some(mut document) = kept.get(id, u64::MAX).cloned() else { panic!("there is no document {id}") };
        change(&mut document);
        kept.put(position, document);
    }

    /// Forgets all documents of a sort.
    pub fn forget<T: KeptDocument>(&self)
    where
        MemoryContents: Keeps<T>,
    {
        self.held().kept().clear();
    }

    /// An event, known from its position on.
    pub fn record(&self, event: Event) {
        self.held().events.insert(event.position, event);
    }

    /// A line of an incident's timeline, known from its position on; one of the same event takes its place.
    pub fn tell(&self, incident: &str, entry: TimelineEntry) {
        let mut held = self.held();
        let timeline = held.timeline.entry(incident.to_owned()).or_default();
        timeline.retain(|known| known.event != entry.event);
        timeline.push(entry);
        timeline.sort_by_key(|entry| entry.position);
    }

    /// A configuration section, in force from a position on.
    pub fn configure(&self, position: u64, section: &str, content: Value) {
        let section = StoredSection { name: section.to_owned(), hash: "h".to_owned(), content };
        self.held().sections.put(position, section);
    }

    /// A service catalogue, in force from a position on.
    pub fn catalogue(&self, position: u64, catalog: &Catalog) {
        self.configure(position, "catalog", serde_json::to_value(catalog).unwrap_or_default());
    }

    /// Makes everything up to a position visible.
    pub fn reach(&self, position: u64) {
        self.position.send_replace(position);
    }

    /// What becomes of every command.
    pub fn decide(&self, outcome: CommandOutcome) {
        self.held().outcome = Some(outcome);
    }

    /// An earlier command with an idempotency key.
    pub fn command(&self, key: &str, id: EventId, received: Received) {
        self.held().commands.insert(key.to_owned(), (id, received));
    }

    /// How many labels there are, where a test needs other counts than those of the labels that it put.
    pub fn covered(&self, coverage: LabelCoverage) {
        self.held().coverage = Some(coverage);
    }

    /// What every report says.
    pub fn reported(&self, report: Report) {
        self.held().report = report;
    }

    /// Whether the views have caught up.
    pub fn ready(&self, ready: bool) {
        self.held().unready = !ready;
    }

    /// Fails the next questions of a name with an internal error.
    pub fn refuse_next(&self, question: &str, times: u32) {
        self.held().refuse = (question.to_owned(), times);
    }

    /// Every question so far, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Question> {
        self.held().asked.clone()
    }

    /// How often a question was asked.
    #[must_use]
    pub fn count(&self, question: &str) -> usize {
        self.held().asked.iter().filter(|asked| asked.name() == question).count()
    }
}
