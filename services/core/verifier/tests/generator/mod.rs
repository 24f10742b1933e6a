//! Answers with planted falsehoods, made from a seed: what the verifier is measured with.
//!
//! How to extend it:
//!
//! - [`world`] makes a world from a seed: a catalogue, a fault that spreads through it, and the events that the
//!   ledger would hold, among them some that the asker may not see. More kinds of events go there.
//! - [`truths`] says true things of a world, each [`Truth`] in several wordings, as a person or a model would:
//!   rounded numbers, times of day, aliases, reordered words. Add a function and a row in `TRUTHS`. A truth
//!   must be true by what its citations say, and must not be made by asking the verifier.
//! - [`lies`] turns a true claim into a false one. Add a function and a row in `LIES`. A lie answers `None`
//!   where it cannot be sure that what it would say is false, and names the check that has to catch it.
//!
//! Everything is a function of its seed: a failure names the seed of its world, and gives the same claim again.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // each test file uses its own part

pub mod lies;
pub mod truths;
pub mod world;

use hindcast_api::{Answer, Claim, ClaimVerdict};
use hindcast_verifier::{Checks, Court};
pub use world::World;

/// Something true that can be said of a world.
pub struct Truth {
    pub name: &'static str,
    pub say: fn(&World, &mut Rng) -> Option<Claim>,
}

/// A way to make a true claim false.
pub struct Lie {
    pub name: &'static str,
    pub tell: fn(&World, &Claim, &mut Rng) -> Option<Claim>,
    /// Switches off the check that catches it.
    pub off: fn(&mut Checks),
}

/// A claim with what is known of it.
#[derive(Clone, Debug)]
pub struct Planted {
    pub claim: Claim,
    /// The truth that it is, or was made from.
    pub truth: &'static str,
    pub lie: Option<&'static str>,
}

/// A small generator of numbers that look random: xorshift64*.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        let mut rng = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            rng.next();
        }
        rng
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % u64::try_from(high - low + 1).unwrap()).unwrap()
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.next() % items.len() as u64).unwrap()]
    }

    pub fn maybe<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { Some(self.pick(items)) }
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }
}

/// A claim that nobody has judged.
pub fn claim(text: impl Into<String>, events: &[&hindcast_api::Event]) -> Claim {
    Claim {
        assertion: None,
        text: text.into(),
        citations: events.iter().map(|event| world::cite(event)).collect(),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    }
}

/// The claims of one answer: true ones, and false ones made from true ones.
pub fn answer(world: &World, rng: &mut Rng, truths: usize, falsehoods: usize) -> Vec<Planted> {
    let mut planted = Vec::new();
    while planted.len() < truths {
        let truth = rng.pick(truths::TRUTHS);
        if let Some(claim) = (truth.say)(world, rng) {
            planted.push(Planted { claim, truth: truth.name, lie: None });
        }
    }
    while planted.len() < truths + falsehoods {
        let lie = rng.pick(lies::LIES);
        // not every lie can be made of every truth
        for _ in 0..60 {
            let truth = rng.pick(truths::TRUTHS);
            if let Some(claim) = (truth.say)(world, rng).and_then(|claim| (lie.tell)(world, &claim, rng)) {
                planted.push(Planted { claim, truth: truth.name, lie: Some(lie.name) });
                break;
            }
        }
    }
    planted
}

/// The claims as an answer.
pub fn whole(planted: &[Planted], court_position: u64) -> Answer {
    Answer {
        answer: String::new(),
        lead: None,
        details: Vec::new(),
        mode: "model".into(),
        claims: planted.iter().map(|planted| planted.claim.clone()).collect(),
        hypotheses: Vec::new(),
        similar: Vec::new(),
        proposals: Vec::new(),
        missing: Vec::new(),
        incident: None,
        severity: None,
        model: None,
        prompt_version: "0".into(),
        position: court_position,
        tokens: None,
        cost: None,
        elapsed_ms: 0,
        conversation: "CNV-0123456789ABCDEF".into(),
        recorded: Vec::new(),
    }
}

/// The court of a world.
pub fn court(world: &World) -> Court {
    Court::new(world.position, world.now, "default")
        .environments(["production"])
        .topology(world.topology.clone())
        .events(world.events.iter().cloned())
}
