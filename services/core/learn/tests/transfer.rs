//! What labels of one set of recordings are worth on recordings held apart.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod common;
mod recorded;

use common::{Ledger, world};
use hindcast_domain::Span;
use hindcast_domain::book::Book;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::event::Event;
use hindcast_engines::cluster::{self, Features, Newcomer, Weights, logistic};
use hindcast_learn::dataset::{self, Dataset, Knowledge};
use hindcast_learn::train::{Settings, train};
use hindcast_train_linfa::Linfa;
use recorded::{RECORDINGS, play};

fn settings() -> Settings {
    Settings { seed: 7, code: "test".into(), parent: Weights::default(), version: 2 }
}

fn built(ledger: &Ledger) -> Dataset {
    dataset::build(&ledger.history, 0, u64::MAX, Weights::default().time_scale_s, Knowledge::AsKnown)
}

/// Every alert that fires, with every alert that fired before it: what the truth says of them.
struct Pair {
    features: Features,
    same: bool,
    problem: String,
}

fn pairs(ledger: &Ledger) -> Vec<Pair> {
    let (mut book, mut topology, mut pairs) = (Book::default(), Topology::default(), Vec::new());
    let mut of: std::collections::BTreeMap<hindcast_domain::Fingerprint, String> = std::collections::BTreeMap::new();
    for recorded in &ledger.history {
        if let Event::Configured(section) = &recorded.event {
            topology = Topology::new(&serde_json::from_value::<Catalog>(section.content.clone()).unwrap());
        }
        if let Event::AlertFired(fired) = &recorded.event {
            let newcomer = Newcomer {
                name: &fired.name,
                service: fired.service.as_deref(),
                labels: &fired.labels,
                annotations: &fired.annotations,
                starts_at: fired.starts_at,
            };
            let problem = ledger.truth[&fired.observed].0.clone();
            for (fingerprint, other) in book.alerts.iter().filter(|(id, _)| id.as_str() != recorded.subject) {
                let features = cluster::features(&newcomer, other, &topology, 300);
                let theirs: &String = &of[fingerprint];
                pairs.push(Pair { features, same: *theirs == problem, problem: problem.clone() });
            }
            of.insert(recorded.subject.parse().unwrap(), problem);
        }
        book.evolve(recorded);
    }
    pairs
}

fn log_loss(pairs: &[Pair], weights: &Weights) -> f64 {
    let of = |pair: &Pair| {
        let p = f64::from(logistic(pair.features.log_odds(weights))).clamp(1.0, 999.0) / 1_000.0;
        -(if pair.same { p } else { 1.0 - p }).ln()
    };
    let side = |same: bool| {
        let side: Vec<f64> = pairs.iter().filter(|pair| pair.same == same).map(of).collect();
        side.iter().sum::<f64>() / side.len().max(1) as f64
    };
    (side(true) + side(false)) / 2.0
}

/// Synthetic weeks, and recordings a day apart in one ledger.
fn house(weeks: &[u64], recordings: &[&str]) -> Ledger {
    let mut ledger = Ledger::new(9);
    for (index, name) in (0..).zip(recordings) {
        play(&mut ledger, name, Span::hours(24 * index));
    }
    for (index, seed) in (0..).zip(weeks) {
        world::live(&mut ledger, &world::week(*seed, (400 + 10 * index) * 86_400, 30), 900, *seed);
    }
    ledger
}

fn show(name: &str, dataset: &Dataset) {
    let candidate = match train(&Linfa, dataset, &settings()) {
        Ok(candidate) => candidate,
        Err(error) => return println!("{name}: {error}"),
    };
    let same = dataset.examples.iter().filter(|e| e.same).count();
    println!("{name}: {} examples, {same} same; {:?}", dataset.examples.len(), candidate.weights);
    for name in RECORDINGS {
        let mut ledger = Ledger::new(1);
        play(&mut ledger, name, Span::ZERO);
        let pairs = pairs(&ledger);
        let champion = ledger.decided_with(&Weights::default(), 0);
        let with = ledger.decided_with(&candidate.weights, 0);
        let report = hindcast_learn::compare::compare(&ledger.real_truth(0, &champion), &champion, &with, 7);
        println!(
            "  {name}: log loss default {:.3} candidate {:.3}; {:?} {:?}",
            log_loss(&pairs, &Weights::default()),
            log_loss(&pairs, &candidate.weights),
            report.champion,
            report.candidate
        );
    }
}

#[test]
fn explore() {
    show("synthetic", &built(&house(&[31], &[])));
    show("synthetic x3", &built(&house(&[31, 32, 33], &[])));
    show("pg-pool", &built(&house(&[], &["pg-pool"])));
    show("synthetic + pg-pool", &built(&house(&[31], &["pg-pool"])));
    show("synthetic + shop-day + calm-day", &built(&house(&[31], &["shop-day", "calm-day"])));
    show("synthetic x3 + pg-pool", &built(&house(&[31, 32, 33], &["pg-pool"])));
    show("all recordings", &built(&house(&[], &["pg-pool", "shop-day", "calm-day"])));
}
