//! Labels of people on synthetic worlds lift the scorer on worlds held apart, and what must not be promoted
//! is not.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use std::sync::OnceLock;

use common::{Ledger, world};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::model::Verdict;
use hindcast_domain::{EventId, Partition, Time};
use hindcast_mlops::compare::{ComparisonReport, compare};
use hindcast_mlops::dataset::{self, Dataset, Knowledge};
use hindcast_mlops::gate::{self, ComparedSides, Gated, Judgement};
use hindcast_mlops::registry::{Error, Registry};
use hindcast_mlops::train::{self, CandidateVersion, TrainingSettings, train};
use hindcast_mlops::truth;
use hindcast_train_linfa::Linfa;

const WEEK: i64 = 9 * 86_400;

/// Weeks to learn from and weeks held apart, each with a topology of its own.
struct Past {
    ledger: Ledger,
    learnt_to: u64,
}

fn past(seed: u64, learn: u64, apart: u64, flipped: u64) -> Past {
    let mut ledger = Ledger::new(seed);
    ledger.flipped = flipped;
    let mut learnt_to = 0;
    for index in 0..learn + apart {
        let week = world::week(seed * 100 + index, i64::try_from(index).unwrap() * WEEK, 30);
        world::live(&mut ledger, &week, 900, seed + index);
        if index + 1 == learn {
            learnt_to = ledger.position();
        }
    }
    Past { ledger, learnt_to }
}

/// The world that most tests look at: lived once.
fn shared() -> &'static Past {
    static SHARED: OnceLock<Past> = OnceLock::new();
    SHARED.get_or_init(|| past(1, 3, 3, 0))
}

/// What is learnt there: once.
fn learnt() -> &'static CandidateVersion {
    static LEARNT: OnceLock<CandidateVersion> = OnceLock::new();
    LEARNT.get_or_init(|| shared().candidate())
}

fn settings(version: u32) -> TrainingSettings {
    TrainingSettings { seed: 7, code: "test".into(), parent: GroupingWeights::default(), version }
}

impl Past {
    fn dataset(&self) -> Dataset {
        dataset::build(&self.ledger.history, 0, self.learnt_to, Knowledge::AsKnown)
    }

    fn candidate(&self) -> CandidateVersion {
        train(&Linfa, &self.dataset(), &settings(2)).unwrap()
    }

    fn judged(&self, weights: &GroupingWeights) -> (ComparisonReport, Gated) {
        let from = self.learnt_to + 1;
        let truth = truth::read(&self.ledger.history, from, u64::MAX);
        let training = truth::read(&self.ledger.history, 0, self.learnt_to).quality;
        let champion = self.ledger.decided_with(&GroupingWeights::default(), from);
        let candidate = self.ledger.decided_with(weights, from);
        let report = compare(&truth, &champion, &candidate, 7);
        let gated = gate::judge(&Judgement { report: &report, training, learnt_to: self.learnt_to });
        (report, gated)
    }

    /// The figures by what was really right, which no scorer and no gate ever sees.
    fn really(&self, weights: &GroupingWeights) -> ComparisonReport {
        let from = self.learnt_to + 1;
        let champion = self.ledger.decided_with(&GroupingWeights::default(), from);
        let candidate = self.ledger.decided_with(weights, from);
        compare(&self.ledger.real_truth(from, &champion), &champion, &candidate, 7)
    }
}

#[test]
fn labels_lift_the_scorer_on_worlds_held_apart() {
    for seed in [1, 2, 3] {
        let other = (seed > 1).then(|| past(seed, 2, 2, 0));
        let past = other.as_ref().unwrap_or_else(|| shared());
        let candidate = if seed == 1 { learnt().clone() } else { past.candidate() };
        let (report, gated) = past.judged(&candidate.weights);
        let really = past.really(&candidate.weights);
        println!("seed {seed}: {} pairs from {} labels", past.dataset().examples.len(), past.dataset().labels);
        println!("  weights {:?}", candidate.weights);
        for (by, report) in [("by labels", &report), ("really", &really)] {
            println!(
                "  {by}: {} problems; champion {:?}; candidate {:?}; merged {:?}; split {:?}; pages {:?}; minutes {:?}; cost {:?}",
                report.problems,
                report.champion,
                report.candidate,
                report.merged,
                report.split,
                report.pages,
                report.minutes,
                report.cost
            );
        }
        println!("  gate {:?} {:?}", gated.verdict, gated.reasons);
        assert_eq!(gated.verdict, Verdict::Pass, "{:?}", gated.reasons);
        assert!(really.cost.high < 0.0, "{:?}", really.cost);
        assert!(really.candidate.merged < really.champion.merged, "{really:?}");
    }
}

#[test]
fn the_same_range_seed_and_code_give_the_same_hash() {
    let (a, b) = (past(1, 1, 0, 0), past(1, 1, 0, 0));
    let dataset = a.dataset();
    assert_eq!(dataset.hash(), b.dataset().hash());
    let (a, b) = (a.candidate(), b.candidate());
    assert_eq!((&a.hash, &a.card), (&b.hash, &b.card));
    let other = train(&Linfa, &dataset, &TrainingSettings { seed: 8, ..settings(2) }).unwrap();
    assert_ne!(a.hash, other.hash, "the seed stands in the lineage");
}

#[test]
fn a_scorer_learnt_from_flipped_labels_is_not_promoted() {
    let past = past(1, 2, 2, 200);
    let candidate = past.candidate();
    let (_, gated) = past.judged(&candidate.weights);
    println!("{gated:?}");
    assert_ne!(gated.verdict, Verdict::Pass);
    assert!(gated.reasons[0].contains("contradict"), "{:?}", gated.reasons);
}

#[test]
fn a_scorer_that_merges_everything_fails_with_incidents_named() {
    let past = shared();
    let merges_everything = GroupingWeights { version: 2, bias: 9_000, no_path: 0, ..GroupingWeights::default() };
    let (report, gated) = past.judged(&merges_everything);
    assert_eq!(gated.verdict, Verdict::Fail);
    println!("{:?}", gated.reasons);
    let named = gated.reasons.iter().filter(|reason| reason.contains("INC-")).count();
    assert!(named >= 5, "{:?}", gated.reasons);
    assert!(report.candidate.merged > report.champion.merged);
    assert!(gated.reasons[0].contains("wrongly merged"), "wrong merges come before missed problems");
}

#[test]
fn a_scorer_that_merges_nothing_fails() {
    let past = shared();
    let nothing = GroupingWeights {
        same_entity: 0,
        same_name: 0,
        same_namespace: 0,
        labels: 0,
        words: 0,
        ..GroupingWeights::default()
    };
    let merges_nothing =
        GroupingWeights { version: 2, bias: -12_000, same_service: 0, topology: 0, returning: 0, ..nothing };
    let (report, gated) = past.judged(&merges_nothing);
    assert_eq!(gated.verdict, Verdict::Fail, "{:?} {:?}", gated.reasons, report.cost);
    assert!(gated.reasons[0].contains("too many"), "{:?}", gated.reasons);
}

#[test]
fn no_labels_and_few_labels_are_inconclusive() {
    let empty = Past { ledger: Ledger::new(1), learnt_to: 0 };
    assert_eq!(train(&Linfa, &empty.dataset(), &settings(2)), Err(train::Error::TooFew(0)));
    let (_, gated) = empty.judged(&GroupingWeights { version: 2, ..GroupingWeights::default() });
    assert_eq!(gated.verdict, Verdict::Inconclusive);
    let mut few = Past { ledger: Ledger::new(1), learnt_to: 0 };
    world::live(&mut few.ledger, &world::week(5, 0, 2), 1_000, 5);
    let (report, gated) = few.judged(&GroupingWeights { version: 2, ..GroupingWeights::default() });
    assert_eq!(gated.verdict, Verdict::Inconclusive);
    assert!(gated.reasons[0].contains(&format!("{} labelled problems, needs 20", report.problems)), "{gated:?}");
}

#[test]
fn the_same_weights_are_no_difference_that_labels_can_show() {
    let past = past(2, 1, 2, 0);
    let (report, gated) = past.judged(&GroupingWeights { version: 2, ..GroupingWeights::default() });
    assert_eq!(gated.verdict, Verdict::Inconclusive, "{:?}", gated.reasons);
    assert!((report.cost.seen, report.minutes.seen) == (0.0, 0.0), "{report:?}");
}

#[test]
fn what_was_learnt_from_judges_nothing_and_two_intakes_are_no_pair() {
    let past = past(1, 1, 1, 0);
    let truth = truth::read(&past.ledger.history, 0, past.learnt_to);
    let outcome = past.ledger.decided_with(&GroupingWeights::default(), 0);
    let report = compare(&truth, &outcome, &outcome, 7);
    let judgement = |report, learnt_to| gate::judge(&Judgement { report, training: truth.quality, learnt_to });
    let gated = judgement(&report, past.learnt_to);
    assert!(gated.verdict == Verdict::Error && gated.reasons[0].contains("learnt from"), "{gated:?}");
    let other = past.ledger.decided_with(&GroupingWeights::default(), past.learnt_to / 2);
    let mut report = compare(&truth, &outcome, &other, 7);
    report.from = past.learnt_to + 1;
    let gated = judgement(&report, past.learnt_to);
    assert!(gated.verdict == Verdict::Error && gated.reasons[0].contains("the same intake"), "{gated:?}");
}

// ── promotion and the way back ─────────────────────────────────────────────────────────────────────

fn write(registry: &mut Registry, position: u64, event: Event) -> EventId {
    let id = EventId::derive(&[b"registry", &position.to_be_bytes()]);
    registry.evolve(&Recorded {
        id: id.clone(),
        position,
        partition: Partition::whole("default"),
        subject: "pair-scorer".into(),
        revision: None,
        time: Time::ZERO,
        actor: "ada".into(),
        cause: None,
        event,
    });
    id
}

/// What is recorded of a comparison of version 2 with what is set by hand.
fn judged(registry: &Registry, gated: &Gated, report: &ComparisonReport) -> Event {
    let hash_of = |version| registry.hash_of(version).unwrap();
    let sides = ComparedSides { version: 2, hash: hash_of(2), against: 1, against_hash: hash_of(1) };
    Event::ModelJudged(gate::judged(gated, report, sides, "production", ["production".to_owned()].into()))
}

#[test]
fn only_a_pass_promotes_and_rolling_back_restores_earlier_decisions() {
    let past = shared();
    let candidate = learnt();
    let (report, gated) = past.judged(&candidate.weights);
    let mut registry = Registry::default();
    assert_eq!((registry.in_force(), registry.next_version()), (1, 2));
    write(&mut registry, 1, Event::ModelRegistered(candidate.registered()));
    assert!(matches!(registry.promote(2, "ada"), Err(Error::NotPassed { .. })), "nobody judged it");
    assert_eq!(registry.promote(3, "ada"), Err(Error::Unknown(3)));
    for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Error] {
        let refused = Gated { verdict, reasons: vec!["for the test".into()] };
        let said = judged(&registry, &refused, &report);
        write(&mut registry, 2, said);
        assert!(matches!(registry.promote(2, "ada"), Err(Error::NotPassed { .. })), "{verdict:?} promotes nothing");
    }
    let said = judged(&registry, &gated, &report);
    let passed = write(&mut registry, 3, said);
    let Draft { event: Event::ModelPromoted(promoted), .. } = registry.promote(2, "ada").unwrap() else { panic!() };
    assert_eq!((promoted.previous, &promoted.evidence), (1, &vec![passed]));
    write(&mut registry, 4, Event::ModelPromoted(promoted));
    let in_force = registry.weights(registry.in_force(), &GroupingWeights::default()).unwrap();
    assert_eq!(in_force, candidate.weights);
    let from = past.learnt_to + 1;
    let before = past.ledger.decided_with(&GroupingWeights::default(), from);
    assert_ne!(past.ledger.decided_with(&in_force, from), before);
    let back = registry.roll_back("it merges what people split", "system").unwrap();
    write(&mut registry, 5, back.event);
    let restored = registry.weights(registry.in_force(), &GroupingWeights::default()).unwrap();
    assert_eq!(past.ledger.decided_with(&restored, from), before, "every decision is as it was");
    assert_eq!(registry.roll_back("again", "system"), Err(Error::NothingToRollBack));
}

#[test]
fn weights_that_do_not_give_their_hash_are_never_in_force() {
    let candidate = learnt();
    let mut registered = candidate.registered();
    *registered.weights.get_mut("bias").unwrap() += 1;
    let mut registry = Registry::default();
    write(&mut registry, 1, Event::ModelRegistered(registered));
    assert!(matches!(registry.weights_for(2), Err(Error::Damaged { version: 2, .. })));
}

#[test]
fn a_card_says_what_it_was_learnt_from_and_what_it_is_bad_at() {
    let candidate = learnt();
    println!("{}", candidate.card);
    for part in ["# pair-scorer 2", "Positions 0 to", "seed 7", "| bias |", "wrongly one", "What it is not for"] {
        assert!(candidate.card.contains(part), "{part}");
    }
}
