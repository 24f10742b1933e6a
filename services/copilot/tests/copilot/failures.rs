//! Models that are down, slow, endless, nonsense or expensive: whatever they do, there is an answer from
//! evidence within its bounds, and it says what happened.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_advice::{Asker, Copilot as _};
use hindcast_api::{Answer, AnswerProgress, Ask, ClaimVerdict};
use hindcast_llm::{Bounds, Error, Llm, ModelReply, ModelRequest, Scripted};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::model::{calls, claims, says, scripted};
use crate::world::{World, answer, ask};
use hindcast_copilot::Caps;

type Said = Result<ModelReply, Error>;

/// A model that never replies.
struct Silent;

#[async_trait]
impl Llm for Silent {
    fn model(&self) -> &'static str {
        "silent"
    }
    async fn chat(&self, _: ModelRequest, _: Bounds, _: Option<mpsc::Sender<String>>) -> Result<ModelReply, Error> {
        std::future::pending().await
    }
}

/// A model that wants another tool each time.
struct Looping(std::sync::atomic::AtomicU64);

#[async_trait]
impl Llm for Looping {
    fn model(&self) -> &'static str {
        "looping"
    }
    async fn chat(
        &self,
        request: ModelRequest,
        _: Bounds,
        _: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let many: Vec<(&str, Value)> = (0..20).map(|n| ("search_events", json!({"from": count * 100 + n}))).collect();
        assert!(request.messages.len() < 200, "what a model is told is bounded");
        Ok(if request.schema.is_some() { says("I would like to look at more") } else { calls(&many) })
    }
}

fn fell_back(answer: &Answer, words: &str) {
    assert_eq!(answer.mode, "evidence");
    assert!(answer.answer.contains("postgres ranks first as the cause: PgDown fired first"), "{}", answer.answer);
    let said = answer.missing.iter().find(|text| text.contains("the language model did not write this"));
    assert!(said.is_some_and(|text| text.contains(words)), "{words:?} is not in {:?}", answer.missing);
    assert!(answer.claims.iter().any(|claim| claim.verdict == ClaimVerdict::Supported));
}

#[tokio::test]
async fn a_model_that_fails_falls_back_and_is_named() {
    let long = "x".repeat(100_000);
    let failures: [(Vec<Said>, &str, &str); 10] = [
        (vec![Err(Error::Unreachable("connection refused".into()))], "cannot be reached", "unreachable"),
        (vec![Err(Error::Refused("429 slow down".into()))], "429", "refused"),
        (vec![Err(Error::TooLarge(9))], "over 9 bytes", "too_large"),
        (vec![Err(Error::Malformed("it broke off".into()))], "broke off", "malformed"),
        (vec![Ok(says("")), Err(Error::Timeout(Duration::from_secs(1)))], "did not reply", "timeout"),
        (vec![Ok(says("")), Ok(says("I believe that it was redis."))], "no JSON", "nonsense"),
        (vec![Ok(says("")), Ok(says("{\"claims\":[{\"text\":\"it is"))], "no JSON", "nonsense"),
        (vec![Ok(says("")), Ok(ModelReply { cut: true, ..says("{\"claims\":[") })], "cut off", "cut"),
        (vec![Ok(says("")), Ok(says(&long))], "over 65536 bytes", "too_large"),
        (
            vec![Ok(says("")), Ok(claims(&[(200, "redis wrote “nobody ever wrote this”")]))],
            "every claim of the model",
            "nothing_stands",
        ),
    ];
    for (script, words, reason) in failures {
        let world = World::new();
        let found = answer(&world.copilot(Some(Arc::new(Scripted::new(script)))), ask("why?")).await;
        fell_back(&found, words);
        assert_eq!(world.metrics.get("hindcast_copilot_fallback_total", &[("reason", reason)]), 1.0, "{reason}");
        assert_eq!(world.wrote("conversation.answered").await[0].data["fell_back"], reason);
    }
}

#[tokio::test]
async fn a_model_that_never_replies_is_given_up_on() {
    let world = World::new();
    let caps = Caps { call_timeout: Duration::from_millis(100), ..Caps::default() };
    let began = Instant::now();
    let found = answer(&world.with(Some(Arc::new(Silent)), caps), ask("why?")).await;
    fell_back(&found, "did not reply");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(world.wrote("conversation.replied").await[0].data["finish"], "timeout");
}

#[tokio::test]
async fn a_model_that_turns_in_circles_is_bounded() {
    let world = World::new();
    let caps = Caps { steps_max: 3, ..Caps::default() };
    let found = answer(&world.with(Some(Arc::new(Looping(0.into()))), caps), ask("why?")).await;
    fell_back(&found, "no JSON");
    assert_eq!(world.wrote("conversation.replied").await.len(), 4, "three with tools, one without");
    let used = world.wrote("conversation.tool_used").await;
    let answered = used.iter().filter(|event| event.data["error"].is_null()).count();
    assert_eq!(answered, 9, "three calls a step are answered");
}

#[tokio::test]
async fn dropping_the_question_stops_the_model_and_says_so() {
    let world = World::new();
    let copilot = world.with(Some(Arc::new(Silent)), Caps::default());
    let asking = copilot.ask(ask("why?"), Asker::default(), None);
    assert!(tokio::time::timeout(Duration::from_millis(200), asking).await.is_err());
    for _ in 0..100 {
        let replied = world.wrote("conversation.replied").await;
        let answered = world.wrote("conversation.answered").await;
        if let (Some(replied), Some(answered)) = (replied.first(), answered.first()) {
            assert_eq!(replied.data["finish"], "stopped");
            assert_eq!(answered.data["fell_back"], "stopped");
            // The conversation is free again.
            let next = Ask { conversation: Some(replied.subject.clone()), ..ask("and?") };
            assert_eq!(answer(&world.copilot(None), next).await.mode, "evidence");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was recorded of an answer that was stopped");
}

#[tokio::test]
async fn caps_are_counted_from_the_ledger_so_that_a_restart_does_not_lift_them() {
    let world = World::new();
    let caps = Caps { incident_calls_max: 2, ..Caps::default() };
    let good = || scripted([says(""), claims(&[(200, "PgDown on postgres fired at 12:00")])]);
    assert_eq!(answer(&world.with(Some(good()), caps), ask("why?")).await.mode, "model");
    let restarted = good();
    let found = answer(&world.with(Some(restarted.clone()), caps), ask("what changed?")).await;
    fell_back_by_cap(&found, "used up");
    assert!(restarted.asked().is_empty(), "no call is made past a cap");
    // With the cap lifted the same question is asked: it was the cap that stopped it.
    let lifted = Caps { incident_calls_max: 100, ..caps };
    assert_eq!(answer(&world.with(Some(good()), lifted), ask("what changed?")).await.mode, "model");
    // What a day may cost: a call of ours costs 240 millionths.
    let dear = Caps { day_cost_micros_max: 100, ..Caps::default() };
    fell_back_by_cap(&answer(&world.with(Some(good()), dear), ask("who?")).await, "cost in one day");
    let small = Caps { answer_tokens_max: 50, ..Caps::default() };
    let model = scripted([calls(&[("get_why", json!({}))]), says(""), says("")]);
    fell_back_by_cap(&answer(&world.with(Some(model), small), ask("how long?")).await, "tokens of one answer");
}

/// A model whose first reply is dear and wants a tool; the second would write the answer.
fn dear(tokens_in: u64) -> Arc<Scripted> {
    let first = ModelReply { tokens_in, ..calls(&[("get_why", json!({}))]) };
    scripted([first, claims(&[(200, "PgDown on postgres fired at 12:00")])])
}

#[tokio::test]
async fn each_cap_of_an_answer_an_incident_and_a_day_stops_the_call_that_would_go_past_it() {
    // A call of this world is expected to cost some thousands of millionths; a dollar is far more than it needs.
    let open = Caps {
        answer_cost_micros_max: 1_000_000,
        incident_cost_micros_max: 1_000_000,
        day_cost_micros_max: 1_000_000,
        answer_tokens_max: 300_000,
        ..Caps::default()
    };
    let caps = [
        (Caps { answer_cost_micros_max: 201_000, ..open }, "cost for one answer is used up", "cap_answer_cost"),
        (Caps { answer_tokens_max: 201_000, ..open }, "tokens of one answer", "cap_answer_tokens"),
        (Caps { incident_cost_micros_max: 201_000, ..open }, "cost for this incident", "cap_incident_cost"),
        (Caps { day_cost_micros_max: 201_000, ..open }, "cost in one day", "cap_day_cost"),
        (Caps { incident_calls_max: 1, ..open }, "calls for this incident", "cap_incident_calls"),
        (Caps { day_calls_max: 1, ..open }, "calls of one day", "cap_day_calls"),
    ];
    for (caps, words, word) in caps {
        let world = World::new();
        let model = dear(200_000);
        let (sender, mut heard) = mpsc::channel(64);
        let copilot = world.with(Some(model.clone()), caps);
        let found = copilot.ask(ask("why?"), Asker::default(), Some(sender)).await.unwrap();
        fell_back(&found, words);
        assert_eq!(model.asked().len(), 1, "{word}: the call past the cap is not made");
        assert_eq!(world.wrote("conversation.answered").await[0].data["fell_back"], word);
        let mut said = Vec::new();
        while let Ok(step) = heard.try_recv() {
            if let AnswerProgress::Status(text) = step {
                said.push(text);
            }
        }
        assert!(said.iter().any(|text| text.contains(words)), "{word}: {said:?}");
        // Without the cap the same model writes the answer: it was the cap that stopped it.
        let model = dear(200_000);
        let found = answer(&World::new().with(Some(model.clone()), open), ask("why?")).await;
        assert_eq!((found.mode.as_str(), model.asked().len()), ("model", 2), "{word}: {:?}", found.missing);
        // Played again without any cap, it ends where it ended.
        let played = world.copilot(None).replay(&world.wrote("conversation.asked").await[0].subject).await.unwrap();
        assert!(played.len() == 1 && played[0].same, "{word}: {played:?}");
    }
}

#[tokio::test]
async fn tools_leave_half_of_an_answers_tokens_to_its_words() {
    let world = World::new();
    let caps = Caps { answer_tokens_max: 100_000, ..Caps::default() };
    let wants_more = ModelReply { tokens_in: 60_000, ..calls(&[("get_why", json!({}))]) };
    let model = scripted([wants_more, claims(&[(200, "PgDown on postgres fired at 12:00")])]);
    let found = answer(&world.with(Some(model.clone()), caps), ask("why?")).await;
    assert_eq!(found.mode, "model", "{:?}", found.missing);
    assert!(model.asked()[1].tools.is_empty(), "the second call is the last one");
}

fn fell_back_by_cap(answer: &Answer, words: &str) {
    assert_eq!(answer.mode, "evidence");
    assert!(answer.missing.iter().any(|text| text.contains(words)), "{:?}", answer.missing);
}

#[tokio::test]
async fn without_a_question_no_model_is_ever_called() {
    let world = World::new();
    let model = scripted([]);
    let copilot = world.copilot(Some(model.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(copilot);
    assert!(model.asked().is_empty());
}
