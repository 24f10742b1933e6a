//! Delivery: the only part that reaches people. It reads requests, sends them, and writes what came of it
//! as facts. It sends only where this installation is the active one of its ledger: a copy, a restored
//! backup and a replay have another installation id, so they hold everything. Of several processes of one
//! installation the holder of a lease sends; where nobody can tell for a while who holds it, all of them do,
//! since a page that comes twice is better than none.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::event::{Event, SYSTEM};
use hindcast_domain::fact::Fact;
use hindcast_domain::notice::{Delivered, DeliveredMessage, Expired, Failed, Requested};
use hindcast_domain::{EventId, IncidentId, Partition, Span, Time};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::keep::{self, Hold};
use hindcast_eventlog::read;
use hindcast_facts::{FactsWriter, NewFact};
use hindcast_ledger::figures::elapsed;
use hindcast_ledger::{LedgerFigures, ReadError, Record, Shared, commit};
use hindcast_messaging::notify::{Error as NotifyError, Notification, Notifier};
use hindcast_metrics::MetricRegistry;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::reach::Reach;
use crate::retry::{self, PAUSE, RetryPauses};
use crate::rules::SCREEN;

/// The lease of whoever delivers for an installation.
const LEASE: &str = "delivery";
/// How long nobody can tell who delivers, until everybody does.
const OPEN_AFTER: Duration = Duration::from_secs(10);
/// Deliveries to one receiver under way at once: those to another one do not wait for them.
const PARALLEL_MAX: usize = 16;
/// Failures of one notice that are written down; further ones are only counted, unless they are the first of their
/// receiver since it took something.
const FAILURES_WRITTEN_MAX: u32 = 5;

/// What delivery needs.
pub struct NoticeDeliverer {
    /// The ledger that notices are read from and outcomes are appended to.
    pub ledger: Shared,
    /// Writes what came of it.
    pub writer: FactsWriter,
    /// The source of time, stepped in tests.
    pub clock: clock::Shared,
    /// This installation's id, which lies outside ledger and backup.
    pub install: String,
    /// Who holds the lease of delivery on behalf of this process; the same after a restart.
    pub holder: String,
    /// Receivers by name. A receiver that is not among them is shown on screen, and said to be unknown.
    pub notifiers: BTreeMap<String, Arc<dyn Notifier>>,
    /// What the URL of a web page begins with.
    pub public_url: String,
    /// Counters.
    pub metrics: MetricRegistry,
    /// Knows since when somebody waits for a notification.
    pub figures: LedgerFigures,
}

struct PendingNotice {
    request: EventId,
    partition: Partition,
    asked: Requested,
    at: Time,
    position: u64,
}

impl PendingNotice {
    /// What the receiver took, for the record.
    fn taken(&self) -> DeliveredMessage {
        DeliveredMessage {
            receiver: self.asked.receiver.clone(),
            incident: self.asked.incident.clone(),
            incidents: self.asked.incidents.clone(),
            reason: self.asked.reason,
            page: self.asked.page,
            severity: self.asked.severity,
            status: self.asked.status,
            alerts: self.asked.alerts.clone(),
            at: self.at,
        }
    }
}

/// One delivery under way.
struct NoticeJob {
    notice: String,
    request: EventId,
    partition: Partition,
    message: Notification,
    taken: DeliveredMessage,
    until: Time,
}

#[derive(Default)]
struct DeliveryDesk {
    pending: BTreeMap<String, PendingNotice>,
    busy: BTreeSet<String>,
    /// Sent, and the fact of it not yet come back from the ledger.
    told: BTreeSet<String>,
    active: Option<String>,
    through: u64,
    reach: Arc<Reach>,
}

impl DeliveryDesk {
    /// The notices that can be sent now, oldest first.
    fn startable(&self) -> Vec<String> {
        let mut waiting: Vec<(&String, &PendingNotice)> =
            self.pending.iter().filter(|(notice, _)| !self.told.contains(*notice)).collect();
        waiting.sort_by_key(|(_, pending)| pending.position);
        // What one receiver is told of one incident arrives in order, and a message about several incidents or about
        // none stands between all others.
        let mut ahead: BTreeMap<&str, BTreeSet<Option<&IncidentId>>> = BTreeMap::new();
        let mut startable = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for pending in self.busy.iter().filter_map(|notice| self.pending.get(notice)) {
            *places.entry(&pending.asked.receiver).or_default() += 1;
        }
        for (notice, pending) in waiting {
            let under_way = places.entry(&pending.asked.receiver).or_default();
            let incident = pending.asked.incident.as_ref();
            let before = ahead.entry(&pending.asked.receiver).or_default();
            let waits =
                before.contains(&incident) || before.contains(&None) || incident.is_none() && !before.is_empty();
            if !waits && !self.busy.contains(notice) && *under_way < PARALLEL_MAX {
                *under_way += 1;
                startable.push(notice.clone());
            }
            before.insert(incident);
        }
        startable
    }
}

struct DeliveryOutcome {
    notice: String,
    settled: bool,
}

impl NoticeDeliverer {
    /// Runs until `shutdown`; what is under way is finished or begun anew by the next run.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) -> Result<(), ReadError> {
        for receiver in self.notifiers.keys() {
            retry::show(&self.metrics, receiver, None);
        }
        let this = Arc::new(self);
        let mut desk = DeliveryDesk::default();
        let mut feed = OrderedFeed::start(Arc::clone(&this.ledger), 1);
        let mut lease = keep::keep(Arc::clone(&this.ledger), format!("{LEASE}/{}", this.install), this.holder.clone());
        let mut since = Instant::now();
        let mut head = None;
        let mut under_way: JoinSet<DeliveryOutcome> = JoinSet::new();
        while !*shutdown.borrow() {
            let hold = *lease.borrow_and_update();
            if hold == Hold::Others && !desk.busy.is_empty() {
                under_way.shutdown().await;
                desk.busy.clear();
            }
            let sends = match hold {
                Hold::Ours(_) => true,
                Hold::Unknown => since.elapsed() >= OPEN_AFTER,
                Hold::Others => false,
            };
            if head.is_none() {
                head = this.ledger.head().await.ok();
            }
            if head.is_some_and(|head| desk.through >= head) {
                this.start(&mut desk, &mut under_way, sends);
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                Ok(()) = lease.changed() => since = Instant::now(),
                () = tokio::time::sleep_until(since + OPEN_AFTER), if hold == Hold::Unknown && !sends => {}
                records = feed.next() => records?.iter().try_for_each(|record| this.read(&mut desk, record))?,
                Some(done) = under_way.join_next() => match done {
                    Ok(outcome) => {
                        desk.busy.remove(&outcome.notice);
                        if outcome.settled {
                            desk.told.insert(outcome.notice);
                        }
                    }
                    Err(error) => tracing::error!(%error, "a delivery ended early"),
                },
                () = tokio::time::sleep(PAUSE.0), if head.is_none() => {}
            }
        }
        under_way.shutdown().await;
        Ok(())
    }

    fn read(&self, desk: &mut DeliveryDesk, record: &Record) -> Result<(), ReadError> {
        desk.through = record.seq;
        // Only three subjects speak of notices; the rest is not unpacked.
        let relevant = record.subject.partition().is_whole();
        if !relevant {
            return Ok(());
        }
        for event in &read::decoded(record)?.events {
            match &event.event {
                Event::NoticeRequested(asked) => {
                    let pending = PendingNotice {
                        request: event.id.clone(),
                        partition: event.partition.clone(),
                        asked: asked.clone(),
                        at: event.time,
                        position: event.position,
                    };
                    desk.pending.insert(event.subject.clone(), pending);
                }
                Event::NoticeDelivered(_) | Event::NoticeExpired(_) => {
                    desk.pending.remove(&event.subject);
                    desk.told.remove(&event.subject);
                }
                Event::Activated(activated) => desk.active = Some(activated.install.clone()),
                Event::Configured(_)
                | Event::Restored(_)
                | Event::Owned(_)
                | Event::LinkProposed(_)
                | Event::LinkJudged(_)
                | Event::CommandRejected(_)
                | Event::NoticeHeld(_)
                | Event::NoticeReleased(_)
                | Event::NoticeFailed(_)
                | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence } => {
                }
            }
        }
        debug_assert!(commit::position(record.seq, 0) > 0);
        Ok(())
    }

    fn start(self: &Arc<Self>, desk: &mut DeliveryDesk, under_way: &mut JoinSet<DeliveryOutcome>, sends: bool) {
        let active = desk.active.as_deref() == Some(self.install.as_str());
        #[allow(clippy::cast_precision_loss)] // a gauge
        self.metrics.set("hindcast_notices_pending", &[], desk.pending.len() as f64);
        self.metrics.set("hindcast_effects_held", &[], if active { 0.0 } else { 1.0 });
        if !active || !sends {
            return;
        }
        for notice in desk.startable() {
            let Some(pending) = desk.pending.get(&notice) else {
                continue;
            };
            let job = NoticeJob {
                message: self.message(&notice, pending),
                taken: pending.taken(),
                until: pending.asked.expires_at,
                request: pending.request.clone(),
                partition: pending.partition.clone(),
                notice: notice.clone(),
            };
            desk.busy.insert(notice);
            let (this, reach) = (Arc::clone(self), Arc::clone(&desk.reach));
            under_way.spawn(async move {
                let settled = this.deliver(&job, &reach).await;
                DeliveryOutcome { notice: job.notice, settled }
            });
        }
    }

    fn message(&self, notice: &str, pending: &PendingNotice) -> Notification {
        let asked = &pending.asked;
        let incident = asked.incident.as_ref().map(ToString::to_string);
        let mut lines = asked.lines.clone();
        if let Some(delay) = asked.delayed_by {
            lines.push(format!("delayed by {delay}: an earlier delivery failed"));
        }
        Notification {
            key: pending.request.to_string(),
            notice: notice.to_owned(),
            url: incident.as_ref().map(|incident| format!("{}/{incident}", self.public_url)),
            incident,
            reason: asked.reason,
            page: asked.page,
            severity: asked.severity,
            title: asked.title.clone(),
            lines,
            status: asked.status,
            alerts: asked.alerts.clone(),
            at: pending.at,
            position: pending.position,
            test: false,
        }
    }

    /// Tries until it is taken or given up; true when the fact of either is durable.
    async fn deliver(&self, job: &NoticeJob, reach: &Reach) -> bool {
        let NoticeJob { notice, request, partition, message, until, .. } = job;
        let receiver = job.taken.receiver.as_str();
        clock::assert_allowed("a notifier");
        let mut pauses = RetryPauses::default();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let taken = reach.taken(receiver);
            let error = match self.send(receiver, message).await {
                Ok(answer) => {
                    retry::show(&self.metrics, receiver, None);
                    self.count_delivered(request, receiver, message);
                    let message = Some(job.taken.clone());
                    let fact = Delivered { request: request.clone(), attempt, answer, message };
                    let is_durable = self.write(partition, notice, fact).await;
                    reach.took(receiver);
                    return is_durable;
                }
                Err(error) => error,
            };
            self.metrics.count("hindcast_notices_failed_total", &[("receiver", receiver)], 1.0);
            retry::show(&self.metrics, receiver, Some(error.trouble()));
            let never = matches!(error, NotifyError::Never(_));
            let left = until.since(self.clock.now());
            let pause = pauses.after(&error, (request, attempt), left);
            let error = error.to_string();
            tracing::warn!(receiver, notice, attempt, error, "a notice was not taken");
            if never || left <= Span::ZERO {
                self.metrics.count("hindcast_notices_expired_total", &[("receiver", receiver)], 1.0);
                let fact = Expired { request: request.clone(), error, receiver: Some(receiver.to_owned()) };
                let is_durable = self.write(partition, notice, fact).await;
                reach.refused(receiver);
                return is_durable;
            }
            if attempt <= FAILURES_WRITTEN_MAX || !reach.fails(receiver) {
                let fact = Failed { request: request.clone(), attempt, error, receiver: Some(receiver.to_owned()) };
                if self.write(partition, notice, fact).await {
                    reach.refused(receiver);
                }
            }
            if reach.wait(receiver, taken, pause).await {
                pauses.restart();
            }
        }
    }

    /// Counts a notification that was taken; of a page also how long somebody waited for it.
    fn count_delivered(&self, request: &EventId, receiver: &str, message: &Notification) {
        self.metrics.count("hindcast_notices_delivered_total", &[("receiver", receiver)], 1.0);
        let since = self.figures.take_origin(request).unwrap_or(message.at);
        if message.page {
            self.metrics.histogram("hindcast_page_seconds", &[]).observe(elapsed(since, self.clock.now()));
        }
    }

    async fn send(&self, receiver: &str, message: &Notification) -> Result<String, NotifyError> {
        match self.notifiers.get(receiver) {
            Some(notifier) => notifier.send(message).await,
            None => {
                // Titles come from telemetry: they are data, so the log names the notice alone.
                let incident = message.incident.as_deref().unwrap_or("-");
                tracing::info!(incident, notice = message.notice, severity = %message.severity, page = message.page, "shown on screen");
                let known = receiver == SCREEN;
                Ok(if known {
                    "shown on screen".to_owned()
                } else {
                    format!("{receiver} is not configured; shown on screen")
                })
            }
        }
    }

    async fn write(&self, partition: &Partition, notice: &str, fact: impl Into<Fact>) -> bool {
        let new = NewFact::new(notice, SYSTEM, fact);
        match self.writer.submit(partition, vec![new]).await {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(%error, notice, "what became of a notice is not durable; it is delivered again");
                tokio::time::sleep(PAUSE.0).await;
                false
            }
        }
    }
}
