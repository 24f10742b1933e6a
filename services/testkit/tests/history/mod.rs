//! Random histories: alerts of several partitions and writers, late ones among them, people's commands, silences,
//! promotions, time that passes, and owners of lanes that stop, are killed and begin again. Everything is drawn from
//! one seed; the lanes are run by the runner that serves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::Stepped;
use hindcast_control::Control;
use hindcast_correlation::weights::GroupingWeights;
use hindcast_correlator::Correlator;
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{DoorOpened, Event};
use hindcast_domain::lane::{Decider, names};
use hindcast_domain::model::{Judged, Lineage, PAIR_SCORER, Registered, Verdict};
use hindcast_domain::silence::{self, Matcher, Terms};
use hindcast_domain::{Fingerprint, IncidentId, Partition, Severity, Span, Time};
use hindcast_eventlog::lane::{Error, Options, Runner};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_facts::NewFact;
use hindcast_intake::{FailPoint, IntakeWriter, NewCommand};
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::{LedgerProgress, Shared};
use hindcast_mlops::seeded::Seeded;
use hindcast_mlops::{Labeller, train};
use hindcast_pager::Pager;
use hindcast_testkit::conformance::toy;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub const LANES: [&str; 4] = [names::CONTROL, names::INCIDENTS, names::NOTICES, names::LABELS];
const START: Time = Time::from_millis(1_763_996_400_000);
/// Writers whose clocks are behind by so much; what they bring is late.
const BEHIND: [Span; 3] = [Span::ZERO, Span::ZERO, Span::seconds(50)];
const PARTITIONS: [&str; 2] = ["production", "staging"];
const SERVICES: [&str; 4] = ["db", "web", "queue", "billing"];
const ALERTS: [&str; 5] = ["HighLatency", "DiskFull", "Down", "ErrorRate", "Backlog"];
const STEPS: usize = 36;

/// How a lane is stopped, and what it ends with.
type RunningLane = (watch::Sender<bool>, JoinHandle<Result<(), Error>>);

/// One history as it is lived.
pub struct History {
    pub ledger: Shared,
    memory: MemoryLedger,
    draws: Seeded,
    now: Time,
    clock: Stepped,
    doors: Vec<(IntakeWriter, Stepped, Span)>,
    progress: LedgerProgress,
    snapshots: PathBuf,
    store: SnapshotStore,
    lanes: BTreeMap<&'static str, RunningLane>,
    commands: u64,
    versions: u32,
    /// What was sent last, to be sent again.
    sent: Vec<(Partition, Observation)>,
}

/// Lives the history of a seed; the ledger that it left.
pub async fn lived(seed: u64) -> Shared {
    let mut history = History::begin(seed);
    for lane in LANES {
        history.start(lane);
    }
    for _ in 0..STEPS {
        history.step().await;
    }
    history.settle().await;
    for lane in LANES {
        history.stop(lane).await;
    }
    std::fs::remove_dir_all(&history.snapshots).ok();
    history.ledger
}

impl History {
    fn begin(seed: u64) -> Self {
        let memory = match seed % 4 {
            0 => MemoryLedger::contended("HISTORY"),
            _ => MemoryLedger::new("HISTORY"),
        };
        let ledger = memory.share();
        let progress = LedgerProgress::default();
        progress.expect(&LANES);
        let door = |(slot, behind): (usize, Span)| {
            let clock = Stepped::new(START - behind);
            let shared: hindcast_clock::Shared = Arc::new(clock.clone());
            let slot = format!("door-{slot}");
            let (ledger, progress) = (Arc::clone(&ledger), progress.clone());
            (IntakeWriter::gathering(ledger, shared, progress, &slot, FailPoint::None), clock, behind)
        };
        let doors = BEHIND.into_iter().enumerate().map(door).collect();
        let snapshots = std::env::temp_dir().join(format!("hindcast-history-{}-{seed}", std::process::id()));
        Self {
            ledger,
            memory,
            draws: Seeded::new(seed),
            now: START,
            clock: Stepped::new(START),
            doors,
            progress,
            store: SnapshotStore::at(snapshots.clone()).shelving_after(Some(Span::seconds(30))),
            snapshots,
            lanes: BTreeMap::new(),
            commands: 0,
            versions: 1,
            sent: Vec::new(),
        }
    }

    fn options(&mut self, lane: &str) -> Options {
        let snapshots = match self.draws.below(2) {
            0 => SnapshotStore::none(),
            // What is over leaves memory soon, so that much comes back.
            _ => self.store.clone(),
        };
        Options {
            ledger: Arc::clone(&self.ledger),
            clock: Arc::new(self.clock.clone()),
            progress: self.progress.clone(),
            snapshots,
            owner: format!("owner-of-{lane}"),
            // In some histories a handful of inputs is a backlog already.
            backlog: [0, 3, hindcast_eventlog::lane::BACKLOG][self.draws.below(3)],
        }
    }

    fn start(&mut self, lane: &'static str) {
        let options = self.options(lane);
        let (stop, stopped) = watch::channel(false);
        let task = match lane {
            names::CONTROL => run(Control, options, stopped),
            names::INCIDENTS => run(Correlator, options, stopped),
            names::NOTICES => run(Pager, options, stopped),
            _ => run(Labeller, options, stopped),
        };
        self.lanes.insert(lane, (stop, task));
    }

    async fn stop(&mut self, lane: &str) {
        let Some((stop, task)) = self.lanes.remove(lane) else { return };
        stop.send_replace(true);
        task.await.expect("no owner panics").expect("an owner ends when it is asked");
    }

    /// Ends an owner wherever it is.
    async fn kill(&mut self, lane: &str) {
        let Some((_stop, task)) = self.lanes.remove(lane) else { return };
        task.abort();
        task.await.ok();
        self.progress.forget(lane);
        self.memory.expire_leases();
    }

    async fn step(&mut self) {
        match self.draws.below(20) {
            0..=5 => self.alerts().await,
            6..=7 => self.resend().await,
            8..=9 => self.command().await,
            10 => self.silence().await,
            11 => self.configure().await,
            12 => self.promote().await,
            13 => self.door_opens().await,
            14..=15 => {
                let lane = LANES[self.draws.below(LANES.len())];
                match self.draws.below(3) {
                    0 => self.stop(lane).await,
                    _ => self.kill(lane).await,
                }
                // What comes while nobody owns the lane waits for the next owner.
                for _ in 0..self.draws.below(4) {
                    self.alerts().await;
                    self.pass(Span::seconds(20));
                }
                self.start(lane);
            }
            16..=17 => {
                let most = [5, 60, 900, 14_400][self.draws.below(4)];
                let seconds = i64::try_from(self.draws.below(most)).unwrap_or(1);
                self.pass(Span::seconds(seconds));
            }
            _ => self.settle().await,
        }
    }

    fn pass(&mut self, span: Span) {
        self.now = self.now + span;
        self.clock.set(self.now);
        for (_, clock, behind) in &self.doors {
            clock.set(self.now - *behind);
        }
    }

    /// Waits until the lanes have decided what came, and fired what is due.
    async fn settle(&self) {
        let settled = async {
            loop {
                let changed = self.progress.changed();
                let head = self.ledger.head().await.expect("a ledger in memory is there");
                if self.progress.settled(head, self.now) {
                    return;
                }
                tokio::time::timeout(Duration::from_millis(50), changed).await.ok();
            }
        };
        tokio::time::timeout(toy::PATIENCE, settled).await.expect("the lanes settle");
    }

    fn observation(&mut self) -> Observation {
        let (name, service) = (ALERTS[self.draws.below(ALERTS.len())], SERVICES[self.draws.below(SERVICES.len())]);
        let mut mac = [0_u8; 32];
        mac[..8].copy_from_slice(&hindcast_mlops::seeded::hash(7, &format!("{name}/{service}")).to_be_bytes());
        let began = self.now - Span::seconds(i64::try_from(self.draws.below(600)).unwrap_or(0));
        let resolved = self.draws.chance(300);
        let severities = [Severity::Low, Severity::High, Severity::Critical];
        Observation {
            severity: severities[self.draws.below(3)],
            signal: if resolved { Signal::Resolved } else { Signal::Firing },
            starts_at: self.draws.chance(700).then_some(began),
            ends_at: resolved.then_some(self.now),
            stale_after: Span::seconds([120, 600, 3_600][self.draws.below(3)]),
            ..hindcast_testkit::observation(Fingerprint::from_mac(&mac), name, service)
        }
    }

    async fn alerts(&mut self) {
        let partition = Partition::of_environment(PARTITIONS[self.draws.below(PARTITIONS.len())]);
        let facts: Vec<NewFact> = (0..1 + self.draws.below(6))
            .map(|_| {
                let seen = self.observation();
                self.sent.push((partition.clone(), seen.clone()));
                NewFact::new(seen.fingerprint.to_string(), "prometheus", seen)
            })
            .collect();
        self.submit(&partition, facts).await;
    }

    /// Some of what was sent lately is sent again as it was, as senders do while an alert fires.
    async fn resend(&mut self) {
        let from = self.sent.len().saturating_sub(10);
        self.sent.drain(..from);
        for _ in 0..1 + self.draws.below(4) {
            let (partition, seen) = match self.sent.len() {
                0 => return,
                many => self.sent[self.draws.below(many)].clone(),
            };
            let fact = NewFact::new(seen.fingerprint.to_string(), "prometheus", seen);
            self.submit(&partition, vec![fact]).await;
        }
    }

    async fn submit(&mut self, partition: &Partition, facts: Vec<NewFact>) {
        let door = self.draws.below(self.doors.len());
        self.doors[door].0.facts().submit(partition, facts).await.expect("a ledger in memory takes facts");
    }

    async fn ask(&mut self, partition: &Partition, subject: String, command: Command) {
        self.commands += 1;
        let command = Received { key: format!("key-{}", self.commands), if_match: None, command };
        let new = NewCommand { subject, actor: "ada".to_owned(), command, traceparent: None };
        self.doors[0].0.commands().submit(partition, new).await.expect("a ledger in memory takes commands");
    }

    /// A command about some incident that was opened, or about none that exists.
    async fn command(&mut self) {
        let opened = toy::events(self.ledger.as_ref()).await.into_iter().filter_map(|(_, event)| match &event.event {
            Event::IncidentOpened(_) | Event::IncidentDeclared(_) => {
                Some((event.partition, event.subject.parse::<IncidentId>().ok()?))
            }
            _ => None,
        });
        let opened: Vec<(Partition, IncidentId)> = opened.collect();
        if opened.is_empty() {
            return;
        }
        let (partition, incident) = opened[self.draws.below(opened.len())].clone();
        let (_, other) = opened[self.draws.below(opened.len())].clone();
        let subject = incident.to_string();
        let until = self.now + Span::seconds(300);
        let command = match self.draws.below(7) {
            0 => Command::AcknowledgeIncident { incident },
            1 => Command::UnacknowledgeIncident { incident },
            2 => Command::ResolveIncident { incident, cause: Some("a full disk".into()), resolution: None },
            3 => Command::ReopenIncident { incident },
            4 => Command::MergeIncident { incident, into: other },
            5 => Command::SnoozeIncident { incident, until },
            _ => Command::SetIncidentSeverity { incident, severity: Severity::Critical },
        };
        self.ask(&partition, subject, command).await;
    }

    async fn silence(&mut self) {
        let service = SERVICES[self.draws.below(SERVICES.len())];
        let starts_at = self.now + Span::seconds(i64::try_from(self.draws.below(60)).unwrap_or(0));
        let terms = Terms {
            matchers: vec![Matcher::equal("service", service)],
            starts_at,
            ends_at: starts_at + Span::seconds(30 + i64::try_from(self.draws.below(900)).unwrap_or(0)),
            created_by: "ada".into(),
            comment: "work".into(),
            kind: silence::Kind::Silence,
            environment: self.draws.chance(300).then(|| PARTITIONS[0].to_owned()),
            repeats: None,
        };
        let whole = Partition::whole(Partition::TENANT);
        self.ask(&whole, "silence".to_owned(), Command::CreateSilence { terms, replaces: None }).await;
    }

    async fn configure(&mut self) {
        let threshold = 400 + self.draws.below(300);
        let content = serde_json::json!({"weights": {"threshold": threshold}});
        let configured = Configured { section: "correlation".into(), hash: threshold.to_string(), content };
        let whole = Partition::whole(Partition::TENANT);
        self.ask(&whole, "correlation".to_owned(), Command::Configure(configured)).await;
    }

    /// A version is registered, judged and promoted; or the one before it is put back.
    async fn promote(&mut self) {
        let whole = Partition::whole(Partition::TENANT);
        if self.draws.chance(300) {
            let back = Command::RollBackModel { model: PAIR_SCORER.into(), why: "it split what is one".into() };
            return self.ask(&whole, PAIR_SCORER.to_owned(), back).await;
        }
        self.versions += 1;
        let version = self.versions;
        let bias = -1_000 - 100 * i32::try_from(self.draws.below(10)).unwrap_or(0);
        let weights = GroupingWeights { version, bias, ..GroupingWeights::default() };
        let code = "test".to_owned();
        let lineage =
            Lineage { from: 1, to: 2, labels: 30, dataset: "d".into(), seed: 1, code, features: 1, parent: 1 };
        let registered = Registered {
            name: PAIR_SCORER.into(),
            version,
            hash: train::hash(&weights, &lineage),
            lineage,
            weights: train::to_map(&weights),
            metrics: BTreeMap::default(),
            card: String::new(),
        };
        // Judged against what is set by hand, as it stands without settings.
        let by_hand = GroupingWeights { version: 1, ..GroupingWeights::default() };
        let judged = Judged {
            name: PAIR_SCORER.into(),
            version,
            against: 1,
            environment: None,
            hash: Some(registered.hash.clone()),
            against_hash: Some(train::hand_hash(&by_hand)),
            environments: Default::default(),
            verdict: Verdict::Pass,
            reasons: vec!["so".into()],
            report: serde_json::json!({}),
        };
        let subject = format!("{PAIR_SCORER}/{version}");
        self.submit(&whole, vec![NewFact::new(subject.clone(), "learning", registered)]).await;
        self.submit(&whole, vec![NewFact::new(subject, "learning", judged)]).await;
        self.ask(&whole, PAIR_SCORER.to_owned(), Command::PromoteModel { model: PAIR_SCORER.into(), version }).await;
    }

    async fn door_opens(&mut self) {
        let partition = Partition::of_environment(PARTITIONS[self.draws.below(PARTITIONS.len())]);
        let opened = DoorOpened { version: "test".to_owned() };
        self.submit(&partition, vec![NewFact::new("door", "system", opened)]).await;
    }
}

fn run<D: Decider>(decider: D, options: Options, stop: watch::Receiver<bool>) -> JoinHandle<Result<(), Error>> {
    tokio::spawn(Runner::new(decider, options).run(stop))
}
