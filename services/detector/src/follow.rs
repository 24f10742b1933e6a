//! The loop: telemetry as it arrives, incidents as the views learn of them, and jobs as they fall due, by the
//! telemetry's own time or else by the clock. Owns the pace, the retries and the snapshot; refuses to know
//! what is remarkable.

use std::collections::BTreeSet;
use std::time::Duration;

use hindcast_domain::catalog::Topology;
use hindcast_domain::{IncidentId, Time, incident};
use hindcast_queries::{EventFilter, IncidentFilter, Window};
use hindcast_telemetry::{ArrivalCursor, Arrived};
use tokio::sync::watch;

use crate::cases::{self, CaseJob, IncidentCase, Stage};
use crate::error::{Error, ErrorChain};
use crate::limits::{CASES_MAX, EVENTS_MAX, GATHER, PARTITIONS_MAX, PAUSE, READY, SNAPSHOT_EVERY, SNAPSHOT_RECORDS};
use crate::look::LookJob;
use crate::raise::New;
use crate::state::{self, DetectorState};
use crate::{Detector, DetectorProgress, lines, links};

/// Events that say something new of an incident's life. That an alert joined is none: there may be thousands of them in
/// a second, and what they move is asked of the incident itself.
const LIFE: [&str; 7] = [
    "incident.opened",
    "incident.declared",
    "incident.reopened",
    "incident.resolved",
    "incident.merged",
    "incident.split",
    "incident.undone",
];

/// Waits until the views have moved, and for what comes right behind; false when they are gone. In a storm they move many
/// times a second, and each look reads every incident that changed.
async fn gathered(position: &mut watch::Receiver<u64>) -> bool {
    let changed = position.changed().await.is_ok();
    tokio::time::sleep(GATHER).await;
    changed
}

/// It is over: stop, or start anew from the last snapshot.
struct FollowEnd;

/// Why it woke.
enum Woken {
    Stopped,
    Arrived(Result<Vec<Arrived>, hindcast_telemetry::Error>),
    Due,
}

struct FollowRun<'a> {
    detector: &'a Detector,
    state: DetectorState,
    topology: Topology,
    shutdown: watch::Receiver<bool>,
    position: watch::Receiver<u64>,
    /// When the state was last written, and records that were read since.
    saved: (Time, u64),
    /// A job failed and is owed.
    owed: bool,
    pause: Duration,
}

impl Detector {
    /// Follows until `shutdown`. It does not fail: what fails is counted and tried again, ever more slowly.
    /// A clean end writes the state, so that the next run goes on where this one stopped.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let _only = self.work.lock().await;
        tokio::select! {
            () = self.ready() => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        let state = self.begin();
        let position = self.options.queries.position();
        let saved = (self.options.clock.now(), 0);
        let (topology, owed, pause) = (Topology::default(), false, PAUSE.0);
        let mut run = FollowRun { detector: self, state, topology, shutdown, position, saved, owed, pause };
        if Box::pin(run.follow()).await.is_ok() {
            run.save().await;
        }
    }

    async fn ready(&self) {
        while !self.options.queries.is_ready() {
            tokio::time::sleep(READY).await;
        }
    }

    /// The state of the run before, as far as it fits what is there now.
    fn begin(&self) -> DetectorState {
        let mut state = self.options.folder.as_deref().map_or_else(DetectorState::default, DetectorState::read);
        if state.seen > *self.options.queries.position().borrow() {
            tracing::warn!("the detector's snapshot is of another ledger and is not used");
            state = DetectorState::default();
        }
        if state.cursor > self.options.telemetry.head() {
            tracing::warn!("the telemetry is another one: it is read from its beginning");
            state.cursor = ArrivalCursor::default();
            state.streams.clear();
        }
        state
    }
}

impl FollowRun<'_> {
    /// Ends well when it is told to stop between two steps; otherwise what is in memory is not to be kept.
    async fn follow(&mut self) -> Result<(), FollowEnd> {
        self.meet().await?;
        loop {
            self.incidents().await?;
            self.links().await?;
            self.jobs().await;
            self.publish();
            if self.is_save_due() {
                self.save().await;
            }
            match self.wait().await {
                Woken::Stopped => return Ok(()),
                Woken::Arrived(Ok(arrived)) => self.telemetry(arrived).await?,
                Woken::Arrived(Err(error)) => self.failed("telemetry", &error.into()).await?,
                Woken::Due => {}
            }
        }
    }

    /// Until there is something to do.
    async fn wait(&mut self) -> Woken {
        let wake = self.state.cases.values().filter_map(IncidentCase::wake).min();
        let options = &self.detector.options;
        tokio::select! {
            _ = self.shutdown.wait_for(|stop| *stop) => Woken::Stopped,
            arrived = options.telemetry.arrived(self.state.cursor) => Woken::Arrived(arrived),
            // Views that are gone tell nothing more, and are no reason to turn in a circle.
            changed = gathered(&mut self.position) => if changed { Woken::Due } else { Woken::Stopped },
            () = options.clock.sleep_until(wake.unwrap_or(Time::MAX)), if wake.is_some() => Woken::Due,
            () = tokio::time::sleep(self.pause), if self.owed => Woken::Due,
        }
    }

    /// At the very first: the incidents that are open already. Later ones are learnt from the ledger.
    async fn meet(&mut self) -> Result<(), FollowEnd> {
        loop {
            match self.try_meet().await {
                Ok(()) => return Ok(()),
                Err(error) => self.failed("begin", &error).await?,
            }
        }
    }

    async fn try_meet(&mut self) -> Result<(), Error> {
        let queries = &self.detector.options.queries;
        self.topology = Topology::new(&queries.catalog(None).await?);
        if self.state.seen > 0 {
            return Ok(());
        }
        let position = *self.position.borrow();
        let status = vec![incident::Status::Open, incident::Status::Acknowledged];
        let filter = IncidentFilter { status, ..IncidentFilter::default() };
        let open = queries.incidents(filter, Window { limit: Some(CASES_MAX), ..Window::default() }).await?;
        for incident in open.items {
            self.case(&incident.id).await?;
        }
        self.state.seen = position;
        Ok(())
    }

    async fn incidents(&mut self) -> Result<(), FollowEnd> {
        loop {
            let target = *self.position.borrow_and_update();
            if target <= self.state.seen {
                return Ok(());
            }
            match self.try_incidents(target).await {
                Ok(()) => self.state.seen = target,
                Err(error) => self.failed("incidents", &error).await?,
            }
        }
    }

    async fn links(&mut self) -> Result<(), FollowEnd> {
        while let Err(error) = self.detector.propose(&mut self.state).await {
            self.failed("links", &error).await?;
        }
        Ok(())
    }

    async fn try_incidents(&mut self, target: u64) -> Result<(), Error> {
        let queries = self.detector.options.queries.clone();
        let between = |kind: &str| EventFilter {
            kind: Some(kind.to_owned()),
            from: Some(self.state.seen + 1),
            to: Some(target),
            ..EventFilter::default()
        };
        let configured = between("control.configured");
        let one = Window { limit: Some(1), ..Window::default() };
        if !queries.events(configured, one).await?.items.is_empty() {
            self.topology = Topology::new(&queries.catalog(None).await?);
        }
        // An alert that joins may have begun before all others.
        let moves = self.state.cases.iter().filter(|(_, case)| case.onset_moves());
        let mut touched: BTreeSet<String> = moves.map(|(id, _)| id.to_string()).collect();
        for kind in LIFE {
            let mut window = Window { limit: Some(EVENTS_MAX), ..Window::default() };
            loop {
                let page = queries.events(between(kind), window).await?;
                for event in page.items {
                    touched.extend(event.data.get("incident").and_then(|id| id.as_str()).map(str::to_owned));
                    touched.insert(event.subject);
                }
                if page.next.is_none() {
                    break;
                }
                window = Window { limit: Some(EVENTS_MAX), cursor: page.next, ..Window::default() };
            }
        }
        for id in touched {
            self.case(&id).await?;
        }
        let between = (self.state.seen + 1, target);
        self.detector.alerts(&mut self.state, &self.topology, between).await
    }

    /// Learns what the views know of an incident, and looks after it.
    async fn case(&mut self, id: &str) -> Result<(), Error> {
        // What is no incident's id, such as an alert's fingerprint, is none of ours.
        let Ok(key) = id.parse::<IncidentId>() else { return Ok(()) };
        let queries = &self.detector.options.queries;
        let shown = match queries.incident(Some(key.as_str()), None).await {
            Ok(shown) => shown,
            Err(problem) if problem.status == 404 => return Ok(()),
            Err(problem) => return Err(problem.into()),
        };
        if shown.merged_into.is_some() {
            self.state.cases.remove(&key);
            return Ok(());
        }
        if let Some(case) = self.state.cases.get_mut(&key) {
            case.update(&shown);
            return Ok(());
        }
        let partition = queries.partition_of(key.as_str()).await?;
        self.state.cases.insert(key, IncidentCase::new(&shown, partition));
        while self.state.cases.len() > CASES_MAX {
            let Some(least) = cases::least(self.state.cases.iter()) else { break };
            self.state.cases.remove(&least);
            self.count("hindcast_detector_incidents_left_out_total", 1);
        }
        Ok(())
    }

    /// Reads what arrived and raises what follows from it. Only then is the cursor moved.
    async fn telemetry(&mut self, arrived: Vec<Arrived>) -> Result<(), FollowEnd> {
        let mut new = Vec::new();
        for batch in arrived {
            self.saved.1 += batch.batch.len() as u64;
            self.read(&batch, &mut new);
            self.state.cursor = batch.next;
        }
        loop {
            match self.detector.raise(&mut self.state, &new).await {
                Ok(()) => break,
                Err(error) => self.failed("raise", &error).await?,
            }
        }
        self.pause = PAUSE.0;
        // A flood must leave room for others.
        tokio::task::yield_now().await;
        Ok(())
    }

    fn read(&mut self, arrived: &Arrived, new: &mut Vec<New>) {
        let clock = self.detector.options.clock.now();
        self.count("hindcast_detector_lines_total", arrived.batch.logs.len() as u64);
        let Some(stream) = self.state.stream(&arrived.partition, PARTITIONS_MAX) else {
            self.count("hindcast_detector_lines_left_out_total", arrived.batch.logs.len() as u64);
            return;
        };
        let (without, left_out) = (stream.watch.miner().overflow().lines, stream.watch.left_out());
        for record in &arrived.batch.logs {
            new.extend(lines::read(stream, &arrived.partition, record, clock, &self.topology));
        }
        let seen = links::read(&mut stream.links, &arrived.batch.logs, &arrived.batch.spans, &self.topology);
        let samples = arrived.batch.samples.iter().map(|sample| sample.time);
        for time in samples.chain(arrived.batch.spans.iter().map(|span| span.time)) {
            stream.now = stream.now.max(lines::believed(time, clock));
        }
        let (without, left_out) = (stream.watch.miner().overflow().lines - without, stream.watch.left_out() - left_out);
        links::owe(&mut self.state.due_links, &arrived.partition.tenant, seen);
        self.count("hindcast_detector_lines_left_out_total", without);
        self.count("hindcast_findings_left_out_total", left_out);
    }

    /// Does what is due; what fails is owed and tried again.
    async fn jobs(&mut self) {
        let clock = self.detector.options.clock.now();
        let due = |(id, case): (&IncidentId, &IncidentCase)| {
            let jobs = case.jobs(self.state.now_of(&case.partition), clock);
            jobs.into_iter().map(|(job, stage)| (id.clone(), job, stage)).collect::<Vec<_>>()
        };
        let due: Vec<(IncidentId, CaseJob, Stage)> = self.state.cases.iter().flat_map(due).collect();
        self.owed = false;
        for (id, job, stage) in due {
            match self.job(&id, job).await {
                Ok(()) => {
                    if let Some(case) = self.state.cases.get_mut(&id) {
                        case.done(job, stage);
                    }
                }
                Err(error) => {
                    self.tell("look", &error);
                    self.owed = true;
                }
            }
        }
        self.pause = if self.owed { (self.pause * 2).min(PAUSE.1) } else { PAUSE.0 };
        self.state.cases.retain(|_, case| !case.is_closed(clock));
    }

    async fn job(&mut self, id: &IncidentId, job: CaseJob) -> Result<(), Error> {
        let Some(case) = self.state.cases.get(id) else { return Ok(()) };
        let (partition, onset) = (case.partition.clone(), case.onset);
        match job {
            CaseJob::Pin { from, to, .. } => self.detector.pin(&partition, id, (from, to)).await,
            CaseJob::Look { until, .. } => {
                let job = LookJob { partition: &partition, incident: id, onset, until };
                self.detector.look(&job, &mut self.state, &self.topology).await
            }
        }
    }

    fn publish(&self) {
        let now = DetectorProgress { cursor: self.state.cursor, seen: self.state.seen, is_quiet: !self.owed };
        self.detector.progress.send_if_modified(|progress| std::mem::replace(progress, now) != now);
        let metrics = &self.detector.options.metrics;
        #[allow(clippy::cast_precision_loss)] // gauges
        metrics.set("hindcast_detector_incidents", &[], self.state.cases.len() as f64);
        let templates: usize = self.state.streams.values().map(|stream| stream.watch.miner().len()).sum();
        #[allow(clippy::cast_precision_loss)] // gauges
        metrics.set("hindcast_detector_templates", &[], templates as f64);
    }

    fn is_save_due(&self) -> bool {
        let (at, records) = self.saved;
        let waited = self.detector.options.clock.now().since(at) >= SNAPSHOT_EVERY;
        records >= SNAPSHOT_RECORDS || (waited && records > 0)
    }

    /// Writes the state. That it cannot be written is counted and said: the one before still stands.
    async fn save(&mut self) {
        self.saved = (self.detector.options.clock.now(), 0);
        let Some(folder) = self.detector.options.folder.clone() else { return };
        let written = match self.state.encode() {
            Ok(bytes) => tokio::task::spawn_blocking(move || state::write(folder, &bytes)).await,
            Err(error) => Ok(Err(error)),
        };
        if let Err(error) = written.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            self.tell("snapshot", &Error::Snapshot(error));
        }
    }

    /// Says that a step failed and waits, ever longer; ends where it is told to stop meanwhile.
    async fn failed(&mut self, step: &'static str, error: &Error) -> Result<(), FollowEnd> {
        self.tell(step, error);
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE.1);
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            _ = self.shutdown.wait_for(|stop| *stop) => Err(FollowEnd),
        }
    }

    fn tell(&self, step: &'static str, error: &Error) {
        self.detector.options.metrics.count("hindcast_detector_failures_total", &[("step", step)], 1.0);
        tracing::warn!(step, error = %ErrorChain(error), "a step of the detector failed and is tried again");
    }

    fn count(&self, name: &'static str, by: u64) {
        #[allow(clippy::cast_precision_loss)] // a counter
        if by > 0 {
            self.detector.options.metrics.count(name, &[], by as f64);
        }
    }
}
