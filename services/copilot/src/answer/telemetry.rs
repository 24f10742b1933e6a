//! Log lines and metrics. What detectors found stands in events and can be cited; the raw records beside the ledger can
//! not, and are read for questions about now alone.

use hindcast_api::{Citation, Finding, Problem};
use hindcast_domain::text::{cut, figure};
use hindcast_domain::words::LogLevel;
use hindcast_domain::{Partition, Span, Time, finding};
use hindcast_queries::{FindingFilter, ListPart};
use hindcast_telemetry::{LogFilter, SampleFilter, TelemetryWindow};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use crate::evidence::when;
use crate::situation::Situation;

/// Findings that are read.
const READ_MAX: usize = 500;
/// Characters of a log line that are told.
const LINE_CHARS_MAX: usize = 200;
/// How far before an incident findings and records belong to it.
const BEFORE: Span = Span::minutes(5);
/// How far before an incident its own log lines begin.
const JUST_BEFORE: Span = Span::minutes(1);
/// Log records that are read.
const RECORDS_MAX: usize = 5;
/// The longest stretch of samples that is read.
const SAMPLES_STRETCH_MAX: Span = Span::hours(6);

/// The stretch that a question about telemetry is about.
fn stretch(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> (Time, Time) {
    if let Some(stretch) = scene.stretch {
        return stretch;
    }
    match situation {
        Some(situation) => {
            let end = situation.incident.resolved_at.unwrap_or(scene.now);
            (situation.incident.started_at - BEFORE, end.max(situation.incident.started_at))
        }
        None => (scene.now - Span::hours(1), scene.now),
    }
}

async fn findings(scene: &AnswerScene<'_>, (from, to): (Time, Time)) -> Result<Vec<Finding>, Problem> {
    let filter = FindingFilter { since: Some(from), until: Some(to + Span::seconds(1)), ..FindingFilter::default() };
    let mut all = scene.seen.findings(filter, ListPart::first(READ_MAX)).await?.items;
    all.sort_by_key(|one| (one.finding.at, one.position));
    let services = scene.services();
    all.retain(|one| services.is_empty() || services.contains(&one.finding.service.as_str()));
    Ok(all)
}

fn cited(of: &Finding) -> [Citation; 1] {
    [Citation { event: of.event.clone(), position: of.position }]
}

/// What asks for log lines or metrics, in words.
fn about(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> String {
    match (scene.subject(), situation) {
        (Some(name), _) => format!("of {name}"),
        (None, Some(situation)) => format!("of {}", situation.incident.id),
        (None, None) => "of anything".to_owned(),
    }
}

/// The worst level is least.
const fn weight(level: Option<&LogLevel>) -> u8 {
    match level {
        Some(LogLevel::Fatal) => 0,
        Some(LogLevel::Error) => 1,
        Some(LogLevel::Warning) => 2,
        Some(LogLevel::Info) => 3,
        Some(LogLevel::Other(_)) | None => 4,
    }
}

/// What logs say.
pub(super) async fn logs(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let window = stretch(scene, situation);
    let mut found: Vec<Finding> = findings(scene, window).await?;
    found.retain(|one| one.finding.template.is_some() && scene.speaks_of_topics(&one.finding.title));
    // Those of the incident before those that came earlier, the worst first; of one template the first word of it.
    let own = situation.filter(|_| scene.stretch.is_none()).map(|it| it.incident.started_at - JUST_BEFORE);
    let is_earlier = |one: &Finding| own.is_some_and(|own| one.finding.at < own);
    if found.iter().any(|one| !is_earlier(one)) {
        found.retain(|one| !is_earlier(one));
    }
    found.sort_by_key(|one| (weight(one.finding.level.as_ref()), one.finding.at));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|one| one.finding.template.as_ref().is_some_and(|template| seen.insert(template.id.clone())));
    let between = format!("from {} to {}", when(window.0), when(window.1));
    let mut lines = found.iter().map(|one| {
        let template = one.finding.template.as_ref().map(|template| template.text.as_str()).unwrap_or_default();
        let text = format!(
            "{} wrote since {}: \"{}\"",
            one.finding.service,
            when(one.finding.at),
            cut(template, LINE_CHARS_MAX)
        );
        let short = format!("{} wrote a line at {}", one.finding.service, when(one.finding.at));
        said([text, short], cited(one))
    });
    let mut answer = match lines.next() {
        Some(first) => IntentAnswer::new(first),
        None => {
            let none = format!("No new or more frequent log line {} was found {between}", about(scene, situation));
            IntentAnswer::new(stated(none))
        }
    };
    answer.all(lines);
    if found.is_empty() {
        answer.all(records(scene, situation, window).await?);
    }
    answer.missing.push("lines that are neither new nor more frequent than before stand in no event".to_owned());
    Ok(answer)
}

/// Raw log records, where they are kept here and the question is about now.
async fn records(
    scene: &AnswerScene<'_>,
    situation: Option<&Situation>,
    window: (Time, Time),
) -> Result<Vec<AnswerLine>, Problem> {
    let Some(telemetry) = scene.options.toolbox.telemetry.as_ref().filter(|_| scene.seen.is_now()) else {
        return Ok(Vec::new());
    };
    let Some(environment) = environment(scene, situation) else { return Ok(Vec::new()) };
    let filter = LogFilter {
        service: scene.services().first().map(|it| (*it).to_owned()),
        limit: RECORDS_MAX,
        ..LogFilter::default()
    };
    let found = telemetry
        .logs(&Partition::of_environment(&environment), TelemetryWindow { from: window.0, to: window.1 }, filter)
        .await;
    let Ok(found) = found else { return Ok(vec![stated("The stored log records could not be read")]) };
    let line = |one: &hindcast_telemetry::LogRecord| {
        stated(format!(
            "Stored, not in the ledger: {} {}: \"{}\"",
            when(one.time),
            one.service,
            cut(&one.message, LINE_CHARS_MAX)
        ))
    };
    Ok(found.iter().map(line).collect())
}

fn environment(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Option<String> {
    let of = situation.map(|situation| situation.incident.environment.clone());
    of.or_else(|| scene.book.alerts.first().map(|alert| alert.environment.clone()))
}

/// Values of metrics.
pub(super) async fn metrics(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let window = stretch(scene, situation);
    let mut found = findings(scene, window).await?;
    found.retain(|one| {
        matches!(one.finding.kind, finding::Kind::MetricShift) && scene.speaks_of_topics(&one.finding.title)
    });
    found.sort_by_key(|one| (std::cmp::Reverse(one.finding.score), one.finding.at));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|one| seen.insert((one.finding.service.clone(), one.finding.metric.clone())));
    let mut lines = found.iter().map(|one| {
        let metric = one.finding.metric.as_deref().unwrap_or("a metric");
        let (before, after) = (figure(one.finding.before), figure(one.finding.after));
        let moved = if one.finding.after >= one.finding.before { "rose" } else { "fell" };
        let text =
            format!("{}: {metric} {moved} from {before} to {after} at {}", one.finding.service, when(one.finding.at));
        said([text, format!("{}: {metric} {moved} from {before} to {after}", one.finding.service)], cited(one))
    });
    let measured = measured(scene, situation, window).await;
    let said_by_alert = said_by_alert(scene).await?;
    let mut leads: Vec<AnswerLine> = Vec::new();
    leads.extend(lines.next());
    leads.extend(said_by_alert);
    leads.extend(measured);
    let mut leads = leads.into_iter();
    let lead = leads.next().unwrap_or_else(|| {
        let (from, to) = (when(window.0), when(window.1));
        let topics: Vec<&str> = scene.part.topics.iter().map(|topic| topic.name.as_str()).collect();
        let what =
            if topics.is_empty() { "metric".to_owned() } else { format!("metric about {}", topics.join(" or ")) };
        stated(format!("Not recorded: no {what} {} was found to move from {from} to {to}", about(scene, situation)))
    });
    let mut answer = IntentAnswer::new(lead);
    answer.all(leads);
    answer.all(lines);
    answer.missing.push("metrics that did not move stand in no event".to_owned());
    Ok(answer)
}

/// What an alert says of a value that is asked for.
async fn said_by_alert(scene: &AnswerScene<'_>) -> Result<Option<AnswerLine>, Problem> {
    if scene.part.topics.is_empty() {
        return Ok(None);
    }
    let Some(alert) = scene.book.alerts.iter().find(|alert| scene.concerns(alert)) else { return Ok(None) };
    let Some(text) = alert.annotations.get("description").or_else(|| alert.annotations.get("summary")) else {
        return Ok(None);
    };
    let fired = scene.last_event("alert.fired", &alert.fingerprint).await?;
    Ok(Some(said([format!("{} says: \"{}\"", alert.name, cut(text, LINE_CHARS_MAX))], fired)))
}

/// The last stored values, where they are kept here and the question is about now.
async fn measured(scene: &AnswerScene<'_>, situation: Option<&Situation>, (from, to): (Time, Time)) -> Vec<AnswerLine> {
    let Some(telemetry) = scene.options.toolbox.telemetry.as_ref().filter(|_| scene.seen.is_now()) else {
        return Vec::new();
    };
    let Some(environment) = environment(scene, situation) else { return Vec::new() };
    let named = scene.services().first().map(|it| (*it).to_owned());
    if named.is_none() && scene.part.topics.is_empty() {
        return Vec::new();
    }
    let window = TelemetryWindow { from: from.max(to - SAMPLES_STRETCH_MAX), to };
    let filter = SampleFilter { service: named, metric: None };
    let Ok(found) = telemetry.series(&Partition::of_environment(&environment), window, filter).await else {
        return vec![stated("The stored metrics could not be read")];
    };
    let wanted = found.iter().filter(|one| scene.speaks_of_topics(&one.metric) && !one.points.is_empty());
    let line = |one: &hindcast_telemetry::MetricSeries| {
        let last = one.points.last()?;
        let peak = one.points.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
        let text = format!(
            "Stored, not in the ledger: {} of {} was {} at {}, at most {} since {}",
            one.metric,
            one.service,
            figure(last.1),
            when(last.0),
            figure(peak),
            when(window.from)
        );
        Some(stated(text))
    };
    wanted.filter_map(line).take(3).collect()
}
