//! The files of the repository, and Rust text as the rules read it: without comments, texts and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every Rust file of the repository, that of tests and tasks too, by its path from the root.
pub fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["services", "tests", "xtask"] {
        walk(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files were found", found.len());
    found.sort();
    found
}

/// The files of product code: what crates link, without their tests, examples and benchmarks.
pub fn product() -> Vec<(String, String)> {
    let only_in_tests = |path: &str| {
        !path.contains("/src/")
            || path.contains("/tests/")
            || path.ends_with("/tests.rs")
            || path.contains("/testkit/")
            || path.starts_with("xtask/")
    };
    sources().into_iter().filter(|(path, _)| !only_in_tests(path)).collect()
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The text with every comment and every literal blanked. Lines stay where they are.
pub fn code(text: &str) -> String {
    let from: Vec<char> = text.chars().collect();
    let mut to = String::with_capacity(text.len());
    let mut at = 0;
    while at < from.len() {
        let end = blank_until(&from, at);
        if end == at {
            to.push(from[at]);
            at += 1;
        } else {
            to.extend(from[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    to
}

/// Where the comment or literal that begins at `at` ends; `at` itself where none begins.
fn blank_until(from: &[char], at: usize) -> usize {
    let is = |offset: usize, c: char| from.get(at + offset) == Some(&c);
    let in_word = at > 0 && (from[at - 1].is_alphanumeric() || from[at - 1] == '_');
    match from[at] {
        '/' if is(1, '/') => (at..from.len()).find(|i| from[*i] == '\n').unwrap_or(from.len()),
        '/' if is(1, '*') => {
            let closes = |i: &usize| from[*i] == '*' && from.get(i + 1) == Some(&'/');
            (at + 2..from.len()).find(closes).map_or(from.len(), |i| i + 2)
        }
        '"' => end_of_text(from, at),
        'r' if !in_word && (is(1, '"') || is(1, '#') && (is(2, '"') || is(2, '#'))) => end_of_raw(from, at),
        'b' if !in_word && is(1, 'r') && (is(2, '"') || is(2, '#')) => end_of_raw(from, at + 1),
        '\'' if is(1, '\\') => (at + 3..from.len()).find(|i| from[*i] == '\'').map_or(from.len(), |i| i + 1),
        '\'' if is(2, '\'') => at + 3,
        _ => at,
    }
}

fn end_of_text(from: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < from.len() && from[i] != '"' {
        i += if from[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(from.len())
}

fn end_of_raw(from: &[char], at: usize) -> usize {
    let hashes = from[at + 1..].iter().take_while(|c| **c == '#').count();
    let closes =
        |i: &usize| from[*i] == '"' && from[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (at + hashes + 2..from.len()).find(closes).map_or(from.len(), |i| i + 1 + hashes)
}

/// Words and marks of Rust text, each with its line from 1. `::` and `->` are one mark each.
pub fn tokens(code: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") || rest.starts_with("->") || rest.starts_with("=>") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                found.push((&rest[..length], index + 1));
            }
            rest = &rest[length..];
        }
    }
    found
}

/// The index behind the item that begins at `at`: behind its block, or behind its semicolon.
pub fn end_of_item(tokens: &[(&str, usize)], at: usize) -> usize {
    let (mut depth, mut i) = (0_i32, at);
    while i < tokens.len() {
        match tokens[i].0 {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && tokens[i].0 == "}" {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
        i += 1;
    }
    i
}

/// What remains without the items behind `#[cfg(test)]`, and the names of the modules among those items.
pub fn without_tests<'a>(tokens: &[(&'a str, usize)]) -> (Vec<(&'a str, usize)>, Vec<&'a str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let words: Vec<&str> = tokens[at..].iter().take(7).map(|(word, _)| *word).collect();
        if words == ["#", "[", "cfg", "(", "test", ")", "]"] {
            let begin = behind_attributes(tokens, at);
            let end = end_of_item(tokens, begin);
            let of_module = |i: &usize| tokens[*i].0 == "mod";
            if let Some(i) = (begin..end.min(begin + 6)).find(of_module) {
                modules.push(tokens[i + 1].0);
            }
            at = end;
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    (kept, modules)
}

fn behind_attributes(tokens: &[(&str, usize)], mut at: usize) -> usize {
    while at + 1 < tokens.len() && tokens[at].0 == "#" && tokens[at + 1].0 == "[" {
        let mut depth = 0;
        loop {
            match tokens[at].0 {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 && tokens[at - 1].0 == "]" {
                break;
            }
        }
    }
    at
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    let text = "fn a() { b(\"{ fn c\"); } // fn d\n/* fn e */ let f = 'x'; r#\"fn \"g\"\"#;\n#[cfg(test)]\nmod h { fn i() {} }\nfn j<'a>() {}";
    let clean = code(text);
    assert_eq!(clean.lines().count(), text.lines().count());
    let (kept, modules) = without_tests(&tokens(&clean));
    let words: Vec<&str> = kept.iter().map(|(word, _)| *word).collect();
    assert_eq!(words.iter().filter(|word| **word == "fn").count(), 2, "{words:?}");
    assert_eq!(modules, ["h"]);
}
