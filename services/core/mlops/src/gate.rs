//! The gate: a comparison becomes pass, fail, inconclusive or error, with reasons in words. Owns the order
//! of the questions (wrong merges before missed problems before splits); refuses to know how a figure came
//! about. Only a pass may promote, and what has no data has not passed.

use std::collections::BTreeSet;

use hindcast_domain::model::{Judged, Verdict};

use crate::compare::ComparisonReport;
use crate::truth::Quality;
use hindcast_domain::model::PAIR_SCORER;

/// Labelled problems below which nothing is concluded.
pub const PROBLEMS_MIN: u32 = 20;
/// Problems of one service below which the service has no say of its own.
pub const SERVICE_PROBLEMS_MIN: u32 = 5;
/// Labels that may contradict the others, in thousandths.
pub const CONTRADICTED_MAX: u32 = 50;

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Pass, fail, inconclusive or error.
    pub verdict: Verdict,
    /// Why, in plain words; never empty.
    pub reasons: Vec<String>,
}

/// The comparison and the training facts that a verdict is based on.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// The comparison of the candidate with the production version.
    pub report: &'a ComparisonReport,
    /// How far the labels agree that the candidate was learnt from.
    pub training: Quality,
    /// The last position that it was learnt from.
    pub learnt_to: u64,
}

/// Judges a comparison.
#[must_use]
pub fn judge(of: &Judgement<'_>) -> Gated {
    let questions: [fn(&Judgement<'_>) -> Option<Gated>; 7] =
        [broken, too_little, contradictory, wrong_merges, missed, splits, services];
    questions.iter().find_map(|question| question(of)).unwrap_or_else(|| better(of.report))
}

/// Two versions that were compared, by number and by what they are.
#[derive(Clone, Debug)]
pub struct ComparedSides {
    /// The candidate.
    pub version: u32,
    /// SHA-256 of the candidate.
    pub hash: String,
    /// What it was compared with.
    pub against: u32,
    /// SHA-256 of that.
    pub against_hash: String,
}

/// The fact that says how a comparison in one environment ended.
#[must_use]
pub fn judged(
    gated: &Gated,
    report: &ComparisonReport,
    sides: ComparedSides,
    environment: &str,
    environments: BTreeSet<String>,
) -> Judged {
    Judged {
        name: PAIR_SCORER.to_owned(),
        version: sides.version,
        against: sides.against,
        environment: Some(environment.to_owned()),
        hash: Some(sides.hash),
        against_hash: Some(sides.against_hash),
        environments,
        verdict: gated.verdict,
        reasons: gated.reasons.clone(),
        report: serde_json::to_value(report).unwrap_or_default(),
    }
}

fn gated(verdict: Verdict, reasons: Vec<String>) -> Option<Gated> {
    Some(Gated { verdict, reasons })
}

/// The comparison itself did not work.
fn broken(of: &Judgement<'_>) -> Option<Gated> {
    let report = of.report;
    if report.from <= of.learnt_to {
        let reason = format!(
            "judged on what it was learnt from: problems from position {}, learnt up to {}",
            report.from, of.learnt_to
        );
        return gated(Verdict::Error, vec![reason]);
    }
    if report.unpaired > 0 {
        let reason =
            format!("{} firings are known to one run alone: the two did not decide the same intake", report.unpaired);
        return gated(Verdict::Error, vec![reason]);
    }
    let unknown = report.unknown.0.max(report.unknown.1);
    (unknown > 0).then(|| Gated {
        verdict: Verdict::Error,
        reasons: vec![format!("{unknown} firings of labelled problems are not in the intake that was decided again")],
    })
}

fn too_little(of: &Judgement<'_>) -> Option<Gated> {
    let problems = of.report.problems;
    (problems < PROBLEMS_MIN).then(|| Gated {
        verdict: Verdict::Inconclusive,
        reasons: vec![format!("{problems} labelled problems, needs {PROBLEMS_MIN}: name causes when you resolve")],
    })
}

fn contradictory(of: &Judgement<'_>) -> Option<Gated> {
    let sides = [("learnt from", of.training), ("judged on", of.report.quality)];
    let reasons: Vec<String> = sides
        .iter()
        .filter(|(_, quality)| quality.contradicted_thousandths() > CONTRADICTED_MAX)
        .map(|(side, quality)| {
            format!(
                "the labels that it is {side} contradict each other: {} of {}, at most {CONTRADICTED_MAX} of 1000",
                quality.contradicted, quality.labels
            )
        })
        .collect();
    (!reasons.is_empty()).then_some(Gated { verdict: Verdict::Inconclusive, reasons })
}

/// More problems hidden behind others is never worth it.
fn wrong_merges(of: &Judgement<'_>) -> Option<Gated> {
    let report = of.report;
    (report.candidate.merged > report.champion.merged).then(|| {
        let mut reasons =
            vec![format!("{} problems wrongly merged, {} before", report.candidate.merged, report.champion.merged)];
        reasons.extend(report.newly_merged.iter().map(|named| format!("wrongly merged: {named}")));
        Gated { verdict: Verdict::Fail, reasons }
    })
}

fn missed(of: &Judgement<'_>) -> Option<Gated> {
    let report = of.report;
    (report.candidate.missed > report.champion.missed).then(|| {
        let mut reasons = vec![format!(
            "{} problems without a notification, {} before",
            report.candidate.missed, report.champion.missed
        )];
        reasons.extend(report.newly_missed.iter().map(|named| format!("missed: {named}")));
        Gated { verdict: Verdict::Fail, reasons }
    })
}

/// Splits are the cheapest wrong, but whoever merges nothing merges nothing wrongly: more problems may not
/// fall apart than are taken apart.
fn splits(of: &Judgement<'_>) -> Option<Gated> {
    let report = of.report;
    (report.split.low > 0.0 && report.split.seen > -report.merged.seen).then(|| {
        let mut reasons = vec![format!(
            "{} incidents too many for problems that are one, {} before, and only {} wrong merges fewer; {} pages, {} before",
            report.candidate.split, report.champion.split, -report.merged.seen, report.candidate.pages, report.champion.pages
        )];
        reasons.extend(report.newly_split.iter().map(|named| format!("split: {named}")));
        Gated { verdict: Verdict::Fail, reasons }
    })
}

/// Better in all may hide worse in one place.
fn services(of: &Judgement<'_>) -> Option<Gated> {
    let worse: Vec<String> = of
        .report
        .services
        .iter()
        .filter(|(_, part)| part.problems >= SERVICE_PROBLEMS_MIN && part.cost.low > 0.0)
        .map(|(service, part)| {
            format!(
                "worse for {service}: its wrongs cost {} more ({} to {})",
                part.cost.seen, part.cost.low, part.cost.high
            )
        })
        .collect();
    (!worse.is_empty()).then(|| {
        let split = of.report.newly_split.iter().map(|named| format!("split: {named}"));
        Gated { verdict: Verdict::Fail, reasons: worse.into_iter().chain(split).collect() }
    })
}

fn better(report: &ComparisonReport) -> Gated {
    let cost = report.cost;
    let figures =
        format!("its wrongs cost {} ({} to {}) on {} problems", cost.seen, cost.low, cost.high, report.problems);
    let (verdict, reason) = if cost.high < 0.0 {
        (Verdict::Pass, format!("better: {figures}"))
    } else if cost.low > 0.0 {
        (Verdict::Fail, format!("worse: {figures}"))
    } else {
        (Verdict::Inconclusive, format!("no difference that these labels can show: {figures}"))
    };
    let mut reasons = vec![reason];
    if verdict == Verdict::Fail {
        reasons.extend(report.newly_split.iter().map(|named| format!("split: {named}")));
    }
    Gated { verdict, reasons }
}
