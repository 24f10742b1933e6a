//! What may be done: proposed runbooks and their exact steps. Nothing runs; a person decides.

use hindcast_api::Proposal;

use super::line::{AnswerLine, IntentAnswer, stated};
use super::scene::AnswerScene;
use super::told::told;
use crate::evidence;
use crate::situation::Situation;

/// Steps in words, by which one is asked for.
const ORDINALS: [(&str, usize); 16] = [
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("1", 1),
    ("2", 2),
    ("3", 3),
    ("4", 4),
    ("5", 5),
];

/// The proposals that a part asks for: of a runbook or thing that it names, else all.
fn proposals<'a>(scene: &AnswerScene<'_>, situation: &'a Situation) -> Vec<&'a Proposal> {
    let words = &scene.part.words;
    let touches = |one: &&Proposal| {
        let named: String = format!("{} {}", one.runbook, one.title).to_lowercase();
        let parts: Vec<&str> = named.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3).collect();
        words.iter().any(|word| *word == one.runbook || word.len() > 4 && parts.iter().any(|part| part == word))
    };
    let fitting: Vec<&Proposal> = situation.proposals.iter().filter(touches).collect();
    if fitting.is_empty() { situation.proposals.iter().collect() } else { fitting }
}

/// What to do.
pub(super) fn todo(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let all = proposals(scene, situation);
    let Some(first) = all.first() else {
        let (_, missing) = told(evidence::conclusions::todo, situation);
        let mut answer =
            IntentAnswer::new(stated(format!("No runbook fits {} {}", situation.incident.id, scene.as_of())));
        answer.all(last_time(situation));
        answer.missing.extend(missing);
        return answer;
    };
    let mut answer =
        IntentAnswer::new(stated(format!("{}; a person decides, nothing runs by itself", in_words(first))));
    answer.line(stated(format!("Why: {}", first.why)));
    answer.line(stated(format!("Risk: {}", first.risk)));
    answer.line(stated(format!("What should follow: {}", first.effect)));
    answer.all(last_time(situation));
    answer.all(all.iter().skip(1).map(|one| stated(in_words(one))));
    steps(first).into_iter().for_each(|step| answer.fold(stated(step)));
    answer.shows.proposals = true;
    answer
}

/// What ended the same problem before.
fn last_time(situation: &Situation) -> Vec<AnswerLine> {
    let past = situation.similar.iter().flat_map(|page| &page.items).filter(|one| one.same);
    past.filter_map(|one| {
        let what = one.resolution.as_ref()?;
        Some(super::line::said(
            [
                format!("What ended {}, the same problem: {what}", one.incident),
                format!("What ended {}: {what}", one.incident),
            ],
            one.citations.iter().cloned(),
        ))
    })
    .take(1)
    .collect()
}

/// A proposal in one line.
pub(super) fn in_words(one: &Proposal) -> String {
    let params: Vec<String> =
        one.params.iter().map(|(name, value)| format!("{name}={}", value.to_string().trim_matches('"'))).collect();
    let with = if params.is_empty() { String::new() } else { format!(" with {}", params.join(", ")) };
    let risk: String = one.risk.chars().take_while(|sign| sign.is_alphanumeric()).collect();
    let worked = if one.worked.ended > 0 {
        format!(", ended the same problem {} of {} times", one.worked.ended, one.worked.of)
    } else {
        String::new()
    };
    format!("Proposed: runbook {} (\"{}\"){with}, {risk} risk{worked}", one.runbook, one.title)
}

/// The steps, each in one line with its command.
fn steps(of: &Proposal) -> Vec<String> {
    let one = |(index, step): (usize, &String)| {
        format!("Step {}: {}", index + 1, step.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    of.steps.iter().enumerate().map(one).collect()
}

/// The commands of a step: its lines that are set in.
fn commands(step: &str) -> Option<String> {
    let lines: Vec<&str> = step.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// The exact command of a step.
pub(super) fn command(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let all = proposals(scene, situation);
    let Some(first) = all.first() else {
        let none = format!(
            "Not recorded: no runbook fits {} {}, and no command is made up",
            situation.incident.id,
            scene.as_of()
        );
        return IntentAnswer::new(stated(none));
    };
    let wanted = scene
        .part
        .words
        .iter()
        .rev()
        .find_map(|word| ORDINALS.iter().find(|(known, _)| known == word).map(|(_, place)| *place));
    let wanted = wanted.filter(|_| {
        scene.part.has(&["step", "steps"]) || scene.part.has(&["first", "second", "third", "fourth", "fifth"])
    });
    if let Some(place) = wanted {
        let lead = match place.checked_sub(1).and_then(|index| first.steps.get(index)) {
            Some(step) => {
                format!("Step {place} of {}: {}", first.runbook, step.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            None => format!("The runbook {} has {} steps, no step {place}", first.runbook, first.steps.len()),
        };
        return IntentAnswer::new(stated(lead));
    }
    if scene.part.has(&["steps"]) {
        let mut answer =
            IntentAnswer::new(stated(format!("The runbook {} has {} steps", first.runbook, first.steps.len())));
        answer.all(steps(first).into_iter().map(stated));
        answer.shows.proposals = true;
        return answer;
    }
    // A step that only looks comes before the one that changes something: the command that is asked for is the latter.
    let changes = first.steps.iter().filter(|step| !step.starts_with("Check")).find_map(|step| commands(step));
    let lead = match changes.or_else(|| first.steps.iter().find_map(|step| commands(step))) {
        Some(command) => format!("`{command}` (runbook {}; a person runs it)", first.runbook),
        None => format!("The runbook {} has no command: its steps are for people", first.runbook),
    };
    let mut answer = IntentAnswer::new(stated(lead));
    answer.line(stated(format!("Risk: {}", first.risk)));
    answer.all(steps(first).into_iter().map(stated));
    answer.shows.proposals = true;
    answer
}

/// A request to do something.
pub(super) fn act(scene: &AnswerScene<'_>, situation: Option<&Situation>) -> IntentAnswer {
    let mut answer = IntentAnswer::new(stated("Nothing was done: the copilot reads and proposes, a person acts"));
    if let Some(one) = situation.map(|situation| &situation.incident) {
        let id = &one.id;
        let act = scene.part.words.iter().find_map(|word| {
            Some(match word.as_str() {
                "ack" | "acknowledge" | "take" => format!("hindcast ack {id}"),
                "resolve" | "close" => format!("hindcast resolve {id}"),
                "reopen" => format!("hindcast reopen {id}"),
                "merge" => "hindcast merge A B".to_owned(),
                "split" => format!("hindcast split {id} FINGERPRINT"),
                "assign" => format!("hindcast assign {id} NAME"),
                "note" => format!("hindcast note {id} TEXT"),
                "silence" | "mute" => "hindcast silence".to_owned(),
                "snooze" | "declare" | "severity" => "hindcast --help".to_owned(),
                _ => return None,
            })
        });
        answer.line(
            act.map(|command| stated(format!("You can do it with `{command}`, on the incident's page, or in chat"))),
        );
    }
    if let Some(situation) = situation {
        // Nothing is proposed for another service than the one that is named.
        let services = scene.services();
        let is_meant = |one: &&Proposal| {
            let named = |name: &str| one.targets.iter().any(|target| target == name) || one.runbook.contains(name);
            services.is_empty() || services.iter().any(|name| named(name))
        };
        let meant = proposals(scene, situation).into_iter().filter(is_meant);
        answer.all(meant.take(2).map(|one| stated(in_words(one))));
        answer.shows.proposals = true;
    }
    answer
}
