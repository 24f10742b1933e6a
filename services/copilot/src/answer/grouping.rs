//! Why alerts are one incident, and why they are not.

use hindcast_api::{Alert, Citation, Incident, Problem, Why, WhyKeptOut, WhyMember};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use crate::evidence::when;
use crate::understand::names::NamedKind;

/// Incidents that are compared.
const CANDIDATES_MAX: usize = 5;

fn member(one: &WhyMember) -> AnswerLine {
    let short = one.text.split_once(" (").map_or(one.text.as_str(), |(short, _)| short).to_owned();
    let cited = Citation { event: one.event.clone(), position: one.position };
    said([one.text.clone(), short], [cited])
}

/// That an alert was kept out of another incident.
fn kept_out_of(one: &WhyKeptOut, other: &str) -> AnswerLine {
    let text = format!("{} was not grouped with {other}, score {:.2}: {}", one.name, one.score, one.text);
    let short = format!("{} was not grouped with {other}: {}", one.name, one.text);
    said([text, short], [Citation { event: one.event.clone(), position: one.position }])
}

/// The alerts that a part names in any way; none where it names nothing.
fn concerned<'a>(scene: &'a AnswerScene<'_>) -> Vec<&'a Alert> {
    let named = !scene.part.names_nothing();
    scene.book.alerts.iter().filter(|alert| named && scene.concerns(alert)).collect()
}

/// Alerts that were over before an incident was opened, or began after it was over: there was nothing to group.
fn not_at_once(scene: &AnswerScene<'_>, one: &Incident) -> Option<AnswerLine> {
    concerned(scene).into_iter().filter(|alert| alert.incident.as_deref() != Some(one.id.as_str())).find_map(|alert| {
        let home = alert.incident.as_deref().map(|id| format!("; it is in {id}")).unwrap_or_default();
        match (alert.ends_at, one.resolved_at) {
            (Some(end), _) if end < one.opened_at => Some(format!(
                "{} was over at {}, before {} was opened at {}{home}",
                alert.name,
                when(end),
                one.id,
                when(one.opened_at)
            )),
            (_, Some(end)) if alert.starts_at > end => Some(format!(
                "{} began at {}, after {} was over at {}{home}",
                alert.name,
                when(alert.starts_at),
                one.id,
                when(end)
            )),
            _ => None,
        }
        .map(stated)
    })
}

fn kept_out(one: &WhyKeptOut) -> AnswerLine {
    let where_to = one.incident.as_deref().map(|id| format!("; it is in {id}")).unwrap_or_default();
    let text = format!("{} was not grouped with it, score {:.2}: {}{where_to}", one.name, one.score, one.text);
    let short = format!("{} was not grouped with it: {}", one.name, one.text);
    said([text, short], [Citation { event: one.event.clone(), position: one.position }])
}

/// Why its alerts are one incident.
pub(super) async fn grouped(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let why = scene.seen.why(&one.id).await?;
    let (alerts, services) = (scene.part.of(NamedKind::Alert), scene.services());
    let named = |it: &&WhyMember| {
        alerts.contains(&it.name.as_str()) || it.service.as_deref().is_some_and(|service| services.contains(&service))
    };
    let asked: Vec<&WhyMember> = why.members.iter().filter(named).collect();
    let grouped: Vec<&WhyMember> = why.members.iter().skip(1).collect();
    let lead = match (asked.iter().rev().find(|it| grouped.contains(it)).or(asked.first()), grouped.first()) {
        (Some(asked), _) => member(asked),
        (None, Some(first)) => {
            let rules: std::collections::BTreeSet<String> = grouped
                .iter()
                .filter_map(|it| it.text.rsplit_once(": ").map(|(_, why)| why.trim_end_matches(')').to_owned()))
                .collect();
            let rules: Vec<String> = rules.into_iter().take(2).collect();
            if rules.is_empty() {
                member(first)
            } else {
                let text =
                    format!("{} of {} alerts were grouped: {}", grouped.len(), why.members.len(), rules.join("; or "));
                stated(text)
            }
        }
        (None, None) => {
            stated(format!("{} \"{}\" has one alert: nothing was grouped with it {}", one.id, one.title, scene.as_of()))
        }
    };
    let mut answer = IntentAnswer::new(lead);
    answer.all(grouped.iter().map(|it| member(it)));
    answer.line(why.members.first().map(member));
    why.kept_out.iter().for_each(|it| answer.fold(kept_out(it)));
    Ok(answer)
}

/// Why alerts or incidents are not one.
pub(super) async fn apart(scene: &AnswerScene<'_>, one: &Incident) -> Result<IntentAnswer, Problem> {
    let why = scene.seen.why(&one.id).await?;
    let (alerts, services) = (scene.part.of(NamedKind::Alert), scene.services());
    let service_of =
        |name: &str| scene.book.alerts.iter().find(|alert| alert.name == name).and_then(|alert| alert.service.clone());
    let concerned = concerned(scene);
    let named = |it: &&WhyKeptOut| {
        alerts.contains(&it.name.as_str())
            || service_of(&it.name).is_some_and(|of| services.contains(&of.as_str()))
            || concerned.iter().any(|alert| alert.name == it.name)
    };
    let others: Vec<&str> = scene.part.of(NamedKind::Incident).into_iter().filter(|id| *id != one.id).collect();
    let general = scene.part.names_nothing() && others.is_empty();
    let mut found: Vec<AnswerLine> = why.kept_out.iter().filter(|it| general || named(it)).map(kept_out).collect();
    if found.is_empty() {
        for other in candidates(scene, one, &others) {
            let theirs = scene.seen.why(&other.id).await?;
            found.extend(theirs.kept_out.iter().filter(named).map(|it| kept_out_of(it, &other.id)));
            found.extend(considered(&theirs, &one.id, other));
            found.extend(considered(&why, &other.id, one));
        }
    }
    if found.is_empty() {
        found.extend(not_at_once(scene, one));
    }
    let inside: Vec<&WhyMember> = why
        .members
        .iter()
        .filter(|it| {
            alerts.contains(&it.name.as_str()) || it.service.as_deref().is_some_and(|of| services.contains(&of))
        })
        .collect();
    if found.is_empty()
        && let Some(inside) = inside.first()
    {
        let mut answer = IntentAnswer::new(stated(format!(
            "{} is part of {} \"{}\" {}",
            inside.name,
            one.id,
            one.title,
            scene.as_of()
        )));
        answer.line(member(inside));
        return Ok(answer);
    }
    let mut found = found.into_iter();
    let lead = found.next().unwrap_or_else(|| {
        stated(format!(
            "Not recorded: nothing was compared with {} \"{}\" and kept out {}",
            one.id,
            one.title,
            scene.as_of()
        ))
    });
    let mut answer = IntentAnswer::new(lead);
    answer.all(found);
    Ok(answer)
}

/// Incidents that the question may compare with this one: those that it names, of whose alerts it names one, or whose
/// symptoms it speaks of; else those that were open at the same time.
fn candidates<'a>(scene: &'a AnswerScene<'_>, one: &Incident, named: &[&str]) -> Vec<&'a Incident> {
    let of_alert: Vec<&str> =
        concerned(scene).into_iter().filter_map(|alert| alert.incident.as_deref()).filter(|id| *id != one.id).collect();
    let at_once = |it: &Incident| {
        it.opened_at <= one.resolved_at.unwrap_or(scene.now) && it.resolved_at.unwrap_or(scene.now) >= one.opened_at
    };
    let is_named = |it: &&Incident| {
        named.contains(&it.id.as_str()) || of_alert.contains(&it.id.as_str()) || scene.incident_speaks(it)
    };
    let others = || scene.book.incidents.iter().filter(|it| it.id != one.id);
    let mut all: Vec<&Incident> = others().filter(is_named).take(CANDIDATES_MAX).collect();
    if all.is_empty() {
        all.extend(others().filter(|it| at_once(it)).take(CANDIDATES_MAX));
    }
    all
}

/// What was said of an incident when the alerts of another one were grouped.
fn considered(why: &Why, other: &str, own: &Incident) -> Option<AnswerLine> {
    why.members.iter().find_map(|it| {
        let grouping = it.grouping.as_ref()?;
        let one = grouping.considered.iter().find(|one| one.incident.as_str() == other)?;
        let score = f64::from(one.score) / 1_000.0;
        let text =
            format!("{} opened {} and was not grouped with {other}, score {score:.2}: {}", it.name, own.id, one.why);
        let text = if grouping.rule.as_str() == "first" { text } else { text.replace("opened", "is in") };
        let short = format!("{} was not grouped with {other}: {}", it.name, one.why);
        Some(said([text, short], [Citation { event: it.event.clone(), position: it.position }]))
    })
}
