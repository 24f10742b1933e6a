//! A little world that writes histories: observations, decisions by the domain's own functions, people,
//! silences and notices, as commits of a ledger in memory. It refuses to know how views are kept.
#![allow(dead_code, unreachable_pub)] // each test uses its part of it
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod large;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hindcast_clock::Stepped;
use hindcast_domain::alert::decide::{Rules, observe};
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::book::Book;
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{Change, Delivery, Draft, Parked, Recorded, RejectedItem, Unparked, Verdict};
use hindcast_domain::incident::{self, AlertJoined, Considered, Grouping, Opened};
use hindcast_domain::label::{self, About, Given, Provenance};
use hindcast_domain::notice::{Delivered, Held, Reason, Released, Requested};
use hindcast_domain::repeats::{RepeatBatch, RepeatedAlert};
use hindcast_domain::silence::{self, Matcher, Terms};
use hindcast_domain::{
    Event, EventId, Fingerprint, IncidentId, LabelId, NoticeId, Partition, Severity, SilenceId, Span, Time,
};
use hindcast_events::Envelope;
use hindcast_ledger::commit::{self, CommitHeader};
use hindcast_ledger::memory;
use hindcast_ledger::{Hash, Ledger, LedgerProgress, Record, RecordMemo, Subject};
use hindcast_queries::Queries;
use hindcast_testkit::reception;
use hindcast_views::{FailPoint, Options, Views};

pub const START_MS: i64 = 1_700_000_000_000;

#[derive(Clone, Copy, Default)]
struct Tip {
    seq: u64,
    hash: Hash,
    counter: u64,
}

pub struct World {
    pub ledger: memory::MemoryLedger,
    pub records: Vec<Record>,
    pub now: Time,
    pub books: BTreeMap<Partition, Book>,
    pub incidents: Vec<(Partition, IncidentId)>,
    pub silences: Vec<SilenceId>,
    pub notices: Vec<(NoticeId, EventId, Option<IncidentId>)>,
    pub parked: Vec<EventId>,
    pub labels: Vec<(Partition, LabelId)>,
    tips: BTreeMap<Subject, Tip>,
    made: u64,
}

pub fn severity(index: usize) -> Severity {
    Severity::ALL[index % Severity::ALL.len()]
}

pub fn fingerprint(index: usize) -> Fingerprint {
    format!("{:04x}{:016x}", (index * 7_919) % 65_536, index).parse().unwrap()
}

pub fn partition(index: usize) -> Partition {
    Partition::of_environment(if index % 4 == 3 { "staging" } else { "production" })
}

impl World {
    pub fn new() -> Self {
        Self {
            ledger: memory::MemoryLedger::new("L"),
            records: Vec::new(),
            now: Time::from_millis(START_MS),
            books: BTreeMap::new(),
            incidents: Vec::new(),
            silences: Vec::new(),
            notices: Vec::new(),
            parked: Vec::new(),
            labels: Vec::new(),
            tips: BTreeMap::new(),
            made: 0,
        }
    }

    pub fn head(&self) -> u64 {
        self.records.len() as u64
    }

    pub fn position(&self) -> u64 {
        let record = self.records.last().unwrap();
        let events = commit::decode_header(&record.payload).unwrap().0.events as usize;
        commit::position(record.seq, events.saturating_sub(1))
    }

    fn id(&mut self) -> EventId {
        self.made += 1;
        EventId::derive(&[b"made", &self.made.to_be_bytes()])
    }

    /// Appends a commit at `now`, stamped `back` earlier.
    pub async fn commit(&mut self, subject: &Subject, envelopes: Vec<Envelope>, back: Span) -> Vec<Recorded> {
        let tip = self.tips.get(subject).copied().unwrap_or_default();
        let bytes: Vec<Vec<u8>> = envelopes.iter().map(hindcast_events::encode).collect();
        let follows = (tip.seq, tip.hash);
        let header = CommitHeader::next("L".into(), subject.clone(), tip.counter + 1, follows, self.now - back);
        let (payload, hash) = commit::encode(header, &bytes).unwrap();
        let seq = self.ledger.append(subject, tip.seq, payload.clone()).await.unwrap();
        self.records.push(Record { seq, subject: subject.clone(), payload, memo: RecordMemo::default() });
        self.tips.insert(subject.clone(), Tip { seq, hash, counter: tip.counter + 1 });
        let partition = subject.partition().clone();
        let at = |(index, envelope): (usize, Envelope)| envelope.at(commit::position(seq, index), &partition);
        envelopes.into_iter().enumerate().map(at).collect()
    }

    pub async fn intake(&mut self, partition: &Partition, events: Vec<(String, String, Event)>) -> Vec<Recorded> {
        let mut envelopes = Vec::new();
        for (subject, actor, event) in events {
            let (id, time) = (self.id(), self.now);
            envelopes.push(Envelope {
                id,
                subject,
                revision: None,
                time,
                actor,
                cause: None,
                traceparent: None,
                event,
            });
        }
        self.commit(&Subject::intake(partition, "door"), envelopes, Span::ZERO).await
    }

    pub async fn decide(
        &mut self,
        partition: &Partition,
        lane: &str,
        drafts: Vec<Draft>,
        cause: Option<&EventId>,
        back: Span,
    ) -> Vec<Recorded> {
        let mut envelopes = Vec::new();
        for draft in drafts {
            let (id, time) = (self.id(), self.now);
            let book = self.books.entry(partition.clone()).or_default();
            let revision =
                draft.subject.parse::<IncidentId>().ok().and_then(|id| book.incidents.get(&id)).map(|i| i.revision);
            let revision = revision.or_else(|| {
                draft.subject.parse::<Fingerprint>().ok().and_then(|id| book.alerts.get(&id)).map(|a| a.revision)
            });
            let envelope = Envelope {
                id,
                subject: draft.subject,
                revision: Some(revision.unwrap_or(0) + 1),
                time,
                actor: draft.actor,
                cause: cause.cloned(),
                traceparent: None,
                event: draft.event,
            };
            if lane == "incidents" {
                book.evolve(&envelope.clone().at(0, partition));
            }
            envelopes.push(envelope);
        }
        self.commit(&Subject::lane(partition, lane), envelopes, back).await
    }

    pub fn wait(&mut self, millis: i64) {
        self.now = self.now + Span::millis(millis);
    }

    /// One alert comes in, and the incident lane decides.
    pub async fn observe(&mut self, index: usize, firing: bool, grade: usize) {
        let partition = partition(index);
        let observation = observation(index, firing, grade, self.now);
        let delivery = Event::Delivery(delivery());
        let seen = Event::Observed(observation.clone());
        let subject = observation.fingerprint.to_string();
        let made = self
            .intake(&partition, vec![("delivery".into(), "prom".into(), delivery), (subject, "prom".into(), seen)])
            .await;
        let observed = made[1].id.clone();
        self.wait(1);
        let book = std::mem::take(self.books.entry(partition.clone()).or_default());
        let known = book.alerts.get(&observation.fingerprint);
        let mut drafts = observe(
            known,
            &observation,
            &reception(&observed, observation.service.as_deref(), self.now),
            &Rules::default(),
        );
        let fired = drafts.iter().any(|draft| matches!(draft.event, Event::AlertFired(_)));
        if fired {
            drafts.extend(self.place(&partition, &book, &observation, &observed));
        }
        self.books.insert(partition.clone(), book);
        if !drafts.is_empty() {
            self.decide(
                &partition,
                "incidents",
                drafts,
                Some(&observed),
                Span::millis(i64::try_from(index).unwrap() * 40),
            )
            .await;
        }
    }

    /// Some alerts are sent again and again, and gathered; `alerts` is a set of them, by bits.
    pub async fn repeat(&mut self, alerts: usize, batches: usize) {
        for environment in [0, 3] {
            let partition = partition(environment);
            let again = (0..8).filter(|n| alerts >> n & 1 == 1 && self::partition(*n) == partition);
            let again = again.map(|n| RepeatedAlert {
                fingerprint: fingerprint(n),
                count: 1 + n as u32 % 3,
                stale_after_s: 300,
                sender: None,
            });
            let again: Vec<RepeatedAlert> = again.collect();
            let batch = RepeatBatch { from: self.now, to: self.now, requests: Vec::new(), alerts: again };
            if !batch.alerts.is_empty() {
                let event = || ("repeats".to_owned(), "system".to_owned(), Event::Repeats(batch.clone()));
                self.intake(&partition, (0..batches).map(|_| event()).collect()).await;
            }
            self.wait(3);
        }
    }

    fn place(&mut self, partition: &Partition, book: &Book, seen: &Observation, cause: &EventId) -> Vec<Draft> {
        let known = book.alerts.get(&seen.fingerprint);
        let home = known.and_then(|alert| alert.incident.as_ref()).and_then(|id| book.home(id));
        if home.is_some_and(|home| home.is_live()) {
            return Vec::new();
        }
        let mine = self.incidents.iter().rev().filter(|(of, _)| of == partition).map(|(_, id)| id);
        let live = mine.filter(|id| book.incidents.get(id).is_some_and(|i| i.is_live()));
        let live: Vec<&IncidentId> = live.take(2).collect();
        let considered = live.iter().skip(1).take(1).map(|id| Considered {
            incident: (*id).clone(),
            score: 110,
            why: "no path between services".into(),
        });
        let grouping = Grouping {
            rule: "score".into(),
            weights: 1,
            score: 914,
            threshold: 500,
            parts: [("same_service".to_owned(), 2_000)].into(),
            like: None,
            considered: considered.collect(),
        };
        match live.first().filter(|_| seen.labels["n"].len() % 2 == 1) {
            Some(id) => vec![Draft::system(
                id,
                Event::IncidentAlertJoined(AlertJoined {
                    fingerprint: seen.fingerprint.clone(),
                    severity: seen.severity,
                    service: seen.service.clone(),
                    team: None,
                    starts_at: self.now,
                    grouping: Some(grouping),
                    title: None,
                }),
            )],
            None => {
                let id = IncidentId::derive(&[cause.as_str().as_bytes()]);
                self.incidents.push((partition.clone(), id.clone()));
                vec![Draft::system(
                    id,
                    Event::IncidentOpened(Opened {
                        title: format!("{} on {}", seen.name, seen.service.as_deref().unwrap_or("?")),
                        fingerprint: seen.fingerprint.clone(),
                        severity: seen.severity,
                        service: seen.service.clone(),
                        team: None,
                        started_at: self.now,
                        grouping: Grouping { rule: "first".into(), ..grouping },
                        recurrence_of: known.and_then(|alert| alert.incident.clone()),
                    }),
                )]
            }
        }
    }

    /// A person's command about incidents, and what the lane decides.
    pub async fn person(&mut self, partition: &Partition, key: &str, command: Command) -> EventId {
        let received = Received { key: key.to_owned(), if_match: None, command };
        let made =
            self.intake(partition, vec![("command".into(), "ada".into(), Event::Command(received.clone()))]).await;
        let id = made[0].id.clone();
        self.wait(2);
        let book = self.books.entry(partition.clone()).or_default().clone();
        let drafts = match incident::decide::command(&book, &received, &id, "ada", self.now) {
            Ok(drafts) => drafts,
            Err(rejected) => vec![Draft::by("ada", &id, Event::CommandRejected(rejected))],
        };
        for draft in &drafts {
            match &draft.event {
                Event::IncidentSplit(split) => self.incidents.push((partition.clone(), split.incident.clone())),
                Event::IncidentDeclared(_) => self.incidents.push((partition.clone(), draft.subject.parse().unwrap())),
                _ => {}
            }
        }
        self.decide(partition, "incidents", drafts, Some(&id), Span::ZERO).await;
        id
    }

    pub async fn silence(&mut self, index: usize) {
        let whole = Partition::whole(Partition::TENANT);
        let id = SilenceId::derive(&[b"silence", &self.made.to_be_bytes()]);
        let terms = Terms {
            matchers: vec![Matcher::equal("n", &"x".repeat(index + 1))],
            starts_at: self.now,
            ends_at: self.now + Span::hours(1),
            created_by: "ada".into(),
            comment: "work".into(),
            kind: silence::Kind::Silence,
            environment: None,
            repeats: None,
        };
        self.silences.push(id.clone());
        let created = Event::SilenceCreated(silence::Created { terms, replaces: None, follows: None });
        self.decide(&whole, "control", vec![Draft::by("ada", &id, created)], None, Span::ZERO).await;
        let of = partition(index);
        let fingerprint = fingerprint(index);
        if self.books.entry(of.clone()).or_default().alerts.contains_key(&fingerprint) {
            let held = hindcast_domain::alert::Suppressed {
                by: id.to_string(),
                kind: "silence".into(),
                until: self.now + Span::hours(1),
            };
            self.decide(
                &of,
                "incidents",
                vec![Draft::system(&fingerprint, Event::AlertSuppressed(held))],
                None,
                Span::ZERO,
            )
            .await;
        }
    }

    pub async fn unsilence(&mut self, index: usize) {
        if self.silences.is_empty() {
            return;
        }
        let id = self.silences[index % self.silences.len()].clone();
        let whole = Partition::whole(Partition::TENANT);
        let ended = Event::SilenceEnded(silence::Ended { reason: "expired".into() });
        self.decide(&whole, "control", vec![Draft::by("ada", &id, ended)], None, Span::ZERO).await;
    }

    /// A page is asked for and, unless `held`, delivered.
    pub async fn notify(&mut self, index: usize, held: bool) {
        if self.incidents.is_empty() {
            return;
        }
        let whole = Partition::whole(Partition::TENANT);
        let (_, incident) = self.incidents[index % self.incidents.len()].clone();
        let id = NoticeId::derive(&[b"notice", &self.made.to_be_bytes()]);
        let event = if held { held_notice(&incident, self.now) } else { page(&incident, self.now) };
        let made = self.decide(&whole, "notices", vec![Draft::system(&id, event)], None, Span::ZERO).await;
        let request = made[0].id.clone();
        self.wait(120);
        let next = if held {
            self.decide(
                &whole,
                "notices",
                vec![Draft::system(&id, Event::NoticeReleased(Released { why: "over".into() }))],
                None,
                Span::ZERO,
            )
            .await
        } else {
            let taken = Event::NoticeDelivered(Delivered {
                request: request.clone(),
                attempt: 1,
                answer: "200".into(),
                message: None,
            });
            self.intake(&whole, vec![(id.to_string(), "pager".into(), taken)]).await
        };
        assert!(!next.is_empty());
        self.notices.push((id, request, Some(incident)));
    }

    /// A person says something of an incident, or of its first alert.
    pub async fn teach(&mut self, index: usize, person: usize, value: usize) {
        let Some((partition, incident)) = self.incidents.get(index % self.incidents.len().max(1)).cloned() else {
            return;
        };
        let id = LabelId::derive(&[b"label", &self.labels.len().to_be_bytes()]);
        let kind = if value.is_multiple_of(2) { label::Kind::Cause } else { label::Kind::Attention };
        let provenance = if person == 0 { Provenance::Implicit } else { Provenance::Explicit };
        let given = Given {
            kind,
            about: About::Incident { incident },
            value: format!("value {}", value % 3).into(),
            weight: 1_000,
            provenance,
            rule: "cause_named".into(),
            from: EventId::derive(&[b"from"]),
        };
        let draft = Draft::by(&format!("person {person}"), &id, Event::LabelGiven(given));
        self.decide(&partition, "labels", vec![draft], None, Span::ZERO).await;
        self.labels.push((partition, id));
    }

    /// A label is taken back.
    pub async fn retract(&mut self, index: usize) {
        let Some((partition, id)) = self.labels.get(index % self.labels.len().max(1)).cloned() else { return };
        let retracted = label::Retracted { label: id.clone(), why: "undone".into() };
        let draft = Draft::by("ada", &id, Event::LabelRetracted(retracted));
        self.decide(&partition, "labels", vec![draft], None, Span::ZERO).await;
    }

    pub async fn change(&mut self, index: usize) {
        let change = Change {
            source: "ci".into(),
            kind: "deploy".into(),
            title: format!("release {index}"),
            service: Some(format!("svc-{}", index % 3)),
            version: None,
            status: None,
            at: self.now - Span::minutes(i64::try_from(index).unwrap()),
            author: None,
            url: None,
            source_id: None,
        };
        let subject = change.service.clone().unwrap();
        self.intake(&partition(index), vec![(subject, "ci".into(), Event::Change(change))]).await;
    }

    pub async fn park(&mut self) {
        let item =
            RejectedItem { index: 0, code: "no_labels".into(), detail: "no labels".into(), remedy: "add some".into() };
        let parked =
            Parked { source: "prom".into(), format: "generic".into(), item, payload: serde_json::json!({"a": 1}) };
        let made = self.intake(&partition(0), vec![("parked".into(), "prom".into(), Event::Parked(parked))]).await;
        self.parked.push(made[0].id.clone());
    }

    pub async fn unpark(&mut self, index: usize) {
        if self.parked.is_empty() {
            return;
        }
        let parked = self.parked[index % self.parked.len()].clone();
        let event = Event::Unparked(Unparked { parked: parked.clone(), how: "discarded".into() });
        self.intake(&partition(0), vec![(parked.to_string(), "ada".into(), event)]).await;
    }

    pub async fn configure(&mut self, index: usize) {
        let content = serde_json::json!({"services": [{"name": "svc-0", "aliases": [format!("alias-{index}")]}]});
        let section = Configured { section: "catalog".into(), hash: format!("{index:064x}"), content };
        let whole = Partition::whole(Partition::TENANT);
        self.decide(&whole, "control", vec![Draft::by("ada", "catalog", Event::Configured(section))], None, Span::ZERO)
            .await;
    }

    /// A commit that seals and says nothing.
    pub async fn cursor_only(&mut self) {
        self.commit(&Subject::lane(&partition(0), "incidents"), Vec::new(), Span::ZERO).await;
    }

    /// The same ledger, as if it ended at `position`, in the middle of a commit if need be.
    pub async fn cut(&self, position: u64) -> memory::MemoryLedger {
        let ledger = memory::MemoryLedger::new("L");
        for record in self.records.iter().filter(|record| commit::position(record.seq, 0) <= position) {
            let expected = ledger.last(&record.subject).await.unwrap().map_or(0, |last| last.seq);
            let commit = commit::decode(&record.payload).unwrap();
            let keep = usize::try_from(position - commit::position(record.seq, 0)).unwrap() + 1;
            let payload: Bytes = if keep < commit.events.len() {
                commit::encode(commit.header, &commit.events[..keep]).unwrap().0
            } else {
                record.payload.clone()
            };
            ledger.append(&record.subject, expected, payload).await.unwrap();
        }
        ledger
    }
}

pub fn observation(index: usize, firing: bool, grade: usize, now: Time) -> Observation {
    let labels = [("n", "x".repeat(index + 1)), ("alertname", format!("Rule{}", index % 3))];
    Observation {
        source_fingerprint: Some(format!("sent-{index}")),
        source: "prom".into(),
        severity: severity(grade),
        signal: if firing { Signal::Firing } else { Signal::Resolved },
        labels: labels.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        ends_at: (!firing).then_some(now),
        stale_after: Span::minutes(5),
        unmapped: vec!["/odd".into()],
        ..hindcast_testkit::observation(
            fingerprint(index),
            &format!("Rule{}", index % 3),
            &format!("svc-{}", index % 3),
        )
    }
}

fn delivery() -> Delivery {
    Delivery {
        source: "prom".into(),
        format: "alertmanager".into(),
        verified: Verdict { scheme: "open".into(), key_id: None },
        redaction: 1,
        redacted: 0,
        normaliser: 1,
        taken: 1,
        rejected: Vec::new(),
        unmapped: Vec::new(),
        truncated: 0,
        envelope: serde_json::Value::Null,
    }
}

fn page(incident: &IncidentId, now: Time) -> Event {
    Event::NoticeRequested(Requested {
        incident: Some(incident.clone()),
        receiver: "web".into(),
        reason: Reason::Opened,
        page: true,
        severity: Severity::Critical,
        title: "page".into(),
        lines: Vec::new(),
        services: Vec::new(),
        teams: Vec::new(),
        holds_until: None,
        expires_at: now + Span::hours(1),
        delayed_by: None,
        status: None,
        alerts: Vec::new(),
        incidents: Vec::new(),
        through: None,
        silence: None,
    })
}

fn held_notice(incident: &IncidentId, now: Time) -> Event {
    Event::NoticeHeld(Held {
        incident: Some(incident.clone()),
        alert: None,
        receiver: Some("web".into()),
        reason: Reason::Opened,
        why: "storm".into(),
        until: now + Span::minutes(10),
        severity: Severity::High,
        title: "held".into(),
        services: Vec::new(),
        teams: Vec::new(),
    })
}

/// Views over a ledger, following it.
pub struct Running {
    pub views: Views,
    pub progress: LedgerProgress,
    pub clock: Stepped,
    pub folder: Option<tempfile::TempDir>,
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), hindcast_views::Error>>,
}

impl Running {
    pub async fn over(ledger: &memory::MemoryLedger) -> Self {
        Self::with(ledger, tempfile::tempdir().unwrap(), FailPoint::None).await
    }

    pub async fn with(ledger: &memory::MemoryLedger, folder: tempfile::TempDir, fail: FailPoint) -> Self {
        Self::on(ledger.share(), ledger, folder, fail).await
    }

    pub async fn on(
        shared: hindcast_ledger::Shared,
        ledger: &memory::MemoryLedger,
        folder: tempfile::TempDir,
        fail: FailPoint,
    ) -> Self {
        Self::kept(shared, ledger, folder, (fail, None)).await
    }

    /// Views whose memory lets go of what was over for an hour by their clock.
    pub async fn forgetting(ledger: &memory::MemoryLedger) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::kept(ledger.share(), ledger, folder, (FailPoint::None, Some(Span::hours(1)))).await
    }

    async fn kept(
        shared: hindcast_ledger::Shared,
        ledger: &memory::MemoryLedger,
        folder: tempfile::TempDir,
        (fail, over_kept): (FailPoint, Option<Span>),
    ) -> Self {
        let progress = LedgerProgress::default();
        let clock = Stepped::new(Time::from_millis(START_MS));
        let options = Options {
            folder: folder.path().join("views"),
            ledger: shared,
            clock: Arc::new(clock.clone()),
            progress: progress.clone(),
            over_kept,
            public_url: String::new(),
            fail,
        };
        let views = Views::open(options).await.unwrap();
        let (stop, shutdown) = tokio::sync::watch::channel(false);
        let task = tokio::spawn({
            let views = views.clone();
            async move { views.run(shutdown).await }
        });
        let running = Self { views, progress, clock, folder: Some(folder), stop, task };
        running.catch_up(ledger).await;
        running
    }

    pub async fn catch_up(&self, ledger: &memory::MemoryLedger) {
        let head = ledger.head().await.unwrap();
        let mut position = self.views.position();
        let caught_up = position.wait_for(|position| commit::seq_of(*position) >= head);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(600), caught_up).await;
        waited.expect("the views follow the ledger").unwrap();
    }

    /// Ends and gives the folder back.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.stop.send_replace(true);
        self.task.await.unwrap().unwrap();
        drop(self.views);
        self.folder.take().unwrap()
    }
}

/// When the world begins.
pub fn beginning() -> Time {
    Time::from_millis(START_MS)
}
