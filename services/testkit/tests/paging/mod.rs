//! A service in memory over a stepped clock: the deciders that serve, receivers that fail at times, and the auditor,
//! which sees the record alone. Nothing here waits.

mod steps;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_control::Control;
use hindcast_correlator::Correlator;
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{DoorOpened, Event, Recorded};
use hindcast_domain::lane::{Decider, Input, names};
use hindcast_domain::notice::{Delivered, DeliveredMessage, Expired, Failed, Requested};
use hindcast_domain::{EventId, Partition, Span, Time};
use hindcast_engine::{InputTime, LaneEngine};
use hindcast_mlops::seeded::Seeded;
use hindcast_pager::{NoticesState, Pager};
use hindcast_paging_audit::{PageAuditReport, PageAuditor};

pub const START: Time = Time::from_millis(1_763_996_400_000);
/// How long a receiver takes a message at most, in milliseconds.
const LATENCY_MS: usize = 1_500;
const FAILURES_WRITTEN_MAX: u32 = 5;

/// What a test changes in the record or in a decider, to be found.
#[derive(Clone, Copy, Default)]
pub struct Tampering {
    /// Changes a message on its way to the receiver; false loses it.
    pub message: Option<fn(&mut DeliveredMessage) -> bool>,
    /// Changes a decision of the lane of incidents.
    pub decision: Option<fn(&mut Event)>,
    /// Whether the end of an incident is told at once, as the event says it.
    pub tells_ends_at_once: bool,
}

/// A message that was asked for and not taken yet.
struct OpenDelivery {
    notice: String,
    request: EventId,
    asked: Requested,
    at: Time,
    next: Time,
    attempts: u32,
    /// Attempts since the receiver took something.
    pauses: u32,
}

/// A lane with what it has read, so that it can be begun again.
struct TestLane<D: Decider> {
    engine: LaneEngine<D>,
    read: Vec<Recorded>,
    decided: Vec<Recorded>,
    lane: Partition,
}

impl<D: Decider + Clone> TestLane<D> {
    fn new(decider: D, lane: Partition) -> Self {
        let engine = LaneEngine::new(decider.into(), lane.clone(), D::State::default());
        Self { engine, read: Vec::new(), decided: Vec::new(), lane }
    }

    fn reads(&self, event: &Recorded, of: Input) -> bool {
        self.engine.decider().reads(&self.lane, of, &event.partition)
    }

    fn input(&mut self, event: &Recorded) -> Vec<Recorded> {
        let mut out = Vec::new();
        let dead = self.engine.input(event, InputTime::in_order(event.time), &mut |decision| out.push(decision));
        assert!(dead.is_ok(), "a dead timer: {dead:?}");
        self.read.push(event.clone());
        self.decided.extend(out.iter().cloned());
        out
    }

    fn pass(&mut self, until: Time) -> Vec<Recorded> {
        let mut out = Vec::new();
        let dead = self.engine.pass(until, &mut |decision| out.push(decision));
        assert!(dead.is_ok(), "a dead timer: {dead:?}");
        self.decided.extend(out.iter().cloned());
        out
    }

    /// Begins again from what was read and decided.
    fn restart(&mut self) {
        let decider = self.engine.decider().clone();
        let mut engine = LaneEngine::new(decider.into(), self.lane.clone(), D::State::default());
        self.read.iter().for_each(|event| engine.see(event));
        self.decided.iter().for_each(|event| engine.fold(event));
        self.engine = engine;
    }
}

/// One history as it is lived.
pub struct PagedHistory {
    control: TestLane<Control>,
    incidents: TestLane<Correlator>,
    notices: TestLane<Pager>,
    auditor: PageAuditor,
    pub log: Vec<Recorded>,
    pub now: Time,
    draws: Seeded,
    facts: u64,
    open: Vec<OpenDelivery>,
    lies: Vec<(Time, Recorded)>,
    down_until: BTreeMap<String, Time>,
    /// Receivers whose last outcome in the record is a failure.
    failing: BTreeSet<String>,
    tampering: Tampering,
    flaps: Vec<(Time, usize, bool)>,
    firing: BTreeMap<usize, Time>,
    ranks: BTreeMap<usize, u32>,
    pub requests: u64,
    pub pages: u64,
}

impl PagedHistory {
    pub fn new(seed: u64, tampering: Tampering) -> Self {
        let mut history = Self {
            control: TestLane::new(Control, Partition::whole("default")),
            incidents: TestLane::new(Correlator, Partition::of_environment("production")),
            notices: TestLane::new(Pager, Partition::whole("default")),
            auditor: PageAuditor::default(),
            log: Vec::new(),
            now: START,
            draws: Seeded::new(seed),
            facts: 0,
            open: Vec::new(),
            lies: Vec::new(),
            down_until: BTreeMap::new(),
            failing: BTreeSet::new(),
            tampering,
            flaps: Vec::new(),
            firing: BTreeMap::new(),
            ranks: BTreeMap::new(),
            requests: 0,
            pages: 0,
        };
        history.fact(
            Partition::of_environment("production"),
            "door",
            Event::DoorOpened(DoorOpened { version: "test".into() }),
        );
        // What calls what, so that one incident may have alerts of several services.
        let service = |name: &str, to: &[&str]| serde_json::json!({ "name": name, "depends_on": to });
        let services = [
            service("web", &["billing", "search"]),
            service("billing", &["db", "queue"]),
            service("search", &["db"]),
            service("queue", &["db"]),
            service("db", &[]),
        ];
        history.configure("catalog", serde_json::json!({ "services": services }));
        history
    }

    pub fn report(&self) -> PageAuditReport {
        self.auditor.report()
    }

    pub fn configure(&mut self, section: &str, content: serde_json::Value) {
        let configured = Configured { section: section.into(), hash: content.to_string(), content };
        self.ask(Partition::whole("default"), section, Command::Configure(configured));
    }

    pub fn ask(&mut self, partition: Partition, subject: &str, command: Command) {
        let received = Received { key: format!("key-{}", self.facts), if_match: None, command };
        self.fact(partition, subject, Event::Command(received));
    }

    /// A fact from outside, and all that follows from it at once.
    pub fn fact(&mut self, partition: Partition, subject: &str, event: Event) {
        self.facts += 1;
        let fact = Recorded {
            id: EventId::derive(&[b"fact", &self.facts.to_be_bytes()]),
            position: 0,
            partition,
            subject: subject.to_owned(),
            revision: None,
            time: self.now,
            actor: "ada".into(),
            cause: None,
            event,
        };
        self.spread(vec![(fact, Input::Intake)]);
    }

    fn spread(&mut self, first: Vec<(Recorded, Input)>) {
        let mut queue: VecDeque<(Recorded, Input)> = first.into();
        while let Some((mut event, of)) = queue.pop_front() {
            event.position = self.log.len() as u64 + 1;
            if of == Input::Lane(names::INCIDENTS)
                && let Some(tamper) = self.tampering.decision
            {
                tamper(&mut event.event);
            }
            self.auditor.take(&event);
            self.log.push(event.clone());
            self.note_request(&event);
            self.told_at_once(&event);
            if self.control.reads(&event, of) {
                queue.extend(self.control.input(&event).into_iter().map(|it| (it, Input::Lane(names::CONTROL))));
            }
            if self.incidents.reads(&event, of) {
                queue.extend(self.incidents.input(&event).into_iter().map(|it| (it, Input::Lane(names::INCIDENTS))));
            }
            if self.notices.reads(&event, of) {
                queue.extend(self.notices.input(&event).into_iter().map(|it| (it, Input::Lane(names::NOTICES))));
            }
        }
    }

    /// What a pager would say that looks at events and not at the state that follows.
    fn told_at_once(&mut self, event: &Recorded) {
        if !self.tampering.tells_ends_at_once || !matches!(event.event, Event::IncidentResolved(_)) {
            return;
        }
        let message = DeliveredMessage {
            receiver: "screen".into(),
            incident: event.subject.parse().ok(),
            incidents: Vec::new(),
            reason: hindcast_domain::notice::Reason::Resolved,
            page: false,
            severity: hindcast_domain::Severity::High,
            status: Some(hindcast_domain::incident::Status::Resolved),
            alerts: Vec::new(),
            at: event.time,
        };
        let request = event.id.clone();
        let delivered = Delivered { request, attempt: 1, answer: "200".into(), message: Some(message) };
        let told = Recorded {
            partition: Partition::whole("default"),
            subject: "NTC-0000000000000000".into(),
            event: Event::NoticeDelivered(delivered),
            ..event.clone()
        };
        self.lies.push((self.now + Span::seconds(1), told));
    }

    fn note_request(&mut self, event: &Recorded) {
        let Event::NoticeRequested(asked) = &event.event else { return };
        self.requests += 1;
        self.pages += u64::from(asked.page);
        let latency = i64::try_from(self.draws.below(LATENCY_MS)).unwrap_or(0);
        self.open.push(OpenDelivery {
            notice: event.subject.clone(),
            request: event.id.clone(),
            asked: asked.clone(),
            at: event.time,
            next: self.now + Span::millis(latency),
            attempts: 0,
            pauses: 0,
        });
    }

    /// Lets time pass: what is due in the lanes and on the way to receivers happens at its own time.
    pub fn pass(&mut self, until: Time) {
        loop {
            let timers = [self.control.engine.due(), self.incidents.engine.due(), self.notices.engine.due()];
            let timer = timers.into_iter().flatten().map(|timer| timer.due).min();
            let delivery = self.next_delivery().map(|(at, _)| at);
            let flap = self.flaps.iter().map(|(at, _, _)| *at).min();
            let lie = self.lies.iter().map(|(at, _)| *at).min();
            let Some(next) = [timer, delivery, flap, lie].into_iter().flatten().min().filter(|next| *next <= until)
            else {
                break;
            };
            self.now = self.now.max(next);
            if lie == Some(next) {
                let (_, told) = self.lies.remove(0);
                self.auditor.take(&Recorded { time: self.now, ..told });
            } else if flap == Some(next) {
                self.flap(next);
            } else if timer == Some(next) {
                self.fire(next);
            } else {
                self.deliver();
            }
        }
        self.now = self.now.max(until);
        self.auditor.pass(self.now);
    }

    fn fire(&mut self, due: Time) {
        let of_control = self.control.pass(due).into_iter().map(|it| (it, Input::Lane(names::CONTROL)));
        let of_control: Vec<_> = of_control.collect();
        self.spread(of_control);
        let incidents: Vec<_> =
            self.incidents.pass(due).into_iter().map(|it| (it, Input::Lane(names::INCIDENTS))).collect();
        self.spread(incidents);
        let notices: Vec<_> = self.notices.pass(due).into_iter().map(|it| (it, Input::Lane(names::NOTICES))).collect();
        self.spread(notices);
    }

    /// The next attempt: what one receiver is told of one incident arrives in order.
    fn next_delivery(&self) -> Option<(Time, usize)> {
        let mut ahead: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
        let mut next = None;
        for (index, open) in self.open.iter().enumerate() {
            let incident = open.asked.incident.as_ref().map(ToString::to_string);
            let before = ahead.entry(open.asked.receiver.as_str()).or_default();
            let waits =
                before.contains(&incident) || before.contains(&None) || incident.is_none() && !before.is_empty();
            if !waits && next.is_none_or(|(at, _)| open.next < at) {
                next = Some((open.next, index));
            }
            before.insert(incident);
        }
        next
    }

    fn deliver(&mut self) {
        let Some((_, index)) = self.next_delivery() else { return };
        let whole = Partition::whole("default");
        let down = self.down_until.get(&self.open[index].asked.receiver).is_some_and(|until| *until > self.now);
        let open = &mut self.open[index];
        open.attempts += 1;
        let (request, receiver) = (open.request.clone(), Some(open.asked.receiver.clone()));
        let (attempt, notice) = (open.attempts, open.notice.clone());
        if !down {
            let open = self.open.remove(index);
            let mut message = taken(&open);
            if self.tampering.message.is_some_and(|tamper| !tamper(&mut message)) {
                return;
            }
            self.works(&message.receiver);
            let delivered = Delivered { request, attempt, answer: "200".into(), message: Some(message) };
            return self.fact(whole, &notice, Event::NoticeDelivered(delivered));
        }
        if self.now >= open.asked.expires_at {
            let open = self.open.remove(index);
            self.failing.insert(open.asked.receiver);
            let expired = Expired { request, error: "refused".into(), receiver };
            return self.fact(whole, &notice, Event::NoticeExpired(expired));
        }
        open.next = self.now + Span::millis((500_i64 << open.pauses.min(7)).min(60_000));
        open.pauses += 1;
        let new = self.failing.insert(open.asked.receiver.clone());
        if attempt <= FAILURES_WRITTEN_MAX || new {
            let failed = Failed { request, attempt, error: "refused".into(), receiver };
            self.fact(whole, &notice, Event::NoticeFailed(failed));
        }
    }

    /// A receiver takes something: what waits for it is tried at once.
    fn works(&mut self, receiver: &str) {
        self.failing.remove(receiver);
        for open in self.open.iter_mut().filter(|open| open.asked.receiver == receiver && open.attempts > 0) {
            (open.next, open.pauses) = (open.next.min(self.now), 0);
        }
    }

    /// The process ends and begins again after a while; each lane finds its state.
    pub fn restart(&mut self, away: Span) {
        let before: NoticesState = self.notices.engine.state().clone();
        self.control.restart();
        self.incidents.restart();
        self.notices.restart();
        assert_eq!(self.notices.engine.state(), &before, "a restart finds the state that decided");
        self.now = self.now + away;
        for open in &mut self.open {
            open.next = open.next.max(self.now);
        }
        for (at, _, _) in &mut self.flaps {
            *at = (*at).max(self.now);
        }
        self.fact(
            Partition::of_environment("production"),
            "door",
            Event::DoorOpened(DoorOpened { version: "test".into() }),
        );
    }
}

/// What a receiver took of a request.
fn taken(open: &OpenDelivery) -> DeliveredMessage {
    let asked = &open.asked;
    DeliveredMessage {
        receiver: asked.receiver.clone(),
        incident: asked.incident.clone(),
        incidents: asked.incidents.clone(),
        reason: asked.reason,
        page: asked.page,
        severity: asked.severity,
        status: asked.status,
        alerts: asked.alerts.clone(),
        at: open.at,
    }
}
