//! What a real small model said, played again: its tool calls, its claims, and what the verifier made of them.
//! `tests/llm.rs` records it; a prompt, a tool or a world that has changed since makes it stale, and says so.

use std::path::Path;
use std::sync::Arc;

use hindcast_api::ClaimVerdict;
use hindcast_llm::RecordedModel;

use crate::world::{TRANSCRIPT_QUESTIONS, World, answer, ask};

const HOW: &str = "record it again: HINDCAST_RECORD_TRANSCRIPT=1 cargo test -p hindcast --test blackbox llm";

#[tokio::test]
async fn what_a_real_model_said_is_judged_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/tool-loop.ndjson");
    let model = Arc::new(RecordedModel::open(&path).expect(HOW));
    let world = World::new();
    let copilot = world.copilot(Some(model));
    let mut by_model = 0;
    for question in TRANSCRIPT_QUESTIONS {
        let found = answer(&copilot, ask(question)).await;
        let stale = found.missing.iter().find(|text| text.contains("stale"));
        assert_eq!(stale, None, "{HOW}");
        by_model += usize::from(found.mode == "model");
        for claim in &found.claims {
            match claim.verdict {
                ClaimVerdict::Supported => {
                    assert!(!claim.citations.is_empty() && found.answer.contains(claim.text.trim_end_matches('.')))
                }
                ClaimVerdict::Unsupported | ClaimVerdict::Unverifiable => assert!(claim.reason.is_some(), "{claim:?}"),
            }
        }
        assert_eq!(found.hypotheses.len(), 1, "the ranking is ours");
    }
    assert!(by_model > 0, "something that it said stands");
    assert!(!world.wrote("conversation.tool_used").await.is_empty(), "it used a tool");
}
