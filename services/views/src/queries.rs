//! The read port over the store: each question becomes a reader as of its position, on a thread that may
//! wait for the disk. Refuses to know how an answer is made.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api as api;
use hindcast_api::{AsOf, Code, Page, Problem, Receipt, Replay, State, Verification, Why};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_ledger::commit;
use hindcast_queries::{
    AlertFilter, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries,
    ReportFilter, StateCounts, Window,
};
use tokio::sync::watch;

use crate::error::Error;
use crate::project::load::partition_of;
use crate::read::{PageBounds, Reader};
use crate::replay;
use crate::service::Views;

impl Views {
    /// Answers a question as of `as_of`.
    async fn ask<T, F>(&self, as_of: Option<AsOf>, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, Problem> + Send + 'static,
    {
        self.within(as_of).await?;
        let place = self.place();
        blocking(move || question(&place.reader(as_of)?)).await
    }

    /// Refuses a position that the ledger does not have yet, such as a time in seconds: answering with what is known
    /// now would be an answer to another question.
    async fn within(&self, as_of: Option<AsOf>) -> Result<(), Problem> {
        let Some(AsOf::Position(position)) = as_of.filter(|_| !self.place().show_later) else {
            return Ok(());
        };
        if position <= self.place().reached {
            return Ok(());
        }
        let head = self.inner.options.ledger.head().await.map_err(Error::from)?;
        if commit::seq_of(position) <= head {
            return Ok(());
        }
        let last = commit::position(head + 1, 0) - 1;
        let detail = format!("expected a position up to {last}, where the ledger ends, got {position}");
        Err(Problem::new(Code::BadAsOf, detail).remedy("Give a time in RFC 3339, such as 2026-11-20T03:12:00Z."))
    }

    /// Answers a question for a page of a list.
    async fn turn<T, F>(&self, window: Window, question: F) -> Result<Page<T>, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader, &PageBounds) -> Result<Page<T>, Problem> + Send + 'static,
    {
        self.within(window.as_of).await?;
        let place = self.place();
        blocking(move || {
            let (reader, asked) = place.page(&window)?;
            question(&reader, &asked)
        })
        .await
    }
}

/// Runs `work` on a thread that may wait for the disk.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Error::from)?
}

fn missing(what: &str, id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("expected {what}, found none for {id:?}"))
}

#[async_trait]
impl Queries for Views {
    fn position(&self) -> watch::Receiver<u64> {
        self.inner.position.subscribe()
    }

    fn is_ready(&self) -> bool {
        self.ready()
    }

    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<api::Incident>, Problem> {
        self.turn(window, |reader, asked| reader.incidents(filter, asked)).await
    }

    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<api::Incident, Problem> {
        let id = id.map(ToOwned::to_owned);
        self.ask(as_of, move |reader| {
            let id = reader.find_incident(id.as_deref())?;
            reader.incident(&id)?.ok_or_else(|| missing("an incident", &id))
        })
        .await
    }

    async fn timeline(&self, id: &str, window: Window) -> Result<Page<api::TimelineEntry>, Problem> {
        let id = id.to_owned();
        self.turn(window, move |reader, asked| {
            let id = reader.find_incident(Some(&id))?;
            reader.timeline(&id, asked)
        })
        .await
    }

    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem> {
        let id = id.to_owned();
        self.ask(as_of, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            Ok(reader.why(&id)?)
        })
        .await
    }

    async fn why_of(&self, id: &str, alerts: &[String], as_of: Option<AsOf>) -> Result<Why, Problem> {
        let (id, alerts) = (id.to_owned(), alerts.to_vec());
        self.ask(as_of, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            Ok(reader.why_of(&id, &alerts)?)
        })
        .await
    }

    async fn joined(
        &self,
        id: &str,
        alerts: &[String],
        as_of: Option<AsOf>,
    ) -> Result<BTreeMap<String, api::Citation>, Problem> {
        let (id, alerts) = (id.to_owned(), alerts.to_vec());
        self.ask(as_of, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            Ok(reader.joined(&id, &alerts)?)
        })
        .await
    }

    async fn changes(&self, id: &str, as_of: Option<AsOf>) -> Result<Vec<api::Change>, Problem> {
        let id = id.to_owned();
        self.ask(as_of, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            Ok(reader.changes(&id)?)
        })
        .await
    }

    async fn alerts(&self, filter: AlertFilter, window: Window) -> Result<Page<api::Alert>, Problem> {
        self.turn(window, move |reader, asked| reader.alerts(&filter, asked)).await
    }

    async fn receipt(&self, alert: Option<&str>, as_of: Option<AsOf>) -> Result<Receipt, Problem> {
        let alert = alert.map(ToOwned::to_owned);
        let receipt = self
            .ask(as_of, move |reader| {
                let fingerprint = reader.find_alert(alert.as_deref())?;
                reader.receipt(&fingerprint)
            })
            .await?;
        self.count_unaccounted(&receipt);
        Ok(receipt)
    }

    async fn findings(&self, filter: FindingFilter, window: Window) -> Result<Page<api::Finding>, Problem> {
        self.turn(window, move |reader, asked| reader.findings(&filter, asked)).await
    }

    async fn watched(&self, environment: &str, as_of: Option<AsOf>) -> Result<Vec<String>, Problem> {
        let environment = environment.to_owned();
        self.ask(as_of, move |reader| Ok(reader.watched(&environment)?)).await
    }

    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        self.ask(as_of, |reader| Ok((reader.at, reader.recorded_at()?))).await
    }

    async fn labels(&self, filter: LabelFilter, window: Window) -> Result<Page<api::Label>, Problem> {
        self.turn(window, move |reader, asked| reader.labels(&filter, asked)).await
    }

    async fn label_coverage(&self, as_of: Option<AsOf>) -> Result<api::LabelCoverage, Problem> {
        self.ask(as_of, |reader| Ok(reader.label_coverage()?)).await
    }

    async fn models(&self, window: Window) -> Result<Page<api::ModelVersion>, Problem> {
        self.turn(window, |reader, asked| reader.models(asked)).await
    }

    async fn model(&self, name: &str, version: Option<u32>, as_of: Option<AsOf>) -> Result<api::ModelVersion, Problem> {
        let name = name.to_owned();
        self.ask(as_of, move |reader| reader.model(&name, version)).await
    }

    async fn report(&self, filter: ReportFilter, as_of: Option<AsOf>) -> Result<api::Report, Problem> {
        self.ask(as_of, move |reader| Ok(reader.report(&filter)?)).await
    }

    async fn silences(&self, window: Window) -> Result<Page<api::Silence>, Problem> {
        self.turn(window, |reader, asked| reader.silences(asked)).await
    }

    async fn silence(&self, id: &str, as_of: Option<AsOf>) -> Result<api::Silence, Problem> {
        let id = id.to_owned();
        self.ask(as_of, move |reader| {
            let id = reader.find_silence(&id)?;
            reader.silence(&id)?.ok_or_else(|| missing("a silence", &id))
        })
        .await
    }

    async fn notices(&self, filter: NoticeFilter, window: Window) -> Result<Page<api::Notice>, Problem> {
        self.turn(window, move |reader, asked| reader.notices(&filter, asked)).await
    }

    async fn parked(&self, open: bool, window: Window) -> Result<Page<api::Parked>, Problem> {
        self.turn(window, move |reader, asked| reader.parked(open, asked)).await
    }

    async fn parked_item(&self, id: &str) -> Result<api::Parked, Problem> {
        let id = id.to_owned();
        self.ask(None, move |reader| {
            let id = reader.find_parked(&id)?;
            reader.parked_item(&id)?.ok_or_else(|| missing("a dead letter", &id))
        })
        .await
    }

    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<api::Event>, Problem> {
        self.turn(window, move |reader, asked| reader.events(&filter, asked)).await
    }

    async fn event(&self, id: &str, as_of: Option<AsOf>) -> Result<api::Event, Problem> {
        let id = id.to_owned();
        self.ask(as_of, move |reader| reader.event(&id)).await
    }

    async fn catalog(&self, as_of: Option<AsOf>) -> Result<Catalog, Problem> {
        self.ask(as_of, |reader| Ok(reader.catalog()?)).await
    }

    async fn configured(
        &self,
        section: &str,
        as_of: Option<AsOf>,
    ) -> Result<Option<(String, serde_json::Value)>, Problem> {
        let name = section.to_owned();
        self.ask(as_of, move |reader| Ok(reader.section(&name)?.map(|section| (section.hash, section.content)))).await
    }

    async fn state(&self, as_of: Option<AsOf>) -> Result<State, Problem> {
        let mut state = match as_of {
            None => self.state_now().await?,
            Some(_) => {
                self.within(as_of).await?;
                let views = self.clone();
                blocking(move || {
                    let (position, provisional) = views.place().resolve(as_of)?;
                    views.state_of(position, provisional)
                })
                .await?
            }
        };
        state.settled = self.settled(state.position, as_of.is_none()).await?;
        Ok(state)
    }

    async fn counted(&self, position: u64) -> Result<StateCounts, Problem> {
        self.counts_at(position).await
    }

    async fn is_settled(&self, position: u64, now: bool) -> Result<bool, Problem> {
        self.settled(position, now).await
    }

    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        let id = incident.to_owned();
        self.ask(None, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            let (partition, _) = reader.incident_fold(&id)?.ok_or_else(|| missing("an incident", &id))?;
            Ok(partition_of(&partition)?)
        })
        .await
    }

    async fn outcome(&self, command: &EventId, patience: Duration) -> CommandOutcome {
        let wait = async {
            let mut position = self.inner.position.subscribe();
            loop {
                position.mark_unchanged();
                let id = command.clone();
                match self.ask(None, move |reader| Ok(reader.outcome(&id)?)).await {
                    Ok(Some(outcome)) => return outcome,
                    Ok(None) => {}
                    Err(problem) => tracing::warn!(%problem, "a command's outcome cannot be read"),
                }
                if position.changed().await.is_err() {
                    return CommandOutcome::Pending;
                }
            }
        };
        tokio::time::timeout(patience, wait).await.unwrap_or(CommandOutcome::Pending)
    }

    async fn command_by_key(&self, key: &str) -> Option<(EventId, Received)> {
        let key = key.to_owned();
        match self.ask(None, move |reader| Ok(reader.command_by_key(&key)?)).await {
            Ok(found) => found,
            Err(problem) => {
                tracing::warn!(%problem, "an idempotency key cannot be looked up");
                None
            }
        }
    }

    async fn verify(&self) -> Result<Verification, Problem> {
        Ok(replay::walk(&self.inner.options.ledger).await?)
    }

    async fn replay(&self, to: Option<AsOf>) -> Result<Replay, Problem> {
        self.within(to).await?;
        let views = self.clone();
        let (position, live_hash) = match to {
            None => self.hash_now().await?,
            Some(_) => {
                let summarise = move || {
                    let place = views.place();
                    let (position, _) = place.resolve(to)?;
                    Ok((position, place.at(position).summary()?.state_hash()))
                };
                blocking(summarise).await?
            }
        };
        Ok(replay::replay(&self.inner.options.ledger, position, live_hash).await?)
    }
}
