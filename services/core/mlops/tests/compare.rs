//! The comparison and the gate on runs that were made by hand, so that every figure can be counted.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use std::collections::{BTreeMap, BTreeSet};

use common::{at, fingerprint};
use hindcast_domain::model::Verdict;
use hindcast_domain::{EventId, IncidentId, Severity};
use hindcast_mlops::compare::{ComparisonReport, compare};
use hindcast_mlops::gate::{self, Gated, Judgement};
use hindcast_mlops::outcome::{FiringSpan, RunOutcome};
use hindcast_mlops::truth::{LabelledProblem, LabelledProblems, Quality, Stranger};

const MINUTE: i64 = 60;

/// Problem `index` has two firings, ten minutes apart; problems are a day apart.
fn firing(problem: usize, nth: usize) -> (EventId, i64) {
    let id = EventId::derive(&[&problem.to_be_bytes(), &nth.to_be_bytes()]);
    (id, problem as i64 * 86_400 + nth as i64 * 10 * MINUTE)
}

fn truth(problems: usize, service: fn(usize) -> &'static str) -> LabelledProblems {
    let problem = |index: usize| LabelledProblem {
        name: format!("problem-{index}"),
        service: Some(service(index).to_owned()),
        firings: BTreeSet::from([firing(index, 0).0, firing(index, 1).0]),
    };
    LabelledProblems {
        from: 1,
        problems: (0..problems).map(problem).collect(),
        quality: Quality { labels: 100, contradicted: 0 },
        ..LabelledProblems::default()
    }
}

/// What a run makes of it: the name of the incident of each firing; `None` for none.
fn run(problems: usize, incident: impl Fn(usize, usize) -> Option<String>) -> RunOutcome {
    let mut outcome = RunOutcome::default();
    for problem in 0..problems {
        for nth in 0..2 {
            let (id, second) = firing(problem, nth);
            let incident = incident(problem, nth).map(|name| IncidentId::derive(&[name.as_bytes()]));
            if let Some(incident) = &incident {
                outcome.pages.entry(incident.clone()).or_insert_with(|| vec![at(second)]);
            }
            let name = format!("{problem}/{nth}");
            let firing = FiringSpan {
                fingerprint: fingerprint(&[&name]),
                service: None,
                severity: Severity::Critical,
                at: at(second),
                incident,
            };
            outcome.firings.insert(id, firing);
        }
    }
    outcome
}

/// One incident a problem.
fn right(problem: usize, _: usize) -> Option<String> {
    Some(format!("{problem}"))
}

/// Two incidents a problem.
fn apart(problem: usize, nth: usize) -> Option<String> {
    Some(format!("{problem}/{nth}"))
}

fn one_service(_: usize) -> &'static str {
    "a"
}

fn judged(report: &ComparisonReport) -> Gated {
    gate::judge(&Judgement { report, training: Quality::default(), learnt_to: 0 })
}

#[test]
fn each_wrong_is_counted_once() {
    let truth = truth(4, one_service);
    let candidate = run(4, |problem, nth| match (problem, nth) {
        (0 | 1, _) => Some("both".to_owned()),
        (2, nth) => Some(format!("2/{nth}")),
        _ => None,
    });
    let report = compare(&truth, &run(4, right), &candidate, 7);
    assert_eq!(
        (report.champion.missed, report.champion.merged, report.champion.split, report.champion.pages),
        (0, 0, 0, 4)
    );
    // Problem 1 hides behind problem 0, whose page came a day before: nobody was told of it.
    assert_eq!(
        (report.candidate.missed, report.candidate.merged, report.candidate.split, report.candidate.pages),
        (2, 2, 1, 3)
    );
    assert_eq!(report.newly_merged, ["problem-0 with problem-1", "problem-1 with problem-0"]);
    assert_eq!(
        (report.newly_missed.as_slice(), report.newly_split.as_slice()),
        (&["problem-1".to_owned(), "problem-3".to_owned()][..], &["problem-2".to_owned()][..])
    );
    assert_eq!((report.merged.seen, report.missed.seen, report.split.seen, report.cost.seen), (2.0, 2.0, 1.0, 21.0));
}

#[test]
fn minutes_are_those_of_problems_that_both_paged_for() {
    let truth = truth(10, one_service);
    // The candidate opens an incident with the second firing only, ten minutes later.
    let candidate = run(10, |problem, nth| (nth == 1 || problem > 0).then(|| problem.to_string()));
    let report = compare(&truth, &run(10, right), &candidate, 7);
    assert!((report.minutes.seen - 1.0).abs() < 1e-9, "{:?}", report.minutes);
    assert!(report.minutes.low >= 0.0 && report.minutes.high <= 4.0, "{:?}", report.minutes);
}

#[test]
fn intervals_hold_what_was_seen_and_a_seed_gives_them_again() {
    let truth = truth(40, one_service);
    let (champion, candidate) = (run(40, |p, n| if p % 2 == 0 { right(p, n) } else { apart(p, n) }), run(40, right));
    let report = compare(&truth, &champion, &candidate, 7);
    assert!((report.split.seen + 20.0).abs() < 1e-9);
    assert!(report.split.low < -20.0 && report.split.high > -20.0 && report.split.high < 0.0, "{:?}", report.split);
    assert_eq!(compare(&truth, &champion, &candidate, 7), report);
}

#[test]
fn what_mends_splits_passes() {
    let report = compare(&truth(40, one_service), &run(40, apart), &run(40, right), 7);
    let gated = judged(&report);
    assert_eq!(gated.verdict, Verdict::Pass, "{gated:?}");
}

#[test]
fn wrong_merges_are_named_before_missed_problems() {
    let candidate = run(40, |problem, _| match problem {
        0 | 1 => Some("both".to_owned()),
        2 => None,
        _ => Some(problem.to_string()),
    });
    // Better in all: the champion splits everything. It fails all the same.
    let gated = judged(&compare(&truth(40, one_service), &run(40, apart), &candidate, 7));
    assert_eq!(gated.verdict, Verdict::Fail);
    assert!(gated.reasons[0].contains("wrongly merged") && gated.reasons[1].contains("problem-0"), "{gated:?}");
    let candidate = run(40, |problem, _| (problem != 2).then(|| problem.to_string()));
    let gated = judged(&compare(&truth(40, one_service), &run(40, apart), &candidate, 7));
    assert_eq!(gated.verdict, Verdict::Fail);
    assert!(gated.reasons[0].contains("without a notification") && gated.reasons[1].contains("problem-2"), "{gated:?}");
}

#[test]
fn better_in_all_and_worse_for_one_service_fails_with_the_service_named() {
    let service = |problem: usize| if problem < 8 { "small" } else { "large" };
    let champion = run(60, |problem, nth| if problem < 8 { right(problem, nth) } else { apart(problem, nth) });
    let candidate = run(60, |problem, nth| if problem < 8 { apart(problem, nth) } else { right(problem, nth) });
    let report = compare(&truth(60, service), &champion, &candidate, 7);
    assert!(report.cost.high < 0.0, "{:?}", report.cost);
    let gated = judged(&report);
    assert_eq!(gated.verdict, Verdict::Fail);
    assert!(gated.reasons[0].contains("worse for small"), "{gated:?}");
}

#[test]
fn too_little_and_contradictions_are_inconclusive_and_say_so() {
    let few = compare(&truth(19, one_service), &run(19, apart), &run(19, right), 7);
    assert_eq!(judged(&few).verdict, Verdict::Inconclusive);
    let mut report = compare(&truth(40, one_service), &run(40, apart), &run(40, right), 7);
    report.quality.contradicted = 6;
    let gated = judged(&report);
    assert!(gated.verdict == Verdict::Inconclusive && gated.reasons[0].contains("6 of 100"), "{gated:?}");
    report.quality.contradicted = 5;
    assert_eq!(judged(&report).verdict, Verdict::Pass, "the limit itself is within it");
}

#[test]
fn firings_that_the_intake_lacks_are_an_error() {
    let truth = truth(40, one_service);
    let report = compare(&truth, &run(39, apart), &run(39, right), 7);
    assert_eq!(judged(&report).verdict, Verdict::Error);
    let report = compare(&truth, &run(40, apart), &run(39, right), 7);
    assert_eq!(judged(&report).verdict, Verdict::Error);
}

#[test]
fn what_people_said_is_apart_is_a_wrong_merge_though_it_is_no_labelled_problem() {
    const PROBLEMS: usize = 24;
    let of = |problem: usize| (firing(problem, 0).0, format!("problem-{problem}"));
    let mut truth = truth(PROBLEMS, one_service);
    // For each problem a firing that is no part of it, and of which nothing else is known.
    let strangers = 100..100 + PROBLEMS;
    truth.strangers = strangers
        .clone()
        .map(|index| Stranger {
            name: format!("stranger-{index}"),
            service: Some("b".to_owned()),
            firing: firing(index, 0).0,
            apart: BTreeMap::from([of(index - 100)]),
        })
        .collect();
    let decided = |joins: bool, splits: bool| {
        let mut outcome = run(PROBLEMS, if splits { apart } else { right });
        let beside = run(100 + PROBLEMS, |problem, _| {
            Some(if joins && problem >= 100 { format!("{}", problem - 100) } else { format!("alone {problem}") })
        });
        outcome
            .firings
            .extend(beside.firings.into_iter().filter(|(id, _)| truth.strangers.iter().any(|it| it.firing == *id)));
        outcome
    };
    let (champion, candidate) = (decided(false, true), decided(true, false));
    let report = compare(&truth, &champion, &candidate, 7);
    assert_eq!((report.problems, report.strangers), (24, 24));
    assert_eq!((report.champion.merged, report.candidate.merged), (0, 24));
    let gated = judged(&report);
    assert_eq!(gated.verdict, Verdict::Fail, "{:?}", gated.reasons);
    assert!(gated.reasons.iter().any(|it| it.contains("stranger-100 with problem-0")), "{:?}", gated.reasons);
    // The one that mends the splits and keeps strangers out passes.
    let report = compare(&truth, &champion, &decided(false, false), 7);
    assert_eq!((judged(&report).verdict, report.candidate.merged), (Verdict::Pass, 0));
    // And what a person split is a wrong merge of the one that had put it together.
    let report = compare(&truth, &decided(true, false), &decided(false, false), 7);
    assert_eq!((report.champion.merged, report.candidate.merged), (24, 0));
}
