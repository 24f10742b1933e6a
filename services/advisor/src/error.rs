//! How failures of other parts look to whoever asked.

use hindcast_api::{Code, Problem};

/// A failure that is nobody's fault here: said, and worth another try.
pub(crate) fn unavailable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::Unavailable, error.to_string())
}
