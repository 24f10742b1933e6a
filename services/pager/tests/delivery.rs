//! Delivery, read as a specification: only the active installation reaches people, what it sent is a fact,
//! and what is not known to have been taken is sent again under the same key.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hindcast_clock::{Clock as _, Stepped};
use hindcast_domain::command::Activated;
use hindcast_domain::notice::{Reason, Requested};
use hindcast_domain::{Event, IncidentId, NoticeId, Partition, Severity, Span, Time};
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory::{AppendFault, MemoryLedger};
use hindcast_ledger::port::Ledger as _;
use hindcast_ledger::{LedgerFigures, LedgerProgress};
use hindcast_messaging::notify::{Notification, Notifier};
use hindcast_metrics::MetricRegistry;
use hindcast_pager::NoticeDeliverer;
use hindcast_testkit::messaging::{MemoryNotifier, ReceiverBehaviour};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const START: Time = Time::from_millis(1_763_996_400_000);

struct World {
    ledger: MemoryLedger,
    clock: Stepped,
    receiver: Arc<MemoryNotifier>,
    stop: watch::Sender<bool>,
    metrics: MetricRegistry,
    figures: LedgerFigures,
}

impl World {
    fn new(behaviour: ReceiverBehaviour) -> Self {
        let (ledger, clock) = (MemoryLedger::new("L"), Stepped::new(START));
        let receiver = Arc::new(MemoryNotifier::new(behaviour));
        let (metrics, figures) = (MetricRegistry::default(), LedgerFigures::default());
        Self { ledger, clock, receiver, stop: watch::Sender::new(false), metrics, figures }
    }

    fn starts(&self, install: &str) -> JoinHandle<()> {
        let clock: hindcast_clock::Shared = Arc::new(self.clock.clone());
        let deliverer = NoticeDeliverer {
            ledger: self.ledger.share(),
            writer: IntakeWriter::new(self.ledger.share(), Arc::clone(&clock), LedgerProgress::default(), "pager")
                .facts(),
            clock,
            install: install.to_owned(),
            holder: format!("{install}/1"),
            notifiers: BTreeMap::from([("on-call".to_owned(), Arc::clone(&self.receiver) as Arc<dyn Notifier>)]),
            public_url: "http://localhost:8080/incidents".to_owned(),
            metrics: self.metrics.clone(),
            figures: self.figures.clone(),
        };
        let stop = self.stop.subscribe();
        tokio::spawn(async move { deliverer.run(stop).await.unwrap() })
    }

    async fn write(&self, subject: &str, event: Event) {
        let (ledger, now) = (self.ledger.share(), self.clock.now());
        let whole = Partition::whole("default");
        hindcast_testkit::append::event(ledger.as_ref(), &whole, now, (subject, "system"), event).await;
    }

    async fn activate(&self, install: &str) {
        self.write("activation", Event::Activated(Activated { install: install.to_owned() })).await;
    }

    async fn ask(&self, name: &str, receiver: &str) {
        self.ask_about(name, receiver, None).await;
    }

    async fn ask_about(&self, name: &str, receiver: &str, incident: Option<&str>) {
        let asked = Requested {
            incident: incident.map(|incident| IncidentId::derive(&[incident.as_bytes()])),
            receiver: receiver.to_owned(),
            reason: Reason::Opened,
            page: true,
            severity: Severity::Critical,
            title: name.to_owned(),
            lines: Vec::new(),
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: None,
            expires_at: START + Span::minutes(10),
            delayed_by: Some(Span::minutes(3)),
            status: None,
            alerts: Vec::new(),
            incidents: Vec::new(),
            through: Some(0),
            silence: None,
        };
        self.write(NoticeId::derive(&[name.as_bytes()]).as_str(), Event::NoticeRequested(asked)).await;
    }

    /// Lets everything happen that can; time is paused, so this costs none.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(400)).await;
    }

    /// A counter of notices.
    fn counted(&self, what: &str) -> f64 {
        let name = match what {
            "delivered" => "hindcast_notices_delivered_total",
            "failed" => "hindcast_notices_failed_total",
            _ => "hindcast_notices_expired_total",
        };
        self.metrics.get(name, &[("receiver", "on-call")])
    }

    fn sent(&self) -> Vec<Notification> {
        self.receiver.sent()
    }

    /// What became of notices, as the ledger has it.
    async fn facts(&self) -> Vec<&'static str> {
        let mut facts = Vec::new();
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            for item in read::events(&record, &read::commit(&record).unwrap()).unwrap() {
                let ReadEvent::Known(event) = item else { panic!("{item:?}") };
                match event.event {
                    Event::NoticeDelivered(_) => facts.push("delivered"),
                    Event::NoticeFailed(_) => facts.push("failed"),
                    Event::NoticeExpired(_) => facts.push("expired"),
                    _ => {}
                }
            }
        }
        facts
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_an_activation_and_nothing_by_another_installation() {
    let world = World::new(ReceiverBehaviour::Take);
    world.ask("PgDown", "on-call").await;
    world.starts("ours");
    world.settle().await;
    assert!(world.sent().is_empty(), "nobody activated this ledger");
    world.activate("theirs").await;
    world.settle().await;
    assert!(world.sent().is_empty(), "this is a copy of their ledger");
    assert!(world.facts().await.is_empty());
    world.activate("ours").await;
    world.settle().await;
    assert_eq!(world.sent().len(), 1, "it waited, and was not lost");
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_is_no_longer_the_active_one_stops_sending() {
    let world = World::new(ReceiverBehaviour::Take);
    world.activate("ours").await;
    world.starts("ours");
    world.activate("theirs").await;
    world.ask("PgDown", "on-call").await;
    world.settle().await;
    assert!(world.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_is_delivered_once_and_that_is_a_fact() {
    let world = World::new(ReceiverBehaviour::Take);
    world.activate("ours").await;
    let run = world.starts("ours");
    world.ask("PgDown", "on-call").await;
    world.ask("NginxDown", "on-call").await;
    world.settle().await;
    let mut titles: Vec<_> = world.sent().into_iter().map(|message| message.title).collect();
    titles.sort();
    assert_eq!(titles, ["NginxDown", "PgDown"]);
    assert_eq!(world.facts().await, ["delivered", "delivered"]);
    assert!(world.sent()[0].lines.iter().any(|line| line.contains("delayed by 3 min")), "{:?}", world.sent()[0].lines);

    // A restart reads the facts, and a replay of them pages nobody.
    world.stop.send_replace(true);
    run.await.unwrap();
    world.stop.send_replace(false);
    world.starts("ours");
    world.settle().await;
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_before_the_fact_was_written_it_is_sent_again_under_the_same_key() {
    let world = World::new(ReceiverBehaviour::Hang);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    let run = world.starts("ours");
    world.settle().await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert_eq!((world.sent().len(), world.facts().await.len()), (1, 0));

    world.receiver.always(ReceiverBehaviour::Take);
    world.starts("ours");
    world.settle().await;
    let keys: Vec<_> = world.sent().into_iter().map(|message| message.key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "the receiver can drop what it has seen");
    assert_eq!(world.facts().await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn when_the_fact_cannot_be_written_it_is_sent_again_under_the_same_key() {
    let world = World::new(ReceiverBehaviour::Take);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    world.ledger.inject(AppendFault::Refuse);
    world.starts("ours");
    world.settle().await;
    let keys: Vec<_> = world.sent().into_iter().map(|message| message.key).collect();
    assert_eq!(keys.len(), 2, "once for the fact that was refused, once for the one that stands");
    assert_eq!(keys[0], keys[1]);
    assert_eq!(world.facts().await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_answer_is_tried_again_until_the_request_expires() {
    let world = World::new(ReceiverBehaviour::Again);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    world.starts("ours");
    world.settle().await;
    assert!(world.sent().len() > 8, "{} attempts", world.sent().len());
    assert_eq!(world.facts().await, ["failed"; 5], "further failures are only counted");
    world.clock.set(START + Span::minutes(10));
    world.settle().await;
    assert_eq!(*world.facts().await.last().unwrap(), "expired");
    let attempts = world.sent().len();
    world.settle().await;
    assert_eq!(world.sent().len(), attempts, "what was given up is requested anew by the pager, or not at all");
    assert!((world.counted("failed") - attempts as f64).abs() < 0.1 && (world.counted("expired") - 1.0).abs() < 0.1);
    assert!(world.counted("delivered") < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_page_counts_how_long_somebody_waited_for_it() {
    let world = World::new(ReceiverBehaviour::Take);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    world.clock.set(START + Span::seconds(7));
    world.starts("ours");
    world.settle().await;
    let text = world.metrics.render(hindcast_metrics::Exposition::Text);
    assert!(text.contains("hindcast_page_seconds_sum 7.0\nhindcast_page_seconds_count 1\n"), "{text}");
    assert!((world.counted("delivered") - 1.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_comes_back_takes_it() {
    let world = World::new(ReceiverBehaviour::Again);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    world.starts("ours");
    world.settle().await;
    world.receiver.always(ReceiverBehaviour::Take);
    world.settle().await;
    assert_eq!(*world.facts().await.last().unwrap(), "delivered");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_receiver_is_sent_as_soon_as_it_takes_anything() {
    let world = World::new(ReceiverBehaviour::Again);
    world.activate("ours").await;
    world.ask_about("first", "on-call", Some("a")).await;
    world.ask_about("second", "on-call", Some("b")).await;
    world.starts("ours");
    // Long enough for pauses of a minute.
    world.settle().await;
    world.receiver.always(ReceiverBehaviour::Take);
    world.ask_about("third", "on-call", Some("c")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.facts().await.iter().filter(|fact| **fact == "delivered").count(), 3, "none waits out its pause");
}

#[tokio::test(start_paused = true)]
async fn that_a_receiver_fails_again_is_written_down_however_often_a_message_was_tried() {
    let world = World::new(ReceiverBehaviour::Again);
    world.receiver.with_title("well", ReceiverBehaviour::Take);
    world.activate("ours").await;
    world.ask_about("refused", "on-call", Some("a")).await;
    world.starts("ours");
    world.settle().await;
    assert_eq!(world.facts().await, ["failed"; 5]);
    world.ask_about("well", "on-call", Some("b")).await;
    world.settle().await;
    assert_eq!(world.facts().await[5..], ["delivered", "failed"], "the record says that it fails, and says it once");
}

#[tokio::test(start_paused = true)]
async fn what_one_receiver_is_told_of_one_incident_arrives_in_order() {
    let world = World::new(ReceiverBehaviour::Again);
    world.activate("ours").await;
    world.ask_about("opened", "on-call", Some("a")).await;
    world.ask_about("resolved", "on-call", Some("a")).await;
    world.ask_about("another", "on-call", Some("b")).await;
    world.starts("ours");
    world.settle().await;
    assert!(world.sent().iter().all(|message| message.title != "resolved"), "the first word is not taken yet");
    assert!(world.sent().iter().any(|message| message.title == "another"), "another incident does not wait");
    world.receiver.always(ReceiverBehaviour::Take);
    world.settle().await;
    let taken: Vec<_> = world.sent().into_iter().map(|message| message.title).filter(|it| it != "another").collect();
    assert_eq!(taken.last().map(String::as_str), Some("resolved"));
    assert_eq!(world.facts().await.iter().filter(|fact| **fact == "delivered").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_its_receiver_refuses_is_given_up_at_once() {
    let world = World::new(ReceiverBehaviour::Never);
    world.activate("ours").await;
    world.ask("PgDown", "on-call").await;
    world.starts("ours");
    world.settle().await;
    assert_eq!((world.sent().len(), world.facts().await), (1, vec!["expired"]));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_not_configured_is_said_so_and_not_dropped() {
    let world = World::new(ReceiverBehaviour::Take);
    world.activate("ours").await;
    world.ask("PgDown", "nobody").await;
    world.starts("ours");
    world.settle().await;
    assert!(world.sent().is_empty());
    assert_eq!(world.facts().await, ["delivered"], "it was shown on screen");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_takes_nothing_delays_no_other() {
    let world = World::new(ReceiverBehaviour::Hang);
    world.activate("ours").await;
    for number in 0..40 {
        world.ask_about(&format!("fault {number}"), "on-call", Some(&format!("incident {number}"))).await;
    }
    world.ask_about("elsewhere", "screen", Some("another")).await;
    world.starts("ours");
    world.settle().await;
    assert_eq!(world.sent().len(), 16, "so many at once to one receiver");
    assert_eq!(world.facts().await, ["delivered"], "and the other one has its message");
}
