//! What was changed: near an incident, of a service, of a version, in a stretch of time.

use hindcast_api::{Citation, Event, Problem};
use hindcast_domain::event::Change;
use hindcast_domain::{Span, Time};

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::{AnswerScene, cite};
use crate::evidence::when;
use crate::situation::Situation;
use crate::understand::names::NamedKind;

/// How far before the moment of a question changes are told where there is no incident.
const RECENT: Span = Span::hours(24);

/// A change with its event.
struct KnownChange {
    change: Change,
    cited: Citation,
}

fn read(event: &Event) -> Option<KnownChange> {
    let change = serde_json::from_value(event.data.clone()).ok()?;
    Some(KnownChange { change, cited: cite(event) })
}

fn line(of: &KnownChange, before: &str) -> AnswerLine {
    let change = &of.change;
    let service = change.service.as_deref().map(|service| format!(" of {service}")).unwrap_or_default();
    let version = change.version.as_deref().map(|version| format!(" to {version}")).unwrap_or_default();
    let at = when(change.at);
    said(
        [
            format!("{before}{}{service}{version} at {at}: \"{}\"", change.kind, change.title),
            format!("{before}{}{service}{version} at {at}", change.kind),
        ],
        [of.cited.clone()],
    )
    .of_event()
}

/// Changes near the incident, of what is named, or in the stretch that is named.
pub(super) async fn changed(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> Result<IntentAnswer, Problem> {
    let mut all: Vec<KnownChange> = scene.events("intake.change").await?.iter().filter_map(read).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.change.at));
    let versions = scene.part.of(NamedKind::Version);
    let services = scene.services();
    let fits = |one: &&KnownChange| {
        let of_service = services.is_empty() || one.change.service.as_deref().is_some_and(|of| services.contains(&of));
        let words =
            format!("{} {}", one.change.version.as_deref().unwrap_or_default(), one.change.title).to_lowercase();
        let of_version = versions.is_empty()
            || versions.iter().any(|version| {
                words.split(|c: char| c.is_whitespace() || ":,".contains(c)).any(|word| word == version.to_lowercase())
            });
        let wants_rollback = scene.part.says("rolled back") || scene.part.has(&["rollback", "rollbacks"]);
        of_service
            && of_version
            && (!wants_rollback
                || one.change.kind.to_string().contains("rollback")
                || one.change.title.to_lowercase().contains("roll"))
    };
    let fitting: Vec<&KnownChange> = all.iter().filter(fits).collect();
    if !versions.is_empty() || !services.is_empty() || scene.part.has(&["last"]) {
        return Ok(named(scene, &fitting));
    }
    let (near, place) = near(scene, situation, &fitting);
    let polar = matches!(scene.part.first(), "did" | "was" | "were" | "is" | "any" | "has" | "have");
    let mut answer = match near.split_first() {
        Some((first, [])) => IntentAnswer::new(line(first, if polar { "Yes: " } else { "" })),
        Some((first, rest)) => {
            let mut answer = IntentAnswer::new(stated(format!("{} changes {place}", rest.len() + 1)));
            answer.line(line(first, ""));
            answer.all(rest.iter().map(|one| line(one, "")));
            answer
        }
        None => {
            let no = if polar { "No: no change is recorded" } else { "No change is recorded" };
            let mut answer = IntentAnswer::new(stated(format!("{no} {place}")));
            let last = fitting.iter().find(|one| one.change.at <= scene.now);
            answer.line(last.map(|one| line(one, "The last one before: ")));
            answer.missing.push(format!("no change is recorded {place}"));
            answer
        }
    };
    refuted(situation, &near, &mut answer);
    Ok(answer)
}

/// What was ruled out of the changes that are told.
fn refuted(situation: Option<&Situation>, near: &[&KnownChange], answer: &mut IntentAnswer) {
    let causes = situation.and_then(|situation| situation.causes.as_ref());
    for hypothesis in causes.map(|causes| causes.refuted.as_slice()).unwrap_or_default() {
        let told = near.iter().any(|one| hypothesis.citations.iter().any(|cited| cited.event == one.cited.event));
        if told && let Some(reason) = hypothesis.refutes.first() {
            let texts = [format!("Refuted as the cause: {}", reason.text), reason.text.clone()];
            let line = said(texts, reason.citations.iter().cloned());
            answer.line(line.asserting(hindcast_verifier::reason(reason)));
        }
    }
}

/// The changes of the stretch that is asked about, newest first, and the words for the stretch.
fn near<'a>(
    scene: &AnswerScene<'_>,
    situation: Option<&Situation>,
    fitting: &[&'a KnownChange],
) -> (Vec<&'a KnownChange>, String) {
    let inside = |from: Time, to: Time| {
        fitting.iter().copied().filter(|one| one.change.at >= from && one.change.at <= to).collect::<Vec<_>>()
    };
    if let Some((from, to)) = scene.stretch {
        return (inside(from, to), format!("from {} to {}", when(from), when(to)));
    }
    if let Some(situation) = situation {
        let of = |one: &&&KnownChange| situation.changes.iter().any(|change| change.event == one.cited.event);
        let id = &situation.incident.id;
        let began = situation.incident.started_at;
        let near = fitting.iter().filter(of).copied();
        if scene.part.has(&["before", "prior", "led", "preceded"]) {
            let before = near.filter(|one| one.change.at <= began).collect();
            return (before, format!("in the hours before {id} began at {}", when(began)));
        }
        let near: Vec<&KnownChange> = near.collect();
        return (near, format!("near {id}, in the hours before it and while it lasted, {}", scene.as_of()));
    }
    (inside(scene.now - RECENT, scene.now), format!("in the 24 hours before {}", when(scene.now)))
}

/// Changes of a service or version that was named.
fn named(scene: &AnswerScene<'_>, fitting: &[&KnownChange]) -> IntentAnswer {
    let inside =
        |one: &&&KnownChange| scene.stretch.is_none_or(|(from, to)| one.change.at >= from && one.change.at <= to);
    let all: Vec<&&KnownChange> = fitting.iter().filter(inside).collect();
    let names: Vec<&str> = scene.part.of(NamedKind::Version).into_iter().chain(scene.services()).collect();
    let of = if names.is_empty() { String::new() } else { format!(" of {}", names.join(" and ")) };
    let Some((last, earlier)) = all.split_first() else {
        return IntentAnswer::new(stated(format!("No change{of} is recorded {}", scene.as_of())));
    };
    let polar = matches!(scene.part.first(), "did" | "was" | "were" | "is" | "any" | "has" | "have");
    let who = scene.part.has(&["who"]);
    let lead = match (&last.change.author, who) {
        (Some(author), true) => {
            said([format!("{author}: {}{of} at {}", last.change.kind, when(last.change.at))], [last.cited.clone()])
                .of_event()
        }
        (None, true) => stated(format!("Not recorded: the event of the change{of} names nobody")),
        (_, false) => line(last, if polar { "Yes: " } else { "" }),
    };
    let mut answer = IntentAnswer::new(lead);
    if who {
        answer.line(line(last, ""));
    }
    answer.all(earlier.iter().map(|one| line(one, "Before: ")));
    answer
}

/// Who made a change.
pub(super) async fn author(scene: &AnswerScene<'_>) -> Result<IntentAnswer, Problem> {
    let mut all: Vec<KnownChange> = scene.events("intake.change").await?.iter().filter_map(read).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.change.at));
    let (versions, services) = (scene.part.of(NamedKind::Version), scene.services());
    let fits = |one: &&KnownChange| {
        let words =
            format!("{} {}", one.change.version.as_deref().unwrap_or_default(), one.change.title).to_lowercase();
        let has = |version: &&str| {
            words.split(|c: char| c.is_whitespace() || ":,".contains(c)).any(|word| word == version.to_lowercase())
        };
        (versions.is_empty() || versions.iter().any(has))
            && (services.is_empty() || one.change.service.as_deref().is_some_and(|of| services.contains(&of)))
    };
    Ok(named(scene, &all.iter().filter(fits).collect::<Vec<_>>()))
}
