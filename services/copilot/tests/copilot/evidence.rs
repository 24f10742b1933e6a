//! Answers without a model.

use hindcast_advice::{Asker, Copilot as _};
use hindcast_api::{AnswerProgress, Ask, ClaimVerdict, Incident};
use hindcast_queries::Window;
use serde_json::json;
use tokio::sync::mpsc;

use crate::world::{HEAD, NOW_ID, PAST_ID, World, answer, ask, cite, texts};

const EVERYTHING: &str = "What is going on, have we seen this, what do I do?";

#[tokio::test]
async fn an_answer_names_cause_past_incident_and_runbook_and_none_of_it_is_removed() {
    let world = World::new();
    let copilot = world.copilot(None);
    let found = answer(&copilot, ask(EVERYTHING)).await;
    assert_eq!((found.mode.as_str(), found.incident.as_deref()), ("evidence", Some(NOW_ID)));
    assert!(found.position >= HEAD);
    for part in ["postgres", "PgDown", PAST_ID, "end-idle-transactions"] {
        assert!(found.answer.contains(part), "{part} is missing in {}", found.answer);
    }
    let struck: Vec<_> = found.claims.iter().filter(|claim| claim.verdict == ClaimVerdict::Unsupported).collect();
    assert!(struck.is_empty(), "{struck:#?}");
    assert!(found.claims.iter().all(|claim| !claim.citations.is_empty()));
    assert!(found.missing.iter().any(|text| text.contains("no language model is configured")), "{:?}", found.missing);
    assert!(found.model.is_none() && found.tokens.is_none());
    assert_eq!(world.metrics.get("hindcast_copilot_answers_total", &[("mode", "evidence")]), 1.0);
}

/// What answers a question, and what stands behind it.
async fn told(copilot: &hindcast_copilot::AnsweringCopilot, question: &str) -> hindcast_api::Answer {
    let found = answer(copilot, ask(question)).await;
    let lines: Vec<&str> = found.answer.lines().collect();
    assert!(!lines.is_empty() && lines.len() <= 7, "{question}: {}", found.answer);
    assert_eq!(found.lead.as_deref(), lines.first().copied(), "{question}");
    found
}

#[tokio::test]
async fn what_was_asked_is_answered_first_and_nothing_else_is_told() {
    let world = World::new();
    let copilot = world.copilot(None);
    let cause = told(&copilot, "What caused it?").await;
    assert!(
        cause.lead.as_deref().unwrap().contains("postgres ranks first as the cause: PgDown fired first"),
        "{}",
        cause.answer
    );
    assert!(!cause.answer.contains("end-idle-transactions"), "{}", cause.answer);
    let todo = told(&copilot, "What should we do?").await;
    assert!(todo.lead.as_deref().unwrap().contains("end-idle-transactions"), "{todo:#?}");
    let who = told(&copilot, "Who is on it?").await;
    assert!(who.answer.starts_with("Nobody"), "{}", who.answer);
    assert!(who.missing.iter().any(|text| text == "nobody has acknowledged it"), "{:?}", who.missing);
    let changed = told(&copilot, "what changed?").await;
    assert!(changed.claims.first().unwrap().citations == [cite(100)], "{:#?}", changed.claims);
    let long = told(&copilot, "how long?").await;
    assert!(long.answer.contains("open since"), "{}", long.answer);
    let fine = told(&copilot, "is postgres fine?").await;
    assert!(fine.answer.starts_with("No: PgDown"), "{}", fine.answer);
    let idle = told(&copilot, "is redis fine?").await;
    assert!(idle.answer.starts_with("No sign of trouble is seen on redis"), "{}", idle.answer);
    let suspected = told(&copilot, "was it redis?").await;
    assert!(suspected.answer.starts_with("Nothing says so"), "{}", suspected.answer);
    let named = told(&copilot, "was it postgres?").await;
    assert!(named.answer.starts_with("Yes"), "{}", named.answer);
    let count = told(&copilot, "how many alerts are firing?").await;
    assert!(count.answer.starts_with('2'), "{}", count.answer);
}

#[tokio::test]
async fn an_answer_about_something_is_about_that_and_an_unknown_name_is_said() {
    let world = World::new();
    let copilot = world.copilot(None);
    let unknown = told(&copilot, "is lichen fine?").await;
    assert!(unknown.answer.starts_with("Nothing is known by the name \"lichen\""), "{}", unknown.answer);
    assert!(unknown.hypotheses.is_empty() && unknown.proposals.is_empty());
    let weather = told(&copilot, "What is the weather like?").await;
    assert!(weather.answer.starts_with("I do not know"), "{}", weather.answer);
    let unclear = told(&copilot, "purple monkey dishwasher").await;
    assert!(unclear.answer.starts_with("I do not know what is meant"), "{}", unclear.answer);
    let german = told(&copilot, "Was ist die Ursache?").await;
    assert!(german.answer.contains("PgDown fired first") && german.answer.contains("German"), "{}", german.answer);
    let act = told(&copilot, "restart postgres now").await;
    assert!(act.answer.starts_with("Nothing was done"), "{}", act.answer);
}

#[tokio::test]
async fn a_time_in_words_is_the_moment_of_the_answer() {
    let world = World::new();
    let copilot = world.copilot(None);
    let then = told(&copilot, "What was known at 12:00:20?").await;
    assert!(then.position < 300, "{}", then.position);
    assert!(!then.answer.contains("HighErrorRate") && then.answer.contains("PgDown"), "{}", then.answer);
    let before = told(&copilot, "which alerts were firing before the incident started?").await;
    assert!(before.position < 201, "{} {}", before.position, before.answer);
}

#[tokio::test]
async fn a_question_that_follows_takes_what_it_leaves_out_from_before() {
    let world = World::new();
    let copilot = world.copilot(None);
    let turn = |text: &str| Ask { conversation: Some("t".into()), ..ask(text) };
    answer(&copilot, turn("is postgres fine?")).await;
    let other = answer(&copilot, turn("and redis?")).await;
    assert!(other.answer.starts_with("No sign of trouble is seen on redis"), "{}", other.answer);
    answer(&copilot, turn("is postgres fine?")).await;
    let why = answer(&copilot, turn("why?")).await;
    assert!(why.answer.contains("PgDown fired first"), "{}", why.answer);
    let since = answer(&copilot, turn("since when?")).await;
    assert!(since.answer.contains("2026-11-24T12:00:00Z"), "{}", since.answer);
}

#[tokio::test]
async fn an_incident_is_chosen_by_name_and_otherwise_the_worst_that_is_open() {
    let world = World::new();
    let copilot = world.copilot(None);
    let of = |ask: Ask| answer(&copilot, ask);
    assert_eq!(of(Ask { incident: Some(PAST_ID.into()), ..ask("why?") }).await.incident.as_deref(), Some(PAST_ID));
    assert_eq!(of(ask(&format!("what was {}?", PAST_ID.to_lowercase()))).await.incident.as_deref(), Some(PAST_ID));
    assert_eq!(of(ask("what now")).await.incident.as_deref(), Some(NOW_ID));
    let unknown = copilot.ask(ask("what was INC-ZZZZ?"), Asker::default(), None).await.unwrap_err();
    assert_eq!(unknown.status, 404);
    // Within a conversation the incident stays.
    let first = of(Ask { incident: Some(PAST_ID.into()), conversation: Some("thread".into()), ..ask("why?") }).await;
    let second = of(Ask { conversation: Some("thread".into()), ..ask("and what ended it?") }).await;
    assert_eq!((first.conversation, second.incident.as_deref()), (second.conversation, Some(PAST_ID)));
}

#[tokio::test]
async fn where_nothing_is_wrong_it_says_so() {
    let world = World::new();
    world.views.forget::<Incident>();
    let found = answer(&world.copilot(None), ask("what is going on?")).await;
    assert!(found.answer.starts_with("No incident is recorded"), "{}", found.answer);
    assert!(found.claims.is_empty() && found.incident.is_none());
    assert_eq!(world.wrote("conversation.answered").await.len(), 1);
}

#[tokio::test]
async fn unresolved_is_an_answer() {
    let world = World::new();
    world.unresolve();
    let found = answer(&world.copilot(None), ask("what caused it?")).await;
    assert!(found.missing.iter().any(|text| text.starts_with("unresolved")), "{:?}", found.missing);
    assert!(found.hypotheses.is_empty());
}

#[tokio::test]
async fn as_of_then_nothing_later_is_cited() {
    let world = World::new();
    let copilot = world.copilot(None);
    let then = answer(&copilot, Ask { as_of: Some(json!(250)), ..ask("show the timeline") }).await;
    assert_eq!(then.position, 250);
    let stands = then.claims.iter().filter(|claim| claim.verdict == ClaimVerdict::Supported);
    let latest = stands.flat_map(|claim| &claim.citations).map(|citation| citation.position).max();
    assert_eq!(latest, Some(201), "{:#?}", then.claims);
    // What was concluded with later events is struck, not shown.
    assert!(
        then.claims
            .iter()
            .filter(|claim| claim.verdict == ClaimVerdict::Supported)
            .all(|claim| !claim.text.contains("checkout"))
    );
    let now = answer(&copilot, ask("show the timeline")).await;
    assert!(
        texts(&now, ClaimVerdict::Supported).len() > texts(&then, ClaimVerdict::Supported).len(),
        "the check can fail"
    );
}

#[tokio::test]
async fn a_question_and_its_answer_are_facts_without_secrets() {
    let world = World::new();
    let copilot = world.copilot(None);
    let found = answer(&copilot, ask("why? my password=hunter2hunter2")).await;
    let asked = world.wrote("conversation.asked").await;
    let answered = world.wrote("conversation.answered").await;
    assert_eq!((asked.len(), answered.len()), (1, 1));
    assert!(asked[0].position < answered[0].position);
    assert_eq!(found.recorded.len(), 2);
    assert_eq!(found.recorded[0].event, asked[0].id);
    assert_eq!((asked[0].subject.as_str(), asked[0].actor.as_str()), (found.conversation.as_str(), "ada"));
    assert!(!asked[0].data.to_string().contains("hunter2"), "{}", asked[0].data);
    assert_eq!(answered[0].data["answer"]["answer"], json!(found.answer));
}

#[tokio::test]
async fn what_is_done_is_told_and_the_answer_comes_last() {
    let world = World::new();
    let (tell, mut heard) = mpsc::channel(64);
    let found = world.copilot(None).ask(ask("why?"), Asker::default(), Some(tell)).await.unwrap();
    let mut steps = Vec::new();
    while let Some(step) = heard.recv().await {
        steps.push(step);
    }
    assert!(matches!(steps.first(), Some(AnswerProgress::Status(_))));
    assert_eq!(steps.pop(), Some(AnswerProgress::Answer(Box::new(found))));
}

#[tokio::test]
async fn turns_of_a_conversation_are_numbered_also_by_a_copilot_that_was_started_again() {
    let world = World::new();
    let turn = |copilot| async move { answer(&copilot, Ask { conversation: Some("t".into()), ..ask("why?") }).await };
    turn(world.copilot(None)).await;
    let copilot = world.copilot(None);
    turn(copilot.clone()).await;
    turn(copilot).await;
    let turns: Vec<_> =
        world.wrote("conversation.asked").await.iter().map(|event| event.data["turn"].clone()).collect();
    assert_eq!(turns, [1, 2, 3]);
}

#[tokio::test]
async fn a_bad_question_leaves_nothing() {
    let world = World::new();
    let copilot = world.copilot(None);
    assert_eq!(copilot.ask(ask("  "), Asker::default(), None).await.unwrap_err().status, 422);
    let odd = Ask { as_of: Some(json!("tomorrow")), ..ask("why?") };
    assert_eq!(copilot.ask(odd, Asker::default(), None).await.unwrap_err().status, 400);
    assert!(world.wrote("conversation.asked").await.is_empty());
}

#[tokio::test]
async fn that_somebody_asked_is_no_line_of_what_happened() {
    let world = World::new();
    let copilot = world.copilot(None);
    let turn = |text: &str| Ask { conversation: Some("t".into()), ..ask(text) };
    let first = answer(&copilot, turn("is redis at fault?")).await;
    let found = answer(&copilot, turn("Show me the timeline")).await;
    let asked: Vec<String> = first.recorded.iter().map(|citation| citation.event.clone()).collect();
    assert!(!asked.is_empty());
    let queries: hindcast_queries::Shared = world.views.clone();
    let told = queries.timeline(NOW_ID, Window::default()).await.unwrap().items;
    assert!(told.iter().any(|entry| asked.contains(&entry.event)), "the incident's own page does list the question");
    let cited = found.claims.iter().flat_map(|claim| &claim.citations);
    assert!(cited.clone().count() > 0 && cited.clone().all(|citation| !asked.contains(&citation.event)), "{found:#?}");
    assert!(found.claims.iter().all(|claim| !claim.text.contains("conversation.")), "{:#?}", found.claims);
}
