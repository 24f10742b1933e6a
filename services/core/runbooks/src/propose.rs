//! Chooses runbooks for an incident, with the values that its evidence gives their parameters. Owns what fits
//! how well; refuses to propose a repair where the cause is not known.

use hindcast_api::ProposalStatus;
use std::collections::BTreeMap;

use hindcast_api::{Alert, Causes, Citation, Hypothesis, Proposal, Similar, Worked};
use hindcast_domain::{ProposalId, incident};
use regex::Regex;
use serde_json::Value;

use super::compiled::compiled;
use super::fill::{FilledRunbook, fill};
use super::origin::{self, ParameterSources};
use super::{InvalidRunbook, Moved, Purpose, RiskLevel, Runbook, RunbookSign};
use hindcast_api::cited;
use hindcast_domain::text::one_line;
use hindcast_rca::Evidence;

/// Proposals for one incident at most.
pub const PROPOSALS_MAX: usize = 5;
/// Causes that are looked at, best first.
const CAUSES_MAX: usize = 2;

/// Something that was seen at a service.
struct ServiceObservation<'a> {
    alert: Option<&'a Alert>,
    /// Everything that may be matched, in lower case.
    text: String,
    metric: Option<&'a str>,
    moved: Option<Moved>,
    citation: Citation,
}

/// Proposes runbooks for an incident, best first: for the cause that is named, those that ended the same
/// problem before come first. Where nothing is named, only such as look and do nothing.
#[must_use]
pub fn propose(evidence: &Evidence, causes: &Causes, similar: &[Similar], runbooks: &[Runbook]) -> Vec<Proposal> {
    let mut all: Vec<(i64, Proposal)> = Vec::new();
    for (rank, cause) in causes.items.iter().take(CAUSES_MAX).enumerate() {
        let seen = seen(evidence, &cause.service);
        for runbook in runbooks {
            let Some((fit, citations)) = fits(runbook, Some(cause), &cause.service, &seen) else {
                continue;
            };
            let Some(proposal) = for_service(runbook, &cause.service, Some(cause), evidence, similar, &seen, citations)
            else {
                continue;
            };
            all.push((weight(rank, fit, &proposal, runbook), proposal));
        }
    }
    if causes.unresolved {
        all.extend(looks(evidence, similar, runbooks));
    }
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (&a.1.runbook, &a.1.id).cmp(&(&b.1.runbook, &b.1.id))));
    let repairs = all.iter().any(|(_, proposal)| is_repair(proposal, runbooks));
    let mut proposals: Vec<Proposal> = Vec::new();
    for (_, proposal) in all {
        let twice = proposals.iter().any(|known| known.id == proposal.id);
        // who knows what to do need not look first
        if !twice && (!repairs || is_repair(&proposal, runbooks)) {
            proposals.push(proposal);
        }
    }
    proposals.truncate(PROPOSALS_MAX);
    proposals
}

fn is_repair(proposal: &Proposal, runbooks: &[Runbook]) -> bool {
    runbooks.iter().any(|runbook| runbook.name == proposal.runbook && runbook.purpose == Purpose::Repair)
}

/// What orders proposals: what helped before, how well it fits, what it risks.
fn weight(rank: usize, fit: u32, proposal: &Proposal, runbook: &Runbook) -> i64 {
    let risk = match runbook.risk.level {
        RiskLevel::Low => 0,
        RiskLevel::Medium => 5,
        RiskLevel::High => 10,
    };
    let failed = proposal.worked.of.saturating_sub(proposal.worked.ended);
    let rank = i64::try_from(rank).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000);
    i64::from(proposal.worked.ended) * 100 - i64::from(failed) * 50 + i64::from(fit) * 10 - risk - rank
}

/// What only looks, at the first service that alarmed, where no cause is named.
fn looks(evidence: &Evidence, similar: &[Similar], runbooks: &[Runbook]) -> Vec<(i64, Proposal)> {
    let mut services: Vec<&str> = evidence.symptoms.iter().filter_map(|s| s.alert.service.as_deref()).collect();
    services.sort_unstable();
    let Some(service) = services.first() else {
        return Vec::new();
    };
    let seen = seen(evidence, service);
    let looking = |runbook: &&Runbook| runbook.purpose == Purpose::Diagnose && runbook.risk.level == RiskLevel::Low;
    runbooks
        .iter()
        .filter(looking)
        .filter_map(|runbook| {
            let (fit, citations) = fits(runbook, None, service, &seen)?;
            let proposal = for_service(runbook, service, None, evidence, similar, &seen, citations)?;
            Some((i64::from(fit), proposal))
        })
        .collect()
}

/// Alerts and findings of a service.
fn seen<'a>(evidence: &'a Evidence, service: &str) -> Vec<ServiceObservation<'a>> {
    let alerts = evidence.symptoms.iter().filter(|symptom| symptom.alert.service.as_deref() == Some(service));
    let mut all: Vec<ServiceObservation> = alerts
        .map(|symptom| {
            let alert = &symptom.alert;
            let texts = alert.annotations.values().chain(alert.labels.values()).map(String::as_str);
            let text = std::iter::once(alert.name.as_str()).chain(texts).collect::<Vec<_>>().join("\n");
            ServiceObservation {
                alert: Some(alert),
                text: text.to_lowercase(),
                metric: None,
                moved: None,
                citation: symptom.fired.clone(),
            }
        })
        .collect();
    all.extend(evidence.findings.iter().filter(|finding| finding.finding.service == service).map(|finding| {
        let found = &finding.finding;
        let lines = found.template.as_ref().map(|template| format!("{}\n{}", template.text, template.sample));
        let metric = found.metric.as_deref();
        let text = [lines.as_deref(), metric].into_iter().flatten().collect::<Vec<_>>().join("\n");
        ServiceObservation {
            alert: None,
            text: text.to_lowercase(),
            metric,
            moved: metric.map(|_| if found.after >= found.before { Moved::Up } else { Moved::Down }),
            citation: Citation { event: finding.event.clone(), position: finding.position },
        }
    }));
    all.sort_by(|a, b| a.citation.cmp(&b.citation));
    all
}

/// How well a runbook fits (signs that are there, 1 where it asks for none), with the events that say so.
fn fits(
    runbook: &Runbook,
    cause: Option<&Hypothesis>,
    service: &str,
    seen: &[ServiceObservation],
) -> Option<(u32, Vec<Citation>)> {
    let applies = &runbook.applies;
    if applies.after_change && cause.is_none_or(|cause| cause.kind != "change") {
        return None;
    }
    let kinds: Vec<Regex> = applies.service.iter().filter_map(|pattern| compiled(pattern)).collect();
    let of_kind = |kind: &Regex| kind.is_match(service) || seen.iter().any(|seen| kind.is_match(&seen.text));
    if !applies.service.is_empty() && !kinds.iter().any(of_kind) {
        return None;
    }
    if applies.signs.is_empty() {
        let citations = cause.map(|cause| cause.citations.clone()).unwrap_or_default();
        let own = || seen.iter().map(|seen| seen.citation.clone()).collect();
        return Some((1, if citations.is_empty() { own() } else { citations }));
    }
    let mut fit = 0;
    let mut citations = Vec::new();
    for sign in &applies.signs {
        let patterns = SignPatterns::of(sign);
        let hits: Vec<&ServiceObservation> = seen.iter().filter(|seen| patterns.fit(sign, seen)).collect();
        fit += u32::from(!hits.is_empty());
        citations.extend(hits.into_iter().map(|seen| seen.citation.clone()));
    }
    (fit > 0).then(|| (fit, cited(citations)))
}

/// A sign's patterns, compiled; one that is no pattern fits nothing.
struct SignPatterns {
    alert: Option<Option<Regex>>,
    metric: Option<Option<Regex>>,
    text: Option<Option<Regex>>,
    /// In lower case, as the text is.
    words: Vec<String>,
}

impl SignPatterns {
    fn of(sign: &RunbookSign) -> Self {
        Self {
            alert: sign.alert.as_deref().map(compiled),
            metric: sign.metric.as_deref().map(compiled),
            text: sign.text.as_deref().map(|pattern| compiled(&format!("(?i){pattern}"))),
            words: sign.words.iter().map(|word| word.to_lowercase()).collect(),
        }
    }

    /// Whether the sign is there.
    fn fit(&self, sign: &RunbookSign, seen: &ServiceObservation) -> bool {
        let fits = |pattern: &Option<Option<Regex>>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| pattern.as_ref().is_some_and(|regex| regex.is_match(text))),
        };
        sign.moved.is_none_or(|moved| seen.moved == Some(moved))
            && fits(&self.alert, seen.alert.map(|alert| alert.name.as_str()))
            && fits(&self.metric, seen.metric)
            && self.words.iter().all(|word| seen.text.contains(word))
            && fits(&self.text, Some(&seen.text))
    }
}

#[allow(clippy::too_many_arguments)] // all that a proposal is made of
fn for_service(
    runbook: &Runbook,
    service: &str,
    cause: Option<&Hypothesis>,
    evidence: &Evidence,
    similar: &[Similar],
    seen: &[ServiceObservation],
    citations: Vec<Citation>,
) -> Option<Proposal> {
    let (mut params, mut sources) = (BTreeMap::new(), ParameterSources::new());
    for (name, param) in &runbook.params {
        let valid = |(value, _): &(Value, Option<Citation>)| super::value::checked(name, param, value).is_ok();
        let mut from = param.from.iter();
        let given = from.find_map(|source| Some((source, found(source, service, evidence, seen).filter(valid)?)));
        if let Some((source, (value, citation))) = given {
            params.insert(name.clone(), value);
            let citation = citation.or_else(|| citations.first().cloned());
            sources.insert(name.clone(), origin::source(source, citation.as_ref()));
        } else {
            sources.insert(name.clone(), origin::source(origin::DEFAULT, None));
        }
    }
    // a required value that the evidence does not give: nothing is proposed with a guess
    let filled = fill(runbook, &params).ok()?;
    let worked = worked(runbook, similar);
    let why = why(runbook, service, cause, worked);
    Some(made(runbook, filled, &evidence.incident.id, why, worked, cited(citations), ("rules", sources)))
}

/// The value that the evidence gives a parameter, with the event that says so; none where it is the cause's own.
fn found(
    source: &str,
    service: &str,
    evidence: &Evidence,
    seen: &[ServiceObservation],
) -> Option<(Value, Option<Citation>)> {
    let version = |at: usize| {
        let (version, event) = versions(evidence, service).into_iter().nth(at)?;
        Some((version, Some(event)))
    };
    let (text, event) = match source {
        "cause.service" => (service.to_owned(), None),
        "incident.id" => (evidence.incident.id.clone(), evidence.symptoms.first().map(|symptom| symptom.fired.clone())),
        "finding.metric" => {
            let found = seen.iter().find(|seen| seen.metric.is_some())?;
            (found.metric?.to_owned(), Some(found.citation.clone()))
        }
        "change.version" => version(0)?,
        "change.previous_version" => version(1)?,
        _ => {
            let label = source.strip_prefix("alert.label.");
            let annotation = source.strip_prefix("alert.annotation.");
            seen.iter().find_map(|seen| {
                let alert = seen.alert?;
                let label = label.and_then(|name| alert.labels.get(name));
                let value = label.or_else(|| annotation.and_then(|name| alert.annotations.get(name)))?;
                Some((value.clone(), Some(seen.citation.clone())))
            })?
        }
    };
    Some((Value::String(text), event))
}

/// Versions that a service went to, the latest first, with the events that say so.
fn versions(evidence: &Evidence, service: &str) -> Vec<(String, Citation)> {
    let mut all: Vec<_> = evidence
        .changes
        .iter()
        .filter(|change| change.change.service.as_deref() == Some(service))
        .filter_map(|change| {
            Some((change.change.at, change.position, change.event.clone(), change.change.version.clone()?))
        })
        .filter(|(at, ..)| *at <= evidence.onset())
        .collect();
    all.sort();
    all.into_iter().rev().map(|(_, position, event, version)| (version, Citation { event, position })).collect()
}

/// How often it ended the same problem, of how often it was named as what was done.
fn worked(runbook: &Runbook, similar: &[Similar]) -> Worked {
    let mut worked = Worked::default();
    for similar in similar.iter().filter(|similar| similar.same) {
        let Some(resolution) = similar.resolution.as_deref() else {
            continue;
        };
        if !means(runbook, resolution) {
            continue;
        }
        worked.of += 1;
        worked.ended += u32::from(similar.status == incident::Status::Resolved && similar.quiet_for_s.is_some());
    }
    worked
}

/// Whether a resolution names the runbook, or says what it does.
fn means(runbook: &Runbook, resolution: &str) -> bool {
    let text = resolution.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let has = |part: &str| words.iter().any(|word| word.starts_with(part));
    let phrase = |phrase: &String| phrase.to_lowercase().split_whitespace().all(has);
    text.contains(&runbook.name) || runbook.known_as.iter().any(phrase)
}

fn why(runbook: &Runbook, service: &str, cause: Option<&Hypothesis>, worked: Worked) -> String {
    let mut text = match cause {
        Some(cause) => one_line(&cause.cause),
        None => format!("no cause is known yet; {service} alarmed"),
    };
    if worked.of > 0 {
        text.push_str(&format!("; it ended the same problem {} of {} times", worked.ended, worked.of));
    }
    if runbook.purpose == Purpose::Diagnose {
        text.push_str("; it only looks");
    }
    text
}

/// A proposal that a person or a model names: checked and filled like one of ours.
///
/// # Errors
/// The first parameter that is unknown, missing, or may not have its value, or that names a target of which no event
/// knows.
pub fn proposal(
    runbook: &Runbook,
    params: &BTreeMap<String, Value>,
    evidence: &Evidence,
    causes: &Causes,
    similar: &[Similar],
    by: &str,
) -> Result<Proposal, InvalidRunbook> {
    let filled = fill(runbook, params)?;
    let sources = origin::of_given(runbook, params, &filled, evidence, causes)?;
    let cause = causes.items.first();
    let citations = cause
        .map(|cause| cause.citations.clone())
        .unwrap_or_else(|| evidence.symptoms.iter().map(|symptom| symptom.fired.clone()).collect());
    let worked = worked(runbook, similar);
    let why =
        format!("named by {by}{}", cause.map(|cause| format!("; {}", one_line(&cause.cause))).unwrap_or_default());
    Ok(made(runbook, filled, &evidence.incident.id, why, worked, cited(citations), (by, sources)))
}

fn made(
    runbook: &Runbook,
    filled: FilledRunbook,
    incident: &str,
    why: String,
    worked: Worked,
    citations: Vec<Citation>,
    (by, sources): (&str, ParameterSources),
) -> Proposal {
    let params = serde_json::to_vec(&filled.params).unwrap_or_default();
    let id = ProposalId::derive(&[b"proposal", incident.as_bytes(), runbook.name.as_bytes(), &params]);
    Proposal {
        id: id.to_string(),
        incident: incident.to_owned(),
        runbook: runbook.name.clone(),
        title: filled.title,
        version: runbook.version(),
        params: filled.params,
        sources,
        targets: filled.targets,
        why,
        effect: filled.effect,
        risk: format!("{}: {}", runbook.risk.level.as_str(), one_line(&runbook.risk.what)),
        worked,
        steps: filled.steps,
        citations,
        by: by.to_owned(),
        status: ProposalStatus::Proposed,
    }
}
