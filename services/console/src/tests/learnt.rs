//! Labels and versions of models for the sample evening, and a process that learns.

use std::collections::BTreeMap;

use hindcast_api::{
    Comparison, Disagreement, Label, LabelCoverage, LearnProgress, ModelJudgement, ModelStatus, ModelVersion,
    PersonalLabel, ServiceCoverage, ShadowDifference, ShadowReport,
};
use hindcast_domain::label::{About, Kind, Provenance};
use hindcast_domain::model::{Lineage, Metrics, Verdict};
use hindcast_domain::{EventId, LabelId};
use hindcast_testkit::work::MemoryLearning;

use super::sample::{EVIL, OPEN, OTHER, OVER, at, event_id, fingerprint};

pub(super) const PROPOSAL: &str = "PRP-3K7Q5M8N3P4R6S9T";

pub(super) fn label(name: &str, kind: Kind, about: About, value: &str, rule: &str, by: &str) -> Label {
    Label {
        id: LabelId::derive(&[name.as_bytes()]).to_string(),
        kind,
        about,
        value: value.into(),
        weight: 1_000,
        provenance: Provenance::Explicit,
        rule: rule.into(),
        learns: "causes".into(),
        from: event_id(&format!("from {name}")),
        event: event_id(name),
        by: by.to_owned(),
        at: at("02:46:00"),
        position: 36_095_400,
        environment: "production".into(),
        incident: Some(OPEN.to_owned()),
        retracted: None,
        retracted_position: None,
        disputed: false,
    }
}

pub(super) fn labels() -> Vec<Label> {
    let of = |id: &str| About::Incident { incident: id.parse().unwrap() };
    let pair = About::Pair {
        younger: fingerprint(1).parse().unwrap(),
        fired: event_id("fired").parse::<EventId>().unwrap(),
        older: fingerprint(0).parse().unwrap(),
        incident: OPEN.parse().unwrap(),
    };
    let recall = About::Recall { incident: OPEN.parse().unwrap(), similar: OVER.parse().unwrap() };
    let proposal = About::Proposal { proposal: PROPOSAL.parse().unwrap() };
    let notice = About::Notice { notice: "NTC-7Q2K5M8N3P4R6S9T".parse().unwrap() };
    let answer = About::Conversation { conversation: "CNV-7Q2K5M8N3P4R6S9T".parse().unwrap() };
    vec![
        label("confirmed", Kind::Cause, of(OPEN), "postgres has no free  connection", "cause_confirmed", "ada"),
        Label {
            disputed: true,
            incident: Some(OVER.into()),
            ..label("evil", Kind::Cause, of(OVER), &format!("the disk {EVIL}"), "resolved_with_cause", EVIL)
        },
        label("other", Kind::Cause, of(OPEN), "the NTP pool was wrong", "cause_confirmed", "linus"),
        label("pair", Kind::Grouping, pair, "same", "merged", "grace"),
        label("recall", Kind::Recall, recall, "dismissed", "recall_dismissed", "grace"),
        label("fixed", Kind::Resolution, proposal, "fixed_by_it", "proposal_fixed", "ada"),
        Label {
            provenance: Provenance::Implicit,
            weight: 200,
            ..label("notice", Kind::Notice, notice, "unopened", "unopened", "system")
        },
        Label {
            retracted: Some("a person took it back".into()),
            retracted_position: Some(36_095_450),
            ..label("answer", Kind::Answer, answer, "helpful", "answer_helpful", "ada")
        },
    ]
}

pub(super) fn coverage() -> LabelCoverage {
    let about = About::Incident { incident: OVER.parse().unwrap() };
    let said = |by: &str, value: &str| PersonalLabel { by: by.into(), value: value.into(), label: "LBL-1".into() };
    let one = Disagreement {
        kind: Kind::Cause,
        about,
        said: vec![said("ada", "idle transactions"), said(EVIL, &format!("the disk {EVIL}"))],
    };
    let service = |n: u32| (format!("svc-{n}"), ServiceCoverage { closed: 40 - n, with_cause: 10 });
    LabelCoverage {
        labels: 1_234,
        explicit: 1_000,
        retracted: 7,
        closed: 40,
        with_cause: 10,
        services: (0..30).map(service).collect(),
        missing: (0..30).map(|n| format!("INC-00000000000000{n:02}")).chain([OTHER.to_owned()]).rev().collect(),
        disagreements: vec![one; 25],
        position: 36_095_500,
    }
}

fn metrics(pairs: u32, accuracy: u32) -> Metrics {
    Metrics { pairs, same: pairs / 2, missed: 3, wrongly_same: 1, accuracy }
}

fn judged(against: u32, verdict: Verdict, reasons: Vec<String>) -> ModelJudgement {
    let report = hindcast_mlops::compare::ComparisonReport { problems: 24, ..Default::default() };
    ModelJudgement {
        against,
        verdict,
        reasons,
        at: at("02:30:00"),
        event: event_id(&format!("judged {against} {verdict:?}")),
        report: serde_json::to_value(report).unwrap(),
    }
}

fn learnt(version: u32, status: ModelStatus, judged: Vec<ModelJudgement>) -> ModelVersion {
    let lineage = Lineage {
        from: 0,
        to: 36_000_000,
        labels: 480,
        dataset: "d5".repeat(32),
        seed: 1,
        code: "0.0.0-test".into(),
        features: 1,
        parent: 1,
    };
    ModelVersion {
        name: "pair-scorer".into(),
        version,
        status,
        hash: Some("7b".repeat(32)),
        lineage: Some(lineage),
        weights: [("bias".to_owned(), -1_200), ("same_service".to_owned(), 2_100), ("threshold".to_owned(), 512)]
            .into(),
        metrics: [("*".to_owned(), metrics(96, 958)), (EVIL.to_owned(), metrics(12, 900))].into(),
        judged,
        registered_at: Some(at("02:00:00")),
        registered_by: Some(EVIL.into()),
        event: Some(event_id("registered")),
        in_force_since: None,
        why: None,
        shadow: None,
        card: Some(format!("# pair-scorer {version}\n\n{EVIL} [x](javascript:alert(1)) [y](https://evil.example)\n")),
    }
}

/// One in force, one that passed, one that failed, one that runs as a shadow.
pub(super) fn models() -> Vec<ModelVersion> {
    let fails =
        vec![format!("wrongly merged: {OPEN} with {OVER} {EVIL}"), "2 problems wrongly merged, 0 before".into()];
    let differs = ShadowDifference {
        incident: OPEN.into(),
        version: 4,
        text: format!("would put them with alerts of {OTHER}"),
        apart: Vec::new(),
        with: vec![OTHER.into()],
    };
    let shadow = ShadowReport {
        from: 1,
        through: 36_095_000,
        placed: 900,
        would_join: 17,
        would_part: 5,
        differs: vec![differs; 40],
    };
    let by_hand = ModelVersion {
        hash: None,
        lineage: None,
        metrics: BTreeMap::new(),
        registered_at: None,
        registered_by: None,
        event: None,
        why: Some("set by hand; no other version was ever promoted".into()),
        card: Some("# pair-scorer 1\n".into()),
        ..learnt(1, ModelStatus::InForce, Vec::new())
    };
    let passed = judged(1, Verdict::Pass, vec!["better: its wrongs cost -12 (-20 to -4) on 24 problems".into()]);
    let once_failed = judged(1, Verdict::Fail, vec!["worse".into()]);
    vec![
        ModelVersion { shadow: Some(shadow), ..learnt(4, ModelStatus::Shadow, Vec::new()) },
        learnt(3, ModelStatus::Candidate, vec![judged(1, Verdict::Fail, fails)]),
        learnt(2, ModelStatus::Candidate, vec![once_failed, passed]),
        by_hand,
    ]
}

/// A process that learns.
pub(super) fn learning() -> MemoryLearning {
    let judged = models().remove(1).judged.remove(0);
    let compared = Comparison {
        name: "pair-scorer".into(),
        version: Some(3),
        against: 1,
        verdict: judged.verdict,
        reasons: judged.reasons,
        from: 36_000_001,
        to: 36_095_500,
        inputs: 12_345,
        decided: "ab".repeat(32),
        engine: None,
        report: judged.report,
        event: Some(judged.event),
    };
    let step = |done| LearnProgress { step: format!("reading labels {EVIL}"), done, of: 1_000 };
    MemoryLearning::new(models().remove(2), compared, [0, 1, 2, 500, 1_000].map(step).into())
}
