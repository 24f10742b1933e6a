//! Views of incidents, answers and notes that cards are made from.

use std::collections::BTreeMap;

use hindcast_api::{
    Answer, BlastRadius, Causes, Citation, Claim, ClaimVerdict, Hypothesis, Incident, PathStep, Proposal, Similar,
    SimilarPage, Statement, StepRole,
};
use hindcast_chat_cards::IncidentView;
use hindcast_chat_cards::view::ThreadNote;
use hindcast_domain::incident::Status;
use hindcast_domain::{ConversationId, EventId, IncidentId, ProposalId, Severity, Time};
use hindcast_testkit as testkit;

pub(super) fn at(seconds: i64) -> Time {
    "2026-11-20T03:12:00Z".parse::<Time>().unwrap() + hindcast_domain::Span::seconds(seconds)
}

pub(super) fn id(word: &str) -> String {
    IncidentId::derive(&[word.as_bytes()]).to_string()
}

fn citation(word: &str) -> Citation {
    Citation { event: EventId::derive(&[word.as_bytes()]).to_string(), position: 45_056 }
}

pub(super) fn incident() -> Incident {
    let id = id("open");
    Incident {
        url: format!("http://127.0.0.1:7171/{id}"),
        title: "33 sessions of shop idle inside a transaction".into(),
        peak_severity: Severity::Critical,
        services: ["checkout", "nginx", "postgres", "search"].map(Into::into).to_vec(),
        teams: vec!["storage".into()],
        started_at: at(-20),
        opened_at: at(0),
        updated_at: at(70),
        alerts: 6,
        firing: 4,
        occurrences: 41,
        grouped_by: vec![1],
        revision: 7,
        ..testkit::incident(&id)
    }
}

pub(super) fn step(role: StepRole, seconds: i64, service: &str, text: &str) -> PathStep {
    PathStep { role, time: at(seconds), service: service.into(), text: text.into(), citations: vec![citation(text)] }
}

pub(super) fn hypothesis(cause: &str) -> Hypothesis {
    Hypothesis {
        path: vec![
            step(StepRole::Broke, -20, "postgres", "connections rose from 2 to 37"),
            step(StepRole::Then, -11, "search", "new log line \"database unavailable\""),
            step(StepRole::Alarmed, 0, "nginx", "NginxHigh5xxRate fired"),
        ],
        citations: vec![citation("cause")],
        ..testkit::hypothesis(cause, "postgres", 0.97)
    }
}

pub(super) fn view() -> IncidentView {
    let refuted = Hypothesis {
        refutes: vec![Statement {
            text: "checkout depends on postgres, which broke before it".into(),
            citations: vec![],
        }],
        path: Vec::new(),
        ..hypothesis("checkout, by deploy v42")
    };
    let similar = Similar {
        opened_at: at(-86_400),
        score: 0.93,
        why: vec!["both broke at postgres".into()],
        cause: Some("idle transactions held every connection".into()),
        resolution: Some("terminated the sessions".into()),
        quiet_for_s: Some(80_000),
        citations: vec![citation("earlier")],
        ..testkit::similar(&id("earlier"), "35 sessions of shop idle inside a transaction")
    };
    let proposal = Proposal {
        id: ProposalId::derive(&[b"p"]).to_string(),
        title: "End sessions that idle inside a transaction".into(),
        params: BTreeMap::from([("database".to_owned(), "shop".into()), ("at_most".to_owned(), 100.into())]),
        sources: Default::default(),
        targets: vec!["postgres".into()],
        why: "PostgresIdleInTransaction fires".into(),
        effect: "connections fall".into(),
        risk: "medium: open work of these sessions is rolled back".into(),
        ..testkit::proposal(&id("open"), "pg-end-idle-transactions")
    };
    IncidentView {
        incident: incident(),
        causes: Some(Causes {
            items: vec![hypothesis("postgres: idle transactions hold every connection")],
            next: None,
            position: 45_056,
            incident: id("open"),
            unresolved: false,
            why_unresolved: None,
            refuted: vec![refuted],
            blast_radius: BlastRadius::default(),
            risk: None,
            ranker: 2,
            behind: None,
        }),
        similar: Some(SimilarPage {
            items: vec![similar],
            next: None,
            position: 45_056,
            incident: id("open"),
            never_seen: false,
            behind: None,
            embedder: "hashing".into(),
            stand_in: true,
        }),
        proposals: vec![proposal],
        labels: Vec::new(),
        acknowledged_by: None,
        merged_into: None,
        position: 45_056,
        at: at(70),
        public_url: "http://127.0.0.1:7171".into(),
    }
}

pub(super) fn acknowledged() -> IncidentView {
    let mut view = view();
    view.incident.status = Status::Acknowledged;
    view.incident.acknowledged_at = Some(at(30));
    view.acknowledged_by = Some("zoe".into());
    view
}

pub(super) fn resolved() -> IncidentView {
    let mut view = acknowledged();
    view.incident.status = Status::Resolved;
    view.incident.resolved_at = Some(at(90));
    view.incident.resolved_by = Some("person".into());
    view.incident.cause = Some("idle transactions held every connection".into());
    view.incident.resolution = Some("terminated the sessions".into());
    view.incident.firing = 0;
    view.labels = vec!["zoe named the cause".into()];
    view
}

pub(super) fn merged() -> IncidentView {
    let mut view = view();
    view.incident.status = Status::Resolved;
    view.incident.resolved_by = Some("merged".into());
    view.merged_into = Some(("33 sessions of shop".into(), "http://127.0.0.1:7171/INC-1".into()));
    view
}

pub(super) fn reopened() -> IncidentView {
    let mut view = view();
    view.incident.reopened = 2;
    view.incident.recurrence_of = Some(id("earlier"));
    view.similar.as_mut().unwrap().items.clear();
    view.causes.as_mut().unwrap().unresolved = true;
    view.proposals.clear();
    view
}

/// What telemetry might say to be taken for something else.
const HOSTILE: &str = "<!channel> <@U1> *bold* _it_ `code` [link](https://evil.example) <https://evil.example|x> &lt; {{at}} <at>all</at> \u{202e}";

pub(super) fn hostile() -> IncidentView {
    let mut view = view();
    view.incident.title = HOSTILE.into();
    view.incident.services = vec![HOSTILE.into()];
    view.causes.as_mut().unwrap().items[0].cause = HOSTILE.into();
    view.proposals[0].title = HOSTILE.into();
    view
}

pub(super) fn answer() -> Answer {
    let claim = |text: &str, verdict| Claim {
        text: text.into(),
        citations: vec![citation(text)],
        verdict,
        assertion: None,
        reason: None,
        path: Vec::new(),
    };
    Answer {
        answer: "Postgres has no free connection; checkout and search fail because of it.".into(),
        lead: None,
        details: Vec::new(),
        mode: "evidence".into(),
        claims: vec![
            claim("postgres broke first: connections rose from 2 to 37", ClaimVerdict::Supported),
            claim("checkout broke it", ClaimVerdict::Unsupported),
        ],
        hypotheses: Vec::new(),
        similar: Vec::new(),
        proposals: Vec::new(),
        missing: vec!["a language model: none is configured".into()],
        incident: Some(id("open")),
        severity: Some(Severity::Critical),
        model: None,
        prompt_version: "1".into(),
        position: 45_056,
        tokens: None,
        cost: Some(0.0),
        elapsed_ms: 43,
        conversation: ConversationId::derive(&[b"c"]).to_string(),
        recorded: Vec::new(),
    }
}

pub(super) fn fixed() -> ThreadNote {
    ThreadNote::Fixed {
        text: "Resolved automatically: all alerts cleared.".into(),
        proposal: Some((ProposalId::derive(&[b"p"]).to_string(), "End sessions that idle inside a transaction".into())),
        recall: Some((id("earlier"), "35 sessions of shop idle inside a transaction".into())),
        incident: id("open"),
        revision: 9,
    }
}
