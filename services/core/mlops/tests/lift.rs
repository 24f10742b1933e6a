//! Labels from one set of recordings lift a scorer on recordings held apart. The one that is lifted is as a careless
//! hand would set it: nothing is ever one problem. (The weights that we ship get every fault of the recordings
//! right already, so there is nothing to lift on them.)

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use crate::recorded;
use std::collections::BTreeMap;

use common::Ledger;
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::command::Configured;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::About;
use hindcast_domain::{Fingerprint, Span};
use hindcast_mlops::compare::{ComparisonReport, compare};
use hindcast_mlops::dataset::{self, Knowledge};
use hindcast_mlops::train::{TrainingSettings, train};
use hindcast_train_linfa::Linfa;
use recorded::play;

/// Almost nothing is ever one problem.
fn careless() -> GroupingWeights {
    GroupingWeights { threshold: 999, ..GroupingWeights::default() }
}

/// People say of alerts of two faults that they are two problems: two pairs for each two faults.
fn tell_apart(ledger: &mut Ledger) {
    let fired = |recorded: &Recorded| match &recorded.event {
        Event::AlertFired(fired) => {
            let (problem, _) = ledger.truth.get(&fired.observed)?;
            Some((problem.clone(), recorded.id.clone(), recorded.subject.parse::<Fingerprint>().ok()?))
        }
        _ => None,
    };
    let fired: Vec<_> = ledger.history.iter().filter_map(fired).collect();
    let incident = ledger.correlator.state().book.incidents.keys().next().unwrap().clone();
    let mut said: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut judged = Vec::new();
    for (at, (problem, id, younger)) in fired.iter().enumerate() {
        for (other, _, older) in
            fired[..at].iter().rev().filter(|(other, _, older)| other != problem && older != younger)
        {
            let count = said.entry((problem, other)).or_default();
            if *count < 2 {
                *count += 1;
                let (younger, fired, older) = (younger.clone(), id.clone(), older.clone());
                judged.push(About::Pair { younger, fired, older, incident: incident.clone() });
            }
        }
    }
    let now = ledger.history.last().unwrap().time + Span::minutes(1);
    for about in judged {
        ledger.judge(now, "ada", about, "different");
    }
}

/// What labels of `taught` make of a careless scorer, on `held_apart`.
fn lifted(taught: &[&str], held_apart: &str) -> (GroupingWeights, ComparisonReport) {
    let mut past = Ledger::new(11);
    let rules = serde_json::json!({"weights": careless()});
    let by_hand = Configured { section: "correlation".into(), hash: "by hand".into(), content: rules };
    past.input(common::START, "correlation", "ada", Event::Configured(by_hand));
    for (days, name) in (0..).zip(taught) {
        play(&mut past, name, Span::hours(24 * days));
    }
    tell_apart(&mut past);
    let dataset = dataset::build(&past.history, 0, u64::MAX, Knowledge::AsKnown);
    let settings = TrainingSettings { seed: 7, code: "test".into(), parent: careless(), version: 2 };
    let learnt = train(&Linfa, &dataset, &settings).unwrap().weights;
    let mut apart = Ledger::new(12);
    play(&mut apart, held_apart, Span::ZERO);
    let champion = apart.decided_with(&careless(), 0);
    let candidate = apart.decided_with(&learnt, 0);
    (learnt, compare(&apart.real_truth(0, &champion), &champion, &candidate, 7))
}

#[test]
fn labels_of_some_recordings_lift_a_careless_scorer_on_others() {
    let mut lifts = 0;
    for (taught, held_apart) in [(["calm-day", "shop-day"], "pg-pool"), (["calm-day", "pg-pool"], "shop-day")] {
        let (weights, report) = lifted(&taught, held_apart);
        println!(
            "taught by {taught:?}, held apart {held_apart}: {} problems; by hand {:?}, learnt {:?}; cost {:+.0} \
             ({:+.0} to {:+.0}), pages {:+.0} ({:+.0} to {:+.0}), split {:+.0} ({:+.0} to {:+.0}); threshold {}",
            report.problems,
            report.champion,
            report.candidate,
            report.cost.seen,
            report.cost.low,
            report.cost.high,
            report.pages.seen,
            report.pages.low,
            report.pages.high,
            report.split.seen,
            report.split.low,
            report.split.high,
            weights.threshold,
        );
        assert!(report.champion.split > 0, "a careless hand splits: {report:?}");
        assert_eq!(report.candidate.merged, 0, "nothing is merged wrongly for it: {:?}", report.newly_merged);
        assert!(report.candidate.missed <= report.champion.missed, "{report:?}");
        // Four or five faults are too few for an interval that leaves 0 out.
        assert!(report.candidate.split <= report.champion.split && report.cost.seen <= 0.0, "{report:?}");
        lifts += u32::from(report.candidate.split < report.champion.split && report.cost.seen < 0.0);
    }
    assert!(lifts > 0, "what was learnt on some recordings is better on none of the others");
}
