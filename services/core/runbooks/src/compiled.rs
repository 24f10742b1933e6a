//! Patterns of runbooks, compiled once: the same few are held against every sign of every incident, and compiling one
//! costs a thousand times what matching it does. Owns the bound; whether a pattern is one was checked where it was read.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::Regex;

/// Patterns that are kept; they are let go together.
const PATTERNS_MAX: usize = 2_048;

static COMPILED: LazyLock<RwLock<HashMap<String, Option<Regex>>>> = LazyLock::new(RwLock::default);

/// A pattern, compiled; `None` where it is none.
pub(crate) fn compiled(pattern: &str) -> Option<Regex> {
    if let Some(known) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return known.clone();
    }
    let regex = Regex::new(pattern).ok();
    let mut known = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= PATTERNS_MAX {
        known.clear();
    }
    known.insert(pattern.to_owned(), regex.clone());
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_answers_alike_however_often_it_is_asked_for() {
        for _ in 0..2 {
            assert!(compiled("^disk.*full$").is_some_and(|pattern| pattern.is_match("disk is full")));
            assert!(compiled("(").is_none());
        }
        for n in 0..=PATTERNS_MAX {
            assert!(compiled(&format!("^{n}$")).is_some());
        }
        assert!(COMPILED.read().unwrap().len() <= PATTERNS_MAX);
    }
}
