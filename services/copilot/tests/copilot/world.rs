//! A small world: one incident of a shop whose database ran out of connections, one of the past that was the
//! same, views over both and over what the copilot writes, and conclusions that stand still. The black-box test
//! with a real model uses it too, to record what that model says of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_advice::tools::Toolbox;
use hindcast_advice::{Advice, Asker};
use hindcast_api::{
    Alert, Answer, AsOf, Ask, Causes, Change, Citation, Code, Event, Finding, Incident, Notice, Page, Parked,
    Postmortem, Problem, Proposal, Receipt, Replay, RunbookSummary, Silence, SimilarPage, State, TimelineEntry,
    Verification, Why,
};
use hindcast_clock::Stepped;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Received;
use hindcast_domain::{EventId, Partition, Time, incident};
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_facts::FactsWriter;
use hindcast_http::MetricRegistry;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory;
use hindcast_ledger::port::Ledger as _;
use hindcast_ledger::progress::LedgerProgress;
use hindcast_queries::{
    AlertFilter, CommandOutcome, EventFilter, FindingFilter, IncidentFilter, NoticeFilter, Queries, Window,
};
use hindcast_testkit as testkit;
use serde_json::{Value, json};
use tokio::sync::watch;

use hindcast_copilot::{Caps, Copilot, Options, Prices, Prompts};

/// The incident, and the one of the past.
pub const NOW_ID: &str = "INC-7Q2K5M8N3P4R6S9T";
pub const PAST_ID: &str = "INC-2B4D6F8H0J2K4M6N";
/// What a real model was asked for the transcript.
pub const TRANSCRIPT_QUESTIONS: [&str; 3] = [
    "What caused the incident?",
    "Which log lines did postgres write? Look at the findings.",
    "Have we seen this before, and what helped?",
];
/// The position behind which only the copilot's own events lie.
pub const HEAD: u64 = 4_000;

pub fn at(text: &str) -> Time {
    format!("2026-11-24T{text}Z").parse().unwrap()
}

pub fn cite(position: u64) -> Citation {
    Citation { event: event_id(position), position }
}

pub fn event_id(position: u64) -> String {
    EventId::derive(&[&position.to_be_bytes()]).to_string()
}

fn event(position: u64, kind: &str, subject: &str, time: &str, data: Value) -> Event {
    Event { time: at(time), recorded_at: at(time), revision: Some(1), data, ..testkit::event(position, kind, subject) }
}

fn base() -> Vec<Event> {
    let labels = |service: &str, name: &str| json!({"alertname": name, "service": service});
    vec![
        event(
            10,
            "incident.opened",
            PAST_ID,
            "01:00:00",
            json!({"title": "PgSlow on postgres", "severity": "high", "service": "postgres", "started_at": at("01:00:00")}),
        ),
        event(
            20,
            "incident.resolved",
            PAST_ID,
            "01:20:00",
            json!({"by": "person", "cause": "postgres: connections ran out", "resolution": "idle transactions were ended"}),
        ),
        event(
            100,
            "intake.change",
            "checkout",
            "11:50:00",
            json!({"source": "ci", "kind": "deploy", "title": "checkout v42", "service": "checkout", "version": "v42", "at": at("11:50:00")}),
        ),
        event(
            200,
            "alert.fired",
            "0a0a0a0a0a0a0a0a0a0a",
            "12:00:00",
            json!({"name": "PgDown", "service": "postgres", "severity": "critical", "labels": labels("postgres", "PgDown"), "starts_at": at("12:00:00"), "occurrence": 1}),
        ),
        event(
            201,
            "incident.opened",
            NOW_ID,
            "12:00:00",
            json!({"title": "PgDown on postgres", "severity": "critical", "service": "postgres", "fingerprint": "0a0a0a0a0a0a0a0a0a0a", "started_at": at("12:00:00")}),
        ),
        event(
            300,
            "alert.fired",
            "0b0b0b0b0b0b0b0b0b0b",
            "12:01:00",
            json!({"name": "HighErrorRate", "service": "checkout", "severity": "high", "labels": labels("checkout", "HighErrorRate"), "starts_at": at("12:01:00"), "occurrence": 1}),
        ),
        event(
            301,
            "incident.alert_joined",
            NOW_ID,
            "12:01:00",
            json!({"fingerprint": "0b0b0b0b0b0b0b0b0b0b", "severity": "high", "service": "checkout", "starts_at": at("12:01:00")}),
        ),
        event(
            400,
            "finding.raised",
            "FND-1",
            "12:00:30",
            json!({"kind": "new_template", "service": "postgres", "title": "postgres writes a new line: connection slots are reserved", "at": at("12:00:10"), "count": 61, "before": 0.0, "after": 61.0, "incident": NOW_ID}),
        ),
        event(3_900, "incident.noted", NOW_ID, "12:09:00", json!({"text": "the last thing that is known"})),
        event(HEAD, "notice.delivered", "NTC-1", "12:10:00", json!({})),
    ]
}

fn incident(id: &str) -> Incident {
    let past = id == PAST_ID;
    let time = |text: &str| at(text);
    Incident {
        title: if past { "PgSlow on postgres".into() } else { "PgDown on postgres".into() },
        status: if past { incident::Status::Resolved } else { incident::Status::Open },
        severity: if past { hindcast_domain::Severity::High } else { hindcast_domain::Severity::Critical },
        peak_severity: hindcast_domain::Severity::Critical,
        services: vec!["postgres".into(), "checkout".into()],
        started_at: time(if past { "01:00:00" } else { "12:00:00" }),
        opened_at: time(if past { "01:00:00" } else { "12:00:00" }),
        updated_at: time(if past { "01:20:00" } else { "12:09:00" }),
        resolved_at: past.then(|| time("01:20:00")),
        alerts: 2,
        firing: 2,
        occurrences: 2,
        revision: 3,
        url: format!("https://hindcast.example/{id}"),
        ..testkit::incident(id)
    }
}

fn alert(fingerprint: &str, name: &str, service: &str, severity: hindcast_domain::Severity, time: &str) -> Alert {
    Alert {
        service: Some(service.into()),
        severity,
        labels: [("password".to_owned(), "[redacted:password]".to_owned())].into(),
        annotations: [("runbook_url".to_owned(), "https://wiki.example/pg".to_owned())].into(),
        starts_at: at(time),
        first_seen_at: at(time),
        last_seen_at: at(time),
        incident: Some(NOW_ID.into()),
        ..testkit::alert(fingerprint, name)
    }
}

/// Views over the sample and over the ledger that the copilot writes.
pub struct Views {
    ledger: memory::MemoryLedger,
    position: watch::Sender<u64>,
    /// Whether there are incidents at all.
    pub quiet: AtomicBool,
    /// The position from which on the incident has another revision.
    pub changed_at: Mutex<u64>,
    /// A title that somebody outside chose.
    pub title: Mutex<String>,
}

impl Views {
    async fn written(&self) -> Vec<Event> {
        let mut found = Vec::new();
        let mut seq = 1;
        while let Some(record) = self.ledger.get(seq).await.unwrap() {
            let commit = read::commit(&record).unwrap();
            for item in read::events(&record, &commit).unwrap() {
                let ReadEvent::Known(known) = item else { continue };
                let tagged = serde_json::to_value(&known.event).unwrap();
                found.push(Event {
                    position: known.position,
                    kind: "intake".into(),
                    event_type: tagged["type"].as_str().unwrap().into(),
                    id: known.id.to_string(),
                    subject: known.subject.clone(),
                    time: known.time,
                    recorded_at: known.time,
                    revision: None,
                    actor: known.actor.clone(),
                    causation_id: None,
                    tenant: known.partition.tenant.clone(),
                    environment: known.partition.environment.clone(),
                    source: "intake".into(),
                    data: tagged["data"].clone(),
                });
            }
            seq += 1;
        }
        found
    }

    async fn all(&self) -> Vec<Event> {
        let mut all = base();
        let title = self.title.lock().unwrap().clone();
        for event in all.iter_mut().filter(|event| event.subject == NOW_ID && event.event_type == "incident.opened") {
            event.data["title"] = json!(title);
        }
        all.extend(self.written().await);
        all
    }

    fn place(as_of: Option<AsOf>) -> u64 {
        match as_of {
            None => u64::MAX,
            Some(AsOf::Position(position)) => position,
            Some(AsOf::Time(time)) => {
                base().iter().filter(|event| event.recorded_at <= time).map(|event| event.position).max().unwrap_or(0)
            }
        }
    }

    fn shown(&self, id: &str, place: u64) -> Incident {
        let mut incident = incident(id);
        if id == NOW_ID {
            incident.revision += u64::from(place >= *self.changed_at.lock().unwrap());
            incident.title.clone_from(&self.title.lock().unwrap());
        }
        incident
    }
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None, position: HEAD }
}

fn none<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::new(Code::NotFound, format!("expected a thing of ours, got {what:?}")))
}

#[async_trait]
impl Queries for Views {
    fn position(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }
    fn is_ready(&self) -> bool {
        true
    }
    async fn incidents(&self, filter: IncidentFilter, window: Window) -> Result<Page<Incident>, Problem> {
        if self.quiet.load(Ordering::SeqCst) {
            return Ok(page(vec![]));
        }
        let place = Self::place(window.as_of);
        let known = [(NOW_ID, 201), (PAST_ID, 10)].into_iter().filter(|(_, opened)| *opened <= place);
        let all = known.map(|(id, _)| self.shown(id, place));
        let fits = |incident: &Incident| filter.status.is_empty() || filter.status.contains(&incident.status);
        Ok(page(all.filter(fits).take(window.limit.unwrap_or(50)).collect()))
    }
    async fn incident(&self, id: Option<&str>, as_of: Option<AsOf>) -> Result<Incident, Problem> {
        let id = id.unwrap_or(NOW_ID);
        match [NOW_ID, PAST_ID].into_iter().find(|known| known.starts_with(id)) {
            Some(known) => Ok(self.shown(known, Self::place(as_of))),
            None => none(id),
        }
    }
    async fn timeline(&self, id: &str, window: Window) -> Result<Page<TimelineEntry>, Problem> {
        let place = Self::place(window.as_of);
        let own = |event: &Event| {
            let kind = event.event_type.as_str();
            let asked = kind == "conversation.asked" && event.data["incident"] == id;
            event.position <= place && (event.subject == id || asked || id == NOW_ID && kind == "alert.fired")
        };
        let line = |event: Event| TimelineEntry {
            time: event.time,
            text: format!(
                "{} {}",
                event.event_type,
                event.data["name"].as_str().or(event.data["title"].as_str()).unwrap_or_default()
            ),
            event_type: event.event_type,
            actor: event.actor,
            event: event.id,
            position: event.position,
            subject: event.subject,
        };
        Ok(page(self.all().await.into_iter().filter(own).map(line).collect()))
    }
    async fn why(&self, id: &str, as_of: Option<AsOf>) -> Result<Why, Problem> {
        let place = Self::place(as_of);
        let member = |fingerprint: &str, name: &str, position: u64| hindcast_api::WhyMember {
            fingerprint: fingerprint.into(),
            name: name.into(),
            service: None,
            text: String::new(),
            grouping: None,
            event: event_id(position),
            position,
        };
        let all = [member("0a0a0a0a0a0a0a0a0a0a", "PgDown", 201), member("0b0b0b0b0b0b0b0b0b0b", "HighErrorRate", 301)];
        let members = all.into_iter().filter(|member| member.position <= place).collect();
        Ok(Why { incident: id.into(), members, kept_out: vec![], position: HEAD })
    }
    async fn changes(&self, _: &str, _: Option<AsOf>) -> Result<Vec<Change>, Problem> {
        let event = base().into_iter().find(|event| event.position == 100).unwrap();
        let change = serde_json::from_value(event.data).unwrap();
        Ok(vec![Change { event: event.id, position: event.position, environment: "production".into(), change }])
    }
    async fn alerts(&self, _: AlertFilter, window: Window) -> Result<Page<Alert>, Problem> {
        let place = Self::place(window.as_of);
        use hindcast_domain::Severity::{Critical, High};
        let all = [
            (300, alert("0b0b0b0b0b0b0b0b0b0b", "HighErrorRate", "checkout", High, "12:01:00")),
            (200, alert("0a0a0a0a0a0a0a0a0a0a", "PgDown", "postgres", Critical, "12:00:00")),
        ];
        Ok(page(all.into_iter().filter(|(fired, _)| *fired <= place).map(|(_, alert)| alert).collect()))
    }
    async fn receipt(&self, alert: Option<&str>, _: Option<AsOf>) -> Result<Receipt, Problem> {
        none(alert.unwrap_or_default())
    }
    async fn findings(&self, _: FindingFilter, _: Window) -> Result<Page<Finding>, Problem> {
        Ok(page(vec![]))
    }
    async fn watched(&self, _: &str, _: Option<AsOf>) -> Result<Vec<String>, Problem> {
        Ok(vec!["redis".into()])
    }
    async fn moment(&self, as_of: Option<AsOf>) -> Result<(u64, Time), Problem> {
        let place = Self::place(as_of);
        let last = self.all().await.into_iter().rfind(|event| event.position <= place);
        match last {
            Some(event) => {
                Ok((place.min(event.position.max(if place == u64::MAX { 0 } else { place })), event.recorded_at))
            }
            None => Ok((0, Time::ZERO)),
        }
    }
    async fn silences(&self, _: Window) -> Result<Page<Silence>, Problem> {
        Ok(page(vec![]))
    }
    async fn silence(&self, id: &str, _: Option<AsOf>) -> Result<Silence, Problem> {
        none(id)
    }
    async fn notices(&self, _: NoticeFilter, _: Window) -> Result<Page<Notice>, Problem> {
        Ok(page(vec![]))
    }
    async fn parked(&self, _: bool, _: Window) -> Result<Page<Parked>, Problem> {
        Ok(page(vec![]))
    }
    async fn parked_item(&self, id: &str) -> Result<Parked, Problem> {
        none(id)
    }
    async fn events(&self, filter: EventFilter, window: Window) -> Result<Page<Event>, Problem> {
        let place = Self::place(window.as_of);
        let fits = |event: &Event| {
            filter.kind.as_deref().is_none_or(|kind| event.event_type.starts_with(kind))
                && filter.subject.as_deref().is_none_or(|subject| event.subject == subject)
                && event.position >= filter.from.unwrap_or(0)
                && event.position <= filter.to.unwrap_or(u64::MAX).min(place)
        };
        Ok(page(self.all().await.into_iter().filter(fits).collect()))
    }
    async fn event(&self, id: &str, as_of: Option<AsOf>) -> Result<Event, Problem> {
        let place = Self::place(as_of);
        let found = self.all().await.into_iter().find(|event| event.id.starts_with(id) && event.position <= place);
        found.map_or_else(|| none(id), Ok)
    }
    async fn catalog(&self, _: Option<AsOf>) -> Result<Catalog, Problem> {
        let text = json!({"services": [
            {"name": "checkout", "depends_on": ["postgres", "redis"]}, {"name": "postgres"}, {"name": "redis"},
        ]});
        Ok(serde_json::from_value(text).unwrap())
    }
    async fn configured(&self, _: &str, _: Option<AsOf>) -> Result<Option<(String, Value)>, Problem> {
        Ok(None)
    }
    async fn state(&self, _: Option<AsOf>) -> Result<State, Problem> {
        none("state")
    }
    async fn partition_of(&self, _: &str) -> Result<Partition, Problem> {
        Ok(Partition::of_environment("production"))
    }
    async fn outcome(&self, _: &EventId, _: Duration) -> CommandOutcome {
        CommandOutcome::Pending
    }
    async fn command_by_key(&self, _: &str) -> Option<(EventId, Received)> {
        None
    }
    async fn verify(&self) -> Result<Verification, Problem> {
        none("verify")
    }
    async fn replay(&self, _: Option<AsOf>) -> Result<Replay, Problem> {
        none("replay")
    }

    async fn labels(&self, _: hindcast_queries::LabelFilter, _: Window) -> Result<Page<hindcast_api::Label>, Problem> {
        none("learning")
    }

    async fn label_coverage(&self, _: Option<AsOf>) -> Result<hindcast_api::LabelCoverage, Problem> {
        none("learning")
    }

    async fn models(&self, _: Window) -> Result<Page<hindcast_api::ModelVersion>, Problem> {
        none("learning")
    }

    async fn model(&self, _: &str, _: Option<u32>, _: Option<AsOf>) -> Result<hindcast_api::ModelVersion, Problem> {
        none("learning")
    }
}

/// Conclusions that stand still.
#[derive(Default)]
pub struct Conclusions {
    pub unresolved: AtomicBool,
    /// Runbooks that were named.
    pub named: Mutex<Vec<(String, Value, String)>>,
}

fn hypothesis() -> hindcast_api::Hypothesis {
    let step = |role, time: &str, service: &str, position| hindcast_api::PathStep {
        role,
        time: at(time),
        service: service.into(),
        text: format!("{service} fired"),
        citations: vec![cite(position)],
    };
    hindcast_api::Hypothesis {
        path: vec![
            step(hindcast_api::StepRole::Broke, "12:00:00", "postgres", 200),
            step(hindcast_api::StepRole::Alarmed, "12:01:00", "checkout", 300),
        ],
        confirms: vec![hindcast_api::Statement {
            text: "checkout fired at 12:01:00".into(),
            citations: vec![cite(300)],
        }],
        citations: vec![cite(200), cite(201)],
        ..testkit::hypothesis("postgres: PgDown fired first", "postgres", 0.83)
    }
}

#[async_trait]
impl Advice for Conclusions {
    async fn causes(&self, incident: Option<&str>, _: Option<AsOf>) -> Result<Causes, Problem> {
        let unresolved = self.unresolved.load(Ordering::SeqCst);
        Ok(Causes {
            items: if unresolved { vec![] } else { vec![hypothesis()] },
            next: None,
            position: HEAD,
            incident: incident.unwrap_or_default().into(),
            unresolved,
            why_unresolved: unresolved.then(|| "nothing broke before it".into()),
            refuted: vec![],
            blast_radius: hindcast_api::BlastRadius {
                hit: vec!["postgres".into(), "checkout".into()],
                at_risk: vec![],
                unharmed: vec!["redis".into()],
            },
            ranker: 1,
        })
    }
    async fn similar(&self, incident: Option<&str>, _: Option<AsOf>) -> Result<SimilarPage, Problem> {
        Ok(SimilarPage {
            items: vec![hindcast_api::Similar {
                opened_at: at("01:00:00"),
                cause: Some("postgres: connections ran out".into()),
                resolution: Some("idle transactions were ended".into()),
                quiet_for_s: Some(1),
                citations: vec![cite(10), cite(20)],
                ..testkit::similar(PAST_ID, "PgSlow on postgres")
            }],
            next: None,
            position: HEAD,
            incident: incident.unwrap_or_default().into(),
            never_seen: false,
            embedder: "hashing".into(),
            stand_in: false,
        })
    }
    async fn proposals(&self, incident: Option<&str>, _: Option<AsOf>) -> Result<Vec<Proposal>, Problem> {
        Ok(vec![Proposal {
            id: "PRP-1".into(),
            title: "Ends idle transactions".into(),
            params: [("service".to_owned(), json!("postgres"))].into(),
            targets: vec!["postgres".into()],
            why: "it ended the same problem before".into(),
            effect: "connections fall".into(),
            citations: vec![cite(200)],
            ..testkit::proposal(incident.unwrap_or_default(), "end-idle-transactions")
        }])
    }
    async fn propose(&self, incident: &str, runbook: &str, params: Value, by: &str) -> Result<Proposal, Problem> {
        self.named.lock().unwrap().push((runbook.into(), params, by.into()));
        if runbook != "end-idle-transactions" {
            return Err(Problem::new(Code::Invalid, format!("there is no runbook {runbook:?}")));
        }
        Ok(self.proposals(Some(incident), None).await?.remove(0))
    }
    async fn postmortem(&self, _: Option<&str>, _: Option<AsOf>) -> Result<Postmortem, Problem> {
        none("postmortem")
    }
    async fn recall(&self, _: &str, _: Option<AsOf>, _: usize) -> Result<SimilarPage, Problem> {
        self.similar(None, None).await
    }
    async fn runbooks(&self, _: Option<AsOf>) -> Result<Vec<RunbookSummary>, Problem> {
        Ok(vec![])
    }
}

/// Everything that a test needs.
pub struct World {
    pub views: Arc<Views>,
    pub advice: Arc<Conclusions>,
    pub metrics: MetricRegistry,
    clock: Stepped,
    writer: FactsWriter,
}

impl World {
    pub fn new() -> Self {
        let ledger = memory::MemoryLedger::new("a-ledger");
        let clock = Stepped::new(at("12:10:00"));
        let writer =
            IntakeWriter::new(ledger.share(), Arc::new(clock.clone()), LedgerProgress::default(), "door").facts();
        let views = Views {
            ledger,
            position: watch::Sender::new(u64::MAX),
            quiet: AtomicBool::new(false),
            changed_at: Mutex::new(u64::MAX),
            title: Mutex::new("PgDown on postgres".into()),
        };
        Self { views: Arc::new(views), advice: Arc::default(), metrics: MetricRegistry::default(), clock, writer }
    }

    /// A copilot of this world; two of them share its ledger, as a restarted one would.
    pub fn copilot(&self, llm: Option<hindcast_llm::Shared>) -> Copilot {
        self.with(llm, Caps { call_timeout: Duration::from_secs(2), ..Caps::default() })
    }

    pub fn with(&self, llm: Option<hindcast_llm::Shared>, caps: Caps) -> Copilot {
        let queries: hindcast_queries::Shared = self.views.clone();
        let advice: hindcast_advice::Shared = self.advice.clone();
        Copilot::new(Options {
            queries: queries.clone(),
            advice: advice.clone(),
            toolbox: Toolbox { queries, advice, telemetry: None },
            writer: Some(self.writer.clone()),
            clock: Arc::new(self.clock.clone()),
            llm,
            caps,
            prices: Prices { input_per_million: 1.0, output_per_million: 2.0 },
            prompts: Prompts::embedded().unwrap(),
            metrics: self.metrics.clone(),
            public_url: Some("https://hindcast.example".into()),
        })
    }

    /// What the copilot wrote, of one type.
    pub async fn wrote(&self, kind: &str) -> Vec<Event> {
        self.views.written().await.into_iter().filter(|event| event.event_type == kind).collect()
    }
}

pub fn ask(question: &str) -> Ask {
    Ask { question: question.into(), ..Ask::default() }
}

pub async fn answer(copilot: &Copilot, ask: Ask) -> Answer {
    use hindcast_advice::Copilot as _;
    copilot.ask(ask, Asker { actor: "ada".into(), channel: "api".into() }, None).await.unwrap()
}

/// Texts of the claims with a verdict.
pub fn texts(answer: &Answer, verdict: hindcast_api::ClaimVerdict) -> Vec<&str> {
    answer.claims.iter().filter(|claim| claim.verdict == verdict).map(|claim| claim.text.as_str()).collect()
}
