//! Why no model wrote an answer. Owns the words for it; refuses to know what is answered instead.

use hindcast_api::Problem;
use hindcast_domain::words::ModelOutcome;

/// Why no model wrote the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A stable word.
    pub(crate) word: ModelOutcome,
    /// For people.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(word: ModelOutcome, text: impl Into<String>) -> Self {
        Self { word, text: text.into() }
    }
}

/// A failure of the model, or one of ours that ends the answer.
pub(crate) enum AskFailure {
    Fell(Failure),
    Problem(Problem),
}

impl From<Problem> for AskFailure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
