//! That no test is left out: each file of tests is a module of its folder's one binary, and each crate is among those
//! that cargo builds and tests unasked.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{root, sources};

#[test]
fn every_file_of_tests_is_run() {
    let is_root = |name: &str| name.ends_with("/tests/all.rs") || name == "tests/blackbox.rs";
    let sources = sources();
    let roots: Vec<_> = sources.iter().filter(|(name, _)| is_root(name)).collect();
    assert!(roots.len() > 10, "only {} binaries of tests were found", roots.len());
    for (root, list) in roots {
        let folder = root.rsplit_once('/').unwrap().0;
        for (name, _) in &sources {
            let Some(file) = name.strip_prefix(&format!("{folder}/")).and_then(|rest| rest.strip_suffix(".rs")) else {
                continue;
            };
            let is_listed = list.contains(&format!("mod {file};")) || name == root || file.contains('/');
            assert!(is_listed, "{name} is not run: {root} does not name it");
        }
    }
}

#[test]
fn no_crate_is_left_out_of_what_cargo_does_unasked() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let list = |name: &str| -> BTreeSet<String> {
        manifest["workspace"][name].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect()
    };
    let unasked = list("default-members");
    let is_unasked = |path: &str| {
        unasked.contains(path) || path.rsplit_once('/').is_some_and(|(room, _)| unasked.contains(&format!("{room}/*")))
    };
    let left: Vec<_> = list("members").into_iter().filter(|path| !is_unasked(path)).collect();
    assert_eq!(left, ["xtask"], "xtask alone is left out, so that `cargo run` has one binary to run");
}
