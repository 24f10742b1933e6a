//! A `match` on an event or a command names what it ignores. A wildcard would take in every event that is added
//! later, in silence: with names, the compiler asks at each fold, decider and sentence what the new one means.
//!
//! A `match` that picks one single variant is an `if let` in other clothes, and free to do so. Tests pick the
//! events that they are about.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Places where a wildcard beside events or commands is right, each with its reason.
const GENERIC: [(&str, &str); 0] = [];

/// A `match` with a wildcard beside variants of one of the two enums.
#[derive(Debug, PartialEq, Eq)]
struct Wildcard {
    line: usize,
    of: &'static str,
}

#[test]
fn a_match_on_events_or_commands_names_what_it_ignores() {
    let (events, commands) = vocabularies();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if GENERIC.iter().any(|(generic, _)| *generic == path) {
            continue;
        }
        wrong.extend(wildcards(&text, &events, &commands).iter().map(|at| format!("{path}:{} {}", at.line, at.of)));
    }
    assert!(wrong.is_empty(), "a wildcard stands beside variants here; name the others: {wrong:#?}");
}

#[test]
fn no_generic_place_is_listed_that_needs_it_no_more() {
    let (events, commands) = vocabularies();
    let sources = sources();
    for (path, why) in GENERIC {
        let text = sources.iter().find(|(of, _)| of == path).map(|(_, text)| text);
        let needs = text.is_some_and(|text| !wildcards(text, &events, &commands).is_empty());
        assert!(needs, "{path} has no wildcard any more: {why}");
    }
}

#[test]
fn a_wildcard_beside_variants_is_found() {
    let (events, commands) = vocabularies();
    let found = |text: &str| wildcards(text, &events, &commands).len();
    let fold = "match &recorded.event {\n    Event::AlertFired(_) | Event::AlertStale(_) => 1,\n    LAST\n}";
    let with = |last: &str| found(&fold.replace("LAST", last));
    assert_eq!(with("_ => 0,"), 1);
    assert_eq!(with("other => ignore(other),"), 1);
    assert_eq!(with("_ if late => 2, events!(chat) => 0,"), 0, "a guard leaves the rest to others");
    assert_eq!(with("events!(chat) => match one { Some(_) => 1, _ => 0 },"), 0, "an inner match is its own");
    assert_eq!(with("// _ => 0,\n events!(chat) => say(\"_ => 0\"),"), 0, "neither comments nor texts are code");
    let inner = format!("match one {{ Some(_) => {}, _ => 0 }}", fold.replace("LAST", "_ => 0,"));
    assert_eq!(found(&inner), 1, "a match in an arm is looked at too");
    assert_eq!(found("match event { Event::AlertFired(fired) => Some(fired), _ => None }"), 0, "it picks one");
    assert_eq!(found("match key { Event::Pressed(_) => 1, Event::Released(_) => 2, _ => 0 }"), 0, "another enum");
    let pair = "match (&one.event, id) { (Event::Change(_), Ok(_)) => 1, (Event::Command(_), _) => 2, _ => 0 }";
    assert_eq!(found(pair), 1, "a wildcard for a pair is one too");
    let command = "match command { Command::Activate(_) => 1, Command::Restore(_) => 2, _ => 0 }";
    assert_eq!(wildcards(command, &events, &commands), [Wildcard { line: 1, of: "Command" }]);
}

/// Product sources by their path from the root; tests, examples and benches are none.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut found = Vec::new();
    let mut folders = vec![root.join("services")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if !["tests", "examples", "benches", "target"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 300, "only {} sources were found", found.len());
    found.sort();
    found
}

/// The variants of events and of commands, as they are declared.
fn vocabularies() -> (BTreeSet<String>, BTreeSet<String>) {
    let sources = sources();
    let read = |path: &str, name: &str| {
        let (_, text) = sources.iter().find(|(of, _)| of == path).unwrap();
        let code = code(text);
        let at = code.find(&format!("pub enum {name} {{")).unwrap();
        let open = at + code[at..].find('{').unwrap();
        let words = words(&code[open + 1..closing(&code, open)]).into_iter();
        let variants: BTreeSet<String> = words
            .filter(|(depth, word)| *depth == 0 && word.starts_with(|c: char| c.is_ascii_uppercase()))
            .map(|(_, word)| word)
            .collect();
        assert!(variants.len() > 15, "{path} declares {name}");
        variants
    };
    (read("services/core/domain/src/event.rs", "Event"), read("services/core/domain/src/command.rs", "Command"))
}

/// Every word of code with the depth of brackets that it is in.
fn words(code: &str) -> Vec<(usize, String)> {
    let mut depth = 0_usize;
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for c in code.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            c if c.is_alphanumeric() || c == '_' => {
                match found.last_mut().filter(|_| goes_on) {
                    Some((_, word)) => word.push(c),
                    None => found.push((depth, c.to_string())),
                }
                goes_on = true;
                continue;
            }
            _ => {}
        }
        goes_on = false;
    }
    found
}

/// Source text with comments and the insides of texts as blanks, each character where it was.
fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => until(&chars, at, |c| c == '\n'),
            '"' => text_end(&chars, at),
            'r' if is_raw(&chars, at) => raw_end(&chars, at),
            '\'' if chars.get(at + 1) == Some(&'\\') => until(&chars, at + 3, |c| c == '\'') + 1,
            '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
            c => {
                out.push(if c.is_ascii() { c } else { '_' });
                at += 1;
                continue;
            }
        };
        let end = end.min(chars.len());
        out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn until(chars: &[char], from: usize, is: impl Fn(char) -> bool) -> usize {
    chars.iter().skip(from).position(|c| is(*c)).map_or(chars.len(), |found| from + found)
}

fn text_end(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn is_raw(chars: &[char], at: usize) -> bool {
    let begins = at == 0 || !(chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    begins && chars.get(until(chars, at + 1, |c| c != '#')) == Some(&'"')
}

fn raw_end(chars: &[char], from: usize) -> usize {
    let quote = until(chars, from + 1, |c| c != '#');
    let hashes = quote - from - 1;
    let ends = |at: &usize| chars[*at] == '"' && chars.iter().skip(at + 1).take(hashes).all(|c| *c == '#');
    (quote + 1..chars.len()).find(ends).map_or(chars.len(), |at| at + hashes + 1)
}

/// Where the bracket at `open` closes.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The matches that break the rule. What follows a file's own tests is not looked at.
fn wildcards(text: &str, events: &BTreeSet<String>, commands: &BTreeSet<String>) -> Vec<Wildcard> {
    let code = code(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
    let mut found = Vec::new();
    for (at, _) in code.match_indices("match ") {
        let begins = at == 0 || !code.as_bytes()[at - 1].is_ascii_alphanumeric() && code.as_bytes()[at - 1] != b'_';
        let Some(open) = body(&code, at).filter(|_| begins) else { continue };
        let patterns = patterns(&code, open);
        let open_to_all = patterns.iter().any(|pattern| is_wildcard(pattern));
        for (of, variants) in [("Event", events), ("Command", commands)] {
            let named: BTreeSet<String> =
                patterns.iter().flat_map(|pattern| variants_in(pattern, of, variants)).collect();
            if open_to_all && named.len() > 1 {
                found.push(Wildcard { line: code[..at].matches('\n').count() + 1, of });
            }
        }
    }
    found
}

/// The brace that opens a match's arms.
fn body(code: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while at < code.len() {
        match code.as_bytes()[at] {
            b'(' | b'[' => at = closing(code, at),
            b'{' => return Some(at),
            b';' => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The pattern of each arm, with its guard.
fn patterns(code: &str, open: usize) -> Vec<&str> {
    let end = closing(code, open);
    let bytes = code.as_bytes();
    let (mut at, mut start) = (open + 1, open + 1);
    let mut found = Vec::new();
    while at < end {
        match bytes[at] {
            b'(' | b'[' | b'{' => at = closing(code, at),
            b'=' if bytes[at + 1] == b'>' => {
                found.push(code[start..at].trim());
                at = arm_end(code, at + 2, end);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The last character of an arm whose expression begins at `from`.
fn arm_end(code: &str, from: usize, end: usize) -> usize {
    let bytes = code.as_bytes();
    let skip = |mut at: usize| {
        while at < end && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        at
    };
    let mut at = skip(from);
    if at < end && bytes[at] == b'{' {
        at = closing(code, at);
        let next = skip(at + 1);
        return if next < end && bytes[next] == b',' { next } else { at };
    }
    while at < end && bytes[at] != b',' {
        at = if matches!(bytes[at], b'(' | b'[' | b'{') { closing(code, at) + 1 } else { at + 1 };
    }
    at
}

/// Whether a pattern without a guard takes everything: `_`, a plain name, or a tuple of such.
fn is_wildcard(pattern: &str) -> bool {
    let plain = |part: &str| {
        let part = part.trim();
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part != "true"
            && part != "false"
    };
    match pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(parts) => parts.split(',').filter(|part| !part.trim().is_empty()).all(plain),
        None => plain(pattern),
    }
}

/// The variants of one enum that a pattern names.
fn variants_in(pattern: &str, of: &str, variants: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for name in [of, "Self"] {
        for (at, _) in pattern.match_indices(&format!("{name}::")) {
            let begins = at == 0 || !pattern.as_bytes()[at - 1].is_ascii_alphanumeric();
            let rest = &pattern[at + name.len() + 2..];
            let variant: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
            if begins && variants.contains(&variant) {
                found.push(variant);
            }
        }
    }
    found
}
