//! What remembers, concludes and answers.

use hindcast_domain::words::{AnswerMode, ModelOutcome};

use super::declared::{MetricDeclaration, MetricKind, any, counter, gauge, words};

pub(super) const ALL: &[MetricDeclaration] = &[
    gauge(
        "hindcast_memory_info",
        "The vector store, the embedder, and whether hashed words replace a missing one",
        &[any("store"), any("embedder"), any("stand_in")],
    ),
    gauge("hindcast_memory_position", "The position up to which incidents are remembered", &[]),
    gauge("hindcast_memory_vectors", "Vectors in the store", &[]),
    counter(
        "hindcast_memory_versions_total",
        "Versions of incidents and log templates that were remembered",
        &[words("kind", &["incident", "template"])],
    ),
    counter("hindcast_memory_embedded_total", "Texts that were embedded", &[]),
    counter(
        "hindcast_memory_failures_total",
        "Failed steps of the memory, which are tried again",
        &[words("step", &["embed", "payload", "store", "views"])],
    ),
    counter("hindcast_memory_skipped_total", "Items that the memory left out", &[]),
    counter("hindcast_memory_rebuilt_total", "Times that the memory was built from the beginning", &[]),
    counter("hindcast_rca_ranked_total", "Rankings of causes that were made and not taken from memory", &[]),
    counter("hindcast_rca_memory_failures_total", "Rankings of causes without similar incidents", &[]),
    gauge("hindcast_copilot_info", "The configured language model and its server", &[any("model"), any("server")]),
    counter("hindcast_copilot_answers_total", "Answers to questions", &[words("mode", AnswerMode::WORDS)]),
    counter(
        "hindcast_copilot_claims_total",
        "Claims of answers, by the verifier's verdict",
        &[words("verdict", &["supported", "unsupported", "unverifiable"])],
    ),
    counter(
        "hindcast_copilot_fallback_total",
        "Questions for the language model that were answered from evidence alone, by reason",
        &[words("reason", ModelOutcome::WORDS)],
    ),
    counter("hindcast_copilot_tokens_total", "Tokens of the language model", &[words("kind", &["input", "output"])]),
    MetricDeclaration {
        name: "hindcast_copilot_cost_dollars_total",
        help: "What the language model cost, by the configured prices",
        kind: MetricKind::Sum,
        labels: &[],
    },
    counter("hindcast_copilot_tool_errors_total", "Calls of read-only tools that failed", &[]),
    counter(
        "hindcast_copilot_runbooks_refused_total",
        "Runbooks that the language model proposed and none of ours",
        &[],
    ),
    counter(
        "hindcast_copilot_parts_missing_total",
        "Parts of an answer that could not be computed",
        &[words("part", &["causes", "proposals", "similar incidents"])],
    ),
    counter("hindcast_copilot_reused_total", "Answers that were reused without a call of the language model", &[]),
];
