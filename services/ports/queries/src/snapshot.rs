//! One decided past: *every question that is asked of a [`Snapshot`] is of its position*, and a snapshot has no question
//! about "now". Refuses to know how a moment becomes a position: that is where it is opened.

use std::collections::BTreeMap;
use std::fmt;

use hindcast_api::{
    Alert, AlertCounts, AsOf, Change, Citation, Code, Cursor, Event, Finding, Incident, IncidentCounts, Label,
    LabelCoverage, ModelVersion, Notice, Page, Parked, Problem, Receipt, Report, Silence, TimelineEntry, Why,
};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::{Partition, Time};

use crate::{
    AlertFilter, EventFilter, FindingFilter, IncidentFilter, LabelFilter, NoticeFilter, ReportFilter, Shared, Window,
};

/// The views as of one position; cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) views: Shared,
    pub(crate) position: u64,
    pub(crate) recorded_at: Time,
    pub(crate) asked: Option<AsOf>,
    pub(crate) provisional: bool,
}

/// Which page of a list. A cursor is one of the snapshot's own position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPart {
    /// Items a page, 1 to 500; 50 where absent.
    pub limit: Option<usize>,
    /// Where it goes on.
    pub cursor: Option<String>,
}

impl ListPart {
    /// The first so many items.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit: Some(limit), cursor: None }
    }
}

/// What is counted as of a position, and whether anything that follows from it is still undecided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateCounts {
    /// Incidents by status.
    pub incidents: IncidentCounts,
    /// Alerts by status.
    pub alerts: AlertCounts,
    /// Dead letters that nobody has looked at.
    pub parked: u64,
}

impl Snapshot {
    /// The position that everything is of.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The time of the commit at this position.
    #[must_use]
    pub const fn recorded_at(&self) -> Time {
        self.recorded_at
    }

    /// Whether it was opened for what is known now, rather than for an earlier moment.
    #[must_use]
    pub const fn is_now(&self) -> bool {
        self.asked.is_none()
    }

    /// The moment that it was opened for; absent for now.
    #[must_use]
    pub const fn asked(&self) -> Option<AsOf> {
        self.asked
    }

    /// Whether a later commit may still fall under the time that was asked for.
    #[must_use]
    pub const fn is_provisional(&self) -> bool {
        self.provisional
    }

    /// The same position, as what was asked about now or about an earlier moment: what is told of the past is worded
    /// differently.
    #[must_use]
    pub fn regarded(&self, asked: Option<AsOf>) -> Self {
        Self { asked, ..self.clone() }
    }

    /// What was known earlier; never later than this one.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn earlier(&self, then: AsOf) -> Result<Self, Problem> {
        if matches!(then, AsOf::Position(position) if position >= self.position) {
            return Ok(self.clone());
        }
        let (position, recorded_at) = self.views.moment(Some(then)).await?;
        if position >= self.position {
            return Ok(self.clone());
        }
        Ok(Self { position, recorded_at, asked: Some(then), ..self.clone() })
    }

    const fn then(&self) -> Option<AsOf> {
        Some(AsOf::Position(self.position))
    }

    /// A cursor keeps its own position, which must be this one.
    fn window(&self, part: ListPart) -> Result<Window, Problem> {
        let ListPart { limit, cursor } = part;
        if let Some(text) = &cursor {
            let of = Cursor::decode(text)?.position;
            if of != self.position {
                let detail = format!("expected a cursor of position {}, got one of {of}", self.position);
                return Err(Problem::new(Code::BadCursor, detail));
            }
        }
        Ok(Window { as_of: self.then(), limit, cursor })
    }

    /// Incidents, newest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn incidents(&self, filter: IncidentFilter, part: ListPart) -> Result<Page<Incident>, Problem> {
        self.views.incidents(filter, self.window(part)?).await
    }

    /// One incident, by its id or a unique prefix; the newest where absent.
    ///
    /// # Errors
    /// When there is none, or several.
    pub async fn incident(&self, id: Option<&str>) -> Result<Incident, Problem> {
        self.views.incident(id, self.then()).await
    }

    /// Its timeline, oldest first.
    ///
    /// # Errors
    /// When there is no such incident, or for a limit or a cursor that is none.
    pub async fn timeline(&self, id: &str, part: ListPart) -> Result<Page<TimelineEntry>, Problem> {
        self.views.timeline(id, self.window(part)?).await
    }

    /// What holds it together.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn why(&self, id: &str) -> Result<Why, Problem> {
        self.views.why(id, self.then()).await
    }

    /// What holds some of its alerts in it, by their fingerprints, and what was kept out.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn why_of(&self, id: &str, alerts: &[String]) -> Result<Why, Problem> {
        self.views.why_of(id, alerts, self.then()).await
    }

    /// The events by which some of its alerts came into it, by fingerprint.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn joined(&self, id: &str, alerts: &[String]) -> Result<BTreeMap<String, Citation>, Problem> {
        self.views.joined(id, alerts, self.then()).await
    }

    /// Changes within the hours before it and while it lasted, newest first.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn changes(&self, id: &str) -> Result<Vec<Change>, Problem> {
        self.views.changes(id, self.then()).await
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn alerts(&self, filter: AlertFilter, part: ListPart) -> Result<Page<Alert>, Problem> {
        self.views.alerts(filter, self.window(part)?).await
    }

    /// One alert's whole way, by fingerprint (ours or the sender's), prefix or name; the newest where absent.
    ///
    /// # Errors
    /// When there is none, or several.
    pub async fn receipt(&self, alert: Option<&str>) -> Result<Receipt, Problem> {
        self.views.receipt(alert, self.then()).await
    }

    /// Findings of detectors, newest first by when they began.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn findings(&self, filter: FindingFilter, part: ListPart) -> Result<Page<Finding>, Problem> {
        self.views.findings(filter, self.window(part)?).await
    }

    /// Services of an environment of which anything was ever seen, and those of the catalogue.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn watched(&self, environment: &str) -> Result<Vec<String>, Problem> {
        self.views.watched(environment, self.then()).await
    }

    /// Labels, newest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn labels(&self, filter: LabelFilter, part: ListPart) -> Result<Page<Label>, Problem> {
        self.views.labels(filter, self.window(part)?).await
    }

    /// How many closed incidents have a cause, and where people disagree.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn label_coverage(&self) -> Result<LabelCoverage, Problem> {
        self.views.label_coverage(self.then()).await
    }

    /// Versions of models, newest first, without their cards.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn models(&self, part: ListPart) -> Result<Page<ModelVersion>, Problem> {
        self.views.models(self.window(part)?).await
    }

    /// One version of a model, with its card; the one in force where none is named.
    ///
    /// # Errors
    /// When there is none.
    pub async fn model(&self, name: &str, version: Option<u32>) -> Result<ModelVersion, Problem> {
        self.views.model(name, version, self.then()).await
    }

    /// Figures over a stretch of time.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn report(&self, filter: ReportFilter) -> Result<Report, Problem> {
        self.views.report(filter, self.then()).await
    }

    /// Silences, newest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn silences(&self, part: ListPart) -> Result<Page<Silence>, Problem> {
        self.views.silences(self.window(part)?).await
    }

    /// The silence with this id or unique prefix.
    ///
    /// # Errors
    /// When there is none, or several.
    pub async fn silence(&self, id: &str) -> Result<Silence, Problem> {
        self.views.silence(id, self.then()).await
    }

    /// Notices, newest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn notices(&self, filter: NoticeFilter, part: ListPart) -> Result<Page<Notice>, Problem> {
        self.views.notices(filter, self.window(part)?).await
    }

    /// Dead letters, newest first; only open ones where `open`.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn parked(&self, open: bool, part: ListPart) -> Result<Page<Parked>, Problem> {
        self.views.parked(open, self.window(part)?).await
    }

    /// Events, oldest first.
    ///
    /// # Errors
    /// For a limit or a cursor that is none, or when the views cannot be read.
    pub async fn events(&self, filter: EventFilter, part: ListPart) -> Result<Page<Event>, Problem> {
        self.views.events(filter, self.window(part)?).await
    }

    /// One event, by its id or a unique prefix.
    ///
    /// # Errors
    /// When there is none, or several.
    pub async fn event(&self, id: &str) -> Result<Event, Problem> {
        self.views.event(id, self.then()).await
    }

    /// One event by its whole id, also where it was recorded after this position: who checks a citation tells what came
    /// later apart from what is nothing. It is no part of what is shown of this position.
    ///
    /// # Errors
    /// When there is none by now.
    pub async fn event_also_later(&self, id: &str) -> Result<Event, Problem> {
        self.views.event(id, None).await
    }

    /// The first event about a subject that was recorded after this position, where there is one by now. It is told
    /// for the way on from here, and is no part of what is shown of this position.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn next_event_of(&self, subject: &str) -> Result<Option<u64>, Problem> {
        let subject = Some(subject.to_owned());
        let filter = EventFilter { from: Some(self.position + 1), subject, ..EventFilter::default() };
        let page = self.views.events(filter, Window { limit: Some(1), ..Window::default() }).await?;
        Ok(page.items.first().map(|event| event.position))
    }

    /// The service catalogue in force.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn catalog(&self) -> Result<Catalog, Problem> {
        self.views.catalog(self.then()).await
    }

    /// A configuration section in force: (hash, content).
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn configured(&self, section: &str) -> Result<Option<(String, serde_json::Value)>, Problem> {
        self.views.configured(section, self.then()).await
    }

    /// The partition of an incident, which never changes.
    ///
    /// # Errors
    /// When there is no such incident.
    pub async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        self.views.partition_of(incident).await
    }

    /// What is counted, without the state hash.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub async fn counted(&self) -> Result<StateCounts, Problem> {
        self.views.counted(self.position).await
    }

    /// Whether all that follows from what stands up to here was decided and is in the views.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn is_settled(&self) -> Result<bool, Problem> {
        self.views.is_settled(self.position, self.is_now()).await
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("position", &self.position).field("asked", &self.asked).finish_non_exhaustive()
    }
}
