//! What the ranking and the postmortem say stands in the evidence, all of it, and nothing else is cited.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeSet;
use std::sync::LazyLock;

use hindcast_api::{Answer, Causes, Citation, Claim, ClaimVerdict, Hypothesis, Statement};
use hindcast_domain::catalog::{Catalog, Service, Topology};
use hindcast_domain::{Span, Time};
use hindcast_postmortem::draft;
use hindcast_rca::rank;
use hindcast_rca::{self as cause, Evidence};
use hindcast_testkit::recording::{EvidenceRecording, RecordedFault, events};
use hindcast_verifier::{Court, judge, reason, strike, things_stand, way};
use proptest::prelude::*;

static ALL: LazyLock<Vec<EvidenceRecording>> = LazyLock::new(|| {
    ["pg-pool", "shop-day", "calm-day"]
        .into_iter()
        .flat_map(|name| [EvidenceRecording::read(name), EvidenceRecording::read_ours(name)])
        .collect()
});

/// Every fault of every recording, as of some moments.
fn scenes() -> Vec<(&'static EvidenceRecording, &'static RecordedFault, Evidence)> {
    let mut all = Vec::new();
    for recording in ALL.iter() {
        for fault in &recording.faults {
            for now in [fault.from + Span::seconds(22), fault.from + Span::seconds(45), fault.to + Span::seconds(5)] {
                all.push((recording, fault, recording.evidence(fault, now)));
            }
        }
    }
    all
}

fn court(evidence: &Evidence, topology: &Topology, causes: &Causes) -> Court {
    let mut court = Court::new(evidence.position, evidence.now, "default").topology(topology.clone());
    court.conclude(Some(causes), &[]);
    court.events(events(evidence))
}

fn everything(causes: &Causes) -> Vec<&Hypothesis> {
    causes.items.iter().chain(&causes.refuted).collect()
}

fn cited(causes: &Causes) -> BTreeSet<Citation> {
    everything(causes)
        .into_iter()
        .flat_map(|hypothesis| {
            let statements = hypothesis.confirms.iter().chain(&hypothesis.refutes).flat_map(|s| s.citations.iter());
            hypothesis
                .citations
                .iter()
                .chain(hypothesis.path.iter().flat_map(|step| step.citations.iter()))
                .chain(statements)
        })
        .cloned()
        .collect()
}

fn known(evidence: &Evidence) -> BTreeSet<Citation> {
    events(evidence).iter().map(|event| Citation { event: event.id.clone(), position: event.position }).collect()
}

#[test]
fn the_verifier_finds_every_word_of_the_ranking_supported() {
    let mut judged = 0;
    for (recording, fault, evidence) in scenes() {
        let causes = rank(&evidence, &recording.topology, &[]);
        let court = court(&evidence, &recording.topology, &causes);
        for hypothesis in everything(&causes) {
            let statements: Vec<&Statement> = hypothesis.confirms.iter().chain(&hypothesis.refutes).collect();
            for Statement { text, citations } in &statements {
                assert_eq!(things_stand(text, citations, &court), Ok(()), "{}: {text:?}", fault.id);
            }
            let mut claims: Vec<Claim> = statements.into_iter().map(claim).collect();
            let rank = causes.items.iter().position(|item| item == hypothesis);
            if rank.is_some() {
                let named = cause::claim(hypothesis);
                assert_eq!(things_stand(&hypothesis.cause, &named.citations, &court), Ok(()), "{}", fault.id);
                claims.push(named);
            }
            if !hypothesis.path.is_empty() {
                claims.push(way(&hypothesis.path));
            }
            for mut claim in claims {
                judge(&mut claim, &court);
                assert_eq!(claim.verdict, ClaimVerdict::Supported, "{}: {:?} {:?}", fault.id, claim.text, claim.reason);
                judged += 1;
            }
        }
    }
    assert!(judged > 200, "{judged} claims were judged");
}

fn claim(statement: &Statement) -> Claim {
    Claim {
        text: statement.text.clone(),
        assertion: Some(reason(statement)),
        citations: statement.citations.clone(),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    }
}

#[test]
fn an_answer_keeps_its_hypotheses_whole_and_loses_what_is_false() {
    let (recording, _, evidence) = scenes().into_iter().find(|(_, fault, _)| fault.id == "redis-memory-1").unwrap();
    let causes = rank(&evidence, &recording.topology, &[]);
    let court = court(&evidence, &recording.topology, &causes);
    let mut answer = answer(&causes);
    let counts = strike(&mut answer, &court);
    assert_eq!((counts.struck, counts.unverifiable), (0, 0), "{:?}", answer.claims);
    assert_eq!(answer.hypotheses, causes.items);

    let mut answer = self::answer(&causes);
    answer.hypotheses[0].path.reverse();
    answer.hypotheses[0].confirms[0].text = "redis answers 99.9 % of its requests".into();
    let counts = strike(&mut answer, &court);
    assert_eq!(counts.struck, 2);
    assert!(answer.hypotheses[0].path.is_empty(), "a path that cannot be walked is not shown");
    assert_eq!(answer.claims.iter().filter(|claim| claim.verdict == ClaimVerdict::Unsupported).count(), 2);
    assert!(answer.claims.iter().all(|claim| claim.reason.is_some()));
}

fn answer(causes: &Causes) -> Answer {
    Answer {
        answer: String::new(),
        lead: None,
        details: Vec::new(),
        mode: "evidence".into(),
        claims: Vec::new(),
        hypotheses: causes.items.clone(),
        similar: Vec::new(),
        proposals: Vec::new(),
        missing: Vec::new(),
        incident: Some(causes.incident.clone()),
        severity: None,
        model: None,
        prompt_version: "0".into(),
        position: causes.position,
        tokens: None,
        cost: None,
        elapsed_ms: 0,
        conversation: String::new(),
        recorded: Vec::new(),
    }
}

#[test]
fn nothing_is_cited_that_is_not_in_the_evidence() {
    for (recording, fault, evidence) in scenes() {
        let causes = rank(&evidence, &recording.topology, &[]);
        let strange: Vec<Citation> = cited(&causes).difference(&known(&evidence)).cloned().collect();
        assert!(strange.is_empty(), "{}: {strange:?}", fault.id);
        assert_eq!(causes.ranker, cause::RANKER);
    }
}

#[test]
fn what_came_later_is_not_needed_for_what_was_known_then() {
    for (recording, fault, _) in scenes() {
        let then = fault.from + Span::seconds(30);
        let causes = rank(&recording.evidence(fault, then), &recording.topology, &[]);
        assert!(
            cited(&causes).iter().all(|citation| citation.position <= hindcast_testkit::recording::place(then)),
            "{}",
            fault.id
        );
    }
}

#[test]
fn alerts_alone_name_the_root_too() {
    for (recording, fault, mut evidence) in scenes() {
        evidence.findings.clear();
        // before its own alert rang, nothing tells of a service that is only seen by its alerts
        if !evidence.symptoms.iter().any(|symptom| symptom.alert.service.as_deref() == Some(fault.service.as_str())) {
            continue;
        }
        let causes = rank(&evidence, &recording.topology, &[]);
        assert_eq!(
            causes.items.first().map(|first| first.service.as_str()),
            Some(fault.service.as_str()),
            "{}",
            fault.id
        );
    }
}

#[test]
fn the_direction_of_dependencies_is_what_decides() {
    // the same evidence with every arrow turned round: who depends on the root is blamed instead
    let mut wrong = 0;
    let mut all = 0;
    for (recording, fault, evidence) in scenes().into_iter().filter(|(_, fault, _)| fault.services.len() > 1) {
        let mut services: Vec<Service> = recording.topology.services().cloned().collect();
        let edges: Vec<(String, String)> = services
            .iter()
            .flat_map(|service| service.depends_on.iter().map(|to| (service.name.clone(), to.clone())))
            .collect();
        for service in &mut services {
            service.depends_on =
                edges.iter().filter(|(_, to)| *to == service.name).map(|(from, _)| from.clone()).collect();
        }
        let turned = Topology::new(&Catalog { services });
        let causes = rank(&evidence, &turned, &[]);
        wrong += u32::from(causes.items.first().is_none_or(|first| first.service != fault.service));
        all += 1;
    }
    assert!(wrong * 2 > all, "{wrong} of {all} go wrong without it");
}

#[test]
fn without_a_catalogue_it_is_said_with_a_lower_score() {
    let (mut lower, mut all) = (0, 0);
    for (recording, fault, evidence) in scenes().into_iter().filter(|(_, fault, _)| fault.services.len() > 1) {
        let with = rank(&evidence, &recording.topology, &[]);
        let without = rank(&evidence, &Topology::default(), &[]);
        let (Some(with), Some(without)) = (with.items.first(), without.items.first()) else {
            continue;
        };
        assert!(without.score < with.score, "{}: {} {}", fault.id, without.score, with.score);
        lower += u32::from(without.service == fault.service);
        all += 1;
    }
    println!("without a catalogue the root comes first {lower} of {all} times");
    assert!(all >= 10);
}

#[test]
fn a_postmortem_cites_or_says_that_it_is_not_recorded() {
    for (recording, fault, mut evidence) in scenes() {
        let early = rank(&recording.evidence(fault, fault.from + Span::seconds(22)), &recording.topology, &[]);
        let causes = rank(&evidence, &recording.topology, &[]);
        evidence.incident.title = "evil <script>alert(1)</script> [x](http://evil)".into();
        let (text, citations) = draft(&evidence, &causes, &[], &[], &[(fault.from + Span::seconds(22), early)]);
        for section in [
            "Summary",
            "Impact",
            "Timeline",
            "Detection",
            "Response",
            "Cause",
            "What was known when",
            "Resolution",
            "Similar incidents",
            "Follow-ups to decide",
        ] {
            assert!(text.contains(&format!("## {section}\n")), "{section}");
        }
        let sentences = text.lines().filter(|line| {
            !line.is_empty() && !line.starts_with('#') && !line.starts_with('*') && !line.starts_with("- [ ]")
        });
        for line in sentences {
            assert!(line.contains("](/api/v1/events?from=") || line.contains("not recorded"), "{line}");
        }
        assert!(!text.contains("<script>") && !text.contains("](http"), "{text}");
        let strange: Vec<_> = citations.iter().filter(|citation| !known(&evidence).contains(citation)).collect();
        assert!(strange.is_empty() && !citations.is_empty(), "{strange:?}");
        assert!(citations.iter().all(|citation| text.contains(&citation.event)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The order of what is seen plays no part, and whatever part of it is seen, nothing else is cited.
    #[test]
    fn the_order_of_evidence_plays_no_part(which in 0usize..54, seed in any::<u64>(), keep in 1u64..8) {
        let scenes = scenes();
        let (recording, _, evidence) = &scenes[which % scenes.len()];
        let mut part = evidence.clone();
        let mut index = 0;
        part.findings.retain(|_| { index += 1; (seed.rotate_left(index) % 8) < keep });
        part.symptoms.retain(|_| { index += 1; (seed.rotate_left(index) % 8) < keep.max(4) });
        let mut other = part.clone();
        shuffle(&mut other.symptoms, seed);
        shuffle(&mut other.findings, seed);
        shuffle(&mut other.changes, seed);
        shuffle(&mut other.timeline, seed);
        let causes = rank(&part, &recording.topology, &[]);
        prop_assert_eq!(&rank(&other, &recording.topology, &[]), &causes);
        prop_assert!(cited(&causes).is_subset(&known(&part)));
        for hypothesis in &causes.items {
            let times: Vec<Time> = hypothesis.path.iter().map(|step| step.time).collect();
            prop_assert!(times.is_sorted());
            prop_assert!(!hypothesis.path.is_empty() && hypothesis.path[0].service == hypothesis.service);
        }
    }
}

fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for index in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(index, usize::try_from(state % (index as u64 + 1)).unwrap());
    }
}
