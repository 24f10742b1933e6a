//! The history behind a report, from the documents as of a position. Owns where each thing is read and how far
//! back; what a figure counts is `crate::figures`.

use hindcast_domain::events;
use hindcast_domain::words::{AnswerMode, ResolvedBy};
use std::collections::{BTreeMap, BTreeSet};

use crate::figures::{DEFINITIONS, Figures, Stretch, Told};
use hindcast_api::{ModelSpend, Report, TotalSpend};
use hindcast_domain::incident::Incident;
use hindcast_domain::label::{About as Subject, Kind as LabelKind, Label};
use hindcast_domain::notice::{self, Notice, Reason};
use hindcast_domain::{Event, IncidentId, Span, Time};
use hindcast_queries::ReportFilter;

use super::Reader;
use crate::error::Error;
use crate::project;
use crate::project::load::partition_of;
use crate::store::keys::{About, Kind, List};

/// The stretch where none is named.
const STRETCH: Span = Span::hours(24 * 30);
/// How far behind its own time a thing may be recorded and still be found.
const LATE: Span = Span::hours(1);

/// Incidents that were looked at: the environment and the fold.
type LookedAtIncidents = BTreeMap<String, Option<(String, Incident)>>;

/// What one reading of the history needs.
struct ReportReading<'a> {
    of: &'a Reader,
    stretch: Stretch,
    environment: Option<&'a String>,
    /// The first position that can have to do with the stretch.
    from: u64,
    seen: LookedAtIncidents,
}

impl Reader {
    /// Figures of a stretch.
    pub(crate) fn report(&self, filter: &ReportFilter) -> Result<Report, Error> {
        let until = filter.until.unwrap_or(self.recorded_at()? + Span::seconds(1));
        let since = filter.since.unwrap_or(until - STRETCH);
        let stretch = Stretch { since, until, service: filter.service.clone() };
        let from = self.store.known_at((since - LATE).nanos())?.map_or(0, |known| known + 1);
        let environment = filter.environment.as_ref();
        let mut reading =
            ReportReading { of: self, stretch: stretch.clone(), environment, from, seen: LookedAtIncidents::new() };
        let mut figures = Figures::new(stretch);
        let told = reading.told(&mut figures)?;
        reading.firings(&mut figures)?;
        for id in reading.ids(List::Incidents)? {
            let Some((_, incident)) = reading.incident(&id)? else { continue };
            let mut about = told.get(&id).cloned().unwrap_or_default();
            let tally = self.tally(&id)?;
            (about.alerts, about.messages) = (tally.alerts, tally.occurrences);
            figures.incident(&incident, &about);
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

impl ReportReading<'_> {
    /// Ids of a list, from where the stretch can begin.
    fn ids(&self, list: List) -> Result<Vec<String>, Error> {
        let mut ids = Vec::new();
        for entry in self.of.store.list(list, self.of.at, None) {
            let (position, id) = entry?;
            if position < self.from {
                break;
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// An incident of the environment that is asked for.
    fn incident(&mut self, id: &str) -> Result<Option<(String, Incident)>, Error> {
        if let Some(seen) = self.seen.get(id) {
            return Ok(seen.clone());
        }
        let found = match self.of.incident_fold(id)? {
            Some((partition, incident)) => Some((partition_of(&partition)?.environment, incident)),
            None => None,
        };
        let found = found.filter(|(environment, _)| self.environment.is_none_or(|wanted| wanted == environment));
        self.seen.insert(id.to_owned(), found.clone());
        Ok(found)
    }

    /// What people were told of each incident, said of it, and took back; counts moments of pages on the way.
    fn told(&mut self, figures: &mut Figures) -> Result<BTreeMap<String, Told>, Error> {
        let reader = self.of;
        let mut told = BTreeMap::<String, Told>::new();
        let mut moments = BTreeSet::<(Time, Option<IncidentId>, Reason)>::new();
        for id in self.ids(List::Notices)? {
            let Some(document) = reader.store.document(Kind::Notice, &id, reader.at)? else { continue };
            let (_, notice) = document.read::<Notice>("a notice")?;
            let asked = !matches!(notice.status, notice::Status::Held | notice::Status::Released);
            if notice.page && asked {
                moments.insert((notice.at, notice.incident.clone(), notice.reason));
            }
            let Some(incident) = &notice.incident else { continue };
            let of = told.entry(incident.to_string()).or_default();
            of.accounted = true;
            of.pages += u64::from(notice.page && asked);
        }
        for (at, incident, _) in moments {
            match incident {
                Some(id) => {
                    if let Some((_, incident)) = self.incident(id.as_str())? {
                        figures.paged(at, &incident.services);
                    }
                }
                // A storm's page is about no incident, and about no environment.
                None => figures.paged(at, &BTreeSet::new()),
            }
        }
        for id in self.ids(List::Labels)? {
            let Some((_, label)) = reader.label(&id)? else { continue };
            let Some(incident) = project::about(&label.given.about).filter(|_| label.counts_at(reader.at)) else {
                continue;
            };
            // A cause that is found later is one all the same.
            told.entry(incident.to_string()).or_default().cause |= label.given.kind == LabelKind::Cause;
            if self.stretch.holds(label.at) {
                let together = self.were_together(&label)?;
                told.entry(incident.to_string()).or_default().label(&label, together);
            }
        }
        for mention in reader.store.about_from(About::Type, "incident.reopened", self.from, reader.at) {
            let position = mention?.position;
            let Some(recorded) = reader.recorded(position)? else { continue };
            let by_people = matches!(&recorded.event, Event::IncidentReopened(it) if it.fingerprint.is_none());
            if by_people || self.was_ended_by_a_person(&recorded.subject, position)? {
                told.entry(recorded.subject).or_default().came_back = true;
            }
        }
        Ok(told)
    }

    /// Whether both alerts of a pair were in the incident when somebody spoke of them.
    fn were_together(&self, label: &Label) -> Result<bool, Error> {
        let Subject::Pair { younger, older, incident, .. } = &label.given.about else { return Ok(false) };
        let then = self.of.store.document(Kind::Incident, incident.as_str(), label.position)?;
        let Some(document) = then else { return Ok(false) };
        let (_, incident) = document.read::<Incident>("an incident")?;
        Ok([younger, older].iter().all(|alert| incident.members.contains_key(*alert)))
    }

    fn was_ended_by_a_person(&self, id: &str, position: u64) -> Result<bool, Error> {
        let before = self.of.store.document(Kind::Incident, id, position.saturating_sub(1))?;
        let Some(document) = before else { return Ok(false) };
        let (_, incident) = document.read::<Incident>("an incident")?;
        Ok(incident.resolved_by == Some(ResolvedBy::Person))
    }

    fn firings(&self, figures: &mut Figures) -> Result<(), Error> {
        for mention in self.of.store.about_from(About::Type, "alert.fired", self.from, self.of.at) {
            let Some(recorded) = self.of.recorded(mention?.position)? else { continue };
            if self.environment.is_some_and(|wanted| *wanted != recorded.partition.environment) {
                continue;
            }
            if let Event::AlertFired(fired) = &recorded.event {
                figures.firing(recorded.time, fired.service.as_ref());
            }
        }
        Ok(())
    }

    fn spend(&self) -> Result<TotalSpend, Error> {
        let mut spend = TotalSpend::default();
        for kind in ["conversation.answered", "conversation.replied"] {
            for mention in self.of.store.about_from(About::Type, kind, self.from, self.of.at) {
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
