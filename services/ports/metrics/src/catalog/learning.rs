//! What was learnt: labels, versions, and what the gate said of them. All of it is read from the views, so that a
//! restart changes nothing.

use super::declared::{MetricDeclaration, any, gauge, words};

pub(super) const ALL: &[MetricDeclaration] = &[
    gauge(
        "hindcast_learning_labels",
        "Labels: those that count, given or inferred, and those that were retracted",
        &[words("kind", &["explicit", "inferred", "retracted"])],
    ),
    gauge(
        "hindcast_learning_versions",
        "Versions of models, by model and status",
        &[any("model"), words("status", &["candidate", "in_force", "retired", "shadow"])],
    ),
    gauge(
        "hindcast_learning_verdicts",
        "Versions of models that the gate judged, by its last verdict",
        &[any("model"), words("verdict", &["error", "fail", "inconclusive", "pass"])],
    ),
    gauge(
        "hindcast_learning_last_training_timestamp_seconds",
        "When the newest version of a model was trained, in seconds since 1970; 0 where none was",
        &[any("model")],
    ),
];
