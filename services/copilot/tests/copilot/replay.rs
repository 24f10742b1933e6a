//! Conversations played again from the ledger.

use hindcast_api::Ask;
use serde_json::json;

use crate::model::{calls, claims, says, scripted};
use crate::world::{World, answer, ask, event_id};

async fn conversation(world: &World) -> String {
    let model = scripted([
        calls(&[("get_event", json!({"event": event_id(400)})), ("nothing", json!({}))]),
        says(""),
        claims(&[
            (200, "PgDown on postgres fired at 12:00"),
            (400, "postgres wrote 61 lines"),
            (200, "PgDown fired 99 times"),
        ]),
        says(""),
        says("no answer at all"),
    ]);
    let copilot = world.copilot(Some(model));
    let first = answer(&copilot, Ask { conversation: Some("t".into()), ..ask("what happened to the database?") }).await;
    assert_eq!(first.mode, "model");
    let second = answer(&copilot, Ask { conversation: Some("t".into()), ..ask("and what should we do?") }).await;
    assert_eq!(second.mode, "evidence");
    first.conversation
}

#[tokio::test]
async fn the_same_claims_come_out_without_a_model_and_without_a_trace() {
    let world = World::new();
    let id = conversation(&world).await;
    let before = world.wrote("conversation").await.len();
    let played = world.copilot(None).replay(&id).await.unwrap();
    assert_eq!(played.iter().map(|turn| (turn.turn, turn.replies)).collect::<Vec<_>>(), [(1, 3), (2, 2)]);
    assert!(played.iter().all(|turn| turn.same), "{played:#?}");
    assert!(played.iter().all(|turn| turn.claims > 0));
    assert_eq!(world.wrote("conversation").await.len(), before);
}

#[tokio::test]
async fn a_changed_prompt_is_an_error_and_never_a_call() {
    let world = World::new();
    let id = conversation(&world).await;
    world.rename("PgDown on postgres, renamed");
    let refused = world.copilot(None).replay(&id).await.unwrap_err();
    assert_eq!(refused.status, 409);
    assert!(refused.detail.contains("stale"), "{}", refused.detail);
}

#[tokio::test]
async fn a_conversation_that_is_not_there_is_said() {
    let world = World::new();
    assert_eq!(world.copilot(None).replay("CNV-0123456789ABCDEF").await.unwrap_err().status, 404);
    assert_eq!(world.copilot(None).replay("nothing").await.unwrap_err().status, 404);
}
