//! What a question asks for: one of a few dozen intents, by the nearest of many examples and by its form. Owns how sure
//! it must be; refuses to know any answer.
//!
//! - [`kind`]: the intents. `examples.txt`: how people ask for each; data. [`words`]: a question taken apart.
//! - [`nearest`]: how near the examples are. [`features`]: what the form adds; [`orders`]: its verbs. [`embedded`]: the same by
//!   a model. [`class`]: which questions are the same.

mod class;
pub(crate) mod embedded;
pub(crate) mod features;
mod kind;
pub(crate) mod nearest;
mod orders;
pub(crate) mod words;

pub(crate) use class::class;
pub use kind::Intent;
