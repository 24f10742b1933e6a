//! What views in memory answer to each question.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api::{
    Alert, AsOf, Change, Code, Event, Finding, Incident, Label, LabelCoverage, ModelStatus, ModelVersion, Notice, Page,
    Parked, Problem, Receipt, Replay, Report, Silence, State, TimelineEntry, Verification, Why,
};
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition, Span, Time};
use tokio::sync::watch;

use super::{MemoryContents, MemoryViews, Question, filters, kept, look};
use crate::{
    AlertFilter, CHANGES_HOURS_BEFORE, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, LabelFilter,
    NoticeFilter, Queries, ReportFilter, StateCounts, Window,
};

impl MemoryViews {
    /// Reads the source, notes the question and finds the position that it is about.
    async fn ask(&self, question: Question) -> Result<u64, Problem> {
        if let Some(source) = &self.source {
            for event in source.events().await {
                let position = event.position;
                self.held().events.insert(position, event);
                self.position.send_if_modified(|reached| {
                    let later = position > *reached;
                    *reached = position.max(*reached);
                    later
                });
            }
        }
        let (name, as_of) = (question.name(), question.as_of());
        let mut held = self.held();
        held.asked.push(question);
        if held.refuse.1 > 0 && held.refuse.0 == name {
            held.refuse.1 -= 1;
            return Err(Problem::new(Code::Internal, "the views are busy"));
        }
        let reached = *self.position.borrow();
        Ok(match as_of {
            None => reached,
            Some(AsOf::Position(position)) if position > reached => {
                let detail = format!("expected a position up to {reached}, got {position}");
                return Err(Problem::new(Code::BadAsOf, detail));
            }
            Some(AsOf::Position(position)) => position,
            Some(AsOf::Time(time)) => {
                let known = held.events.values().filter(|event| event.recorded_at <= time);
                known.map(|event| event.position).max().unwrap_or(0).min(reached)
            }
        })
    }

    /// A page of a list that `items` makes as of the position of the first page.
    async fn turn<T>(
        &self,
        question: Question,
        window: &Window,
        items: impl FnOnce(&MemoryContents, u64) -> Result<Vec<T>, Problem>,
    ) -> Result<Page<T>, Problem> {
        let now = self.ask(question).await?;
        let (first, skip, limit) = kept::bounds(window)?;
        let at = first.map_or(now, |first| first.min(*self.position.borrow()));
        Ok(kept::page(items(&self.held(), at)?, at, skip, limit))
    }
}

#[async_trait]
impl Queries for MemoryViews {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    fn is_ready(&self) -> bool {
        !self.held().unready
    }

    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        self.turn(Question::Incidents(filter.clone(), window.clone()), &window, |held, at| {
            let mut services: Vec<String> = filter.service.iter().cloned().collect();
            if let Some(service) = &filter.service {
                services.extend(Topology::new(&held.catalog(at)?).resolve(service).map(ToOwned::to_owned));
            }
            let all = held.incidents.newest(at).into_iter();
            let wanted = all.filter(|one| filters::incident(&filter, one, &services, || held.words(one, at)));
            Ok(wanted.cloned().collect())
        })
        .await
    }

    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem> {
        let at = self.ask(Question::Other("incident", as_of)).await?;
        self.held().incidents.find(id, at).cloned()
    }

    async fn timeline(&self, id: &str, window: Window) -> Result<Page<TimelineEntry>, Problem> {
        self.turn(Question::Other("timeline", window.as_of), &window, |held, at| {
            let id = &held.incidents.find(Some(id), at)?.id;
            let known = held.timeline.get(id).into_iter().flatten().filter(|entry| entry.position <= at);
            Ok(known.cloned().collect())
        })
        .await
    }

    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem> {
        let at = self.ask(Question::Other("why", as_of)).await?;
        let held = self.held();
        let id = &held.incidents.find(Some(id), at)?.id;
        let empty = || Why { incident: id.clone(), members: Vec::new(), kept_out: Vec::new(), position: at };
        let mut why = held.whys.get(id, at).cloned().unwrap_or_else(empty);
        why.members.retain(|member| member.position <= at);
        why.kept_out.retain(|other| other.position <= at);
        why.position = why.position.min(at);
        Ok(why)
    }

    async fn changes(&self, id: &str, as_of: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        let at = self.ask(Question::Other("changes", as_of)).await?;
        let held = self.held();
        let incident = held.incidents.find(Some(id), at)?;
        let from = incident.started_at.min(incident.opened_at) - Span::hours(CHANGES_HOURS_BEFORE);
        let to = incident.resolved_at.unwrap_or(Time::MAX);
        let near = |change: &&Change| {
            (change.environment == incident.environment || change.environment == "_")
                && change.change.at >= from
                && change.change.at <= to
        };
        let mut changes: Vec<Change> = held.changes.newest(at).into_iter().filter(near).cloned().collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.change.at));
        Ok(changes)
    }

    async fn alerts(&self, filter: AlertFilter, window: Window) -> Result<Page<Alert>, Problem> {
        self.turn(Question::Alerts(filter.clone(), window.clone()), &window, |held, at| {
            let mut found = held.alerts.newest(at);
            if let Some(text) = filter.fingerprint.as_deref().map(str::trim) {
                let whole = |alert: &Alert| {
                    alert.fingerprint == text.to_ascii_lowercase() || alert.source_fingerprint.as_deref() == Some(text)
                };
                let any = found.iter().any(|alert| whole(alert));
                found.retain(|alert| if any { whole(alert) } else { look::begins(alert, text) });
            }
            if let Some(id) = &filter.incident {
                let id = &held.incidents.find(Some(id), at)?.id;
                found.retain(|alert| alert.incident.as_ref() == Some(id));
            }
            Ok(found.into_iter().filter(|alert| filters::alert(&filter, alert)).cloned().collect())
        })
        .await
    }

    async fn receipt(&self, alert: Option<&str>, as_of: Option<AsOf>) -> Result<Receipt, Problem> {
        let at = self.ask(Question::Other("receipt", as_of)).await?;
        let held = self.held();
        let fingerprint = &held.alert(alert, at)?.fingerprint;
        let missing = || Problem::new(Code::NotFound, format!("expected a receipt, found none for {fingerprint:?}"));
        held.receipts.get(fingerprint, at).cloned().ok_or_else(missing)
    }

    async fn findings(&self, filter: FindingFilter, window: Window) -> Result<Page<Finding>, Problem> {
        self.turn(Question::Findings(filter.clone(), window.clone()), &window, |held, at| {
            let all = held.findings.newest(at).into_iter().filter(|one| filters::finding(&filter, one));
            let mut found: Vec<Finding> = all.cloned().collect();
            found.sort_by_key(|finding| std::cmp::Reverse(finding.finding.at));
            Ok(found)
        })
        .await
    }

    async fn watched(&self, environment: &str, as_of: Option<AsOf>) -> Result<Vec<String>, Problem> {
        let at = self.ask(Question::Other("watched", as_of)).await?;
        let held = self.held();
        let mut services: BTreeSet<String> = BTreeSet::new();
        let here = |found: &str| found == environment;
        services
            .extend(held.alerts.newest(at).iter().filter(|a| here(&a.environment)).filter_map(|a| a.service.clone()));
        services.extend(
            held.findings.newest(at).iter().filter(|f| here(&f.environment)).map(|f| f.finding.service.clone()),
        );
        let changes = held.changes.newest(at);
        services.extend(changes.iter().filter(|c| here(&c.environment)).filter_map(|c| c.change.service.clone()));
        services.extend(held.catalog(at)?.services.into_iter().map(|service| service.name));
        Ok(services.into_iter().collect())
    }

    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        let at = self.ask(Question::Other("moment", as_of)).await?;
        let held = self.held();
        Ok((at, held.events.range(..=at).next_back().map_or(Time::ZERO, |(_, event)| event.recorded_at)))
    }

    async fn labels(&self, filter: LabelFilter, window: Window) -> Result<Page<Label>, Problem> {
        self.turn(Question::Labels(filter.clone(), window.clone()), &window, |held, at| {
            Ok(held.labels.newest(at).into_iter().filter(|label| filters::label(&filter, label)).cloned().collect())
        })
        .await
    }

    async fn label_coverage(&self, as_of: Option<AsOf>) -> Result<LabelCoverage, Problem> {
        let at = self.ask(Question::Other("label_coverage", as_of)).await?;
        let held = self.held();
        let counted = || LabelCoverage { labels: held.labels.newest(at).len() as u32, ..LabelCoverage::default() };
        Ok(LabelCoverage { position: at, ..held.coverage.clone().unwrap_or_else(counted) })
    }

    async fn models(&self, window: Window) -> Result<Page<ModelVersion>, Problem> {
        self.turn(Question::Other("models", window.as_of), &window, |held, at| {
            let mut found: Vec<ModelVersion> = held.models.newest(at).into_iter().cloned().collect();
            found.sort_by(|a, b| (&a.name, b.version).cmp(&(&b.name, a.version)));
            found.iter_mut().for_each(|version| version.card = None);
            Ok(found)
        })
        .await
    }

    async fn model(&self, name: &str, version: Option<u32>, as_of: Option<AsOf>) -> Result<ModelVersion, Problem> {
        let at = self.ask(Question::Other("model", as_of)).await?;
        let held = self.held();
        let is = |found: &&ModelVersion| match version {
            Some(version) => found.version == version,
            None => found.status == ModelStatus::InForce,
        };
        let found = held.models.newest(at).into_iter().filter(|found| found.name == name).find(is).cloned();
        found.ok_or_else(|| {
            Problem::new(Code::NotFound, format!("expected a version of a model, found none for {name:?}"))
        })
    }

    async fn report(&self, _: ReportFilter, as_of: Option<AsOf>) -> Result<Report, Problem> {
        self.ask(Question::Other("report", as_of)).await?;
        Ok(self.held().report.clone())
    }

    async fn silences(&self, window: Window) -> Result<Page<Silence>, Problem> {
        self.turn(Question::Other("silences", window.as_of), &window, |held, at| {
            Ok(held.silences.newest(at).into_iter().cloned().collect())
        })
        .await
    }

    async fn silence(&self, id: &str, as_of: Option<AsOf>) -> Result<Silence, Problem> {
        let at = self.ask(Question::Other("silence", as_of)).await?;
        self.held().silences.find(Some(id), at).cloned()
    }

    async fn notices(&self, filter: NoticeFilter, window: Window) -> Result<Page<Notice>, Problem> {
        self.turn(Question::Notices(filter.clone(), window.clone()), &window, |held, at| {
            let about = match &filter.incident {
                Some(text) => Some(&held.incidents.find(Some(text), at)?.id),
                None => None,
            };
            let wanted = |notice: &&Notice| {
                filters::notice(&filter, notice) && (about.is_none() || notice.incident.as_ref() == about)
            };
            Ok(held.notices.newest(at).into_iter().filter(wanted).cloned().collect())
        })
        .await
    }

    async fn parked(&self, open: bool, window: Window) -> Result<Page<Parked>, Problem> {
        self.turn(Question::Other("parked", window.as_of), &window, |held, at| {
            let all = held.parked.newest(at).into_iter();
            Ok(all.filter(|item| !open || item.status == "parked").cloned().collect())
        })
        .await
    }

    async fn parked_item(&self, id: &str) -> Result<Parked, Problem> {
        let at = self.ask(Question::Other("parked_item", None)).await?;
        self.held().parked.find(Some(id), at).cloned()
    }

    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        self.turn(Question::Events(filter.clone(), window.clone()), &window, |held, at| {
            Ok(held
                .events
                .range(..=at)
                .map(|(_, one)| one)
                .filter(|one| filters::event(&filter, one))
                .cloned()
                .collect())
        })
        .await
    }

    async fn event(&self, id: &str, as_of: Option<AsOf>) -> Result<Event, Problem> {
        let at = self.ask(Question::Other("event", as_of)).await?;
        let held = self.held();
        let upper = id.trim().to_ascii_uppercase();
        let spelt = format!("EVT-{}", upper.strip_prefix("EVT-").unwrap_or(&upper));
        let known = held.events.range(..=at).map(|(_, event)| event);
        kept::one(known.filter(|event| event.id.to_ascii_uppercase().starts_with(&spelt)), id).cloned()
    }

    async fn catalog(&self, as_of: Option<AsOf>) -> Result<Catalog, Problem> {
        let at = self.ask(Question::Other("catalog", as_of)).await?;
        self.held().catalog(at)
    }

    async fn configured(
        &self,
        section: &str,
        as_of: Option<AsOf>,
    ) -> Result<Option<(String, serde_json::Value)>, Problem> {
        let at = self.ask(Question::Other("configured", as_of)).await?;
        Ok(self.held().sections.get(section, at).map(|section| (section.hash.clone(), section.content.clone())))
    }

    async fn state(&self, as_of: Option<AsOf>) -> Result<State, Problem> {
        let at = self.ask(Question::Other("state", as_of)).await?;
        Ok(self.held().state(at))
    }

    async fn counted(&self, position: u64) -> Result<StateCounts, Problem> {
        let at = self.ask(Question::Other("counted", Some(AsOf::Position(position)))).await?;
        let State { incidents, alerts, parked, .. } = self.held().state(at);
        Ok(StateCounts { incidents, alerts, parked })
    }

    async fn is_settled(&self, _: u64, _: bool) -> Result<bool, Problem> {
        Ok(true)
    }

    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        let at = self.ask(Question::Other("partition_of", None)).await?;
        Ok(Partition::of_environment(&self.held().incidents.find(Some(incident), at)?.environment))
    }

    async fn outcome(&self, _: &EventId, _: Duration) -> CommandOutcome {
        self.held().outcome.clone().unwrap_or(CommandOutcome::Pending)
    }

    async fn command_by_key(&self, key: &str) -> Option<(EventId, Received)> {
        self.held().commands.get(key).cloned()
    }

    async fn verify(&self) -> Result<Verification, Problem> {
        let at = self.ask(Question::Other("verify", None)).await?;
        let (events, bound) = (self.held().events.len() as u64, "nothing is chained in memory".to_owned());
        Ok(Verification { intact: true, commits: events, events, position: at, damage: Vec::new(), bound })
    }

    async fn replay(&self, to: Option<AsOf>) -> Result<Replay, Problem> {
        let position = self.ask(Question::Other("replay", to)).await?;
        let (hash, events) = ("memory".to_owned(), self.held().events.range(..=position).count() as u64);
        Ok(Replay { identical: true, replayed_hash: hash.clone(), live_hash: hash, position, events, elapsed_ms: 0 })
    }
}
