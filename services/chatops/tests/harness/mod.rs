//! A world for tests: a ledger in memory, an incident lane that takes commands and says what the domain says,
//! the lane of chat as it runs, views as simple as can be, and a vendor that does what it is told.

#![allow(dead_code, unreachable_pub, unused_imports)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

pub mod lane;
pub mod views;

use std::sync::Arc;
use std::time::Duration;

use hindcast_advice::memory::MemoryAdvice;
use hindcast_chat_cards::interaction::ChatReply;
use hindcast_chat_cards::{ChatVerb, Interaction, Vendor};
use hindcast_chatops::{
    ChatEndpoints, Deliverer, FailPoint, Handle, Options, ReplyAddresses, TakenDeliveries, TeamsDoors,
};
use hindcast_clock::{Clock as _, Stepped};
use hindcast_domain::chat::{Messages, Status, What};
use hindcast_domain::command::{Activated, Command, Configured, Received};
use hindcast_domain::event::{Event, Recorded, Verdict};
use hindcast_domain::{IncidentId, Partition, Severity, Time};
use hindcast_eventlog::lane as runner;
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_eventlog::snapshot::SnapshotStore;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::LedgerProgress;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::port::Ledger as _;
use hindcast_messaging::chat as port;
use hindcast_metrics::MetricRegistry;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit::work::MemoryCopilot;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use hindcast_testkit::messaging::{MemoryChat, VendorBehaviour};

pub const START: Time = Time::from_millis(1_763_996_400_000);

pub struct World {
    pub ledger: MemoryLedger,
    pub clock: Stepped,
    pub writer: IntakeWriter,
    pub views: Arc<MemoryViews>,
    pub copilot: Arc<MemoryCopilot>,
    pub vendor: Arc<MemoryChat>,
    pub metrics: MetricRegistry,
    pub handle: Handle,
    stop: watch::Sender<bool>,
    lanes: Vec<JoinHandle<()>>,
    keys: std::sync::atomic::AtomicU64,
}

impl Drop for World {
    fn drop(&mut self) {
        self.lanes.iter().for_each(JoinHandle::abort);
    }
}

impl World {
    /// A world with the rules, an activation of `ours`, both lanes and the views running.
    pub async fn new(rules: Value) -> Self {
        Self::on(MemoryLedger::new("L"), rules).await
    }

    /// The same on a ledger.
    pub async fn on(ledger: MemoryLedger, rules: Value) -> Self {
        let clock = Stepped::new(START);
        let writer = IntakeWriter::new(ledger.share(), Arc::new(clock.clone()), LedgerProgress::default(), "test");
        let mut world = Self {
            views: views::start(&ledger),
            copilot: Arc::new(MemoryCopilot::new(hindcast_testkit::answer("It was the deploy.", 1))),
            vendor: Arc::new(MemoryChat::new("slack", ledger.clone())),
            metrics: MetricRegistry::default(),
            handle: Handle::default(),
            stop: watch::Sender::new(false),
            lanes: Vec::new(),
            keys: std::sync::atomic::AtomicU64::new(0),
            ledger,
            clock,
            writer,
        };
        world.configure(rules).await;
        world.write("activation", Event::Activated(Activated { install: "ours".into() })).await;
        world.starts_lanes();
        world
    }

    pub async fn configure(&self, rules: Value) {
        let configured = Configured { section: "chat".into(), hash: "h".into(), content: rules };
        self.write("chat", Event::Configured(configured)).await;
    }

    fn lane_options(&self) -> runner::Options {
        runner::Options {
            ledger: self.ledger.share(),
            clock: Arc::new(self.clock.clone()),
            progress: LedgerProgress::default(),
            snapshots: SnapshotStore::none(),
            owner: "ours".to_owned(),
            backlog: runner::BACKLOG,
        }
    }

    fn starts_lanes(&mut self) {
        let (incidents, chat) = (self.lane_options(), self.lane_options());
        let (stop, stop_chat) = (self.stop.subscribe(), self.stop.subscribe());
        self.lanes.push(tokio::spawn(async move {
            runner::Runner::new(lane::Incidents, incidents).run(stop).await.unwrap();
        }));
        self.lanes.push(tokio::spawn(async move { hindcast_chatops::run_lane(chat, stop_chat).await.unwrap() }));
    }

    /// Both lanes end and find their state again.
    pub async fn restarts_lanes(&mut self) {
        self.stop.send_replace(true);
        for lane in self.lanes.drain(..) {
            lane.await.unwrap();
        }
        self.stop.send_replace(false);
        self.starts_lanes();
    }

    pub fn options(&self) -> Options {
        self.options_of(&self.vendor)
    }

    pub fn options_of(&self, vendor: &Arc<MemoryChat>) -> Options {
        Options {
            ledger: self.ledger.share(),
            writer: self.writer.facts(),
            commands: self.writer.commands(),
            clock: Arc::new(self.clock.clone()),
            install: "ours".to_owned(),
            holder: "ours/1".to_owned(),
            queries: (Arc::clone(&self.views) as hindcast_queries::Shared).into(),
            advice: Arc::new(MemoryAdvice::default()),
            copilot: Arc::clone(&self.copilot) as hindcast_advice::SharedCopilot,
            vendors: vec![Arc::clone(vendor) as port::Shared],
            slack: None,
            teams: TeamsDoors::default(),
            public_url: "http://localhost:8080/incidents".to_owned(),
            metrics: self.metrics.clone(),
            handle: self.handle.clone(),
            replies: ReplyAddresses::default(),
            taken: TakenDeliveries::default(),
            fail: FailPoint::None,
        }
    }

    /// A deliverer in a task of its own; aborting it is a crash.
    pub fn delivers(&self) -> JoinHandle<()> {
        Self::delivers_with(self.options())
    }

    pub fn delivers_with(options: Options) -> JoinHandle<()> {
        tokio::spawn(async move {
            // It ends with its task alone.
            let never = watch::Sender::new(false);
            Deliverer::new(options).run(never.subscribe()).await.unwrap();
        })
    }

    pub async fn write(&self, subject: &str, event: Event) {
        self.write_in(&Partition::whole("default"), subject, event).await;
    }

    pub async fn write_in(&self, partition: &Partition, subject: &str, event: Event) {
        let (ledger, now) = (self.ledger.share(), self.clock.now());
        hindcast_testkit::append::event(ledger.as_ref(), partition, now, (subject, "ada"), event).await;
    }

    pub async fn command(&self, command: Command) {
        let key = self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        let received = Received { key, if_match: None, command };
        self.write_in(&production(), "incident", Event::Command(received)).await;
    }

    /// Somebody declares an incident; its id.
    pub async fn declares(&self, title: &str, severity: Severity, services: &[&str]) -> IncidentId {
        let services = services.iter().map(ToString::to_string).collect();
        let command =
            Command::DeclareIncident { title: title.into(), severity, services, description: None, started_at: None };
        self.command(command).await;
        self.quiet().await;
        let events = self.events().await;
        let declared = events
            .iter()
            .rev()
            .find(|event| matches!(&event.event, Event::IncidentDeclared(declared) if declared.title == title));
        declared.expect("it was declared").subject.parse().unwrap()
    }

    /// Lets everything happen that can within a moment; time is paused, so this costs none.
    pub async fn quiet(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Lets everything happen that can.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(400)).await;
    }

    pub async fn events(&self) -> Vec<Recorded> {
        events_of(&self.ledger).await
    }

    /// Messages as any reader folds them.
    pub async fn messages(&self) -> Messages {
        let mut messages = Messages::default();
        for event in self.events().await {
            messages.evolve(&event);
        }
        messages
    }

    /// What was asked for: (what, channel), sorted.
    pub async fn asked(&self) -> Vec<(&'static str, String)> {
        let mut asked: Vec<_> = self
            .events()
            .await
            .into_iter()
            .filter_map(|event| match event.event {
                Event::ChatRequested(requested) => Some((word(&requested.what), requested.channel)),
                _ => None,
            })
            .collect();
        asked.sort();
        asked
    }

    pub async fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events().await.iter().filter(|event| wanted(&event.event)).count()
    }

    pub async fn delivered(&self) -> usize {
        self.messages().await.0.values().filter(|message| message.status == Status::Delivered).count()
    }
}

pub async fn events_of(ledger: &MemoryLedger) -> Vec<Recorded> {
    let mut events = Vec::new();
    for seq in 1..=ledger.head().await.unwrap() {
        let record = ledger.get(seq).await.unwrap().unwrap();
        for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
            let ReadEvent::Known(event) = item else { panic!("{item:?}") };
            events.push(*event);
        }
    }
    events
}

pub fn word(what: &What) -> &'static str {
    match what {
        What::Card => "card",
        What::Note { .. } => "note",
        What::Answer { .. } => "answer",
    }
}

pub fn production() -> Partition {
    Partition::of_environment("production")
}

/// One channel of Slack that shows everything, and three people of three roles.
pub fn rules() -> Value {
    json!({
        "channels": [{"vendor": "slack", "channel": "C1"}],
        "people": [
            {"name": "ada", "slack": ["U-ADA"], "role": "responder"},
            {"name": "root", "slack": ["U-ROOT"], "role": "admin"},
            {"name": "vic", "slack": ["U-VIC"], "role": "viewer"},
        ],
    })
}

pub fn interaction(key: &str, user: &str, verb: ChatVerb) -> Interaction {
    Interaction {
        vendor: Vendor::Slack,
        key: key.to_owned(),
        team: None,
        user: user.to_owned(),
        user_name: Some("a name that anybody may choose".to_owned()),
        channel: "C1".to_owned(),
        thread: Some("1.1".to_owned()),
        service_url: None,
        message: None,
        seen: None,
        verb,
        reply: ChatReply {
            response_url: Some("https://hooks.example/secret".to_owned()),
            trigger: Some("T".to_owned()),
        },
    }
}

pub fn signed() -> Verdict {
    Verdict { scheme: "hmac-sha256".into(), key_id: None }
}

pub fn door(options: Options) -> ChatEndpoints {
    ChatEndpoints::new(options)
}

/// A generator of a few numbers: the same seed gives the same ones.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub const fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }
}
