//! A comment says what the code does not. One that only repeats a name costs a line and says nothing; the ones on
//! command-line arguments even reach people, as help.

use std::collections::BTreeSet;

use crate::source::sources;

/// Words that carry no meaning beside a name.
const EMPTY: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "does", "for", "from", "has", "how", "in", "is", "it", "its",
    "of", "on", "one", "or", "our", "own", "so", "than", "that", "the", "their", "them", "these", "they", "this", "to",
    "was", "what", "when", "where", "which", "who", "whom", "whose", "why", "with", "your",
];

fn words(text: &str) -> BTreeSet<String> {
    let (mut spread, mut in_small) = (String::new(), false);
    for c in text.chars() {
        if c.is_uppercase() && in_small {
            spread.push(' ');
        }
        in_small = c.is_lowercase();
        spread.extend(c.to_lowercase());
    }
    let word = |word: &str| word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word).to_owned();
    spread.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(word).collect()
}

/// The name of the item that a line declares: a field, a variant, a function, a type, a constant or a module.
fn name_of(line: &str) -> Option<&str> {
    const BEFORE: [&str; 12] =
        ["pub", "const", "async", "unsafe", "fn", "struct", "enum", "trait", "type", "static", "mod", "union"];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut parts = line.split(|c: char| !is_word(c)).filter(|part| !part.is_empty());
    parts.find(|part| !BEFORE.contains(part) && !["crate", "super", "self", "in"].contains(part))
}

/// Comments of one line that say nothing beyond the name of what they are about, with their line.
fn empty_comments(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(comment) = line.strip_prefix("/// ") else { continue };
        let beside = |other: Option<&&str>| other.is_some_and(|other| other.starts_with("///"));
        if beside(at.checked_sub(1).and_then(|before| lines.get(before))) || beside(lines.get(at + 1)) {
            continue;
        }
        let mut item = lines[at + 1..].iter().skip_while(|next| next.starts_with("#[") || next.is_empty());
        let Some(name) = item.next().and_then(|item| name_of(item)) else { continue };
        let empty: BTreeSet<String> = EMPTY.iter().flat_map(|word| words(word)).collect();
        let name = words(name);
        if words(comment).iter().all(|word| name.contains(word) || empty.contains(word)) {
            found.push((at + 1, comment.to_owned()));
        }
    }
    found
}

#[test]
fn no_comment_only_repeats_a_name() {
    let found = sources().into_iter().map(|(path, text)| (path, empty_comments(&text)));
    let empty: Vec<_> = found.filter(|(_, comments)| !comments.is_empty()).collect();
    assert!(empty.is_empty(), "expected comments that say more than the name, got {empty:#?}");
}

#[test]
fn a_comment_that_says_nothing_is_found() {
    let empty = |text: &str| empty_comments(text).len();
    assert_eq!(empty("/// Which.\nincident: IncidentId,"), 1);
    assert_eq!(empty("/// Its name.\n#[serde(default)]\npub name: String,"), 1);
    assert_eq!(empty("/// The open incidents.\npub fn open_incident() {}"), 1);
    assert_eq!(empty("/// Its name.\nconst NAME: &str = \"x\";"), 1);
    assert_eq!(empty("/// Milliseconds since the epoch.\npub at: u64,"), 0);
    assert_eq!(empty("/// Which.\n/// The first that is open.\npub incident: u64,"), 0);
}
