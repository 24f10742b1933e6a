//! The history behind a report, from the documents as of a position. Owns where each thing is read and how far
//! back; what a figure counts is `crate::figures`.

use hindcast_domain::events;
use hindcast_domain::words::{AnswerMode, ResolvedBy};
use std::collections::{BTreeMap, BTreeSet};

use crate::figures::{DEFINITIONS, Figures, IncidentFigures, Stretch};
use hindcast_api::{ModelSpend, Report, TotalSpend};
use hindcast_domain::incident::Incident;
use hindcast_domain::label::{About as Subject, Kind as LabelKind};
use hindcast_domain::notice::Reason;
use hindcast_domain::{Event, Span, Time};
use hindcast_queries::ReportFilter;
use serde::de::DeserializeOwned;

use super::Reader;
use crate::error::Error;
use crate::project::load::partition_of;
use crate::project::reported::{FiringNote, IncidentRow, LabelNote, NoticeNote};
use crate::store::keys::{self, DocumentKind, PackedIndex};

/// The stretch where none is named.
const STRETCH: Span = Span::hours(24 * 30);
/// How far behind its own time a thing may be recorded and still be found.
const LATE: Span = Span::hours(1);

/// What one reading of the history needs.
struct ReportReading<'a> {
    of: &'a Reader,
    stretch: Stretch,
    environment: Option<&'a String>,
    /// The first position that can have to do with the stretch.
    from: u64,
    /// Incidents of the stretch and of the environment, by id.
    rows: BTreeMap<String, IncidentRow>,
    /// Older ones that were looked at.
    older: BTreeMap<String, Option<Vec<String>>>,
}

impl Reader {
    /// Figures of a stretch.
    pub(crate) fn report(&self, filter: &ReportFilter) -> Result<Report, Error> {
        let until = filter.until.unwrap_or(self.recorded_at()? + Span::seconds(1));
        let since = filter.since.unwrap_or(until - STRETCH);
        let stretch = Stretch { since, until, service: filter.service.clone() };
        let from = self.store.known_at((since - LATE).nanos())?.map_or(0, |known| known + 1);
        let environment = filter.environment.as_ref();
        let (rows, older) = (BTreeMap::new(), BTreeMap::new());
        let mut reading = ReportReading { of: self, stretch: stretch.clone(), environment, from, rows, older };
        reading.read_rows()?;
        let mut figures = Figures::new(stretch);
        let told = reading.told(&mut figures)?;
        reading.firings(&mut figures)?;
        for (id, incident) in &reading.rows {
            let mut about = told.get(id).cloned().unwrap_or_default();
            (about.alerts, about.messages) = match incident.counted {
                Some(counted) => counted,
                None => self.tally(id).map(|tally| (tally.alerts, tally.occurrences))?,
            };
            figures.incident(incident, &about);
        }
        let spend = reading.spend()?;
        let (total, services) = figures.rows();
        Ok(Report {
            since: Some(since),
            until: Some(until),
            total,
            services,
            definitions: DEFINITIONS.map(|(name, what)| (name.to_owned(), what.to_owned())).into(),
            spend,
            position: self.at,
        })
    }
}

/// What is noted beside an entry.
fn noted<T: DeserializeOwned>(value: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(value).map_err(|source| Error::Json { expected: "a note for reports", source })
}

impl ReportReading<'_> {
    /// Incidents that were opened on a day of the stretch.
    fn read_rows(&mut self) -> Result<(), Error> {
        let (since, until) = (self.stretch.since.nanos(), self.stretch.until.nanos());
        let days = (keys::row_day(since), keys::row_day_end(until));
        let (environment, rows) = (self.environment, &mut self.rows);
        self.of.store.sweep(DocumentKind::Row, (&days.0, &days.1), self.of.at, |id, value| {
            let row: IncidentRow = noted(value)?;
            if environment.is_none_or(|wanted| *wanted == row.environment) {
                rows.insert(keys::row_incident(id).to_owned(), row);
            }
            Ok(())
        })
    }

    /// Services of an incident of the environment that is asked for.
    fn services(&mut self, id: &str) -> Result<Option<Vec<String>>, Error> {
        if let Some(row) = self.rows.get(id) {
            return Ok(Some(row.services.clone()));
        }
        if let Some(known) = self.older.get(id) {
            return Ok(known.clone());
        }
        let mut found = None;
        if let Some((partition, incident)) = self.of.incident_fold(id)? {
            let environment = partition_of(&partition)?.environment;
            let is_wanted = self.environment.is_none_or(|wanted| *wanted == environment);
            found = is_wanted.then(|| incident.services.into_iter().collect());
        }
        self.older.insert(id.to_owned(), found.clone());
        Ok(found)
    }

    /// What people were told of each incident, said of it, and took back; counts moments of pages on the way.
    fn told(&mut self, figures: &mut Figures) -> Result<BTreeMap<String, IncidentFigures>, Error> {
        let reader = self.of;
        let mut told = BTreeMap::<String, IncidentFigures>::new();
        let mut moments = BTreeSet::<(i64, Option<String>, Reason)>::new();
        for (kind, asked) in [("notice.requested", true), ("notice.held", false)] {
            for mention in reader.store.packed(PackedIndex::Type, kind, self.from, reader.at) {
                let notice: NoticeNote = noted(&mention?.value)?;
                if notice.page && asked {
                    moments.insert((notice.at, notice.incident.clone(), notice.reason));
                }
                let Some(incident) = notice.incident else { continue };
                let of = told.entry(incident).or_default();
                of.accounted = true;
                of.pages += u64::from(notice.page && asked);
            }
        }
        for (at, incident, _) in moments {
            let at = Time::from_nanos(at);
            match incident {
                Some(id) => {
                    if let Some(services) = self.services(&id)? {
                        figures.paged(at, &services);
                    }
                }
                // A storm's page is about no incident, and about no environment.
                None => figures.paged(at, &[]),
            }
        }
        self.labels(&mut told)?;
        for mention in reader.store.packed(PackedIndex::Type, "incident.reopened", self.from, reader.at) {
            let position = mention?.position;
            let Some(recorded) = reader.recorded(position)? else { continue };
            let by_people = matches!(&recorded.event, Event::IncidentReopened(it) if it.fingerprint.is_none());
            if by_people || self.was_ended_by_a_person(&recorded.subject, position)? {
                told.entry(recorded.subject).or_default().came_back = true;
            }
        }
        Ok(told)
    }

    /// What was said of each incident and counts.
    fn labels(&self, told: &mut BTreeMap<String, IncidentFigures>) -> Result<(), Error> {
        let store = &self.of.store;
        let mut retracted = BTreeSet::new();
        for mention in store.packed(PackedIndex::Type, "label.retracted", self.from, self.of.at) {
            retracted.insert(self.of.noted(&mention?.value)?);
        }
        for mention in store.packed(PackedIndex::Type, "label.given", self.from, self.of.at) {
            let mention = mention?;
            let label: LabelNote = noted(&mention.value)?;
            let Some(incident) = label.incident.as_ref().filter(|_| !retracted.contains(&label.label)) else {
                continue;
            };
            let together = label.rule == "pair_different" && self.were_together(&label.label, mention.position)?;
            let of = told.entry(incident.clone()).or_default();
            // A cause that is found later is one all the same.
            of.cause |= label.kind == LabelKind::Cause;
            if self.stretch.holds(Time::from_nanos(label.at)) {
                of.label(&label, together);
            }
        }
        Ok(())
    }

    /// Whether both alerts of a pair were in the incident when somebody spoke of them.
    fn were_together(&self, label: &str, position: u64) -> Result<bool, Error> {
        let Some((_, label)) = self.of.label(label)? else { return Ok(false) };
        let Subject::Pair { younger, older, incident, .. } = &label.given.about else { return Ok(false) };
        for alert in [younger, older] {
            let id = keys::member(incident.as_str(), alert.as_str());
            let member = self.of.store.document(DocumentKind::Member, &id, position)?;
            if member.is_none_or(|member| member.value.is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn was_ended_by_a_person(&self, id: &str, position: u64) -> Result<bool, Error> {
        let before = self.of.store.document(DocumentKind::Incident, id, position.saturating_sub(1))?;
        let Some(document) = before else { return Ok(false) };
        let (_, incident) = document.read::<Incident>("an incident")?;
        Ok(incident.resolved_by == Some(ResolvedBy::Person))
    }

    fn firings(&self, figures: &mut Figures) -> Result<(), Error> {
        for mention in self.of.store.packed(PackedIndex::Type, "alert.fired", self.from, self.of.at) {
            let fired: FiringNote = noted(&mention?.value)?;
            if self.environment.is_none_or(|wanted| *wanted == fired.environment) {
                figures.firing(Time::from_nanos(fired.at), fired.service.as_ref());
            }
        }
        Ok(())
    }

    fn spend(&self) -> Result<TotalSpend, Error> {
        let mut spend = TotalSpend::default();
        for kind in ["conversation.answered", "conversation.replied"] {
            for mention in self.of.store.packed(PackedIndex::Type, kind, self.from, self.of.at) {
                let Some(recorded) = self.of.recorded(mention?.position)? else { continue };
                if self.stretch.holds(recorded.time) {
                    count(&mut spend, &recorded.event);
                }
            }
        }
        Ok(spend)
    }
}

fn count(spend: &mut TotalSpend, event: &Event) {
    match event {
        Event::ConversationAnswered(answered) => {
            spend.answers += 1;
            spend.with_model += u64::from(answered.mode == AnswerMode::Model);
        }
        Event::ConversationReplied(replied) => {
            #[allow(clippy::cast_precision_loss)] // dollars for people
            let cost = replied.cost_micros as f64 / 1e6;
            let tokens = replied.tokens_in.saturating_add(replied.tokens_out);
            let of: &mut ModelSpend = spend.models.entry(replied.model.clone()).or_default();
            of.replies += 1;
            of.tokens = of.tokens.saturating_add(tokens);
            of.cost += cost;
            spend.tokens = spend.tokens.saturating_add(tokens);
            spend.cost += cost;
        }
        Event::ConversationAsked(_)
        | Event::ConversationToolUsed(_)
        | events! { intake, finding, proposal, label, model, chat, alert, incident, silence, control, notice } => {}
    }
}
