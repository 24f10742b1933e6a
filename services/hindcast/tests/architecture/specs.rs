//! The specifications of `docs/specs`: every test that one of their rules names exists where the rule says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All files below a folder with that ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The folders of the crates, by name.
fn crates() -> BTreeMap<String, PathBuf> {
    let of_manifest = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?.to_owned();
        Some((name, path.parent()?.to_owned()))
    };
    files(&root().join("services"), "Cargo.toml").into_iter().filter_map(of_manifest).collect()
}

/// What a specification names: ``crate :: file :: test``, or `module::test`, whose file is not told.
fn named(text: &str) -> Vec<Vec<&str>> {
    let tokens = text.split('`').skip(1).step_by(2);
    tokens.map(|token| token.split("::").map(str::trim).collect()).filter(|parts: &Vec<&str>| parts.len() > 1).collect()
}

/// Why what is named is not there, if it is not.
fn missing(parts: &[&str], crates: &BTreeMap<String, PathBuf>, sources: &[String]) -> Option<String> {
    let function = format!("fn {}(", parts.last()?);
    let is_test = parts.last()?.matches('_').count() > 1;
    if let [name, file, ..] = parts
        && name.starts_with("hindcast")
    {
        let Some(folder) = crates.get(*name) else { return Some(format!("expected a crate {name}, there is none")) };
        let places = [folder.join(file), folder.join("src").join(file), root().join(file)];
        let Some(path) = places.iter().find(|path| path.exists()) else {
            return Some(format!("expected {file} in {name}, it is not there"));
        };
        let is_there = path.is_dir() || !is_test || fs::read_to_string(path).unwrap().contains(&function);
        return (!is_there).then(|| format!("expected a {function}) in {name} {file}, there is none"));
    }
    let is_there = !is_test || sources.iter().any(|source| source.contains(&function));
    (!is_there).then(|| format!("expected a {function}) in the workspace, there is none"))
}

fn all_missing(text: &str) -> Vec<String> {
    let folders = [root().join("services"), root().join("tests")];
    let paths = folders.iter().flat_map(|folder| files(folder, ".rs"));
    let sources: Vec<String> = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
    let crates = crates();
    named(text).iter().filter_map(|parts| missing(parts, &crates, &sources)).collect()
}

#[test]
fn every_test_that_a_specification_names_exists() {
    for path in files(&root().join("docs/specs"), ".md") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(named(&text).len() > 30, "{} names few tests", path.display());
        let missing = all_missing(&text);
        assert!(missing.is_empty(), "{}:\n{}", path.display(), missing.join("\n"));
    }
}

#[test]
fn a_test_that_is_gone_is_seen() {
    // Put together here, so that no source has the name of a function that is not there.
    let gone =
        ["hindcast-eventlog :: keep.rs :: gone_from_here", "hindcast-gone :: x.rs", "lanes::no_such_case_at_all"];
    let text = gone.map(|name| format!("`{name}`")).join(", ");
    assert_eq!(all_missing(&text).len(), gone.len(), "{:?}", all_missing(&text));
}
