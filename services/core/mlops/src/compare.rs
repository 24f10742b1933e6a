//! The paired comparison of two runs over the same labelled past: problems missed, wrongly merged, split;
//! pages; minutes earlier or later; in all and per service, each with an interval. Owns the figures; refuses
//! to judge them, which is the gate's.
//!
//! Intervals are percentile bootstrap intervals of 95 % over problems (Efron and Tibshirani 1993), with a
//! seed, so that the same comparison gives the same figures.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::{EventId, IncidentId, Time};
use serde::{Deserialize, Serialize};

use crate::outcome::RunOutcome;
use crate::seeded::Seeded;
use crate::truth::{LabelledProblem, LabelledProblems, Quality, Stranger};

/// Resamples behind an interval.
const RESAMPLES: usize = 2_000;
/// Problems that are named in a list, at the most.
const NAMED_MAX: usize = 20;
/// What each wrong costs: a wrong merge hides a problem, a missed one is not told, a split tells one twice.
pub const COSTS: (f64, f64, f64) = (5.0, 5.0, 1.0);

/// A difference (candidate minus champion) with its interval of 95 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value on the replayed history itself, without resampling.
    pub seen: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What a run made of the labelled problems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Problems that were told to nobody.
    pub missed: u32,
    /// Problems that share an incident with another one, and firings with what people said they are no part of.
    pub merged: u32,
    /// Incidents beyond the first of each problem.
    pub split: u32,
    /// Pages that were asked for.
    pub pages: u32,
}

/// One service's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfService {
    /// Labelled problems that began there.
    pub problems: u32,
    /// The champion's.
    pub champion: Totals,
    /// The candidate's.
    pub candidate: Totals,
    /// The difference of what the wrongs cost.
    pub cost: Estimate,
}

/// The figures of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComparisonReport {
    /// The first position at which a judged problem may have begun.
    pub from: u64,
    /// Labelled problems that were compared.
    pub problems: u32,
    /// Firings of no labelled problem of which people said what they are no part of.
    #[serde(default)]
    pub strangers: u32,
    /// How far the labels agree.
    pub quality: Quality,
    /// Firings of labelled problems that a run does not have, champion and candidate.
    pub unknown: (u32, u32),
    /// Firings that only one of the two runs has: they did not decide the same intake.
    pub unpaired: u32,
    /// The champion's.
    pub champion: Totals,
    /// The candidate's.
    pub candidate: Totals,
    /// Differences, summed over all problems.
    pub missed: Estimate,
    /// Likewise.
    pub merged: Estimate,
    /// Likewise.
    pub split: Estimate,
    /// Likewise.
    pub pages: Estimate,
    /// Minutes until somebody is paged, on average over the problems that both paged for; below 0 is earlier.
    pub minutes: Estimate,
    /// What the wrongs cost, summed; see [`COSTS`].
    pub cost: Estimate,
    /// By the service where a problem began; `-` where none is known.
    pub services: BTreeMap<String, OfService>,
    /// Problems that the candidate merges wrongly and the champion does not, each with what it is merged with.
    pub newly_merged: Vec<String>,
    /// Problems that only the candidate misses.
    pub newly_missed: Vec<String>,
    /// Problems that only the candidate splits.
    pub newly_split: Vec<String>,
    /// Problems that only the champion gets wrong.
    pub mended: Vec<String>,
}

/// What is compared: a problem, or a stranger.
#[derive(Clone, Copy)]
struct ComparedUnit<'a> {
    name: &'a str,
    service: Option<&'a str>,
}

/// What one run made of one problem.
#[derive(Clone, Debug, Default, PartialEq)]
struct ProblemOutcome {
    missed: bool,
    merged_with: BTreeSet<String>,
    split: u32,
    pages: u32,
    paged_after_ms: Option<i64>,
    unknown: u32,
}

impl ProblemOutcome {
    fn is_merged(&self) -> bool {
        !self.merged_with.is_empty()
    }

    fn cost(&self) -> f64 {
        let (merged, missed, split) = COSTS;
        f64::from(u8::from(self.is_merged())) * merged
            + f64::from(u8::from(self.missed)) * missed
            + f64::from(self.split) * split
    }

    fn add_to(&self, totals: &mut Totals) {
        totals.missed += u32::from(self.missed);
        totals.merged += u32::from(self.is_merged());
        totals.split += self.split;
        totals.pages += self.pages;
    }
}

/// Compares two runs problem by problem.
#[must_use]
pub fn compare(truth: &LabelledProblems, champion: &RunOutcome, candidate: &RunOutcome, seed: u64) -> ComparisonReport {
    let (before, after) = (made(truth, champion), made(truth, candidate));
    let problems =
        truth.problems.iter().map(|problem| ComparedUnit { name: &problem.name, service: problem.service.as_deref() });
    let strangers = truth
        .strangers
        .iter()
        .map(|stranger| ComparedUnit { name: &stranger.name, service: stranger.service.as_deref() });
    let paired: Vec<(ComparedUnit<'_>, &ProblemOutcome, &ProblemOutcome)> =
        problems.chain(strangers).zip(&before).zip(&after).map(|((unit, a), b)| (unit, a, b)).collect();
    let mut report = ComparisonReport {
        from: truth.from,
        problems: count(truth.problems.len()),
        strangers: count(truth.strangers.len()),
        quality: truth.quality,
        unknown: (before.iter().map(|made| made.unknown).sum(), after.iter().map(|made| made.unknown).sum()),
        unpaired: unpaired(champion, candidate),
        ..ComparisonReport::default()
    };
    let mut of_service: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (at, (unit, a, b)) in paired.iter().enumerate() {
        let service = unit.service.unwrap_or("-");
        let part = report.services.entry(service.to_owned()).or_default();
        part.problems += u32::from(at < truth.problems.len());
        a.add_to(&mut part.champion);
        b.add_to(&mut part.candidate);
        a.add_to(&mut report.champion);
        b.add_to(&mut report.candidate);
        of_service.entry(service.to_owned()).or_default().push(b.cost() - a.cost());
        name(&mut report, unit.name, a, b);
    }
    let of = |measure: fn(&ProblemOutcome) -> f64| -> Vec<f64> {
        paired.iter().map(|(_, a, b)| measure(b) - measure(a)).collect()
    };
    report.missed = summed(&of(|made| f64::from(u8::from(made.missed))), seed);
    report.merged = summed(&of(|made| f64::from(u8::from(made.is_merged()))), seed);
    report.split = summed(&of(|made| f64::from(made.split)), seed);
    report.pages = summed(&of(|made| f64::from(made.pages)), seed);
    report.cost = summed(&of(ProblemOutcome::cost), seed);
    #[allow(clippy::cast_precision_loss)] // milliseconds of a few days
    let minutes: Vec<f64> =
        paired.iter().filter_map(|(_, a, b)| Some((b.paged_after_ms? - a.paged_after_ms?) as f64 / 60_000.0)).collect();
    report.minutes = averaged(&minutes, seed);
    for (service, costs) in of_service {
        if let Some(part) = report.services.get_mut(&service) {
            part.cost = summed(&costs, seed);
        }
    }
    report
}

fn name(report: &mut ComparisonReport, problem: &str, a: &ProblemOutcome, b: &ProblemOutcome) {
    let put = |list: &mut Vec<String>, text: String| {
        if list.len() < NAMED_MAX {
            list.push(text);
        }
    };
    if b.is_merged() && !a.is_merged() {
        let with: Vec<&str> = b.merged_with.iter().take(3).map(String::as_str).collect();
        put(&mut report.newly_merged, format!("{problem} with {}", with.join(", ")));
    }
    if b.missed && !a.missed {
        put(&mut report.newly_missed, problem.to_owned());
    }
    if b.split > a.split {
        put(&mut report.newly_split, problem.to_owned());
    }
    if b.cost() < a.cost() {
        put(&mut report.mended, problem.to_owned());
    }
}

fn unpaired(a: &RunOutcome, b: &RunOutcome) -> u32 {
    let only =
        |one: &RunOutcome, other: &RunOutcome| one.firings.keys().filter(|id| !other.firings.contains_key(*id)).count();
    count(only(a, b) + only(b, a))
}

fn made(truth: &LabelledProblems, outcome: &RunOutcome) -> Vec<ProblemOutcome> {
    let mut holders: BTreeMap<&IncidentId, BTreeSet<&str>> = BTreeMap::new();
    for problem in &truth.problems {
        for incident in incidents(problem, outcome) {
            holders.entry(incident).or_default().insert(&problem.name);
        }
    }
    let problems = truth.problems.iter().map(|problem| one(problem, outcome, &holders));
    problems.chain(truth.strangers.iter().map(|stranger| apart(stranger, outcome))).collect()
}

/// Of a stranger it is asked alone whether it is with what it is no part of.
fn apart(stranger: &Stranger, outcome: &RunOutcome) -> ProblemOutcome {
    let home = |firing: &EventId| outcome.firings.get(firing).and_then(|firing| firing.incident.as_ref());
    let here = home(&stranger.firing);
    let with = stranger.apart.iter().filter(|(other, _)| here.is_some() && home(other) == here);
    let known = std::iter::once(&stranger.firing).chain(stranger.apart.keys());
    ProblemOutcome {
        merged_with: with.map(|(_, called)| called.clone()).collect(),
        unknown: count(known.filter(|firing| !outcome.firings.contains_key(*firing)).count()),
        ..ProblemOutcome::default()
    }
}

fn incidents<'a>(problem: &LabelledProblem, outcome: &'a RunOutcome) -> BTreeSet<&'a IncidentId> {
    let firings = problem.firings.iter().filter_map(|id: &EventId| outcome.firings.get(id));
    firings.filter_map(|firing| firing.incident.as_ref()).collect()
}

fn one(
    problem: &LabelledProblem,
    outcome: &RunOutcome,
    holders: &BTreeMap<&IncidentId, BTreeSet<&str>>,
) -> ProblemOutcome {
    let firings: Vec<_> = problem.firings.iter().filter_map(|id| outcome.firings.get(id)).collect();
    let incidents = incidents(problem, outcome);
    let began = firings.iter().map(|firing| firing.at).min().unwrap_or(Time::ZERO);
    let pages_of =
        |incident: &&IncidentId| outcome.pages.get(*incident).into_iter().flatten().filter(|at| **at >= began);
    let pages: Vec<&Time> = incidents.iter().flat_map(pages_of).collect();
    let warranted = firings.iter().any(|firing| firing.severity.pages());
    let merged_with = incidents
        .iter()
        .flat_map(|incident| holders.get(*incident).into_iter().flatten())
        .filter(|name| **name != problem.name)
        .map(|name| (*name).to_owned())
        .collect();
    ProblemOutcome {
        missed: incidents.is_empty() || (warranted && pages.is_empty()),
        merged_with,
        split: count(incidents.len().saturating_sub(1)),
        pages: count(pages.len()),
        paged_after_ms: pages.iter().min().map(|at| at.since(began).as_millis()),
        unknown: count(problem.firings.len() - firings.len()),
    }
}

fn summed(differences: &[f64], seed: u64) -> Estimate {
    interval(differences, seed, |sum, _| sum)
}

fn averaged(differences: &[f64], seed: u64) -> Estimate {
    interval(differences, seed, |sum, count| if count == 0.0 { 0.0 } else { sum / count })
}

#[allow(clippy::cast_precision_loss)] // a few thousand problems
fn interval(values: &[f64], seed: u64, measure: fn(f64, f64) -> f64) -> Estimate {
    let size = values.len() as f64;
    let seen = measure(values.iter().sum(), size);
    let mut seeded = Seeded::new(seed);
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 = values.iter().filter_map(|_| values.get(seeded.below(values.len()))).sum();
            measure(sum, size)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: usize| drawn.get(RESAMPLES * share / 1_000).copied().unwrap_or(seen);
    // Nothing is no less than nothing.
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0 + 0.0;
    Estimate { seen: rounded(seen), low: rounded(at(25)), high: rounded(at(975)) }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
