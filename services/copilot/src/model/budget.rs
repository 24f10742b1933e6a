//! What one answer may still use of its tokens and its money. Owns the caps per answer, and the guess of what a
//! call will use before it is made; refuses to know of caps that outlast an answer: those are [`crate::spend`]'s.

use hindcast_domain::words::ModelOutcome;
use hindcast_llm::ModelRequest;

use super::Used;
use crate::failure::Failure;
use crate::{Caps, Prices};

/// Bytes of a request that are taken for one token. Models differ; this is what plain English has.
const BYTES_PER_TOKEN: u64 = 4;

/// What a call will use, as far as that can be told before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// Tokens read and, at most, written.
    pub(super) tokens: u64,
    /// Their cost in millionths of a dollar.
    pub(super) cost_micros: u64,
}

impl Expected {
    pub(super) fn of(request: &ModelRequest, prices: &Prices) -> Self {
        // A request of ours is made of texts, numbers and JSON, so it always has a JSON form.
        let bytes = serde_json::to_string(request).map_or(0, |text| text.len());
        let read = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_TOKEN;
        let written = u64::from(request.tokens_max);
        Self { tokens: read.saturating_add(written), cost_micros: prices.micros(read, written) }
    }
}

/// Lets a call of an answer through, or says which cap it would go past.
pub(super) fn allow(caps: &Caps, used: &Used, expected: Expected) -> Result<(), Failure> {
    let tokens = used.tokens.input.saturating_add(used.tokens.output);
    if tokens.saturating_add(expected.tokens) > caps.answer_tokens_max {
        let said = format!("the tokens of one answer are used up: {tokens} of {}", caps.answer_tokens_max);
        return Err(Failure::new(ModelOutcome::CapAnswerTokens, said));
    }
    let cost = used.cost_micros.saturating_add(expected.cost_micros);
    if caps.answer_cost_micros_max > 0 && cost > caps.answer_cost_micros_max {
        return Err(Failure::new(ModelOutcome::CapAnswerCost, "what the model may cost for one answer is used up"));
    }
    Ok(())
}

/// Whether tools have used their part: the other half belongs to the words of the answer.
pub(super) const fn tools_are_done(caps: &Caps, used: &Used) -> bool {
    let tokens = used.tokens.input.saturating_add(used.tokens.output);
    tokens > caps.answer_tokens_max / 2
        || (caps.answer_cost_micros_max > 0 && used.cost_micros > caps.answer_cost_micros_max / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_api::Tokens;
    use hindcast_llm::{PromptMessage, Speaker};

    fn used(tokens: u64, cost_micros: u64) -> Used {
        Used { calls: 1, tokens: Tokens { input: tokens, output: 0 }, cost_micros }
    }

    #[test]
    fn a_call_that_would_go_past_a_cap_of_its_answer_is_refused_and_the_cap_named() {
        let caps = Caps { answer_tokens_max: 1_000, answer_cost_micros_max: 500, ..Caps::default() };
        let expected = Expected { tokens: 100, cost_micros: 50 };
        assert_eq!(allow(&caps, &used(900, 450), expected), Ok(()), "up to the cap");
        let word = |used, caps: &Caps| allow(caps, &used, expected).err().map(|failure| failure.word);
        assert_eq!(word(used(901, 0), &caps), Some(ModelOutcome::CapAnswerTokens));
        assert_eq!(word(used(0, 451), &caps), Some(ModelOutcome::CapAnswerCost));
        assert_eq!(word(used(0, 451), &Caps { answer_cost_micros_max: 0, ..caps }), None, "0 is no limit");
        assert!(tools_are_done(&caps, &used(501, 0)) && tools_are_done(&caps, &used(0, 251)));
        assert!(!tools_are_done(&caps, &used(500, 250)));
    }

    #[test]
    fn what_is_expected_grows_with_what_is_sent() {
        let request = |bytes: usize| ModelRequest {
            messages: vec![PromptMessage::new(Speaker::User, "x".repeat(bytes))],
            tools: vec![],
            schema: None,
            tokens_max: 100,
            seed: None,
        };
        let prices = Prices { input_per_million: 1.0, output_per_million: 2.0 };
        let (small, large) = (Expected::of(&request(400), &prices), Expected::of(&request(4_400), &prices));
        assert_eq!(large.tokens - small.tokens, 1_000);
        assert_eq!(large.cost_micros - small.cost_micros, 1_000);
        assert!(small.cost_micros >= 300, "what may be written counts: {small:?}");
    }
}
