//! Follows the views: waits, gathers a stretch of events, has its versions made and stores them with how far
//! it is. Owns the pace and the retries; refuses to know what is kept of an incident.

use std::time::Duration;

use hindcast_api::{AsOf, Event, Finding};
use hindcast_domain::{Partition, incident};
use hindcast_queries::{EventFilter, IncidentFilter, Window};
use hindcast_recall::TEXTS;
use hindcast_vectors::{Checkpoint, PointKind};
use tokio::sync::watch;

use crate::error::Error;
use crate::plan::VersionPlan;
use crate::{IncidentMemory, Inner};

/// Events about incidents in one stretch.
const STRETCH_MAX: usize = 500;
/// Findings in one stretch.
const FINDINGS_MAX: usize = 2_000;
/// Open incidents of an environment that a finding may add to.
const OPEN_MAX: usize = 100;
/// The pause after a step that failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How often views that are being built are asked whether they are ready.
const READY: Duration = Duration::from_millis(200);
/// Commits without anything to remember, after which the store is told anyway how far it is: what lies
/// between is only read again after a restart.
const IDLE_COMMITS: u64 = 1_000;
/// How long remembering gives way to what is not decided or shown yet, and how often it looks: vectors cost more than
/// anything else, and a storm is decided first.
const GIVES_WAY: (Duration, Duration) = (Duration::from_secs(30), Duration::from_millis(200));
/// Positions that a commit may have.
const POSITIONS_A_COMMIT: u64 = 4_096;

/// A stretch of events, and how far it reaches.
struct EventBatch {
    incidents: Vec<Event>,
    findings: Vec<(Partition, Finding)>,
    to: u64,
}

impl IncidentMemory {
    /// Follows until `shutdown` is true. It does not fail: what fails is counted, shown by the [`Handle`] and
    /// tried again, ever more slowly.
    ///
    /// [`Handle`]: crate::Handle
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        tokio::select! {
            () = self.inner.follow() => {}
            // A sender that is gone means the end as well.
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }
}

impl Inner {
    async fn follow(&self) {
        let mut position = self.options.queries.position();
        while !self.options.queries.is_ready() {
            tokio::time::sleep(READY).await;
        }
        let mut stored = self.retried(|| self.begin()).await;
        self.is_at(stored);
        loop {
            let done = self.status.borrow().position;
            if position.wait_for(|position| *position > done).await.is_err() {
                return;
            }
            // One stretch for what arrives together.
            tokio::time::sleep(self.options.gather).await;
            self.give_way(&position).await;
            let target = *position.borrow_and_update();
            let mut done = done;
            while done < target {
                (done, stored) = self.retried(|| self.step(done, target, stored)).await;
                self.is_at(done);
                self.options.metrics.set("hindcast_memory_position", &[], done as f64);
            }
        }
    }

    /// Waits until what the views hold is decided, for a while.
    async fn give_way(&self, position: &watch::Receiver<u64>) {
        let (patience, every) = GIVES_WAY;
        let settled = async {
            loop {
                let at = *position.borrow();
                match self.options.queries.is_settled(at, false).await {
                    Ok(false) => tokio::time::sleep(every).await,
                    // Who cannot say is not waited for.
                    Ok(true) | Err(_) => return,
                }
            }
        };
        if tokio::time::timeout(patience, settled).await.is_err() {
            tracing::debug!("decisions are behind; the memory goes on beside them");
        }
    }

    fn is_at(&self, position: u64) {
        self.status.send_modify(|status| status.position = position);
        self.reached.send_replace(position);
    }

    /// Where to go on; what does not fit the ledger, the embedder or the form is dropped first.
    async fn begin(&self) -> Result<u64, Error> {
        let Some(there) = self.options.vectors.checkpoint().await? else { return Ok(0) };
        let ours = self.checkpoint(there.position);
        if there == ours && there.position <= *self.options.queries.position().borrow() {
            return Ok(there.position);
        }
        tracing::info!(?there, ?ours, "the memory does not fit and is built anew");
        self.options.metrics.count("hindcast_memory_rebuilt_total", &[], 1.0);
        self.options.vectors.clear().await?;
        Ok(0)
    }

    fn checkpoint(&self, position: u64) -> Checkpoint {
        Checkpoint {
            ledger: self.options.ledger.clone(),
            embedder: self.options.embedder.identity().key(),
            texts: TEXTS,
            position,
        }
    }

    /// Remembers one stretch behind `done`, and says how far it is and how far the store was told that it is.
    async fn step(&self, done: u64, target: u64, stored: u64) -> Result<(u64, u64), Error> {
        let stretch = self.stretch(done + 1, target).await?;
        let mut plan = VersionPlan::default();
        stretch.incidents.iter().for_each(|event| plan.incident(event));
        self.add_findings(&mut plan, &stretch.findings).await?;
        let mut drafts = Self::templates(&stretch.findings)?;
        let templates = drafts.len();
        for version in plan.versions() {
            drafts.extend(self.incident(&version).await?);
        }
        let made = drafts.len();
        if made == 0 && stretch.to < stored + IDLE_COMMITS * POSITIONS_A_COMMIT {
            return Ok((stretch.to, stored));
        }
        let mut points = self.points(drafts).await?;
        points.sort_by_key(|point| point.position);
        self.options.vectors.store(points, self.checkpoint(stretch.to)).await?;
        self.status.send_modify(|status| status.versions += made as u64);
        let count = |kind: PointKind, n: usize| {
            self.options.metrics.count("hindcast_memory_versions_total", &[("kind", kind.as_str())], n as f64);
        };
        count(PointKind::Incident, made - templates);
        count(PointKind::Template, templates);
        Ok((stretch.to, stretch.to))
    }

    /// The events from `from` on that concern the memory: at most one page of those about incidents, and the
    /// findings up to there.
    async fn stretch(&self, from: u64, target: u64) -> Result<EventBatch, Error> {
        let page = self.page("incident", from, target, None).await?;
        let full = page.next.is_some();
        let mut to = page.items.last().filter(|_| full).map_or(target, |event| event.position);
        let incidents = page.items;
        let mut findings = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.page("finding.raised", from, to, cursor).await?;
            findings.extend(page.items.into_iter().filter_map(|event| self.finding(event)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            if let Some((_, last)) = findings.last().filter(|_| findings.len() >= FINDINGS_MAX) {
                to = last.position;
                break;
            }
        }
        let incidents = incidents.into_iter().filter(|event| event.position <= to).collect();
        Ok(EventBatch { incidents, findings, to })
    }

    async fn page(
        &self,
        kind: &str,
        from: u64,
        to: u64,
        cursor: Option<String>,
    ) -> Result<hindcast_api::Page<Event>, Error> {
        let filter =
            EventFilter { kind: Some(kind.to_owned()), from: Some(from), to: Some(to), ..EventFilter::default() };
        let window = Window { as_of: Some(AsOf::Position(to)), limit: Some(STRETCH_MAX), cursor };
        Ok(self.options.queries.events(filter, window).await?)
    }

    /// The finding of an event; one that cannot be read is counted and left out.
    fn finding(&self, event: Event) -> Option<(Partition, Finding)> {
        match serde_json::from_value(event.data) {
            Ok(finding) => {
                let partition = Partition { tenant: event.tenant, environment: event.environment.clone() };
                let finding = Finding {
                    id: event.subject,
                    event: event.id,
                    position: event.position,
                    recorded_at: event.recorded_at,
                    environment: event.environment,
                    finding,
                };
                Some((partition, finding))
            }
            Err(error) => {
                tracing::warn!(position = event.position, %error, "a finding cannot be read");
                self.options.metrics.count("hindcast_memory_skipped_total", &[], 1.0);
                None
            }
        }
    }

    /// A finding adds to the incident that made us look, and to those of its environment that are open as of it
    /// and are about its service.
    async fn add_findings(&self, plan: &mut VersionPlan, findings: &[(Partition, Finding)]) -> Result<(), Error> {
        for (_, finding) in findings {
            if let Some(incident) = &finding.finding.incident {
                plan.more(&incident.to_string(), finding.position);
            }
            let open = IncidentFilter {
                status: vec![incident::Status::Open, incident::Status::Acknowledged],
                environment: Some(finding.environment.clone()),
                service: Some(finding.finding.service.clone()),
                ..IncidentFilter::default()
            };
            let window = Window { as_of: Some(AsOf::Position(finding.position)), limit: Some(OPEN_MAX), cursor: None };
            for incident in self.options.queries.incidents(open, window).await?.items {
                plan.more(&incident.id, finding.position);
            }
        }
        Ok(())
    }

    /// Does `work` until it succeeds, ever more slowly.
    async fn retried<T, F>(&self, work: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut pause = PAUSE.0;
        loop {
            let error = match work().await {
                Ok(done) => {
                    self.status.send_if_modified(|status| {
                        let was = std::mem::take(&mut status.failing) > 0;
                        status.trouble = None;
                        was
                    });
                    return done;
                }
                Err(error) => error,
            };
            tracing::warn!(%error, pause_ms = pause.as_millis(), "the memory is behind; trying again");
            self.options.metrics.count("hindcast_memory_failures_total", &[("step", error.step())], 1.0);
            self.status.send_modify(|status| {
                status.failing += 1;
                status.trouble = Some(error.to_string());
            });
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}
