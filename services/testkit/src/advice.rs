//! What is concluded about an incident: causes, similar incidents, proposals and answers.

use std::collections::BTreeMap;

use hindcast_api::{Answer, Hypothesis, Proposal, Similar, Worked};
use hindcast_domain::{ConversationId, ProposalId, incident};

use crate::start;

/// A cause at a service, without a path and without evidence.
#[must_use]
pub fn hypothesis(cause: &str, service: &str, score: f64) -> Hypothesis {
    Hypothesis {
        cause: cause.to_owned(),
        service: service.to_owned(),
        kind: "service".into(),
        score,
        path: Vec::new(),
        confirms: Vec::new(),
        refutes: Vec::new(),
        citations: Vec::new(),
    }
}

/// A resolved incident of the past that is the same problem.
#[must_use]
pub fn similar(incident: &str, title: &str) -> Similar {
    Similar {
        incident: incident.to_owned(),
        title: title.to_owned(),
        opened_at: start(),
        status: incident::Status::Resolved,
        score: 0.9,
        same: true,
        why: Vec::new(),
        differs: Vec::new(),
        cause: None,
        resolution: None,
        quiet_for_s: None,
        citations: Vec::new(),
    }
}

/// A runbook that rules propose for an incident; it ended the same problem once, the only time it was tried.
#[must_use]
pub fn proposal(incident: &str, runbook: &str) -> Proposal {
    Proposal {
        id: ProposalId::derive(&[incident.as_bytes(), runbook.as_bytes()]).to_string(),
        incident: incident.to_owned(),
        runbook: runbook.to_owned(),
        title: runbook.to_owned(),
        version: "1".to_owned(),
        params: BTreeMap::new(),
        sources: Default::default(),
        targets: Vec::new(),
        why: String::new(),
        effect: String::new(),
        risk: "low".to_owned(),
        worked: Worked { ended: 1, of: 1 },
        steps: Vec::new(),
        citations: Vec::new(),
        by: "rules".to_owned(),
        status: "proposed".into(),
    }
}

/// An answer that was put together without a model.
#[must_use]
pub fn answer(text: &str, position: u64) -> Answer {
    Answer {
        answer: text.to_owned(),
        lead: None,
        details: Vec::new(),
        mode: "evidence".into(),
        claims: Vec::new(),
        hypotheses: Vec::new(),
        similar: Vec::new(),
        proposals: Vec::new(),
        missing: Vec::new(),
        incident: None,
        severity: None,
        model: None,
        prompt_version: "1".to_owned(),
        position,
        tokens: None,
        cost: None,
        elapsed_ms: 1,
        conversation: ConversationId::derive(&[b"c"]).to_string(),
        recorded: Vec::new(),
    }
}
