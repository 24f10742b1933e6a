//! A bare type name means one thing in the workspace, so that a search for it leads to one place.
//!
//! Structs, enums, traits, type aliases and unions of product code count, private ones too; those inside functions and
//! associated types do not. The domain's event payloads are named by their aggregate (`incident::Resolved`,
//! `alert::Resolved`), which is the style of that crate, so that its files may share names with each other alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{code, product, tokens, without_tests};

/// Names that mean "the one of this crate or module" by convention of the language, with the convention.
const EACH_ITS_OWN: [(&str, &str); 10] = [
    ("Error", "what can go wrong in this module"),
    ("Result", "a result with the module's own error"),
    ("Options", "what a service is given at its start"),
    ("Handle", "the cheap handle on a running service"),
    ("Shared", "a port behind an `Arc`"),
    ("Inner", "what the clones of a handle share; never outside its file"),
    ("OpenError", "why this adapter does not open"),
    ("FailPoint", "where this service's guarantee is switched off, so that its test is seen to turn red"),
    ("Site", "one place that a conformance suite runs on"),
    ("Factory", "what makes the places that a conformance suite runs on"),
];

/// The API's shape of a thing of the domain has the thing's name: `api::Incident` shows what `incident::Incident` folds.
const SHAPES: [&str; 8] = ["Alert", "Change", "Event", "Incident", "Label", "Notice", "Parked", "Silence"];

const DOMAIN: &str = "services/core/domain/src/";

/// The types that a file declares at the level of a module.
fn declared(text: &str) -> BTreeSet<String> {
    let clean = code(text);
    let (words, _) = without_tests(&tokens(&clean));
    let words: Vec<&str> = words.into_iter().map(|(word, _)| word).collect();
    let mut found = BTreeSet::new();
    // A block is a module's when `mod NAME` stands before its brace; in any other one nothing counts.
    let mut blocks: Vec<bool> = Vec::new();
    for at in 0..words.len() {
        match words[at] {
            "{" => blocks.push(at >= 2 && words[at - 2] == "mod"),
            "}" => {
                blocks.pop();
            }
            "struct" | "enum" | "trait" | "type" | "union" if blocks.iter().all(|of_module| *of_module) => {
                let name = words.get(at + 1).copied().unwrap_or_default();
                if name.starts_with(|first: char| first.is_uppercase()) {
                    found.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

/// Names with the files that declare them, where there is more than one.
fn twice(files: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        for name in declared(text) {
            places.entry(name).or_default().push(path.clone());
        }
    }
    places.retain(|_, files| files.len() > 1 && !files.iter().all(|file| file.starts_with(DOMAIN)));
    places
}

#[test]
fn a_type_name_means_one_thing() {
    let mut twice = twice(&product());
    for (name, convention) in EACH_ITS_OWN {
        assert!(twice.remove(name).is_some(), "{name} is declared at most once, no convention is needed: {convention}");
    }
    for name in SHAPES {
        let places = twice.remove(name).unwrap_or_default();
        let shape = |file: &String| file.starts_with(DOMAIN) || file.starts_with("services/core/api/src/");
        assert!(
            !places.is_empty() && places.iter().all(shape),
            "{name} is the API's shape of the domain's: {places:?}"
        );
    }
    assert!(twice.is_empty(), "expected one declaration of each name, got {twice:#?}");
}

#[test]
fn a_name_for_two_things_is_found() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let one = file("a/src/lib.rs", "pub struct Told; mod inner { enum Seen {} }");
    let two = file("b/src/lib.rs", "type Told = u8; fn f() { struct Seen; } #[cfg(test)] mod tests { struct Told; }");
    assert_eq!(twice(&[one, two]).into_keys().collect::<Vec<_>>(), ["Told"]);
    let domain = |name: &str| file(&format!("{DOMAIN}{name}.rs"), "pub struct Resolved;");
    assert!(twice(&[domain("alert"), domain("incident")]).is_empty());
}
