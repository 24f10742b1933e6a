//! What makes two log templates the same: their constant words. Owns the key; refuses to weigh.

use std::collections::BTreeSet;

/// Words of a template that make its key.
const KEY_WORDS: usize = 16;

/// The same for templates of one service that differ only in what varies.
pub(super) fn template_key(service: &str, text: &str) -> String {
    let words: Vec<String> = bag(text).into_iter().take(KEY_WORDS).collect();
    format!("t|{service}|{}", words.join(" "))
}

/// The constant words of a template: lower case, no wildcards, no numbers.
pub(super) fn bag(text: &str) -> BTreeSet<String> {
    let constant = text.replace("<*>", " ");
    let words = constant.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| word.chars().count() > 1 && !word.chars().any(|c| c.is_ascii_digit()))
        .map(str::to_lowercase)
        .collect()
}
