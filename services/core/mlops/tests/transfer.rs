//! What labels of one set of recordings are worth on recordings held apart.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use crate::recorded;
use std::collections::BTreeMap;

use common::{Ledger, world};
use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::features::Features;
use hindcast_correlation::grouped::GroupedAlerts;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::weights::{GroupingWeights, logistic};
use hindcast_domain::book::Book;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::event::Event;
use hindcast_domain::label::About;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Span};
use hindcast_mlops::compare::{ComparisonReport, compare};
use hindcast_mlops::dataset::{self, Dataset, Knowledge};
use hindcast_mlops::seeded::Seeded;
use hindcast_mlops::train::{TrainingSettings, train};
use hindcast_train_linfa::Linfa;
use recorded::play;

fn settings() -> TrainingSettings {
    TrainingSettings { seed: 7, code: "test".into(), parent: GroupingWeights::default(), version: 2 }
}

fn built(ledger: &Ledger) -> Dataset {
    dataset::build(&ledger.history, 0, u64::MAX, Knowledge::AsKnown)
}

/// Every alert that fires, with every alert that fired before it: what the truth says of them.
struct Pair {
    younger: Fingerprint,
    fired: EventId,
    older: Fingerprint,
    features: Features,
    same: bool,
}

fn pairs(ledger: &Ledger) -> Vec<Pair> {
    let (mut book, mut topology, mut pairs) = (Book::default(), Topology::default(), Vec::new());
    let mut grouped = GroupedAlerts::default();
    let mut of: BTreeMap<Fingerprint, (String, AlertEvidence)> = BTreeMap::new();
    let weights = GroupingWeights::default();
    for recorded in &ledger.history {
        if let Event::Configured(section) = &recorded.event {
            topology = Topology::new(&serde_json::from_value::<Catalog>(section.content.clone()).unwrap());
        }
        book.evolve(recorded);
        grouped.evolve(&book, recorded);
        if let Event::AlertFired(fired) = &recorded.event {
            let younger: Fingerprint = recorded.subject.parse().unwrap();
            let evidence = grouped.evidence(&book, &younger, recorded.time).unwrap();
            let problem = ledger.truth[&fired.observed].0.clone();
            for (older, (theirs, other)) in of.iter().filter(|(id, _)| **id != younger) {
                let scorer = PairScorer::new(&weights, &topology);
                pairs.push(Pair {
                    younger: younger.clone(),
                    fired: recorded.id.clone(),
                    older: older.clone(),
                    features: scorer.features(&evidence, other, grouped.groups.tempo_of(&evidence)),
                    same: *theirs == problem,
                });
            }
            of.insert(younger, (problem, evidence));
        }
    }
    pairs
}

/// What a score of a pair costs, in nats.
fn loss(pair: &Pair, weights: &GroupingWeights) -> f64 {
    let p = f64::from(logistic(pair.features.log_odds(weights))).clamp(1.0, 999.0) / 1_000.0;
    -(if pair.same { p } else { 1.0 - p }).ln()
}

/// A recording in which people say of every pair whether it is one problem, as the truth file has it.
fn judged(ledger: &mut Ledger) {
    let known: Vec<(About, bool)> = pairs(ledger)
        .into_iter()
        .map(|pair| {
            let Pair { younger, fired, older, same, .. } = pair;
            let incident = ledger.home(&younger).unwrap_or_else(|| IncidentId::derive(&[b"none"]));
            (About::Pair { younger, fired, older, incident }, same)
        })
        .collect();
    let Some(now) = ledger.history.last().map(|last| last.time) else { return };
    for (about, same) in known {
        ledger.judge(now, "ada", about, if same { "same" } else { "different" });
    }
}

/// Recordings a day apart in one ledger, with people who judge pairs, and synthetic weeks behind them.
fn house(recordings: &[&str], weeks: &[u64]) -> Ledger {
    let mut ledger = Ledger::new(9);
    for (index, name) in (0..).zip(recordings) {
        play(&mut ledger, name, Span::hours(24 * index));
    }
    judged(&mut ledger);
    for (index, seed) in (0..).zip(weeks) {
        world::live(&mut ledger, &world::week(*seed, (400 + 10 * index) * 86_400, 30), 900, *seed);
    }
    ledger
}

/// The difference of the mean losses, candidate minus champion, with its interval of 95 % over pairs.
fn lift(pairs: &[Pair], candidate: &GroupingWeights) -> (f64, f64, f64) {
    let differences: Vec<f64> =
        pairs.iter().map(|pair| loss(pair, candidate) - loss(pair, &GroupingWeights::default())).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut draws = Seeded::new(7);
    let mut drawn: Vec<f64> = (0..2_000)
        .map(|_| {
            let again: Vec<f64> = differences.iter().map(|_| differences[draws.below(differences.len())]).collect();
            mean(&again)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    (mean(&differences), drawn[50], drawn[1_949])
}

/// Prints how a candidate does on a recording held apart.
fn apart(name: &str, candidate: &GroupingWeights) -> ((f64, f64, f64), ComparisonReport) {
    let mut ledger = Ledger::new(1);
    play(&mut ledger, name, Span::ZERO);
    let pairs = pairs(&ledger);
    let champion = ledger.decided_with(&GroupingWeights::default(), 0);
    let with = ledger.decided_with(candidate, 0);
    let report = compare(&ledger.real_truth(0, &champion), &champion, &with, 7);
    let lift = lift(&pairs, candidate);
    println!(
        "  on {name}: {} pairs, loss {:+.3} ({:+.3} to {:+.3}); {:?}",
        pairs.len(),
        lift.0,
        lift.1,
        lift.2,
        report.candidate
    );
    (lift, report)
}

/// What people say of the pairs of one recording is worth something on another one, and no more is held here
/// than what so few pairs can show: the mean loss falls, and nothing is merged wrongly or missed.
#[test]
fn labels_of_one_set_of_recordings_lower_the_mean_loss_on_recordings_held_apart() {
    for (learnt, held) in [(&["pg-pool", "calm-day"][..], "shop-day"), (&["shop-day", "calm-day"][..], "pg-pool")] {
        let dataset = built(&house(learnt, &[]));
        let candidate = train(&Linfa, &dataset, &settings()).unwrap();
        println!("learnt from {} pairs of {learnt:?}: {:?}", dataset.examples.len(), candidate.weights);
        let ((mean, ..), report) = apart(held, &candidate.weights);
        assert!(mean < 0.0, "{held}: {mean}");
        assert_eq!((report.candidate.merged, report.candidate.missed), (0, 0), "{report:?}");
    }
}

/// Synthetic weeks are another house: their labels tell by labels and words, which the recordings do not share.
/// This one prints what they cost there.
#[test]
fn synthetic_weeks_beside_a_recording_are_measured_on_recordings_held_apart() {
    for (learnt, weeks, held) in [
        (&[][..], &[31][..], "shop-day"),
        (&["pg-pool"][..], &[31][..], "shop-day"),
        (&["shop-day"][..], &[31][..], "pg-pool"),
    ] {
        let dataset = built(&house(learnt, weeks));
        let candidate = train(&Linfa, &dataset, &settings()).unwrap();
        println!(
            "learnt from {} pairs of {learnt:?} and weeks {weeks:?}: {:?}",
            dataset.examples.len(),
            candidate.weights
        );
        let (_, report) = apart(held, &candidate.weights);
        assert_eq!(
            report.newly_split.is_empty(),
            report.candidate.split <= report.champion.split,
            "what got worse is named"
        );
    }
}
