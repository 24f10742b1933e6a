//! Each receiver against its stand-in, with the delivery that serves: it is killed 50 times around sending and begun
//! anew over the same ledger. A kill here drops the tasks of a process that goes on; what a process loses with its
//! memory is lost, and what the kernel had sent is sent.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::Stepped;
use hindcast_domain::command::Activated;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::{Reason, Requested};
use hindcast_domain::{Event, IncidentId, NoticeId, Partition, Severity, Span, Time};
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::port::Ledger as _;
use hindcast_ledger::{LedgerFigures, LedgerProgress};
use hindcast_messaging::notify::Notifier;
use hindcast_metrics::MetricRegistry;
use hindcast_mlops::seeded::Seeded;
use hindcast_notify_email::{Email, EmailOptions};
use hindcast_notify_http::{
    AlertmanagerWebhook, DiscordWebhook, HttpTemplate, HttpTemplateOptions, MattermostWebhook, Ntfy, NtfyOptions,
    Opsgenie, PagerDuty, SlackWebhook, Telegram, TelegramOptions, Webhook,
};
use hindcast_pager::NoticeDeliverer;
use hindcast_testkit::vendors::{MailStandIn, SECRET, VendorKind, VendorMode, VendorStandIn};
use tokio::sync::watch;

const START: Time = Time::from_millis(1_763_996_400_000);
const KILLS: usize = 50;
/// The longest that a run lives, in milliseconds: long enough for most to send, and short enough for many to die in it.
const LIFE_MS: usize = 12;

fn open(kind: VendorKind, url: &str) -> Arc<dyn Notifier> {
    match kind {
        VendorKind::Webhook => Arc::new(Webhook::new(&url.into(), None).unwrap()),
        VendorKind::PagerDuty => Arc::new(PagerDuty::new(SECRET.into(), Some(url)).unwrap()),
        VendorKind::Opsgenie => Arc::new(Opsgenie::new(SECRET.into(), Some(url)).unwrap()),
        VendorKind::Alertmanager => {
            Arc::new(AlertmanagerWebhook::new(&url.into(), Some(SECRET.into()), "oncall").unwrap())
        }
        VendorKind::Slack => Arc::new(SlackWebhook::new(&url.into()).unwrap()),
        VendorKind::Discord => Arc::new(DiscordWebhook::new(&url.into()).unwrap()),
        VendorKind::Mattermost => Arc::new(MattermostWebhook::new(&url.into()).unwrap()),
        VendorKind::Telegram => Arc::new(
            Telegram::new(TelegramOptions {
                token: SECRET.into(),
                chat: "7".to_owned(),
                thread: None,
                url: Some(url.to_owned()),
            })
            .unwrap(),
        ),
        VendorKind::Ntfy => Arc::new(
            Ntfy::new(NtfyOptions { topic: "t".into(), token: Some(SECRET.into()), url: Some(url.to_owned()) })
                .unwrap(),
        ),
        VendorKind::Http => Arc::new(
            HttpTemplate::new(HttpTemplateOptions {
                url: url.into(),
                method: "POST".to_owned(),
                headers: BTreeMap::new(),
                secret_headers: BTreeMap::from([("X-Api-Key".to_owned(), SECRET.into())]),
                body: r#"{"text": {{ headline }}}"#.to_owned(),
            })
            .unwrap(),
        ),
    }
}

/// A ledger, and the delivery over it.
struct DeliveryWorld {
    ledger: MemoryLedger,
    metrics: MetricRegistry,
    stop: watch::Sender<bool>,
}

impl DeliveryWorld {
    async fn new() -> Self {
        let world = Self {
            ledger: MemoryLedger::new("L"),
            metrics: MetricRegistry::default(),
            stop: watch::Sender::new(false),
        };
        world.write("activation", Event::Activated(Activated { install: "ours".to_owned() })).await;
        world
    }

    /// A run with receivers that remember nothing of the one before.
    fn run(&self, notifier: Arc<dyn Notifier>) -> tokio::task::JoinHandle<()> {
        let clock: hindcast_clock::Shared = Arc::new(Stepped::new(START));
        let deliverer = NoticeDeliverer {
            ledger: self.ledger.share(),
            writer: IntakeWriter::new(self.ledger.share(), Arc::clone(&clock), LedgerProgress::default(), "pager")
                .facts(),
            clock,
            install: "ours".to_owned(),
            holder: "ours/1".to_owned(),
            notifiers: BTreeMap::from([("phone".to_owned(), notifier)]),
            public_url: "http://localhost:7171".to_owned(),
            metrics: self.metrics.clone(),
            figures: LedgerFigures::default(),
        };
        let stop = self.stop.subscribe();
        tokio::spawn(async move { deliverer.run(stop).await.unwrap() })
    }

    async fn write(&self, subject: &str, event: Event) {
        let (ledger, whole) = (self.ledger.share(), Partition::whole("default"));
        hindcast_testkit::append::event(ledger.as_ref(), &whole, START, (subject, "system"), event).await;
    }

    async fn ask(&self, number: usize) {
        let title = title(number);
        let asked = Requested {
            incident: Some(IncidentId::derive(&[title.as_bytes()])),
            receiver: "phone".to_owned(),
            reason: Reason::Opened,
            page: true,
            severity: Severity::Critical,
            title: title.clone(),
            lines: Vec::new(),
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: None,
            expires_at: START + Span::minutes(10),
            delayed_by: None,
            status: Some(Status::Open),
            alerts: Vec::new(),
            incidents: Vec::new(),
            through: Some(0),
            silence: None,
        };
        self.write(NoticeId::derive(&[title.as_bytes()]).as_str(), Event::NoticeRequested(asked)).await;
    }

    /// The notices that are delivered or given up, as the ledger has it.
    async fn settled(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut delivered, mut given_up) = (BTreeSet::new(), BTreeSet::new());
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
                let ReadEvent::Known(event) = item else { panic!("{item:?}") };
                match event.event {
                    Event::NoticeDelivered(_) => delivered.insert(event.subject),
                    Event::NoticeExpired(_) => given_up.insert(event.subject),
                    _ => false,
                };
            }
        }
        (delivered, given_up)
    }

    /// Asks for a notice, lets a run live for a moment and kills it, so many times; then lets a last one finish.
    async fn kills(&self, seed: u64, open: impl Fn() -> Arc<dyn Notifier>) {
        let mut dice = Seeded::new(seed);
        for number in 0..KILLS {
            self.ask(number).await;
            let run = self.run(open());
            let micros = dice.below(LIFE_MS * 1_000);
            tokio::time::sleep(Duration::from_micros(u64::try_from(micros).unwrap())).await;
            run.abort();
            assert!(run.await.unwrap_err().is_cancelled());
        }
        let last = self.run(open());
        for _ in 0..600 {
            let (delivered, given_up) = self.settled().await;
            if delivered.len() + given_up.len() == KILLS {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        last.abort();
        let (delivered, given_up) = self.settled().await;
        assert_eq!((delivered.len(), given_up.len()), (KILLS, 0), "each is delivered, and the ledger says so");
    }
}

fn title(number: usize) -> String {
    format!("Fault{number:02}End")
}

/// How often each message was taken, by its title.
fn times(texts: impl Iterator<Item = String>) -> BTreeMap<usize, usize> {
    let mut times = BTreeMap::new();
    for text in texts {
        let number = (0..KILLS).find(|number| text.contains(&title(*number))).expect("a message of ours");
        *times.entry(number).or_default() += 1;
    }
    times
}

/// None is lost. A vendor that knows our key can drop what it took before; for the others a repeat is told.
async fn survives(kind: VendorKind, knows_the_key: bool) {
    let vendor = VendorStandIn::start(kind, SECRET).await;
    let url = vendor.url(SECRET);
    let world = DeliveryWorld::new().await;
    world.kills(7, || open(kind, &url)).await;
    let taken = vendor.taken();
    let times = times(taken.iter().map(|taken| taken.text.clone()));
    assert_eq!(times.len(), KILLS, "{kind:?}: none is lost");
    let repeats = taken.len() - KILLS;
    assert!(repeats <= KILLS * 16, "{kind:?}: a kill cuts off as many as are under way");
    let keys: BTreeSet<&String> = taken.iter().map(|taken| &taken.key).collect();
    assert_eq!(keys.len(), if knows_the_key { KILLS } else { 1 }, "{kind:?}: a repeat has the key of the first");
    println!("{kind:?}: {KILLS} kills, {KILLS} delivered, {repeats} sent twice, dropped by key: {knows_the_key}");
}

#[tokio::test]
async fn receivers_that_know_a_key_take_each_message_once() {
    for kind in
        [VendorKind::Webhook, VendorKind::PagerDuty, VendorKind::Opsgenie, VendorKind::Alertmanager, VendorKind::Http]
    {
        survives(kind, true).await;
    }
}

#[tokio::test]
async fn receivers_without_a_key_lose_no_message() {
    for kind in [VendorKind::Slack, VendorKind::Discord, VendorKind::Mattermost, VendorKind::Telegram, VendorKind::Ntfy]
    {
        survives(kind, false).await;
    }
}

#[tokio::test]
async fn mail_keeps_its_id_when_it_is_sent_again() {
    let server = MailStandIn::start(SECRET).await;
    let world = DeliveryWorld::new().await;
    let open = || -> Arc<dyn Notifier> {
        Arc::new(
            Email::new(EmailOptions {
                url: server.url(),
                in_clear: true,
                user: Some("ops".to_owned()),
                password: Some(SECRET.into()),
                from: "hindcast@example.com".to_owned(),
                to: vec!["ops@example.com".to_owned()],
            })
            .unwrap(),
        )
    };
    world.kills(7, open).await;
    let taken = server.taken();
    let ids: BTreeSet<_> = taken.iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), KILLS);
    assert_eq!(times(taken.iter().map(|mail| mail.header("Subject").unwrap())).len(), KILLS);
    println!("mail: {KILLS} kills, {} sent twice, dropped by Message-ID", taken.len() - KILLS);
}

/// What is wrong with a receiver is shown at once, and shown no more when it takes something.
#[tokio::test]
async fn a_wrong_credential_and_a_limit_are_shown_by_a_metric() {
    let vendor = VendorStandIn::start(VendorKind::PagerDuty, "another-key").await;
    let url = vendor.url("");
    let world = DeliveryWorld::new().await;
    let trouble =
        |which: &str| world.metrics.get("hindcast_receiver_trouble", &[("receiver", "phone"), ("trouble", which)]);
    let shown = async |which: &str| {
        for _ in 0..600 {
            if trouble(which) > 0.5 {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    };
    world.ask(0).await;
    let run = world.run(open(VendorKind::PagerDuty, &url));
    assert!(shown("credential").await, "PagerDuty knows another key");
    run.abort();

    let vendor = VendorStandIn::start(VendorKind::PagerDuty, SECRET).await;
    vendor.mode(VendorMode::Limit(1));
    let url = vendor.url("");
    let run = world.run(open(VendorKind::PagerDuty, &url));
    assert!(shown("rate_limit").await && trouble("credential") < 0.5);
    vendor.mode(VendorMode::Take);
    for _ in 0..200 {
        if world.settled().await.0.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.settled().await.0.len(), 1, "it goes after the time that was asked for");
    assert!(trouble("rate_limit") < 0.5);
    run.abort();
}
