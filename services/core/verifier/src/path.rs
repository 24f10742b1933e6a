//! Paths: what broke → what it did → what alarmed. Each step must stand in the events that it cites, at its
//! time and at its service; times never fall; each service is depended on by a later one.

use std::sync::Arc;

use hindcast_api::{Claim, ClaimVerdict, PathStep, StepRole};

use crate::ClaimFault;
use crate::court::Court;
use crate::facts::EventFacts;
use crate::{bears, deny, read, stands};

/// Steps that a path may have.
const STEPS_MAX: usize = 32;
/// Nanoseconds by which a step's time may differ from its event's: people write seconds.
const SECOND: i64 = 1_000_000_000;

/// Checks a path; an empty one is none.
pub(crate) fn path(steps: &[PathStep], court: &Court) -> Result<(), ClaimFault> {
    if !court.checks.path || steps.is_empty() {
        return Ok(());
    }
    if steps.len() > STEPS_MAX {
        return Err(ClaimFault::Unsupported(format!("expected at most {STEPS_MAX} steps, got {}", steps.len())));
    }
    let mut witnesses = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let cited = court.summon(&step.citations).map_err(|wrong| at(index, wrong))?;
        self::step(step, &cited, court).map_err(|wrong| at(index, wrong))?;
        witnesses.push(cited);
    }
    roles(steps)?;
    times(steps, &witnesses)?;
    ways(steps, court)
}

fn at(index: usize, wrong: ClaimFault) -> ClaimFault {
    ClaimFault::Unsupported(format!("step {}: {wrong}", index + 1))
}

fn step(step: &PathStep, cited: &[Arc<EventFacts>], court: &Court) -> Result<(), ClaimFault> {
    let service = court.names().resolve(&step.service);
    if !cited.iter().any(|facts| facts.about.contains(service) || facts.services.contains(service)) {
        return Err(ClaimFault::Unsupported(format!("none of its events is about {:?}", step.service)));
    }
    let near = |time: &hindcast_domain::Time| (time.nanos() - step.time.nanos()).abs() < SECOND;
    if !cited.iter().any(|facts| facts.times.iter().any(near)) {
        return Err(ClaimFault::Unsupported(format!("none of its events happened at {}", step.time)));
    }
    let reading = read::read(&step.text, court.names());
    stands::stands(&reading, cited, court)?;
    deny::deny(&reading, cited, court)?;
    let claim = Claim {
        assertion: None,
        text: step.text.clone(),
        citations: step.citations.clone(),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    };
    match bears::bears(&reading, &claim, cited, court) {
        // a step's service and time are checked apart, so its words may be few
        Err(ClaimFault::Unverifiable(_)) | Ok(()) => Ok(()),
        wrong => wrong,
    }
}

/// Broke first and once, then what followed, and the alarm last.
fn roles(steps: &[PathStep]) -> Result<(), ClaimFault> {
    let sorted = steps.windows(2).all(|pair| matches!(pair, [a, b] if a.role <= b.role));
    let once = steps.iter().filter(|step| step.role == StepRole::Broke).count() <= 1;
    if sorted && once {
        return Ok(());
    }
    Err(ClaimFault::Unsupported("expected one root cause at the beginning and the first alert at the end".to_owned()))
}

fn times(steps: &[PathStep], witnesses: &[Vec<Arc<EventFacts>>]) -> Result<(), ClaimFault> {
    let begun = |cited: &Vec<Arc<EventFacts>>| cited.iter().map(|facts| facts.begun).min();
    for (pair, events) in steps.windows(2).zip(witnesses.windows(2)) {
        let ([a, b], [one, other]) = (pair, events) else {
            continue;
        };
        if a.time > b.time || begun(one) > begun(other) {
            return Err(ClaimFault::Unsupported(format!(
                "{} at {} is no later than what it led to",
                a.service, a.time
            )));
        }
    }
    Ok(())
}

/// Each service is one that an earlier step's is depended on by, and none that an earlier one depends on.
fn ways(steps: &[PathStep], court: &Court) -> Result<(), ClaimFault> {
    let Some(topology) = court.known_topology() else {
        return Ok(());
    };
    let known = |step: &&PathStep| topology.resolve(&step.service).is_some();
    for (index, step) in steps.iter().enumerate().skip(1).filter(|(_, step)| known(step)) {
        let earlier: Vec<&PathStep> = steps.iter().take(index).filter(known).collect();
        let on = |other: &&&PathStep| topology.depends(&step.service, &other.service).is_some();
        if !earlier.is_empty() && !earlier.iter().any(|other| on(&other)) {
            return Err(ClaimFault::Unsupported(format!("{} depends on no step before it", step.service)));
        }
        let same = |other: &PathStep| topology.depends(&step.service, &other.service) == Some(0);
        let back = |other: &&&PathStep| {
            !same(other)
                && topology.depends(&other.service, &step.service).is_some()
                && topology.depends(&step.service, &other.service).is_none()
        };
        if let Some(other) = earlier.iter().find(|other| back(other)) {
            return Err(ClaimFault::Unsupported(format!(
                "{} depends on {}, not the other way round",
                other.service, step.service
            )));
        }
    }
    Ok(())
}
