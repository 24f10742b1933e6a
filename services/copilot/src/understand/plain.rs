//! Words of everyday English, so that a word that is none of them may be a name. The words are data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

static PLAIN: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let texts =
        [include_str!("plain.txt"), include_str!("../intent/examples.txt"), include_str!("../intent/synonyms.txt")];
    texts.iter().flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\''))).collect()
});

/// Whether a word, in lower case, is one of everyday questions; its plural and other forms too.
pub(crate) fn is_plain(word: &str) -> bool {
    let known = |word: &str| PLAIN.contains(word);
    let ending =
        |ending: &str, with: &str| word.strip_suffix(ending).is_some_and(|rest| known(&format!("{rest}{with}")));
    word.chars().all(|sign| !sign.is_alphabetic())
        || known(word)
        || ["s", "es", "d", "ed", "ing", "ly", "er", "est"].iter().any(|end| ending(end, ""))
        || ["ing", "ed", "er"].iter().any(|end| ending(end, "e"))
        || ending("ies", "y")
}
