//! Figures over a stretch of time, and versions of models.

use hindcast_api::{Duration, ModelStatus, Problem, ReportRow};
use hindcast_domain::{Span, Time};
use hindcast_queries::{ListPart, ReportFilter};

use super::line::{AnswerLine, IntentAnswer, stated};
use super::scene::AnswerScene;
use crate::evidence::when;
use crate::situation::Situation;

/// A mean in words.
fn mean(of: &Duration, what: &str) -> String {
    match of.mean_s {
        #[allow(clippy::cast_possible_truncation)] // seconds, for people
        Some(seconds) => {
            format!("{what} {} on average over {} incidents", Span::millis((seconds * 1_000.0) as i64), of.sample)
        }
        None => format!("{what}: not recorded, no incident has it"),
    }
}

/// Figures over a stretch of time.
pub(super) async fn reports(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    let service = scene.services().first().map(|it| (*it).to_owned());
    let stretch: Option<(Time, Time)> = scene.stretch.or_else(|| {
        let days = if scene.part.has(&["week", "weekly"]) {
            7
        } else if scene.part.has(&["day", "daily", "night"]) {
            1
        } else {
            30
        };
        Some((scene.now - Span::hours(24 * days), scene.now))
    });
    let filter = ReportFilter {
        since: stretch.map(|(from, _)| from),
        until: stretch.map(|(_, to)| to),
        service: service.clone(),
        environment: None,
    };
    let report = scene.seen.report(filter).await?;
    let row: &ReportRow = &report.total;
    let between = stretch.map(|(from, to)| format!(" from {} to {}", when(from), when(to))).unwrap_or_default();
    let of = service.map(|service| format!(" of {service}")).unwrap_or_default();
    let resolve = mean(&row.mttr, "incidents were resolved after");
    let acknowledge = mean(&row.mtta, "incidents were acknowledged after");
    let noise = match row.noise_removed {
        Some(thousandths) => format!("{} of 1000 firings woke nobody by being grouped", thousandths),
        None => "how much noise was removed is not recorded".to_owned(),
    };
    let counts = format!(
        "{} incidents, {} alerts, {} messages, {} pages{of}{between}",
        row.incidents, row.alerts, row.messages, row.pages
    );
    let spend = format!(
        "{} answers, {} of them with a model, cost ${:.2}",
        report.spend.answers, report.spend.with_model, report.spend.cost
    );
    let part = scene.part;
    let lead = if part.has(&["mttr"]) || part.says("time to resolve") {
        &resolve
    } else if part.has(&["mtta"]) || part.says("time to acknowledge") {
        &acknowledge
    } else if part.has(&["cost", "spend", "spent"]) {
        &spend
    } else if part.has(&["noisy", "noise"]) {
        &noise
    } else {
        &counts
    };
    let lead = hindcast_domain::text::capitalized(lead);
    let mut answer = IntentAnswer::new(stated(format!("{lead} ({})", scene.as_of())));
    let rest = [&counts, &resolve, &acknowledge, &noise, &spend].map(|text| hindcast_domain::text::capitalized(text));
    answer.all(rest.into_iter().filter(|text| *text != lead).map(stated));
    Ok(answer)
}

/// Versions of models.
pub(super) async fn models(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let part = scene.part;
    if part.has(&["llm", "language"]) || part.says("you using") {
        let text = match &scene.options.llm {
            Some(llm) => format!("The language model {} may word answers", llm.model()),
            None => "No language model is configured: answers are made from the ledger alone".to_owned(),
        };
        return Ok(IntentAnswer::new(stated(text)));
    }
    if part.has(&["grouped"])
        && let Some(situation) = situation
    {
        let one = &situation.incident;
        return Ok(IntentAnswer::new(stated(format!("Version {} of the weights grouped {}", one.weights, one.id))));
    }
    let all = scene.seen.models(ListPart::first(50)).await?.items;
    let line = |one: &hindcast_api::ModelVersion| -> AnswerLine {
        let status = match one.status {
            ModelStatus::InForce => "decides",
            ModelStatus::Shadow => "runs as a shadow",
            ModelStatus::Candidate => "is a candidate",
            ModelStatus::Retired => "is retired",
        };
        let since = one.in_force_since.map(|at| format!(" since {}", when(at))).unwrap_or_default();
        let why = one.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("Version {} of {} {status}{since}{why}", one.version, one.name);
        stated(text)
    };
    let wanted = if part.has(&["shadow"]) {
        Some(ModelStatus::Shadow)
    } else if part.has(&["candidate", "new"]) {
        Some(ModelStatus::Candidate)
    } else {
        Some(ModelStatus::InForce)
    };
    let found = all.iter().find(|one| Some(&one.status) == wanted.as_ref());
    let lead =
        found.map_or_else(|| stated(format!("No: no such version of a model is recorded {}", scene.as_of())), line);
    let mut answer = IntentAnswer::new(lead);
    answer.all(all.iter().map(line));
    let judged = all.iter().find_map(|one| one.judged.last().map(|judged| (one, judged)));
    if let Some((one, judged)) = judged {
        let reasons = judged.reasons.join("; ");
        answer.line(stated(format!("Version {} was compared with {}: {reasons}", one.version, judged.against)));
    }
    Ok(answer)
}
