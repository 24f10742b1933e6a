//! The answer to a question whose intent, names and time are known: the answer first, then a few lines, the rest folded.
//!
//! Owns which intent is answered from what. An answer about something is about that alone; where nothing is recorded of
//! it, that is the answer.
//!
//! - [`line`]: the form of an answer. [`scene`]: what it may look at. [`told`]: what the evidence of an incident says.
//! - [`fine`], [`incident`], [`members`], [`timeline`], [`cause`], [`changes`], [`grouping`], [`paging`], [`people`], [`telemetry`],
//!   [`past`], [`runbook`], [`house`], [`figures`], [`brief`] and [`help`]: one group of intents each.

mod brief;
mod cause;
mod changes;
mod figures;
mod fine;
mod grouping;
mod help;
mod house;
mod incident;
pub(crate) mod line;
mod members;
mod paging;
mod past;
mod people;
mod runbook;
pub(crate) mod scene;
mod telemetry;
mod timeline;
mod told;

use hindcast_api::Problem;

use crate::intent::Intent;
use crate::understand::names::NamedKind;
use line::IntentAnswer;
use scene::AnswerScene;

/// Whether an answer to it is about one incident, so that what is known of that is gathered.
pub(crate) const fn is_of_incident(intent: Intent) -> bool {
    match intent {
        Intent::Fine
        | Intent::Count
        | Intent::List
        | Intent::AlertDetail
        | Intent::Silences
        | Intent::Reports
        | Intent::Models
        | Intent::Handover
        | Intent::Help
        | Intent::Beyond
        | Intent::WhyNotPaged => false,
        Intent::State
        | Intent::Over
        | Intent::Cause
        | Intent::WasIt
        | Intent::Changed
        | Intent::WhyGrouped
        | Intent::WhyApart
        | Intent::WhyPaged
        | Intent::Notified
        | Intent::Who
        | Intent::Owner
        | Intent::Impact
        | Intent::Severity
        | Intent::SinceWhen
        | Intent::EndWhen
        | Intent::HowLong
        | Intent::Timeline
        | Intent::Logs
        | Intent::Metrics
        | Intent::Compare
        | Intent::Seen
        | Intent::Fixed
        | Intent::Todo
        | Intent::Command
        | Intent::KnownAt
        | Intent::Stakeholders
        | Intent::Postmortem
        | Intent::Evidence
        | Intent::Act => true,
    }
}

/// Intents that are answered without a name being known: they ask for nothing of it.
const fn needs_no_name(intent: Intent) -> bool {
    matches!(intent, Intent::Help | Intent::Beyond | Intent::Act | Intent::WasIt | Intent::Handover | Intent::Models)
}

/// Answers one part of a question.
///
/// # Errors
/// When the views cannot be read.
pub(crate) async fn answer(
    scene: &AnswerScene<'_>,
    intent: Option<Intent>,
    readings: &[Intent],
) -> Result<IntentAnswer, Problem> {
    let nothing_else = scene.part.things.is_empty() && scene.part.topics.is_empty();
    if let Some(name) = scene.part.unknown.first()
        && nothing_else
        && intent.is_none_or(|intent| !needs_no_name(intent))
    {
        return Ok(help::unknown(scene, name));
    }
    let Some(intent) = intent else { return Ok(help::not_understood(scene, readings)) };
    let gone = scene
        .part
        .of(NamedKind::Incident)
        .into_iter()
        .find(|id| !scene.book.incidents.iter().any(|one| one.id == **id));
    if let Some(id) = gone {
        return Ok(IntentAnswer::new(line::stated(format!("Nothing is recorded of {id} {}", scene.as_of()))));
    }
    let mut answer = of_intent(scene, intent).await?;
    if let Some(name) = scene.part.unknown.first().filter(|_| !needs_no_name(intent)) {
        answer.line(line::stated(format!("Nothing is known by the name \"{name}\"")));
    }
    Ok(answer)
}

async fn of_intent(scene: &AnswerScene<'_>, intent: Intent) -> Result<IntentAnswer, Problem> {
    match intent {
        Intent::Fine => fine::fine(scene).await,
        Intent::State if scene.part.first() == "how" && !scene.part.topics.is_empty() => {
            telemetry::metrics(scene, scene.situation).await
        }
        Intent::State if asks_of_another(scene) => fine::fine(scene).await,
        Intent::Count => house::count(scene, scene.incident).await,
        Intent::List => house::list(scene, scene.incident).await,
        Intent::AlertDetail => house::alert_detail(scene).await,
        Intent::Silences => house::silences(scene, scene.incident).await,
        Intent::Reports => figures::reports(scene).await,
        Intent::Models => figures::models(scene, scene.situation).await,
        Intent::Handover => brief::handover(scene).await,
        Intent::Help => Ok(help::help()),
        Intent::Beyond => Ok(help::beyond(scene)),
        Intent::WhyNotPaged => paging::why_not(scene, scene.incident).await,
        Intent::KnownAt => brief::known_at(scene, scene.situation).await,
        Intent::Owner => people::owner(scene, scene.situation).await,
        Intent::Impact => Ok(people::impact(scene, scene.situation)),
        Intent::Changed => changes::changed(scene, scene.situation).await,
        Intent::SinceWhen => incident::since(scene, scene.situation).await,
        Intent::EndWhen => incident::ended(scene, scene.situation).await,
        Intent::HowLong => incident::how_long(scene, scene.situation).await,
        Intent::Timeline => timeline::timeline(scene, scene.situation).await,
        Intent::Logs => telemetry::logs(scene, scene.situation).await,
        Intent::Metrics => telemetry::metrics(scene, scene.situation).await,
        Intent::Act => Ok(runbook::act(scene, scene.situation)),
        Intent::Who if made_a_change(scene) => changes::author(scene).await,
        Intent::State
        | Intent::Over
        | Intent::Cause
        | Intent::WasIt
        | Intent::WhyGrouped
        | Intent::WhyApart
        | Intent::WhyPaged
        | Intent::Notified
        | Intent::Who
        | Intent::Severity
        | Intent::Compare
        | Intent::Seen
        | Intent::Fixed
        | Intent::Todo
        | Intent::Command
        | Intent::Stakeholders
        | Intent::Postmortem
        | Intent::Evidence => of_incident(scene, intent).await,
    }
}

/// Whether the state that is asked for is that of a service or symptom which the incident has nothing to do with.
fn asks_of_another(scene: &AnswerScene<'_>) -> bool {
    let services = scene.services();
    let is_of = |one: &hindcast_api::Incident| services.iter().any(|name| one.services.iter().any(|of| of == name));
    let is_named = !services.is_empty() && !scene.incident.is_some_and(is_of)
        || services.is_empty()
            && !scene.part.topics.is_empty()
            && scene.incident.is_some_and(|one| !scene.incident_speaks(one));
    scene.part.of(NamedKind::Incident).is_empty() && is_named
}

/// Whether a question for a person is one for who made a change.
fn made_a_change(scene: &AnswerScene<'_>) -> bool {
    !scene.part.of(NamedKind::Version).is_empty()
        || scene.part.has(&["deployed", "released", "deploy", "release", "shipped", "rolled", "rollback", "pushed"])
}

async fn of_incident(scene: &AnswerScene<'_>, intent: Intent) -> Result<IntentAnswer, Problem> {
    let Some(situation) = scene.situation else { return Ok(help::no_incident(scene)) };
    let one = &situation.incident;
    match intent {
        Intent::Over => fine::over(scene, one).await,
        Intent::Cause => Ok(cause::cause(situation)),
        Intent::WasIt => Ok(cause::was_it(scene, situation)),
        Intent::WhyGrouped => grouping::grouped(scene, one).await,
        Intent::WhyApart => grouping::apart(scene, one).await,
        Intent::WhyPaged => paging::why(scene, one).await,
        Intent::Notified => paging::notified(scene, one).await,
        Intent::Who => Ok(incident::who(scene, situation)),
        Intent::Severity => Ok(incident::severity(situation)),
        Intent::Compare => past::compare(scene, situation).await,
        Intent::Seen => past::seen(scene, situation).await,
        Intent::Fixed => Ok(past::fixed(scene, situation)),
        Intent::Todo => Ok(runbook::todo(scene, situation)),
        Intent::Command => Ok(runbook::command(scene, situation)),
        Intent::Stakeholders => Ok(brief::stakeholders(scene, situation)),
        Intent::Postmortem => Ok(brief::postmortem(situation)),
        Intent::Evidence => Ok(cause::evidence(scene, situation)),
        _ => Ok(incident::state(scene, situation)),
    }
}
