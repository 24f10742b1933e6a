//! What can be asked, what cannot be answered, and a question that was not understood.

use hindcast_domain::text::listed;

use super::line::{IntentAnswer, stated};
use super::scene::AnswerScene;
use crate::intent::Intent;

/// Kinds of questions that are answered, with an example each.
const EXAMPLES: [&str; 5] = [
    "What is going on? Is NAME fine? Which alerts fire? How many incidents are open?",
    "What caused it? Was it the deploy? What changed before it started? What was known at 04:44?",
    "Have we seen this before? What fixed it last time? What should we do? Which command exactly?",
    "Who is on it? Who was paged, and why? Why are these alerts one incident?",
    "What do the logs of NAME say? Which metrics moved? Write a handover.",
];

/// What can be asked.
pub(super) fn help() -> IntentAnswer {
    let mut answer = IntentAnswer::new(stated(
        "Ask about alerts, incidents, causes, changes and people, now or as of a time; I read and propose, and run nothing",
    ));
    answer.all(EXAMPLES.map(stated));
    answer
}

/// What no ledger knows.
pub(super) fn beyond(scene: &AnswerScene<'_>) -> IntentAnswer {
    let asks_ahead = scene.part.has(&["will", "predict", "forecast", "until", "tomorrow", "again", "next"]);
    let lead = if asks_ahead {
        "I do not know: I answer from what is recorded, and what lies ahead is not"
    } else {
        "I do not know: I know about alerts, incidents and what is recorded of them, and nothing outside of that"
    };
    let mut answer = IntentAnswer::new(stated(lead));
    answer.line(stated(EXAMPLES[0]));
    answer
}

/// A name that nothing is known by.
pub(super) fn unknown(scene: &AnswerScene<'_>, name: &str) -> IntentAnswer {
    let nearest = scene.book.nearest(&name.to_lowercase());
    let nearest: Vec<&str> = nearest.iter().map(String::as_str).collect();
    let near =
        if nearest.is_empty() { String::new() } else { format!("; names that look like it: {}", nearest.join(", ")) };
    let mut answer =
        IntentAnswer::new(stated(format!("Nothing is known by the name \"{name}\" {}{near}", scene.as_of())));
    let services: Vec<&str> = scene.book.services.iter().map(String::as_str).collect();
    if !services.is_empty() {
        answer.line(stated(format!("Services that are known: {}", listed(&services, 12))));
    }
    answer
}

/// There is no incident that it could be about.
pub(super) fn no_incident(scene: &AnswerScene<'_>) -> IntentAnswer {
    let firing =
        scene.book.alerts.iter().filter(|alert| alert.status == hindcast_domain::alert::Status::Firing).count();
    let lead = match scene.book.incidents.len() {
        0 => format!("No incident is recorded {}; {firing} alerts fire", scene.as_of()),
        others => format!(
            "The incident that is asked about was not there {}; {others} others were, and {firing} alerts fired",
            scene.as_of()
        ),
    };
    IntentAnswer::new(stated(lead))
}

/// A question that was not understood: what was, and what may be meant.
pub(super) fn not_understood(scene: &AnswerScene<'_>, readings: &[Intent]) -> IntentAnswer {
    let mut known: Vec<String> =
        scene.part.things.iter().map(|thing| format!("{} ({})", thing.name, thing.kind.word())).collect();
    known.extend(scene.part.topics.iter().map(|topic| format!("{} (symptom)", topic.name)));
    let understood = if known.is_empty() { "no name in it".to_owned() } else { known.join(", ") };
    let mut answer = IntentAnswer::new(stated(format!(
        "I do not know what is meant; it could mean one of the readings below. Recognised: {understood}, {}",
        scene.as_of()
    )));
    let what = scene.subject().or_else(|| scene.incident.map(|one| one.id.clone())).unwrap_or_else(|| "it".to_owned());
    answer.all(readings.iter().map(|intent| stated(format!("It could mean: {}", intent.asked_of(&what)))));
    answer
}
