//! The verifier against answers with planted falsehoods: almost all of these are removed, almost none of the true
//! claims are, and each check is seen to catch its own kind. The falsehoods swap tokens of the kinds that the checks
//! look for, so the figures say nothing about sentences in free words.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::generator;
use std::collections::BTreeMap;

use generator::{Planted, Rng, World, answer, court, lies, truths, whole};
use hindcast_api::ClaimVerdict;
use hindcast_verifier::{judge, strike};

const WORLDS: u64 = 320;
const ANSWERS: usize = 10;

#[derive(Default)]
struct Tally {
    truths: u32,
    truths_struck: u32,
    truths_supported: u32,
    lies: u32,
    lies_struck: u32,
    lies_supported: u32,
    missed: BTreeMap<&'static str, (u32, u32, String)>,
    wronged: BTreeMap<&'static str, (u32, u32, String)>,
}

impl Tally {
    fn count(&mut self, planted: &Planted, verdict: ClaimVerdict, reason: Option<&String>, seed: u64) {
        let told = || format!("seed {seed}: {:?} {verdict:?} {reason:?} {:?}", planted.claim.text, planted.truth);
        let struck = verdict == ClaimVerdict::Unsupported;
        let supported = verdict == ClaimVerdict::Supported;
        let (entry, wrong) = match planted.lie {
            None => {
                self.truths += 1;
                self.truths_struck += u32::from(struck);
                self.truths_supported += u32::from(supported);
                (self.wronged.entry(planted.truth).or_default(), !supported)
            }
            Some(lie) => {
                self.lies += 1;
                self.lies_struck += u32::from(struck);
                self.lies_supported += u32::from(supported);
                (self.missed.entry(lie).or_default(), !struck)
            }
        };
        entry.1 += 1;
        if wrong {
            entry.0 += 1;
            if entry.0 <= 6 {
                entry.2.push_str(&format!("\n      {}", told()));
            }
        }
    }

    fn print(&self) {
        for (title, table) in [("true and not supported", &self.wronged), ("false and not struck", &self.missed)] {
            println!("{title}");
            for (name, (wrong, of, told)) in table {
                println!("   {name}: {wrong} of {of}{told}");
            }
        }
        println!(
            "true: {} supported, {} struck of {}; false: {} struck, {} supported of {}",
            self.truths_supported, self.truths_struck, self.truths, self.lies_struck, self.lies_supported, self.lies
        );
    }
}

#[test]
fn the_false_is_struck_and_the_true_is_not() {
    let mut tally = Tally::default();
    let mut answers = 0;
    for seed in 1..=WORLDS {
        let world = World::new(seed);
        let mut rng = Rng::new(seed ^ 0xA5A5);
        let court = court(&world);
        for _ in 0..ANSWERS {
            let planted = answer(&world, &mut rng, 3, 2);
            let mut whole = whole(&planted, world.position);
            let counts = strike(&mut whole, &court);
            assert_eq!(counts.claims as usize, planted.len());
            assert_eq!(counts.claims, counts.supported + counts.struck + counts.unverifiable);
            for (planted, claim) in planted.iter().zip(&whole.claims) {
                tally.count(planted, claim.verdict, claim.reason.as_ref(), seed);
            }
            answers += 1;
        }
    }
    tally.print();
    println!("{answers} answers");
    assert!(answers >= 3_000 && tally.lies >= 6_000 && tally.truths >= 9_000);
    assert!(tally.missed.len() == lies::LIES.len(), "every lie was told: {:?}", tally.missed.keys());
    assert!(tally.wronged.len() == truths::TRUTHS.len(), "every truth was said: {:?}", tally.wronged.keys());
    assert!(
        f64::from(tally.lies_supported) <= 0.005 * f64::from(tally.lies),
        "{} of {}",
        tally.lies_supported,
        tally.lies
    );
    assert!(
        f64::from(tally.truths_struck) < 0.02 * f64::from(tally.truths),
        "{} of {}",
        tally.truths_struck,
        tally.truths
    );
}

/// Each lie is told many times to a court that does not make the check that catches it: then most survive, so
/// the figures above can turn red.
#[test]
fn with_its_check_switched_off_each_lie_survives() {
    for lie in lies::LIES {
        let (mut told, mut survived) = (0, 0);
        for seed in 1..=80 {
            let world = World::new(seed);
            let mut rng = Rng::new(seed);
            let mut court = court(&world);
            (lie.off)(&mut court.checks);
            for truth in truths::TRUTHS {
                let Some(mut claim) =
                    (truth.say)(&world, &mut rng).and_then(|claim| (lie.tell)(&world, &claim, &mut rng))
                else {
                    continue;
                };
                judge(&mut claim, &court);
                told += 1;
                survived += u32::from(claim.verdict != ClaimVerdict::Unsupported);
            }
        }
        assert!(told >= 20, "{} was told {told} times", lie.name);
        assert!(f64::from(survived) >= 0.8 * f64::from(told), "{}: {survived} of {told} survived", lie.name);
    }
}
