//! The sections of a postmortem, one function each.

use hindcast_domain::words::ResolvedBy;
use std::collections::BTreeSet;

use hindcast_api::{Causes, Citation, Hypothesis, Proposal, Similar, StepRole, TimelineEntry};
use hindcast_domain::{Severity, Time, incident};

use super::page::{DraftPage, escaped};
use super::{LIST_MAX, TIMELINE_MAX};
use hindcast_api::cited;
use hindcast_domain::text::{clock, day_and_clock};
use hindcast_rca::Evidence;

fn entries<'a>(evidence: &'a Evidence, types: &'a [&'a str]) -> impl Iterator<Item = &'a TimelineEntry> {
    evidence.timeline.iter().filter(move |entry| types.contains(&entry.event_type.as_str()))
}

fn citation(entry: &TimelineEntry) -> Citation {
    Citation { event: entry.event.clone(), position: entry.position }
}

/// The events by which it was opened.
fn opening(evidence: &Evidence) -> Vec<Citation> {
    let opened = entries(evidence, &["incident.opened", "incident.declared"]).take(1).map(citation).collect::<Vec<_>>();
    if opened.is_empty() {
        evidence.symptoms.first().map(|first| vec![first.fired.clone()]).unwrap_or_default()
    } else {
        opened
    }
}

fn ending(evidence: &Evidence) -> Vec<Citation> {
    entries(evidence, &["incident.resolved"]).last().map(citation).into_iter().collect()
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn head(page: &mut DraftPage, evidence: &Evidence) {
    let incident = &evidence.incident;
    page.heading(1, &format!("Postmortem: {}", escaped(&incident.title)));
    page.note(&format!(
        "{} in {}, as of position {} ({} UTC). A draft from the ledger: each sentence cites its events, and what is not recorded says so. Times are UTC.",
        escaped(&incident.id),
        escaped(&incident.environment),
        evidence.position,
        day_and_clock(evidence.now)
    ));
}

pub(super) fn summary(page: &mut DraftPage, evidence: &Evidence, causes: &Causes) {
    let incident = &evidence.incident;
    page.heading(2, "Summary");
    let status = match incident.status {
        incident::Status::Resolved => "is resolved",
        incident::Status::Acknowledged => "is acknowledged and not over",
        _ => "is open",
    };
    page.sentence(
        &format!("{} was opened at {} and {status}.", escaped(&incident.id), day_and_clock(incident.opened_at)),
        &cited(opening(evidence).into_iter().chain(ending(evidence))),
    );
    if let Some(said) = &incident.cause {
        page.sentence(&format!("A person recorded the cause: {}.", escaped(said)), &ending(evidence));
    }
    match causes.items.first() {
        Some(best) => page.sentence(&format!("What explains it best: {}.", escaped(&best.cause)), &best.citations),
        None => page.note(&format!(
            "No cause is named: {}.",
            escaped(causes.why_unresolved.as_deref().unwrap_or("nothing explains it well enough"))
        )),
    }
}

pub(super) fn impact(page: &mut DraftPage, evidence: &Evidence, causes: &Causes) {
    let incident = &evidence.incident;
    page.heading(2, "Impact");
    let fired: Vec<Citation> = evidence.symptoms.iter().map(|symptom| symptom.fired.clone()).collect();
    let fired = cited(fired);
    let first: Vec<Citation> = fired.iter().take(LIST_MAX).cloned().collect();
    page.item(&format!("Affected services: {}.", list(&causes.blast_radius.hit)), &first);
    if !causes.blast_radius.at_risk.is_empty() {
        page.note(&format!("At risk, because they depend on the cause: {}.", list(&causes.blast_radius.at_risk)));
    }
    if !causes.blast_radius.unharmed.is_empty() {
        page.note(&format!("No sign seen, which does not mean healthy: {}.", list(&causes.blast_radius.unharmed)));
    }
    match incident.resolved_at {
        Some(end) => page.item(
            &format!(
                "It lasted {} from its first symptom at {}.",
                end.since(incident.started_at),
                clock(incident.started_at)
            ),
            &cited(opening(evidence).into_iter().chain(ending(evidence))),
        ),
        None => page
            .item(&format!("It began at {} and is not over.", day_and_clock(incident.started_at)), &opening(evidence)),
    }
    page.item(
        &format!(
            "{} alerts, of {} occurrences; the worst severity was {}.",
            incident.alerts, incident.occurrences, incident.peak_severity
        ),
        &first,
    );
    page.note("How many users or how much money it affected is not recorded.");
}

pub(super) fn timeline(page: &mut DraftPage, evidence: &Evidence) {
    page.heading(2, "Timeline");
    let all = &evidence.timeline;
    if all.is_empty() {
        page.note("Nothing is recorded.");
        return;
    }
    let left_out = all.len().saturating_sub(TIMELINE_MAX);
    let head = if left_out > 0 { TIMELINE_MAX / 2 } else { all.len() };
    let line = |page: &mut DraftPage, entry: &TimelineEntry| {
        page.item(&format!("{} {}", clock(entry.time), escaped(&entry.text)), &[citation(entry)]);
    };
    all.iter().take(head).for_each(|entry| line(page, entry));
    if left_out > 0 {
        page.note(&format!("{left_out} entries are left out here; the incident's timeline has them all."));
        all.iter().skip(head + left_out).for_each(|entry| line(page, entry));
    }
}

pub(super) fn detection(page: &mut DraftPage, evidence: &Evidence) {
    page.heading(2, "Detection");
    let finding = evidence.findings.iter().min_by_key(|finding| (finding.finding.at, finding.position));
    match finding {
        Some(finding) => page.item(
            &format!(
                "The first finding is of {} at {}: {}.",
                escaped(&finding.finding.service),
                clock(finding.finding.at),
                escaped(&finding.finding.title)
            ),
            &[Citation { event: finding.event.clone(), position: finding.position }],
        ),
        None => page.note("No finding of ours is recorded."),
    }
    let Some(first) = evidence.symptoms.iter().min_by_key(|symptom| (symptom.alert.starts_at, symptom.fired.position))
    else {
        page.note("No alert is recorded.");
        return;
    };
    let alert = &first.alert;
    page.item(
        &format!(
            "The first alert is {}, which began at {} and was known at {}, {} later.",
            escaped(&alert.name),
            clock(alert.starts_at),
            clock(alert.first_seen_at),
            alert.first_seen_at.since(alert.starts_at)
        ),
        std::slice::from_ref(&first.fired),
    );
    let told = entries(evidence, &["notice.delivered", "notice.requested"]).next();
    match told {
        Some(entry) => page.item(
            &format!(
                "People were notified at {}, {} after that alert began.",
                clock(entry.time),
                entry.time.since(alert.starts_at)
            ),
            &[citation(entry)],
        ),
        None => page.note("No notification is recorded."),
    }
}

pub(super) fn response(page: &mut DraftPage, evidence: &Evidence) {
    page.heading(2, "Response");
    let types = [
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.assigned",
        "incident.noted",
        "incident.severity_set",
        "incident.snoozed",
        "incident.merged",
        "incident.split",
        "incident.reopened",
    ];
    let mut any = false;
    for entry in entries(evidence, &types).take(TIMELINE_MAX) {
        any = true;
        page.item(
            &format!("{} {}: {}", clock(entry.time), escaped(&entry.actor), escaped(&entry.text)),
            &[citation(entry)],
        );
    }
    if !any {
        page.note("That anybody acknowledged it or wrote something down is not recorded.");
    }
    if let Some(first) = entries(evidence, &["incident.acknowledged"]).next() {
        let since = first.time.since(evidence.incident.opened_at);
        page.sentence(&format!("It was acknowledged {since} after it was opened."), &{
            let mut both = opening(evidence);
            both.push(citation(first));
            both
        });
    }
}

pub(super) fn cause(page: &mut DraftPage, evidence: &Evidence, causes: &Causes) {
    page.heading(2, "Cause");
    if let Some(said) = &evidence.incident.cause {
        page.sentence(&format!("Said by a person: {}.", escaped(said)), &ending(evidence));
    }
    match causes.items.first() {
        None => {
            page.note(&format!("Unresolved: {}.", escaped(causes.why_unresolved.as_deref().unwrap_or("not recorded"))))
        }
        Some(best) => hypothesis(page, best),
    }
    for other in causes.items.iter().skip(1).take(LIST_MAX) {
        page.sentence(
            &format!("Also possible, with a score of {:.3}: {}.", other.score, escaped(&other.cause)),
            &other.citations,
        );
    }
    page.heading(3, "Considered and refuted");
    if causes.refuted.is_empty() {
        page.note("No other cause was considered.");
    }
    for other in causes.refuted.iter().take(LIST_MAX) {
        let why = other.refutes.iter().map(|statement| escaped(&statement.text)).collect::<Vec<_>>().join("; ");
        page.item(&format!("{}: {why}.", escaped(&other.cause)), &other.citations);
    }
}

fn hypothesis(page: &mut DraftPage, best: &Hypothesis) {
    page.sentence(&format!("{} (score {:.3}, not a probability).", escaped(&best.cause), best.score), &best.citations);
    page.heading(3, "From there to the alarm");
    for step in &best.path {
        let role = match step.role {
            StepRole::Broke => "root cause",
            StepRole::Then => "propagated to",
            StepRole::Alarmed => "first alert",
        };
        page.item(
            &format!("**{role}** {} {}: {}", clock(step.time), escaped(&step.service), escaped(&step.text)),
            &step.citations,
        );
    }
    for (title, statements) in [("Evidence for it", &best.confirms), ("Evidence against it", &best.refutes)] {
        page.heading(3, title);
        if statements.is_empty() {
            page.note("Nothing is recorded.");
        }
        for statement in statements.iter().take(LIST_MAX) {
            page.item(&format!("{}.", escaped(&statement.text)), &statement.citations);
        }
    }
}

pub(super) fn knew(page: &mut DraftPage, evidence: &Evidence, causes: &Causes, knew: &[(Time, Causes)]) {
    page.heading(2, "What was known when");
    let mut all: Vec<(Time, &Causes)> = knew.iter().map(|(time, causes)| (*time, causes)).collect();
    all.sort_by_key(|(time, causes)| (*time, causes.position));
    all.push((evidence.now, causes));
    for (time, causes) in all {
        let at = format!("{} (position {})", clock(time), causes.position);
        match causes.items.first() {
            Some(best) => {
                page.item(&format!("By {at}: {} (score {:.3}).", escaped(&best.cause), best.score), &best.citations)
            }
            None => page.item(
                &format!(
                    "By {at}: unresolved, because {}.",
                    escaped(causes.why_unresolved.as_deref().unwrap_or("not recorded"))
                ),
                &opening(evidence),
            ),
        }
    }
}

pub(super) fn resolution(page: &mut DraftPage, evidence: &Evidence) {
    page.heading(2, "Resolution");
    let incident = &evidence.incident;
    let Some(end) = incident.resolved_at else {
        page.note("It is not resolved as of this draft.");
        return;
    };
    let by = match incident.resolved_by {
        Some(ResolvedBy::Quiet) => "all its alerts were over",
        Some(ResolvedBy::Stale) => "its alerts are no longer sent",
        Some(ResolvedBy::Person) => "a person resolved it",
        Some(ResolvedBy::Merged) => "it was merged into another incident",
        Some(ResolvedBy::Other(_)) | None => "why is not recorded",
    };
    page.sentence(&format!("It was over at {}: {by}.", day_and_clock(end)), &ending(evidence));
    match &incident.resolution {
        Some(said) => page.sentence(&format!("Resolution: {}.", escaped(said)), &ending(evidence)),
        None => page.note("The resolution is not recorded."),
    }
    if incident.reopened > 0 {
        let back: Vec<Citation> = entries(evidence, &["incident.reopened"]).map(citation).collect();
        page.sentence(&format!("It was reopened {} times.", incident.reopened), &back);
    }
}

pub(super) fn similar(page: &mut DraftPage, similar: &[Similar]) {
    page.heading(2, "Similar incidents");
    if !similar.iter().any(|other| other.same) {
        page.note("No matching past incident is recorded.");
    }
    for other in similar.iter().take(LIST_MAX) {
        let kind = if other.same { "the same problem" } else { "similar symptoms, different cause" };
        let mut text = format!(
            "{} at {}, {kind}: {}",
            escaped(&other.incident),
            day_and_clock(other.opened_at),
            escaped(&other.title)
        );
        let reasons = if other.same { &other.why } else { &other.differs };
        if !reasons.is_empty() {
            text.push_str(&format!(
                " ({})",
                reasons.iter().take(3).map(|reason| escaped(reason)).collect::<Vec<_>>().join("; ")
            ));
        }
        if let Some(resolution) = &other.resolution {
            text.push_str(&format!("; ended by: {}", escaped(resolution)));
        }
        page.item(&format!("{text}."), &other.citations);
    }
}

pub(super) fn follow_ups(page: &mut DraftPage, evidence: &Evidence, causes: &Causes, proposals: &[Proposal]) {
    page.heading(2, "Follow-ups to decide");
    for proposal in proposals.iter().take(LIST_MAX) {
        page.task(
            &format!(
                "Was {} the right thing to do ({}; risk {})? Who makes it unnecessary?",
                escaped(&proposal.runbook),
                escaped(&proposal.title),
                escaped(&proposal.risk)
            ),
            &proposal.citations,
        );
    }
    if let Some(best) = causes.items.first() {
        page.task(&format!("Is this the cause: {}? Confirm it or say what it was.", escaped(&best.cause)), &[]);
        let alerted: BTreeSet<&str> =
            evidence.symptoms.iter().filter_map(|symptom| symptom.alert.service.as_deref()).collect();
        if !alerted.contains(best.service.as_str()) {
            page.task(&format!("No alert rang for {} itself. Should one?", escaped(&best.service)), &[]);
        }
    } else {
        page.task("No cause is recorded. What was the cause, and what should be recorded to find it next time?", &[]);
    }
    if evidence.incident.resolved_at.is_some() && evidence.incident.resolution.is_none() {
        page.task("Write down what ended it: the next time it is proposed.", &[]);
    }
    if evidence.incident.acknowledged_at.is_none() && evidence.incident.peak_severity >= Severity::High {
        page.task("Nobody acknowledged it. Did the page reach anybody?", &[]);
    }
    page.task("Who owns each of these, and until when? Not recorded.", &[]);
}
