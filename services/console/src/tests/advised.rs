//! Advice about the sample evening, and a copilot that answers questions about it.

use hindcast_advice::memory::MemoryAdvice;
use hindcast_api::{
    Answer, AnswerProgress, BlastRadius, Causes, Citation, Claim, ClaimVerdict, Hypothesis, PathStep, Postmortem,
    Proposal, RunbookSummary, Similar, SimilarPage, Statement, StepRole, Tokens, Worked,
};
use hindcast_domain::Severity;
use hindcast_testkit as testkit;
use hindcast_testkit::work::MemoryCopilot;
use serde_json::json;

use super::sample::{self, EVIL, OPEN, OTHER, OVER, at, event_id};

fn cite(position: u64) -> Vec<Citation> {
    vec![Citation { event: event_id(&position.to_string()), position }]
}

fn step(role: StepRole, clock: &str, service: &str, text: &str, position: u64) -> PathStep {
    PathStep { role, time: at(clock), service: service.into(), text: text.into(), citations: cite(position) }
}

fn says(text: &str, position: u64) -> Statement {
    Statement { text: text.into(), citations: cite(position) }
}

fn hypothesis(cause: &str, service: &str, kind: &str, score: f64) -> Hypothesis {
    Hypothesis { kind: kind.into(), citations: cite(36_093_953), ..testkit::hypothesis(cause, service, score) }
}

pub(super) fn first() -> Hypothesis {
    Hypothesis {
        path: vec![
            step(
                StepRole::Broke,
                "02:41:07",
                "postgres",
                "connections 100/100; new log line \"FATAL: sorry, too many clients already\" ×1,204",
                36_093_953,
            ),
            step(StepRole::Then, "02:41:19", "api", "errors 0.2 % → 38 %", 36_094_981),
            step(StepRole::Then, "02:41:25", "checkout", "answers after 9.8 s instead of 0.2 s", 36_095_100),
            step(StepRole::Alarmed, "02:41:44", "nginx", "NginxHighErrorRate", 36_095_200),
        ],
        confirms: vec![
            says("the log line was never written before 02:41:07", 36_093_953),
            says("api and checkout call postgres, and failed within 12 s", 36_094_981),
        ],
        refutes: vec![says("the slow query log of postgres shows nothing unusual", 36_095_400)],
        ..hypothesis("postgres has no free connection", "postgres", "service", 0.91)
    }
}

pub(super) fn causes() -> Causes {
    Causes {
        items: vec![
            first(),
            Hypothesis {
                refutes: vec![says("its error rate rose after that of api", 36_094_981)],
                ..hypothesis(&format!("nginx {EVIL}"), "nginx", "service", 0.31)
            },
        ],
        next: None,
        position: 36_095_500,
        incident: OPEN.into(),
        unresolved: false,
        why_unresolved: None,
        refuted: vec![Hypothesis {
            refutes: vec![says("errors stayed flat for 3 min, until the pool filled", 36_093_954)],
            ..hypothesis("deploy api v42 at 02:38", "api", "change", 0.12)
        }],
        blast_radius: BlastRadius {
            hit: vec!["checkout".into(), "api".into(), "nginx".into()],
            at_risk: vec!["search".into()],
            unharmed: vec!["redis".into(), "static".into()],
        },
        risk: None,
        ranker: 1,
        behind: None,
    }
}

pub(super) fn similar() -> Vec<Similar> {
    let like = |id: &str, title: &str, same: bool, score: f64| Similar {
        opened_at: at("00:41:44"),
        score,
        same,
        why: vec!["the same new log line of postgres".into(), "the same path from postgres to nginx".into()],
        cause: Some("idle transactions held every connection".into()),
        resolution: Some("ended 96 idle transactions".into()),
        quiet_for_s: Some(7_200),
        citations: cite(36_093_960),
        ..testkit::similar(id, title)
    };
    vec![
        like(OVER, "PostgresTooManyConnections on shop", true, 0.94),
        Similar {
            why: vec!["the same alerts of nginx".into()],
            differs: vec![format!("\"No space left on device\" at postgres, which this one lacks {EVIL}")],
            cause: Some("the disk of postgres was full".into()),
            resolution: None,
            quiet_for_s: None,
            ..like(OTHER, "search answers slowly in eu-west", false, 0.52)
        },
    ]
}

fn page(incident: &str) -> SimilarPage {
    SimilarPage {
        items: similar(),
        next: None,
        position: 36_095_500,
        incident: incident.into(),
        never_seen: false,
        embedder: "hashing".into(),
        stand_in: true,
        behind: None,
    }
}

pub(super) fn proposal(status: &str) -> Proposal {
    Proposal {
        id: "PRP-3K7Q5M8N3P4R6S9T".into(),
        incident: OPEN.into(),
        runbook: "pg-end-idle-transactions".into(),
        title: "End transactions that have been idle for too long".into(),
        version: "7b1e22".into(),
        params: [("database".to_owned(), json!("shop")), ("idle_over".to_owned(), json!("5m"))].into(),
        sources: Default::default(),
        targets: vec!["postgres".into()],
        why: "postgres has no free connection, and this ended the same problem before".into(),
        effect: "connections fall below 80 of 100 within a minute; NginxHighErrorRate ends".into(),
        risk: "low: a client that still waits for its transaction has to begin it again".into(),
        worked: Worked { ended: 1, of: 1 },
        steps: vec![
            "List sessions of shop that are idle in a transaction for more than 5m.".into(),
            "End them: SELECT pg_terminate_backend(pid) …".into(),
        ],
        citations: cite(36_093_953),
        by: "rules".into(),
        status: status.into(),
    }
}

pub(super) const DRAFT: &str = "# Postmortem: checkout fails\n\n## Timeline\n\n| time | what |\n|---|---|\n\
| 02:41:07 | **postgres** broke [#36093953](#36093953) |\n| 02:41:44 | `NginxHighErrorRate` fired [#36094981](/api/v1/events/EVT-1) |\n\n\
- found by <script>alert(1)</script>\n- [not ours](javascript:alert(1))\n- [elsewhere](#77)\n- [listed](/api/v1/events?from=36093953&to=36093953)\n";

fn answer() -> Answer {
    let claim = |text: &str, verdict, reason: Option<&str>, position| Claim {
        assertion: None,
        text: text.into(),
        citations: cite(position),
        verdict,
        reason: reason.map(str::to_owned),
        path: Vec::new(),
    };
    Answer {
        answer: "postgres ran out of connections at 02:41:07.".into(),
        lead: None,
        details: Vec::new(),
        mode: "evidence".into(),
        claims: vec![
            Claim {
                path: first().path,
                ..claim(
                    "postgres ran out of connections at 02:41:07, and nginx alarmed 37 s later",
                    ClaimVerdict::Supported,
                    None,
                    36_093_953,
                )
            },
            claim(
                "It was seen before and ended by closing 96 idle transactions",
                ClaimVerdict::Supported,
                None,
                36_093_960,
            ),
            claim(
                &format!("redis failed first {EVIL}"),
                ClaimVerdict::Unsupported,
                Some("no cited event names redis"),
                36_095_400,
            ),
            claim("Somebody should look at it", ClaimVerdict::Unverifiable, None, 36_095_200),
        ],
        hypotheses: vec![first()],
        similar: similar(),
        proposals: vec![proposal("proposed")],
        missing: vec!["no language model is configured: answered from evidence alone".into()],
        incident: Some(OPEN.to_owned()),
        severity: Some(Severity::Critical),
        model: None,
        prompt_version: "a1b2".into(),
        position: 36_095_500,
        tokens: Some(Tokens::default()),
        cost: Some(0.0),
        elapsed_ms: 41,
        conversation: "CNV-7Q2K5M8N3P4R6S9T".into(),
        recorded: cite(36_095_500),
    }
}

/// Advice about the sample's incident.
pub(super) fn advice() -> MemoryAdvice {
    let advice = MemoryAdvice::default();
    advice.put_causes(causes());
    advice.put_similar(page(OPEN));
    advice.put_proposal(proposal("proposed"));
    let (incident, markdown) = (OPEN.to_owned(), DRAFT.to_owned());
    advice.put_postmortem(Postmortem { incident, markdown, citations: cite(36_093_953), position: 36_095_500 });
    advice.put_runbook(RunbookSummary {
        name: "pg-end-idle-transactions".into(),
        title: "End transactions that have been idle for too long".into(),
        version: "7b1e22".into(),
        risk: "low".into(),
        params: [("idle_over".to_owned(), "a span of 1m to 1h".to_owned())].into(),
    });
    advice
}

/// A copilot that says what it does before it answers.
pub(super) fn copilot() -> MemoryCopilot {
    MemoryCopilot::new(answer()).with_steps(vec![
        AnswerProgress::Status("gathers evidence".into()),
        AnswerProgress::Tool { name: "get_causes".into(), arguments: json!({"incident": OPEN}) },
        AnswerProgress::Delta("postgres\nran".into()),
    ])
}

/// Where the sample's incident is asked.
pub(super) fn of_sample(word: &str) -> String {
    format!("/api/v1/incidents/{}/{word}", sample::OPEN)
}
