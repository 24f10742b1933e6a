//! The cookbooks of `CONTRIBUTING.md`: every file and symbol that they name exists, and no change costs many files.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that one change may touch, generated ones apart.
const FILES_MAX: usize = 4;
/// Changes that may touch more, with the reason.
const MORE: [(&str, usize, &str); 2] = [
    ("Add an event", 6, "its type, its fixture and its sentence are promises of their own"),
    ("Add a field of Incident", 6, "it is shown by every surface"),
];
/// Changes for which there is a cookbook.
const EXPECTED: [&str; 11] = [
    "Add an event",
    "Add an intake format",
    "Add a notifier",
    "Add a copilot tool",
    "Add a web page",
    "Add a CLI command",
    "Add a metric detector",
    "Add a model kind",
    "Add a vector store",
    "Add a field of Incident",
    "Change when an acknowledged incident pages again",
];

/// One step: a file, and symbols that it holds.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
    path: &'a str,
    symbols: Vec<&'a str>,
}

#[derive(Debug)]
struct Cookbook<'a> {
    name: &'a str,
    steps: Vec<Step<'a>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Reads ``1. `path` · `symbol`, `symbol`: what to do``.
fn step(line: &str) -> Option<Step<'_>> {
    let (number, rest) = line.split_once(". `")?;
    number.parse::<usize>().ok()?;
    let (named, _) = rest.split_once("`: ")?;
    let (path, symbols) = named.split_once("` · `").unwrap_or((named, ""));
    Some(Step { path, symbols: symbols.split("`, `").filter(|symbol| !symbol.is_empty()).collect() })
}

fn cookbooks(text: &str) -> Vec<Cookbook<'_>> {
    let (_, part) = text.split_once("\n## Cookbooks\n").expect("a section of cookbooks");
    let part = part.split_once("\n## ").map_or(part, |(part, _)| part);
    let cookbook = |section| -> Cookbook<'_> {
        let (name, body): (&str, &str) = str::split_once(section, '\n').expect("a cookbook has steps");
        Cookbook { name, steps: body.lines().filter_map(step).collect() }
    };
    part.split("\n### ").skip(1).map(cookbook).collect()
}

/// What is wrong with a cookbook.
fn faults(cookbook: &Cookbook<'_>) -> Vec<String> {
    let name = cookbook.name;
    let more = MORE.iter().find(|(of, _, _)| *of == name);
    let files_max = more.map_or(FILES_MAX, |(_, files, _)| *files);
    let mut faults = Vec::new();
    if cookbook.steps.is_empty() || cookbook.steps.len() > files_max {
        faults.push(format!("{name}: expected 1 to {files_max} files, got {}", cookbook.steps.len()));
    }
    for Step { path, symbols } in &cookbook.steps {
        let Ok(text) = fs::read_to_string(root().join(path)) else {
            faults.push(format!("{name}: expected the file {path}, there is none"));
            continue;
        };
        let missing = symbols.iter().filter(|symbol| !text.contains(**symbol));
        faults.extend(missing.map(|symbol| format!("{name}: expected {symbol} in {path}, it is not there")));
    }
    faults
}

#[test]
fn every_cookbook_names_files_and_symbols_that_exist() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let cookbooks = cookbooks(&text);
    let names: Vec<&str> = cookbooks.iter().map(|cookbook| cookbook.name).collect();
    assert_eq!(names, EXPECTED);
    let faults: Vec<String> = cookbooks.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "CONTRIBUTING.md is not what the code says:\n{}", faults.join("\n"));
}

#[test]
fn a_cookbook_that_is_wrong_is_seen() {
    let text = "\n## Cookbooks\n\n### Add a thing\n\n1. `nowhere.rs`: x\n2. `Cargo.toml` · `[workspace]`, `no such`: y\n\
                3. `LICENSE`: z\n4. `LICENSE`: z\n5. `LICENSE`: z\n\n## Else\n1. `elsewhere.rs`: x\n";
    let faults: Vec<String> = cookbooks(text).iter().flat_map(faults).collect();
    assert_eq!(
        faults,
        [
            "Add a thing: expected 1 to 4 files, got 5",
            "Add a thing: expected the file nowhere.rs, there is none",
            "Add a thing: expected no such in Cargo.toml, it is not there",
        ]
    );
}
