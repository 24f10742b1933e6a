//! What a copilot is made of, and what an operator may set.

use std::time::Duration;

use hindcast_facts::FactsWriter;
use hindcast_metrics::MetricRegistry;

use crate::prompts::Prompts;
use crate::tools::Toolbox;

/// What a copilot is made of.
#[derive(Clone)]
pub struct Options {
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Shared,
    /// What we conclude without a model.
    pub advice: hindcast_advice::Shared,
    /// The read-only tools that a model may use.
    pub toolbox: Toolbox,
    /// How questions and answers are recorded; where nothing may be written they are answered and not kept.
    pub writer: Option<FactsWriter>,
    /// The clock, for caps per day alone.
    pub clock: hindcast_clock::Shared,
    /// The model; without one every answer is from evidence.
    pub llm: Option<hindcast_llm::Shared>,
    /// Bounds of its use.
    pub caps: Caps,
    /// What its tokens cost.
    pub prices: Prices,
    /// What it is told.
    pub prompts: Prompts,
    /// Shared figures.
    pub metrics: MetricRegistry,
    /// Makes vectors of questions, where a model is loaded; shared words count alone without one.
    pub embedder: Option<hindcast_vectors::embed::Shared>,
    /// Where this installation is reached: links that begin so may stand in an answer.
    pub public_url: Option<String>,
}

/// Bounds of a model's use. Past them, evidence alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Turns with tools before the last turn.
    pub steps_max: u32,
    /// Tokens that one reply may have.
    pub reply_tokens_max: u32,
    /// Tokens of one answer, read and written together, over all its calls. Looked at before each call, with what
    /// it is expected to read and may write.
    pub answer_tokens_max: u64,
    /// What the calls of one answer may cost, in millionths of a dollar; 0 for no limit. Looked at like tokens.
    pub answer_cost_micros_max: u64,
    /// Until one reply is there.
    pub call_timeout: Duration,
    /// Until the whole answer is there.
    pub answer_timeout: Duration,
    /// Longest reply of the model that is read.
    pub reply_bytes_max: usize,
    /// Calls for one incident, within 30 days.
    pub incident_calls_max: u32,
    /// What calls for one incident may cost within 30 days, in millionths of a dollar; 0 for no limit.
    pub incident_cost_micros_max: u64,
    /// Calls within 24 hours.
    pub day_calls_max: u32,
    /// What calls may cost within 24 hours, in millionths of a dollar; 0 for no limit.
    pub day_cost_micros_max: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            steps_max: 4,
            reply_tokens_max: 1_024,
            answer_tokens_max: 60_000,
            answer_cost_micros_max: 500_000,
            call_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(120),
            reply_bytes_max: 64 * 1024,
            incident_calls_max: 60,
            incident_cost_micros_max: 1_000_000,
            day_calls_max: 500,
            day_cost_micros_max: 5_000_000,
        }
    }
}

/// What tokens cost, in dollars for a million of them. Zero where the model is one's own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    /// Tokens that are read.
    pub input_per_million: f64,
    /// Tokens that are written.
    pub output_per_million: f64,
}

impl Prices {
    /// What a call cost, in millionths of a dollar, rounded up.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // money of one call
    pub fn micros(&self, tokens_in: u64, tokens_out: u64) -> u64 {
        // A dollar for a million tokens is a millionth of a dollar for one.
        let cost = tokens_in as f64 * self.input_per_million + tokens_out as f64 * self.output_per_million;
        if cost.is_finite() && cost > 0.0 { cost.ceil() as u64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_what_its_tokens_cost() {
        let prices = Prices { input_per_million: 0.5, output_per_million: 2.0 };
        assert_eq!(prices.micros(1_000_000, 0), 500_000);
        assert_eq!(prices.micros(1_000, 100), 700);
        assert_eq!(Prices::default().micros(9, 9), 0);
        assert_eq!(Prices { input_per_million: f64::NAN, ..prices }.micros(9, 9), 0);
    }
}
