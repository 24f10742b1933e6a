//! How documents are written: one sentence per line, and no word that the glossary replaced.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that readers did not understand, with the word of the glossary.
const REPLACED: [(&str, &str); 8] = [
    ("door", "intake endpoint"),
    ("doors", "intake endpoints"),
    ("in force", "production version, or recorded"),
    ("parked", "dead letter"),
    ("whoever", "a noun"),
    ("unharmed", "no sign seen"),
    ("struck", "removed"),
    ("takes care", "acknowledged"),
];
/// Documents that quote old words on purpose, with the reason.
const MAY_USE_THEM: [(&str, &str); 2] =
    [("CHANGELOG.md", "it tells what was"), ("glossary.md", "it explains acknowledgement by what a person does")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/specs"].map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The text outside marks of one kind, such as code.
fn outside(text: &str, mark: char) -> String {
    text.split(mark).step_by(2).collect::<Vec<_>>().join("x")
}

/// The text without the targets of its links.
fn without_targets(text: &str) -> String {
    let mut parts = text.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "]" + part.split_once(')').map_or(part, |(_, rest)| rest))
}

/// Lines outside fenced blocks, each without code, quotations, emphasis and the targets of links.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let plain = ['`', '"', '*'].into_iter().fold(line.to_owned(), |line, mark| outside(&line, mark));
            lines.push((index + 1, without_targets(&plain)));
        }
    }
    lines
}

fn is_sentence_end(signs: &[char]) -> bool {
    matches!(signs, [before, '.' | '!' | '?', ' ', after] if (before.is_lowercase() || *before == ')') && after.is_uppercase())
}

fn has_word(line: &str, word: &str) -> bool {
    let line = line.to_lowercase();
    let borders = |at: usize| {
        let around = [line[..at].chars().next_back(), line[at + word.len()..].chars().next()];
        around.iter().flatten().all(|sign| !sign.is_alphanumeric() && *sign != '-' && *sign != '/')
    };
    line.match_indices(word).any(|(at, _)| borders(at))
}

/// What is wrong with a document.
fn faults(name: &str, text: &str) -> Vec<String> {
    let may_use = MAY_USE_THEM.iter().any(|(of, _)| *of == name);
    let mut faults = Vec::new();
    for (number, line) in prose(text) {
        let is_text = line.starts_with(char::is_alphabetic);
        let signs: Vec<char> = line.chars().collect();
        if is_text && signs.windows(4).any(is_sentence_end) {
            faults.push(format!("{name}:{number}: expected one sentence per line, got {line:?}"));
        }
        let replaced = REPLACED.iter().filter(|(word, _)| !may_use && has_word(&line, word));
        faults.extend(replaced.map(|(word, say)| format!("{name}:{number}: say {say:?} and not {word:?}")));
    }
    faults
}

#[test]
fn documents_have_one_sentence_per_line_and_the_words_of_the_glossary() {
    let of_document = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        faults(&name, &fs::read_to_string(path).unwrap())
    };
    let faults: Vec<String> = documents().iter().flat_map(of_document).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn two_sentences_and_a_replaced_word_are_seen() {
    let text = "It is here. It is there.\n```\nA door. A door.\n```\nThe [door](a.md) of `parked` is \"unharmed\".\n";
    assert_eq!(
        faults("x.md", text),
        [
            "x.md:1: expected one sentence per line, got \"It is here. It is there.\"",
            "x.md:5: say \"intake endpoint\" and not \"door\"",
        ]
    );
}
