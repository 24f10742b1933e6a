//! The same questions on recordings of real software: the truth file tells which alerts are one problem. What
//! is learnt elsewhere must not undo what is right here, and a handful of labelled problems promotes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use crate::recorded;
use common::{Ledger, world};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::Span;
use hindcast_domain::model::Verdict;
use hindcast_mlops::compare::{ComparisonReport, compare};
use hindcast_mlops::dataset::{self, Dataset, Knowledge};
use hindcast_mlops::gate::{self, Judgement};
use hindcast_mlops::train::{TrainingSettings, train};
use hindcast_mlops::truth;
use hindcast_train_linfa::Linfa;
use recorded::{RECORDINGS, play, play_all};

fn compared(ledger: &Ledger, candidate: &GroupingWeights) -> ComparisonReport {
    let champion = ledger.decided_with(&GroupingWeights::default(), 0);
    let with = ledger.decided_with(candidate, 0);
    compare(&ledger.real_truth(0, &champion), &champion, &with, 7)
}

fn settings() -> TrainingSettings {
    TrainingSettings { seed: 7, code: "test".into(), parent: GroupingWeights::default(), version: 2 }
}

fn built(ledger: &Ledger) -> Dataset {
    dataset::build(&ledger.history, 0, u64::MAX, Knowledge::AsKnown)
}

#[test]
fn the_weights_in_force_get_every_fault_of_the_recordings_right() {
    for (seed, name) in (1..).zip(RECORDINGS) {
        let mut ledger = Ledger::new(seed);
        play(&mut ledger, name, Span::ZERO);
        let report = compared(&ledger, &GroupingWeights::default());
        println!("{name}: {} problems, {:?}", report.problems, report.champion);
        assert_eq!((report.champion.merged, report.champion.split), (0, 0), "{name}: {report:?}");
    }
}

/// Faults of the recordings share nothing that tells, so no weights join them; `learning.rs` shows that a scorer that
/// merges everything is found where faults do share something.
#[test]
fn no_weights_join_what_shares_nothing() {
    let mut ledger = Ledger::new(2);
    play(&mut ledger, "pg-pool", Span::ZERO);
    let by_anything =
        GroupingWeights { labels: 12_000, words: 12_000, same_name: 12_000, ..GroupingWeights::default() };
    let report = compared(&ledger, &GroupingWeights { version: 2, bias: 9_000, no_path: 0, apart: 0, ..by_anything });
    assert_eq!((report.candidate.merged, report.problems), (0, 4), "{report:?}");
}

#[test]
fn a_handful_of_labelled_problems_is_inconclusive_and_says_what_it_needs() {
    let mut ledger = Ledger::new(3);
    play_all(&mut ledger);
    let truth = truth::read(&ledger.history, 1, u64::MAX);
    println!("{} problems by labels, {:?}", truth.problems.len(), truth.quality);
    assert!(truth.problems.len() >= 5, "{truth:?}");
    assert_eq!(truth.quality.contradicted, 0);
    let champion = ledger.decided_with(&GroupingWeights::default(), 0);
    let report = compare(&truth, &champion, &champion, 7);
    let gated = gate::judge(&Judgement { report: &report, training: truth.quality, learnt_to: 0 });
    println!("{gated:?}");
    assert_eq!(gated.verdict, Verdict::Inconclusive);
    assert!(gated.reasons[0].contains("needs 20"), "{gated:?}");
    println!("{:?}", train(&Linfa, &built(&ledger), &settings()).map(|candidate| candidate.weights));
}

/// What is learnt in one house may not fit another; that is what the comparison is for. This one prints how
/// it fares and holds that whatever got worse is named.
#[test]
fn weights_of_another_house_are_compared_and_what_got_worse_is_named() {
    let mut elsewhere = Ledger::new(9);
    world::live(&mut elsewhere, &world::week(31, 0, 30), 900, 9);
    let candidate = train(&Linfa, &built(&elsewhere), &settings()).unwrap();
    let mut ledger = Ledger::new(4);
    play_all(&mut ledger);
    let report = compared(&ledger, &candidate.weights);
    println!("{:?}", candidate.weights);
    println!("champion {:?} candidate {:?}", report.champion, report.candidate);
    println!("merged {:?} split {:?} missed {:?}", report.newly_merged, report.newly_split, report.newly_missed);
    assert!(!report.newly_split.is_empty() || report.candidate.split <= report.champion.split, "{report:?}");
    assert!(!report.newly_merged.is_empty() || report.candidate.merged <= report.champion.merged, "{report:?}");
}
