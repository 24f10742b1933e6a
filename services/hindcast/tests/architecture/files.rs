//! How long files and functions may be, and how a file opens. A file is one idea; a function fits a screen.
//!
//! Tests count like product code: a test that nobody can read holds nothing. The lines of a function are those from
//! its `fn` to its closing brace, comments and blank lines included.

use crate::source::{code, sources, tokens};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are longer, as their functions are, because they are a table, with the reason why it is one table.
const LONGER: [(&str, &str); 1] =
    [("services/console/src/routes/table.rs", "the one table of routes: a reader looks for a path in one place")];

/// Files that are still too long. Entries are only ever deleted.
const STILL_LONG_FILES: [&str; 3] =
    ["services/core/domain/tests/folds.rs", "services/pager/tests/pager.rs", "services/views/tests/common/mod.rs"];

/// The functions of a file that have more lines than they may, with their lines.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let clean = code(text);
    let words = tokens(&clean);
    let mut found = Vec::new();
    for at in 0..words.len().saturating_sub(1) {
        let (word, begin) = words[at];
        let name = words[at + 1].0;
        if word != "fn" || !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            continue;
        }
        let end = crate::source::end_of_item(&words, at);
        let lines = words[end.min(words.len()) - 1].1 - begin + 1;
        if lines > FUNCTION_LINES_MAX {
            found.push((name.to_owned(), lines));
        }
    }
    found
}

#[test]
fn every_function_fits_a_screen() {
    let mut new = Vec::new();
    for (path, text) in sources() {
        if LONGER.iter().any(|(table, _)| *table == path) {
            continue;
        }
        for (name, lines) in long_functions(&text) {
            new.push((path.clone(), name, lines));
        }
    }
    assert!(new.is_empty(), "expected at most {FUNCTION_LINES_MAX} lines, got {new:#?}");
}

#[test]
fn a_long_function_is_found() {
    let body = "    let _ = \"}\";\n".repeat(FUNCTION_LINES_MAX);
    assert_eq!(long_functions(&format!("fn long() {{\n{body}}}\n")), [("long".to_owned(), FUNCTION_LINES_MAX + 2)]);
    assert_eq!(long_functions("fn short();\nfn other() {}\n"), []);
}

#[test]
fn every_file_is_one_idea() {
    let (mut new, mut known) = (Vec::new(), 0);
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines <= FILE_LINES_MAX || LONGER.iter().any(|(table, _)| *table == path) {
            continue;
        }
        if STILL_LONG_FILES.contains(&path.as_str()) {
            known += 1;
        } else {
            new.push((path, lines));
        }
    }
    println!("{known} files are still longer than {FILE_LINES_MAX} lines");
    assert!(new.is_empty(), "expected at most {FILE_LINES_MAX} lines, got {new:#?}");
}

#[test]
fn every_file_opens_by_saying_what_it_owns() {
    let silent: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "expected //! on the first line of {silent:#?}");
}

#[test]
fn nothing_is_left_to_be_done() {
    // Put together, so that this file does not find itself.
    let marks = [format!("{}!(", "todo"), format!("{}!(", "unimplemented")];
    let left: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark.as_str())))
        .map(|(name, _)| name)
        .collect();
    assert!(left.is_empty(), "{left:#?}");
}

/// Files that write single bytes in hexadecimal digits for another reason than to show bytes.
const HEX_OF_ONE_BYTE: [(&str, &str); 1] =
    [("services/adapters/ledger-nats/src/lease.rs", "a byte that a key may not have is escaped")];

/// Whether a text formats bytes as hexadecimal digits by hand.
fn writes_hex(text: &str) -> bool {
    text.contains(concat!(":02", "x}"))
}

#[test]
fn bytes_become_hexadecimal_digits_in_one_place() {
    let ours = |path: &str| HEX_OF_ONE_BYTE.iter().any(|(excepted, _)| *excepted == path);
    let wrong: Vec<String> =
        sources().into_iter().filter(|(path, text)| !ours(path) && writes_hex(text)).map(|(path, _)| path).collect();
    assert!(wrong.is_empty(), "use hindcast_domain::hex in {wrong:#?}");
    for (path, _) in HEX_OF_ONE_BYTE {
        assert!(sources().iter().any(|(other, text)| other == path && writes_hex(text)), "{path} needs no exception");
    }
}

#[test]
fn hexadecimal_digits_by_hand_are_found() {
    assert!(writes_hex(concat!("format!(\"{byte:02", "x}\")")) && writes_hex(concat!("{:02", "x}")));
    assert!(!writes_hex("hex(&bytes)") && !writes_hex("{byte:02X}"));
}
