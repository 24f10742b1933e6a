//! A small world: one incident of a shop whose database ran out of connections, one of the past that was the
//! same, views over both and over what the copilot writes, and what is concluded. The black-box test
//! with a real model uses it too, to record what that model says of it.

use std::sync::Arc;
use std::time::Duration;

use hindcast_advice::Asker;
use hindcast_advice::memory::MemoryAdvice;
use hindcast_api::{
    Alert, Answer, Ask, Causes, Change, Citation, Event, Incident, Proposal, SimilarPage, TimelineEntry, Why,
};
use hindcast_clock::Stepped;
use hindcast_domain::{EventId, Time, incident};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_facts::FactsWriter;
use hindcast_intake::IntakeWriter;
use hindcast_ledger::memory;
use hindcast_ledger::port::{Ledger as _, Record};
use hindcast_ledger::progress::LedgerProgress;
use hindcast_metrics::MetricRegistry;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit as testkit;
use serde_json::{Value, json};

use hindcast_copilot::tools::Toolbox;
use hindcast_copilot::{AnsweringCopilot, Caps, Options, Prices, Prompts};

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

/// A line of a timeline: what happened, and to what.
fn line(event: &Event) -> TimelineEntry {
    let what = event.data["name"].as_str().or(event.data["title"].as_str()).unwrap_or_default();
    TimelineEntry { text: format!("{} {what}", event.event_type), ..testkit::told(event) }
}

/// Views of the sample: both incidents, their events, and what is told of them.
fn sample() -> MemoryViews {
    use hindcast_domain::Severity::{Critical, High};
    let views = MemoryViews::at(HEAD);
    let catalog = json!({"services": [
        {"name": "checkout", "depends_on": ["postgres", "redis"]}, {"name": "postgres"}, {"name": "redis"},
    ]});
    views.configure(0, "catalog", catalog);
    views.put(10, incident(PAST_ID));
    views.put(201, incident(NOW_ID));
    views.put(200, alert("0a0a0a0a0a0a0a0a0a0a", "PgDown", "postgres", Critical, "12:00:00"));
    views.put(300, alert("0b0b0b0b0b0b0b0b0b0b", "HighErrorRate", "checkout", High, "12:01:00"));
    let member = |fingerprint: &str, name: &str, position: u64| hindcast_api::WhyMember {
        fingerprint: fingerprint.into(),
        name: name.into(),
        clock: None,
        service: None,
        text: String::new(),
        grouping: None,
        event: event_id(position),
        position,
    };
    let members =
        vec![member("0a0a0a0a0a0a0a0a0a0a", "PgDown", 201), member("0b0b0b0b0b0b0b0b0b0b", "HighErrorRate", 301)];
    views.put(201, Why { incident: NOW_ID.into(), members, kept_out: vec![], position: HEAD });
    for event in base() {
        if event.position == 100 {
            let change = serde_json::from_value(event.data.clone()).unwrap();
            let (position, environment) = (event.position, "production".into());
            views.put(position, Change { event: event.id.clone(), position, environment, change });
        }
        let of = if event.event_type == "alert.fired" { NOW_ID } else { &event.subject };
        views.tell(of, line(&event));
        views.record(event);
    }
    views
}

/// Shows what is appended to the ledger, as soon as it is.
async fn follow(views: Arc<MemoryViews>, ledger: hindcast_ledger::Shared) {
    let mut feed = OrderedFeed::start(ledger, 1);
    while let Ok(records) = feed.next().await {
        for event in records.iter().flat_map(known) {
            let (position, asked_of) = (event.position, event.data["incident"].as_str().map(ToOwned::to_owned));
            if let (Some(incident), "conversation.asked") = (asked_of, event.event_type.as_str()) {
                views.tell(&incident, line(&event));
            }
            views.record(event);
            views.reach(position);
        }
    }
}

/// The events of a commit as views show them.
fn known(record: &Record) -> Vec<Event> {
    let commit = read::commit(record).unwrap();
    let events = read::events(record, &commit).unwrap().into_iter();
    let known = events.filter_map(|event| match event {
        ReadEvent::Known(known) => Some(known),
        _ => None,
    });
    known.map(|known| Event { kind: "intake".into(), source: "intake".into(), ..testkit::recorded(&known) }).collect()
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

fn causes() -> Causes {
    Causes {
        items: vec![hypothesis()],
        next: None,
        position: HEAD,
        incident: NOW_ID.into(),
        unresolved: false,
        why_unresolved: None,
        refuted: vec![],
        blast_radius: hindcast_api::BlastRadius {
            hit: vec!["postgres".into(), "checkout".into()],
            at_risk: vec![],
            unharmed: vec!["redis".into()],
        },
        risk: None,
        ranker: 1,
        behind: None,
    }
}

/// What is concluded about the incident that is open.
fn advice() -> MemoryAdvice {
    let advice = MemoryAdvice::default();
    advice.put_causes(causes());
    advice.put_similar(SimilarPage {
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
        incident: NOW_ID.into(),
        never_seen: false,
        embedder: "hashing".into(),
        stand_in: false,
        behind: None,
    });
    advice.put_proposal(Proposal {
        id: "PRP-1".into(),
        title: "Ends idle transactions".into(),
        params: [("service".to_owned(), json!("postgres"))].into(),
        sources: Default::default(),
        targets: vec!["postgres".into()],
        why: "it ended the same problem before".into(),
        effect: "connections fall".into(),
        citations: vec![cite(200)],
        ..testkit::proposal(NOW_ID, "end-idle-transactions")
    });
    advice
}

/// Everything that a test needs.
pub struct World {
    pub views: Arc<MemoryViews>,
    pub advice: Arc<MemoryAdvice>,
    pub metrics: MetricRegistry,
    ledger: memory::MemoryLedger,
    clock: Stepped,
    writer: FactsWriter,
}

impl World {
    pub fn new() -> Self {
        let ledger = memory::MemoryLedger::new("a-ledger");
        let clock = Stepped::new(at("12:10:00"));
        let writer =
            IntakeWriter::new(ledger.share(), Arc::new(clock.clone()), LedgerProgress::default(), "door").facts();
        let views = Arc::new(sample());
        tokio::spawn(follow(views.clone(), ledger.share()));
        Self { views, advice: Arc::new(advice()), metrics: MetricRegistry::default(), ledger, clock, writer }
    }

    /// Gives the open incident a title that somebody outside chose, from its beginning on.
    pub fn rename(&self, title: &str) {
        self.views.change(201, NOW_ID, |incident: &mut Incident| title.clone_into(&mut incident.title));
        let mut opened = base().into_iter().find(|event| event.position == 201).unwrap();
        opened.data["title"] = json!(title);
        self.views.tell(NOW_ID, line(&opened));
        self.views.record(opened);
    }

    /// Finds no cause any more.
    pub fn unresolve(&self) {
        let why_unresolved = Some("nothing broke before it".into());
        self.advice.put_causes(Causes { items: vec![], unresolved: true, why_unresolved, ..causes() });
    }

    /// A copilot of this world; two of them share its ledger, as a restarted one would.
    pub fn copilot(&self, llm: Option<hindcast_llm::Shared>) -> AnsweringCopilot {
        self.with(llm, Caps { call_timeout: Duration::from_secs(2), ..Caps::default() })
    }

    pub fn with(&self, llm: Option<hindcast_llm::Shared>, caps: Caps) -> AnsweringCopilot {
        let queries: hindcast_queries::Shared = self.views.clone();
        let advice: hindcast_advice::Shared = self.advice.clone();
        AnsweringCopilot::new(Options {
            queries: queries.clone(),
            advice: advice.clone(),
            toolbox: Toolbox { queries: queries.into(), advice, telemetry: None },
            writer: Some(self.writer.clone()),
            clock: Arc::new(self.clock.clone()),
            llm,
            caps,
            prices: Prices { input_per_million: 1.0, output_per_million: 2.0 },
            prompts: Prompts::embedded().unwrap(),
            metrics: self.metrics.clone(),
            embedder: None,
            public_url: Some("https://hindcast.example".into()),
        })
    }

    /// What the copilot wrote, of one type or of all types of a family.
    pub async fn wrote(&self, kind: &str) -> Vec<Event> {
        let mut found = Vec::new();
        for seq in 1..=self.ledger.head().await.unwrap() {
            found.extend(known(&self.ledger.get(seq).await.unwrap().unwrap()));
        }
        found.retain(|event| event.event_type == kind || event.event_type.starts_with(&format!("{kind}.")));
        found
    }
}

pub fn ask(question: &str) -> Ask {
    Ask { question: question.into(), ..Ask::default() }
}

pub async fn answer(copilot: &AnsweringCopilot, ask: Ask) -> Answer {
    use hindcast_advice::Copilot as _;
    copilot.ask(ask, Asker { actor: "ada".into(), channel: "api".into() }, None).await.unwrap()
}

/// Texts of the claims with a verdict.
pub fn texts(answer: &Answer, verdict: hindcast_api::ClaimVerdict) -> Vec<&str> {
    answer.claims.iter().filter(|claim| claim.verdict == verdict).map(|claim| claim.text.as_str()).collect()
}
