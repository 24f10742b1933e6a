//! What was found for a text before: alerts repeat a few names of rules and services for ever, and each would be held
//! against hundreds of patterns. Owns the bound; an answer follows from the text and the rules alone, so that it makes
//! no difference whether it was remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// Texts that are remembered; they are forgotten together.
const TEXTS_MAX: usize = 4_096;
/// Bytes of a text that is remembered.
const TEXT_BYTES_MAX: usize = 256;

/// Answers by their text.
pub(crate) struct AnswerMemo<T>(RwLock<HashMap<String, T>>);

impl<T: Copy> AnswerMemo<T> {
    /// What was found for a text, or what `find` finds.
    pub(crate) fn get(&self, text: &str, find: impl FnOnce() -> T) -> T {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return *known;
        }
        let found = find();
        if text.len() <= TEXT_BYTES_MAX {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= TEXTS_MAX {
                known.clear();
            }
            known.insert(text.to_owned(), found);
        }
        found
    }
}

impl<T> Default for AnswerMemo<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Clone for AnswerMemo<T> {
    /// Rules that are cloned remember nothing: they may become others.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> fmt::Debug for AnswerMemo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerMemo")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_at_once_and_the_memory_is_bounded() {
        let (memo, mut looks) = (AnswerMemo::default(), 0);
        for text in ["a", "b", "a"] {
            memo.get(text, || {
                looks += 1;
                looks
            });
        }
        assert_eq!(looks, 2);
        for n in 0..2 * TEXTS_MAX {
            memo.get(&n.to_string(), || 0);
        }
        memo.get(&"x".repeat(TEXT_BYTES_MAX + 1), || 0);
        assert!(memo.0.read().unwrap().len() <= TEXTS_MAX);
    }
}
