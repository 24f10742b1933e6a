//! The state as of now or of a position, and whether it is settled. Counts and hash of now are kept at hand by
//! the projector; those of the past come from the documents. Refuses to decide what a service's word is worth.

use std::sync::atomic::Ordering;

use hindcast_api as api;
use hindcast_api::{Problem, Receipt, State};
use hindcast_domain::lane::names;
use hindcast_ledger::commit;
use hindcast_queries::StateCounts;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::project::hash::StateNow;
use crate::project::live::ClassCounts;
use crate::queries::blocking;
use crate::read::receipt::UNACCOUNTED;
use crate::service::{Views, lock};

impl Views {
    /// (position, state hash) of now.
    pub(crate) async fn hash_now(&self) -> Result<(u64, String), Error> {
        let now = self.now().await?;
        Ok((now.position, now.hash))
    }

    /// One look at all that is kept at hand, by whoever projects: between two batches, or here where nobody does.
    async fn now(&self) -> Result<StateNow, Error> {
        let asks = lock(&self.inner.asks).clone();
        if let Some(asks) = asks {
            let (answer, answered) = oneshot::channel();
            if asks.send(answer).await.is_ok()
                && let Ok(now) = answered.await
            {
                return Ok(now);
            }
        }
        let views = self.clone();
        let look = move || match lock(&views.inner.projector).as_mut() {
            Some(projector) => {
                let place = views.place();
                projector.state_now(|at, all| place.at(at).digests_besides(all))
            }
            None => views.state_written(),
        };
        tokio::task::spawn_blocking(look).await?
    }

    /// The same from the documents, where whoever projected has failed: what was written by then stays readable.
    fn state_written(&self) -> Result<StateNow, Error> {
        let (position, parked) = {
            let live = lock(&self.inner.live);
            (live.position, live.parked)
        };
        let summary = self.place().at(position).summary()?;
        Ok(StateNow { position, hash: summary.state_hash(), counts: summary.counts, parked })
    }

    pub(crate) async fn state_now(&self) -> Result<State, Problem> {
        let StateNow { position, hash, counts: ClassCounts { incidents, alerts }, parked } = self.now().await?;
        let views = self.clone();
        blocking(move || {
            let versions = views.place().at(position).versions()?;
            Ok(views.frame(position, hash, incidents, alerts, parked, versions))
        })
        .await
    }

    /// What is counted as of a position.
    pub(crate) async fn counts_at(&self, position: u64) -> Result<StateCounts, Problem> {
        let near = lock(&self.inner.live).recent.at(position);
        if let Some(counts) = near {
            return Ok(counts);
        }
        let views = self.clone();
        blocking(move || Ok(views.place().at(position).state_counts()?)).await
    }

    pub(crate) fn state_of(&self, position: u64, provisional: bool) -> Result<State, Problem> {
        let reader = self.place().at(position);
        let summary = reader.summary()?;
        let ClassCounts { incidents, alerts } = summary.counts;
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
            (name, api::ServicePosition { position, due: report.due })
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
    pub(crate) async fn settled(&self, position: u64, now: bool) -> Result<bool, Problem> {
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
    pub(crate) fn count_unaccounted(&self, receipt: &Receipt) {
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
