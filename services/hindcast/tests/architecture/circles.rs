//! Circles between the files of one crate. Two files that need each other are one file in two places: neither can be
//! read, tested or moved alone.
//!
//! A file *needs* another file of its crate when its product code names, by a path or a `use`, something that the
//! other one defines; re-exports are followed to the definition. Three things are no need:
//! - a `mod` or `pub use` line: it says where something is;
//! - a module that is named without anything in it (`use crate::format;`): what is then taken from it counts;
//! - a type, trait, constant or macro of an *ancestor* that a file below it names: a parent module owns the words that
//!   its children speak in, which is the usual shape of Rust. A function of an ancestor is a need, so that a parent
//!   that calls its children while they call it back is a circle.
//!
//! A circle is a strongly connected set of more than one file. Each circle that stays is in [`STAYS`] with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Module, Modules, modules, uses};
use crate::source::product;

/// Circles that stay: files by their paths from the repository's root, and why they are one idea in several files.
const STAYS: [(&[&str], &str); 3] = [
    (
        &["services/correlator/src/decide.rs", "services/correlator/src/repeats.rs"],
        "a batch of repeats is an input, and a repeat that changes something is decided as the message that it was",
    ),
    (
        &[
            "services/core/domain/src/chat.rs",
            "services/core/domain/src/command.rs",
            "services/core/domain/src/event.rs",
            "services/core/domain/src/label.rs",
            "services/core/domain/src/links.rs",
            "services/core/domain/src/model.rs",
            "services/core/domain/src/notice.rs",
            "services/core/domain/src/silence.rs",
        ],
        "an event is one of the payloads of the aggregates, and an aggregate folds recorded events",
    ),
    (
        &["services/gateway/src/door/telemetry/otlp/messages.rs", "services/gateway/src/door/telemetry/otlp/value.rs"],
        "the format is recursive: a message has values, and a value may be a list of messages",
    ),
];

/// Edges between the files of one crate.
fn needs(modules: &Modules) -> BTreeMap<&Module, BTreeSet<Module>> {
    let mut edges = BTreeMap::new();
    for module in modules.keys() {
        let needed = uses(modules, module).into_iter().filter(|(to, name)| {
            let below = to.len() < module.len() && module.starts_with(to);
            let function = name.as_ref().is_some_and(|name| name.starts_with(|first: char| first.is_lowercase()));
            to != module && name.is_some() && (!below || function)
        });
        edges.insert(module, needed.map(|(to, _)| to).collect());
    }
    edges
}

/// Sets of more than one module that reach each other.
fn circles(edges: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach = |from: &Module| {
        let (mut seen, mut wanted) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = wanted.pop() {
            wanted.extend(edges.get(&next).into_iter().flatten().filter(|to| seen.insert((*to).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|from| (*from, reach(from))).collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (from, to) in &reached {
        let mutual = to.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*from)));
        let circle: BTreeSet<Module> = mutual.cloned().collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Every circle of the workspace, as files.
fn all() -> Vec<BTreeSet<String>> {
    let files = product();
    let crates: BTreeSet<&str> =
        files.iter().map(|(path, _)| &path[..path.find("/src/").unwrap() + "/src/".len()]).collect();
    let mut found = Vec::new();
    for src in crates {
        let modules = modules(src, &files);
        for circle in circles(&needs(&modules)) {
            found.push(circle.iter().map(|module| modules[module].path.clone()).collect());
        }
    }
    found
}

#[test]
fn files_need_each_other_in_no_circle() {
    let listed = |circle: &BTreeSet<String>| {
        STAYS.iter().any(|(files, _)| circle.iter().all(|file| files.contains(&file.as_str())))
    };
    let (known, new): (Vec<_>, Vec<_>) = all().into_iter().partition(listed);
    assert!(new.is_empty(), "circles between files: {new:#?}");
    for (files, why) in STAYS {
        let lives = known.iter().any(|circle| circle.iter().all(|file| files.contains(&file.as_str())));
        assert!(lives, "the circle {files:?} is gone: {why}");
    }
}

#[test]
fn a_circle_is_found_and_the_usual_shape_is_none() {
    let of = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(path, text)| (format!("x/src/{path}"), (*text).to_owned())).collect();
        circles(&needs(&modules("x/src/", &files))).len()
    };
    let root = ("lib.rs", "mod a; mod b;");
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B(super::a::A);")]), 1);
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B;")]), 0);
    assert_eq!(of(&[root, ("a.rs", "use crate::b; fn f() { b::g() }"), ("b.rs", "pub fn g() { crate::a::f() }")]), 1);
    let tested = "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }";
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", tested)]), 0);
    // A parent owns the words of its children; a child that calls it back is a circle.
    let parent = "mod b; pub struct P; pub fn p() { b::q(); }";
    assert_eq!(of(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "use super::P; pub fn q() {}")]), 0);
    assert_eq!(of(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "pub fn q() { super::p() }")]), 1);
    // A re-export is followed to the file that defines it.
    let gives = ("lib.rs", "mod a; mod b; pub use a::A;");
    assert_eq!(of(&[gives, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B(crate::A);")]), 1);
}
