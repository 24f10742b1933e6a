//! The read port over the store: each question becomes a reader as of its position, on a thread that may
//! wait for the disk. Refuses to know how an answer is made.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_api as api;
use hindcast_api::{AsOf, Code, Page, Problem, Receipt, Replay, State, Verification, Why};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::lane::names;
use hindcast_domain::{EventId, Partition};
use hindcast_ledger::commit;
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, NoticeFilter, Outcome, Queries, Window};
use tokio::sync::watch;

use crate::error::Error;
use crate::project::load::partition_of;
use crate::read::receipt::UNACCOUNTED;
use crate::read::{Asked, Reader};
use crate::replay;
use crate::service::{Views, lock};

impl Views {
    /// Answers a question as of `as_of`.
    async fn ask<T, F>(&self, as_of: Option<AsOf>, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, Problem> + Send + 'static,
    {
        let place = self.place();
        blocking(move || question(&place.reader(as_of)?)).await
    }

    /// Answers a question for a page of a list.
    async fn turn<T, F>(&self, window: Window, question: F) -> Result<Page<T>, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader, &Asked) -> Result<Page<T>, Problem> + Send + 'static,
    {
        let place = self.place();
        blocking(move || {
            let (reader, asked) = place.page(&window)?;
            question(&reader, &asked)
        })
        .await
    }

    /// (position, state hash) now, from what is kept at hand.
    fn hash_now(&self) -> (u64, String) {
        let mut live = lock(&self.inner.live);
        let position = live.position;
        if let Some((at, hash)) = &live.hash
            && *at == position
        {
            return (position, hash.clone());
        }
        let hash = live.summary.state_hash();
        live.hash = Some((position, hash.clone()));
        (position, hash)
    }

    async fn state_now(&self) -> Result<State, Problem> {
        let views = self.clone();
        blocking(move || {
            let (position, state_hash) = views.hash_now();
            let (incidents, alerts, parked) = {
                let live = lock(&views.inner.live);
                // One more commit may have come since: then the documents answer.
                if live.position != position {
                    return views.state_of(position, false);
                }
                let (incidents, alerts) = live.summary.counts();
                (incidents, alerts, live.parked)
            };
            let versions = views.place().at(position).versions()?;
            Ok(views.frame(position, state_hash, incidents, alerts, parked, versions))
        })
        .await
    }

    fn state_of(&self, position: u64, provisional: bool) -> Result<State, Problem> {
        let reader = self.place().at(position);
        let summary = reader.summary()?;
        let (incidents, alerts) = summary.counts();
        let (parked, versions) = (reader.parked_open()?, reader.versions()?);
        let state = self.frame(position, summary.state_hash(), incidents, alerts, parked, versions);
        Ok(State { provisional, ..state })
    }

    fn frame(
        &self,
        position: u64,
        state_hash: String,
        incidents: api::IncidentCounts,
        alerts: api::AlertCounts,
        parked: u64,
        mut versions: std::collections::BTreeMap<String, String>,
    ) -> State {
        let info = self.inner.options.ledger.info();
        versions.insert("ledger".to_owned(), info.kind.to_owned());
        versions.insert("durability".to_owned(), format!("{:?}", info.durability).to_lowercase());
        let reports = self.inner.options.progress.all();
        let services = reports.into_iter().filter(|(name, _)| !name.starts_with("writer/")).map(|(name, report)| {
            let position = commit::position(report.through, 0);
            (name, api::ServiceProgress { position, due: report.due })
        });
        State {
            position,
            settled: false,
            provisional: false,
            state_hash,
            incidents,
            alerts,
            parked,
            versions,
            ledger: self.inner.options.ledger.info().ledger_id.clone(),
            services: services.collect(),
        }
    }

    /// Whether all that follows from what stands up to `position` was decided and is in the views.
    ///
    /// Who asks for now is told yes only if nothing was appended between the look at the services and the
    /// look at the head: a decision may be in the ledger before its lane says that it took its input.
    async fn settled(&self, position: u64, now: bool) -> Result<bool, Problem> {
        let last = {
            let live = lock(&self.inner.live);
            if now { live.last_events_seq } else { live.last_events_seq.min(commit::seq_of(position)) }
        };
        let options = &self.inner.options;
        if !options.progress.settled(last, options.clock.now()) {
            return Ok(false);
        }
        let head = options.ledger.head().await.map_err(Error::from)?;
        Ok(if now { head == commit::seq_of(position) } else { head >= commit::seq_of(position) })
    }

    /// A firing alert of paging severity that nothing accounts for, once the notices' lane has seen it all.
    fn count_unaccounted(&self, receipt: &Receipt) {
        if receipt.accounted != UNACCOUNTED {
            return;
        }
        let reports = self.inner.options.progress.all();
        let decided = reports.get(names::NOTICES).is_some_and(|it| it.through >= commit::seq_of(receipt.position));
        if decided {
            self.inner.unaccounted.fetch_add(1, Ordering::Relaxed);
            tracing::error!(fingerprint = receipt.alert.fingerprint, "a firing alert is not accounted for");
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
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
            reader.parked_item(&id)?.ok_or_else(|| missing("a parked item", &id))
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

    async fn partition_of(&self, incident: &str) -> Result<Partition, Problem> {
        let id = incident.to_owned();
        self.ask(None, move |reader| {
            let id = reader.find_incident(Some(&id))?;
            let (partition, _) = reader.incident_fold(&id)?.ok_or_else(|| missing("an incident", &id))?;
            Ok(partition_of(&partition)?)
        })
        .await
    }

    async fn outcome(&self, command: &EventId, patience: Duration) -> Outcome {
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
                    return Outcome::Pending;
                }
            }
        };
        tokio::time::timeout(patience, wait).await.unwrap_or(Outcome::Pending)
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
        let views = self.clone();
        let (position, live_hash) = blocking(move || {
            if to.is_none() {
                return Ok(views.hash_now());
            }
            let place = views.place();
            let (position, _) = place.resolve(to)?;
            Ok((position, place.at(position).summary()?.state_hash()))
        })
        .await?;
        Ok(replay::replay(&self.inner.options.ledger, position, live_hash).await?)
    }
}
